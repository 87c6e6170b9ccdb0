"""Any source as one Ibis table of line items in standard names: files on DuckDB, databases on the engine that holds them."""

import hashlib
import json
from datetime import date
from functools import cache
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.core import duckdb_engine
from crm_utils.sources import casting, databases, parquet_statistics, simulated, text_files, validation
from crm_utils.sources.customer_tables import side_tables
from crm_utils.sources.raw_table import Extract, Format

__all__ = ["Extract", "extracts", "fingerprint", "line_items", "side_tables"]


def line_items(source: dict, columns: dict[str, str | None], root: Path, day: date | None = None) -> ir.Table:
    """One row per line item.

    Columns: `customer_id` (text, null where unknown), `ordered_at` (timestamp), `amount` (decimal), and those of
    `order_id, product_id, description, country` (text), `quantity, unit_price, unit_cost` (decimal) that `columns` maps;
    `extract` (0, 1, 2 … in the order given) where the source is several files or sheets.
    Raises `SourceError` for an unreadable file, a missing column, values that are no date or number, or sales without an
    order id where `columns` maps it; with the analysis date `day` also for a few rows dated more than a year after it and after all others.
    """
    source = simulated.as_file(source, root)
    wanted = {name: column for name, column in columns.items() if column is not None}
    parts = extracts(source, root)
    validation.refuse_missing_columns(parts, wanted)
    typed = []
    for part in parts:
        validation.refuse_time_zones(part, wanted, source.get("timezone"))
        within = parquet_statistics.within_bounds(part, wanted)
        validation.refuse_unreadable_values(part, wanted, within, day)
        sound = parquet_statistics.sound(part, wanted, within)
        if "order_id" in wanted:
            validation.refuse_blank_orders(part, wanted, sound)
        typed.append(casting.standard(part.table, wanted, part.format, sound))
    if len(typed) == 1:
        return typed[0]
    numbered = [table.mutate(extract=ibis.literal(number, "int64")) for number, table in enumerate(typed)]
    return ibis.union(*numbered) if all(part.columnar for part in parts) else duckdb_engine.gathered(numbered)


def extracts(source: dict, root: Path) -> list[Extract]:
    """The parts of a source as they stand there: one for each file or sheet, or one table of a database."""
    if source.get("database"):
        return [databases.extract(source, root)]
    return text_files.extracts(source, root, Format.of(source))


def fingerprint(source: dict, columns: dict[str, str | None], root: Path, day: date) -> str:
    """What identifies the line items of a database up to a day: their number and sum on each day, the last one included.

    One query over the table serves all days of a report. Ids and products corrected in place do not show.
    """
    days = _by_day(json.dumps([source, columns], default=str), root)
    return hashlib.sha256(days[days.day <= pd.Timestamp(day)].to_csv().encode()).hexdigest()


@cache
def _by_day(asked: str, root: Path) -> pd.DataFrame:
    source, columns = json.loads(asked)
    wanted = {
        name: column for name, column in columns.items() if column and name in ("ordered_at", *casting.NUMBER_COLUMNS)
    }
    part = databases.extract(source, root)
    validation.refuse_missing_columns([part], wanted)
    validation.refuse_wrong_types(part, wanted)
    table = casting.standard(part.table, wanted, None).mutate(day=lambda t: t.ordered_at.date())
    days = validation.executed(
        table.group_by("day").agg(rows=table.count(), amount=table.amount.sum()).order_by("day"), part
    )
    return days.astype({"day": "datetime64[us]", "amount": float}).round({"amount": 4})
