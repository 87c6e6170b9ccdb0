"""Saved tables can be loaded again, and the message about a broken contract lists every violation."""

import ibis
import pandas as pd
import pytest

from crm_utils.core import contracts
from crm_utils.core.contracts import CONTRACTS, check_contract
from crm_utils.core.errors import TableError
from crm_utils.store import Run

CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["b", "007"],
        "first_order": pd.to_datetime(["2024-01-02", "2024-01-01"]),
        "last_order": pd.to_datetime(["2024-01-02", "2024-01-03"]),
        "recency_days": [2, 1],
        "orders": [1, 2],
        "revenue": [5.0, 7.5],
        "mean_order_value": [5.0, 3.75],
        "recency_score": [1, 5],
        "frequency_score": [1, 5],
        "monetary_score": [1, 5],
        "rfm_cell": ["111", "555"],
    }
)
ORDERS = pd.DataFrame(
    {
        "customer_id": ["b", "a"],
        "order_id": ["2", "1"],
        "ordered_at": pd.to_datetime(["2024-01-02", "2024-01-01"]),
        "revenue": [1.0, 2.0],
        "units": [1.0, 1.0],
        "lines": [1, 1],
    }
)


def test_a_table_comes_back_sorted_with_its_types(tmp_path):
    store = Run(tmp_path)
    store.save(CUSTOMERS, "customers")
    loaded = store.load("customers")
    assert loaded.customer_id.tolist() == ["007", "b"], "ids stay text and sort the table"
    assert str(loaded.first_order.dtype) == "datetime64[us]"
    assert store.scan("customers").schema()["first_order"].is_timestamp()


def test_plain_pandas_reads_dates_as_dates(tmp_path):
    """Whoever opens a published table can compare its dates without a conversion."""
    run = Run(tmp_path)
    run.save(CUSTOMERS, "customers")
    run.save(ibis.memtable(ORDERS), "orders")
    customers = pd.read_parquet(run.path("customers"))
    assert customers.first_order.dtype == customers.last_order.dtype == "datetime64[us]"
    assert (customers.first_order < pd.Timestamp("2024-01-02")).tolist() == [True, False]
    assert pd.read_parquet(run.path("orders")).ordered_at.dtype == "datetime64[us]"
    pd.testing.assert_frame_equal(customers, run.load("customers"))


def test_a_table_that_is_not_required_is_none_if_the_source_has_no_such_data(tmp_path):
    run = Run(tmp_path)
    assert run.load("contacts", required=False) is None
    run.save(CUSTOMERS, "customers")
    assert len(run.load("customers", required=False)) == 2


def test_a_streamed_table_equals_a_saved_one(tmp_path):
    one, other = Run(tmp_path / "one"), Run(tmp_path / "other")
    one.save(ORDERS, "orders")
    other.save(ibis.memtable(ORDERS), "orders")
    pd.testing.assert_frame_equal(one.load("orders"), other.load("orders"))


def test_an_empty_streamed_table_keeps_its_columns(tmp_path):
    store = Run(tmp_path)
    store.save(ibis.memtable(ORDERS).limit(0), "orders")
    assert store.load("orders").columns.tolist() == list(CONTRACTS["orders"].columns)


def test_every_violation_is_listed_with_counts_and_examples():
    broken = CUSTOMERS.assign(orders=[0, -3], revenue=[None, 1.0], recency_days=[1, 1]).drop(columns="rfm_cell")
    with pytest.raises(TableError) as error:
        check_contract(broken, "customers")
    text = str(error.value)
    assert text.startswith("table customers breaks its contract:")
    assert "column rfm_cell is missing" in text
    assert "orders: greater_than(0) fails in 2 rows, for example 0, -3" in text
    assert "revenue: not_nullable fails in 1 row" in text


@pytest.mark.parametrize("counted", [2.7, "2", None], ids=["a fraction", "text", "nothing"])
def test_a_count_is_a_whole_number(counted):
    """An analyst's own 2.7 orders are not cut to 2."""
    assert check_contract(CUSTOMERS.assign(orders=[1.0, 2.0]), "customers").orders.tolist() == [1, 2]
    with pytest.raises(TableError, match="orders is .*; whole numbers are needed") as error:
        check_contract(CUSTOMERS.assign(orders=[1, counted]), "customers")
    assert "TypeError" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"revenue": float("inf")}, "revenue: finite fails in 2 rows, for example inf"),
        ({"revenue": [-float("inf"), 1.0]}, "revenue: finite fails in 1 row, for example -inf"),
        ({"recency_score": [5, 11]}, r"recency_score: in_range\(1, 10\) fails in 1 row, for example 11"),
        ({"recency_score": 0}, r"recency_score: in_range\(1, 10\) fails in 2 rows, for example 0"),
    ],
)
def test_numbers_are_finite_and_scores_are_classes(changes, message):
    with pytest.raises(TableError, match=message):
        check_contract(CUSTOMERS.assign(**changes), "customers")


def test_a_segment_has_a_name():
    own = pd.DataFrame({"customer_id": ["1", "2"], "segment": ["", "A"], "lifecycle": "new"})
    with pytest.raises(TableError, match="segment: not_empty fails in 1 row, for example ''"):
        check_contract(own, "segments")


def test_what_honours_its_contract_is_found_without_pandera(monkeypatch):
    monkeypatch.setattr(contracts, "_violations", None)
    monkeypatch.setattr(contracts.Contract, "schema", None)
    pd.testing.assert_frame_equal(check_contract(CUSTOMERS, "customers"), CUSTOMERS)
    named = pd.DataFrame({"customer_id": ["1"], "segment": ["A"], "lifecycle": ["new"]}).astype("str")
    pd.testing.assert_frame_equal(check_contract(named, "segments"), named)


def test_a_repeated_key_is_refused():
    with pytest.raises(TableError, match="customer_id"):
        check_contract(pd.concat([CUSTOMERS, CUSTOMERS]), "customers")


def test_a_broken_table_replaces_nothing(tmp_path):
    store = Run(tmp_path)
    store.save(CUSTOMERS, "customers")
    with pytest.raises(TableError):
        store.save(CUSTOMERS.drop(columns="revenue"), "customers")
    assert len(store.load("customers")) == 2
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["customers.parquet"]


def test_a_missing_table_says_what_to_run(tmp_path):
    Run(tmp_path).save(CUSTOMERS, "customers")
    with pytest.raises(
        TableError,
        match=r"table segments is not in .*: run the notebook that writes it first \(tables there: customers\)",
    ):
        Run(tmp_path).load("segments")


def test_an_analysts_own_table_needs_no_contract(tmp_path):
    store = Run(tmp_path)
    store.save(pd.DataFrame({"x": [2, 1]}), "mine")
    assert store.load("mine").x.tolist() == [2, 1]


def test_a_folder_without_a_run_says_how_to_fill_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not contain a run: run `make report`"):
        _ = Run(tmp_path).settings
