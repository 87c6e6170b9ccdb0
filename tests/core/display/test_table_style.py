"""Tables as they stand on a page: written by column, with totals, scopes, a box to scroll in, and what sorts."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from crm_utils.core.display.table_style import style_table
from crm_utils.core.formatting import NumberFormat
from crm_utils.site.table_html import SORTABLE_FROM_ROWS, WIDE_FROM_COLUMNS, make_accessible_html
from tests.support.factories import run_folder

POUNDS = NumberFormat("GBP")


def table(frame: pd.DataFrame, fmt: NumberFormat = POUNDS, **more) -> BeautifulSoup:
    return BeautifulSoup(make_accessible_html(style_table(frame, "A caption", fmt, **more).to_html()), "html.parser")


SEGMENTS = pd.DataFrame({"segment": ["A", "B"], "customers": [1500, 2], "revenue": [10.4, 5.4], "recency_days": [3, 9]})


def test_heads_and_first_cells_say_what_they_head():
    page = table(SEGMENTS)
    assert [head["scope"] for head in page.select("thead th")] == ["col"] * 4
    assert [head["class"] for head in page.select("thead th")] == [["text"], ["number"], ["number"], ["number"]]
    assert [(head.text, head["scope"]) for head in page.select("tbody th")] == [("A", "row"), ("B", "row")]
    assert page.caption.text == "A caption"
    assert page.select("[id^=T_] [id]") == []


def test_totals_are_a_foot_that_adds_up_what_is_named():
    page = table(SEGMENTS, total=("customers", "revenue"))
    assert [cell.text for cell in page.select("tfoot tr > *")] == ["Total", "1,502", "£16", ""]
    assert len(page.select("tbody tr")) == 2
    assert page.select("tfoot th")[0]["scope"] == "row"


def test_one_row_needs_no_total():
    assert table(SEGMENTS.head(1), total=("customers",)).tfoot is None


def test_missing_values_are_dashes_and_text_is_escaped():
    page = table(pd.DataFrame({"segment": ["<b>", None], "customers": [None, 2]}), total=("customers",))
    assert [cell.text for cell in page.select("tbody tr > *")] == ["<b>", "–", "–", "2"]
    assert page.select("tbody b") == []


@pytest.mark.parametrize("rows", [SORTABLE_FROM_ROWS - 1, SORTABLE_FROM_ROWS])
def test_long_tables_sort(rows):
    page = table(pd.DataFrame({"segment": ["A"] * rows, "customers": 1}), total=("customers",))
    assert ("sortable" in page.table["class"]) is (rows == SORTABLE_FROM_ROWS)


@pytest.mark.parametrize("columns", [WIDE_FROM_COLUMNS - 1, WIDE_FROM_COLUMNS])
def test_tables_scroll_in_a_box_with_a_name_and_wide_ones_print_on_their_side(columns):
    box = table(pd.DataFrame({f"c{n}": [1] for n in range(columns)})).find(class_="scroll")
    assert (box["tabindex"], box["role"], box["aria-label"]) == ("0", "region", "A caption")
    assert ("wide" in box["class"]) is (columns == WIDE_FROM_COLUMNS)


def test_a_page_without_tables_is_left_alone():
    assert make_accessible_html("<p>a<br>b") == "<p>a<br>b"


def test_sums_show_cents_only_while_all_of_them_are_small():
    small = pd.DataFrame(
        {"campaign": ["A", "B"], "spend": [3.7, 40.0], "unspent": [-0.001, 0.0], "profit_high": [-1.5, 9.0]}
    )
    assert [cell.text for cell in table(small).select("tbody tr:first-child > *")] == ["A", "£3.70", "£0.00", "−£1.50"]
    large = small.assign(profit_high=[-1.5, 990.0], max_cost_per_contact=0.17)
    assert [cell.text for cell in table(large).select("tbody tr:first-child > *")] == ["A", "£4", "£0", "−£2", "£0.17"]


def test_numbers_have_no_needless_decimals_and_a_true_minus():
    numbers = {"frequency_score": [5.0, 4.0], "unnamed": [-0.254, 2.0], "tenths": [7.0, 8.1], "error": [-0.0001, 0.02]}
    odd = pd.DataFrame({"segment": ["A", "B"], **numbers, "value": [-1.5, 2], "customers": [1, 2]})
    cells = [cell.text for cell in table(odd, total=("customers",)).select("tbody tr:first-child > *")]
    assert cells == ["A", "5", "−0.25", "7.0", "0.0", "−1.5000", "1"]


@pytest.mark.parametrize(("separator", "written"), [(",", "1,500"), (" ", "1\u00a0500"), ("'", "1'500"), ("", "1500")])
def test_thousands_are_written_as_set(separator, written):
    fmt = NumberFormat("GBP", separator)
    numbers = SEGMENTS.assign(revenue=1500.0, value=1500.0)
    cells = [cell.text for cell in table(numbers, fmt).select("tbody tr:first-child > *")]
    assert cells == ["A", written, f"£{written}", "3", f"{written}.0000"]


def test_numbers_written_as_text_stand_like_numbers():
    page = table(pd.DataFrame({"segment": ["A"], "miss": ["+3%"], "reason": ["because"]}))
    assert [cell["class"] for cell in page.select("tbody tr > *")] == [["text"], ["number"], ["text", "long"]]
    assert page.select("tbody td")[0].text == "+3%"


def test_a_report_sets_its_thousands_in_its_parameters(tmp_path):
    fmt = run_folder(tmp_path, thousands_separator="'").number_format
    assert (fmt.count(1500), fmt.money(1500)) == ("1'500", "£1'500")
