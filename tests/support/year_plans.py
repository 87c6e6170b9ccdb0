"""Plans for a period written down by hand, for tests of sentences, tables and figures."""

from datetime import date

import pandas as pd

from crm_utils.budget.acquisition import NewCustomerValue
from crm_utils.budget.waves import WaveTerms, YearPlan, YearProblem
from tests.support.budget_factories import resting_flow

# The day before the first wave
DAY = date(2024, 9, 30)
VALUE = NewCustomerValue(500, 100.0, 90.0, 115.0, 80.0, 95.0, 400)
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
