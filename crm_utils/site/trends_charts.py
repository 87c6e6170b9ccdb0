"""Figures of the index over all dates."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from crm_utils.core import formatting
from crm_utils.core.display.figure_style import BLUE, LIGHT_INK, TEAL, segment_colours, use_style

PANELS_A_ROW = 4


def trends(table: pd.DataFrame, currency: str) -> Axes:
    """Recent buyers, revenue so far and expected revenue at each analysis date, side by side. Returns the first ax."""
    use_style()
    axes = plt.subplots(1, 3, figsize=(8.4, 2.3))[1]

    def written(amount: float) -> str:
        return formatting.short_money(amount, currency)

    for ax, title, values, colour, write in (
        (axes[0], "Bought in the last 90 days", table.bought_in_90_days, BLUE, formatting.count),
        (axes[1], "Revenue so far", table.revenue, LIGHT_INK, written),
        (axes[2], "Revenue expected in 12 months", table.expected_revenue_12m, TEAL, written),
    ):
        _line(ax, table.date, values, colour, write)
        ax.set_title(title, fontsize=10)
    return axes[0]


def segment_sizes(sizes: pd.DataFrame) -> Axes:
    """Customers of each segment at each analysis date, one small panel a segment, on one scale. Returns the first ax.

    `sizes` holds segment, customers and date; segments that never had a customer get no panel.
    """
    table = sizes.pivot_table(index="date", columns="segment", values="customers", aggfunc="sum", fill_value=0)
    names = [name for name in dict.fromkeys(sizes.segment) if table[name].any()]
    rows = -(-len(names) // PANELS_A_ROW)
    use_style()
    grid = plt.subplots(rows, PANELS_A_ROW, figsize=(8.4, 1.25 * rows), sharey=True, squeeze=False)[1].ravel()
    for ax, name, colour in zip(grid, names, segment_colours(names), strict=False):
        values = table[name]
        ax.fill_between(values.index, values, color=colour, alpha=0.25, linewidth=0)
        ax.plot(values.index, values, color=colour)
        for place, side in ((0, "left"), (-1, "right")):
            ax.annotate(formatting.count(values.iloc[place]), (values.index[place], values.iloc[place]), xytext=(0, 4), textcoords="offset points", ha=side, fontsize=8)  # fmt: skip
        ax.set_title(name, fontsize=8, loc="left")
    for ax in grid:
        ax.set_ylim(0, max(table[names].to_numpy().max(), 1) * 1.3)
        ax.axis("off")
    return grid[0]


def _line(ax: Axes, dates: pd.Series, values: pd.Series, colour: str, written) -> None:
    ax.plot(dates, values, color=colour, marker="o")
    for place, value in zip(dates, values, strict=True):
        ax.annotate(written(value), (place, value), textcoords="offset points", xytext=(0, 7), ha="center", fontsize=9)
    ax.set_xticks(dates, [f"{place:%b}\n{place:%Y}" for place in dates])
    ax.set_ylim(min(values.min() * 1.25, 0), max(values.max(), 1) * 1.25)
    ax.margins(x=0.15)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
