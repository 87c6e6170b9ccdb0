"""Figures of 05_budget, each with its alternative text."""

import pandas as pd
from matplotlib.axes import Axes

from crm_utils.budget.drawings import CAMPAIGNS, COLOURS, NEW_CUSTOMERS, money_by_wave
from crm_utils.budget.tables import LINE_NAMES
from crm_utils.budget.uplift import CampaignStatus
from crm_utils.budget.year import Line
from crm_utils.core.display.alt_text import list_within
from crm_utils.core.display.figure_style import BLUE, GREY, LIGHT_INK, ORANGE, PALE, TEAL, money_axis, new_axes
from crm_utils.core.formatting import NumberFormat, day

LABEL_SIZE = 8.5
# Room to the right of the longest bar for its label, as a multiple of its length
ROOM_FOR_LABELS = 1.75
# Inches: of one line in the figure of break points, and from its axis down to the legend
LINE_HEIGHT = 0.36
LEGEND_BELOW = 0.55


def plot_lines(lines: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes | None:
    """Draw money (pale) and expected profit (blue) of each line of the budget; None without any money.

    Lines without money are left out.
    """
    shown = lines[lines.spend.abs() + lines.expected_profit.abs() > 0].iloc[::-1]
    if shown.empty:
        return None
    ax = new_axes(ax, height=0.6 + 0.6 * len(shown))
    rows = pd.Series(range(len(shown)), index=shown.index, dtype=float)
    ax.barh(rows + 0.2, shown.expected_profit, height=0.36, color=BLUE, label="profit")
    ax.barh(rows - 0.18, shown.spend, height=0.32, color=PALE, label="money")
    money_axis(ax.xaxis, fmt)
    for y, line in zip(rows, shown.itertuples(), strict=True):
        if line.line != Line.RESERVE:
            end = max(line.expected_profit, 0)
            ax.text(end, y + 0.2, f"  profit {fmt.money(line.expected_profit)}", va="center", fontsize=LABEL_SIZE)
        money = f"  {fmt.money(line.spend)}"
        ax.text(line.spend, y - 0.2, money, va="center", fontsize=LABEL_SIZE, color=LIGHT_INK)
    ax.set_yticks(rows, [LINE_NAMES[Line(line)] for line in shown.line], fontsize=9)
    ends = shown[["spend", "expected_profit"]]
    ax.set_xlim(min(ends.min().min() * 1.1, 0), max(ends.max().max(), 1) * ROOM_FOR_LABELS)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.xaxis.set_visible(False)
    ax.spines[["bottom", "left"]].set_visible(False)
    return ax


def alt_text_lines(lines: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the bars of the budget show."""
    described = [
        f"{LINE_NAMES[Line(row.line)]}: {fmt.money(row.spend)}, profit {fmt.money(row.expected_profit)}"
        for row in lines.sort_values("spend", ascending=False, kind="stable").itertuples()
    ]
    return list_within("Bar chart of the budget. {items}.", described)


def plot_calendar(table: pd.DataFrame, won: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes | None:
    """Draw the money of each wave: campaigns and new customers; None if nothing is spent."""
    money = money_by_wave(table, won)
    campaigns, new = money[CAMPAIGNS], money[NEW_CUSTOMERS]
    if not (campaigns.sum() + new.sum()) > 0:
        return None
    ax = new_axes(ax, height=2.6)
    ax.bar(campaigns.index, campaigns, width=0.6, color=COLOURS[CAMPAIGNS], label=CAMPAIGNS)
    if new.sum() > 0:
        ax.bar(new.index, new, width=0.6, bottom=campaigns, color=COLOURS[NEW_CUSTOMERS], label=NEW_CUSTOMERS)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2)
    labels = [f"Wave {row.wave}\n{day(row.starts_on)}" for row in won.itertuples()]
    ax.set_xticks(list(campaigns.index), labels, fontsize=9)
    ax.set_ylabel("Money")
    money_axis(ax.yaxis, fmt)
    return ax


def alt_text_calendar(table: pd.DataFrame, won: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the bars of the waves show."""
    described = [
        f"wave {wave} {fmt.money(row[CAMPAIGNS])} and {fmt.money(row[NEW_CUSTOMERS])}"
        for wave, row in money_by_wave(table, won).iterrows()
    ]
    return list_within("Bars of money for campaigns and for new customers: {items}.", described)


def plot_budget_curve(
    curve: pd.DataFrame, simple: pd.DataFrame, budget: float, fmt: NumberFormat, ax: Axes | None = None
) -> Axes:
    """Draw the expected profit of the best plan at each budget, stacked: campaigns and new customers.

    Dots are simple plans.
    """
    ax = new_axes(ax)
    ax.stackplot(
        curve.budget, curve.contacts_profit, curve.acquisition_profit, colors=[BLUE, TEAL], alpha=0.75,
        labels=["campaigns", "new customers"],
    )  # fmt: skip
    ax.plot(curve.budget, curve.expected_profit, color=BLUE, marker="o", markersize=4, linewidth=1.2, label="best plan")
    shown = simple[simple.spend <= curve.budget.max()]
    ax.scatter(shown.spend, shown.expected_profit, color=ORANGE, s=34, zorder=3, label="simple plans")
    ax.axvline(budget, color=LIGHT_INK, linestyle="--", linewidth=1.2)
    ax.text(budget, 1.02, "budget", color=LIGHT_INK, fontsize=9, ha="center", transform=ax.get_xaxis_transform())
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set_xlim(0, max(curve.budget.max(), 1))
    ax.set_xlabel("Budget of the period")
    ax.set_ylabel("Expected profit")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=4)
    money_axis(ax.xaxis, fmt)
    money_axis(ax.yaxis, fmt)
    return ax


def alt_text_budget_curve(curve: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the budget curve shows."""
    points = [
        f"{fmt.money(row.budget)} earns {fmt.money(row.expected_profit)}"
        for row in curve.iloc[[0, len(curve) // 4, len(curve) // 2, -1]].itertuples()
    ]
    return list_within("Stacked area chart of expected profit against budget. {items}.", points)


def plot_change(today: pd.DataFrame, planned: pd.DataFrame, fmt: NumberFormat, ax: Axes | None = None) -> Axes | None:
    """Draw a waterfall from the profit of today's spending to that of the plan, campaign by campaign.

    None if today's spending is not known. `today` and `planned`: campaign, expected_profit.
    """
    if today.empty:
        return None
    steps = planned.set_index("campaign").expected_profit.sub(
        today.set_index("campaign").expected_profit, fill_value=0.0
    )
    steps = steps[steps.abs() > 0].sort_values(ascending=False)
    start = today.expected_profit.sum()
    names = ["Today", *steps.index, "Plan"]
    ax = new_axes(ax, height=0.8 + 0.34 * len(names))
    ends = start + steps.cumsum()
    lefts = [0.0, *(ends - steps), 0.0]
    widths = [start, *steps, ends.iloc[-1] if len(ends) else start]
    colours = [GREY, *(BLUE if step > 0 else ORANGE for step in steps), GREY]
    places = list(range(len(names)))[::-1]
    ax.barh(places, widths, left=lefts, color=colours, height=0.6)
    money_axis(ax.xaxis, fmt)
    for place, left, width in zip(places, lefts, widths, strict=True):
        ax.text(max(left, left + width), place, f" {fmt.money(width)}", va="center", fontsize=LABEL_SIZE)
    ax.set_yticks(places, names, fontsize=9)
    ax.set_xlim(min(0, *lefts), max(max(a + max(b, 0) for a, b in zip(lefts, widths, strict=True)), 1) * 1.2)
    ax.xaxis.set_visible(False)
    ax.spines[["bottom", "left"]].set_visible(False)
    return ax


def alt_text_change(today: pd.DataFrame, planned: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the waterfall shows."""
    return (
        f"Waterfall from today's spending, which earns {fmt.money(today.expected_profit.sum())}, to the plan, which "
        f"earns {fmt.money(planned.expected_profit.sum())}."
    )


def plot_break_points(table: pd.DataFrame, ax: Axes | None = None) -> Axes | None:
    """Draw each campaign's assumed range of the lift (bar), the lift planned with (dot) and its break point (tick).

    Campaigns that neither run nor could run in their range are left out. None without campaigns.
    """
    shown = table[(table.waves > 0) | table.break_point_lift.notna()].iloc[::-1]
    if shown.empty:
        return None
    ax = new_axes(ax, height=1.1 + LINE_HEIGHT * len(shown))
    rows = range(len(shown))
    colours = [BLUE if waves else GREY for waves in shown.waves]
    points = shown.break_point_lift
    ax.hlines(rows, shown.lift_low, shown.lift_high, color=colours, linewidth=7, alpha=0.45, label="assumed range")
    ax.scatter(shown.lift, rows, color=colours, s=34, zorder=3, label="lift planned with")
    ax.scatter(points, rows, color=ORANGE, marker="|", s=170, linewidth=2.5, zorder=4, label="break point")
    ax.set_yticks(list(rows), shown.campaign.tolist(), fontsize=9)
    ax.set_xlim(0, max(shown[["lift_high", "break_point_lift"]].max().max() * 1.1, 0.01))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value * 100:g}")
    ax.set_xlabel("Added purchase probability by one message, percentage points")
    below = -LEGEND_BELOW / (LINE_HEIGHT * len(shown) + 0.3)
    ax.legend(loc="upper center", bbox_to_anchor=(0.3, below), ncols=3)
    return ax


def alt_text_break_points(table: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the figure of break points shows."""
    described = [
        f"{row.campaign}: range {_points(row.lift_low, fmt)} to {_points(row.lift_high, fmt)}"
        + (f", break point {_points(row.break_point_lift, fmt)}" if pd.notna(row.break_point_lift) else "")
        for row in table[(table.waves > 0) | table.break_point_lift.notna()].itertuples()
    ]
    return list_within("Lift range and break point of each campaign. {items}.", described or ["No campaign"])


def plot_payback(curve: pd.DataFrame, cost: float | None, fmt: NumberFormat, ax: Axes | None = None) -> Axes | None:
    """Draw the mean cumulative margin of a new customer by day, and what one more costs today if that is known.

    None without observed days.
    """
    if len(curve) < 2:
        return None
    ax = new_axes(ax, height=2.8)
    ax.plot(curve.day, curve.margin, color=BLUE)
    if cost is not None:
        ax.axhline(cost, color=ORANGE, linestyle="--", linewidth=1.2)
        ax.text(0, cost, " cost of one more today", color=ORANGE, fontsize=9, va="bottom")
    ax.set_xlim(0, curve.day.max())
    ax.set_ylim(0, max(curve.margin.max(), cost or 0) * 1.15)
    ax.set_xlabel("Days since the first order")
    ax.set_ylabel("Margin brought so far")
    money_axis(ax.yaxis, fmt)
    return ax


def alt_text_payback(curve: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the payback curve shows."""
    if len(curve) < 2:
        return "No days were observed."
    points = [
        f"day {row.day} {fmt.money(row.margin, 2)}" for row in curve.iloc[:: max(len(curve) // 4, 1)].itertuples()
    ]
    return list_within("Line chart of the margin a new customer has brought by day. {items}.", points)


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
    lines = [
        f"{row.campaign} earned {fmt.money(row.incremental_profit)} ({fmt.money(row.incremental_profit_low)} to "
        f"{fmt.money(row.incremental_profit_high)}), promised {fmt.money(row.forecast_profit)}"
        for row in measured.dropna(subset=["incremental_profit"]).itertuples()
    ]
    return list_within("Chart of what past campaigns earned: {items}.", lines or ["none"])
