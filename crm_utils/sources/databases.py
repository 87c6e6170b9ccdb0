"""Tables of databases through Ibis: the engine that holds the data does the work, and no password is ever shown."""

import os
import re
import warnings
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from crm_utils.config import Source
from crm_utils.core import duckdb_engine as here
from crm_utils.core.errors import SourceError, SourceMissing
from crm_utils.core.formatting import mask_secrets
from crm_utils.core.suggestions import did_you_mean
from crm_utils.sources.raw_table import RawTable

PLACEHOLDER = r"\$\{(\w+)\}"
FILES = ("sqlite", "duckdb")
EXTRAS = {"postgres": "postgres", "mysql": "mysql", "pyspark": "spark", "bigquery": "bigquery"}
SESSION = {"postgres": "SET TIME ZONE 'UTC'", "mysql": "SET NAMES utf8mb4 COLLATE utf8mb4_bin, time_zone = '+00:00'"}
NOT_REACHED = (
    r"refused|could not connect|can't connect|timed? ?out|unknown (mysql )?(server )?host|"
    r"could not translate|name or service|no route"
)
NOT_LET_IN = r"password authentication failed|access denied|no password supplied|authentication failed"


def read_database(source: Source, root: Path) -> RawTable:
    """The table or query of `source`.

    Raises `SourceMissing` where the database is not there, `SourceError` for the rest.
    """
    assert source.database is not None
    engine = connect(source.database, root)
    if source.query is not None:
        return RawTable("source.query", _asked(engine, source.query), None)
    assert source.table is not None
    return RawTable(f"table {source.table!r}", _found(engine, source.table, source.database), None)


@cache
def connect(url: str, root: Path, write: bool = False) -> BaseBackend:
    """A connection, `${NAME}` in its URL taken from the environment; files are meant relative to the project.

    Only with `write` is a file made that is not there.
    """
    filled = _fill_placeholders(url)
    scheme, _, place = filled.partition("://")
    scheme = {"postgresql": "postgres", "mariadb": "mysql", "spark": "pyspark"}.get(
        scheme.split("+")[0], scheme.split("+")[0]
    )
    try:
        if scheme in FILES:
            return _opened(scheme, place, root, write)
        if scheme == "pyspark":
            return _spark(filled, root)
        with warnings.catch_warnings():  # MySQL may know no zone by its name; SESSION needs none
            warnings.filterwarnings("ignore", "Unable to set session timezone")
            engine = ibis.connect(f"{scheme}://{place}", **({"charset": "utf8mb4"} if scheme == "mysql" else {}))
    except SourceError:
        raise
    except ImportError:  # Ibis's own does not name the module
        extra = EXTRAS.get(scheme, scheme)
        raise SourceMissing(
            f"{mask_secrets(url)}: reading {scheme} needs more than is installed: make engines, "
            f"or pip install '.[{extra}]'"
        ) from None
    except Exception as error:  # each driver has errors of its own
        raise _not_connected(error, url, filled) from None
    if scheme in SESSION:
        engine.raw_sql(SESSION[scheme]).close()
    return engine


def _fill_placeholders(url: str) -> str:
    missing = [name for name in re.findall(PLACEHOLDER, url) if name not in os.environ]
    if missing:
        raise SourceMissing(
            f"source.database needs the environment variable {missing[0]}, which is not set: export {missing[0]}=…"
        )
    if re.fullmatch(PLACEHOLDER, url):
        return os.environ[url[2:-1]]
    return re.sub(PLACEHOLDER, lambda match: quote(os.environ[match[1]], safe=""), url)


def _opened(scheme: str, place: str, root: Path, write: bool) -> BaseBackend:
    path = root / place.split("?")[0]
    if not path.is_file() and not write:
        raise SourceMissing(f"its database {place} is not there: put the file into place, or correct source.database")
    if scheme == "sqlite":
        return ibis.sqlite.connect(path)
    return here.with_memory_limit(ibis.duckdb.connect(path, read_only=not write))


def _spark(url: str, root: Path) -> BaseBackend:
    """A Spark session: `spark://local[2]`, `spark://host:7077`, or `spark://` for the cluster of the settings."""
    from pyspark.sql import SparkSession

    place = url.partition("://")[2]
    builder = SparkSession.builder.config("spark.sql.session.timeZone", "UTC")
    if place:
        builder = builder.master(place if place.startswith("local") else f"spark://{place}")
    if place.startswith("local"):  # it makes this folder, by default in the one it is started from
        builder = builder.config("spark.sql.warehouse.dir", str(root / ".cache" / "spark"))
    return ibis.pyspark.connect(builder.getOrCreate())


def _not_connected(error: Exception, url: str, filled: str) -> SourceError:
    reason = mask_url_secrets(" ".join(str(error).split()), url, filled)
    shown = mask_secrets(url)
    if re.search(NOT_LET_IN, reason, flags=re.I):
        names = ", ".join(re.findall(PLACEHOLDER, url)) or "the URL"
        return SourceError(
            f"{shown} does not let this user in: check the user and the password ({names}); it says: {reason[:200]}"
        )
    if re.search(NOT_REACHED, reason, flags=re.I):
        return SourceMissing(
            f"{shown} cannot be reached: start it, or correct source.database; it says: {reason[:200]}"
        )
    return SourceError(f"{shown} cannot be opened: correct source.database; it says: {reason[:200]}")


def mask_url_secrets(text: str, url: str, filled: str) -> str:
    """A driver's message without the password, in whichever form it shows it."""
    secrets = {os.environ.get(name) for name in re.findall(PLACEHOLDER, url)} | {urlsplit(filled).password}
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in (secret, unquote(secret), quote(secret, safe="")):
            text = text.replace(form, "***")
    return mask_secrets(text)


def _asked(engine: BaseBackend, query: str) -> ir.Table:
    try:
        return engine.sql(query, schema=_columns(engine, query))
    except Exception as error:
        reason = mask_secrets(" ".join(str(error).split()))[:300]
        raise SourceError(f"source.query is refused: {reason}; correct it, or name a source.table") from None


def _columns(engine: BaseBackend, query: str) -> ibis.Schema | None:
    """What a query returns, where Ibis would make a view to find out, which a user who only reads may not."""
    if engine.name != "postgres":
        return None
    with engine.begin() as cursor:
        cursor.execute(f"select * from ({query.strip().rstrip(';')}) as asked limit 0")
        kinds = {
            column.name: engine.compiler.type_mapper.from_string(column.type_display) for column in cursor.description
        }
    return ibis.schema(kinds)


def _found(engine: BaseBackend, table: str, url: str) -> ir.Table:
    *database, name = table.split(".")
    try:
        return engine.table(
            name, database=tuple(database) if len(database) > 1 else (database[0] if database else None)
        )
    except Exception as error:
        there = _tables(engine)
        if name in there:  # a view on what is gone, say
            reason = mask_secrets(" ".join(str(error).split()))[:300]
            raise SourceError(
                f"table {table!r} is there but cannot be read, like a view on what is gone; it says: {reason}"
            ) from None
        raise SourceError(
            f"{mask_secrets(url)} has no table {table!r} that this user may read; "
            + f"{did_you_mean(name, there)} ".lstrip()
            + (
                f"It has: {', '.join(there[:20])}"
                if there
                else f"it says: {mask_secrets(' '.join(str(error).split()))[:200]}"
            )
        ) from None


def _tables(engine: BaseBackend) -> list[str]:
    try:
        return sorted(engine.list_tables())
    except Exception:  # a user who may not list tables still gets the name that was asked for
        return []
