"""Analysis dates by a rule: complete periods only, the same earlier dates whenever a date is built, data decide."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_utils.commands import build_date, build_reports
from crm_utils.config import Report, parse_model
from crm_utils.config.report import Every
from crm_utils.core.errors import ParamsError
from crm_utils.pipeline import schedule
from crm_utils.pipeline.jobs import plan_jobs
from crm_utils.pipeline.schedule import end_before, find_dates
from crm_utils.site.published import remove_old_dates
from tests.support.in_process import prepared
from tests.support.projects import SMALL_REPORT, new_project

ORDERS = date(2023, 1, 10), date(2024, 4, 20)
REPORT = {
    "title": "Shop", "currency": "EUR", "source": {"file": "orders.csv"},
    "columns": {"customer_id": "id", "ordered_at": "day", "amount": "amount"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("every", "day", "end"),
    [
        ("week", "2024-07-01", "2024-06-30"), ("week", "2024-06-30", "2024-06-23"),
        ("month", "2024-03-01", "2024-02-29"), ("month", "2024-03-31", "2024-02-29"),
        ("quarter", "2024-05-31", "2024-03-31"), ("quarter", "2024-01-01", "2023-12-31"),
        ("year", "2024-12-31", "2023-12-31"),
    ],
)  # fmt: skip
def test_a_period_ends_on_its_last_day(every, day, end):
    assert end_before(Every(every), date.fromisoformat(day)) == date.fromisoformat(end)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.sampled_from(list(Every)))
def test_no_day_is_skipped_between_two_ends(day, every):
    """From an end, one day on and back again is the same end; the end before it is at most a period away."""
    end = end_before(every, day)
    assert end < day
    assert end_before(every, end + timedelta(days=1)) == end
    longest = {Every.WEEK: 7, Every.MONTH: 31, Every.QUARTER: 92, Every.YEAR: 366}[every]
    assert 0 < (end - end_before(every, end)).days <= longest


def dates(rule: dict, today: str, monkeypatch, orders=ORDERS) -> schedule.ReportDates:
    """The dates of a rule, with orders between two days."""
    monkeypatch.setattr(schedule, "_order_days", lambda *_: orders)
    report = parse_model(REPORT | {"analysis_dates": rule}, Report, "params/shop.yaml")
    return find_dates(report, "shop", None, date.fromisoformat(today))


def iso(days: list[date]) -> list[str]:
    return [str(day) for day in days]


def test_up_to_the_data(monkeypatch):
    """April is not complete, whatever the clock says."""
    found = dates({"every": "month end", "last": 3}, "2025-01-01", monkeypatch)
    assert iso(found.days) == ["2024-01-31", "2024-02-29", "2024-03-31"]
    assert found.waiting == ""
    assert iso(dates({"every": "quarter", "last": 2}, "2024-03-31", monkeypatch).days) == ["2023-09-30", "2023-12-31"]


def test_up_to_today_trusts_the_clock_if_the_period_has_orders(monkeypatch):
    rule = {"every": "month", "last": 2, "up_to": "today"}
    assert iso(dates(rule, "2024-05-01", monkeypatch).days) == ["2024-03-31", "2024-04-30"]
    late = dates(rule, "2024-07-02", monkeypatch)
    assert iso(late.days) == ["2024-03-31", "2024-04-30"]
    assert late.waiting == "shop: no data for 2024-06-30 yet; the last order is of 2024-04-20"


def test_dates_begin_with_the_data(monkeypatch):
    assert iso(dates({"every": "month", "last": 9}, "2023-04-05", monkeypatch).days) == [
        "2023-01-31", "2023-02-28", "2023-03-31"
    ]  # fmt: skip
    with pytest.raises(ParamsError, match=r"the data go from 2023-01-10 to 2024-04-20, and no year has ended"):
        dates({"every": "year"}, "2023-12-31", monkeypatch)


def test_the_earlier_dates_of_a_date_stay_the_same_when_time_moves_on(monkeypatch):
    """Otherwise a date would be built again each time."""
    rule, day = {"every": "month", "last": 4}, date(2024, 1, 31)
    found = {tuple(dates(rule, today, monkeypatch).before(day)) for today in ("2024-02-01", "2024-03-09", "2024-05-01")}
    assert [iso(days) for days in found] == [["2023-10-31", "2023-11-30", "2023-12-31"]]
    assert iso(dates(rule | {"last": 1}, "2024-02-01", monkeypatch).before(day)) == ["2023-12-31"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"every": "day"}, "analysis_dates.every: Input should be 'week', 'month', 'quarter' or 'year'"),
        ({"every": "month", "last": 4, "keep": 3}, "keep: 3 is less than last: 4"),
        ({"every": "month", "latest": 4}, "unknown parameter analysis_dates.latest; did you mean 'last'?"),
        ({"last": 4}, "analysis_dates.every: Field required"),
        ({"every": "month", "last": 0}, "analysis_dates.last: Input should be greater than or equal to 1"),
    ],
)
def test_a_wrong_rule_is_refused_in_words(rule, message):
    with pytest.raises(ParamsError) as refused:
        parse_model(REPORT | {"analysis_dates": rule}, Report, "params/shop.yaml")
    assert message in str(refused.value)


@pytest.fixture
def shop(tmp_path, monkeypatch, capsys):
    """A project whose dates are published without running a notebook, so that time can move on quickly."""
    project = new_project(tmp_path / "project")
    for notebook in (project / "notebooks").glob("0[2-9]_*.ipynb"):
        notebook.unlink()

    def publish(fingerprinted, environment, progress):
        job = fingerprinted.job
        job.folder.mkdir(parents=True)
        for page in (*(notebook.name for notebook in job.notebooks), "index"):
            (job.folder / f"{page}.html").touch()
        earlier = [str(day) for day in job.settings.earlier_dates]
        manifest = {"report": job.name, "analysis_date": str(job.day), "pages_key": fingerprinted.pages_key}
        manifest |= {"previous": str(job.settings.previous_date), "earlier": earlier}
        (job.folder / "manifest.json").write_text(json.dumps(manifest))

    driver = prepared(project, monkeypatch, capsys)
    monkeypatch.setattr(build_date, "build_date", publish)
    monkeypatch.setattr(build_reports, "_source_problem", lambda jobs: None)
    monkeypatch.setattr(build_reports, "refresh_index", lambda root: None)
    return project, driver


def set_rule(project, rule: str) -> None:
    text = SMALL_REPORT.replace('analysis_dates: ["1997-12-31"]', f"analysis_dates: {rule}")
    (project / "params" / "small.yaml").write_text(text)


def published(project) -> dict[str, dict]:
    paths = sorted((project / "reports" / "small").glob("*/manifest.json"))
    return {path.parent.name: json.loads(path.read_text()) for path in paths}


def test_a_year_of_monthly_runs_from_one_params_file(shop, monkeypatch):
    """Each run builds one date, compares it with the one before, leaves the others alone, and removes the oldest."""
    project, driver = shop
    monkeypatch.setattr(schedule, "_read_order_days", lambda report, root, today: (date(1997, 1, 1), today))
    set_rule(project, "{every: month, last: 2, up_to: today, keep: 3}")
    seen: dict[str, dict] = {}
    for month in range(1, 13):
        year, following = (1997, month + 4) if month < 9 else (1998, month - 8)
        status, said, error = driver("report", "--report", "small", "--today", f"{year}-{following:02}-03")
        assert status == 0, error
        assert said.startswith(f"{'2 dates' if month == 1 else '1 date'} built."), said
        now = published(project)
        assert list(now) == sorted({*seen, *now})[-3:]
        assert all(seen[day] == now[day] for day in set(seen) & set(now)), "no published date was built again"
        newest = max(now)
        assert now[newest]["previous"] == sorted({*seen, *now})[-2]
        seen |= now
    assert driver("report", "--today", "1998-04-03")[1].startswith("Nothing to build.")
    assert [day for day in seen if day >= "1997-04-30"] == [
        "1997-04-30", "1997-05-31", "1997-06-30", "1997-07-31", "1997-08-31", "1997-09-30", "1997-10-31", "1997-11-30",
        "1997-12-31", "1998-01-31", "1998-02-28", "1998-03-31",
    ]  # fmt: skip
    lines = [json.loads(line) for line in (project / "reports/_logs/dates.jsonl").read_text().splitlines()]
    built = [line for line in lines if line["status"] == "built"]
    assert len(built) == 13 and built[-1]["path"] == "reports/small/1998-03-31"
    assert (project / built[-1]["log"]).exists()
    assert [line["date"] for line in lines if line["status"] == "removed"] == list(seen)[: len(seen) - 3]
    assert {line["status"] for line in lines} == {"built", "removed", "up to date"}


def test_no_data_for_the_next_date_is_said_and_nothing_is_lost(shop):
    project, driver = shop
    set_rule(project, "{every: month, last: 2, up_to: today, keep: 2}")
    assert driver("report", "--today", "1998-07-01")[0] == 0
    before = published(project)
    status, said, error = driver("report", "--today", "1998-08-15")
    assert (status, error, published(project)) == (3, "", before)
    assert said.splitlines()[0] == "small: no data for 1998-07-31 yet; the last order is of 1998-06-30"
    status, said, error = driver("report", "--report", "small", "--date", "1998-06-30", "--today", "1998-08-15")
    assert (status, error) == (0, "")


def test_a_folder_of_somebody_else_is_never_removed(shop):
    project, driver = shop
    other, own = project / "reports/small/1990-01-01", project / "reports/small/my-copy"
    for folder in (other, own):
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"report": "other", "analysis_date": "1990-01-01"}))
    set_rule(project, "{every: month, last: 1, keep: 1}")
    driver("report", "--today", "1997-06-01")
    driver("report", "--today", "1997-07-01")
    assert list(published(project)) == ["1990-01-01", "1997-06-30", "my-copy"]


def test_comparisons_with_a_removed_date_go_with_it(tmp_path):
    folder = tmp_path / "small"
    for day in ("1997-04-30", "1997-05-31", "1997-06-30"):
        (folder / day).mkdir(parents=True)
        (folder / day / "manifest.json").write_text(json.dumps({"report": "small", "analysis_date": day}))
    (folder / "1997-04-30.failed").mkdir()
    (folder / "compare").mkdir()
    pages = [folder / "compare" / f"{pair}.html" for pair in ("1997-04-30_1997-05-31", "1997-05-31_1997-06-30")]
    for page in pages:
        page.touch()
    assert remove_old_dates(folder, 2) == [folder / "1997-04-30"]
    assert sorted(path.name for path in folder.iterdir()) == ["1997-05-31", "1997-06-30", "compare"]
    assert [page.exists() for page in pages] == [False, True]


def test_an_unreadable_source_is_reported_once_by_the_build(shop):
    project, driver = shop
    set_rule(project, "{every: month, last: 2}")
    (project / "small.csv").unlink()
    status, _, error = driver("report", "--report", "small")
    assert status == 1 and len(error.splitlines()) == 1 and "small.csv" in error


def test_a_wrong_today_is_refused(shop):
    assert "--today: '1.7.2024' is not a date" in shop[1]("report", "--today", "1.7.2024")[2]


def test_the_days_of_orders_are_kept_until_the_data_change(tmp_path, monkeypatch):
    project = new_project(tmp_path / "project")
    set_rule(project, "{every: quarter, last: 2}")
    assert iso([job.day for job in plan_jobs(project, today=date(1999, 1, 1)).jobs]) == ["1998-03-31", "1998-06-30"]
    monkeypatch.setattr(schedule, "_read_order_days", lambda *_: pytest.fail("read again"))
    assert len(plan_jobs(project, today=date(1999, 1, 1)).jobs) == 2
