"""Plans for a period, written down by hand or small, for tests of sentences, tables, figures and the workbook."""

from datetime import date

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from crm_utils.budget.acquisition import NewCustomerValue, cost_steps
from crm_utils.budget.plan_model import PlanModel, build_model
from crm_utils.budget.waves import WaveTerms, YearPlan, YearProblem, plan_waves
from crm_utils.budget.year import lifts_to_learn
from crm_utils.config.acquisition import Acquisition
from tests.support.budget_factories import campaigns, options, resting_flow

# The day before the first wave
DAY = date(2024, 9, 30)
VALUE = NewCustomerValue(500, 100.0, 90.0, 115.0, 80.0, 95.0, 400)
NOBODY_WON = pd.DataFrame(columns=["channel", "spend", "wave", "step", "customers"])
COSTS = Acquisition(cost_per_customer=80)
TOO_YOUNG = NewCustomerValue(3, *[float("nan")] * 5, per_year=10, reason="too few")


def year_plan(
    contacts: list[tuple[int, str, int, float, float]],
    won: list[tuple[float, float, float]] | None = None,
    fixed: dict[str, float] | None = None,
    bound: float = 0.0,
) -> YearPlan:
    """A plan of contacts (wave from 0, campaign, customers, spend and profit of one), of customers won in each wave
    (number, spend, profit), and of the fixed cost of each campaign in each of its waves.
    """
    table = pd.DataFrame(contacts, columns=["wave", "campaign", "contacts", "spend", "profit"])
    running = table[["wave", "campaign"]].drop_duplicates(ignore_index=True)
    customers = pd.DataFrame(won or [(0.0, 0.0, 0.0)] * 2, columns=["customers", "spend", "expected_profit"])
    return YearPlan(
        table,
        customers.rename_axis("wave").reset_index(),
        NOBODY_WON,
        running.assign(fixed_cost=[(fixed or {}).get(name, 0.0) for name in running.campaign]),
        pd.DataFrame(columns=["wave", "group", "contact_level", "customers"]),
        bound,
    )


def year_problem(
    campaigns: pd.DataFrame,
    budget: float,
    options: pd.DataFrame | None = None,
    target_roi: float | None = None,
    waves: int = 2,
) -> YearProblem:
    """What a plan is made from. Without options, there is nobody whom a campaign may address."""
    options = pd.DataFrame({"group": [], "customers": []}) if options is None else options
    sizes = options.drop_duplicates("group").sort_values("group").customers.tolist()
    return YearProblem(options, campaigns, resting_flow(sizes, waves), WaveTerms(waves, 91), budget, target_roi)


def planned_shop(costs: Acquisition | None = COSTS, budget: float = 30_000.0) -> tuple[YearPlan, YearProblem]:
    """A plan of two waves with all that money is made of: three campaigns with discounts, preparation and several
    messages, customers of whom nearly all buy anyway, buyers who are worth more later, and new customers.
    """
    offers = campaigns(
        {"name": "Mail", "contact_cost": 1.0, "fixed_cost": 50, "lift": 0.1, "evidence": "measured"},
        {
            "name": "News*", "segments": ["B"], "contact_cost": 0.1, "lift": 0.02, "lift_low": 0.01, "lift_high": 0.03,
            "incentive": 5, "incentive_share": 0.01, "redemption_rate": 0.5, "pull_forward_share": 0.2,
            "delivery_rate": 0.9,
        },
        {
            "name": "Cards", "segments": ["B"], "contact_cost": 0.2, "lift": 0.05, "follow_on_margin": 0.1,
            "fixed_cost": 5,
        },
    )  # fmt: skip
    offers["messages"] = [[1], [1, 2], [1]]
    rows = [
        ("Mail", 0, "A", 600, 0.2, 30.0), ("Mail", 1, "A", 400, 0.3, 20.0), ("News*", 2, "B", 500, 0.1, 60.0),
        ("News*", 3, "B", 300, 0.05, 50.0), ("Cards", 4, "B", 200, 0.95, 70.0), ("Cards", 5, "B", 100, 0.97, 90.0),
    ]  # fmt: skip
    sizes, buying = [row[3] for row in rows], [row[4] for row in rows]
    flow = resting_flow(
        sizes, 2, 0.1, baseline=np.tile(buying, (2, 1)), newcomers=np.eye(6)[0],
        order_margin=np.array([row[5] for row in rows]), if_silent=csr_array(np.eye(6)[[1, 1, 3, 3, 5, 5]]),
    )  # fmt: skip
    terms = WaveTerms(2, 91, 0.8, carryover=0.5)
    steps = cost_steps(costs, VALUE, 0.5)
    problem = YearProblem(options(offers, *rows), offers, flow, terms, budget, holdout_share=0.1, steps=steps)
    return plan_waves(problem), problem


def calculated_plan(year: YearPlan, problem: YearProblem, costs: Acquisition | None = COSTS) -> PlanModel:
    """The quantities of such a plan."""
    learning = lifts_to_learn(year, problem.campaigns, problem.terms.waves)
    return build_model(year, problem, learning, VALUE, costs, 0.3, False)
