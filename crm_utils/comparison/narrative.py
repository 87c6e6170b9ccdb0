"""Sentences on two dates of a report: the wording first, then the functions that fill it in."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from crm_utils.comparison.metrics import KeyFigure
from crm_utils.core.constants import RECENT_DAYS
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import NumberFormat, day, percent

# A forecast with an error smaller than this was on target.
ON_TARGET_BELOW = 0.005

ORDERS_ADDED = "Between {then} and {now}, customers placed {orders} worth {revenue}."
NO_ORDERS_ADDED = "Between {then} and {now}, no order was added."
NEW_CUSTOMERS = "{customers} ordered for the first time."
NO_NEW_CUSTOMERS = "Nobody ordered for the first time."
FEWER_CUSTOMERS = "The report has {customers} fewer than before."
RECENT = (
    "In the {days} days before the later date {count_now} customers spent {revenue_now}. In those before the earlier "
    "date {count_then} customers spent {revenue_then}{change}."
)
RECENT_MORE, RECENT_LESS = ", so revenue rose by {change}", ", so revenue fell by {change}"
SETTINGS_DIFFER = "Part of the change may come from settings that differ between the two dates: {settings}."
SETTING = "{name} was {then} and is {now}"

GAINED_MOST = "{segment} gained most ({customers})"
LOST_MOST = "{segment} lost most ({customers})"
NO_SEGMENT_CHANGED = "Every segment has as many customers as before."
SEGMENTS_CAPTION = "Customers in each segment on the later date (coloured) and on the earlier one (grey)."

NO_FORECAST_OVER = (
    "The forecasts of {then} cannot be checked yet. The shortest covers a month, which was not over by {now}."
)
EXPECTED = "Customers known on {then} were expected to spend {forecast} in the {period} after it. They spent {actual}."
ACCURACY = "The forecast was {error}. The actual revenue is {within_or_outside} its range of {low} to {high}."
WITHIN, OUTSIDE = "within", "outside"
ON_TARGET = "on target"
TOO_HIGH, TOO_LOW = "{error} too high", "{error} too low"
NO_REVENUE = "for a period without revenue"
RANGES_HELD = "Over all forecasts, {held} of {ranges} contained the actual revenue."
RANGES_HELD_BY_SEGMENT = "Over all segments, {held} of {ranges} contained the actual revenue."
NEW_CUSTOMERS_REVENUE = "New customers since then spent another {revenue}. The forecast does not include them."
OUTCOMES_CAPTION = (
    "Revenue from the customers known at the earlier date: the forecast, the range that should contain it nine times "
    "in ten, and the actual revenue."
)

MIGRATION_NOT_COMPARABLE = "Moves between segments are not shown because {reason}."
DIFFERENT_SEGMENT_MAPS = "the two dates use different segment maps"
DIFFERENT_SCORING = "the two dates score customers by different rules"
ARTICLE_SCORING = "this scoring gives customers with equal values different scores (scoring: article)"


def describe_key_figures(
    table: pd.DataFrame, then: date, now: date, settings: Sequence[tuple[str, str, str]], fmt: NumberFormat
) -> Paragraph:
    """Say what was sold between the dates, whether more customers are active, and which settings differ."""
    figures = table.set_index("figure")
    change = figures.change.round(2)
    recent, spent = figures.loc[KeyFigure.RECENT_CUSTOMERS], figures.loc[KeyFigure.RECENT_REVENUE]
    return paragraph(
        _orders_added(change, then, now, fmt),
        _new_customers(change, fmt),
        RECENT.format(
            count_then=fmt.count(recent["then"]),
            count_now=fmt.count(recent["now"]),
            revenue_then=fmt.money(spent["then"]),
            revenue_now=fmt.money(spent["now"]),
            days=RECENT_DAYS,
            change=_relative_change(spent["then"], spent["now"]),
        ),
        describe_settings(settings),
    )


def _relative_change(then: float, now: float) -> str:
    change = now / then - 1 if then > 0 else 0.0
    if not round(change, 2):
        return ""
    return (RECENT_MORE if change > 0 else RECENT_LESS).format(change=percent(abs(change)))


def _orders_added(change: pd.Series, then: date, now: date, fmt: NumberFormat) -> str:
    orders = change[KeyFigure.ORDERS]
    if orders <= 0:
        return NO_ORDERS_ADDED.format(then=day(then), now=day(now))
    return ORDERS_ADDED.format(
        then=day(then),
        now=day(now),
        orders=fmt.plural(orders, "order"),
        revenue=fmt.money(change[KeyFigure.REVENUE]),
    )


def _new_customers(change: pd.Series, fmt: NumberFormat) -> str:
    customers = change[KeyFigure.CUSTOMERS]
    if customers > 0:
        return NEW_CUSTOMERS.format(customers=fmt.plural(customers, "customer"))
    if customers < 0:
        return FEWER_CUSTOMERS.format(customers=fmt.plural(-customers, "customer"))
    return NO_NEW_CUSTOMERS if change[KeyFigure.ORDERS] > 0 else ""


def describe_settings(changed: Sequence[tuple[str, str, str]]) -> str:
    """Say which settings differ between the dates (name, then, now); empty if none does."""
    if not changed:
        return ""
    settings = "; ".join(SETTING.format(name=name, then=then, now=now) for name, then, now in changed)
    return SETTINGS_DIFFER.format(settings=settings)


def describe_segments(table: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say which segment gained and which lost most customers."""
    change = table.set_index("segment").customers_change
    if not change.any():
        return paragraph(NO_SEGMENT_CHANGED)
    parts = []
    if change.max() > 0:
        parts.append(GAINED_MOST.format(segment=change.idxmax(), customers=fmt.plural(change.max(), "customer")))
    if change.min() < 0:
        parts.append(LOST_MOST.format(segment=change.idxmin(), customers=fmt.plural(-change.min(), "customer")))
    return paragraph(f"{'; '.join(parts)}.")


def describe_outcomes(table: pd.DataFrame, then: date, now: date, fmt: NumberFormat) -> Paragraph | NotApplicable:
    """Say what the longest forecast expected and what happened, and how many ranges held."""
    if table.empty:
        return not_applicable(NO_FORECAST_OVER.format(then=day(then), now=day(now)))
    longest = table.iloc[-1]
    several = len(table) > 1
    return paragraph(
        EXPECTED.format(
            period="month" if longest.months == 1 else fmt.plural(longest.months, "month"),
            then=day(then),
            forecast=fmt.money(longest.revenue),
            actual=fmt.money(longest.revenue_actual),
        ),
        ACCURACY.format(
            error=describe_error(longest.miss),
            within_or_outside=WITHIN if longest.held else OUTSIDE,
            low=fmt.money(longest.revenue_low),
            high=fmt.money(longest.revenue_high),
        ),
        _ranges_held(RANGES_HELD, table, fmt) if several else "",
        NEW_CUSTOMERS_REVENUE.format(revenue=fmt.money(longest.revenue_new)) if longest.revenue_new > 0 else "",
    )


def describe_outcomes_by_segment(table: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say for how many segments the ranges held."""
    return paragraph(_ranges_held(RANGES_HELD_BY_SEGMENT, table, fmt))


def _ranges_held(template: str, table: pd.DataFrame, fmt: NumberFormat) -> str:
    return template.format(held=fmt.count(table.held.sum()), ranges=fmt.plural(len(table), "range"))


def describe_error(miss: float) -> str:
    """Say how far a forecast was off: 0.12 is '12% too high'."""
    if pd.isna(miss):
        return NO_REVENUE
    if abs(miss) < ON_TARGET_BELOW:
        return ON_TARGET
    return (TOO_HIGH if miss > 0 else TOO_LOW).format(error=percent(abs(miss)))
