"""Plan what to build: one job per report and analysis date. Every job is checked before anything runs."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from crm_utils.config import (
    SECTIONS,
    Campaigns,
    Contacting,
    Evidence,
    Report,
    SegmentMap,
    Settings,
    check_evidence,
    parse_model,
    read_yaml,
)
from crm_utils.config.campaigns import ASSUMED
from crm_utils.config.paths import rules_path
from crm_utils.config.report import Send
from crm_utils.config.report_names import check_report_name
from crm_utils.core.errors import ParamsError
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.suggestions import did_you_mean
from crm_utils.pipeline.notebooks import CUSTOM, Notebook
from crm_utils.pipeline.old_names import check_names
from crm_utils.pipeline.schedule import ReportDates, find_dates

RULES = ("segment_map", "campaigns_file", "evidence_file")  # parameters whose value is a file of rules
LAST = "last"  # stands for the last analysis date of a report
BUDGET = "05_budget"  # needs money: it does not run if the source has no amounts
NOTEBOOK = "notebook"  # the origin of a value that the parameters file does not set
ROOT_FROM_RUN = "../../.."  # from reports/<report>/<date> to the project


@dataclass(frozen=True)
class Parameter:
    """A parameter of a notebook in one job: its value, what it means, and where the value comes from."""

    name: str
    value: Any
    meaning: str
    origin: str


@dataclass(frozen=True, eq=False)
class Job:
    """One report on one analysis date: which notebooks run, in which order, with which parameters and settings.

    Parameters
    ----------
    root : Path
        The project's folder.
    name : str
        The name of the report, which is the name of its file in `params/`.
    report : Report
        The parameters file.
    day : date
        The analysis date.
    notebooks : tuple of Notebook
        In the order in which they run.
    parameters : mapping of str to tuple of Parameter
        Every parameter of each notebook, checked, with the value it will have.
    settings : Settings
        The content of `settings.json` in the run folder, which the notebooks read.
    """

    root: Path
    name: str
    report: Report
    day: date
    notebooks: tuple[Notebook, ...]
    parameters: Mapping[str, tuple[Parameter, ...]]
    settings: Settings

    @property
    def label(self) -> str:
        """Report and date, for messages."""
        return f"{self.name} {self.day}"

    @property
    def folder(self) -> Path:
        """The folder in which the job is published."""
        return self.root / "reports" / self.name / str(self.day)

    @property
    def number_format(self) -> NumberFormat:
        """How the report writes numbers and money."""
        return NumberFormat(self.report.unit, self.report.thousands_separator)

    @property
    def planned_budget(self) -> float | None:
        """The budget of the plan; None if there is no plan, or if it aims at a return instead."""
        values = {parameter.name: parameter.value for parameter in self.parameters.get(BUDGET, ())}
        return values.get("total_budget") if values.get("target_roi") is None else None

    def overrides(self, notebook: Notebook) -> dict[str, Any]:
        """The parameters of a notebook that the parameters file sets, with their values."""
        return {p.name: p.value for p in self.parameters[notebook.name] if p.origin != NOTEBOOK}

    def rule_files(self, notebook: Notebook) -> list[Path]:
        """The files of the segment map, the campaigns and their evidence in a notebook's parameters."""
        paths = {
            p.name: rules_path(self.root, p.name, p.value) for p in self.parameters[notebook.name] if p.name in RULES
        }
        return [path for name, path in paths.items() if name != "evidence_file" or path.exists()]


class PlannedJobs(NamedTuple):
    """What to build.

    Parameters
    ----------
    jobs : list of Job
        One for each report and date.
    problems : list of str
        One message for each report that cannot be planned.
    waiting : list of str
        One message for each report whose data do not reach the newest date of its rule.
    """

    jobs: list[Job]
    problems: list[str]
    waiting: list[str]


def plan_jobs(root: Path, only: str | None = None, day: str | None = None, today: date | None = None) -> PlannedJobs:
    """Plan the jobs of all reports, of one report, or of one date of a report.

    Parameters
    ----------
    root : Path
        The project's folder.
    only : str, optional
        The report to plan. By default all reports are planned.
    day : str, optional
        An analysis date of that report as ISO text, or `last`. By default all dates are planned.
    today : datetime.date, optional
        The day of the run, for dates that follow a rule. By default that of the clock.

    Returns
    -------
    PlannedJobs

    Raises
    ------
    ParamsError
        If there is no report called `only`.
    """
    jobs: list[Job] = []
    problems: list[str] = []
    waiting: list[str] = []
    notebooks = tuple(Notebook(path) for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb")))
    for notebook in notebooks:
        with _collected(problems):
            check_names(notebook)
    outdated = bool(problems)  # an outdated notebook stops every report, because every report runs every notebook
    for name in report_names(root, only):
        with _collected(problems):
            report = read_report(root, name)
            dates = find_dates(report, name, root, today or date.today())
            jobs += [] if outdated else _plan_report(root, name, report, dates, day, notebooks)
            waiting += [dates.waiting] if dates.waiting and day in (None, LAST) else []
    return PlannedJobs(jobs, list(dict.fromkeys(problems)), waiting)


@contextmanager
def _collected(problems: list[str]) -> Iterator[None]:
    """Add the message of a `ParamsError` to `problems` and continue."""
    try:
        yield
    except ParamsError as error:
        problems.append(str(error))


def report_names(root: Path, only: str | None) -> list[str]:
    """The reports of a project, or `only` if there is such a report. Raises `ParamsError`."""
    files = sorted((root / "params").glob("*.yaml"))
    names = [path.stem for path in files if path.stem not in ("campaigns", "evidence") and not _lists_rules(path)]
    if only is None:
        return names
    if only not in names:
        hint = did_you_mean(only, names) or f"there are: {', '.join(names)}"
        raise ParamsError(f"no report is called {only!r} (params/{only}.yaml is missing); {hint}")
    return [only]


def _lists_rules(path: Path) -> bool:
    """Whether a parameters file is an analyst's own list of campaigns or experiments, which reports refer to."""
    return (
        re.search(r"^(campaigns|experiments)\s*:", path.read_text(encoding="utf-8", errors="replace"), re.M) is not None
    )


def read_report(root: Path, name: str) -> Report:
    """The parameters file of a report. Raises `ParamsError`."""
    check_report_name(name, f"params/{name}.yaml", "rename the file")
    return read_yaml(root / "params" / f"{name}.yaml", Report, f"params/{name}.yaml").with_rates_of_orders()


def _plan_report(
    root: Path, name: str, report: Report, dates: ReportDates, day: str | None, notebooks: tuple[Notebook, ...]
) -> list[Job]:
    """The jobs of one report. Raises `ParamsError`."""
    days = _chosen_dates(dates.days, name, day)
    if report.columns.counts_orders:
        notebooks = tuple(notebook for notebook in notebooks if notebook.name != BUDGET)
    _refuse_undeclared_custom_parameters(report, name, notebooks)
    parameters = {notebook.name: _parameters(report, name, notebook) for notebook in notebooks}
    contacting = _contacting(parameters)
    jobs = [
        Job(root, name, report, day, notebooks, parameters, _settings(report, name, day, dates.before(day), contacting))
        for day in days
    ]
    _check_rules(jobs[0])
    _check_own_model(jobs[0])
    return jobs


def _chosen_dates(every: list[date], name: str, day: str | None) -> list[date]:
    """The dates to build: all, or only `day`."""
    if day is None:
        return every
    if day == LAST:
        return every[-1:]
    chosen = [date for date in every if str(date) == day]
    if not chosen:
        raise ParamsError(
            f"{day} is not an analysis date of {name}; params/{name}.yaml gives {', '.join(map(str, every))}"
        )
    return chosen


def _contacting(parameters: Mapping[str, tuple[Parameter, ...]]) -> Contacting | None:
    """How 05_budget contacts customers; None if it does not run."""
    values = {parameter.name: parameter.value for parameter in parameters.get(BUDGET, ())}
    if not {"holdout_share", "seed", "send"} <= set(values):
        return None
    send_format = Send.model_validate(values["send"]).format
    return Contacting(holdout_share=values["holdout_share"], seed=values["seed"], send_format=send_format)


def _settings(report: Report, name: str, day: date, earlier: list[date], contacting: Contacting | None) -> Settings:
    shared = {key: getattr(report, key) for key in Settings.model_fields if hasattr(report, key)}
    shared["confirmed"] = report.answered
    previous = earlier[-1] if earlier else None
    return Settings(
        **shared,
        report=name,
        analysis_date=day,
        previous_date=previous,
        earlier_dates=earlier,
        contacting=contacting,
        root=ROOT_FROM_RUN,
    )


def _parameters(report: Report, name: str, notebook: Notebook) -> tuple[Parameter, ...]:
    """Every parameter of a notebook as it will run, checked. Raises `ParamsError`."""
    file = f"params/{name}.yaml"
    overrides = _overrides(report, notebook)
    unknown = sorted(set(overrides) - set(notebook.declared))
    if unknown:
        raise ParamsError(f"{file} sets {', '.join(unknown)}, which notebooks/{notebook.path.name} does not declare")
    declared = {key: declaration for key, declaration in notebook.declared.items() if key != "run_dir"}
    values = {key: overrides.get(key, declaration.default) for key, declaration in declared.items()}
    if notebook.section in SECTIONS:
        parse_model(values, SECTIONS[notebook.section], f"notebooks/{notebook.path.name} with {file}")
    else:
        for key, value in overrides.items():
            _refuse_wrong_type(key, value, declared[key].default, file, notebook)
    return tuple(
        Parameter(
            key, values[key], declaration.meaning, _origin(values[key], declaration.default, file, key in overrides)
        )
        for key, declaration in declared.items()
    )


def _overrides(report: Report, notebook: Notebook) -> dict[str, Any]:
    """The values that the parameters file sets for a notebook; from `custom` only those that the notebook declares."""
    section = getattr(report, notebook.section)
    if notebook.section == CUSTOM:
        return {key: value for key, value in section.items() if key in notebook.declared}
    return section.model_dump(include=section.model_fields_set)


def _origin(value: Any, default: Any, file: str, is_set: bool) -> str:
    if not is_set:
        return NOTEBOOK
    return file if value == default else f"{file}, overrides {default!r}"


def _check_rules(job: Job) -> None:
    """Raise `ParamsError` if a file of rules is wrong, or a campaign's segment or evidence is not in its file."""
    segment_map, campaigns, evidence, names = None, None, None, {}
    for parameter in (p for parameters in job.parameters.values() for p in parameters if p.name in RULES):
        path = rules_path(job.root, parameter.name, parameter.value)
        name = names[parameter.name] = os.path.relpath(path, job.root)
        if parameter.name == "segment_map":
            segment_map = read_yaml(path, SegmentMap, name)
        elif parameter.name == "campaigns_file":
            campaigns = read_yaml(path, Campaigns, name)
        elif campaigns is not None and any(one.evidence != ASSUMED for one in campaigns.campaigns):
            evidence = read_yaml(path, Evidence, name)
    if segment_map is None or campaigns is None:
        return
    if evidence is not None:
        check_evidence(campaigns, evidence, names["campaigns_file"])
    segments = list(segment_map.advice())
    for campaign in campaigns.campaigns:
        for segment in campaign.segments:
            if segment not in segments:
                hint = did_you_mean(segment, segments) or f"the map has: {', '.join(segments)}"
                raise ParamsError(
                    f"params/{job.name}.yaml: campaign {campaign.name} addresses the segment {segment!r}, "
                    f"which is not in the segment map; {hint}"
                )


def _check_own_model(job: Job) -> None:
    """Raise `ParamsError` if the module of an analyst's own model does not exist. 04_cltv loads the class."""
    model = job.report.cltv.model or ""
    if ":" not in model:
        return
    path = model.partition(":")[0].replace(".", "/")
    if not any((folder / f"{path}.py").exists() for folder in (job.root / "notebooks", job.root)):
        raise ParamsError(
            f"params/{job.name}.yaml: cltv.model is {model}, but there is no {path}.py beside the notebooks or in the "
            "project's folder"
        )


def _refuse_undeclared_custom_parameters(report: Report, name: str, notebooks: tuple[Notebook, ...]) -> None:
    declared = {key for notebook in notebooks if notebook.section == CUSTOM for key in notebook.declared}
    unknown = sorted(set(report.custom) - declared)
    if unknown:
        raise ParamsError(f"params/{name}.yaml: none of your own notebooks declares custom.{unknown[0]}")


def _refuse_wrong_type(key: str, value: Any, default: Any, file: str, notebook: Notebook) -> None:
    """Raise `ParamsError` if a value of `custom` has another type than the notebook's default."""
    try:
        TypeAdapter(type(default) if default is not None else Any).validate_python(value, strict=True)
    except ValidationError:
        raise ParamsError(
            f"{file}: custom.{key} is {value!r}; notebooks/{notebook.path.name} expects a value like {default!r} "
            f"({type(default).__name__})"
        ) from None
