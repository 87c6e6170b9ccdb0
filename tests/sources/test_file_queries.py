"""`source.query` over files: SQL on the given files and on nothing else."""

import pandas as pd
import pytest

from crm_utils.config import Columns, Source, parse_model
from crm_utils.core.errors import ParamsError, SourceError
from crm_utils.sources import read_line_items

ORDERS = "id,client,day,total\n1,7,2024-01-02,10.50\n2,8,2024-01-03,20\n3,7,2024-02-01,5\n"
CLIENTS = "client,mail\n7,ann@shop.example\n8,bob@shop.example\n"
COLUMNS = Columns(customer_id="customer", ordered_at="day", order_id="id", amount="total")


def read(root, query: str, **source) -> pd.DataFrame:
    (root / "orders.csv").write_text(ORDERS)
    (root / "clients.csv").write_text(CLIENTS)
    (root / "secret.csv").write_text("a\nhidden\n")
    given = parse_model({"query": query, **(source or {"file": "orders.csv"})}, Source, "source")
    return read_line_items(given, COLUMNS, root).execute()


def test_a_query_selects_computes_and_casts_rows_of_a_file(tmp_path):
    lines = read(tmp_path, "select id, client as customer, day, cast(total as decimal(9, 2)) * 2 as total from files "
                           "where client = '7'")  # fmt: skip
    assert lines.customer_id.tolist() == ["7", "7"]
    assert float(lines.amount.sum()) == 31.0


def test_files_are_tables_by_their_names(tmp_path):
    query = "select o.id, c.mail as customer, o.day, o.total from orders o join clients c using (client)"
    lines = read(tmp_path, query, files=["orders.csv", "clients.csv"])
    assert sorted(lines.customer_id) == ["ann@shop.example", "ann@shop.example", "bob@shop.example"]
    assert float(lines.amount.sum()) == 35.5


def test_all_files_are_one_table_by_the_names_of_their_columns(tmp_path):
    (tmp_path / "more.csv").write_text("day,total,id,client,note\n2024-03-01,4,9,8,x\n")
    query = "select id, client as customer, day, total from files"
    lines = read(tmp_path, query, files=["orders.csv", "more.csv"])
    assert float(lines.amount.sum()) == 39.5


def test_a_parquet_file_keeps_its_types(tmp_path):
    pd.DataFrame({"id": [1], "customer": [7], "day": [pd.Timestamp("2024-01-02")], "total": [1.25]}).to_parquet(
        tmp_path / "a.parquet"
    )
    lines = read(tmp_path, "select * from a where total > 1", file="a.parquet")
    assert lines.amount.astype(float).tolist() == [1.25]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "select id, totl from files",
            r"source.query \('select id, totl from files'\) fails: .*\"totl\".*files .id, client",
        ),
        ("selec id from files", "is not a query"),
        ("select 1; select 2", "write one select statement"),
        ("drop view files", "write one select statement"),
        ("select * from 'secret.csv'", "it reads a file that is not in source.file"),
        ("select * from read_csv('/etc/passwd')", "it reads a file that is not in source.file"),
        ("select * from clients", "clients.*Its tables: files .id, client, day, total. and orders"),
        ("select cast(client || 'x' as int) as customer, day, id, total from files", "'7x'"),
        ("select id, client as customer, day, total from files where client = '9'", "has no rows"),
        ("select id, client, day, total from files", "source.query has no column 'customer' .columns.customer_id."),
    ],
)
def test_a_query_that_cannot_run_is_named(tmp_path, query, message):
    with pytest.raises(SourceError, match=message):
        read(tmp_path, query)


def test_a_query_needs_files_or_a_database():
    with pytest.raises(ParamsError, match="query needs a database or files"):
        parse_model({"sample": "cdnow", "query": "select 1"}, Source, "source")
