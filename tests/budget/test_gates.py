"""Gates follow from the plan, and say what the data show so far."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_utils.budget.acquisition import NewCustomerValue
from crm_utils.budget.gates import Gate, GateState, find_gates, judge_gates
from crm_utils.budget.waves import WaveTerms, YearPlan, YearProblem
from crm_utils.config.acquisition import Acquisition
from tests.support.budget_factories import campaigns, resting_flow
from tests.support.year_plans import NOBODY_WON

DAY = date(2024, 9, 30)
VALUE = NewCustomerValue(500, 100.0, 90.0, 115.0, 80.0, 95.0, 400)
NOTHING = pd.DataFrame(columns=["campaign", "status", "lift", "response"])


def year(won: float = 10.0) -> YearPlan:
    """Two waves: the mail earns 100 in each and costs 40, and new customers cost 50 each."""
    contacts = pd.DataFrame(
        {"wave": [0, 1, 0], "campaign": ["Mail", "Mail", "Tiny"], "contacts": [100.0, 100.0, 1.0]}
    ).assign(profit=1.0, spend=0.4)
    new = pd.DataFrame({"wave": [0, 1], "customers": won, "spend": won * 50.0, "expected_profit": won * 50.0})
    running = pd.DataFrame({"wave": [], "campaign": [], "fixed_cost": []})
    return YearPlan(contacts, new, NOBODY_WON, running, pd.DataFrame(), 0.0)


def gates(past=NOTHING, spent=None, next_profit=0.0, reserve=500.0, won=10.0) -> pd.DataFrame:
    learning = pd.DataFrame({"campaign": ["Mail", "Tiny"], "break_even_lift": [0.02, 0.02]})
    lines = pd.DataFrame({"line": ["learn", "reserve"], "spend": [9.0, reserve]})
    costs = Acquisition(cost_per_customer=50, spent=spent)
    offers = campaigns({"name": "Mail", "delivery_rate": 0.5}, {"name": "Tiny"})
    problem = YearProblem(pd.DataFrame(), offers, resting_flow([1]), WaveTerms(2, 91), 1000.0)
    return find_gates(year(won), problem, learning, VALUE, past, costs, next_profit, lines, DAY).set_index("gate")


def test_gates_by_hand():
    found = gates()
    assert found.index.tolist() == [Gate.NEW_CUSTOMERS, Gate.LIFT, Gate.RESERVE], "the tiny campaign gets none"
    assert found.decide_on.unique().tolist() == [pd.Timestamp("2024-12-30")]
    assert found.limit.tolist() == pytest.approx([80.0, 0.02, 0.0])
    assert found.releases.tolist() == pytest.approx([500.0, 40.0, 500.0])
    assert found.state.tolist() == [GateState.WAITING, GateState.WAITING, GateState.CLOSED]
    assert gates(reserve=0.0, won=0.0).index.tolist() == [Gate.LIFT]


@pytest.mark.parametrize(("spent", "state"), [(400 * 79.0, GateState.OPEN), (400 * 81.0, GateState.CLOSED)])
def test_what_new_customers_cost_opens_their_gate(spent, state):
    """400 came in a year: each may cost 80."""
    assert gates(spent=spent).state[Gate.NEW_CUSTOMERS] == state
    assert gates(spent=spent).observed[Gate.NEW_CUSTOMERS] == pytest.approx(spent / 400)


@pytest.mark.parametrize(("lift", "state"), [(0.031, GateState.OPEN), (0.029, GateState.CLOSED)])
def test_a_measured_lift_opens_the_gate_of_its_campaign(lift, state):
    """Half of the messages arrive, three worked like three: 3% of listed customers are 2% of one message."""
    past = pd.DataFrame({"campaign": ["Mail"], "status": "measured", "lift": lift, "response": 3.0})
    assert gates(past).state[Gate.LIFT] == state
    assert gates(past.assign(status="observational")).state[Gate.LIFT] == GateState.WAITING


def test_the_reserve_opens_if_the_next_money_earns():
    assert gates(next_profit=5.0).state[Gate.RESERVE] == GateState.OPEN
    assert np.isfinite(gates(next_profit=5.0).observed[Gate.RESERVE])


def test_gates_of_an_earlier_plan_are_judged_by_the_later_date():
    then = gates(reserve=500.0).reset_index()
    now = gates(spent=400 * 79.0, next_profit=5.0).reset_index()
    found = judge_gates(then, now).set_index("gate")
    assert found.state.tolist() == [GateState.OPEN, GateState.WAITING, GateState.OPEN]
    assert found.observed[Gate.NEW_CUSTOMERS] == pytest.approx(79)
    dear = judge_gates(then, gates(spent=400 * 81.0).reset_index()).set_index("gate")
    assert dear.state.tolist() == [GateState.CLOSED, GateState.WAITING, GateState.CLOSED]
    past = pd.DataFrame({"campaign": ["Mail"], "status": "measured", "lift": 0.031, "response": 3.0})
    assert judge_gates(then, gates(past).reset_index()).state[1] == GateState.OPEN
    assert judge_gates(then, now.iloc[:0]).state.eq(GateState.WAITING).all()
    assert judge_gates(then.iloc[:0], now).empty
