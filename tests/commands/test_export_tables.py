"""Export to a database: replace this report and date, keep all others, and change nothing if it fails."""

from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest

from crm_utils.commands import export_tables as module
from crm_utils.commands.export_tables import TABLES, export_tables
from crm_utils.core.errors import SourceError
from crm_utils.sources import databases
from tests.support import servers
from tests.support.projects import run, skip_or_fail

DAY = date(1998, 6, 30)


def published(folder: Path, customers: int) -> Path:
    """Return a published folder with small tables of all column types."""
    (folder / "data").mkdir(parents=True)
    ids = [f"{number:03}" for number in range(customers)]
    frame = pd.DataFrame(
        {"customer_id": ids, "orders": range(customers), "revenue": 0.1, "last_order": pd.Timestamp(DAY)}
    )
    frame.assign(note=[None, *["x"] * (customers - 1)]).to_parquet(folder / "data" / "customers.parquet")
    pd.DataFrame({"customer_id": ids, "segment": "Can’t Lose Them"}).to_parquet(folder / "data" / "segments.parquet")
    pd.DataFrame({"customer_id": ids, "p_alive": [float("nan")] + [0.5] * (customers - 1)}).to_parquet(
        folder / "data" / "cltv.parquet"
    )
    pd.DataFrame({"campaign": ["a"], "spend": [1.5]}).to_parquet(folder / "data" / "budget.parquet")
    return folder


@pytest.fixture(scope="module", params=["sqlite", "duckdb", "postgresql", "mysql"])
def url(request, tmp_path_factory):
    databases.connect.cache_clear()
    if request.param in ("sqlite", "duckdb"):
        yield f"{request.param}://{tmp_path_factory.mktemp('out') / 'out.db'}"
        return
    start, driver = (servers.postgres, "psycopg") if request.param == "postgresql" else (servers.mariadb, "MySQLdb")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SHOP_PASSWORD", servers.PASSWORD)
        try:
            __import__(driver)
            running = start()
            place = running.__enter__()
        except (ModuleNotFoundError, servers.NotInstalled) as error:
            skip_or_fail(str(error))
        yield f"{request.param}://{servers.USER}:${{SHOP_PASSWORD}}@{place}"
        databases.connect.cache_clear()
        running.__exit__(None, None, None)


def rows(url: str, table: str) -> pd.DataFrame:
    frame = databases.connect(url, Path("/"), write=True).table(table).execute()
    return frame.sort_values(["report", "analysis_date", *frame.columns[2:3]], ignore_index=True)


def test_a_report_and_date_are_replaced_and_all_others_kept(url, tmp_path):
    first, other = published(tmp_path / "first", 3), published(tmp_path / "other", 2)
    assert export_tables(Path("/"), first, "shop", DAY, url) == {"customers": 3, "segments": 3, "cltv": 3, "budget": 1}
    export_tables(Path("/"), other, "shop", date(1997, 12, 31), url)
    export_tables(Path("/"), other, "outlet", DAY, url)
    export_tables(Path("/"), published(tmp_path / "again", 4), "shop", DAY, url)  # the same report and date, longer now
    found = rows(url, "customers")
    assert found.groupby(["report", found.analysis_date.astype(str).str[:10]]).size().to_dict() == {
        ("outlet", "1998-06-30"): 2,
        ("shop", "1997-12-31"): 2,
        ("shop", "1998-06-30"): 4,
    }
    shop = found[(found.report == "shop") & (found.orders == 0)]
    assert set(shop.customer_id) == {"000"}
    assert shop.note.isna().all()
    assert set(found.last_order.astype(str).str.removesuffix(" 00:00:00")) == {"1998-06-30"}
    assert rows(url, "cltv").p_alive.isna().sum() == 3  # NaN is NULL there
    assert set(rows(url, "segments").segment) == {"Can’t Lose Them"}


def test_a_failed_export_changes_nothing(url, tmp_path, monkeypatch):
    export_tables(Path("/"), published(tmp_path / "first", 3), "kept", DAY, url)
    before = {name: rows(url, name) for name in TABLES}
    replace = module._replace

    def breaks(cursor, engine, name, *rest):
        replace(cursor, engine, name, *rest)
        if name == "cltv":
            raise RuntimeError(f"the line is cut, says {servers.PASSWORD}")

    monkeypatch.setattr(module, "_replace", breaks)
    with pytest.raises(SourceError, match="nothing was written") as error:
        export_tables(Path("/"), published(tmp_path / "second", 5), "kept", DAY, url)
    if "SHOP_PASSWORD" in url:
        assert servers.PASSWORD not in str(error.value)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(rows(url, name), frame)


@pytest.mark.parametrize("column", ["lifecycle", 'of 14" screens', "a `b", "margin %", "%s"])
def test_a_new_column_is_added_whatever_its_name(url, column, tmp_path):
    export_tables(Path("/"), published(tmp_path / "narrow", 2), "narrow", DAY, url)
    folder = published(tmp_path / "wider", 2)
    path = folder / "data" / "segments.parquet"
    pd.read_parquet(path).assign(**{column: "new"}).to_parquet(path)
    export_tables(Path("/"), folder, "wider", DAY, url)
    found = rows(url, "segments")
    assert set(found[found.report == "wider"][column]) == {"new"}


def test_a_foreign_table_of_the_same_name_is_not_changed(tmp_path):
    url = f"sqlite://{tmp_path / 'shop.db'}"
    ibis.sqlite.connect(tmp_path / "shop.db").create_table("customers", pd.DataFrame({"id": [1]}))
    with pytest.raises(SourceError, match="'customers' without the columns report and analysis_date"):
        export_tables(Path("/"), published(tmp_path / "first", 2), "shop", DAY, url)
    assert ibis.sqlite.connect(tmp_path / "shop.db").table("customers").columns == ("id",)


def test_the_command_line(tmp_path, project):
    done = run(project, "export", "--report", "small", "--to", "sqlite://out.db")
    assert done.returncode == 1
    assert "make report REPORT=small DATE=1997-12-31" in done.stderr
    assert not (project / "out.db").exists()
    published(project / "reports" / "small" / "1997-12-31", 3)
    done = run(project, "export", "--report", "small", "--to", "sqlite://out.db")
    assert (done.returncode, done.stdout) == (
        0,
        "exported small 1997-12-31: customers 3 rows, segments 3 rows, cltv 3 rows, budget 1 row\n",
    )
    assert len(rows(f"sqlite://{project / 'out.db'}", "customers")) == 3
