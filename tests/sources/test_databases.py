"""The same line items give the same tables from every kind of source. Messages of databases contain no secret."""

import os
import shutil
import socket
import sqlite3
from datetime import date
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest
import yaml

from crm_utils import sources
from crm_utils.cleaning import cancellations, customer_features, example_customer
from crm_utils.cleaning import rules as cleaning
from crm_utils.cleaning.ledger import build_ledger
from crm_utils.commands.new_report.draft import new_report
from crm_utils.commands.new_report.from_database import database_source
from crm_utils.config import Columns, Source
from crm_utils.core import orders
from crm_utils.core.errors import SourceError, SourceMissing
from crm_utils.rfm import measures, scoring
from crm_utils.store import Run
from tests.support import servers
from tests.support.projects import new_project, run, skip_or_fail

SAME = ["customer_id", "ordered_at", "order_id", "product_id", "quantity", "unit_price", "country"]
COLUMNS = Columns(**{name: name for name in SAME})
DAY = date(2011, 12, 9)
READS_ONLY = f"""
create role {servers.READER} login password '{servers.PASSWORD}';
alter role {servers.READER} set default_transaction_read_only = on;
revoke temporary on database postgres from public;
grant select on lines to {servers.READER};
"""  # as on a read-only replica: no temporary tables, no views


@pytest.fixture(scope="module")
def ledger() -> pd.DataFrame:
    """Return 3,000 line items with values that engines treat differently: case, leading zeros, umlauts, odd prices."""
    draw = np.random.default_rng(7)
    size = 3_000
    customers = np.array(
        ["007", "7", "ab", "AB", "Zoë", "Müller", "muller", *map(str, range(12_346, 12_600))], dtype=object
    )
    picked = customers[draw.integers(0, len(customers), size)]
    order = draw.integers(500_000, 500_900, size)
    return pd.DataFrame(
        {
            "customer_id": np.where(draw.random(size) < 0.1, None, picked),
            "ordered_at": pd.Timestamp("2010-01-01")
            + pd.to_timedelta(order % 720, "D")
            + pd.to_timedelta(order % 86_399, "s"),
            "order_id": np.where(order % 29 == 0, "C", "") + order.astype(str).astype(object),
            "product_id": draw.choice(["85123A", "POST", "00042", "71053"], size),
            "quantity": draw.integers(-2, 40, size),
            "unit_price": draw.integers(0, 5_000, size) / 1_000 + 0.005,
            "country": draw.choice(["Österreich", "France", "EIRE"], size),
        }
    ).astype({"ordered_at": "datetime64[us]"})


@pytest.fixture(scope="module")
def folder(ledger, tmp_path_factory) -> Path:
    """Return a folder with the line items in every kind of file."""
    folder = tmp_path_factory.mktemp("files")
    ledger.to_csv(folder / "shop.csv", index=False)
    ledger.to_parquet(folder / "shop.parquet", index=False)
    ledger.to_excel(folder / "shop.xlsx", index=False)
    with duckdb.connect(folder / "shop.duckdb") as engine:
        engine.execute("create table lines as select * from ledger")
    ibis.sqlite.connect(folder / "shop.sqlite").create_table("lines", ledger)
    return folder


@pytest.fixture(scope="module")
def secret():
    """Set the password of the test servers as an environment variable."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SHOP_PASSWORD", servers.PASSWORD)
        yield servers.PASSWORD


def server(start, scheme: str, driver: str, ledger: pd.DataFrame):
    try:
        __import__(driver)
        running = start()
        place = running.__enter__()
    except (ModuleNotFoundError, servers.NotInstalled) as error:
        skip_or_fail(str(error))
    url = f"{scheme}://{servers.USER}:${{SHOP_PASSWORD}}@{place}"
    fill(sources.databases.connect(url, Path("/")), scheme, ledger)
    yield url
    sources.databases.connect.cache_clear()
    running.__exit__(None, None, None)


@pytest.fixture(scope="module")
def postgres(secret, ledger):
    for url in server(servers.postgres, "postgresql", "psycopg", ledger):
        sources.databases.connect(url, Path("/")).raw_sql(READS_ONLY).close()
        yield url


@pytest.fixture(scope="module")
def mariadb(secret, ledger):
    yield from server(servers.mariadb, "mariadb", "MySQLdb", ledger)


def fill(engine, scheme: str, ledger: pd.DataFrame) -> None:
    """Create a table as in a shop's own system, with plain SQL."""
    text = "varchar(40)"
    moment = "datetime" if scheme == "mariadb" else "timestamp"
    columns = (
        f"customer_id {text}, ordered_at {moment}, order_id {text}, product_id {text}, quantity integer, "
        f"unit_price numeric(12, 3), country {text}"
    )
    rows = [
        tuple(None if pd.isna(cell) else cell for cell in row) for row in ledger.astype(object).itertuples(index=False)
    ]
    rows = [(row[0], row[1].to_pydatetime(), *row[2:]) for row in rows]
    cursor = engine.con.cursor()
    cursor.execute(f"create table {'shop.lines' if scheme == 'mariadb' else 'lines'} ({columns})")
    cursor.executemany(
        f"insert into {'shop.lines' if scheme == 'mariadb' else 'lines'} values ({', '.join(['%s'] * 7)})", rows
    )
    engine.con.commit()


@pytest.fixture(scope="module")
def spark():
    try:
        import pyspark  # noqa: F401
    except ModuleNotFoundError as error:
        skip_or_fail(f"{error} (pip install 'ibis-framework[pyspark]')")
    if shutil.which("java") is None:
        skip_or_fail("no Java is installed (Debian: apt-get install openjdk-17-jre-headless)")
    yield "spark://local[2]"
    engine = sources.databases.connect("spark://local[2]", Path("/"))
    engine._session.stop()


def tables(source: dict, root: Path, run: Path) -> dict[str, pd.DataFrame]:
    """Return ledger, orders, customers and matched cancellations of a source, saved and loaded as in a notebook."""
    lines = sources.read_line_items(Source(**source), COLUMNS, root)
    rules = cleaning.removal_rules(lines, DAY, exclude_products=["POST"], exclude_customers=["7"])
    classified = cleaning.classify(lines, rules)
    log = build_ledger(orders.aggregate_lines(classified), list(rules))
    store = Run(run)
    store.save(log, "cleaning_ledger")
    store.save(orders.orders_from_lines(cleaning.keep_counted_lines(classified, log, DAY)), "orders")
    store.save(scoring.score_customers(measures.compute_rfm(store.scan("orders"), DAY)), "customers")
    matched = cleaning.classify(lines, cleaning.removal_rules(lines, DAY, cancellations="match"))
    kept = matched.filter(matched.removed_by.isnull())
    parts = cancellations.match_cancellations(kept, cleaning.select_cancellations(matched), "match")
    store.save(cancellations.order_adjustments(parts), "order_adjustments")
    store.save(cancellations.unmatched_cancellations(parts), "unmatched_cancellations")
    store.save(
        customer_features.compute_customer_features(kept, cleaning.select_cancellations(matched)), "customer_features"
    )
    store.save(
        example_customer.customer_lines(
            classified, example_customer.choose_example_customer(store.scan("orders")), DAY
        ),
        "example_customer_lines",
    )
    return {"frames": {path.stem: pd.read_parquet(path) for path in sorted((run / "data").glob("*.parquet"))}}


@pytest.fixture(scope="module")
def reference(folder, tmp_path_factory) -> dict:
    return tables({"file": "shop.parquet"}, folder, tmp_path_factory.mktemp("reference"))


def test_the_reference_equals_sums_in_pandas(reference, ledger):
    counts = ledger[
        ledger.customer_id.notna()
        & ~ledger.order_id.str.startswith("C")
        & (ledger.product_id != "POST")
        & (ledger.customer_id != "7")
        & (ledger.ordered_at < "2011-12-10")
    ]
    amounts = (counts.quantity * counts.unit_price).groupby([counts.customer_id, counts.order_id])
    expected = amounts.sum()[(amounts.max() > 0) & (amounts.sum() > 0)]  # negative lines are discounts of their order
    found = reference["frames"]["orders"].set_index(["customer_id", "order_id"]).revenue
    pd.testing.assert_series_equal(found, expected.sort_index(), check_names=False, check_index_type=False, rtol=1e-12)
    assert {"ab", "AB", "007", "Zoë", "Müller", "muller"} <= set(reference["frames"]["customers"].customer_id)


def assert_same(found: dict, reference: dict) -> None:
    assert {"cleaning_ledger", "orders", "customers"} <= set(found["frames"])
    for name in found["frames"]:
        frame = reference["frames"][name]
        exact = name != "customer_features"  # SQLite has no decimals: a ratio may differ in its last digit
        pd.testing.assert_frame_equal(found["frames"][name], frame, check_exact=exact)


@pytest.mark.parametrize(
    "source",
    [
        {"file": "shop.csv"},
        {"file": "shop.xlsx"},
        {"database": "duckdb://shop.duckdb", "table": "lines"},
        {"database": "duckdb://shop.duckdb", "query": "select * from lines"},
        {"database": "sqlite://shop.sqlite", "table": "lines"},
    ],
    ids=lambda source: f"{source.get('file') or source['database']} {'query' if 'query' in source else ''}".strip(),
)
def test_files_and_embedded_databases_give_the_same_tables(source, folder, reference, tmp_path):
    assert_same(tables(source, folder, tmp_path), reference)


@pytest.mark.parametrize(
    "how", [{"table": "lines"}, {"query": "select * from lines where quantity > -100"}], ids=["table", "query"]
)
def test_postgresql_gives_the_same_tables(postgres, how, folder, reference, tmp_path):
    assert_same(tables({"database": postgres, **how}, folder, tmp_path), reference)


@pytest.mark.parametrize(
    "how", [{"table": "lines"}, {"query": "select * from lines where quantity > -100"}], ids=["table", "query"]
)
def test_mariadb_gives_the_same_tables(mariadb, how, folder, reference, tmp_path):
    assert_same(tables({"database": mariadb, **how}, folder, tmp_path), reference)


@pytest.mark.parametrize("how", [{"table": "lines"}, {"query": "select * from lines"}], ids=["table", "query"])
@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_read_permission_is_enough(request, server, how, folder, reference, tmp_path):
    url = request.getfixturevalue(server).replace(f"://{servers.USER}:", f"://{servers.READER}:")
    assert_same(tables({"database": url, **how}, folder, tmp_path), reference)


def test_spark_gives_the_same_tables(spark, folder, reference, tmp_path):
    query = f"select * from parquet.`{folder / 'shop.parquet'}`"
    assert_same(tables({"database": spark, "query": query}, folder, tmp_path), reference)
    own = sources.databases.connect(spark, folder)._session.conf.get("spark.sql.warehouse.dir")
    assert own.endswith(f"{folder}/.cache/spark")  # not in the folder that make was called in


def test_text_in_a_number_column_of_sqlite_is_an_error(tmp_path):
    """SQLite stores such text and would read '1.250,50' as 1.25 and 'n/a' as 0."""
    engine = sqlite3.connect(tmp_path / "shop.sqlite")
    engine.execute("create table lines (customer_id integer, ordered_at timestamp, unit_price real, quantity integer)")
    rows = [
        (1, "2010-01-01 10:00:00", 2.5, 1),
        (2, "2010-01-02 10:00:00", "1.250,50", 1),
        (3, "2010-01-02 10:00:00", "n/a", 2),
        (4, "2010-01-03 10:00:00", "7", 1),
        (5, "2010-01-03 10:00:00", None, 1),
    ]
    engine.executemany("insert into lines values (?, ?, ?, ?)", rows)
    engine.commit()
    columns = Columns(**{name: name for name in ("customer_id", "ordered_at", "unit_price", "quantity")})
    with pytest.raises(SourceError) as error:
        sources.read_line_items(Source(database="sqlite://shop.sqlite", table="lines"), columns, tmp_path)
    assert (
        "column 'unit_price' (columns.unit_price): 2 rows without a readable number, for example '1.250,50', 'n/a'"
        in str(error.value)
    )


@pytest.mark.parametrize("kind", ["text", "timestamp"])
def test_sqlite_dates_with_an_offset_are_not_converted_to_utc(tmp_path, kind):
    """Half past midnight in Berlin is the day before in UTC. A csv gives the same error."""
    with sqlite3.connect(tmp_path / "shop.sqlite") as engine:
        engine.execute(f"create table lines (customer_id text, ordered_at {kind}, amount real)")
        days = ["2024-01-01T00:30:00+02:00", "2024-01-03 23:30:00Z", "2024-01-02 10:00:00", "2024-01-04"]
        engine.executemany("insert into lines values ('1', ?, 5)", [(day,) for day in days])
    columns = Columns(**{name: name for name in ("customer_id", "ordered_at", "amount")})
    words = [
        "'ordered_at' (columns.ordered_at): 2 rows without",
        "'2024-01-01T00:30:00+02:00'",
        "these dates have a time zone",
    ]
    url = "sqlite://shop.sqlite"
    assert_error(
        SourceError, tmp_path, *words, "substr(ordered_at, 1, 19)", columns=columns, database=url, table="lines"
    )
    for taken, hour in (
        ("substr(ordered_at, 1, 19)", "2024-01-01 00:30"),
        ("datetime(ordered_at)", "2023-12-31 22:30"),
    ):
        source = {"database": url, "query": f"select customer_id, {taken} as ordered_at, amount from lines"}
        found = sources.read_line_items(Source(**source), columns, tmp_path).ordered_at.execute().min()
        assert f"{found:%Y-%m-%d %H:%M}" == hour


def test_the_sql_for_bigquery_is_the_same(ledger):
    raw = ibis.table(ibis.memtable(ledger).schema(), name="lines")
    lines = sources.casting.standardize(sources.RawTable("lines", raw, None), COLUMNS.named)
    counted = cleaning.classify(lines, cleaning.removal_rules(lines, DAY)).filter(lambda t: t.removed_by.isnull())
    sql = str(ibis.to_sql(orders.orders_from_lines(counted), dialect="bigquery"))
    assert "GROUP BY" in sql
    assert "NUMERIC" in sql  # money is added up in decimals there too
    assert "`lines`" in sql


def test_generated_order_ids_are_the_same_on_all_engines(postgres, mariadb, folder, tmp_path):
    columns = Columns(**{name: name for name in SAME if name != "order_id"})
    found = []
    for number, source in enumerate(
        [{"file": "shop.parquet"}, *({"database": url, "table": "lines"} for url in (postgres, mariadb))]
    ):
        lines = sources.read_line_items(Source(**source), columns, folder)
        store = Run(tmp_path / str(number))
        store.save(orders.orders_from_lines(lines.filter(lines.customer_id.notnull())), "orders")
        found.append(store.load("orders"))
    pd.testing.assert_frame_equal(found[1], found[0])
    pd.testing.assert_frame_equal(found[2], found[0])


# what tells that a database has changed


def test_a_fingerprint_depends_on_the_data_up_to_the_day(folder, tmp_path):
    shutil.copy(folder / "shop.sqlite", tmp_path)
    source, early, late = {"database": "sqlite://shop.sqlite", "table": "lines"}, date(2010, 6, 30), date(2010, 12, 31)

    def taken(day: date) -> str:
        sources.databases.connect.cache_clear()
        sources._by_day.cache_clear()
        return sources.source_fingerprint(Source(**source), COLUMNS, tmp_path, day)

    before = taken(early), taken(late)
    assert before == (taken(early), taken(late))
    engine = ibis.sqlite.connect(tmp_path / "shop.sqlite").con
    engine.execute(
        "update lines set quantity = quantity + 1 where rowid in (select rowid from lines where ordered_at > "
        "'2010-09' and ordered_at < '2010-10' limit 1)"
    )
    engine.commit()
    assert taken(early) == before[0]
    assert taken(late) != before[1]


# what stops a run


def assert_error(kind: type, root: Path, *words: str, columns: Columns = COLUMNS, **source) -> None:
    sources.databases.connect.cache_clear()
    with pytest.raises(kind) as error:
        sources.read_line_items(Source(**source), columns, root)
    message = str(error.value)
    assert [word for word in words if word not in message] == [], message
    secrets = [servers.PASSWORD, os.environ.get("SHOP_PASSWORD", servers.PASSWORD), "p%40ss"]
    chain = [str(error.value.__cause__), message]
    assert not any(secret in text for secret in secrets for text in chain)


def test_a_missing_database_file_is_not_created(tmp_path):
    assert_error(SourceMissing, tmp_path, "none.sqlite does not exist", database="sqlite://none.sqlite", table="lines")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_down(secret, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for scheme, driver in (("postgresql", "psycopg"), ("mysql", "MySQLdb")):
        pytest.importorskip(driver)
        url = f"{scheme}://crm:${{SHOP_PASSWORD}}@127.0.0.1:{port}/shop"
        assert_error(SourceMissing, tmp_path, "127.0.0.1", "cannot be reached", "start it", database=url, table="lines")


def test_a_password_that_is_not_set(tmp_path, monkeypatch):
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    url = "postgresql://crm:${SHOP_PASSWORD}@127.0.0.1/shop"
    assert_error(
        SourceMissing,
        tmp_path,
        "environment variable SHOP_PASSWORD",
        "export SHOP_PASSWORD",
        database=url,
        table="lines",
    )


def test_a_wrong_password(postgres, mariadb, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "wrong-one")
    for url in (postgres, mariadb):
        assert_error(SourceError, tmp_path, "rejects the login", "SHOP_PASSWORD", database=url, table="lines")


def test_a_missing_table_or_column(postgres, mariadb, folder):
    for url in (postgres, mariadb, "sqlite://shop.sqlite", "duckdb://shop.duckdb"):
        assert_error(SourceError, folder, "no table 'line'", "did you mean 'lines'", database=url, table="line")
        wrong = COLUMNS.model_copy(update={"customer_id": "customer"})
        assert_error(
            SourceError, folder, "table 'lines' has no column 'customer'", columns=wrong, database=url, table="lines"
        )
        assert_error(SourceError, folder, "source.query", database=url, query="select * from nowhere")


def test_a_column_of_the_wrong_type(postgres, mariadb):
    for url in (postgres, mariadb):
        wrong = COLUMNS.model_copy(update={"unit_price": "product_id"})
        assert_error(
            SourceError,
            Path("/"),
            "table 'lines'",
            "'product_id' (columns.unit_price)",
            "3,000 rows of type string",
            "source.query",
            columns=wrong,
            database=url,
            table="lines",
        )
        wrong = COLUMNS.model_copy(update={"ordered_at": "order_id"})
        assert_error(
            SourceError,
            Path("/"),
            "'order_id' (columns.ordered_at)",
            "date is needed",
            columns=wrong,
            database=url,
            table="lines",
        )


def test_timestamps_with_a_time_zone_need_source_timezone(postgres, folder, reference, tmp_path):
    moments = ", ".join(f"{name} at time zone 'UTC' as {name}" if name == "ordered_at" else name for name in SAME)
    source = {"database": postgres, "query": f"select {moments} from lines"}
    assert_error(
        SourceError,
        folder,
        "'ordered_at' (columns.ordered_at): 3,000 rows with a time zone",
        "source.timezone: UTC",
        "source.query",
        **source,
    )
    assert_same(tables(source | {"timezone": "UTC"}, folder, tmp_path), reference)


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_numeric_ids_keep_all_their_digits(request, server, tmp_path):
    """Ids beyond the integers of any engine, and 7.0 as pandas writes 7."""
    url = request.getfixturevalue(server)
    columns = Columns(**{name: name for name in ("customer_id", "ordered_at", "amount")})
    kinds = {
        "numeric(20)": ["12345678901234567890", "7"],
        "numeric(30, 2)": ["12345678901234567890", "7", "2.50"],
        "double precision": ["100000000000000000000", "1234567890123456", "7"],
    }
    for number, (kind, ids) in enumerate(kinds.items()):
        engine = sources.databases.connect(url, Path("/"))
        moment = "datetime" if server == "mariadb" else "timestamp"
        engine.raw_sql(
            f"create table ids{number} (customer_id {kind}, ordered_at {moment}, amount numeric(9, 2))"
        ).close()
        rows = ", ".join(f"({text}, '2024-01-31', 5)" for text in ids)
        engine.raw_sql(f"insert into ids{number} values {rows}").close()
        engine.con.commit()
        found = sources.read_line_items(Source(database=url, table=f"ids{number}"), columns, tmp_path)
        assert sorted(found.customer_id.execute()) == sorted(ids)


def test_timestamps_of_a_server_in_another_zone_are_utc(mariadb, tmp_path, recwarn):
    """MySQL timestamps are points in time: 1 February on our server in Karachi is 31 January in UTC."""
    sources.databases.connect.cache_clear()
    engine = sources.databases.connect(mariadb, Path("/"))
    engine.raw_sql("create table moments (customer_id varchar(9), ordered_at timestamp, amount numeric(9, 2))").close()
    engine.raw_sql("insert into moments values ('1', from_unixtime(1706740200), 5)").close()
    engine.con.commit()
    columns = Columns(**{name: name for name in ("customer_id", "ordered_at", "amount")})
    source = {"database": mariadb, "table": "moments", "timezone": "UTC"}
    found = sources.read_line_items(Source(**source), columns, tmp_path).ordered_at.execute()
    assert [f"{moment:%Y-%m-%d %H:%M}" for moment in found] == ["2024-01-31 22:30"]
    assert [str(warning.message) for warning in recwarn if "timezone" in str(warning.message)] == []


def test_an_engine_that_is_not_installed(tmp_path):
    assert_error(
        SourceMissing, tmp_path, "snowflake", "pip install", database="snowflake://crm@account/shop", table="lines"
    )


def test_a_password_in_a_driver_message_is_masked(secret):
    url = "postgresql://crm:${SHOP_PASSWORD}@127.0.0.1/shop"
    filled = "postgresql://crm:p%40ss%2Fw%3Ard%20%2B%25@127.0.0.1/shop"
    text = f"bad dsn {filled} with {servers.PASSWORD}"
    shown = sources.databases.mask_url_secrets(text, url, filled)
    assert servers.PASSWORD not in shown
    assert "p%40ss" not in shown


# a report on a database, end to end


def fingerprints(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_make_new_reads_a_table_of_a_server(request, server, tmp_path):
    url = request.getfixturevalue(server)
    written, _, _ = new_report(tmp_path, "shop", database_source(url, "lines", None))
    found = yaml.safe_load(written.read_text())
    assert found["source"] == {"database": url, "table": "lines"}
    assert {"customer_id": "customer_id", "ordered_at": "ordered_at"}.items() <= found["columns"].items()
    assert servers.PASSWORD not in written.read_text()


def test_a_report_on_a_database_hides_the_password_and_keeps_its_published_pages(postgres, tmp_path):
    project = new_project(tmp_path / "project")
    (project / "params" / "small.yaml").unlink()
    (project / "params" / "shop.yaml").write_text(
        yaml.safe_dump(
            {
                "title": "Shop",
                "currency": "EUR",
                "source": {"database": postgres, "table": "lines"},
                "columns": COLUMNS.named,
                "analysis_dates": ["2011-10-31"],
                "confirmed": ["no_customer"],
            }
        )
    )
    done = run(project, "report")
    assert done.returncode == 0, done.stdout + done.stderr
    published = fingerprints(project / "reports" / "shop")
    assert published

    secrets = [
        text.encode() for text in (servers.PASSWORD, quote(servers.PASSWORD, safe=""), quote_plus(servers.PASSWORD))
    ]
    leaks = [
        path for path in project.rglob("*") if path.is_file() and any(secret in path.read_bytes() for secret in secrets)
    ]
    assert leaks == []
    assert not any(secret in (done.stdout + done.stderr).encode() for secret in secrets)

    engine = sources.databases.connect(postgres, Path("/"))
    engine.raw_sql(
        "insert into lines (customer_id, ordered_at, order_id, quantity, unit_price) values ('8', '2011-11-30', '9', "
        "1, 1)"
    ).close()
    again = run(project, "report")  # a line after the analysis date changes nothing
    assert (again.returncode, fingerprints(project / "reports" / "shop")) == (0, published)

    engine.raw_sql("delete from lines where ordered_at = '2011-11-30'").close()
    denied = run(project, "report", "--report", "shop", SHOP_PASSWORD="wrong-one")
    assert denied.returncode == 1
    assert "rejects the login" in denied.stderr
    assert "wrong-one" not in denied.stdout + denied.stderr
    assert "Traceback" not in denied.stderr
    assert fingerprints(project / "reports" / "shop") == published


def test_a_password_in_the_parameters_is_rejected(project):
    url = "postgresql://crm:open-secret@127.0.0.1/shop"
    text = (project / "params" / "small.yaml").read_text()
    (project / "params" / "small.yaml").write_text(
        text.replace("{file: small.csv}", f'{{database: "{url}", table: lines}}')
    )
    done = run(project, "report", "--report", "small")
    assert done.returncode == 1
    assert "source.database: write the password as ${NAME}" in done.stderr
    assert "open-secret" not in done.stdout + done.stderr
