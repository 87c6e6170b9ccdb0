"""How often customers keep their segment in resamples."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.rfm import measures, scoring
from crm_utils.segmentation import assignment, stability
from tests.support.segment_factories import query_map, segment_rules, two_kinds_of_customers

RULES = segment_rules()
DAY = date(2023, 12, 31)


@pytest.fixture(scope="module")
def scored() -> pd.DataFrame:
    return scoring.score_customers(measures.compute_rfm(two_kinds_of_customers(), DAY), 5)


def test_stability_of_a_single_order():
    placed = two_kinds_of_customers().limit(1)
    customers = scoring.score_customers(measures.compute_rfm(placed, DAY))
    kept = stability.bootstrap_retention(
        placed, customers, assignment.assign_segments(customers, RULES, DAY), RULES, DAY
    )
    assert kept.customers.tolist() == [1], "a draw without any order is no draw"


def test_stability_is_a_share_and_the_same_in_every_run(scored):
    assigned = assignment.assign_segments(scored, RULES, DAY)
    kept = stability.bootstrap_retention(two_kinds_of_customers(), scored, assigned, RULES, DAY)
    assert kept.customers.sum() == len(scored)
    assert kept.bootstrap_retention.between(0, 1).all()
    assert (kept.unstable_customers <= kept.customers).all()
    pd.testing.assert_frame_equal(
        stability.bootstrap_retention(two_kinds_of_customers(), scored, assigned, RULES, DAY), kept
    )


def test_stability_of_many_customers_is_judged_on_a_sample(scored, monkeypatch):
    assigned = assignment.assign_segments(scored, RULES, DAY)
    whole = stability.bootstrap_retention(two_kinds_of_customers(), scored, assigned, RULES, DAY).set_index("segment")
    monkeypatch.setattr(stability, "MAX_CUSTOMERS", len(scored) * 4 // 5)
    part = stability.bootstrap_retention(two_kinds_of_customers(), scored, assigned, RULES, DAY).set_index("segment")
    assert (part.customers == whole.customers.reindex(part.index)).all()
    assert (part.unstable_customers <= part.customers).all()
    assert np.average(part.bootstrap_retention, weights=part.customers) == pytest.approx(
        np.average(whole.bootstrap_retention, weights=whole.customers), abs=0.1
    )


def test_customers_no_resample_can_confuse_keep_their_segment():
    # Thirty customers bought once for 1, each in another week; ten in every week for 100: no week decides for the ten.
    weeks = pd.date_range("2023-01-02", DAY, freq="7D")
    rows = [(f"x{n}", weeks[n], 1.0) for n in range(30)] + [(f"o{n}", day, 100.0) for n in range(10) for day in weeks]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    orders = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))
    two = query_map(n_bins=2, often="frequency_score == 2", once="frequency_score == 1")
    rules = segment_rules(two, new_within_days=None)
    scored = scoring.score_customers(measures.compute_rfm(orders, DAY), 2)
    kept = (
        stability.bootstrap_retention(orders, scored, assignment.assign_segments(scored, rules, DAY), rules, DAY)
        .set_index("segment")
        .bootstrap_retention
    )
    assert kept["often"] > 0.95
