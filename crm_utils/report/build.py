"""Building reports: stale notebooks run, pages are rendered, and a finished folder takes the place of the old one."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from crm_utils.formats import hidden, use_thousands
from crm_utils.locate import SourceError, SourceMissing
from crm_utils.report import failures, keys, manifest, publish, published
from crm_utils.report.plan import Job, Notebook

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


def out_of_date(jobs: list[Job], named: bool) -> tuple[list[Job], list[str]]:
    """The jobs whose pages do not match their keys, and one line per problem.

    A source that is missing is a problem only where its report was named; else it is skipped with a line that says so.
    """
    stale, problems, told = [], [], set()
    for job in jobs:
        try:
            keys.chain_keys(job)
        except SourceError as error:
            line = f"{job.name}: {error}"
            if line not in told and (named or not isinstance(error, SourceMissing)):
                problems.append(line)
            elif line not in told:
                print(f"skipped {line}", flush=True)
            told.add(line)
            continue
        except OSError as error:
            problems.append(f"{job.label}: {publish.unwritten(error, job.root)}")
            continue
        if _fresh(job):
            shutil.rmtree(publish.failed(job.folder), ignore_errors=True)  # its cause is gone: nothing is left to mend
        else:
            stale.append(job)
    return stale, problems


def build(root: Path, stale: list[Job], tick: Callable[[str], None]) -> tuple[int, list[failures.Failure], list[str]]:
    """Build these jobs, dates side by side, then the index; return how many were built, what failed, and comparisons not renewed.

    `tick` follows each notebook. What another run has built meanwhile is not built again.
    """
    if stale:
        _set_up_kernels(root)
    names = sorted({job.name for job in stale})
    with ExitStack() as held:
        for name in names:  # in one order in every run: two of them never wait for each other
            held.enter_context(publish.locked(root / "reports" / name))
            publish.put_right(root / "reports" / name)
        waiting = [job for job in stale if not _fresh(job)]  # another run may have built it meanwhile
        unusable = {name: _unusable([job for job in waiting if job.name == name]) for name in names}
        failed = [failures.Failure(job, unusable[job.name]) for job in waiting if unusable[job.name]]
        with ThreadPoolExecutor(max_workers=_cores()) as pool:
            ready = [job for job in waiting if not unusable[job.name]]
            failed += [failure for failure in pool.map(lambda job: _attempt(job, tick), ready) if failure]
        built = [job for job in ready if not any(failure.job is job for failure in failed)]
        days = {name: {str(job.day) for job in built if job.name == name} for name in names}
        unrenewed = [
            line for name in names for line in published.renew_comparisons(root / "reports" / name, days[name])
        ]
    published.bring_index_up_to_date(root)
    return len(built), failed, unrenewed


def _cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _set_up_kernels(root: Path) -> None:
    from crm_utils.report import kernels

    os.environ.update(KERNEL_SETTINGS)
    ipython = root / ".cache" / "ipython"  # a user's own start-up files stay out of a report
    publish.try_out(ipython)
    os.environ["IPYTHONDIR"] = str(ipython)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(keys.PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    kernels.warm_up()


def _unusable(jobs: list[Job]) -> str | None:
    """Why no notebook of a report need start: its files lack a column, or hold what is no date or number."""
    reading = [job for job in jobs if stale_notebooks(job)[:1] == [job.notebooks[0].name]]
    if not reading or reading[0].report.source.database:
        return None
    from crm_utils import schemas, side_tables, sources

    report, root = reading[0].report, reading[0].root
    source = report.source.model_dump()
    named = {name: getattr(report, name) for name in ("attributes", "contacts", "past_campaigns")}
    try:
        sources.line_items(source, report.columns.model_dump(), root, reading[-1].day)
        for table, frame in side_tables.read_all(named, source, root, reading[-1].day).items():
            schemas.check(frame, table)
    except (SourceError, schemas.TableError) as error:
        return hidden(" ".join(str(error).split()))
    except Exception as error:
        return failures.cause(error, "its source cannot be read", root)
    return None


def stale_notebooks(job: Job) -> list[str]:
    """The notebooks of a job that have to run, by the keys of what is published."""
    there = {book["name"]: book for book in manifest.read(job.folder).get("notebooks", [])}
    fresh = []
    for name, key in job.keys.items():
        book = there.get(name, {"key": None})
        if book["key"] != key or "files" not in book or not all((job.folder / path).exists() for path in _files(book)):
            break
        fresh.append(name)
    return [name for name in job.keys if name not in fresh]


def _files(book: dict) -> list[str]:
    """What a notebook left in the published folder, as its manifest entry tells."""
    return [f"notebooks/{book['name']}.ipynb", *book["files"]]


def _attempt(job: Job, tick: Callable[[str], None]) -> failures.Failure | None:
    """Build one date and publish it, or say why not: no date stops another, and the last good version stays."""
    from crm_utils.report.run import NotebookFailed

    try:
        return _build(job, tick)
    except NotebookFailed as failure:
        return failures.Failure(job, str(failure), failures.keep(job, failure.notebook))
    except OSError as error:
        error.filename = error.filename or str(job.folder)  # a file that was open when the disk ran full has no name
        return failures.Failure(job, publish.unwritten(error, job.root))
    except Exception as error:  # what an analyst's notebook shows may be anything
        return failures.Failure(job, failures.cause(error, "its pages could not be made", job.root))
    finally:
        shutil.rmtree(publish.building(job.folder), ignore_errors=True)


def _build(job: Job, tick: Callable[[str], None]) -> None:
    from crm_utils.report.run import execute

    folder = publish.building(job.folder)
    entries = {book["name"]: book for book in manifest.read(job.folder).get("notebooks", [])}
    stale = stale_notebooks(job)
    _prepare(job, folder, [entries[book.name] for book in job.notebooks if book.name not in stale])
    with ThreadPoolExecutor(max_workers=1) as beside:  # a page is made while the next notebook runs
        pages = {}
        for notebook in job.notebooks:
            if notebook.name in stale:
                parameters = {"run_dir": ".."} | job.overrides(notebook)
                before = _written(folder)
                seconds = execute(notebook.path, folder / "notebooks" / notebook.path.name, parameters)
                files = sorted(name for name, changed in _written(folder).items() if before.get(name) != changed)
                entries[notebook.name] = {"name": notebook.name, "files": files, "seconds": round(seconds, 2)}
                tick(f"{job.label} {notebook.name}")
            pages[f"{notebook.name}.html"] = beside.submit(_page, job, notebook, folder)
        for name, page in pages.items():
            publish.write(folder / name, page.result())
    _finish(job, folder, entries)
    publish.swap_in(job.folder)


def _prepare(job: Job, folder: Path, fresh: list[dict]) -> None:
    """A build folder that starts with the tables and executed notebooks of what is fresh."""
    for name in ("data", "notebooks"):
        (folder / name).mkdir(parents=True)
    (folder / "settings.json").write_text(job.settings(folder).model_dump_json(indent=1), encoding="utf-8")
    for path in [path for book in fresh for path in _files(book)]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(job.folder / path, folder / path)


def _written(folder: Path) -> dict[str, int]:
    """What notebooks wrote into a run folder (all files but the notebooks themselves), and when."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path.stat().st_mtime_ns
        for name, path in files.items()
        if name.parts[0] not in ("notebooks", "settings.json")
    }


def _page(job: Job, notebook: Notebook, folder: Path) -> str:
    from crm_utils.report import render

    use_thousands(job.report.thousands)
    return render.notebook_page(job, notebook, render.read(folder / "notebooks" / notebook.path.name))


def _finish(job: Job, folder: Path, entries: dict[str, dict]) -> None:
    from crm_utils.report import index

    use_thousands(job.report.thousands)
    figures = index.summary(folder / "data")
    publish.write(folder / "index.html", index.date_page(job, folder, figures))
    publish.write(folder / "manifest.json", manifest.text(job, entries, figures))


def _fresh(job: Job) -> bool:
    pages = [*(f"{book.name}.html" for book in job.notebooks), "index.html"]
    return manifest.read(job.folder).get("pages_key") == keys.pages_key(job) and all(
        (job.folder / page).exists() for page in pages
    )


def draft(root: Path, job: Job) -> Path:
    """Copy a published date's tables and settings to `reports/_draft`, where notebooks opened in Jupyter work."""
    folder = root / "reports" / "_draft"
    with publish.locked(root / "reports"):
        publish.put_right(root / "reports")
        building = publish.building(folder)
        shutil.copytree(job.folder / "data", building / "data")
        (building / "settings.json").write_text(job.settings(folder).model_dump_json(indent=1), encoding="utf-8")
        publish.swap_in(folder)
    return folder
