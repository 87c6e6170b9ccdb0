"""Sentences of 05_budget on why money is left, and what would use more of it."""

import pandas as pd

from crm_utils.core.display.paragraphs import Paragraph, paragraph
from crm_utils.core.formatting import join_names, money


def nobody(audience: pd.DataFrame) -> Paragraph | None:
    """The campaigns that nobody is meant for on this date; None where there is none."""
    empty = audience.columns[~audience.any()].tolist()
    return (
        paragraph(
            f"Nobody fits {join_names(empty)} on this date, so nothing is weighed for {'it' if len(empty) == 1 else 'them'}."
        )
        if empty
        else None
    )


def unspent(
    plan: pd.DataFrame,
    budget: float,
    target_roi: float | None,
    next_1000: float,
    limits: list[str],
    most: float,
    currency: str,
) -> Paragraph:
    """How much is left and why, what binds, and what the next 1,000 would earn. `most` is what could be spent at all."""
    left = budget - plan.spend.sum()
    bound = f"What binds is {join_names(limits)}." if limits else ""
    if target_roi is not None:
        return paragraph(bound)
    if "the budget" in limits:
        if next_1000 < 0.005:
            return paragraph(f"The next {money(1000, currency, 0)} would earn nothing more.")
        return paragraph(bound, f"The next {money(1000, currency, 0)} would earn {money(next_1000, currency)} more.")
    if limits:  # more contacts would earn: the campaigns' own limits keep them out
        return paragraph(f"{money(left, currency, 0)} stays unspent.", bound, "Raise these limits to use more of it.")
    return paragraph(
        f"{money(left, currency, 0)} stays unspent: {_why_left(plan, budget, most, currency)} Better unspent than wasted."
    )


def _why_left(plan: pd.DataFrame, budget: float, most: float, currency: str) -> str:
    """That these campaigns cannot use the money at all, or that further contacts lose."""
    if most >= budget:
        return "every further contact would cost more than it earns."
    planned = plan.spend.sum()
    beyond = f"beyond the {money(planned, currency, 0)} planned every contact" if planned else "each of them"
    return (
        f"messages are cheap and customers are few, so these campaigns cannot use it. Even running them all, with the dearest one for every customer who may get it, would cost only {money(most, currency, 0)},"
        f" and {beyond} costs more than it earns."
    )


def levers(table: pd.DataFrame, budget: float | None, currency: str) -> Paragraph:
    """Which assumption would change most how much is worth spending. No `budget` where a return is asked for in its place."""
    planned, together, single = table.iloc[0], table.iloc[-1], table.iloc[1:-1].dropna(subset="spend")
    if single.empty:
        return paragraph("The campaigns' limits leave nothing to compare.")
    best = single.loc[single.spend.idxmax()]
    earns = f"{money(best.expected_profit, currency, 0)} instead of {money(planned.expected_profit, currency, 0)}"
    if best.spend > planned.spend * 1.01:
        first = f"What would change it most: {best.scenario}. Then {money(best.spend, currency, 0)} instead of {money(planned.spend, currency, 0)} would be worth spending, for a profit of {earns}."
    else:
        first = (
            f"Nothing alone would make more worth spending: {best.scenario} would earn {earns} with the same contacts."
        )
    if budget is None or pd.isna(together.spend):
        return paragraph(first)
    if together.unspent < 0.01 * budget:
        return paragraph(first, "Lifts and margin both twice as high would use the whole budget.")
    return paragraph(first, f"Even lifts and margin both twice as high would use only {money(together.spend, currency, 0)} of the {money(budget, currency, 0)}: to spend more, offer campaigns that reach more people or do more for each, or win new customers.")  # fmt: skip
