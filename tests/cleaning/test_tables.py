"""Tables of 01_cleaning as a reader sees them."""

import pandas as pd

from crm_utils.cleaning import tables
from crm_utils.core.formatting import NumberFormat
from tests.support.page_tables import cell_texts

FMT = NumberFormat("GBP")


def test_an_incomplete_month_says_so_and_months_are_added_up():
    months = pd.DataFrame(
        {
            "month": pd.to_datetime(["2011-01-01", "2011-02-01"]),
            "revenue": [10.0, 20.0],
            "orders": [1, 2],
            "customers": [1, 2],
            "complete": [True, False],
        }
    )
    texts = cell_texts(tables.months(months, FMT))
    assert [row[0] for row in texts[1:]] == ["January 2011", "February 2011 (incomplete)", "Total"]
    assert texts[-1][1:] == ["£30", "3", ""]


def test_the_largest_cancellations_without_a_sale_come_first():
    unmatched = pd.DataFrame(
        {
            "customer_id": "a",
            "cancellation_id": [f"C{number:02}" for number in range(12)],
            "product_id": "mug",
            "cancelled_at": pd.Timestamp("2011-03-05"),
            "revenue": [-float(number) for number in range(1, 13)],
        }
    )
    shown = tables.unmatched(unmatched, FMT)
    texts = cell_texts(shown)
    assert [row[1] for row in texts[1:]] == [f"C{number:02}" for number in range(11, 1, -1)]
    assert texts[1][3] == "5 March 2011"
    assert "The largest of 12 cancellations without a sale, £78.00 in total" in shown._repr_html_()
    assert tables.unmatched(unmatched.head(0), FMT) is None


def test_quartiles_of_what_is_known():
    features = pd.DataFrame(
        {"price_ratio": [0.5, 1.0, 1.5], "return_share": [0.0, 0.1, 0.2], "margin_rate": None, "main_country": "UK"}
    )
    texts = cell_texts(tables.customer_features(features, FMT))
    assert [row[1:] for row in texts[1:]] == [["0.75", "1.00", "1.25"], ["5.0%", "10.0%", "15.0%"]]
    assert tables.customer_features(features[["main_country"]], FMT) is None
