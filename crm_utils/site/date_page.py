"""The first page of a date, for decision makers: six figures, the decision, the doubts, and all else behind “more”."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow.parquet as pq
from bs4 import BeautifulSoup
from markupsafe import Markup

from crm_utils.budget.drawings import draw_money_by_wave, money_by_wave
from crm_utils.core.constants import ALL, RECENT_DAYS, RESERVE
from crm_utils.core.formatting import NumberFormat, day
from crm_utils.pipeline.jobs import Job
from crm_utils.rfm.history import value_and_year_before
from crm_utils.site import glossary, orders_wording, pages, render
from crm_utils.site.segment_map import make_segment_map
from crm_utils.site.summary_blocks import (
    DECISION,
    LINES,
    PLAN,
    UNSURE,
    brief_lines,
    card_headlines,
    summary_blocks,
    tables_of,
)
from crm_utils.site.tiles import Tile, make_tiles

LEAD = "{customers} so far. Changes are against the same days a year before."
NOBODY_NEW = " Nobody has ordered for the first time since {day}: totals that fall are then to be expected."
# Missing if the history is too short for a forecast of 12 months
EXPECTED_REVENUE = "expected_revenue_12m"
REVENUE = "revenue_90_days"
COMPARED = {  # column of `history`: name of the figure
    "active_customers": "bought_in_90_days",
    "revenue": REVENUE,
    "new_customers": "new_customers_90_days",
    "top_tenth_share": "top_tenth_share",
}
TABLES = {
    "orders": "one row per order",
    "order_adjustments": "by how much cancellations reduced earlier orders, and when",
    "unmatched_cancellations": "cancellations for which no sale was found",
    "example_customer_lines": "the order lines of the customer in the worked example",
    "customer_features": "what each customer buys, pays and returns",
    "history": "customers and revenue of 90 days each, a quarter apart",
    "customers": "one row per customer: recency, frequency, monetary value and scores",
    "segments": "the segment of each customer",
    "segment_profile": "one row per segment",
    "segment_migration": "moves between segments since the earlier date, by cause",
    "cltv": "expected purchases, revenue and value of each customer",
    "forecast": "expected purchases and revenue of all customers and of each segment",
    "business": "expected revenue of the whole business, new customers included",
    "backtest": "forecasts for past dates, and what happened",
    "fitted_parameters": "the parameters of the models, and the assumptions",
    "budget": "the first wave: every combination of campaign and segment that was considered",
    "budget_lines": "the lines that add up to the budget of the period",
    "budget_calendar": "what is sent in each wave of the period",
    "acquisition": "the new customers to win in each wave",
    "contact_plan": "who is on a list of the first wave, contacted or held back",
    "budget_gates": "the rules for releasing money, and which are open",
    "sent_messages": "what the sending tool sent of past campaigns",
    "cleaning_ledger": "what happened to every row of the source",
}


class _Plan(NamedTuple):
    """The tables `budget_lines`, `budget_calendar` and `acquisition`."""

    lines: pd.DataFrame
    calendar: pd.DataFrame
    won: pd.DataFrame


def key_figures(data: Path) -> dict[str, float]:
    """The figures of a date that the index and `summary.json` show, from the tables in folder `data`.

    They are the numbers of customers, orders and recent buyers (`RECENT_DAYS`), and what the tiles show: revenue and
    new customers of the last 90 days and the share of the top tenth, each with its value a year before, and what the
    business should bring in 12 months beside the last 12. Amounts are in the report's currency: revenue so far, revenue
    expected from known customers in 12 months, planned spend and its expected profit. What is not known is left out.
    """
    customers = pd.read_parquet(data / "customers.parquet", columns=["orders", "revenue", "recency_days"])
    forecast = pd.read_parquet(data / "forecast.parquet")
    year = forecast.revenue[(forecast.segment == ALL) & (forecast.months == 12)]
    figures = {
        "customers": len(customers),
        "orders": int(customers.orders.sum()),
        "revenue": round(customers.revenue.sum(), 2),
        "bought_in_90_days": int((customers.recency_days < RECENT_DAYS).sum()),
    }
    history, business = (pd.read_parquet(data / f"{name}.parquet") for name in ("history", "business"))
    figures = _compared_figures(history, business) | figures
    if (data / "budget_lines.parquet").exists():
        lines = pd.read_parquet(data / "budget_lines.parquet")
        spent = lines[lines.line != RESERVE]
        figures |= {name: round(spent[name].sum(), 2) for name in ("spend", "expected_profit")}
    return figures | ({EXPECTED_REVENUE: round(year.iloc[0], 2)} if len(year) else {})


def _compared_figures(history: pd.DataFrame, business: pd.DataFrame) -> dict[str, float]:
    """The figures of the tiles, each with the value that it is compared with."""
    figures: dict[str, float] = {}
    for column, name in COMPARED.items():
        values = dict(zip((name, f"{name}_year_before"), value_and_year_before(history, column), strict=True))
        figures |= {key: round(float(value), 4) for key, value in values.items() if value is not None}
    for row in business[business.months == 12].itertuples():
        figures["expected_business_revenue_12m"] = round(row.revenue, 2)
        figures["business_revenue_last_12m"] = round(row.revenue_before, 2)
    return figures


def render_date(job: Job, folder: Path, figures: dict[str, float]) -> str:
    """Render `index.html` of a date: the findings of its notebooks, links to every page, and the downloads.

    Parameters
    ----------
    job : Job
        The date.
    folder : Path
        The folder that holds its executed notebooks, their pages and its tables.
    figures : dict of str to float
        Its key figures.
    """
    fmt = job.number_format
    executed = {book.name: render.read_notebook(folder / "notebooks" / f"{book.name}.ipynb") for book in job.notebooks}
    written = {name: (folder / f"{name}.html").read_text(encoding="utf-8") for name in executed}
    plan = _read_plan(folder / "data")
    page = pages.render_page(
        "date.html.j2",
        job=job,
        tiles=_tiles(folder / "data", plan, fmt),
        decision=brief_lines(executed, written, DECISION),
        money=_money_by_wave(plan, fmt),
        plan=tables_of(executed, PLAN),
        unsure=[line for tag in UNSURE for line in brief_lines(executed, written, tag)],
        value_noun=fmt.value_noun,
        segment_map=make_segment_map(folder / "data", fmt),
        lines=[(tag, question, brief_lines(executed, written, tag)) for tag, question in LINES.items()],
        blocks=summary_blocks(executed, written),
        headlines={name: card_headlines(notebook) for name, notebook in executed.items()},
        lead=_lead(folder / "data", job.day, fmt),
        tables=_tables(folder, fmt),
        lists=_customer_lists(folder, "lists", fmt),
        moved=_customer_lists(folder, "lists/moved", fmt),
        send=_customer_lists(folder, "send", fmt),
        hold_back=_customer_lists(folder, "hold_back", fmt),
        do_not_contact=(folder / "do_not_contact.csv").exists(),
        workbook=(folder / "workbook.xlsx").exists(),
    )
    columns = job.report.columns
    if columns.order_value is not None:
        body = BeautifulSoup(page, "html.parser")
        if columns.counts_orders:
            orders_wording.speak_of_orders(body)
        body.select(".lead")[0].insert_after(orders_wording.notice(columns, fmt))
        page = str(body)
    return glossary.link_terms(page, "../../")


def _lead(data: Path, analysis_date: date, fmt: NumberFormat) -> str:
    """How many customers there are, and since when nobody was new if that is as long as the tiles look back."""
    first_orders = pd.read_parquet(data / "customers.parquet", columns=["first_order"]).first_order
    said = LEAD.format(customers=fmt.plural(len(first_orders), "customer"))
    newest = first_orders.max().date()
    return said + NOBODY_NEW.format(day=day(newest)) if (analysis_date - newest).days >= RECENT_DAYS else said


def _read_plan(data: Path) -> _Plan | None:
    if not (data / "budget_lines.parquet").exists():
        return None
    return _Plan(
        *(pd.read_parquet(data / f"{name}.parquet") for name in ("budget_lines", "budget_calendar", "acquisition"))
    )


def _tiles(data: Path, plan: _Plan | None, fmt: NumberFormat) -> list[Tile]:
    history, business = (pd.read_parquet(data / f"{name}.parquet") for name in ("history", "business"))
    if plan is None:
        return make_tiles(history, business, pd.Series(dtype=float), pd.DataFrame(), fmt)
    return make_tiles(history, business, money_by_wave(plan.calendar, plan.won).sum(axis=1), plan.lines, fmt)


def _money_by_wave(plan: _Plan | None, fmt: NumberFormat) -> Markup | None:
    """The figure of the plan's money; None without a plan."""
    drawing = draw_money_by_wave(plan.calendar, plan.won, fmt) if plan else None
    return Markup(drawing._repr_html_()) if drawing else None


def _tables(folder: Path, fmt: NumberFormat) -> list[tuple[str, str, str]]:
    """Name, meaning and size of each published table that has rows."""
    rows = {path.stem: pq.read_metadata(path).num_rows for path in (folder / "data").glob("*.parquet")}
    return [(name, meaning, fmt.plural(rows[name], "row")) for name, meaning in TABLES.items() if rows.get(name)]


def _customer_lists(folder: Path, kind: str, fmt: NumberFormat) -> list[tuple[str, str, str]]:
    """Path, file name and size of each customer list of a kind."""
    paths = sorted((folder / kind).glob("*.csv"))
    return [
        (f"{kind}/{path.name}", path.name, fmt.plural(len(pd.read_csv(path, usecols=[0])), "customer"))
        for path in paths
    ]
