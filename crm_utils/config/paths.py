"""Paths of a report's files: its source and its business rules. Nothing is read here."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from crm_utils.config.report import Source, SourceFile
from crm_utils.core.errors import SourceError, SourceMissing

# Where a system keeps its own files, and a person keys: a link there is no source
SYSTEM_FOLDERS = ("/etc", "/proc", "/sys", "/dev", "/boot", "/private/etc")
KEY_FOLDERS = {".ssh", ".gnupg", ".aws", ".kube", ".docker"}
SIMULATED = "simulated"  # written instead of a file: the table of a simulated source


def source_paths(source: Source, root: Path) -> list[Path]:
    """Return the files of a source in their order, those of a pattern sorted by name; none for a database.

    Raises `SourceMissing` if a file does not exist or a pattern matches no file.
    """
    if source.sample == "cdnow":
        package = importlib.util.find_spec("lifetimes")
        if package is None or not package.submodule_search_locations:
            raise SourceMissing("the CDNOW sample comes with the lifetimes package; pip install lifetimes")
        return [Path(package.submodule_search_locations[0]) / "datasets" / "CDNOW_master.txt"]
    if source.simulate:
        return sorted(
            (Path(__file__).parents[1] / "sources" / "simulated").glob("*.py")
        )  # the code that generates the data
    return [path for path, _ in source_files(source, root)]


def source_files(source: Source, root: Path) -> list[tuple[Path, SourceFile | None]]:
    """Return the files of a source in the given order, each with its own settings if it has any.

    Raises `SourceMissing` for a missing file and for a pattern without a match.
    """
    if source.file:
        return [(path, None) for path in _matching_files(source.file, "source.file", root)]
    files = source.files or []
    return [(path, named) for named in files for path in _matching_files(named.file, "source.files", root)]


def customer_table_paths(name: str, location: str, root: Path) -> list[Path]:
    """Return the files of attributes, contacts, past campaigns or sent messages.

    Past campaigns and sent messages may be a pattern. Raises `SourceMissing` if no file exists.
    """
    if name in ("past_campaigns", "sent") and is_pattern(location, root):
        paths = sorted(path for path in _glob(root, location) if path.is_file())
    else:
        paths = [root / location] if (root / location).is_file() else []
    if not paths:
        raise SourceMissing(f"{name}: {location} does not exist; add the file, or correct {name}")
    return [check_place(path, name) for path in paths]


def rules_path(root: Path, parameter: str, name: str) -> Path:
    """Return the file of a segment map, campaigns or evidence: a name without ending is in `params/`, else a path."""
    if name.endswith((".yaml", ".yml")):
        return root / name
    folder = {"segment_map": "segments", "campaigns_file": "", "evidence_file": ""}[parameter]
    return root / "params" / folder / f"{name}.yaml"


def is_pattern(name: str, root: Path) -> bool:
    """Tell whether a name stands for all files that match it. `orders [2024].csv` is a file if that file exists."""
    return re.search(r"[*?\[]", name) is not None and not (root / name).is_file()


def check_place(path: Path, option: str) -> Path:
    """Return a file's path. Raises `SourceError` if it leads to a file of the system or a person's keys."""
    place = path.resolve()
    if any(place.is_relative_to(folder) for folder in SYSTEM_FOLDERS) or KEY_FOLDERS & set(place.parts):
        raise SourceError(f"{option}: {path.name} leads to {place}, a file of the system; name a file with your data")
    return path


def _matching_files(name: str, option: str, root: Path) -> list[Path]:
    path = root / name
    if option == "source.files" and is_pattern(name, root):
        found = sorted(check_place(path, option) for path in _glob(root, name) if path.is_file())
        if not found:
            raise SourceMissing(f"no file matches {name}; add the files, or correct {option}")
        return found
    if not path.is_file():
        raise SourceMissing(f"the source {name} does not exist; add the file, or correct {option}")
    return [check_place(path, option)]


def _glob(root: Path, pattern: str) -> Iterator[Path]:
    if Path(pattern).is_absolute():
        anchor = Path(pattern).anchor
        return Path(anchor).glob(str(Path(pattern).relative_to(anchor)))
    return root.glob(pattern)
