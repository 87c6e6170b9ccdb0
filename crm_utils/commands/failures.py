"""What stopped a date: kept where somebody can look at it, reported in one line."""

import shutil
import traceback
from dataclasses import dataclass
from pathlib import Path

from crm_utils.core.formatting import mask_secrets
from crm_utils.pipeline import atomic_publish
from crm_utils.pipeline.jobs import Job

LONGEST_REASON = 1000  # letters


@dataclass(frozen=True)
class Failure:
    """Why a date was not built, and where the notebook that stopped is kept."""

    job: Job
    cause: str
    kept: Path | None = None


def summarize_failures(failures: list[Failure]) -> list[str]:
    """One line for each cause: dates of a report that fail for the same reason share it."""
    by_cause: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        by_cause.setdefault((failure.job.name, failure.cause), []).append(failure)
    return [_summary(name, cause, same) for (name, cause), same in by_cause.items()]


def _summary(name: str, cause: str, same: list[Failure]) -> str:
    days = ", ".join(str(failure.job.day) for failure in same)
    kept = f"; it is kept as {same[0].kept}" if same[0].kept else ""
    others = " (those of the other dates next to it)" if kept and len(same) > 1 else ""
    return f"{name} {days}: {cause}{kept}{others}"


def keep_failed_notebook(job: Job, notebook: str) -> Path | None:
    """Move the notebook that stopped to where the message says; None if it was never written."""
    stopped = atomic_publish.build_folder(job.folder) / "notebooks" / notebook
    folder = atomic_publish.failed_folder(job.folder)
    if not stopped.exists():
        return None
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        stopped.rename(folder / notebook)
    except OSError:  # the disk that stopped the notebook does not take it either
        return None
    return (folder / notebook).relative_to(job.root)


def describe_unexpected(error: Exception, what: str, root: Path) -> str:
    """The message for an error that nobody foresaw: what could not be done, where in the code, and why."""
    if isinstance(error, OSError):
        return atomic_publish.describe_os_error(error, root)
    where = traceback.extract_tb(error.__traceback__)[-1]
    reason = mask_secrets(" ".join(str(error).split()))[:LONGEST_REASON]
    return f"{what} ({Path(where.filename).name}, line {where.lineno}): {type(error).__name__}: {reason}"
