"""What is said of the data before a number is believed."""

from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cleaning import data_quality, findings, narrative
from crm_utils.cleaning import rules as cleaning
from crm_utils.cleaning.data_quality import Check, CheckResult, DataSummary
from crm_utils.core import orders
from crm_utils.core.formatting import NumberFormat
from tests.support.cleaning_factories import retail_lines


def placed(lines: ibis.Table, day: date) -> ibis.Table:
    rules = cleaning.removal_rules(lines, day)
    classified = cleaning.classify(lines, rules)
    return orders.orders_from_lines(classified.filter(classified.removed_by.isnull())).cache()


def warnings(table: ibis.Table, day: date, complete: bool = False) -> set[str]:
    checks = data_quality.run_checks(
        data_quality.daily_orders(table), data_quality.summarize_data(table, day), day, complete
    )
    return {result.check.value for result in checks if not result.passed}


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
    assert {"history", "last_month", "gap"} == warnings(table, day)  # the gap is Christmas
    assert "history" not in warnings(table, day, complete=True)


def test_an_even_shop_gives_no_cause():
    assert warnings(shop(400, gap_days=40, spread=1), YEAR_END) == set()


def test_a_subscription_is_recognised_and_carries_no_forecast():
    table = shop(200, gap_days=30, spread=0.05)
    assert "regularity" in warnings(table, YEAR_END)
    [reason] = data_quality.forecast_blockers(data_quality.summarize_data(table, YEAR_END))
    assert reason.endswith("buy at nearly equal intervals, as in a subscription")


def test_too_little_for_a_forecast_names_every_reason():
    facts = data_quality.summarize_data(shop(20, gap_days=400, spread=0, days=60), date(2023, 3, 1))
    reasons = data_quality.forecast_blockers(facts)
    found = [reason.removeprefix("there are ").split(", but a model needs ") for reason in reasons]
    assert found == [["20 customers", "100"], ["0 repeat buyers", "30"], ["57 days of history", "90"]]
    assert data_quality.forecast_blockers(DataSummary(customers=100, repeat_buyers=30, days=90)) == []


@pytest.mark.parametrize("frequent, share, blocked", [(30, 0.5, True), (29, 0.5, False), (30, 0.49, False)])
def test_purchases_are_a_subscription_if_half_of_enough_frequent_buyers_are_regular(frequent, share, blocked):
    summary = DataSummary(500, 100, 100, frequent_buyers=frequent, regular_share=share)
    assert bool(data_quality.forecast_blockers(summary)) == blocked


def days(counts: dict[str, int]) -> pd.DataFrame:
    index = pd.DatetimeIndex(counts)
    return pd.DataFrame({"day": index.astype("datetime64[us]"), "orders": list(counts.values()), "new_customers": 1})


SUMMARY = DataSummary(customers=500, repeat_buyers=100, days=100)
FMT = NumberFormat("USD")


def every_day(first: str, last: str, orders: int = 4) -> dict[str, int]:
    return {str(day.date()): orders for day in pd.date_range(first, last)}


def result_of(table: pd.DataFrame, check: Check, day: date) -> CheckResult:
    return next(result for result in data_quality.run_checks(table, SUMMARY, day) if result.check == check)


def sentence(result: CheckResult) -> str:
    return narrative.check_sentence(result, SUMMARY, FMT)


def test_a_gap_is_dated():
    table = days(every_day("2023-01-01", "2023-02-10") | every_day("2023-03-01", "2023-03-31"))
    found = result_of(table, Check.GAP, date(2023, 3, 31))
    assert not found.passed
    assert "18 days after 10 February 2023" in sentence(found)


def test_data_that_end_early_are_noticed():
    found = result_of(days(every_day("2023-01-01", "2023-03-10")), Check.END, date(2023, 3, 31))
    assert not found.passed
    assert "10 March 2023, 21 days before the analysis date" in sentence(found)
    week = result_of(days(every_day("2023-01-01", "2023-03-24")), Check.END, date(2023, 3, 31))
    assert week.passed
    assert narrative.ENDS_EARLY not in sentence(week)


def test_a_jump_in_volume_is_dated():
    table = days(every_day("2023-01-01", "2023-02-28") | every_day("2023-03-01", "2023-03-31", orders=12))
    found = result_of(table, Check.VOLUME, date(2023, 3, 31))
    assert not found.passed
    assert "March 2023, orders per day were 3.0 times" in sentence(found)
    assert result_of(days(every_day("2023-01-01", "2023-03-31")), Check.VOLUME, date(2023, 3, 31)).passed


def test_a_drop_in_volume_is_a_share():
    table = days(every_day("2023-01-01", "2023-02-28") | every_day("2023-03-01", "2023-03-31", orders=1))
    found = result_of(table, Check.VOLUME, date(2023, 3, 31))
    assert not found.passed
    assert "March 2023, orders per day were 25% of" in sentence(found)
    assert narrative.data_quality([found], FMT).endswith("suddenly in March 2023.")


def test_a_month_cut_short_is_named():
    found = result_of(days(every_day("2023-01-01", "2023-03-10")), Check.LAST_MONTH, date(2023, 3, 10))
    assert not found.passed
    assert "10 of its 31 days" in sentence(found)


def test_a_single_order_is_no_crash():
    summary = DataSummary(customers=1, repeat_buyers=0, days=1)
    checks = data_quality.run_checks(days({"2023-01-01": 1}), summary, date(2023, 1, 1))
    assert {result.check for result in checks if not result.passed} == {Check.ENOUGH_DATA, Check.LAST_MONTH}
    finding = findings.data_quality(checks, summary, FMT)
    assert finding.sentence.startswith("2 warnings about the data: ")
    assert "1 customer, 0 repeat buyers and 1 day of history" in finding._repr_html_()
    assert "100 customers, 30 repeat buyers and 90 days" in finding._repr_html_()


def test_warnings_come_first_and_every_check_has_a_row():
    table = days(every_day("2023-01-01", "2023-03-10"))
    checks = data_quality.run_checks(table, SUMMARY, date(2023, 3, 10))
    shown = findings.data_quality(checks, SUMMARY, FMT)
    assert shown.sentence == "One warning about the data: the last month is incomplete."
    html = shown._repr_html_()
    assert html.index("warning</td>") < html.index("passed</td>")
    assert html.count("passed</td>") == len(Check) - 1
    passed = [CheckResult(check, True) for check in Check]
    assert findings.data_quality(passed, SUMMARY, FMT).sentence == "All 7 checks of the data passed."


def test_a_rhythm_that_nobody_shows_is_not_called_irregular():
    table = shop(300, gap_days=250, spread=0.1)
    summary = data_quality.summarize_data(table, YEAR_END)
    checks = data_quality.run_checks(data_quality.daily_orders(table), summary, YEAR_END)
    assert narrative.check_sentence(checks[-1], summary, FMT) == narrative.REGULARITY_UNKNOWN
