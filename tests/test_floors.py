"""The structure of the package: imports go down only, never sideways, and what is high up stays out of what is low."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "crm_utils"
FLOORS = [
    "formats schemas params locate spreadsheets engine enough",
    "simulate",
    "sources store scoring terms",
    "cleaning outliers settlement habits readiness orders rfm segments traits clusters cohorts lists"
    " btyd cltv season historic budget guess",
    "backtest movement stability calibration comparison worked to_check",
    "plots tables headlines",
    "report download",
    "__main__",
]
BELOW_ZERO = {"formats"}  # writing numbers: every floor may
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms.split()}


def rooms_imported(path: Path) -> set[str]:
    """The modules or packages of ours that a file imports."""
    found = set()
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith(PACKAGE.name + ".")}
    return found


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
TREES = {path: ast.parse(path.read_text()) for path in FILES}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path):
    here = room(path)
    for other in rooms_imported(path) - {here} - BELOW_ZERO:
        assert FLOOR[other] < FLOOR[here], f"{path.name} imports {other}, which is not below {here}"


@pytest.mark.parametrize("path", [path for path in FILES if FLOOR[room(path)] in (3, 4)], ids=lambda path: path.name)
def test_pure_functions_see_no_paths_and_draw_nothing(path: Path):
    text = path.read_text()
    assert "matplotlib" not in text
    assert "pathlib" not in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_room_is_small(path: Path):
    text = path.read_text()
    assert text.count("\n") <= 250
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno <= 50, f"{path.name}: {node.name} is too long"


def test_every_public_function_says_what_it_does():
    silent = [
        f"{path.name}: {node.name}"
        for path in FILES
        if room(path) not in ("tables", "__main__")
        for node in TREES[path].body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
        if ast.get_docstring(node) is None
    ]
    assert silent == []
