"""The status of a customer by plain rules."""

from datetime import date

import pandas as pd
import pytest

from crm_utils.segmentation import lifecycle
from tests.support.projects import ROOT
from tests.support.segment_factories import shipped_map

DAY = date(2023, 12, 31)
RULES = lifecycle.LifecycleRules(90, 90, 180, 365)


def test_statuses_by_the_first_rule_that_holds():
    first = ["2023-12-01", "2023-01-01", "2023-01-01", "2023-05-01", "2020-01-01"]
    customers = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "first_order": pd.to_datetime(first),
            "recency_days": [10, 89, 90, 181, 366],
            "orders": [5, 3, 2, 9, 9],
        }
    )
    found = lifecycle.lifecycle_status(customers, DAY, RULES).lifecycle
    assert found.dtype == "str"
    assert found.tolist() == ["new", "active", "cooling", "silent", "gone"]
    assert lifecycle.count_prospects(customers, pd.DataFrame({"customer_id": ["a", "x", "x", "y"]})) == 2
    assert lifecycle.count_prospects(customers, None) == 0


def test_limits_of_days():
    customers = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "first_order": pd.to_datetime(["2023-10-02", "2023-10-01", "2023-12-31", "2022-01-01"]),
            "recency_days": [10, 10, 0, 365],
            "orders": [1, 1, 1, 1],
        }
    )
    found = lifecycle.lifecycle_status(customers, DAY, RULES).lifecycle.tolist()
    assert found == ["new", "active", "new", "silent"], "90 days are new, 91 are not; 365 are not gone"
    only_today = lifecycle.lifecycle_status(customers, DAY, RULES._replace(new_within_days=None)).lifecycle.tolist()
    assert only_today == ["active", "active", "new", "silent"]


@pytest.mark.parametrize("path", sorted((ROOT / "params" / "segments").glob("*.yaml")), ids=lambda path: path.stem)
def test_no_segment_has_the_name_of_a_status(path):
    names = {name.lower() for name in shipped_map(path.stem).advice()}
    assert not names & set(lifecycle.LifecycleStatus)
