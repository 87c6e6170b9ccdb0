"""Report failed dates, one line per cause, and keep the notebook that failed."""

import shutil
import traceback
from dataclasses import dataclass
from pathlib import Path

from crm_utils.core.errors import describe_cause
from crm_utils.core.formatting import mask_secrets, without_advice
from crm_utils.pipeline import atomic_publish, file_modes
from crm_utils.pipeline.jobs import Job

LONGEST_REASON = 1000  # characters


@dataclass(frozen=True)
class Failure:
    """Why a date was not built, and the path of the failed notebook.

    If the cause is a list of questions about the data, `asks` is true. `seconds` is the time until it failed.
    """

    job: Job
    cause: str
    kept: Path | None = None
    asks: bool = False
    seconds: float = 0.0


def summarize_failures(failures: list[Failure]) -> list[str]:
    """Write one line per cause. Dates of a report that failed for the same reason share a line.

    Questions about the data are asked once per report, with the figures of its last date.
    """
    by_cause: dict[tuple[str, str | None], list[Failure]] = {}
    for failure in failures:
        cause = None if failure.asks else failure.cause
        by_cause.setdefault((failure.job.name, cause), []).append(failure)
    return [_summary(name, group[-1].cause, group) for (name, _), group in by_cause.items()]


def _summary(name: str, cause: str, failures: list[Failure]) -> str:
    days = ", ".join(str(failure.job.day) for failure in failures)
    message = f"{name} {days}: {cause}"
    if not failures[0].kept:
        return message
    others = " (those of the other dates are next to it)" if len(failures) > 1 else ""
    return f"{message.removesuffix('.')}. The failed notebook is {failures[0].kept}{others}"


def keep_failed_notebook(job: Job, notebook: str) -> Path | None:
    """Move the failed notebook to the folder of failed notebooks; return None if it was never written."""
    stopped = atomic_publish.build_folder(job.folder) / "notebooks" / notebook
    folder = atomic_publish.failed_folder(job.folder)
    if not stopped.exists():
        return None
    shutil.rmtree(folder, ignore_errors=True)
    try:
        file_modes.make_private_folder(folder)
        stopped.rename(folder / notebook)
    except OSError:  # the disk may be full
        return None
    return (folder / notebook).relative_to(job.root)


def describe_unexpected(error: Exception, problem: str, root: Path) -> str:
    """Write the message for an unexpected error: what failed, the line of code, and the reason."""
    if isinstance(error, OSError):
        return atomic_publish.describe_os_error(error, root)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    reason = mask_secrets(without_advice(" ".join(describe_cause(type(error).__name__, str(error)).split())))[
        :LONGEST_REASON
    ]
    return f"{problem} ({Path(frame.filename).name}, line {frame.lineno}): {reason}"
