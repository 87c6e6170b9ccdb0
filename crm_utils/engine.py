"""The engine in this process: DuckDB under a limit of memory, beyond which it works on disk."""

import os
import tempfile
from functools import cache

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

MEGABYTES = 200  # for each core


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
    return table.cache() if table.get_backend().name == "duckdb" else _fetched(table)


def here(table: ir.Table) -> ir.Table:
    """The same rows on DuckDB: each engine sorts text in an order of its own."""
    return table if table.get_backend().name == "duckdb" else _fetched(table)


def _fetched(table: ir.Table) -> ir.Table:
    with table.to_pyarrow_batches() as batches:
        engine, name = duckdb(), ibis.util.gen_name("fetched")
        engine.con.register("batches", batches)
        engine.con.execute(f"CREATE TEMP TABLE {name} AS FROM batches")
        engine.con.unregister("batches")
    return engine.table(name)
