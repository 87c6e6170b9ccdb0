"""Cells of the workbook: text, numbers, marked assumptions, and formulas with the value they had when written."""

from dataclasses import dataclass, field
from math import ceil

import pandas as pd
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from crm_utils.core.formatting import NumberFormat
from crm_utils.core.formula_injection import escape_formula

ASSUMED = PatternFill("solid", fgColor="FFF2CC")
CHANGED = PatternFill("solid", bgColor="F4B183")
HEAD = PatternFill("solid", fgColor="E3ECEB")
BOLD, TITLE, ITALIC = (
    Font(name="Calibri", size=size, **kind)
    for size, kind in ((11, {"bold": True}), (14, {"bold": True}), (11, {"italic": True}))
)
LINE_HEIGHT = 15
# Bold text needs so much more room than the width of a column says, because words are not cut
BOLD_WIDTH = 1.4
GENERAL = "General"
DAY_FORMAT = "d mmm yyyy"
COUNT_FORMAT = "#,##0"
SHARE_FORMAT = "0.0%"
LIFT_FORMAT = "0.00%"
# A larger sheet is printed across
LANDSCAPE_FROM = 8
A4 = 9
PAGE = "&P / &N"


@dataclass(frozen=True)
class Formula:
    """A formula, without its =, and its value as planned.

    Openpyxl writes formulas without values. Programs that show a file without computing it need the value.
    """

    text: str
    value: float | str


@dataclass(frozen=True)
class Column:
    """A column of a sheet: its heading, the format of its numbers and its width in characters."""

    heading: str
    number_format: str = GENERAL
    width: float = 14


@dataclass
class Grid:
    """A sheet that is being written, and the values of its formulas by cell."""

    sheet: Worksheet
    values: dict[str, float | str] = field(default_factory=dict)

    def put(self, row: int, column: int, value: object, number_format: str = GENERAL, bold: bool = False) -> Cell:
        """Write a cell. Text that a spreadsheet would run is made harmless."""
        cell = self.sheet.cell(row, column)
        if isinstance(value, Formula):
            cell.value = f"={value.text}"
            self.values[cell.coordinate] = value.value
        else:
            cell.value = None if value is None or pd.isna(value) else harmless(value)
        if isinstance(value, str) and column > 1:  # beside numbers, which end where it begins
            cell.alignment = Alignment("left", indent=1)
        cell.number_format = number_format
        if bold:
            cell.font = BOLD
        return cell

    def heads(self, row: int, columns: list[Column]) -> None:
        """Write headings, and set the widths of their columns."""
        for place, column in enumerate(columns, start=1):
            cell = self.put(row, place, column.heading, bold=True)
            side = "left" if column.number_format == GENERAL else "right"
            cell.fill, cell.alignment = HEAD, Alignment(side, "top", wrap_text=True, indent=int(place > 1))
            self.sheet.column_dimensions[get_column_letter(place)].width = column.width
        lines = [ceil(len(column.heading) * BOLD_WIDTH / column.width) for column in columns]
        self.sheet.row_dimensions[row].height = LINE_HEIGHT * max(lines, default=1)

    def title(self, text: str) -> None:
        """Write the title of the sheet into its first cell."""
        self.put(1, 1, text).font = TITLE

    def row(self, row: int, columns: list[Column], values: list[object], bold: bool = False) -> None:
        """Write a row of values in the formats of their columns."""
        for place, (column, value) in enumerate(zip(columns, values, strict=True), start=1):
            self.put(row, place, value, column.number_format, bold)

    def text(self, row: int, text: str, width: int, bold: bool = False) -> None:
        """Write a text into column A as high as it needs, if the columns have so many characters in all."""
        cell = self.put(row, 1, text, bold=bold)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        self.sheet.row_dimensions[row].height = LINE_HEIGHT * ceil(max(len(text), 1) / width)

    def assumption(self, row: int, column: int, value: float, number_format: str, high: float | None) -> str:
        """Write a cell that a reader may change, between 0 and a limit; return its address in other sheets."""
        cell = self.put(row, column, value, number_format)
        cell.fill, cell.protection = ASSUMED, Protection(locked=False)
        limits = f"from 0 to {high:.4g}" if high is not None else "0 or more"
        check = DataValidation(
            "decimal", 0, high, operator="greaterThanOrEqual" if high is None else "between", showErrorMessage=True
        )
        check.error, check.prompt = f"Give a number {limits}.", f"As planned: {value:.6g}. Give a number {limits}."
        check.showInputMessage = True
        check.add(cell.coordinate)
        self.sheet.add_data_validation(check)
        is_changed = FormulaRule([f"ABS({cell.coordinate}-{value!r})>1E-12"], fill=CHANGED)
        self.sheet.conditional_formatting.add(cell.coordinate, is_changed)
        return self.address(row, column)

    def address(self, row: int, column: int) -> str:
        """Return the address of a cell in other sheets."""
        return f"{quote_sheetname(self.sheet.title)}!${get_column_letter(column)}${row}"

    def span(self, column: int, first: int, last: int) -> str:
        """Return the address of a part of a column in other sheets."""
        letter = get_column_letter(column)
        return f"{quote_sheetname(self.sheet.title)}!${letter}${first}:${letter}${last}"


def harmless(value: object) -> object:
    """Return the value. Text loses control characters and what would make it a formula."""
    return escape_formula(ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value)


def money_format(fmt: NumberFormat, decimals: int = 2) -> str:
    """Return the number format of amounts in the report's currency."""
    return f'"{fmt.symbol}"#,##0.{"0" * decimals}'


def set_up_page(sheet: Worksheet, title: str, columns: int, head_row: int | None) -> None:
    """Fit the columns on one page, repeat the headings on each, and number the pages."""
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.page_setup.paperSize = A4
    sheet.page_setup.orientation = "landscape" if columns >= LANDSCAPE_FROM else "portrait"
    if head_row is not None:
        sheet.print_title_rows = f"{head_row}:{head_row}"
    sheet.oddFooter.left.text = title.replace("&", "&&")
    sheet.oddFooter.right.text = PAGE


def protect(sheet: Worksheet) -> None:
    """Allow changes of unlocked cells only, and filters and widths of columns. There is no password."""
    sheet.protection.sheet = True
    sheet.protection.autoFilter = False
    sheet.protection.formatColumns = False
