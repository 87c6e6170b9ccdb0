"""Whether a price is that of one piece or of the line: decided by a total or by products, else asked."""

import ibis
import pandas as pd

from crm_utils.commands.new_report.price_basis import find_price_basis
from crm_utils.sources.raw_table import RawTable, TextFormat

COLUMNS = {"customer_id": "customer", "quantity": "qty", "unit_price": "price"}
QUANTITIES = ["1", "2", "3", "4", "2", "5", "2", "1"]
PRICES = ["10.00", "5.00", "2.00", "1.50", "7.25", "3.00", "4.00", "8.00"]


def judged(columns: dict = COLUMNS, **values: list) -> tuple[dict, list[str]]:
    """The columns and what was decided, for text columns."""
    frame = pd.DataFrame({"customer": "a", "qty": QUANTITIES, "price": PRICES, **values}).astype("str")
    part = RawTable("orders.csv", ibis.memtable(frame), TextFormat())
    guessed: list[str] = []
    return find_price_basis([part], columns, guessed), guessed


def test_a_total_of_quantity_times_price_shows_a_price_per_piece():
    totals = [f"{int(quantity) * float(price):.2f}" for quantity, price in zip(QUANTITIES, PRICES, strict=True)]
    columns, guessed = judged(total=totals)
    assert columns == COLUMNS
    assert "6 of 6 rows with several pieces" in guessed[0]


def test_a_total_that_is_the_price_shows_a_price_of_the_line():
    columns, guessed = judged(total=PRICES)
    assert columns == {"customer_id": "customer", "quantity": "qty", "amount": "total"}
    assert "'total' in 6 of 6 rows" in guessed[0]


def test_a_total_of_the_order_decides_nothing():
    columns, guessed = judged(total=["99.00"] * 8)
    assert (columns, guessed) == (COLUMNS, [])


def test_products_that_cost_the_same_in_every_quantity_show_a_price_per_piece():
    product = [f"p{number % 6}" for number in range(24)]
    columns, guessed = judged(
        COLUMNS | {"product_id": "sku"}, qty=[str(1 + number // 6) for number in range(24)], sku=product,
        price=[f"{2 + int(name[1:])}.00" for name in product], customer=["a"] * 24,
    )  # fmt: skip
    assert columns["unit_price"] == "price"
    assert "6 of 6 products sold in several quantities cost the same" in guessed[0]


def test_products_whose_price_grows_with_the_quantity_show_a_price_of_the_line():
    product, quantities = [f"p{number % 6}" for number in range(24)], [1 + number // 6 for number in range(24)]
    columns, guessed = judged(
        COLUMNS | {"product_id": "sku"}, qty=list(map(str, quantities)), sku=product, customer=["a"] * 24,
        price=[f"{quantity * (2 + int(name[1:]))}.00" for name, quantity in zip(product, quantities, strict=True)],
    )  # fmt: skip
    assert columns["amount"] == "price"
    assert "unit_price" not in columns
    assert "in 6 of 6 products" in guessed[0]


def test_a_name_that_says_per_unit_is_believed():
    frame = {"qty": QUANTITIES, "unit price": PRICES}
    columns, guessed = judged(COLUMNS | {"unit_price": "unit price"}, **frame)
    assert columns["unit_price"] == "unit price"
    assert not guessed
