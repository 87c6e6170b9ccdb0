"""Build one date of a report: run its stale notebooks, render its pages in a new folder, and publish that folder."""

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.cleaning import changed_past, narrative
from crm_utils.commands import failures
from crm_utils.config.report import PastTotals
from crm_utils.core import contracts, errors
from crm_utils.core.contracts import agreement
from crm_utils.core.duckdb_engine import with_memory_limit
from crm_utils.core.formatting import is_secret_name, spelled_out
from crm_utils.core.orders import orders_as_of
from crm_utils.pipeline import atomic_publish, execute, file_modes, kernels, manifest, staleness
from crm_utils.pipeline.beside_files import files_beside
from crm_utils.pipeline.cache_keys import FingerprintedJob
from crm_utils.pipeline.jobs import Job
from crm_utils.pipeline.manifest import NotebookEntry
from crm_utils.pipeline.notebooks import Notebook
from crm_utils.site import customer_lookup, date_page, render, summary_files
from crm_utils.sources import databases

# A table of at most so many values is read once for all checks.
MOST_KEPT = 2_000_000


class Progress(Protocol):
    """Who is told how a build goes on."""

    def notebook(self, label: str, seconds: float) -> None:
        """A notebook has finished after so many seconds."""

    def notice(self, text: str) -> None:
        """Something that a user should know, although nothing failed."""

    def hint(self, text: str) -> None:
        """Something that the author of a notebook should know, however many dates say it."""


@dataclass(frozen=True, eq=False)
class ExecutedJob:
    """A job whose notebooks have all run: the folder with their outputs, and their manifest entries by name.

    `past_before` is what counted on the date before its source changed its past.
    """

    fingerprinted: FingerprintedJob
    folder: Path
    entries: Mapping[str, NotebookEntry]
    past_before: PastTotals | None


@dataclass(frozen=True)
class KnownPast:
    """What counted on a date by its published pages, and before its source changed its past. None: not known."""

    published: PastTotals | None = None
    before: PastTotals | None = None


def build_date(
    fingerprinted: FingerprintedJob, environment: Mapping[str, str], progress: Progress
) -> failures.Failure | None:
    """Build one date and publish it.

    Parameters
    ----------
    fingerprinted : FingerprintedJob
        The date to build.
    environment : mapping of str to str
        The environment variables of the kernels.
    progress : Progress
        Told of each notebook, and if the source changed the past of a published date.

    Returns
    -------
    Failure or None
        Why the date could not be built. The previously published version then stays online.
    """
    job = fingerprinted.job
    try:
        _build(fingerprinted, environment, progress)
    except errors.NotebookFailed as failure:
        if failure.asks:
            return failures.Failure(job, str(failure), asks=True)
        return failures.Failure(job, str(failure), failures.keep_failed_notebook(job, failure.notebook))
    except errors.SourceError as error:
        return failures.Failure(job, str(error))
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


def _build(fingerprinted: FingerprintedJob, environment: Mapping[str, str], progress: Progress) -> None:
    job = fingerprinted.job
    folder = atomic_publish.build_folder(job.folder)
    entries: dict[str, NotebookEntry] = {}
    pages: dict[str, Future[render.RenderedPage]] = {}
    stale = staleness.stale_notebooks(fingerprinted)
    past = _known_past(job, stale)
    with ThreadPoolExecutor(max_workers=1) as renderer:  # renders a page while the next notebook runs
        for notebook, entry in _execute(fingerprinted, folder, stale, past, environment, progress):
            entries[notebook.name] = entry
            pages[notebook.name] = renderer.submit(_notebook_page, job, notebook, folder)
    check_tables(job, folder, entries)
    before = past.before if past.before and past.before != _past_totals(job, folder) else None
    executed = ExecutedJob(fingerprinted, folder, entries, before)
    rendered = {name: page.result() for name, page in pages.items()}
    for line in [line for page in rendered.values() for line in page.notices]:
        progress.hint(line)
    _write_pages(executed, {name: page.html for name, page in rendered.items()})
    file_modes.set_modes(folder, job.report.publish_mode, _settings_with_ids(job))
    atomic_publish.swap_into_place(job.folder)


def _execute(
    fingerprinted: FingerprintedJob,
    folder: Path,
    stale: list[str],
    past: KnownPast,
    environment: Mapping[str, str],
    progress: Progress,
) -> Iterator[tuple[Notebook, NotebookEntry]]:
    """Run the stale notebooks in `folder`; yield each notebook and its manifest entry as soon as it has outputs."""
    job = fingerprinted.job
    published = manifest.notebook_entries(job.folder)
    fresh = [published[notebook.name] for notebook in job.notebooks if notebook.name not in stale]
    prepare_folder(job, folder, fresh, past.before)
    for notebook in job.notebooks:
        if notebook.name not in stale:
            yield notebook, published[notebook.name]
            continue
        entry = _run(job, notebook, folder, environment)
        progress.notebook(f"{job.label} {notebook.name}", entry["seconds"])
        if notebook is job.notebooks[0]:  # the only one of ours that reads the source
            fingerprinted.check_unchanged()
        if past.published and notebook is job.notebooks[0]:
            _tell_changes(job, past.published, _past_totals(job, folder), progress)
        yield notebook, entry


def _known_past(job: Job, stale: list[str]) -> KnownPast:
    """What counted on the date so far. Figures under other rules of what counts are not compared."""
    before = manifest.past_before(job)
    if job.notebooks[0].name not in stale:
        return KnownPast(before=before)
    if not manifest.counts_alike(job):
        return KnownPast()
    published = _past_totals(job, job.folder)
    return KnownPast(published, before or published)


def check_tables(job: Job, folder: Path, entries: Mapping[str, NotebookEntry]) -> None:
    """Check once more that all tables honour their contracts and agree. Raises `NotebookFailed` for one that does not.

    A notebook may have written a table without `Run.save`, or a later notebook may have replaced it.
    """
    try:
        kept: dict[str, pd.DataFrame] = {}
        for path in sorted((folder / "data").glob("*.parquet")):
            if path.stem != "orders":  # it may not fit in memory; its totals are compared
                table = contracts.check_contract(pd.read_parquet(path), path.stem)
                kept |= {path.stem: table} if table.size <= MOST_KEPT else {}
        with ExitStack() as opened:
            known_orders = cache(lambda: opened.enter_context(_known_orders(job, folder)))
            agreement.check_agreement(agreement.SavedTables(folder / "data", known_orders, kept, job.planned_budget))
    except errors.TableError as error:
        writers = [name for name, entry in entries.items() if f"data/{error.table}.parquet" in entry["files"]]
        notebook = writers[-1] if writers else job.notebooks[-1].name
        cause = " ".join(str(error).split())
        raise errors.NotebookFailed(f"{notebook}.ipynb", f"notebook {notebook}: {cause}") from None


def _past_totals(job: Job, folder: Path) -> PastTotals | None:
    """What counts on the date by the tables of a folder; None if it does not have them."""
    names = ("orders", "order_adjustments", "cleaning_ledger")
    if not all((folder / "data" / f"{name}.parquet").exists() for name in names):
        return None
    with _known_orders(job, folder) as known_orders:
        ledger = pd.read_parquet(folder / "data" / "cleaning_ledger.parquet")
        return changed_past.past_totals(ledger, known_orders)


@contextmanager
def _known_orders(job: Job, folder: Path) -> Iterator[ir.Table]:
    """The orders of a folder as of the date."""
    engine = with_memory_limit(ibis.duckdb.connect())  # dates are built in threads, which cannot share a connection
    try:
        paths = (folder / "data" / f"{name}.parquet" for name in ("orders", "order_adjustments"))
        orders, adjustments = (engine.read_parquet(path) for path in paths)
        yield orders_as_of(orders, adjustments, job.day)
    finally:
        engine.disconnect()


def _tell_changes(job: Job, before: PastTotals, now: PastTotals | None, progress: Progress) -> None:
    if now is not None and now != before:
        changes = narrative.past_changes(before, now, job.number_format)
        progress.notice(f"{job.label}: the source changed the past of this published date: {changes}")


def _run(job: Job, notebook: Notebook, folder: Path, environment: Mapping[str, str]) -> NotebookEntry:
    parameters = {"run_dir": ".."} | job.overrides(notebook)
    times_before = _times_of_change(folder)
    target = folder / "notebooks" / notebook.path.name
    with files_beside(notebook.path.parent, target.parent):
        seconds = execute.run_notebook(notebook.path, target, parameters, _kernel_options(job, environment))
    times_after = _times_of_change(folder)
    files = sorted(name for name, changed in times_after.items() if times_before.get(name) != changed)
    return {"name": notebook.name, "files": files, "seconds": round(seconds, 2)}


def _kernel_options(job: Job, environment: Mapping[str, str]) -> kernels.KernelOptions:
    """What the kernels of a report are given: the common environment, and the variables that this report needs."""
    report = job.report
    named, read_by_driver = databases.needed_variables(report.source.database or "")
    further = kernels.further_variables([*named, *read_by_driver, *report.pass_env])
    secrets = {value for name, value in further.items() if name in named or is_secret_name(name)}
    return kernels.KernelOptions({**environment, **further}, report.timeout, spelled_out(secrets))


def prepare_folder(job: Job, folder: Path, fresh: list[NotebookEntry], past: PastTotals | None = None) -> None:
    """Create a build folder with the outputs of the fresh notebooks, which are listed by their entries.

    `past` is what counted on the date before its source changed its past, or else what its published pages say.
    """
    file_modes.make_private_folder(folder)  # until it is finished
    for name in ("data", "notebooks"):
        (folder / name).mkdir()
    settings = job.settings.model_copy(update={"published": past})
    (folder / "settings.json").write_text(settings.model_dump_json(indent=1), encoding="utf-8")
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


def _settings_with_ids(job: Job) -> list[str]:
    """The files that hold the parameters, if customer ids are among them."""
    cleaning, guests = job.report.cleaning, job.report.source.guests
    named = bool(
        cleaning.exclude_customers or cleaning.exclude_where or cleaning.merge_customers or (guests and guests.ids)
    )
    return ["manifest.json", "settings.json"] if named else []


def _notebook_page(job: Job, notebook: Notebook, folder: Path) -> render.RenderedPage:
    return render.render_notebook(job, notebook, render.read_notebook(folder / "notebooks" / notebook.path.name))


def _write_pages(executed: ExecutedJob, pages: Mapping[str, str]) -> None:
    """Write the pages of the notebooks, the first page and its summary, the settings and the manifest."""
    job, folder = executed.fingerprinted.job, executed.folder
    for name, page in pages.items():
        atomic_publish.write_page(folder / f"{name}.html", page)
    if job.report.pages.customer_lookup:
        lookup = customer_lookup.render_lookup(job, folder)
        atomic_publish.write_page(folder / customer_lookup.PAGE, lookup)
    figures = date_page.key_figures(folder / "data")
    first_page = date_page.render_date(job, folder, figures)
    atomic_publish.write_page(folder / "index.html", first_page)
    atomic_publish.write_page(folder / "summary.txt", summary_files.summary_text(first_page))
    atomic_publish.write_page(folder / "summary.json", summary_files.summary_json(job, figures))
    settings = manifest.redact_paths(job.settings.model_dump(mode="json"), job.root)
    atomic_publish.write_page(folder / "settings.json", json.dumps(settings, indent=1))
    described = manifest.manifest_json(executed.fingerprinted, executed.entries, figures, executed.past_before)
    atomic_publish.write_page(folder / "manifest.json", described)
