"""Figures of 01_cleaning, and what each shows in words."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils.cleaning.labels import rule_label
from crm_utils.core.display.alt_text import list_within
from crm_utils.core.display.axis_formats import name_axis
from crm_utils.core.display.figure_style import BLUE, ORANGE, PALE, TEAL, money_axis, new_axes
from crm_utils.core.formatting import NumberFormat

# Ticks on the axis of months, about
MONTH_TICKS = 9
READ, LEFT = "Read", "Counts as sales"


def plot_revenue_by_month(months: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes:
    """Draw a bar of revenue for each month. An incomplete last month is hatched."""
    ax = new_axes(ax)
    bars = ax.bar(range(len(months)), months.revenue, color=BLUE, width=0.75)
    for bar, complete in zip(bars, months.complete, strict=True):
        if not complete:
            bar.set(facecolor=PALE, edgecolor=BLUE, hatch="///")
    step = max(1, round(len(months) / MONTH_TICKS))
    short = [
        f"{month:%b}\n{month:%Y}" if index == 0 or month.month <= step else f"{month:%b}"
        for index, month in enumerate(months.month)
    ]
    name_axis(ax.xaxis, range(len(months)), [f"{month:%B %Y}" for month in months.month], step, short)
    money_axis(ax.yaxis, fmt)
    ax.grid(axis="y")
    ax.set_ylabel(f"{fmt.value_noun} per month")
    return ax


def alt_text_revenue_by_month(months: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe the bars of revenue."""
    first, last = months.iloc[0], months.iloc[-1]
    return (
        f"Bar chart of revenue in {fmt.plural(len(months), 'month')}, from {fmt.money(first.revenue)} in "
        f"{first.month:%B %Y} to {fmt.money(last.revenue)} in {last.month:%B %Y}."
    )


def plot_waterfall(ledger: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes | None:
    """Draw the revenue read, what each rule took away or added, and what is left, from top to bottom.

    None if no rule changed the revenue.
    """
    moved = _moved(ledger)
    if moved.empty:
        return None
    ax = new_axes(ax, height=0.9 + 0.42 * (len(moved) + 2))
    read, left = ledger.revenue_left.iloc[0], ledger.revenue_left.iloc[-1]
    ends = [read, *moved.revenue_left, left]
    starts = [0, *(moved.revenue_left + moved.revenue_removed), 0]
    colours = [BLUE, *(ORANGE if taken > 0 else TEAL for taken in moved.revenue_removed), BLUE]
    widths = [end - start for start, end in zip(starts, ends, strict=True)]
    ax.barh(range(len(ends)), widths, left=starts, color=colours)
    changes = [f"{_sign(taken)}{fmt.short_money(abs(taken))}" for taken in moved.revenue_removed]
    amounts = [fmt.short_money(read), *changes, fmt.short_money(left)]
    for index, (start, end, amount) in enumerate(zip(starts, ends, amounts, strict=True)):
        ax.annotate(
            amount, (max(start, end), index), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9
        )
    ax.set_yticks(range(len(ends)), [READ, *moved.rule.map(rule_label), LEFT])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.15 * max(*starts, *ends))
    money_axis(ax.xaxis, fmt)
    ax.grid(axis="x")
    return ax


def alt_text_waterfall(ledger: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe the waterfall."""
    moved = _moved(ledger)
    steps = [
        f"{rule_label(rule)} {_sign(taken)}{fmt.money(abs(taken))}"
        for rule, taken in zip(moved.rule, moved.revenue_removed, strict=True)
    ]
    read, left = ledger.revenue_left.iloc[0], ledger.revenue_left.iloc[-1]
    return list_within(f"Waterfall from {fmt.money(read)} read to {fmt.money(left)} of sales: {{items}}.", steps)


def _moved(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return the rules that changed the revenue."""
    return ledger[ledger.revenue_removed.round(2) != 0]


def _sign(taken: float) -> str:
    return "−" if taken > 0 else "+"
