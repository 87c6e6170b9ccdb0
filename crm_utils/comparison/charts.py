"""Figures of two dates beside each other."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils.core import formatting
from crm_utils.core.display.figure_style import BLUE, INK, LIGHT_INK, PALE, money_axis, new_axes, segment_colours


def segments(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Customers of each segment now (its colour) over then (grey)."""
    shown = table[(table.customers > 0) | (table.customers_then > 0)].iloc[::-1]
    ax = new_axes(ax, height=0.8 + 0.36 * len(shown))
    places = pd.Series(range(len(shown)), index=shown.index, dtype=float)
    ax.barh(places + 0.19, shown.customers, height=0.36, color=segment_colours(shown.segment.tolist()))
    ax.barh(places - 0.19, shown.customers_then, height=0.32, color=PALE)
    for place, row in zip(places, shown.itertuples(), strict=True):
        ax.text(row.customers, place + 0.19, f" {formatting.count(row.customers)} now", va="center", fontsize=8.5)
        ax.text(row.customers_then, place - 0.21, f" {formatting.count(row.customers_then)} then", va="center", fontsize=8.5, color=LIGHT_INK)  # fmt: skip
    ax.set_yticks(places, shown.segment)
    ax.set_xlim(0, max(shown.customers.max(), shown.customers_then.max(), 1) * 1.2)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    return ax


def outcomes(table: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes | None:
    """Each forecast (dot) with its range (bar), and what came (line)."""
    if table.empty:
        return None
    ax = new_axes(ax, height=0.9 + 0.55 * len(table))
    shown, places = table.iloc[::-1], range(len(table))
    ax.hlines(places, shown.revenue_low, shown.revenue_high, color=BLUE, linewidth=8, alpha=0.3, label="range")
    ax.scatter(shown.revenue, places, color=BLUE, s=40, zorder=3, label="forecast")
    ax.scatter(shown.revenue_actual, places, color=INK, marker="|", s=330, linewidth=2.5, zorder=4, label="what came")
    ax.set_yticks(list(places), [formatting.plural(months, "month") for months in shown.months])
    ax.set_ylim(-0.6, len(table) - 0.4)
    ax.set_xlim(0, max(shown.revenue_high.max(), shown.revenue_actual.max(), 1) * 1.08)
    money_axis(ax.xaxis, currency)
    ax.legend(fontsize=8.5, ncols=3, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False)
    return ax
