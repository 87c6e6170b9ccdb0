"""Time and memory of a plan for many customers: python benchmarks/budget.py [customers] [campaigns].

The claim: for 1.8 million customers, 20 campaigns and a budget that limits the plan, groups, allocation, interval,
break points and lists take less than 30 s and 4 GB.
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from crm_utils.budget import audiences, break_points, optimizer, plan, sensitivity, unit_economics

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
            "where": f"recency_score >= {random.integers(1, 5)} and monetary_score >= {random.integers(2, 5)}",
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


def planned(
    people: pd.DataFrame,
    terms: pd.DataFrame,
    probabilities: pd.DataFrame,
    budget: float,
    lap: Callable[[str], None] = lambda name: None,
) -> pd.DataFrame:
    """The lists of a plan, after everything else that 05_budget computes. `lap` is called after each step."""
    audience = unit_economics.eligible_customers(people, terms, SEGMENTS)
    groups = unit_economics.group_customers(people, audience)
    options = unit_economics.contact_options(groups, audience, terms, probabilities)
    lap(f"groups and economics of {len(options):,} options")
    allocated = optimizer.allocate(options, terms, budget, holdout_share=0.1)
    lap("allocation")
    sensitivity.profit_interval(allocated, terms)
    sensible = sensitivity.profit_maximizing_budget(options, terms, 0.1)
    sensitivity.budget_curve(options, terms, sensitivity.curve_budgets(budget, sensible), 0.1)
    lap("interval and budget curve")
    lifts = break_points.break_points(allocated, terms, budget, 0.1)
    lap(f"break points of {len(lifts):,} lines")
    targets = audiences.assign_audiences(groups, allocated, 0.1, 1)
    plan.build_plan(allocated, terms, audiences.holdout_sizes(targets), lifts)
    lap("lists and lines")
    return targets


def main(customers: int = 1_800_000, campaigns: int = 20, budget: float = 125_000.0) -> None:
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
