"""Figures of 03_segmentation, each with its alternative text."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils.core.display.alt_text import list_within
from crm_utils.core.display.figure_style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    TEAL,
    count_axis,
    new_axes,
    percent_axis,
)
from crm_utils.core.formatting import NumberFormat, percent
from crm_utils.segmentation.labels import CAUSE_LABELS, STATUS_LABELS, status_label
from crm_utils.segmentation.lifecycle import LifecycleStatus
from crm_utils.segmentation.migration import CAUSES

PALE_TEAL = "#8bd3c7"
LIGHT_ORANGE = "#e07b39"
PALE_GREY = "#c9d0d7"
# Colours: teal and orange for what customers did, grey for moved bin edges, blue for arrivals.
CAUSE_COLOURS = [TEAL, ORANGE, GREY, PALE_GREY, BLUE]
STATUS_COLOURS = {
    LifecycleStatus.NEW.value: BLUE,
    LifecycleStatus.ACTIVE.value: TEAL,
    LifecycleStatus.COOLING.value: PALE_TEAL,
    LifecycleStatus.SILENT.value: LIGHT_ORANGE,
    LifecycleStatus.GONE.value: GREY,
}
# Bars that need dark letters
LIGHT_COLOURS = {PALE, PALE_TEAL, GREY, LIGHT_ORANGE}
MIN_LABELLED_SHARE = 0.08
SMALL_LETTERS = 8.5


def plot_segment_migration(net: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes | None:
    """Draw each segment's change in customers by cause: gains to the right, losses to the left, the sum as a diamond.

    Returns None if there are no moves.
    """
    if net.empty:
        return None
    shown = net.iloc[::-1]
    rows = range(len(shown))
    ax = new_axes(ax, height=1.2 + 0.36 * len(shown))
    gains = pd.Series(0, shown.index)
    losses = pd.Series(0, shown.index)
    for cause, colour in zip(CAUSES, CAUSE_COLOURS, strict=True):
        change = shown[cause]
        start = gains.where(change > 0, losses)
        ax.barh(rows, change, left=start, height=0.62, color=colour, label=CAUSE_LABELS[cause])
        gains = gains + change.clip(lower=0)
        losses = losses + change.clip(upper=0)
    total = shown[CAUSES].sum(axis=1)
    ax.plot(total, rows, "D", color=INK, markersize=5, linestyle="none", label="Sum")
    for row, change in zip(rows, total, strict=True):
        _write_change(ax, row, change, fmt)
    count_axis(ax.xaxis, fmt)
    _finish_migration(ax, shown.segment)
    return ax


def _write_change(ax: Axes, row: int, change: float, fmt: NumberFormat) -> None:
    text = f"+{fmt.count(change)}" if change > 0 else fmt.count(change)
    ax.text(1.06, row, text, va="center", ha="right", fontsize=SMALL_LETTERS, transform=ax.get_yaxis_transform())


def _finish_migration(ax: Axes, segments: pd.Series) -> None:
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(list(range(len(segments))), segments)
    ax.margins(x=0.05)
    ax.xaxis.set_visible(False)
    ax.spines[["bottom", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False, fontsize=SMALL_LETTERS)


def alt_text_segment_migration(net: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the bars of causes show."""
    changes = [
        f"{row.segment} {fmt.count(row.customers_then)} to {fmt.count(row.customers)}" for row in net.itertuples()
    ]
    return list_within("Stacked bars of five causes for each segment. Customers then and now: {items}.", changes)


def plot_lifecycle(crossed: pd.DataFrame, order: list[str], ax: Axes | None = None) -> Axes:
    """Draw the mix of statuses within each segment: one bar per segment, shares side by side."""
    table = crossed.pivot(index="segment", columns="value", values="share").fillna(0)
    shown = table.reindex([name for name in order[::-1] if name in table.index])
    ax = new_axes(ax, height=0.9 + 0.32 * len(shown))
    start = pd.Series(0.0, shown.index)
    for status, colour in STATUS_COLOURS.items():
        share = shown[status] if status in shown else pd.Series(0.0, shown.index)
        ax.barh(shown.index, share, left=start, height=0.66, color=colour, label=STATUS_LABELS[status])
        _label_shares(ax, start, share, INK if colour in LIGHT_COLOURS else "white")
        start = start + share
    ax.set_xlim(0, 1)
    percent_axis(ax.xaxis)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    ax.legend(ncols=5, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False, fontsize=SMALL_LETTERS)
    return ax


def _label_shares(ax: Axes, start: pd.Series, share: pd.Series, colour: str) -> None:
    for row, (left, width) in enumerate(zip(start, share, strict=True)):
        if width >= MIN_LABELLED_SHARE:
            ax.text(left + width / 2, row, percent(width), ha="center", va="center", fontsize=8, color=colour)


def alt_text_lifecycle(crossed: pd.DataFrame) -> str:
    """Describe what the bars of statuses show."""
    most = crossed.loc[crossed.groupby("segment").share.idxmax()]
    parts = [f"{row.segment} most often {status_label(row.value)} ({percent(row.share)})" for row in most.itertuples()]
    return list_within("Stacked bars of customer status within each segment: {items}.", parts)
