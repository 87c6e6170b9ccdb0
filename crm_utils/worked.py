"""One customer worked by hand: from orders to lifetime value, each step with its formula."""

from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils import cltv
from crm_utils.formats import count


@dataclass(frozen=True)
class Example:
    """A customer's `orders`, the `steps` from them to expected revenue, and its profit `months` by month, discounted."""

    customer_id: str
    orders: pd.DataFrame
    steps: pd.DataFrame
    months: pd.DataFrame


def example(
    orders: ir.Table,
    valued: pd.DataFrame,
    models,
    analysis_date: date,
    margin_rate: float,
    discount_rate: float,
    months: int,
) -> Example:
    """The customer in the middle by clv among those who bought again at least twice (or of all), from orders as known on the date."""
    again = valued[valued.repeat_orders >= 2]
    chosen = (again if len(again) else valued).sort_values(["clv", "customer_id"])
    one = chosen.iloc[[len(chosen) // 2]]
    customer_id = one.customer_id.iloc[0]
    return Example(
        customer_id,
        own_orders(orders, customer_id),
        steps(one, models, margin_rate),
        by_month(one, models, analysis_date, margin_rate, discount_rate, months),
    )


def own_orders(orders: ir.Table, customer_id: str) -> pd.DataFrame:
    """The orders of one customer, oldest first: day, order_id, lines, revenue (cancellations taken off)."""
    own = orders.filter(orders.customer_id == customer_id).mutate(day=orders.ordered_at.date())
    return own.order_by("ordered_at", "order_id").select("day", "order_id", "lines", "revenue").execute()


def steps(one: pd.DataFrame, models, margin_rate: float) -> pd.DataFrame:
    """Step, formula and value (text) from the orders of one customer (a row of `cltv.lifetime_value`) to a year's profit."""
    row, value = one.iloc[0], models.expected_value(one)[0]
    days, active = row.repeat_orders + 1, models.purchase.p_alive(*cltv.behaviour(one))[0]
    rows = [
        ("Purchase days (n)", "orders of one day count as one", count(days)),
        ("Repeat purchase days (x)", "n − 1", count(row.repeat_orders)),
        ("Age at the last of them (t_x)", "last purchase day − first, days", count(row.last_order_age)),
        ("Age today (T)", "analysis date − first purchase day, days", count(row.age)),
        ("Mean value of a purchase day (z)", "revenue ÷ n", f"{row.mean_value:,.2f}"),
        ("Parameters of the purchase model", "fitted to all customers", _parameters(models.purchase)),
        ("Probability of being active (P)", models.purchase.alive_formula, f"{active:.4f}"),
        ("Expected purchase days in t days", models.purchase.orders_formula, f"{row.expected_orders:,.4f} in 12 months"),
        ("Parameters of the value model", "fitted to all customers", _parameters(models.value)),
        ("Expected value of a purchase day", "p (γ + n z) ÷ (p n + q − 1)", f"{value:,.2f}"),
        ("Expected revenue, 12 months", "purchase days × value", f"{row.expected_revenue:,.2f}"),
        ("Profit, 12 months, not discounted", f"revenue × margin of {margin_rate:.0%}", f"{margin_rate * row.expected_revenue:,.2f}"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["step", "formula", "result"])


def by_month(
    one: pd.DataFrame, models, analysis_date: date, margin_rate: float, discount_rate: float, months: int
) -> pd.DataFrame:
    """The customer's clv month by month: month, until (days from the analysis date), expected_orders, profit, discount, clv."""
    until = [cltv.days_ahead(analysis_date, month) for month in range(1, months + 1)]
    table = pd.DataFrame({"month": range(1, months + 1), "until": until})
    table["expected_orders"] = np.diff(models.expected_orders(one, until)[0], prepend=0)
    table["profit"] = margin_rate * table.expected_orders * models.expected_value(one)[0]
    table["discount"] = (1 + discount_rate) ** (-table.month / 12)
    return table.assign(clv=table.profit * table.discount)


def _parameters(model) -> str:
    greek = {"alpha": "α", "beta": "β", "gamma": "γ"}
    return ", ".join(f"{greek.get(name, name)} = {getattr(model, name):.5g}" for name in model.parameters)
