"""DataFrames of analysts as our tables."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from crm_utils.core.display.plain_table import plain_table
from crm_utils.core.formatting import NumberFormat

FMT = NumberFormat("GBP")


def rows(frame: pd.DataFrame) -> list[list[str]]:
    table = BeautifulSoup(plain_table(frame, FMT), "html.parser")
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")]


def test_known_columns_have_their_heading_and_format_and_others_their_decimals():
    frame = pd.DataFrame({"customer_id": ["C<1"], "revenue": [1234.4], "orders": [1200], "rate": [0.126]})
    assert rows(frame) == [["Customer id", "Revenue", "Orders", "Rate"], ["C<1", "£1,234", "1,200", "0.13"]]
    assert "C&lt;1" in plain_table(frame, FMT)


@pytest.mark.parametrize("name", ["year", "order_id", "CustomerID", "article number"])
def test_numbers_that_are_names_have_no_thousands_separator(name):
    assert rows(pd.DataFrame({name: [2024]}))[1] == ["2024"]


def test_a_word_that_only_ends_like_a_name_is_a_count():
    assert rows(pd.DataFrame({"paid": [2024]}))[1] == ["2,024"]


def test_the_index_is_shown_if_it_says_something():
    frame = pd.DataFrame({"segment": ["Lost", "Lost", "New"], "n": [1, 2, 4]})
    assert rows(frame.groupby("segment").agg({"n": ["sum", "max"]})) == [
        ["Segment", "N / sum", "N / max"],
        ["Lost", "3", "2"],
        ["New", "4", "4"],
    ]


def test_missing_values_days_and_numbers_as_column_names():
    frame = pd.DataFrame({1: [None, 2.5], "day": pd.to_datetime(["2024-01-31", None])})
    assert rows(frame) == [["1", "Day"], ["–", "2024-01-31"], ["2.5", "–"]]


def test_equal_column_names_and_nested_values():
    frame = pd.concat([pd.Series([1], name="n"), pd.Series([[1, 2]], name="n")], axis=1)
    assert rows(frame) == [["N", "N"], ["1", "[1, 2]"]]


def test_of_a_long_table_the_ends_are_shown_with_the_number_of_rows():
    shown = rows(pd.DataFrame({"n": range(3000)}))
    assert [row[0] for row in shown[1:]] == ["0", "1", "2", "3", "4", "2,995", "2,996", "2,997", "2,998", "2,999"]
    assert "of 3,000 rows" in plain_table(pd.DataFrame({"n": range(3000)}), FMT)


def test_of_a_wide_table_the_first_columns_are_shown_with_their_number():
    frame = pd.DataFrame([range(5000)] * 2)
    assert [len(row) for row in rows(frame)] == [30, 30, 30]
    assert "<caption>The first 30 of 5000 columns</caption>" in plain_table(frame, FMT)


def test_a_count_among_amounts_has_no_currency_sign():
    assert rows(pd.DataFrame({"revenue": [10.0, 30.0]}).describe())[1] == ["count", "2.00"]


def test_an_empty_table():
    assert rows(pd.DataFrame({"n": []})) == [["N"]]
