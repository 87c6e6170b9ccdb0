"""Convert spreadsheets to parquet once: one file per sheet in `.cache/sheets`.

The folder's name is a hash of the workbook and this module.
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
    """Return name and parquet copy of each named sheet; if `names` is None, of the only sheet.

    A column that contains only numbers or only dates keeps its type. Any other column becomes text, with whole numbers
    written without decimals. Raises `SourceError` for a damaged file, a missing sheet, and a header without rows.
    """
    cache_key = f"{content_hash(path, root)[:32]}-{content_hash(Path(__file__), root)[:8]}"
    folder = root / ".cache" / "sheets" / cache_key
    if names and all(_copy_path(folder, name).exists() for name in names):
        return [(name, _copy_path(folder, name)) for name in names]
    # dates built in parallel convert a spreadsheet only once: the others wait for the first
    with folder_lock(folder):
        workbook = _open_workbook(path)
        selected = _select_sheets(path, workbook.sheet_names, names)
        for name in selected:
            if not _copy_path(folder, name).exists():
                table = _to_table(workbook.get_sheet_by_name(name), f"{path.name}, sheet {name!r}")
                with atomic_write(_copy_path(folder, name)) as building:
                    pq.write_table(table, building)
    return [(name, _copy_path(folder, name)) for name in selected]


def sheet_shapes(path: Path) -> dict[str, tuple[list[str], int]]:
    """Return the first row of each sheet as text, and the number of rows below it."""
    workbook = _open_workbook(path)
    by_name = {name: workbook.get_sheet_by_name(name) for name in workbook.sheet_names}
    return {
        name: ([cell_text(cell) or "" for cell in next(sheet.iter_rows(), [])], max(sheet.height - 1, 0))
        for name, sheet in by_name.items()
    }


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


def _select_sheets(path: Path, sheets: list[str], names: list[str] | None) -> list[str]:
    listed = ", ".join(map(repr, sheets))
    if names is None and len(sheets) > 1:
        raise SourceError(f"{path.name} has {len(sheets)} sheets ({listed}); list those to read in source.sheets")
    missing = [name for name in names or [] if name not in sheets]
    if missing:
        raise SourceError(f"{path.name} has no sheet {missing[0]!r}; correct source.sheets. It has {listed}")
    return names or sheets


def _copy_path(folder: Path, sheet: str) -> Path:
    return folder / f"{hashlib.sha256(sheet.encode()).hexdigest()[:16]}.parquet"


def _to_table(sheet: Any, label: str) -> pa.Table:
    rows = sheet.iter_rows()
    names = [cell_text(cell) or "" for cell in next(rows, [])]
    if not names:
        raise SourceError(f"{label} is empty; list another sheet in source.sheets")
    validation.check_names(names, label)
    chunks = [list(map(_to_array, zip(*chunk, strict=True))) for chunk in _chunks(rows)]
    if not chunks:
        raise SourceError(f"{label} has a header but no rows below it; export it again")
    return pa.table(dict(zip(names, map(_concatenate, zip(*chunks, strict=True)), strict=True)))


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
