"""Tables of 04_cltv as a reader sees them."""

import numpy as np
import pandas as pd

from crm_utils.cltv import tables
from crm_utils.core.formatting import NumberFormat
from tests.support.page_tables import cell_texts

FMT = NumberFormat("USD")


def totals() -> pd.DataFrame:
    rows = [(1, "all", 1.0), (12, "all", 20.0), (1, "A", 1.0)]
    table = pd.DataFrame(rows, columns=["months", "segment", "purchase_days"])
    return table.assign(revenue=100.0, revenue_low=90.0, revenue_high=110.0)


def test_a_record_of_each_length():
    record = pd.DataFrame(
        {
            "horizon_days": [30, 364],
            "tests": [9, 1],
            "mean_error": [0.105, np.nan],
            "ranges": [8, 0],
            "ranges_held": [7, 0],
            "mean_width": [0.5, np.nan],
        }
    )
    rows = cell_texts(tables.horizon_record_table(record, FMT))
    assert rows[1] == ["30 days", "9", "10%", "8", "7", "50%"]
    assert rows[2][:2] == ["364 days", "1"] and rows[2][3] == "0"


def test_purchase_days_per_customer():
    table = pd.DataFrame(
        {
            "repeat_purchases": ["0"],
            "customers": [4],
            "purchase_days_predicted": [2.0],
            "purchase_days_actual": [1.0],
        }
    )
    assert cell_texts(tables.backtest_by_frequency_table(table, FMT))[1][1:] == ["4", "0.50", "0.25"]


def test_maps_as_tables():
    grid = pd.DataFrame(
        {
            "repeat_purchase_days": [1, 1, 2, 2],
            "silent_days": [1, 30, 1, 30],
            "p_alive": [0.615, 0.25, 0.6, 0.1],
            "expected_purchase_days_12m": [1.04, 0.5, 4.0, 2.46],
        }
    )
    assert cell_texts(tables.p_alive_grid_table(grid, FMT)) == [
        ["Repeat purchase days", "1 day", "30 days"],
        ["1", "62", "25"],
        ["2", "60", "10"],
    ]
    assert cell_texts(tables.expected_purchases_grid_table(grid, FMT))[1:] == [["1", "1", "0.5"], ["2", "4", "2.5"]]


def test_months_are_added_up():
    months = pd.DataFrame(
        {
            "month": [1, 2],
            "until_days": [31, 60],
            "expected_purchase_days": [0.5, 0.25],
            "factor": [1.25, 1.5],
            "profit": [10.0, 5.0],
            "discount": [0.9, 0.8],
            "clv": [9.0, 4.0],
        }
    )
    texts = cell_texts(tables._months_table(months, FMT))
    assert texts[0][1] == "Days from today"
    assert texts[1:] == [
        ["1", "31", "0.5000", "1.2500", "10.00", "0.9000", "9.00"],
        ["2", "60", "0.2500", "1.5000", "5.00", "0.8000", "4.00"],
        ["All", "", "0.7500", "", "15.00", "", "13.00"],
    ]


def test_what_was_left_out_or_cancelled_has_its_columns():
    lines = pd.DataFrame({"ordered_at": [pd.Timestamp("2011-01-02")], "order_id": ["1"], "amount": [5.0]})
    plain = cell_texts(tables._lines_table(lines.assign(removed_by=None), FMT))
    removed = cell_texts(tables._lines_table(lines.assign(removed_by="rule"), FMT))
    assert len(plain[0]) == 3 and removed[0][-1] == "Left out by" and removed[1][-1] == "rule"
    orders = pd.DataFrame(
        {"day": [pd.Timestamp("2011-01-02")], "order_id": ["1"], "lines": [1], "placed": [5.0], "revenue": [5.0]}
    )
    whole = cell_texts(tables._orders_table(orders.assign(taken_back=0.0, purchase_day=1.0), FMT))
    part = cell_texts(tables._orders_table(orders.assign(taken_back=-1.0, revenue=4.0, purchase_day=1.0), FMT))
    assert (len(whole[0]), len(part[0])) == (5, 7)
    assert whole[1][:4] == ["2 January 2011", "1", "1", "$5.00"]
    assert part[1][3:6] == ["$5.00", "−$1.00", "$4.00"]


def test_the_three_groups_of_the_tutorial():
    article = pd.DataFrame(
        {
            "article_tier": ["A", "B", "A"],
            "revenue": [10.0, 1.0, 20.0],
            "cltv": [100.0, 2.0, 200.0],
            "cltv_scaled": [50.0, 1.0, 60.0],
        }
    )
    texts = cell_texts(tables.article_table(article, FMT))
    assert [row[:2] for row in texts[1:]] == [["A", "2"], ["B", "1"]]
    assert "55" in texts[1][4]


def test_values_by_segment_are_added_up_but_not_their_ranges():
    table = pd.DataFrame(
        {
            "segment": ["A", "B"],
            "customers": [2, 3],
            "expected_purchase_days_12m": [1.0, 2.0],
            "revenue_low": [1.0, 2.0],
            "revenue_high": [3.0, 4.0],
            "expected_revenue_12m": [200.0, 300.0],
            "clv": [20.0, 30.0],
            "clv_per_customer": [10.0, 10.0],
        }
    )
    total = cell_texts(tables.segment_values_table(table, "why", FMT))[-1]
    assert (total[0], total[1], total[3], total[4], total[5], total[7]) == ("Total", "5", "", "", "$500", "")


def test_parameters_are_named_in_words():
    table = pd.DataFrame(
        {
            "model": ["CLV"],
            "parameter": ["margin_rate"],
            "value": [0.3],
            "standard_error": [np.nan],
            "note": ["assumed"],
        }
    )
    texts = cell_texts(tables.parameters_table(table, FMT))
    assert texts[1][1] == "margin rate" and len(texts[0]) == 4


def test_without_a_test_the_forecast_has_no_range():
    tested, untested = (cell_texts(tables.forecast_table(totals(), FMT, known)) for known in (True, False))
    assert len(tested[0]) == len(untested[0]) + 2
    assert cell_texts(tables.forecast_table(totals(), FMT)) == tested


def test_each_test_has_its_day_and_its_method():
    row = dict.fromkeys(tables.BACKTEST_COLUMNS, 1.0)
    row |= {"origin": pd.Timestamp("2011-03-05"), "model": "same_as_last_period"}
    texts = cell_texts(tables.backtest_table(pd.DataFrame([row]), FMT))
    assert texts[0][:2] == ["Made on", "Method"]
    assert texts[1][:2] == ["5 March 2011", "Same as the last period"]


def test_lists_of_customers_say_what_is_assumed():
    best = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "segment": ["X", "Y"],
            "purchase_days": [3, 4],
            "silent_days": [5, 6],
            "past_revenue": [70.0, 80.0],
            "mean_purchase_value": [9.0, 10.0],
            "chance_6m": [0.5, 0.25],
            "chance_12m": [0.75, 0.5],
            "clv": [100.0, 90.0],
        }
    )
    for made, columns in (
        (tables.most_valuable_table(best, "a margin of 30%", FMT), 5),
        (tables.top_customers_table(best, "a margin of 30%", FMT), 7),
        (tables.churned_table(best, "a margin of 30%", FMT), 7),
    ):
        texts = cell_texts(made)
        assert texts[1][:2] == ["a", "X"] and len(texts[0]) == columns and len(texts) == 3
        assert "a margin of 30%" in made.caption
    assert "2 customers" in tables.most_valuable_table(best, "x", FMT).caption
    assert "1 customer" in tables.top_customers_table(best.head(1), "x", FMT).caption
    tenths = tables.deciles_table(pd.DataFrame({"decile": [1], "customers": [2], "clv_share": [0.5]}), "a margin", FMT)
    assert cell_texts(tenths) == [["Tenth", *cell_texts(tenths)[0][1:]], ["1", "2", "50%"]]
    assert "a margin" in tenths.caption
