"""Looking up a customer: the page that is made, and what it does in a browser with the network off."""

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

from crm_utils.core.formatting import NumberFormat
from crm_utils.site import customer_lookup

HOSTILE = "</pre><script>window.hacked=1</script>\t\n=1+1"
DAY = date(2024, 9, 30)


def make_job(title: str = "Shop") -> SimpleNamespace:
    report = SimpleNamespace(
        title=title, source=SimpleNamespace(simulate=None), columns=SimpleNamespace(order_value=None)
    )
    return SimpleNamespace(report=report, day=DAY, number_format=NumberFormat("GBP"))


def write_tables(folder, ids: list[str], forecast: bool = True) -> None:
    data = folder / "data"
    data.mkdir(parents=True)
    count = len(ids)
    people = pd.DataFrame({"customer_id": ids})
    people.assign(recency_days=range(count), orders=2, revenue=[1000.0 + 10 * n for n in range(count)]).to_parquet(
        data / "customers.parquet"
    )
    people.assign(
        segment=["A & B" if n % 2 else "Lost" for n in range(count)],
        lifecycle=["new" if n % 2 else "churned" for n in range(count)],
    ).to_parquet(data / "segments.parquet")
    values = {"expected_revenue_12m": [float(n) for n in range(count)], "chance_12m": 0.256} if forecast else {}
    people.assign(**values).to_parquet(data / "cltv.parquet")


def rows_of(page: str) -> list[list[str]]:
    text = BeautifulSoup(page, "html.parser").find(id="rows").text
    return [line.split("\t") for line in text.split("\n")]


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lookup")
    write_tables(folder, [*(f"C{number:03}" for number in range(119)), HOSTILE])
    path = folder / "customers.html"
    path.write_text(customer_lookup.render_lookup(make_job(), folder))
    context = browser.new_context(offline=True)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(path.as_uri())
    yield tab
    assert complaints == []
    context.close()


@pytest.fixture
def tab(opened):
    opened.reload()
    return opened


def found(tab) -> list[str]:
    return tab.locator("#found tbody th").all_text_contents()


def test_the_most_valuable_come_first_and_more_are_one_click_away(tab):
    assert tab.locator("#count").text_content() == "120 found, the 50 most valuable are shown."
    assert found(tab)[1:3] == ["C118", "C117"] and len(found(tab)) == 50
    tab.locator("#more").click()
    tab.locator("#more").click()
    assert len(found(tab)) == 120 and not tab.locator("#more").is_visible()


def test_a_customer_is_found_by_id_segment_status_and_value(tab):
    tab.fill("#search", "c11")
    assert found(tab) == [f"C{number}" for number in range(118, 109, -1)]
    tab.select_option("#segment", label="Lost")
    assert found(tab) == ["C118", "C116", "C114", "C112", "C110"]
    tab.select_option("#status", label="New")
    assert tab.locator("#count").text_content() == "Nobody found."
    tab.select_option("#status", value="")
    tab.fill("#least", "2150")
    assert found(tab) == ["C118", "C116"]
    row = tab.locator("#found tbody tr").first.locator("th, td").all_text_contents()
    assert row[3:] == ["118", "2", "£2,180", "£118", "26%"]


def test_hostile_ids_stay_text_and_the_page_is_accessible_at_any_width(tab):
    assert found(tab)[0] == "</pre><script>window.hacked=1</script> =1+1"
    assert tab.evaluate("window.hacked") is None
    for width in (360, 1280):
        tab.set_viewport_size({"width": width, "height": 900})
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        assert [violation["id"] for violation in Axe().run(tab).response["violations"]] == []
    assert "Personal data" in tab.locator("header").text_content()


def test_of_too_many_customers_the_most_valuable_are_kept_and_the_page_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(customer_lookup, "MOST_CUSTOMERS", 3)
    write_tables(tmp_path, [f"C{number}" for number in range(9)])
    page = customer_lookup.render_lookup(make_job(), tmp_path)
    assert [row[0] for row in rows_of(page)] == ["C8", "C7", "C6"]
    assert "the 3 most valuable of 9 customers" in page
    monkeypatch.setattr(customer_lookup, "MOST_BYTES", 60)
    assert len(rows_of(customer_lookup.render_lookup(make_job(), tmp_path))) == 2


def test_the_largest_page_stays_under_three_million_bytes(tmp_path):
    write_tables(tmp_path, [f"a-rather-long-customer-id@example-{number:06}.org" for number in range(50_500)])
    page = customer_lookup.render_lookup(make_job(), tmp_path)
    assert 2_500_000 < len(page.encode()) < 3_000_000


def test_without_a_forecast_the_page_still_finds_customers(tmp_path):
    write_tables(tmp_path, ["C1", "C2"], forecast=False)
    assert rows_of(customer_lookup.render_lookup(make_job(), tmp_path))[0] == ["C2", "0", "1", "1", "2", "1010", "", ""]
