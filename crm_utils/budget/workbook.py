"""The plan as a spreadsheet: sheets that calculate, and hidden tables for analysts with assumptions marked."""

import io
import re
import zipfile
from datetime import date, datetime, time
from html import escape

import pandas as pd
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from crm_utils.budget.plan_model import PlanModel
from crm_utils.budget.workbook_cells import ASSUMED, ITALIC, Column, Grid, set_up_page
from crm_utils.budget.workbook_model import CoverTexts, Wording, write_model_sheets
from crm_utils.core.display.column_formats import CENTS, COUNT, MONEY, POINTS, SHARE, SUM, column_heading, column_kind
from crm_utils.core.formatting import NumberFormat, day

FORMATS = {COUNT: "#,##0", SHARE: "0.0%", MONEY: "#,##0.00", SUM: "#,##0.00", CENTS: "#,##0.00", POINTS: "0.0%"}
COSTS = {
    "contact_cost", "incentive", "incentive_share", "redemption_rate", "fixed_cost", "delivery_rate",
    "pull_forward_share", "follow_on_margin",
}  # fmt: skip
PROFITS = {
    "spend",
    "unspent",
    "expected_profit",
    "profit_low",
    "profit_high",
    "forecast_profit",
    "cost_of_contacting_all",
}
LIFTS = {"lift", "lift_low", "lift_high", "break_even_lift", "break_point_lift", "max_cost_per_contact", "roi"}
NOTE = (
    "Yellow cells are assumptions or rest on one, not on a measurement alone. Lifts are added purchase probabilities. "
    "Intervals hold given the assumed ranges."
)
WIDTHS = 12, 60
# A cell with a formula, as openpyxl writes it
FORMULA = re.compile(rb'(?P<start><c r="(?P<cell>[A-Z]+\d+)"[^>]*?)(?P<formula>><f>[^<]*</f>)(?:<v ?/>|<v></v>)')


def campaign_sheet(campaigns: pd.DataFrame) -> pd.DataFrame:
    """Return the campaigns as a sheet can hold them: lists as text, without the segments.

    Parameters
    ----------
    campaigns : pandas.DataFrame
        One row per campaign, with not_within (campaign and days) and messages (numbers).

    Returns
    -------
    pandas.DataFrame
        The campaigns without the column segments.
    """
    rests = [", ".join(f"{rest['campaign']} {rest['days']} days" for rest in rules) for rules in campaigns.not_within]
    messages = [", ".join(map(str, numbers)) for numbers in campaigns.messages]
    return campaigns.drop(columns="segments").assign(messages=messages, not_within=rests)


def build_workbook(
    model: PlanModel,
    cover: CoverTexts,
    sheets: dict[str, pd.DataFrame],
    title: str,
    analysis_date: date,
    fmt: NumberFormat,
) -> bytes:
    """Write the plan as an xlsx file that calculates; the same plan gives the same bytes.

    The visible sheets are those of `workbook_model`. Tables for analysts are hidden sheets, with a filter. Assumed
    figures in them, and those that rest on one, are yellow. Text that would run as a formula is made harmless, and
    control characters, which no xlsx file may hold, are left out.

    Parameters
    ----------
    model : PlanModel
        The quantities of the plan, and its assumptions (`plan_model.build_model`).
    cover : CoverTexts
        The decision, and what is not sure.
    sheets : dict of str to pandas.DataFrame
        Tables for analysts by the name of their sheet.
    title : str
        The report's title.
    analysis_date : datetime.date
        The day before the first wave, and the file's time of saving.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    bytes
        The file.
    """
    wording = Wording(title, analysis_date, fmt)
    book = Workbook()
    book.remove(book.active)
    book.calculation.fullCalcOnLoad = True
    grids = write_model_sheets(book, model, cover, list(sheets), wording)
    for name, frame in sheets.items():
        note = f"{wording.title}, {day(wording.analysis_date)}: {name.lower()}. Money in {wording.unit}. {NOTE}"
        _fill(Grid(book.create_sheet(name)), frame, note)
    stored = io.BytesIO()
    book.save(stored)
    values = {f"xl/worksheets/sheet{number}.xml": grid.values for number, grid in enumerate(grids, start=1)}
    return _finish(stored.getvalue(), datetime.combine(wording.analysis_date, time()), values)


def _fill(grid: Grid, frame: pd.DataFrame, note: str) -> None:
    """Write a table to a hidden sheet."""
    sheet = grid.sheet
    grid.put(1, 1, note).font = ITALIC
    columns = [Column(column_heading(column), width=_width(frame, column)) for column in frame.columns]
    grid.heads(2, columns)
    for place, column in enumerate(frame.columns, start=1):
        number_format = FORMATS.get(column_kind(column) or "")
        assumed = _assumed(frame, column)
        for row, value in enumerate(frame[column].tolist(), start=3):
            cell = grid.put(row, place, value, number_format or ("0.00" if isinstance(value, float) else "General"))
            if assumed[row - 3]:
                cell.fill = ASSUMED
    sheet.freeze_panes = "B3"
    sheet.auto_filter.ref = f"A2:{get_column_letter(max(len(columns), 1))}{len(frame) + 2}"
    sheet.sheet_state = "hidden"
    set_up_page(sheet, sheet.title, len(columns), 2)


def _width(frame: pd.DataFrame, column: str) -> int:
    texts = [len(value) for value in frame[column] if isinstance(value, str)]
    return min(max(max(texts) + 2, WIDTHS[0]), WIDTHS[1]) if texts else WIDTHS[0]


def _assumed(frame: pd.DataFrame, column: str) -> list[bool]:
    """Return which rows are assumptions or rest on one. Costs are assumed unless the campaign says where from."""
    evidence = frame.evidence if "evidence" in frame else pd.Series("assumed", frame.index)
    if column in PROFITS or (column in LIFTS and "evidence" in frame):
        return evidence.eq("assumed").tolist()
    if column in COSTS:
        known_from = frame.costs_from if "costs_from" in frame else pd.Series("assumed", frame.index)
        return known_from.eq("assumed").tolist()
    return [False] * len(frame)


def _finish(content: bytes, moment: datetime, values: dict[str, dict[str, float | str]]) -> bytes:
    """Replace the time of saving by a fixed one, in the properties and in the archive, and add the values of formulas.

    `values` has a dict of cells for each sheet by the name of its part.
    """
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), data)
            elif name in values:
                data = _with_values(data, values[name])
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()


def _with_values(sheet: bytes, values: dict[str, float | str]) -> bytes:
    """Add the value of each formula, for programs that show a file without computing it."""

    def add(match: re.Match[bytes]) -> bytes:
        value = values[match["cell"].decode()]
        kind = b' t="str"' if isinstance(value, str) else b""
        written = escape(value) if isinstance(value, str) else repr(float(value))
        return match["start"] + kind + match["formula"] + b"<v>" + written.encode() + b"</v>"

    return FORMULA.sub(add, sheet)
