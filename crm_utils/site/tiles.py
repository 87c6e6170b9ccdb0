"""The tiles of a date's first page: six figures, each with its change and its course, from the saved tables."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from crm_utils.core.constants import RECENT_DAYS, RESERVE
from crm_utils.core.display.figure_style import BLUE, GREY, PALE, TEAL
from crm_utils.core.display.svg import Drawing, bars
from crm_utils.core.formatting import NumberFormat, day, percent, signed_percent
from crm_utils.rfm.history import value_and_year_before

MONTHS_OF_A_YEAR = 12
NOT_KNOWN = "–"
SPARK_WIDTH, SPARK_HEIGHT = 120, 30

ACTIVE = "Active customers"
REVENUE = "{revenue} of {days} days"
NEW = "New customers"
TOP = "Top tenth’s share"
FORECAST = "Next {months} months"
PLAN = "Plan’s profit"
CHANGE = "{change} in a year"
NO_YEAR_BEFORE = "no year before"
CHANGE_OF_FORECAST = "{change} on the last {months}"
NO_FORECAST = "history too short"
ON_MONEY = "on {spend}"
NO_PLAN = "no budget"
ALT_TEXT = "Bars, newest last: {values}"
EXPECTED = "expected: {value}"
WAVE = "Wave {wave}: {spend}"
POINTS, ONE_POINT = "{change} points in a year", "{change} point in a year"
AS_BEFORE = "as a year before"
NONE_BEFORE = "none a year before"


@dataclass(frozen=True)
class Tile:
    """A figure, what it is compared with, and its course."""

    label: str
    value: str
    change: str
    trend: Markup


Bar = tuple[float, str, str]


def make_tiles(
    history: pd.DataFrame, business: pd.DataFrame, spend_by_wave: pd.Series, lines: pd.DataFrame, fmt: NumberFormat
) -> list[Tile]:
    """Return the six tiles.

    Parameters
    ----------
    history : pandas.DataFrame
        The table `history`.
    business : pandas.DataFrame
        The table `business`; without a row if the history is too short for a forecast.
    spend_by_wave : pandas.Series
        Money of the plan by number of the wave; empty without a plan.
    lines : pandas.DataFrame
        The table `budget_lines`; without a row if the report has no budget.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    list of Tile
        Active customers, revenue, new customers, the share of the top tenth, forecast and plan.
    """
    return [
        _of_history(ACTIVE, history, "active_customers", fmt.count),
        _of_history(REVENUE.format(revenue=fmt.value_noun, days=RECENT_DAYS), history, "revenue", fmt.brief_money),
        _of_history(NEW, history, "new_customers", fmt.count),
        _of_history(TOP, history, "top_tenth_share", percent, in_points=True),
        _of_forecast(history, business, fmt),
        _of_plan(spend_by_wave, lines, fmt),
    ]


def _of_history(
    label: str, history: pd.DataFrame, column: str, write: Callable[[float], str], in_points: bool = False
) -> Tile:
    value, before = value_and_year_before(history, column)
    known = history.dropna(subset=column)
    change = NO_YEAR_BEFORE if value is None or before is None else _change(value, before, in_points)
    year_before = history.last_day.iloc[-1] - pd.DateOffset(months=MONTHS_OF_A_YEAR)
    points = [
        (float(row[column]), _colour(row.last_day, year_before, history.last_day.iloc[-1]), _title(row, column, write))
        for _, row in known.iterrows()
    ]
    return Tile(label, NOT_KNOWN if value is None else write(value), change, _trend(points, label))


def _change(value: float, before: float, in_points: bool) -> str:
    if in_points:
        points = round((value - before) * 100)
        template = ONE_POINT if abs(points) == 1 else POINTS
        return template.format(change=f"{points:+}".replace("-", "−")) if points else AS_BEFORE
    if not before:
        return NONE_BEFORE if value else AS_BEFORE
    relative = value / before - 1
    return CHANGE.format(change=signed_percent(relative)) if round(relative, 2) else AS_BEFORE


def _colour(last_day: pd.Timestamp, year_before: pd.Timestamp, newest: pd.Timestamp) -> str:
    """The bars that are compared stand out."""
    return {newest: BLUE, year_before: GREY}.get(last_day, PALE)


def _title(row: pd.Series, column: str, write: Callable[[float], str]) -> str:
    return f"{day(row.last_day)}: {write(row[column])}"


def _of_forecast(history: pd.DataFrame, business: pd.DataFrame, fmt: NumberFormat) -> Tile:
    if business.empty:
        return Tile(FORECAST.format(months=MONTHS_OF_A_YEAR), NOT_KNOWN, NO_FORECAST, Markup())
    row = business.loc[business.months.idxmax()]
    months = int(row.months)
    change = NO_YEAR_BEFORE
    if row.revenue_before > 0:
        change = CHANGE_OF_FORECAST.format(change=signed_percent(row.revenue / row.revenue_before - 1), months=months)
    points: list[Bar] = []
    if months == MONTHS_OF_A_YEAR:
        years = history.dropna(subset="revenue_12m")
        points = [
            (float(year.revenue_12m), PALE, _title(year, "revenue_12m", fmt.money)) for _, year in years.iterrows()
        ]
    elif row.revenue_before > 0:
        points = [(float(row.revenue_before), PALE, fmt.money(row.revenue_before))]
    points.append((float(row.revenue), TEAL, EXPECTED.format(value=fmt.money(row.revenue))))
    label = FORECAST.format(months=months) if months > 1 else "Next month"
    return Tile(label, fmt.brief_money(row.revenue), change, _trend(points, label))


def _of_plan(spend_by_wave: pd.Series, lines: pd.DataFrame, fmt: NumberFormat) -> Tile:
    if lines.empty:
        return Tile(PLAN, NOT_KNOWN, NO_PLAN, Markup())
    spent = lines[lines.line != RESERVE]
    points = [
        (float(spend), BLUE, WAVE.format(wave=wave, spend=fmt.money(spend))) for wave, spend in spend_by_wave.items()
    ]
    on_money = ON_MONEY.format(spend=fmt.money(spent.spend.sum(), 0))
    return Tile(PLAN, fmt.money(spent.expected_profit.sum(), 0), on_money, _trend(points, PLAN))


def _trend(points: list[Bar], label: str) -> Markup:
    """The bars of a tile; nothing if there is only one."""
    if len(points) < 2 or not any(value for value, _, _ in points):
        return Markup()
    alt_text = ALT_TEXT.format(values="; ".join(title for _, _, title in points[-4:]))
    drawing = Drawing(SPARK_WIDTH, SPARK_HEIGHT, f"{label}. {alt_text}", bars(points, SPARK_WIDTH, SPARK_HEIGHT))
    return Markup(drawing._repr_html_())
