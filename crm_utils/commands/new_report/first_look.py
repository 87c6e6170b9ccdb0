"""The first look at new data: whether the number is the owner's, in ten seconds."""

from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
from markupsafe import Markup

from crm_utils import sources
from crm_utils.cleaning import charts, narrative, tables
from crm_utils.cleaning.question import Question
from crm_utils.commands.new_report.evidence import CountedShop
from crm_utils.commands.new_report.statuses import status_by_rule
from crm_utils.config.report import AmountParts
from crm_utils.core.display.finding import Finding
from crm_utils.core.display.table_style import style_table
from crm_utils.core.formatting import day
from crm_utils.core.orders import monthly_revenue
from crm_utils.pipeline import atomic_publish
from crm_utils.site import pages

PAGE = "first-look.html"
TOP_IDS, LARGEST_ORDERS, STATUSES = 10, 5, 20
LEAD = (
    "{counted} of {read} count as sales: {orders} of {customers} with {revenue} of revenue, from {first} to {last}. "
    "Compare this with your own books before you build the report."
)
SAMPLED = (
    " The source has {rows}. To be quick, this page counts one in {one_in} customers: totals are scaled up. Lists of "
    "orders and ids, and questions, are about these customers. The report counts all."
)
FIRST_FILE = (
    " This page counts with params/{name}.yaml as `make new` wrote it. What you correct there shows in the report only."
)
SHORT = "{orders} of {customers}, {revenue}, from {first} to {last}"
MONTHS_CAPTION = "Revenue by calendar month. A hatched bar is a month that the data do not cover completely."
TOP_CAPTION = "The customer ids with the most orders"
LARGEST_CAPTION = "The largest orders"
STATUS_CAPTION = "The values of column “{column}”"
GROUPS = {"count": "counts", "refund": "refunded", "ignore": "left out"}


@dataclass(frozen=True)
class Section:
    """A question of the page and the answer to it."""

    id: str
    question: str
    answer: list[Markup]


@dataclass(frozen=True)
class Totals:
    """The first numbers of the page, in words."""

    orders: str
    customers: str
    revenue: str
    first: str
    last: str


def write_first_look(shop: CountedShop, name: str, questions: list[Question]) -> Path:
    """Write `reports/<name>/first-look.html`; return its path."""
    path = shop.root / "reports" / name / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_publish.write_page(path, render_first_look(shop, name, questions))
    return path


def render_first_look(shop: CountedShop, name: str, questions: list[Question]) -> str:
    """The HTML of the page."""
    totals, ledger, fmt = sum_up(shop), _scale_up(shop.ledger, shop.one_in), shop.fmt
    lead = LEAD.format(
        counted=fmt.count(ledger.rows_left.iloc[-1]), read=fmt.plural(ledger.rows_left.iloc[0], "row"), **vars(totals)
    )
    if shop.one_in > 1:
        lead += SAMPLED.format(rows=fmt.plural(shop.rows, "row"), one_in=fmt.count(shop.one_in))
    lead += FIRST_FILE.format(name=name)
    sections = [
        Section("revenue", "Is this your revenue?", [_revenue(shop)]),
        *_open_questions(questions),
        Section("rows", "What happened to every row?", [_html(tables.ledger(_what_was_removed(ledger), fmt))]),
        *_statuses(shop),
        Section("orders", "Are these orders real?", [_html(_largest_orders(shop))]),
        Section("customers", "Are these ids customers?", [_html(_top_ids(shop))]),
    ]
    return pages.render_page("first-look.html.j2", title=shop.report.title, lead=lead, sections=sections)


def sum_up(shop: CountedShop) -> Totals:
    """Orders, customers, revenue, first and last day, in words."""
    orders, fmt = shop.orders, shop.fmt
    sums = orders.aggregate(
        orders=orders.count(),
        customers=orders.customer_id.nunique(),
        revenue=orders.revenue.sum(),
        first=orders.ordered_at.min(),
        last=orders.ordered_at.max(),
    )
    found, times, about = sums.execute().iloc[0], shop.one_in, "about " if shop.one_in > 1 else ""
    return Totals(
        orders=about + fmt.plural(times * found.orders, "order"),
        customers=about + fmt.plural(times * found.customers, "customer"),
        revenue=about + fmt.money(times * found.revenue, 2),
        first=day(found["first"]),
        last=day(found["last"]),
    )


def _revenue(shop: CountedShop) -> Markup:
    months, fmt = _scale_up(monthly_revenue(shop.orders, shop.day), shop.one_in), shop.fmt
    finding = Finding(
        narrative.revenue_by_month(months, fmt),
        charts.plot_revenue_by_month(months, fmt),
        MONTHS_CAPTION,
        charts.alt_text_revenue_by_month(months, fmt),
        tables.months(months, fmt),
    )
    return _html(finding)


def _scale_up(table: pd.DataFrame, one_in: int) -> pd.DataFrame:
    """The table with its counts and amounts multiplied, if one in so many customers is counted."""
    numbers = table.select_dtypes("number").columns
    return table.assign(**{str(name): table[name] * one_in for name in numbers}) if one_in > 1 else table


def _what_was_removed(ledger: pd.DataFrame) -> pd.DataFrame:
    """The rows of the ledger that changed something."""
    changed = (ledger.rows_removed != 0) | (ledger.revenue_removed != 0)
    return ledger[changed | (ledger.index == 0)]


def _open_questions(questions: list[Question]) -> list[Section]:
    if not questions:
        return []
    items = []
    for question in questions:
        choices = Markup("").join(
            Markup("<li>{}: <code>{}</code></li>").format(choice.meaning, choice.line) for choice in question.choices
        )
        items.append(Markup("<p>{}</p><ul>{}</ul>").format(_sentence(question.found), choices))
    return [Section("questions", "What only you can decide", items)]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _statuses(shop: CountedShop) -> list[Section]:
    """What each status counts as, if the report names a status column."""
    status, columns = shop.report.source.status, shop.report.columns
    if status is None:
        return []
    parts = sources.read_raw_tables(shop.report.source, shop.root, columns)
    amount = columns.amount.lines if isinstance(columns.amount, AmountParts) else columns.amount
    factors = [columns.quantity, columns.unit_price] if amount is None else [amount]
    amounts = [name for name in factors if isinstance(name, str) and name in parts[0].table.columns]
    counted = status_by_rule(parts, status, amounts)
    if counted is None:
        return []
    values = counted.values.head(STATUSES)
    shown = pd.DataFrame(
        {"status": values.value, "meaning": values.group.map(GROUPS).fillna("not named"), "rows": values.rows}
    )
    if amounts:
        shown["revenue"] = values.money
    headings = {"status": "Status", "meaning": "What it means", "rows": "Rows", "revenue": "Amount"}
    table = style_table(shown, STATUS_CAPTION.format(column=status.column), shop.fmt, headings)
    return [Section("statuses", "Which statuses are sales?", [_html(table)])]


def _top_ids(shop: CountedShop) -> object:
    orders = shop.orders
    each = orders.group_by("customer_id").agg(orders=orders.count(), revenue=orders.revenue.sum())
    top = _first(each, ["orders", "revenue"], TOP_IDS)
    top["share"] = top.orders / (shop.one_in * orders.count().execute())
    headings = {"customer_id": "Customer", "share": "Share of all orders"}
    return style_table(top, TOP_CAPTION, shop.fmt, headings)


def _largest_orders(shop: CountedShop) -> object:
    largest = _first(shop.orders, ["revenue"], LARGEST_ORDERS)
    largest["ordered_on"] = [day(moment) for moment in largest.ordered_at]
    headings = {"order_id": "Order", "customer_id": "Customer", "ordered_on": "Ordered on"}
    columns = ["order_id", "revenue", "customer_id", "ordered_on"]
    return style_table(largest[columns], LARGEST_CAPTION, shop.fmt, headings)


def _first(table: ir.Table, by: list[str], rows: int) -> pd.DataFrame:
    return table.order_by(*(ibis.desc(column) for column in by), "customer_id").limit(rows).execute()


def _html(shown: object) -> Markup:
    return Markup(shown._repr_html_())  # type: ignore[attr-defined]
