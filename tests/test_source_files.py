"""Reading csv and parquet: standard names and types, and errors that name file, column, rows and cure."""

from pathlib import Path

import pandas as pd
import pytest

from crm_utils import sources
from crm_utils.locate import SourceError, SourceMissing

COLUMNS = {"customer_id": "Customer", "ordered_at": "Date", "quantity": "Qty", "unit_price": "Price"}
CSV = "Customer,Date,Qty,Price\n007,2024-01-05 10:30,2,1.25\n ,20240106,1,3\n12,2024-01-07,-1,0.10\n"


def read(folder: Path, text: str = CSV, columns: dict = COLUMNS) -> pd.DataFrame:
    (folder / "shop.csv").write_text(text)
    return sources.line_items({"file": "shop.csv"}, columns, folder).execute()


def test_a_csv_in_standard_names_and_types(tmp_path):
    lines = read(tmp_path)
    assert lines.customer_id.fillna("(none)").tolist() == ["007", "(none)", "12"], "leading zeros stay"
    assert lines.ordered_at.tolist() == list(map(pd.Timestamp, ["2024-01-05 10:30", "2024-01-06", "2024-01-07"]))
    assert lines.amount.astype(float).tolist() == [2.50, 3.0, -0.10]


def test_a_parquet_reads_as_the_csv_does(tmp_path):
    from_csv = read(tmp_path)
    raw = pd.read_csv(tmp_path / "shop.csv", dtype={"Customer": str})
    raw.assign(Date=pd.to_datetime(raw.Date, format="mixed")).to_parquet(tmp_path / "shop.parquet")
    from_parquet = sources.line_items({"file": "shop.parquet"}, COLUMNS, tmp_path).execute()
    pd.testing.assert_frame_equal(from_csv, from_parquet, check_dtype=False)


def test_a_missing_column_names_the_nearest(tmp_path):
    with pytest.raises(
        SourceError,
        match=r"shop.csv has no column 'Prize' \(columns.unit_price\); did you mean 'Price'\? It has: Customer, Date",
    ):
        read(tmp_path, columns=COLUMNS | {"unit_price": "Prize"})


def test_a_date_that_is_none_is_counted_and_shown(tmp_path):
    with pytest.raises(
        SourceError,
        match=r"column 'Date' \(columns.ordered_at\): 2 rows without a readable date, for example 'soon', '\(empty\)'",
    ):
        read(tmp_path, CSV + "1,soon,1,1\n1,,1,1\n")


def test_a_price_that_is_none_is_counted_and_shown(tmp_path):
    with pytest.raises(
        SourceError,
        match=r"column 'Price' \(columns.unit_price\): 1 row without a readable number, for example '€3'",
    ):
        read(tmp_path, CSV + "1,2024-01-01,1,€3\n")


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(SourceMissing, match="none.csv is not there: put the file into place"):
        sources.line_items({"file": "none.csv"}, COLUMNS, tmp_path)
