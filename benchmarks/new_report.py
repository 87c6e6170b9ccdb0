"""How long `make new` takes: for a csv and a parquet file of a million line items, and for parquet of 100 million.

    python benchmarks/new_report.py [millions of line items, default 1 100]

Each runs in a separate process and prints seconds, seconds of processor time and peak memory. All rows are judged. The
baseline is a DuckDB query over the same file that counts the distinct values of each column. The csv is measured for up
to 10 million line items. The files are generated in a temporary folder, or in the folder CRM_BENCH if it is set.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from measured import Run, print_measurements, run_separately

sys.path.insert(0, str(Path(__file__).parents[1]))
CSV_FITS = 10  # million line items
LIMITS = {"csv": {1: (10, None)}, "parquet": {1: (10, None), 100: (60, 1000)}}  # seconds and MB, by millions


def generate(millions: float, path: Path) -> None:
    """A shop's line items: 4 an order, 6 statuses, 3,000 products, a customer for each 20 line items, three years."""
    rows = round(millions * 1e6)
    states = ["completed", "completed", "completed", "processing", "cancelled", "refunded"]
    query = f"""
        select 500000 + i // 4 as order_no, 1 + hash(i // 4) % ({rows} // 20) as customer_no,
               timestamp '2021-01-01' + interval ((i // 4 * 4) * {94_608_000 / rows}) second as "order date",
               {states}[1 + (hash(i // 4 + 7) % 6)::int] as status, 'SKU-' || hash(i) % 3000 as sku,
               1 + hash(i + 1) % 4 as quantity, (100 + hash(i + 2) % 9900) / 100.0 as unit_price, 'EUR' as currency,
               ['DE', 'FR', 'AT', 'CH'][1 + (hash(i // 4 + 3) % 4)::int] as country from range({rows}) t(i)
    """
    with duckdb.connect(config={"preserve_insertion_order": False, "memory_limit": "2GB"}) as connection:
        started = time.perf_counter()
        connection.execute(f"copy ({query}) to '{path}'")
        print(f"generated {path.name}, {path.stat().st_size / 1e6:,.0f} MB, in {time.perf_counter() - started:.0f} s")


def ours(file: Path) -> str:
    """`make new`: the parameters, then the questions and the first look."""
    from crm_utils.commands.new_report.complete import complete_report
    from crm_utils.commands.new_report.draft import new_report

    with tempfile.TemporaryDirectory() as root:
        started = time.perf_counter()
        path, _, open_points = new_report(Path(root), "shop", str(file))
        seconds = time.perf_counter() - started
        completion = complete_report(Path(root), path)
    return f"{seconds:.1f} s before the questions and the first look; {len(open_points)} to check; {completion.look}"


def scan(file: Path) -> str:
    """Count the distinct values of each column, approximately."""
    with duckdb.connect(config={"memory_limit": "400MB", "temp_directory": tempfile.mkdtemp()}) as connection:
        found = connection.execute(f"select count(*), approx_count_distinct(columns(*)) from '{file}'").fetchone()
    return f"{found[0]:,} rows"


CONTENDERS = {"ours": ours, "scan": scan}


def measure(millions: float, kind: str, folder: Path) -> None:
    """Measure both on one file, and print their ratio and what the limits are."""
    path = folder / f"new_report_{millions:g}m.{kind}"
    if not path.exists():
        generate(millions, path)
    print(f"\n{millions:g} million line items, {kind}")
    runs: dict[str, Run] = {name: run_separately(__file__, name, "--file", str(path)) for name in CONTENDERS}
    ratios = [getattr(runs["ours"], field) / getattr(runs["scan"], field) for field in ("seconds", "cpu")]
    print(f"ours takes {ratios[0]:.1f} times the scan ({ratios[1]:.1f} in cpu time)")
    seconds, megabytes = LIMITS[kind].get(int(millions), (None, None))
    if seconds and runs["ours"].seconds > seconds or megabytes and runs["ours"].megabytes > megabytes:
        print(f"over the limit of {seconds} s and {megabytes or 'any'} MB")


def main() -> None:
    """Measure each size in both kinds of files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("millions", nargs="*", type=float, default=[1, 100])
    parser.add_argument("--only", choices=CONTENDERS)
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    if given.only:
        return print_measurements(lambda: CONTENDERS[given.only](given.file))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(os.environ.get("CRM_BENCH") or temporary)
        for millions in given.millions:
            for kind in ("csv", "parquet"):
                if kind == "parquet" or millions <= CSV_FITS:
                    measure(millions, kind, folder)
    return None


if __name__ == "__main__":
    main()
