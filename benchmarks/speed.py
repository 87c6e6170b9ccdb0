"""How fast line items become a ledger, orders and customers: the article's pandas recipe, our path, and a bare scan.

    python benchmarks/speed.py [millions of line items, default 14 …] [--no-recipe] [--figure growth.svg]

Each runs in a separate process on the same simulated parquet file and prints seconds, seconds of processor time and
peak memory. The bare scan only reads and sums the same columns, so nothing can be faster on the same file. Customers
grow with line items: 140 million line items are those of 1.8 million customers. After that, `customers.py` measures the
later steps for 10 thousand, 100 thousand and a million customers.
"""

import argparse
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import customers
import pyarrow.parquet as pq
from measured import Run, print_measurements, run_separately

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
CUSTOMERS = 1_800_000 / 140  # for a million line items
LINES_PER_ORDER = 16.0
RECIPE_FITS = 20  # million line items: it takes 4 GB for 14
DAY = date(2024, 9, 30)


def recipe(file: Path, _: Path) -> str:
    """Clean and aggregate as in the article: all rows in pandas, one lambda per measure."""
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
    """The ledger, orders (checked against their contract) and customers of 01_cleaning and 02_rfm."""
    from crm_utils import sources
    from crm_utils.cleaning import cancellations
    from crm_utils.cleaning import rules as cleaning
    from crm_utils.config import Columns, Source
    from crm_utils.core import orders
    from crm_utils.rfm import measures
    from crm_utils.store import Run

    names = ("customer_id", "order_id", "ordered_at", "quantity", "unit_price")
    lines = sources.read_line_items(Source(file=str(file)), Columns(**{name: name for name in names}), ROOT)
    rules = cleaning.removal_rules(lines, DAY)
    classified = cleaning.classify(lines, rules)
    sums = orders.aggregate_lines(classified)
    log = cleaning.build_ledger(sums, list(rules))
    counted = cleaning.keep_counted_lines(classified, log, DAY)
    store = Run(folder)
    store.save(orders.orders_from_aggregates(sums), "orders")
    store.save(
        cancellations.order_adjustments(
            cancellations.match_cancellations(counted, cleaning.select_cancellations(classified), "drop")
        ),
        "order_adjustments",
    )
    customers = measures.compute_rfm(
        orders.orders_as_of(store.scan("orders"), store.scan("order_adjustments"), DAY), DAY
    )
    return f"{len(customers):,} customers, {customers.revenue.sum():,.2f}"


def scan(file: Path, _: Path) -> str:
    """Read the same five columns, and compute only their sums and counts."""
    import duckdb

    return str(
        duckdb.sql(
            f"select count(customer_id), count(order_id), max(ordered_at), sum(quantity), sum(unit_price), "
            f"sum(length(customer_id)), sum(length(order_id)) from '{file}'"
        ).fetchone()[0]
    )


CONTENDERS = {"recipe": recipe, "ours": ours, "scan": scan}


def simulated(millions: float) -> Path:
    """A file of about that many million line items (±2 %), generated once and kept in `.cache/bench/`."""
    from crm_utils.config import SimulatedShop
    from crm_utils.sources import simulated as simulate

    path = ROOT / ".cache" / "bench" / f"{millions:g}m.parquet"
    if not path.exists():
        started = time.perf_counter()
        rows = simulate.write(
            SimulatedShop(customers=round(millions * CUSTOMERS), lines_per_order=LINES_PER_ORDER), path
        )
        print(f"simulated {rows:,} line items in {time.perf_counter() - started:.1f} s")
    return path


def compared(millions: float, with_recipe: bool) -> dict[str, Run]:
    """Measure all contenders on one file, one after the other, and print their ratios."""
    file = simulated(millions)
    print(f"\n{pq.read_metadata(file).num_rows:,} line items, {file.stat().st_size / 1e6:,.0f} MB")
    measured = {
        name: run_separately(__file__, name, "--file", str(file))
        for name in CONTENDERS
        if with_recipe or name != "recipe"
    }
    for name in ("recipe", "scan"):
        if name in measured:
            one, other = (measured["ours"], measured[name]) if name == "scan" else (measured[name], measured["ours"])
            words = "ours takes {} times the bare scan" if name == "scan" else "ours is {} times as fast as the recipe"
            print(words.format(f"{one.seconds / other.seconds:.1f}") + f" ({one.cpu / other.cpu:.1f} in cpu time)")
    return measured


def draw(rows: dict[str, dict[float, dict[str, Run]]], path: Path) -> None:
    """Draw processor time and peak memory by line items and by customers, one row of panels each."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator

    figure, panels = plt.subplots(2, 2, figsize=(8, 6.2), layout="constrained")
    for axes, (axis, measured) in zip(panels, rows.items(), strict=True):
        for ax, field in zip(axes, ("cpu", "megabytes"), strict=True):
            for name in dict.fromkeys(name for runs in measured.values() for name in runs):
                sizes = [size for size in measured if name in measured[size]]
                ax.plot(sizes, [getattr(measured[size][name], field) for size in sizes], marker="o", label=name)
            ax.set(xscale="log", yscale="log", xlabel=axis)
            ax.set_title("seconds of processor time" if field == "cpu" else "peak memory, MB")
            ax.set_xticks(list(measured), [f"{size:,g}" for size in measured])
            ax.minorticks_off()
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter("{x:,g}")
        axes[0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def run_one(name: str, file: Path) -> None:
    """Run one contender in this process, and print its seconds, peak memory and result."""
    import ibis.backends.duckdb  # noqa: F401
    import pandas  # noqa: F401

    import crm_utils.store  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        print_measurements(lambda: CONTENDERS[name](file, Path(folder)))


def main() -> None:
    """Run the benchmark and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("millions", nargs="*", type=float, default=[14])
    parser.add_argument("--no-recipe", action="store_true", help="leave the pandas recipe out: it holds all rows")
    parser.add_argument("--figure", type=Path, help="draw the growth over all sizes into this file")
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        run_one(options.only, options.file)
        return
    fits = {size: size <= RECIPE_FITS and not options.no_recipe for size in options.millions}
    measured = {size: compared(size, with_recipe) for size, with_recipe in fits.items()}
    grown = {size / 1e3: runs for size, runs in customers.compared(customers.SIZES).items()}
    if options.figure:
        draw({"million line items": measured, "thousand customers": grown}, options.figure)


if __name__ == "__main__":
    main()
