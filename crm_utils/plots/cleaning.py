"""Figures of 01_cleaning."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils.plots.style import BLUE, PALE, money_axis, new_axes
from crm_utils.plots.style import figure as figure


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
