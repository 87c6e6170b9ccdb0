"""Convert the sheets of a workbook to parquet, compared with `pandas.read_excel` and openpyxl in the same run.

    python benchmarks/sheets.py [workbook]

By default the workbook is Online Retail II if it is in `data/` or in the folder CRM_DATA. Otherwise a workbook of
60,000 rows is generated.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from crm_utils.sources import spreadsheets

LIMIT = 5.0  # times as fast


def workbook(folder: Path) -> Path:
    """The workbook to read."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    known = Path(os.environ.get("CRM_DATA") or Path(__file__).parents[1] / "data") / "online_retail_II.xlsx"
    return known if known.exists() else made(folder / "made.xlsx")


def made(path: Path, rows: int = 60_000) -> Path:
    """A workbook with the columns of Online Retail II and rows drawn at random."""
    draw = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "Invoice": [f"C{number}" if number % 50 == 0 else number for number in range(500_000, 500_000 + rows)],
            "StockCode": draw.integers(10_000, 90_000, rows),
            "Description": "WHITE HANGING HEART T-LIGHT HOLDER",
            "Quantity": draw.integers(1, 20, rows),
            "InvoiceDate": pd.Timestamp("2010-12-01") + pd.to_timedelta(draw.integers(0, 500_000, rows), unit="min"),
            "Price": draw.integers(50, 2000, rows) / 100,
            "Customer ID": draw.integers(12_000, 18_000, rows).astype(float),
            "Country": "United Kingdom",
        }
    )
    frame.to_excel(path, index=False)
    return path


def timed(what) -> tuple[float, float]:
    """Seconds, and seconds of processor time, of a call."""
    started, worked = time.perf_counter(), time.process_time()
    what()
    return time.perf_counter() - started, time.process_time() - worked


def main() -> None:
    """Read the workbook both ways and print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        path = workbook(Path(folder))
        names = list(spreadsheets.sheet_shapes(path))
        print(f"{path.name}, {len(names)} sheets, {path.stat().st_size / 1e6:.1f} MB")
        ours = timed(lambda: spreadsheets.parquet_copies(path, names, Path(folder)))
        theirs = timed(lambda: pd.read_excel(path, sheet_name=None, engine="openpyxl"))
    print(f"ours           {ours[0]:7.1f} s {ours[1]:7.1f} s of cpu")
    print(f"pandas         {theirs[0]:7.1f} s {theirs[1]:7.1f} s of cpu")
    ratio = theirs[1] / ours[1]
    print(
        f"ours is {ratio:.1f} times as fast in cpu time; at least {LIMIT:g} is the aim: "
        f"{'met' if ratio >= LIMIT else 'missed'}"
    )


if __name__ == "__main__":
    main()
