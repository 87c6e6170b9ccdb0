"""Where files lie: the source of a report, and the business rules it names. Light: nothing is read but bytes to hash."""

import hashlib
import importlib.util
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crm_utils.core.errors import SourceMissing

SIMULATED = "simulated"  # in place of a file: the table that comes with a simulated source


def source_paths(source: dict, root: Path) -> list[Path]:
    """The files a report reads, in the order given, those of a pattern by name; none for a database.

    Raises `SourceMissing` for a file that is not there and for a pattern without a match.
    """
    if source.get("sample") == "cdnow":
        package = importlib.util.find_spec("lifetimes")
        if package is None:
            raise SourceMissing("the CDNOW sample ships with the lifetimes package: pip install lifetimes")
        return [Path(package.submodule_search_locations[0]) / "datasets" / "CDNOW_master.txt"]
    if source.get("simulate"):
        return sorted((Path(__file__).parents[1] / "sources" / "simulated").glob("*.py"))  # what makes the data
    named = [source["file"]] if source.get("file") else source.get("files") or []
    option = "source.file" if source.get("file") else "source.files"
    return [path for name in named for path in _matching(name, option, root)]


def customer_table_path(name: str, where: str, root: Path) -> Path:
    """The file of attributes, contacts or past campaigns. Raises `SourceMissing` where there is none."""
    path = root / where
    if not path.is_file():
        raise SourceMissing(f"{name}: {where} is not there: put the file into place, or correct {name}")
    return path


def rules_path(root: Path, parameter: str, name: str) -> Path:
    """The file of a segment map or of campaigns: a bare name is one of ours under `params/`, else it is a path."""
    if name.endswith((".yaml", ".yml")):
        return root / name
    folder = {"segment_map": "segments", "campaigns": ""}[parameter]
    return root / "params" / folder / f"{name}.yaml"


def content_hash(path: Path, root: Path) -> str:
    """The SHA-256 of a file's bytes, remembered in `.cache/hashes` until the file's size or time changes."""
    status = path.stat()
    known = root / ".cache" / "hashes" / hashlib.sha256(str(path.resolve()).encode()).hexdigest()
    stamp = [status.st_size, status.st_mtime_ns]
    if known.exists():
        remembered = json.loads(known.read_text(encoding="utf-8"))
        if remembered["stamp"] == stamp:
            return remembered["hash"]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with atomic_write(known) as building:
        building.write_text(json.dumps({"stamp": stamp, "hash": digest}), encoding="utf-8")
    return digest


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A file to write beside `path`; it takes the place of `path` when the block ends well, and is removed when not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    building = Path(name)
    try:
        yield building
        building.replace(path)
    finally:
        building.unlink(missing_ok=True)


def _matching(name: str, option: str, root: Path) -> list[Path]:
    if option == "source.files" and re.search(r"[*?\[]", name):
        found = sorted(path for path in _glob(root, name) if path.is_file())
        if not found:
            raise SourceMissing(f"no file matches {name}: put the files into place, or correct {option}")
        return found
    path = root / name
    if not path.is_file():
        raise SourceMissing(f"its source {name} is not there: put the file into place, or correct {option}")
    return [path]


def _glob(root: Path, pattern: str) -> Iterator[Path]:
    if Path(pattern).is_absolute():
        anchor = Path(pattern).anchor
        return Path(anchor).glob(str(Path(pattern).relative_to(anchor)))
    return root.glob(pattern)
