"""The page of a date for people who decide, and the index over all reports and dates."""

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from markupsafe import Markup

from crm_utils import formats
from crm_utils.report import render, run
from crm_utils.report.plan import Job

TABLES = {
    "orders": "one row per order",
    "adjustments": "what cancellations took off orders, dated",
    "unmatched_cancellations": "cancellations that found no sale",
    "habits": "what each customer buys and pays, as far as the source tells",
    "customers": "one row per customer: recency, frequency, monetary value and scores",
    "segments": "the segment of each customer",
    "segment_profile": "one row per segment",
    "segment_moves": "moves between segments since the earlier date, by cause",
    "cltv": "expected orders, revenue and value of each customer",
    "budget": "every campaign × segment that was weighed",
    "cleaning_log": "what happened to every row of the source",
}


def summary(data: Path) -> dict[str, float]:
    """The figures that stand for a date on the index pages, from its tables."""
    customers = pd.read_parquet(data / "customers.parquet", columns=["orders", "revenue", "recency_days"])
    cltv = pd.read_parquet(data / "cltv.parquet", columns=["expected_revenue"])
    plan = pd.read_parquet(data / "budget.parquet", columns=["spend", "expected_profit"])
    return {
        "customers": len(customers),
        "orders": int(customers.orders.sum()),
        "revenue": round(customers.revenue.sum(), 2),
        "bought_in_90_days": int((customers.recency_days < 90).sum()),
        "expected_revenue": round(cltv.expected_revenue.sum(), 2),
        "spend": round(plan.spend.sum(), 2),
        "expected_profit": round(plan.expected_profit.sum(), 2),
    }


def date_page(job: Job, folder: Path, figures: dict[str, float]) -> str:
    """`index.html` of a date: what to do first, then what each notebook found."""
    executed = {book.name: render.read(folder / "notebooks" / f"{book.name}.ipynb") for book in job.notebooks}
    found = {name: [Markup(html) for html in run.outputs(notebook, "headline")] for name, notebook in executed.items()}
    pictures = [Markup(html) for notebook in executed.values() for html in run.outputs(notebook, "keyfigure")]
    rows = {path.stem: pq.read_metadata(path).num_rows for path in (folder / "data").glob("*.parquet")}
    tables = [(name, meaning, rows[name]) for name, meaning in TABLES.items() if rows.get(name)]
    return render.page(
        "date.html.j2",
        job=job,
        found=found,
        pictures=pictures[::-1],
        tables=tables,
        lists=_lists(folder),
        figures=_figures(figures, job.report.currency),
        workbook=(folder / "workbook.xlsx").exists(),
        audiences=sorted(path.name for path in (folder / "audiences").glob("*.csv")),
    )


def _lists(folder: Path) -> list[tuple[str, int]]:
    """Every customer list of a date: its path, and how many customers are on it."""
    paths = sorted((folder / "lists").glob("*.csv"))
    return [(f"lists/{path.name}", len(pd.read_csv(path, usecols=[0]))) for path in paths]


def top_page(root: Path) -> str:
    """`reports/index.html`: every report and date that lies there, newest first, with trends across dates."""
    reports = []
    for folder in sorted(
        path for path in (root / "reports").iterdir() if path.is_dir() and not path.name.startswith((".", "_"))
    ):
        manifests = [json.loads(path.read_text()) for path in folder.glob("[0-9]*/manifest.json")]
        if manifests:
            manifests.sort(key=lambda manifest: manifest["analysis_date"], reverse=True)
            reports.append(
                {
                    "name": folder.name,
                    "title": manifests[0]["title"],
                    "simulated": manifests[0].get("simulated", False),
                    "dates": [_row(m) for m in manifests],
                    "trend": _trend(manifests[::-1]),
                }
            )
    return render.page("top.html.j2", reports=reports)


def _figures(figures: dict[str, float], currency: str) -> list[tuple[str, str]]:
    """Label and value of the figures at the top of a date's page."""
    return [
        ("customers", formats.count(figures["customers"])),
        ("revenue so far", formats.money(figures["revenue"], currency)),
        ("bought in the last 90 days", formats.count(figures["bought_in_90_days"])),
        ("revenue expected in the next 12 months", formats.money(figures["expected_revenue"], currency)),
    ]


def _row(manifest: dict) -> dict[str, str]:
    figures, currency = manifest["summary"], manifest["currency"]
    day = pd.Timestamp(manifest["analysis_date"])
    return {
        "date": manifest["analysis_date"],
        "day": formats.day(day),
        "customers": formats.count(figures["customers"]),
        "revenue": formats.money(figures["revenue"], currency),
        "active": formats.count(figures["bought_in_90_days"]),
        "expected": formats.money(figures["expected_revenue"], currency),
        "plan": f"{formats.money(figures['spend'], currency, 0)} to earn {formats.money(figures['expected_profit'], currency, 0)}",
    }


def _trend(manifests: list[dict]) -> Markup:
    """A figure of what changes from date to date; nothing for a single date."""
    if len(manifests) < 2:
        return Markup("")
    from crm_utils.headlines import trends as headlines
    from crm_utils.plots import trends as plots

    table = pd.DataFrame([{"date": pd.Timestamp(m["analysis_date"]), **m["summary"]} for m in manifests])
    currency = manifests[-1]["currency"]
    shown = plots.figure(
        plots.trends(table, currency),
        headlines.trend(table, currency),
        "Customers who bought in the 90 days before each analysis date, and the revenue expected from all known customers in the 12 months after it.",
        headlines.trend_in_words(table, currency),
    )
    return Markup(shown._repr_html_())
