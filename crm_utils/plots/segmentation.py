"""Figures of 03_segmentation."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils import formats
from crm_utils.plots.style import PALE, SOFT, new_axes, percent_axis, segment_colours
from crm_utils.plots.style import figure as figure


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
            f"{formats.percent(row.revenue_share)} of revenue",
            va="center",
            fontsize=8.5,
        )
        ax.text(
            row.customer_share + 0.006,
            place - 0.21,
            f"{formats.percent(row.customer_share)} of customers",
            va="center",
            fontsize=8.5,
            color=SOFT,
        )
    ax.set_yticks(list(places), shown.segment)
    ax.set_xlim(0, max(shown.revenue_share.max(), shown.customer_share.max()) * 1.28)
    percent_axis(ax.xaxis)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    return ax
