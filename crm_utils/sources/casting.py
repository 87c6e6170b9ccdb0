"""What a column of a source holds, as the type its standard name asks for. What cannot be read becomes null."""

import re
from collections.abc import Collection
from datetime import datetime

import ibis
import ibis.expr.types as ir

from crm_utils.sources.raw_table import TextFormat

PRICE_TYPE = "decimal(18, 4)"
AMOUNT_TYPE = (
    "decimal(17, 4)"  # Ibis takes a product for MONEY already, which it is not, and would leave a cast to it out
)
TEXT_COLUMNS = ("customer_id", "order_id", "product_id", "description", "country")
ID_COLUMNS = ("customer_id", "order_id", "product_id")
NULL_IDS = (
    "NULL",
    "null",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "NaN",
    "nan",
    "None",
    "none",
    "\\N",
)  # as programs write that there is none
NUMBER_COLUMNS = ("quantity", "unit_price", "unit_cost", "amount")
TYPES = dict.fromkeys(TEXT_COLUMNS, "string") | dict.fromkeys(NUMBER_COLUMNS, PRICE_TYPE) | {"ordered_at": "timestamp"}
WITH_OFFSET = r"\d:\d\d.*([+-]\d\d(:?\d\d)?|Z|UTC)$"
GROUP_MARK = (
    r"(?<=\d)['’\s](?=\d{3}(?!\d))"  # what parts the thousands of a number, where it is neither comma nor point
)
ACCOUNTING_NEGATIVE = r"^(?:\(([^()-]+)\)|([^()-]+)-)$"  # negative numbers as bookkeepers write them: (12.50), 12,50-
EXCEL = "excel"  # days since 1899-12-30


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp"))
def _try_strptime(text: str, pattern: str) -> datetime:
    """DuckDB's own: null where the text does not follow the pattern."""
    raise NotImplementedError


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp('UTC')"))
def _try_strptime_with_offset(text: str, pattern: str) -> datetime:
    """What the same gives for a pattern with %z: a moment."""
    raise NotImplementedError


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
def _local_time(zone: str, moment: datetime) -> datetime:
    """DuckDB's own: what the clocks of a zone showed at a moment."""
    raise NotImplementedError


def standardize(
    raw: ir.Table, wanted: dict[str, str], format: TextFormat | None, sound: Collection[str] = ()
) -> ir.Table:
    """The table with its columns under standard names and types; `amount` computed where it is not there.

    sound: the standard names of the columns that are only cast.
    """
    columns = {
        name: raw[column].cast(TYPES[name]) if name in sound else cast(raw[column], name, format)
        for name, column in wanted.items()
    }
    table = raw.select(**columns)
    if "amount" in wanted:
        return table
    return table.mutate(amount=_money(table.quantity * table.unit_price, AMOUNT_TYPE))


def cast(column: ir.Column, name: str, format: TextFormat | None) -> ir.Column:
    """One column as the type of standard name `name`.

    `format` says how text is to be read; None leaves it to the engine.
    """
    if name in TEXT_COLUMNS:
        return _as_text(column, name, format)
    if name in NUMBER_COLUMNS:
        return _as_number(column, format)
    return _as_moment(column) if format is None else _as_time(column, format)


def _as_text(column: ir.Column, name: str, format: TextFormat | None) -> ir.StringColumn:
    kind = column.type()
    if kind.is_floating() or kind.is_decimal():  # a spreadsheet's or pandas' way to write 12346
        column = _digits(column)
    elif _engine(column) == "mysql" and kind.is_string():
        column = column.cast("!string")  # takes the connection's collation: ids that differ in case are different ids
    if format is None:
        text = column.cast("string").strip()
        return (text.isin(["", *NULL_IDS]).ifelse(ibis.null("string"), text)) if name in ID_COLUMNS else text.nullif("")
    if not column.type().is_string():
        return column.cast("string")
    tidied = column.strip().nullif("")
    if name in ID_COLUMNS:
        tidied = tidied.re_replace(r"^(\d+)\.0$", r"\1")
        tidied = tidied.isin(NULL_IDS).ifelse(ibis.null("string"), tidied)
    return ibis.ifelse(
        ibis.or_(*needs_trimming(column, name)), tidied, column
    )  # tidying all would cost as much as all that follows


def _digits(number: ir.NumericColumn) -> ir.StringColumn:
    """Numbers as text: whole ones by their digits, as far as 29 of them go."""
    kind = number.type()
    if kind.is_decimal() and _engine(number) != "sqlite":  # which keeps floats under that name
        whole = number.cast("decimal(38, 0)")
        return ibis.ifelse(whole.cast(kind) == number, whole.cast("string"), number.cast("string"))
    size, none = number.abs(), ibis.null(kind)
    small = ibis.ifelse(size < 2.0**63, number, none).cast("int64")  # not of NaN, which is above all numbers
    large = ibis.ifelse((size >= 2.0**63) & (size < 1e29), number, none).cast("decimal(38, 0)").cast("string")
    return ibis.coalesce(ibis.ifelse(small == number, small.cast("string"), large), large, number.cast("string"))


def needs_trimming(text: ir.StringColumn, name: str) -> list[ir.BooleanValue]:
    """What makes a text one to tidy: empty, a blank or a control character at an end.

    For ids also `.0`, and those that are none.

    Apart, because of a parquet file DuckDB answers the last from its statistics.
    """
    ragged = text < "!"
    for end in " \t\n\r":
        ragged = ragged | text.endswith(end)
    return [ragged | text.endswith(".0"), text.isin(NULL_IDS)] if name in ID_COLUMNS else [ragged]


def _as_number(column: ir.Column, format: TextFormat | None) -> ir.Column:
    if format is None:
        return _money(column)
    if not column.type().is_string():
        return (column.nullif(float("nan")) if column.type().is_floating() else column).try_cast(PRICE_TYPE)
    text = column.strip().nullif("")
    if format.currency_sign:
        text = text.replace(format.currency_sign, "").strip()
    text = ibis.ifelse(text.re_search(ACCOUNTING_NEGATIVE), text.re_replace(ACCOUNTING_NEGATIVE, r"-\1\2"), text)
    decimal = re.escape(format.decimal or ".")
    if format.thousands:
        grouped = rf"^[+-]?\d{{1,3}}({re.escape(format.thousands)}\d{{3}})+({decimal}\d*)?$"
        text = ibis.ifelse(text.re_search(grouped), text.replace(format.thousands, ""), text)
    if format.decimal and format.decimal != ".":
        text = text.replace(".", "?").replace(format.decimal, ".")  # a point is then no part of a number
    return text.try_cast(PRICE_TYPE)


def _as_moment(column: ir.Column) -> ir.TimestampColumn:
    """SQLite keeps dates as text, and would move one with an offset to UTC without a word: it is null, as in a csv."""
    kind, plain = column.type(), column.cast("timestamp")
    if _engine(column) != "sqlite" or (kind.is_timestamp() and kind.timezone is not None):
        return plain
    return ibis.ifelse(column.cast("string").re_search(WITH_OFFSET), ibis.null("timestamp"), plain)


def _as_time(column: ir.Column, format: TextFormat) -> ir.TimestampColumn:
    kind = column.type()
    if kind.is_timestamp() and kind.timezone is not None:
        plain = column.cast("timestamp")
        return _local_time(format.timezone, column) if format.timezone else plain.nullif(plain)
    if kind.is_temporal():
        return column.cast("timestamp")
    text = _as_text(column, "order_id", format)
    if format.date_format == EXCEL:
        seconds = (text.try_cast("float64") * 86_400).round().cast("int64")
        return ibis.timestamp("1899-12-30 00:00:00") + seconds.as_interval("s")
    if format.date_format and "%z" in format.date_format:
        moment = _try_strptime_with_offset(text, format.date_format)
        plain = moment.cast("timestamp")
        return _local_time(format.timezone, moment) if format.timezone else plain.nullif(plain)
    if format.date_format:
        return _try_strptime(text, format.date_format)
    plain = text.re_replace(r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3").try_cast("timestamp")
    if not format.timezone:
        return ibis.ifelse(text.re_search(WITH_OFFSET), ibis.null("timestamp"), plain)
    moment = text.re_replace(r" +([+-]\d\d(:?\d\d)?|Z)$", r"\1").try_cast("timestamp('UTC')")
    return ibis.ifelse(text.re_search(WITH_OFFSET), _local_time(format.timezone, moment), plain)


def _money(number: ir.NumericColumn, kind: str = PRICE_TYPE) -> ir.NumericColumn:
    if _engine(number) == "sqlite":  # which has no decimals
        return number.cast("float64").round(4)
    return number.cast(kind)


def _engine(column: ir.Column) -> str | None:
    try:
        return column.get_backend().name
    except Exception:  # noqa: BLE001  an expression without an engine, compiled for a dialect
        return None
