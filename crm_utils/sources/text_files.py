"""Read files as Ibis tables on DuckDB: csv and tsv as text, parquet directly, spreadsheets through a parquet copy."""

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

from crm_utils.config import Columns, Source
from crm_utils.config.paths import source_files, source_paths
from crm_utils.core import duckdb_engine
from crm_utils.core.errors import SourceError
from crm_utils.core.files import atomic_write, content_hash
from crm_utils.core.suggestions import did_you_mean
from crm_utils.sources import file_queries, joined_ids, spreadsheets, validation
from crm_utils.sources.encodings import (
    CHUNK,
    check_encoding,
    guess_encoding,
    is_packed,
    not_utf8_message,
    open_bytes,
    open_text,
)
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
from crm_utils.sources.raw_table import RawTable, TextFormat
from crm_utils.sources.text_copies import copy_long_text

DELIMITERS = ",;\t|"
FEWEST_LINES, FEWEST_WORDS = 5, 3  # with fewer, a column of text is not told from fields between blanks
START, END = 1 << 18, 1 << 16  # characters at the start of a file and bytes at its end that show its layout


def read_files(source: Source, columns: Columns | None, root: Path) -> list[RawTable]:
    """Read one raw table per file, or per sheet of a spreadsheet, in the order of the source.

    If a file has its own `columns`, they are renamed to the names in `columns`. With `source.query`, one raw table with
    its rows. Raises `SourceError` if a file cannot be read.
    """
    if source.sample == "cdnow":
        path = source_paths(source, root)[0]
        return [RawTable(path.name, _cdnow(path), TextFormat.of(source))]
    files = source_files(source, root)
    sheets = [named.sheets for _, named in files if named and named.sheets] or source.sheets
    if sheets and not any(file_kind(path) == "xlsx" for path, _ in files):
        raise SourceError(f"source.sheets is for spreadsheets, and {files[0][0].name} is not one; remove source.sheets")
    found: list[RawTable] = []
    tables: dict[str, list[RawTable]] = {}
    for path, named in files:
        own = named.within(source) if named else source
        file = (str(path.relative_to(root)) if path.is_relative_to(root) else str(path)) if len(files) > 1 else None
        for part in read_file(path, own.sheets, root, TextFormat.of(own), Layout.of(own, file)):
            part = replace(part, file=file)
            found.append(_renamed(part, named.columns, columns) if named and named.columns else part)
            tables.setdefault(path.name.split(".")[0], []).append(_without_headings(found[-1]))
    return [file_queries.run_query(source, tables, root)] if source.query else found


def _without_headings(part: RawTable) -> RawTable:
    """The part without headings of groups: a query need not select the column that marks them."""
    if HEADING not in part.table.columns:
        return part
    rows = part.table.filter(part.table[HEADING].nullif("").isnull())
    return replace(part, table=rows.drop(HEADING))


def _renamed(part: RawTable, own: dict[str, str | list[str]], columns: Columns | None) -> RawTable:
    """Rename a file's own columns to the names that the other files have, and join those that are lists."""
    usual = columns.with_joined_ids().named if columns else {}
    date_column = str(own.get("ordered_at") or own.get(usual.get("ordered_at", "")) or usual.get("ordered_at", ""))
    joined = {
        usual.get(name, name): joined_ids.join_columns(part, column, date_column, f"source.files: columns.{name}")
        for name, column in own.items()
        if isinstance(column, list)
    }
    renames = {usual.get(name, name): column for name, column in own.items() if isinstance(column, str)}
    for name, column in renames.items():
        if column not in part.table.columns:
            raise SourceError(
                f"{part.label} has no column {column!r} (source.files: columns.{name}); "
                + f"{did_you_mean(column, part.table.columns)} ".lstrip()
                + f"It has: {validation.list_names(part.table.columns)}"
            )
    new = {**renames, **joined}
    kept = [name for name in part.table.columns if name not in new and name not in renames.values()]
    renamed = {name: part.table[column] for name, column in renames.items()}
    return replace(part, table=part.table.select(*kept, **renamed, **joined))


def read_file(
    path: Path, names: list[str] | None, root: Path, format: TextFormat, layout: Layout | None = None
) -> list[RawTable]:
    """Read one file: a raw table for each named sheet of a spreadsheet, one for any other file.

    Without a layout the column names must be in the first line, and the layout is not checked.
    """
    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty (0 bytes); export it again")
    if (kind := file_kind(path)) == "xlsx":
        copies = spreadsheets.parquet_copies(path, names, root, layout)
        return [
            RawTable(f"{path.name}, sheet {sheet!r}", duckdb_engine.read_parquet(copy), format, columnar=True)
            for sheet, copy in copies
        ]
    if kind == "parquet":
        return [RawTable(path.name, _parquet(path), format, columnar=True)]
    return [_csv(path, root, format, layout)]


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
        return duckdb_engine.read_parquet(path)
    except Exception as error:  # the messages of DuckDB name neither the user's file nor a remedy
        raise SourceError(
            f"{path.name} cannot be read as parquet ({_first_line(error)}). The file is damaged or incomplete; "
            "copy or export it again"
        ) from None


def _csv(path: Path, root: Path, format: TextFormat, layout: Layout | None) -> RawTable:
    if not is_packed(path) and (kind := describe_kind(path)):
        raise SourceError(f"{path.name} {kind}")
    check_encoding(format.encoding)
    end = _end(path, root)
    data = _plain_copy(path, root, format.encoding, layout or Layout())
    start = _start(data)
    if start.lower().startswith("sep="):
        line = (layout or Layout()).line("header_row", 2)
        raise SourceError(
            f"{path.name}: the first line, {start.splitlines()[0].strip()!r}, is an instruction for Excel; write {line}"
        )
    delimiter = format.delimiter or ("\t" if ".tsv" in path.name.lower() else _delimiter(start))
    records = _records(start, delimiter)
    if not records:
        given = layout.settings if layout else ""
        cure = f"correct {given}, or export it again" if given else "export it again"
        raise SourceError(f"{path.name}: no line is left, or all are blank; {cure}")
    _check_delimited(records, path.name)
    if layout:
        check_start(records, layout, path.name)
    names = list(layout.names) if layout and layout.names else [name.strip("\ufeff") for name in records[0][1]]
    below = records if layout and layout.names and not layout.header_row else records[1:]
    names = _fitting(names, [fields for _, fields in below], layout, path.name)
    validation.check_names(names, path.name)
    if layout:
        last = _last_records(end, format.encoding, delimiter)
        _check_not_cut(end, last, len(names), layout, path.name)
        check_end(last, len(names), layout, path.name)
    if layout and layout.fill_down:
        data = _filled_copy(data, root, delimiter, below is not records, names, layout.fill_down, path.name)
        names = [*names, HEADING]
    table = _parse(data, delimiter, below is not records, names)
    copied = copy_long_text(table, data, root, (delimiter, below is not records, names))
    table, columnar = (table, False) if copied is None else (copied, True)
    return RawTable(path.name, table, format, columnar, without_name=validation.describe_unnamed(names))


def _check_not_cut(end: bytes, last: list[list[str]], width: int, layout: Layout, label: str) -> None:
    """Raise `SourceError` if the file ends within a row: without a line end, after fewer fields than others have."""
    ends_within = last and 1 < len(last[-1]) < width and len(last) > 1 and len(last[-2]) == width
    if layout.footer is None and ends_within and not end.endswith((b"\n", b"\r")):
        raise SourceError(
            f"{label} ends within a row ({', '.join(last[-1])[:60]!r}), so it is incomplete; copy or export it again, "
            f"or write {layout.line('footer', 1)} if that is no row"
        )


def _parse(data: Path, delimiter: str, header: bool, names: list[str]) -> ir.Table:
    """Read a UTF-8 file as columns of text, without those that have no name."""
    named = [name if name.strip() else f"unnamed column {place}" for place, name in enumerate(names, start=1)]
    table = duckdb_engine.duckdb().read_csv(
        data,
        header=header,
        auto_detect=False,
        columns=dict.fromkeys(named, "VARCHAR"),
        delim=delimiter,
        quote='"',
        escape='"',
        compression="gzip" if is_packed(data) else "none",  # DuckDB by itself sees .gz, and not .GZ
    )
    return table.select(*[name for name in names if name.strip()])


def _check_delimited(records: list[Record], label: str) -> None:
    """Raise `SourceError` if each line is one field of several words, as many in all lines."""
    words = {len(fields[0].split()) if len(fields) == 1 else 0 for _, fields in records}
    if len(records) >= FEWEST_LINES and len(words) == 1 and words.pop() >= FEWEST_WORDS:
        raise SourceError(
            f"{label}: blanks separate its fields ({records[0][1][0].strip()!r}); export it with commas or tabs "
            "between them"
        )


def _filled_copy(
    data: Path, root: Path, delimiter: str, header: bool, names: list[str], columns: tuple[str, ...], label: str
) -> Path:
    """Copy a UTF-8 file with the blank cells of columns filled, once for each content and these settings."""
    how = hashlib.sha256(f"{delimiter} {header} {names} {columns}".encode()).hexdigest()[:8]
    copy = root / ".cache" / "text" / f"{content_hash(data, root)[:32]}-{how}" / data.name.removesuffix(".gz")
    if copy.exists():
        return copy
    with (
        open_text(data, "utf-8-sig") as text,
        atomic_write(copy) as building,
        building.open("w", encoding="utf-8", newline="") as out,
    ):
        records = (record for record in csv.reader(text, delimiter=delimiter) if record)
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        writer.writerows([*fields, HEADING] for fields in islice(records, 1 if header else 0))
        writer.writerows(fill_down(records, names, columns, label))
    return copy


def _fitting(names: list[str], rows: list[list[str]], layout: Layout | None, label: str) -> list[str]:
    """Add or remove empty names at the end if all rows have such fields: some programs end each row with a delimiter.

    Raises `SourceError` if the parameters name more or fewer columns than there are.
    """
    widths = {len(fields) for fields in rows}
    if len(widths) != 1:
        return names
    (width,) = widths
    if layout and layout.names and width != len(names):
        raise SourceError(f"{label}: source.names lists {len(names)} columns, and the rows have {width}; name them all")
    if width > len(names) and not any(field.strip() for fields in rows for field in fields[len(names) :]):
        return [*names, *[""] * (width - len(names))]
    return names[:width] if not any(name.strip() for name in names[width:]) else names


def _delimiter(start: str) -> str:
    """Find the delimiter of the header, or the one that gives most lines the same width if the header has none."""
    lines = iter(start.splitlines(keepends=True))
    header = _header(lines)
    marks = {mark: re.sub(r'"[^"]*"', "", header).count(mark) for mark in DELIMITERS}
    widths = {mark: [len(fields) for _, fields in _records(start, mark)[1:]] for mark in DELIMITERS}
    usual = {mark: Counter(found).most_common(1)[0] if found else (1, 0) for mark, found in widths.items()}
    best = max(DELIMITERS, key=lambda mark: marks[mark])
    if not widths[best]:
        return best
    shares = {mark: usual[mark][1] / len(widths[mark]) for mark in DELIMITERS if usual[mark][0] > 1}
    wider = [mark for mark in shares if usual[mark][0] > max(usual[best][0], 2) and not marks[mark]]
    agrees = best in shares and marks[best] and abs(usual[best][0] - marks[best] - 1) <= 1
    if agrees and not any(shares[mark] >= 0.6 for mark in wider if mark in ";\t"):
        return best
    shares = {mark: share * usual[mark][0] for mark, share in shares.items() if share > 0.5}
    return max(shares, key=lambda mark: shares[mark], default=best)


def _records(start: str, delimiter: str) -> list[Record]:
    """Parse the first records that are not blank, each with the number of its first line."""
    reader, found, line = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter), [], 1
    for fields in islice(reader, LOOKED_AT):
        if any(field.strip() for field in fields):
            found.append((line, fields))
        line = reader.line_num + 1
    return found


def _last_records(end: bytes, encoding: str | None, delimiter: str) -> list[list[str]]:
    """Parse the last lines that are complete records, back to one that ends a quoted text."""
    found: list[list[str]] = []
    lines = end.decode(encoding or "utf-8", errors="replace").splitlines()[1 if len(end) == END else 0 :]
    for line in reversed([line for line in lines if line.strip()][-LAST:]):
        if line.count('"') % 2:
            break
        found.insert(0, next(csv.reader([line], delimiter=delimiter), []))
    return found


def _start(path: Path) -> str:
    """Read the first complete lines of a UTF-8 file. Raises `SourceError` if it has another encoding."""
    try:
        with open_text(path, "utf-8-sig") as text:
            start = text.read(START)
    except UnicodeDecodeError:
        raise SourceError(not_utf8_message(path)) from None
    if start[:1000].count("\0") > len(start[:1000]) / 4:
        raise SourceError(not_utf8_message(path))
    return start[: start.rindex("\n") + 1] if len(start) == START and "\n" in start else start


def _plain_copy(path: Path, root: Path, encoding: str | None, layout: Layout) -> Path:
    """Return the file if it is UTF-8 with the column names first and data below, else a copy in `.cache` that is.

    The copy is made once for each content, encoding and layout. All its lines end in LF.
    """
    utf8 = encoding is None or encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    first = layout.header_row or (_first_line_number(path) if utf8 else 1)
    if utf8 and first == 1 and not layout.skip_rows and not layout.footer and not _mixes_line_ends(path):
        return path
    how = hashlib.sha256(f"{encoding} {first} {layout.skip_rows} {layout.footer}".encode()).hexdigest()[:8]
    copy = root / ".cache" / "text" / f"{content_hash(path, root)[:32]}-{how}" / path.name
    if copy.exists():
        return copy
    try:
        with (
            open_text(path, "utf-8-sig" if utf8 else encoding or "", newline=None) as text,
            atomic_write(copy) as building,
            _opened(building, path) as out,
        ):
            out.writelines(_lines_of_table(text, first, layout))
    except LookupError:
        raise SourceError(f"source.encoding: Python has no encoding {encoding!r}; try windows-1252 or utf-16") from None
    except UnicodeError as error:
        if utf8:
            raise SourceError(not_utf8_message(path)) from None
        raise SourceError(f"{path.name} is not written in {encoding} ({error}); correct source.encoding") from None
    return copy


def _lines_of_table(text: Iterable[str], first: int, layout: Layout) -> Iterator[str]:
    """Select the lines from the column names to the last row."""
    lines: Iterator[str] = islice(text, first - 1, None)
    if layout.skip_rows:
        header = _header(lines)
        lines = chain([header], islice(lines, layout.skip_rows, None))
    return without_footer(lines, layout.footer or 0, lambda line: not line.strip())


def _header(lines: Iterator[str]) -> str:
    """Take the line of the column names, and the next ones while a quoted name is not complete."""
    header = next(lines, "")
    while header.count('"') % 2 and (more := next(lines, "")):
        header += more
    return header


def _mixes_line_ends(path: Path) -> bool:
    """Tell whether the lines at the start and the end of a file end in both CR LF and LF, which DuckDB refuses."""
    with open_bytes(path) as file:
        looked_at = file.read(START)
        if not is_packed(path):
            file.seek(max(START, path.stat().st_size - START))
            looked_at += file.read()
    bare = re.sub(rb'"[^"]*"', b"", looked_at)
    return 0 < bare.count(b"\r\n") < bare.count(b"\n")


def _first_line_number(path: Path) -> int:
    """Find the first line that is not blank."""
    with open_bytes(path) as file:
        return next((number for number, line in enumerate(file, start=1) if line.strip(b" \t\r\n\xef\xbb\xbf")), 1)


def _opened(building: Path, path: Path) -> io.TextIOBase:
    if is_packed(path):
        return gzip.open(building, "wt", encoding="utf-8", newline="", compresslevel=1)
    return building.open("w", encoding="utf-8", newline="")


def _end(path: Path, root: Path) -> bytes:
    """Read the last bytes of a file.

    A packed file is unpacked completely, once per content, because DuckDB reads an incomplete one without an error.
    """
    if not is_packed(path):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - END))
            return file.read()
    kept = root / ".cache" / "text" / f"{content_hash(path, root)[:32]}.end"
    if kept.exists():
        return kept.read_bytes()
    end = b""
    try:
        with gzip.open(path, "rb") as file:
            while chunk := file.read(CHUNK):
                end = (end + chunk)[-END:]
    except (OSError, EOFError, zlib.error):
        raise SourceError(
            f"{path.name} cannot be unpacked. The file is damaged or incomplete; copy or export it again"
        ) from None
    with atomic_write(kept) as building:
        building.write_bytes(end)
    return end


def guess_file_encoding(path: Path, root: Path) -> str | None:
    """Guess a text file's encoding; None for UTF-8. Raises `SourceError` if it is packed and damaged."""
    _end(path, root)
    return guess_encoding(path)


def propose_layout(path: Path, root: Path, encoding: str | None) -> dict[str, Any]:
    """Propose the settings that a text file needs: header_row, skip_rows, footer, names.

    Raises `SourceError` if it cannot be read.
    """
    end = _end(path, root)
    start = _start(_plain_copy(path, root, encoding, Layout()))
    if start.lower().startswith("sep="):
        return {"header_row": 2}
    delimiter = "\t" if ".tsv" in path.name.lower() else _delimiter(start)
    records = _records(start, delimiter)
    return propose(records, _last_records(end, encoding, delimiter)) if records else {}


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
