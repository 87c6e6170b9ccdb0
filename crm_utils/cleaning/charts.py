"""Figures of 01_cleaning."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils.core import formatting
from crm_utils.core.display.figure_style import BLUE, ORANGE, PALE, TEAL, money_axis, new_axes


def revenue_by_month(months: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes:
    """Bars of revenue a month; an incomplete last month is hatched."""
    ax = new_axes(ax)
    bars = ax.bar(range(len(months)), months.revenue, color=BLUE, width=0.75)
    for bar, complete in zip(bars, months.complete, strict=True):
        if not complete:
            bar.set(facecolor=PALE, edgecolor=BLUE, hatch="///")
    step = max(1, round(len(months) / 9))
    ax.set_xticks(
        range(0, len(months), step),
        [
            f"{month:%b}\n{month:%Y}" if place == 0 or month.month <= step else f"{month:%b}"
            for place, month in enumerate(months.month[::step])
        ],
    )
    money_axis(ax.yaxis, currency)
    ax.grid(axis="y")
    ax.set_ylabel("Revenue a month")
    return ax


def waterfall(log: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes:
    """Revenue read, what each rule that moved money took away or added, and what is left: one bar each, top down."""
    moved = log[log.revenue_removed.round(2) != 0]
    ax = new_axes(ax, height=0.9 + 0.42 * (len(moved) + 2))
    read, left = log.revenue_left.iloc[0], log.revenue_left.iloc[-1]
    ends = [read, *moved.revenue_left, left]
    starts = [0, *(moved.revenue_left + moved.revenue_removed), 0]
    colours = [BLUE, *(ORANGE if taken > 0 else TEAL for taken in moved.revenue_removed), BLUE]
    ax.barh(
        range(len(ends)), [end - start for start, end in zip(starts, ends, strict=True)], left=starts, color=colours
    )
    changes = [
        f"{'−' if taken > 0 else '+'}{formatting.short_money(abs(taken), currency)}" for taken in moved.revenue_removed
    ]
    written = [formatting.short_money(read, currency), *changes, formatting.short_money(left, currency)]
    for place, (start, end, text) in enumerate(zip(starts, ends, written, strict=True)):
        ax.annotate(text, (max(start, end), place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(range(len(ends)), ["Read", *moved.rule.str.capitalize(), "Left: counts as sales"])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.15 * max(*starts, *ends))
    money_axis(ax.xaxis, currency)
    ax.grid(axis="x")
    return ax
