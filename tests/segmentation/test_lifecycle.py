"""The status of a customer by plain rules."""

from datetime import date

import pandas as pd

from crm_utils.segmentation import lifecycle

DAY = date(2023, 12, 31)
RULES = lifecycle.LifecycleRules(90, 180, 365, 3)


def test_statuses_by_the_first_rule_that_holds():
    first = ["2023-12-01", "2023-01-01", "2023-01-01", "2023-05-01", "2020-01-01"]
    customers = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "first_order": pd.to_datetime(first),
            "recency_days": [10, 20, 180, 181, 366],
            "orders": [5, 3, 2, 9, 9],
        }
    )
    found = lifecycle.lifecycle_status(customers, DAY, RULES).lifecycle
    assert found.dtype == "str"
    assert found.tolist() == ["new", "loyal", "occasional", "at_risk", "churned"]
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
    assert found == ["new", "occasional", "new", "at_risk"], "90 days are new, 91 are not; 365 are not churned"
    only_today = lifecycle.lifecycle_status(customers, DAY, RULES._replace(new_within_days=None)).lifecycle.tolist()
    assert only_today == ["occasional", "occasional", "new", "at_risk"]
