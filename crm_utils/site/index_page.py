"""The pages over all reports: every report and date, and how to read them."""

import json
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from crm_utils.core import formatting
from crm_utils.pipeline import atomic_publish
from crm_utils.site import glossary, published, render
from crm_utils.site import trends_charts as plots
from crm_utils.site import trends_narrative as headlines
from crm_utils.site import trends_tables as tables


def write_index(root: Path, built_from: str) -> None:
    """Write `reports/index.html` and `reports/how-to-read.html` from what lies in `reports` now; `built_from` is its key."""
    formatting.set_thousands_separator(",")  # one page over reports that may each have their own
    with atomic_publish.locked(root / "reports"):
        atomic_publish.write_page(root / "reports" / "index.html", render_index(root, built_from))
        atomic_publish.write_page(
            root / "reports" / glossary.GLOSSARY_PAGE, render.render_page("how-to-read.html.j2", terms=glossary.TERMS)
        )


def render_index(root: Path, built_from: str) -> str:
    """`reports/index.html`: the report with the newest date first, the dates of each newest first, with trends across them."""
    reports = [_report(folder, dates) for folder, dates in published.published_dates(root).items()]
    reports.sort(key=lambda report: report["dates"][0]["date"], reverse=True)
    return render.render_page("top.html.j2", reports=reports, built_from=built_from)


def _report(folder: Path, dates: list[str]) -> dict:
    """What the index shows of one report."""
    manifests = [json.loads((folder / day / "manifest.json").read_text(encoding="utf-8")) for day in dates[::-1]]
    return {
        "name": folder.name,
        "title": manifests[0]["title"],
        "simulated": manifests[0].get("simulated", False),
        "dates": [_row(manifest) for manifest in manifests],
        "comparisons": _comparisons(folder),
        "trends": _trends(folder, manifests[::-1]),
    }


def _comparisons(folder: Path) -> list[tuple[str, str]]:
    """Address and name of each comparison of two dates that are both published, the newest first."""
    found = sorted(published.published_comparisons(folder), key=lambda pair: pair[::-1], reverse=True)
    return [
        (
            f"{folder.name}/compare/{then}_{now}.html",
            f"{formatting.day(pd.Timestamp(then))} and {formatting.day(pd.Timestamp(now))}",
        )
        for then, now in found
    ]


def _row(manifest: dict) -> dict[str, str]:
    figures, currency = manifest["summary"], manifest["currency"]
    return {
        "date": manifest["analysis_date"],
        "day": formatting.day(pd.Timestamp(manifest["analysis_date"])),
        "customers": formatting.count(figures["customers"]),
        "revenue": formatting.money(figures["revenue"], currency),
        "active": formatting.count(figures["bought_in_90_days"]),
        "expected": formatting.money(figures["expected_revenue_12m"], currency),
        "plan": f"{formatting.money(figures['spend'], currency, 0)}, for a profit of {formatting.money(figures['expected_profit'], currency, 0)}",
    }


def _trends(folder: Path, manifests: list[dict]) -> list[Markup]:
    """Figures of what changes from date to date, the oldest first; none for a single date."""
    if len(manifests) < 2:
        return []
    dates = [pd.Timestamp(manifest["analysis_date"]) for manifest in manifests]
    table = pd.DataFrame([{"date": day, **manifest["summary"]} for day, manifest in zip(dates, manifests, strict=True)])
    currency = manifests[-1]["currency"]
    shown = [
        plots.show_figure(
            plots.trends(table, currency),
            headlines.trend(table, currency),
            "On each analysis date: customers who bought in the 90 days before it, revenue until then, and the revenue expected from all known customers in the 12 months after it.",
            headlines.trend_in_words(table, currency),
        )
    ]
    sizes = pd.concat(
        pd.read_parquet(folder / f"{day:%Y-%m-%d}" / "data" / "segment_profile.parquet").assign(date=day)
        for day in dates
    )
    shown.append(
        plots.show_figure(
            plots.segment_sizes(sizes),
            headlines.segment_sizes(sizes),
            "Customers in each segment on each analysis date, all on one scale; the numbers are those of the first and the last date.",
            headlines.segment_sizes_in_words(sizes),
        )
    )
    shown.append(tables.segment_sizes(sizes, manifests[-1]["title"]))
    return [Markup(part._repr_html_()) for part in shown]
