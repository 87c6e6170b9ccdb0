"""What the notebooks call is documented: every parameter, and what comes back (numpydoc)."""

import ast
import dataclasses
import functools
import inspect
import json
import re
import typing
from collections.abc import Iterator
from enum import EnumType
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def code_of(notebook: Path) -> ast.Module:
    """The code cells of a notebook, lines for IPython left out."""
    cells = [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    lines = [line for cell in cells for line in "".join(cell["source"]).splitlines() if not line.startswith(("%", "!"))]
    return ast.parse("\n".join(lines))


def is_function(found: object) -> bool:
    """Whether something is a function or method, not a property."""
    return inspect.isroutine(found) and not isinstance(found, functools.cached_property)


def is_ours(found: object) -> bool:
    """Whether something is defined in the package."""
    return (getattr(found, "__module__", None) or "").startswith("crm_utils.")


class Calls(ast.NodeVisitor):
    """Collects what a notebook calls or reads from the package.

    The type of a variable is the annotated type of what gave it.
    """

    def __init__(self) -> None:
        self.names: dict[str, object] = {}
        self.types: dict[str, type] = {}
        self.called: dict[str, object] = {}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = __import__(node.module, fromlist=[alias.name for alias in node.names])
        self.names |= {alias.asname or alias.name: getattr(module, alias.name) for alias in node.names}

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        kind = self.type_of(node.value)
        for target in node.targets:
            if isinstance(target, ast.Tuple):
                kinds = typing.get_args(kind)
                for name, part in zip(target.elts, kinds, strict=False):
                    self.types[ast.unparse(name)] = part
            else:
                self.types[ast.unparse(target)] = kind

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        self.note(self.resolve(node))

    def visit_Name(self, node: ast.Name) -> None:
        self.note(self.names.get(node.id))

    def note(self, found: object) -> None:
        """Remember a function, method, property or class of the package."""
        function = found.fget if isinstance(found, property) else getattr(found, "func", found)
        if isinstance(function, EnumType):  # it has no constructor of its own
            return
        if is_ours(function) and (inspect.isroutine(function) or inspect.isclass(function)):
            self.called[f"{function.__module__}.{function.__qualname__}"] = found

    def resolve(self, node: ast.expr) -> object:
        """What an expression names: something imported, or an attribute of the class of a variable."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        holder = self.resolve(node.value)
        if isinstance(holder, (ModuleType, type)):
            return getattr(holder, node.attr, None)
        kind = self.type_of(node.value)
        return inspect.getattr_static(kind, node.attr, None) if inspect.isclass(kind) and is_ours(kind) else None

    def type_of(self, node: ast.expr) -> type | None:
        """The annotated type of an expression, if it comes from the package."""
        if isinstance(node, ast.Name):
            return self.types.get(node.id)
        found = self.resolve(node.func if isinstance(node, ast.Call) else node)
        if inspect.isclass(found):
            return found
        function = found.fget if isinstance(found, property) else getattr(found, "func", found)
        if inspect.isroutine(function) and is_ours(function):
            return typing.get_type_hints(getattr(function, "__func__", function)).get("return")
        if isinstance(node, ast.Attribute) and inspect.isclass(kind := self.type_of(node.value)) and is_ours(kind):
            return typing.get_type_hints(kind).get(node.attr)
        return None


def called_from_notebooks() -> Iterator[tuple[str, object]]:
    """Everything of the package that a notebook calls, by its full name."""
    found: dict[str, object] = {}
    for notebook in NOTEBOOKS:
        calls = Calls()
        calls.visit(code_of(notebook))
        found |= calls.called
    return iter(sorted(found.items()))


CALLED = dict(called_from_notebooks())


def parameters_of(found: object) -> list[str]:
    """The parameters of a function, method or class."""
    if isinstance(found, property) or hasattr(found, "func"):
        return []
    if inspect.isclass(found) and issubclass(found, BaseModel):
        return list(found.model_fields)
    if inspect.isclass(found) and dataclasses.is_dataclass(found):
        return [field.name for field in dataclasses.fields(found) if field.init]
    named = inspect.signature(getattr(found, "__func__", found)).parameters
    return [name for name in named if name not in ("self", "cls")]


def section(text: str, title: str) -> str | None:
    """The text of a section of a numpydoc docstring; None if there is none."""
    found = re.search(rf"^{title}\n-{{{len(title)}}}\n(.*?)(?=^\w+\n-+\n|\Z)", text, re.M | re.S)
    return found[1] if found else None


@pytest.mark.parametrize("name", CALLED)
def test_what_a_notebook_calls_is_documented(name: str):
    found = CALLED[name]
    text = inspect.getdoc(found) or ""
    assert text.splitlines()[:1], f"{name} has no docstring"
    parameters = parameters_of(found)
    described = section(text, "Parameters") or ""
    lines = re.findall(r"^\*{0,2}(\w[\w, ]*?)(?: :.*)?$", described, re.M)
    named = {each for line in lines for each in line.split(", ")}
    assert set(parameters) <= named, f"{name} does not describe {set(parameters) - named}"
    if is_function(found):
        returns = typing.get_type_hints(getattr(found, "__func__", found)).get("return")
        assert returns in (None, type(None)) or section(text, "Returns"), f"{name} does not say what it returns"


def test_calls_of_every_kind_are_collected():
    """Functions, methods of variables, properties and classes."""
    wanted = {
        "crm_utils.core.orders.orders_as_of",
        "crm_utils.store.Run",
        "crm_utils.store.Run.load",
        "crm_utils.store.Run.settings",
        "crm_utils.config.segment_map.SegmentMap.advice",
        "crm_utils.rfm.scoring.score_customers",
    }
    assert wanted <= set(CALLED)
