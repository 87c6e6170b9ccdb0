"""How often customers keep their segment in resamples."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.config import ScoringConfig
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


def test_shares_and_unstable_customers_worked_by_hand(scored, monkeypatch):
    four = scored.head(4)
    segments = four[["customer_id"]].assign(segment=["A", "A", "A", "B"])
    monkeypatch.setattr(stability, "_retention", lambda *_: pd.Series([1.0, 0.5, 0.25, np.nan]))
    found = stability.bootstrap_retention(two_kinds_of_customers(), four, segments, RULES, DAY)
    assert found.to_numpy()[0].tolist() == ["A", 3, pytest.approx(7 / 12), 1], "one half is not below one half"
    assert (found.customers[1], found.unstable_customers[1]) == (1, 0)
    assert pd.isna(found.bootstrap_retention[1])
    own = segment_rules(config=ScoringConfig(window="12 months to the analysis date"))
    assert stability.bootstrap_retention(two_kinds_of_customers(), four, segments, own, DAY).empty


def ledger(*rows: tuple[str, str, float]) -> ibis.Table:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    return ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))


# 31 December is in week 0, 24 December in week 1. c orders in week 1 only.
THREE = ledger(
    ("a", "2023-12-31", 1.0),
    ("a", "2023-12-25", 2.0),
    ("a", "2023-12-24", 4.0),
    ("b", "2023-12-30", 8.0),
    ("b", "2023-12-18", 16.0),
    ("c", "2023-12-20", 32.0),
    ("stranger", "2023-12-20", 32.0),
)


def three() -> pd.DataFrame:
    return measures.compute_rfm(THREE.filter(THREE.customer_id != "stranger"), DAY)


def test_weeks_count_back_from_the_date():
    weekly = stability._weekly_orders(THREE, three(), DAY)
    columns = ["customer_id", "week", "orders", "revenue", "age_days", "row"]
    assert weekly[columns].to_numpy().tolist() == [
        ["a", 0, 2, 3.0, 0, 0],
        ["a", 1, 1, 4.0, 7, 0],
        ["b", 0, 1, 8.0, 1, 1],
        ["b", 1, 1, 16.0, 13, 1],
        ["c", 1, 1, 32.0, 11, 2],
    ]


def test_a_week_that_is_drawn_twice_counts_twice():
    weekly = stability._weekly_orders(THREE, three(), DAY)
    twice = stability._resampled_customers(weekly, three(), np.array([0, 2]))
    columns = ["customer_id", "orders", "revenue", "recency_days", "mean_order_value"]
    assert twice[columns].to_numpy().tolist() == [["a", 2, 8, 7, 4], ["b", 2, 32, 13, 16], ["c", 2, 64, 11, 32]]
    latest = stability._resampled_customers(weekly, three(), np.array([1, 0]))
    assert latest[columns].to_numpy().tolist() == [["a", 2, 3, 0, 1.5], ["b", 1, 8, 1, 8]]


def test_weeks_are_drawn_in_blocks_of_four_neighbours():
    rng = np.random.default_rng(0)
    for weeks in (1, 3, 4, 8, 10, 52):
        draws = [stability._draws_of_weeks(weeks, rng) for _ in range(50)]
        assert all(len(draw) == weeks and draw.sum() == weeks for draw in draws)
    runs = [stability._draws_of_weeks(52, rng) for _ in range(200)]
    alone = np.mean([((run > 0) & (np.roll(run, 1) == 0) & (np.roll(run, -1) == 0)).sum() for run in runs])
    assert alone < 0.2, "hardly ever a week without a neighbour"
    together = np.mean([(run[np.arange(52)] == run[np.arange(52) - 1]).mean() for run in runs])
    assert 0.6 < together < 0.85, "three of four neighbours come from the same block"
    np.testing.assert_allclose(np.mean(runs, axis=0), 1, atol=0.4)


@pytest.mark.parametrize(
    ("weeks", "starts", "times"),
    [(8, [6, 1], [1, 2, 1, 1, 1, 0, 1, 1]), (9, [0, 5, 8], [1, 1, 1, 1, 0, 1, 1, 1, 2]), (3, [2], [1, 1, 1])],
)
def test_blocks_of_weeks_worked_by_hand(weeks, starts, times):
    """Four weeks from each start, from the end on to the first ones; what is too many is left out."""

    class Drawn:
        def integers(self, low: int, high: int, size: int) -> np.ndarray:
            assert (low, high, size) == (0, weeks, len(starts))
            return np.array(starts)

    assert stability._draws_of_weeks(weeks, Drawn()).tolist() == times


def test_a_customer_keeps_the_segment_in_the_share_of_draws_that_leave_orders(monkeypatch):
    # Without week 1, a has 2 of 3 orders, b 1 of 2, and c is not there. Without week 0, a has one order left.
    rules = segment_rules(query_map(n_bins=2, often="orders >= 2", seldom="orders < 2"), new_within_days=None)
    customers = scoring.score_customers(three(), 2)
    segment = pd.Series(["often", "often", "seldom"])
    draws = iter([np.array([1, 1])] * 10 + [np.array([1, 0])] * 10 + [np.array([0, 1])] * 10 + [np.array([0, 0])] * 10)
    seen = set()
    monkeypatch.setattr(stability, "_draws_of_weeks", lambda weeks, _: seen.add(weeks) or next(draws))
    kept = stability._retention(THREE, customers, segment, rules, DAY)
    assert seen == {2}, "orders are in two weeks"
    assert kept.tolist() == [pytest.approx(20 / 30), pytest.approx(10 / 30), 1.0]
    assert next(draws, None) is None, "forty draws"


def test_a_customer_without_orders_in_any_draw_has_no_share(monkeypatch):
    """c orders in week 1 only, which is drawn once or never."""
    rules = segment_rules(query_map(n_bins=2, often="orders >= 2", seldom="orders < 2"), new_within_days=None)
    customers = scoring.score_customers(three(), 2)
    segment = pd.Series(["often", "often", "seldom"])
    for in_week_1, share in ((1, 1.0), (0, np.nan)):
        draws = iter([np.array([1, in_week_1])] + [np.array([1, 0])] * 39)
        monkeypatch.setattr(stability, "_draws_of_weeks", lambda weeks, _, draws=draws: next(draws))
        kept = stability._retention(THREE, customers, segment, rules, DAY)
        assert kept.to_numpy() == pytest.approx([1.0, in_week_1 / 40, share], nan_ok=True)


def test_the_sample_of_customers_is_the_same_in_every_run(monkeypatch):
    customers = pd.DataFrame({"customer_id": [f"c{number:03}" for number in range(100)]})
    seen = []

    def note(_orders, sample, *_) -> pd.Series:
        seen.append(sample.customer_id.tolist())
        return pd.Series(1.0, index=sample.index)

    monkeypatch.setattr(stability, "MAX_CUSTOMERS", 30)
    monkeypatch.setattr(stability, "_retention", note)
    for _ in range(2):
        stability.bootstrap_retention(None, customers, customers.assign(segment="A"), RULES, DAY)
    assert seen[0] == seen[1] == sorted(seen[0]) and len(set(seen[0])) == 30
