"""Figures of 05_budget."""

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
    money_axis,
    new_axes,
    segment_colours,
)


def plan(lines: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes:
    """Spend (pale) and expected profit (segment colour) of each planned line, with the profit's interval."""
    shown = lines[lines.contacts > 0].iloc[::-1]
    ax = new_axes(ax, height=0.7 + 0.55 * max(len(shown), 1))
    places = pd.Series(range(len(shown)), index=shown.index, dtype=float)
    ax.barh(places + 0.2, shown.expected_profit, height=0.36, color=segment_colours(shown.segment.tolist()))
    ax.hlines(places + 0.2, shown.profit_low, shown.profit_high, color=INK, linewidth=1)
    for end in (shown.profit_low, shown.profit_high):
        ax.plot(end, places + 0.2, "|", color=INK, markersize=7)
    ax.barh(places - 0.18, shown.spend, height=0.32, color=PALE)
    for place, row in zip(places, shown.itertuples(), strict=True):
        end = max(row.profit_high, row.expected_profit, 0)
        low, expected, high = (formatting.money(x, currency, 0) for x in (row.profit_low, row.expected_profit, row.profit_high))  # fmt: skip
        ax.text(end, place + 0.2, f"  earns {expected} ({low} to {high})", va="center", fontsize=8.5)
        ax.text(row.spend, place - 0.2, f" costs {formatting.money(row.spend, currency)}", va="center", fontsize=8.5, color=LIGHT_INK)  # fmt: skip
    ax.set_yticks(places, [f"{row.campaign}\n{row.segment}" for row in shown.itertuples()], fontsize=9)
    ends = shown[["spend", "expected_profit", "profit_low", "profit_high"]]
    ax.set_xlim(
        min(ends.min().min() * 1.1, 0) if len(shown) else 0, max(ends.max().max(), 1) * 1.75 if len(shown) else 1
    )
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.xaxis.set_visible(False)
    ax.spines[["bottom", "left"]].set_visible(False)
    return ax


def budget_curve(curve: pd.DataFrame, budget: float, sensible: float, currency: str, ax: Axes | None = None) -> Axes:
    """Expected profit of the best plan at each budget, the band between all lifts low and all high, and where more stops paying."""
    ax = new_axes(ax)
    ax.fill_between(curve.budget, curve.profit_low, curve.profit_high, color=BLUE, alpha=0.15, linewidth=0)
    ax.plot(curve.budget, curve.expected_profit, color=BLUE)
    marks = [(sensible, "sensible budget", ORANGE), (budget, "budget", LIGHT_INK)]
    for place, (where, label, colour) in enumerate(marks):
        if where <= curve.budget.max():
            ax.axvline(where, color=colour, linestyle="--", linewidth=1.2)
            ax.text(
                where,
                1.02 + 0.07 * place,
                label,
                color=colour,
                fontsize=9,
                ha="center",
                transform=ax.get_xaxis_transform(),
            )
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set_xlim(0, max(curve.budget.max(), 1))
    ax.set_xlabel("Budget")
    ax.set_ylabel("Expected profit")
    money_axis(ax.xaxis, currency)
    money_axis(ax.yaxis, currency)
    return ax


def flip_points(lines: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The range believed of each line's lift (bar), the lift planned with (dot) and the lift at which the decision changes (tick)."""
    shown = lines.iloc[::-1]
    ax = new_axes(ax, height=1.1 + 0.36 * max(len(shown), 1))
    names = [f"{row.campaign} · {row.segment}" for row in shown.itertuples()]
    places = range(len(shown))
    colours = [BLUE if planned else GREY for planned in shown.contacts > 0]
    ax.hlines(places, shown.lift_low, shown.lift_high, color=colours, linewidth=7, alpha=0.45, label="assumed range")
    ax.scatter(shown.lift, places, color=colours, s=34, zorder=3, label="lift planned with")
    ax.scatter(
        shown.break_point_lift, places, color=ORANGE, marker="|", s=170, linewidth=2.5, zorder=4, label="flip point"
    )
    ax.set_yticks(list(places), names, fontsize=9)
    ax.set_xlim(0, max(shown[["lift_high", "break_point_lift"]].max().max() * 1.1, 0.01) if len(shown) else 1)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value * 100:g}")
    ax.set_xlabel("Added purchase probability, percentage points")
    if len(shown):
        ax.legend(loc="upper center", bbox_to_anchor=(0.3, -0.16 if len(shown) > 8 else -0.3), ncols=3)
    return ax


def earned(measured: pd.DataFrame, currency: str, ax: Axes | None = None) -> Axes:
    """What each past campaign earned with its 90 % interval (grey: not from random groups), beside what was promised (tick)."""
    shown = measured.dropna(subset=["earned"]).iloc[::-1]
    ax = new_axes(ax, height=1.0 + 0.45 * max(len(shown), 1))
    places = range(len(shown))
    colours = [BLUE if use == "measured" else GREY for use in shown.use]
    ax.hlines(places, shown.earned_low, shown.earned_high, color=colours, linewidth=5, alpha=0.45)
    ax.scatter(shown.earned, places, color=colours, s=36, zorder=3, label="earned")
    ax.scatter(shown.promised, places, color=ORANGE, marker="|", s=170, linewidth=2.5, zorder=4, label="promised")
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set_yticks(list(places), shown.campaign.tolist(), fontsize=9)
    money_axis(ax.xaxis, currency)
    ax.legend(loc="upper center", bbox_to_anchor=(0.3, -0.2), ncols=2)
    return ax
