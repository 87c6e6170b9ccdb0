"""Read files as Ibis tables on DuckDB: csv and tsv as text, parquet directly, spreadsheets through a parquet copy."""

import csv
import gzip
import io
import re
import zlib
from pathlib import Path

import ibis.expr.types as ir

from crm_utils.config import Source
from crm_utils.config.paths import source_paths
from crm_utils.core import duckdb_engine
from crm_utils.core.errors import SourceError
from crm_utils.core.files import atomic_write, content_hash
from crm_utils.sources import spreadsheets, validation
from crm_utils.sources.raw_table import RawTable, TextFormat

DELIMITERS = ",;\t|"
CHUNK = 1 << 22


def read_files(source: Source, root: Path, format: TextFormat) -> list[RawTable]:
    """Read one raw table per file, or per sheet of a spreadsheet, in the order of the source.

    Raises `SourceError` if a file cannot be read.
    """
    paths = source_paths(source, root)
    if source.sample == "cdnow":
        return [RawTable(paths[0].name, _cdnow(paths[0]), format)]
    if source.sheets and not any(file_kind(path) == "xlsx" for path in paths):
        raise SourceError(f"source.sheets is for spreadsheets, and {paths[0].name} is not one; remove source.sheets")
    return [part for path in paths for part in read_file(path, source.sheets, root, format)]


def read_file(path: Path, names: list[str] | None, root: Path, format: TextFormat) -> list[RawTable]:
    """Read one file: a raw table for each named sheet of a spreadsheet, one for any other file."""
    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty (0 bytes); export it again")
    if (kind := file_kind(path)) == "xlsx":
        copies = spreadsheets.parquet_copies(path, names, root)
        return [
            RawTable(f"{path.name}, sheet {sheet!r}", duckdb_engine.duckdb().read_parquet(copy), format, columnar=True)
            for sheet, copy in copies
        ]
    if kind == "parquet":
        return [RawTable(path.name, _parquet(path), format, columnar=True)]
    return [RawTable(path.name, _csv(path, root, format), format)]


def file_kind(path: Path) -> str:
    """Return how to read a file, from its name: csv, parquet or xlsx. Raises `SourceError` for any other name."""
    name = path.name.lower().removesuffix(".gz")
    kinds = {".xlsx": "xlsx", ".xlsm": "xlsx", ".xlsb": "xlsx", ".xls": "xlsx", ".parquet": "parquet"}
    text = (".csv", ".tsv", ".txt")
    for ending in (*kinds, *text):
        if name.endswith(ending):
            return kinds.get(ending, "csv")
    raise SourceError(f"{path.name}: this file type is not supported; use .csv, .csv.gz, .tsv, .parquet or .xlsx")


def _cdnow(path: Path) -> ir.Table:
    text = duckdb_engine.duckdb().read_csv(
        path, header=False, skip=1, columns={"line": "VARCHAR"}, delim="\x01", quote=""
    )
    fields = text.line.strip().re_split(r"\s+")
    return text.select(customer_id=fields[0], date=fields[1], number_of_cds=fields[2], dollar_value=fields[3])


def _parquet(path: Path) -> ir.Table:
    try:
        return duckdb_engine.duckdb().read_parquet(path)
    except Exception as error:  # the messages of DuckDB name neither the user's file nor a remedy
        raise SourceError(
            f"{path.name} cannot be read as parquet ({_first_line(error)}). The file is damaged or incomplete; "
            "copy or export it again"
        ) from None


def _csv(path: Path, root: Path, format: TextFormat) -> ir.Table:
    _check_complete(path, root)
    path = _to_utf8(path, root, format.encoding)
    header = _header_line(path)
    if not header.strip():
        raise SourceError(f"{path.name}: the first line is blank; remove it, so that the column names come first")
    if header.lower().startswith("sep="):
        raise SourceError(f"{path.name}: the first line, {header.strip()!r}, is an instruction for Excel; remove it")
    delimiter = format.delimiter or (
        "\t" if ".tsv" in path.name.lower() else max(DELIMITERS, key=re.sub(r'"[^"]*"', "", header).count)
    )
    names = next(csv.reader(io.StringIO(header), delimiter=delimiter), [])
    validation.check_names(names, path.name)
    return duckdb_engine.duckdb().read_csv(
        path,
        header=True,
        auto_detect=False,
        columns=dict.fromkeys(names, "VARCHAR"),
        delim=delimiter,
        quote='"',
        escape='"',
        compression="gzip" if _is_gzipped(path) else "none",  # DuckDB detects .gz, but not .GZ
    )


def _to_utf8(path: Path, root: Path, encoding: str | None) -> Path:
    """Return the file itself if it is UTF-8, else a UTF-8 copy in `.cache`, made once per content and encoding."""
    if encoding is None or encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return path
    copy = root / ".cache" / "text" / f"{content_hash(path, root)[:32]}-{encoding.lower()}" / path.name
    if copy.exists():
        return copy
    try:
        with open_text(path, encoding) as text, atomic_write(copy) as building, _open_copy(building, path) as out:
            while chunk := text.read(CHUNK):
                out.write(chunk)
    except LookupError:
        raise SourceError(f"source.encoding: Python has no encoding {encoding!r}; try windows-1252 or utf-16") from None
    except UnicodeError as error:
        raise SourceError(f"{path.name} is not written in {encoding} ({error}); correct source.encoding") from None
    return copy


def _open_copy(building: Path, path: Path) -> io.TextIOBase:
    if _is_gzipped(path):
        return gzip.open(building, "wt", encoding="utf-8", newline="", compresslevel=1)
    return building.open("w", encoding="utf-8", newline="")


def open_text(path: Path, encoding: str) -> io.TextIOBase:
    """Open a text file for reading; a .gz file is unpacked."""
    if _is_gzipped(path):
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _open_bytes(path: Path) -> io.BufferedIOBase:
    return gzip.open(path, "rb") if _is_gzipped(path) else path.open("rb")


def _is_gzipped(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _header_line(path: Path) -> str:
    try:
        with open_text(path, "utf-8-sig") as text:
            header = text.readline()
            while header.count('"') % 2 and (more := text.readline()):  # a column name that contains a line break
                header += more
        if "\0" not in header:
            return header
        raise SourceError(not_utf8_message(path))
    except UnicodeDecodeError:
        raise SourceError(not_utf8_message(path)) from None


def _check_complete(path: Path, root: Path) -> None:
    """Raise `SourceError` if a .gz file is incomplete: DuckDB would not notice. Each content is checked once."""
    if not _is_gzipped(path):
        return
    checked = root / ".cache" / "text" / f"{content_hash(path, root)[:32]}.checked"
    if checked.exists():
        return
    try:
        with gzip.open(path, "rb") as file:
            while file.read(CHUNK):
                pass
    except (OSError, EOFError, zlib.error):
        raise SourceError(
            f"{path.name} cannot be unpacked. The file is damaged or incomplete; copy or export it again"
        ) from None
    checked.parent.mkdir(parents=True, exist_ok=True)
    checked.touch()


def guess_encoding(path: Path, root: Path) -> str | None:
    """Guess a text file's encoding: None for UTF-8, UTF-16 if its first bytes say so, else windows-1252."""
    _check_complete(path, root)
    if encoding := _utf16(path):
        return encoding
    try:
        with open_text(path, "utf-8") as text:
            while text.read(CHUNK):
                pass
    except UnicodeDecodeError:
        return "windows-1252"
    return None


def _utf16(path: Path) -> str | None:
    """Return the variant of UTF-16 in which a text file is written, with or without a byte order mark.

    None if it has another encoding.
    """
    with _open_bytes(path) as file:
        start = file.read(64)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return None if b"\0" not in start else "utf-16-be" if start[0] == 0 else "utf-16-le"


def not_utf8_message(path: Path) -> str:
    """Write the error message for a text file that is not UTF-8: the first such line, and what to set."""
    if encoding := _utf16(path):
        return f"{path.name} is written in UTF-16; set source.encoding: {encoding}"
    with _open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                example = line.decode("windows-1252", errors="replace").strip()[:60]
                return (
                    f"{path.name} is not written in UTF-8 (first in line {number:,}: {example!r}, "
                    "read as windows-1252); set source.encoding, for example windows-1252"
                )
    return f"{path.name} cannot be read as text; set source.encoding"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
