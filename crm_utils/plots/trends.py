"""Figures of the index over all dates."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from crm_utils import formats
from crm_utils.plots.style import BLUE, TEAL
from crm_utils.plots.style import figure as figure


def trends(table: pd.DataFrame, currency: str) -> Axes:
    """Recent buyers and expected revenue at each analysis date, side by side. Returns the first ax."""
    left, right = plt.subplots(1, 2, figsize=(6.6, 2.4))[1]
    _line(left, table.date, table.bought_in_90_days, BLUE, formats.count)
    left.set_title("Bought in the last 90 days")
    _line(right, table.date, table.expected_revenue, TEAL, lambda value: formats.short_money(value, currency))
    right.set_title("Revenue expected in 12 months")
    return left


def _line(ax: Axes, dates: pd.Series, values: pd.Series, colour: str, written) -> None:
    ax.plot(dates, values, color=colour, marker="o")
    for place, value in zip(dates, values, strict=True):
        ax.annotate(written(value), (place, value), textcoords="offset points", xytext=(0, 7), ha="center", fontsize=9)
    ax.set_xticks(dates, [f"{place:%b}\n{place:%Y}" for place in dates])
    ax.set_ylim(0, max(values.max(), 1) * 1.25)
    ax.margins(x=0.15)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
