"""How time and memory grow with the number of customers: python benchmarks/customers.py [customers …].

*values* are the fit, forecasts, lifetime values and ranges of 04_cltv. *plan* is the groups, allocation, interval,
budget curve, break points and lists of 05_budget for 20 campaigns, with a budget in proportion to the customers. Each
runs in a separate process. Time does not include imports and the simulation of customers; memory does.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the reports

from measured import Run, print_measurements, run_separately

SIZES = [10_000, 100_000, 1_000_000]
BUDGET = 0.07  # amount per customer, small enough to limit the plan


def values(customers: int) -> None:
    """Value simulated customers."""
    import cltv

    base = cltv.simulated(customers)
    print_measurements(lambda: f"{len(cltv.everything(base)):,} customers valued")


def plan(customers: int) -> None:
    """Plan a budget for simulated customers."""
    import budget

    people, terms, chances = budget.problem(customers, 20)
    print_measurements(
        lambda: f"{len(budget.planned(people, terms, chances, BUDGET * customers)):,} customers on lists"
    )


WORKS = {"values": values, "plan": plan}


def compared(sizes: list[int]) -> dict[float, dict[str, Run]]:
    """Measure both for each number of customers."""
    measured = {}
    for size in sizes:
        print(f"\n{size:,} customers")
        measured[size] = {name: run_separately(__file__, name, str(size)) for name in WORKS}
    return measured


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("customers", nargs="*", type=int, default=SIZES)
    parser.add_argument("--only", choices=WORKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        WORKS[options.only](*options.customers)
    else:
        compared(options.customers)
