"""What stops a run before it starts: columns that are not there, and values that are no date or number."""

import difflib
import math
import re
from datetime import date

import ibis.expr.types as ir
import pandas as pd

from crm_utils.formats import hidden, plural
from crm_utils.locate import SourceError
from crm_utils.params.report import YEARS
from crm_utils.sources import cures, values
from crm_utils.sources.extract import Extract

SAMPLE = 500
SILENT_DAYS, FEW_ROWS, FEW_SHARE = 366, 2, 0.05  # rows after such a silence, and no more of them, are dated wrongly
LARGEST = 50_000_000_000


def refuse_bad_names(names: list[str], label: str) -> None:
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
                f"{label}: the column names {', '.join(map(repr, written))} ({where}) differ only in capitals: rename all but one"
            )
        if len(positions) > 1:
            raise SourceError(
                f"{label}: the column name {written[0]!r} stands {len(positions)} times ({where}): rename all but one"
            )


def refuse_missing_columns(parts: list[Extract], wanted: dict[str, str]) -> None:
    """Raise `SourceError` for the first column that a part of the source has not, with the nearest name it has."""
    for part in parts:
        there = part.table.columns
        for name, column in wanted.items():
            if column not in there:
                near = difflib.get_close_matches(column, there, n=1)
                raise SourceError(
                    f"{part.label} has no column {column!r} (columns.{name}); "
                    + (f"did you mean {near[0]!r}? " if near else "")
                    + f"It has: {', '.join(there)}"
                )


def refuse_unreadable_values(part: Extract, wanted: dict[str, str], within: set[str], day: date | None = None) -> None:
    """Raise `SourceError` where a number or a date cannot be read, or a date is not there. One pass over the source.

    within: the columns whose bounds say already that all can be read. With an analysis date `day` also for rows dated in a future that the data themselves do not reach (see `_late`).
    """
    if part.format is None:
        refuse_wrong_types(part, wanted)
    raw = part.table
    names = [name for name in ("ordered_at", *values.NUMBER_COLUMNS) if name in wanted and name not in within]
    lost = {name: _lost(raw[wanted[name]], name, part) for name in names}
    sums = {name: bad.sum() for name, bad in lost.items()}
    if "amount" not in wanted and "amount" not in within:
        sums["enormous"] = _enormous(raw, wanted, part).sum()
    latest = values.typed(raw[wanted["ordered_at"]], "ordered_at", part.format).max()
    found = executed(raw.aggregate(rows=raw.count(), latest=latest, **sums), part).iloc[0]
    counts = found.drop("latest").fillna(0)
    if counts["rows"] == 0:
        raise SourceError(f"{part.label} has no row below its column names: export it again")
    for name, bad in lost.items():
        if counts[name]:
            texts = _examples(raw[wanted[name]], bad, part)
            kind = "date" if name == "ordered_at" else "number"
            raise SourceError(
                f"{part.label}, column {wanted[name]!r} (columns.{name}): {plural(counts[name], 'row')} "
                f"without a readable {kind}, for example {', '.join(map(repr, texts[:3]))}; "
                + (
                    cures.of_dates(texts, counts[name] < counts["rows"], None if part.format else wanted[name])
                    if kind == "date"
                    else cures.of_numbers(texts)
                )
            )
    _refuse_enormous_amounts(part, wanted, counts.get("enormous", 0))
    if day is not None and found.latest > pd.Timestamp(day) + pd.Timedelta(days=SILENT_DAYS):
        _refuse_late_rows(part, wanted["ordered_at"], day)


def within_bounds(part: Extract, wanted: dict[str, str]) -> set[str]:
    """The dates and numbers of a file whose smallest and largest value prove that all can be read.

    A parquet file tells these without being read. `amount` is among them where quantity × unit_price cannot be too much.
    """
    raw = part.table
    kinds = {name: raw[wanted[name]].type() for name in ("ordered_at", *values.NUMBER_COLUMNS) if name in wanted}
    written = kinds.pop("ordered_at")
    dated = written.is_timestamp() and written.timezone is None
    numbers = [name for name, kind in kinds.items() if kind.is_numeric()]
    if part.format is None or not (numbers or dated):
        return set()
    columns = {name: raw[wanted[name]] for name in [*numbers, *["ordered_at"] * dated]}
    ends = {f"{name}_{end}": getattr(column, end)() for name, column in columns.items() for end in ("min", "max")}
    found = executed(raw.aggregate(rows=raw.count(), dated=raw[wanted["ordered_at"]].count(), **ends), part).iloc[0]
    spans = {name: (found[f"{name}_min"], found[f"{name}_max"]) for name in columns}
    spans = {name: span for name, span in spans.items() if not pd.isna(span[0]) and not pd.isna(span[1])}
    most = {name: max(-low, high) for name, (low, high) in spans.items() if name in numbers}
    within = {name for name, value in most.items() if value <= LARGEST}
    if float(most.get("quantity", math.inf)) * float(most.get("unit_price", math.inf)) <= LARGEST:
        within.add("amount")
    first, last = spans.get("ordered_at", (None, None))
    if first is not None and found.dated == found.rows and YEARS[0] <= first.year <= last.year <= YEARS[1]:
        within.add("ordered_at")
    return within


def sound(part: Extract, wanted: dict[str, str], within: set[str]) -> set[str]:
    """The columns of a parquet file that can be taken as they stand: numbers within bounds, and texts with nothing to tidy.

    One filter a column, which DuckDB tries on the file's dictionaries: a tenth of what it costs to look at every row.
    """
    if not part.columnar:
        return set()
    columns = {name: part.table[column] for name, column in wanted.items()}
    within = within & set(wanted)
    care = {
        name: columns[name].isnan() for name in within if columns[name].type().is_floating()
    }  # bounds leave nan out
    texts = [name for name in columns if name in values.TEXT_COLUMNS and columns[name].type().is_string()]
    care |= {name: values.untidy(columns[name], name) for name in texts}
    found = {name: part.table.filter(needed).limit(1) for name, needed in care.items()}
    without = {name for name, rows in found.items() if executed(rows.aggregate(rows=rows.count()), part).rows[0] == 0}
    return within - set(care) | without


def _refuse_late_rows(part: Extract, column: str, day: date) -> None:
    bought = part.table.select(day=values.typed(part.table[column], "ordered_at", part.format).date())
    days = executed(bought.group_by("day").agg(rows=bought.count()).order_by("day"), part)
    days["day"] = pd.to_datetime(days.day)
    late = _late(days, day)
    if len(late):
        before = days.day[days.day < late.day.min()].max()
        examples = ", ".join(repr(f"{each:%Y-%m-%d}") for each in late.day[:3])
        raise SourceError(
            f"{part.label}, column {column!r} (columns.ordered_at): {plural(late.rows.sum(), 'row')} dated in the future, "
            f"more than a year after all others (the last of these is of {before:%Y-%m-%d}), for example {examples}; "
            "correct these rows or leave them out, or choose an analysis date after them if they are real"
        )


def _late(days: pd.DataFrame, day: date) -> pd.DataFrame:
    """The days, later than `day`, that a few rows are dated after a silence of more than a year. No clock decides.

    days: day and rows, in order. An analysis date later than such rows says that they are meant.
    """
    left = days.rows[::-1].cumsum()[::-1]
    few = left <= max(FEW_ROWS, FEW_SHARE * days.rows.sum())
    first = days.day[(days.day.diff().dt.days > SILENT_DAYS) & few & (days.day > pd.Timestamp(day))].min()
    return days[days.day >= first]


def _refuse_enormous_amounts(part: Extract, wanted: dict[str, str], rows: float) -> None:
    if rows:
        columns = f"{wanted['quantity']!r} × {wanted['unit_price']!r}"
        raise SourceError(
            f"{part.label}, columns {columns}: {plural(rows, 'row')} of more than {LARGEST:,} money each: "
            "correct these rows, or give the amounts in thousands"
        )


def _enormous(raw: ir.Table, wanted: dict[str, str], part: Extract) -> ir.Column:
    """1 where quantity × unit_price is more than an engine's decimals can multiply."""
    factors = [
        values.typed(raw[wanted[name]], name, part.format).cast("float64") for name in ("quantity", "unit_price")
    ]
    return ((factors[0] * factors[1]).abs() > LARGEST).fill_null(False).ifelse(1, 0)


def refuse_time_zones(part: Extract, wanted: dict[str, str], timezone: str | None) -> None:
    """Raise `SourceError` for moments of a database, which belong to a day only in some zone, unless UTC is asked for."""
    column = wanted["ordered_at"]
    kind = part.table[column].type()
    if part.format is None and kind.is_timestamp() and kind.timezone is not None and timezone != "UTC":
        rows = plural(executed(part.table.aggregate(rows=part.table.count()), part).rows[0], "row")
        raise SourceError(
            f"{part.label}, column {column!r} (columns.ordered_at): {rows} with a time zone; set source.timezone: UTC if your "
            f"days begin there, or convert it in source.query: select …, {column} at time zone 'Europe/London' as {column} from …"
        )


def _lost(column: ir.Column, name: str, part: Extract) -> ir.BooleanValue:
    value = values.typed(column, name, part.format)
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


def _examples(column: ir.Column, lost: ir.Column, part: Extract) -> list[str]:
    """Up to some hundred different texts of a column that cannot be read; by their ends, so that all beginnings are among them."""
    table = column.as_table().mutate(lost=lost, text=column.cast("string"))
    table = table.filter(table.lost == 1).select("text", end=table.text.right(3)).distinct()
    shown = executed(table.order_by("end", "text").limit(SAMPLE), part)
    texts = [text if isinstance(text, str) and text.strip() else "(empty)" for text in shown.text]
    return sorted(set(texts), key=lambda text: (text == "(empty)", text))


def executed(table: ir.Table, part: Extract) -> pd.DataFrame:
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
            reason = f"line {line} has {there} fields where the first row names {wanted}, {original[:60]!r}: correct it, or quote what holds the delimiter"
        raise SourceError(f"{part.label} cannot be read: {hidden(reason)[:400]}") from None


def refuse_wrong_types(part: Extract, wanted: dict[str, str]) -> None:
    """A database has types: a number in a text column, or a date in one, is a mistake to be mended there."""
    for name, column in wanted.items():
        kind = part.table[column].type()
        lax = part.table.get_backend().name == "sqlite" and kind.is_string()  # it has no type for dates
        fits = kind.is_date() or kind.is_timestamp() or lax if name == "ordered_at" else kind.is_numeric()
        if name not in values.TEXT_COLUMNS and not fits:
            rows = plural(executed(part.table.aggregate(rows=part.table.count()), part).rows[0], "row")
            target = "timestamp" if name == "ordered_at" else "decimal(18, 4)"
            raise SourceError(
                f"{part.label}, column {column!r} (columns.{name}): {rows} of type {kind}, where a "
                f"{'date' if name == 'ordered_at' else 'number'} is needed; cast it in source.query: "
                f"select …, cast({column} as {target}) as {column} from …"
            )
