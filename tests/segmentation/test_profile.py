"""The profile of segments, worked by hand."""

import pandas as pd
import pytest

from crm_utils.core.errors import SegmentError
from crm_utils.segmentation.profile import PROFILE_COLUMNS, segment_profile


def test_a_profile_worked_by_hand():
    customers = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "revenue": [10.0, 50.0, 20.0, 20.0],
            "recency_days": [1, 2, 30, 50],
            "orders": [1, 3, 1, 4],
        }
    )
    segments = customers[["customer_id"]].assign(segment=["A", "A", "mine", "A"])
    profile = segment_profile(customers, segments, {"B": "wait", "A": "write"})
    assert profile.columns.tolist() == PROFILE_COLUMNS
    assert profile.drop(columns="advice").iloc[1:].to_numpy().tolist() == [
        ["A", 3, 0.75, 80.0, 0.8, pytest.approx(53 / 3), pytest.approx(8 / 3), pytest.approx(10)],
        ["mine", 1, 0.25, 20.0, 0.2, 30.0, 1.0, 20.0],
    ]
    assert profile.advice.tolist() == ["wait", "write", ""]
    assert profile.iloc[0, :5].tolist() == ["B", 0, 0.0, 0.0, 0.0]
    assert profile.iloc[0, 5:8].isna().all(), "nobody has no mean"


def test_an_analysts_own_segments_are_in_the_order_of_their_names():
    customers = pd.DataFrame({"customer_id": list("abcd"), "revenue": 1.0, "recency_days": 1, "orders": 1})
    segments = customers[["customer_id"]].assign(segment=["y", "A", "x", "y"])
    profile = segment_profile(customers, segments, {"A": "write"})
    assert profile.set_index("segment").customers.to_dict() == {"A": 1, "x": 1, "y": 2}
    assert profile.segment.tolist() == ["A", "x", "y"]
    other_order = segment_profile(customers, segments.iloc[::-1], {"A": "write"})
    assert other_order.equals(profile)
    turned = segment_profile(customers.iloc[::-1], segments, {"A": "write"})
    assert turned.equals(profile), "whatever the index of the customers"


def test_customers_without_one_segment_are_counted():
    customers = pd.DataFrame({"customer_id": list("abc"), "revenue": 1.0, "recency_days": 1, "orders": 1})
    segments = customers[["customer_id"]].assign(segment="A")
    with pytest.raises(SegmentError, match="1 of 3 customers have no segment"):
        segment_profile(customers, segments.head(2), {"A": ""})
    with pytest.raises(SegmentError, match="2 customers have more than one segment"):
        segment_profile(customers, pd.concat([segments, segments.head(2)]), {"A": ""})
