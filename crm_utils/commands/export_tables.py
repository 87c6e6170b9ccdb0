"""Write the tables of one report and date to a database, beside those of other reports and dates."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.schema as sch
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends import BaseBackend

from crm_utils.core.contracts import CONTRACTS
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import mask_secrets
from crm_utils.sources import databases

TABLES = ("customers", "segments", "cltv", "budget")
KEY = {"report": "string", "analysis_date": "date"}
MARKS = {"postgres": "%s", "mysql": "%s", "sqlite": "?", "duckdb": "?"}


def export_tables(root: Path, folder: Path, report: str, day: date, url: str) -> dict[str, int]:
    """Write the published tables in `folder` to the database at `url`; return the rows of each.

    Each table has the columns `report` and `analysis_date` in front. Rows of this report and date are replaced, all
    others stay; a failure leaves everything as it was. Missing tables and columns are added. Raises `SourceError`.
    """
    missing = [name for name in TABLES if not (folder / "data" / f"{name}.parquet").exists()]
    if missing:
        raise SourceError(f"{report} {day} has no table {missing[0]}: make report REPORT={report} DATE={day} first")
    engine = databases.connect(url, root, write=True)
    if engine.name not in MARKS:
        raise SourceError(
            f"results cannot be written to {engine.name}: use PostgreSQL, MySQL, MariaDB, SQLite or DuckDB"
        )
    tables = {name: _read(folder / "data" / f"{name}.parquet") for name in TABLES}
    try:
        for name, table in tables.items():
            _make_room(engine, name, ibis.schema(KEY | dict(sch.Schema.from_pyarrow(table.schema).items())))
        with _one_transaction(engine) as cursor:
            for name, table in tables.items():
                _replace(cursor, engine, name, table, report, day)
    except SourceError:
        raise
    except Exception as error:  # each driver has errors of its own
        reason = databases.mask_url_secrets(" ".join(str(error).split()), url, url)[:300]
        raise SourceError(f"nothing was written to {mask_secrets(url)}: {reason}") from None
    return {name: table.num_rows for name, table in tables.items()}


def _read(path: Path) -> pa.Table:
    """A published table, whole days as dates."""
    table = pq.read_table(path)
    days = CONTRACTS[path.stem].dates
    fields = [field.with_type(pa.date32()) if field.name in days else field for field in table.schema]
    return table.cast(pa.schema(fields))


def _make_room(engine: BaseBackend, name: str, schema: sch.Schema) -> None:
    """The table with all columns.

    Databases commit when a table is made or altered, so this comes before the transaction.
    """
    if name not in engine.list_tables():
        engine.create_table(name, schema=schema)
        return
    there = engine.table(name).columns
    if not set(KEY) <= set(there):
        raise SourceError(
            f"the database has a table {name!r} without the columns report and analysis_date, so it is not ours: "
            "export to another schema or database"
        )
    quoted = _quoted(engine)
    for column, kind in schema.items():
        if column not in there:
            type_name = engine.compiler.type_mapper.to_string(kind)
            engine.raw_sql(f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column)} {type_name}")


@contextmanager
def _one_transaction(engine: BaseBackend) -> Iterator[Any]:
    """A cursor of the driver's own. What is done with it counts as a whole or, if the block fails, not at all."""
    cursor = engine.con.cursor()
    cursor.execute("BEGIN")
    try:
        yield cursor
        cursor.execute("COMMIT")
    except BaseException:
        cursor.execute("ROLLBACK")
        raise
    finally:
        cursor.close()


def _replace(cursor: Any, engine: BaseBackend, name: str, table: Any, report: str, day: date) -> None:
    mark, quoted = MARKS[engine.name], _quoted(engine)
    cursor.execute(f"DELETE FROM {quoted(name)} WHERE report = {mark} AND analysis_date = {mark}", (report, str(day)))
    columns = [*KEY, *table.column_names]
    into = f"INSERT INTO {quoted(name)} ({', '.join(map(quoted, columns))})"
    if engine.name == "duckdb":  # which takes rows one by one slowly, and whole tables at once
        cursor.register("written", table)
        cursor.execute(f"{into} SELECT {mark}, {mark}, * FROM written", (report, day))
        return
    into = into.replace("%", "%%") if mark == "%s" else into  # its drivers take a single % for a mark
    statement = f"{into} VALUES ({', '.join([mark] * len(columns))})"
    for batch in table.to_batches(max_chunksize=50_000):
        rows = zip(*(_plain(column, engine.name) for column in batch.columns), strict=True)
        cursor.executemany(statement, [(report, str(day), *row) for row in rows])


def _plain(column: Any, engine: str) -> list[Any]:
    """Values that every driver takes: NaN is NULL, and SQLite, which has no dates, gets them as text."""
    values = [None if value != value else value for value in column.to_pylist()]
    if engine == "sqlite":
        return [str(value) if hasattr(value, "isoformat") else value for value in values]
    return values


def _quoted(engine: BaseBackend) -> Callable[[str], str]:
    sign = "`" if engine.name == "mysql" else '"'
    return lambda name: f"{sign}{name.replace(sign, 2 * sign)}{sign}"
