"""Two published dates of a report beside each other, on a page of their own that rebuilding the dates renews."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from crm_utils.cltv.backtest.rolling_origin import purchases_between
from crm_utils.cltv.forecast import ALL
from crm_utils.comparison import charts as plots
from crm_utils.comparison import metrics, tables
from crm_utils.comparison import narrative as headlines
from crm_utils.core import formatting
from crm_utils.core.errors import SourceError, TableError
from crm_utils.core.orders import orders_as_of
from crm_utils.pipeline import atomic_publish
from crm_utils.segmentation import assignment, charts, migration, narrative
from crm_utils.segmentation import tables as segment_tables
from crm_utils.site import glossary, published, render
from crm_utils.store import Run

TABLES = ("customers", "segments", "segment_profile", "cltv", "forecast", "budget")
SCANNED = ("orders", "order_adjustments")


def compare_dates(root: Path, report: str, then: str, now: str) -> Path:
    """Write `reports/<report>/compare/<then>_<now>.html` from the two published folders, and return where it lies.

    Raises `SourceError` where a folder is missing or the dates are not two dates in their order.
    """
    folder = root / "reports" / report
    dates = published.published_dates(root).get(folder, [])
    if not dates:
        there = ", ".join(other.name for other in published.published_dates(root)) or "none"
        raise SourceError(
            f"no date of report {report!r} is published (published reports: {there}): make report REPORT={report} first"
        )
    for day in (then, now):
        if day not in dates:
            raise SourceError(
                f"{day} is no published date of {report}; there are: {', '.join(dates)}. A date that params/{report}.yaml lists is built by make report REPORT={report} DATE={day}"
            )
        missing = [name for name in (*TABLES, *SCANNED) if not Run(folder / day).path(name).exists()]
        if missing:
            raise SourceError(f"{report} {day} has no table {missing[0]}: make report REPORT={report} DATE={day} first")
        _check_segment_rules(report, folder / day)
    if then == now:
        raise SourceError(f"FROM and TO are the same date, {now}: name two of {', '.join(dates)}")
    if then > now:
        raise SourceError(f"FROM={then} is later than TO={now}: the earlier date comes first")
    with atomic_publish.locked(folder):
        return _write(folder, then, now)


def _check_segment_rules(report: str, folder: Path) -> None:
    try:
        Run(folder).load_segment_rules()
    except TableError:
        raise SourceError(
            f"{report} {folder.name} was built by an earlier version, which did not keep the segment rules: rebuild it "
            f"with make report REPORT={report} DATE={folder.name}"
        ) from None


def renew_comparisons(folder: Path, rebuilt: set[str]) -> list[str]:
    """Write the comparisons of a report anew in which a rebuilt date stands, and return one line per problem.

    Call under the report's lock. A page that cannot be renewed stays as it was.
    """
    problems = []
    for then, now in published.published_comparisons(folder):
        if rebuilt & {then, now}:
            try:
                _write(folder, then, now)
            except TableError as error:  # the other date was built by an earlier version
                problems.append(f"compare/{then}_{now}.html of {folder.name} is not renewed: {error}")
    return problems


def _write(folder: Path, then: str, now: str) -> Path:
    path = folder / "compare" / f"{then}_{now}.html"
    path.parent.mkdir(exist_ok=True)
    atomic_publish.write_page(path, comparison_page(folder / then, folder / now))
    return path


def comparison_page(then: Path, now: Path) -> str:
    """The page of two published folders."""
    before, after = _Published(then), _Published(now)
    formatting.set_thousands_separator(after.store.settings.thousands_separator)
    html = render.render_page("compare.html.j2", then=before, now=after, blocks=list(_blocks(before, after)))
    return glossary.linked(html, "../../")


class _Published:
    """A published date: its manifest, its tables, and its orders and adjustments unread."""

    def __init__(self, folder: Path):
        self.store = Run(folder)
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.day = date.fromisoformat(self.manifest["analysis_date"])
        self.in_words = formatting.day(self.day)
        self.tables = {name: self.store.load(name) for name in TABLES}
        self.segment_rules = self.store.load_segment_rules()

    @property
    def settings(self) -> dict[str, str]:
        """The value of each notebook's parameters, as text."""
        return {
            f"{book['name']}.{name}": str(parameter["value"])
            for book in self.manifest["notebooks"]
            for name, parameter in book["parameters"].items()
        }


def _blocks(then: _Published, now: _Published):
    """Question and answer of each part of the page."""
    currency = now.manifest["currency"]
    key = metrics.key_figures(then.tables, now.tables)
    changed = [
        (name, then.settings.get(name, "not set"), now.settings.get(name, "not set"))
        for name in sorted(then.settings.keys() | now.settings.keys())
        if then.settings.get(name) != now.settings.get(name)
    ]
    yield (
        "figures",
        "What changed?",
        _shown(
            headlines.figures(key, then.day, now.day, currency),
            headlines.settings(changed),
            tables.figures(key, then.day, now.day, currency),
        ),
    )
    yield "forecasts", "Were the forecasts made then right?", _forecasts(then, now, currency)
    yield "segments", "How did the segments change?", _segments(then, now, currency)
    yield "moves", "Who moved between segments, and why?", _moves(then, now, currency)


def _forecasts(then: _Published, now: _Published, currency: str) -> list[Markup]:
    outlook = then.tables["forecast"]
    actual = _actual(then, now)
    judged = metrics.forecast_outcomes(outlook, actual)
    said = headlines.outcomes(judged, then.day, now.day, currency)
    if judged.empty:
        return _shown(headlines.paragraph(said))
    parts = metrics.forecast_outcomes_by_segment(outlook, actual, then.tables["segments"])
    return _shown(
        plots.show_figure(
            plots.outcomes(judged, currency),
            said,
            "Revenue of the customers known at the earlier date, as forecast then with the range that should hold nine times in ten, and as it came.",
            headlines.outcomes_in_words(judged, currency),
        ),
        tables.outcomes(judged, currency),
        headlines.by_segment(parts),
        tables.by_segment(parts, int(judged.months.iloc[-1]), currency),
    )


def _actual(then: _Published, now: _Published) -> dict[int, tuple[pd.DataFrame, float]]:
    """For each horizon that is over: what the customers known then ordered within it, and the revenue of later ones.

    From the orders of the later date, as known at the horizon's end: as past forecasts are judged elsewhere.
    """
    orders, adjustments = now.store.scan("orders"), now.store.scan("order_adjustments")
    outlook, found = then.tables["forecast"], {}
    for row in outlook[outlook.segment == ALL].itertuples():
        end = then.day + timedelta(days=row.horizon_days)
        if end <= now.day:
            known = orders_as_of(orders, adjustments, end)
            found[row.months] = purchases_between(known, then.day, end, then.tables["customers"].customer_id)
    return found


def _segments(then: _Published, now: _Published, currency: str) -> list[Markup]:
    both = metrics.compare_segments(then.tables["segment_profile"], now.tables["segment_profile"])
    return _shown(
        plots.show_figure(
            plots.segments(both),
            headlines.segments(both),
            "Customers of each segment on the later date (coloured) and on the earlier one (grey).",
            headlines.segments_in_words(both),
        ),
        tables.segments(both, currency),
    )


def _moves(then: _Published, now: _Published, currency: str) -> list[Markup]:
    reason = _not_comparable(then, now)
    if reason:
        return _shown(headlines.not_comparable(reason))
    moved = migration.decompose_migration(
        then.tables["customers"], now.tables["customers"], now.segment_rules, then.day, now.day
    )
    changes = migration.net_by_cause(moved, now.tables["segment_profile"])
    return _shown(
        plots.show_figure(
            charts.moves(changes),
            narrative.moves(changes, then.day),
            "Change in the number of customers of each segment by cause: gains to the right of the line, losses to the left, their sum as a diamond.",
            narrative.moves_in_words(changes),
        ),
        segment_tables.moves(changes, currency),
    )


def _not_comparable(then: _Published, now: _Published) -> str:
    """Why moves between the dates have no cause in what customers did; empty where they have."""
    renamed = [
        not assignment.knows_segments(published.segment_rules.segment_map, published.tables["segments"])
        for published in (then, now)
    ]
    if any(renamed) or not then.segment_rules.assigns_like(now.segment_rules):
        return "the two dates name their segments differently"
    configs = [published.segment_rules.scoring.config for published in (then, now)]
    if configs[0] != configs[1]:
        return "the two dates score customers by different rules"
    return "customers with equal values are told apart (scoring: article)" if configs[1].method == "article" else ""


def _shown(*parts: Any) -> list[Markup]:
    """The parts as they stand on the page; reasons why there is nothing to show are left out."""
    html = [part._repr_html_() for part in parts if part is not None and not isinstance(part, headlines.NotApplicable)]
    return [Markup(part) for part in html]
