"""The worked example: one customer's value from order lines to CLV, each step with its formula."""

from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.cltv.btyd import CustomerBaseModel, to_xtT
from crm_utils.cltv.btyd.fit import PurchaseModel
from crm_utils.cltv.btyd.gamma_gamma import GammaGamma
from crm_utils.cltv.btyd.own_model import FittedOwnModel
from crm_utils.cltv.forecast import days_ahead, factor_by_month
from crm_utils.core.formatting import NumberFormat, day

GREEK = {"alpha": "α", "beta": "β", "gamma": "γ"}


@dataclass(frozen=True)
class Example:
    """One customer's value, step by step.

    Parameters
    ----------
    customer_id : str
        The customer.
    lines : pandas.DataFrame
        The order lines, with the rule that removed a line.
    orders : pandas.DataFrame
        The orders that the lines add up to (see `customer_orders`).
    steps : pandas.DataFrame
        From the orders to expected revenue (see `calculation_steps`).
    months : pandas.DataFrame
        Profit month by month, discounted (see `value_by_month`).
    """

    customer_id: str
    lines: pd.DataFrame
    orders: pd.DataFrame
    steps: pd.DataFrame
    months: pd.DataFrame


def work_example(
    lines: pd.DataFrame,
    placed: ir.Table,
    known: ir.Table,
    valued: pd.DataFrame,
    models: CustomerBaseModel,
    analysis_date: date,
    assumptions: ClvAssumptions,
    factors: pd.DataFrame,
    fmt: NumberFormat,
) -> Example:
    """Compute one customer's lifetime value by hand.

    Parameters
    ----------
    lines : pandas.DataFrame
        The customer's order lines (see `customer_lines`).
    placed, known : ibis.Table
        Orders as placed, and as known on the analysis date.
    valued : pandas.DataFrame
        The table `cltv`.
    models : CustomerBaseModel
        The fitted models.
    analysis_date : datetime.date
        The day of the forecast.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.
    factors : pandas.DataFrame
        By what the model's forecasts were multiplied (see `forecast.scale_to_totals`).
    fmt : NumberFormat
        How the report writes numbers.

    Returns
    -------
    Example
        The customer's lines, orders, steps and months.
    """
    customer_id = lines.customer_id.iloc[0]
    customer = valued[valued.customer_id == customer_id]
    bought = customer_orders(placed, known, customer_id)
    return Example(
        customer_id,
        lines,
        bought,
        calculation_steps(customer, bought, models, analysis_date, assumptions, fmt),
        value_by_month(customer, models, analysis_date, assumptions, factors),
    )


def customer_orders(placed: ir.Table, known: ir.Table, customer_id: str) -> pd.DataFrame:
    """Return the orders of one customer, oldest first.

    Returns
    -------
    pandas.DataFrame
        purchase_day (the number of the purchase day; null for a completely cancelled order), day, order_id, lines,
        placed (revenue), taken_back (by cancellations), revenue (after cancellations).
    """
    orders = _orders_of(placed, customer_id)
    left = _orders_of(known, customer_id).set_index("order_id").revenue
    revenue = orders.order_id.map(left)
    orders = orders.assign(day=orders.ordered_at.dt.normalize(), placed=orders.revenue, revenue=revenue.fillna(0.0))
    orders["taken_back"] = (orders.revenue - orders.placed).round(4)
    orders["purchase_day"] = orders.day.where(revenue.notna()).rank(method="dense")
    return orders[["purchase_day", "day", "order_id", "lines", "placed", "taken_back", "revenue"]]


def calculation_steps(
    customer: pd.DataFrame,
    bought: pd.DataFrame,
    models: CustomerBaseModel,
    analysis_date: date,
    assumptions: ClvAssumptions,
    fmt: NumberFormat,
) -> pd.DataFrame:
    """Compute a year's profit from one customer's orders.

    Parameters
    ----------
    customer : pandas.DataFrame
        The customer's row of the table `cltv`.
    bought : pandas.DataFrame
        `customer_orders`.
    models : CustomerBaseModel
        The fitted models.
    analysis_date : datetime.date
        The day of the forecast.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.
    fmt : NumberFormat
        How the report writes numbers.

    Returns
    -------
    pandas.DataFrame
        step, formula and result (text).
    """
    rows = [
        *_history_steps(customer.iloc[0], bought, analysis_date, fmt),
        *_purchase_steps(customer, models, analysis_date, fmt),
        *_profit_steps(customer, models, analysis_date, assumptions, fmt),
    ]
    return pd.DataFrame(rows, columns=["step", "formula", "result"])


def value_by_month(
    customer: pd.DataFrame,
    models: CustomerBaseModel,
    analysis_date: date,
    assumptions: ClvAssumptions,
    factors: pd.DataFrame,
) -> pd.DataFrame:
    """Compute one customer's lifetime value month by month.

    Returns
    -------
    pandas.DataFrame
        month, until_days (from the analysis date), expected_purchase_days (by the model), factor, profit, discount,
        clv.
    """
    months = range(1, assumptions.months + 1)
    until_days = [days_ahead(analysis_date, month) for month in months]
    table = pd.DataFrame({"month": months, "until_days": until_days})
    table["expected_purchase_days"] = np.diff(models.expected_purchases(customer, until_days)[0], prepend=0)
    table["factor"] = factor_by_month(factors, assumptions.months)
    value = models.expected_value(customer)[0]
    table["profit"] = assumptions.margin_rate * table.expected_purchase_days * table.factor * value
    table["discount"] = (1 + assumptions.discount_rate) ** (-table.month / 12)
    return table.assign(clv=table.profit * table.discount)


def _orders_of(orders: ir.Table, customer_id: str) -> pd.DataFrame:
    return orders.filter(orders.customer_id == customer_id).order_by("ordered_at", "order_id").execute()


def _history_steps(
    row: pd.Series, bought: pd.DataFrame, analysis_date: date, fmt: NumberFormat
) -> list[tuple[str, str, str]]:
    n = row.repeat_purchase_days + 1
    days = bought.day[bought.purchase_day.notna()]
    first = day(days.min())
    revenue = bought.revenue.sum()
    return [
        ("Purchase days (n)", "days with at least one order", fmt.count(n)),
        ("Repeat purchase days (x)", f"n − 1 = {fmt.count(n)} − 1", fmt.count(row.repeat_purchase_days)),
        (
            "Age at the last purchase day (t_x), days",
            f"last purchase day − first = {day(days.max())} − {first}",
            fmt.count(row.last_purchase_age_days),
        ),
        (
            "Age today (T), days",
            f"analysis date − first purchase day = {day(analysis_date)} − {first}",
            fmt.count(row.customer_age_days),
        ),
        (
            "Mean value of a purchase day (z)",
            f"revenue ÷ n = {fmt.number(revenue, 2)} ÷ {fmt.count(n)}",
            fmt.number(row.mean_purchase_value, 2),
        ),
    ]


def _purchase_steps(
    customer: pd.DataFrame, models: CustomerBaseModel, analysis_date: date, fmt: NumberFormat
) -> list[tuple[str, str, str]]:
    purchase = models.purchase
    expected = models.expected_purchases(customer, [days_ahead(analysis_date, 12)])[0, 0]
    result = f"{fmt.number(expected, 4)} in 12 months"
    if isinstance(purchase, FittedOwnModel):
        return [("Expected purchase days in t days", f"{purchase.name}.expected_purchases(x, t_x, T, t)", result)]
    active = purchase.probability_alive(*to_xtT(customer))[0]
    return [
        ("Parameters of the purchase model", "fitted to all customers", _parameters(purchase)),
        ("Probability of being active (P)", purchase.alive_formula, f"{active:.4f}"),
        ("Expected purchase days in t days", purchase.purchases_formula, result),
    ]


def _profit_steps(
    customer: pd.DataFrame,
    models: CustomerBaseModel,
    analysis_date: date,
    assumptions: ClvAssumptions,
    fmt: NumberFormat,
) -> list[tuple[str, str, str]]:
    value = models.expected_value(customer)[0]
    expected = models.expected_purchases(customer, [days_ahead(analysis_date, 12)])[0, 0]
    revenue = customer.expected_revenue_12m.iloc[0]
    factor = revenue / (expected * value)
    return [
        ("Parameters of the value model", "fitted to all customers", _parameters(models.value)),
        ("Expected value of a purchase day", "p (γ + n z) ÷ (p n + q − 1)", fmt.number(value, 2)),
        (
            "Factor of the combined forecast",
            "forecast of all customers ÷ sum of what the models expect",
            f"{factor:.4f}",
        ),
        (
            "Expected revenue, 12 months",
            f"purchase days × value × factor = {fmt.number(expected, 4)} × {fmt.number(value, 2)} × {factor:.4f}",
            fmt.number(revenue, 2),
        ),
        (
            "Profit, 12 months, not discounted",
            f"revenue × margin of {100 * assumptions.margin_rate:g}%",
            fmt.number(assumptions.margin_rate * revenue, 2),
        ),
    ]


def _parameters(model: PurchaseModel | GammaGamma) -> str:
    return ", ".join(f"{GREEK.get(name, name)} = {getattr(model, name):.5g}" for name in model.parameters)
