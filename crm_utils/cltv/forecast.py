"""Customer lifetime value: what each customer is expected to order and to be worth."""

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv.assumptions import ClvAssumptions

HORIZONS = {1: "_1m", 3: "_3m", 6: "_6m", 12: "_12m"}  # months ahead, and the suffix of their columns
ALL = "all"  # what stands for all customers among the segments
TIERS = ("A", "B", "C")  # the most valuable third of customers, the middle, the last
LIKELY_CHURNED_BELOW = 0.5  # a probability of being active below which a valuable customer has gone quiet


def rfm_summary(orders: ir.Table, analysis_date: date) -> pd.DataFrame:
    """What the models see of each customer, from orders as known on the analysis date.

    Returns customer_id, repeat_purchase_days (purchase days after the first), last_purchase_age_days and customer_age_days (days from the first
    purchase to the last and to the analysis date), mean_purchase_value (revenue per purchase day). Orders of one day are one.
    """
    days = (
        orders.mutate(day=orders.ordered_at.date())
        .group_by("customer_id", "day")
        .agg(revenue=lambda t: t.revenue.cast("decimal(38, 4)").sum())
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
    return (
        table.select(
            "customer_id", "repeat_purchase_days", "last_purchase_age_days", "customer_age_days", "mean_purchase_value"
        )
        .order_by("customer_id")
        .execute()
    )


def to_xtT(customers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, t_x and T of the customers, as the models take them."""
    return tuple(
        customers[column].to_numpy(float)
        for column in ("repeat_purchase_days", "last_purchase_age_days", "customer_age_days")
    )


def days_ahead(analysis_date: date, months: int) -> int:
    """Calendar days from the analysis date to the same day `months` later."""
    return (pd.Timestamp(analysis_date) + pd.DateOffset(months=months) - pd.Timestamp(analysis_date)).days


def horizons(analysis_date: date) -> dict[int, int]:
    """Calendar days of each forecast horizon, by its months."""
    return {months: days_ahead(analysis_date, months) for months in HORIZONS}


def forecast_customers(customers: pd.DataFrame, models, analysis_date: date) -> pd.DataFrame:
    """The summary with p_alive (null where not known: for one-time buyers, and for all where dropout is not identified) and what is expected in 1, 3, 6 and 12 months.

    Adds expected_purchase_days and expected_revenue, suffixed _1m, _3m, _6m and _12m, before margin, undiscounted, without season.
    """
    days = list(horizons(analysis_date).values())
    orders, value = models.expected_purchases(customers, days), models.expected_value(customers)
    x, t_x, T = to_xtT(customers)
    known = (x > 0) & models.identified
    columns = {"p_alive": np.where(known, models.purchase.p_alive(x, t_x, T), np.nan)}
    for place, suffix in enumerate(HORIZONS.values()):
        columns[f"expected_purchase_days{suffix}"] = orders[:, place]
        columns[f"expected_revenue{suffix}"] = orders[:, place] * value
    return customers.assign(**columns)


def add_lifetime_value(customers: pd.DataFrame, models, analysis_date: date, terms: ClvAssumptions) -> pd.DataFrame:
    """The customers with clv, clv_low and clv_high, and value_tier: expected profit of the terms' months, discounted.

    clv = margin_rate × value of a purchase × Σ expected purchases in month m ÷ (1 + discount_rate)^(m / 12). Acquisition cost and past purchases are not in it.
    clv_low/high: 90 % interval of the expected value (parameters only, no chance): do not add them up.
    value_tier: A the third of customers with the highest clv, then B and C; equal values by customer_id.
    """
    days = [days_ahead(analysis_date, month) for month in range(1, terms.months + 1)] or [0]
    discount = (1 + terms.discount_rate) ** (-np.arange(1, len(days) + 1) / 12)
    weights = terms.margin_rate * (discount - np.append(discount[1:], 0))[:, None]
    clv = (models.expected_purchases(customers, days) @ weights)[:, 0] * models.expected_value(customers)
    slopes = models.slopes(customers, days, weights)[:, 0, :] / np.maximum(clv, 1e-300)[:, None]
    low, high = models.expected_interval(clv, slopes)
    return customers.assign(clv=clv, clv_low=low, clv_high=high, value_tier=_tiers(clv))


def forecast_totals(
    customers: pd.DataFrame, segments: pd.DataFrame, models, seasons: dict, error, analysis_date: date
) -> pd.DataFrame:
    """The `forecast` table: what all customers and each segment will bring in 1, 3, 6 and 12 months.

    Columns horizon_days, months, segment ("all" first), purchase_days, revenue (with the season where one is known), revenue_low and
    revenue_high (90 % prediction interval: parameters, chance and the `error` of past forecasts), revenue_without_seasonality,
    seasonal_factor (null where not known). `seasons` holds a `season.Season` for each number of months.
    """
    days = horizons(analysis_date)
    named = customers[["customer_id"]].merge(segments, on="customer_id", how="left", validate="one_to_one").segment
    everyone = pd.Series(ALL, index=customers.index)
    table = pd.concat([models.totals(customers, list(days.values()), groups) for groups in (everyone, named)])
    factors = {days[months]: found.factor for months, found in seasons.items()}
    busy = {days[months]: found.days_factor for months, found in seasons.items()}
    known = {days[months]: found.factor if found.known else np.nan for months, found in seasons.items()}
    factor = table.days.map(factors).to_numpy()
    revenue = table.revenue.to_numpy() * factor
    low, high = error.interval(revenue, table.relative_variance.to_numpy())
    return pd.DataFrame(
        {
            "horizon_days": table.days.to_numpy(),
            "months": table.days.map({day: months for months, day in days.items()}).to_numpy(),
            "segment": table.group.to_numpy(),
            "purchase_days": table.purchase_days.to_numpy() * table.days.map(busy).to_numpy(),
            "revenue": revenue,
            "revenue_low": low,
            "revenue_high": high,
            "revenue_without_seasonality": table.revenue.to_numpy(),
            "seasonal_factor": table.days.map(known).to_numpy(),
        }
    )


def most_valuable(customers: pd.DataFrame, segments: pd.DataFrame, rows: int = 10) -> pd.DataFrame:
    """The customers of highest clv: customer_id, segment, purchase_days, silent_days, mean_purchase_value, p_alive,
    clv, clv_low, clv_high.
    """
    best = customers.nlargest(rows, "clv").merge(segments, on="customer_id", how="left")
    return _list_columns(best, "silent_days")


def likely_churned_best(customers: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Of the tenth with the highest past revenue, those more likely gone than not, the highest past revenue first."""
    past = customers.mean_purchase_value * (customers.repeat_purchase_days + 1)
    quiet = customers.assign(past_revenue=past)[
        (past >= past.quantile(0.9)) & (customers.p_alive < LIKELY_CHURNED_BELOW)
    ]
    best = quiet.sort_values(["past_revenue", "customer_id"], ascending=[False, True])
    return _list_columns(best.merge(segments, on="customer_id", how="left"), "past_revenue", "silent_days")


def p_alive_grid(models) -> pd.DataFrame:
    """What a year's customer is worth watching for: P(active) and expected orders of the next year.

    Rows repeat_purchase_days and silent_days, columns p_alive and expected_purchase_days_12m.
    """
    grid = pd.MultiIndex.from_product([range(1, 13), range(0, 361, 30)], names=["repeat_purchase_days", "silent_days"])
    x, gap = (grid.get_level_values(name).to_numpy(float) for name in grid.names)
    args = (x, 365 - gap, np.full(len(x), 365.0))
    return pd.DataFrame(
        {
            "p_alive": models.purchase.p_alive(*args),
            "expected_purchase_days_12m": models.purchase.expected_purchases(*args, 365.0),
        },
        index=grid,
    ).reset_index()


def customer_table(
    customers: pd.DataFrame, segments: pd.DataFrame, valued: pd.DataFrame, terms: ClvAssumptions
) -> pd.DataFrame:
    """RFM, segment and expected value of every customer in one table, the most valuable first.

    Columns of `customers`, segment, and of `valued`: p_alive, expected orders and revenue (_1m to _12m), clv with its range, value_tier and
    what it rests on (horizon_months, margin_rate, discount_rate), historical_clv. Money to cents, the rest to four decimals.
    """
    rests_on = {
        "horizon_months": terms.months,
        "margin_rate": terms.margin_rate,
        "discount_rate": terms.discount_rate,
    }
    known = valued.drop(
        columns=["repeat_purchase_days", "last_purchase_age_days", "customer_age_days", "mean_purchase_value"]
    ).assign(**rests_on)
    known = known.round({name: 2 if "clv" in name or "revenue" in name else 4 for name in known.columns})
    whole = customers.merge(segments[["customer_id", "segment"]], on="customer_id", validate="one_to_one")
    whole = whole.merge(known, on="customer_id", validate="one_to_one")
    whole = whole.round({"revenue": 2, "mean_order_value": 2})
    whole = whole.assign(first_order=whole.first_order.dt.date, last_order=whole.last_order.dt.date)
    return whole.sort_values(["clv", "customer_id"], ascending=[False, True], ignore_index=True)


def value_by_segment(customers: pd.DataFrame, segments: pd.DataFrame, outlook: pd.DataFrame) -> pd.DataFrame:
    """Per segment, the most valuable first: segment, customers, expected_purchase_days_12m, expected_revenue_12m (12 months), revenue_low,
    revenue_high, clv, clv_per_customer.
    """
    joined = customers.merge(segments, on="customer_id", validate="one_to_one")
    table = joined.groupby("segment").agg(
        customers=("clv", "size"),
        expected_purchase_days_12m=("expected_purchase_days_12m", "sum"),
        expected_revenue_12m=("expected_revenue_12m", "sum"),
        clv=("clv", "sum"),
        clv_per_customer=("clv", "mean"),
    )
    ranges = outlook[outlook.months == 12].set_index("segment")
    for place, end in enumerate(("revenue_low", "revenue_high")):
        table.insert(3 + place, end, ranges[end])
    return table.sort_values("clv", ascending=False).reset_index()


def value_deciles(customers: pd.DataFrame) -> pd.DataFrame:
    """Share of all CLV in each tenth of customers, the most valuable first: decile, customers, clv_share."""
    place = customers.clv.rank(method="first", ascending=False).sub(1) * 10 // len(customers) + 1
    table = (
        customers.groupby(place.astype(int))
        .clv.agg(customers="size", clv_share="sum")
        .rename_axis("decile")
        .reset_index()
    )
    return table.assign(clv_share=table.clv_share / customers.clv.sum())


def _tiers(clv: np.ndarray) -> np.ndarray:
    place = np.empty(len(clv), int)
    place[np.argsort(-clv, kind="stable")] = np.arange(len(clv))
    return np.array(TIERS)[place * len(TIERS) // max(len(clv), 1)]


def _list_columns(customers: pd.DataFrame, *extra: str) -> pd.DataFrame:
    columns = [
        "customer_id",
        "segment",
        "purchase_days",
        *extra,
        "mean_purchase_value",
        "p_alive",
        "clv",
        "clv_low",
        "clv_high",
    ]
    return customers.assign(
        purchase_days=customers.repeat_purchase_days + 1,
        silent_days=customers.customer_age_days - customers.last_purchase_age_days,
    )[columns]
