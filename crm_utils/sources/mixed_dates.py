"""Dates of several formats in one column: count each format, and refuse dates that two formats read differently."""

import json

import ibis
import ibis.expr.types as ir

from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES
from crm_utils.sources import casting, date_formats
from crm_utils.sources.raw_table import RawTable

MAX_FORMATS = 20


def describe_mixed_formats(column: ir.Column, texts: list[str], part: RawTable) -> str | None:
    """Describe the formats of a column of text, each with its rows and an example, and the line that reads them all.

    Parameters
    ----------
    column : ibis.Column
        The column.
    texts : list of str
        Different texts of it that cannot be read.
    part : RawTable
        The part of the source that has the column.

    Returns
    -------
    str or None
        The end of an error message. None if the rows that cannot be read have no known format, or all rows have the
        same.
    """
    if part.format is None or not column.type().is_string():
        return None
    fitting = {pattern: None for text in texts for pattern in date_formats.fitting_formats([text])}
    candidates = list(dict.fromkeys([*_given(part), "%Y-%m-%d", *fitting]))[:MAX_FORMATS]
    found, left = _count_rows(column, candidates)
    if len(found) < 2:
        return None
    shown = ", ".join(
        f"{' or '.join(patterns)} ({MESSAGES.plural(rows, 'row')}, such as {example!r})"
        for patterns, rows, example in found
    )
    rest = f", and {MESSAGES.plural(left, 'row')} in none of these formats; correct them" if left else ""
    written = ", ".join(f"'{patterns[0]}'" for patterns, _, _ in found)
    unclear = " and choose between formats that read the same rows" if any(len(each[0]) > 1 for each in found) else ""
    return (
        f"the column mixes date formats: {shown}{rest}; write all rows in one format, "
        f"or set source.date_format: [{written}]{unclear}"
    )


def _given(part: RawTable) -> list[str]:
    known = part.format.date_format if part.format else None
    return known if isinstance(known, list) else [known] if known and known != casting.EXCEL else []


def _count_rows(column: ir.Column, candidates: list[str]) -> tuple[list[tuple[list[str], int, str]], int]:
    """Count the rows of each format: the one that reads most rows first, then what others read of the rest."""
    text = column.cast("string").strip().nullif("")
    table = column.as_table().select(text=text).filter(lambda rows: rows.text.notnull())
    reads = {
        f"reads_{number}": casting.parse_date(table.text, pattern).notnull()
        for number, pattern in enumerate(candidates)
    }
    table = table.mutate(**reads)
    kinds = table.group_by(list(reads)).agg(rows=table.count(), example=table.text.min()).execute()
    found: list[tuple[list[str], int, str]] = []
    while len(kinds):
        sums = {name: int(kinds.loc[kinds[name], "rows"].sum()) for name in reads}
        most = max(sums.values())
        if not most:
            break
        first = next(name for name in reads if sums[name] == most)
        same = [name for name in reads if (kinds[name] == kinds[first]).all()]
        patterns = [candidates[list(reads).index(name)] for name in same]
        found.append((patterns, most, str(kinds.loc[kinds[first], "example"].min())))
        kinds = kinds[~kinds[first]]
    return found, int(kinds["rows"].sum()) if len(kinds) else 0


def check_formats_agree(part: RawTable, column: str) -> None:
    """Raise `SourceError` if several formats are given and two of them read a date differently.

    Parameters
    ----------
    part : RawTable
        A part of the source.
    column : str
        The source's column of dates.
    """
    patterns = _given(part)
    if len(patterns) < 2 or not part.table[column].type().is_string():
        return
    values = part.table.select(text=part.table[column].strip())
    days = [casting.parse_date(values.text, pattern) for pattern in patterns]
    unclear = values.filter(ibis.least(*days) < ibis.greatest(*days))
    found = unclear.aggregate(rows=unclear.count(), example=unclear.text.min()).execute().iloc[0]
    if found["rows"]:
        raise SourceError(
            f"{part.label}, column {column!r} (columns.ordered_at): {MESSAGES.plural(found['rows'], 'row')}, such as "
            f"{found.example!r}, that formats of source.date_format {json.dumps(patterns)} read differently: keep the "
            "right format, or write these rows in another one"
        )
