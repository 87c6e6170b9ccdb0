"""Export the tables of one report and date to a database that may hold other reports and dates too."""

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
PLACEHOLDERS = {"postgres": "%s", "mysql": "%s", "sqlite": "?", "duckdb": "?"}


def export_tables(root: Path, folder: Path, report: str, day: date, url: str) -> dict[str, int]:
    """Write the published tables in `folder` to the database at `url`; return the number of rows of each.

    Each table starts with the columns `report` and `analysis_date`. Rows of this report and date are replaced, and all
    others are kept. Missing tables and columns are added. If it raises `SourceError`, no rows have changed.
    """
    missing = [name for name in TABLES if not (folder / "data" / f"{name}.parquet").exists()]
    if missing:
        raise SourceError(f"{report} {day} has no table {missing[0]}; run make report REPORT={report} DATE={day} first")
    engine = databases.connect(url, root, write=True)
    if engine.name not in PLACEHOLDERS:
        raise SourceError(
            f"results cannot be exported to {engine.name}; use PostgreSQL, MySQL, MariaDB, SQLite or DuckDB"
        )
    tables = {name: _read_table(folder / "data" / f"{name}.parquet") for name in TABLES}
    try:
        for name, table in tables.items():
            _add_missing_columns(engine, name, ibis.schema(KEY | dict(sch.Schema.from_pyarrow(table.schema).items())))
        with _one_transaction(engine) as cursor:
            for name, table in tables.items():
                _replace(cursor, engine, name, table, report, day)
    except SourceError:
        raise
    except Exception as error:  # each driver has its own errors
        reason = databases.mask_url_secrets(" ".join(str(error).split()), url, url)[:300]
        raise SourceError(f"nothing was written to {mask_secrets(url)}: {reason}") from None
    return {name: table.num_rows for name, table in tables.items()}


def _read_table(path: Path) -> pa.Table:
    """Read a published table, with dates as the type date."""
    table = pq.read_table(path)
    days = CONTRACTS[path.stem].dates
    fields = [field.with_type(pa.date32()) if field.name in days else field for field in table.schema]
    return table.cast(pa.schema(fields))


def _add_missing_columns(engine: BaseBackend, name: str, schema: sch.Schema) -> None:
    """Create the table, or add its missing columns.

    Databases commit when a table is created or altered, so this happens before the transaction.
    """
    if name not in engine.list_tables():
        engine.create_table(name, schema=schema)
        return
    columns = engine.table(name).columns
    if not set(KEY) <= set(columns):
        raise SourceError(
            f"the database has a table {name!r} without the columns report and analysis_date; "
            "it is not an export of ours, so export to another schema or database"
        )
    quote = _identifier_quoting(engine)
    for column, kind in schema.items():
        if column not in columns:
            type_name = engine.compiler.type_mapper.to_string(kind)
            engine.raw_sql(f"ALTER TABLE {quote(name)} ADD COLUMN {quote(column)} {type_name}")


@contextmanager
def _one_transaction(engine: BaseBackend) -> Iterator[Any]:
    """Open a cursor of the database driver in a transaction, which is rolled back if the block fails."""
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
    placeholder, quote = PLACEHOLDERS[engine.name], _identifier_quoting(engine)
    cursor.execute(
        f"DELETE FROM {quote(name)} WHERE report = {placeholder} AND analysis_date = {placeholder}", (report, str(day))
    )
    columns = [*KEY, *table.column_names]
    insert = f"INSERT INTO {quote(name)} ({', '.join(map(quote, columns))})"
    if engine.name == "duckdb":  # DuckDB inserts whole tables much faster than single rows
        cursor.register("written", table)
        cursor.execute(f"{insert} SELECT {placeholder}, {placeholder}, * FROM written", (report, day))
        return
    if placeholder == "%s":  # these drivers read any single % as a placeholder
        insert = insert.replace("%", "%%")
    statement = f"{insert} VALUES ({', '.join([placeholder] * len(columns))})"
    for batch in table.to_batches(max_chunksize=50_000):
        rows = zip(*(_to_driver_values(column, engine.name) for column in batch.columns), strict=True)
        cursor.executemany(statement, [(report, str(day), *row) for row in rows])


def _to_driver_values(column: Any, engine: str) -> list[Any]:
    """Convert a column to values that every driver accepts: NaN to NULL and, for SQLite, dates to text."""
    values = [None if value != value else value for value in column.to_pylist()]
    if engine == "sqlite":
        return [str(value) if hasattr(value, "isoformat") else value for value in values]
    return values


def _identifier_quoting(engine: BaseBackend) -> Callable[[str], str]:
    mark = "`" if engine.name == "mysql" else '"'
    return lambda name: f"{mark}{name.replace(mark, 2 * mark)}{mark}"
