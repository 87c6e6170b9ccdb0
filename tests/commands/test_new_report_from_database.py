"""`make new` on a table or a query of a database. The password is never written or shown."""

import shlex
import sqlite3
import subprocess
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml

from crm_utils.commands.new_report.draft import new_report
from crm_utils.commands.new_report.from_database import database_source
from crm_utils.config import Columns, Report, read_yaml
from crm_utils.core.errors import ParamsError
from crm_utils.sources import find_shared_ids, read_line_items
from tests.support.cleaning_factories import clean
from tests.support.projects import ROOT, run

SECRET = "hunter2-p@ss"
DAYS = pd.date_range("2023-01-05", periods=40, freq="12D")
ORDERS = pd.DataFrame(
    {
        "order_number": range(1001, 1041),
        "client": [f"c{number % 7}" for number in range(40)],
        "placed_on": DAYS.strftime("%Y-%m-%d"),
        "status": ["cancelled" if number % 10 == 0 else "completed" for number in range(40)],
        "total": [10.0 + number for number in range(40)],
    }
)
KEPT = 40 * 10.0 + sum(range(40)) - sum(10.0 + number for number in range(0, 40, 10))  # less the four cancelled


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with the orders in an SQLite and a DuckDB database."""
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        ORDERS.to_sql("orders", connection, index=False)
    connection.close()
    orders = ORDERS.assign(placed_on=DAYS)  # noqa: F841  DuckDB reads it by its name
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.sql("create table orders as select * from orders")
    return tmp_path


@pytest.mark.parametrize("url", ["sqlite://shop.db", "duckdb://shop.duckdb"])
@pytest.mark.parametrize("what", [{"table": "orders"}, {"query": "select * from orders where total < 1000"}])
def test_a_database_needs_no_edit(url, what, shop):
    source = database_source(url, what.get("table"), what.get("query"))
    written, guessed, _ = new_report(shop, "shop", source)
    parameters = yaml.safe_load(written.read_text())
    assert parameters["columns"] == {
        "customer_id": "client",
        "ordered_at": "placed_on",
        "order_id": "order_number",
        "amount": "total",
    }
    assert {"database": url, **what}.items() <= parameters["source"].items()
    assert any("ignore 'cancelled' (4 rows, 10%, 100.00)" in line for line in guessed)
    written.write_text(written.read_text().replace("XXX", "EUR"))
    report = read_yaml(written, Report)
    lines = read_line_items(report.source, report.columns, shop)
    known = clean(lines, report.cleaning.cancellations, report.analysis_dates[-1])["known"]
    assert float(known.revenue.sum().execute()) == KEPT


def test_a_recipe_reads_the_table_of_woocommerce(shop):
    orders = ORDERS.rename(columns={"order_number": "id", "client": "billing_email", "total": "total_amount"})
    orders = orders.rename(columns={"placed_on": "date_created_gmt"}).assign(status="wc-" + ORDERS.status)
    with sqlite3.connect(shop / "shop.db") as connection:
        orders.to_sql("wp_wc_orders", connection, index=False)
    connection.close()
    _, guessed, _ = new_report(shop, "shop", database_source("sqlite://shop.db", "wp_wc_orders", None))
    assert guessed[0].startswith("recipe: woocommerce, because its headings match")


def test_a_password_in_the_address_is_refused_and_not_shown(tmp_path):
    url = f"postgresql://reader:{SECRET}@127.0.0.1/shop"
    done = run(tmp_path, "new", "--report", "shop", "--url", url, "--table", "orders")
    assert done.returncode == 1
    assert "write the password as ${NAME}, and set NAME in the environment" in done.stderr
    shown = done.stdout + done.stderr + "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET not in shown
    assert not (tmp_path / "params").exists()


def test_a_password_from_the_environment_is_not_shown(tmp_path):
    url = "postgresql://reader:${SHOP_PASSWORD}@127.0.0.1:1/shop"
    done = run(tmp_path, "new", "--report", "shop", "--url", url, "--table", "orders", SHOP_PASSWORD=SECRET)
    assert done.returncode == 1
    assert "postgresql://reader:***@127.0.0.1:1/shop" in done.stderr or "${SHOP_PASSWORD}" in done.stderr
    shown = done.stdout + done.stderr + "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET not in shown


@pytest.mark.parametrize(("table", "query"), [(None, None), ("orders", "select 1")])
def test_a_database_needs_a_table_or_a_query(table, query):
    with pytest.raises(ParamsError, match="TABLE=orders or QUERY="):
        database_source("sqlite://shop.db", table, query)


def test_make_passes_the_address_as_it_was_typed():
    query = "select * from orders where status = 'paid'"
    done = subprocess.run(
        ["make", "-n", "new", "REPORT=shop", "URL=postgresql://r:${SHOP_PASSWORD}@db/shop", f"QUERY={query}"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "SHOP_PASSWORD": SECRET},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--url 'postgresql://r:${SHOP_PASSWORD}@db/shop'" in done.stdout
    assert "where status = '\\''paid'\\'''" in done.stdout
    assert SECRET not in done.stdout


@pytest.mark.parametrize(
    ("target", "name", "option"),
    [
        ("report", "REPORT", "--report"),
        ("report", "DATE", "--date"),
        ("report", "TODAY", "--today"),
        ("new", "FILE", "--file"),
        ("new", "TABLE", "--table"),
        ("new", "LIKE", "--like"),
        ("compare", "FROM", "--from"),
        ("export", "TO", "--to"),
    ],
)
def test_what_make_is_given_never_runs_in_the_shell(target, name, option):
    """A blank does not split it, and neither a quote nor a semicolon ends it."""
    evil = "my shop'; touch evil; echo '`id`"
    make = ["make", "-n", target, f"{name}={evil}"]
    said = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    words = shlex.split(said[said.rindex("python -m crm_utils") :].replace("\\\n", " "))
    assert words[words.index(option) + 1] == evil


@pytest.mark.parametrize("url", ["sqlite://shop.db", "duckdb://shop.duckdb"])
def test_refunds_and_stores_are_found_in_a_database(url, tmp_path):
    """40 orders, 4 refunds that name theirs, and 7 customer numbers that are someone else in each of two stores."""
    orders = ORDERS.assign(
        store=["A", "B"] * 20, email=[f"{row % 14}@x.example" for row in range(40)], parent_order=None
    )
    orders["client"] = [f"c{(row % 14) // 2}" for row in range(40)]
    refunds = orders.head(4).assign(
        order_number=range(2001, 2005), total=-5.0, parent_order=orders.order_number.head(4)
    )
    rows = pd.concat([orders, refunds]).drop(columns="status").astype({"parent_order": "Int64"})
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        rows.to_sql("orders", connection, index=False)
    connection.close()
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.sql("create table orders as select * from rows")
    written, guessed, _ = new_report(tmp_path, "shop", database_source(url, "orders", None))
    columns = yaml.safe_load(written.read_text())["columns"]
    assert (columns["refund_of"], columns["customer_id"]) == ("parent_order", ["store", "client"])
    assert any("4 rows take back (20.00)" in line for line in guessed)
    source = database_source(url, "orders", None)
    found = find_shared_ids(source, Columns(**columns | {"customer_id": "client"}), tmp_path)
    assert (found.store, found.differing, found.joined) == ("store", 7, 14)
