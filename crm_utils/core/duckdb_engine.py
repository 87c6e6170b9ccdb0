"""The DuckDB engine of this process. It has a memory limit and spills to disk beyond it."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend
from ibis.util import gen_name

from crm_utils.core.files import temporary_folder

MB_PER_CORE, RAISED_MB_PER_CORE = 200, 800
BATCH_ROWS, SAMPLED_ROWS = 100_000, 4_000_000
HASHES = 2**64


@cache
def duckdb() -> BaseBackend:
    """Ibis's default DuckDB connection: for files, stored tables and rows fetched from other engines."""
    return with_memory_limit(ibis.get_backend())


def with_memory_limit(engine: BaseBackend) -> BaseBackend:
    """Limit a DuckDB connection to `MB_PER_CORE` of memory per core. It spills the rest to its own folder."""
    _limit(engine, MB_PER_CORE)
    engine.raw_sql(f"SET temp_directory = '{temporary_folder()}'")
    engine.raw_sql("SET preserve_insertion_order = false")
    return engine


def read_parquet(path: Path) -> ir.Table:
    """A parquet file as a view; always the same one while the file does not change."""
    status = path.stat()
    return _view_parquet(path, status.st_size, status.st_mtime_ns)


@cache
def _view_parquet(path: Path, size: int, changed: int) -> ir.Table:
    return duckdb().read_parquet(path)


@contextmanager
def raised_memory_limit() -> Iterator[None]:
    """Raise DuckDB's limit to `RAISED_MB_PER_CORE`, so that groups of customer and product do not all spill."""
    _limit(duckdb(), RAISED_MB_PER_CORE)
    try:
        yield
    finally:
        _limit(duckdb(), MB_PER_CORE)


def materialize(table: ir.Table) -> ir.Table:
    """The same rows, computed once and stored in DuckDB. On another engine no table is created."""
    return table.cache() if table.get_backend().name == "duckdb" else to_duckdb(table)


def concatenate(parts: list[ir.Table]) -> ir.Table:
    """All rows of tables with the same columns, stored in DuckDB.

    The tables are read one at a time: DuckDB allocates about 30 MB per open text file. A table of another engine comes
    alone and is streamed; one of another DuckDB connection stays there.
    """
    engine, name = duckdb(), gen_name("gathered")
    if parts[0].get_backend() is not engine:
        (table,) = parts
        return to_duckdb(table)
    engine.create_table(name, parts[0], temp=True)
    for part in parts[1:]:
        engine.insert(name, part)
    return engine.table(name)


def to_duckdb(table: ir.Table) -> ir.Table:
    """The same table on DuckDB. A table of another engine is streamed; one that is on DuckDB already is not read.

    The other engine is only asked for rows, so its user needs only the right to read.
    """
    if table.get_backend().name == "duckdb":
        return table
    engine, name = duckdb(), gen_name("streamed")
    with table.to_pyarrow_batches(chunk_size=BATCH_ROWS) as batches:
        engine.con.register(f"{name}_batches", batches)
        engine.con.execute(f"CREATE TEMP TABLE {name} AS FROM {name}_batches")
        engine.con.unregister(f"{name}_batches")
    return engine.table(name)


def materialize_in_process(table: ir.Table) -> ir.Table:
    """Compute a table once if its engine runs in this process. A table on a server is returned unchanged.

    DuckDB would otherwise compute the table twice, and SQLite cannot parse deep expressions. On a server the user may
    only have the right to read.
    """
    return table.cache() if table.get_backend().name in ("sqlite", "duckdb") else table


def sample_groups(table: ir.Table, column: str) -> ir.Table:
    """All rows of one in so many values of a column, so that about `SAMPLED_ROWS` are left. Fewer rows are all kept."""
    one_in = math.ceil(table.count().execute() / SAMPLED_ROWS)
    return table.filter(is_picked(table[column], one_in)) if one_in > 1 else table


def is_picked(text: ir.StringValue, one_in: int) -> ir.BooleanValue:
    """Whether a text is among one in so many texts; the same ones in each query.

    It is a comparison because DuckDB tests that before it computes the other columns, unlike a remainder.
    """
    return _hash(text) < ibis.literal(HASHES // one_in, "uint64")


@ibis.udf.scalar.builtin(name="hash", signature=(("string",), "uint64"))
def _hash(text: str) -> int:
    """DuckDB's `hash`. Ibis casts it to a signed number in ten times the time."""
    raise NotImplementedError


def _limit(engine: BaseBackend, megabytes: int) -> None:
    engine.raw_sql(f"SET memory_limit = '{megabytes * max(os.cpu_count() or 2, 2)}MB'")
