"""The plan over several waves is the best one, customers are conserved, and one wave gives the plan of `allocate`."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from crm_utils.budget.acquisition import NewCustomerValue, cost_steps
from crm_utils.budget.waves import CustomerFlow, Search, WaveTerms, YearProblem, plan_waves, waves_to_rest
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.errors import BudgetError
from tests.support.budget_factories import campaigns, options, resting_flow, small_problem

GROUPS = 3


def steps_of(cost: float, per_year: int, value: float) -> pd.DataFrame:
    """The cost curve of new customers in a year."""
    brings = NewCustomerValue(100, value, value, value, value, value, per_year)
    return cost_steps(Acquisition(cost_per_customer=cost), brings, 1.0)


def flow_of(
    table: pd.DataFrame,
    waves: int,
    bought: np.ndarray | None = None,
    silent: np.ndarray | None = None,
    held_out: float = 0.0,
) -> CustomerFlow:
    """The flow of a small problem; by default customers stay in their group."""
    by_group = table.groupby("group")[["customers", "p0", "order_margin"]].first().reindex(range(GROUPS), fill_value=0)
    arrivals = np.zeros((waves, GROUPS))
    arrivals[1:, 0] = 2
    stay = np.eye(GROUPS)
    return resting_flow(
        by_group.customers.tolist(),
        waves,
        held_out,
        baseline=np.tile(by_group.p0, (waves, 1)),
        if_bought=csr_array(stay if bought is None else bought),
        if_silent=csr_array(stay if silent is None else silent),
        arrivals=arrivals,
        newcomers=np.array([0.0, 0.0, 1.0]),
        order_margin=by_group.order_margin.to_numpy(float),
    )


# Expected profit, spend and contacts of the 40 small problems, from the program for a single wave of version 0.2
ONE_WAVE = [
    (6.9603, 5.9856, 2), (0.0, 0.0, 0), (0.0, 0.0, 0), (14.7888, 1.76, 3),
    (7.281, 3.6861, 1), (0.217, 1.88, 2), (5.3305, 4.4092, 2), (0.0, 0.0, 0),
    (0.0, 0.0, 0), (6.5209, 10.2234, 3), (11.7507, 3.84, 2), (4.832, 1.33, 1),
    (0.0, 0.0, 0), (0.0, 0.0, 0), (14.215, 7.76, 4), (5.3572, 6.1434, 2),
    (0.0, 0.0, 0), (0.0, 0.0, 0), (0.0, 0.0, 0), (2.7489, 6.84, 4),
    (19.1402, 0.99, 3), (13.1491, 4.22, 2), (1.3528, 2.2674, 2), (13.7535, 2.9724, 3),
    (0.0, 0.0, 0), (3.6042, 2.8386, 3), (0.0, 0.0, 0), (0.9908, 1.46, 1),
    (0.0, 0.0, 0), (3.9113, 2.5714, 2), (0.0, 0.0, 0), (3.1851, 5.49, 3),
    (1.9353, 3.6111, 3), (7.0131, 2.0, 1), (4.7087, 3.42, 2), (0.0, 0.0, 0),
    (4.0396, 1.53, 1), (0.0, 0.0, 0), (3.9757, 1.07, 1), (4.0207, 7.3567, 4),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_one_wave_is_the_plan_of_a_single_wave(seed):
    """Without fatigue and acquisition, planning waves is what planning one wave was."""
    table, offers, budget = small_problem(seed)
    flow = flow_of(table, 1, held_out=0.1)
    year = plan_waves(YearProblem(table, offers, flow, WaveTerms(1, 91), budget, holdout_share=0.1))
    found = (year.expected_profit, year.spend, year.contacts.contacts.sum())
    assert found == pytest.approx(ONE_WAVE[seed], abs=1e-3)


class TwoWaves:
    """A second, slow way to the best plan over two waves: try every whole number of contacts."""

    def __init__(self, table, offers, flow, terms, budget, curve):
        self.table, self.offers, self.flow, self.terms, self.budget = table, offers, flow, terms, budget
        self.steps = (
            []
            if curve is None
            else sorted([(row.profit, row.spend, row.customers) for row in curve.itertuples()], reverse=True)
        )
        term = offers.set_index("name")
        self.rows = [(row, term.loc[row.campaign]) for row in table.itertuples()]

    def money(self, row, term, level, ahead):
        """Profit, spend and buyers won of one contact, from the formula of methods."""
        lift = min(term.lift * self.terms.fatigue**level, 1 - row.p0)
        discount = term.redemption_rate * (term.incentive + term.incentive_share * row.order_value)
        spend = term.contact_cost + term.delivery_rate * (lift + row.p0) * discount
        won = term.delivery_rate * lift
        margin = row.order_margin * (1 - term.pull_forward_share)
        return won * (margin + self.terms.carryover * ahead) - spend, spend, won

    def choices(self, free):
        """Every way to contact customers of the states (group, level), as tuples of contacts per (row, level)."""
        keys = [(place, level) for place, _ in enumerate(self.rows) for level in range(2)]
        limits = [int(free[self.rows[place][0].group, level] + 1e-9) for place, level in keys]
        for chosen in itertools.product(*(range(limit + 1) for limit in limits)):
            used = np.zeros_like(free)
            for (place, level), number in zip(keys, chosen, strict=True):
                used[self.rows[place][0].group, level] += number
            if (used <= free + 1e-9).all():
                yield {key: number for key, number in zip(keys, chosen, strict=True) if number}

    def value(self, chosen, aheads):
        profit = spend = 0.0
        for (place, level), number in chosen.items():
            row, term = self.rows[place]
            one = self.money(row, term, level, aheads[row.group])
            profit, spend = profit + number * one[0], spend + number * one[1]
        for name in {self.rows[place][0].campaign for place, _ in chosen}:
            fixed = self.offers.set_index("name").fixed_cost[name]
            profit, spend = profit - fixed, spend + fixed
        return profit, spend

    def best(self):
        """The highest profit of both waves and of the customers won with the money that is left."""
        bought, silent = self.flow.if_bought.toarray(), self.flow.if_silent.toarray()
        chance = self.flow.baseline[0]
        move = chance[:, None] * bought + (1 - chance)[:, None] * silent
        ahead = (bought - silent) @ (self.flow.baseline[1] * self.flow.order_margin)
        start = np.zeros((GROUPS, 2))
        start[:, 0] = self.flow.customers
        plans, known = [], {}
        for first in self.choices(start):
            contacted, won = np.zeros(GROUPS), np.zeros(GROUPS)
            for (place, level), number in first.items():
                row, term = self.rows[place]
                contacted[row.group] += number
                won[row.group] += number * self.money(row, term, level, 0)[2]
            following = np.zeros((GROUPS, 2))
            following[:, 0] = move.T @ (start[:, 0] - contacted) + self.flow.arrivals[1]
            following[:, 1] = move.T @ contacted + self.terms.carryover * (bought - silent).T @ won
            one = self.value(first, ahead)
            if one[1] > self.budget + 1e-9:
                continue
            limits = tuple((following + 1e-9).astype(int).ravel())
            if limits not in known:  # only whole customers can be contacted, so states with equal whole parts are alike
                known[limits] = [self.value(second, np.zeros(GROUPS)) for second in self.choices(following)]
            for two in known[limits]:
                if one[1] + two[1] <= self.budget + 1e-9:
                    plans.append(one[0] + two[0] + self.win(self.budget - one[1] - two[1]))
        return max(plans)

    def win(self, money):
        """What the customers bring who can be won with so much money."""
        profit = 0.0
        for gain, cost, number in self.steps:
            taken = min(number, money / cost) if gain > 0 else 0
            profit, money = profit + taken * gain, money - taken * cost
        return profit


@pytest.mark.parametrize("seed", range(50))
def test_two_waves_against_trying_everything(seed):
    random = np.random.default_rng(seed)
    table, offers, budget = small_problem(seed)
    offers[["capacity", "max_spend"]] = np.nan
    table = table[table.group < 2].copy()
    if table.empty:
        pytest.skip("no campaign for the two groups")
    table["customers"] = table.customers.clip(upper=2)
    permutation = np.eye(GROUPS)[random.permutation(GROUPS)]
    flow = flow_of(table, 2, bought=permutation, silent=np.eye(GROUPS))
    flow.arrivals[:] = 0
    terms = WaveTerms(2, 91, fatigue=random.choice([0.5, 0.8, 1.0]), carryover=random.choice([0.0, 0.5]))
    curve = steps_of(random.uniform(1, 4), 4, 5.0) if seed % 2 else None
    year = plan_waves(YearProblem(table, offers, flow, terms, budget, steps=curve), whole_waves=2)
    assert year.expected_profit == pytest.approx(TwoWaves(table, offers, flow, terms, budget, curve).best(), abs=1e-4)
    assert year.spend <= budget + 1e-6


@st.composite
def year_problems(draw):
    """A few waves, groups that change, new customers and a cost curve."""
    seed = draw(st.integers(0, 10_000))
    random = np.random.default_rng(seed)
    table, offers, budget = small_problem(seed)
    offers["messages"] = [[1, 2, 3]] * len(offers)
    waves = draw(st.integers(2, 4))
    shares = random.dirichlet(np.ones(GROUPS), (2, GROUPS))
    flow = flow_of(table.assign(customers=table.customers * 40), waves, *shares)
    level = draw(st.integers(0, 2))
    at_level = np.eye(3)[level] * flow.customers[:, None]
    flow = replace(flow, start=at_level, free=at_level)
    terms = WaveTerms(
        waves, 91, fatigue=draw(st.sampled_from([0.6, 0.8, 1.0])), carryover=draw(st.sampled_from([0.0, 0.3]))
    )
    return (
        table.assign(customers=table.customers * 40),
        offers.assign(capacity=np.nan, max_spend=np.nan),
        flow,
        terms,
        budget * 10,
    )


CURVE = steps_of(2.0, 20, 5.0)


def profit_of(problem, curve=CURVE, **changes) -> float:
    """Expected profit of the best plan with some arguments changed."""
    names = ["options", "campaigns", "flow", "terms", "budget"]
    arguments = dict(zip(names, problem, strict=True)) | changes
    return plan_waves(YearProblem(**arguments, steps=curve)).expected_profit


def slack(profit: float) -> float:
    """By how much a profit may be short of the best one."""
    return 2e-4 * abs(profit) + 1e-6


@settings(max_examples=10, deadline=None)
@given(year_problems())
def test_customers_are_conserved(problem):
    """In each wave there are the customers of the first one, those who arrived and those who were won."""
    table, offers, flow, terms, budget = problem
    year = plan_waves(YearProblem(table, offers, flow, terms, budget, steps=CURVE))
    sizes = year.sizes.groupby("wave").customers.sum()
    for wave in range(terms.waves):
        arrived = flow.arrivals[: wave + 1].sum() + year.won.customers[:wave].sum()
        assert sizes[wave] == pytest.approx(flow.customers.sum() + arrived, abs=1e-5)
    assert year.spend <= budget + 1e-6
    reached = year.contacts.groupby(["wave", "group", "contact_level"]).contacts.sum()
    there = year.sizes.set_index(["wave", "group", "contact_level"]).customers.reindex(reached.index)
    assert (reached <= there + 1e-5).all()


@settings(max_examples=6, deadline=None)
@given(year_problems())
def test_never_worse_with_more(problem):
    """More budget, cheaper contacts, a higher lift, less fatigue or more to choose from never lower the profit."""
    table, offers, flow, terms, budget = problem
    profit = profit_of(problem)
    cheaper = offers.assign(contact_cost=offers.contact_cost * 0.8)
    stronger = offers.assign(lift=offers.lift * 1.2, incentive=0.0)
    weaker = offers.assign(incentive=0.0)
    rested = WaveTerms(terms.waves, terms.wave_days, min(terms.fatigue + 0.2, 1.0), terms.carryover)
    assert profit_of(problem, budget=budget * 1.5) >= profit - slack(profit)
    assert profit_of(problem, campaigns=cheaper) >= profit - slack(profit)
    assert profit_of(problem, campaigns=stronger) >= profit_of(problem, campaigns=weaker) - slack(profit)
    assert profit_of(problem, campaigns=weaker, terms=rested) >= profit_of(problem, campaigns=weaker) - slack(profit)
    assert profit >= profit_of(problem, curve=None) - slack(profit) >= -slack(profit)


@settings(max_examples=10, deadline=None)
@given(year_problems())
def test_the_fast_plan_is_nearly_the_best(problem):
    """It keeps to the budget, is never better than the best plan, and earns nearly as much."""
    table, offers, flow, terms, budget = problem
    best = profit_of(problem)
    problem = YearProblem(table, offers, flow, terms, budget, steps=CURVE)
    quick, good = (plan_waves(problem, search=search) for search in (Search.QUICK, Search.GOOD))
    assert quick.spend <= budget + 1e-6
    assert 0.9 * best - 3 <= quick.expected_profit <= good.expected_profit + slack(best)
    assert good.expected_profit <= best + slack(best)
    assert good.bound >= best - slack(best)


def test_customers_who_were_contacted_lately_respond_less():
    """A lift of 0.2 × 0.5² on orders of 40 earns 2, at a cost of 1; nobody at level 0 is there."""
    offers = campaigns({"contact_cost": 1.0, "lift": 0.2})
    table = options(offers, ("a", 0, "A", 10, 0.1, 40.0))
    at_level = np.zeros((GROUPS, 3))
    at_level[0, 2] = 10
    flow = replace(flow_of(table, 1), start=at_level, free=at_level)
    year = plan_waves(YearProblem(table, offers, flow, WaveTerms(1, 91, fatigue=0.5), 100.0))
    assert year.contacts.contact_level.tolist() == [2]
    assert year.expected_profit == pytest.approx(10 * (0.2 * 0.25 * 40 - 1))


def test_nothing_worth_running_gives_an_empty_plan():
    """With hopeless campaigns only, no program without variables is solved."""
    table, offers, _ = small_problem(1)
    hopeless = offers.assign(lift=0.0, fixed_cost=5.0)
    for waves in (1, 3):
        flow = flow_of(table, waves)
        for search in Search:
            year = plan_waves(YearProblem(table, hopeless, flow, WaveTerms(waves, 91), 100.0), search=search)
            assert year.contacts.empty
            assert year.running.empty
            assert (year.spend, year.expected_profit) == (0, 0)
            assert year.sizes.groupby("wave").customers.sum()[0] == flow.customers.sum()


@settings(max_examples=10, deadline=None)
@given(year_problems(), st.floats(0, 1), st.sampled_from([0.0, 1e4]))
def test_hopeless_shops_and_campaigns_have_a_plan(problem, share, fixed_cost):
    """Whatever the campaigns cost, the plan earns at least nothing and keeps to the budget."""
    table, offers, flow, terms, budget = problem
    dear = offers.assign(lift=offers.lift * share**4, fixed_cost=fixed_cost)
    year = plan_waves(YearProblem(table, dear, flow, terms, budget), search=Search.GOOD)
    assert year.expected_profit >= -1e-6
    assert year.spend <= budget + 1e-6


def rested_shop(rest: list[dict], waves: int = 4) -> list[float]:
    """Customers contacted by wave: 100 customers, one campaign that earns 3 − 1 with each, and rests."""
    offers = campaigns({"contact_cost": 1.0, "lift": 0.1, "not_within": rest})
    table = options(offers, ("a", 0, "A", 100, 0.1, 30.0))
    flow = resting_flow([100], waves)
    year = plan_waves(YearProblem(table, offers, flow, WaveTerms(waves, 91), 1e6))
    return year.contacts.groupby("wave").contacts.sum().reindex(range(waves), fill_value=0).tolist()


def test_rests_between_campaigns():
    """With a rest of 182 days half of the year's waves are free, with 273 days a third of them."""
    assert rested_shop([]) == pytest.approx([100] * 4)
    assert sum(rested_shop([{"campaign": "a", "days": 182}])) == pytest.approx(200)
    assert sum(rested_shop([{"campaign": "a", "days": 273}])) == pytest.approx(200)
    assert sum(rested_shop([{"campaign": "a", "days": 364}])) == pytest.approx(100)
    assert [waves_to_rest(days, 91) for days in (30, 91, 182, 183, 273, 365)] == [1, 1, 1, 2, 2, 4]


def test_limits_that_cannot_be_kept_are_refused():
    offers = campaigns({"min_spend": 60.0}, {"segments": ["B"]})
    table = options(offers, ("a", 0, "A", 100, 0.1, 30.0))
    problem = YearProblem(table, offers, resting_flow([100], 2), WaveTerms(2, 91), 100.0)
    with pytest.raises(
        BudgetError, match=r"minimums \(a 60.00 in each of 2 waves\) come to 120.00, the budget is 100.00"
    ):
        plan_waves(problem)
    with pytest.raises(BudgetError, match="its minimum of 160.00 cannot be spent on 100 customers"):
        plan_waves(replace(problem, campaigns=offers.assign(min_spend=[160.0, 0.0]), budget=1000.0))
    for budget in (-1.0, float("nan")):
        with pytest.raises(BudgetError, match="is no amount of money that can be spent"):
            plan_waves(replace(problem, budget=budget))
    with pytest.raises(BudgetError, match="holdout_share: 1.0 is no share"):
        plan_waves(replace(problem, budget=500.0, holdout_share=1.0))


def test_minimum_capacity_maximum_and_target_return_by_hand():
    """100 customers bring 3 each at a cost of 1 in each of two waves."""
    offers = campaigns({"contact_cost": 1.0, "lift": 0.1, "fixed_cost": 10.0})
    table = options(offers, ("a", 0, "A", 100, 0.1, 30.0))
    problem = YearProblem(table, offers, resting_flow([100], 2), WaveTerms(2, 91), 1e6)
    assert plan_waves(problem).expected_profit == pytest.approx(2 * (200 - 10))
    assert plan_waves(replace(problem, campaigns=offers.assign(capacity=30))).expected_profit == pytest.approx(100)
    assert plan_waves(replace(problem, campaigns=offers.assign(max_spend=50))).expected_profit == pytest.approx(140)
    assert plan_waves(replace(problem, campaigns=offers.assign(lift=0.01, min_spend=50))).spend >= 100
    low = plan_waves(replace(problem, target_roi=1.9, budget=0.0))
    assert (low.spend, low.expected_profit) == (0, 0)
    assert plan_waves(replace(problem, target_roi=1.5, budget=0.0)).expected_profit == pytest.approx(380)
