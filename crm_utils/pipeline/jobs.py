"""What has to be built: reports, dates, notebooks, their parameters; each checked before anything runs."""

import ast
import io
import json
import os
import re
import tokenize
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crm_utils.config import SECTIONS, Campaigns, Report, SegmentMap, Settings, parse_model, read_yaml
from crm_utils.core.errors import ParamsError
from crm_utils.core.paths import rules_path
from crm_utils.core.suggestions import did_you_mean

RULES = {"segment_map": SegmentMap, "campaigns": Campaigns}


@dataclass(frozen=True)
class Parameter:
    """A knob of a notebook: its value in this run, what it means, and where the value comes from."""

    name: str
    value: Any
    meaning: str
    origin: str


@dataclass(frozen=True)
class Notebook:
    """A notebook as committed or edited, before it runs."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def section(self) -> str:
        """The section of the parameters file that is this notebook's: '02_rfm' -> 'rfm', an analyst's own -> 'custom'."""
        section = re.sub(r"^\d+_", "", self.name)
        return section if section in SECTIONS else "custom"

    @cached_property
    def cells(self) -> list[dict]:
        try:
            cells = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
            return [cell | {"source": "".join(cell["source"]), "metadata": cell["metadata"]} for cell in cells]
        except (ValueError, KeyError, TypeError):
            raise ParamsError(
                f"notebooks/{self.path.name} cannot be read as a notebook: open it in Jupyter and save it again"
            ) from None

    @cached_property
    def title(self) -> str:
        """The question the notebook answers: its first heading."""
        text = "\n".join(cell["source"] for cell in self.cells if cell["cell_type"] == "markdown")
        heading = re.search(r"^# (.+)$", text, flags=re.M)
        return heading[1].strip() if heading else self.name

    @cached_property
    def declared(self) -> dict[str, tuple[Any, str]]:
        """Default and meaning of each parameter in the cell tagged `parameters`."""
        cells = [c for c in self.cells if "parameters" in c["metadata"].get("tags", [])]
        return _declarations(cells[0]["source"], self.path.name) if cells else {}

    @property
    def code(self) -> list[str]:
        """The source of each code cell."""
        return [cell["source"] for cell in self.cells if cell["cell_type"] == "code"]


@dataclass
class Job:
    """One report on one analysis date: what to run, in which order, with which parameters and keys."""

    root: Path
    name: str
    report: Report
    day: date
    notebooks: list[Notebook]
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.name} {self.day}"

    @property
    def folder(self) -> Path:
        return self.root / "reports" / self.name / str(self.day)

    def settings(self, run_dir: Path) -> Settings:
        shared = {key: getattr(self.report, key) for key in Settings.model_fields if hasattr(self.report, key)}
        depth = len(run_dir.relative_to(self.root).parts)
        earlier = [day for day in self.report.analysis_dates if day < self.day]
        return Settings(
            **shared,
            report=self.name,
            analysis_date=self.day,
            previous_date=earlier[-1] if earlier else None,
            root="/".join([".."] * depth),
        )

    def overrides(self, notebook: Notebook) -> dict[str, Any]:
        """What the parameters file sets for a notebook; of `custom` only what that notebook declares."""
        section = getattr(self.report, notebook.section)
        if notebook.section == "custom":
            return {key: value for key, value in section.items() if key in notebook.declared}
        return section.model_dump(include=section.model_fields_set)

    def parameters(self, notebook: Notebook) -> list[Parameter]:
        """Every parameter of a notebook as it will run, checked. Raises `ParamsError`."""
        set_here = self.overrides(notebook)
        unknown = set(set_here) - set(notebook.declared)
        if unknown:
            raise ParamsError(
                f"notebooks/{notebook.path.name} does not declare {', '.join(sorted(unknown))}, which params/{self.name}.yaml sets"
            )
        values = {
            key: set_here.get(key, default) for key, (default, _) in notebook.declared.items() if key != "run_dir"
        }
        if notebook.section in SECTIONS:
            parse_model(
                values, SECTIONS[notebook.section], f"notebooks/{notebook.path.name} with params/{self.name}.yaml"
            )
        for key, value in set_here.items() if notebook.section == "custom" else ():
            _refuse_another_kind(key, value, notebook.declared[key][0], self.name, notebook.path.name)
        return [
            Parameter(key, value, notebook.declared[key][1], self._origin(key, value, notebook))
            for key, value in values.items()
        ]

    def _origin(self, key: str, value: Any, notebook: Notebook) -> str:
        default = notebook.declared[key][0]
        if key not in self.overrides(notebook):
            return "notebook"
        return f"params/{self.name}.yaml" + (f", overrides {default!r}" if value != default else "")


def plan_jobs(root: Path, only: str | None = None, day: str | None = None) -> tuple[list[Job], list[str]]:
    """The jobs of all reports (or of one report, one date), and the problems of those that cannot be planned."""
    planned, problems = [], []
    for name in _report_names(root, only):
        try:
            planned += _plan(root, name, day)
        except ParamsError as error:
            problems.append(str(error))
    return planned, problems


def _report_names(root: Path, only: str | None) -> list[str]:
    files = sorted((root / "params").glob("*.yaml"))
    names = [path.stem for path in files if path.stem != "campaigns" and not _holds_campaigns(path)]
    if only is None:
        return names
    if only not in names:
        hint = did_you_mean(only, names) or f"there are: {', '.join(names)}"
        raise ParamsError(f"no report is called {only!r} (params/{only}.yaml is missing); {hint}")
    return [only]


def _holds_campaigns(path: Path) -> bool:
    """Whether a file of parameters is a user's own list of campaigns, which a report names."""
    return re.search(r"^campaigns\s*:", path.read_text(encoding="utf-8", errors="replace"), re.M) is not None


def _plan(root: Path, name: str, day: str | None) -> list[Job]:
    if name.startswith(("_", ".")):  # reports/_draft is no report, and what is hidden may be anything
        raise ParamsError(f"params/{name}.yaml: a report's name begins with a letter or digit: rename the file")
    report = read_yaml(root / "params" / f"{name}.yaml", Report, f"params/{name}.yaml")
    days = report.analysis_dates
    if day is not None:
        days = [wanted for wanted in days if str(wanted) == day or (day == "last" and wanted == days[-1])]
        if not days:
            raise ParamsError(
                f"DATE={day} is no analysis date of {name}; params/{name}.yaml lists {', '.join(map(str, report.analysis_dates))}"
            )
    notebooks = [Notebook(path) for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))]
    own = set(report.custom) - {key for book in notebooks if book.section == "custom" for key in book.declared}
    if own:
        raise ParamsError(f"params/{name}.yaml: custom.{sorted(own)[0]} is declared by no notebook of your own")
    planned = [Job(root, name, report, wanted, notebooks) for wanted in days]
    rules = {}
    for notebook in notebooks:
        for parameter in planned[0].parameters(notebook):
            if parameter.name in RULES:
                path = rules_path(root, parameter.name, parameter.value)
                rules[parameter.name] = read_yaml(path, RULES[parameter.name], os.path.relpath(path, root))
    _refuse_unknown_segments(rules, name)
    return planned


def _refuse_unknown_segments(rules: dict[str, Any], name: str) -> None:
    """Raise `ParamsError` for a campaign that names a segment which the map has not."""
    if set(rules) != set(RULES):
        return
    there = list(rules["segment_map"].advice())
    for campaign in rules["campaigns"].campaigns:
        for segment in campaign.segments:
            if segment not in there:
                hint = did_you_mean(segment, there) or f"the map has: {', '.join(there)}"
                raise ParamsError(
                    f"params/{name}.yaml: campaign {campaign.name} is for a segment {segment!r} that the segment map has not; {hint}"
                )


def _refuse_another_kind(key: str, value: Any, default: Any, report: str, notebook: str) -> None:
    """Raise `ParamsError` for a value of `custom` that is of another kind than the notebook's own."""
    try:
        TypeAdapter(type(default) if default is not None else Any).validate_python(value, strict=True)
    except ValidationError:
        kind = type(default).__name__
        raise ParamsError(
            f"params/{report}.yaml: custom.{key} is {value!r}; notebooks/{notebook} takes values such as {default!r} ({kind})"
        ) from None


def _declarations(code: str, notebook: str) -> dict[str, tuple[Any, str]]:
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise ParamsError(f"notebooks/{notebook}: its parameters cell is no Python: line {error.lineno}") from None
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(code).readline)
        if token.type == tokenize.COMMENT
    }
    declared = {}
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) or (isinstance(node, ast.Assign) and len(node.targets) == 1):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            try:
                declared[target.id] = (ast.literal_eval(node.value), comments.get(node.end_lineno, ""))
            except ValueError:
                raise ParamsError(f"notebooks/{notebook}: the default of {target.id} must be a plain value") from None
    return declared
