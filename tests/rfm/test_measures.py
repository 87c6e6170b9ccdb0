"""RFM scores and segments: equal values, row order, the worked ledger, and maps that must be complete."""

from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_utils.config import ScoringConfig, SegmentMap, parse_model, read_yaml
from crm_utils.core import errors
from crm_utils.core.errors import ParamsError
from crm_utils.rfm import cells, measures, scoring
from crm_utils.segmentation import assignment
from crm_utils.segmentation.profile import segment_profile
from tests.support.factories import by_quantiles
from tests.support.segment_factories import segment_rules

MAPS = Path(__file__).parents[2] / "params" / "segments"


def test_measures_worked_by_hand():
    placed = ibis.memtable(
        pd.DataFrame(
            {
                "customer_id": ["a", "a", "b"],
                "order_id": ["1", "2", "3"],
                "ordered_at": pd.to_datetime(["2024-01-01 23:59", "2024-03-01 00:01", "2024-03-31 08:00"]),
                "revenue": [0.1, 0.2, 5.0],
            }
        )
    )
    measured = measures.compute_rfm(placed, date(2024, 3, 31)).set_index("customer_id")
    assert measured.recency_days.to_dict() == {"a": 30, "b": 0}, "calendar days, whatever the hour"
    assert measured.orders.to_dict() == {"a": 2, "b": 1}
    assert measured.revenue["a"] == 0.3, "decimals: 0.1 + 0.2 is 0.3"
    assert measured.mean_order_value["a"] == 0.15


def test_measures_that_only_some_configurations_score():
    placed = ibis.memtable(
        pd.DataFrame(
            {
                "customer_id": ["a", "a", "a", "b", "c"],
                "ordered_at": pd.to_datetime(
                    ["2023-03-31 10:00", "2023-04-01 10:00", "2024-02-29 08:00", "2024-03-18 00:00", "2022-01-01 08:00"]
                ),
                "revenue": [1.0, 2, 4, 8, 16],
            }
        )
    )

    def measured(column: str, **config: str) -> list:
        return measures.compute_rfm(placed, date(2024, 3, 31), ScoringConfig(**config))[column].tolist()

    assert measured("recency_weeks", recency_unit="weeks") == [31 // 7, 1, 820 // 7]
    assert measured("recency_months", recency_unit="months") == [1, 0, 26]
    assert measured("elapsed_days", recency_unit="elapsed days") == [30, 13, 819]
    assert measured("purchase_days", frequency_measure="purchase days") == [3, 1, 1]
    year = {"window": "12 months to the analysis date", "monetary_measure": "average"}
    assert measured("window_orders", **year) == [2, 1, 0], "31 March 2023 is outside, 1 April inside"
    assert measured("window_revenue", **year) == [6, 8, 0]
    assert measured("window_mean_order_value", **year) == [3, 8, 0]
    to_last_order = year | {"window": "12 months to each customer's last purchase"}
    assert measured("window_orders", **to_last_order) == [3, 1, 1]
    assert measured("recency_months", recency_unit="months", **year) == [1, 0, 26]
    assert measured("window_purchase_days", frequency_measure="purchase days", **year) == [2, 1, 0]
    assert measured("window_purchase_days", frequency_measure="purchase days", **to_last_order) == [3, 1, 1]


def test_full_months_end_on_the_same_day_of_the_month():
    orders = ["2024-02-15", "2024-02-16", "2024-02-14", "2023-03-15"]
    months = measures._full_months(pd.Series(pd.to_datetime(orders)), pd.Timestamp("2024-03-15"))
    assert months.tolist() == [1, 0, 1, 12]


def test_quantile_scores_of_ten_values():
    values = pd.Series([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], name="spend")
    assert by_quantiles(values, 5).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert by_quantiles(values, 5, low_is_best=True).tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert by_quantiles(values, 2).tolist() == [1] * 5 + [2] * 5


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(2, 10), st.booleans())
def test_equal_values_get_equal_scores_in_any_order(values, n_bins, low_is_best):
    series = pd.Series(values, name="x", dtype=float)
    scores = by_quantiles(series, n_bins, low_is_best)
    assert scores.between(1, n_bins).all()
    assert scores.groupby(series).nunique().eq(1).all()
    shuffled = series.sample(frac=1, random_state=1)
    assert by_quantiles(shuffled, n_bins, low_is_best).sort_index().tolist() == scores.tolist()
    steps = scores.groupby(series).first().diff().dropna()
    assert ((steps <= 0) if low_is_best else (steps >= 0)).all()


def test_duplicating_every_customer_changes_no_score():
    values = pd.Series(np.random.default_rng(1).gamma(1, 50, 200), name="x")
    twice = pd.concat([values, values], ignore_index=True)
    assert by_quantiles(twice, 5).tolist() == by_quantiles(values, 5).tolist() * 2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_or_infinite_money_is_refused_with_a_count(bad):
    with pytest.raises(errors.ScoringError, match="revenue: 2 of 3 values are missing or infinite"):
        by_quantiles(pd.Series([1.0, bad, bad], name="revenue"), 5)


def customers(**columns) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "recency_days": [1, 2, 3, 4, 5],
            "orders": [5, 4, 3, 2, 1],
            "revenue": [50.0, 40, 30, 20, 10],
        }
    )
    return frame.assign(**columns)


def test_cells_name_recency_frequency_monetary_in_this_order():
    assert scoring.score_customers(customers(), 5).rfm_cell.tolist() == ["555", "444", "333", "222", "111"]
    assert scoring.score_customers(customers(), 5).rfm_cell.dtype == "str"
    assert scoring.score_customers(customers(revenue=[10.0, 20, 30, 40, 50]), 5).rfm_cell.tolist() == [
        "551",
        "442",
        "333",
        "224",
        "115",
    ]


def test_all_customers_equal_share_one_cell():
    scored = scoring.score_customers(customers(recency_days=3, orders=1, revenue=9.0), 5)
    assert scored.rfm_cell.unique().tolist() == ["111"]
    cuts = scoring.score_boundaries(scored, ScoringConfig())
    assert cuts[cuts.score > 1].customers.sum() == 0


def test_the_grid_holds_every_customer_and_all_revenue():
    grid = cells.rf_grid(scoring.score_customers(customers(), 5))
    assert grid.columns.tolist() == ["recency_score", "frequency_score", "customers", "revenue"]
    assert (len(grid), grid.customers.sum(), grid.revenue.sum()) == (25, 5, 150.0)
    assert len(cells.rf_grid(scoring.score_customers(customers(), 3), 3)) == 9
    filled = grid[grid.customers > 0]
    assert filled.to_numpy().tolist() == [[n, n, 1, 10.0 * n] for n in range(1, 6)]
    assert (grid.customers == 0).sum() == 20 and grid[grid.customers == 0].revenue.eq(0).all()


@pytest.mark.parametrize("name", ["dma11", "rf10"])
def test_shipped_maps_name_each_of_125_cells_once(name):
    names = read_yaml(MAPS / f"{name}.yaml", SegmentMap)
    assert len(names.cells()) == 125
    assert set(names.cells().values()) == set(names.advice())


@pytest.mark.parametrize(
    ("cell", "segment"),
    [
        ("555", "Champions"),
        ("514", "Recent Customers"),  # high-spending new: R ≥ 4, F ≤ 2, M ≥ 4
        ("413", "Recent Customers"),
        ("444", "Loyal Customers"),
        ("355", "Loyal Customers"),
        ("111", "Lost"),
        ("155", "Can't Lose Them"),  # R ≤ 2, F ≥ 4, M ≥ 4
        ("115", "At Risk"),
    ],
)
def test_the_documents_cells_in_dma11(cell, segment):
    assert read_yaml(MAPS / "dma11.yaml", SegmentMap).cells()[cell] == segment


def small_map(cells_of_low: list[dict]) -> dict:
    high = {"name": "High", "meaning": "-", "advice": "-", "cells": [{"recency": 2}]}
    return {
        "title": "t",
        "n_bins": 2,
        "segments": [high, {"name": "Low", "meaning": "-", "advice": "-", "cells": cells_of_low}],
    }


def test_a_map_with_a_hole_names_the_cells():
    with pytest.raises(ParamsError, match="cell 121 is in no segment; cell 122 is in no segment"):
        parse_model(small_map([{"recency": 1, "frequency": 1}]), SegmentMap, "map.yaml")


def test_a_map_with_an_overlap_names_the_cells():
    with pytest.raises(ParamsError, match="cell 221 is in High and Low"):
        parse_model(small_map([{"recency": 1}, {"frequency": 2, "monetary": 1}]), SegmentMap, "map.yaml")


def test_a_map_for_other_classes_is_refused():
    scored = scoring.score_customers(customers(), 4)
    rules = segment_rules(config=ScoringConfig(n_bins=4))
    with pytest.raises(errors.SegmentError, match="made for 5 score classes, but the customers have 4"):
        assignment.assign_segments(scored, rules, date(2024, 3, 31))


def test_the_profile_adds_up_and_keeps_empty_segments():
    scored = scoring.score_customers(customers(), 5)
    names = read_yaml(MAPS / "dma11.yaml", SegmentMap)
    rules = segment_rules(names, new_within_days=None)
    assigned = assignment.assign_segments(scored, rules, date(2024, 3, 31))
    profile = segment_profile(scored, assigned, names.advice())
    assert profile.segment.tolist() == list(names.advice())
    assert profile.customers.sum() == 5
    assert profile.revenue.sum() == 150.0
    assert profile.revenue_share.sum() == pytest.approx(1)
    assert profile.set_index("segment").customers["Recent Customers"] == 0


def test_the_profile_takes_an_analysts_own_segments():
    scored = scoring.score_customers(customers(), 5)
    own = scored[["customer_id"]].assign(segment=["A", "A", "B", "B", "B"])
    profile = segment_profile(scored, own, {"A": "call them"})
    assert profile[["segment", "customers", "advice"]].to_numpy().tolist() == [["A", 2, "call them"], ["B", 3, ""]]
