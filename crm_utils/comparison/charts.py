"""Figures that compare two dates of a report, with their text alternatives."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crm_utils.core.display.alt_text import list_within
from crm_utils.core.display.figure_style import (
    BLUE,
    INK,
    LIGHT_INK,
    PALE,
    count_axis,
    money_axis,
    new_axes,
    segment_colours,
)
from crm_utils.core.formatting import NumberFormat

SEGMENT_SIZES_ALT_TEXT = "Pairs of bars for the customers of each segment, then and now: {items}."
SEGMENT_SIZES_PAIR = "{segment} {customers_then} and {customers}"
OUTCOMES_ALT_TEXT = "Chart of forecasts with their ranges, and of the actual revenue. {items}."
OUTCOMES_HORIZON = "{months}: {forecast} expected ({low} to {high}), {actual} actual"


def plot_segment_sizes(table: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes:
    """Draw the customers of each segment now (in its colour) and then (grey).

    Parameters
    ----------
    table : pandas.DataFrame
        As `metrics.compare_segments` returns it. Segments without customers on both dates are left out.
    fmt : NumberFormat
        How the report writes numbers.
    ax : Axes, optional
        The axes to draw on. By default a new figure is created.
    """
    shown = table[(table.customers > 0) | (table.customers_then > 0)].iloc[::-1]
    ax = new_axes(ax, height=0.8 + 0.36 * len(shown))
    rows = np.arange(len(shown), dtype=float)
    ax.barh(rows + 0.19, shown.customers, height=0.36, color=segment_colours(shown.segment.tolist()), label="now")
    ax.barh(rows - 0.19, shown.customers_then, height=0.32, color=PALE, label="then")
    count_axis(ax.xaxis, fmt)
    for y, row in zip(rows, shown.itertuples(), strict=True):
        now, then = f" {fmt.count(row.customers)} now", f" {fmt.count(row.customers_then)} then"
        ax.text(row.customers, y + 0.19, now, va="center", fontsize=8.5)
        ax.text(row.customers_then, y - 0.21, then, va="center", fontsize=8.5, color=LIGHT_INK)
    ax.set_yticks(rows, shown.segment)
    ax.set_xlim(0, max(shown.customers.max(), shown.customers_then.max(), 1) * 1.2)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    return ax


def alt_text_segment_sizes(table: pd.DataFrame, fmt: NumberFormat) -> str:
    """Say what the pairs of bars show."""
    pairs = [
        SEGMENT_SIZES_PAIR.format(
            segment=row.segment, customers_then=fmt.count(row.customers_then), customers=fmt.count(row.customers)
        )
        for row in table.itertuples()
    ]
    return list_within(SEGMENT_SIZES_ALT_TEXT, pairs)


def plot_outcomes(table: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes:
    """Draw each forecast (dot) with its range (bar) and the actual revenue (line).

    Parameters
    ----------
    table : pandas.DataFrame
        As `metrics.forecast_outcomes` returns it.
    fmt : NumberFormat
        How the report writes numbers and money.
    ax : Axes, optional
        The axes to draw on. By default a new figure is created.
    """
    ax = new_axes(ax, height=0.9 + 0.55 * len(table))
    shown = table.iloc[::-1]
    rows = np.arange(len(shown))
    ax.hlines(rows, shown.revenue_low, shown.revenue_high, color=BLUE, linewidth=8, alpha=0.3, label="range")
    ax.scatter(shown.revenue, rows, color=BLUE, s=40, zorder=3, label="forecast")
    ax.scatter(shown.revenue_actual, rows, color=INK, marker="|", s=330, linewidth=2.5, zorder=4, label="actual")
    ax.set_yticks(rows, [fmt.plural(months, "month") for months in shown.months])
    ax.set_ylim(-0.6, len(table) - 0.4)
    ax.set_xlim(0, max(shown.revenue_high.max(), shown.revenue_actual.max(), 1) * 1.08)
    money_axis(ax.xaxis, fmt)
    ax.legend(fontsize=8.5, ncols=3, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False)
    return ax


def alt_text_outcomes(table: pd.DataFrame, fmt: NumberFormat) -> str:
    """Say what the chart of forecasts and actual revenue shows."""
    horizons = [
        OUTCOMES_HORIZON.format(
            months=fmt.plural(row.months, "month"),
            forecast=fmt.money(row.revenue),
            low=fmt.money(row.revenue_low),
            high=fmt.money(row.revenue_high),
            actual=fmt.money(row.revenue_actual),
        )
        for row in table.itertuples()
    ]
    return list_within(OUTCOMES_ALT_TEXT, horizons)
