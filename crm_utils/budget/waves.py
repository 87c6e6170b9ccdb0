"""The plan for a year: whom each campaign contacts in each wave, and how many new customers are won.

Customers are counted by group and by contact level: in how many of the last waves they were contacted (0, 1, 2 or
more). A contact at level h adds u f^h to the probability of buying, u the lift and f the fatigue. Customers who buy
and customers who do not move to other groups as they did in the past. This is a Markov decision process with expected
numbers instead of single customers, so one mixed-integer linear program (MILP) finds the best plan over all waves.
Sources of the idea: Bitran & Mondschein (1996), Gönül & Shi (1998), Simester, Sun & Tsitsiklis (2006).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import LinearConstraint
from scipy.sparse import coo_array, csr_array, identity

from crm_utils.budget.optimizer import Rows, maximize
from crm_utils.budget.unit_economics import price_messages
from crm_utils.core.errors import BudgetError

# Contact levels 0, 1, 2: two waves of 91 days are the last 180 days
LEVELS = 3
# How far from the best plan the solver may stop, as a share of the expected profit
GAP = 1e-4
GAP_OF_ONE_WAVE = 1e-7
# Numbers below this come from the solver
ROUNDING = 1e-9
# A campaign that earns so many times its fixed cost in a wave is not tried without
CLEARLY_PAYS = 2.0
NO_PLAN = "no plan keeps to all limits: check min_spend, max_spend and capacity of the campaigns, and target_roi"


@dataclass(frozen=True)
class WaveTerms:
    """How a plan is cut into waves, and how customers respond to being contacted again.

    Parameters
    ----------
    waves : int
        Number of waves.
    wave_days : int
        Length of a wave in days.
    fatigue : float
        Share of its lift that a contact keeps if the customer was contacted in the wave before.
    carryover : float
        Share of the buyers won by a contact who later behave like customers who buy by themselves.
    max_messages : int
        Most messages per customer and wave.
    """

    waves: int
    wave_days: int
    fatigue: float = 1.0
    carryover: float = 0.0
    max_messages: int = 6


@dataclass(frozen=True)
class CustomerFlow:
    """The customers of each group, and how they move between groups from one wave to the next.

    Parameters
    ----------
    start, free : numpy.ndarray
        group × contact level: customers at the start, and those of them who are not held out.
    baseline : numpy.ndarray
        wave × group: probability of buying within the wave without a contact.
    if_bought, if_silent : scipy.sparse.csr_array
        group × pool: where customers who bought in a wave, and customers who did not, go. Rows add up to 1.
    arrivals : numpy.ndarray
        wave × group: customers who are new at the start of the wave. None in the first wave.
    newcomers : numpy.ndarray
        Share of each group among customers who were won by marketing.
    order_margin : numpy.ndarray
        Margin of a customer who buys in a wave by themselves.
    landing : scipy.sparse.csr_array, optional
        pool × group: in which groups the customers of a pool are in the next wave. Rows add up to 1. By default pools
        are groups. Many groups go to the same pools, so a program with pools is small.
    """

    start: np.ndarray
    free: np.ndarray
    baseline: np.ndarray
    if_bought: csr_array
    if_silent: csr_array
    arrivals: np.ndarray
    newcomers: np.ndarray
    order_margin: np.ndarray
    landing: csr_array | None = None

    @property
    def pools(self) -> csr_array:
        """Pool × group: in which groups the customers of a pool are in the next wave."""
        return csr_array(identity(len(self.start), format="csr")) if self.landing is None else self.landing

    def to_pools(self, wave: int) -> csr_array:
        """Return group × pool: where uncontacted customers of a wave go."""
        bought = self.baseline[wave]
        return csr_array(self.if_bought.multiply(bought[:, None]) + self.if_silent.multiply(1 - bought[:, None]))

    @property
    def customers(self) -> np.ndarray:
        """Customers of each group at the start."""
        return self.start.sum(axis=1)

    def transition(self, wave: int) -> csr_array:
        """Return group × group: where uncontacted customers of a wave are in the next one."""
        return csr_array(self.to_pools(wave) @ self.pools)

    def sizes(self, waves: int, won: np.ndarray | None = None) -> np.ndarray:
        """Return wave × group: expected customers if nobody is contacted; `won`: customers won in each wave."""
        rows = [self.customers.astype(float)]
        for wave in range(1, waves):
            extra = 0.0 if won is None else won[wave - 1] * self.newcomers
            rows.append(self.transition(wave - 1).T @ rows[-1] + self.arrivals[wave] + extra)
        return np.array(rows)

    def in_wave(self, options: pd.DataFrame, wave: int) -> pd.DataFrame:
        """Return the options with the probability of buying anyway (p0) in the season of a wave."""
        first = np.clip(self.baseline[0][options.group], ROUNDING, None)
        season = self.baseline[wave][options.group] / first
        return options.assign(p0=np.clip(options.p0.to_numpy(float) * season, 0, 1))

    def value_of_moving(self, waves: int) -> np.ndarray:
        """Return wave × group: margin until the end that a customer brings more after buying than after not buying."""
        ahead, worth = np.zeros((waves, len(self.customers))), np.zeros(len(self.customers))
        for wave in reversed(range(waves)):
            landed = self.pools @ worth
            ahead[wave] = (self.if_bought - self.if_silent) @ landed
            worth = self.baseline[wave] * self.order_margin + self.to_pools(wave) @ landed
        return ahead


@dataclass(frozen=True)
class YearPlan:
    """A plan over all waves.

    Parameters
    ----------
    contacts : pandas.DataFrame
        One row per wave, campaign, group, messages and contact level with contacts: customers contacted, and the money
        of one contact (`unit_economics.price_options`).
    won : pandas.DataFrame
        wave, customers, spend, expected_profit of the new customers won by marketing.
    won_by_step : pandas.DataFrame
        The same customers by wave and step of the cost curve: wave, step, channel, customers, spend (of one customer).
    running : pandas.DataFrame
        wave, campaign, fixed_cost of the campaigns that run.
    sizes : pandas.DataFrame
        wave, group, contact_level, customers at the start of the wave.
    bound : float
        No plan earns more than this.
    """

    contacts: pd.DataFrame
    won: pd.DataFrame
    won_by_step: pd.DataFrame
    running: pd.DataFrame
    sizes: pd.DataFrame
    bound: float

    @property
    def spend(self) -> float:
        """Expected cost of the whole plan."""
        contacts = (self.contacts.contacts * self.contacts.spend).sum()
        return float(contacts + self.running.fixed_cost.sum() + self.won.spend.sum())

    @property
    def expected_profit(self) -> float:
        """Expected profit of the whole plan, compared with no contact and no customer won."""
        contacts = (self.contacts.contacts * self.contacts.profit).sum()
        return float(contacts - self.running.fixed_cost.sum() + self.won.expected_profit.sum())


@dataclass(frozen=True)
class YearProblem:
    """What a plan over several waves is made from.

    Parameters
    ----------
    options : pandas.DataFrame
        See `unit_economics.contact_options`; `group` counts from 0 and is the position in `flow`.
    campaigns : pandas.DataFrame
        One row per campaign, with its costs and limits. Capacity, min_spend and max_spend hold for each wave.
    flow : CustomerFlow
        The customers.
    terms : WaveTerms
        Number and length of the waves.
    budget : float
        Money that may be spent in all waves together.
    target_roi : float, optional
        The profit per unit of money that the plan must earn. It replaces the budget.
    holdout_share : float
        Share of customers who are not contacted in later waves. In the first wave they are known by name (`flow.free`).
    steps : pandas.DataFrame, optional
        What new customers cost and bring (`acquisition.cost_steps`). Without it nobody is won.
    """

    options: pd.DataFrame
    campaigns: pd.DataFrame
    flow: CustomerFlow
    terms: WaveTerms
    budget: float
    target_roi: float | None = None
    holdout_share: float = 0.0
    steps: pd.DataFrame | None = None


class Search(StrEnum):
    """How the campaigns that run are searched for: one of `exact`, `good` and `quick`."""

    # the best set of campaigns, by branch and bound: minutes for a shop of a few thousand customers
    EXACT = "exact"
    # a good set: run what a linear program runs in part, leave out what does not pay, then try without each small one
    GOOD = "good"
    # the same without the last step, for comparisons of many plans
    QUICK = "quick"


def plan_waves(problem: YearProblem, search: Search = Search.EXACT, whole_waves: int = 1) -> YearPlan:
    """Find the plan of highest expected profit over all waves.

    In each wave a customer gets at most one campaign.

    Parameters
    ----------
    problem : YearProblem
        Customers, campaigns and limits.
    search : Search
        How the campaigns that run are searched for.
    whole_waves : int
        In so many first waves whole customers are contacted. The lists of the first one are written, later waves are
        expected numbers.

    Returns
    -------
    YearPlan
        Contacts, customers won, campaigns that run, and customers of each group by wave.

    Raises
    ------
    BudgetError
        If no plan can keep to all limits.
    """
    check_limits(problem)
    return _Program(problem).solve(whole_waves, search)


def check_limits(problem: YearProblem) -> None:
    """Raise BudgetError if the limits make no sense or cannot be kept."""
    budget, campaigns, waves = problem.budget, problem.campaigns, problem.terms.waves
    if not np.isfinite(budget) or budget < 0:
        raise BudgetError(f"budget: {budget} is no amount of money that can be spent; give 0 or more")
    if not 0 <= problem.holdout_share < 1:
        raise BudgetError(f"holdout_share: {problem.holdout_share} is no share of customers; give 0 or more, below 1")
    asked = campaigns[campaigns.min_spend > 0]
    least = asked.min_spend.sum() * waves
    if problem.target_roi is None and least > budget:
        named = ", ".join(f"{row.name} {row.min_spend:,.2f}" for row in asked.itertuples(index=False))
        raise BudgetError(
            f"the campaigns' minimums ({named} in each of {waves} waves) come to {least:,.2f}, the budget is "
            f"{budget:,.2f}: lower them or raise the budget"
        )
    for campaign in asked.itertuples():
        own = problem.options[problem.options.campaign == campaign.name]
        most = (own.free * own.spend).sum() * max(campaign.messages) + campaign.fixed_cost
        if own.empty or most < campaign.min_spend:
            raise BudgetError(
                f"campaign {campaign.name}: its minimum of {campaign.min_spend:,.2f} cannot be spent on "
                f"{own.free.sum():,.0f} customers who may be contacted (at most {most if len(own) else 0:,.2f})"
            )


class _Program:
    """The MILP of `plan_waves`.

    Variables, in this order: contacts of each offer (wave × option × messages × level); customers at the start of
    each wave, those of them contacted, the buyers won by contacts, and customers at the end of each wave by their next
    level (each wave × group × level); the same customers by pool (wave × pool × level); whether a campaign runs (wave ×
    campaign); customers won at each step of the cost curve (wave × step).
    """

    def __init__(self, problem: YearProblem) -> None:
        self.problem, self.flow, self.terms = problem, problem.flow, problem.terms
        self.campaigns, terms = problem.campaigns.reset_index(drop=True), problem.terms
        self.groups, self.holdout_share = len(problem.flow.customers), problem.holdout_share
        none = pd.DataFrame({"channel": [], "customers": [], "spend": [], "profit": []})
        steps = none if problem.steps is None else problem.steps[problem.steps.profit > 0].reset_index(drop=True)
        self.steps = steps.assign(customers=steps.customers / terms.waves)
        self.most = self._most_contacts()
        self.offers = self._price_offers(problem.options)
        self.first_size = len(self.offers)
        self.places = self.offers.groupby(["wave", "campaign"]).indices
        self.states = terms.waves * self.groups * LEVELS
        self.first_contacted = self.first_size + self.states
        self.first_buyer = self.first_contacted + self.states
        self.first_end = self.first_buyer + self.states
        self.first_pool = self.first_end + self.states
        self.first_run = self.first_pool + terms.waves * self.flow.pools.shape[0] * LEVELS
        self.first_step = self.first_run + terms.waves * len(self.campaigns)
        self.columns = self.first_step + terms.waves * len(self.steps)

    def _price_offers(self, options: pd.DataFrame) -> pd.DataFrame:
        """Price each option in each wave, with each number of messages and at each contact level."""
        flow, terms = self.flow, self.terms
        ahead = flow.value_of_moving(terms.waves)
        number = {name: place for place, name in enumerate(self.campaigns.name)}
        at = pd.concat(
            [
                flow.in_wave(options, wave).assign(wave=wave, contact_level=level)
                for wave in range(terms.waves)
                for level in np.flatnonzero(flow.start.any(axis=0) | bool(wave)).tolist()
            ],
            ignore_index=True,
        )
        offers = price_messages(at, self.campaigns, terms.fatigue, at.contact_level, terms.max_messages)
        offers = offers.sort_values(["wave", "contact_level", "messages"], kind="stable", ignore_index=True)
        offers["number"] = offers.campaign.map(number).astype(int)
        moved = terms.carryover * offers.delivered_lift * ahead[offers.wave, offers.group]
        offers["profit"] += moved
        offers["incremental_margin"] += moved
        needed = offers.campaign.isin(self.campaigns.name[self.campaigns.min_spend > 0])
        return offers[needed | (offers.profit > 0) & self._can_pay(offers)].reset_index(drop=True)

    def _can_pay(self, offers: pd.DataFrame) -> pd.Series:
        """Return whether the campaign could earn its fixed cost in the wave if everybody got its best offer."""
        best = offers.groupby(["wave", "number", "group"]).profit.max().clip(lower=0)
        reach = self.most[best.index.get_level_values("wave"), best.index.get_level_values("group")]
        earned = (best * reach).groupby(["wave", "number"]).sum()
        line = pd.MultiIndex.from_frame(offers[["wave", "number"]])
        fixed = self.campaigns.fixed_cost.to_numpy(float)[offers.number]
        return pd.Series(earned.loc[line].to_numpy() > fixed, index=offers.index)

    def _state(self, wave: int) -> np.ndarray:
        """Return group × level: the positions of the states of a wave."""
        own = self.groups * LEVELS
        return wave * own + np.arange(own).reshape(self.groups, LEVELS)

    def _run(self, wave: np.ndarray, campaign: np.ndarray) -> np.ndarray:
        return self.first_run + wave * len(self.campaigns) + campaign

    def _step(self, wave: int) -> np.ndarray:
        return self.first_step + wave * len(self.steps) + np.arange(len(self.steps))

    def solve(self, whole_waves: int, search: Search) -> YearPlan:
        """Return the best plan."""
        budget, target_roi = self.problem.budget, self.problem.target_roi
        offers, waves = self.offers, self.terms.waves
        fixed = np.tile(self.campaigns.fixed_cost.to_numpy(float), waves)
        sizes = np.zeros(self.first_run - self.first_size)  # states earn and cost nothing by themselves
        profit = np.concatenate([offers.profit, sizes, -fixed, np.tile(self.steps.profit, waves)])
        spend = np.concatenate([offers.spend, sizes, fixed, np.tile(self.steps.spend, waves)])
        rows, all_columns = Rows(), np.arange(self.columns)
        rows.add(1, -np.inf, budget if target_roi is None else np.inf, (0, all_columns, spend))
        if target_roi is not None:
            rows.add(1, 0, np.inf, (0, all_columns, profit - target_roi * spend))
        self._add_customers(rows)
        self._add_campaign_limits(rows)
        self._add_rests(rows)
        lower, upper = np.zeros(self.columns), np.full(self.columns, np.inf)
        runs = slice(self.first_run, self.first_step)
        upper[runs] = 1
        upper[self.first_step :] = np.tile(self.steps.customers.to_numpy(float), waves)
        constraint = rows.constraint(self.columns)
        if search == Search.EXACT:
            best = self._optimize(profit, constraint, lower, upper, whole_waves, [runs])
            bound = None
        else:
            relaxed = self._optimize(profit, constraint, lower, upper, 0, [])
            bound = None if relaxed is None else float(relaxed @ profit)

            def solve(running: np.ndarray) -> np.ndarray | None:
                lower[runs] = upper[runs] = running
                return self._optimize(profit, constraint, lower, upper, whole_waves, [])

            best = None if relaxed is None else self._leave_out(solve, relaxed[runs], profit, search)
        if best is None:
            raise BudgetError(NO_PLAN)
        return self._read(best, whole_waves, float(best @ profit) if bound is None else bound)

    def _optimize(
        self,
        profit: np.ndarray,
        constraint: LinearConstraint,
        lower: np.ndarray,
        upper: np.ndarray,
        whole_waves: int,
        switches: list[slice],
    ) -> np.ndarray | None:
        """Return the best solution; None if there is none. Variables in `switches` are whole numbers."""
        integral = np.zeros(self.columns, bool)
        integral[: self.first_size] = self.offers.wave < whole_waves
        for switch in switches:
            integral[switch] = True
        return maximize(profit, constraint, lower, upper, integral, GAP if self.terms.waves > 1 else GAP_OF_ONE_WAVE)

    def _leave_out(
        self,
        solve: Callable[[np.ndarray], np.ndarray | None],
        share: np.ndarray,
        profit: np.ndarray,
        search: Search,
    ) -> np.ndarray | None:
        """Return a good solution: run what a linear program would run in part, then leave out what does not pay.

        `solve` finds the best plan of given running campaigns, `share` says how far the linear program runs them.
        First goes what loses money, one campaign in each wave at a time. Then what is worth less than it gains: its
        customers can get another campaign.
        """
        needed = np.tile((self.campaigns.min_spend > 0).to_numpy(), self.terms.waves)
        running = (share > ROUNDING) | needed
        best = solve(running)
        while (optional := running & ~needed).any():
            if best is None:  # the fixed costs are more than the budget
                out = optional & (share == share[optional].min())
            else:
                out = self._worst_of_each_wave(self._earned(best, profit), optional)
                if not out.any():
                    break
            running = running & ~out
            best = solve(running)
        if best is None or search == Search.QUICK:
            return best
        gains = self._earned(best, profit)
        small = running & ~needed & (gains < CLEARLY_PAYS * -profit[self.first_run : self.first_step])
        for place in np.flatnonzero(small)[np.argsort(gains[small], kind="stable")]:
            without = running.copy()
            without[place] = False
            other = solve(without)
            if other is not None and other @ profit > best @ profit:
                running, best = without, other
        return best

    def _earned(self, best: np.ndarray, profit: np.ndarray) -> np.ndarray:
        """Return what each campaign earns in each wave, less its fixed cost."""
        fixed = profit[self.first_run : self.first_step]
        line = self.offers.wave * len(self.campaigns) + self.offers.number
        return np.bincount(line, best[: self.first_size] * profit[: self.first_size], len(fixed)) + fixed

    def _worst_of_each_wave(self, earned: np.ndarray, optional: np.ndarray) -> np.ndarray:
        """Return, as a mask, the campaign of each wave that loses most; none in waves where none loses."""
        by_wave = np.where(optional, earned, np.inf).reshape(self.terms.waves, -1)
        worst = np.zeros_like(by_wave, bool)
        worst[np.arange(len(by_wave)), by_wave.argmin(axis=1)] = by_wave.min(axis=1) < 0
        return worst.ravel()

    def _add_customers(self, rows: Rows) -> None:
        """Nobody is contacted twice in a wave, and customers of the next wave are those of this one, moved."""
        every = np.arange(self.states)
        state = (self.offers.wave * self.groups + self.offers.group).to_numpy() * LEVELS
        state = state + self.offers.contact_level.to_numpy()
        offer, contacted, buyer = self.offers.index.to_numpy(), self.first_contacted + every, self.first_buyer + every
        rows.add(self.states, 0, 0, (state, offer, 1), (every, contacted, -1))
        if self.terms.carryover:
            rows.add(self.states, 0, 0, (state, offer, self.offers.delivered_lift), (every, buyer, -1))
        first = self.groups * LEVELS
        start = self.flow.start
        free = self.flow.free.ravel()
        rows.add(first, start.ravel(), start.ravel(), (every[:first], self.first_size + every[:first], 1))
        rows.add(first, -np.inf, free, (every[:first], contacted[:first], 1))
        later = every[first:] - first
        rows.add(
            len(later), -np.inf, 0, (later, contacted[first:], 1),
            (later, self.first_size + every[first:], -(1 - self.holdout_share)),
        )  # fmt: skip
        for wave in range(self.terms.waves - 1):
            self._add_transition(rows, wave)

    def _add_transition(self, rows: Rows, wave: int) -> None:
        """Customers at the start of the next wave: rested, contacted, and new ones."""
        flow, state, following = self.flow, self._state(wave), self._state(wave + 1)
        pools = flow.pools.shape[0]
        ended = self.first_end + state
        pooled = self.first_pool + wave * pools * LEVELS + np.arange(pools * LEVELS).reshape(pools, LEVELS)
        ends: list[tuple[Any, Any, Any]] = [(state - state[0, 0], ended, 1)]
        gathered: list[tuple[Any, Any, Any]] = [(pooled - pooled[0, 0], pooled, 1)]
        parts: list[tuple[Any, Any, Any]] = [(following - following[0, 0], self.first_size + following, 1)]
        move, land = coo_array(flow.to_pools(wave)), coo_array(flow.pools)
        after = coo_array(flow.if_bought - flow.if_silent)
        first = np.arange(self.groups) * LEVELS
        for level in range(LEVELS):
            rested, higher = max(level - 1, 0), min(level + 1, LEVELS - 1)
            size, contacted = self.first_size + state[:, level], self.first_contacted + state[:, level]
            ends += [(first + rested, size, -1), (first + rested, contacted, 1), (first + higher, contacted, -1)]
            gathered.append((move.col * LEVELS + level, ended[move.row, level], -move.data))
            parts.append((land.col * LEVELS + level, pooled[land.row, level], -land.data))
            if self.terms.carryover:
                buyers = self.first_buyer + state[after.row, level]
                gathered.append((after.col * LEVELS + higher, buyers, -self.terms.carryover * after.data))
        rows.add(self.groups * LEVELS, 0, 0, *ends)
        rows.add(pools * LEVELS, 0, 0, *gathered)
        for step in self._step(wave):
            parts.append((np.arange(self.groups) * LEVELS, step, -self.flow.newcomers))
        arriving = np.zeros((self.groups, LEVELS))
        arriving[:, 0] = self.flow.arrivals[wave + 1]
        rows.add(self.groups * LEVELS, arriving.ravel(), arriving.ravel(), *parts)

    def _most_contacts(self) -> np.ndarray:
        """Return wave × group: how many customers can be contacted at most."""
        waves = self.terms.waves
        most = self.flow.sizes(waves, np.full(waves, self.steps.customers.sum())) * (1 - self.holdout_share)
        most[0] = self.flow.free.sum(axis=1)
        if self.terms.carryover:
            most[1:] = most[1:].sum(axis=1, keepdims=True)
        return most

    @staticmethod
    def _spread(own: pd.DataFrame, matrix: csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return position of the offer, target group and share for each offer and each target of its group."""
        chosen = coo_array(csr_array(matrix)[own.group.to_numpy()])
        return chosen.row, chosen.col, chosen.data

    def _add_campaign_limits(self, rows: Rows) -> None:
        """Contacts need a running campaign, and keep to its capacity and money."""
        offers, waves, campaigns = self.offers, self.terms.waves, len(self.campaigns)
        most = self.most
        wave, group, number = (offers[name].to_numpy() for name in ("wave", "group", "number"))
        row, first = pd.factorize(pd.MultiIndex.from_arrays([wave, number, group]))
        one = pd.DataFrame({"row": row, "wave": wave, "number": number, "group": group}).drop_duplicates("row")
        every = offers.index.to_numpy()
        rows.add(
            len(first), -np.inf, 0, (row, every, 1),
            (one.row.to_numpy(), self._run(one.wave.to_numpy(), one.number.to_numpy()),
             -most[one.wave.to_numpy(), one.group.to_numpy()]),
        )  # fmt: skip
        line, runs = wave * campaigns + number, np.arange(waves * campaigns)
        capacity = np.tile(self.campaigns.capacity.fillna(np.inf).to_numpy(float), waves)
        rows.add(len(runs), -np.inf, capacity, (line, every, offers.messages))
        least = np.tile(np.where(self.campaigns.min_spend > 0, self.campaigns.min_spend, -np.inf), waves)
        largest = np.tile(self.campaigns.max_spend.fillna(np.inf).to_numpy(float), waves)
        fixed = np.tile(self.campaigns.fixed_cost.to_numpy(float), waves)
        rows.add(len(runs), least, largest, (line, every, offers.spend), (runs, self.first_run + runs, fixed))

    def _add_rests(self, rows: Rows) -> None:
        """A customer of one campaign does not get another in the waves after it, if a rule says so."""
        for campaign in self.campaigns.itertuples():
            for other, days in resting_rules(campaign, self.terms.wave_days):
                for wave in range(1, self.terms.waves):
                    self._add_rest(rows, wave, campaign.name, other, waves_to_rest(days, self.terms.wave_days))

    def _add_rest(self, rows: Rows, wave: int, name: str, other: str, rest: int) -> None:
        now = self._offers_of(wave, name)
        parts: list[tuple[Any, Any, Any]] = [(now.group.to_numpy(), now.index.to_numpy(), 1)]
        move = csr_array(identity(self.groups, format="csr"))
        for earlier in range(wave - 1, max(wave - 1 - rest, -1), -1):
            move = csr_array(self.flow.transition(earlier) @ move)
            before = self._offers_of(earlier, other)
            offer, to, weight = self._spread(before, move)
            parts.append((to, before.index.to_numpy()[offer], weight))
        sizes = self.first_size + self._state(wave)
        rows.add(self.groups, -np.inf, 0, *parts, (np.arange(self.groups)[:, None], sizes, -(1 - self.holdout_share)))

    def _offers_of(self, wave: int, campaign: str) -> pd.DataFrame:
        return self.offers.iloc[self.places.get((wave, campaign), np.empty(0, int))]

    def _read(self, best: np.ndarray, whole_waves: int, bound: float) -> YearPlan:
        """Return the solution as tables."""
        waves, count, names = self.terms.waves, self.groups, self.campaigns.name.to_numpy()
        contacts = best[: self.first_size]
        contacts = np.where(contacts > 1e-6, contacts, 0)
        whole = (self.offers.wave < whole_waves).to_numpy()
        contacts[whole] = np.round(contacts[whole])
        planned = self.offers.assign(contacts=contacts)
        runs = best[self.first_run : self.first_step].round().reshape(waves, -1)
        wave, campaign = np.nonzero(runs)
        chosen = planned[contacts > 0]
        used = pd.MultiIndex.from_frame(chosen[["wave", "number"]])
        running = pd.DataFrame(
            {"wave": wave, "campaign": names[campaign], "fixed_cost": self.campaigns.fixed_cost.to_numpy()[campaign]}
        )
        running = running[pd.MultiIndex.from_arrays([wave, campaign]).isin(used)].reset_index(drop=True)
        taken = best[self.first_step :].reshape(waves, -1)
        won = pd.DataFrame(
            {
                "wave": np.arange(waves),
                "customers": taken.sum(axis=1),
                "spend": taken @ self.steps.spend.to_numpy(float),
                "expected_profit": taken @ self.steps.profit.to_numpy(float),
            }
        )
        index = pd.MultiIndex.from_product(
            [range(waves), range(count), range(LEVELS)], names=["wave", "group", "contact_level"]
        )
        sizes = pd.Series(best[self.first_size : self.first_contacted], index=index, name="customers").reset_index()
        contacted = planned[planned.contacts > 0].reset_index(drop=True)
        return YearPlan(contacted, won, self._won_by_step(taken), running, sizes, bound)

    def _won_by_step(self, taken: np.ndarray) -> pd.DataFrame:
        """Return the customers won at each step; `taken` is wave × step."""
        wave, step = np.nonzero(taken > ROUNDING)
        chosen = self.steps.iloc[step].reset_index(drop=True)
        return chosen[["channel", "spend"]].assign(wave=wave, step=step, customers=taken[wave, step])


def waves_to_rest(days: int, wave_days: int) -> int:
    """Return in how many waves after a contact a customer rests.

    At least one, because messages of a wave can be sent on any of its days.
    """
    return max(ceil(days / wave_days) - 1, 1)


def resting_rules(campaign: Any, wave_days: int) -> list[tuple[str, int]]:
    """Return the campaigns after which a customer rests from this one, and the days of the rule.

    A campaign whose window is longer than a wave is not repeated before its window is over.
    """
    rules = [(rule["campaign"], rule["days"]) for rule in campaign.not_within]
    own = [(campaign.name, campaign.window_days)] if campaign.window_days > wave_days else []
    return rules + own
