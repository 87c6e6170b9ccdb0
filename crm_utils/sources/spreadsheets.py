"""Convert spreadsheets to parquet once: one file per sheet in `.cache/sheets`.

The folder's name is a hash of the workbook and this module. Workbooks are opened in a process of their own, with limits
of memory and time: one stray cell in the last row and column makes a sheet of 17 billion cells.
"""

import hashlib
import inspect
import json
import re
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from itertools import chain, dropwhile, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crm_utils.core.errors import SourceError
from crm_utils.core.files import atomic_write, content_hash, folder_lock
from crm_utils.core.formatting import MESSAGES
from crm_utils.core.limited_process import LimitExceeded, Tell, run_limited
from crm_utils.sources import validation
from crm_utils.sources.file_kinds import describe_kind
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
BYTES_AT_A_TIME = 1 << 20
LONGEST_REASON = 200  # characters
FORMULA = b"<f"
_FORMULA = rb"<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)"
ERROR = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>(?:' + _FORMULA + rb")?<(?:\w+:)?v>([^<]*)<")
NOT_CALCULATED = re.compile(
    rb"<(?:\w+:)?c\b([^>]*[^/])>" + _FORMULA + rb"(?:<(?:\w+:)?v ?/>|<(?:\w+:)?v></|</(?:\w+:)?c>)"
)
USUAL_COLUMNS = 60
NO_RESULT = "#ERROR!"  # what a formula is read as that was never calculated
SPARSE = 50  # a sheet with so many times more places than filled cells has cells far from the others
CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]+)(\d+)"[^>]*?(/?)>')
T = TypeVar("T")
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
    # dates built in parallel convert a spreadsheet only once: the others wait for the first
    with folder_lock(folder):
        chosen = names or _only_sheet(folder)
        if not chosen or not all(_copy_path(folder, name).exists() for name in chosen):
            chosen = _limited(_convert, path, names, folder, layout)
    return [(name, _copy_path(folder, name)) for name in chosen]


def sheet_shapes(path: Path) -> dict[str, tuple[list[str], int, dict[str, Any]]]:
    """Return for each visible sheet its column names, its number of rows and the proposed settings of its layout."""
    return _limited(_sheet_shapes, path)


def hidden_sheets(path: Path) -> list[str]:
    """Return the names of the hidden sheets of a workbook."""
    return _limited(_hidden_sheets, path)


def _limited(function: Callable[..., T], path: Path, *arguments: Any) -> T:
    """Call a function that opens a workbook in a process of its own. Raises `SourceError` if it needs too much."""
    import python_calamine  # here, because a process that is forked imports nothing

    try:
        return run_limited(function, path, *arguments)
    except LimitExceeded as exceeded:
        raise SourceError(_too_large(path, exceeded)) from None
    except python_calamine.CalamineError as error:
        raise SourceError(_damaged(path, error)) from None


def _too_large(path: Path, exceeded: LimitExceeded) -> str:
    """Say why a sheet cannot be read, with the cells that are far from all others."""
    label = f"{path.name}, sheet {exceeded.step!r}" if exceeded.step else path.name
    instead = "or export the sheet as csv"
    try:
        extent = run_limited(_extent, path, exceeded.step) if exceeded.step else None
    except LimitExceeded:
        extent = None
    if extent is None or extent.is_filled:
        return f"{label} needs more than {exceeded.limit} to be read. Delete what is not part of the table, {instead}"
    far = " and ".join(f"cell {name}" for name in extent.far)
    return (
        f"{label} has {MESSAGES.plural(extent.filled, 'filled cell')}, but reaches as far as {far}, so it needs more "
        f"than {exceeded.limit} to be read. Delete the rows and columns beyond the table, {instead}"
    )


def _only_sheet(folder: Path) -> list[str]:
    """Return the only visible sheet of a workbook that was converted before."""
    found = folder / "only_sheet.json"
    return json.loads(found.read_text(encoding="utf-8")) if found.exists() else []


def _convert(tell: Tell, path: Path, names: list[str] | None, folder: Path, layout: Layout | None) -> list[str]:
    pa.set_memory_pool(pa.system_memory_pool())  # others reserve gigabytes in advance, of which the limit would be one
    book = _open_workbook(path)
    chosen = _select_sheets(path, book, names)
    for name in chosen:
        if not _copy_path(folder, name).exists():
            tell(name)
            table = _to_table(
                book.get_sheet_by_name(name), f"{path.name}, sheet {name!r}", layout, _read_marks(path, name)
            )
            with atomic_write(_copy_path(folder, name)) as building:
                pq.write_table(table, building)
    if names is None:
        with atomic_write(folder / "only_sheet.json") as building:
            building.write_text(json.dumps(chosen), encoding="utf-8")
    return chosen


def _sheet_shapes(tell: Tell, path: Path) -> dict[str, tuple[list[str], int, dict[str, Any]]]:
    book = _open_workbook(path)
    found = {}
    for name in _visible(book):
        tell(name)
        sheet = book.get_sheet_by_name(name)
        records = _records(sheet, 0, LOOKED_AT)
        proposed = propose(records, [fields for _, fields in _records(sheet, sheet.height - LAST, LAST)])
        if _read_marks(path, name).hidden:
            proposed["hidden_rows"] = "drop"
        header = [fields for line, fields in records if line >= proposed.get("header_row", 1)]
        found[name] = (header[0] if header else [], max(sheet.height - 1, 0), proposed)
    return found


def _hidden_sheets(tell: Tell, path: Path) -> list[str]:
    book = _open_workbook(path)
    return [name for name in book.sheet_names if name not in _visible(book)]


class _Marks(NamedTuple):
    """What only the XML of a sheet tells: the hidden rows, and cells that calamine reads as empty.

    These have an error such as #REF!, or a formula that was never calculated. `without_result` holds the text to read
    instead, by row and column.
    """

    hidden: set[int]
    without_result: dict[int, dict[int, str]]


def _read_marks(path: Path, sheet: str) -> _Marks:
    """Look for hidden rows, by hand or by a filter, and cells without a result. Not known for xls and xlsb files."""
    marks = _Marks(set(), {})
    for text in _xml_of(path, sheet):
        if b"hidden=" in text:  # seldom; looking at each row takes ten times as long
            rows = re.finditer(rb"<(?:\w+:)?row\b([^>]*)>", text)
            found = (row[1] for row in rows if re.search(rb'\bhidden="(1|true)"', row[1]))
            marks.hidden.update(int(number[1]) for row in found if (number := re.search(rb'\br="(\d+)"', row)))
        if b't="e"' in text or FORMULA in text:
            cells = [*ERROR.findall(text), *((attributes, b"") for attributes in NOT_CALCULATED.findall(text))]
            for attributes, shown in cells:
                if place := re.search(rb'\br="([A-Z]+)(\d+)"', attributes):
                    row = marks.without_result.setdefault(int(place[2]), {})
                    row[_column_number(place[1].decode())] = shown.decode("ascii", "replace") or NO_RESULT
    return marks


def _xml_of(path: Path, sheet: str) -> Iterator[bytes]:
    """Read a sheet's XML in pieces of whole cells and tags."""
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return
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
            with packed.open(place) as xml:
                cut = b""
                while piece := xml.read(BYTES_AT_A_TIME):
                    text = cut + piece
                    whole = _end_of_last_cell(text)
                    yield text[:whole]
                    cut = text[whole:]
                yield cut
    except (KeyError, StopIteration, zipfile.BadZipFile, ElementTree.ParseError):
        return  # not written as office programs do; calamine reads all rows


def _end_of_last_cell(text: bytes) -> int:
    """The place up to which XML holds whole cells and tags."""
    begins = max(text.rfind(b"<c "), text.rfind(b":c "))
    cell_ends = text.find(b"/c>", begins) if begins >= 0 else 0
    if begins >= 0 and cell_ends < 0:
        closed = text.find(b">", begins)
        if closed < 0 or text[closed - 1 : closed] != b"/":
            return text.rfind(b"<", 0, begins + 1)
    return text.rfind(b"<") if text.rfind(b"<") > text.rfind(b">") else len(text)


class _Extent(NamedTuple):
    """How many cells of a sheet are filled, and which of them are the lowest and the rightmost."""

    filled: int
    lowest: str
    rightmost: str

    @property
    def size(self) -> tuple[int, int]:
        """The numbers of the lowest row and the rightmost column."""
        return int(re.sub(r"\D", "", self.lowest)), _column_number(re.sub(r"\d", "", self.rightmost))

    @property
    def is_filled(self) -> bool:
        """Whether many of the places up to there are filled."""
        rows, columns = self.size
        return rows * columns < SPARSE * max(self.filled, 1)

    @property
    def far(self) -> list[str]:
        """The cells that are far from the others."""
        rows, columns = self.size
        far = [self.lowest] if rows > self.filled else []
        far += [self.rightmost] if columns > USUAL_COLUMNS else []
        return list(dict.fromkeys(far or [self.lowest, self.rightmost]))


def _extent(tell: Tell, path: Path, sheet: str) -> _Extent | None:
    """Look how far a sheet's filled cells reach. None if that is not known."""
    filled, lowest, rightmost = 0, (0, ""), (0, "")
    for text in _xml_of(path, sheet):
        for column, row, empty in CELL.findall(text):
            if not empty:
                name = f"{column.decode()}{int(row)}"
                filled += 1
                lowest = max(lowest, (int(row), name))
                rightmost = max(rightmost, (_column_number(column.decode()), name))
    return _Extent(filled, lowest[1], rightmost[1]) if filled else None


def _with_texts(row: list[Any], texts: dict[int, str]) -> list[Any]:
    """Return the cells of a row with these texts, by column, where it is empty."""
    return [texts.get(place, cell) if cell in (None, "") else cell for place, cell in enumerate(row, start=1)]


def _column_number(letters: str) -> int:
    """Return the number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


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
        raise SourceError(_damaged(path, error)) from None


def _damaged(path: Path, error: Exception) -> str:
    """Say why a file cannot be read as a workbook: what it is instead, or that it is damaged."""
    kind = describe_kind(path)
    if kind is None and _is_text(path):
        kind = "is a text file; rename it to .csv"
    if kind and kind.startswith("is ") and not kind.startswith("is a workbook;"):
        return f"{path.name} cannot be read as a spreadsheet: it {kind}"
    return (
        f"{path.name} cannot be read as a spreadsheet ({str(error)[:LONGEST_REASON]}). The file is damaged or "
        "incomplete; copy or export it again"
    )


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(BYTES_AT_A_TIME)
    return bool(start.strip()) and not re.search(rb"[\x00-\x08\x0e-\x1a]", start)


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


def _to_table(sheet: Any, label: str, layout: Layout | None, marks: _Marks) -> pa.Table:
    given = layout or Layout()
    everything = (
        (number, _with_texts(row, marks.without_result[number]) if number in marks.without_result else row)
        for number, row in enumerate(sheet.iter_rows(), start=1)
    )
    written = ((number, row) for number, row in everything if not _is_blank(row))
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
    seen = _Seen(layout, marks.hidden if layout else set(), label)
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
