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


def test_many_warnings_are_one_and_a_number_in_brief():
    table = days(every_day("2023-01-01", "2023-02-28") | every_day("2023-03-01", "2023-03-31", orders=1))
    found = result_of(table, Check.VOLUME, date(2023, 3, 31))
    assert narrative.data_quality_in_brief([found] * 4, FMT).endswith("in March 2023 and 3 more.")
    assert narrative.data_quality_in_brief([found], FMT) == narrative.data_quality([found], FMT)


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
    assert html.count("passed</td>") == len(checks) - 1
    passed = findings.data_quality([CheckResult(check, True, 0.0, 0.0) for check in Check], SUMMARY, FMT)
    assert passed.sentence == f"All {len(Check)} checks of the data passed."
    assert passed._repr_html_().count("passed</td>") == len(Check)


def test_a_rhythm_that_nobody_shows_is_not_called_irregular():
    table = shop(300, gap_days=250, spread=0.1)
    summary = data_quality.summarize_data(table, YEAR_END)
    checks = data_quality.run_checks(data_quality.daily_orders(table), summary, YEAR_END)
    assert narrative.check_sentence(checks[-1], summary, FMT) == narrative.REGULARITY_UNKNOWN


def test_a_summary_worked_by_hand():
    """a: gaps of 10, 10 and 10 days, regular. b: 1, 10 and 30. c: two days. d: twice on one day."""
    bought = {"a": [0, 10, 20, 30], "b": [0, 1, 11, 41], "c": [5, 9], "d": [7, 7]}
    rows = [(who, pd.Timestamp("2023-01-01") + pd.Timedelta(days=day)) for who, at in bought.items() for day in at]
    table = ibis.memtable(pd.DataFrame(rows, columns=["customer_id", "ordered_at"]))
    assert data_quality.summarize_data(table, date(2023, 2, 28)) == DataSummary(4, 3, 59, 2, 0.5, 10)
    nobody = data_quality.summarize_data(table.filter(table.customer_id == "x"), date(2023, 2, 28))
    assert nobody == DataSummary(0, 0, 0)


@pytest.mark.parametrize(("gaps", "regular"), [([7, 13], True), ([6, 14], False)])
def test_gaps_are_regular_up_to_three_tenths_of_their_mean(gaps, regular):
    """7, 13, 7, 13: mean 10, standard deviation 3. 6 and 14: 4."""
    at = np.cumsum([0, *gaps * 2])
    table = ibis.memtable(pd.DataFrame({"customer_id": "a", "ordered_at": pd.Timestamp("2023-01-01") + at * DAY_LONG}))
    assert data_quality.summarize_data(table, YEAR_END).regular_share == regular


DAY_LONG = pd.Timedelta(days=1)


def first_purchases(*won: int) -> pd.DataFrame:
    """One day in each window of 30 days, with so many new customers."""
    start = pd.Timestamp("2023-01-01")
    frame = pd.DataFrame({"day": [start + 30 * place * DAY_LONG for place in range(len(won))], "new_customers": won})
    return frame.assign(orders=1)


@pytest.mark.parametrize(
    ("won", "passed"),
    [
        ((15, 10, 10, 10, 1), True),
        ((16, 10, 10, 10, 1), False),  # more than one and a half times the usual number
        ((16, 10, 10, 10), True),  # the fourth window is not over
        ((16, 9, 11, 99, 1), True),  # the median of 9, 11 and 99 is 11
        ((16, 0, 10, 99, 1), False),
        ((1, 0, 0, 0, 1), True),
        ((2, 0, 0, 0, 1), False),
    ],
)
def test_a_history_that_was_cut_off(won, passed):
    table = first_purchases(*won)
    result = data_quality._check_history(table, complete=False)
    assert (result.passed, result.value) == (passed, won[0])
    assert result.reference == np.median(won[1:4])
    assert result.day == pd.Timestamp("2023-01-01")
    assert data_quality._check_history(table, complete=True).passed


def test_windows_of_first_purchases_are_thirty_days():
    at = pd.Timestamp("2023-01-01") + pd.to_timedelta([0, 29, 30, 59, 60, 90, 120], unit="D")
    table = pd.DataFrame({"day": at, "new_customers": [1, 2, 4, 8, 16, 32, 64]})
    result = data_quality._check_history(table, complete=False)
    assert (result.value, result.reference) == (3, 16)


def every(gap: int, count: int = 10) -> pd.DataFrame:
    return days({str((pd.Timestamp("2023-01-01") + place * gap * DAY_LONG).date()): 1 for place in range(count)})


@pytest.mark.parametrize(("gap", "quiet", "passed"), [(1, 7, True), (1, 8, False), (5, 15, True), (5, 16, False)])
def test_a_quiet_end_is_a_week_or_three_usual_gaps(gap, quiet, passed):
    table = every(gap)
    result = result_of(table, Check.END, (table.day.max() + quiet * DAY_LONG).date())
    assert (result.passed, result.value) == (passed, quiet)
    single = days({"2023-01-01": 1})
    assert result_of(single, Check.END, date(2023, 1, 8)).passed
    assert not result_of(single, Check.END, date(2023, 1, 9)).passed


@pytest.mark.parametrize(("quiet", "passed"), [(7, True), (8, False)])
def test_a_week_without_orders_is_no_gap(quiet, passed):
    table = every(1)
    later = days({str((table.day.max() + (quiet + 1) * DAY_LONG).date()): 1})
    result = result_of(pd.concat([table, later], ignore_index=True), Check.GAP, YEAR_END)
    assert (result.passed, result.value, result.day) == (passed, quiet, table.day.max())


@pytest.mark.parametrize(("orders", "passed"), [(9, True), (10, False), (2, True), (1, False)])
def test_two_and_a_half_times_the_orders_are_a_jump(orders, passed):
    """Four a day, then 9 or 10; or 2 or 1."""
    table = days(every_day("2023-01-01", "2023-02-28") | every_day("2023-03-01", "2023-03-31", orders))
    result = result_of(table, Check.VOLUME, date(2023, 3, 31))
    assert result.passed == passed
    assert (result.value, result.day) == (pytest.approx(orders / 4), pd.Timestamp("2023-03-01"))


def test_only_whole_months_are_compared():
    """January counts if its orders begin in its first week. March is not over. In April nobody orders."""
    for first, passed in (("2023-01-07", False), ("2023-01-08", True), ("2023-01-09", True)):
        table = days(every_day(first, "2023-01-31", 1) | every_day("2023-02-01", "2023-02-28", 40))
        table = pd.concat([table, days(every_day("2023-03-01", "2023-03-15", 1))])
        result = result_of(table, Check.VOLUME, date(2023, 3, 15))
        assert result.passed == passed, first
    silent = days(every_day("2023-01-01", "2023-02-28") | every_day("2023-05-01", "2023-05-31", 5))
    assert result_of(silent, Check.VOLUME, date(2023, 5, 31)).value == 1.0, "months without orders are gaps, not jumps"
    short = days(every_day("2023-01-01", "2023-01-31"))
    assert np.isnan(result_of(short, Check.VOLUME, date(2023, 1, 31)).value)


def test_days_and_new_customers_are_counted():
    rows = [("a", "2023-01-01 09:00"), ("a", "2023-01-01 18:00"), ("b", "2023-01-03"), ("a", "2023-01-03")]
    rows += [("a", "2023-01-05")]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at"])
    table = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at, format="mixed"), order_id="x"))
    found = data_quality.daily_orders(table)
    assert found.orders.tolist() == [2, 2, 1]
    assert found.new_customers.tolist() == [1, 1, 0]
    last = data_quality._check_last_month(date(2023, 2, 27))
    assert (last.passed, last.value, last.reference) == (False, 27, 28)
    assert data_quality._check_last_month(date(2023, 2, 28)).passed


@pytest.mark.parametrize(
    ("share", "customers", "large"),
    [(0.1, 100, True), (0.0999, 1000, False), (0.2, 50, True), (0.199, 50, False), (1.0, 9, False), (1.0, 10, True)],
)
def test_a_large_account_brings_a_tenth_and_ten_times_the_mean(share, customers, large):
    assert data_quality.is_large_account(share, customers) is large


@pytest.mark.parametrize(("days", "subscription"), [(100.0, True), (100.1, False)])
def test_regular_gaps_of_more_than_a_hundred_days_are_a_habit(days, subscription):
    summary = DataSummary(500, 100, 400, frequent_buyers=30, regular_share=0.5, regular_gap_days=days)
    assert summary.is_subscription is subscription
    [reason] = data_quality.forecast_blockers(summary)
    assert reason.endswith("as in a subscription" if subscription else "about 100 days apart")
    assert not DataSummary(500, 100, 400, 29, 0.5, days).is_subscription
    assert not DataSummary(500, 100, 400).is_regular


def test_a_history_may_be_cut_off_unless_a_report_says_that_it_is_complete():
    table = first_purchases(16, 10, 10, 10, 1)
    day = table.day.max().date()
    assert not data_quality.run_checks(table, SUMMARY, day)[0].passed
    assert data_quality.run_checks(table, SUMMARY, day, True)[0].passed
