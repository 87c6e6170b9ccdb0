"""Run the query of a source over its files, in a DuckDB connection that can read nothing else."""

import hashlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import duckdb
import ibis

from crm_utils.config import Source
from crm_utils.config.paths import source_paths
from crm_utils.core import duckdb_engine
from crm_utils.core.errors import SourceError
from crm_utils.core.files import atomic_write, content_hash, folder_lock
from crm_utils.core.formatting import join_names, without_advice
from crm_utils.sources import validation
from crm_utils.sources.raw_table import RawTable, TextFormat

ALL_FILES = "files"  # the table of all rows of all files
SHOWN = 60


def run_query(source: Source, tables: Mapping[str, list[RawTable]], root: Path) -> RawTable:
    """Run `source.query` over files.

    The result is kept in `.cache/queries` for these files and this query.

    Parameters
    ----------
    source : Source
        With a query over files.
    tables : mapping of str to list of RawTable
        The parts of each file, by the name of the file without its ending.
    root : Path
        The project's folder.

    Returns
    -------
    RawTable
        The rows of the query.

    Raises
    ------
    SourceError
        If the query is not one select statement, names an unknown table or column, reads any other file, fails on a
        value, or has no rows.
    """
    assert source.query is not None
    label = f"source.query ({_shorten(source.query)!r})"
    _check_statement(source.query, label)
    hashes = [content_hash(path, root) for path in source_paths(source, root)]
    made_from = hashlib.sha256("\n".join([source.model_dump_json(), *hashes]).encode()).hexdigest()[:32]
    result = root / ".cache" / "queries" / f"{made_from}.parquet"
    with folder_lock(result.with_suffix("")):
        if not result.exists():
            copies = {name: _to_parquet(parts, result.with_suffix(""), name) for name, parts in tables.items()}
            with atomic_write(result) as building:
                _execute(source.query, copies, building, label)
    table = duckdb_engine.read_parquet(result)
    validation.check_names(list(table.columns), label)
    return RawTable("source.query", table, TextFormat.of(source), columnar=True)


def _check_statement(query: str, label: str) -> None:
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise SourceError(f"{label} is not a query: {_reason(error)}") from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise SourceError(f"{label}: write one select statement")


def _to_parquet(parts: list[RawTable], folder: Path, name: str) -> list[Path]:
    """Copy the parts of a file, which is quicker to read and cannot name another file."""
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for number, part in enumerate(parts):
        copies.append(folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}-{number}.parquet")
        try:
            part.table.to_parquet(copies[-1])
        except Exception:
            validation.execute(part.table.aggregate(rows=part.table.count()), part)  # says what is wrong in the file
            raise
    return copies


def _execute(query: str, copies: Mapping[str, list[Path]], result: Path, label: str) -> None:
    engine = duckdb_engine.with_memory_limit(ibis.duckdb.connect())
    with closing(engine.con) as connection:
        everything = [copy for found in copies.values() for copy in found]
        for name, found in {**copies, ALL_FILES: everything}.items():
            rows = " union all by name ".join(f"select * from read_parquet({_text(copy)})" for copy in found)
            connection.execute(f'create view "{name.replace(chr(34), chr(34) * 2)}" as {rows}')
        allowed = ", ".join(map(_text, [*everything, result]))
        connection.execute(f"set allowed_paths = [{allowed}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        try:
            connection.execute(f"copy ({query.strip().rstrip(';')}) to {_text(result)} (format parquet)")
            rows = connection.execute(f"select count(*) from read_parquet({_text(result)})").fetchone()
        except duckdb.Error as error:
            known = _describe_tables(connection, [ALL_FILES, *copies])
            for copy in everything:
                copy.unlink()
            raise SourceError(f"{label} fails: {_reason(error)}. Its tables: {known}") from None
    for copy in everything:
        copy.unlink()
    if not rows or not rows[0]:
        raise SourceError(f"{label} has no rows; correct its conditions")


def _describe_tables(connection: duckdb.DuckDBPyConnection, names: list[str]) -> str:
    described = []
    for name in dict.fromkeys(names):
        columns = connection.execute(f'describe "{name.replace(chr(34), chr(34) * 2)}"').fetchall()
        described.append(f"{name} ({', '.join(column[0] for column in columns)})")
    return join_names(described)


def _reason(error: duckdb.Error) -> str:
    """The message of DuckDB in one line, without the part of the query that it repeats."""
    text = " ".join(str(error).split("\n\nLINE")[0].split("LINE 1:")[0].split())
    if "file system operations are disabled" in text:
        text = "it reads a file that is not in source.file or source.files"
    return without_advice(text)[:300].rstrip(".")


def _shorten(query: str) -> str:
    text = " ".join(query.split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
