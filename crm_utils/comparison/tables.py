"""Tables of two dates beside each other."""

from datetime import date

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.comparison.metrics import COUNTED
from crm_utils.core import formatting
from crm_utils.core.display.table_style import Collapsible, collapsible, style_table


def figures(table: pd.DataFrame, then: date, now: date, currency: str) -> Styler:
    """Key figures: counts and money in one column each date, so written here row by row."""
    shown = pd.DataFrame({"figure": table.figure})
    for column, sign in (("then", False), ("now", False), ("change", True)):
        shown[f"compared_{column}"] = [
            _written(value, unit, currency, sign) for value, unit in zip(table[column], table.unit, strict=True)
        ]
    headings = {"compared_then": formatting.day(then), "compared_now": formatting.day(now), "compared_change": "Change"}
    return style_table(shown, "Key figures on both dates", currency, headings)


def segments(table: pd.DataFrame, currency: str) -> Styler:
    return style_table(table, "Customers and revenue so far of each segment, then and now", currency)


def outcomes(table: pd.DataFrame, currency: str) -> Styler:
    shown = _judged(table.drop(columns=["months"] if table.revenue_new.any() else ["months", "revenue_new"]))
    shown.insert(0, "horizon", [formatting.plural(months, "month") for months in table.months])
    return style_table(shown, "Forecasts made then, and what came", currency, {"horizon": "For the next"})


def by_segment(table: pd.DataFrame, months: int, currency: str) -> Collapsible:
    caption = f"The forecast for {formatting.plural(months, 'month')}, by the segment customers were in then"
    return collapsible("Segment by segment", style_table(_judged(table), caption, currency))


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    miss = ["–" if pd.isna(miss) else _signed(formatting.percent(abs(miss)), miss) for miss in table.miss]
    held = table.held.map({True: "yes", False: "no"})
    return table.rename(columns={"revenue": "revenue_predicted"}).assign(miss=miss, held=held)


def _written(value: float, unit: str, currency: str, sign: bool) -> str:
    text = formatting.count(abs(value)) if unit == COUNTED else formatting.money(abs(value), currency)
    return _signed(text, value) if sign or value < 0 else text


def _signed(text: str, value: float) -> str:
    """A size with the sign of its value; without one where it is written as zero."""
    return ("" if not any(digit in text for digit in "123456789") else "−" if value < 0 else "+") + text
