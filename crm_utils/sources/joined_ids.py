"""Ids made of several columns, such as store and number: `customer_id: [store, id]`, `order_id: [date, number]`."""

import functools
from collections.abc import Sequence
from dataclasses import replace

import ibis.expr.types as ir

from crm_utils.config import Columns
from crm_utils.core.errors import SourceError
from crm_utils.sources import casting, validation
from crm_utils.sources.raw_table import RawTable

MARK = "-"


def join_ids(parts: list[RawTable], columns: Columns) -> tuple[list[RawTable], Columns]:
    """Compute the ids that are lists of columns. The engine that holds the data does it.

    Parameters
    ----------
    parts : list of RawTable
        The parts of the source. One that has the joined column already keeps it.
    columns : Columns
        The source's column, or columns, for each standard name.

    Returns
    -------
    list of RawTable, Columns
        The parts with a text column for each joined id, and the columns with its name in place of the list.

    Raises
    ------
    SourceError
        If a part lacks one of the columns.
    """
    joined = columns.with_joined_ids()
    for name, own in columns.joined_ids.items():
        label = joined.named[name]
        parts = [_add(part, label, own, columns.ordered_at, f"columns.{name}") for part in parts]
    return parts, joined


def join_columns(part: RawTable, own: Sequence[str], date_column: str, parameter: str) -> ir.StringValue:
    """Join columns by `-`: dates as days, everything else as text. Null if one of them is empty."""
    for column in own:
        if column not in part.table.columns:
            raise SourceError(validation.missing_column(part, column, parameter))
    texts = [_as_text(part, column, column == date_column) for column in own]
    return functools.reduce(lambda left, right: left + MARK + right, texts)


def _add(part: RawTable, label: str, own: Sequence[str], date_column: str, parameter: str) -> RawTable:
    if label in part.table.columns:
        return part
    return replace(part, table=part.table.mutate(**{label: join_columns(part, own, date_column, parameter)}))


def _as_text(part: RawTable, column: str, is_date: bool) -> ir.StringValue:
    values = part.table[column]
    if is_date or values.type().is_temporal():
        moment: ir.TimestampValue = casting.cast(values, "ordered_at", part.format)
        return moment.date().cast("string")
    return casting.cast(values, "order_id", part.format)
