"""The figures of 04_cltv, each with its alternative text."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from crm_utils.cltv.backtest import COMBINATION
from crm_utils.cltv.backtest.candidates import LAST_PERIOD, LAST_YEAR, RETENTION
from crm_utils.cltv.backtest.narrative import FREQUENCY_LABELS, MODEL_LABELS
from crm_utils.core.display.alt_text import list_within
from crm_utils.core.display.axis_formats import ValueFormatter
from crm_utils.core.display.figure_style import (
    BLUE,
    GREY,
    INK,
    PALE,
    TEAL,
    money_axis,
    new_axes,
    percent_axis,
    segment_colours,
)
from crm_utils.core.formatting import NumberFormat, day, percent

# Colour and marker of each model in the chart of past forecasts.
MARKERS = {
    COMBINATION: (BLUE, "o"),
    LAST_PERIOD: (GREY, "<"),
    LAST_YEAR: (GREY, "s"),
    RETENTION: (GREY, ">"),
}
# How far apart the markers of one origin stand, and half the width of its line of what came.
MARKER_STEP = 0.09
ACTUAL_REACH = 0.32
# How much room is left above the highest range; simple rules may lie above it.
HEADROOM = 1.5
P_ALIVE_COLOURS = LinearSegmentedColormap.from_list("active", ["#f4f7f8", TEAL, "#0b5d57"])
# Cells darker than this share of the scale get white numbers.
WHITE_FROM = 0.6

PAST_FORECASTS = "Chart of past forecasts with their ranges, and the actual revenue: {items}."
PAST_FORECAST = "from {day} forecast {predicted}, actual {actual}"
BY_SEGMENT = "Bar chart of revenue in the last test by segment, forecast and actual: {items}."
BY_FREQUENCY = "Bar chart of purchase days per customer, forecast and actual: {items}."
P_ALIVE = (
    "Map of the probability of being active. After the longest silence it is {rare} for those who bought again once, "
    "{often} for {times}."
)
PURCHASES = (
    "Map of expected purchase days in the next year, from {fewest} to {most}. The highest value is after {repeats} and "
    "{silent} without a purchase."
)
DECILES = "Bar chart of customer lifetime value by tenth of customers: {items}."
SEGMENT_REVENUE = "Bar chart of expected revenue by segment: {items}."


def plot_past_forecasts(backtest: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes:
    """Plot past forecasts with their ranges, the simple rules, and actual revenue, by the day of the forecast."""
    ax = new_axes(ax, height=3.2)
    origins = sorted(backtest.origin.unique())
    position = {origin: index for index, origin in enumerate(origins)}
    for step, (model, (colour, marker)) in enumerate(MARKERS.items()):
        rows = backtest[backtest.model == model]
        x = rows.origin.map(position) + (step - 1.5) * MARKER_STEP
        if model == COMBINATION:
            given = rows[rows.revenue_low.notna()]
            ranges = [given.revenue_predicted - given.revenue_low, given.revenue_high - given.revenue_predicted]
            ax.errorbar(
                x[given.index], given.revenue_predicted, yerr=ranges, fmt="none", ecolor=BLUE, elinewidth=4, alpha=0.3
            )
        label = MODEL_LABELS[model]
        ax.scatter(x, rows.revenue_predicted, color=colour, marker=marker, s=34, label=label, zorder=3)
    ours = backtest[backtest.model == COMBINATION]
    x = ours.origin.map(position)
    ax.hlines(ours.revenue_actual, x - ACTUAL_REACH, x + ACTUAL_REACH, color=INK, linewidth=1.8, label="Actual")
    ax.set_xticks(range(len(origins)), [f"{origin.day} {origin:%b}\n{origin:%Y}" for origin in origins])
    ax.set_xlim(-0.6, len(origins) - 0.4)
    ax.set_ylim(0, HEADROOM * max(ours.revenue_actual.max(), ours.revenue_predicted.max()))
    money_axis(ax.yaxis, fmt)
    ax.set_xlabel("Forecast made on")
    ax.legend(fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.28), frameon=False)
    return ax


def alt_text_past_forecasts(backtest: pd.DataFrame, fmt: NumberFormat) -> str:
    """Return what `plot_past_forecasts` shows, in words."""
    ours = backtest[backtest.model == COMBINATION]
    tests = [
        PAST_FORECAST.format(
            day=day(row.origin), predicted=fmt.money(row.revenue_predicted), actual=fmt.money(row.revenue_actual)
        )
        for row in ours.sort_values("origin", ascending=False).itertuples()
    ]
    return list_within(PAST_FORECASTS, tests)


def plot_backtest_by_segment(by_segment: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes:
    """Plot revenue of the last test by segment, forecast and actual."""
    shown = by_segment.iloc[::-1]
    ax = new_axes(ax, height=0.9 + 0.31 * len(shown))
    positions = np.arange(len(shown))
    for shift, column, colour, label in (
        (0.2, "revenue_predicted", BLUE, "Forecast"),
        (-0.2, "revenue_actual", INK, "Actual"),
    ):
        bars = ax.barh(positions + shift, shown[column], height=0.38, color=colour, label=label)
        ax.bar_label(bars, [fmt.short_money(value) for value in shown[column]], fontsize=8, padding=3)
    ax.set_yticks(range(len(shown)), shown.segment)
    money_axis(ax.xaxis, fmt)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    ax.margins(x=0.12)
    ax.legend(fontsize=9, frameon=False, loc="lower right")
    return ax


def alt_text_backtest_by_segment(by_segment: pd.DataFrame, fmt: NumberFormat) -> str:
    """Return what `plot_backtest_by_segment` shows, in words."""
    pairs = [
        f"{row.segment} {fmt.money(row.revenue_predicted)} and {fmt.money(row.revenue_actual)}"
        for row in by_segment.itertuples()
    ]
    return list_within(BY_SEGMENT, pairs)


def plot_backtest_by_frequency(by_frequency: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes:
    """Plot purchase days per customer in the last test, by how often customers had bought again."""
    ax = new_axes(ax, height=2.8)
    positions = np.arange(len(by_frequency))
    for shift, column, colour, label in (
        (-0.2, "purchase_days_predicted", BLUE, "Forecast"),
        (0.2, "purchase_days_actual", INK, "Actual"),
    ):
        means = by_frequency[column] / by_frequency.customers
        bars = ax.bar(positions + shift, means, width=0.38, color=colour, label=label)
        ax.bar_label(bars, [fmt.number(mean, 2) for mean in means], fontsize=8, padding=2)
    names = [
        f"{FREQUENCY_LABELS[row.repeat_purchases]}\n{fmt.count(row.customers)}" for row in by_frequency.itertuples()
    ]
    ax.set_xticks(range(len(by_frequency)), names)
    ax.set_xlabel("Had bought again (below: customers)")
    ax.yaxis.set_major_formatter(ValueFormatter(partial(fmt.number, decimals=2)))
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.legend(fontsize=9, frameon=False, loc="upper left")
    return ax


def alt_text_backtest_by_frequency(by_frequency: pd.DataFrame, fmt: NumberFormat) -> str:
    """Return what `plot_backtest_by_frequency` shows, in words."""
    pairs = [
        f"bought again {FREQUENCY_LABELS[row.repeat_purchases]} "
        f"{fmt.number(row.purchase_days_predicted / row.customers, 2)} and "
        f"{fmt.number(row.purchase_days_actual / row.customers, 2)}"
        for row in by_frequency.itertuples()
    ]
    return list_within(BY_FREQUENCY, pairs)


def plot_p_alive_grid(grid: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Plot p_alive, in percent, of a customer who first bought a year ago."""
    labels = (grid.p_alive * 100).map("{:.0f}".format)
    return _plot_grid(grid.assign(shown=grid.p_alive, label=labels), 1.0, ax)


def alt_text_p_alive_grid(grid: pd.DataFrame, fmt: NumberFormat) -> str:
    """Return what `plot_p_alive_grid` shows, at its corners."""
    longest = grid[grid.silent_days == grid.silent_days.max()].sort_values("repeat_purchase_days")
    return P_ALIVE.format(
        rare=percent(longest.p_alive.iloc[0]),
        often=percent(longest.p_alive.iloc[-1]),
        times=fmt.plural(longest.repeat_purchase_days.iloc[-1], "time"),
    )


def plot_expected_purchases_grid(grid: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Plot expected purchase days of the next year of a customer who first bought a year ago."""
    values = grid.expected_purchase_days_12m
    return _plot_grid(grid.assign(shown=values, label=values.map("{:.1f}".format)), values.max(), ax)


def alt_text_expected_purchases_grid(grid: pd.DataFrame, fmt: NumberFormat) -> str:
    """Return what `plot_expected_purchases_grid` shows, at its extremes."""
    best = grid.loc[grid.expected_purchase_days_12m.idxmax()]
    return PURCHASES.format(
        fewest=fmt.number(grid.expected_purchase_days_12m.min(), 1),
        most=fmt.number(best.expected_purchase_days_12m, 1),
        repeats=fmt.plural(best.repeat_purchase_days, "repeat purchase day"),
        silent=fmt.plural(best.silent_days, "day"),
    )


def plot_value_deciles(deciles: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Plot the share of all CLV in each tenth of customers, the most valuable first."""
    ax = new_axes(ax, height=2.8)
    bars = ax.bar(deciles.decile, deciles.clv_share, color=[TEAL, *[PALE] * (len(deciles) - 1)], width=0.8)
    shares = [percent(share).replace("under ", "<") for share in deciles.clv_share]
    ax.bar_label(bars, shares, fontsize=9, padding=2)
    ax.set_xticks(deciles.decile, ["top\ntenth", *map(str, deciles.decile[1:-1]), "last\ntenth"][: len(deciles)])
    percent_axis(ax.yaxis)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("Customers by CLV")
    return ax


def alt_text_value_deciles(deciles: pd.DataFrame) -> str:
    """Return what `plot_value_deciles` shows, in words."""
    return list_within(DECILES, [percent(share) for share in deciles.clv_share], ", ")


def plot_segment_revenue(by_segment: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes:
    """Plot expected revenue of the next 12 months by segment, with its range if there is one."""
    shown = by_segment[by_segment.customers > 0].iloc[::-1]
    ax = new_axes(ax, height=0.7 + 0.27 * len(shown))
    ax.barh(shown.segment, shown.expected_revenue_12m, color=segment_colours(shown.segment.tolist()), height=0.7)
    money_axis(ax.xaxis, fmt)
    ends = shown.get("revenue_high", shown.expected_revenue_12m).fillna(shown.expected_revenue_12m)
    if "revenue_low" in shown:
        ax.hlines(shown.segment, shown.revenue_low, ends, color=INK, linewidth=1.2)
    for y, (end, value) in enumerate(zip(ends, shown.expected_revenue_12m, strict=True)):
        ax.text(end, y, f"  {fmt.short_money(value)}", va="center", fontsize=9)
    ax.set_xlim(0, max(ends.max(), 1) * 1.15)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    return ax


def alt_text_segment_revenue(by_segment: pd.DataFrame, fmt: NumberFormat) -> str:
    """Return what `plot_segment_revenue` shows, in words."""
    segments = [f"{row.segment} {fmt.money(row.expected_revenue_12m)}" for row in by_segment.itertuples()]
    return list_within(SEGMENT_REVENUE, segments)


def _plot_grid(grid: pd.DataFrame, top: float, ax: Axes | None) -> Axes:
    """A map of column `shown` by repeat purchase days and silence, each cell with its `label`."""
    ax = new_axes(ax, height=3.6)
    values = grid.pivot(index="repeat_purchase_days", columns="silent_days", values="shown")
    labels = grid.pivot(index="repeat_purchase_days", columns="silent_days", values="label").to_numpy()
    ax.pcolormesh(values.to_numpy(), cmap=P_ALIVE_COLOURS, vmin=0, vmax=top)
    for (row, column), value in np.ndenumerate(values.to_numpy()):
        colour = "white" if value > WHITE_FROM * top else INK
        ax.text(column + 0.5, row + 0.5, labels[row, column], ha="center", va="center", fontsize=7.5, color=colour)
    ax.set_xticks(np.arange(values.shape[1]) + 0.5, list(values.columns))
    ax.set_yticks(np.arange(values.shape[0]) + 0.5, list(values.index))
    ax.set_xlabel("Days since the last purchase")
    ax.set_ylabel("Repeat purchase days")
    ax.grid(False)
    return ax
