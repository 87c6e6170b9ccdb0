"""The plan as a spreadsheet: summary tables with number formats, frozen headers and assumptions marked."""

import io
import re
import zipfile
from datetime import date, datetime, time

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from crm_utils.core.display.column_formats import CENTS, COUNT, MONEY, POINTS, SHARE, SUM, column_heading, column_kind
from crm_utils.core.formula_injection import escape_formula

ASSUMED = PatternFill("solid", fgColor="FFF2CC")
HEAD = PatternFill("solid", fgColor="E3ECEB")
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


def build_workbook(sheets: dict[str, pd.DataFrame], title: str, day: date, currency: str) -> bytes:
    """Write tables as an xlsx file with one sheet per table; the same tables give the same bytes.

    Assumed figures, and those that rest on one, are yellow. Text that would run as a formula is made harmless, and
    control characters, which no xlsx file may hold, are left out.

    Parameters
    ----------
    sheets : dict of str to pandas.DataFrame
        Tables by the name of their sheet.
    title : str
        The report's title.
    day : date
        The analysis date. It is also the file's time of saving.
    currency : str
        ISO code of the money.

    Returns
    -------
    bytes
        The file.
    """
    book = Workbook()
    book.remove(book.active)
    for name, frame in sheets.items():
        _fill(book.create_sheet(name), frame, f"{title}, {day:%d %B %Y}: {name.lower()}. Money in {currency}. {NOTE}")
    stored = io.BytesIO()
    book.save(stored)
    return _without_clock(stored.getvalue(), datetime.combine(day, time()))


def _fill(sheet: Worksheet, frame: pd.DataFrame, note: str) -> None:
    sheet["A1"] = _text(note)
    sheet["A1"].font = Font(italic=True)
    for place, column in enumerate(frame.columns, start=1):
        head = sheet.cell(2, place, _text(column_heading(column)))
        head.font, head.fill = Font(bold=True), HEAD
        number_format = FORMATS.get(column_kind(column) or "")
        assumed = _assumed(frame, column)
        for row, value in enumerate(frame[column].tolist(), start=3):
            cell = sheet.cell(row, place, None if pd.isna(value) else _text(value))
            cell.number_format = number_format or ("0.00" if isinstance(value, float) else "General")
            if assumed[row - 3]:
                cell.fill = ASSUMED
        longest = max(
            [len(column_heading(column)), *(len(str(value)) for value in frame[column] if isinstance(value, str))]
        )
        sheet.column_dimensions[get_column_letter(place)].width = min(max(longest + 2, WIDTHS[0]), WIDTHS[1])
    sheet.freeze_panes = "B3"


def _text(value: object) -> object:
    return escape_formula(ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value)


def _assumed(frame: pd.DataFrame, column: str) -> list[bool]:
    """Return which rows are assumptions or rest on one. Costs are assumed unless the campaign says where from."""
    evidence = frame.evidence if "evidence" in frame else pd.Series("assumed", frame.index)
    if column in PROFITS or (column in LIFTS and "evidence" in frame):
        return evidence.eq("assumed").tolist()
    if column in COSTS:
        known_from = frame.costs_from if "costs_from" in frame else pd.Series("assumed", frame.index)
        return known_from.eq("assumed").tolist()
    return [False] * len(frame)


def _without_clock(content: bytes, moment: datetime) -> bytes:
    """Replace the time of saving, in the properties and in the archive, by a fixed one."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), data)
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
