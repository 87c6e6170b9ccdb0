"""Files as Ibis tables on DuckDB: csv and tsv as text, parquet as it is, spreadsheets through a parquet copy."""

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
    """One extract a file, or a sheet of a spreadsheet, in the order given.

    Raises `SourceError` for what cannot be read.
    """
    paths = source_paths(source, root)
    if source.sample == "cdnow":
        return [RawTable(paths[0].name, _cdnow(paths[0]), format)]
    if source.sheets and not any(file_kind(path) == "xlsx" for path in paths):
        raise SourceError(f"source.sheets is for spreadsheets, and {paths[0].name} is none: remove source.sheets")
    return [extract for path in paths for extract in read_file(path, source.sheets, root, format)]


def read_file(path: Path, names: list[str] | None, root: Path, format: TextFormat) -> list[RawTable]:
    """What one file holds: an extract for each of the named sheets of a spreadsheet, else one."""
    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty (0 bytes): export it again")
    if (form := file_kind(path)) == "xlsx":
        copies = spreadsheets.parquet_copies(path, names, root)
        return [
            RawTable(f"{path.name}, sheet {sheet!r}", duckdb_engine.duckdb().read_parquet(copy), format, columnar=True)
            for sheet, copy in copies
        ]
    if form == "parquet":
        return [RawTable(path.name, _parquet(path), format, columnar=True)]
    return [RawTable(path.name, _csv(path, root, format), format)]


def file_kind(path: Path) -> str:
    """How a file is read, by its name: csv, parquet or xlsx. Raises `SourceError` for any other."""
    name = path.name.lower().removesuffix(".gz")
    kinds = {".xlsx": "xlsx", ".xlsm": "xlsx", ".xlsb": "xlsx", ".xls": "xlsx", ".parquet": "parquet"}
    text = (".csv", ".tsv", ".txt")
    for ending in (*kinds, *text):
        if name.endswith(ending):
            return kinds.get(ending, "csv")
    raise SourceError(f"{path.name} is of a kind that is not read: use .csv, .csv.gz, .tsv, .parquet or .xlsx")


def _cdnow(path: Path) -> ir.Table:
    text = duckdb_engine.duckdb().read_csv(
        path, header=False, skip=1, columns={"line": "VARCHAR"}, delim="\x01", quote=""
    )
    fields = text.line.strip().re_split(r"\s+")
    return text.select(customer_id=fields[0], date=fields[1], number_of_cds=fields[2], dollar_value=fields[3])


def _parquet(path: Path) -> ir.Table:
    try:
        return duckdb_engine.duckdb().read_parquet(path)
    except Exception as error:  # DuckDB's own errors name neither the cure nor the file as the user knows it
        raise SourceError(
            f"{path.name} cannot be read as parquet ({_first_line(error)}): the file is damaged or cut short; "
            "copy or export it again"
        ) from None


def _csv(path: Path, root: Path, format: TextFormat) -> ir.Table:
    _refuse_cut_short(path, root)
    path = _in_utf8(path, root, format.encoding)
    header = _header_line(path)
    if not header.strip():
        raise SourceError(f"{path.name}: its first line is blank: remove it, so that the column names stand there")
    if header.lower().startswith("sep="):
        raise SourceError(f"{path.name}: its first line, {header.strip()!r}, is a note to spreadsheets: remove it")
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
        compression="gzip" if _packed(path) else "none",  # DuckDB by itself sees .gz, and not .GZ
    )


def _in_utf8(path: Path, root: Path, encoding: str | None) -> Path:
    """The file itself where it is UTF-8, else a UTF-8 copy in `.cache`, made once for each content and encoding."""
    if encoding is None or encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return path
    copy = root / ".cache" / "text" / f"{content_hash(path, root)[:32]}-{encoding.lower()}" / path.name
    if copy.exists():
        return copy
    try:
        with open_text(path, encoding) as text, atomic_write(copy) as building, _opened(building, path) as out:
            while chunk := text.read(CHUNK):
                out.write(chunk)
    except LookupError:
        raise SourceError(
            f"source.encoding: Python knows no encoding {encoding!r}; try windows-1252 or utf-16"
        ) from None
    except UnicodeError as error:
        raise SourceError(f"{path.name} is not written in {encoding} ({error}): correct source.encoding") from None
    return copy


def _opened(building: Path, path: Path) -> io.TextIOBase:
    if _packed(path):
        return gzip.open(building, "wt", encoding="utf-8", newline="", compresslevel=1)
    return building.open("w", encoding="utf-8", newline="")


def open_text(path: Path, encoding: str) -> io.TextIOBase:
    """A text file, packed by gzip or not, opened to read."""
    if _packed(path):
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _open_bytes(path: Path) -> io.BufferedIOBase:
    return gzip.open(path, "rb") if _packed(path) else path.open("rb")


def _packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _header_line(path: Path) -> str:
    try:
        with open_text(path, "utf-8-sig") as text:
            header = text.readline()
            while header.count('"') % 2 and (more := text.readline()):  # a name that goes on in the next line
                header += more
        if "\0" not in header:
            return header
        raise SourceError(not_utf8_message(path))
    except UnicodeDecodeError:
        raise SourceError(not_utf8_message(path)) from None


def _refuse_cut_short(path: Path, root: Path) -> None:
    """Unpack a packed file to its end, once for each content: DuckDB reads one cut short as if it ended there."""
    if not _packed(path):
        return
    whole = root / ".cache" / "text" / f"{content_hash(path, root)[:32]}.whole"
    if whole.exists():
        return
    try:
        with gzip.open(path, "rb") as file:
            while file.read(CHUNK):
                pass
    except (OSError, EOFError, zlib.error):
        raise SourceError(
            f"{path.name} cannot be unpacked: the file is damaged or cut short; copy or export it again"
        ) from None
    whole.parent.mkdir(parents=True, exist_ok=True)
    whole.touch()


def guess_encoding(path: Path, root: Path) -> str | None:
    """Guess a text file's encoding: None for UTF-8, UTF-16 if its first bytes say so, else windows-1252."""
    _refuse_cut_short(path, root)
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
    """The name of the UTF-16 that a text file is written in, with its mark or without.

    None where it is in another encoding.
    """
    with _open_bytes(path) as file:
        start = file.read(64)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return None if b"\0" not in start else "utf-16-be" if start[0] == 0 else "utf-16-le"


def not_utf8_message(path: Path) -> str:
    """The message for a text file in another encoding: the first line that tells, and what to set."""
    if encoding := _utf16(path):
        return f"{path.name} is written in UTF-16: set source.encoding: {encoding}"
    with _open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                example = line.decode("windows-1252", errors="replace").strip()[:60]
                return (
                    f"{path.name} is not written in UTF-8 (first in line {number:,}: {example!r}, "
                    "read as windows-1252): set source.encoding, for example windows-1252"
                )
    return f"{path.name} cannot be read as text: set source.encoding"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
