"""Time and memory of a year's plan for many customers: python benchmarks/budget.py [customers] [campaigns].

The claim: for 1.8 million customers, 20 campaigns, 4 waves and a budget that limits the plan, groups, plan, range,
curve, break points and lists take less than 60 s and 4 GB.
"""

import resource
import sys
import time
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from crm_utils.budget import acquisition, audiences, customer_flow, plan, unit_economics, waves, year, year_sensitivity
from crm_utils.config.acquisition import Acquisition

DAY, WAVE_DAYS, WAVES = date(2024, 9, 30), 91, 4
SEGMENTS = [f"segment {number}" for number in range(11)]


def shop(count: int) -> pd.DataFrame:
    """Customers with scores, segments and order values."""
    random = np.random.default_rng(1)
    value = random.lognormal(3, 0.8, count)
    scores = {f"{name}_score": random.integers(1, 6, count) for name in ("recency", "frequency", "monetary")}
    return pd.DataFrame(
        {
            "customer_id": np.char.zfill(np.arange(count).astype(str), 8),
            "segment": random.choice(SEGMENTS, count),
            "recency_days": random.integers(0, 700, count),
            "orders": random.integers(1, 20, count),
            "revenue": value * 4,
            "order_value": value,
            "order_margin": 0.3 * value,
            "first_order": pd.Timestamp(DAY) - pd.to_timedelta(random.integers(0, 1000, count), unit="D"),
            **scores,
        }
    )


def offers(count: int) -> pd.DataFrame:
    """Campaigns of many prices, each for one to three segments or for a rule on scores."""
    random = np.random.default_rng(2)
    rows = [
        {
            "name": f"campaign {number}",
            "segments": [] if number % 5 == 0 else random.choice(SEGMENTS, 3, replace=False).tolist(),
            "where": None
            if number % 5
            else f"recency_score >= {random.integers(1, 5)} and monetary_score >= {random.integers(2, 5)}",
            "contact_cost": random.uniform(0.05, 1),
            "incentive": random.choice([0, 3, 5]),
            "incentive_share": 0.0,
            "redemption_rate": 0.4,
            "fixed_cost": random.choice([0, 500, 2000]),
            "delivery_rate": 0.95,
            "lift": random.uniform(0.005, 0.08),
            "pull_forward_share": 0.1,
            "follow_on_margin": 0.0,
            "window_days": int(random.choice([30, 91, 182])),
            "capacity": random.choice([np.nan, 100_000]),
            "min_spend": 0.0,
            "max_spend": np.nan,
            "evidence": "assumed",
            "messages": [1, 2, 3, 6] if number % 2 else [1],
            "not_within": [],
        }
        for number in range(count)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(lift_low=frame.lift / 2, lift_high=frame.lift * 1.5)


def problem(customers: int, campaigns: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Customers, campaigns, and each customer's chance to buy anyway within 30, 91 and 182 days."""
    people, random = shop(customers), np.random.default_rng(3)
    probabilities = pd.DataFrame(
        {days: random.beta(1, 8, customers) for days in (30, 91, 182)}, index=people.customer_id
    )
    return people, offers(campaigns), probabilities


def moves() -> list[customer_flow.SegmentMoves]:
    """Moves between segments in four windows that are over."""
    random = np.random.default_rng(4)
    names = pd.Index(SEGMENTS)
    found = []
    for _ in range(customer_flow.WINDOWS):
        bought, silent = (
            pd.DataFrame(
                random.dirichlet(np.ones(len(names)), len(names)) * 1000 + np.eye(len(names)) * 4000, names, names
            )
            for _ in range(2)
        )
        new = pd.Series(random.integers(1000, 3000, len(names)).astype(float), names)
        found.append(customer_flow.SegmentMoves(DAY, DAY, bought, silent, new, bought.sum(axis=1) + silent.sum(axis=1)))
    return found


def planned(
    people: pd.DataFrame,
    terms: pd.DataFrame,
    probabilities: pd.DataFrame,
    budget: float,
    lap: Callable[[str], None] = lambda name: None,
) -> pd.DataFrame:
    """The lists of a plan, after everything else that 05_budget computes. `lap` is called after each step."""
    eligible = unit_economics.eligible_customers(people, terms, SEGMENTS)
    audience = audiences.find_audience(eligible, None, None, terms, DAY, 0, 0.1, 1)
    groups = unit_economics.planning_groups(people, audience, pd.Series(0, people.customer_id))
    options = unit_economics.contact_options(groups, eligible, terms, probabilities)
    flow = customer_flow.build_flow(groups, moves(), True, [probabilities[91]] * WAVES, WAVE_DAYS, DAY)
    lap(f"groups, economics of {len(options):,} options and moves")
    value = acquisition.NewCustomerValue(100_000, 40.0, 39.0, 41.0, 30.0, 40.0, 100_000)
    steps = acquisition.cost_steps(Acquisition(cost_per_customer=30), value, 1.0)
    problem = waves.YearProblem(options, terms, flow, waves.WaveTerms(WAVES, WAVE_DAYS, 0.8), budget, None, 0.1, steps)
    found = waves.plan_waves(problem, search=waves.Search.GOOD)
    lap("plan of four waves")
    year.profit_range(found, terms, value, 0.2, 0.8)
    year_sensitivity.budget_curve(problem, found)
    lap("range and budget curve")
    points = year_sensitivity.break_points(problem, found)
    lap(f"break points of {len(points):,} campaigns")
    first = year.first_wave(found, problem)
    targets = audiences.assign_audiences(groups, first)
    lifts = points.set_index("campaign").break_point_lift
    plan.build_plan(first, terms, audiences.holdout_sizes(targets), lifts, year.later_lines(found))
    lap("lists and lines")
    return targets


def main(customers: int = 1_800_000, campaigns: int = 20, budget: float = 1_000_000.0) -> None:
    """Plan a budget for simulated customers, and print the time of each step."""
    people, terms, probabilities = problem(customers, campaigns)
    times, started = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal started
        times[name], started = time.perf_counter() - started, time.perf_counter()

    targets = planned(people, terms, probabilities, budget, lap)
    for name, seconds in times.items():
        print(f"{name:45} {seconds:6.1f} s")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{'all':45} {sum(times.values()):6.1f} s (processor, data made as well: {time.process_time():.1f} s), "
        f"{memory:.1f} GB, {len(targets):,} customers on lists"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
