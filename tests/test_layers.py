"""The structure of the package: a stage imports core, config, sources, the store and earlier stages, nothing else."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "crm_utils"
STAGES = ["cleaning", "rfm", "segmentation", "cltv", "budget"]  # in the order of the notebooks
LAYERS = ["core", "config", "sources", "store", *STAGES, "comparison", "pipeline", "site", "commands", "__main__"]
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
TREES = {path: ast.parse(path.read_text()) for path in FILES}


def layer_of(path: Path) -> str:
    """The entry of `crm_utils` that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_layers(path: Path) -> set[str]:
    """The entries of `crm_utils` that a file imports."""
    found = set()
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            parts = node.module.split(".")
            names = {alias.name for alias in node.names if alias.name != "__version__"}
            found |= {parts[1]} if len(parts) > 1 else names
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith(PACKAGE.name + ".")}
    return found


def test_every_entry_of_the_package_is_a_layer():
    assert {layer_of(path) for path in FILES} <= set(LAYERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_layer_imports_only_those_below_it(path: Path):
    own = layer_of(path)
    allowed = set(LAYERS[: LAYERS.index(own) + 1])
    assert imported_layers(path) <= allowed, f"{path.name} imports {imported_layers(path) - allowed}"


@pytest.mark.parametrize(
    "path", [path for path in FILES if layer_of(path) in STAGES and path.stem != "charts"], ids=lambda path: path.name
)
def test_analysis_sees_no_paths_and_draws_nothing(path: Path):
    text = path.read_text()
    assert "matplotlib" not in text
    assert "pathlib" not in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_function_is_long(path: Path):
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.FunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            assert node.end_lineno - first.lineno < 40, f"{path.name}: {node.name} is too long"
