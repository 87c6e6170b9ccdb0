"""Sentences of 05_budget."""

import pandas as pd

from crm_utils.formats import count, listing, money, percent, plural
from crm_utils.headlines import Sentence, say


def recommendation(plan: pd.DataFrame, budget: float, currency: str) -> Sentence:
    """What to spend, what it should earn, and what to keep."""
    chosen = plan[plan.contacts > 0]
    if chosen.empty:
        return say(
            f"Spend none of the {money(budget, currency, 0)}: at the assumed lifts no campaign earns back its cost."
        )
    basis = (
        "assumed"
        if (chosen.basis == "assumed").all()
        else "measured and assumed"
        if (chosen.basis == "assumed").any()
        else "measured"
    )
    return say(
        f"Spend {money(chosen.spend.sum(), currency, 0)} of the {money(budget, currency, 0)} on {plural(chosen.campaign.nunique(), 'campaign')} to {plural(chosen.contacts.sum(), 'customer')}.",
        f"At the {basis} lifts that earns {money(chosen.expected_profit.sum(), currency, 0)} after all costs.",
    )


def unspent(plan: pd.DataFrame, budget: float, currency: str) -> Sentence:
    """How much is left, and why."""
    left = budget - plan.spend.sum()
    used_up = left < plan.spend[plan.contacts > 0].sum() / max(plan.contacts.sum(), 1) * 2
    if budget and used_up:
        return say(f"The budget is used up ({money(left, currency)} left): more money would earn more.")
    return say(
        f"{money(left, currency, 0)} stays unspent: every further contact would cost more than it earns. Better unspent than wasted."
    )


def target_group(
    plan: pd.DataFrame, campaigns: pd.DataFrame, audience: pd.DataFrame, group: str, currency: str
) -> Sentence:
    """The plan for one of the two groups the strategy starts from, or that the group is empty today."""
    names = campaigns.name[campaigns.group == group].tolist()
    size = int(audience[names].any(axis=1).sum())
    if not size:
        return say(
            f"{group.capitalize()}: there are none on this date, so {plural(len(names), 'campaign')} for them {'is' if len(names) == 1 else 'are'} not planned."
        )
    chosen = plan[plan.campaign.isin(names) & (plan.contacts > 0)]
    if chosen.empty:
        return say(f"{group.capitalize()}: {plural(size, 'customer')}, but no campaign for them earns back its cost.")
    return say(
        f"{group.capitalize()}: {plural(size, 'customer')}; contact {count(chosen.contacts.sum())} with {listing(chosen.campaign.drop_duplicates().tolist())}",
        f"for {money(chosen.spend.sum(), currency)}, earning {money(chosen.expected_profit.sum(), currency)}.",
    )


def low_potential(verdicts: pd.DataFrame) -> Sentence:
    """The segments not to spend on."""
    rows = verdicts[verdicts.verdict == "low potential"]
    if rows.empty:
        return say("Every segment that has customers is worth a campaign.")
    return say(
        f"Spend nothing on {listing(rows.segment.tolist())}: for these {plural(rows.customers.sum(), 'customer')} no campaign earns back its cost."
    )


def break_even(plan: pd.DataFrame, campaigns: pd.DataFrame) -> Sentence:
    """The planned line with the least room for error."""
    chosen = plan[(plan.contacts > 0) & plan.break_even_lift.notna()]
    if chosen.empty:
        return say("No line is planned, so no lift has to be reached.")
    room = chosen.campaign.map(campaigns.set_index("name").lift) / chosen.break_even_lift
    row = chosen.loc[room.idxmin()]
    assumed = campaigns.set_index("name").lift[row.campaign]
    return say(
        f"The tightest planned line is {row.campaign} to {row.segment}: it needs {_points(row.break_even_lift)} of added purchase probability and {_points(assumed)} is assumed,",
        f"so it still pays at {percent(row.break_even_lift / assumed)} of the assumption.",
    )


def _points(share: float) -> str:
    return f"{share * 100:.1f} points"


def best_line(plan: pd.DataFrame, currency: str) -> Sentence:
    """The planned line that earns most."""
    if not plan.contacts.any():
        return say("No line is planned.")
    row = plan.loc[plan.expected_profit.idxmax()]
    return say(
        f"{row.campaign} to {row.segment} earns most: {money(row.expected_profit, currency)} for {money(row.spend, currency)}."
    )


def plan_in_words(plan: pd.DataFrame, currency: str) -> str:
    """What the bars of the plan show."""
    chosen = plan[plan.contacts > 0]
    lines = "; ".join(
        f"{row.campaign} to {row.segment} costs {money(row.spend, currency)}, earns {money(row.expected_profit, currency)}"
        for row in chosen.itertuples()
    )
    return f"Bar chart of the plan: {lines or 'no line is planned'}."


def break_even_in_words(plan: pd.DataFrame, campaigns: pd.DataFrame) -> str:
    """What the bars and dots of the break-even figure show."""
    shown = plan[plan.break_even_lift.notna()]
    enough = (shown.campaign.map(campaigns.set_index("name").lift) > shown.break_even_lift).sum()
    return f"Bar chart of the break-even lift of {plural(len(shown), 'line')} with the assumed lift as a dot: {count(enough)} of them need less than is assumed."
