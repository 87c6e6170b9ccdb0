"""Which option gets how many contacts: the plan of highest expected profit, as a mixed-integer programme (HiGHS)."""

import numpy as np
import pandas as pd

from crm_utils.budget.milp import build_milp, is_useful
from crm_utils.core.errors import BudgetError


def allocate(
    options: pd.DataFrame,
    campaigns: pd.DataFrame,
    budget: float,
    target_roi: float | None = None,
    holdout_share: float = 0.0,
    whole: bool = True,
) -> pd.DataFrame:
    """The options with `contacts` (whole customers): the plan of highest expected profit, one campaign a customer.

    Within the budget, each campaign's min_spend and max_spend (money, its fixed cost included) and capacity (contacts);
    of each group the control share stays free. Spend counts contacts, fixed costs and the incentives expected to be
    redeemed. What would not earn its cost stays unspent. With a `target_roi` the budget does not matter: the plan
    then earns at least that profit per unit of money. Without `whole` customers may be split where a limit ends: many
    times faster, and off by less than a contact a limit. Raises `BudgetError` where no plan can honour the limits.
    """
    _refuse(options, campaigns, budget, target_roi, holdout_share)
    used = options[is_useful(options, campaigns)]
    if used.empty:
        return options.assign(contacts=0)
    best = build_milp(used, campaigns, budget, target_roi, holdout_share).best(whole)
    if best is None:
        raise BudgetError(
            "no plan honours all limits: check min_spend, max_spend and capacity of the campaigns, and target_roi"
        )
    contacts = np.round(best).astype(int) if whole else np.round(best, 6)
    planned = pd.Series(contacts[: len(used)], index=used.index)
    return options.assign(contacts=planned.reindex(options.index, fill_value=0))


def expected_profit(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> float:
    """Expected profit of the contacts, fixed costs of the campaigns that run taken off."""
    return float((allocated.contacts * allocated.profit).sum() - _fixed(allocated, campaigns))


def spend(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> float:
    """Money the plan is expected to cost: contacts, redeemed incentives, fixed costs."""
    return float((allocated.contacts * allocated.spend).sum() + _fixed(allocated, campaigns))


def binding_constraints(
    allocated: pd.DataFrame, campaigns: pd.DataFrame, budget: float, target_roi: float | None = None
) -> list[str]:
    """What keeps the plan from earning more: 'the budget', 'the target return', or a campaign's capacity or spend limits."""
    names = []
    left = budget - spend(allocated, campaigns)
    waiting = allocated[(allocated.profit > 0) & (allocated.contacts < allocated.customers)]
    if target_roi is not None:
        names.append("the target return")
    elif len(waiting) and left < waiting.spend.min():
        names.append("the budget")
    for campaign in campaigns.itertuples():
        own = allocated[allocated.campaign == campaign.name]
        used = (own.contacts * own.spend).sum() + campaign.fixed_cost * own.contacts.any()
        step = own.spend.max() if len(own) else 0
        if campaign.capacity == own.contacts.sum() and own.contacts.any():
            names.append(f"the capacity of {campaign.name}")
        if used + step > campaign.max_spend:
            names.append(f"the maximum of {campaign.name}")
        if campaign.min_spend > 0 and used - step < campaign.min_spend:
            names.append(f"the minimum of {campaign.name}")
    return names


def _fixed(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> float:
    return float(campaigns.fixed_cost[campaigns.name.isin(allocated.campaign[allocated.contacts > 0])].sum())


def _refuse(options, campaigns, budget, target_roi, holdout_share) -> None:
    if not np.isfinite(budget) or budget < 0:
        raise BudgetError(f"budget: {budget} is no amount of money that can be spent; give 0 or more")
    if not 0 <= holdout_share < 1:
        raise BudgetError(f"holdout_share: {holdout_share} is no share of a list; give 0 or more, below 1")
    if target_roi is None and campaigns.min_spend.sum() > budget:
        asked = campaigns[campaigns.min_spend > 0]
        named = ", ".join(f"{row.name} {row.min_spend:,.2f}" for row in asked.itertuples(index=False))
        raise BudgetError(
            f"the campaigns' minimums ({named}) come to {asked.min_spend.sum():,.2f}, the budget is {budget:,.2f}: lower them or raise the budget"
        )
    for campaign in campaigns[campaigns.min_spend > 0].itertuples():
        own = options[options.campaign == campaign.name]
        most = (np.floor(own.customers * (1 - holdout_share)) * own.spend).sum() + campaign.fixed_cost
        if own.empty or most < campaign.min_spend:
            raise BudgetError(
                f"campaign {campaign.name}: its minimum of {campaign.min_spend:,.2f} cannot be spent on {own.customers.sum():,.0f} eligible customers (at most {most if len(own) else 0:,.2f})"
            )
