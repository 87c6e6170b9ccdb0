"""The map of the segments: who prevails where, where a name fits, and who can be reached."""

import pandas as pd
import pytest

from crm_utils.core.formatting import NumberFormat
from crm_utils.segmentation.drawings import draw_named_map, draw_treemap, fit_text, squarify
from crm_utils.segmentation.named_map import Area, largest_areas, prevailing_segments, reachable_shares, segment_anchor

FMT = NumberFormat("USD")


def scored(*rows: tuple[int, int, str, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers and segments from recency score, frequency score, segment and revenue."""
    table = pd.DataFrame(rows, columns=["recency_score", "frequency_score", "segment", "revenue"])
    table["customer_id"] = [f"c{place}" for place in table.index]
    customers = table.drop(columns="segment").assign(recency_days=100 - table.recency_score)
    return customers.assign(orders=table.frequency_score), table


def profile(segments: pd.DataFrame) -> pd.DataFrame:
    sums = segments.groupby("segment").revenue.agg(customers="size", revenue="sum").reset_index()
    return sums.assign(
        revenue_share=sums.revenue / sums.revenue.sum(), customer_share=sums.customers / sums.customers.sum()
    )


CUSTOMERS, SEGMENTS = scored(
    (5, 5, "Best", 50), (5, 5, "Best", 40), (5, 5, "Rest", 9), (5, 2, "Rest", 1), (2, 2, "Rest", 1), (2, 2, "Odd", 3)
)


def test_the_segment_of_most_customers_prevails_and_of_equals_the_richer():
    grid = prevailing_segments(CUSTOMERS, SEGMENTS, 5)
    assert grid[["column", "row", "customers", "segment"]].fillna("–").to_numpy().tolist() == [
        [0, 0, 2, "Odd"],
        [0, 1, 0, "–"],
        [1, 0, 1, "Rest"],
        [1, 1, 3, "Best"],
    ], "the scores 1, 3 and 4, which nobody has, take no room"
    best = grid.iloc[3]
    assert (best.share, best.revenue, best.most_days, best.fewest_orders) == (pytest.approx(2 / 3), 99, 95, 5)
    assert grid.customers.sum() == len(CUSTOMERS)


def test_a_name_goes_to_the_largest_block_of_its_segment():
    table = pd.DataFrame(
        [(0, 0, "A"), (0, 1, "A"), (0, 2, "B"), (1, 0, "C"), (1, 1, "A"), (1, 2, "B")],
        columns=["column", "row", "segment"],
    )
    areas = {"A": Area((0, 1), (1, 1)), "B": Area((0, 1), (2, 2)), "C": Area((1, 1), (0, 0))}
    assert largest_areas(table) == areas, "of two blocks as large the wider one"
    assert largest_areas(table)["A"].n_classes == 2


def test_every_segment_of_the_map_has_its_colour_its_name_and_its_link():
    drawn = draw_named_map(prevailing_segments(CUSTOMERS, SEGMENTS, 5), profile(SEGMENTS), FMT)._repr_html_()
    assert drawn.count("<a href=") == 3
    assert 'href="03_segmentation.html#segment-best"' in drawn
    assert ">Best</text>" in drawn and ">2 · 87%</text>" in drawn
    assert "<title>Last order 95 days ago, 5 orders: 3 customers, $99.00. 67% of them are Best.</title>" in drawn
    assert 'aria-label="Map of segments' in drawn


@pytest.mark.parametrize("n_bins", [2, 10])
def test_one_segment_three_customers_and_other_bins_make_a_whole_map(n_bins):
    customers, segments = scored(*[(score, score, "Everybody <b>", 1) for score in (1, 1, n_bins)])
    drawn = draw_named_map(prevailing_segments(customers, segments, n_bins), profile(segments), FMT)._repr_html_()
    assert drawn.count("<a href=") == 2
    assert "Everybody &lt;b&gt;" in drawn and "<b>" not in drawn
    only = prevailing_segments(customers.head(1), segments.head(1), n_bins)
    assert len(only) == 1
    assert draw_named_map(only, profile(segments.head(1)), FMT)._repr_html_().count("<a href=") == 1


def test_a_segments_address_is_that_of_its_list():
    assert segment_anchor("Can't Lose Them") == "segment-cant-lose-them"


def test_who_agreed_on_any_channel_can_be_reached():
    segments = pd.DataFrame({"customer_id": list("abc"), "segment": ["A", "A", "B"]})
    contacts = pd.DataFrame({"customer_id": ["a", "a", "c", "x"], "consent": [False, True, False, True]})
    assert reachable_shares(segments, contacts).to_dict() == {"A": 0.5, "B": 0}
    assert reachable_shares(segments, None).empty


def test_areas_of_a_treemap_are_the_values_and_fill_the_box():
    boxes = squarify([6, 6, 4, 3, 2, 2, 1], 6, 4)
    assert [round(width * height, 9) for _, _, width, height in boxes] == [6, 6, 4, 3, 2, 2, 1]
    assert max(left + width for left, _, width, _ in boxes) == pytest.approx(6)
    assert max(top + height for _, top, _, height in boxes) == pytest.approx(4)
    assert boxes[:2] == [(0, 0, 3, 2), (0, 2, 3, 2)], "the example of the paper"


def test_the_treemap_shows_revenue_and_leaves_out_who_has_none():
    table = profile(SEGMENTS).replace({"revenue": {3.0: 0.0}})
    drawn = draw_treemap(table, FMT)._repr_html_()
    assert "Areas by revenue: Best 87%, Rest 11%." in drawn
    assert 'href="#segment-best"' in drawn and "segment-odd" not in drawn
    assert "<title>Best: $90.00, 87% of revenue; 2 customers (33%)</title>" in drawn
    assert draw_treemap(table.assign(revenue=0.0), FMT) is None


def test_text_that_does_not_fit_is_left_out():
    assert fit_text(0, 0, 10, 10, "Customers Needing Attention", ["106"], "#000000") == ""
    assert "106" in fit_text(0, 0, 100, 60, "Customers Needing Attention", ["106"], "#000000")
    assert "106" not in fit_text(0, 0, 100, 26, "Champions of all", ["106 · 12345678901234567890"], "#000000")
