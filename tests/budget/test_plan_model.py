"""The plan under other assumptions, quantities kept: equal to the plan as planned, and to every contact priced anew."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm_utils.budget import year as years
from crm_utils.budget.plan_model import PlanAssumptions, build_model, evaluate_contacts, evaluate_plan
from crm_utils.budget.unit_economics import message_response, reprice
from crm_utils.budget.waves import YearPlan, YearProblem
from crm_utils.config.acquisition import Acquisition
from tests.support.year_plans import COSTS, VALUE, calculated_plan, planned_shop


def price_each_contact(year: YearPlan, problem: YearProblem, planned: PlanAssumptions, other: PlanAssumptions):
    """Spend and profit of all contacts, each group priced by the formulas that the plan was made with."""
    terms = problem.campaigns.set_index("name")
    terms.update(other.campaigns)
    factor = other.margin_rate / planned.margin_rate
    rows = year.contacts
    response = message_response(rows.contact_level, rows.messages, other.fatigue)
    priced = reprice(
        rows.assign(order_margin=rows.order_margin * factor, response=response), terms.reset_index(), terms.lift
    )
    ahead = problem.flow.value_of_moving(problem.terms.waves)[rows.wave, rows.group] * factor
    later = other.carryover * priced.delivered_lift * ahead
    fixed = year.running.campaign.map(terms.fixed_cost).sum()
    profit = (rows.contacts * (priced.profit + later)).sum() - fixed
    return (rows.contacts * priced.spend).sum() + fixed, profit


@pytest.fixture(scope="module")
def plan():
    return planned_shop()


@pytest.fixture(scope="module")
def model(plan):
    return calculated_plan(*plan)


def test_as_planned_it_is_the_plan(plan, model):
    year, problem = plan
    lines = evaluate_plan(model, model.assumptions)
    assert lines.spend.sum() == pytest.approx(problem.budget)
    assert lines.spend[lines.line != "reserve"].sum() == pytest.approx(year.spend)
    assert lines.expected_profit.sum() == pytest.approx(year.expected_profit)
    learning = years.lifts_to_learn(year, problem.campaigns, problem.terms.waves)
    as_planned = years.budget_lines(year, problem, learning)
    assert lines.line.tolist() == as_planned.line.tolist()
    for column in ("spend", "expected_profit"):
        assert lines[column].to_numpy() == pytest.approx(as_planned[column].to_numpy(), abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_under_other_assumptions_it_is_every_contact_priced_anew(plan, model, seed):
    year, problem = plan
    random = np.random.default_rng(seed)
    planned = model.assumptions
    campaigns = planned.campaigns * random.uniform(0.5, 1, planned.campaigns.shape)
    other = replace(
        planned,
        campaigns=campaigns.assign(lift=model.lift_limits * random.uniform(0, 1, len(campaigns))),
        fatigue=random.choice([0.0, 0.5, 1.0]),
        carryover=random.uniform(0, 1),
        margin_rate=random.uniform(0.1, 1),
    )
    found = evaluate_contacts(model, other)
    spend, profit = price_each_contact(year, problem, planned, other)
    assert found.spend.sum() == pytest.approx(spend)
    assert found.expected_profit.sum() == pytest.approx(profit)


def test_contacts_that_could_all_buy_keep_rows_of_their_own(plan, model):
    """The rows of one campaign, segment, number of messages and level are pooled where nothing is cut off."""
    year, _ = plan
    assert len(model.contacts) < len(year.contacts)
    sure = model.contacts[model.contacts.room < 0.1]
    assert len(sure)
    assert not sure.duplicated(["wave", "campaign", "segment", "messages", "contact_level", "room"]).all()
    assert model.contacts.customers.sum() == pytest.approx(year.contacts.contacts.sum())


def test_dearer_new_customers_cost_more_and_are_kept(plan, model):
    year, problem = plan
    costs = model.assumptions.customer_costs * 2
    dearer = evaluate_plan(model, replace(model.assumptions, customer_costs=costs)).set_index("line")
    assert dearer.spend["win_new_customers"] == pytest.approx(2 * year.won.spend.sum())
    brought = year.won.customers.sum() * VALUE.mean
    assert dearer.expected_profit["win_new_customers"] == pytest.approx(brought - 2 * year.won.spend.sum())
    assert dearer.spend.sum() == pytest.approx(problem.budget), "the reserve pays for it"


@pytest.mark.parametrize(
    "costs, names",
    [
        (COSTS, ["One more new customer today"]),
        (
            Acquisition(response=[{"spend": 4000, "customers": 100}, {"spend": 12000, "customers": 200}]),
            ["new customers, step 1", "new customers, step 2"],
        ),
        (
            Acquisition(channels=[{"name": "Ads", "cost_per_customer": 40, "customers": 50},
                                  {"name": "Fairs", "cost_per_customer": 60, "customers": 9}]),
            ["Ads", "Fairs"],
        ),
    ],
)  # fmt: skip
def test_each_way_of_giving_costs_has_its_cells(costs, names):
    year, problem = planned_shop(costs)
    model = calculated_plan(year, problem, costs)
    assert model.assumptions.customer_costs.index.tolist() == names
    lines = evaluate_plan(model, model.assumptions).set_index("line")
    assert lines.spend["win_new_customers"] == pytest.approx(year.won.spend.sum())
    assert year.won.spend.sum() > 0


def test_with_a_target_return_the_budget_is_what_the_plan_spends():
    year, problem = planned_shop()
    model = calculated_plan(year, replace(problem, target_roi=0.1))
    assert not model.has_budget
    lines = evaluate_plan(model, model.assumptions).set_index("line")
    assert lines.spend["reserve"] == pytest.approx(0)
    assert lines.spend.sum() == pytest.approx(year.spend)


def test_a_plan_that_does_nothing_is_a_reserve():
    year, problem = planned_shop(None, budget=0.0)
    model = build_model(year, problem, pd.DataFrame({"campaign": [], "verdict": []}), VALUE, None, 0.3, False)
    assert evaluate_plan(model, replace(model.assumptions, budget=70.0)).spend.tolist() == [0, 0, 0, 0, 70]
