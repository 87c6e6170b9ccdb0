"""The manifest of a date: what was built, and from which data and settings, so that it can be built again."""

import json
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from crm_utils.config.report import PastTotals
from crm_utils.core.files import content_hash
from crm_utils.pipeline import cache_keys
from crm_utils.pipeline.cache_keys import FingerprintedJob
from crm_utils.pipeline.jobs import Job

PATH_SETTINGS = (
    "file",
    "files",
    "rates",
    "attributes",
    "contacts",
    "past_campaigns",
    "segment_map",
    "campaigns_file",
    "evidence_file",
)
COUNTING = ("source", "columns", "cleaning")  # the sections that decide what counts
VERSIONS = ("pandas", "scipy", "ibis-framework", "duckdb", "nbconvert", "papermill")


class NotebookEntry(TypedDict):
    """The entry of a notebook that ran: the files it wrote and the seconds it took."""

    name: str
    files: list[str]
    seconds: float
    key: NotRequired[str]
    parameters: NotRequired[dict[str, dict[str, Any]]]


class Manifest(TypedDict, total=False):
    """The fields of `manifest.json` that are read again."""

    contract_version: int
    report: str
    title: str
    currency: str
    simulated: bool
    analysis_date: str
    summary: dict[str, float]
    pages_key: str
    notebooks: list[NotebookEntry]
    versions: dict[str, str]
    files: dict[str, str]
    params: dict[str, Any]
    past_before: dict[str, float] | None


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a published folder; empty if it is missing or cannot be read."""
    try:
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def notebook_entries(folder: Path) -> dict[str, NotebookEntry]:
    """The entries of a published folder's notebooks, by name."""
    return {entry["name"]: entry for entry in read_manifest(folder).get("notebooks", [])}


def notebook_files(entry: NotebookEntry) -> list[str]:
    """The files of a notebook in the published folder: the executed notebook and the files it wrote."""
    return [f"notebooks/{entry['name']}.ipynb", *entry["files"]]


def manifest_json(
    fingerprinted: FingerprintedJob,
    entries: Mapping[str, NotebookEntry],
    figures: dict[str, float],
    past_before: PastTotals | None = None,
) -> str:
    """The manifest of a finished job, from the entries of its notebooks and its key figures.

    `past_before` is what counted on the date before its source changed its past.
    """
    # imported here because it imports pandas, which is not needed if nothing was built
    from crm_utils.core.contracts import CONTRACT_VERSION

    job = fingerprinted.job
    described: Manifest = {
        "contract_version": CONTRACT_VERSION,
        "report": job.name,
        "title": job.report.title,
        "currency": job.report.unit,
        "simulated": job.report.source.simulate is not None,
        "analysis_date": str(job.day),
        "summary": figures,
        "pages_key": fingerprinted.pages_key,
        "notebooks": [_notebook_json(fingerprinted, entries[notebook.name]) for notebook in job.notebooks],
        "past_before": past_before.model_dump() if past_before else None,
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in VERSIONS},
    }
    return json.dumps({**described, **_inputs(job)}, indent=1)


def _notebook_json(fingerprinted: FingerprintedJob, entry: NotebookEntry) -> NotebookEntry:
    name = entry["name"]
    parameters = {p.name: {"value": p.value, "from": p.origin} for p in fingerprinted.job.parameters[name]}
    return {**entry, "key": fingerprinted.notebook_keys[name], "parameters": parameters}


def redact_paths(settings: Any, root: Path, is_path: bool = False) -> Any:
    """Settings for publication: the path of a file outside the project is cut to the file's name.

    A text is a path if `is_path` is set or if its key is one of `PATH_SETTINGS`.
    """
    if isinstance(settings, dict):
        return {name: redact_paths(value, root, name in PATH_SETTINGS) for name, value in settings.items()}
    if isinstance(settings, list):
        return [redact_paths(value, root, is_path) for value in settings]
    return _published_path(root / settings, root) if is_path and isinstance(settings, str) else settings


def _inputs(job: Job) -> dict[str, Any]:
    """What a rebuild needs: the parameters, the rules, and hashes of the files, the code and the lock file."""
    rules = [path for notebook in job.notebooks for path in job.rule_files(notebook)]
    code = [source for notebook in job.notebooks for source in cache_keys.imported_code(job, notebook)]
    imported = cache_keys.local_dependencies(*code, root=job.root)
    own_modules = [path for path in imported if not path.is_relative_to(cache_keys.PACKAGE)]
    files = [*cache_keys.source_file_paths(job), *cache_keys.customer_files(job), *own_modules]
    lock = job.root / "requirements.lock"
    return {
        "params": redact_paths(job.report.model_dump(mode="json", exclude_unset=True, exclude={"delivery"}), job.root),
        "rules": {_published_path(path, job.root): path.read_text(encoding="utf-8") for path in rules},
        "files": {_published_path(path, job.root): content_hash(path, job.root) for path in files},
        "code": cache_keys.package_key(),
        "lock": content_hash(lock, job.root) if lock.exists() else None,
    }


def counts_alike(job: Job) -> bool:
    """Whether the published date was built with the same rules of what counts. Its files may have been others."""
    published = read_manifest(job.folder).get("params")
    if published is None or job.report.source.simulate:
        return False
    own = redact_paths(job.report.model_dump(mode="json", exclude_unset=True), job.root)
    return _counting_rules(published) == _counting_rules(own)


def _counting_rules(params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters that decide what counts, without the names of files."""
    sections = {name: params.get(name, {}) for name in COUNTING}
    return {
        name: {key: value for key, value in section.items() if key not in ("file", "files")}
        for name, section in sections.items()
    }


def past_before(job: Job) -> PastTotals | None:
    """What counted on the published date before its source changed its past. None if it did not."""
    totals = read_manifest(job.folder).get("past_before")
    return PastTotals.model_validate(totals) if totals else None


def _published_path(path: Path, root: Path) -> str:
    """A path relative to the project. A file elsewhere is shown by its name only, to keep machine paths private."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name
