"""One customer worked by hand: from order lines to lifetime value, each step with its formula."""

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv import forecast
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.core.formatting import count, day

PRINTED_ORDERS, PRINTED_LINES = (3, 6), 30  # orders and line items of a history that can be read at one sitting


@dataclass(frozen=True)
class Example:
    """A customer's order `lines`, the `orders` they add up to, the `steps` from there to expected revenue, and its profit `months` by month, discounted."""

    customer_id: str
    lines: pd.DataFrame
    orders: pd.DataFrame
    steps: pd.DataFrame
    months: pd.DataFrame


def choose_example_customer(known: ir.Table) -> str:
    """The customer to work by hand, from orders as known on the date: the one in the middle by revenue, ties by id.

    Of the customers who bought again, with `PRINTED_ORDERS` orders of at most `PRINTED_LINES` line items; where there are
    none, of those who bought again; else of all.
    """
    moment = known.ordered_at.date()
    each = known.group_by("customer_id").agg(
        orders=known.count(),
        lines=known.lines.sum(),
        again=moment.max() > moment.min(),
        revenue=known.revenue.cast("decimal(38, 4)").sum(),
    )
    short = each.again & each.orders.between(*PRINTED_ORDERS) & (each.lines <= PRINTED_LINES)
    each = each.mutate(choice=ibis.cases((short, 0), (each.again, 1), else_=2))
    place = ibis.row_number().over(group_by="choice", order_by=["revenue", "customer_id"])
    ranked = each.mutate(place=place, size=each.count().over(group_by="choice"))
    middle = ranked.filter(ranked.place == ranked["size"] // 2).order_by("choice").limit(1)
    return middle.customer_id.execute().iloc[0]


def work_example(
    lines: pd.DataFrame,
    placed: ir.Table,
    known: ir.Table,
    valued: pd.DataFrame,
    models,
    analysis_date: date,
    terms: ClvAssumptions,
) -> Example:
    """The customer whose order lines these are (see `orders.lines_of`), from orders as placed and as known on the date."""
    customer_id = lines.customer_id.iloc[0]
    one = valued[valued.customer_id == customer_id]
    bought = customer_orders(placed, known, customer_id)
    return Example(
        customer_id,
        lines,
        bought,
        calculation_steps(one, bought, models, analysis_date, terms),
        value_by_month(one, models, analysis_date, terms),
    )


def customer_orders(placed: ir.Table, known: ir.Table, customer_id: str) -> pd.DataFrame:
    """The orders of one customer, oldest first: day, order_id, lines, placed (revenue), taken_back (by cancellations), revenue (as known).

    purchase_day numbers the days on which something was left; null for an order that was cancelled as a whole.
    """
    own, left = (
        table.filter(table.customer_id == customer_id).order_by("ordered_at", "order_id").execute()
        for table in (placed, known)
    )
    revenue = own.order_id.map(left.set_index("order_id").revenue)
    own = own.assign(day=own.ordered_at.dt.normalize(), placed=own.revenue, revenue=revenue.fillna(0.0))
    own["taken_back"] = (own.revenue - own.placed).round(4)
    own["purchase_day"] = own.day.where(revenue.notna()).rank(method="dense")
    return own[["purchase_day", "day", "order_id", "lines", "placed", "taken_back", "revenue"]]


def calculation_steps(
    one: pd.DataFrame, bought: pd.DataFrame, models, analysis_date: date, terms: ClvAssumptions
) -> pd.DataFrame:
    """Step, formula and result (text) from a customer's orders (`own_orders`) and row of `cltv.lifetime_value` to a year's profit."""
    row, value = one.iloc[0], models.expected_value(one)[0]
    n, active = row.repeat_purchase_days + 1, models.purchase.p_alive(*forecast.to_xtT(one))[0]
    days = bought.day[bought.purchase_day.notna()]
    first, last = (day(moment) for moment in (days.min(), days.max()))
    rows = [
        ("Purchase days (n)", "days with an order; orders of one day count as one", count(n)),
        ("Repeat purchase days (x)", f"n − 1 = {count(n)} − 1", count(row.repeat_purchase_days)),
        ("Age at the last of them (t_x), days", f"last purchase day − first = {last} − {first}", count(row.last_purchase_age_days)),
        ("Age today (T), days", f"analysis date − first purchase day = {day(analysis_date)} − {first}", count(row.customer_age_days)),
        ("Mean value of a purchase day (z)", f"revenue ÷ n = {bought.revenue.sum():,.2f} ÷ {count(n)}", f"{row.mean_purchase_value:,.2f}"),
        ("Parameters of the purchase model", "fitted to all customers", _parameters(models.purchase)),
        ("Probability of being active (P)", models.purchase.alive_formula, f"{active:.4f}"),
        ("Expected purchase days in t days", models.purchase.orders_formula, f"{row.expected_purchase_days_12m:,.4f} in 12 months"),
        ("Parameters of the value model", "fitted to all customers", _parameters(models.value)),
        ("Expected value of a purchase day", "p (γ + n z) ÷ (p n + q − 1)", f"{value:,.2f}"),
        ("Expected revenue, 12 months", f"purchase days × value = {row.expected_purchase_days_12m:,.4f} × {value:,.2f}", f"{row.expected_revenue_12m:,.2f}"),
        ("Profit, 12 months, not discounted", f"revenue × margin of {100 * terms.margin_rate:g}%", f"{terms.margin_rate * row.expected_revenue_12m:,.2f}"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["step", "formula", "result"])


def value_by_month(one: pd.DataFrame, models, analysis_date: date, terms: ClvAssumptions) -> pd.DataFrame:
    """The customer's clv month by month: month, until (days from the analysis date), expected_purchase_days_12m, profit, discount, clv."""
    until = [forecast.days_ahead(analysis_date, month) for month in range(1, terms.months + 1)]
    table = pd.DataFrame({"month": range(1, terms.months + 1), "until": until})
    table["expected_purchase_days_12m"] = np.diff(models.expected_purchases(one, until)[0], prepend=0)
    table["profit"] = terms.margin_rate * table.expected_purchase_days_12m * models.expected_value(one)[0]
    table["discount"] = (1 + terms.discount_rate) ** (-table.month / 12)
    return table.assign(clv=table.profit * table.discount)


def _parameters(model) -> str:
    greek = {"alpha": "α", "beta": "β", "gamma": "γ"}
    return ", ".join(f"{greek.get(name, name)} = {getattr(model, name):.5g}" for name in model.parameters)
