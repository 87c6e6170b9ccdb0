"""The status column that `make new` finds, on all rows."""

import ibis
import pandas as pd

from crm_utils.commands.new_report.statuses import count_texts, find_filter, find_status
from crm_utils.config.report import Status
from crm_utils.sources.expressions import to_condition
from crm_utils.sources.raw_table import RawTable, TextFormat


def part(**columns: list[str]) -> RawTable:
    return RawTable("orders.csv", ibis.memtable(pd.DataFrame(columns, dtype="str")), TextFormat())


def test_words_of_a_shop_become_a_rule_with_rows_and_money():
    orders = part(
        state=["wc-completed", "wc-completed ", "wc-refunded", "wc-failed"],
        total=["10", "20.50", "5", "7"],
        city=list("abcd"),
    )
    found = find_status(count_texts([orders], ["state", "city"], ["total"]))
    assert found is not None
    assert found.rule() == Status(column="state", count=["wc-completed"], refund=["wc-refunded"], ignore=["wc-failed"])
    assert found.open_question() is None
    told = found.describe()
    assert "count 'wc-completed' (2 rows, 50%, 30.50)" in told
    assert "refund 'wc-refunded' (1 row, 25%, 5.00)" in told


def test_a_value_that_is_not_known_is_asked_about_and_in_no_list():
    orders = part(Status=["Complete"] * 8 + ["Closed", "Processing"], total=["1"] * 10)
    found = find_status(count_texts([orders], ["Status"], ["total"]))
    assert found is not None
    assert found.rule() == Status(column="Status", count=["Complete", "Processing"])
    assert "'Closed' (1 row, 1.00)" in (found.open_question() or "")


def test_a_value_far_down_the_file_is_seen():
    orders = part(status=["paid"] * 7000 + ["cancelled"], total=["1"] * 7001)
    found = find_status(count_texts([orders], ["status"], ["total"]))
    assert found is not None and found.rule() == Status(column="status", count=["paid"], ignore=["cancelled"])


def test_a_column_named_like_a_status_comes_first():
    orders = part(shipping=["shipped", "pending"], financial_status=["paid", "voided"])
    found = find_status(count_texts([orders], ["shipping", "financial_status"], []))
    assert found is not None and found.column == "financial_status"


def test_columns_that_are_no_status_are_left_alone():
    orders = part(city=["Bern", "Rome"], state=["paid", "paid"], id=["1", "2"])
    assert find_status(count_texts([orders], ["city", "state", "id"], [])) is None


def test_a_date_of_cancellation_and_a_flag_of_test_orders_become_a_filter():
    orders = part(
        **{"Cancelled at": ["", "2024-01-02", ""], "is_test": ["FALSE", "FALSE", "TRUE"], "total": ["10", "20", "5"]}
    )
    condition, told = find_filter([orders], ["Cancelled at", "is_test"], ["total"]) or ("", "")
    assert condition == "`Cancelled at`.isna() and is_test not in ['TRUE']"
    assert "1 row (20.00)" in told and "1 row (5.00)" in told
    kept = to_condition(condition, orders.table, lambda column: column)
    assert orders.table.filter(kept).total.execute().tolist() == ["10"]


def test_without_marked_rows_there_is_no_filter():
    assert find_filter([part(cancelled_at=["", ""], is_test=["no", "no"])], ["cancelled_at", "is_test"], []) is None
