"""Sentences on two dates beside each other."""

from datetime import date

import pandas as pd

from crm_utils.core.constants import RECENT_DAYS
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import count, day, money, percent, plural

EVEN = 0.005  # a forecast closer than that was on target


def figures(table: pd.DataFrame, then: date, now: date, currency: str) -> Paragraph:
    """What came in between, and whether more or fewer customers are active."""
    rows = table.set_index("figure")
    came, orders, revenue = (round(rows.change[name], 2) for name in ("Customers", "Orders", "Revenue so far"))
    recent = rows.loc[f"Ordered in the last {RECENT_DAYS} days"]
    new = (
        plural(came, "new customer")
        if came > 0
        else "no new customer"
        if not came
        else f"{plural(-came, 'customer')} fewer"
    )
    return paragraph(
        f"From {day(then)} to {day(now)}: {plural(orders, 'order')} worth {money(revenue, currency)} and {new}."
        if orders > 0
        else f"From {day(then)} to {day(now)} no order was added.",
        f"{count(recent['then'])} customers had ordered in the {RECENT_DAYS} days before the first date, {count(recent['now'])} before the second.",
    )


def segments(table: pd.DataFrame) -> Paragraph:
    """Which segment gained and which lost most customers."""
    change = table.set_index("segment").customers_change
    if not change.any():
        return paragraph("Every segment has as many customers as before.")
    most = f"{change.idxmax()} gained most ({plural(change.max(), 'customer')})" if change.max() > 0 else ""
    least = f"{change.idxmin()} lost most ({plural(-change.min(), 'customer')})" if change.min() < 0 else ""
    return paragraph("; ".join(part for part in (most, least) if part) + ".")


def segments_in_words(table: pd.DataFrame) -> str:
    """What the pairs of bars show."""
    pairs = "; ".join(
        f"{row.segment} {count(row.customers_then)} and {count(row.customers)}" for row in table.itertuples()
    )
    return f"Pairs of bars of the customers of each segment, then and now: {pairs}."


def outcomes(table: pd.DataFrame, then: date, now: date, currency: str) -> Paragraph | NotApplicable:
    """What the longest forecast said and what came, and how many ranges held."""
    if table.empty:
        return not_applicable(f"No forecast of {day(then)} was over by {day(now)}: the shortest looks one month ahead.")
    last, held = table.iloc[-1], int(table.held.sum())
    known = (
        f"For the {plural(last.months, 'month')} after {day(then)}"
        if last.months != 1
        else f"For the month after {day(then)}"
    )
    within = "within" if last.held else "outside"
    return paragraph(
        f"{known}, {money(last.revenue, currency)} was forecast of the customers known then; {money(last.revenue_actual, currency)} came.",
        f"The forecast was {off(last.miss)}, and what came lies {within} its range of {money(last.revenue_low, currency)} to {money(last.revenue_high, currency)}.",
        f"In all, {held} of {plural(len(table), 'range')} held." if len(table) > 1 else "",
        f"Customers won since brought another {money(last.revenue_new, currency)}, which no forecast contained."
        if last.revenue_new > 0
        else "",
    )


def outcomes_in_words(table: pd.DataFrame, currency: str) -> str:
    """What the figure of forecasts and outcomes shows."""
    rows = "; ".join(
        f"{plural(row.months, 'month')}: {money(row.revenue, currency)} forecast ({money(row.revenue_low, currency)} to {money(row.revenue_high, currency)}), {money(row.revenue_actual, currency)} came"
        for row in table.itertuples()
    )
    return f"Chart of forecasts with their ranges, and what came. {rows}."


def by_segment(table: pd.DataFrame) -> Paragraph:
    """For how many segments the ranges held."""
    return paragraph(f"By segment, {count(table.held.sum())} of {plural(len(table), 'range')} held what came.")


def off(miss: float) -> str:
    """How far a forecast was off: 0.12 -> '12% too high'."""
    if pd.isna(miss):
        return "for a time without revenue"
    return "on target" if abs(miss) < EVEN else f"{percent(abs(miss))} too {'high' if miss > 0 else 'low'}"


def not_comparable(reason: str) -> Paragraph:
    """Why moves between segments are not shown."""
    return paragraph(f"Who moved between segments is not shown: {reason}.")


def settings(changed: list[tuple[str, str, str]]) -> Paragraph | NotApplicable:
    """Which settings differ between the dates: part of any change comes from them."""
    if not changed:
        return not_applicable("Both dates were built with the same settings.")
    named = "; ".join(f"{name} was {then} and is {now}" for name, then, now in changed)
    return paragraph(
        f"Not only the customers changed: {plural(len(changed), 'setting')} differ{'s' if len(changed) == 1 else ''} ({named})."
    )
