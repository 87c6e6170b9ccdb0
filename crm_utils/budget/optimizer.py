"""The plan of highest expected profit: how many contacts each option gets, and which campaigns run.

A mixed-integer linear program (MILP), solved with HiGHS through SciPy.
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize import LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csr_array, diags_array, hstack, vstack

from crm_utils.core.errors import BudgetError

# How far from the best plan the solver may stop, as a share of the expected profit
GAP = 1e-7
NO_PLAN = "no plan honours all limits: check min_spend, max_spend and capacity of the campaigns, and target_roi"
# Added before a number of customers is rounded down, because 10 × 0.9 can be a little less than 9
ROUNDING = 1e-9


def allocate(
    options: pd.DataFrame,
    campaigns: pd.DataFrame,
    budget: float,
    target_roi: float | None = None,
    holdout_share: float = 0.0,
    whole: bool = True,
) -> pd.DataFrame:
    """Find the plan of highest expected profit in which each customer gets at most one campaign.

    It keeps to the budget and to each campaign's min_spend, max_spend (money, with its fixed cost) and capacity
    (contacts). Money that would not earn its cost stays unspent.

    Parameters
    ----------
    options : pandas.DataFrame
        See `unit_economics.contact_options`.
    campaigns : pandas.DataFrame
        One row per campaign, with its costs and limits.
    budget : float
        Money that may be spent.
    target_roi : float, optional
        The profit per unit of money that the plan must earn. It replaces the budget.
    holdout_share : float
        Share of each group that is not contacted.
    whole : bool
        Plan whole customers. Otherwise they may be split at a limit: much faster, and less than a contact off.

    Returns
    -------
    pandas.DataFrame
        The options with their number of `contacts`.

    Raises
    ------
    BudgetError
        If no plan can keep to all limits.
    """
    check_limits(options, campaigns, budget, target_roi, holdout_share)
    used = options[is_useful(options, campaigns)]
    if used.empty:
        return options.assign(contacts=0)
    best = build_milp(used, campaigns, budget, target_roi, holdout_share).solve(whole)
    if best is None:
        raise BudgetError(NO_PLAN)
    contacts = np.round(best).astype(int) if whole else np.round(best, 6)
    planned = pd.Series(contacts[: len(used)], index=used.index)
    return options.assign(contacts=planned.reindex(options.index, fill_value=0))


def expected_profit(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> float:
    """Return the expected profit of the contacts, less the fixed costs of the campaigns that run."""
    return float((allocated.contacts * allocated.profit).sum() - _fixed_costs(allocated, campaigns))


def spend(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> float:
    """Return what the plan is expected to cost: contacts, redeemed incentives and fixed costs."""
    return float((allocated.contacts * allocated.spend).sum() + _fixed_costs(allocated, campaigns))


def binding_constraints(
    allocated: pd.DataFrame, campaigns: pd.DataFrame, budget: float, target_roi: float | None = None
) -> list[str]:
    """List what keeps the plan from earning more.

    Parameters
    ----------
    allocated, campaigns : pandas.DataFrame
        The options with their contacts (`allocate`), and the campaigns.
    budget : float
        Money that may be spent.
    target_roi : float, optional
        See `allocate`.

    Returns
    -------
    list of str
        "the budget", "the target return", or a campaign's capacity or spending limits.
    """
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


@dataclass(frozen=True)
class LpSolution:
    """The best plan if it is given which campaigns run.

    Parameters
    ----------
    profit : float
        Its profit; -inf if the limits allow no plan.
    contacts : numpy.ndarray
        Contacts of each option.
    shadow_prices : numpy.ndarray
        Of each constraint: the profit that one more unit of it would add.
    """

    profit: float
    contacts: np.ndarray
    shadow_prices: np.ndarray


@dataclass(frozen=True)
class CampaignMilp:
    """Maximize profit @ x with low ≤ rows @ x ≤ high and 0 ≤ x ≤ upper; x = [contacts of options…, campaign runs…].

    The rows, in this order: the budget; the customers of each group; contacts only if the campaign runs; the capacity
    of each campaign; the money of each campaign; and, if there is one, the target return.

    Parameters
    ----------
    profit, rows, low, high, upper : numpy.ndarray or scipy.sparse.csr_array
        The program.
    campaign : numpy.ndarray
        The position of each option's campaign among the campaigns.
    opened : slice
        The rows that allow contacts only if the campaign runs.
    money : int
        The first row with the money of a campaign.
    target_roi : float or None
        See `allocate`.
    """

    profit: np.ndarray
    rows: csr_array
    low: np.ndarray
    high: np.ndarray
    upper: np.ndarray
    campaign: np.ndarray
    opened: slice
    money: int
    target_roi: float | None

    @property
    def options(self) -> int:
        """The number of options."""
        return len(self.campaign)

    def solve(self, whole: bool) -> np.ndarray | None:
        """Return contacts and running campaigns (0 or 1) of the best plan; None if the limits allow no plan."""
        campaigns = len(self.profit) - self.options
        with silence_stdout():
            solution = milp(
                -self.profit,
                integrality=np.concatenate([np.full(self.options, whole), np.ones(campaigns)]),
                bounds=(0, self.upper),
                constraints=LinearConstraint(self.rows, self.low, self.high),
                options={"mip_rel_gap": GAP},
            )
        return solution.x

    def solve_relaxation(self, running: np.ndarray) -> LpSolution:
        """Return the best plan in which exactly these campaigns run and customers may be split: a linear program."""
        on = running[self.campaign]
        columns = np.concatenate([on, np.zeros(len(running), bool)])
        paid = np.concatenate([np.zeros(self.options), running.astype(float)])
        rows, used = self._limits, self.rows @ paid
        least, most = np.isfinite(self.low) & rows, np.isfinite(self.high) & rows
        matrix = self.rows[:, columns]
        solved = linprog(
            -self.profit[columns],
            vstack([matrix[most], -matrix[least]]),
            np.concatenate([(self.high - used)[most], (used - self.low)[least]]),
            bounds=np.column_stack([np.zeros(on.sum()), self.upper[columns]]),
        )
        prices, contacts = np.zeros(len(rows)), np.zeros(self.options)
        if solved.status != 0:
            return LpSolution(-np.inf, contacts, prices)
        contacts[on] = solved.x
        prices[most] -= solved.ineqlin.marginals[: most.sum()]
        prices[least] += solved.ineqlin.marginals[most.sum() :]
        return LpSolution(float(paid @ self.profit - solved.fun), contacts, prices)

    def change_of(self, options: np.ndarray, profit: np.ndarray, spend: np.ndarray) -> tuple[np.ndarray, csr_array]:
        """Return what more profit and spend per contact of these options add to `profit` and `rows`."""
        profits = np.zeros(len(self.profit))
        profits[options] = profit
        rows, values = [np.zeros(len(options), int), self.money + self.campaign[options]], [spend, spend]
        if self.target_roi is not None:
            rows.append(np.full(len(options), len(self.high) - 1))
            values.append(profit - self.target_roi * spend)
        where = (np.concatenate(rows), np.tile(options, len(rows)))
        return profits, csr_array(coo_array((np.concatenate(values), where), self.rows.shape))

    def with_changed(self, options: np.ndarray, profit: np.ndarray, spend: np.ndarray) -> "CampaignMilp":
        """Return the program in which a contact of these options earns and costs so much more."""
        profits, rows = self.change_of(options, profit, spend)
        return replace(self, profit=self.profit + profits, rows=csr_array(self.rows + rows))

    @cached_property
    def _limits(self) -> np.ndarray:
        """Mask of all rows except those that allow contacts only if the campaign runs."""
        rows = np.ones(len(self.high), bool)
        rows[self.opened] = False
        return rows


def is_useful(options: pd.DataFrame, campaigns: pd.DataFrame) -> pd.Series:
    """Return which options a best plan may use: those that earn, and those of campaigns that must spend."""
    return (options.profit > 0) | options.campaign.isin(campaigns.name[campaigns.min_spend > 0])


def build_milp(
    used: pd.DataFrame, campaigns: pd.DataFrame, budget: float, target_roi: float | None, holdout_share: float
) -> CampaignMilp:
    """Build the program of these options; the parameters are those of `allocate`."""
    options, switches = len(used), len(campaigns)
    row = np.arange(options)
    campaign = used.campaign.map({name: index for index, name in enumerate(campaigns.name)}).to_numpy(int)
    group = used.group.rank(method="dense").to_numpy(int) - 1
    free = free_customers(used.customers, holdout_share)
    fixed, spend = campaigns.fixed_cost.to_numpy(float), used.spend.to_numpy(float)
    groups = int(group.max()) + 1
    size = np.zeros(groups)
    size[group] = free
    contacts_of = coo_array((np.ones(options), (campaign, row)), (switches, options))
    spent_on = coo_array((spend, (campaign, row)), (switches, options))
    all_spend = csr_array(np.concatenate([spend, fixed])[None, :])
    once = coo_array((np.ones(options), (group, row)), (groups, options + switches))
    needs = coo_array((-free, (row, campaign)), (options, switches))
    profit = np.concatenate([used.profit, -fixed])
    blocks = [all_spend, once, hstack([diags_array(np.ones(options)), needs])]
    blocks += [hstack([contacts_of, csr_array((switches, switches))]), hstack([spent_on, diags_array(fixed)])]
    available = budget if target_roi is None else np.inf
    high = [[available], size, np.zeros(options), campaigns.capacity.fillna(np.inf), campaigns.max_spend.fillna(np.inf)]
    money = 1 + groups + options + switches
    least = np.where(campaigns.min_spend > 0, campaigns.min_spend, -np.inf)
    low = [np.full(money, -np.inf), least]
    if target_roi is not None:
        blocks.append(csr_array(profit[None, :]) - target_roi * all_spend)
        high, low = [*high, [np.inf]], [*low, np.zeros(1)]
    return CampaignMilp(
        profit, csr_array(vstack(blocks)), np.concatenate(low).astype(float), np.concatenate(high).astype(float),
        np.concatenate([free, np.ones(switches)]), campaign, slice(1 + groups, 1 + groups + options), money, target_roi,
    )  # fmt: skip


def free_customers(customers: pd.Series, holdout_share: float) -> np.ndarray:
    """Return how many customers of each group may be contacted if a share is held out."""
    return np.floor(customers.to_numpy(float) * (1 - holdout_share) + ROUNDING)


def _fixed_costs(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> float:
    return float(campaigns.fixed_cost[campaigns.name.isin(allocated.campaign[allocated.contacts > 0])].sum())


def check_limits(
    options: pd.DataFrame, campaigns: pd.DataFrame, budget: float, target_roi: float | None, holdout_share: float
) -> None:
    """Raise BudgetError if the limits make no sense or cannot be kept; the parameters are those of `allocate`."""
    if not np.isfinite(budget) or budget < 0:
        raise BudgetError(f"budget: {budget} is no amount of money that can be spent; give 0 or more")
    if not 0 <= holdout_share < 1:
        raise BudgetError(f"holdout_share: {holdout_share} is no share of a list; give 0 or more, below 1")
    if target_roi is None and campaigns.min_spend.sum() > budget:
        asked = campaigns[campaigns.min_spend > 0]
        named = ", ".join(f"{row.name} {row.min_spend:,.2f}" for row in asked.itertuples(index=False))
        raise BudgetError(
            f"the campaigns' minimums ({named}) come to {asked.min_spend.sum():,.2f}, the budget is {budget:,.2f}: "
            "lower them or raise the budget"
        )
    for campaign in campaigns[campaigns.min_spend > 0].itertuples():
        own = options[options.campaign == campaign.name]
        most = (np.floor(own.customers * (1 - holdout_share)) * own.spend).sum() + campaign.fixed_cost
        if own.empty or most < campaign.min_spend:
            raise BudgetError(
                f"campaign {campaign.name}: its minimum of {campaign.min_spend:,.2f} cannot be spent on "
                f"{own.customers.sum():,.0f} eligible customers (at most {most if len(own) else 0:,.2f})"
            )


@contextmanager
def silence_stdout() -> Iterator[None]:
    """Discard what is written to standard output: HiGHS prints a debug line even if told not to."""
    flush = ctypes.CDLL(None).fflush if os.name == "posix" else lambda _: None
    sys.stdout.flush()
    flush(None)
    saved, discarded = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(discarded, 1)
    try:
        yield
    finally:
        flush(None)
        os.dup2(saved, 1)
        os.close(saved)
        os.close(discarded)
