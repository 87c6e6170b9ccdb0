"""Compare two published dates of a report on a page, which is renewed when one of the dates is rebuilt."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from crm_utils.budget import findings as budget_findings
from crm_utils.budget.gates import judge_gates
from crm_utils.cltv.purchase_log import purchases_between
from crm_utils.comparison import findings, metrics
from crm_utils.comparison import narrative as wording
from crm_utils.core import formatting
from crm_utils.core.constants import ALL
from crm_utils.core.display.paragraphs import paragraph
from crm_utils.core.errors import SourceError, TableError
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.orders import orders_as_of
from crm_utils.pipeline import atomic_publish
from crm_utils.segmentation import assignment, migration
from crm_utils.segmentation import findings as segment_findings
from crm_utils.site import glossary, pages, published
from crm_utils.store import Run

TABLES = ("customers", "history", "segments", "segment_profile", "cltv", "forecast", "budget_lines", "budget_gates")
SCANNED = ("orders", "order_adjustments")


def compare_dates(root: Path, report: str, then: str, now: str) -> Path:
    """Write the page `reports/<report>/compare/<then>_<now>.html` from the two published folders.

    Parameters
    ----------
    root : Path
        The project's folder.
    report : str
        The report's name.
    then, now : str
        The earlier and the later date, as ISO text.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    SourceError
        A date is not published, lacks a table, or the dates are not in order.
    """
    folder = root / "reports" / report
    _check_published(root, report, then, now)
    if then == now:
        dates = published.published_dates(root)[folder]
        raise SourceError(f"FROM and TO are the same date, {now}; choose two of {', '.join(dates)}")
    if then > now:
        raise SourceError(f"FROM={then} is later than TO={now}; give the earlier date first")
    with atomic_publish.locked(folder):
        return _write_page(folder, then, now)


def renew_comparisons(folder: Path, rebuilt: set[str]) -> list[str]:
    """Renew the comparisons of a report that include a rebuilt date.

    Call it under the report's lock.

    Returns
    -------
    list of str
        One line per page that could not be renewed and is unchanged.
    """
    problems = []
    for then, now in published.published_comparisons(folder):
        if rebuilt & {then, now}:
            try:
                _write_page(folder, then, now)
            except TableError as error:  # the other date was built by an earlier version
                problems.append(f"compare/{then}_{now}.html of {folder.name} is not renewed: {error}")
    return problems


def render_comparison(then: Path, now: Path) -> str:
    """Return the HTML page that compares two published folders."""
    before, after = PublishedDate(then), PublishedDate(now)
    html = pages.render_page("compare.html.j2", then=before, now=after, blocks=list(_blocks(before, after)))
    return glossary.link_terms(html, "../../")


class PublishedDate:
    """A published date: its manifest and tables, and its orders and adjustments without loading them."""

    def __init__(self, folder: Path):
        self.run = Run(folder)
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.day = date.fromisoformat(self.manifest["analysis_date"])
        self.day_in_words = formatting.day(self.day)
        self.segment_rules = self.run.load_segment_rules()

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that are compared, by name."""
        return {name: self.run.load(name) for name in TABLES}

    @property
    def settings(self) -> dict[str, str]:
        """The value of each notebook's parameters, as text."""
        return {
            f"{book['name']}.{name}": str(parameter["value"])
            for book in self.manifest["notebooks"]
            for name, parameter in book["parameters"].items()
        }


@dataclass(frozen=True)
class Block:
    """A question of the page and the answer to it."""

    id: str
    question: str
    answer: list[Markup]


def _check_published(root: Path, report: str, then: str, now: str) -> None:
    """Raise `SourceError` if one of the dates or one of its tables is missing."""
    folder = root / "reports" / report
    all_dates = published.published_dates(root)
    dates = all_dates.get(folder, [])
    if not dates:
        reports = ", ".join(other.name for other in all_dates) or "none"
        raise SourceError(
            f"no date of report {report!r} is published (published reports: {reports}); "
            f"run make report REPORT={report} first"
        )
    for day in (then, now):
        if day not in dates:
            raise SourceError(
                f"{day} is not a published date of {report}. Published dates: {', '.join(dates)}. "
                f"If params/{report}.yaml lists {day}, build it with make report REPORT={report} DATE={day}"
            )
        missing = [name for name in (*TABLES, *SCANNED) if not Run(folder / day).path(name).exists()]
        if missing and Run(folder / day).settings.columns.counts_orders:
            raise SourceError(
                f"{report} counts orders in place of money and has no budget, so its dates cannot be compared; write "
                "the average value of an order: columns: {amount: {per_order: 35}}"
            )
        if missing:
            raise SourceError(
                f"{report} {day} has no table {missing[0]}; run make report REPORT={report} DATE={day} first"
            )
        _check_segment_rules(report, folder / day)


def _check_segment_rules(report: str, folder: Path) -> None:
    """Raise `SourceError` if a published date lacks its segment rules."""
    try:
        Run(folder).load_segment_rules()
    except TableError:
        raise SourceError(
            f"{report} {folder.name} was built by an earlier version, which did not save the segment rules; rebuild it "
            f"with make report REPORT={report} DATE={folder.name}"
        ) from None


def _write_page(folder: Path, then: str, now: str) -> Path:
    path = folder / "compare" / f"{then}_{now}.html"
    path.parent.mkdir(exist_ok=True)
    atomic_publish.write_page(path, render_comparison(folder / then, folder / now))
    return path


def _blocks(then: PublishedDate, now: PublishedDate) -> Iterator[Block]:
    """Yield the question and answer of each part of the page."""
    fmt = now.run.number_format
    figures = metrics.key_figures(then.tables, now.tables)
    sizes = metrics.compare_segments(then.tables["segment_profile"], now.tables["segment_profile"])
    changed = _changed_settings(then, now)
    yield Block("figures", "What changed?", _html(findings.key_figures(figures, then.day, now.day, changed, fmt)))
    yield Block("forecasts", "Were the earlier forecasts right?", _forecasts(then, now, fmt))
    gates = judge_gates(then.tables["budget_gates"], now.tables["budget_gates"])
    yield Block("gates", "Which gates of the earlier plan opened?", _html(budget_findings.judged_gates(gates, fmt)))
    yield Block("segments", "How did the segments change?", _html(findings.segments(sizes, fmt)))
    yield Block("moves", "Who moved between segments, and why?", _html(_migration(then, now, fmt)))


def _changed_settings(then: PublishedDate, now: PublishedDate) -> list[tuple[str, str, str]]:
    """Return name, value then and value now of each setting that differs."""
    return [
        (name, then.settings.get(name, "not set"), now.settings.get(name, "not set"))
        for name in sorted(then.settings.keys() | now.settings.keys())
        if then.settings.get(name) != now.settings.get(name)
    ]


def _forecasts(then: PublishedDate, now: PublishedDate, fmt: NumberFormat) -> list[Markup]:
    forecast = then.tables["forecast"]
    actual = _actual(then, now)
    outcomes = metrics.forecast_outcomes(forecast, actual)
    finding = findings.forecast_outcomes(outcomes, then.day, now.day, fmt)
    if outcomes.empty:
        return _html(paragraph(finding.sentence))
    by_segment = metrics.forecast_outcomes_by_segment(forecast, actual, then.tables["segments"])
    return _html(finding, findings.outcomes_by_segment(by_segment, int(outcomes.months.iloc[-1]), fmt))


def _actual(then: PublishedDate, now: PublishedDate) -> dict[int, metrics.Actual]:
    """Return what happened within each horizon that has ended: revenue of earlier and of later customers.

    It uses the later date's orders as of the end of the horizon, like the backtest.
    """
    orders, adjustments = now.run.scan("orders"), now.run.scan("order_adjustments")
    forecast = then.tables["forecast"]
    actual = {}
    for row in forecast[forecast.segment == ALL].itertuples():
        end = then.day + timedelta(days=row.horizon_days)
        if end <= now.day:
            known = orders_as_of(orders, adjustments, end)
            actual[row.months] = purchases_between(known, then.day, end, then.tables["customers"].customer_id)
    return actual


def _migration(then: PublishedDate, now: PublishedDate, fmt: NumberFormat) -> Any:
    reason = _not_comparable(then, now)
    if reason:
        return paragraph(wording.MIGRATION_NOT_COMPARABLE.format(reason=reason))
    moved = migration.decompose_migration(
        then.tables["customers"], now.tables["customers"], now.segment_rules, then.day, now.day
    )
    changes = migration.net_by_cause(moved, now.tables["segment_profile"])
    roles = now.segment_rules.segment_map.roles()
    return segment_findings.segment_migration(changes, then.day, roles, fmt)


def _not_comparable(then: PublishedDate, now: PublishedDate) -> str:
    """Return why moves between segments cannot be explained by the behaviour of customers; empty if they can."""
    renamed = [
        not assignment.knows_segments(date.segment_rules.segment_map, date.tables["segments"]) for date in (then, now)
    ]
    if any(renamed) or not then.segment_rules.assigns_like(now.segment_rules):
        return wording.DIFFERENT_SEGMENT_MAPS
    scoring_then, scoring = (date.segment_rules.scoring.config for date in (then, now))
    if scoring_then != scoring:
        return wording.DIFFERENT_SCORING
    return wording.ARTICLE_SCORING if scoring.method == "article" else ""


def _html(*parts: Any) -> list[Markup]:
    """Return the HTML of each part."""
    return [Markup(part._repr_html_()) for part in parts]
