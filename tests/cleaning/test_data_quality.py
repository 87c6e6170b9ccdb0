"""What is said of the data before a number is believed."""

from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cleaning import data_quality
from crm_utils.cleaning import data_quality_narrative as headlines
from crm_utils.cleaning import rules as cleaning
from crm_utils.core import orders
from tests.support.cleaning_factories import retail_lines


def placed(lines: ibis.Table, day: date) -> ibis.Table:
    rules = cleaning.removal_rules(lines, day)
    classified = cleaning.classify(lines, rules)
    return orders.orders_from_lines(classified.filter(classified.removed_by.isnull())).cache()


def warnings(table: ibis.Table, day: date, complete: bool = False) -> set[str]:
    found = data_quality.run_checks(
        data_quality.daily_orders(table), data_quality.summarize_data(table, day), day, complete
    )
    return set(found[~found.ok.astype(bool)].check)


def shop(customers: int, gap_days: float, spread: float, days: int = 365, late: float = 1.0) -> ibis.Table:
    """Orders of customers who come evenly over the year and buy at gaps of a given mean and relative spread."""
    rng = np.random.default_rng(1)
    rows = []
    for customer in range(customers):
        at = rng.uniform(0, days)
        while at < days:
            rows.append(
                (
                    str(customer),
                    f"{customer}-{at:.3f}",
                    pd.Timestamp("2023-01-01") + pd.Timedelta(minutes=int(at * 1440)),
                )
            )
            at += max(1.0, gap_days * (1 + spread * rng.normal()))
    frame = pd.DataFrame(rows, columns=["customer_id", "order_id", "ordered_at"])
    return ibis.memtable(frame.assign(revenue=10.0, units=1.0, lines=1)).cast({"ordered_at": "timestamp"})


YEAR_END = date(2023, 12, 31)


def test_cdnow_starts_with_first_orders_whether_it_says_so_or_not(cdnow_lines: ibis.Table):
    day = date(1998, 6, 30)
    assert "history" not in warnings(placed(cdnow_lines, day), day, complete=True)
    assert "history" not in warnings(placed(cdnow_lines, day), day, complete=False)


@pytest.mark.parametrize("year, day", [("2009_2010", date(2010, 12, 9)), ("2010_2011", date(2011, 12, 9))])
def test_one_sheet_of_online_retail_starts_in_the_middle(retail: Path, year: str, day: date):
    table = placed(retail_lines(retail, year), day)
    assert {"history", "last month", "gap"} == warnings(table, day)  # the gap is Christmas
    assert "history" not in warnings(table, day, complete=True)


def test_an_even_shop_gives_no_cause():
    assert warnings(shop(400, gap_days=40, spread=1), YEAR_END) == set()


def test_a_subscription_is_recognised_and_carries_no_forecast():
    table = shop(200, gap_days=30, spread=0.05)
    assert "spacing" in warnings(table, YEAR_END)
    [reason] = data_quality.forecast_blockers(data_quality.summarize_data(table, YEAR_END))
    assert reason.endswith("buy at nearly equal intervals, as in a subscription")


def test_too_little_for_a_forecast_names_every_reason():
    facts = data_quality.summarize_data(shop(20, gap_days=400, spread=0, days=60), date(2023, 3, 1))
    reasons = data_quality.forecast_blockers(facts)
    assert [reason.removeprefix("there are ").split(" where a model needs")[0] for reason in reasons] == [
        "20 customers",
        "0 repeat buyers",
        "57 days of history",
    ]
    assert (
        data_quality.forecast_blockers({"customers": 100, "repeat_buyers": 30, "days": 90, "spaced": 0, "regular": 0.0})
        == []
    )


def days(counts: dict[str, int]) -> pd.DataFrame:
    index = pd.DatetimeIndex(counts)
    return pd.DataFrame({"day": index.astype("datetime64[us]"), "orders": list(counts.values()), "new_customers": 1})


FACTS = {"customers": 500, "repeat_buyers": 100, "days": 100, "spaced": 0, "regular": 0.0}


def every_day(first: str, last: str, orders: int = 4) -> dict[str, int]:
    return {str(day.date()): orders for day in pd.date_range(first, last)}


def finding(table: pd.DataFrame, check: str, day: date) -> tuple[bool, str]:
    found = data_quality.run_checks(table, FACTS, day)
    words = headlines.findings(found, FACTS)
    sentence = words[words.checked == headlines.CHECKED[check]].finding.iloc[0]
    return bool(found.set_index("check").ok[check]), sentence


def test_a_gap_is_dated():
    table = days(every_day("2023-01-01", "2023-02-10") | every_day("2023-03-01", "2023-03-31"))
    assert finding(table, "gap", date(2023, 3, 31)) == (
        False,
        "No order for 18 days after 10 February 2023: closed, or a missing file?",
    )


def test_data_that_end_early_are_noticed():
    table = days(every_day("2023-01-01", "2023-03-10"))
    assert finding(table, "end", date(2023, 3, 31)) == (
        False,
        "The last order is of 10 March 2023, 21 days before the analysis date: are the data complete?",
    )


def test_a_jump_in_volume_is_dated():
    table = days(every_day("2023-01-01", "2023-02-28") | every_day("2023-03-01", "2023-03-31", orders=12))
    assert finding(table, "volume", date(2023, 3, 31)) == (
        False,
        "In March 2023 there were 3.0 times the daily orders of the month before.",
    )
    assert finding(days(every_day("2023-01-01", "2023-03-31")), "volume", date(2023, 3, 31))[0]


def test_a_month_cut_short_is_named():
    table = days(every_day("2023-01-01", "2023-03-10"))
    assert finding(table, "last month", date(2023, 3, 10)) == (False, "Only 10 of its 31 days are in.")


def test_a_single_order_is_no_crash():
    one = days({"2023-01-01": 1})
    facts = {"customers": 1, "repeat_buyers": 0, "days": 1, "spaced": 0, "regular": 0.0}
    found = data_quality.run_checks(one, facts, date(2023, 1, 1))
    assert set(found[~found.ok.astype(bool)].check) == {"model", "last month"}
    assert len(headlines.findings(found, facts)) == len(found)


def test_a_rhythm_that_nobody_shows_is_not_called_irregular():
    table = shop(300, gap_days=250, spread=0.1)
    facts = data_quality.summarize_data(table, YEAR_END)
    told = headlines.findings(data_quality.run_checks(data_quality.daily_orders(table), facts, YEAR_END), facts)
    rhythm = told[told.checked == "Rhythm of purchases"].iloc[0]
    assert rhythm.finding.startswith("Too few buy often enough to tell")
