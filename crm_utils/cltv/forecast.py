"""Forecast the purchases, revenue and value of each customer, and of all customers together."""

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.stats import norm

from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.cltv.btyd import CustomerBaseModel, to_xtT
from crm_utils.cltv.btyd.intervals import INTERVAL_LEVEL
from crm_utils.core.constants import ALL
from crm_utils.core.exact_money import exact_sum

# Horizons in months, and the suffix of their columns.
HORIZONS = {1: "_1m", 3: "_3m", 6: "_6m", 12: "_12m"}
# A range from less than a quarter to more than four times the forecast is not given, because it says nothing.
MAX_HALF_WIDTH = float(np.log(4))
# The most valuable third of customers, the middle third and the last third.
VALUE_TIERS = ("A", "B", "C")
# Customers with a lower chance to buy in the next 12 months have gone quiet.
QUIET_BELOW = 0.5
# The best customers are those from this quantile of past revenue on.
BEST_FROM_QUANTILE = 0.9
# The grid of `p_alive_grid`: a customer who first bought a year ago.
GRID_AGE_DAYS = 365
GRID_REPEAT_PURCHASE_DAYS = range(1, 13)
GRID_SILENT_DAYS = range(0, 361, 30)

TOTALS_COLUMNS = ["horizon_days", "months", "segment", "purchase_days", "revenue", "revenue_low", "revenue_high"]
SUMMARY_COLUMNS = ["repeat_purchase_days", "last_purchase_age_days", "customer_age_days", "mean_purchase_value"]


def rfm_summary(orders: ir.Table, analysis_date: date) -> pd.DataFrame:
    """Summarize each customer's purchases for the models. All orders of one day are one purchase day.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the analysis date: customer_id, ordered_at, revenue.
    analysis_date : datetime.date
        The last day that counts.

    Returns
    -------
    pandas.DataFrame
        customer_id; repeat_purchase_days (x: purchase days after the first); last_purchase_age_days (t_x: days from the
        first purchase to the last); customer_age_days (T: days from the first purchase to the analysis date);
        mean_purchase_value (revenue per purchase day).
    """
    days = (
        orders.mutate(day=orders.ordered_at.date())
        .group_by("customer_id", "day")
        .agg(revenue=lambda t: exact_sum(t.revenue))
    )
    grouped = days.group_by("customer_id").agg(
        repeat_purchase_days=days.count() - 1,
        first=days.day.min(),
        last=days.day.max(),
        revenue=days.revenue.sum().cast("float64"),
    )
    table = grouped.mutate(
        last_purchase_age_days=grouped["last"].delta(grouped["first"], unit="day"),
        customer_age_days=ibis.literal(analysis_date).delta(grouped["first"], unit="day"),
        mean_purchase_value=grouped.revenue / (grouped.repeat_purchase_days + 1),
    )
    return table.select("customer_id", *SUMMARY_COLUMNS).order_by("customer_id").execute()


def days_ahead(analysis_date: date, months: int) -> int:
    """Return the calendar days from the analysis date to the same day `months` later."""
    return (pd.Timestamp(analysis_date) + pd.DateOffset(months=months) - pd.Timestamp(analysis_date)).days


def days_back(analysis_date: date, months: int) -> int:
    """Return the days of the last calendar months up to a day."""
    day = pd.Timestamp(analysis_date)
    return (day - (day - pd.DateOffset(months=months))).days


def horizons(analysis_date: date) -> dict[int, int]:
    """Return the calendar days of each forecast horizon, by its months.

    Parameters
    ----------
    analysis_date : datetime.date
        The day of the forecast.

    Returns
    -------
    dict of int to int
        Days by months: 1, 3, 6 and 12.
    """
    return {months: days_ahead(analysis_date, months) for months in HORIZONS}


def horizons_within(analysis_date: date, first_day: date) -> dict[int, int]:
    """Return the horizons, in days by months, that are no longer than the history.

    Parameters
    ----------
    analysis_date : datetime.date
        The last day of the history.
    first_day : datetime.date
        The day of the first order.

    Returns
    -------
    dict of int to int
        Days by months.
    """
    after = pd.Timestamp(analysis_date) + pd.Timedelta(days=1)
    days = horizons(analysis_date)
    return {months: days[months] for months in days if after - pd.DateOffset(months=months) >= pd.Timestamp(first_day)}


def forecast_customers(customers: pd.DataFrame, models: CustomerBaseModel, analysis_date: date) -> pd.DataFrame:
    """Forecast each customer's purchases and revenue in the next 1, 3, 6 and 12 months.

    Parameters
    ----------
    customers : pandas.DataFrame
        `rfm_summary`.
    models : CustomerBaseModel
        The fitted models.
    analysis_date : datetime.date
        The day of the forecast.

    Returns
    -------
    pandas.DataFrame
        The summary with p_alive (null for one-time buyers, and for all customers if dropout is not identified), and
        expected_purchase_days and expected_revenue with suffixes _1m, _3m, _6m and _12m. Revenue is not discounted and
        without season.
    """
    days = list(horizons(analysis_date).values())
    purchases = models.expected_purchases(customers, days)
    value = models.expected_value(customers)
    x, t_x, T = to_xtT(customers)
    known = (x > 0) & models.identified
    columns = {"p_alive": np.where(known, models.purchase.probability_alive(x, t_x, T), np.nan)}
    for index, suffix in enumerate(HORIZONS.values()):
        columns[f"expected_purchase_days{suffix}"] = purchases[:, index]
        columns[f"expected_revenue{suffix}"] = purchases[:, index] * value
    return customers.assign(**columns)


def scale_to_totals(customers: pd.DataFrame, totals: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scale each customer's forecast so that all customers add up to the totals of every horizon.

    What customers should buy between two totals is multiplied by one factor, so no forecast falls with the horizon.
    After the last total its factor goes on.

    Parameters
    ----------
    customers : pandas.DataFrame
        `forecast_customers`.
    totals : pandas.DataFrame
        Index months, increasing; purchase_days and revenue.

    Returns
    -------
    tuple of pandas.DataFrame
        The customers with scaled expected_purchase_days and expected_revenue, and the factors (index months).
    """
    scaled = customers.copy()
    factors = pd.DataFrame(1.0, index=list(HORIZONS), columns=["purchase_days", "revenue"])
    for measure in factors:
        names = {months: f"expected_{measure}{suffix}" for months, suffix in HORIZONS.items()}
        known = [months for months in HORIZONS if months in totals.index and totals[measure].notna()[months]]
        factor, model_before, total_before, before = 1.0, 0.0, 0.0, 0
        for months in known:
            more = customers[names[months]].sum() - model_before
            # Rounding may leave a total just below the one before it.
            factor = max((totals[measure][months] - total_before) / more, 0.0) if more > 0 else factor
            factors.loc[(factors.index > before) & (factors.index <= months), measure] = factor
            model_before, total_before, before = model_before + more, total_before + factor * more, months
        factors.loc[factors.index > before, measure] = factor
        steps = customers[[*names.values()]].diff(axis=1).fillna(customers[[names[1]]])
        scaled[[*names.values()]] = (steps * factors[measure].to_numpy()).cumsum(axis=1)
    return scaled, factors


def factor_by_month(factors: pd.DataFrame, months: int) -> np.ndarray:
    """Return the factor of revenue of each month from 1 to `months` (see `scale_to_totals`)."""
    ends = factors.index.to_numpy()
    position = np.minimum(np.searchsorted(ends, np.arange(1, months + 1)), len(ends) - 1)
    return factors.revenue.to_numpy()[position]


def add_lifetime_value(
    customers: pd.DataFrame,
    models: CustomerBaseModel,
    analysis_date: date,
    assumptions: ClvAssumptions,
    factors: pd.DataFrame,
) -> pd.DataFrame:
    """Add each customer's lifetime value: the expected profit of the coming months, discounted to today.

    clv = margin rate × value of a purchase day × Σ factor × expected purchase days in month m
    ÷ (1 + discount rate)^(m ÷ 12). It does not include acquisition cost or past purchases.

    Parameters
    ----------
    customers : pandas.DataFrame
        `rfm_summary` or `forecast_customers`.
    models : CustomerBaseModel
        The fitted models.
    analysis_date : datetime.date
        The day of the forecast.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.
    factors : pandas.DataFrame
        By what the forecast of each month is multiplied, so that customers add up to the total (`scale_to_totals`).

    Returns
    -------
    pandas.DataFrame
        The customers with clv; clv_low and clv_high (90 % interval of the expected value for uncertain parameters
        without chance, so they must not be added up); value_tier (A is the third of customers with the highest clv,
        then B and C; equal values keep the order of rows).
    """
    days = [days_ahead(analysis_date, month) for month in range(1, assumptions.months + 1)] or [0]
    discount = (1 + assumptions.discount_rate) ** (-np.arange(1, len(days) + 1) / 12)
    worth = discount * factor_by_month(factors, len(days))
    weights = assumptions.margin_rate * (worth - np.append(worth[1:], 0))[:, None]
    clv = (models.expected_purchases(customers, days) @ weights)[:, 0] * models.expected_value(customers)
    log_jacobian = models.jacobian(customers, days, weights)[:, 0, :] / np.maximum(clv, 1e-300)[:, None]
    low, high = models.expected_interval(clv, log_jacobian)
    return customers.assign(clv=clv, clv_low=low, clv_high=high, value_tier=_value_tiers(clv))


def forecast_totals(
    scaled: pd.DataFrame,
    segments: pd.DataFrame,
    models: CustomerBaseModel,
    half_widths: dict[int, float],
    analysis_date: date,
) -> pd.DataFrame:
    """Add up what all customers and each segment will bring in each horizon: the `forecast` table.

    Parameters
    ----------
    scaled : pandas.DataFrame
        The customers of `scale_to_totals`.
    segments : pandas.DataFrame
        customer_id and segment.
    models : CustomerBaseModel
        The fitted models. A segment's range is wider than that of all customers by the chance in it.
    half_widths : dict of int to float
        By months: half the width of the 90 % range of all customers, in logs; null if it is not known. Only these
        horizons are forecast.
    analysis_date : datetime.date
        The day of the forecast.

    Returns
    -------
    pandas.DataFrame
        horizon_days, months, segment ("all" first), purchase_days, revenue, revenue_low and revenue_high (90 %
        prediction interval of revenue; null if no past forecast could be tested, or it says nothing because it is
        wider than `MAX_HALF_WIDTH`).
    """
    days = {months: length for months, length in horizons(analysis_date).items() if months in half_widths}
    if not days:
        kinds = dict.fromkeys(TOTALS_COLUMNS, float) | {"horizon_days": int, "months": int, "segment": str}
        return pd.DataFrame(columns=TOTALS_COLUMNS).astype(kinds)
    segment = scaled[["customer_id"]].merge(segments, on="customer_id", how="left", validate="one_to_one").segment
    tables = []
    for groups in (pd.Series(ALL, index=scaled.index), segment):
        variances = models.totals(scaled, list(days.values()), groups).set_index(["days", "group"]).relative_variance
        for months, length in days.items():
            columns = [f"expected_purchase_days{HORIZONS[months]}", f"expected_revenue{HORIZONS[months]}"]
            sums = scaled[columns].groupby(groups.to_numpy()).sum().set_axis(["purchase_days", "revenue"], axis=1)
            chance = np.log1p(variances[length].reindex(sums.index)) * (groups.nunique() > 1)
            half = np.sqrt(half_widths[months] ** 2 + norm.ppf((1 + INTERVAL_LEVEL) / 2) ** 2 * chance)
            half = half.where(half <= MAX_HALF_WIDTH)
            ends = {"revenue_low": sums.revenue * np.exp(-half), "revenue_high": sums.revenue * np.exp(half)}
            tables.append(sums.assign(**ends, months=months, horizon_days=length).rename_axis("segment").reset_index())
    return pd.concat(tables, ignore_index=True)[TOTALS_COLUMNS]


def most_valuable(customers: pd.DataFrame, segments: pd.DataFrame, rows: int = 10) -> pd.DataFrame:
    """List the customers with the highest lifetime value.

    Parameters
    ----------
    customers : pandas.DataFrame
        `add_lifetime_value` of `forecast_customers`.
    segments : pandas.DataFrame
        customer_id and segment.
    rows : int
        The number of customers to list.

    Returns
    -------
    pandas.DataFrame
        customer_id, segment, purchase_days, silent_days, mean_purchase_value, chance_6m, chance_12m, clv, clv_low,
        clv_high.
    """
    best = customers.nlargest(rows, "clv").merge(segments, on="customer_id", how="left")
    return _list_columns(best, "silent_days")


def is_quiet(customers: pd.DataFrame) -> pd.Series:
    """Return which of the best customers by past revenue will more likely not buy within 12 months (`add_chances`)."""
    spent = _past_revenue(customers)
    repeated = customers.repeat_purchase_days > 0
    return (spent >= spent.quantile(BEST_FROM_QUANTILE)) & repeated & (customers.chance_12m < QUIET_BELOW)


def likely_churned_best(customers: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """List the best customers by past revenue (the top tenth) who have gone quiet.

    Parameters
    ----------
    customers : pandas.DataFrame
        `add_lifetime_value` of `chance.add_chances`.
    segments : pandas.DataFrame
        customer_id and segment.

    Returns
    -------
    pandas.DataFrame
        Columns of `most_valuable` and past_revenue, highest first.
    """
    listed = customers.assign(past_revenue=_past_revenue(customers))[is_quiet(customers)]
    ordered = listed.sort_values(["past_revenue", "customer_id"], ascending=[False, True])
    return _list_columns(ordered.merge(segments, on="customer_id", how="left"), "past_revenue", "silent_days")


def p_alive_grid(models: CustomerBaseModel) -> pd.DataFrame:
    """Compute what the model expects from a customer who first bought a year ago.

    Parameters
    ----------
    models : CustomerBaseModel
        The fitted models.

    Returns
    -------
    pandas.DataFrame
        repeat_purchase_days and silent_days (every combination), p_alive, expected_purchase_days_12m.
    """
    names = ["repeat_purchase_days", "silent_days"]
    grid = pd.MultiIndex.from_product([GRID_REPEAT_PURCHASE_DAYS, GRID_SILENT_DAYS], names=names)
    x = grid.get_level_values("repeat_purchase_days").to_numpy(float)
    silent_days = grid.get_level_values("silent_days").to_numpy(float)
    history = (x, GRID_AGE_DAYS - silent_days, np.full(len(x), float(GRID_AGE_DAYS)))
    return pd.DataFrame(
        {
            "p_alive": models.purchase.probability_alive(*history),
            "expected_purchase_days_12m": models.purchase.expected_purchases(*history, float(GRID_AGE_DAYS)),
        },
        index=grid,
    ).reset_index()


def customer_table(
    scored: pd.DataFrame, segments: pd.DataFrame, valued: pd.DataFrame, assumptions: ClvAssumptions
) -> pd.DataFrame:
    """Join RFM, segment and expected value of every customer: the list customer-values.csv.

    Parameters
    ----------
    scored : pandas.DataFrame
        The table `customers`.
    segments : pandas.DataFrame
        customer_id and segment.
    valued : pandas.DataFrame
        The table `cltv`.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.

    Returns
    -------
    pandas.DataFrame
        Columns of `scored`, segment, p_alive, chance_6m, chance_12m, expected purchase days and revenue (_1m to _12m),
        clv with its range,
        value_tier, historical_clv, horizon_months, margin_rate and discount_rate. Amounts are rounded to cents, other
        values to four decimals, so that expected values still add up to the totals of each segment. The most valuable
        customers come first.
    """
    expected = valued.drop(columns=SUMMARY_COLUMNS).assign(
        horizon_months=assumptions.months,
        margin_rate=assumptions.margin_rate,
        discount_rate=assumptions.discount_rate,
    )
    table = scored.merge(segments[["customer_id", "segment"]], on="customer_id", validate="one_to_one")
    table = table.merge(expected, on="customer_id", validate="one_to_one").sort_values("segment", kind="stable")
    for name in expected.columns.drop("customer_id"):
        if name.startswith("expected_"):
            table[name] = round_to_sum(table[name], 2 if "revenue" in name else 4)
    table = table.round({name: 2 if "clv" in name else 4 for name in expected.columns})
    table = table.round({"revenue": 2, "mean_order_value": 2})
    table = table.assign(first_order=table.first_order.dt.date, last_order=table.last_order.dt.date)
    return table.sort_values(["clv", "customer_id"], ascending=[False, True], ignore_index=True)


def round_to_sum(values: pd.Series, decimals: int) -> pd.Series:
    """Round values so that the sum of any number of neighbours is that of the unrounded ones, to the last decimal.

    Each rounded sum up to a row, less that up to the row before, is within one unit of the last decimal of the value.
    """
    return values.cumsum().round(decimals).diff().fillna(values.iloc[:1].round(decimals)).round(decimals)


def value_by_segment(customers: pd.DataFrame, segments: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Add up expected purchases, revenue and lifetime value by segment.

    Parameters
    ----------
    customers : pandas.DataFrame
        `add_lifetime_value` of `forecast_customers`.
    segments : pandas.DataFrame
        customer_id and segment.
    totals : pandas.DataFrame
        `forecast_totals`.

    Returns
    -------
    pandas.DataFrame
        segment, customers, expected_purchase_days_12m, revenue_low, revenue_high, expected_revenue_12m, clv,
        clv_per_customer; most valuable segment first.
    """
    joined = customers.merge(segments, on="customer_id", validate="one_to_one")
    table = joined.groupby("segment").agg(
        customers=("clv", "size"),
        expected_purchase_days_12m=("expected_purchase_days_12m", "sum"),
        clv=("clv", "sum"),
        clv_per_customer=("clv", "mean"),
    )
    ranges = totals[totals.months == 12].set_index("segment")
    for position, column in enumerate(("revenue", "revenue_low", "revenue_high"), start=2):
        table.insert(position, column, ranges[column])
    table = table.rename(columns={"revenue": "expected_revenue_12m"})
    return table.sort_values("clv", ascending=False).reset_index()


def value_deciles(customers: pd.DataFrame) -> pd.DataFrame:
    """Compute the share of all lifetime value in each tenth of customers.

    Parameters
    ----------
    customers : pandas.DataFrame
        clv, one row per customer.

    Returns
    -------
    pandas.DataFrame
        decile (1 is the most valuable tenth), customers, clv_share.
    """
    rank = customers.clv.rank(method="first", ascending=False)
    decile = rank.sub(1) * 10 // len(customers) + 1
    table = (
        customers.groupby(decile.astype(int))
        .clv.agg(customers="size", clv_share="sum")
        .rename_axis("decile")
        .reset_index()
    )
    return table.assign(clv_share=table.clv_share / customers.clv.sum())


def _past_revenue(customers: pd.DataFrame) -> pd.Series:
    return customers.mean_purchase_value * (customers.repeat_purchase_days + 1)


def _value_tiers(clv: np.ndarray) -> np.ndarray:
    rank = np.empty(len(clv), int)
    rank[np.argsort(-clv, kind="stable")] = np.arange(len(clv))
    return np.array(VALUE_TIERS)[rank * len(VALUE_TIERS) // max(len(clv), 1)]


def _list_columns(customers: pd.DataFrame, *extra: str) -> pd.DataFrame:
    values = ["mean_purchase_value", "chance_6m", "chance_12m", "clv", "clv_low", "clv_high"]
    listed = customers.assign(
        purchase_days=customers.repeat_purchase_days + 1,
        silent_days=customers.customer_age_days - customers.last_purchase_age_days,
    )
    return listed[["customer_id", "segment", "purchase_days", *extra, *values]]
