"""Simple plans that need no optimization, judged by the same model as the plan for a year."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.sparse import csr_array

from crm_utils.budget.unit_economics import price_messages
from crm_utils.budget.waves import LEVELS, CustomerFlow, WaveTerms, YearProblem
from crm_utils.core.errors import BudgetError

# Share of customers who count as top spenders
TOP_SHARE = 0.2
# A plan that costs too much even at this share of itself is not carried out
LEAST_SCALE = 1e-6
CURRENT_SPENDING = "today's spending"
COLUMNS = ["plan", "contacts", "spend", "expected_profit"]


def compare_simple_plans(problem: YearProblem, current_spend: dict[str, float]) -> pd.DataFrame:
    """Work out what simple plans would earn over the same waves.

    Each sends one message to the same share of each group in each wave, and spends at most the budget.

    Parameters
    ----------
    problem : YearProblem
        What the plan is made from.
    current_spend : dict of str to float
        What is spent on each campaign and channel in the whole period today. Empty if it is not known.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`: "the same message to everybody", "top spenders only", "today's spending" if it is known, "nothing".

    Raises
    ------
    BudgetError
        If current_spend names a campaign or channel that does not exist.
    """
    options = problem.options
    plans = {
        "the same message to everybody": cheapest_message(options),
        "top spenders only": best_for_top_spenders(options),
    }
    rows = []
    for name, shares in plans.items():

        def scaled(scale: float, shares: pd.Series = shares) -> pd.DataFrame:
            return follow(problem, shares * scale)

        followed = scaled(_largest_scale(lambda scale: scaled(scale).spend.sum() - problem.budget))
        rows.append([name, *followed[COLUMNS[1:]].sum()])
    if current_spend:
        rows.append([CURRENT_SPENDING, *follow_spending(problem, current_spend)[COLUMNS[1:]].sum()])
    return pd.DataFrame([*rows, ["nothing", 0.0, 0.0, 0.0]], columns=COLUMNS)


def follow_spending(problem: YearProblem, current_spend: dict[str, float]) -> pd.DataFrame:
    """Work out what today's spending earns, judged like the plan.

    Parameters
    ----------
    problem, current_spend : YearProblem, dict
        See `compare_simple_plans`. A channel wins the customers that its money pays for, the cheapest first.

    Returns
    -------
    pandas.DataFrame
        campaign (or channel), contacts, spend, expected_profit.

    Raises
    ------
    BudgetError
        If a campaign or channel does not exist.
    """
    steps = problem.steps if problem.steps is not None else pd.DataFrame({"channel": []})
    names, channels = problem.campaigns.name.tolist(), list(dict.fromkeys(steps.channel))
    unknown = sorted(set(current_spend) - {*names, *channels})
    if unknown:
        raise BudgetError(
            f"budget.current_spend: there is no campaign or channel {', '.join(unknown)}; there are "
            f"{', '.join([*names, *channels])}"
        )
    by_campaign = {name: money for name, money in current_spend.items() if name in names}
    shares = spread_money(problem.options, problem.campaigns, by_campaign, problem.terms.waves)
    rows = [follow(problem, shares)]
    for channel in channels:
        own = steps[steps.channel == channel]
        before = (own.customers * own.spend).cumsum() - own.customers * own.spend
        paid = (current_spend.get(channel, 0.0) - before).clip(0, own.customers * own.spend)
        won = paid / own.spend
        rows.append(
            pd.DataFrame([[channel, 0.0, paid.sum(), (won * own.profit).sum()]], columns=["campaign", *COLUMNS[1:]])
        )
    table = pd.concat(rows, ignore_index=True)
    return table[table.spend > 0].reset_index(drop=True)


def _largest_scale(excess: Callable[[float], float]) -> float:
    """Return the largest share of a plan, up to 1, that the budget pays for: fixed costs do not shrink with it."""
    if excess(1.0) <= 0:
        return 1.0
    if excess(LEAST_SCALE) > 0:
        return 0.0
    scale = brentq(excess, LEAST_SCALE, 1.0, xtol=1e-9)
    return scale if excess(scale) <= 0 else scale - 1e-8


def cheapest_message(options: pd.DataFrame) -> pd.Series:
    """Return the share of customers contacted by option: everybody, with the cheapest campaign open to them."""
    ordered = options.sort_values(["contact_costs", "profit"], ascending=[True, False], kind="stable")
    return _everybody(options, ordered)


def best_for_top_spenders(options: pd.DataFrame) -> pd.Series:
    """Return the share of customers contacted by option: those with the best orders, with their best campaign."""
    ordered = options.sort_values("profit", ascending=False, kind="stable")
    chosen = _everybody(options, ordered)
    by_group = options.groupby("group").agg(customers=("customers", "first"), margin=("order_margin", "first"))
    by_group = by_group.sort_values("margin", ascending=False, kind="stable")
    before = by_group.customers.cumsum() - by_group.customers
    room = (TOP_SHARE * by_group.customers.sum() - before).clip(lower=0) / by_group.customers
    return chosen * options.group.map(room.clip(upper=1.0))


def spread_money(
    options: pd.DataFrame, campaigns: pd.DataFrame, current_spend: dict[str, float], waves: int
) -> pd.Series:
    """Return the share of customers contacted by option if each campaign's money goes to its customers evenly."""
    fixed = campaigns.set_index("name").fixed_cost
    shares = pd.Series(0.0, index=options.index)
    for name, money in current_spend.items():
        own = options[options.campaign == name]
        cost = float((own.customers * own.spend).sum())
        if cost > 0:
            shares[own.index] = max(money / waves - fixed[name], 0.0) / cost
    total = shares.groupby(options.group).transform("sum")
    return shares / total.clip(lower=1.0)


def follow(problem: YearProblem, shares: pd.Series) -> pd.DataFrame:
    """Follow a plan that contacts the same share of each group's customers in each wave.

    Parameters
    ----------
    problem : YearProblem
        What the plan is made from.
    shares : pandas.Series
        For each option: share of the group's customers who get one message in each wave.

    Returns
    -------
    pandas.DataFrame
        campaign, contacts, spend and expected_profit of all waves.
    """
    campaigns, flow, terms = problem.campaigns, problem.flow, problem.terms
    used = problem.options[shares > 0].assign(share=shares[shares > 0])
    fixed = campaigns.set_index("name").fixed_cost
    sizes = flow.start.T
    ahead = flow.value_of_moving(terms.waves)
    single = campaigns.assign(messages=[[1]] * len(campaigns))
    rows = []
    for wave in range(terms.waves if len(used) else 0):
        at = pd.concat([flow.in_wave(used, wave).assign(contact_level=level) for level in range(LEVELS)])
        at = at.reset_index(drop=True)
        free = np.full_like(sizes, 1 - problem.holdout_share)
        if wave == 0:
            free = (flow.free / np.where(flow.start > 0, flow.start, 1)).T
        contacted, buyers = np.zeros_like(sizes), np.zeros_like(sizes)
        priced = price_messages(at, single, terms.fatigue, at.contact_level, 1)
        number = priced.share.to_numpy() * (free * sizes)[priced.contact_level, priced.group]
        profit = priced.profit + terms.carryover * priced.delivered_lift * ahead[wave][priced.group]
        money = {"contacts": number, "spend": number * priced.spend, "expected_profit": number * profit}
        rows.append(pd.DataFrame({"campaign": priced.campaign, **money}))
        np.add.at(contacted, (priced.contact_level, priced.group), number)
        np.add.at(buyers, (priced.contact_level, priced.group), number * priced.delivered_lift)
        if wave + 1 < terms.waves:
            sizes = _next_wave(flow, wave, terms, sizes, contacted, buyers)
    if not rows:
        return pd.DataFrame({"campaign": [], "contacts": [], "spend": [], "expected_profit": []})
    table = pd.concat(rows).groupby("campaign").sum()
    paid = fixed[table.index] * terms.waves
    return table.assign(spend=table.spend + paid, expected_profit=table.expected_profit - paid).reset_index()


def _next_wave(
    flow: CustomerFlow, wave: int, terms: WaveTerms, sizes: np.ndarray, contacted: np.ndarray, buyers: np.ndarray
) -> np.ndarray:
    """Return level × group at the start of the next wave."""
    move, after = flow.transition(wave).T, csr_array((flow.if_bought - flow.if_silent) @ flow.pools).T
    following = np.zeros_like(sizes)
    following[0] = flow.arrivals[wave + 1]
    for level in range(LEVELS):
        following[max(level - 1, 0)] += move @ (sizes[level] - contacted[level])
        following[min(level + 1, LEVELS - 1)] += move @ contacted[level] + terms.carryover * (after @ buyers[level])
    return following


def _everybody(options: pd.DataFrame, ordered: pd.DataFrame) -> pd.Series:
    """Return 1 for the first option of each group in this order, and 0 for the others."""
    first = ordered.drop_duplicates("group").index
    return pd.Series(options.index.isin(first).astype(float), index=options.index)
