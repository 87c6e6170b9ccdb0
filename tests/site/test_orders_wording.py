"""Pages of data without amounts speak of orders."""

import pytest
from bs4 import BeautifulSoup

from crm_utils.config import Columns
from crm_utils.core.formatting import ORDERS, NumberFormat
from crm_utils.site.orders_wording import NOTICE, notice, reword, speak_of_orders


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("240 customers with 1,310 orders of revenue so far.", "240 customers with 1,310 orders so far."),
        ("The best 10% of customers brought 38% of revenue.", "The best 10% of customers brought 38% of orders."),
        ("They had spent 132 orders.", "They had placed 132 orders."),
        ("Total revenue grew by 153 orders.", "The total number of orders grew by 153 orders."),
        ("Past revenue is known.", "Past orders are known."),
        ("Spend nothing on them", "Spend nothing on them"),
    ],
)
def test_sentences_about_money_become_sentences_about_orders(text: str, expected: str):
    assert reword(text) == expected


def test_an_assumed_value_is_named():
    columns = Columns(customer_id="member", ordered_at="day", amount={"per_order": 35})
    assert "Every order counts as €35" in notice(columns, NumberFormat("EUR")).get_text()
    columns = Columns(customer_id="member", ordered_at="day")
    assert notice(columns, NumberFormat(ORDERS)).get_text() == NOTICE


def test_code_stays_and_descriptions_of_figures_change():
    body = BeautifulSoup('<p>Revenue</p><code>revenue</code><img alt="revenue by month"/>', "html.parser")
    speak_of_orders(body)
    assert str(body) == '<p>Orders</p><code>revenue</code><img alt="orders by month"/>'
