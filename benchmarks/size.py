"""Build a whole large report: millions of line items, all five notebooks and their pages, one analysis date.

    python benchmarks/size.py [millions of line items, default 140]

The shop is that of `speed.py` with all its columns. The output is seconds, seconds of processor time, the peak memory
of all processes together (proportional set size, measured five times a second), and the largest page.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import speed
import yaml
from measured import adopt, worked

SECONDS, GIGABYTES, PAGE = 600, 6.0, 3.0
COLUMNS = [
    "order_id",
    "ordered_at",
    "customer_id",
    "product_id",
    "description",
    "quantity",
    "unit_price",
    "unit_cost",
    "country",
]


def project(folder: Path, file: Path) -> Path:
    """A project folder with one report on the file in which nothing has been built."""
    for name in ("notebooks", "params"):
        shutil.copytree(speed.ROOT / name, folder / name)
    shutil.copy(speed.ROOT / "requirements.lock", folder)
    report = {
        "title": "Simulated shop at size",
        "currency": "GBP",
        "source": {"file": str(file)},
        "columns": {name: name for name in COLUMNS},
        "analysis_dates": [str(speed.DAY)],
        "history_complete": True,
    }
    (folder / "params" / "size.yaml").write_text(yaml.safe_dump(report))
    return folder


def held(root: int) -> float:
    """Gigabytes of a process and its descendants. Shared pages are divided among them."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:  # it has ended
            continue
    family = {root}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(map(_held_alone, family)) / 1e6


def _held_alone(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def watched(command: list[str], folder: Path) -> tuple[float, float, float]:
    """Seconds, seconds of processor time and peak gigabytes of a command."""
    adopt()
    before, started = worked(), time.perf_counter()
    run = subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(speed.ROOT)})
    most, ended = [0.0], threading.Event()

    def look() -> None:
        while not ended.wait(0.2):
            most[0] = max(most[0], held(run.pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    status = run.wait()
    ended.set()
    watcher.join()
    if status:
        sys.exit(f"the report was not built: status {status}")
    seconds = time.perf_counter() - started
    return seconds, worked() - before, most[0]


def main() -> None:
    """Build the report and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("millions", nargs="?", type=float, default=140)
    millions = parser.parse_args().millions
    file = speed.simulated(millions)
    with tempfile.TemporaryDirectory() as temporary:
        folder = project(Path(temporary), file)
        seconds, cpu, most = watched([sys.executable, "-m", "crm_utils", "report", "--report", "size"], folder)
        pages = [*folder.glob("reports/**/*.html")]
        largest = max(pages, key=lambda page: page.stat().st_size)
        print(
            f"{millions:g} million line items, {len(pages)} pages: {seconds:.0f} s (at most {SECONDS}), {cpu:.0f} s of "
            f"processor time, {most:.1f} GB (at most {GIGABYTES:g}); the largest page, {largest.name}, has "
            f"{largest.stat().st_size / 1e6:.1f} MB (at most {PAGE:g})"
        )


if __name__ == "__main__":
    main()
