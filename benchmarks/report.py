"""Compare `make report` on CDNOW (four dates) with the minimum: empty kernels with the same imports.

    python benchmarks/report.py

Both run one after the other in a temporary project folder. First papermill runs notebooks that contain only the imports
of ours, once for each date and in parallel on all cores. Then the whole report is built.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import papermill
from measured import adopt, worked

from crm_utils.pipeline.kernels import KERNEL_SETTINGS

ROOT = Path(__file__).parents[1]
DATES, LIMIT = 4, 2.0
QUIET = ["--log-level=50"]


def project(folder: Path) -> Path:
    """A project folder with the report on CDNOW in which nothing has been built."""
    for name in ("notebooks", "params"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "requirements.lock", folder)
    return folder


def empty(source: Path, target: Path) -> Path:
    """A notebook with only the imports of another."""
    book = nbformat.read(source, as_version=4)
    lines = [line for cell in book.cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    imports = "\n".join(line for line in lines if re.match(r"import |from ", line))
    book.cells = [nbformat.v4.new_code_cell(imports)]
    nbformat.write(book, target)
    return target


def floor(folder: Path) -> None:
    """Run the empty notebooks: the five of a date one after the other, and dates in parallel."""
    books = [empty(path, folder / path.name) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]

    def of_date(number: int) -> None:
        for book in books:
            target = folder / f"{number}-{book.name}"
            papermill.execute_notebook(book, target, kernel_name="python3", progress_bar=False, extra_arguments=QUIET)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(of_date, range(DATES)))


def report(folder: Path) -> None:
    """Build the whole report."""
    command = [sys.executable, "-m", "crm_utils", "report", "--report", "cdnow"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def timed(what, folder: Path) -> tuple[float, float]:
    """Seconds, and seconds of processor time including all kernels."""
    before, started = worked(), time.perf_counter()
    what(folder)
    seconds = time.perf_counter() - started
    return seconds, worked() - before


def main() -> None:
    """Measure both and print the ratio."""
    adopt()
    os.environ.update(KERNEL_SETTINGS | {"PYTHONPATH": str(ROOT)})
    with tempfile.TemporaryDirectory() as folder:
        there, books = project(Path(folder) / "project"), Path(folder) / "empty"
        books.mkdir()
        measured = {"floor": timed(floor, books), "report": timed(report, there)}
    for name, (seconds, cpu) in measured.items():
        print(f"{name:7} {seconds:7.1f} s {cpu:7.1f} s of cpu")
    seconds, cpu = (ours / least for ours, least in zip(measured["report"], measured["floor"], strict=True))
    print(f"the report takes {seconds:.2f} times the floor ({cpu:.2f} in cpu time); at most {LIMIT:g} is the aim")


if __name__ == "__main__":
    main()
