"""Any source as one Ibis table of line items: files on DuckDB, databases on the engine that holds them."""

import hashlib
from datetime import date
from functools import cache
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.config import Columns, Source
from crm_utils.core import duckdb_engine
from crm_utils.sources import casting, databases, parquet_statistics, simulated, text_files, validation
from crm_utils.sources.customer_tables import read_customer_tables
from crm_utils.sources.raw_table import RawTable, TextFormat

__all__ = ["RawTable", "read_raw_tables", "source_fingerprint", "read_line_items", "read_customer_tables"]


def read_line_items(source: Source, columns: Columns, root: Path, day: date | None = None) -> ir.Table:
    """Read a source as line items in standard names and types. Nothing is held in memory.

    Parameters
    ----------
    source : Source
        Where the line items are.
    columns : Columns
        The source's column for each standard name.
    root : Path
        The project's folder. Paths of files are relative to it.
    day : datetime.date, optional
        The analysis date. With it a few rows dated more than a year after it, and after all others, are refused.

    Returns
    -------
    ibis.Table
        One row per line item: customer_id (text, null if unknown), ordered_at (timestamp), amount (decimal), and
        those of order_id, product_id, description, country (text), quantity, unit_price and unit_cost (decimal)
        that `columns` names. With several files or sheets also extract (0, 1, 2 … in the order given).

    Raises
    ------
    SourceError
        If a file cannot be read, a column is missing, a value is no date or number, or a sale has no order id
        although `columns` names one.
    """
    source = simulated.write_files(source, root)
    wanted = columns.named
    parts = read_raw_tables(source, root)
    validation.check_columns_present(parts, wanted)
    typed = []
    for part in parts:
        validation.check_time_zones(part, wanted, source.timezone)
        within = parquet_statistics.columns_in_range(part, wanted)
        validation.check_readable_values(part, wanted, within, day)
        sound = parquet_statistics.already_clean(part, wanted, within)
        if "order_id" in wanted:
            validation.check_order_ids(part, wanted, sound)
        typed.append(casting.standardize(part.table, wanted, part.format, sound))
    if len(typed) == 1:
        return typed[0]
    numbered = [table.mutate(extract=ibis.literal(number, "int64")) for number, table in enumerate(typed)]
    return ibis.union(*numbered) if all(part.columnar for part in parts) else duckdb_engine.concatenate(numbered)


def read_raw_tables(source: Source, root: Path) -> list[RawTable]:
    """The parts of a source as they stand there: one for each file or sheet, or one table of a database."""
    if source.database:
        return [databases.read_database(source, root)]
    return text_files.read_files(source, root, TextFormat.of(source))


def source_fingerprint(source: Source, columns: Columns, root: Path, day: date) -> str:
    """What identifies the line items of a database up to a day: their number and sum on each day.

    The last day is included. One query over the table serves all days of a report. Ids and products corrected in place
    do not show.
    """
    days = _by_day(source.model_dump_json(), columns.model_dump_json(), root)
    return hashlib.sha256(days[days.day <= pd.Timestamp(day)].to_csv().encode()).hexdigest()


@cache
def _by_day(source_json: str, columns_json: str, root: Path) -> pd.DataFrame:
    source, columns = Source.model_validate_json(source_json), Columns.model_validate_json(columns_json)
    summed = ("ordered_at", *casting.NUMBER_COLUMNS)
    wanted = {name: column for name, column in columns.named.items() if name in summed}
    part = databases.read_database(source, root)
    validation.check_columns_present([part], wanted)
    validation.check_types(part, wanted)
    table = casting.standardize(part.table, wanted, None).mutate(day=lambda t: t.ordered_at.date())
    days = validation.execute(
        table.group_by("day").agg(rows=table.count(), amount=table.amount.sum()).order_by("day"), part
    )
    return days.astype({"day": "datetime64[us]", "amount": float}).round({"amount": 4})
