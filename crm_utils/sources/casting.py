"""Cast the columns of a source to the types of the standard columns. A value that cannot be read becomes null."""

import math
import re
from collections.abc import Collection
from datetime import datetime

import ibis
import ibis.expr.types as ir

from crm_utils.sources.email_ids import EMAIL
from crm_utils.sources.raw_table import RawTable, TextFormat

PRICE_TYPE = "decimal(18, 4)"
# Ibis gives a product of two prices the type PRICE_TYPE and would skip a cast to it, so amounts have another precision
AMOUNT_TYPE = "decimal(17, 4)"
TEXT_COLUMNS = ("customer_id", "order_id", "product_id", "description", "country", "refund_of", "refund_customer_id")
ID_COLUMNS = ("customer_id", "order_id", "product_id", "refund_of", "refund_customer_id")
CUSTOMER_COLUMNS = ("customer_id", "refund_customer_id")  # whose e-mail addresses are compared without case
# What a spreadsheet writes in place of the result of a formula
SPREADSHEET_ERRORS = (
    "#REF!",
    "#VALUE!",
    "#NAME?",
    "#DIV/0!",
    "#NUM!",
    "#NULL!",
    "#N/A",
    "#SPILL!",
    "#CALC!",
    "#ERROR!",
)
NULL_IDS = (  # how programs write a missing id
    *SPREADSHEET_ERRORS,
    "NULL",
    "null",
    "NA",
    "N/A",
    "n/a",
    "NaN",
    "nan",
    "None",
    "none",
    "\\N",
)
NUMBER_COLUMNS = ("quantity", "unit_price", "unit_cost", "amount")
TYPES = dict.fromkeys(TEXT_COLUMNS, "string") | dict.fromkeys(NUMBER_COLUMNS, PRICE_TYPE) | {"ordered_at": "timestamp"}
WITH_OFFSET = r"\d:\d\d.*([+-]\d\d(:?\d\d)?|Z|UTC)$"
# a thousands separator that is neither a comma nor a point
GROUP_MARK = r"(?<=\d)['’\s](?=\d{3}(?!\d))"
ACCOUNTING_NEGATIVE = r"^(?:\(([^()-]+)\)|([^()-]+)-)$"  # accounting style: (12.50), 12,50-
CURRENCY_SIGN = r"R\$|[$£€¥₹₺₽₩₪₴₫฿円元]|zł|Kč|kr\b|\b[A-Z]{3}\b"
BLANKS = r" \x{a0}\x{2009}\x{202f}"  # a blank, and those that do not break a line
HARD_BLANK = "\u00a0"  # what spreadsheets and web pages have around texts
ODD_SIGN = r"[()–—−\x{a0}\x{2009}\x{202f}]|-$"  # brackets, dashes, blanks, a minus sign at the end
NO_CENTS = r"[.,:][-–—]+$"  # CHF 1’234.– and 12:-
ALIKE_MARKS = ("'’", " \u00a0\u2009\u202f")  # thousands separators that look alike, so a file may mix them
EXCEL = "excel"  # days since 1899-12-30


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp"))
def _try_strptime(text: str, pattern: str) -> datetime:
    """DuckDB's `try_strptime`: null if the text does not match the pattern."""
    raise NotImplementedError


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp('UTC')"))
def _try_strptime_with_offset(text: str, pattern: str) -> datetime:
    """DuckDB's `try_strptime` for a pattern with %z: a point in time."""
    raise NotImplementedError


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
def _local_time(zone: str, moment: datetime) -> datetime:
    """DuckDB's `timezone`: the local time of a zone at a point in time."""
    raise NotImplementedError


def standardize(part: RawTable, column_map: dict[str, str], clean_columns: Collection[str] = ()) -> ir.Table:
    """Select a table's columns with standard names and types, and compute `amount` if the source has none.

    Parameters
    ----------
    part : RawTable
        A part of the source.
    column_map : dict of str to str
        The source's column for each standard name, without those that are computed.
    clean_columns : collection of str
        The standard names of columns that are clean: they are cast without trimming or repair.

    Returns
    -------
    ibis.Table
        One row per line item, with the standard columns of `column_map` and `amount`.
    """
    raw = part.table
    columns = {
        name: raw[column].cast(TYPES[name]) if name in clean_columns else cast(raw[column], name, part.format)
        for name, column in column_map.items()
    }
    table = raw.select(**columns | {name: raw[column] for name, column in part.computed.items()})
    if "amount" in table.columns:
        return table
    return table.mutate(amount=as_money(table.quantity * table.unit_price, AMOUNT_TYPE))


def cast(column: ir.Column, name: str, format: TextFormat | None) -> ir.Column:
    """Cast a column to the type of the standard column `name`.

    `format` says how text is read; None leaves it to the engine.
    """
    if name in TEXT_COLUMNS:
        return _as_text(column, name, format)
    if name in NUMBER_COLUMNS:
        return _as_number(column, format)
    return _as_moment(column) if format is None else _as_time(column, format)


def _as_text(column: ir.Column, name: str, format: TextFormat | None) -> ir.StringColumn:
    kind = column.type()
    if kind.is_floating() or kind.is_decimal():  # spreadsheets and pandas store 12346 as 12346.0
        if format and kind.is_floating() and name in ID_COLUMNS:
            column = ibis.ifelse(column.isnan(), ibis.null(kind), column)
        column = _digits(column)
        if format:
            return column
    elif _engine(column) == "mysql" and kind.is_string():
        column = column.cast(
            "!string"
        )  # uses the connection's collation, so that ids that differ in case are different
    if format is None:
        text = column.cast("string").strip()
        text = ibis.ifelse(text.contains(EMAIL), text.lower(), text) if name in CUSTOMER_COLUMNS else text
        return (text.isin(["", *NULL_IDS]).ifelse(ibis.null("string"), text)) if name in ID_COLUMNS else text.nullif("")
    if not column.type().is_string():
        return column.cast("string")
    tidied = column.strip().nullif("")
    if name in ID_COLUMNS:
        tidied = tidied.re_replace(rf"^[\s{HARD_BLANK}]+|[\s{HARD_BLANK}]+$", "")
        tidied = tidied.re_replace(r"^(\d+)\.0$", r"\1").nullif("")
        tidied = _is_null_id(tidied).ifelse(ibis.null("string"), tidied)
    if name in CUSTOMER_COLUMNS:
        tidied = ibis.ifelse(tidied.contains(EMAIL), tidied.lower(), tidied)
    # trimming every row would cost as much as all the later steps
    untrimmed = needs_trimming(column, name)[0]
    return ibis.ifelse(untrimmed | _is_null_id(column) if name in ID_COLUMNS else untrimmed, tidied, column)


def _is_null_id(text: ir.StringColumn) -> ir.BooleanValue:
    """Whether a text is a word for a missing id. DuckDB would turn `isin` into a join that tidies every row."""
    return text.re_search(f"^({'|'.join(map(re.escape, NULL_IDS))})$")


def _digits(number: ir.NumericColumn) -> ir.StringColumn:
    """Write numbers as text; whole numbers of up to 29 digits without decimals."""
    kind = number.type()
    if kind.is_decimal() and _engine(number) != "sqlite":  # SQLite stores floats in columns of type decimal
        whole = number.cast("decimal(38, 0)")
        return ibis.ifelse(whole.cast(kind) == number, whole.cast("string"), number.cast("string"))
    size, none = number.abs(), ibis.null(kind)
    small = ibis.ifelse(size < 2.0**63, number, none).cast("int64")  # NaN compares as larger than any number
    large = ibis.ifelse((size >= 2.0**63) & (size < 1e29), number, none).cast("decimal(38, 0)").cast("string")
    return ibis.coalesce(ibis.ifelse(small == number, small.cast("string"), large), large, number.cast("string"))


def needs_trimming(text: ir.StringColumn, name: str) -> list[ir.BooleanValue]:
    """Conditions under which a text needs trimming: empty, or a blank or control character at either end.

    Ids also need it if they end in `.0` or are a word for a missing id, and ids of customers if they are e-mail
    addresses. The word for a missing id is a condition of its own because DuckDB can check it from the statistics of a
    parquet file.
    """
    untrimmed = text < "!"
    for end in " \t\n\r":
        untrimmed = untrimmed | text.endswith(end)
    if name not in ID_COLUMNS:
        return [untrimmed]
    untrimmed = untrimmed | text.endswith(".0") | text.endswith(HARD_BLANK) | text.startswith(HARD_BLANK)
    return [untrimmed | text.contains(EMAIL) if name in CUSTOMER_COLUMNS else untrimmed, text.isin(NULL_IDS)]


def as_factor(column: ir.Column, format: TextFormat | None) -> ir.Column:
    """A column as numbers to calculate with: a rate may have more decimals than money, or be written as 10%."""
    if format is None:
        return column.cast("float64")
    if not column.type().is_string():
        return (column.nullif(math.nan) if column.type().is_floating() else column).try_cast("float64")
    number = _plain_number(column.replace("%", ""), format).try_cast("float64").nullif(math.nan)
    return ibis.ifelse(column.contains("%"), number / 100, number)


def _as_number(column: ir.Column, format: TextFormat | None) -> ir.Column:
    if format is None:
        return as_money(column)
    if not column.type().is_string():
        return (column.nullif(math.nan) if column.type().is_floating() else column).try_cast(PRICE_TYPE)
    return _plain_number(column, format).try_cast(PRICE_TYPE)


def _plain_number(column: ir.StringColumn, format: TextFormat) -> ir.StringColumn:
    """A number in text, without a currency sign and thousands separators, with a decimal point."""
    text = column.strip().nullif("")
    if format.currency_sign:
        text = text.replace(format.currency_sign, "").strip()
    tidied = (
        text.re_replace(f"^[{BLANKS}]+|[{BLANKS}]+$", "")
        .re_replace(NO_CENTS, "")
        .replace("−", "-")
        .re_replace(ACCOUNTING_NEGATIVE, r"-\1\2")
    )
    text = ibis.ifelse(text.re_search(ODD_SIGN), tidied, text)
    decimal = re.escape(format.decimal or ".")
    if format.thousands:
        marks = next((marks for marks in ALIKE_MARKS if format.thousands in marks), format.thousands)
        mark = f"[{re.escape(marks)}]"
        # groups of three digits, or of two above the last three: 12,34,567
        grouped = rf"^[+-]?\d{{1,3}}(({mark}\d{{3}})+|({mark}\d{{2}})+{mark}\d{{3}})({decimal}\d*)?$"
        plain = text.replace(marks, "") if len(marks) == 1 else text.re_replace(mark, "")
        text = ibis.ifelse(text.re_search(grouped), plain, text)
    if format.decimal and format.decimal != ".":
        text = text.replace(".", "?").replace(format.decimal, ".")  # a point then makes the number unreadable
    return text


def _as_moment(column: ir.Column) -> ir.TimestampColumn:
    """Cast to a timestamp; SQLite dates with a UTC offset become null, as in a csv, instead of being converted."""
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
    if isinstance(format.date_format, str) and "%z" in format.date_format:
        moment = _try_strptime_with_offset(text, format.date_format)
        plain = moment.cast("timestamp")
        return _local_time(format.timezone, moment) if format.timezone else plain.nullif(plain)
    if isinstance(format.date_format, list):
        return ibis.coalesce(*(_try_strptime(text, pattern) for pattern in format.date_format))
    if format.date_format:
        return _try_strptime(text, format.date_format)
    text = text.nullif("epoch")  # which DuckDB reads as 1970
    plain = text.re_replace(r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3").try_cast("timestamp")
    if not format.timezone:
        return ibis.ifelse(text.re_search(WITH_OFFSET), ibis.null("timestamp"), plain)
    moment = text.re_replace(r" +([+-]\d\d(:?\d\d)?|Z)$", r"\1").try_cast("timestamp('UTC')")
    return ibis.ifelse(text.re_search(WITH_OFFSET), _local_time(format.timezone, moment), plain)


def parse_date(text: ir.StringColumn, pattern: str) -> ir.TimestampColumn:
    """Read text by a strptime pattern, on DuckDB; null if it does not match."""
    return _try_strptime(text, pattern)


def as_money(number: ir.NumericColumn, kind: str = PRICE_TYPE) -> ir.NumericColumn:
    """Cast a number to money, with four decimals."""
    if _engine(number) == "sqlite":  # SQLite has no decimal type
        return number.cast("float64").round(4)
    return number.cast(kind)


def _engine(column: ir.Column) -> str | None:
    try:
        return column.get_backend().name
    except Exception:  # noqa: BLE001  the expression has no engine: it is only compiled to SQL
        return None
