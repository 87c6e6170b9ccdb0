"""Copy long text files to parquet once, in `.cache/text`: each query over a text file parses all of it again."""

import hashlib
from pathlib import Path

import ibis.expr.types as ir

from crm_utils.core import duckdb_engine
from crm_utils.core.files import atomic_write, content_hash, folder_lock

LONG = 4_000_000  # bytes; a shorter file is parsed faster than it is copied


def copy_long_text(table: ir.Table, file: Path, root: Path, settings: object) -> ir.Table | None:
    """Return the rows of a text file from a parquet copy, in the same order.

    Parameters
    ----------
    table : ibis.Table
        The file as DuckDB reads it.
    file : Path
        The file.
    root : Path
        The project's folder.
    settings : object
        How the file is read, as text: another copy is made for other settings.

    Returns
    -------
    ibis.Table or None
        None if the file is short or cannot be read completely. The query that needs the damaged line then says so.
    """
    if file.stat().st_size < LONG:
        return None
    how = hashlib.sha256(str(settings).encode()).hexdigest()[:8]
    copy = root / ".cache" / "text" / f"{content_hash(file, root)[:32]}-{how}" / f"{file.name}.parquet"
    with folder_lock(copy.parent):  # dates built in parallel copy a file only once
        if not copy.exists():
            try:
                with atomic_write(copy) as building:
                    table.to_parquet(building, preserve_order=True)
            except Exception:  # noqa: BLE001  DuckDB has many errors for damaged files and full disks
                return None
    return duckdb_engine.read_parquet(copy)
