"""One date of a report: its stale notebooks run, its pages are made beside them, and the finished folder takes the old one's place."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crm_utils.commands import failures
from crm_utils.core import errors
from crm_utils.core.formatting import set_thousands_separator
from crm_utils.pipeline import atomic_publish, execute, manifest
from crm_utils.pipeline.jobs import Job, Notebook
from crm_utils.site import date_page, render


def build_date(job: Job, tick: Callable[[str], None]) -> failures.Failure | None:
    """Build one date and publish it, or say why not: no date stops another, and the last good version stays."""
    try:
        return _build(job, tick)
    except errors.NotebookFailed as failure:
        return failures.Failure(job, str(failure), failures.keep_failed_notebook(job, failure.notebook))
    except OSError as error:
        error.filename = error.filename or str(job.folder)  # a file that was open when the disk ran full has no name
        return failures.Failure(job, atomic_publish.describe_os_error(error, job.root))
    except Exception as error:  # what an analyst's notebook shows may be anything
        return failures.Failure(job, failures.describe_unexpected(error, "its pages could not be made", job.root))
    finally:
        shutil.rmtree(atomic_publish.build_folder(job.folder), ignore_errors=True)


def _build(job: Job, tick: Callable[[str], None]) -> None:
    folder = atomic_publish.build_folder(job.folder)
    entries = {book["name"]: book for book in manifest.read_manifest(job.folder).get("notebooks", [])}
    stale = manifest.stale_notebooks(job)
    prepare_folder(job, folder, [entries[book.name] for book in job.notebooks if book.name not in stale])
    with ThreadPoolExecutor(max_workers=1) as beside:  # a page is made while the next notebook runs
        pages = {}
        for notebook in job.notebooks:
            if notebook.name in stale:
                parameters = {"run_dir": ".."} | job.overrides(notebook)
                before = _written(folder)
                seconds = execute.run_notebook(notebook.path, folder / "notebooks" / notebook.path.name, parameters)
                files = sorted(name for name, changed in _written(folder).items() if before.get(name) != changed)
                entries[notebook.name] = {"name": notebook.name, "files": files, "seconds": round(seconds, 2)}
                tick(f"{job.label} {notebook.name}")
            pages[f"{notebook.name}.html"] = beside.submit(_page, job, notebook, folder)
        for name, page in pages.items():
            atomic_publish.write_page(folder / name, page.result())
    _finish(job, folder, entries)
    atomic_publish.swap_into_place(job.folder)


def prepare_folder(job: Job, folder: Path, fresh: list[dict]) -> None:
    """A build folder that starts with the tables and executed notebooks of what is fresh."""
    for name in ("data", "notebooks"):
        (folder / name).mkdir(parents=True)
    (folder / "settings.json").write_text(job.settings(folder).model_dump_json(indent=1), encoding="utf-8")
    for path in [path for book in fresh for path in manifest.notebook_files(book)]:
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
    set_thousands_separator(job.report.thousands_separator)
    return render.render_notebook(job, notebook, render.read_notebook(folder / "notebooks" / notebook.path.name))


def _finish(job: Job, folder: Path, entries: dict[str, dict]) -> None:
    set_thousands_separator(job.report.thousands_separator)
    figures = date_page.key_figures(folder / "data")
    atomic_publish.write_page(folder / "index.html", date_page.render_date(job, folder, figures))
    settings = manifest.redact_paths(job.settings(folder).model_dump(mode="json"), job.root)
    atomic_publish.write_page(folder / "settings.json", json.dumps(settings, indent=1))
    atomic_publish.write_page(folder / "manifest.json", manifest.manifest_json(job, entries, figures))
