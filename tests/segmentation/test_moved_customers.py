"""Who moved since the earlier date, the largest moves, and the revenue since then beside a period as long."""

from datetime import date

import ibis
import pandas as pd
import pytest

from crm_utils.core.formatting import NumberFormat
from crm_utils.rfm import measures, scoring
from crm_utils.segmentation import assignment, drawings, moved_customers, revenue_bridge
from crm_utils.segmentation.revenue_bridge import Bridge, Periods
from tests.support.factories import empty_adjustments
from tests.support.segment_factories import high_and_low, segment_rules

FMT = NumberFormat("GBP")
THEN, NOW = date(2023, 6, 30), date(2023, 9, 30)
NONE = ibis.memtable(empty_adjustments())


def orders(*rows: tuple[str, str, float]) -> ibis.expr.types.Table:
    table = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    table = table.assign(ordered_at=pd.to_datetime(table.ordered_at), units=1.0, lines=1)
    return ibis.memtable(table.assign(order_id=[f"o{place}" for place in table.index]))


ORDERS = orders(
    ("rise", "2023-01-01", 1.0),
    ("rise", "2023-09-01", 500.0),
    ("fall", "2023-05-01", 90.0),
    ("fall", "2023-06-01", 90.0),
    ("stay", "2022-01-01", 1.0),
    ("come", "2023-08-01", 5.0),
)


def test_who_moved_is_listed_with_where_from_and_what_is_at_stake():
    rules = segment_rules(high_and_low(), new_within_days=None)
    customers = scoring.score_customers(measures.rfm_as_of(ORDERS, NONE, NOW), rules.scoring.config)
    segments = assignment.assign_segments(customers, rules, NOW)
    moved = moved_customers.list_moved_customers(ORDERS, NONE, rules, customers, segments, THEN, NOW)
    assert moved[["customer_id", "previous_segment", "new_segment", "revenue_12m"]].to_numpy().tolist() == [
        ["rise", "Low", "High", 501],
        ["fall", "High", "Low", 180],
    ], "who came since then has not moved"
    assert moved.moved_after.tolist() == [THEN, THEN]
    assert moved.last_order.tolist() == [date(2023, 9, 1), date(2023, 6, 1)]
    nobody = moved_customers.list_moved_customers(ORDERS, NONE, rules, customers, segments, None, NOW)
    assert nobody.empty and list(nobody) == moved_customers.MOVED_COLUMNS


MOVED = pd.DataFrame(
    {
        "previous_segment": list("AABCCD"),
        "new_segment": list("BBAAAA"),
        "revenue_12m": [1.0, 2.0, 50.0, 3.0, 4.0, 9.0],
    }
)


def test_the_largest_moves_come_first_and_of_equals_the_richer():
    found = moved_customers.largest_moves(MOVED, number=3)
    assert found.to_numpy().tolist() == [["C", "A", 2, 7], ["A", "B", 2, 3], ["B", "A", 1, 50]]


def test_flows_lead_to_their_lists_and_agree_with_the_moves():
    profile = pd.DataFrame({"segment": ["A", "B", "C", "D & <E>"]})
    moves = moved_customers.largest_moves(MOVED.replace("D", "D & <E>"))
    drawn = drawings.draw_moves(moves, profile, FMT)._repr_html_()
    assert drawn.count("<path") == 4
    assert drawn.count('href="lists/moved/a.csv"') == 3
    assert (
        "<title>1 customer moved from D &amp; &lt;E&gt; to A; they spent £9.00 in the last 12 months</title>" in drawn
    )
    assert ">2 · £7<" in drawn
    assert "2 C to A; 2 A to B" in drawn
    assert drawings.draw_moves(moves.head(0), profile, FMT) is None


def test_a_period_is_compared_with_the_same_days_a_year_before_or_else_those_before():
    year = revenue_bridge.comparable_periods(THEN, NOW, date(2022, 7, 1))
    assert year == Periods(date(2023, 7, 1), NOW, date(2022, 7, 1), date(2022, 9, 30), True)
    before = revenue_bridge.comparable_periods(THEN, NOW, date(2022, 7, 2))
    assert before == Periods(date(2023, 7, 1), NOW, date(2023, 3, 31), THEN, False)
    assert revenue_bridge.comparable_periods(THEN, NOW, date(2023, 4, 1)) is None
    assert revenue_bridge.comparable_periods(None, NOW, date(2020, 1, 1)) is None
    long = revenue_bridge.comparable_periods(date(2022, 6, 30), NOW, date(2020, 1, 1))
    assert not long.is_year_before, "more than a year would overlap with itself"


def test_the_steps_between_two_revenues_add_up():
    placed = orders(
        ("more", "2023-04-10", 10.0),
        ("more", "2023-07-10", 25.0),
        ("less", "2023-04-10", 30.0),
        ("less", "2023-09-30", 5.0),
        ("lost", "2023-06-30", 40.0),
        ("back", "2021-06-30", 7.0),
        ("back", "2023-07-01", 3.0),
        ("new", "2023-08-01", 50.0),
        ("gone", "2021-01-01", 99.0),
    )
    periods = revenue_bridge.comparable_periods(THEN, NOW, date(2021, 1, 1))._replace(
        start_before=date(2023, 3, 31), end_before=THEN, is_year_before=False
    )
    bridge = revenue_bridge.compute_bridge(placed, periods)
    assert bridge == Bridge(before=80, new=50, more=18, less=-25, lost=-40)
    assert bridge.now == 83
    assert revenue_bridge.compute_bridge(placed, None) is None
    assert revenue_bridge.first_order_day(placed) == date(2021, 1, 1)


@pytest.mark.parametrize("is_year_before", [True, False])
def test_the_bridge_shows_its_steps(is_year_before):
    periods = Periods(THEN, NOW, THEN, NOW, is_year_before)
    drawn = drawings.draw_bridge(periods, Bridge(80, 50, 18, -25, -40), FMT)._repr_html_()
    for words in ("not back: −£40.00", "spent less: −£25.00", "spent more: +£18.00", "new: +£50.00", "now: £83.00"):
        assert f"<title>{words}</title>" in drawn
    assert ("year before: £80.00" in drawn) == is_year_before
    assert drawings.draw_bridge(periods, Bridge(0, 0, 0, 0, 0), FMT) is None
    assert drawings.draw_bridge(None, None, FMT) is None
