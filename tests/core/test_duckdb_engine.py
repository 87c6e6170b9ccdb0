"""What the engine puts on disk when memory is short: private, and gone when nobody works on it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import ibis
import pytest

from crm_utils.core import duckdb_engine

WORKS = """
import os, signal, sys, ibis
from crm_utils.core import duckdb_engine
con = duckdb_engine.with_memory_limit(ibis.duckdb.connect())
con.raw_sql("SET memory_limit = '50MB'")
con.raw_sql("CREATE TABLE much AS SELECT range AS a, hash(range) AS b FROM range(8_000_000)")
print(con.con.execute("SELECT current_setting('temp_directory')").fetchone()[0], flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def shared(tmp_path, monkeypatch) -> Path:
    """A folder for temporary files that several processes use."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def spilled(end: str) -> Path:
    """Work that does not fit in memory, in a process that ends like that: where it put the rest."""
    work = subprocess.run([sys.executable, "-c", WORKS, end], capture_output=True, text=True)
    assert work.stdout, work.stderr
    return Path(work.stdout.splitlines()[-1])  # after the progress bar that DuckDB shows on a slow machine


def test_a_process_that_ends_leaves_nothing(shared):
    spilled("well")
    assert not list(shared.iterdir())


def test_what_a_killed_process_spilled_goes_with_the_next_start_and_nothing_else(shared):
    left = spilled("killed")
    assert sum(file.stat().st_size for file in left.iterdir()) > 10_000_000
    others = [shared / name for name in ("crm-report-of-mine", "crm-report-1-init", f"crm-report-{os.getpid()}-alive")]
    for other in others:
        other.mkdir()
    duckdb_engine.with_memory_limit(ibis.duckdb.connect())
    assert not left.exists() and all(other.exists() for other in others)


def test_each_connection_spills_to_a_folder_of_its_own_that_only_its_user_reads(shared):
    for _ in range(2):
        duckdb_engine.with_memory_limit(ibis.duckdb.connect())
    folders = list(shared.iterdir())
    assert len(folders) == 2
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
