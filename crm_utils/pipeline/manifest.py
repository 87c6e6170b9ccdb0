"""The manifest of a date: what was built, from what and with which settings, so that it can be built again; and what of it is stale."""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crm_utils.core.files import content_hash
from crm_utils.core.paths import rules_path, source_paths
from crm_utils.pipeline import cache_keys
from crm_utils.pipeline.jobs import RULES, Job

PLACES = (
    "file",
    "files",
    "attributes",
    "contacts",
    "past_campaigns",
    "segment_map",
    "campaigns",
)  # settings that are paths
VERSIONS = ("pandas", "scipy", "ibis-framework", "duckdb", "nbconvert", "papermill")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a published folder; empty where there is none, or none that can be read."""
    try:
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def stale_notebooks(job: Job) -> list[str]:
    """The notebooks of a job that have to run: those whose key changed, with all that follow, and whoever wrote what one of
    these, or one that is gone, wrote over.
    """
    there = {book["name"]: book for book in read_manifest(job.folder).get("notebooks", [])}
    done = []
    for name, key in job.keys.items():
        book = there.get(name, {"key": None})
        if (
            book["key"] != key
            or "files" not in book
            or not all((job.folder / path).exists() for path in notebook_files(book))
        ):
            break
        done.append(name)
    changed = {path for name, book in there.items() if name not in done for path in book.get("files", [])}
    for place, name in reversed(list(enumerate(done))):
        if changed & set(there[name]["files"]):
            changed |= {path for other in done[place:] for path in there[other]["files"]}
            done = done[:place]
    return [name for name in job.keys if name not in done]


def notebook_files(book: dict) -> list[str]:
    """What a notebook left in the published folder, as its manifest entry tells."""
    return [f"notebooks/{book['name']}.ipynb", *book["files"]]


def is_up_to_date(job: Job) -> bool:
    """Whether the published pages of a job are those it would build."""
    pages = [*(f"{book.name}.html" for book in job.notebooks), "index.html"]
    return read_manifest(job.folder).get("pages_key") == cache_keys.pages_key(job) and all(
        (job.folder / page).exists() for page in pages
    )


def manifest_json(job: Job, entries: dict[str, dict], figures: dict[str, float]) -> str:
    """The manifest of a finished job; `entries` tell what each notebook left, and how long it took."""
    from crm_utils.core.contracts import CONTRACT_VERSION  # imports pandas: only if something was built

    notebooks = [
        entries[book.name]
        | {
            "key": job.keys[book.name],
            "parameters": {p.name: {"value": p.value, "from": p.origin} for p in job.parameters(book)},
        }
        for book in job.notebooks
    ]
    described = {
        "contract_version": CONTRACT_VERSION,
        "report": job.name,
        "title": job.report.title,
        "currency": job.report.currency,
        "simulated": job.report.source.simulate is not None,
        "analysis_date": str(job.day),
        "summary": figures,
        "pages_key": cache_keys.pages_key(job),
        "notebooks": notebooks,
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in VERSIONS},
    }
    return json.dumps(described | _made_from(job), indent=1)


def redact_paths(settings: Any, root: Path, place: bool = False) -> Any:
    """Settings as they are published: of a file elsewhere only its name. Each value by itself is a path where `place` says so."""
    if isinstance(settings, dict):
        return {name: redact_paths(value, root, name in PLACES) for name, value in settings.items()}
    if isinstance(settings, list):
        return [redact_paths(value, root, place) for value in settings]
    return _named(root / settings, root) if place and isinstance(settings, str) else settings


def _made_from(job: Job) -> dict[str, Any]:
    """What a rebuild needs: the parameters file, the rules it names, the hash of each file read, of the code and the lock."""
    chosen = [p for book in job.notebooks for p in job.parameters(book) if p.name in RULES]
    rules = [rules_path(job.root, p.name, p.value) for p in chosen]
    code = [piece for book in job.notebooks for piece in book.code]
    own = [
        path
        for path in cache_keys.local_dependencies(*code, root=job.root)
        if not path.is_relative_to(cache_keys.PACKAGE)
    ]
    files = [*source_paths(job.report.source.model_dump(), job.root), *cache_keys.customer_table_paths(job), *own]
    lock = job.root / "requirements.lock"
    return {
        "params": redact_paths(job.report.model_dump(mode="json", exclude_unset=True), job.root),
        "rules": {_named(path, job.root): path.read_text(encoding="utf-8") for path in rules},
        "files": {_named(path, job.root): content_hash(path, job.root) for path in files},
        "code": cache_keys.package_key(),
        "lock": content_hash(lock, job.root) if lock.exists() else None,
    }


def _named(path: Path, root: Path) -> str:
    """A path as the project knows it; of a file elsewhere only its name, which tells nothing of the machine."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name
