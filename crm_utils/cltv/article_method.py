"""Customer value from the past alone: as the well-known article computes it, and with the dimensions put right.

The article's CLTV = (average order value × purchase frequency ÷ churn) × profit, with purchase frequency = orders ÷ all customers
and profit = margin × revenue. Orders cancel: it is margin × revenue² ÷ (customers × churn), in currency squared.
"""

import io
from contextlib import redirect_stdout
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

PERIOD_DAYS = 91
ARTICLE_MARGIN = 0.05
SCALE = (1, 100)
TIERS = 3


def article_method(customers: pd.DataFrame, margin: float = ARTICLE_MARGIN) -> pd.DataFrame:
    """The article's table from customer_id, orders and revenue.

    Adds average_order_value, purchase_frequency, repeat_rate, churn, profit_margin (an amount), customer_value, cltv (null
    where every customer came back: churn 0), cltv_scaled (1 to 100) and article_tier (A the best third, B, C).
    """
    table = customers[["customer_id", "orders", "revenue"]].copy()
    repeat_rate = (table.orders > 1).sum() / len(table)
    churn = 1 - repeat_rate
    table["average_order_value"] = table.revenue / table.orders
    table["purchase_frequency"] = table.orders / len(table)
    table["repeat_rate"], table["churn"] = repeat_rate, churn
    table["profit_margin"] = table.revenue * margin
    table["customer_value"] = table.average_order_value * table.purchase_frequency
    table["cltv"] = table.customer_value / churn * table.profit_margin if churn else np.nan
    table["cltv_scaled"] = _scaled(table.cltv)
    table["article_tier"] = _article_tiers(table.cltv)
    return table


def quarterly_churn(orders: ir.Table, analysis_date: date) -> float:
    """Churn a period of 13 weeks: of who bought in the 13 weeks before the last, the share that stayed away in the last.

    One customer who left and one who stayed are added (Laplace), so it is never 0 or 1; with nobody to observe it is ½.
    """
    gap = orders.mutate(ago=_days_ago(orders, analysis_date))
    recent = gap.filter((gap.ago >= 0) & (gap.ago < 2 * PERIOD_DAYS))
    by_customer = recent.group_by("customer_id").agg(
        before=(recent.ago >= PERIOD_DAYS).any(), after=(recent.ago < PERIOD_DAYS).any()
    )
    counts = by_customer.aggregate(
        base=by_customer.before.sum().fill_null(0), stayed=(by_customer.before & by_customer.after).sum().fill_null(0)
    ).execute()
    base, stayed = int(counts.base.iloc[0]), int(counts.stayed.iloc[0])
    return (base - stayed + 1) / (base + 2)


def historical_clv(customers: pd.DataFrame, margin_rate: float, churn: float) -> pd.Series:
    """historical_clv: margin rate × mean value of a purchase day × purchase days a period ÷ churn a period, in money.

    A customer's rate counts at least one period, so that last week's newcomer is no weekly buyer. Not discounted.
    """
    periods = np.maximum(customers.customer_age_days / PERIOD_DAYS, 1)
    return margin_rate * customers.mean_purchase_value * (customers.repeat_purchase_days + 1) / periods / churn


def article_forecast(orders: ir.Table, today: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The article's forecast, its conventions kept, by `lifetimes`: per customer, and the fitted parameters.

    Every invoice counts as frequency, total revenue as monetary, customers of one invoice are dropped, penalizer 0.01, whole weeks
    of 7 days since `today`. Returns customer_id, frequency, recency, T (weeks), monetary, sales_4_weeks, sales_12_weeks,
    average_profit, clv_6_months (discount 0.01 a month); and model, parameter, value.
    """
    from lifetimes import BetaGeoFitter, GammaGammaFitter  # slow to import, needed by one report

    table = _article_summary(orders, today)
    behaviour = [table[column] for column in ("frequency", "recency", "T")]
    purchases = BetaGeoFitter(penalizer_coef=0.01).fit(*behaviour)
    spend = GammaGammaFitter(penalizer_coef=0.01).fit(table.frequency, table.monetary)
    table["sales_4_weeks"] = purchases.predict(4, *behaviour)
    table["sales_12_weeks"] = purchases.predict(12, *behaviour)
    table["average_profit"] = spend.conditional_expected_average_profit(table.frequency, table.monetary)
    table["clv_6_months"] = spend.customer_lifetime_value(
        purchases, *behaviour, table.monetary, time=6, freq="W", discount_rate=0.01
    )
    fitted = [("BG/NBD", purchases.params_), ("Gamma-Gamma", spend.params_)]
    rows = [(name, parameter, float(value)) for name, params in fitted for parameter, value in params.items()]
    return table, pd.DataFrame(rows, columns=["model", "parameter", "value"])


def article_customers(orders: ir.Table, analysis_date: date) -> pd.DataFrame:
    """The article's value of every customer (`article`), with its forecast (`predicted`) of those it forecasts.

    The article counts back from midnight at the end of the analysis date.
    """
    counted = orders.group_by("customer_id").agg(
        orders=orders.order_id.nunique(), revenue=orders.revenue.cast("decimal(38, 4)").sum().cast("float64")
    )
    forecast, _ = article_forecast(orders, analysis_date + timedelta(days=1))
    columns = ["customer_id", "sales_4_weeks", "sales_12_weeks", "average_profit", "clv_6_months"]
    valued = article_method(counted.order_by("customer_id").execute())
    return valued.merge(forecast[columns], on="customer_id", how="left", validate="one_to_one")


def try_article_method(orders: ir.Table, analysis_date: date) -> tuple[pd.DataFrame | None, str]:
    """`as_in_article`, or None and why the article's method cannot be carried out on these orders."""
    from lifetimes.utils import ConvergenceError

    counts = orders.group_by("customer_id").agg(orders=orders.order_id.nunique())
    found = counts.aggregate(customers=counts.count(), again=(counts.orders > 1).sum()).execute().iloc[0]
    if found.customers < TIERS:
        reason = f"its {TIERS} groups need as many customers"
    elif not found.again:
        reason = "nobody ordered twice, and it forecasts nobody else"
    elif found.again == found.customers:
        reason = "everybody ordered twice, so its churn is 0, by which it divides"
    else:
        try:
            with redirect_stdout(io.StringIO()), np.errstate(all="ignore"):  # the optimiser's own report of a failure
                return article_customers(orders, analysis_date), ""
        except ConvergenceError:
            reason = "its forecast finds no parameters for them"
    return None, reason


def add_article_columns(whole: pd.DataFrame, article: pd.DataFrame) -> pd.DataFrame:
    """The `article` table: `cltv.joined` with the article's value and forecast of each customer."""
    theirs = article.drop(columns=["orders", "revenue"])
    return whole.merge(theirs, on="customer_id", validate="one_to_one")


def _article_summary(orders: ir.Table, today: date) -> pd.DataFrame:
    table = (
        orders.group_by("customer_id")
        .agg(
            frequency=orders.order_id.nunique(),
            first=orders.ordered_at.min(),
            last=orders.ordered_at.max(),
            monetary=orders.revenue.cast("decimal(38, 4)").sum().cast("float64"),
        )
        .order_by("customer_id")
        .execute()
    )
    table = table[(table.monetary > 0) & (table.frequency > 1)].reset_index(drop=True)
    table["recency"] = (table["last"] - table["first"]).dt.days / 7
    table["T"] = (pd.Timestamp(today) - table["first"]).dt.days / 7
    return table.drop(columns=["first", "last"])


def _days_ago(orders: ir.Table, analysis_date: date) -> ir.IntegerColumn:
    return ibis.literal(analysis_date).delta(orders.ordered_at.date(), unit="day")


def _scaled(values: pd.Series) -> pd.Series:
    low, high = SCALE
    span = values.max() - values.min()
    return low + (values - values.min()) / span * (high - low) if span else values * 0 + low


def _article_tiers(values: pd.Series) -> pd.Series:
    return (
        pd.qcut(values.rank(method="first"), 3, labels=["C", "B", "A"]).astype(str)
        if values.notna().sum() > 2
        else values.astype(str)
    )
