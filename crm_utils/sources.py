"""Any source as one Ibis table of line items in standard names."""

import difflib
from pathlib import Path

import ibis
import ibis.expr.types as ir

from crm_utils.formats import plural
from crm_utils.locate import SourceError, source_file

MONEY = "decimal(18, 4)"
TEXT_COLUMNS = ("customer_id", "order_id", "product_id", "description", "country")
NUMBER_COLUMNS = ("quantity", "unit_price", "amount")


def line_items(source: dict, columns: dict[str, str], root: Path) -> ir.Table:
    """One row per line item.

    Columns: `customer_id` (text, null where unknown), `ordered_at` (timestamp), `amount` (decimal), and those of
    `order_id, product_id, description, country` (text), `quantity, unit_price` (decimal) that `columns` maps.
    Raises `SourceError` for an unreadable file, a missing column, or values that are no date or number.
    """
    path = source_file(source, root)
    raw = _cdnow(path) if source.get("sample") == "cdnow" else _file(path)
    wanted = {name: column for name, column in columns.items() if column is not None}
    _refuse_missing_columns(raw, wanted, path.name)
    named = raw.select(**{name: raw[column] for name, column in wanted.items()})
    typed = named.mutate(**{name: _typed(named[name], name) for name in wanted})
    _refuse_lost_values(named, wanted, path.name)
    if "amount" not in wanted:
        typed = typed.mutate(amount=(typed.quantity * typed.unit_price).cast(MONEY))
    return typed


def _cdnow(path: Path) -> ir.Table:
    text = ibis.read_csv(path, header=False, skip=1, columns={"line": "VARCHAR"}, delim="\x01", quote="")
    fields = text.line.strip().re_split(r"\s+")
    return text.select(customer_id=fields[0], date=fields[1], number_of_cds=fields[2], dollar_value=fields[3])


def _file(path: Path) -> ir.Table:
    try:
        if path.suffix == ".parquet":
            return ibis.read_parquet(path)
        return ibis.read_csv(path, all_varchar=True, header=True)
    except Exception as error:  # DuckDB's own errors name neither the file as the user knows it nor the cure
        raise SourceError(
            f"{path.name} cannot be read as {path.suffix.lstrip('.')}: {str(error).splitlines()[0]}"
        ) from error


def _refuse_missing_columns(raw: ir.Table, wanted: dict[str, str], file: str) -> None:
    for name, column in wanted.items():
        if column not in raw.columns:
            near = difflib.get_close_matches(column, raw.columns, n=1)
            raise SourceError(
                f"{file} has no column {column!r} (columns.{name}); "
                + (f"did you mean {near[0]!r}? " if near else "")
                + f"It has: {', '.join(raw.columns)}"
            )


def _typed(column: ir.Column, name: str) -> ir.Column:
    if name in TEXT_COLUMNS:
        return column.cast("string").strip().nullif("")
    if name in NUMBER_COLUMNS:
        return column.try_cast(MONEY)
    if not column.type().is_string():
        return column.cast("timestamp")
    compact = column.re_replace(r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3")
    return compact.try_cast("timestamp")


def _refuse_lost_values(named: ir.Table, wanted: dict[str, str], file: str) -> None:
    """A date or number that cannot be read, or a date that is not there, stops the run. One pass over the source."""
    lost = {}
    for name in ("ordered_at", *NUMBER_COLUMNS):
        if name in wanted:
            unread = _typed(named[name], name).isnull()
            lost[name] = unread if name == "ordered_at" else unread & named[name].notnull()
    counts = named.aggregate(**{name: bad.sum() for name, bad in lost.items()}).execute().iloc[0].fillna(0)
    for name, rows in counts[counts > 0].items():
        examples = (
            named.filter(lost[name])[name]
            .cast("string")
            .fill_null("(empty)")
            .name(name)
            .as_table()
            .limit(3)
            .execute()[name]
        )
        raise SourceError(
            f"{file}, column {wanted[name]!r} (columns.{name}): {plural(rows, 'row')} without a readable "
            f"{'date' if name == 'ordered_at' else 'number'}, for example {', '.join(map(repr, examples))}; "
            "correct these rows, or name another column"
        )
