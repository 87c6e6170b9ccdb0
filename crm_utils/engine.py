"""The engine in this process: DuckDB under a limit of memory, beyond which it works on disk."""

import os
import tempfile
from functools import cache

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend
from ibis.util import gen_name

MEGABYTES = 200  # for each core
BATCH = 100_000  # rows


@cache
def duckdb() -> BaseBackend:
    """Ibis's own DuckDB, which holds files, stored tables and what is fetched from other engines."""
    return limited(ibis.get_backend())


def limited(engine: BaseBackend) -> BaseBackend:
    """A connection to DuckDB that holds at most `MEGABYTES` a core in memory and spills the rest to a folder of its own."""
    cores = max(os.cpu_count() or 2, 2)
    engine.raw_sql(f"SET memory_limit = '{MEGABYTES * cores}MB'")
    engine.raw_sql(f"SET temp_directory = '{tempfile.gettempdir()}/crm-report-{os.getpid()}'")
    engine.raw_sql("SET preserve_insertion_order = false")
    return engine


def held(table: ir.Table) -> ir.Table:
    """The same rows, computed once and held by DuckDB here: another engine hands them over, and keeps nothing."""
    return table.cache() if table.get_backend().name == "duckdb" else here(table)


def here(table: ir.Table) -> ir.Table:
    """The same table on DuckDB: unread where it lies there already, else streamed from the engine that holds it.

    The engine is asked for rows only, so its user needs no right but to read.
    """
    if table.get_backend().name == "duckdb":
        return table
    engine, name = duckdb(), gen_name("streamed")
    with table.to_pyarrow_batches(chunk_size=BATCH) as batches:
        engine.con.register(f"{name}_batches", batches)
        engine.con.execute(f"CREATE TEMP TABLE {name} AS FROM {name}_batches")
        engine.con.unregister(f"{name}_batches")
    return engine.table(name)


def shallow(table: ir.Table) -> ir.Table:
    """The same table as one that SQLite's parser can take: there a temporary one, elsewhere the expression as it is."""
    return table.cache() if table.get_backend().name == "sqlite" else table
