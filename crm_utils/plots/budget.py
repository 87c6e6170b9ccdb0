"""Figures of 05_budget."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils import formats
from crm_utils.plots.style import BLUE, GREY, ORANGE, PALE, SOFT, new_axes, segment_colours
from crm_utils.plots.style import figure as figure


def plan(lines: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes:
    """Spend (pale) and expected profit (segment colour) of each planned line."""
    shown = lines[lines.contacts > 0].iloc[::-1]
    ax = new_axes(ax, height=0.7 + 0.5 * max(len(shown), 1))
    places = range(len(shown))
    ax.barh(
        [place + 0.2 for place in places],
        shown.expected_profit,
        height=0.36,
        color=segment_colours(shown.segment.tolist()),
    )
    ax.barh([place - 0.18 for place in places], shown.spend, height=0.32, color=PALE)
    for place, row in zip(places, shown.itertuples(), strict=True):
        ax.text(
            row.expected_profit,
            place + 0.2,
            f" earns {formats.money(row.expected_profit, currency)}",
            va="center",
            fontsize=8.5,
        )
        ax.text(
            row.spend,
            place - 0.2,
            f" costs {formats.money(row.spend, currency)}",
            va="center",
            fontsize=8.5,
            color=SOFT,
        )
    ax.set_yticks(list(places), [f"{row.campaign}\n{row.segment}" for row in shown.itertuples()], fontsize=9)
    ax.set_xlim(0, max(shown[["spend", "expected_profit"]].max().max(), 1) * 1.3 if len(shown) else 1)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    return ax


def break_even(lines: pd.DataFrame, lifts: pd.Series, ax: Axes | None = None) -> Axes:
    """The lift each line needs (bar) and the lift assumed for it (dot): the line pays where the dot is right of the bar's end."""
    shown = lines[lines.break_even_lift.notna()].iloc[::-1]
    ax = new_axes(ax, height=0.9 + 0.34 * max(len(shown), 1))
    names = [f"{row.campaign} · {row.segment}" for row in shown.itertuples()]
    assumed = shown.campaign.map(lifts).astype(float)
    ax.barh(
        names,
        shown.break_even_lift,
        height=0.55,
        color=[BLUE if pays else GREY for pays in assumed > shown.break_even_lift],
        label="lift needed to break even",
    )
    ax.scatter(assumed, names, color=ORANGE, zorder=3, s=36, label="lift assumed")
    ax.set_xlim(
        0, max(assumed.max() * 1.6, 0.01) if len(shown) else 1
    )  # a bar that runs out of the figure needs far more than is assumed
    ax.xaxis.set_major_formatter(lambda value, _: f"{value * 100:g}")
    ax.set_xlabel("Added purchase probability, percentage points")
    ax.legend(loc="upper center", bbox_to_anchor=(0.3, -0.16 if len(shown) > 8 else -0.3), ncols=2)
    return ax
