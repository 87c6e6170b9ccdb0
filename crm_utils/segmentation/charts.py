"""Figures of 03_segmentation."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils.core import formatting
from crm_utils.core.display.figure_style import (
    BLUE,
    GREY,
    INK,
    LIGHT_INK,
    ORANGE,
    PALE,
    TEAL,
    new_axes,
    percent_axis,
    segment_colours,
)

CAUSE_COLOURS = [TEAL, ORANGE, GREY, "#c9d0d7", BLUE]  # behaviour coloured, cut points grey, newcomers blue
STATUS_COLOURS = {"new": BLUE, "loyal": TEAL, "occasional": "#8bd3c7", "at risk": "#e07b39", "churned": GREY}


def shares(profile: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Each segment's share of revenue (its colour) over its share of customers (grey)."""
    shown = profile[profile.customers > 0].iloc[::-1]
    ax = new_axes(ax, height=0.8 + 0.36 * len(shown))
    places = range(len(shown))
    ax.barh(
        [place + 0.19 for place in places],
        shown.revenue_share,
        height=0.36,
        color=segment_colours(shown.segment.tolist()),
    )
    ax.barh([place - 0.19 for place in places], shown.customer_share, height=0.32, color=PALE)
    for place, row in zip(places, shown.itertuples(), strict=True):
        ax.text(
            row.revenue_share + 0.006,
            place + 0.19,
            f"{formatting.percent(row.revenue_share)} of revenue",
            va="center",
            fontsize=8.5,
        )
        ax.text(
            row.customer_share + 0.006,
            place - 0.21,
            f"{formatting.percent(row.customer_share)} of customers",
            va="center",
            fontsize=8.5,
            color=LIGHT_INK,
        )
    ax.set_yticks(list(places), shown.segment)
    ax.set_xlim(0, max(shown.revenue_share.max(), shown.customer_share.max()) * 1.28)
    percent_axis(ax.xaxis)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    return ax


def _cause(column: str) -> str:
    """A cause as the legend names it: limits of score classes are `cut points` only in the data."""
    return column.capitalize().replace("Cut points", "Limits")


def moves(net: pd.DataFrame, ax: Axes | None = None) -> Axes | None:
    """Each segment's change in customers by cause: gains to the right, losses to the left, the sum as a diamond."""
    if net.empty:
        return None
    shown, causes = net.iloc[::-1], net.columns[2:-2]
    ax = new_axes(ax, height=1.2 + 0.36 * len(shown))
    places, gains, losses = range(len(shown)), pd.Series(0, shown.index), pd.Series(0, shown.index)
    for cause, colour in zip(causes, CAUSE_COLOURS, strict=True):
        value = shown[cause]
        ax.barh(places, value, left=gains.where(value > 0, losses), height=0.62, color=colour, label=_cause(cause))
        gains, losses = gains + value.clip(lower=0), losses + value.clip(upper=0)
    total = shown[list(causes)].sum(axis=1)
    ax.plot(total, places, "D", color=INK, markersize=5, linestyle="none", label="Sum")
    for place, change in zip(places, total, strict=True):
        label = f"{'−' if change < 0 else '+' if change else ''}{formatting.count(abs(change))}"
        ax.text(1.06, place, label, va="center", ha="right", fontsize=8.5, transform=ax.get_yaxis_transform())
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(list(places), shown.segment)
    ax.margins(x=0.05)
    ax.xaxis.set_visible(False)
    ax.spines[["bottom", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False, fontsize=8.5)
    return ax


def statuses(crossed: pd.DataFrame, order: list[str], ax: Axes | None = None) -> Axes:
    """The mix of customer statuses within each segment: one bar a segment, shares side by side."""
    table = crossed.pivot(index="segment", columns="value", values="share").fillna(0)
    shown = table.reindex([name for name in order[::-1] if name in table.index])
    ax = new_axes(ax, height=0.9 + 0.32 * len(shown))
    left = pd.Series(0.0, shown.index)
    for status, colour in STATUS_COLOURS.items():
        share = shown[status] if status in shown else pd.Series(0.0, shown.index)
        ax.barh(shown.index, share, left=left, height=0.66, color=colour, label=status.capitalize())
        for place, (start, width) in enumerate(zip(left, share, strict=True)):
            if width >= 0.08:
                light = colour in (PALE, "#8bd3c7", GREY, "#e07b39")
                ax.text(
                    start + width / 2,
                    place,
                    formatting.percent(width),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=INK if light else "white",
                )
        left = left + share
    ax.set_xlim(0, 1)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    ax.legend(ncols=5, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False, fontsize=8.5)
    return ax
