"""The findings of the index page: what changed from one analysis date of a report to the next."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from crm_utils.core.constants import RECENT_DAYS
from crm_utils.core.display.alt_text import list_within
from crm_utils.core.display.axis_formats import ValueFormatter
from crm_utils.core.display.figure_style import BLUE, LIGHT_INK, TEAL, segment_colours, use_style
from crm_utils.core.display.finding import Finding
from crm_utils.core.display.paragraphs import Paragraph, paragraph
from crm_utils.core.display.table_style import Collapsible, collapsible, style_table
from crm_utils.core.formatting import NumberFormat, day, signed_percent

PANELS_PER_ROW = 4
WIDTH_INCHES = 8.4

TREND = (
    "Between {first_day} and {last_day}, the number of customers who had bought in the last {recent_days} days went "
    "from {first_buyers} to {last_buyers}{buyers_change}, and their revenue from {first_spent} to {last_spent}"
    "{spent_change}. Revenue expected from the customers of each date in 12 months went from {first_revenue} to "
    "{last_revenue}{revenue_change}."
)
TREND_CAPTION = (
    "Three figures on each analysis date: customers and revenue of the {recent_days} days before it, and revenue "
    "expected from all known customers in the 12 months after it."
)
TREND_POINT = "{day}: {buyers} buyers, {revenue} in {recent_days} days, {expected} expected"
TREND_ALT_TEXT = "Three line charts across analysis dates. {items}."
GREW_MOST = "{segment} grew most: from {first} to {last}."
SHRANK_MOST = "{segment} shrank most: from {first} to {last}."
NO_CHANGE = "Every segment has as many customers as on {day}."
SIZES_CAPTION = (
    "Customers in each segment on each analysis date. All panels have the same scale. The numbers are for the first "
    "and the last date."
)
SIZES_ALT_TEXT = "Small charts of the customers in each segment, first and last date: {items}."
SIZES_TABLE = "{report}: customers in each segment on each analysis date"


def trend_finding(dates: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """How recent buyers, revenue and expected revenue changed.

    `dates` has one row per analysis date, oldest first, with `date` and the figures of its manifest.
    """
    return Finding(
        trend_sentence(dates, fmt),
        plot_trend(dates, fmt),
        TREND_CAPTION.format(recent_days=RECENT_DAYS),
        alt_text_trend(dates, fmt),
    )


def segment_sizes_finding(sizes: pd.DataFrame, report: str, fmt: NumberFormat) -> Finding:
    """How the segments of the report titled `report` grew and shrank; `sizes` has segment, customers and date."""
    return Finding(
        segment_sizes_sentence(sizes, fmt),
        plot_segment_sizes(sizes, fmt),
        SIZES_CAPTION,
        alt_text_segment_sizes(sizes, fmt),
        segment_sizes_table(sizes, report, fmt),
    )


def trend_sentence(dates: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Recent buyers and expected revenue on the first date and on the last."""
    first, last = dates.iloc[0], dates.iloc[-1]
    return paragraph(
        TREND.format(
            first_day=day(first.date),
            last_day=day(last.date),
            recent_days=RECENT_DAYS,
            first_buyers=fmt.count(first.bought_in_90_days),
            last_buyers=fmt.count(last.bought_in_90_days),
            buyers_change=_relative_change(first.bought_in_90_days, last.bought_in_90_days),
            first_spent=fmt.money(first.revenue_90_days),
            last_spent=fmt.money(last.revenue_90_days),
            spent_change=_relative_change(first.revenue_90_days, last.revenue_90_days),
            first_revenue=fmt.money(first.expected_revenue_12m),
            last_revenue=fmt.money(last.expected_revenue_12m),
            revenue_change=_relative_change(first.expected_revenue_12m, last.expected_revenue_12m),
        )
    )


def alt_text_trend(dates: pd.DataFrame, fmt: NumberFormat) -> str:
    """What the three line charts show."""
    points = [
        TREND_POINT.format(
            day=day(row.date),
            buyers=fmt.count(row.bought_in_90_days),
            revenue=fmt.money(row.revenue_90_days),
            recent_days=RECENT_DAYS,
            expected=fmt.money(row.expected_revenue_12m),
        )
        for row in dates.itertuples()
    ]
    return list_within(TREND_ALT_TEXT, points[::-1])


def plot_trend(dates: pd.DataFrame, fmt: NumberFormat) -> Axes:
    """Recent buyers, their revenue and expected revenue on each analysis date, side by side. Returns the first ax."""
    use_style()
    axes = plt.subplots(1, 3, figsize=(WIDTH_INCHES, 2.3))[1]
    panels = (
        (f"Bought in the last {RECENT_DAYS} days", dates.bought_in_90_days, BLUE, fmt.count),
        (f"{fmt.value_noun} of these days", dates.revenue_90_days, LIGHT_INK, fmt.short_money),
        (f"{fmt.value_noun} expected in 12 months", dates.expected_revenue_12m, TEAL, fmt.short_money),
    )
    for ax, (title, values, colour, write) in zip(axes, panels, strict=True):
        _plot_line(ax, dates.date, values, colour, write)
        ax.set_title(title, fontsize=10)
    return axes[0]


def segment_sizes_sentence(sizes: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Which segment grew most and which shrank most from the first date to the last."""
    first, last = _first_and_last(sizes)
    change = last - first
    if not change.any():
        return paragraph(NO_CHANGE.format(day=day(sizes.date.min())))
    grown, shrunk = change.idxmax(), change.idxmin()
    sentences = []
    if change[grown] > 0:
        sentences.append(_size_sentence(GREW_MOST, grown, first, last, fmt))
    if change[shrunk] < 0:
        sentences.append(_size_sentence(SHRANK_MOST, shrunk, first, last, fmt))
    return paragraph(*sentences)


def alt_text_segment_sizes(sizes: pd.DataFrame, fmt: NumberFormat) -> str:
    """What the small charts show."""
    first, last = _first_and_last(sizes)
    changes = [f"{name} {fmt.count(first[name])} to {fmt.count(last[name])}" for name in first.index]
    return list_within(SIZES_ALT_TEXT, changes)


def plot_segment_sizes(sizes: pd.DataFrame, fmt: NumberFormat) -> Axes:
    """Customers in each segment on each analysis date, in one small panel per segment. Returns the first ax.

    Segments that never had a customer get no panel.
    """
    table = sizes.pivot_table(index="date", columns="segment", values="customers", aggfunc="sum", fill_value=0)
    names = [name for name in dict.fromkeys(sizes.segment) if table[name].any()]
    rows = -(-len(names) // PANELS_PER_ROW)
    use_style()
    grid = plt.subplots(rows, PANELS_PER_ROW, figsize=(WIDTH_INCHES, 1.25 * rows), sharey=True, squeeze=False)[1]
    panels = grid.ravel()
    for ax, name, colour in zip(panels, names, segment_colours(names), strict=False):
        _plot_area(ax, table[name], colour, fmt)
        ax.set_title(name, fontsize=8, loc="left")
    for ax in panels:
        ax.set_ylim(0, max(table[names].to_numpy().max(), 1) * 1.3)
        ax.axis("off")
    return panels[0]


def segment_sizes_table(sizes: pd.DataFrame, report: str, fmt: NumberFormat) -> Collapsible | None:
    """Customers in each segment, with one column per date. The caption names the report, as a page shows several."""
    order = sizes.segment.drop_duplicates()
    table = sizes.pivot(index="segment", columns="date", values="customers").reindex(order).fillna(0).astype(int)
    table.columns = [day(date) for date in table.columns]
    headings = {name: name for name in table.columns}
    caption = SIZES_TABLE.format(report=report)
    styled = style_table(table.reset_index(), caption, fmt, headings, total=tuple(table.columns))
    return collapsible("The numbers behind the figure", styled)


def _relative_change(first: float, last: float) -> str:
    """A change as a percentage in brackets; empty if the base is not positive."""
    if first <= 0:
        return ""
    return f" ({signed_percent(last / first - 1)})"


def _size_sentence(template: str, segment: str, first: pd.Series, last: pd.Series, fmt: NumberFormat) -> str:
    return template.format(segment=segment, first=fmt.count(first[segment]), last=fmt.plural(last[segment], "customer"))


def _first_and_last(sizes: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Customers in each segment on the first and on the last date."""
    names = list(dict.fromkeys(sizes.segment))
    by_date = {date: rows.set_index("segment").customers for date, rows in sizes.groupby("date")}
    first = by_date[sizes.date.min()].reindex(names, fill_value=0)
    last = by_date[sizes.date.max()].reindex(names, fill_value=0)
    return first, last


def _plot_line(ax: Axes, dates: pd.Series, values: pd.Series, colour: str, write: Callable[[float], str]) -> None:
    ax.plot(dates, values, color=colour, marker="o")
    for date, value in zip(dates, values, strict=True):
        ax.annotate(write(value), (date, value), textcoords="offset points", xytext=(0, 7), ha="center", fontsize=9)
    ax.set_xticks(dates, [f"{date:%b}\n{date:%Y}" for date in dates])
    ax.set_ylim(min(values.min() * 1.25, 0), max(values.max(), 1) * 1.25)
    ax.margins(x=0.15)
    ax.yaxis.set_major_formatter(ValueFormatter(write))
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)


def _plot_area(ax: Axes, values: pd.Series, colour: str, fmt: NumberFormat) -> None:
    ax.fill_between(values.index, values, color=colour, alpha=0.25, linewidth=0)
    ax.plot(values.index, values, color=colour)
    for position, side in ((0, "left"), (-1, "right")):
        point = (values.index[position], values.iloc[position])
        ax.annotate(fmt.count(point[1]), point, xytext=(0, 4), textcoords="offset points", ha=side, fontsize=8)
