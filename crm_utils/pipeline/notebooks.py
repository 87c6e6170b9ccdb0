"""Notebooks before they run: their title, code and declared parameters."""

import ast
import io
import json
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from crm_utils.config import SECTIONS
from crm_utils.config.yaml_models import refuse_conflict
from crm_utils.core.errors import ParamsError

CUSTOM = "custom"  # the section of the parameters file for notebooks that an analyst adds
PARAMETERS_TAG = "parameters"
SETS_RUN = re.compile(r"^run_dir\s*[:=]", re.MULTILINE)
LETTERS_OF_ACRONYM = 4


@dataclass(frozen=True)
class Declaration:
    """A parameter in the notebook's parameters cell: its default, and its meaning from the comment."""

    default: Any
    meaning: str


@dataclass(frozen=True)
class Notebook:
    """A notebook before it runs."""

    path: Path

    @property
    def name(self) -> str:
        """File name without suffix, for example '02_rfm'."""
        return self.path.stem

    @property
    def short_name(self) -> str:
        """Its name in a line of links: '03_segmentation' -> 'Segmentation', '02_rfm' -> 'RFM'."""
        words = re.sub(r"^\d+_", "", self.name).replace("_", " ")
        return words.upper() if len(words) <= LETTERS_OF_ACRONYM else words[:1].upper() + words[1:]

    @property
    def section(self) -> str:
        """Its section of the parameters file: '02_rfm' -> 'rfm', an analyst's own notebook -> 'custom'."""
        section = re.sub(r"^\d+_", "", self.name)
        return section if section in SECTIONS else CUSTOM

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """The cells, each with its source as one text. Raises `ParamsError` if the file is not a notebook."""
        name = f"notebooks/{self.path.name}"
        try:
            cells = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
            found = [cell | {"source": "".join(cell["source"]), "metadata": cell["metadata"]} for cell in cells]
        except (ValueError, KeyError, TypeError):
            refuse_conflict(self.path.read_text(encoding="utf-8", errors="replace"), name)
            raise ParamsError(f"{name} cannot be read as a notebook: open it in Jupyter and save it again") from None
        for cell in found:  # nbdime marks a conflict within a cell
            refuse_conflict(cell["source"], name)
        return found

    @cached_property
    def title(self) -> str:
        """The first heading, which is the question that the notebook answers."""
        text = "\n".join(cell["source"] for cell in self.cells if cell["cell_type"] == "markdown")
        heading = re.search(r"^# (.+)$", text, flags=re.M)
        return heading[1].strip() if heading else self.name

    @cached_property
    def declared(self) -> dict[str, Declaration]:
        """The parameters that the cell tagged `parameters` declares, by name."""
        tagged = [cell for cell in self.cells if PARAMETERS_TAG in cell["metadata"].get("tags", [])]
        if tagged:
            return _declarations(tagged[0]["source"], self.path.name)
        if self.section != CUSTOM or any(SETS_RUN.search(code) for code in self.code):
            raise ParamsError(
                f"notebooks/{self.path.name}: no cell has the tag `{PARAMETERS_TAG}`, so its parameters cannot be set; "
                "give the tag to the cell that sets run_dir (in Jupyter: the gears at the top right, Cell Tags)"
            )
        return {}

    @property
    def code(self) -> list[str]:
        """The source of each code cell."""
        return [cell["source"] for cell in self.cells if cell["cell_type"] == "code"]

    @property
    def texts(self) -> list[str]:
        """The source of each markdown cell."""
        return [cell["source"] for cell in self.cells if cell["cell_type"] == "markdown"]


def _declarations(code: str, notebook: str) -> dict[str, Declaration]:
    """The assignments of a parameters cell.

    Papermill's own inspection returns no values and needs a kernel name.
    """
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise ParamsError(
            f"notebooks/{notebook}: its parameters cell is not valid Python (line {error.lineno})"
        ) from None
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(code).readline)
        if token.type == tokenize.COMMENT
    }
    declared = {}
    for name, node in _assignments(tree):
        problem = ParamsError(f"notebooks/{notebook}: the default of {name} must be a plain value")
        if node.value is None:
            raise problem
        try:
            declared[name] = Declaration(ast.literal_eval(node.value), comments.get(node.end_lineno or 0, ""))
        except ValueError:
            raise problem from None
    return declared


def _assignments(tree: ast.Module) -> list[tuple[str, ast.Assign | ast.AnnAssign]]:
    """The assignments with a single target, each with the name it assigns."""
    found: list[tuple[str, ast.Assign | ast.AnnAssign]] = []
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append((node.target.id, node))
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found.append((node.targets[0].id, node))
    return found
