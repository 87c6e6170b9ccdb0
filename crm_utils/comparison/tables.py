"""Tables that compare two dates of a report."""

from datetime import date

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.comparison.metrics import COUNTS, SO_FAR, KeyFigure
from crm_utils.core.constants import RECENT_DAYS
from crm_utils.core.display.table_style import Collapsible, collapsible, style_table
from crm_utils.core.formatting import NumberFormat, day, percent

KEY_FIGURE_LABELS = {
    KeyFigure.CUSTOMERS: "Customers",
    KeyFigure.RECENT_CUSTOMERS: f"Customers who ordered in the last {RECENT_DAYS} days",
    KeyFigure.RECENT_REVENUE: f"Revenue of the last {RECENT_DAYS} days",
    KeyFigure.EXPECTED_REVENUE: "Revenue expected in the next 12 months",
    KeyFigure.EXPECTED_REVENUE_LOW: "Low end of its range",
    KeyFigure.EXPECTED_REVENUE_HIGH: "High end of its range",
    KeyFigure.CLV: "Customer lifetime value",
    KeyFigure.SPEND: "Recommended spend",
    KeyFigure.EXPECTED_PROFIT: "Profit expected from it",
}


def table_of_key_figures(table: pd.DataFrame, then: date, now: date, fmt: NumberFormat) -> Styler:
    """Return the key figures of both dates. A column holds counts and amounts, so values are formatted one by one."""
    table = table[~table.figure.isin(SO_FAR)].reset_index(drop=True)
    shown = pd.DataFrame({"figure": table.figure.map(KEY_FIGURE_LABELS)})
    shown["compared_then"] = _write_values(table, "then", fmt)
    shown["compared_now"] = _write_values(table, "now", fmt)
    shown["compared_change"] = _write_values(table, "change", fmt, signed=True)
    headings = {"compared_then": day(then), "compared_now": day(now), "compared_change": "Change"}
    return style_table(shown, "Key figures on both dates", fmt, headings)


def table_of_segments(table: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return customers and revenue of each segment on both dates."""
    return style_table(table, "Customers and revenue so far of each segment, then and now", fmt)


def table_of_outcomes(table: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return the forecasts and the actual revenue by horizon."""
    unused = ["months"] if table.revenue_new.any() else ["months", "revenue_new"]
    shown = _write_errors(table.drop(columns=unused))
    shown.insert(0, "horizon", [fmt.plural(months, "month") for months in table.months])
    return style_table(shown, "Past forecasts and the actual revenue", fmt, {"horizon": "For the next"})


def table_of_outcomes_by_segment(table: pd.DataFrame, months: int, fmt: NumberFormat) -> Collapsible | None:
    """Return the longest forecast and the actual revenue by segment, folded away."""
    caption = f"The forecast for {fmt.plural(months, 'month')}, by the segment customers were in then"
    return collapsible("Segment by segment", style_table(_write_errors(table), caption, fmt))


def _write_errors(table: pd.DataFrame) -> pd.DataFrame:
    miss = ["–" if pd.isna(miss) else _signed(percent(abs(miss)), miss) for miss in table.miss]
    held = table.held.map({True: "yes", False: "no"})
    return table.rename(columns={"revenue": "revenue_predicted"}).assign(miss=miss, held=held)


def _write_values(table: pd.DataFrame, column: str, fmt: NumberFormat, signed: bool = False) -> list[str]:
    return [
        _write_value(value, figure in COUNTS, fmt, signed)
        for figure, value in zip(table.figure, table[column], strict=True)
    ]


def _write_value(value: float, is_count: bool, fmt: NumberFormat, signed: bool) -> str:
    size = fmt.count(abs(value)) if is_count else fmt.money(abs(value))
    return _signed(size, value) if signed or value < 0 else size


def _signed(size: str, value: float) -> str:
    """Return a size with the sign of its value. A size that is written as zero has no sign."""
    if not any(digit in size for digit in "123456789"):
        return size
    return f"{'−' if value < 0 else '+'}{size}"
