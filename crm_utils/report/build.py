"""Building reports: stale notebooks run, pages are rendered, and a finished folder takes the place of the old one."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from crm_utils.formats import use_thousands
from crm_utils.locate import SourceError, SourceMissing
from crm_utils.report import keys, publish
from crm_utils.report.plan import Job

VERSIONS = ("pandas", "scipy", "ibis-framework", "duckdb", "nbconvert", "papermill")
KERNEL_SETTINGS = {
    "PYTHONHASHSEED": "0",
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
        if not _fresh(job):
            stale.append(job)
    return stale, problems


def build(root: Path, stale: list[Job], tick: Callable[[str], None]) -> list[str]:
    """Build these jobs, dates side by side, then the index; return one line per problem. `tick` follows each notebook."""
    os.environ.update(KERNEL_SETTINGS)
    ipython = root / ".cache" / "ipython"  # a user's own start-up files stay out of a report
    ipython.mkdir(parents=True, exist_ok=True)
    os.environ["IPYTHONDIR"] = str(ipython)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(keys.PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    problems: list[str] = []
    for name in dict.fromkeys(job.name for job in stale):
        with publish.locked(root / "reports" / name):
            publish.recover(root / "reports" / name)
            with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
                of_report = [job for job in stale if job.name == name]
                problems += [line for line in pool.map(lambda job: _build(job, tick), of_report) if line]
    if stale or not (root / "reports" / "index.html").exists():
        _write_index(root)
    return problems


def stale_notebooks(job: Job) -> list[str]:
    """The notebooks of a job that have to run, by the keys of what is published."""
    published = {book["name"]: book for book in _manifest(job.folder).get("notebooks", [])}
    fresh = []
    for name, key in job.keys.items():
        book = published.get(name, {"key": None})
        if book["key"] != key or "files" not in book or not all((job.folder / path).exists() for path in _files(book)):
            break
        fresh.append(name)
    return [name for name in job.keys if name not in fresh]


def _files(book: dict) -> list[str]:
    """What a notebook left in the published folder, as its manifest entry tells."""
    return [f"notebooks/{book['name']}.ipynb", *book["files"]]


def _build(job: Job, tick: Callable[[str], None]) -> str | None:
    """Build one date and publish it. Returns the line that says why not, and leaves the last good version then."""
    from crm_utils.report.run import NotebookFailed, execute

    folder = publish.building(job.folder)
    entries = {book["name"]: book for book in _manifest(job.folder).get("notebooks", [])}
    stale = stale_notebooks(job)
    _prepare(job, folder, [entries[book.name] for book in job.notebooks if book.name not in stale])
    for notebook in job.notebooks:
        if notebook.name not in stale:
            continue
        parameters = {"run_dir": ".."} | job.overrides(notebook)
        before = _written(folder)
        try:
            seconds = execute(notebook.path, folder / "notebooks" / notebook.path.name, parameters)
        except NotebookFailed as failure:
            return f"{job.label}: {failure}; it is kept as {_keep_failed(job, notebook.path.name)}"
        files = sorted(name for name, changed in _written(folder).items() if before.get(name) != changed)
        entries[notebook.name] = {"name": notebook.name, "files": files, "seconds": round(seconds, 2)}
        tick(f"{job.label} {notebook.name}")
    _render(job, folder, entries)
    publish.swap_in(job.folder)
    return None


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


def _render(job: Job, folder: Path, entries: dict[str, dict]) -> None:
    from crm_utils.report import index, render

    use_thousands(job.report.thousands)
    for notebook in job.notebooks:
        executed = render.read(folder / "notebooks" / notebook.path.name)
        publish.write(folder / f"{notebook.name}.html", render.notebook_page(job, notebook, executed))
    figures = index.summary(folder / "data")
    publish.write(folder / "index.html", index.date_page(job, folder, figures))
    publish.write(folder / "manifest.json", json.dumps(_described(job, entries, figures), indent=1))


def _described(job: Job, entries: dict[str, dict], figures: dict[str, float]) -> dict:
    """The manifest: what was built, from what, with which parameters, and how long it took."""
    notebooks = [
        entries[book.name]
        | {
            "key": job.keys[book.name],
            "parameters": {p.name: {"value": p.value, "from": p.origin} for p in job.parameters(book)},
        }
        for book in job.notebooks
    ]
    return {
        "report": job.name,
        "title": job.report.title,
        "currency": job.report.currency,
        "simulated": job.report.source.simulate is not None,
        "analysis_date": str(job.day),
        "summary": figures,
        "pages_key": keys.pages_key(job),
        "notebooks": notebooks,
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in VERSIONS},
    }


def _fresh(job: Job) -> bool:
    manifest = _manifest(job.folder)
    pages = [*(f"{book.name}.html" for book in job.notebooks), "index.html"]
    return manifest.get("pages_key") == keys.pages_key(job) and all((job.folder / page).exists() for page in pages)


def _manifest(folder: Path) -> dict:
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _keep_failed(job: Job, notebook: str) -> Path:
    kept = publish.failed(job.folder)
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    shutil.move(publish.building(job.folder) / "notebooks" / notebook, kept / notebook)
    shutil.rmtree(publish.building(job.folder))
    return (kept / notebook).relative_to(job.root)


def _write_index(root: Path) -> None:
    from crm_utils.report import index

    use_thousands(",")  # one page over reports that may each have their own
    with publish.locked(root / "reports"):
        publish.write(root / "reports" / "index.html", index.top_page(root))


def draft(root: Path, job: Job) -> Path:
    """Copy a published date's tables and settings to `reports/_draft`, where notebooks opened in Jupyter work."""
    folder = root / "reports" / "_draft"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(job.folder / "data", folder / "data")
    (folder / "settings.json").write_text(job.settings(folder).model_dump_json(indent=1), encoding="utf-8")
    return folder
