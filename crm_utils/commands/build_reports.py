"""Building reports: what is out of date is built, dates side by side, and the pages over all reports follow."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path

from crm_utils.commands import failures
from crm_utils.core.errors import SourceError, SourceMissing
from crm_utils.core.formatting import mask_secrets
from crm_utils.pipeline import atomic_publish, cache_keys, manifest
from crm_utils.pipeline.jobs import Job
from crm_utils.site import published
from crm_utils.site.index_refresh import refresh_index

KERNEL_SETTINGS = {
    "LC_ALL": "C.UTF-8",  # a page reads the same wherever it is made
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",  # dates run side by side, and sums come in one order
    "OPENBLAS_NUM_THREADS": "1",
    "JUPYTER_PLATFORM_DIRS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


def outdated_jobs(jobs: list[Job], named: bool) -> tuple[list[Job], list[str]]:
    """The jobs whose pages do not match their keys, and one line per problem.

    A source that is missing is a problem only where its report was named; else it is skipped with a line that says so.
    """
    stale, problems, told = [], [], set()
    for job in jobs:
        try:
            cache_keys.compute_cache_keys(job)
        except SourceError as error:
            line = f"{job.name}: {error}"
            if line not in told and (named or not isinstance(error, SourceMissing)):
                problems.append(line)
            elif line not in told:
                print(f"skipped {line}", flush=True)
            told.add(line)
            continue
        except OSError as error:
            problems.append(f"{job.label}: {atomic_publish.describe_os_error(error, job.root)}")
            continue
        if manifest.is_up_to_date(job):
            shutil.rmtree(
                atomic_publish.failed_folder(job.folder), ignore_errors=True
            )  # its cause is gone: nothing is left to mend
        else:
            stale.append(job)
    return stale, problems


def build_reports(
    root: Path, stale: list[Job], tick: Callable[[str], None]
) -> tuple[int, list[failures.Failure], list[str]]:
    """Build these jobs, dates side by side, then the index; return how many were built, what failed, and comparisons not renewed.

    `tick` follows each notebook. What another run has built meanwhile is not built again.
    """
    if stale:
        _set_up_kernels(root)
    names = sorted({job.name for job in stale})
    with ExitStack() as held:
        for name in names:  # in one order in every run: two of them never wait for each other
            held.enter_context(atomic_publish.locked(root / "reports" / name))
            atomic_publish.recover_folder(root / "reports" / name)
        waiting = [job for job in stale if not manifest.is_up_to_date(job)]  # another run may have built it meanwhile
        unusable = {name: _source_problem([job for job in waiting if job.name == name]) for name in names}
        failed = [failures.Failure(job, unusable[job.name]) for job in waiting if unusable[job.name]]
        ready = [job for job in waiting if not unusable[job.name]]
        failed += _side_by_side(ready, tick) if ready else []
        built = [job for job in ready if not any(failure.job is job for failure in failed)]
        days = {name: {str(job.day) for job in built if job.name == name} for name in names}
        unrenewed = [line for name in names for line in _renew_comparisons(root / "reports" / name, days[name])]
    refresh_index(root)
    return len(built), failed, unrenewed


def _renew_comparisons(folder: Path, rebuilt: set[str]) -> list[str]:
    """Write the comparisons anew in which a rebuilt date stands; return one line per problem. Call under the report's lock."""
    if not rebuilt & {day for pair in published.published_comparisons(folder) for day in pair}:
        return []
    from crm_utils.commands import compare_dates  # pandas and matplotlib only if there is something to draw

    return compare_dates.renew_comparisons(folder, rebuilt)


def _side_by_side(jobs: list[Job], tick: Callable[[str], None]) -> list[failures.Failure]:
    """What failed. All that builds is imported before there are threads: none meets a module that another has half imported."""
    from crm_utils.commands import build_date

    with ThreadPoolExecutor(max_workers=_cores()) as pool:
        building = [pool.submit(build_date.build_date, job, tick) for job in jobs]
        while wait(building, timeout=0.5).not_done:  # awake now and then: another thread may have caught a Ctrl-C
            pass
        return [failure for future in building if (failure := future.result())]


def _cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _set_up_kernels(root: Path) -> None:
    from crm_utils.pipeline import kernels

    os.environ.update(KERNEL_SETTINGS)
    ipython = root / ".cache" / "ipython"  # a user's own start-up files stay out of a report
    atomic_publish.check_writable(ipython)
    os.environ["IPYTHONDIR"] = str(ipython)
    places = [
        cache_keys.PACKAGE.parent,
        root,
        root / "notebooks",
        os.environ.get("PYTHONPATH"),
    ]  # where `keys` looks, too
    os.environ["PYTHONPATH"] = os.pathsep.join(str(place) for place in places if place)
    kernels.start_fork_server()


def _source_problem(jobs: list[Job]) -> str | None:
    """Why no notebook of a report need start: its files lack a column, or hold what is no date or number."""
    reading = [job for job in jobs if manifest.stale_notebooks(job)[:1] == [job.notebooks[0].name]]
    if not reading or reading[0].report.source.database:
        return None
    from crm_utils import sources
    from crm_utils.core import contracts, errors

    report, root = reading[0].report, reading[0].root
    source = report.source.model_dump()
    named = {name: getattr(report, name) for name in ("attributes", "contacts", "past_campaigns")}
    try:
        sources.read_line_items(source, report.columns.model_dump(), root, reading[-1].day)
        for table, frame in sources.read_customer_tables(named, source, root, reading[-1].day).items():
            contracts.check_contract(frame, table)
    except (SourceError, errors.TableError) as error:
        return mask_secrets(" ".join(str(error).split()))
    except Exception as error:
        return failures.describe_unexpected(error, "its source cannot be read", root)
    return None


def fill_draft(root: Path, job: Job) -> Path:
    """Copy a published date's tables and settings to `reports/_draft`, where notebooks opened in Jupyter work."""
    folder = root / "reports" / "_draft"
    with atomic_publish.locked(root / "reports"):
        atomic_publish.recover_folder(root / "reports")
        building = atomic_publish.build_folder(folder)
        shutil.copytree(job.folder / "data", building / "data")
        (building / "settings.json").write_text(job.settings(folder).model_dump_json(indent=1), encoding="utf-8")
        atomic_publish.swap_into_place(folder)
    return folder
