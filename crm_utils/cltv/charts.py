"""Figures of 04_cltv."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from crm_utils.cltv.backtest import BacktestModel
from crm_utils.cltv.backtest.narrative import FREQUENCY_LABELS, MODEL_LABELS
from crm_utils.core import formatting
from crm_utils.core.display.figure_style import BLUE, GREY, INK, PALE, TEAL, money_axis, new_axes, segment_colours

MARKS = {  # colour and marker of each model in the chart of past forecasts
    BacktestModel.MODEL_WITH_SEASON: (BLUE, "o"),
    BacktestModel.MODEL_NO_SEASON: (TEAL, "d"),
    BacktestModel.SAME_AS_LAST_PERIOD: (GREY, "<"),
    BacktestModel.SAME_PERIOD_LAST_YEAR: (GREY, "s"),
    BacktestModel.PAST_AVERAGE_RATE: (GREY, ">"),
}
MAP = LinearSegmentedColormap.from_list("active", ["#f4f7f8", TEAL, "#0b5d57"])


def tracking(backtest: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes:
    """Past forecasts with their ranges, the simple rules, and what came, by the day the forecast was made."""
    ax = new_axes(ax, height=3.2)
    days = {origin: place for place, origin in enumerate(sorted(backtest.origin.unique()))}
    for step, (model, (colour, marker)) in enumerate(MARKS.items()):
        rows = backtest[backtest.model == model]
        if model == BacktestModel.MODEL_NO_SEASON and backtest.seasonal_factor.isna().all():
            continue
        at = rows.origin.map(days) + (step - 2) * 0.09
        if model == BacktestModel.MODEL_WITH_SEASON:
            reach = [rows.revenue_predicted - rows.revenue_low, rows.revenue_high - rows.revenue_predicted]
            ax.errorbar(at, rows.revenue_predicted, yerr=reach, fmt="none", ecolor=BLUE, elinewidth=4, alpha=0.3)
        ax.scatter(at, rows.revenue_predicted, color=colour, marker=marker, s=34, label=MODEL_LABELS[model], zorder=3)
    ours = backtest[backtest.model == BacktestModel.MODEL_WITH_SEASON]
    place = ours.origin.map(days)
    ax.hlines(ours.revenue_actual, place - 0.32, place + 0.32, color=INK, linewidth=1.8, label="What came")
    ax.set_xticks(range(len(days)), [f"{origin.day} {origin:%b}\n{origin:%Y}" for origin in days])
    ax.set_xlim(-0.6, len(days) - 0.4)
    ax.set_ylim(0, 1.5 * max(ours.revenue_actual.max(), ours.revenue_high.max()))
    money_axis(ax.yaxis, currency)
    ax.set_xlabel("Forecast made on")
    ax.legend(fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.28), frameon=False)
    return ax


def parts(parts: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes:
    """Revenue of the last test by segment, forecast and actual."""
    shown = parts.iloc[::-1]
    ax = new_axes(ax, height=0.9 + 0.31 * len(shown))
    for shift, column, colour, label in (
        (0.2, "revenue_predicted", BLUE, "Forecast"),
        (-0.2, "revenue_actual", INK, "Actual"),
    ):
        bars = ax.barh(np.arange(len(shown)) + shift, shown[column], height=0.38, color=colour, label=label)
        labels = [formatting.short_money(value, currency) for value in shown[column]]
        ax.bar_label(bars, labels, fontsize=8, padding=3)
    ax.set_yticks(range(len(shown)), shown.segment)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    ax.margins(x=0.12)
    ax.legend(fontsize=9, frameon=False, loc="lower right")
    return ax


def classes(classes: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Purchase days a customer in the last test, forecast and actual, by how often customers had bought again."""
    ax = new_axes(ax, height=2.8)
    for shift, column, colour, label in (
        (-0.2, "purchase_days_predicted", BLUE, "Forecast"),
        (0.2, "purchase_days_actual", INK, "Actual"),
    ):
        means = classes[column] / classes.customers
        bars = ax.bar(np.arange(len(classes)) + shift, means, width=0.38, color=colour, label=label)
        ax.bar_label(bars, [f"{mean:.2f}" for mean in means], fontsize=8, padding=2)
    names = [
        f"{FREQUENCY_LABELS[row.repeat_purchases]}\n{formatting.count(row.customers)}" for row in classes.itertuples()
    ]
    ax.set_xticks(range(len(classes)), names)
    ax.set_xlabel("Had bought again (below: customers)")
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.legend(fontsize=9, frameon=False, loc="upper left")
    return ax


def activity(grid: pd.DataFrame, column: str = "p_alive", ax: Axes | None = None) -> Axes:
    """A customer of one year by repeat purchases and days since the last: p_alive in percent, or expected_purchase_days_12m."""
    ax = new_axes(ax, height=3.6)
    table = grid.pivot(index="repeat_purchase_days", columns="silent_days", values=column).to_numpy()
    top = 1 if column == "p_alive" else table.max()
    ax.pcolormesh(table, cmap=MAP, vmin=0, vmax=top)
    for (row, place), value in np.ndenumerate(table):
        text = f"{value * 100:.0f}" if column == "p_alive" else f"{value:.1f}"
        colour = "white" if value > 0.6 * top else INK
        ax.text(place + 0.5, row + 0.5, text, ha="center", va="center", fontsize=7.5, color=colour)
    ax.set_xticks(np.arange(table.shape[1]) + 0.5, sorted(grid.silent_days.unique()))
    ax.set_yticks(np.arange(table.shape[0]) + 0.5, sorted(grid.repeat_purchase_days.unique()))
    ax.set_xlabel("Days since the last purchase")
    ax.set_ylabel("Repeat purchase days")
    ax.grid(False)
    return ax


def concentration(deciles: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Share of all CLV in each tenth of customers, the most valuable first."""
    ax = new_axes(ax, height=2.8)
    bars = ax.bar(deciles.decile, deciles.clv_share, color=[TEAL, *[PALE] * (len(deciles) - 1)], width=0.8)
    ax.bar_label(
        bars, [formatting.percent(share).replace("under ", "<") for share in deciles.clv_share], fontsize=9, padding=2
    )
    ax.set_xticks(deciles.decile, ["top\ntenth", *map(str, deciles.decile[1:-1]), "last\ntenth"][: len(deciles)])
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("Customers by expected value")
    return ax


def by_segment(totals: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes:
    """Expected revenue of the next 12 months by segment."""
    shown = totals[totals.customers > 0].iloc[::-1]
    ax = new_axes(ax, height=0.7 + 0.27 * len(shown))
    ax.barh(shown.segment, shown.expected_revenue_12m, color=segment_colours(shown.segment.tolist()), height=0.7)
    ax.hlines(shown.segment, shown.revenue_low, shown.revenue_high, color=INK, linewidth=1.2)
    for place, row in enumerate(shown.itertuples()):
        ax.text(
            row.revenue_high,
            place,
            f"  {formatting.short_money(row.expected_revenue_12m, currency)}",
            va="center",
            fontsize=9,
        )
    ax.set_xlim(0, max(shown.revenue_high.max(), 1) * 1.15)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    return ax
