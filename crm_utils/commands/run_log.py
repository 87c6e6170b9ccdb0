"""The log of one run, `reports/_logs/<start in UTC>_<command>.log`, and one JSON line per date for schedulers."""

import json
import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from itertools import count
from pathlib import Path

from crm_utils import __version__
from crm_utils.core.formatting import mask_secrets

FOLDER = "_logs"  # in reports/, where names that are not reports start with _
LOGS_KEPT = 100
DATES = "dates.jsonl"  # a JSON line for each date of each run
LINES_KEPT = 1000  # at least
START_FORMAT = "%Y-%m-%dT%H%M%SZ"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class DateStatus(StrEnum):
    """What a run did with a date."""

    BUILT = "built"
    UP_TO_DATE = "up to date"
    FAILED = "failed"
    NOT_READ = "source not read"
    REMOVED = "removed"


class RunLog:
    """The log of a run: one line per event, with its time in UTC and without secrets.

    Parameters
    ----------
    root : Path
        The project's folder.
    arguments : list of str
        The arguments of the command line, the command first.

    Notes
    -----
    Each line is written immediately, so the log of a killed run is complete. A run continues if its log cannot be
    written; the run itself reports a full or read-only disk.
    """

    def __init__(self, root: Path, arguments: list[str]):
        self._started = time.monotonic()
        self._path = _new_path(root / "reports" / FOLDER, arguments[0])
        self.write("start", f"crm {' '.join(arguments)} (version {__version__}, Python {platform.python_version()})")

    def notebook(self, label: str, seconds: float) -> None:
        """Log a notebook and its run time."""
        self.write("notebook", f"{label} {seconds:.1f} s")

    def write(self, event: str, text: str) -> None:
        """Log one line."""
        line = f"{datetime.now(UTC).strftime(TIME_FORMAT)} {event:8} {mask_secrets(' '.join(text.split()))}\n"
        with suppress(OSError), self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(line)

    def dates(self, folders: Mapping[Path, tuple[DateStatus, float]]) -> None:
        """Add a JSON line for each folder of a date: what happened to it and how many seconds that took."""
        path, now = self._path.with_name(DATES), datetime.now(UTC).strftime(TIME_FORMAT)
        root = self._path.parents[2]
        lines = [
            {"time": now, "report": folder.parent.name, "date": folder.name, "status": status}
            | {"seconds": round(seconds, 1), "path": str(folder.relative_to(root))}
            | {"log": str(self._path.relative_to(root))}
            for folder, (status, seconds) in folders.items()
        ]
        with suppress(OSError):
            with path.open("a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(line)}\n" for line in lines)
            written = path.read_text(encoding="utf-8").splitlines(keepends=True)
            if len(written) > 2 * LINES_KEPT:
                path.write_text("".join(written[-LINES_KEPT:]), encoding="utf-8")

    def end(self, status: int) -> None:
        """Log the exit status and the run time."""
        self.write("end", f"status {status} after {time.monotonic() - self._started:.1f} s")


def _new_path(folder: Path, command: str) -> Path:
    """Create an empty log file with a new name, and delete the oldest logs."""
    start = datetime.now(UTC).strftime(START_FORMAT)
    path = folder / f"{start}_{command}.log"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("*.log"))[: -(LOGS_KEPT - 1)]:
            old.unlink(missing_ok=True)
        for number in count(2):
            try:
                path.touch(exist_ok=False)
                break
            except FileExistsError:  # another run has started in the same second
                path = folder / f"{start}_{command}_{number}.log"
    return path
