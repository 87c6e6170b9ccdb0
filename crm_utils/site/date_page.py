"""The page of a date for people who decide: the answer first, then what it rests on, then what there is to take away."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from crm_utils.core import formatting
from crm_utils.core.constants import RECENT_DAYS
from crm_utils.pipeline.jobs import Job
from crm_utils.site import glossary, render
from crm_utils.site.summary_blocks import card_headlines, summary_blocks

TABLES = {
    "orders": "one row per order",
    "order_adjustments": "what cancellations took off orders, dated",
    "unmatched_cancellations": "cancellations that found no sale",
    "example_customer_lines": "the order lines of the customer who is worked by hand",
    "customer_features": "what each customer buys and pays, as far as the source tells",
    "customers": "one row per customer: recency, frequency, monetary value and scores",
    "segments": "the segment of each customer",
    "segment_profile": "one row per segment",
    "segment_migration": "moves between segments since the earlier date, by cause",
    "cltv": "expected purchase days, revenue and value of each customer",
    "forecast": "expected purchase days and revenue of all customers and of each segment",
    "backtest": "forecasts made at past dates, and what came",
    "fitted_parameters": "what the models were fitted to, and what is assumed",
    "budget": "every campaign × segment that was weighed",
    "cleaning_ledger": "what happened to every row of the source",
}


def key_figures(data: Path) -> dict[str, float]:
    """The figures that stand for a date on the pages over all dates, from its tables."""
    customers = pd.read_parquet(data / "customers.parquet", columns=["orders", "revenue", "recency_days"])
    cltv = pd.read_parquet(data / "cltv.parquet", columns=["expected_revenue_12m"])
    plan = pd.read_parquet(data / "budget.parquet", columns=["spend", "expected_profit"])
    return {
        "customers": len(customers),
        "orders": int(customers.orders.sum()),
        "revenue": round(customers.revenue.sum(), 2),
        "bought_in_90_days": int((customers.recency_days < RECENT_DAYS).sum()),
        "expected_revenue_12m": round(cltv.expected_revenue_12m.sum(), 2),
        "spend": round(plan.spend.sum(), 2),
        "expected_profit": round(plan.expected_profit.sum(), 2),
    }


def render_date(job: Job, folder: Path, figures: dict[str, float]) -> str:
    """`index.html` of a date: the blocks that its notebooks fill, every page, and what can be downloaded."""
    executed = {book.name: render.read_notebook(folder / "notebooks" / f"{book.name}.ipynb") for book in job.notebooks}
    pages = {name: (folder / f"{name}.html").read_text(encoding="utf-8") for name in executed}
    rows = {path.stem: pq.read_metadata(path).num_rows for path in (folder / "data").glob("*.parquet")}
    page = render.render_page(
        "date.html.j2",
        job=job,
        blocks=summary_blocks(executed, pages),
        beside={name: card_headlines(notebook) for name, notebook in executed.items()},
        lead=_lead(figures, job.report.currency),
        tables=[
            (name, meaning, formatting.plural(rows[name], "row")) for name, meaning in TABLES.items() if rows.get(name)
        ],
        lists=_lists(folder, "lists"),
        audiences=_lists(folder, "audiences"),
        workbook=(folder / "workbook.xlsx").exists(),
    )
    return glossary.linked(page, "../../")


def _lead(figures: dict[str, float], currency: str) -> str:
    """How large the customer base is, in one line."""
    return (
        f"{formatting.plural(figures['customers'], 'customer')} with {formatting.money(figures['revenue'], currency)} of revenue so far; "
        f"{formatting.count(figures['bought_in_90_days'])} of them ordered in the last {RECENT_DAYS} days."
    )


def _lists(folder: Path, kind: str) -> list[tuple[str, str, str]]:
    """Every customer list of a kind: its path, its file's name, and how many customers are on it."""
    paths = sorted((folder / kind).glob("*.csv"))
    sizes = [len(pd.read_csv(path, usecols=[0])) for path in paths]
    return [
        (f"{kind}/{path.name}", path.name, formatting.plural(size, "customer"))
        for path, size in zip(paths, sizes, strict=True)
    ]
