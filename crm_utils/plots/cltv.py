"""Figures of 04_cltv."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils import formats
from crm_utils.plots.style import BLUE, GREY, INK, PALE, TEAL, new_axes, segment_colours
from crm_utils.plots.style import figure as figure


def holdout(backtest: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes:
    """Revenue that each method forecast for the holdout, against what came (line)."""
    ax = new_axes(ax, height=2.3)
    shown = backtest.iloc[::-1]
    actual = shown.revenue_actual.iloc[0]
    ax.barh(
        shown.method,
        shown.revenue_predicted,
        color=[BLUE if "NBD" in method else GREY for method in shown.method],
        height=0.6,
    )
    for place, row in enumerate(shown.itertuples()):
        miss = f" ({row.revenue_predicted / actual - 1:+.0%})".replace("-", "−") if actual else ""
        ax.text(
            row.revenue_predicted,
            place,
            f" {formats.short_money(row.revenue_predicted, currency)}{miss}",
            va="center",
            fontsize=9,
        )
    ax.axvline(actual, color=INK, linewidth=1.5)
    ax.text(
        actual,
        len(shown) - 0.45,
        f"actual {formats.short_money(actual, currency)}",
        ha="center",
        va="bottom",
        fontsize=9,
    )
    ax.set_xlim(0, max(shown.revenue_predicted.max(), actual) * 1.25)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    return ax


def concentration(deciles: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Share of all CLV in each tenth of customers, the most valuable first."""
    ax = new_axes(ax, height=2.8)
    bars = ax.bar(deciles.decile, deciles.clv_share, color=[TEAL, *[PALE] * (len(deciles) - 1)], width=0.8)
    ax.bar_label(bars, [formats.percent(share) for share in deciles.clv_share], fontsize=9, padding=2)
    ax.set_xticks(deciles.decile, ["top\ntenth", *map(str, deciles.decile[1:-1]), "last\ntenth"][: len(deciles)])
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("Customers by expected value")
    return ax


def by_segment(totals: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes:
    """Expected revenue of the next 12 months by segment."""
    shown = totals[totals.customers > 0].iloc[::-1]
    ax = new_axes(ax, height=0.7 + 0.27 * len(shown))
    bars = ax.barh(shown.segment, shown.expected_revenue, color=segment_colours(shown.segment.tolist()), height=0.7)
    ax.bar_label(
        bars, [formats.short_money(value, currency) for value in shown.expected_revenue], fontsize=9, padding=3
    )
    ax.set_xlim(0, max(shown.expected_revenue.max(), 1) * 1.15)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    return ax
