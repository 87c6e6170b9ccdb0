"""Time and memory of a plan for a year: python benchmarks/large_year.py [customers] [campaigns] [waves].

The claim: for 1.8 million customers, 20 campaigns and 4 waves the plan, its range and its break-points take less than
60 s and 4 GB. The budget curve comes on top.
"""

import resource
import sys
import time
from datetime import date

import budget as one_wave
import numpy as np
import pandas as pd

from crm_utils.budget import audiences, customer_flow, unit_economics, year, year_sensitivity
from crm_utils.budget.acquisition import NewCustomerValue, cost_steps
from crm_utils.budget.waves import WaveTerms, YearProblem, plan_waves
from crm_utils.config.acquisition import Acquisition

DAY, WAVE_DAYS, FATIGUE = date(2024, 9, 30), 91, 0.8
VALUE = NewCustomerValue(400_000, 60.0, 59.5, 60.5, 30.0, 55.0, 300_000)


def past_moves(sizes: pd.Series) -> list[customer_flow.SegmentMoves]:
    """Moves of four windows: customers who bought go to another segment more often than those who did not."""
    random, names, moves = np.random.default_rng(4), sizes.index.tolist(), []
    for _ in range(4):
        shares = random.dirichlet(np.ones(len(names)), len(names))
        bought = pd.DataFrame(sizes.to_numpy()[:, None] * 0.1 * shares, names, names)
        silent = pd.DataFrame(np.diag(sizes * 0.8) + sizes.to_numpy()[:, None] * 0.1 * shares, names, names)
        arrivals = pd.Series(sizes.sum() * 0.04 / len(names), names)
        moves.append(customer_flow.SegmentMoves(DAY, DAY, bought, silent, arrivals, sizes))
    return moves


def main(customers: int = 1_800_000, campaigns: int = 20, waves: int = 4, budget: float = 500_000.0) -> None:
    """Plan a year for simulated customers, and print the time of each step."""
    people, terms, probabilities = one_wave.problem(customers, campaigns)
    days = pd.date_range("2020-01-01", DAY, periods=customers)
    people = people.assign(first_order=days[np.random.default_rng(5).permutation(customers)])
    terms = terms.assign(
        messages=[[1, 2, 3, 6] if not paid else [1] for paid in terms.incentive], not_within=[[]] * len(terms)
    )
    times, started = [], (time.perf_counter(), time.process_time())

    def lap(name: str) -> None:
        nonlocal started
        now = (time.perf_counter(), time.process_time())
        times.append((now[0] - started[0], now[1] - started[1]))
        print(f"{name:45} {times[-1][0]:6.1f} s, {times[-1][1]:6.1f} s of processor time", flush=True)
        started = now

    audience = unit_economics.eligible_customers(people, terms, one_wave.SEGMENTS)
    ids = people.customer_id
    consent, resting = audiences.consent_channels(None, ids), pd.Series(False, ids)
    groups = unit_economics.planning_groups(people, audience, consent, resting, pd.Series(0, ids))
    options = unit_economics.contact_options(groups, audience, terms, probabilities)
    lap(f"groups and economics of {len(options):,} options")
    moves = past_moves(people.segment.value_counts().sort_index().astype(float))
    flow = customer_flow.build_flow(groups, moves, True, [probabilities[91]] * waves, WAVE_DAYS, DAY)
    lap(f"flow of {len(flow.customers):,} groups")
    steps = cost_steps(Acquisition(cost_per_customer=45), VALUE, 1.0)
    problem = YearProblem(
        options, terms, flow, WaveTerms(waves, WAVE_DAYS, FATIGUE), budget, holdout_share=0.1, steps=steps
    )
    plan = plan_waves(problem, exact=False)
    lap(f"plan of {len(plan.contacts):,} lines")
    year.profit_range(plan, terms, VALUE, 0.1, FATIGUE)
    lap("range")
    year_sensitivity.preparation_break_points(problem, plan)
    lap("break-points")
    year_sensitivity.budget_curve(problem, plan)
    lap("budget curve")
    seconds, busy = np.sum(times, axis=0)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{'all':45} {seconds:6.1f} s, {busy:6.1f} s of processor time, {memory:.1f} GB; expected profit "
        f"{plan.expected_profit:,.0f} for {plan.spend:,.0f}"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
