"""Build reports from two commits and show that every table holds the same values, apart from renames.

    python tools/same_tables.py BEFORE AFTER [--report cdnow --report demo]

Each commit is checked out into a temporary folder and builds its reports there with this Python. A table or column is
looked up by its new name in `RENAMES`; what is missing on either side, or differs in a single value by more
than rounding, is listed, and the exit status is then 1.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from crm_utils.config.old_names import COLUMNS, TABLES

# Relative. `brentq` and the bisection it replaced stop at different last digits (up to 1e-13).
ROUNDING = 1e-9

RULES = {
    "overlap between extracts": "extract_overlap",
    "after the analysis date": "after_analysis_date",
    "unknown customer": "unknown_customer",
    "cancellations": "cancellation",
    "non-products": "excluded_product",
    "excluded customers": "excluded_customer",
    "duplicates": "duplicate",
    "non-positive quantity": "non_positive_quantity",
    "non-positive price": "non_positive_amount",
    "customers merged": "customers_merged",
    "outliers capped": "outliers_capped",
    "cancellations without a sale": "unmatched_cancellation",
    "cancelled orders and their cancellations": "cancelled_order",
}
VALUES: dict[tuple[str, str], dict[str, str]] = {  # codes that replaced labels: (table, column) -> old: new
    ("cleaning_ledger", "rule"): RULES,
    ("example_customer_lines", "removed_by"): RULES,
    ("segment_migration", "cause"): {
        "stayed silent": "stayed_silent",
        "cut points moved by old customers": "bin_edges_moved_by_existing",
        "cut points moved by newcomers": "bin_edges_moved_by_new",
        "arrivals less departures": "arrivals_less_departures",
    },
    ("segment_migration", "from_segment"): {"(not yet a customer)": "not_yet_customer"},
    ("segment_migration", "to_segment"): {"(no longer a customer)": "no_longer_customer"},
    ("segments", "lifecycle"): {"at risk": "silent", "at_risk": "silent", "churned": "gone"},
    ("segments", "price"): {"price-focused": "price_focused"},
    ("segments", "returns"): {"keeps what they buy": "few_returns", "returns much": "many_returns"},
    ("segments", "breadth"): {"few products": "few_products", "many products": "many_products"},
    ("backtest", "model"): {
        "Our forecast": "model_with_season",
        "Without season": "model_no_season",
        "Same as the last period": "same_as_last_period",
        "Same period last year": "same_period_last_year",
        "Past average rate": "past_average_rate",
    },
}


def main() -> int:
    """Build both commits, compare, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--report", action="append", dest="reports")
    options = parser.parse_args()
    differences, compared = [], 0
    with tempfile.TemporaryDirectory() as folder:
        built = [_build(commit, Path(folder) / side, options.reports or ["cdnow", "demo"])
                 for side, commit in (("before", options.before), ("after", options.after))]  # fmt: skip
        for path in sorted(built[0].glob("reports/*/*/data/*.parquet")):
            compared += 1
            differences += _compare(path, built[1] / path.relative_to(built[0]).parent)
        known = {_new_place(path.relative_to(built[0])) for path in built[0].glob("reports/*/*/data/*.parquet")}
        for path in sorted(built[1].glob("reports/*/*/data/*.parquet")):
            if path.relative_to(built[1]) not in known:
                differences.append(f"{path.relative_to(built[1])}: a table that the earlier commit has not")
    print("\n".join(differences))
    print(f"{compared} tables compared, {len(differences)} differences")
    return 1 if differences else 0


def _build(commit: str, folder: Path, reports: list[str]) -> Path:
    """Check a commit out into a folder of its own and build the reports there."""
    if Path(commit, "reports").is_dir():  # a project folder that is built already
        return Path(commit)
    subprocess.run(["git", "worktree", "add", "--force", "--detach", str(folder), commit], check=True, stdout=2)
    try:
        for report in reports:
            command = [sys.executable, "-m", "crm_utils", "report", "--report", report]
            subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, check=True)
    finally:
        subprocess.run(["git", "worktree", "prune"], check=True)
    return folder


def _new_place(path: Path) -> Path:
    return path.with_name(f"{TABLES.get(path.stem, path.stem)}.parquet")


def _compare(old: Path, folder: Path) -> list[str]:
    """What differs between a table of the earlier commit and the same table of the later one."""
    name = TABLES.get(old.stem, old.stem)
    place = f"{folder.parent.parent.name} {folder.parent.name} {name}"
    if not (folder / f"{name}.parquet").exists():
        return [f"{place}: missing"]
    before, after = _read(old), _read(folder / f"{name}.parquet")
    before = before.rename(columns=COLUMNS[""] | COLUMNS.get(name, {}))
    for (table, column), codes in VALUES.items():
        if table == name and column in before:
            before[column] = before[column].replace(codes)
    if set(before.columns) != set(after.columns):
        only = sorted(set(before.columns) - set(after.columns)), sorted(set(after.columns) - set(before.columns))
        return [f"{place}: columns only before {only[0]}, only after {only[1]}"]
    if len(before) != len(after):
        return [f"{place}: {len(before)} rows before, {len(after)} after"]
    both = [_sorted(frame[list(before.columns)]) for frame in (before, after)]
    unequal = [column for column in before.columns if not _are_equal(both[0][column], both[1][column])]
    return [f"{place}: {column} differs" for column in unequal]


def _read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path)


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in an order that does not depend on codes or labels: by all columns as text."""
    return frame.astype(object).astype(str).sort_values(list(frame.columns)).pipe(
        lambda order: frame.loc[order.index].reset_index(drop=True)
    )  # fmt: skip


def _are_equal(before: pd.Series, after: pd.Series) -> bool:
    """Whether two columns hold the same values; numbers may differ by rounding (`ROUNDING`)."""
    if before.dtype.kind == after.dtype.kind == "f":
        return bool(np.isclose(before, after, rtol=ROUNDING, atol=0, equal_nan=True).all())
    return _values(before).equals(_values(after))


def _values(column: pd.Series) -> pd.Series:
    """Dates as one type, everything else as it is."""
    if str(column.dtype).startswith(("date", "timestamp", "datetime")):
        return pd.to_datetime(column).astype("datetime64[us]")
    return column


if __name__ == "__main__":
    sys.exit(main())
