"""Where files lie: the source of a report, and the business rules it names. Nothing is read here."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from crm_utils.config.report import Source
from crm_utils.core.errors import SourceMissing

SIMULATED = "simulated"  # in place of a file: the table that comes with a simulated source


def source_paths(source: Source, root: Path) -> list[Path]:
    """The files a report reads, in the order given, those of a pattern by name; none for a database.

    Raises `SourceMissing` for a file that is not there and for a pattern without a match.
    """
    if source.sample == "cdnow":
        package = importlib.util.find_spec("lifetimes")
        if package is None or not package.submodule_search_locations:
            raise SourceMissing("the CDNOW sample ships with the lifetimes package: pip install lifetimes")
        return [Path(package.submodule_search_locations[0]) / "datasets" / "CDNOW_master.txt"]
    if source.simulate:
        return sorted((Path(__file__).parents[1] / "sources" / "simulated").glob("*.py"))  # what makes the data
    if source.file:
        return _matching(source.file, "source.file", root)
    return [path for name in source.files or [] for path in _matching(name, "source.files", root)]


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
    folder = {"segment_map": "segments", "campaigns_file": ""}[parameter]
    return root / "params" / folder / f"{name}.yaml"


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
