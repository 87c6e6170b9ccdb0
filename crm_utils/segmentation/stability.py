"""How stable segments are: how often customers keep their segment if weeks and customers are resampled."""

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.config import ScoringConfig, SegmentRules
from crm_utils.core.exact_money import exact_sum
from crm_utils.rfm import scoring
from crm_utils.segmentation.assignment import assign_segments

RESAMPLES = 40
BLOCK_WEEKS = 4
SEED = 1
# If there are more customers, a random sample of this size is used.
MAX_CUSTOMERS = 200_000
# Customers who keep their segment in less than this share of resamples are unstable.
UNSTABLE_BELOW = 0.5
COLUMNS = ["segment", "customers", "bootstrap_retention", "unstable_customers"]


def bootstrap_retention(
    orders: ir.Table, customers: pd.DataFrame, segments: pd.DataFrame, rules: SegmentRules, analysis_date: date
) -> pd.DataFrame:
    """Estimate how often customers keep their segment if weeks and customers are resampled.

    Each of 40 resamples draws blocks of four weeks with replacement. Orders of a week that is not drawn are dropped,
    and those of a week that is drawn twice count twice. Bin edges are computed from customers drawn with replacement.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the analysis date.
    customers, segments : pandas.DataFrame
        The scored customers and their segments.
    rules : SegmentRules
        How the segments were assigned.
    analysis_date : date
        The date of the report.

    Returns
    -------
    pandas.DataFrame
        segment, customers, bootstrap_retention (mean share of resamples in which a customer with orders left stays in
        the segment), unstable_customers (those below one half; scaled up if only a sample was used). Empty unless
        customers are scored by the default method on the default measures.
    """
    config = rules.scoring.config
    if config != ScoringConfig(n_bins=config.n_bins):
        return pd.DataFrame({column: [] for column in COLUMNS})
    sample = customers.sample(min(len(customers), MAX_CUSTOMERS), random_state=SEED).sort_index().reset_index(drop=True)
    segment = sample.customer_id.map(segments.set_index("customer_id").segment)
    retention = _retention(orders, sample, segment, rules, analysis_date)
    table = pd.DataFrame({"segment": segment, "retention": retention, "unstable": retention < UNSTABLE_BELOW})
    means = table.groupby("segment").agg(bootstrap_retention=("retention", "mean"), unstable=("unstable", "mean"))
    sizes = segments.segment.value_counts().reindex(means.index)
    unstable_customers = (means.unstable * sizes).round().astype("int64")
    return means.assign(customers=sizes, unstable_customers=unstable_customers).reset_index()[COLUMNS]


def _retention(
    orders: ir.Table, customers: pd.DataFrame, segment: pd.Series, rules: SegmentRules, analysis_date: date
) -> pd.Series:
    """Return the share of resamples in which each customer keeps the segment; missing if the customer is in none."""
    weekly = _weekly_orders(orders, customers, analysis_date)
    weeks = int(weekly.week.max()) + 1
    chance_of_orders = 1 - np.exp(-np.bincount(weekly.row, minlength=len(customers)))
    rng = np.random.default_rng(SEED)
    times_kept = np.zeros(len(customers))
    times_present = np.zeros(len(customers))
    for _ in range(RESAMPLES):
        resampled = _resampled_customers(weekly, customers, _draws_of_weeks(weeks, rng))
        if resampled.empty:
            # In a tiny shop it can happen that no week with orders is drawn.
            continue
        # Customers who often lose all orders are drawn more often, so that the mix of customers stays the same.
        weights = 1 / chance_of_orders[resampled.index]
        drawn = rng.choice(len(resampled), len(resampled), p=weights / weights.sum())
        edges = scoring.compute_bin_edges(resampled.iloc[drawn], rules.scoring.config)
        scored = scoring.score_customers(resampled, rules.scoring.config, edges)
        is_same = assign_segments(scored, rules, analysis_date).segment == segment.loc[resampled.index]
        times_present[resampled.index] += 1
        times_kept[resampled.index] += is_same
    missing = np.full(len(customers), np.nan)
    return pd.Series(np.divide(times_kept, times_present, out=missing, where=times_present > 0))


def _weekly_orders(orders: ir.Table, customers: pd.DataFrame, analysis_date: date) -> pd.DataFrame:
    """Return each customer's weeks with orders, latest first.

    Columns: row (of the customer), week (counted back from the date), orders, revenue, age_days (of the latest order).
    """
    sampled = orders.semi_join(ibis.memtable(customers[["customer_id"]]), "customer_id")
    aged = sampled.mutate(age_days=ibis.literal(analysis_date).delta(sampled.ordered_at.date(), unit="day"))
    aged = aged.mutate(week=(aged.age_days // 7).cast("int64"))
    sums = aged.group_by("customer_id", "week").agg(
        orders=aged.count(),
        revenue=exact_sum(aged.revenue).cast("float64"),
        age_days=aged.age_days.min(),
    )
    weekly = sums.order_by("customer_id", "week").execute()
    row_of = pd.Series(customers.index, index=customers.customer_id)
    return weekly.assign(row=row_of.reindex(weekly.customer_id).to_numpy())


def _draws_of_weeks(weeks: int, rng: np.random.Generator) -> np.ndarray:
    """Draw blocks of neighbouring weeks, wrapped at the ends, and return how often each week was drawn."""
    starts = rng.integers(0, weeks, -(-weeks // BLOCK_WEEKS))
    drawn = (starts[:, None] + np.arange(BLOCK_WEEKS)).ravel()[:weeks] % weeks
    return np.bincount(drawn, minlength=weeks)


def _resampled_customers(weekly: pd.DataFrame, customers: pd.DataFrame, draws: np.ndarray) -> pd.DataFrame:
    """Return the customers who have orders in the drawn weeks, with the measures of these orders."""
    times = draws[weekly.week.to_numpy()]
    left = weekly[times > 0]
    times = times[times > 0]
    grouped = left.assign(orders=left.orders * times, revenue=left.revenue * times).groupby("row")
    measured = grouped.agg(orders=("orders", "sum"), revenue=("revenue", "sum"), recency_days=("age_days", "first"))
    known = customers.loc[measured.index, ["customer_id", "first_order", "last_order"]]
    return known.join(measured.assign(mean_order_value=measured.revenue / measured.orders))
