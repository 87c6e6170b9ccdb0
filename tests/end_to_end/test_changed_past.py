"""The source of a published date changes its past: the run, the log and the page say what changed."""

import re

import pandas as pd

from tests.support.in_process import prepared
from tests.support.projects import DAY


def counted(log: pd.DataFrame) -> tuple[int, int, float]:
    """Rows (each an order), customers and revenue up to the analysis date."""
    past = log[(log.date <= 19971231) & (log.dollar_value > 0)]
    return len(past), past.customer_id.nunique(), past.dollar_value.sum()


def test_the_run_says_what_changed_before_it_replaces_a_date(rebuilt, monkeypatch, capsys):
    source = rebuilt / "small.csv"
    log = pd.read_csv(source)
    added = pd.DataFrame(
        {"customer_id": 99_999, "date": [19970501, 19970601], "number_of_cds": 1, "dollar_value": [10.0, 5.5]}
    )
    more = pd.concat([log, added])
    more.to_csv(source, index=False)
    (rows, customers, revenue), (rows_now, customers_now, revenue_now) = counted(log), counted(more)
    assert (rows_now, customers_now, round(revenue_now - revenue, 2)) == (rows + 2, customers + 1, 15.5)
    driver = prepared(rebuilt, monkeypatch, capsys)
    driver.drawn = {"01_cleaning"}
    status, said, _ = driver("report", "--report", "small")
    assert status == 0
    changes = (
        f"rows {rows:,} → {rows + 2:,}, orders {rows:,} → {rows + 2:,}, customers {customers} → {customers + 1} and "
        f"revenue ${revenue:,.2f} → ${revenue_now:,.2f}"
    )
    told = f"small 1997-12-31: the source changed the past of this published date: {changes}"
    assert told in said
    logs = sorted((rebuilt / "reports" / "_logs").glob("*_report.log"))
    assert told in logs[-1].read_text(encoding="utf-8")
    page = re.sub(r"<[^>]+>", "", (rebuilt / DAY / "01_cleaning.html").read_text(encoding="utf-8"))
    assert changes in page
    # the next build has nothing new to tell, and the page still says what had been published
    source.write_bytes(source.read_bytes() + b"\n")
    status, said, _ = driver("report", "--report", "small")
    assert status == 0 and "changed the past" not in said
    page = re.sub(r"<[^>]+>", "", (rebuilt / DAY / "01_cleaning.html").read_text(encoding="utf-8"))
    assert changes in page
    assert "published" not in (rebuilt / DAY / "settings.json").read_text().replace('"published": null', "")
