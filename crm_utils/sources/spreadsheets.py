"""Convert spreadsheets to parquet once: one file per sheet in `.cache/sheets`.

The folder's name is a hash of the workbook and this module.
"""

import hashlib
import inspect
import re
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import chain, dropwhile, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crm_utils.core.errors import SourceError
from crm_utils.core.files import atomic_write, content_hash, folder_lock
from crm_utils.core.formatting import MESSAGES
from crm_utils.sources import validation
from crm_utils.sources.layout import (
    HEADING,
    LAST,
    LOOKED_AT,
    Layout,
    Record,
    check_end,
    check_start,
    fill_down,
    propose,
    without_footer,
)

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

ROWS_AT_A_TIME = 50_000
Row = tuple[int, list[Any]]  # its number in the sheet, and its cells


def parquet_copies(
    path: Path, names: list[str] | None, root: Path, layout: Layout | None = None
) -> list[tuple[str, Path]]:
    """Return name and parquet copy of each named sheet; if `names` is None, of the only visible sheet.

    A column that contains only numbers or only dates keeps its type. Any other column becomes text, with whole numbers
    written without decimals. Raises `SourceError` for a damaged file, a missing sheet, and a header without rows.
    """
    code = "".join(content_hash(Path(each), root) for each in (__file__, inspect.getfile(Layout)))
    how = hashlib.sha256(f"{code} {layout}".encode()).hexdigest()[:8]
    made_from = f"{content_hash(path, root)[:32]}-{how}"
    folder = root / ".cache" / "sheets" / made_from
    if names and all(_copy_path(folder, name).exists() for name in names):
        return [(name, _copy_path(folder, name)) for name in names]
    # dates built in parallel convert a spreadsheet only once: the others wait for the first
    with folder_lock(folder):
        book = _open_workbook(path)
        chosen = _select_sheets(path, book, names)
        for name in chosen:
            if not _copy_path(folder, name).exists():
                hidden = hidden_rows(path, name) if layout else set()
                table = _to_table(book.get_sheet_by_name(name), f"{path.name}, sheet {name!r}", layout, hidden)
                with atomic_write(_copy_path(folder, name)) as building:
                    pq.write_table(table, building)
    return [(name, _copy_path(folder, name)) for name in chosen]


def sheet_shapes(path: Path) -> dict[str, tuple[list[str], int, dict[str, Any]]]:
    """Return for each visible sheet its column names, its number of rows and the proposed settings of its layout."""
    book = _open_workbook(path)
    found = {}
    for name in _visible(book):
        sheet = book.get_sheet_by_name(name)
        records = _records(sheet, 0, LOOKED_AT)
        proposed = propose(records, [fields for _, fields in _records(sheet, sheet.height - LAST, LAST)])
        if hidden_rows(path, name):
            proposed["hidden_rows"] = "drop"
        header = [fields for line, fields in records if line >= proposed.get("header_row", 1)]
        found[name] = (header[0] if header else [], max(sheet.height - 1, 0), proposed)
    return found


def hidden_sheets(path: Path) -> list[str]:
    """Return the names of the hidden sheets of a workbook."""
    book = _open_workbook(path)
    return [name for name in book.sheet_names if name not in _visible(book)]


def hidden_rows(path: Path, sheet: str) -> set[int]:
    """Return the numbers of the rows hidden by hand or by a filter. Not known for xls and xlsb files."""
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return set()
    try:
        with zipfile.ZipFile(path) as packed:
            book, links = (
                ElementTree.fromstring(packed.read(f"xl/{name}"))
                for name in ("workbook.xml", "_rels/workbook.xml.rels")
            )
            targets = {link.get("Id"): link.get("Target", "") for link in links}
            found = next(each for each in book.iter() if each.tag.endswith("}sheet") and each.get("name") == sheet)
            key = next(value for name, value in found.items() if name.endswith("}id"))
            target = targets[key]
            place = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return _hidden_in(packed.read(place))
    except (KeyError, StopIteration, zipfile.BadZipFile, ElementTree.ParseError):
        return set()  # not written as office programs do; calamine reads all rows


def _hidden_in(sheet: bytes) -> set[int]:
    if b"hidden=" not in sheet:  # most often; looking at each row takes ten times as long
        return set()
    rows = re.finditer(rb"<(?:\w+:)?row\b([^>]*)", sheet)
    hidden = (row[1] for row in rows if re.search(rb'\bhidden="(1|true)"', row[1]))
    return {int(number[1]) for row in hidden if (number := re.search(rb'\br="(\d+)"', row))}


def _visible(book: "CalamineWorkbook") -> list[str]:
    from python_calamine import SheetVisibleEnum

    return [sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]


def _records(sheet: Any, start: int, count: int) -> list[Record]:
    """Return rows of a sheet as text, each with its number, without blank rows."""
    rows = islice(enumerate(sheet.iter_rows(), start=1), max(start, 0), max(start, 0) + count)
    return [(number, [cell_text(cell) or "" for cell in row]) for number, row in rows if not _is_blank(row)]


def cell_text(cell: Any) -> str | None:
    """Write a cell as text: 489434.0 -> '489434', 2.5 -> '2.5', a date as ISO, an empty cell -> None."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat(sep=" ") if isinstance(cell, datetime) else str(cell)


def _open_workbook(path: Path) -> "CalamineWorkbook":
    from python_calamine import CalamineWorkbook

    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty (0 bytes); export it again")
    try:
        return CalamineWorkbook.from_path(path)
    except Exception as error:  # calamine has a different error for each layer: zip, xml, format
        raise SourceError(
            f"{path.name} cannot be read as a spreadsheet ({error}). The file is damaged or incomplete; "
            "copy or export it again"
        ) from None


def _select_sheets(path: Path, book: "CalamineWorkbook", names: list[str] | None) -> list[str]:
    there, visible = book.sheet_names, _visible(book)
    listed = ", ".join(map(repr, visible or there))
    if names is None and len(visible) != 1:
        raise SourceError(f"{path.name} has {len(visible)} sheets ({listed}); list those to read in source.sheets")
    missing = [name for name in names or [] if name not in there]
    if missing:
        raise SourceError(f"{path.name} has no sheet {missing[0]!r}; correct source.sheets. It has {listed}")
    return names or visible


def _copy_path(folder: Path, sheet: str) -> Path:
    return folder / f"{hashlib.sha256(sheet.encode()).hexdigest()[:16]}.parquet"


def _to_table(sheet: Any, label: str, layout: Layout | None, hidden: set[int]) -> pa.Table:
    given = layout or Layout()
    written = ((number, row) for number, row in enumerate(sheet.iter_rows(), start=1) if not _is_blank(row))
    rows, first = _looked_at(dropwhile(lambda row: row[0] < (given.header_row or 1), written))
    if not first:
        raise SourceError(f"{label} is empty; list another sheet in source.sheets")
    if layout:
        check_start(first, layout, label)
    names = list(given.names or first[0][1])
    below = rows if given.names and not given.header_row else islice(rows, 1, None)
    data = without_footer(islice(below, given.skip_rows, None), given.footer or 0, lambda row: False)
    if len(names) > len(first[0][1]) or len(first[0][1]) > len(names) and given.names:
        raise SourceError(f"{label}: source.names lists {len(names)} columns, and the rows have {len(first[0][1])}")
    validation.check_names(names, label)
    seen = _Seen(layout, hidden, label)
    counted = seen.of(data)
    if given.fill_down:
        counted = fill_down(counted, names, given.fill_down, label)
        names = [*names, HEADING]
    chunks = [list(map(_to_array, zip(*chunk, strict=True))) for chunk in _chunks(counted)]
    if not chunks:
        raise SourceError(f"{label} has a header but no rows below it; export it again")
    if layout:
        check_end([[cell_text(cell) or "" for cell in row] for row in seen.last], len(first[0][1]), layout, label)
    columns = zip(names, map(_concatenate, zip(*chunks, strict=True)), strict=True)
    return pa.table({name: column for name, column in columns if name.strip()})


def _looked_at(rows: Iterable[Row]) -> tuple[Iterator[Row], list[Record]]:
    """Return all rows, and the first of them as text."""
    unread = iter(rows)
    first = list(islice(unread, LOOKED_AT))
    return chain(first, unread), [(number, [cell_text(cell) or "" for cell in row]) for number, row in first]


class _Seen:
    """Select the rows that count and remember the last ones. Hidden rows need source.hidden_rows."""

    def __init__(self, layout: Layout | None, hidden: set[int], label: str) -> None:
        self.layout, self.hidden, self.label = layout, hidden, label
        self.last: deque[list[Any]] = deque(maxlen=LAST)

    def of(self, rows: Iterable[Row]) -> Iterator[list[Any]]:
        for number, row in rows:
            if number in self.hidden and self.layout and self.layout.hidden_rows != "keep":
                if self.layout.hidden_rows is None:
                    drop, keep = (self.layout.line("hidden_rows", value) for value in ("drop", "keep"))
                    raise SourceError(
                        f"{self.label}: {MESSAGES.plural(len(self.hidden), 'row')} hidden, for example row {number:,}; "
                        f"write {drop} to leave them out, or {keep} to count them"
                    )
                continue
            self.last.append(row)
            yield row


def _is_blank(row: list[Any]) -> bool:
    return all(cell is None or cell == "" for cell in row)


def _chunks(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    while chunk := list(islice(rows, ROWS_AT_A_TIME)):
        yield chunk


def _to_array(cells: tuple[Any, ...]) -> pa.Array:
    types = set(map(type, cells))
    if str not in types:
        types.discard(type(None))
    elif "" in cells:
        cells = tuple(None if cell == "" else cell for cell in cells)
        types = set(map(type, cells)) - {type(None)}
    if not types:
        return pa.nulls(len(cells))
    if types <= {int, float}:
        return pa.array(cells, pa.float64())
    if types <= {datetime, date}:
        return pa.array([cell and datetime(*cell.timetuple()[:6]) for cell in cells], pa.timestamp("us"))
    return pa.array(cells if types == {str} else [cell_text(cell) for cell in cells], pa.string())


def _concatenate(chunks: Iterable[pa.Array]) -> pa.ChunkedArray:
    """Join the chunks of a column: with their common type if they have one, else as text."""
    types = {chunk.type for chunk in chunks} - {pa.null()}
    type_ = types.pop() if len(types) == 1 else pa.string()
    return pa.chunked_array([_cast(chunk, type_) for chunk in chunks], type_)


def _cast(chunk: pa.Array, type_: pa.DataType) -> pa.Array:
    if chunk.type == type_:
        return chunk
    if pa.types.is_null(chunk.type):
        return pc.cast(chunk, type_)
    return pa.array([cell_text(cell) for cell in chunk.to_pylist()], pa.string())
