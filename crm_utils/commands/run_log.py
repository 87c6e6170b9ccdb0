"""The log of one run of the command line: `reports/_logs/<start in UTC>_<command>.log`."""

import platform
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from crm_utils import __version__
from crm_utils.core.formatting import mask_secrets

FOLDER = "_logs"  # below reports; starts like everything there that is not a report
LOGS_KEPT = 100
START_FORMAT = "%Y-%m-%dT%H%M%SZ"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class RunLog:
    """Writes what a run did, one line after the other, each with its time in UTC and without secrets.

    Parameters
    ----------
    root : Path
        The project's folder.
    arguments : list of str
        The arguments of the command line, the command first.

    Notes
    -----
    Each line is written at once, so the log of a killed run holds all it did. A log that cannot be written stops
    nothing: the run itself reports a full or read-only disk.
    """

    def __init__(self, root: Path, arguments: list[str]):
        self._started = time.monotonic()
        self._path = _new_path(root / "reports" / FOLDER, arguments[0])
        self.write("start", f"crm {' '.join(arguments)} (version {__version__}, Python {platform.python_version()})")

    def notebook(self, label: str, seconds: float) -> None:
        """Log a notebook that has run."""
        self.write("notebook", f"{label} {seconds:.1f} s")

    def write(self, what: str, text: str) -> None:
        """Log one line."""
        line = f"{datetime.now(UTC).strftime(TIME_FORMAT)} {what:8} {mask_secrets(' '.join(text.split()))}\n"
        with suppress(OSError), self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(line)

    def end(self, status: int) -> None:
        """Log how the run ended."""
        self.write("end", f"status {status} after {time.monotonic() - self._started:.1f} s")


def _new_path(folder: Path, command: str) -> Path:
    """Make an empty log file with a name of its own; the oldest logs make room for it."""
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
