"""Ids made of several columns, for each kind of source."""

from pathlib import Path

import ibis
import pandas as pd
import pytest

from crm_utils import sources
from crm_utils.config import Columns, Source, parse_model
from crm_utils.core.errors import ParamsError, SourceError

# Two stores, customer 1 in both; receipt numbers begin again each day.
ROWS = pd.DataFrame(
    {
        "store": ["Lund", "Bergen", "Lund", "Lund"],
        "nr": [1, 1, 2, 1],
        "at": pd.to_datetime(["2024-01-01 09:00", "2024-01-01 09:30", "2024-01-02 10:00", "2024-01-02 11:00"]),
        "receipt": [1, 1, 1, 2],
        "paid": [10.0, 20.0, 30.0, 40.0],
    }
)
COLUMNS = {"customer_id": ["store", "nr"], "ordered_at": "at", "order_id": ["at", "store", "receipt"], "amount": "paid"}
CUSTOMERS = ["Lund-1", "Bergen-1", "Lund-2", "Lund-1"]
ORDERS = ["2024-01-01-Lund-1", "2024-01-01-Bergen-1", "2024-01-02-Lund-1", "2024-01-02-Lund-2"]


def read(folder: Path, source: dict, columns: dict | None = None) -> pd.DataFrame:
    source, columns = parse_model(source, Source, "source"), parse_model(columns or COLUMNS, Columns, "columns")
    return sources.read_line_items(source, columns, folder).execute().sort_values("amount", ignore_index=True)


def write_database(folder: Path) -> None:
    engine = ibis.duckdb.connect(folder / "shop.duckdb")
    engine.create_table("lines", ROWS)
    engine.disconnect()


def write_sqlite(folder: Path) -> None:
    engine = ibis.sqlite.connect(folder / "shop.db")
    engine.create_table("lines", ROWS)
    engine.disconnect()


@pytest.mark.parametrize(
    ("write", "source"),
    [
        (lambda folder: ROWS.to_csv(folder / "a.csv", index=False), {"file": "a.csv"}),
        (lambda folder: ROWS.to_parquet(folder / "a.parquet"), {"file": "a.parquet"}),
        (lambda folder: ROWS.astype({"nr": float}).to_parquet(folder / "a.parquet"), {"file": "a.parquet"}),
        (lambda folder: ROWS.to_excel(folder / "a.xlsx", index=False), {"file": "a.xlsx"}),
        (write_database, {"database": "duckdb://shop.duckdb", "table": "lines"}),
        (write_sqlite, {"database": "sqlite://shop.db", "table": "lines"}),
    ],
    ids=["csv", "parquet", "numbers with decimals", "workbook", "duckdb", "sqlite"],
)
def test_every_kind_of_source_joins_ids(tmp_path: Path, write, source: dict):
    write(tmp_path)
    lines = read(tmp_path, source)
    assert lines.customer_id.tolist() == CUSTOMERS
    assert lines.order_id.tolist() == ORDERS
    assert lines.amount.astype(float).tolist() == [10, 20, 30, 40]


def test_a_row_without_one_of_the_parts_has_no_id(tmp_path: Path):
    ROWS.assign(store=["Lund", "Bergen", None, "Lund"]).to_csv(tmp_path / "a.csv", index=False)
    lines = read(tmp_path, {"file": "a.csv"}, COLUMNS | {"order_id": ["at", "receipt"]})
    assert lines.customer_id.isna().tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("renames", "own"),
    [
        ({"store": "filiale", "nr": "kunde"}, {"store": "filiale", "nr": "kunde"}),
        ({"store": "filiale", "nr": "kunde"}, {"customer_id": ["filiale", "kunde"], "store": "filiale"}),
    ],
    ids=["columns renamed", "a list of its own"],
)
def test_a_file_may_have_other_names(tmp_path: Path, renames: dict, own: dict):
    ROWS[:2].to_csv(tmp_path / "a.csv", index=False)
    ROWS[2:].rename(columns=renames).to_csv(tmp_path / "b.csv", index=False)
    lines = read(tmp_path, {"files": ["a.csv", {"file": "b.csv", "columns": own}]})
    assert lines.customer_id.tolist() == CUSTOMERS
    assert lines.order_id.tolist() == ORDERS


def test_a_file_may_join_what_others_have_in_one_column(tmp_path: Path):
    ROWS[:2].assign(customer=["Lund-1", "Bergen-1"]).to_csv(tmp_path / "a.csv", index=False)
    ROWS[2:].to_csv(tmp_path / "b.csv", index=False)
    source = {"files": ["a.csv", {"file": "b.csv", "columns": {"customer_id": ["store", "nr"]}}]}
    lines = read(tmp_path, source, COLUMNS | {"customer_id": "customer"})
    assert lines.customer_id.tolist() == CUSTOMERS


def test_a_file_may_have_in_one_column_what_others_join(tmp_path: Path):
    ROWS[:2].to_csv(tmp_path / "a.csv", index=False)
    ROWS[2:].assign(customer=["Lund-2", "Lund-1"]).drop(columns="nr").to_csv(tmp_path / "b.csv", index=False)
    lines = read(tmp_path, {"files": ["a.csv", {"file": "b.csv", "columns": {"customer_id": "customer"}}]})
    assert lines.customer_id.tolist() == CUSTOMERS


def test_a_missing_column_is_named_with_the_parameter(tmp_path: Path):
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(SourceError, match=r"a.csv has no column 'shop' \(columns.customer_id\).*It has: store"):
        read(tmp_path, {"file": "a.csv"}, COLUMNS | {"customer_id": ["shop", "nr"]})


def test_a_list_needs_two_columns():
    with pytest.raises(ParamsError, match=r"columns: customer_id: List should have at least 2 items"):
        parse_model(COLUMNS | {"customer_id": ["nr"]}, Columns, "columns")


def test_a_status_without_a_value_has_that_of_its_joined_order(tmp_path: Path):
    ROWS.assign(receipt=1, store="Lund", status=["paid", None, "void", None]).to_csv(tmp_path / "a.csv", index=False)
    status = {"column": "status", "count": ["paid"], "ignore": ["void"]}
    lines = read(tmp_path, {"file": "a.csv", "status": status})
    assert lines.excluded_by.isna().tolist() == [True, True, False, False]
