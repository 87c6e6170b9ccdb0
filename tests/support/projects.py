"""Project folders for tests, and the command line run in them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from crm_utils.config import Source
from crm_utils.config.paths import source_paths

ROOT = Path(__file__).parents[2]
DAY = Path("reports/small/1997-12-31")
SMALL_REPORT = """
title: Small shop
currency: USD
source: {file: small.csv}
columns: {customer_id: customer_id, ordered_at: date, quantity: number_of_cds, amount: dollar_value}
analysis_dates: ["1997-12-31"]
history_complete: true
"""


def skip_or_fail(reason: str) -> None:
    """Skip where a user's machine lacks something; fail in CI, where everything must be there."""
    if os.environ.get("CI"):
        pytest.fail(f"must run in CI: {reason}")
    pytest.skip(reason)


def run(project: Path, *arguments: str, timeout: int = 300, **environment: str) -> subprocess.CompletedProcess:
    """The command line in a project folder."""
    return subprocess.run(
        [sys.executable, "-m", "crm_utils", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def new_project(folder: Path) -> Path:
    """A project folder with our notebooks and business rules, and a report `small` on 1/40 of the CDNOW customers."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copytree(ROOT / "params" / "segments", folder / "params" / "segments")
    for name in ("campaigns", "evidence"):
        shutil.copy(ROOT / "params" / f"{name}.yaml", folder / "params")
    shutil.copy(ROOT / "requirements.lock", folder)
    (folder / "params" / "small.yaml").write_text(SMALL_REPORT)
    log = pd.read_csv(
        source_paths(Source(sample="cdnow"), ROOT)[0],
        sep=r"\s+",
        skiprows=1,
        names=["customer_id", "date", "number_of_cds", "dollar_value"],
        dtype=str,
    )
    log[log.customer_id.astype(int) % 40 == 0].to_csv(folder / "small.csv", index=False)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the manifest, which holds run times, logs and locks."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and "_logs" not in path.parts]
    files = [path for path in paths if path.name not in ("manifest.json", ".lock")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def append_cells(notebook: Path, *cells: nbformat.NotebookNode) -> None:
    """Add cells at the end of a notebook."""
    book = nbformat.read(notebook, as_version=4)
    book.cells += cells
    nbformat.write(book, notebook)


def edit(notebook: Path, old: str, new: str) -> None:
    text = notebook.read_text()
    assert old in text
    notebook.write_text(text.replace(old, new))
