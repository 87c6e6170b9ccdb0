"""Which notebooks of a date are stale and have to run again."""

from collections.abc import Mapping

from crm_utils.pipeline.cache_keys import FingerprintedJob
from crm_utils.pipeline.manifest import NotebookEntry, notebook_entries, notebook_files, read_manifest


def is_up_to_date(fingerprinted: FingerprintedJob) -> bool:
    """Whether a rebuild of a job would leave its published pages unchanged."""
    job = fingerprinted.job
    pages = [*(f"{notebook.name}.html" for notebook in job.notebooks), "index.html"]
    return read_manifest(job.folder).get("pages_key") == fingerprinted.pages_key and all(
        (job.folder / page).exists() for page in pages
    )


def stale_notebooks(fingerprinted: FingerprintedJob) -> list[str]:
    """The notebooks that have to run, in their order.

    A notebook is stale if its key changed, if one of its files is missing, or if an earlier notebook is stale. It is
    also stale if a stale or deleted notebook later replaced one of its files.
    """
    entries = notebook_entries(fingerprinted.job.folder)
    fresh = _fresh_by_key(fingerprinted, entries)
    replaced = {path for name, entry in entries.items() if name not in fresh for path in entry.get("files", [])}
    for position, name in reversed(list(enumerate(fresh))):
        if replaced & set(entries[name]["files"]):
            replaced |= {path for other in fresh[position:] for path in entries[other]["files"]}
            fresh = fresh[:position]
    return [name for name in fingerprinted.notebook_keys if name not in fresh]


def _fresh_by_key(fingerprinted: FingerprintedJob, entries: Mapping[str, NotebookEntry]) -> list[str]:
    """The notebooks up to the first whose key differs from the published one or whose files are missing."""
    fresh: list[str] = []
    for name, key in fingerprinted.notebook_keys.items():
        entry = entries.get(name)
        if entry is None or entry.get("key") != key or "files" not in entry:
            break
        if not all((fingerprinted.job.folder / path).exists() for path in notebook_files(entry)):
            break
        fresh.append(name)
    return fresh
