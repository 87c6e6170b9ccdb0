"""Where files lie: the source of a report, and the business rules it names."""

import importlib.util
from pathlib import Path

SIMULATED = "simulated"  # in place of a file: the table that comes with a simulated source


class SourceError(ValueError):
    """A source cannot be read; the message names the file, the column, the rows and the cure."""


class SourceMissing(SourceError):
    """The source is not there; the message says how to get it."""


def source_file(source: dict, root: Path) -> Path:
    """The file a report reads. Raises `SourceMissing` where there is none."""
    if source.get("sample") == "cdnow":
        package = importlib.util.find_spec("lifetimes")
        if package is None:
            raise SourceMissing("the CDNOW sample ships with the lifetimes package: pip install lifetimes")
        return Path(package.submodule_search_locations[0]) / "datasets" / "CDNOW_master.txt"
    if source.get("simulate"):
        return Path(__file__).with_name("simulate") / "__init__.py"  # what makes the data
    path = root / source["file"]
    if not path.is_file():
        raise SourceMissing(
            f"its source {source['file']} is not there: put the file into place, or correct source.file"
        )
    return path


def side_file(name: str, where: str, root: Path) -> Path:
    """The file of attributes, contacts or past campaigns. Raises `SourceMissing` where there is none."""
    path = root / where
    if not path.is_file():
        raise SourceMissing(f"{name}: {where} is not there: put the file into place, or correct {name}")
    return path


def rules_file(root: Path, parameter: str, name: str) -> Path:
    """The file of a segment map or of campaigns: a bare name is one of ours under `params/`, else it is a path."""
    if name.endswith((".yaml", ".yml")):
        return root / name
    folder = {"segment_map": "segments", "campaigns": ""}[parameter]
    return root / "params" / folder / f"{name}.yaml"
