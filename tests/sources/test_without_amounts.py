"""Logs without amounts: each order counts as one, or as the average value that the owner names."""

from pathlib import Path

import pandas as pd
import pytest

from crm_utils import sources
from crm_utils.config import Columns, Source, parse_model
from crm_utils.core.errors import ParamsError
from crm_utils.core.formatting import ORDERS, NumberFormat
from tests.support.cleaning_factories import assert_reconciles, clean

ROWS = """order,customer,date,item,pieces
1,anna,2024-01-01,mug,2
1,anna,2024-01-01,bag,1
1,anna,2024-01-01,pin,1
2,anna,2024-01-01,mug,1
3,bert,2024-01-02,mug,1
3,bert,2024-01-02,pin,-1
"""
LOG = {"customer_id": "customer", "ordered_at": "date"}
DAY = pd.Timestamp("2024-01-31").date()


def read(folder: Path, columns: dict, **source):
    (folder / "log.csv").write_text(ROWS)
    source = parse_model({"file": "log.csv"} | source, Source, "source")
    return sources.read_line_items(source, parse_model(columns, Columns, "columns"), folder)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"anna": 4, "bert": 2}),  # each row is an order
        ({"product_id": "item"}, {"anna": 1, "bert": 1}),  # each day is an order
        ({"order_id": "order"}, {"anna": 2, "bert": 1}),
        ({"order_id": "order", "amount": {"per_order": 35}}, {"anna": 70, "bert": 35}),
    ],
)
def test_orders_are_counted_in_place_of_money(tmp_path: Path, more: dict, expected: dict):
    found = clean(read(tmp_path, LOG | more), "drop", DAY)
    assert_reconciles(found)
    known = found["known"].execute()
    assert known.groupby("customer_id").revenue.sum().to_dict() == expected
    assert set(known.revenue.round(6)) <= {1, 35}


def test_lines_that_are_left_out_take_nothing_off_their_order(tmp_path: Path):
    lines = read(tmp_path, LOG | {"order_id": "order", "product_id": "item"}, filter="item != 'mug'")
    known = clean(lines, "drop", DAY)["known"].execute()
    assert known.set_index("order_id").revenue.to_dict() == {"1": 1, "3": 1}


def test_lines_that_take_back_have_no_part_in_an_order(tmp_path: Path):
    lines = read(tmp_path, LOG | {"order_id": "order", "quantity": "pieces", "amount": {"per_order": 1}})
    known = clean(lines, "drop", DAY)["known"].execute()
    assert known.set_index("order_id").revenue.to_dict() == {"1": 1, "2": 1, "3": 1}


def test_status_counts_rows(tmp_path: Path):
    lines = read(tmp_path, LOG, status={"column": "item", "count": ["mug"], "ignore": ["bag", "pin"]})
    assert clean(lines, "drop", DAY)["known"].execute().revenue.sum() == 3


def test_one_of_quantity_and_price_is_not_enough():
    with pytest.raises(ParamsError, match="both quantity and unit_price, or none of them to count orders"):
        parse_model(LOG | {"quantity": "pieces"}, Columns, "columns")
    assert Columns(**LOG).counts_orders
    assert not parse_model(LOG | {"amount": {"per_order": 35}}, Columns, "columns").counts_orders


@pytest.mark.parametrize(
    ("amount", "written"),
    [(1, "1 order"), (1234, "1,234 orders"), (1.25, "1.25 orders"), (0.5, "0.50 orders"), (150.4, "150 orders")],
)
def test_orders_are_written_with_their_noun(amount: float, written: str):
    assert NumberFormat(ORDERS).money(amount) == written
    assert NumberFormat(ORDERS).symbol == ""
