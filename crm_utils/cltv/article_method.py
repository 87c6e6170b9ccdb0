"""A replication of a published tutorial's customer value and forecast, with its conventions.

The tutorial is `core.references.CLTV_TUTORIAL`. Its CLTV = (average order value × purchase frequency ÷ churn) × profit,
with purchase frequency = orders ÷ all customers and profit = margin × revenue. Orders cancel: it is margin × revenue² ÷
(customers × churn), in currency squared.
"""

import io
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.core.exact_money import exact_sum

ARTICLE_MARGIN_RATE = 0.05
ARTICLE_SCALE = (1, 100)
ARTICLE_TIERS = ("C", "B", "A")
PENALIZER = 0.01
DISCOUNT_RATE_MONTHLY = 0.01
CLV_MONTHS = 6
DAYS_PER_WEEK = 7
FORECAST_COLUMNS = ["customer_id", "sales_4_weeks", "sales_12_weeks", "average_profit", "clv_6_months"]

TOO_FEW_CUSTOMERS = f"it needs at least {len(ARTICLE_TIERS)} customers for its {len(ARTICLE_TIERS)} groups"
NO_REPEAT_BUYER = "nobody ordered twice, and it forecasts only repeat buyers"
NO_CHURN = "everybody ordered twice, so its churn is 0 and it would divide by zero"
NO_CONVERGENCE = "the fit of its forecast does not converge"


def article_method(customers: pd.DataFrame, margin_rate: float = ARTICLE_MARGIN_RATE) -> pd.DataFrame:
    """Compute the article's value of every customer.

    Parameters
    ----------
    customers : pandas.DataFrame
        customer_id, orders and revenue.
    margin_rate : float
        Profit as a share of revenue.

    Returns
    -------
    pandas.DataFrame
        These columns and average_order_value, purchase_frequency, repeat_rate, churn, profit_margin (an amount),
        customer_value, cltv (null if every customer came back, because churn is 0 then), cltv_scaled (1 to 100) and
        article_tier (A is the best third, then B and C).
    """
    table = customers[["customer_id", "orders", "revenue"]].copy()
    repeat_rate = (table.orders > 1).sum() / len(table)
    churn = 1 - repeat_rate
    table["average_order_value"] = table.revenue / table.orders
    table["purchase_frequency"] = table.orders / len(table)
    table["repeat_rate"] = repeat_rate
    table["churn"] = churn
    table["profit_margin"] = table.revenue * margin_rate
    table["customer_value"] = table.average_order_value * table.purchase_frequency
    table["cltv"] = table.customer_value / churn * table.profit_margin if churn else np.nan
    table["cltv_scaled"] = _scale(table.cltv)
    table["article_tier"] = _tiers(table.cltv)
    return table


def article_forecast(orders: ir.Table, today: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the article's forecast with `lifetimes` and the article's conventions.

    Frequency is the number of invoices, and monetary value is total revenue. Customers with one invoice are dropped.
    Time is in whole weeks before `today`.

    Parameters
    ----------
    orders : ibis.Table
        One row per order: customer_id, order_id, ordered_at, revenue.
    today : datetime.date
        The article counts back from midnight at the start of this day.

    Returns
    -------
    tuple of pandas.DataFrame
        By customer: customer_id, frequency, recency, T (weeks), monetary, sales_4_weeks, sales_12_weeks,
        average_profit, clv_6_months. And the fitted parameters: model, parameter, value.

    Raises
    ------
    lifetimes.utils.ConvergenceError
        If a fit does not converge.
    """
    # imported here because lifetimes is slow to import and rarely needed
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    table = _article_summary(orders, today)
    history = [table[column] for column in ("frequency", "recency", "T")]
    purchases = BetaGeoFitter(penalizer_coef=PENALIZER).fit(*history)
    spend = GammaGammaFitter(penalizer_coef=PENALIZER).fit(table.frequency, table.monetary)
    table["sales_4_weeks"] = purchases.predict(4, *history)
    table["sales_12_weeks"] = purchases.predict(12, *history)
    table["average_profit"] = spend.conditional_expected_average_profit(table.frequency, table.monetary)
    table["clv_6_months"] = spend.customer_lifetime_value(
        purchases, *history, table.monetary, time=CLV_MONTHS, freq="W", discount_rate=DISCOUNT_RATE_MONTHLY
    )
    fitted = [("BG/NBD", purchases.params_), ("Gamma-Gamma", spend.params_)]
    rows = [(name, parameter, float(value)) for name, params in fitted for parameter, value in params.items()]
    return table, pd.DataFrame(rows, columns=["model", "parameter", "value"])


def article_customers(orders: ir.Table, analysis_date: date) -> pd.DataFrame:
    """Compute the article's value and forecast of every customer.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the date.
    analysis_date : datetime.date
        The last day that counts. The article counts back from midnight at its end.

    Returns
    -------
    pandas.DataFrame
        Columns of `article_method`, and sales_4_weeks, sales_12_weeks, average_profit and clv_6_months, which are null
        for customers without a forecast.
    """
    totals = orders.group_by("customer_id").agg(
        orders=orders.order_id.nunique(), revenue=exact_sum(orders.revenue).cast("float64")
    )
    forecast, _ = article_forecast(orders, analysis_date + timedelta(days=1))
    valued = article_method(totals.order_by("customer_id").execute())
    return valued.merge(forecast[FORECAST_COLUMNS], on="customer_id", how="left", validate="one_to_one")


@dataclass(frozen=True)
class ArticleResult:
    """The result of the article's method.

    Parameters
    ----------
    customers : pandas.DataFrame or None
        `article_customers`; None if the report does not include the method, or if it cannot be used.
    reason : str
        Why it cannot be used; empty otherwise.
    """

    customers: pd.DataFrame | None = None
    reason: str = ""

    def add_columns(self, customer_table: pd.DataFrame) -> pd.DataFrame:
        """Add the article's value and forecast to the table of all customers, if they were computed.

        Parameters
        ----------
        customer_table : pandas.DataFrame
            `forecast.customer_table`.

        Returns
        -------
        pandas.DataFrame
            The table with the columns of `article_customers`, null for customers without a forecast; unchanged if the
            method was not used.
        """
        if self.customers is None:
            return customer_table
        added = self.customers.drop(columns=["orders", "revenue"])
        return customer_table.merge(added, on="customer_id", validate="one_to_one")

    def tables(self, customer_table: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Return the table `article` to save, by its name; empty if the method was not used.

        Parameters
        ----------
        customer_table : pandas.DataFrame
            `forecast.customer_table`.

        Returns
        -------
        dict of str to pandas.DataFrame
            The table `article`; empty if the method was not used.
        """
        return {} if self.customers is None else {"article": self.add_columns(customer_table)}


def try_article_method(orders: ir.Table, analysis_date: date, include: bool = True) -> ArticleResult:
    """Compute the article's value and forecast, or the reason why these orders do not allow it.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the date.
    analysis_date : datetime.date
        The last day that counts.
    include : bool
        Whether the report includes the method. If not, nothing is computed.

    Returns
    -------
    ArticleResult
        The article's figures by customer, or the reason why they cannot be computed.
    """
    if not include:
        return ArticleResult()
    reason = _obstacle(orders)
    if reason:
        return ArticleResult(reason=reason)
    from lifetimes.utils import ConvergenceError

    try:
        # The optimizer would print its own report of a failure.
        with redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            return ArticleResult(article_customers(orders, analysis_date))
    except ConvergenceError:
        return ArticleResult(reason=NO_CONVERGENCE)


def _obstacle(orders: ir.Table) -> str:
    """Why the method cannot be used on these orders; empty if it can be tried."""
    by_customer = orders.group_by("customer_id").agg(orders=orders.order_id.nunique())
    counts = by_customer.aggregate(customers=by_customer.count(), repeat_buyers=(by_customer.orders > 1).sum())
    found = counts.execute().iloc[0]
    if found.customers < len(ARTICLE_TIERS):
        return TOO_FEW_CUSTOMERS
    if not found.repeat_buyers:
        return NO_REPEAT_BUYER
    return NO_CHURN if found.repeat_buyers == found.customers else ""


def _article_summary(orders: ir.Table, today: date) -> pd.DataFrame:
    table = (
        orders.group_by("customer_id")
        .agg(
            frequency=orders.order_id.nunique(),
            first=orders.ordered_at.min(),
            last=orders.ordered_at.max(),
            monetary=exact_sum(orders.revenue).cast("float64"),
        )
        .order_by("customer_id")
        .execute()
    )
    table = table[(table.monetary > 0) & (table.frequency > 1)].reset_index(drop=True)
    table["recency"] = (table["last"] - table["first"]).dt.days / DAYS_PER_WEEK
    table["T"] = (pd.Timestamp(today) - table["first"]).dt.days / DAYS_PER_WEEK
    return table.drop(columns=["first", "last"])


def _scale(values: pd.Series) -> pd.Series:
    low, high = ARTICLE_SCALE
    span = values.max() - values.min()
    return low + (values - values.min()) / span * (high - low) if span else values * 0 + low


def _tiers(values: pd.Series) -> pd.Series:
    if values.notna().sum() < len(ARTICLE_TIERS):
        return values.astype(str)
    return pd.qcut(values.rank(method="first"), len(ARTICLE_TIERS), labels=list(ARTICLE_TIERS)).astype(str)
