"""Spreadsheets, copied once to parquet: one file per sheet in `.cache/sheets`.

The folder's name hashes the workbook and this code.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crm_utils.core.errors import SourceError
from crm_utils.core.files import atomic_write, content_hash, folder_lock
from crm_utils.sources import validation

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

ROWS_AT_A_TIME = 50_000


def parquet_copies(path: Path, names: list[str] | None, root: Path) -> list[tuple[str, Path]]:
    """Name and parquet copy of each sheet asked for; without names, of the only one.

    A column that holds only numbers or only dates keeps its type; in any other everything is text, whole numbers
    without decimals. Raises `SourceError` for a damaged file, a sheet that is not there, and a header without rows.
    """
    made_from = f"{content_hash(path, root)[:32]}-{content_hash(Path(__file__), root)[:8]}"
    folder = root / ".cache" / "sheets" / made_from
    if names and all(_copy(folder, name).exists() for name in names):
        return [(name, _copy(folder, name)) for name in names]
    # dates that are built side by side convert a spreadsheet once: the others wait for the first
    with folder_lock(folder):
        book = _book(path)
        chosen = _chosen(path, book.sheet_names, names)
        for name in chosen:
            if not _copy(folder, name).exists():
                table = _table(book.get_sheet_by_name(name), f"{path.name}, sheet {name!r}")
                with atomic_write(_copy(folder, name)) as building:
                    pq.write_table(table, building)
    return [(name, _copy(folder, name)) for name in chosen]


def sheet_shapes(path: Path) -> dict[str, tuple[list[str], int]]:
    """The first row of each sheet as text, and how many rows there are below it."""
    book = _book(path)
    found = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
    return {
        name: ([cell_text(cell) or "" for cell in next(sheet.iter_rows(), [])], max(sheet.height - 1, 0))
        for name, sheet in found.items()
    }


def cell_text(cell: Any) -> str | None:
    """A cell as text: 489434.0 -> '489434', 2.5 -> '2.5', a date in ISO, nothing -> None."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat(sep=" ") if isinstance(cell, datetime) else str(cell)


def _book(path: Path) -> "CalamineWorkbook":
    from python_calamine import CalamineWorkbook

    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty (0 bytes): export it again")
    try:
        return CalamineWorkbook.from_path(path)
    except Exception as error:  # calamine raises a class of its own for each layer: zip, xml, format
        raise SourceError(
            f"{path.name} cannot be read as a spreadsheet ({error}): the file is damaged or cut short; "
            "copy or export it again"
        ) from None


def _chosen(path: Path, there: list[str], names: list[str] | None) -> list[str]:
    listed = ", ".join(map(repr, there))
    if names is None and len(there) > 1:
        raise SourceError(f"{path.name} has {len(there)} sheets ({listed}): name those to read in source.sheets")
    missing = [name for name in names or [] if name not in there]
    if missing:
        raise SourceError(f"{path.name} has no sheet {missing[0]!r}: correct source.sheets; it has {listed}")
    return names or there


def _copy(folder: Path, sheet: str) -> Path:
    return folder / f"{hashlib.sha256(sheet.encode()).hexdigest()[:16]}.parquet"


def _table(sheet: Any, label: str) -> pa.Table:
    rows = sheet.iter_rows()
    names = [cell_text(cell) or "" for cell in next(rows, [])]
    if not names:
        raise SourceError(f"{label} is empty: name another sheet in source.sheets")
    validation.check_names(names, label)
    chunks = [list(map(_array, zip(*chunk, strict=True))) for chunk in _chunks(rows)]
    if not chunks:
        raise SourceError(f"{label} has a header and no row below it: export it again")
    return pa.table(dict(zip(names, map(_joined, zip(*chunks, strict=True)), strict=True)))


def _chunks(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    while chunk := list(islice(rows, ROWS_AT_A_TIME)):
        yield chunk


def _array(cells: tuple[Any, ...]) -> pa.Array:
    kinds = set(map(type, cells))
    if str not in kinds:
        kinds.discard(type(None))
    elif "" in cells:
        cells = tuple(None if cell == "" else cell for cell in cells)
        kinds = set(map(type, cells)) - {type(None)}
    if not kinds:
        return pa.nulls(len(cells))
    if kinds <= {int, float}:
        return pa.array(cells, pa.float64())
    if kinds <= {datetime, date}:
        return pa.array([cell and datetime(*cell.timetuple()[:6]) for cell in cells], pa.timestamp("us"))
    return pa.array(cells if kinds == {str} else [cell_text(cell) for cell in cells], pa.string())


def _joined(chunks: Iterable[pa.Array]) -> pa.ChunkedArray:
    """The pieces of a column as one type: their own where they agree, else text."""
    kinds = {chunk.type for chunk in chunks} - {pa.null()}
    kind = kinds.pop() if len(kinds) == 1 else pa.string()
    return pa.chunked_array([_as(chunk, kind) for chunk in chunks], kind)


def _as(chunk: pa.Array, kind: pa.DataType) -> pa.Array:
    if chunk.type == kind:
        return chunk
    if pa.types.is_null(chunk.type):
        return pc.cast(chunk, kind)
    return pa.array([cell_text(cell) for cell in chunk.to_pylist()], pa.string())
