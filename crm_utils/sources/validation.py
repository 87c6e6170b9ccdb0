"""Check a source before a report is built: missing columns, and values that are not dates or numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd

from crm_utils.config.report import YEARS
from crm_utils.core.constants import CANCELLED_ORDER_ID
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES, mask_secrets, without_advice
from crm_utils.core.suggestions import did_you_mean, plain_name
from crm_utils.sources import casting, date_formats, mixed_dates, repair_hints
from crm_utils.sources.raw_table import RawTable

SAMPLE = 500
MOST_NAMES, LONGEST_NAME = 50, 60
SHOWN = 5  # columns without a name whose positions are listed
SILENT_DAYS, FEW_ROWS, FEW_SHARE = 366, 2, 0.05  # if so few rows follow a gap this long, their dates are wrong
LARGEST = 50_000_000_000
FIRST_DAYS, FEWEST_EXCHANGED = 12, 5  # days that may be months as well; fewer rows show nothing


def check_names(names: list[str], label: str) -> None:
    """Raise `SourceError` if a name appears twice, with the positions of the columns.

    Names that differ only in case count as equal, because DuckDB and other engines ignore case. Columns without a name
    are left out, so there may be several.
    """
    positions_by_name: dict[str, list[int]] = {}
    for position, name in enumerate(names, start=1):
        positions_by_name.setdefault(name.strip().lower(), []).append(position)
    for name, positions in positions_by_name.items():
        spellings = list(dict.fromkeys(names[position - 1].strip() for position in positions))
        where = f"column{'s' if len(positions) > 1 else ''} {', '.join(map(str, positions))}"
        if name == "":
            if len(positions) == len(names):
                raise SourceError(f"{label}: no column has a name; write source.header_row or source.names")
            continue
        if len(spellings) > 1:
            raise SourceError(
                f"{label}: the column names {', '.join(map(repr, spellings))} ({where}) differ only in case; "
                "rename all but one"
            )
        if len(positions) > 1:
            raise SourceError(
                f"{label}: the column name {spellings[0]!r} appears {len(positions)} times ({where}); "
                "rename all but one"
            )


def describe_unnamed(names: list[str]) -> str | None:
    """Describe which columns have no name; None if all have one."""
    positions = [str(position) for position, name in enumerate(names, start=1) if not name.strip()]
    if not positions:
        return None
    shown = ", ".join(positions[:SHOWN]) + (f" and {len(positions) - SHOWN:,} more" if len(positions) > SHOWN else "")
    return f"column{'s' if len(positions) > 1 else ''} {shown} of {len(names):,} without a name"


def check_columns_present(parts: list[RawTable], column_map: dict[str, str]) -> None:
    """Raise `SourceError` if a part of the source lacks a column, and suggest the most similar name."""
    for part in parts:
        for name, column in column_map.items():
            if column not in part.table.columns:
                raise SourceError(
                    missing_column(part, column, f"columns.{name}")
                    + (f", and {part.without_name}. Name it, or write source.names" if part.without_name else "")
                    + _own_columns(part, parts, column_map)
                )


def missing_column(part: RawTable, column: str, parameter: str) -> str:
    """Say that a part lacks the column that a parameter names, with the most similar name and all it has."""
    available = part.table.columns
    hint = f"{did_you_mean(column, available)} ".lstrip()
    return f"{part.label} has no column {column!r} ({parameter}); {hint}It has: {list_names(available)}"


def list_names(names: Sequence[str]) -> str:
    """Write the names of columns for a message: the first ones, none longer than a line."""
    shown = [" ".join(name.split()) for name in names[:MOST_NAMES]]
    shown = [name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…" for name in shown]
    return ", ".join(shown) + (f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else "")


def _own_columns(part: RawTable, parts: list[RawTable], column_map: dict[str, str]) -> str:
    """Write the line that maps a file's column names to those of the other files."""
    complete = any(set(column_map.values()) <= set(other.table.columns) for other in parts)
    if not complete or part.file is None:
        return ""
    plain = {plain_name(column): column for column in part.table.columns}
    missing = {name: column for name, column in column_map.items() if column not in part.table.columns}
    own = {name: plain.get(plain_name(column), "???") for name, column in missing.items()}
    shown = ", ".join(f"{name}: {column}" for name, column in own.items())
    return f". If its columns mean the same, write {{file: {part.file}, columns: {{{shown}}}}} in source.files"


def check_readable_values(
    part: RawTable,
    column_map: dict[str, str],
    in_range: set[str],
    day: date | None = None,
    further: Mapping[str, ir.Scalar] | None = None,
) -> pd.Series:
    """Raise `SourceError` if a number or date cannot be read, or a date is missing. One pass over the source.

    Parameters
    ----------
    part : RawTable
        A part of the source.
    column_map : dict of str to str
        The source's column for each standard name.
    in_range : set of str
        Standard names of columns that are known to be readable; they are not checked.
    day : datetime.date, optional
        The analysis date. If it is given, a few rows dated long after it and after all other rows are an error.
    further : mapping of str to ibis.Scalar, optional
        What else to aggregate in the same pass.

    Returns
    -------
    pandas.Series
        The values of `further`, and `negative`: the number of rows that take money back without the order id of a
        cancellation.
    """
    if part.format is None:
        check_types(part, column_map)
    raw = part.table
    names = [name for name in ("ordered_at", *casting.NUMBER_COLUMNS) if name in column_map and name not in in_range]
    columns = {f"columns.{name}": (column_map[name], name) for name in names}
    columns |= {f"{parameter}: {own}": (own, "amount") for own, parameter in part.numbers.items()}
    percents = [own for own in part.factors if raw[own].type().is_string()]
    plain = {own: raw[own].replace("%", "") if own in percents else raw[own] for own, _ in columns.values()}
    unreadable = {key: _unreadable(plain[own], name, part) for key, (own, name) in columns.items()}
    sums: dict[str, ir.Value] = {key: rows.sum() for key, rows in unreadable.items()}
    if "amount" not in {*column_map, *in_range, *part.computed}:
        sums["enormous"] = _enormous_rows(raw, column_map, part).sum()
    sums["negative"] = _negative_rows(part, column_map).sum()
    latest = casting.cast(raw[column_map["ordered_at"]], "ordered_at", part.format).max()
    found = execute(raw.aggregate(rows=raw.count(), latest=latest, **sums, **(further or {})), part).iloc[0]
    counts = found[["rows", *sums]].fillna(0)
    if counts["rows"] == 0 and not part.computed:
        raise SourceError(f"{part.label} has no rows below its column names; export it again")
    for key, rows in unreadable.items():
        if counts[key]:
            raise _unreadable_values(part, key, *columns[key], rows, counts[key], counts[key] < counts["rows"])
    _check_enormous_amounts(part, column_map, counts.get("enormous", 0))
    if day is not None and found.latest > pd.Timestamp(day) + pd.Timedelta(days=SILENT_DAYS):
        _check_late_rows(part, column_map["ordered_at"], day)
    return found


def _unreadable_values(
    part: RawTable, key: str, own: str, name: str, unreadable: ir.Column, count: float, partial: bool
) -> SourceError:
    """The error for values of a column that cannot be read, with examples and the cure."""
    raw = part.table
    texts = _examples(raw[own], unreadable, part)
    type_ = "date" if name == "ordered_at" else "number"
    if own in texts:
        hint = "the column names are repeated inside the file: remove these lines, or list the files in source.files"
    elif type_ == "number":
        hint = repair_hints.number_hint(texts)
    elif partial and _are_exchanged(raw, own, unreadable, part, texts):
        hint = (
            "all other dates are in the first twelve days of a month, so a spreadsheet has probably exchanged "
            "their day and month; export the file again, with dates such as 2024-12-31"
        )
    else:
        mixed = mixed_dates.describe_mixed_formats(raw[own], texts, part)
        hint = mixed or repair_hints.date_hint(texts, partial, own, part.format)
    return SourceError(
        f"{part.label}, column {own!r} ({key.partition(': ')[0]}): {MESSAGES.plural(count, 'row')} "
        f"without a readable {type_}, for example {', '.join(map(repr, texts[:3]))}; "
        + (repair_hints.hint_for_file(hint, part.file) if part.file else hint)
    )


def _are_exchanged(raw: ir.Table, column: str, lost: ir.Column, part: RawTable, texts: list[str]) -> bool:
    """Tell whether all readable dates have days up to 12 and all others later days, or the reverse.

    A spreadsheet that expects the month first does that to 01/02/2024 and 13/01/2024.
    """
    days = raw.select(lost=lost, day=casting.cast(raw[column], "ordered_at", part.format).day()).filter(
        lambda t: t.lost == 0
    )
    found = execute(days.aggregate(rows=days.count(), first=days.day.min(), last=days.day.max()), part).iloc[0]
    others = [date_formats.day_of_month(text) for text in texts]
    if found["rows"] < FEWEST_EXCHANGED or len(others) < FEWEST_EXCHANGED or None in others:
        return False
    written = [day for day in others if day is not None]
    return max(written) <= FIRST_DAYS < found["first"] or found["last"] <= FIRST_DAYS < min(written)


def _check_late_rows(part: RawTable, column: str, day: date) -> None:
    dates = part.table.select(day=casting.cast(part.table[column], "ordered_at", part.format).date())
    days = execute(dates.group_by("day").agg(rows=dates.count()).order_by("day"), part)
    check_late_days(days, part.label, column, day)


def check_late_days(days: pd.DataFrame, label: str, column: str, day: date) -> None:
    """Raise `SourceError` if a few rows are dated long after `day` and after all other rows.

    Parameters
    ----------
    days : pandas.DataFrame
        Columns day and rows, in the order of days.
    label : str
        The name of the source in messages.
    column : str
        The source's column of dates.
    day : datetime.date
        The analysis date.
    """
    days = days.assign(day=pd.to_datetime(days.day))
    late = _late_rows(days, day)
    if len(late):
        before = days.day[days.day < late.day.min()].max()
        examples = ", ".join(repr(f"{each:%Y-%m-%d}") for each in late.day[:3])
        raise SourceError(
            f"{label}, column {column!r} (columns.ordered_at): {MESSAGES.plural(late.rows.sum(), 'row')} dated "
            f"in the future, more than a year after all others (the latest other row is dated {before:%Y-%m-%d}), "
            f"for example {examples}; correct or remove these rows, or choose an analysis date after them if "
            "they are real"
        )


def _late_rows(days: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the days after `day` that follow a gap of more than a year and have only a few rows.

    `days` has columns day and rows, in order. The current date plays no role: rows before the analysis date count
    as correct.
    """
    left = days.rows[::-1].cumsum()[::-1]
    few = left <= max(FEW_ROWS, FEW_SHARE * days.rows.sum())
    first = days.day[(days.day.diff().dt.days > SILENT_DAYS) & few & (days.day > pd.Timestamp(day))].min()
    return days[days.day >= first]


def _check_enormous_amounts(part: RawTable, column_map: dict[str, str], rows: float) -> None:
    if rows:
        columns = f"{column_map['quantity']!r} × {column_map['unit_price']!r}"
        raise SourceError(
            f"{part.label}, columns {columns}: {MESSAGES.plural(rows, 'row')} with an amount of more than {LARGEST:,}; "
            "correct these rows, or give the amounts in thousands"
        )


def _negative_rows(part: RawTable, column_map: dict[str, str]) -> ir.Column:
    """Return 1 for rows that take money back without the order id of a cancellation."""
    raw = part.table
    if "amount" in part.computed:
        negative = raw[part.computed["amount"]] < 0
    elif "amount" in column_map:
        negative = casting.cast(raw[column_map["amount"]], "amount", part.format) < 0
    else:
        factors = [casting.cast(raw[column_map[name]], name, part.format) for name in ("quantity", "unit_price")]
        negative = (factors[0] < 0) != (factors[1] < 0)
    if "order_id" in column_map:
        order_id = casting.cast(raw[column_map["order_id"]], "order_id", part.format)
        negative = ibis.ifelse(negative, ~order_id.re_search(CANCELLED_ORDER_ID).fill_null(False), False)
    return negative.fill_null(False).ifelse(1, 0)


def _enormous_rows(raw: ir.Table, column_map: dict[str, str], part: RawTable) -> ir.Column:
    """Mark rows by 1 if quantity × unit_price is too large for the decimals of some engines."""
    factors = [
        casting.cast(raw[column_map[name]], name, part.format).cast("float64") for name in ("quantity", "unit_price")
    ]
    return ((factors[0] * factors[1]).abs() > LARGEST).fill_null(False).ifelse(1, 0)


def check_order_ids(part: RawTable, sales: ir.Table, column_map: dict[str, str], clean_columns: set[str]) -> None:
    """Raise `SourceError` if a sale to a known customer has no order id.

    Rows that cleaning removes because of their customer, quantity or amount need no order id. `sales` are the rows that
    the parameters leave. `clean_columns` holds the standard names of clean columns, which are cheaper to check.
    """
    order_id = part.table[column_map["order_id"]]
    if "order_id" in clean_columns or order_id.type().is_integer():
        missing = order_id.isnull()  # a parquet file's statistics tell
    elif order_id.type().is_string():  # the same result as below in a fifth of the time
        missing = order_id.strip().isin(["", *casting.NULL_IDS]).fill_null(True)
    else:
        missing = casting.cast(order_id, "order_id", part.format).isnull()
    # the usual case, found without reading the other columns
    if execute(part.table.filter(missing).limit(1).count().as_table(), part).iloc[0, 0] == 0:
        return
    lines = casting.standardize(replace(part, table=sales.filter(missing)), column_map)
    blank = lines.filter(lines.customer_id.notnull(), lines.amount > 0)
    blank = blank.filter(blank.quantity > 0) if "quantity" in column_map else blank
    if rows := execute(blank.aggregate(rows=blank.count()), part).rows[0]:
        shown = execute(blank.select("customer_id", "ordered_at").order_by("customer_id", "ordered_at").limit(3), part)
        examples = [f"{row.customer_id!r} on {row.ordered_at:%Y-%m-%d}" for row in shown.itertuples()]
        raise SourceError(
            f"{part.label}, column {column_map['order_id']!r} (columns.order_id): {MESSAGES.plural(rows, 'row')} "
            f"without an order id, for example of customer {', '.join(examples)}; add the order ids, "
            "or remove these rows"
        )


def check_time_zones(part: RawTable, column_map: dict[str, str], timezone: str | None) -> None:
    """Raise `SourceError` if a database's timestamps have a time zone, unless source.timezone is UTC.

    The date of an order depends on the time zone.
    """
    column = column_map["ordered_at"]
    type_ = part.table[column].type()
    if part.format is None and type_.is_timestamp() and type_.timezone is not None and timezone != "UTC":
        rows = MESSAGES.plural(execute(part.table.aggregate(rows=part.table.count()), part).rows[0], "row")
        raise SourceError(
            f"{part.label}, column {column!r} (columns.ordered_at): {rows} with a time zone; set source.timezone: "
            "UTC if your business uses UTC, or convert the column in source.query: select …, "
            f"{column} at time zone 'Europe/London' as {column} from …"
        )


def _unreadable(column: ir.Column, name: str, part: RawTable) -> ir.BooleanValue:
    value = casting.cast(column, name, part.format)
    if name == "ordered_at":
        return (value.isnull() | ~value.year().between(*YEARS)).fill_null(True).ifelse(1, 0)
    filled = column.notnull()
    if part.table.get_backend().name == "sqlite":
        # a number column may contain text, which SQLite reads as its leading digits
        return (column.typeof() == "text").fill_null(False).ifelse(1, 0)
    if part.format is not None and column.type().is_string():
        filled = column.strip().nullif("").notnull()
    elif column.type().is_floating() and part.format is not None:
        filled = ~column.isnan() & filled
    return (value.isnull() & filled).ifelse(1, 0)


def _examples(column: ir.Column, unreadable: ir.Column, part: RawTable) -> list[str]:
    """Return up to `SAMPLE` different texts of a column that cannot be read.

    They are sorted by their last letters, so that the sample contains all kinds of beginnings.
    """
    table = column.as_table().mutate(unreadable=unreadable, text=column.cast("string"))
    table = table.filter(table.unreadable == 1).select("text", end=table.text.right(3)).distinct()
    shown = execute(table.order_by("end", "text").limit(SAMPLE), part)
    texts = [text if isinstance(text, str) and text.strip() else "(empty)" for text in shown.text]
    return sorted(set(texts), key=lambda text: (text == "(empty)", text))


def execute(table: ir.Table, part: RawTable) -> pd.DataFrame:
    """Execute a query and return a DataFrame. Raises `SourceError` with the name of the part if the engine fails.

    A query over parquet files is executed once in a process: the view of a file that changes has another name.
    """
    try:
        return _execute_once(table.op()).copy() if part.columnar else table.execute()
    except Exception as error:  # each engine has its own errors, and none names the user's file
        reason = " ".join(str(error).split("\n\n")[0].split())
        if "state machine" in reason:
            reason = (
                "some lines end in CR LF and others in LF or CR, or a quote is not closed; save it with one kind "
                "of line end"
            )
        if wrong := re.search(r"Failed to parse format specifier (.*?): ", reason):
            reason = f"source.date_format: {wrong[1]!r} is no strptime pattern; write it as '%d.%m.%Y'"
        if long := re.search(r"Line: (\d+).*Maximum line size of (\d+) bytes", reason):
            reason = (
                f"line {long[1]} has more than {int(long[2]):,} bytes; probably a quote is not closed: close it, or "
                "shorten the text"
            )
        if "unicode" in reason.lower() or "utf-8" in reason.lower():
            reason = without_advice(reason) + "; set source.encoding, for example windows-1252"
        if ragged := re.search(
            r"Error on Line: (\d+) Original Line: (.*?) Expected Number of Columns: (\d+) Found: (\d+)", reason
        ):
            line, original, expected, actual = ragged.groups()
            reason = (
                f"line {line} has {actual} fields, but the first row has {expected}: {original[:60]!r}; correct the "
                "line, or put quotes around values that contain the delimiter"
            )
        raise SourceError(f"{part.label} cannot be read: {mask_secrets(without_advice(reason))[:400]}") from None


@lru_cache(maxsize=200)
def _execute_once(query: ops.Relation) -> pd.DataFrame:
    return query.to_expr().execute()


def check_types(part: RawTable, column_map: dict[str, str]) -> None:
    """Raise `SourceError` if a database stores dates or numbers in a column of another type."""
    for name, column in column_map.items():
        type_ = part.table[column].type()
        untyped = part.table.get_backend().name == "sqlite" and type_.is_string()  # SQLite has no date type
        matches = type_.is_date() or type_.is_timestamp() or untyped if name == "ordered_at" else type_.is_numeric()
        if name not in casting.TEXT_COLUMNS and not matches:
            rows = MESSAGES.plural(execute(part.table.aggregate(rows=part.table.count()), part).rows[0], "row")
            target = "timestamp" if name == "ordered_at" else "decimal(18, 4)"
            own = column if column.isidentifier() else f'"{column}"'
            raise SourceError(
                f"{part.label}, column {column!r} (columns.{name}): {rows} of type {type_}, but a "
                f"{'date' if name == 'ordered_at' else 'number'} is needed; cast the column in source.query: "
                f"select …, cast({own} as {target}) as {own} from …"
            )
