"""Refuse ids and texts that are bytes or lists, and ids with control characters, which no list and no page can show."""

import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from crm_utils.config import Columns
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES
from crm_utils.sources import casting, validation
from crm_utils.sources.raw_table import RawTable

CONTROL_CHARACTERS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
INSIDE = rf"{CONTROL_CHARACTERS}|[^ \t\r\n] *[\t\r\n]\s*[^ \t\r\n]"  # tabs and line ends around an id are trimmed
SHOWN = 3
CHECKED_ENGINES = ("duckdb", "sqlite")  # others write regular expressions in another way


def check_text_columns(parts: list[RawTable], columns: Columns) -> None:
    """Raise `SourceError` if a column of ids or texts holds bytes, lists or records.

    Parameters
    ----------
    parts : list of RawTable
        The parts of the source.
    columns : Columns
        The source's column, or columns, for each standard name.
    """
    named = {**{name: [own] for name, own in columns.named.items()}, **columns.joined_ids}
    for part in parts:
        schema = part.table.schema()
        for name in casting.TEXT_COLUMNS:
            for column in named.get(name, []):
                if column in schema and (kind := _unsuitable(schema[column])):
                    rows = validation.execute(part.table.aggregate(rows=part.table.count()), part).rows[0]
                    raise SourceError(
                        f"{part.label}, column {column!r} (columns.{name}): {MESSAGES.plural(rows, 'row')} with {kind} "
                        f"(type {schema[column]}), but text or a whole number is needed; choose another column, or "
                        f"write it as text in source.query"
                    )


def _unsuitable(kind: dt.DataType) -> str | None:
    if kind.is_binary():
        return "bytes"
    if kind.is_array():
        return "lists"
    return "records" if kind.is_nested() else None


def control_characters(part: RawTable, column_map: dict[str, str]) -> dict[str, ir.BooleanValue]:
    """Conditions under which an id has a control character, by the standard name of its column."""
    if part.format is None and part.table.get_backend().name not in CHECKED_ENGINES:
        return {}
    texts = {name: part.table[column_map[name]] for name in casting.ID_COLUMNS if name in column_map}
    return {
        name: text.re_search(CONTROL_CHARACTERS if name == "product_id" else INSIDE).fill_null(False)
        for name, text in texts.items()
        if text.type().is_string()
    }


def refuse_control_characters(part: RawTable, name: str, column: str, has_one: ir.BooleanValue, rows: float) -> None:
    """Raise `SourceError` with examples of the ids that have a control character."""
    shown = part.table.filter(has_one).select(text=part.table[column]).distinct().order_by("text").limit(SHOWN)
    examples = ", ".join(map(repr, validation.execute(shown, part).text))
    raise SourceError(
        f"{part.label}, column {column!r} (columns.{name}): {MESSAGES.plural(rows, 'row')} with a control character "
        f"in the id, for example {examples}; remove these characters, or export the file again"
    )
