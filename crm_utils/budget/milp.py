"""The plan as a mathematical programme: contacts of each option, and which campaigns run. Solved with HiGHS."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize import LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csr_array, diags_array, hstack, vstack

from crm_utils.budget.silence import _silence_stdout

GAP = 1e-7  # of the expected profit: how far from the best plan the solver may stop


@dataclass(frozen=True)
class LpSolution:
    """The best plan with the running campaigns given: its profit (-inf where there is none), contacts, prices of the limits."""

    profit: float
    contacts: np.ndarray
    prices: np.ndarray


@dataclass(frozen=True)
class CampaignMilp:
    """Most profit @ [contacts…, campaign runs…] with low ≤ rows @ … ≤ high, 0 ≤ … ≤ upper.

    Rows: the budget; customers of each group; contacts only where the campaign runs (`opened`); capacities; money of
    each campaign (`money`, its first row); last, where there is one, the target return.
    """

    profit: np.ndarray
    rows: csr_array
    low: np.ndarray
    high: np.ndarray
    upper: np.ndarray
    campaign: np.ndarray  # of each option, as its place among the campaigns
    opened: slice
    money: int
    target_roi: float | None

    @property
    def options(self) -> int:
        return len(self.campaign)

    def best(self, whole: bool) -> np.ndarray | None:
        """Contacts (of whole customers) and running campaigns (0 or 1) of the best plan; None where the limits allow none."""
        campaigns = len(self.profit) - self.options
        with _silence_stdout():
            solution = milp(
                -self.profit,
                integrality=np.concatenate([np.full(self.options, whole), np.ones(campaigns)]),
                bounds=(0, self.upper),
                constraints=LinearConstraint(self.rows, self.low, self.high),
                options={"mip_rel_gap": GAP},
            )
        return solution.x

    def fixed(self, running: np.ndarray) -> LpSolution:
        """The best plan in which exactly these campaigns run, customers split where a limit ends: a linear programme."""
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

    def shift(self, options: np.ndarray, profit: np.ndarray, spend: np.ndarray) -> tuple[np.ndarray, csr_array]:
        """What more profit and spend a contact of these options (places) add to the profit and to the rows."""
        profits = np.zeros(len(self.profit))
        profits[options] = profit
        places, values = [np.zeros(len(options), int), self.money + self.campaign[options]], [spend, spend]
        if self.target_roi is not None:
            places.append(np.full(len(options), len(self.high) - 1))
            values.append(profit - self.target_roi * spend)
        where = (np.concatenate(places), np.tile(options, len(places)))
        return profits, csr_array(coo_array((np.concatenate(values), where), self.rows.shape))

    def shifted(self, options: np.ndarray, profit: np.ndarray, spend: np.ndarray) -> "CampaignMilp":
        """The programme with a contact of these options (places) earning and costing more by so much."""
        profits, rows = self.shift(options, profit, spend)
        return replace(self, profit=self.profit + profits, rows=csr_array(self.rows + rows))

    @cached_property
    def _limits(self) -> np.ndarray:
        """The rows that say more than that contacts need a running campaign."""
        rows = np.ones(len(self.high), bool)
        rows[self.opened] = False
        return rows


def is_useful(options: pd.DataFrame, campaigns: pd.DataFrame) -> pd.Series:
    """Options that a best plan may use: those that earn, and those of campaigns that must spend."""
    return (options.profit > 0) | options.campaign.isin(campaigns.name[campaigns.min_spend > 0])


def build_milp(
    used: pd.DataFrame, campaigns: pd.DataFrame, budget: float, target_roi: float | None, holdout_share: float
) -> CampaignMilp:
    """The programme of these options, all of which may be used."""
    options, switches = len(used), len(campaigns)
    row = np.arange(options)
    campaign = used.campaign.map({name: place for place, name in enumerate(campaigns.name)}).to_numpy(int)
    group = used.group.rank(method="dense").to_numpy(int) - 1
    room = np.floor(used.customers.to_numpy(float) * (1 - holdout_share) + 1e-9)
    fixed, spend = campaigns.fixed_cost.to_numpy(float), used.spend.to_numpy(float)
    groups = int(group.max()) + 1
    size = np.zeros(groups)
    size[group] = room
    contacts_of = coo_array((np.ones(options), (campaign, row)), (switches, options))
    spent_on = coo_array((spend, (campaign, row)), (switches, options))
    all_spend = csr_array(np.concatenate([spend, fixed])[None, :])
    once = coo_array((np.ones(options), (group, row)), (groups, options + switches))
    needs = coo_array((-room, (row, campaign)), (options, switches))
    profit = np.concatenate([used.profit, -fixed])
    blocks = [all_spend, once, hstack([diags_array(np.ones(options)), needs])]
    blocks += [hstack([contacts_of, csr_array((switches, switches))]), hstack([spent_on, diags_array(fixed)])]
    enough = budget if target_roi is None else np.inf
    high = [[enough], size, np.zeros(options), campaigns.capacity.fillna(np.inf), campaigns.max_spend.fillna(np.inf)]
    money = 1 + groups + options + switches
    least = np.where(campaigns.min_spend > 0, campaigns.min_spend, -np.inf)
    low = [np.full(money, -np.inf), least]
    if target_roi is not None:
        blocks.append(csr_array(profit[None, :]) - target_roi * all_spend)
        high, low = [*high, [np.inf]], [*low, [0.0]]
    return CampaignMilp(
        profit, csr_array(vstack(blocks)), np.concatenate(low).astype(float), np.concatenate(high).astype(float),
        np.concatenate([room, np.ones(switches)]), campaign, slice(1 + groups, 1 + groups + options), money, target_roi,
    )  # fmt: skip
