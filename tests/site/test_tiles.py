"""The six tiles: value, change and course, and what they say if something is not known."""

import pandas as pd

from crm_utils.core.constants import RESERVE
from crm_utils.core.formatting import NumberFormat
from crm_utils.site.tiles import make_tiles

FMT = NumberFormat("GBP")
HISTORY = pd.DataFrame(
    {
        "last_day": pd.to_datetime(["2023-03-31", "2023-06-30", "2024-06-30"]),
        "active_customers": [80, 100, 79],
        "new_customers": [None, 10.0, 10.0],
        "revenue": [1e3, 2e3, 3e3],
        "revenue_12m": [None, 9e3, 1.1e4],
        "top_tenth_share": [None, 0.4, 0.46],
    }
)
BUSINESS = pd.DataFrame({"months": [1, 12], "revenue": [900.0, 8800.0], "revenue_before": [1e3, 1.1e4]})
LINES = pd.DataFrame({"line": ["learn", RESERVE], "spend": [700.0, 300.0], "expected_profit": [910.0, 0.0]})
NOTHING = pd.DataFrame()
NO_SPEND = pd.Series(dtype=float)


def test_a_tile_has_its_value_its_change_and_its_course():
    tiles = make_tiles(HISTORY, BUSINESS, pd.Series({1: 400.0, 2: 300.0}), LINES, FMT)
    assert [(tile.value, tile.change) for tile in tiles] == [
        ("79", "−21% in a year"),
        ("£3,000", "+50% in a year"),
        ("10", "as a year before"),
        ("46%", "+6 points in a year"),
        ("£8,800", "−20% on the last 12"),
        ("£910", "on £700"),
    ]
    assert "<title>30 June 2024: 79</title>" in tiles[0].trend
    assert "<title>expected: £8,800</title>" in tiles[4].trend
    assert "<title>Wave 2: £300</title>" in tiles[5].trend
    assert [tile.trend.count("<rect") for tile in tiles] == [3, 3, 2, 2, 3, 2], "what is not known has no bar"


def test_a_million_fits_into_a_tile_and_a_point_is_one():
    large = HISTORY.assign(revenue=[1e6, 2e6, 3.15e6], top_tenth_share=[None, 0.4, 0.41])
    tiles = make_tiles(large, BUSINESS.assign(revenue=9.16e6), NO_SPEND, NOTHING, FMT)
    assert (tiles[1].value, tiles[4].value) == ("£3.15m", "£9.16m")
    assert tiles[3].change == "+1 point in a year"


def test_a_change_from_nothing_has_no_percentage():
    start = HISTORY.assign(new_customers=[0.0, 0.0, 3.0])
    assert make_tiles(start, NOTHING, NO_SPEND, NOTHING, FMT)[2].change == "none a year before"
    never = HISTORY.assign(new_customers=0.0)
    tile = make_tiles(never, NOTHING, NO_SPEND, NOTHING, FMT)[2]
    assert (tile.value, tile.change, tile.trend) == ("0", "as a year before", "")


def test_what_is_not_known_is_said_and_not_drawn():
    young = HISTORY.tail(1).assign(new_customers=None, top_tenth_share=None)
    tiles = make_tiles(young, NOTHING, NO_SPEND, NOTHING, FMT)
    assert [(tile.value, tile.change) for tile in tiles] == [
        ("79", "no year before"),
        ("£3,000", "no year before"),
        ("–", "no year before"),
        ("–", "no year before"),
        ("–", "history too short"),
        ("–", "no budget"),
    ]
    assert [tile.trend for tile in tiles] == [""] * 6


def test_orders_take_the_place_of_money_and_a_short_forecast_says_how_long_it_is():
    month = pd.DataFrame({"months": [1], "revenue": [90.0], "revenue_before": [0.0]})
    tiles = make_tiles(HISTORY, month, NO_SPEND, NOTHING, NumberFormat("orders"))
    assert tiles[1].label == "Orders of 90 days"
    assert (tiles[4].label, tiles[4].value, tiles[4].change) == ("Next month", "90 orders", "no year before")
