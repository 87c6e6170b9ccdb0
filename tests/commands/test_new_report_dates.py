"""The analysis dates that `make new` proposes."""

from datetime import date
from pathlib import Path

import pytest

from crm_utils.commands.new_report.dates import propose_dates
from crm_utils.commands.new_report.draft import new_report

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


ROWS = [(f"c{number % 7}", f"2024-0{1 + number % 6}-1{number % 9}", 10.5 + number % 5) for number in range(60)]


def started(folder: Path, header: str, rows: list[tuple]) -> tuple[str, list[str]]:
    """The parameters file, and the points to check."""
    (folder / "shop.csv").write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    path, _, open_points = new_report(folder, "shop", "shop.csv")
    return path.read_text(), open_points


@pytest.mark.parametrize("name", ["Id", "cust", "Teilnehmer"])
def test_the_only_column_left_is_the_customer_if_its_values_come_again(tmp_path, name):
    text, _ = started(tmp_path, f"{name},Date,Amount", ROWS)
    assert f"columns: {{customer_id: {name}, ordered_at: Date, amount: Amount}}" in text


def test_ids_that_never_come_again_are_no_customers(tmp_path):
    rows = [(1000 + number, *row[1:]) for number, row in enumerate(ROWS)]
    text, open_points = started(tmp_path, "Id,Date,Amount", rows)
    assert "customer_id: '???'" in text
    assert any("columns.customer_id: no such column was found" in point and "'Id' (such as '1000')" in point
               for point in open_points)  # fmt: skip


@pytest.mark.parametrize("amount", ["much", "x"])
def test_dates_are_proposed_although_something_else_cannot_be_read(tmp_path, amount):
    text, open_points = started(tmp_path, "Customer,Date,Amount", [*ROWS, ("c1", "2024-01-01", amount)])
    assert "analysis_dates: ['2024-06-18']" in text
    assert any("1 row without a readable number" in point for point in open_points)


def test_a_file_without_dates_says_what_to_write(tmp_path):
    text, open_points = started(tmp_path, "Customer,City,Amount", [(row[0], "Rome", row[2]) for row in ROWS])
    assert "analysis_dates: ['???']" in text
    assert any(point.startswith("analysis_dates: ") and "write days instead of ???" in point for point in open_points)
