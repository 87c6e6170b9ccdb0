"""The same line items through every kind of source give the same tables; databases that fail say why, and no secret."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest
import servers
from conftest import skip_or_fail

from crm_utils import cleaning, orders, rfm, sources
from crm_utils.store import Store

pytestmark = pytest.mark.xdist_group("servers")
SAME = ["customer_id", "ordered_at", "order_id", "product_id", "quantity", "unit_price", "country"]
COLUMNS = {name: name for name in SAME}
DAY = date(2011, 12, 9)


@pytest.fixture(scope="module")
def ledger() -> pd.DataFrame:
    """3,000 line items with what engines treat differently: ids that differ in case, leading zeros, umlauts, odd prices."""
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
    """A folder with the line items in every kind of file."""
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
    """The password of the test servers, where a URL finds it."""
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
    yield from server(servers.postgres, "postgresql", "psycopg", ledger)


@pytest.fixture(scope="module")
def mariadb(secret, ledger):
    yield from server(servers.mariadb, "mariadb", "MySQLdb", ledger)


def fill(engine, scheme: str, ledger: pd.DataFrame) -> None:
    """A table as a shop's own system would have it, its rows written in plain SQL."""
    text = "varchar(40)"
    moment = "datetime" if scheme == "mariadb" else "timestamp"
    columns = f"customer_id {text}, ordered_at {moment}, order_id {text}, product_id {text}, quantity integer, unit_price numeric(12, 3), country {text}"
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
    """Ledger, orders and customers of a source, through the store as a notebook would write them."""
    lines = sources.line_items(source, COLUMNS, root)
    rules = cleaning.rules(lines, DAY, "keep", ["POST"], ["7"])
    classified = cleaning.classify(lines, rules)
    log = cleaning.ledger(classified, list(rules))
    store = Store(run)
    store.save(log, "cleaning_log")
    store.save(orders.from_lines(cleaning.counted(classified, log, DAY)), "orders")
    store.save(rfm.score(rfm.measures(store.scan("orders"), DAY)), "customers")
    return {name: store.path(name).read_bytes() for name in ("cleaning_log", "orders", "customers")} | {
        "frames": {name: pd.read_parquet(store.path(name)) for name in ("cleaning_log", "orders", "customers")}
    }


@pytest.fixture(scope="module")
def reference(folder, tmp_path_factory) -> dict:
    return tables({"file": "shop.parquet"}, folder, tmp_path_factory.mktemp("reference"))


def test_the_reference_is_what_pandas_adds_up(reference, ledger):
    counts = ledger[
        ledger.customer_id.notna()
        & ~ledger.order_id.str.startswith("C")
        & (ledger.product_id != "POST")
        & (ledger.customer_id != "7")
        & (ledger.quantity > 0)
        & (ledger.ordered_at < "2011-12-10")
    ]
    expected = (counts.quantity * counts.unit_price).groupby([counts.customer_id, counts.order_id]).sum()
    found = reference["frames"]["orders"].set_index(["customer_id", "order_id"]).revenue
    pd.testing.assert_series_equal(found, expected.sort_index(), check_names=False, check_index_type=False, rtol=1e-12)
    assert {"ab", "AB", "007", "Zoë", "Müller", "muller"} <= set(reference["frames"]["customers"].customer_id)


def assert_same(found: dict, reference: dict) -> None:
    for name, frame in reference["frames"].items():
        pd.testing.assert_frame_equal(found["frames"][name], frame, check_exact=True)


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


def test_spark_gives_the_same_tables(spark, folder, reference, tmp_path):
    query = f"select * from parquet.`{folder / 'shop.parquet'}`"
    assert_same(tables({"database": spark, "query": query}, folder, tmp_path), reference)
