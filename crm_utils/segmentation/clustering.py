"""Clusters of customers: k-means on recency, frequency and monetary value."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

CLUSTER_COUNTS = range(3, 9)
# The models are fitted to a sample of this size, because more customers hardly change the centres.
FITTED_CUSTOMERS = 20_000
SILHOUETTE_CUSTOMERS = 2_000
MIN_DIFFERENT_CUSTOMERS = 30
SEED = 1
MEASURES = ["recency_days", "orders", "revenue"]
# A median between AVERAGE_FROM and AVERAGE_TO times the overall median is average. Beyond a factor of VERY it is very
# low or very high.
AVERAGE_FROM = 0.8
AVERAGE_TO = 1.25
VERY = 4


class Cluster(NamedTuple):
    """One row of `describe_clusters`."""

    cluster: int
    description: str
    customers: int
    typical_recency_days: float
    typical_orders: float
    typical_revenue: float
    main_segment: str
    main_share: float


def assign_clusters(customers: pd.DataFrame) -> pd.DataFrame:
    """Assign each customer to a cluster.

    K-means on log(1 + recency, orders, revenue), each scaled to mean 0 and standard deviation 1. The number of clusters
    is the one from 3 to 8 with the highest mean silhouette.

    Parameters
    ----------
    customers : pandas.DataFrame
        Customers as `compute_rfm` returns them.

    Returns
    -------
    pandas.DataFrame
        customer_id, cluster (1 is the cluster with the highest mean revenue). Empty if fewer than 30 customers differ.
    """
    by_id = customers.sort_values("customer_id")
    values = np.log1p(by_id[MEASURES].clip(lower=0).to_numpy(float))
    deviation = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    if len(np.unique(scaled, axis=0)) < MIN_DIFFERENT_CUSTOMERS:
        return pd.DataFrame({"customer_id": customers.customer_id.iloc[:0], "cluster": pd.Series(dtype=int)})
    rng = np.random.default_rng(SEED)
    sample = scaled[rng.permutation(len(scaled))[:FITTED_CUSTOMERS]]
    models = [KMeans(k, n_init=3, random_state=SEED).fit(sample) for k in CLUSTER_COUNTS]
    best = max(models, key=lambda model: _silhouette(model, sample))
    labels = best.predict(scaled)
    rank = by_id.revenue.groupby(labels).mean().rank(ascending=False, method="first").astype(int)
    return pd.DataFrame({"customer_id": by_id.customer_id, "cluster": rank.loc[labels].to_numpy()})


def _silhouette(model: KMeans, sample: np.ndarray) -> float:
    scored = sample[:SILHOUETTE_CUSTOMERS]
    labels = model.predict(scored)
    return silhouette_score(scored, labels) if len(np.unique(labels)) > 1 else -1.0


def describe_clusters(customers: pd.DataFrame, clusters: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Describe each cluster in words, with its medians and its most frequent segment.

    Parameters
    ----------
    customers, clusters, segments : pandas.DataFrame
        The measures, the cluster and the segment of each customer.

    Returns
    -------
    pandas.DataFrame
        cluster, description, customers, typical_recency_days, typical_orders, typical_revenue (medians),
        main_segment, main_share (of the cluster's customers).
    """
    joined = customers.merge(clusters, on="customer_id").merge(segments[["customer_id", "segment"]], on="customer_id")
    overall = joined[MEASURES].median()
    rows = [_describe(int(cluster), group, overall) for cluster, group in joined.groupby("cluster")]
    return pd.DataFrame(rows, columns=Cluster._fields)


def _describe(cluster: int, group: pd.DataFrame, overall: pd.Series) -> Cluster:
    medians = group[MEASURES].median()
    shares = group.segment.value_counts(normalize=True).sort_index().sort_values(ascending=False, kind="stable")
    return Cluster(
        cluster=cluster,
        description=_describe_medians(medians, overall),
        customers=len(group),
        typical_recency_days=medians.recency_days,
        typical_orders=medians.orders,
        typical_revenue=medians.revenue,
        main_segment=shares.index[0],
        main_share=shares.iloc[0],
    )


def _describe_medians(medians: pd.Series, overall: pd.Series) -> str:
    """Compare a cluster's medians with those of all customers, in words."""
    recency = _compare(medians.recency_days, overall.recency_days, "recent", "long ago", "of average recency")
    orders = _compare(medians.orders, overall.orders, "few orders", "many orders", "an average number of orders")
    revenue = _compare(medians.revenue, overall.revenue, "low spending", "high spending", "average spending")
    return f"{recency}, {'one order' if medians.orders == 1 else orders}, {revenue}".capitalize()


def _compare(value: float, overall: float, low: str, high: str, average: str) -> str:
    """Return the word for a value compared with the overall one."""
    if AVERAGE_FROM * overall <= value <= AVERAGE_TO * overall:
        return average
    very = "very " if value < overall / VERY or value > overall * VERY else ""
    return very + (low if value < overall else high)
