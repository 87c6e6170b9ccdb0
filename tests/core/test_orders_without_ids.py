"""Line items without order ids: one order per customer and day if they name products, else one per line."""

import ibis
import pandas as pd
import pytest

from crm_utils.core.orders import orders_from_lines

ROWS = [
    ("a", "2023-01-01 09:00", 5.0),
    ("a", "2023-01-01 18:00", 7.0),
    ("a", "2023-01-02", 1.0),
    ("b", "2023-01-01", 2.0),
]


def orders(**columns: list[str]) -> dict[str, float]:
    """Revenue by order of four lines: two of `a` on one day, one on the next, one of `b`."""
    frame = pd.DataFrame(ROWS, columns=["customer_id", "ordered_at", "amount"]).assign(**columns)
    frame["ordered_at"] = pd.to_datetime(frame.ordered_at, format="mixed")
    return orders_from_lines(ibis.memtable(frame)).execute().set_index("order_id").revenue.to_dict()


@pytest.mark.parametrize("column", ["product_id", "description"])
def test_lines_of_products_are_grouped_by_customer_and_day(column):
    assert orders(**{column: list("xyxx")}) == {"a-20230101": 12, "a-20230102": 1, "b-20230101": 2}


def test_lines_without_products_are_orders_of_their_own():
    assert orders() == {"a-20230101-1": 5, "a-20230101-2": 7, "a-20230102-1": 1, "b-20230101-1": 2}


def test_order_ids_of_the_source_stay():
    assert orders(order_id=list("1234"), product_id=list("xyxx")) == {"1": 5, "2": 7, "3": 1, "4": 2}
