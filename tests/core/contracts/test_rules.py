"""Rules within a table: they hold, or the message has the rule, the number of rows and an example."""

import numpy as np
import pandas as pd
import pytest

from crm_utils.core.contracts import check_contract, rules
from crm_utils.core.errors import TableError

VALUED = pd.DataFrame(
    {
        "customer_id": ["1", "2", "3"],
        "clv_low": [1.0, np.nan, 0.0],
        "clv": [2.0, 5.0, 0.5],
        "clv_high": [3.0, 6.0, 0.5],
        "value_tier": ["B", "A", "C"],
        "rows_left": [9, 5, 4],
        "rows_removed": [0, 4, 1],
        "share": [2 / 7.5, 5 / 7.5, 0.5 / 7.5],
    }
)
RULES = {
    "range": rules.ascending("clv_low", "clv", "clv_high"),
    "tier": rules.falls_with("value_tier", "clv"),
    "left": rules.running_total("rows_left", "rows_removed"),
    "share": rules.share_of_all("share", "clv"),
    "sum": rules.equal("rows_left + rows_removed", "rows_left * 2 - rows_left + rows_removed"),
    "same": rules.same_in_all_rows("one half", lambda table: table.clv * 0 + 0.5),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_table_that_follows_a_rule_passes(rule):
    assert rules.describe_failure(rule, VALUED, ("customer_id",)) is None
    assert rules.describe_failure(rule, VALUED[:0], ("customer_id",)) is None


@pytest.mark.parametrize(
    ("rule", "changes", "said"),
    [
        ("range", {"clv": [9.0, 5.0, 0.5]}, ["clv_low ≤ clv ≤ clv_high", "1 of 3 rows", "customer_id 1", "clv_high 3"]),
        ("range", {"clv_low": [1.0, 7.0, 0.0]}, ["1 of 3 rows", "customer_id 2", "clv_low 7"]),
        ("tier", {"value_tier": ["C", "A", "B"]}, ["1 of 3 rows", "customer_id 1", "value_tier C"]),
        ("left", {"rows_removed": [0, 3, 1]}, ["rows_left of the row above − rows_removed", "1 of 3 rows"]),
        ("share", {"clv": [4.0, 5.0, 0.5]}, ["share = clv ÷ all clv", "3 of 3 rows"]),
    ],
)
def test_a_broken_rule_is_told_with_rows_and_an_example(rule, changes, said):
    line = rules.describe_failure(RULES[rule], VALUED.assign(**changes), ("customer_id",))
    assert [words for words in said if words not in line] == []


@pytest.mark.parametrize(
    ("table", "column", "nearest"),
    [
        ("segments", "segmnt", "segment"),
        ("segments", "lifecycel", "lifecycle"),
        ("cltv", "expected_revenue_365", "expected_revenue_6m"),
    ],
)
def test_an_unknown_column_near_a_known_one_is_named(table, column, nearest):
    frame = pd.DataFrame({"customer_id": ["1"], column: ["A"]})
    with pytest.raises(TableError, match=f"column {column} is not known; did you mean '{nearest}'"):
        check_contract(frame, table)


def test_columns_of_ones_own_and_those_of_files_of_the_user_are_free():
    segments = pd.DataFrame(
        {"customer_id": ["1"], "segment": ["A"], "lifecycle": ["new"], "region": ["north"], "segment_2023": ["B"]}
    )
    assert "region" in check_contract(segments.drop(columns="segment_2023"), "segments")
    attributes = pd.DataFrame({"customer_id": ["1"], "customer_id_2": ["x"]})
    assert "customer_id_2" in check_contract(attributes, "attributes")
