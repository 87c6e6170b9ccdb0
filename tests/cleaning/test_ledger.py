"""From line items to orders: a ledger worked by hand, the CDNOW log, and the relations every ledger keeps."""

from datetime import date

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_utils.cleaning import ledger as ledgers
from crm_utils.cleaning import rules as cleaning
from crm_utils.core import errors, orders

DAY = date(2024, 3, 31)
LINES = [  # customer, order, date, product, quantity, price
    ("a", "1", "2024-01-05 10:00", "book", 2, 10.00),
    ("a", "1", "2024-01-05 10:01", "post", 1, 4.00),
    ("a", "1", "2024-01-05 10:00", "book", 2, 10.00),  # the same line again
    ("a", "2", "2024-02-07 09:00", "pen", 1, 1.10),
    ("b", "3", "2024-03-31 23:59", "pen", 3, 1.10),  # the last minute of the analysis date
    ("b", "4", "2024-04-01 00:00", "pen", 9, 1.10),  # the first after it
    (None, "5", "2024-01-09 12:00", "pen", 1, 1.10),
    ("c", "C6", "2024-01-10 12:00", "pen", -1, 1.10),
    ("d", "7", "2024-01-11 12:00", "pen", 0, 1.10),
    ("e", "8", "2024-01-12 12:00", "pen", 1, 0.00),
]


def table(rows: list[tuple]) -> ibis.Table:
    frame = pd.DataFrame(
        rows, columns=["customer_id", "order_id", "ordered_at", "product_id", "quantity", "unit_price"]
    )
    frame["ordered_at"] = pd.to_datetime(frame.ordered_at)
    lines = ibis.memtable(frame).cast(
        {"quantity": "decimal(18, 4)", "unit_price": "decimal(18, 4)", "customer_id": "string"}
    )
    return lines.mutate(amount=(lines.quantity * lines.unit_price).cast("decimal(18, 4)"))


def ledger(lines: ibis.Table, **knobs) -> tuple[pd.DataFrame, pd.DataFrame]:
    rules = cleaning.removal_rules(lines, DAY, **knobs)
    classified = cleaning.classify(lines, rules)
    log = ledgers.build_ledger(orders.aggregate_lines(classified), list(rules))
    placed = (
        orders.orders_from_lines(cleaning.keep_counted_lines(classified, log, DAY))
        .order_by("customer_id", "order_id")
        .execute()
    )
    return log, placed


def test_a_ledger_worked_by_hand():
    log, placed = ledger(table(LINES), duplicates="drop", exclude_products=["post"])
    expected = pd.DataFrame(
        [
            ("read", 0, 0.0, 10, 5, 58.30),  # 20 + 4 + 20 + 1.10 + 3.30 + 9.90 + 1.10 − 1.10 + 0 + 0
            ("after_analysis_date", 1, 9.90, 9, 5, 48.40),
            ("unknown_customer", 1, 1.10, 8, 5, 47.30),
            ("cancellation", 1, -1.10, 7, 4, 48.40),
            ("excluded_product", 1, 4.00, 6, 4, 44.40),
            ("non_positive_quantity", 1, 0.0, 5, 3, 44.40),
            ("non_positive_amount", 1, 0.0, 4, 2, 44.40),
            ("duplicate", 1, 20.0, 3, 2, 24.40),
        ],
        columns=["rule", "rows_removed", "revenue_removed", "rows_left", "customers_left", "revenue_left"],
    )
    pd.testing.assert_frame_equal(log, expected)
    assert placed[["customer_id", "order_id", "revenue", "units", "lines"]].to_numpy().tolist() == [
        ["a", "1", 20.0, 2.0, 1],
        ["a", "2", 1.10, 1.0, 1],
        ["b", "3", 3.30, 3.0, 1],
    ]


def test_duplicates_are_kept_unless_dropped():
    kept, _ = ledger(table(LINES))
    assert "duplicate" not in kept.rule.tolist()
    assert kept.revenue_left.iloc[-1] == 48.40


def test_excluded_customers_leave_by_a_rule_of_their_own():
    log, placed = ledger(table(LINES), exclude_customers=["a"])
    assert log.set_index("rule").rows_removed["excluded_customer"] == 4
    assert placed.customer_id.tolist() == ["b"]


def test_no_order_left_names_the_first_date():
    lines = table(LINES)
    rules = cleaning.removal_rules(lines, date(2023, 1, 1))
    classified = cleaning.classify(lines, rules)
    log = ledgers.build_ledger(orders.aggregate_lines(classified), list(rules))
    with pytest.raises(errors.CleaningError, match="the first is dated 2024-01-05: choose a later analysis date"):
        cleaning.keep_counted_lines(classified, log, date(2023, 1, 1))


def test_cdnow_reconciles_from_raw_rows_to_orders(cdnow_lines):
    """Source: the log itself; 80 rows at 0 dollars, and 68 customers who never paid anything."""
    rules = cleaning.removal_rules(cdnow_lines, date(1998, 6, 30))
    classified = cleaning.classify(cdnow_lines, rules)
    log = ledgers.build_ledger(orders.aggregate_lines(classified), list(rules))
    first, last = log.iloc[0], log.iloc[-1]
    assert (first.rows_left, first.customers_left, first.revenue_left) == (69_659, 23_570, 2_500_315.63)
    assert (last.rows_left, last.customers_left, last.revenue_left) == (69_579, 23_502, 2_500_315.63)
    assert log.set_index("rule").rows_removed["non_positive_amount"] == 80
    placed = orders.orders_from_lines(cleaning.keep_counted_lines(classified, log, date(1998, 6, 30)))
    assert orders.total_revenue(placed) == pytest.approx(2_500_315.63, abs=0.01)
    assert placed.count().execute() == 69_579


amounts = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.sampled_from(["1", "2", "C3"]),
        st.sampled_from(["2024-01-01", "2024-03-31", "2024-05-01"]),
        st.sampled_from(["book", "post"]),
        st.integers(-2, 3),
        st.sampled_from([0.0, 0.1, 19.99]),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(amounts, st.sampled_from(["keep", "drop"]))
def test_each_ledger_row_is_the_row_above_less_what_was_removed(rows, duplicates):
    lines = table(rows)
    rules = cleaning.removal_rules(lines, DAY, duplicates=duplicates, exclude_products=["post"])
    log = ledgers.build_ledger(orders.aggregate_lines(cleaning.classify(lines, rules)), list(rules))
    assert (log.rows_left.diff().iloc[1:] == -log.rows_removed.iloc[1:]).all()
    assert (log.revenue_left.diff().iloc[1:] + log.revenue_removed.iloc[1:]).abs().max() < 0.001
    assert (log.customers_left.diff().iloc[1:] <= 0).all()
    assert log.rows_left.iloc[0] == len(rows)


def test_orders_without_ids_are_numbered_by_amount_whatever_the_row_order(cdnow_lines):
    some = cdnow_lines.filter(cdnow_lines.customer_id.isin(["00004", "00499", "15681"]))
    shuffled = ibis.memtable(some.execute().sample(frac=1, random_state=3)).cast(dict(some.schema().items()))
    one, other = (
        orders.orders_from_lines(lines).order_by("customer_id", "order_id").execute() for lines in (some, shuffled)
    )
    pd.testing.assert_frame_equal(one, other)
    assert one.order_id.is_unique
    assert one.order_id.iloc[0] == "00004-19970101-1"


def test_a_later_cancellation_leaves_earlier_days_as_they_were():
    placed = ibis.memtable(
        pd.DataFrame(
            {
                "customer_id": ["a", "a", "b"],
                "order_id": ["1", "2", "3"],
                "ordered_at": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-02-01"]),
                "revenue": [10.0, 20.0, 30.0],
                "units": [1.0, 1.0, 1.0],
                "lines": [1, 1, 1],
            }
        )
    )
    adjustments = ibis.memtable(
        pd.DataFrame(
            {
                "customer_id": ["a", "b"],
                "order_id": ["2", "3"],
                "adjusted_at": pd.to_datetime(["2024-03-01", "2024-03-01"]),
                "revenue": [-20.0, -5.0],
            }
        )
    )
    before = orders.orders_as_of(placed, adjustments, date(2024, 2, 29)).order_by("order_id").execute()
    after = orders.orders_as_of(placed, adjustments, date(2024, 3, 1)).order_by("order_id").execute()
    assert before.revenue.tolist() == [10.0, 20.0, 30.0]
    assert after.order_id.tolist() == ["1", "3"], "a fully cancelled order disappears"
    assert after.revenue.tolist() == [10.0, 25.0]


def test_an_incomplete_last_month_is_marked():
    placed = ibis.memtable(
        pd.DataFrame(
            {
                "customer_id": ["a", "b"],
                "ordered_at": pd.to_datetime(["2024-01-31", "2024-02-10"]),
                "revenue": [1.0, 2.0],
            }
        )
    )
    assert orders.monthly_revenue(placed, date(2024, 2, 28)).complete.tolist() == [True, False]
    assert orders.monthly_revenue(placed, date(2024, 2, 29)).complete.tolist() == [True, True]
    assert orders.monthly_revenue(placed, date(2024, 2, 29)).new_customers.tolist() == [1, 1]
