"""The overview pages: every report with its dates, and how to read them."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from crm_utils.core.constants import RECENT_DAYS
from crm_utils.core.formatting import NumberFormat, day
from crm_utils.pipeline import atomic_publish
from crm_utils.pipeline.manifest import Manifest, read_manifest
from crm_utils.site import glossary, pages, published, trends
from crm_utils.site.date_page import EXPECTED_REVENUE, REVENUE

PLAN = "{spend} (expected profit {profit})"


@dataclass(frozen=True)
class DateRow:
    """The row of the index for one analysis date."""

    date: str
    day: str
    customers: str
    active: str
    revenue: str
    expected: str
    plan: str


@dataclass(frozen=True)
class ReportSection:
    """The section of the index for one report."""

    name: str
    title: str
    simulated: bool
    dates: list[DateRow]
    comparisons: list[tuple[str, str]]
    trends: list[Markup]


def write_index(root: Path, built_from: str) -> None:
    """Write `reports/index.html` and `reports/how-to-read.html`. `built_from` is the key of what is published."""
    how_to_read = glossary.how_to_read_page()
    with atomic_publish.locked(root / "reports"):
        atomic_publish.write_page(root / "reports" / "index.html", render_index(root, built_from))
        atomic_publish.write_page(root / "reports" / glossary.GLOSSARY_PAGE, how_to_read)


def render_index(root: Path, built_from: str = "") -> str:
    """The HTML of `reports/index.html`: reports and their dates, newest first, with trends."""
    reports = [_report_section(folder, dates) for folder, dates in published.published_dates(root).items()]
    reports.sort(key=lambda report: report.dates[0].date, reverse=True)
    return pages.render_page("index.html.j2", reports=reports, built_from=built_from, recent_days=RECENT_DAYS)


def _report_section(folder: Path, dates: list[str]) -> ReportSection:
    manifests = [read_manifest(folder / date) for date in dates]
    newest = manifests[-1]
    return ReportSection(
        name=folder.name,
        title=newest["title"],
        simulated=newest.get("simulated", False),
        dates=[_date_row(manifest) for manifest in manifests[::-1]],
        comparisons=_comparisons(folder),
        trends=_trends(folder, manifests),
    )


def _comparisons(folder: Path) -> list[tuple[str, str]]:
    """Address and name of each comparison of two published dates, newest first."""
    pairs = sorted(published.published_comparisons(folder), key=lambda pair: pair[::-1], reverse=True)
    return [
        (f"{quote(folder.name)}/compare/{then}_{now}.html", f"{day(pd.Timestamp(then))} and {day(pd.Timestamp(now))}")
        for then, now in pairs
    ]


def _date_row(manifest: Manifest) -> DateRow:
    figures = manifest["summary"]
    fmt = NumberFormat(manifest["currency"])  # one separator for all reports on the page
    return DateRow(
        date=manifest["analysis_date"],
        day=day(pd.Timestamp(manifest["analysis_date"])),
        customers=fmt.count(figures["customers"]),
        active=fmt.count(figures["bought_in_90_days"]),
        revenue=fmt.money(figures[REVENUE]) if REVENUE in figures else "–",
        expected=fmt.money(figures[EXPECTED_REVENUE]) if EXPECTED_REVENUE in figures else "–",
        plan=_plan(figures, fmt),
    )


def _plan(figures: dict[str, float], fmt: NumberFormat) -> str:
    """What is planned; a dash if the report has no budget."""
    if "spend" not in figures:
        return "–"
    return PLAN.format(spend=fmt.money(figures["spend"], 0), profit=fmt.money(figures["expected_profit"], 0))


def _trends(folder: Path, manifests: list[Manifest]) -> list[Markup]:
    """The findings on what changed from date to date; empty if there is only one date.

    Dates without a forecast of 12 months, or built by a version without the revenue of 90 days, are left out.
    """
    manifests = [manifest for manifest in manifests if {EXPECTED_REVENUE, REVENUE} <= set(manifest["summary"])]
    if len(manifests) < 2:
        return []
    newest = manifests[-1]
    fmt = NumberFormat(newest["currency"])
    dates = pd.DataFrame(
        [{"date": pd.Timestamp(manifest["analysis_date"]), **manifest["summary"]} for manifest in manifests]
    )
    sizes = pd.concat(
        pd.read_parquet(folder / f"{date:%Y-%m-%d}" / "data" / "segment_profile.parquet").assign(date=date)
        for date in dates.date
    )
    findings = (trends.trend_finding(dates, fmt), trends.segment_sizes_finding(sizes, newest["title"], fmt))
    return [Markup(finding._repr_html_()) for finding in findings]
