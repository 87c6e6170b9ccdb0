"""Sentences of 05_budget."""

import numpy as np
import pandas as pd

from crm_utils.core.display.paragraphs import Paragraph, paragraph
from crm_utils.core.formatting import count, join_names, money, percent, plural, rate

RANGES = "given the assumed ranges"


def recommendation(plan: pd.DataFrame, budget: float, target_roi: float | None, currency: str) -> Paragraph:
    """What to do, for how much, and how sure that is."""
    chosen = plan[plan.contacts > 0]
    of = f"of the {money(budget, currency, 0)}" if target_roi is None else f"(for {percent(target_roi)} profit on it)"
    if chosen.empty:
        empty = budget == 0 and target_roi is None
        enough = "earns back its cost" if target_roi is None else f"earns {percent(target_roi)} on what it costs"
        why = "there is no money to spend" if empty else f"at the lifts known or assumed no campaign {enough}"
        return paragraph(f"Spend none {of}: {why}.")
    sums = chosen[["spend", "expected_profit", "profit_low", "profit_high"]].sum()
    return paragraph(
        f"Spend {money(sums.spend, currency, 0 if sums.spend >= 10 else 2)} {of} on {plural(chosen.campaign.nunique(), 'campaign')} to {plural(chosen.contacts.sum(), 'customer')}.",
        f"Expected profit: {money(sums.expected_profit, currency, 0)}, between {money(sums.profit_low, currency, 0)} and {money(sums.profit_high, currency, 0)} {RANGES}. {_rests_on(chosen)}.",
    )


def _rests_on(chosen: pd.DataFrame) -> str:
    share = chosen.expected_profit[chosen.evidence == "measured"].sum() / chosen.expected_profit.sum()
    if (chosen.evidence == "assumed").all():
        return "All of it rests on assumed lifts, none on measured ones"
    if (chosen.evidence == "measured").all():
        return "All of it rests on measured lifts"
    return f"{percent(share)} of it rests on measured lifts, the rest on assumed ones"


def beside_business_as_usual(
    plan: pd.DataFrame, forecast: pd.DataFrame, margin: float, margin_known: bool, currency: str
) -> Paragraph:
    """What comes without any campaign, from the `forecast` table, and what the plan adds to it."""
    coming = forecast[(forecast.segment == "all") & (forecast.months == 3)].revenue.iloc[0]
    usual, added = margin * coming, plan.expected_profit.sum()
    return paragraph(
        f"Without any campaign all customers together are expected to bring {money(usual, currency)} of margin in the next three months ({money(coming, currency)} of revenue at a margin of {rate(margin)}, {_from(margin_known)});",
        f"the plan adds {money(added, currency)} to it. {money(plan.incentives_to_baseline_buyers.sum(), currency)} of its cost are discounts for people who would have bought anyway.",
    )


def sensible(curve: pd.DataFrame, budget: float, sensible: float, currency: str) -> Paragraph:
    """The budget beyond which nothing more is earned, and how the profit compares with half of it."""
    best = curve.expected_profit.max()
    half = (
        -np.inf
        if curve.budget.min() > sensible / 2
        else curve.expected_profit[curve.budget <= sensible / 2 + 0.01].max()
    )  # budgets are shown to cents
    if best <= 0:
        return paragraph("No budget earns a profit: the curve never rises above zero.")
    more = "less than" if sensible < budget * 0.995 else "the whole of" if sensible <= budget * 1.005 else "more than"
    return paragraph(
        f"The sensible budget is {money(sensible, currency)}, {more} the {money(budget, currency, 0)} given: beyond it no contact earns its cost.",
        f"Half of it already earns {percent(half / best)} of the profit." if half > 0 else "",
    )


def curve_in_words(curve: pd.DataFrame, currency: str) -> str:
    """What the budget curve shows."""
    points = "; ".join(
        f"{money(row.budget, currency)} earns {money(row.expected_profit, currency)} ({money(row.profit_low, currency)} to {money(row.profit_high, currency)})"
        for row in curve.iloc[[0, len(curve) // 4, len(curve) // 2, -1]].itertuples()
    )
    return f"Line chart of expected profit against budget with its interval. {points}."


def scenarios(table: pd.DataFrame, plan: pd.DataFrame, currency: str) -> Paragraph:
    """The scenario that costs most, and what this plan earns if all lifts are low."""
    planned, worst = table.iloc[0], table.loc[table.expected_profit.idxmin()]
    if planned.expected_profit <= 0:
        return paragraph("There is no plan that a scenario could make worse.")
    low = plan.profit_low[plan.contacts > 0]
    safe = int((low >= 0).sum())
    lines = f"{count(safe)} of its {plural(len(low), 'line')}" if safe else "no line of it"
    return paragraph(
        f"Of these scenarios “{worst.scenario}” costs most: a plan made for it would earn {money(worst.expected_profit, currency)} instead of {money(planned.expected_profit, currency)}."
        if worst.expected_profit < planned.expected_profit
        else "None of the scenarios earns less than the plan.",
        f"The plan as it stands {'earns' if low.sum() >= 0 else 'loses'} {money(abs(low.sum()), currency)} if every lift is at the low end of its range; {lines} {'is' if safe < 2 else 'are'} safe from a loss there.",
    )


def ways(table: pd.DataFrame, currency: str) -> Paragraph:
    """The plan against the best rule of thumb."""
    planned, rules = table.iloc[0], table.iloc[1:]
    if not planned.contacts:
        return paragraph("Nothing is planned that a rule of thumb could be set beside.")
    best = rules.loc[rules.expected_profit.idxmax()]
    if planned.expected_profit > 0 and best.expected_profit > 0.995 * planned.expected_profit:
        return paragraph(
            f"{best.way.capitalize()} would earn as much with the same money: whom to start with matters little."
        )
    return paragraph(
        f"The best rule of thumb ({best.way}) would {'earn' if best.expected_profit >= 0 else 'lose'} {money(abs(best.expected_profit), currency)} with the same money;",
        f"the plan earns {money(planned.expected_profit, currency)} on {money(planned.spend, currency)}.",
    )


def close_calls(plan: pd.DataFrame) -> pd.DataFrame:
    """Lines whose decision could change: the planned ones, and those whose flip point lies within twice the range's top."""
    reachable = plan.break_point_lift.notna() & (plan.break_point_lift <= 2 * plan.lift_high)
    return plan[(plan.contacts > 0) | reachable].head(14)


def flips(plan: pd.DataFrame, measurable: pd.DataFrame) -> Paragraph:
    """Which decisions could change within the assumed ranges, and whether this plan's lists (`lines.measurability`) can tell."""
    shown = plan[plan.break_point_lift.notna()]
    inside = shown[(shown.break_point_lift >= shown.lift_low) & (shown.break_point_lift <= shown.lift_high)]
    if inside.empty:
        return paragraph("No decision changes anywhere within the assumed ranges.")
    first = inside.campaign.drop_duplicates().head(3).tolist()  # the plan is in order of profit
    seen = measurable.campaign[measurable.minimum_detectable_lift <= measurable.lift]
    return paragraph(
        f"{count(len(inside))} of {plural(len(plan), 'decision')} could change within the assumed ranges. Measure first: {join_names(first)}.",
        ""
        if set(first) & set(seen)
        else "This plan's lists are too small for that: pool several months, or hold back more.",
    )


def flips_in_words(plan: pd.DataFrame) -> str:
    """What the figure of flip points shows."""
    lines = "; ".join(
        f"{row.campaign} to {row.segment}: range {_points(row.lift_low)} to {_points(row.lift_high)}"
        + (f", flip point {_points(row.break_point_lift)}" if pd.notna(row.break_point_lift) else "")
        for row in plan.itertuples()
    )
    return f"Chart of each line's lift range and flip point. {lines or 'No line.'}."


def target_group(
    plan: pd.DataFrame,
    campaigns: pd.DataFrame,
    audience: pd.DataFrame,
    targets: pd.DataFrame,
    group: str,
    currency: str,
) -> Paragraph:
    """The plan for one of the two groups the strategy starts from, or that the group is empty today.

    targets: who is on a list, to tell how many of the group other campaigns reach.
    """
    names = campaigns.name[campaigns.group == group].tolist()
    members = audience.index[audience[names].any(axis=1)]
    size = len(members)
    title = group.capitalize()
    if not names:
        return paragraph(f"{title}: no campaign in the campaigns file is made for them.")
    if not size:
        return paragraph(
            f"{title}: there are none to contact on this date, so {plural(len(names), 'campaign')} for them {'is' if len(names) == 1 else 'are'} not planned."
        )
    chosen = plan[plan.campaign.isin(names) & (plan.contacts > 0)]
    if chosen.empty:
        elsewhere = int(targets.customer_id.isin(members).sum())
        return paragraph(
            f"{title}: {plural(size, 'customer')} may be contacted, but no campaign made for them earns back its cost"
            + (
                f"; {count(elsewhere)} of them {'is' if elsewhere == 1 else 'are'} on the lists of other campaigns."
                if elsewhere
                else "."
            )
        )
    return paragraph(
        f"{title}: of {plural(size, 'customer')} who may be contacted, contact {count(chosen.contacts.sum())} with {join_names(chosen.campaign.drop_duplicates().tolist())}",
        f"for {money(chosen.spend.sum(), currency)}, for a profit of {money(chosen.expected_profit.sum(), currency)}.",
    )


def named_cells(cells: pd.DataFrame) -> Paragraph:
    """How the campaigns go about the cells the strategy names, and whether the plan leaves alone what it says to."""
    empty = cells.cell[cells.in_cell == 0].tolist()
    spared = cells[cells.use == "leave alone"].iloc[0]
    return paragraph(
        f"Campaigns address the two groups by rule, since single cells are narrow{f': nobody is in {join_names(empty)} today' if empty else ''}.",
        f"Cell {spared.cell}, which the strategy leaves alone, has {plural(spared.in_cell, 'customer')}; {count(spared.contacts) if spared.contacts else 'none'} of them {'is' if spared.contacts < 2 else 'are'} on a list{', since the message costs less than it is expected to bring' if spared.contacts else ''}."
        if spared.in_cell
        else "",
    )


def _from(margin_known: bool) -> str:
    return "from the costs in the data" if margin_known else "an assumption"


def acquisition(limit: pd.DataFrame, margin_known: bool, currency: str) -> Paragraph:
    """What one may pay for a new customer."""
    row = limit.iloc[0]
    return paragraph(
        f"A new customer may cost up to {money(row.most_to_pay, currency, 2)}: at a margin of {rate(row.margin_rate)} ({_from(margin_known)}), a first basket of {money(row.first_basket, currency, 2)}",
        f"and {row.expected_purchase_days_12m:.2f} later orders of {money(row.order_value, currency, 2)} in twelve months pay that back.",
    )


def low_potential(verdicts: pd.DataFrame, currency: str) -> Paragraph:
    """The segments not to spend on, and what spending there would lose."""
    rows = verdicts[verdicts.verdict == "low potential"]
    if rows.empty:
        return paragraph("Nothing to leave out: every segment that a campaign is meant for is worth one.")
    may, worst = plural(rows.eligible.sum(), "customer"), rows.cost_of_contacting_all.sum()
    return paragraph(
        f"Spend nothing on {join_names(rows.segment.tolist())}: for the {may} of them who may be contacted no campaign earns back its cost.",
        f"Sending each segment the campaign that fits most of its customers would lose {money(-worst, currency)}."
        if worst < 0
        else "",
    )


def best_line(plan: pd.DataFrame, currency: str) -> Paragraph:
    """The planned line that earns most."""
    if not plan.contacts.any():
        return paragraph("No line is planned.")
    row = plan.loc[plan.expected_profit.idxmax()]
    return paragraph(
        f"{row.campaign} to {row.segment} earns most: a profit of {money(row.expected_profit, currency)} on {money(row.spend, currency)} spent."
    )


def plan_in_words(plan: pd.DataFrame, currency: str) -> str:
    """What the bars of the plan show."""
    chosen = plan[plan.contacts > 0]
    lines = "; ".join(
        f"{row.campaign} to {row.segment} costs {money(row.spend, currency)}, earns {money(row.expected_profit, currency)}"
        for row in chosen.itertuples()
    )
    return f"Bar chart of the plan: {lines or 'no line is planned'}."


def _points(share: float) -> str:
    return f"{share * 100:.1f} points"
