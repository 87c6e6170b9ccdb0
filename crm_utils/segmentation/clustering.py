"""Groups that the data itself suggests: k-means on recency, frequency and money."""

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

CHOICES = range(3, 9)
FITTED_ON, JUDGED_ON = 20_000, 2_000  # customers; more change the centres by nothing that shows
SEED = 1
MEASURES = ["recency_days", "orders", "revenue"]


def assign_clusters(customers: pd.DataFrame) -> pd.DataFrame:
    """The cluster of each customer, the richest cluster first: customer_id, cluster (1 to k).

    K-means on log(1 + recency, orders, revenue), each scaled to mean 0 and deviation 1; k from 3 to 8 by the highest
    mean silhouette. No row where fewer than 30 customers differ.
    """
    ordered = customers.sort_values("customer_id")
    values = np.log1p(ordered[MEASURES].clip(lower=0).to_numpy(float))
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
    if len(np.unique(scaled, axis=0)) < 30:
        return pd.DataFrame({"customer_id": customers.customer_id.iloc[:0], "cluster": pd.Series(dtype=int)})
    draw = np.random.default_rng(SEED)
    sample = scaled[draw.permutation(len(scaled))[:FITTED_ON]]
    fitted = max((_fit(sample, k) for k in CHOICES), key=lambda model: _silhouette(model, sample))
    labels = fitted.predict(scaled)
    rank = ordered.revenue.groupby(labels).mean().rank(ascending=False, method="first").astype(int)
    return pd.DataFrame({"customer_id": ordered.customer_id, "cluster": rank.loc[labels].to_numpy()})


def _fit(sample: np.ndarray, k: int) -> KMeans:
    return KMeans(k, n_init=3, random_state=SEED).fit(sample)


def _silhouette(model: KMeans, sample: np.ndarray) -> float:
    judged = sample[:JUDGED_ON]
    labels = model.predict(judged)
    return silhouette_score(judged, labels) if len(np.unique(labels)) > 1 else -1.0


def describe_clusters(customers: pd.DataFrame, clusters: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Each cluster in words, with its medians and the segment most of it is in.

    Returns cluster, in_words, customers, recency_days, orders, revenue (medians: typical_*), main_segment, main_share.
    """
    joined = customers.merge(clusters, on="customer_id").merge(segments[["customer_id", "segment"]], on="customer_id")
    middle = joined[MEASURES].median()
    rows = []
    for cluster, group in joined.groupby("cluster"):
        own = group[MEASURES].median()
        shares = group.segment.value_counts(normalize=True).sort_index().sort_values(ascending=False, kind="stable")
        rows.append((cluster, _words(own, middle), len(group), *own, shares.index[0], shares.iloc[0]))
    columns = ["cluster", "in_words", "customers", "typical_recency_days", "typical_orders", "typical_revenue"]
    return pd.DataFrame(rows, columns=[*columns, "main_segment", "main_share"])


def _words(own: pd.Series, middle: pd.Series) -> str:
    """How a cluster's medians stand to those of all customers."""
    seen = _compared(own.recency_days, middle.recency_days, "recent", "long ago", "of average recency")
    often = _compared(own.orders, middle.orders, "few orders", "many orders", "an average number of orders")
    spent = _compared(own.revenue, middle.revenue, "low spending", "high spending", "average spending")
    return f"{seen}, {'one order' if own.orders == 1 else often}, {spent}".capitalize()


def _compared(value: float, middle: float, low: str, high: str, between: str) -> str:
    """The word for a value against the middle one; `very` where it is less than a quarter of it, or more than four times."""
    if 0.8 * middle <= value <= 1.25 * middle:
        return between
    very = "very " if value < middle / 4 or value > middle * 4 else ""
    return very + (low if value < middle else high)
