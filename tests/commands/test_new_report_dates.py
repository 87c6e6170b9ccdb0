"""The analysis dates that `make new` proposes."""

from datetime import date

import pytest

from crm_utils.commands.new_report.dates import propose_dates

TODAY = date(2026, 1, 1)


def proposed(first: str, last: str, order_days: int, today: date = TODAY) -> list[str]:
    found = propose_dates(date.fromisoformat(first), date.fromisoformat(last), order_days, today)
    return [str(day) for day in found]


def test_ends_of_months_a_quarter_apart_if_the_data_end_with_a_month():
    assert proposed("2010-01-01", "2011-05-31", 500) == ["2010-08-31", "2010-11-30", "2011-02-28", "2011-05-31"]


def test_no_order_is_left_out_if_the_last_month_is_not_complete():
    assert proposed("2009-12-01", "2011-12-09", 604) == ["2011-03-31", "2011-06-30", "2011-09-30", "2011-12-09"]


@pytest.mark.parametrize(
    ("order_days", "last"),
    [
        (270, "2024-06-30"),  # an order every other day: four days without one are usual
        (536, "2024-06-26"),  # an order each day: the export ends on that day
    ],
)
def test_a_month_is_covered_if_the_days_to_its_end_are_a_usual_gap(order_days, last):
    assert proposed("2023-01-08", "2024-06-26", order_days)[-1] == last


def test_two_orders_say_nothing_about_usual_gaps():
    assert proposed("2023-01-02", "2023-02-03", 2) == ["2023-02-03"]


def test_no_date_lies_in_the_future():
    assert proposed("2023-01-08", "2024-06-28", 270, today=date(2024, 6, 29))[-1] == "2024-06-28"


def test_dates_need_half_a_year_of_data_before_them():
    assert proposed("2011-11-01", "2011-12-09", 39) == ["2011-12-09"]
    assert proposed("2011-01-01", "2011-12-31", 365) == ["2011-06-30", "2011-09-30", "2011-12-31"]
