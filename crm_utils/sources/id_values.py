"""Refuse columns of unsuitable types, and ids with characters that no list and no page can show."""

import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from crm_utils.config import Columns
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES
from crm_utils.sources import casting, validation
from crm_utils.sources.raw_table import RawTable

CONTROL_CHARACTERS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
# no joiners (U+200C, U+200D), which words of some languages and emojis need
INVISIBLE = r"[\x{ad}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2064}\x{feff}]"
LINE_ENDS = r"[^ \t\r\n] *[\t\r\n]\s*[^ \t\r\n]"  # those around an id are trimmed
LARGEST_EXACT = 2.0**53  # above it different whole numbers are the same float
SHOWN = 3
CHECKED_ENGINES = ("duckdb", "sqlite")  # others write regular expressions in another way


def check_column_types(parts: list[RawTable], columns: Columns) -> None:
    """Raise `SourceError` if a column has a type that cannot be what the parameters say: lists as ids, yes as a number.

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
        for name, column in ((name, column) for name, own in named.items() for column in own if column in schema):
            if kind := _unsuitable(schema[column], name):
                rows = validation.execute(part.table.aggregate(rows=part.table.count()), part).rows[0]
                raise SourceError(
                    f"{part.label}, column {column!r} (columns.{name}): {MESSAGES.plural(rows, 'row')} with {kind} "
                    f"(type {schema[column]}), but {_needed(name)} is needed; choose another column, or compute it in "
                    "source.query"
                )


def _unsuitable(kind: dt.DataType, name: str) -> str | None:
    if kind.is_binary():
        return "bytes"
    if kind.is_array():
        return "lists"
    if kind.is_nested():
        return "records"
    if kind.is_boolean():
        return "yes or no"
    return "times without a date" if name == "ordered_at" and (kind.is_time() or kind.is_interval()) else None


def _needed(name: str) -> str:
    if name in casting.TEXT_COLUMNS:
        return "text or a whole number"
    return "a date" if name == "ordered_at" else "a number"


def unfit_ids(part: RawTable, column_map: dict[str, str]) -> dict[str, ir.BooleanValue]:
    """Conditions under which an id cannot be shown, or told from others, by the standard name of its column."""
    engine = part.table.get_backend().name
    if part.format is None and engine not in CHECKED_ENGINES:
        return {}
    columns = {name: part.table[column_map[name]] for name in casting.ID_COLUMNS if name in column_map}
    found: dict[str, ir.BooleanValue] = {}
    for name, column in columns.items():
        if column.type().is_string():
            found[name] = column.re_search(_pattern(name, engine)).fill_null(False)
        elif column.type().is_floating() and part.format is not None:
            found[name] = ((column.abs() >= LARGEST_EXACT) & ~column.isnan()).fill_null(False)
    return found


def _pattern(name: str, engine: str) -> str:
    """A regular expression for characters that an id must not have. A product may be named in several lines."""
    pattern = CONTROL_CHARACTERS if name == "product_id" else f"{CONTROL_CHARACTERS}|{INVISIBLE}|{LINE_ENDS}"
    if engine == "sqlite":
        pattern = pattern.replace(r"\x{ad}", r"\xad").replace(r"\x{", r"\u").replace("}", "")
    return pattern


def refuse_unfit_ids(part: RawTable, name: str, column: str, is_unfit: ir.BooleanValue, rows: float) -> None:
    """Raise `SourceError` with examples of the ids that cannot be shown, or told from others."""
    label = f"{part.label}, column {column!r} (columns.{name}): {MESSAGES.plural(rows, 'row')}"
    if not part.table[column].type().is_string():
        raise SourceError(
            f"{label} with an id of more than 15 digits, stored as a decimal number, so that its last digits are lost; "
            "export the ids as text"
        )
    shown = part.table.filter(is_unfit).select(text=part.table[column]).distinct().order_by("text").limit(SHOWN)
    examples = ", ".join(repr(text[:80]) for text in validation.execute(shown, part).text)
    raise SourceError(
        f"{label} with a control character or an invisible one in the id, for example {examples}; remove these "
        "characters, or export the file again"
    )
