"""Read database tables with Ibis. Queries run in the database, and messages never show a password."""

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
from crm_utils.core import duckdb_engine
from crm_utils.core.errors import SourceError, SourceMissing
from crm_utils.core.formatting import mask_secrets
from crm_utils.core.suggestions import did_you_mean
from crm_utils.sources.raw_table import RawTable

PLACEHOLDER = r"\$\{(\w+)\}"
FILES = ("sqlite", "duckdb")
EXTRAS = {"postgres": "postgres", "mysql": "mysql", "pyspark": "spark", "bigquery": "bigquery"}
SESSION = {"postgres": "SET TIME ZONE 'UTC'", "mysql": "SET NAMES utf8mb4 COLLATE utf8mb4_bin, time_zone = '+00:00'"}
UNREACHABLE = (
    r"refused|could not connect|can't connect|timed? ?out|unknown (mysql )?(server )?host|"
    r"could not translate|name or service|no route"
)
# Environment variables that the drivers read by themselves
DRIVER_VARIABLES = {
    "postgres": ["PG*"],
    "mysql": ["MYSQL*", "MARIADB*"],
    "pyspark": ["JAVA_HOME", "SPARK_*", "PYSPARK_*", "HADOOP_*"],
    "bigquery": ["GOOGLE_*", "CLOUDSDK_*"],
    "snowflake": ["SNOWFLAKE_*"],
    "databricks": ["DATABRICKS_*"],
}
LOGIN_FAILED = r"password authentication failed|access denied|no password supplied|authentication failed"


def read_database(source: Source, root: Path) -> RawTable:
    """Read the table or query of `source`.

    Raises `SourceMissing` if the database cannot be found or reached, `SourceError` for any other problem.
    """
    assert source.database is not None
    engine = connect(source.database, root)
    if source.query is not None:
        return RawTable("source.query", _query(engine, source.query), None)
    assert source.table is not None
    return RawTable(f"table {source.table!r}", _open_table(engine, source.table, source.database), None)


@cache
def connect(url: str, root: Path, write: bool = False) -> BaseBackend:
    """Connect to a database. `${NAME}` in its URL is replaced by an environment variable.

    Paths of files are relative to the project. With `write`, a file that does not exist is created.
    """
    resolved_url = _fill_placeholders(url)
    scheme, _, address = resolved_url.partition("://")
    scheme = _engine_name(scheme)
    try:
        if scheme in FILES:
            return _open_file(scheme, address, root, write)
        if scheme == "pyspark":
            return _spark(resolved_url, root)
        with warnings.catch_warnings():  # MySQL may lack named time zones; SESSION does not need them
            warnings.filterwarnings("ignore", "Unable to set session timezone")
            engine = ibis.connect(f"{scheme}://{address}", **({"charset": "utf8mb4"} if scheme == "mysql" else {}))
    except SourceError:
        raise
    except ImportError:  # the message of Ibis does not name the package
        extra = EXTRAS.get(scheme, scheme)
        raise SourceMissing(
            f"{mask_secrets(url)}: the packages to read {scheme} are not installed; run make engines "
            f"or pip install '.[{extra}]'"
        ) from None
    except Exception as error:  # each driver has its own errors
        raise _connection_error(error, url, resolved_url) from None
    if scheme in SESSION:
        engine.raw_sql(SESSION[scheme]).close()
    return engine


def _engine_name(scheme: str) -> str:
    plain = scheme.split("+")[0]
    return {"postgresql": "postgres", "mariadb": "mysql", "spark": "pyspark"}.get(plain, plain)


def needed_variables(url: str) -> tuple[list[str], list[str]]:
    """Return the environment variables that a database's URL names, and patterns of those that its driver reads."""
    named = re.findall(PLACEHOLDER, url)
    resolved_url = re.sub(PLACEHOLDER, lambda match: os.environ.get(match[1], ""), url)
    return named, DRIVER_VARIABLES.get(_engine_name(resolved_url.partition("://")[0]), [])


def _fill_placeholders(url: str) -> str:
    missing = [name for name in re.findall(PLACEHOLDER, url) if name not in os.environ]
    if missing:
        raise SourceMissing(
            f"source.database needs the environment variable {missing[0]}, which is not set; export {missing[0]}=…"
        )
    if re.fullmatch(PLACEHOLDER, url):
        return os.environ[url[2:-1]]
    return re.sub(PLACEHOLDER, lambda match: quote(os.environ[match[1]], safe=""), url)


def _open_file(scheme: str, address: str, root: Path, write: bool) -> BaseBackend:
    path = root / address.split("?")[0]
    if not path.is_file() and not write:
        raise SourceMissing(f"the database {address} does not exist; add the file, or correct source.database")
    if scheme == "sqlite":
        return ibis.sqlite.connect(path)
    return duckdb_engine.with_memory_limit(ibis.duckdb.connect(path, read_only=not write))


def _spark(url: str, root: Path) -> BaseBackend:
    """Start a Spark session: `spark://local[2]`, `spark://host:7077`, or `spark://` for the cluster Spark is set to."""
    from pyspark.sql import SparkSession

    address = url.partition("://")[2]
    builder = SparkSession.builder.config("spark.sql.session.timeZone", "UTC")
    if address:
        builder = builder.master(address if address.startswith("local") else f"spark://{address}")
    if address.startswith("local"):  # by default Spark creates this folder in the current folder
        builder = builder.config("spark.sql.warehouse.dir", str(root / ".cache" / "spark"))
    return ibis.pyspark.connect(builder.getOrCreate())


def _connection_error(error: Exception, url: str, resolved_url: str) -> SourceError:
    reason = mask_url_secrets(" ".join(str(error).split()), url, resolved_url)
    masked_url = mask_secrets(url)
    if re.search(LOGIN_FAILED, reason, flags=re.I):
        names = ", ".join(re.findall(PLACEHOLDER, url)) or "the URL"
        return SourceError(
            f"{masked_url} rejects the login; check the user and the password ({names}). Its message: {reason[:200]}"
        )
    if re.search(UNREACHABLE, reason, flags=re.I):
        return SourceMissing(
            f"{masked_url} cannot be reached; start it, or correct source.database. Its message: {reason[:200]}"
        )
    return SourceError(f"{masked_url} cannot be opened; correct source.database. Its message: {reason[:200]}")


def mask_url_secrets(text: str, url: str, resolved_url: str) -> str:
    """Remove the password, plain or URL-encoded, from a driver's message."""
    secrets = {os.environ.get(name) for name in re.findall(PLACEHOLDER, url)} | {urlsplit(resolved_url).password}
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for variant in (secret, unquote(secret), quote(secret, safe="")):
            text = text.replace(variant, "***")
    return mask_secrets(text)


def _query(engine: BaseBackend, query: str) -> ir.Table:
    try:
        return engine.sql(query, schema=_query_schema(engine, query))
    except Exception as error:
        reason = mask_secrets(" ".join(str(error).split()))[:300]
        raise SourceError(f"the database rejects source.query: {reason}; correct it, or use source.table") from None


def _query_schema(engine: BaseBackend, query: str) -> ibis.Schema | None:
    """Return the columns of a Postgres query. Ibis would create a view to find them, which read-only users may not."""
    if engine.name != "postgres":
        return None
    with engine.begin() as cursor:
        cursor.execute(f"select * from ({query.strip().rstrip(';')}) as subquery limit 0")
        types = {
            column.name: engine.compiler.type_mapper.from_string(column.type_display) for column in cursor.description
        }
    return ibis.schema(types)


def _open_table(engine: BaseBackend, table: str, url: str) -> ir.Table:
    *database, name = table.split(".")
    try:
        return engine.table(
            name, database=tuple(database) if len(database) > 1 else (database[0] if database else None)
        )
    except Exception as error:
        tables = _list_tables(engine)
        if name in tables:  # for example a view on a table that was dropped
            reason = mask_secrets(" ".join(str(error).split()))[:300]
            raise SourceError(
                f"table {table!r} exists but cannot be read; perhaps it is a view on a dropped table. "
                f"The database's message: {reason}"
            ) from None
        raise SourceError(
            f"{mask_secrets(url)} has no table {table!r} that this user may read; "
            + f"{did_you_mean(name, tables)} ".lstrip()
            + (
                f"Its tables: {', '.join(tables[:20])}"
                if tables
                else f"its message: {mask_secrets(' '.join(str(error).split()))[:200]}"
            )
        ) from None


def _list_tables(engine: BaseBackend) -> list[str]:
    try:
        return sorted(engine.list_tables())
    except Exception:  # the user may not list tables: the message then names only the missing one
        return []
