"""Settings of `make new` that belong to one of several files: column names, dates, layouts of their own."""

import re
from pathlib import Path
from typing import Any

from crm_utils.commands.new_report import inference
from crm_utils.config import Source, SourceFile
from crm_utils.config.paths import source_files
from crm_utils.core.suggestions import plain_name
from crm_utils.sources import RawTable, date_formats

Settings = dict[str, Any]
AS_USUAL: Settings = {"encoding": "utf-8", "header_row": 1, "skip_rows": 0, "footer": 0}


def differing(found: list[Settings]) -> list[Settings]:
    """What each file has to say for itself, if the source says what the first file needs."""
    common = found[0]
    keys = [{*common, *settings} for settings in found]
    return [
        {key: settings.get(key, AS_USUAL.get(key)) for key in sorted(own) if settings.get(key) != common.get(key)}
        for settings, own in zip(found, keys, strict=True)
    ]


def own_names(parts: list[RawTable]) -> list[Settings]:
    """For each part its `columns`, if its names are those of the first part in another spelling."""
    usual = {plain_name(name): name for name in parts[0].table.columns}
    found: list[Settings] = []
    for part in parts:
        names = part.table.columns
        spelt = {usual[plain_name(name)]: name for name in names if plain_name(name) in usual}
        own = {name: own_name for name, own_name in spelt.items() if name not in names}
        found.append({"columns": own} if own else {})
    return found


def own_dates(texts: list[list[str]]) -> list[Settings] | None:
    """For each part its `date_format`, if one pattern does not read the dates of all parts but each has one."""
    patterns = [inference.date_format(each)[0] if each else None for each in texts]
    iso = [all(re.match(inference.ISO, text) for text in each) for each in texts]
    known = [pattern or ("%Y-%m-%d" if whole else None) for pattern, whole in zip(patterns, iso, strict=True)]
    if len({pattern for pattern, each in zip(known, texts, strict=True) if each}) < 2 or None in known:
        return None
    reads = zip(known, texts, iso, strict=True)
    if not all(
        whole or all(date_formats.reads_all(str(pattern), text) for text in each) for pattern, each, whole in reads
    ):
        return None
    return [
        {"date_format": pattern} if pattern and not whole else {} for pattern, whole in zip(patterns, iso, strict=True)
    ]


def with_own_settings(source: Source, root: Path, own: list[Settings]) -> Source:
    """The source with a line for each of its files, and what each says for itself added to its line."""
    if not any(own):
        return source
    files = []
    for (path, named), settings in zip(source_files(source, root), own, strict=True):
        said = named.model_dump() if named else {}
        name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
        files.append(SourceFile(**{**(said if isinstance(said, dict) else {}), **settings, "file": name}))
    return source.model_copy(update={"files": files})
