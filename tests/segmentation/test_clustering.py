"""Clusters: found whatever the order of the rows, and described in words."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.formatting import NumberFormat
from crm_utils.rfm import measures, scoring
from crm_utils.segmentation import assignment, clustering, findings
from tests.support.segment_factories import segment_rules, two_kinds_of_customers

RULES = segment_rules()
DAY = date(2023, 12, 31)


@pytest.fixture(scope="module")
def scored() -> pd.DataFrame:
    return scoring.score_customers(measures.compute_rfm(two_kinds_of_customers(), DAY), 5)


def test_clusters_find_the_two_kinds_in_any_row_order(scored):
    found = clustering.assign_clusters(scored)
    kind = scored.customer_id.str[0]
    assert pd.crosstab(kind.to_numpy(), found.cluster.to_numpy()).gt(0).sum().max() == 1, "no cluster mixes the kinds"
    again = clustering.assign_clusters(scored.sample(frac=1, random_state=1)).set_index("customer_id").cluster
    assert again.reindex(found.customer_id).tolist() == found.cluster.tolist()
    described = clustering.describe_clusters(scored, found, assignment.assign_segments(scored, RULES, DAY))
    assert described.customers.sum() == len(scored)
    assert "recent" in described.description[0].lower()
    assert described.description.iloc[-1].lower().startswith(("long ago", "very long ago", "of average"))


def test_clusters_of_customers_who_do_not_differ(scored):
    same = scored.assign(recency_days=1, orders=1, revenue=9.0)
    assert clustering.assign_clusters(same).empty
    described = clustering.describe_clusters(
        same, clustering.assign_clusters(same), assignment.assign_segments(scored, RULES, DAY)
    )
    assert described.columns.tolist() == list(clustering.Cluster._fields)
    assert isinstance(findings.cluster_profiles(described, NumberFormat("USD")).sentence, NotApplicable)


def groups(count: int, size: int = 12) -> pd.DataFrame:
    """Customers in groups that lie far from each other, the later ones with more orders and revenue."""
    draw = np.random.default_rng(2)
    group = np.repeat(np.arange(count), size)
    values = np.exp(3.0 * group[:, None] + draw.normal(0, 0.1, (len(group), 3)))
    frame = pd.DataFrame({"recency_days": 1e9 / values[:, 0], "orders": values[:, 1], "revenue": values[:, 2]})
    return frame.assign(customer_id=[f"{number:04d}" for number in range(len(frame))], group=group)


@pytest.mark.parametrize(("planted", "found"), [(3, 3), (5, 5), (8, 8), (9, 8)])
def test_as_many_clusters_as_groups_from_three_to_eight(planted, found):
    customers = groups(planted)
    clusters = clustering.assign_clusters(customers)
    assert clusters.cluster.nunique() == found
    revenue = customers.revenue.groupby(clusters.cluster.to_numpy()).mean()
    assert revenue.index.tolist() == list(range(1, found + 1))
    assert revenue.is_monotonic_decreasing
    if planted == found:
        assert (clusters.cluster == planted - customers.group).all()


def test_thirty_customers_have_to_differ():
    assert clustering.assign_clusters(groups(3).head(29)).empty
    assert len(clustering.assign_clusters(groups(3).head(30))) == 30


def test_measures_count_by_their_spread_whatever_the_unit():
    customers = groups(4)
    cents = customers.assign(revenue=customers.revenue * 100, recency_days=customers.recency_days)
    assert clustering.assign_clusters(cents).equals(clustering.assign_clusters(customers))
    # A measure that is the same for all customers tells nobody apart.
    flat = customers.assign(orders=1)
    assert clustering.assign_clusters(flat).cluster.tolist() == (4 - customers.group).tolist()


def test_clusters_described_by_hand():
    customers = pd.DataFrame(
        {
            "customer_id": list("abcdef"),
            "recency_days": [10, 20, 30, 100, 100, 100],
            "orders": [1, 1, 5, 2, 2, 2],
            "revenue": [1.0, 2.0, 3.0, 100.0, 110.0, 120.0],
        }
    )
    clusters = pd.DataFrame({"customer_id": list("abcdef"), "cluster": [2, 2, 2, 1, 1, 1]})
    segments = pd.DataFrame({"customer_id": list("fedcba"), "segment": ["B", "A", "B", "A", "C", "C"]})
    found = clustering.describe_clusters(customers, clusters, segments)
    assert found.to_numpy().tolist() == [
        [1, "Long ago, an average number of orders, high spending", 3, 100, 2, 110, "B", pytest.approx(2 / 3)],
        [2, "Recent, one order, very low spending", 3, 20, 1, 2, "C", pytest.approx(2 / 3)],
    ]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (24, "very low"),
        (25, "low"),
        (79, "low"),
        (80, "average"),
        (100, "average"),
        (125, "average"),
        (126, "high"),
        (400, "high"),
        (401, "very high"),
    ],
)
def test_words_for_a_median_against_an_overall_one_of_100(value, word):
    assert clustering._compare(value, 100, "low", "high", "average") == word


def test_what_is_clustered_worked_by_hand(monkeypatch):
    """Logarithms of 1 + each measure, a negative sum of revenue as 0, scaled to mean 0 and standard deviation 1."""
    seen = []

    class Noting(clustering.KMeans):
        def fit(self, sample):
            assert (self.n_init, self.random_state) == (3, clustering.SEED), "three starts, the same in every run"
            seen.append(sample)
            return super().fit(sample)

    monkeypatch.setattr(clustering, "KMeans", Noting)
    customers = groups(3).assign(orders=2)
    customers.loc[[0, 1], "revenue"] = [-3.0, 0.5]
    clustering.assign_clusters(customers)
    assert len(seen) == 6, "three to eight clusters"
    logs = np.log(1 + np.column_stack([customers.recency_days, np.maximum(customers.revenue, 0)]))
    spread = np.sqrt(((logs - logs.sum(axis=0) / 36) ** 2).sum(axis=0) / 36)
    expected = (logs - logs.sum(axis=0) / 36) / spread
    assert np.sort(seen[0][:, [0, 2]], axis=0) == pytest.approx(np.sort(expected, axis=0))
    assert np.ptp(seen[0][:, 1]) == 0, "a measure that is the same for all tells nobody apart"


def test_one_cluster_has_no_silhouette():
    """Two pairs of points, 1 apart within a pair and 9 or more between: (9.5 − 1) ÷ 9.5 and (8.5 − 1) ÷ 8.5."""

    class Labels:
        def __init__(self, *labels: int) -> None:
            self.labels = np.array(labels)

        def predict(self, points: np.ndarray) -> np.ndarray:
            return self.labels[: len(points)]

    points = np.array([[0.0], [1.0], [9.0], [10.0]])
    assert clustering._silhouette(Labels(0, 0, 0, 0), points) == -1
    assert clustering._silhouette(Labels(0, 0, 1, 1), points) == pytest.approx((8.5 / 9.5 + 7.5 / 8.5) / 2)


def test_clusters_of_one_mean_revenue_stay_apart():
    customers = groups(4).assign(revenue=1.0)
    clusters = clustering.assign_clusters(customers).cluster
    assert sorted(clusters.unique()) == [1, 2, 3, 4]
    assert pd.crosstab(clusters.to_numpy(), customers.group).gt(0).to_numpy().sum() == 4
