"""The engine in this process: DuckDB under a limit of memory, beyond which it works on disk."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

import ibis
import ibis.expr.types as ir
import psutil
from ibis.backends import BaseBackend
from ibis.util import gen_name

MB_PER_CORE, RAISED_MB_PER_CORE = 200, 800  # for each core
BATCH_ROWS = 100_000  # rows
SPILL_PREFIX = "crm-report"


@cache
def duckdb() -> BaseBackend:
    """Ibis's own DuckDB, which holds files, stored tables and what is fetched from other engines."""
    return with_memory_limit(ibis.get_backend())


def with_memory_limit(engine: BaseBackend) -> BaseBackend:
    """Limit a DuckDB connection to `MB_PER_CORE` of memory a core. It spills the rest to a folder of its own."""
    _limit(engine, MB_PER_CORE)
    engine.raw_sql(f"SET temp_directory = '{_spill_folder()}'")
    engine.raw_sql("SET preserve_insertion_order = false")
    return engine


@contextmanager
def raised_memory_limit() -> Iterator[None]:
    """Raise DuckDB's limit to `RAISED_MB_PER_CORE`, so that groups of customer and product do not all spill."""
    _limit(duckdb(), RAISED_MB_PER_CORE)
    try:
        yield
    finally:
        _limit(duckdb(), MB_PER_CORE)


def materialize(table: ir.Table) -> ir.Table:
    """The same rows, computed once and held by DuckDB here: another engine hands them over, and keeps nothing."""
    return table.cache() if table.get_backend().name == "duckdb" else to_duckdb(table)


def concatenate(parts: list[ir.Table]) -> ir.Table:
    """All rows of tables with the same columns, held by DuckDB.

    The tables are read one at a time: DuckDB allocates about 30 MB per open text file.
    """
    engine, name = duckdb(), gen_name("gathered")
    engine.create_table(name, parts[0], temp=True)
    for part in parts[1:]:
        engine.insert(name, part)
    return engine.table(name)


def to_duckdb(table: ir.Table) -> ir.Table:
    """The same table on DuckDB: unread where it lies there already, else streamed from the engine that holds it.

    The engine is asked for rows only, so its user needs no right but to read.
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
    """Compute a table once if its engine runs in this process, and leave it as it is on a server.

    DuckDB would compute it twice, and SQLite's parser takes no deep expression. The user of a server may only read.
    """
    return table.cache() if table.get_backend().name in ("sqlite", "duckdb") else table


def _spill_folder() -> str:
    """A new folder for what does not fit in memory, which only this user may read and which ends with this process.

    What killed processes left goes first: they could not remove it, and it holds customers' data.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{SPILL_PREFIX}-*-*"):
        process = left.name.split("-")[2]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"{SPILL_PREFIX}-{os.getpid()}-")
    Finalize(None, shutil.rmtree, [folder, True], exitpriority=0)  # in a forked kernel too, where atexit does nothing
    return folder


def _limit(engine: BaseBackend, megabytes: int) -> None:
    engine.raw_sql(f"SET memory_limit = '{megabytes * max(os.cpu_count() or 2, 2)}MB'")
