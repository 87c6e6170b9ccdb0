"""From the engine that holds the line items to DuckDB: what later steps compute is computed there, and only there."""

import ibis
import ibis.expr.types as ir
from ibis.util import gen_name

BATCH = 100_000


def in_duckdb(table: ir.Table, lasting: bool = True) -> ir.Table:
    """The same table on DuckDB: unread where it lies there already, else streamed from the engine that holds it.

    The engine is asked for rows only, so its user needs no right but to read. What is not `lasting` gets a DuckDB of its
    own, which ends with the table; all others share one, so that they can be joined.
    """
    if table.get_backend().name == "duckdb":
        return table
    engine, name = ibis.get_backend() if lasting else ibis.duckdb.connect(), gen_name("streamed")
    with table.to_pyarrow_batches(chunk_size=BATCH) as batches:
        engine.con.register(f"{name}_batches", batches)
        engine.con.execute(f"create temp table {name} as from {name}_batches")
        engine.con.unregister(f"{name}_batches")
    return engine.table(name)


def shallow(table: ir.Table) -> ir.Table:
    """The same table as one that SQLite's parser can take: there a temporary one, elsewhere the expression as it is."""
    return table.cache() if table.get_backend().name == "sqlite" else table
