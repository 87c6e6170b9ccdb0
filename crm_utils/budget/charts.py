"""Figures of 05_budget, each with its alternative text."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils.budget.uplift import CampaignStatus
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
from crm_utils.core.formatting import NumberFormat

LABEL_SIZE = 8.5
# Room to the right of the longest bar for its label, as a multiple of its length
ROOM_FOR_LABELS = 1.75
# Inches: of one line in the figure of break points, and from its axis down to the legend
LINE_HEIGHT = 0.36
LEGEND_BELOW = 0.55


def plot_plan(plan: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes | None:
    """Draw spend (pale) and expected profit (segment colour, with its interval) of each planned line.

    None if no line is planned.
    """
    shown = plan[plan.contacts > 0].iloc[::-1]
    if shown.empty:
        return None
    ax = new_axes(ax, height=0.7 + 0.55 * len(shown))
    rows = pd.Series(range(len(shown)), index=shown.index, dtype=float)
    ax.barh(rows + 0.2, shown.expected_profit, height=0.36, color=segment_colours(shown.segment.tolist()))
    ax.hlines(rows + 0.2, shown.profit_low, shown.profit_high, color=INK, linewidth=1)
    for end in (shown.profit_low, shown.profit_high):
        ax.plot(end, rows + 0.2, "|", color=INK, markersize=7)
    ax.barh(rows - 0.18, shown.spend, height=0.32, color=PALE)
    for y, line in zip(rows, shown.itertuples(), strict=True):
        low, expected, high = (fmt.money(x, 0) for x in (line.profit_low, line.expected_profit, line.profit_high))
        end = max(line.profit_high, line.expected_profit, 0)
        ax.text(end, y + 0.2, f"  earns {expected} ({low} to {high})", va="center", fontsize=LABEL_SIZE)
        costs = f" costs {fmt.money(line.spend)}"
        ax.text(line.spend, y - 0.2, costs, va="center", fontsize=LABEL_SIZE, color=LIGHT_INK)
    ax.set_yticks(rows, [f"{line.campaign}\n{line.segment}" for line in shown.itertuples()], fontsize=9)
    ends = shown[["spend", "expected_profit", "profit_low", "profit_high"]]
    ax.set_xlim(min(ends.min().min() * 1.1, 0), max(ends.max().max(), 1) * ROOM_FOR_LABELS)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.xaxis.set_visible(False)
    ax.spines[["bottom", "left"]].set_visible(False)
    return ax


def alt_text_plan(plan: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the bars of the plan show."""
    lines = "; ".join(
        f"{row.campaign} to {row.segment} costs {fmt.money(row.spend)}, earns {fmt.money(row.expected_profit)}"
        for row in plan[plan.contacts > 0].itertuples()
    )
    return f"Bar chart of the plan: {lines or 'no line is planned'}."


def plot_budget_curve(
    curve: pd.DataFrame, budget: float, best: float, fmt: NumberFormat, ax: Axes | None = None
) -> Axes:
    """Draw the expected profit of the best plan at each budget, with a band from all lifts low to all high.

    Lines mark the budget and the `best` one, beyond which more stops paying, unless they lie beyond the curve.
    """
    ax = new_axes(ax)
    ax.fill_between(curve.budget, curve.profit_low, curve.profit_high, color=BLUE, alpha=0.15, linewidth=0)
    ax.plot(curve.budget, curve.expected_profit, color=BLUE)
    top = ax.get_xaxis_transform()
    for index, (x, label, colour) in enumerate([(best, "sensible budget", ORANGE), (budget, "budget", LIGHT_INK)]):
        if x <= curve.budget.max():
            ax.axvline(x, color=colour, linestyle="--", linewidth=1.2)
            ax.text(x, 1.02 + 0.07 * index, label, color=colour, fontsize=9, ha="center", transform=top)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set_xlim(0, max(curve.budget.max(), 1))
    ax.set_xlabel("Budget")
    ax.set_ylabel("Expected profit")
    money_axis(ax.xaxis, fmt)
    money_axis(ax.yaxis, fmt)
    return ax


def alt_text_budget_curve(curve: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the budget curve shows."""
    points = "; ".join(
        f"{fmt.money(row.budget)} earns {fmt.money(row.expected_profit)} "
        f"({fmt.money(row.profit_low)} to {fmt.money(row.profit_high)})"
        for row in curve.iloc[[0, len(curve) // 4, len(curve) // 2, -1]].itertuples()
    )
    return f"Line chart of expected profit against budget with its interval. {points}."


def plot_break_points(lines: pd.DataFrame, ax: Axes | None = None) -> Axes | None:
    """Draw each line's assumed range of the lift (bar), the lift planned with (dot) and its break point (tick).

    None without lines.
    """
    if lines.empty:
        return None
    shown = lines.iloc[::-1]
    ax = new_axes(ax, height=1.1 + LINE_HEIGHT * len(shown))
    rows = range(len(shown))
    colours = [BLUE if planned else GREY for planned in shown.contacts > 0]
    points = shown.break_point_lift
    ax.hlines(rows, shown.lift_low, shown.lift_high, color=colours, linewidth=7, alpha=0.45, label="assumed range")
    ax.scatter(shown.lift, rows, color=colours, s=34, zorder=3, label="lift planned with")
    ax.scatter(points, rows, color=ORANGE, marker="|", s=170, linewidth=2.5, zorder=4, label="break point")
    ax.set_yticks(list(rows), [f"{row.campaign} · {row.segment}" for row in shown.itertuples()], fontsize=9)
    ax.set_xlim(0, max(shown[["lift_high", "break_point_lift"]].max().max() * 1.1, 0.01))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value * 100:g}")
    ax.set_xlabel("Added purchase probability, percentage points")
    below = -LEGEND_BELOW / (LINE_HEIGHT * len(shown) + 0.3)
    ax.legend(loc="upper center", bbox_to_anchor=(0.3, below), ncols=3)
    return ax


def alt_text_break_points(lines: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the figure of break points shows."""
    described = "; ".join(
        f"{row.campaign} to {row.segment}: range {_points(row.lift_low, fmt)} to {_points(row.lift_high, fmt)}"
        + (f", break point {_points(row.break_point_lift, fmt)}" if pd.notna(row.break_point_lift) else "")
        for row in lines.itertuples()
    )
    return f"Chart of each line's lift range and break point. {described or 'No line'}."


def _points(share: float, fmt: NumberFormat) -> str:
    return f"{fmt.number(share * 100, 1)} points"


def plot_past_campaigns(measured: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes | None:
    """Draw what each past campaign earned with its 90% interval, and what was forecast (tick).

    Campaigns whose groups were not random are grey. None if no campaign's costs are known.
    """
    shown = measured.dropna(subset=["incremental_profit"]).iloc[::-1]
    if shown.empty:
        return None
    ax = new_axes(ax, height=1.0 + 0.45 * len(shown))
    rows = range(len(shown))
    colours = [BLUE if status == CampaignStatus.MEASURED else GREY for status in shown.status]
    low, high = shown.incremental_profit_low, shown.incremental_profit_high
    ax.hlines(rows, low, high, color=colours, linewidth=5, alpha=0.45)
    ax.scatter(shown.incremental_profit, rows, color=colours, s=36, zorder=3, label="earned")
    ax.scatter(shown.forecast_profit, rows, color=ORANGE, marker="|", s=170, linewidth=2.5, zorder=4, label="promised")
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set_yticks(list(rows), shown.campaign.tolist(), fontsize=9)
    money_axis(ax.xaxis, fmt)
    ax.legend(loc="upper center", bbox_to_anchor=(0.3, -0.2), ncols=2)
    return ax


def alt_text_past_campaigns(measured: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the figure of past campaigns shows."""
    lines = "; ".join(
        f"{row.campaign} earned {fmt.money(row.incremental_profit)} ({fmt.money(row.incremental_profit_low)} to "
        f"{fmt.money(row.incremental_profit_high)}), promised {fmt.money(row.forecast_profit)}"
        for row in measured.dropna(subset=["incremental_profit"]).itertuples()
    )
    return f"Chart of what past campaigns earned: {lines or 'none'}."
