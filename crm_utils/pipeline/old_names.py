"""Find names of version 0.1 in notebooks, before a kernel starts."""

import ast
from pathlib import Path

import crm_utils
from crm_utils.config import SECTIONS
from crm_utils.config.old_names import DEFINITIONS, METHODS, MODULES, PARAMETERS, TABLES
from crm_utils.core.errors import ParamsError
from crm_utils.pipeline.notebooks import Notebook

PACKAGE = "crm_utils"
RUN_CLASSES = {"store.Store", "store.Run"}  # the classes that load and save tables
TABLE_METHODS = {"load", "scan", "save", "find", "load_if_there"}


def check_names(notebook: Notebook) -> None:
    """Raise `ParamsError` that lists every name of version 0.1 in a notebook with its new name."""
    found = _old_parameters(notebook)
    code = _parse("\n".join(notebook.code))
    imported = _imported_names(code)
    named, called = _uses(code, imported)
    for name in sorted(named):
        new = _new_name(name, name in called)
        found |= {f"{PACKAGE}.{name}": f"{PACKAGE}.{new}"} if new else {}
    found |= _old_calls(code, imported)
    if found:
        lines = "".join(f"\n  {old} is now {new}" for old, new in found.items())
        raise ParamsError(f"notebooks/{notebook.path.name}: these names are of version 0.1. Use the new names:{lines}")


def _parse(code: str) -> ast.Module:
    """The code as a tree; empty if it is not valid Python, because the kernel reports that better."""
    try:
        return ast.parse(code)
    except SyntaxError:
        return ast.Module([], [])


def _old_parameters(notebook: Notebook) -> dict[str, str]:
    """The parameters that one of the five notebooks declares by their old names, with the new names."""
    if notebook.section not in SECTIONS:
        return {}
    renamed = PARAMETERS.get(SECTIONS[notebook.section].__name__, {})
    return {f"parameter {name}": renamed[name] for name in notebook.declared if name in renamed}


def _imported_names(code: ast.Module) -> dict[str, str]:
    """The names that imports from the package bind, with their full names: 'known_on' -> 'orders.known_on'."""
    bound: dict[str, str] = {}
    for node in ast.walk(code):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            module = (node.module or "").removeprefix(PACKAGE).removeprefix(".")
            bound |= {alias.asname or alias.name: f"{module}.{alias.name}".lstrip(".") for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(f"{PACKAGE}.") and alias.asname:
                    bound[alias.asname] = alias.name.removeprefix(f"{PACKAGE}.")
    return bound


def _uses(code: ast.Module, imported: dict[str, str]) -> tuple[set[str], set[str]]:
    """The full names of the package that the code uses, and those that it calls."""

    def full_name(node: ast.AST) -> str | None:
        if isinstance(node, ast.Name):
            return imported.get(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
            return f"{imported[node.value.id]}.{node.attr}"
        return None

    nodes = list(ast.walk(code))
    used = {name for node in nodes if (name := full_name(node))} | set(imported.values())
    called = {name for node in nodes if isinstance(node, ast.Call) and (name := full_name(node.func))}
    return used, called


def _new_name(name: str, is_called: bool) -> str | None:
    """The new full name of a definition or module of version 0.1; None if it was not renamed."""
    if name in DEFINITIONS and (is_called or not _is_module(name)):  # `rfm.measures` was a function, and is a module
        return DEFINITIONS[name]
    return MODULES.get(name)  # a definition that only moved with its module is reported with the module


def _is_module(name: str) -> bool:
    path = Path(crm_utils.__file__).parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def _old_calls(code: ast.Module, imported: dict[str, str]) -> dict[str, str]:
    """The old methods and tables that the notebook uses of its `Store` or `Run` objects, with the new names."""
    runs = {
        target.id
        for node in ast.walk(code)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name) and _is_run(node.value.func, imported)
    }
    found: dict[str, str] = {}
    for node in ast.walk(code):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in runs:
            found |= {f"{node.value.id}.{node.attr}": f"run.{METHODS[node.attr]}"} if node.attr in METHODS else {}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TABLE_METHODS:
            texts = [part.value for part in node.args if isinstance(part, ast.Constant)]
            found |= {f"table {text}": TABLES[text] for text in texts if text in TABLES}
    return found


def _is_run(function: ast.AST, imported: dict[str, str]) -> bool:
    return isinstance(function, ast.Name) and imported.get(function.id) in RUN_CLASSES
