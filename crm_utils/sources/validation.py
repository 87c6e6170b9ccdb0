"""What stops a run before it starts: columns that are not there, and values that are no date or number."""

import re
from datetime import date

import ibis.expr.types as ir
import pandas as pd

from crm_utils.config.report import YEARS
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES, mask_secrets
from crm_utils.core.suggestions import did_you_mean
from crm_utils.sources import casting, repair_hints
from crm_utils.sources.raw_table import RawTable

SAMPLE = 500
SILENT_DAYS, FEW_ROWS, FEW_SHARE = 366, 2, 0.05  # rows after such a silence, and no more of them, are dated wrongly
LARGEST = 50_000_000_000


def check_names(names: list[str], label: str) -> None:
    """Raise `SourceError` for a column without a name or a name that stands twice, with the columns' positions.

    Names that differ only in case are one name: DuckDB tells them apart no more than other engines.
    """
    places: dict[str, list[int]] = {}
    for position, name in enumerate(names, start=1):
        places.setdefault(name.strip().lower(), []).append(position)
    for name, positions in places.items():
        written = list(dict.fromkeys(names[position - 1].strip() for position in positions))
        where = f"column{'s' if len(positions) > 1 else ''} {', '.join(map(str, positions))}"
        if name == "":
            raise SourceError(f"{label}: {where} of {len(names)} without a name: name every column in the first row")
        if len(written) > 1:
            raise SourceError(
                f"{label}: the column names {', '.join(map(repr, written))} ({where}) differ only in capitals: "
                "rename all but one"
            )
        if len(positions) > 1:
            raise SourceError(
                f"{label}: the column name {written[0]!r} stands {len(positions)} times ({where}): rename all but one"
            )


def check_columns_present(parts: list[RawTable], wanted: dict[str, str]) -> None:
    """Raise `SourceError` for the first column that a part of the source has not, with the nearest name it has."""
    for part in parts:
        there = part.table.columns
        for name, column in wanted.items():
            if column not in there:
                raise SourceError(
                    f"{part.label} has no column {column!r} (columns.{name}); "
                    + f"{did_you_mean(column, there)} ".lstrip()
                    + f"It has: {', '.join(there)}"
                )


def check_readable_values(part: RawTable, wanted: dict[str, str], within: set[str], day: date | None = None) -> None:
    """Raise `SourceError` where a number or a date cannot be read, or a date is not there. One pass over the source.

    within: the columns whose bounds say already that all can be read. With an analysis date `day` also for rows dated
    in a future that the data themselves do not reach (see `_late`).
    """
    if part.format is None:
        check_types(part, wanted)
    raw = part.table
    names = [name for name in ("ordered_at", *casting.NUMBER_COLUMNS) if name in wanted and name not in within]
    lost = {name: _unreadable(raw[wanted[name]], name, part) for name in names}
    sums = {name: bad.sum() for name, bad in lost.items()}
    if "amount" not in wanted and "amount" not in within:
        sums["enormous"] = _enormous_rows(raw, wanted, part).sum()
    latest = casting.cast(raw[wanted["ordered_at"]], "ordered_at", part.format).max()
    found = execute(raw.aggregate(rows=raw.count(), latest=latest, **sums), part).iloc[0]
    counts = found.drop("latest").fillna(0)
    if counts["rows"] == 0:
        raise SourceError(f"{part.label} has no row below its column names: export it again")
    for name, bad in lost.items():
        if counts[name]:
            texts = _examples(raw[wanted[name]], bad, part)
            kind = "date" if name == "ordered_at" else "number"
            raise SourceError(
                f"{part.label}, column {wanted[name]!r} (columns.{name}): {MESSAGES.plural(counts[name], 'row')} "
                f"without a readable {kind}, for example {', '.join(map(repr, texts[:3]))}; "
                + (
                    repair_hints.date_hint(
                        texts,
                        counts[name] < counts["rows"],
                        None if part.format else wanted[name],
                        part.format.timezone if part.format else None,
                    )
                    if kind == "date"
                    else repair_hints.number_hint(texts)
                )
            )
    _check_enormous_amounts(part, wanted, counts.get("enormous", 0))
    if day is not None and found.latest > pd.Timestamp(day) + pd.Timedelta(days=SILENT_DAYS):
        _check_late_rows(part, wanted["ordered_at"], day)


def _check_late_rows(part: RawTable, column: str, day: date) -> None:
    bought = part.table.select(day=casting.cast(part.table[column], "ordered_at", part.format).date())
    days = execute(bought.group_by("day").agg(rows=bought.count()).order_by("day"), part)
    days["day"] = pd.to_datetime(days.day)
    late = _late_rows(days, day)
    if len(late):
        before = days.day[days.day < late.day.min()].max()
        examples = ", ".join(repr(f"{each:%Y-%m-%d}") for each in late.day[:3])
        raise SourceError(
            f"{part.label}, column {column!r} (columns.ordered_at): {MESSAGES.plural(late.rows.sum(), 'row')} dated "
            f"in the future, more than a year after all others (the last of these is of {before:%Y-%m-%d}), "
            f"for example {examples}; correct these rows or leave them out, or choose an analysis date after them if "
            "they are real"
        )


def _late_rows(days: pd.DataFrame, day: date) -> pd.DataFrame:
    """The days, later than `day`, that a few rows are dated after a silence of more than a year. No clock decides.

    days: day and rows, in order. An analysis date later than such rows says that they are meant.
    """
    left = days.rows[::-1].cumsum()[::-1]
    few = left <= max(FEW_ROWS, FEW_SHARE * days.rows.sum())
    first = days.day[(days.day.diff().dt.days > SILENT_DAYS) & few & (days.day > pd.Timestamp(day))].min()
    return days[days.day >= first]


def _check_enormous_amounts(part: RawTable, wanted: dict[str, str], rows: float) -> None:
    if rows:
        columns = f"{wanted['quantity']!r} × {wanted['unit_price']!r}"
        raise SourceError(
            f"{part.label}, columns {columns}: {MESSAGES.plural(rows, 'row')} of more than {LARGEST:,} money each: "
            "correct these rows, or give the amounts in thousands"
        )


def _enormous_rows(raw: ir.Table, wanted: dict[str, str], part: RawTable) -> ir.Column:
    """1 where quantity × unit_price is more than an engine's decimals can multiply."""
    factors = [
        casting.cast(raw[wanted[name]], name, part.format).cast("float64") for name in ("quantity", "unit_price")
    ]
    return ((factors[0] * factors[1]).abs() > LARGEST).fill_null(False).ifelse(1, 0)


def check_order_ids(part: RawTable, wanted: dict[str, str], sound: set[str]) -> None:
    """Raise `SourceError` for rows that would count as sales of a known customer, but name no order.

    sound: the columns that are only cast. Rows that cleaning leaves out for their customer, quantity or amount may be
    blank.
    """
    written = part.table[wanted["order_id"]]
    if "order_id" in sound:
        none = written.isnull()
    elif written.type().is_string():  # the same as below, at a fifth of the cost
        none = written.strip().isin(["", *casting.NULL_IDS]).fill_null(True)
    else:
        none = casting.cast(written, "order_id", part.format).isnull()
    rows = part.table.filter(none)
    if execute(rows.limit(1).count().as_table(), part).iloc[0, 0] == 0:  # most often: the others need not be looked at
        return
    lines = casting.standardize(rows, wanted, part.format)
    blank = lines.filter(lines.customer_id.notnull(), lines.amount > 0)
    blank = blank.filter(blank.quantity > 0) if "quantity" in wanted else blank
    if rows := execute(blank.aggregate(rows=blank.count()), part).rows[0]:
        shown = execute(blank.select("customer_id", "ordered_at").order_by("customer_id", "ordered_at").limit(3), part)
        examples = [f"{row.customer_id!r} on {row.ordered_at:%Y-%m-%d}" for row in shown.itertuples()]
        raise SourceError(
            f"{part.label}, column {wanted['order_id']!r} (columns.order_id): {MESSAGES.plural(rows, 'row')} without "
            f"an order id, for example of customer {', '.join(examples)}; give these rows their order ids, "
            "or leave them out"
        )


def check_time_zones(part: RawTable, wanted: dict[str, str], timezone: str | None) -> None:
    """Raise `SourceError` for a database's timestamps with a time zone, unless UTC is asked for.

    Without a zone no day is known.
    """
    column = wanted["ordered_at"]
    kind = part.table[column].type()
    if part.format is None and kind.is_timestamp() and kind.timezone is not None and timezone != "UTC":
        rows = MESSAGES.plural(execute(part.table.aggregate(rows=part.table.count()), part).rows[0], "row")
        raise SourceError(
            f"{part.label}, column {column!r} (columns.ordered_at): {rows} with a time zone; set source.timezone: "
            "UTC if your days begin there, or convert it in source.query: select …, "
            f"{column} at time zone 'Europe/London' as {column} from …"
        )


def _unreadable(column: ir.Column, name: str, part: RawTable) -> ir.BooleanValue:
    value = casting.cast(column, name, part.format)
    if name == "ordered_at":
        return (value.isnull() | ~value.year().between(*YEARS)).fill_null(True).ifelse(1, 0)
    there = column.notnull()
    if part.table.get_backend().name == "sqlite":  # keeps text in a column of numbers, and reads it by its first digits
        return (column.typeof() == "text").fill_null(False).ifelse(1, 0)
    if part.format is not None and column.type().is_string():
        there = column.strip().nullif("").notnull()
    elif column.type().is_floating() and part.format is not None:
        there = ~column.isnan() & there
    return (value.isnull() & there).ifelse(1, 0)


def _examples(column: ir.Column, lost: ir.Column, part: RawTable) -> list[str]:
    """Up to some hundred different texts of a column that cannot be read.

    By their ends, so that all beginnings are among them.
    """
    table = column.as_table().mutate(lost=lost, text=column.cast("string"))
    table = table.filter(table.lost == 1).select("text", end=table.text.right(3)).distinct()
    shown = execute(table.order_by("end", "text").limit(SAMPLE), part)
    texts = [text if isinstance(text, str) and text.strip() else "(empty)" for text in shown.text]
    return sorted(set(texts), key=lambda text: (text == "(empty)", text))


def execute(table: ir.Table, part: RawTable) -> pd.DataFrame:
    """A result in pandas. Raises `SourceError` that names the part of the source where its engine fails."""
    try:
        return table.execute()
    except Exception as error:  # each engine has errors of its own; none names the file as the user knows it
        reason = " ".join(str(error).split("\n\n")[0].split())
        if "unicode" in reason.lower() or "utf-8" in reason.lower():
            reason += "; set source.encoding, for example windows-1252"
        if ragged := re.search(
            r"Error on Line: (\d+) Original Line: (.*?) Expected Number of Columns: (\d+) Found: (\d+)", reason
        ):
            line, original, wanted, there = ragged.groups()
            reason = (
                f"line {line} has {there} fields where the first row names {wanted}, {original[:60]!r}: correct it, "
                "or quote what holds the delimiter"
            )
        raise SourceError(f"{part.label} cannot be read: {mask_secrets(reason)[:400]}") from None


def check_types(part: RawTable, wanted: dict[str, str]) -> None:
    """A database has types: a number in a text column, or a date in one, is a mistake to be mended there."""
    for name, column in wanted.items():
        kind = part.table[column].type()
        lax = part.table.get_backend().name == "sqlite" and kind.is_string()  # it has no type for dates
        fits = kind.is_date() or kind.is_timestamp() or lax if name == "ordered_at" else kind.is_numeric()
        if name not in casting.TEXT_COLUMNS and not fits:
            rows = MESSAGES.plural(execute(part.table.aggregate(rows=part.table.count()), part).rows[0], "row")
            target = "timestamp" if name == "ordered_at" else "decimal(18, 4)"
            raise SourceError(
                f"{part.label}, column {column!r} (columns.{name}): {rows} of type {kind}, where a "
                f"{'date' if name == 'ordered_at' else 'number'} is needed; cast it in source.query: "
                f"select …, cast({column} as {target}) as {column} from …"
            )
