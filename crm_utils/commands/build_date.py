"""Build one date of a report: run its stale notebooks, render its pages in a new folder, and publish that folder."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from crm_utils.commands import failures
from crm_utils.core import errors
from crm_utils.pipeline import atomic_publish, execute, manifest, staleness
from crm_utils.pipeline.cache_keys import FingerprintedJob
from crm_utils.pipeline.jobs import Job
from crm_utils.pipeline.manifest import NotebookEntry
from crm_utils.pipeline.notebooks import Notebook
from crm_utils.site import date_page, render

OnNotebook = Callable[[str, float], None]  # called after each notebook with its label and its run time in seconds


@dataclass(frozen=True, eq=False)
class ExecutedJob:
    """A job whose notebooks have all run: the folder with their outputs, and their manifest entries by name."""

    fingerprinted: FingerprintedJob
    folder: Path
    entries: Mapping[str, NotebookEntry]


def build_date(
    fingerprinted: FingerprintedJob, environment: Mapping[str, str], on_notebook: OnNotebook
) -> failures.Failure | None:
    """Build one date and publish it.

    Parameters
    ----------
    fingerprinted : FingerprintedJob
        The date to build.
    environment : mapping of str to str
        The environment variables of the kernels.
    on_notebook : callable
        Called after each notebook.

    Returns
    -------
    Failure or None
        Why the date could not be built. The previously published version then stays online.
    """
    job = fingerprinted.job
    try:
        _build(fingerprinted, environment, on_notebook)
    except errors.NotebookFailed as failure:
        if failure.asks:
            return failures.Failure(job, str(failure), asks=True)
        return failures.Failure(job, str(failure), failures.keep_failed_notebook(job, failure.notebook))
    except OSError as error:
        error.filename = error.filename or str(
            job.folder
        )  # if the disk ran full while a file was open, the error has no file name
        return failures.Failure(job, atomic_publish.describe_os_error(error, job.root))
    except Exception as error:  # an analyst's notebook may produce any output
        return failures.Failure(job, failures.describe_unexpected(error, "its pages could not be made", job.root))
    finally:
        shutil.rmtree(atomic_publish.build_folder(job.folder), ignore_errors=True)
    return None


def _build(fingerprinted: FingerprintedJob, environment: Mapping[str, str], on_notebook: OnNotebook) -> None:
    job = fingerprinted.job
    folder = atomic_publish.build_folder(job.folder)
    entries: dict[str, NotebookEntry] = {}
    pages: dict[str, Future[str]] = {}
    with ThreadPoolExecutor(max_workers=1) as renderer:  # renders a page while the next notebook runs
        for notebook, entry in _execute(fingerprinted, folder, environment, on_notebook):
            entries[notebook.name] = entry
            pages[notebook.name] = renderer.submit(_notebook_page, job, notebook, folder)
    executed = ExecutedJob(fingerprinted, folder, entries)
    _write_pages(executed, {name: page.result() for name, page in pages.items()})
    atomic_publish.swap_into_place(job.folder)


def _execute(
    fingerprinted: FingerprintedJob, folder: Path, environment: Mapping[str, str], on_notebook: OnNotebook
) -> Iterator[tuple[Notebook, NotebookEntry]]:
    """Run the stale notebooks in `folder`; yield each notebook and its manifest entry as soon as it has outputs."""
    job = fingerprinted.job
    stale = staleness.stale_notebooks(fingerprinted)
    published = manifest.notebook_entries(job.folder)
    fresh = [published[notebook.name] for notebook in job.notebooks if notebook.name not in stale]
    prepare_folder(job, folder, fresh)
    for notebook in job.notebooks:
        if notebook.name not in stale:
            yield notebook, published[notebook.name]
            continue
        entry = _run(job, notebook, folder, environment)
        on_notebook(f"{job.label} {notebook.name}", entry["seconds"])
        yield notebook, entry


def _run(job: Job, notebook: Notebook, folder: Path, environment: Mapping[str, str]) -> NotebookEntry:
    parameters = {"run_dir": ".."} | job.overrides(notebook)
    times_before = _times_of_change(folder)
    target = folder / "notebooks" / notebook.path.name
    seconds = execute.run_notebook(notebook.path, target, parameters, environment)
    times_after = _times_of_change(folder)
    files = sorted(name for name, changed in times_after.items() if times_before.get(name) != changed)
    return {"name": notebook.name, "files": files, "seconds": round(seconds, 2)}


def prepare_folder(job: Job, folder: Path, fresh: list[NotebookEntry]) -> None:
    """Create a build folder with the outputs of the fresh notebooks, which are listed by their entries."""
    for name in ("data", "notebooks"):
        (folder / name).mkdir(parents=True)
    (folder / "settings.json").write_text(job.settings.model_dump_json(indent=1), encoding="utf-8")
    for path in [path for entry in fresh for path in manifest.notebook_files(entry)]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(job.folder / path, folder / path)


def _times_of_change(folder: Path) -> dict[str, int]:
    """Return the files of a run folder, without the notebooks themselves, and the times at which they changed."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path.stat().st_mtime_ns
        for name, path in files.items()
        if name.parts[0] not in ("notebooks", "settings.json")
    }


def _notebook_page(job: Job, notebook: Notebook, folder: Path) -> str:
    return render.render_notebook(job, notebook, render.read_notebook(folder / "notebooks" / notebook.path.name))


def _write_pages(executed: ExecutedJob, pages: Mapping[str, str]) -> None:
    """Write the pages of the notebooks, the index page, the settings and the manifest."""
    job, folder = executed.fingerprinted.job, executed.folder
    for name, page in pages.items():
        atomic_publish.write_page(folder / f"{name}.html", page)
    figures = date_page.key_figures(folder / "data")
    atomic_publish.write_page(folder / "index.html", date_page.render_date(job, folder, figures))
    settings = manifest.redact_paths(job.settings.model_dump(mode="json"), job.root)
    atomic_publish.write_page(folder / "settings.json", json.dumps(settings, indent=1))
    described = manifest.manifest_json(executed.fingerprinted, executed.entries, figures)
    atomic_publish.write_page(folder / "manifest.json", described)
