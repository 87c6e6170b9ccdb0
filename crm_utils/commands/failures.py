"""What stopped a date: kept where somebody can look at it, told in one line."""

import shutil
import traceback
from dataclasses import dataclass
from pathlib import Path

from crm_utils.core.formatting import mask_secrets
from crm_utils.pipeline import atomic_publish
from crm_utils.pipeline.jobs import Job


@dataclass(frozen=True)
class Failure:
    """Why a date was not built, and where the notebook that stopped is kept."""

    job: Job
    cause: str
    kept: Path | None = None


def summarize_failures(failures: list[Failure]) -> list[str]:
    """One line for each cause: dates of a report that stop for the same reason share it."""
    alike: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        alike.setdefault((failure.job.name, failure.cause), []).append(failure)
    return [_line(name, cause, same) for (name, cause), same in alike.items()]


def _line(name: str, cause: str, same: list[Failure]) -> str:
    days = ", ".join(str(failure.job.day) for failure in same)
    kept = f"; it is kept as {same[0].kept}" if same[0].kept else ""
    return f"{name} {days}: {cause}{kept}" + (", the other dates beside it" if kept and len(same) > 1 else "")


def keep_failed_notebook(job: Job, notebook: str) -> Path | None:
    """Move the notebook that stopped to where the message says; None where it never came to be."""
    stopped, kept = (
        atomic_publish.build_folder(job.folder) / "notebooks" / notebook,
        atomic_publish.failed_folder(job.folder),
    )
    if not stopped.exists():
        return None
    shutil.rmtree(kept, ignore_errors=True)
    try:
        kept.mkdir(parents=True)
        stopped.rename(kept / notebook)
    except OSError:  # the disk that stopped the notebook does not take it either
        return None
    return (kept / notebook).relative_to(job.root)


def describe_unexpected(error: Exception, what: str, root: Path) -> str:
    """What to tell of an error that nobody foresaw: what could not be done, where in the code, and why."""
    if isinstance(error, OSError):
        return atomic_publish.describe_os_error(error, root)
    where = traceback.extract_tb(error.__traceback__)[-1]
    reason = mask_secrets(" ".join(str(error).split()))[:1000]
    return f"{what} ({Path(where.filename).name}, line {where.lineno}): {type(error).__name__}: {reason}"
