"""How cost grows with customers, from the tables of orders on: python benchmarks/customers.py [customers …].

*values*: fit, forecasts, lifetime values and ranges, as 04_cltv makes them. *plan*: groups, allocation, interval,
budget curve, flip points and lists of 20 campaigns, as 05_budget makes them, with a budget that grows with the
customers. Each in a process of its own, imports and the making of customers left out of the time and not of the memory.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the reports

from measured import Run, alone, tell

SIZES = [10_000, 100_000, 1_000_000]
BUDGET = 0.07  # money for each customer: it binds


def values(customers: int) -> None:
    """Value simulated customers."""
    import cltv

    base = cltv.simulated(customers)
    tell(lambda: f"{len(cltv.everything(base)):,} customers valued")


def plan(customers: int) -> None:
    """Plan a budget for simulated customers."""
    import budget

    people, terms, chances = budget.problem(customers, 20)
    tell(lambda: f"{len(budget.planned(people, terms, chances, BUDGET * customers)):,} customers on lists")


WORKS = {"values": values, "plan": plan}


def compared(sizes: list[int]) -> dict[float, dict[str, Run]]:
    """Both works for each number of customers."""
    measured = {}
    for size in sizes:
        print(f"\n{size:,} customers")
        measured[size] = {name: alone(__file__, name, str(size)) for name in WORKS}
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
