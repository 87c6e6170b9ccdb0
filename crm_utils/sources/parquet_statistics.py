"""What a parquet file tells of its columns without being read: whether all in them can be taken as it stands."""

import math

import ibis.expr.types as ir
import pandas as pd

from crm_utils.config.report import YEARS
from crm_utils.sources import casting, validation
from crm_utils.sources.raw_table import RawTable


def columns_in_range(part: RawTable, wanted: dict[str, str]) -> set[str]:
    """The dates and numbers of a file whose smallest and largest value prove that all can be read.

    A parquet file tells these without being read. `amount` is among them where quantity × unit_price cannot be too
    much.
    """
    raw = part.table
    kinds = {name: raw[wanted[name]].type() for name in ("ordered_at", *casting.NUMBER_COLUMNS) if name in wanted}
    written = kinds.pop("ordered_at")
    dated = written.is_timestamp() and written.timezone is None
    numbers = [name for name, kind in kinds.items() if kind.is_numeric()]
    if part.format is None or not (numbers or dated):
        return set()
    columns = {name: raw[wanted[name]] for name in [*numbers, *["ordered_at"] * dated]}
    ends = {f"{name}_{end}": getattr(column, end)() for name, column in columns.items() for end in ("min", "max")}
    found = validation.execute(
        raw.aggregate(rows=raw.count(), dated=raw[wanted["ordered_at"]].count(), **ends), part
    ).iloc[0]
    spans = {name: (found[f"{name}_min"], found[f"{name}_max"]) for name in columns}
    spans = {name: span for name, span in spans.items() if not pd.isna(span[0]) and not pd.isna(span[1])}
    most = {name: max(-low, high) for name, (low, high) in spans.items() if name in numbers}
    within = {name for name, value in most.items() if value <= validation.LARGEST}
    if float(most.get("quantity", math.inf)) * float(most.get("unit_price", math.inf)) <= validation.LARGEST:
        within.add("amount")
    first, last = spans.get("ordered_at", (None, None))
    if first is not None and found.dated == found.rows and YEARS[0] <= first.year <= last.year <= YEARS[1]:
        within.add("ordered_at")
    return within


def already_clean(part: RawTable, wanted: dict[str, str], within: set[str]) -> set[str]:
    """The columns of a parquet file that are clean: numbers within bounds, and texts with nothing to trim.

    A filter or two a column, which DuckDB tries on the file's dictionaries: a tenth of what it costs to look at every
    row.
    """
    if not part.columnar:
        return set()
    columns = {name: part.table[column] for name, column in wanted.items()}
    within = within & set(wanted)
    floats = [name for name in within if columns[name].type().is_floating()]
    care = {name: [columns[name].isnan()] for name in floats}  # bounds leave nan out
    texts = [name for name in columns if name in casting.TEXT_COLUMNS and columns[name].type().is_string()]
    care |= {name: casting.needs_trimming(columns[name], name) for name in texts}
    return within - set(care) | {name for name, needed in care.items() if not any(_holds(part, one) for one in needed)}


def _holds(part: RawTable, condition: ir.BooleanValue) -> bool:
    rows = part.table.filter(condition).limit(1)
    return bool(validation.execute(rows.aggregate(rows=rows.count()), part).rows[0])
