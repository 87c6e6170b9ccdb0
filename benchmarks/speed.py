"""How fast line items become a ledger, orders and customers: the article's pandas recipe, our path, and a bare scan.

    python benchmarks/speed.py [millions of line items, default 14] [--no-recipe]

Each runs in a process of its own over the same simulated parquet file and tells its seconds and its peak memory. The
bare scan is what the engine needs to read and sum the same columns: no path can be faster on the same file.
"""

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
LINES_PER_CUSTOMER = 18.0
DAY = date(2024, 9, 30)


def recipe(file: Path, _: Path) -> str:
    """Clean and aggregate as the article does: all rows in pandas, one lambda a measure."""
    import pandas as pd

    df = pd.read_parquet(file)
    df = df[df["customer_id"].notna()]
    df = df[~df["order_id"].str.contains("C", na=False)]
    df = df[(df["quantity"] > 0) & (df["unit_price"] > 0)]
    df["total"] = df["quantity"] * df["unit_price"]
    today = pd.Timestamp(DAY) + pd.Timedelta(days=1)
    rfm = df.groupby("customer_id").agg(
        {
            "ordered_at": lambda date: (today - date.max()).days,
            "order_id": lambda number: number.nunique(),
            "total": lambda total: total.sum(),
        }
    )
    return f"{len(rfm):,} customers, {rfm.total.sum():,.2f}"


def ours(file: Path, folder: Path) -> str:
    """Ledger, orders (stored under contract) and customers, as 01_cleaning and 02_rfm make them."""
    from crm_utils import cleaning, orders, rfm, settlement, sources
    from crm_utils.store import Store

    names = ("customer_id", "order_id", "ordered_at", "quantity", "unit_price")
    lines = sources.line_items({"file": str(file)}, {name: name for name in names}, ROOT)
    rules = cleaning.rules(lines, DAY)
    classified = cleaning.classify(lines, rules)
    sums = orders.sums(classified)
    log = cleaning.ledger(sums, list(rules))
    counted = cleaning.counted(classified, log, DAY)
    store = Store(folder)
    store.save(orders.from_sums(sums), "orders")
    store.save(
        settlement.adjustments(settlement.settle(counted, cleaning.cancelled(classified), "drop")), "adjustments"
    )
    customers = rfm.measures(orders.known_on(store.scan("orders"), store.scan("adjustments"), DAY), DAY)
    return f"{len(customers):,} customers, {customers.revenue.sum():,.2f}"


def scan(file: Path, _: Path) -> str:
    """Read the same five columns, and nothing more than their sums and counts."""
    import duckdb

    return str(
        duckdb.sql(
            f"select count(customer_id), count(order_id), max(ordered_at), sum(quantity), sum(unit_price), "
            f"sum(length(customer_id)), sum(length(order_id)) from '{file}'"
        ).fetchone()[0]
    )


CONTENDERS = {"recipe": recipe, "ours": ours, "scan": scan}


def simulated(millions: float, folder: Path) -> Path:
    """A file of at least so many million line items, made once and kept in `.cache/bench/`."""
    from crm_utils import simulate
    from crm_utils.params import Shop

    path = ROOT / ".cache" / "bench" / f"{millions:g}m.parquet"
    if not path.exists():
        started = time.perf_counter()
        rows = simulate.write(Shop(customers=int(millions * 1e6 / LINES_PER_CUSTOMER)), path)
        print(f"simulated {rows:,} line items in {time.perf_counter() - started:.1f} s")
    return path


def alone(name: str, file: Path) -> float:
    """Seconds of one contender in a process of its own, imports left out. Prints cpu seconds and peak memory too."""
    done = subprocess.run(
        [sys.executable, __file__, "--only", name, "--file", str(file)], capture_output=True, text=True, check=True
    )
    seconds, worked, memory, found = done.stdout.strip().split(" ", 3)
    print(
        f"{name:7} {float(seconds):8.2f} s {float(worked):8.2f} s of cpu {float(memory):8,.0f} MB   {found}", flush=True
    )
    return float(seconds)


def run_one(name: str, file: Path) -> None:
    """Run one contender here and print its seconds, its peak memory and what it found."""
    import ibis  # noqa: F401
    import pandas  # noqa: F401

    import crm_utils.store  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        started, worked = time.perf_counter(), time.process_time()
        found = CONTENDERS[name](file, Path(folder))
        seconds, worked = time.perf_counter() - started, time.process_time() - worked
    print(f"{seconds:.3f} {worked:.3f} {_peak_megabytes():.0f} {found}")


def _peak_megabytes() -> float:
    """The largest memory this process has held. Linux counts it anew for each program, `ru_maxrss` does not."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run what was asked for and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("millions", nargs="?", type=float, default=14)
    parser.add_argument("--no-recipe", action="store_true", help="leave the pandas recipe out: it holds all rows")
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        run_one(options.only, options.file)
        return
    file = simulated(options.millions, ROOT)
    print(f"{pq.read_metadata(file).num_rows:,} line items, {file.stat().st_size / 1e6:,.0f} MB")
    measured = {name: alone(name, file) for name in CONTENDERS if not (options.no_recipe and name == "recipe")}
    if "recipe" in measured:
        print(f"ours is {measured['recipe'] / measured['ours']:.1f} times as fast as the recipe")
    print(f"ours takes {measured['ours'] / measured['scan']:.1f} times the bare scan")


if __name__ == "__main__":
    main()
