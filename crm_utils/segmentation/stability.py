"""How firmly customers sit in their segment: would they keep it if chance had dealt other weeks and other customers?"""

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.config import ScoringConfig, SegmentRules
from crm_utils.rfm import scoring
from crm_utils.segmentation.assignment import assign_segments

DRAWS, BLOCK_WEEKS, SEED = 40, 4, 1
MAX_CUSTOMERS = 200_000  # customers looked at


def bootstrap_retention(
    orders: ir.Table, customers: pd.DataFrame, segments: pd.DataFrame, rules: SegmentRules, analysis_date: date
) -> pd.DataFrame:
    """How often customers keep their segment when weeks and customers are resampled: segment, customers, kept, shaky.

    In each draw weeks come in blocks of four, with replacement: a week not drawn loses its orders, a week drawn twice
    counts twice. Cut points are those of customers drawn with replacement. `kept` is the mean share of draws in which
    a customer who has orders left is in the same segment; `shaky` counts customers below one half. Of more than `MOST`
    customers a sample is looked at, and `shaky` is scaled up. No row where customers are scored as in the article or on
    windowed measures.
    """
    config = rules.scoring.config
    if config != ScoringConfig(n_bins=config.n_bins):
        return pd.DataFrame({"segment": [], "customers": [], "kept": [], "shaky": []})
    customers = (
        customers.sample(min(len(customers), MAX_CUSTOMERS), random_state=SEED).sort_index().reset_index(drop=True)
    )
    actual = customers.customer_id.map(segments.set_index("customer_id").segment)
    weekly = _weekly(orders, customers, analysis_date)
    chance = 1 - np.exp(-np.bincount(weekly.row, minlength=len(customers)))  # of having an order left
    draw = np.random.default_rng(SEED)
    same, present = np.zeros(len(customers)), np.zeros(len(customers))
    for _ in range(DRAWS):
        seen = _resampled_orders(weekly, customers, _weights(int(weekly.week.max()) + 1, draw))
        if seen.empty:  # the few weeks of a tiny shop were not drawn
            continue
        rarity = 1 / chance[seen.index]  # whoever is likelier to lose all orders is drawn more often: the mix stays
        others = seen.iloc[draw.choice(len(seen), len(seen), p=rarity / rarity.sum())]
        scored = scoring.score_customers(seen, config, scoring.compute_bin_edges(others, config))
        present[seen.index] += 1
        same[seen.index] += assign_segments(scored, rules, analysis_date).segment == actual.loc[seen.index]
    share = pd.Series(np.divide(same, present, out=np.full(len(same), np.nan), where=present > 0))
    table = pd.DataFrame({"segment": actual, "kept": share, "shaky": share < 0.5})
    means = table.groupby("segment").agg(kept=("kept", "mean"), shaky=("shaky", "mean"))
    sizes = segments.segment.value_counts().reindex(means.index)
    means = means.assign(customers=sizes, shaky=(means.shaky * sizes).round().astype("int64"))
    return means[["customers", "kept", "shaky"]].reset_index()


def _weekly(orders: ir.Table, customers: pd.DataFrame, analysis_date: date) -> pd.DataFrame:
    """Each customer's weeks with orders, the latest first: row (of the customer), week (back from the date), orders, revenue, age (days)."""
    theirs = orders.semi_join(ibis.memtable(customers[["customer_id"]]), "customer_id")
    aged = theirs.mutate(age=ibis.literal(analysis_date).delta(theirs.ordered_at.date(), unit="day"))
    aged = aged.mutate(week=(aged.age // 7).cast("int64"))
    sums = aged.group_by("customer_id", "week").agg(
        orders=aged.count(), revenue=aged.revenue.cast("decimal(38, 4)").sum().cast("float64"), age=aged.age.min()
    )
    weekly = sums.order_by("customer_id", "week").execute()
    rows = pd.Series(customers.index, index=customers.customer_id)
    return weekly.assign(row=rows.reindex(weekly.customer_id).to_numpy())


def _weights(weeks: int, draw: np.random.Generator) -> np.ndarray:
    """How often each week is drawn: blocks of neighbouring weeks, wrapped at the ends, as many weeks as there are."""
    starts = draw.integers(0, weeks, -(-weeks // BLOCK_WEEKS))
    drawn = (starts[:, None] + np.arange(BLOCK_WEEKS)).ravel()[:weeks] % weeks
    return np.bincount(drawn, minlength=weeks)


def _resampled_orders(weekly: pd.DataFrame, customers: pd.DataFrame, weights: np.ndarray) -> pd.DataFrame:
    """The customers who have orders in the drawn weeks, measured by these."""
    times = weights[weekly.week.to_numpy()]
    left = weekly[times > 0]
    times = times[times > 0]
    grouped = left.assign(orders=left.orders * times, revenue=left.revenue * times).groupby("row")
    seen = grouped.agg(orders=("orders", "sum"), revenue=("revenue", "sum"), recency_days=("age", "first"))
    known = customers.loc[seen.index, ["customer_id", "first_order", "last_order"]]
    return known.join(seen.assign(mean_order_value=seen.revenue / seen.orders))
