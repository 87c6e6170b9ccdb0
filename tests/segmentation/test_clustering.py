"""Clusters: found whatever the order of the rows, and described in words."""

from datetime import date

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
    assert isinstance(findings.clusters(described, NumberFormat("USD")).sentence, NotApplicable)
