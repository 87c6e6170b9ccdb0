"""Build reports: build outdated dates in parallel, then renew the pages about all reports."""

import os
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from crm_utils.commands.failures import Failure, describe_unexpected
from crm_utils.config.report import DateRule, Report
from crm_utils.core.errors import LockHeld, SourceError, SourceMissing, TableError
from crm_utils.core.formatting import mask_secrets
from crm_utils.pipeline import atomic_publish, file_modes, staleness
from crm_utils.pipeline.cache_keys import FingerprintedJob, fingerprint_job
from crm_utils.pipeline.jobs import Job
from crm_utils.site import published
from crm_utils.site.index_refresh import refresh_index

if TYPE_CHECKING:  # the module imports pandas, which is not needed if nothing is built
    from crm_utils.commands.build_date import Progress

DRAFT = "_draft"
ROOT_FROM_DRAFT = "../.."  # from reports/_draft to the project
WAKE_UP_SECONDS = 0.5


@dataclass
class BuildResult:
    """What a build did.

    Parameters
    ----------
    built : dict of Job to float
        The dates built, and the seconds each took.
    failures : list of Failure
        The dates that failed.
    problems : list of str
        One message for each comparison that could not be renewed.
    """

    built: dict[Job, float] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def outdated_jobs(jobs: list[Job], named: bool) -> tuple[list[FingerprintedJob], set[Job], list[str]]:
    """Find the jobs whose published pages do not match their cache keys.

    Parameters
    ----------
    jobs : list of Job
        The jobs as planned.
    named : bool
        Whether the user named the report. Only then a missing source is a problem; otherwise its report is skipped.

    Returns
    -------
    list of FingerprintedJob, set of Job, list of str
        The jobs to build, those that are up to date, and one message for each problem.
    """
    outdated: list[FingerprintedJob] = []
    up_to_date: set[Job] = set()
    problems: list[str] = []
    skipped: list[str] = []
    for job in jobs:
        try:
            fingerprinted = fingerprint_job(job)
        except SourceMissing as error:
            (problems if named else skipped).append(f"{job.name}: {error}")
        except SourceError as error:
            problems.append(f"{job.name}: {error}")
        except OSError as error:
            problems.append(f"{job.label}: {atomic_publish.describe_os_error(error, job.root)}")
        else:
            if staleness.is_up_to_date(fingerprinted):
                # the cause of an earlier failure is gone
                shutil.rmtree(atomic_publish.failed_folder(job.folder), ignore_errors=True)
                up_to_date.add(job)
            else:
                outdated.append(fingerprinted)
    for line in dict.fromkeys(skipped):
        print(f"skipped {line}", flush=True)
    return outdated, up_to_date, list(dict.fromkeys(problems))


def build_reports(root: Path, outdated: list[FingerprintedJob], progress: "Progress") -> BuildResult:
    """Build these jobs in parallel, then renew comparisons and the index.

    Dates that another run has built in the meantime are not built again.

    Parameters
    ----------
    root : Path
        The project's folder.
    outdated : list of FingerprintedJob
        The jobs to build.
    progress : Progress
        Told of each notebook, and of what a user should know.

    Returns
    -------
    BuildResult
    """
    if outdated:
        file_modes.make_cache(root / ".cache", {fingerprinted.job.report.publish_mode for fingerprinted in outdated})
    environment = _set_up_kernels(root) if outdated else {}
    names = sorted({fingerprinted.job.name for fingerprinted in outdated})
    with ExitStack() as locks:
        held = _lock_reports(
            root, {fingerprinted.job.name: fingerprinted.job.report for fingerprinted in outdated}, locks
        )
        names = [name for name in names if name not in held]
        failed = [Failure(one.job, held[one.job.name]) for one in outdated if one.job.name in held]
        alone = [fingerprinted for fingerprinted in outdated if fingerprinted.job.name in names]
        waiting = [fingerprinted for fingerprinted in alone if not staleness.is_up_to_date(fingerprinted)]
        readable, unreadable = _readable_jobs(waiting)
        result = _build_side_by_side(readable, environment, progress) if readable else BuildResult()
        result.failures = failed + unreadable + result.failures
        for name in names:
            rebuilt = {str(job.day) for job in result.built if job.name == name}
            result.problems += _renew_comparisons(root / "reports" / name, rebuilt)
    refresh_index(root)
    return result


def _lock_reports(root: Path, reports: Mapping[str, Report], locks: ExitStack) -> dict[str, str]:
    """Lock the folders of reports and repair what killed runs left there.

    Returns why a report cannot be locked: another run has been building it for longer than a notebook may take.
    """
    held: dict[str, str] = {}
    for name, report in sorted(reports.items()):  # every run uses the same order, so that two never wait for each other
        try:
            locks.enter_context(atomic_publish.locked(root / "reports" / name, minutes=report.timeout))
        except LockHeld as error:
            held[name] = str(error)
        else:
            atomic_publish.recover_folder(root / "reports" / name)
    return held


def _readable_jobs(waiting: list[FingerprintedJob]) -> tuple[list[FingerprintedJob], list[Failure]]:
    """Return the jobs of reports whose source can be read, and a failure for each other job."""
    readable: list[FingerprintedJob] = []
    failed: list[Failure] = []
    for name in dict.fromkeys(fingerprinted.job.name for fingerprinted in waiting):
        report_jobs = [fingerprinted for fingerprinted in waiting if fingerprinted.job.name == name]
        problem = _source_problem(report_jobs)
        if problem:
            failed += [Failure(fingerprinted.job, problem) for fingerprinted in report_jobs]
        else:
            readable += report_jobs
    return readable, failed


def _renew_comparisons(folder: Path, rebuilt: set[str]) -> list[str]:
    """Renew the comparisons with a rebuilt date; return one message for each problem. Call under the report's lock."""
    if not rebuilt & {day for pair in published.published_comparisons(folder) for day in pair}:
        return []
    # imports pandas and matplotlib, so only if a comparison must be drawn
    from crm_utils.commands import compare_dates

    return compare_dates.renew_comparisons(folder, rebuilt)


def _build_side_by_side(
    jobs: list[FingerprintedJob], environment: Mapping[str, str], progress: "Progress"
) -> BuildResult:
    """Build dates in parallel."""
    # imported before threads start, so that no thread sees a partly imported module
    from crm_utils.commands import build_date

    def build(job: FingerprintedJob) -> tuple[Failure | None, float]:
        started = time.monotonic()
        return build_date.build_date(job, environment, progress), time.monotonic() - started

    with ThreadPoolExecutor(max_workers=_cores()) as pool:
        building = [pool.submit(build, job) for job in jobs]
        while wait(building, timeout=WAKE_UP_SECONDS).not_done:
            # wake up regularly: another thread may have caught a Ctrl-C, which this one has to handle
            continue
        outcomes = [future.result() for future in building]
    return BuildResult(
        {one.job: seconds for one, (failure, seconds) in zip(jobs, outcomes, strict=True) if failure is None},
        [replace(failure, seconds=seconds) for failure, seconds in outcomes if failure is not None],
    )


def _cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _set_up_kernels(root: Path) -> dict[str, str]:
    """Start the server process that forks kernels; return the environment variables of the kernels."""
    from crm_utils.pipeline import kernels

    atomic_publish.check_writable(kernels.ipython_folder(root))
    environment = kernels.kernel_environment(root)
    kernels.start_fork_server(environment)
    return environment


def _source_problem(jobs: list[FingerprintedJob]) -> str | None:
    """Return why no notebook of a report should start, for example a missing column or an unreadable date."""
    reading = [
        fingerprinted.job
        for fingerprinted in jobs
        if staleness.stale_notebooks(fingerprinted)[:1] == [fingerprinted.job.notebooks[0].name]
    ]
    if not reading or reading[0].report.source.database:
        return None
    from crm_utils import sources
    from crm_utils.core import contracts

    report, root, day = reading[0].report, reading[0].root, reading[-1].day
    try:
        lines = sources.read_line_items(report.source, report.columns, root, day)
        customer_tables = sources.read_customer_tables(
            report.customer_tables, report.source, root, day, sent=report.sent
        )
        for table, frame in customer_tables.items():
            contracts.check_contract(frame, table)
        sources.check_known_ids(customer_tables, report.customer_tables, lines)
        if report.contacts is not None:
            sources.check_contact_addresses(customer_tables["contacts"], report.contacts, report.budget.send.format)
    except (SourceError, TableError) as error:
        return mask_secrets(" ".join(str(error).split()))
    except Exception as error:
        return describe_unexpected(error, "its source cannot be read", root)
    return None


def remove_old_dates(root: Path, jobs: list[Job]) -> list[Path]:
    """Remove the oldest published dates of reports whose rule says how many are kept.

    Parameters
    ----------
    root : Path
        The project's folder.
    jobs : list of Job
        The jobs of this run.

    Returns
    -------
    list of Path
        The folders that were removed.
    """
    rules = {job.folder.parent: job.report.analysis_dates for job in jobs}
    removed: list[Path] = []
    for folder, rule in rules.items():
        if isinstance(rule, DateRule) and rule.keep is not None and folder.exists():
            with atomic_publish.locked(folder):
                removed += published.remove_old_dates(folder, rule.keep)
    if removed:
        refresh_index(root)
    return removed


def fill_draft(job: Job) -> Path:
    """Copy a published date's tables and settings to `reports/_draft`, where notebooks opened in Jupyter work."""
    folder = job.root / "reports" / DRAFT
    settings = job.settings.model_copy(update={"root": ROOT_FROM_DRAFT})
    with atomic_publish.locked(job.root / "reports"):
        atomic_publish.recover_folder(job.root / "reports")
        building = atomic_publish.build_folder(folder)
        file_modes.make_private_folder(building)
        shutil.copytree(job.folder / "data", building / "data")
        (building / "settings.json").write_text(settings.model_dump_json(indent=1), encoding="utf-8")
        atomic_publish.swap_into_place(folder)
    return folder
