"""Find the table in a file: titles above the column names, totals below the data, files without column names."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, TypeVar

from crm_utils.config import Source
from crm_utils.core.errors import SourceError
from crm_utils.core.suggestions import did_you_mean
from crm_utils.sources.column_names import find_named_column

Record = tuple[int, list[str]]  # the number of its first line, and its fields
T = TypeVar("T")

HEADING = "heading of a group"  # the column that marks the rows which `fill_down` leaves out
# A column is filled down if it is blank in this share of the rows, of which there are at least so many.
BLANK_SHARE, FEWEST_ROWS = 0.5, 6
FEWEST_COLUMNS = 3  # customer, date, amount: with fewer, a row with one field shows nothing
LOOKED_AT, LAST = 60, 8  # records at the start and at the end of a file
DATE = re.compile(r"(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{4}年\d{1,2}月\d{1,2}日)([ T].*)?")
NUMBER = re.compile(r"[^\w\s]?\s?[+-]?\d[\d.,'’\s]*\D{0,2}")
YEAR = re.compile(r"(19|20)\d\d")
RULE = re.compile(r"[-=+_|:\s]*[-=_]{2,}[-=+_|:\s]*")  # drawn by query tools below the column names
TOTAL = re.compile(
    r"\W*((grand |sub)?totals?|sum|overall|summe|gesamt(summe)?|insgesamt|somme|totale?|total g[ée]n[ée]ral|suma|"
    r"toplam|genel toplam|razem|итого|всего|合計|総計|小計|总计|合计)\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Layout:
    """The settings of a file's layout. `file` is its name in source.files if it is one of several."""

    header_row: int | None = None
    skip_rows: int = 0
    footer: int | None = None
    names: tuple[str, ...] | None = None
    hidden_rows: str | None = None
    fill_down: tuple[str, ...] = ()
    file: str | None = None

    @classmethod
    def of(cls, source: Source, file: str | None = None) -> "Layout":
        """Take the layout from a source."""
        names = tuple(source.names) if source.names else None
        filled = tuple(source.fill_down or ())
        return cls(source.header_row, source.skip_rows, source.footer, names, source.hidden_rows, filled, file)

    @property
    def settings(self) -> str:
        """The settings that leave lines out, in words; empty if there are none."""
        given = {"header_row": self.header_row, "skip_rows": self.skip_rows, "footer": self.footer}
        return " and ".join(f"source.{name}: {value}" for name, value in given.items() if value)

    def line(self, setting: str, value: object) -> str:
        """Write the line for a setting of this file."""
        return line_to_write(setting, value, self.file)


def line_to_write(setting: str, value: object, file: str | None) -> str:
    """Write a setting for the whole source, or for one of its files."""
    shown = f"{setting}: {value if isinstance(value, int | str) else json.dumps(value, ensure_ascii=False)}"
    return f"{{file: {file}, {shown}}} in source.files" if file else f"source.{shown}"


def header_line(records: list[Record]) -> int | None:
    """Find the line that looks like column names."""
    typical = _typical(records)
    for place, (line, fields) in enumerate(records[:-1]):
        names = [name.strip().lower() for name in fields if name.strip()]
        if len(names) >= 0.75 * typical and len(set(names)) == len(names) and not holds_data(records[place:]):
            return line
    return None


def starts_with_title(records: list[Record]) -> bool:
    """Tell whether the first record has too few fields to name the columns of the records below it."""
    return (
        len(records) > 2
        and _typical(records) >= FEWEST_COLUMNS
        and _count_filled(records[0][1]) <= _typical(records) / 2
    )


def holds_data(records: list[Record]) -> bool:
    """Tell whether the first record looks like those below it: a date above dates, or numbers above numbers."""
    (_, first), below = records[0], [fields for _, fields in records[1:]]
    dates = numbers = 0
    for place, text in enumerate(first):
        column = [fields[place] for fields in below if place < len(fields) and fields[place].strip()]
        dates += _are(DATE, text, column)
        numbers += _are(NUMBER, text, column) and not YEAR.fullmatch(text.strip())
    return bool(dates) or numbers > 1


def rule_lines(records: list[Record]) -> int:
    """Count the records below the column names that only underline them."""
    count = 0
    while count + 1 < len(records) and all(RULE.fullmatch(field) for field in records[count + 1][1] if field.strip()):
        count += 1
    return count


def footer_lines(last: list[list[str]], width: int) -> int:
    """Count the last records of a file that are not data: a total, a note, the row count of a query tool."""
    count = 0
    for fields in reversed(last):
        written = [field for field in fields if field.strip()]
        is_total = len(written) < width and written and TOTAL.fullmatch(written[0])
        is_short = len(fields) <= width / 2  # a text file has a field for each column, also if it is blank
        if width < FEWEST_COLUMNS or not (len(written) == 1 or is_total or is_short):
            break
        count += 1
    return count if count < len(last) else 0


def check_start(records: list[Record], layout: Layout, label: str) -> None:
    """Raise `SourceError` if the first record is a title or data, unless the settings say what it is."""
    if layout.header_row is None and layout.names is None and records:
        first = _shown(records[0][1])
        if starts_with_title(records):
            line = header_line(records)
            found = f"line {line} looks like the column names ({_shown(dict(records)[line])}); " if line else ""
            raise SourceError(
                f"{label}: the first line, {first}, does not name the columns; {found}"
                f"write {layout.line('header_row', line or 'the line that does')}"
            )
        if holds_data(records):
            names = [f"column_{place}" for place in range(1, len(records[0][1]) + 1)]
            raise SourceError(
                f"{label}: the first line contains data ({first}), not column names; write "
                f"{layout.line('names', names)}, with a name for each column "
                f"(or {layout.line('header_row', records[0][0])} if these are the names)"
            )
    if not layout.skip_rows and (count := rule_lines(records)):
        raise SourceError(
            f"{label}: the line below the column names, {_shown(records[1][1])}, is not data; "
            f"write {layout.line('skip_rows', count)}"
        )


def check_end(last: list[list[str]], width: int, layout: Layout, label: str) -> None:
    """Raise `SourceError` if the file seems to end with a total or a note, unless the settings say so."""
    if layout.footer is None and (count := footer_lines(last, width)):
        which, verb = ("line", "looks") if count == 1 else (f"{count} lines", "look")
        raise SourceError(
            f"{label}: the last {which} ({_shown(last[-count])}) {verb} like a total or a note, not like data; "
            f"write {layout.line('footer', count)}, or {layout.line('footer', 0)} if it is data"
        )


def propose(records: list[Record], last: list[list[str]]) -> dict[str, Any]:
    """Propose the settings that the first and last records of a file need."""
    found: dict[str, Any] = {}
    if starts_with_title(records) and (line := header_line(records)):
        found["header_row"] = line
        records = [record for record in records if record[0] >= line]
    elif holds_data(records):
        return {"names": [f"column_{place}" for place in range(1, len(records[0][1]) + 1)]}
    if count := rule_lines(records):
        found["skip_rows"] = count
    if filled := group_columns(records[0][1], [fields for _, fields in records[1 + count :]]):
        found["fill_down"] = filled
    if count := footer_lines(last, len(records[0][1])):
        found["footer"] = count
    return found


def group_columns(names: list[str], rows: list[list[str]]) -> list[str]:
    """Find the columns whose values stand on the first row of a group only: merged cells, headings of groups.

    A row without a date or an order number is no order of its own, so these show groups. Customers are blank for guests
    too: they are of groups if they stand in rows of their own, are blank in the same rows, or stand left of these.

    Parameters
    ----------
    names : list of str
        The column names.
    rows : list of list of str
        The first rows below them.

    Returns
    -------
    list of str
        The columns to fill down, in their order.
    """
    rows = [row for row in rows if len(row) >= len(names)]
    found = {key: find_named_column(names, key) for key in ("customer_id", "ordered_at", "order_id")}
    places = {key: names.index(name) for key, name in found.items() if name}
    filled = {key: [bool(row[place].strip()) for row in rows] for key, place in places.items()}
    most = (1 - BLANK_SHARE) * len(rows)
    grouped = [key for key, marks in filled.items() if len(rows) >= FEWEST_ROWS and marks[0] and sum(marks) <= most]
    leading = "order_id" if "order_id" in places else "ordered_at"
    if leading not in grouped or (leading == "order_id" and not _agree_in_groups(rows, places, grouped)):
        is_heading = "customer_id" in grouped and _are_headings(rows, places["customer_id"])
        return [names[places["customer_id"]]] if is_heading else []
    if "customer_id" in grouped and filled["customer_id"] != filled[leading]:
        nested = places["customer_id"] < places[leading] or _are_headings(rows, places["customer_id"])
        grouped = grouped if nested else [key for key in grouped if key != "customer_id"]
    return [names[place] for place in sorted(places[key] for key in grouped)]


def _agree_in_groups(rows: list[list[str]], places: dict[str, int], grouped: list[str]) -> bool:
    """Whether the date and the customer of a row without an order number are blank, or those of the row above."""
    others = [place for key, place in places.items() if key not in grouped]
    order = places["order_id"]
    below = [(above, row) for above, row in pairwise(rows) if not row[order].strip()]
    return all(row[place] == above[place] for above, row in below for place in others)


def _are_headings(rows: list[list[str]], place: int) -> bool:
    """Whether a column is filled only in rows that have no other value."""
    return all(_count_filled(row) == 1 for row in rows if row[place].strip())


def without_footer(rows: Iterable[T], count: int, is_blank: Callable[[T], bool]) -> Iterator[T]:
    """Leave out the last `count` rows, and the blank rows among and below them."""
    held: deque[T] = deque()
    written = 0
    for row in rows:
        held.append(row)
        written += not is_blank(row)
        while written > count:
            written -= not is_blank(held[0])
            yield held.popleft()


def fill_down(rows: Iterable[list[Any]], names: list[str], columns: tuple[str, ...], label: str) -> Iterator[list[Any]]:
    """Repeat the value above in the blank cells of columns, and mark headings: rows with values in these columns only.

    Parameters
    ----------
    rows : iterable of list
        The rows below the column names.
    names : list of str
        The column names.
    columns : tuple of str
        The columns to fill.
    label : str
        The name of the file or sheet in messages.

    Yields
    ------
    list
        The rows, each with a further cell: "1" for the heading of a group, else empty.

    Raises
    ------
    SourceError
        If a column does not exist, or the first row has no value to repeat.
    """
    for column in columns:
        if column not in names:
            hint = f"{did_you_mean(column, names)} ".lstrip()
            raise SourceError(
                f"{label} has no column {column!r} (source.fill_down); {hint}It has: "
                f"{', '.join(filter(None, names))[:1000]}"
            )
    places = [names.index(column) for column in columns]
    above: dict[int, Any] = {}
    for row in rows:
        above |= {place: row[place] for place in places if place < len(row) and str(row[place] or "").strip()}
        if not any(str(cell or "").strip() for place, cell in enumerate(row) if place not in places):
            yield [*row, "1"]
            continue
        missing = [names[place] for place in places if place not in above]
        if missing:
            raise SourceError(
                f"{label}, column {missing[0]!r} (source.fill_down): the first row is empty, so there is no value "
                "to repeat; correct the file, or leave the column out"
            )
        yield [*(above.get(place, cell) if place in places else cell for place, cell in enumerate(row)), ""]


def _typical(records: list[Record]) -> float:
    return median([_count_filled(fields) for _, fields in records[1:]] or [0])


def _count_filled(fields: list[str]) -> int:
    return sum(bool(field.strip()) for field in fields)


def _are(kind: re.Pattern[str], text: str, column: list[str]) -> bool:
    """Tell whether a text and nine in ten of the texts below it match a pattern."""
    alike = sum(kind.fullmatch(below.strip()) is not None for below in column)
    return kind.fullmatch(text.strip()) is not None and bool(column) and alike >= 0.9 * len(column)


def _shown(fields: list[str]) -> str:
    text = ", ".join(field.strip() for field in fields)
    return repr(text if len(text) <= 60 else text[:59] + "…")
