"""Two published dates compared: tables by hand, the page from two folders, what it refuses, what rebuilding does."""

import json
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

from crm_utils.commands import compare_dates
from crm_utils.comparison import findings, metrics
from crm_utils.comparison.metrics import KeyFigure
from crm_utils.comparison.narrative import describe_outcomes, describe_segments
from crm_utils.config import SegmentRules
from crm_utils.core.constants import RESERVE
from crm_utils.core.contracts import check_contract
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.orders import orders_as_of
from crm_utils.pipeline import atomic_publish
from crm_utils.rfm import measures, scoring
from crm_utils.rfm.history import compute_history
from crm_utils.segmentation import assignment, migration
from crm_utils.segmentation.profile import segment_profile
from crm_utils.site import index_refresh
from crm_utils.store import Run
from tests.support.projects import run

FMT = NumberFormat("USD")
THEN, NOW = date(1997, 9, 30), date(1997, 12, 31)
FORECAST = pd.DataFrame(
    {
        "horizon_days": [31, 91, 182, 365, 91, 91],
        "months": [1, 3, 6, 12, 3, 3],
        "segment": ["all", "all", "all", "all", "A", "B"],
        "purchase_days": 1.0,
        "revenue": [100.0, 300.0, 600.0, 1200.0, 250.0, 50.0],
        "revenue_low": [80.0, 250.0, 500.0, 900.0, 200.0, 10.0],
        "revenue_high": [120.0, 350.0, 700.0, 1500.0, 300.0, 90.0],
        "seasonal_factor": float("nan"),
    }
)


def came(**revenue: float) -> pd.DataFrame:
    return pd.DataFrame({"revenue": list(revenue.values())}, index=list(revenue))


def test_forecasts_are_judged_by_what_came():
    judged = metrics.forecast_outcomes(FORECAST, {1: (came(x=75.0, y=50.0), 0.0), 3: (came(x=250.0, y=50.0), 7.0)})
    assert judged.months.tolist() == [1, 3]
    assert judged.revenue_actual.tolist() == [125.0, 300.0]
    assert judged.miss.tolist() == [pytest.approx(-0.2), 0.0]
    assert judged.held.tolist() == [False, True]
    assert judged.revenue_new.tolist() == [0.0, 7.0]


def test_forecasts_by_the_segment_customers_were_in_then():
    then = pd.DataFrame({"customer_id": ["x", "y", "z"], "segment": ["A", "A", "B"]})
    judged = metrics.forecast_outcomes_by_segment(
        FORECAST, {1: (came(), 0), 3: (came(x=250.0, y=0.0, z=100.0), 0)}, then
    )
    assert judged[["segment", "customers", "revenue_actual"]].to_numpy().tolist() == [["A", 2, 250.0], ["B", 1, 100.0]]
    assert judged.held.tolist() == [True, False]


def test_nothing_came_and_no_forecast_is_over():
    judged = metrics.forecast_outcomes(FORECAST, {1: (came(x=0.0), 0.0)})
    assert judged.miss.isna().all()
    assert "for a period without revenue" in describe_outcomes(judged, THEN, NOW, FMT)
    none = metrics.forecast_outcomes(FORECAST, {})
    assert none.empty
    nothing = findings.forecast_outcomes(none, THEN, NOW, FMT)
    assert isinstance(nothing.sentence, NotApplicable)
    assert "The forecasts of 30 September 1997 cannot be checked yet." in nothing.sentence
    assert (nothing.figure, nothing.table) == (None, None)


def test_outcomes_in_words():
    one = metrics.forecast_outcomes(FORECAST, {1: (came(x=125.0), 0.0)})
    assert describe_outcomes(one, THEN, NOW, FMT) == (
        "Customers known on 30 September 1997 were expected to spend $100 in the month after it. They spent $125. "
        "The forecast was 20% too low. The actual revenue is outside its range of $80.00 to $120."
    )
    two = metrics.forecast_outcomes(FORECAST, {1: (came(x=125.0), 0.0), 3: (came(x=300.0), 7.0)})
    text = describe_outcomes(two, THEN, NOW, FMT)
    assert "in the 3 months after" in text
    assert "The forecast was on target. The actual revenue is within" in text
    assert "1 of 2 ranges contained" in text
    assert "spent another $7.00." in text


def profile(**customers: int) -> pd.DataFrame:
    frame = pd.DataFrame({"segment": list(customers), "customers": list(customers.values())})
    return frame.assign(revenue=frame.customers * 10.0)


def test_segments_side_by_side_also_those_of_one_date_only():
    both = metrics.compare_segments(profile(A=3, Old=2), profile(B=4, A=1))
    assert both.segment.tolist() == ["B", "A", "Old"]
    assert both.customers_then.tolist() == [0, 3, 2]
    assert both.customers_change.tolist() == [4, -2, -2]
    assert both.revenue_change.tolist() == [40.0, -20.0, -20.0]
    assert describe_segments(both, FMT) == "B gained most (4 customers); A lost most (2 customers)."
    same = metrics.compare_segments(profile(A=1), profile(A=1))
    assert describe_segments(same, FMT).startswith("Every segment has as many")
    more = metrics.compare_segments(profile(A=1), profile(A=2))
    assert describe_segments(more, FMT) == "A gained most (1 customer)."


def figures(then: list[float], now: list[float]) -> pd.DataFrame:
    codes = [KeyFigure.CUSTOMERS, KeyFigure.ORDERS, KeyFigure.REVENUE, KeyFigure.RECENT_CUSTOMERS]
    codes.append(KeyFigure.RECENT_REVENUE)
    table = pd.DataFrame({"figure": codes, "then": then, "now": now})
    return table.assign(change=table.now - table["then"])


def test_key_figures_by_hand():
    tables = {
        "customers": pd.DataFrame({"orders": [2, 3], "revenue": [10.0, 5.5], "recency_days": [89, 90]}),
        "forecast": FORECAST,
        "history": pd.DataFrame({"revenue": [9.0, 7.5]}),
        "cltv": pd.DataFrame({"clv": [1.0, 2.0]}),
        "budget_lines": pd.DataFrame(
            {"line": ["learn", "win_new_customers", RESERVE], "spend": [4.0, 5.0, 91.0], "expected_profit": [-1, 3, 0]}
        ),
    }
    later = tables | {"customers": pd.concat([tables["customers"]] * 2)}
    compared = metrics.key_figures(tables, later).set_index("figure")
    assert compared["then"].to_dict() == {
        "customers": 2,
        "orders": 5,
        "revenue": 15.5,
        "recent_customers": 1,
        "recent_revenue": 7.5,
        "expected_revenue_12m": 1200.0,
        "expected_revenue_12m_low": 900.0,
        "expected_revenue_12m_high": 1500.0,
        "clv": 3.0,
        "spend": 9.0,  # without the reserve
        "expected_profit": 2.0,
    }
    assert compared.change[["customers", "orders", "revenue", "recent_customers"]].tolist() == [2, 5, 15.5, 1]
    assert not compared.change.drop(["customers", "orders", "revenue", "recent_customers"]).any()


@pytest.mark.parametrize(
    ("now", "sentences"),
    [
        ([11, 21, 150.0, 2, 80.0], ["placed 1 order worth $50.00.", "1 customer ordered for the first time."]),
        ([10, 22, 150.0, 2, 80.0], ["placed 2 orders worth $50.00.", "Nobody ordered for the first time."]),
        ([13, 24, 150.0, 2, 80.0], ["placed 4 orders worth $50.00.", "3 customers ordered for the first time."]),
        ([10, 20, 100.0, 2, 80.0], ["and 31 December 1997, no order was added. In the 90 days"]),
        ([9, 21, 150.0, 2, 80.0], ["placed 1 order worth $50.00.", "1 customer fewer than before."]),
    ],
)
def test_key_figures_in_words(now, sentences):
    text = findings.key_figures(figures([10, 20, 100.0, 5, 100.0], now), THEN, NOW, [], FMT).sentence
    assert all(sentence in text for sentence in sentences)
    assert "In the 90 days before the later date 2 customers spent $80.00." in text
    assert "before the earlier date 5 customers spent $100, so revenue fell by 20%." in text, "a fall is called a fall"


def test_revenue_that_rises_or_stays_is_said():
    rise = findings.key_figures(figures([10, 20, 100.0, 5, 100.0], [10, 20, 100.0, 5, 150.0]), THEN, NOW, [], FMT)
    assert "so revenue rose by 50%." in rise.sentence
    same = findings.key_figures(figures([10, 20, 100.0, 5, 100.0], [10, 20, 100.0, 5, 100.0]), THEN, NOW, [], FMT)
    assert "spent $100." in same.sentence and "so revenue" not in same.sentence


def test_settings_that_differ_are_named():
    table = figures([10, 20, 100.0, 5, 9.0], [11, 21, 150.0, 2, 9.0])
    same, one, two = (
        findings.key_figures(table, THEN, NOW, changed, FMT).sentence
        for changed in ([], [("02_rfm.n_bins", "5", "4")], [("a", "1", "2"), ("b", "1", "3")])
    )
    assert "settings" not in same
    assert one.endswith("settings that differ between the two dates: 02_rfm.n_bins was 5 and is 4.")
    assert two.endswith("a was 1 and is 2; b was 1 and is 3.")


def test_changes_carry_their_sign_and_zero_none():
    table = figures([10, 20, 100.0, 5, 90.0], [10, 21, 150.0, 2, 60.0])
    html = findings.key_figures(table, THEN, NOW, [], FMT).table.to_html()
    cells = [cell.text for cell in BeautifulSoup(html, "html.parser").select("tbody tr td:last-child")]
    assert cells == ["0", "−3", "−$30.00"], "what can only rise is not compared"


@pytest.fixture(scope="module")
def two_dates(built, tmp_path_factory) -> Path:
    """The built project with an earlier date next to its own: that day's tables, and a made-up forecast."""
    root = shutil.copytree(built, tmp_path_factory.mktemp("compared") / "project")
    later = root / "reports" / "small" / str(NOW)
    earlier = shutil.copytree(later, later.with_name(str(THEN)))
    manifest = json.loads((earlier / "manifest.json").read_text())
    (earlier / "manifest.json").write_text(json.dumps(manifest | {"analysis_date": str(THEN), "pages_key": "earlier"}))
    store = Run(earlier)
    rules = store.load_segment_rules()
    state = measures.rfm_as_of(store.scan("orders"), store.scan("order_adjustments"), THEN, rules.scoring.config)
    customers = scoring.score_customers(state, rules.scoring.config)
    assigned = assignment.assign_segments(customers, rules, THEN)
    names = dict.fromkeys(store.load("segment_profile").segment, "advice")
    for name, table in {
        "customers": customers,
        "segments": assigned.assign(lifecycle="active"),
        "history": compute_history(
            orders_as_of(store.scan("orders"), store.scan("order_adjustments"), THEN), THEN, history_complete=True
        ),
        "segment_profile": segment_profile(customers, assigned, names),
        "cltv": store.load("cltv").query("customer_id in @customers.customer_id"),
        "forecast": FORECAST.replace({"segment": {"A": "Champions", "B": "Lost"}}),
    }.items():  # not saved by the store: a made-up forecast agrees with no table
        check_contract(table, name).to_parquet(store.path(name), index=False)
    return root


@pytest.fixture(scope="module")
def compared(two_dates) -> Path:
    """The page of the two dates, linked from the index."""
    path = compare_dates.compare_dates(two_dates, "small", str(THEN), str(NOW))
    index_refresh.refresh_index(two_dates)
    return path


def test_the_page_says_what_the_two_folders_hold(two_dates, compared):
    assert compared == two_dates / "reports/small/compare/1997-09-30_1997-12-31.html"
    page = BeautifulSoup(compared.read_text(), "html.parser")
    assert [section.h2["id"] for section in page.select("section.block")] == [
        "figures",
        "forecasts",
        "gates",
        "segments",
        "moves",
    ]
    data = two_dates / "reports/small" / str(NOW) / "data"
    then = pd.read_parquet(two_dates / "reports/small" / str(THEN) / "data" / "customers.parquet")
    placed = pd.read_parquet(data / "orders.parquet")
    since = placed[placed.ordered_at >= "1997-10-01"]
    known = since[since.customer_id.isin(then.customer_id)]
    month = known[known.ordered_at < "1997-11-01"].revenue.sum()
    quarter = known[known.ordered_at < "1997-12-31"].revenue.sum()  # 91 days
    text = page.find(id="forecasts").parent.get_text(" ")
    for amount in (month, quarter):
        assert f"${amount:,.0f}" in text
    rows = [
        [cell.text for cell in row.select("td, th")]
        for row in page.find(id="forecasts").parent.table.select("tbody tr")
    ]
    assert [row[0] for row in rows] == ["1 month", "3 months"], "longer horizons end after the later date"
    assert [row[-1] for row in rows] == [
        "yes" if 80 <= month <= 120 else "no",
        "yes" if 250 <= quarter <= 350 else "no",
    ]
    assert f"{len(since):,} orders worth ${since.revenue.sum():,.0f}" in page.find(id="figures").parent.get_text(" ")


def test_movement_adds_up_from_the_segments_published_then_to_those_of_now(two_dates, compared):
    before, after = (Run(two_dates / "reports/small" / str(day)) for day in (THEN, NOW))
    profiles = [store.load("segment_profile").set_index("segment").customers for store in (before, after)]
    rules = after.load_segment_rules()
    moved = migration.decompose_migration(before.load("customers"), after.load("customers"), rules, THEN, NOW)
    changes = migration.net_by_cause(moved, after.load("segment_profile")).set_index("segment")
    assert changes.customers_then.to_dict() == profiles[0].to_dict()
    page = BeautifulSoup(compared.read_text(), "html.parser")
    rows = page.find(id="moves").parent.table.select("tbody tr")
    shown = {
        row.select("td, th")[0].text: [
            cell.text.replace(",", "").replace("−", "-") for cell in row.select("td, th")[1:-1]
        ]
        for row in rows
    }
    for name, (first, *causes, last) in shown.items():
        assert int(first) == profiles[0][name]
        assert int(first) + sum(map(int, causes)) == int(last) == profiles[1][name]


def test_the_same_folders_give_the_same_bytes(two_dates, compared):
    first = compared.read_bytes()
    compared.unlink()
    assert compare_dates.compare_dates(two_dates, "small", str(THEN), str(NOW)).read_bytes() == first
    assert [other.name for other in compared.parent.iterdir()] == [compared.name]
    assert str(two_dates).encode() not in first


@pytest.mark.parametrize(
    ("report", "then", "now", "message"),
    [
        ("smal", str(THEN), str(NOW), "no date of report 'smal' is published (published reports: small)"),
        (
            "small",
            "1997-06-30",
            str(NOW),
            "1997-06-30 is not a published date of small. Published dates: 1997-09-30, 1997-12-31",
        ),
        ("small", str(THEN), "yesterday", "yesterday is not a published date of small"),
        ("small", str(NOW), str(NOW), "FROM and TO are the same date, 1997-12-31"),
        ("small", str(NOW), str(THEN), "FROM=1997-12-31 is later than TO=1997-09-30; give the earlier date first"),
    ],
)
def test_what_is_not_there_is_refused(two_dates, report, then, now, message):
    with pytest.raises(SourceError, match=message.replace("(", r"\(").replace(")", r"\)")):
        compare_dates.compare_dates(two_dates, report, then, now)
    assert not (two_dates / "reports" / "smal").exists()


def test_a_date_without_its_tables_is_told(two_dates, tmp_path):
    root = shutil.copytree(two_dates, tmp_path / "project")
    (root / "reports/small" / str(THEN) / "data" / "forecast.parquet").unlink()
    with pytest.raises(
        SourceError,
        match="^small 1997-09-30 has no table forecast; run make report REPORT=small DATE=1997-09-30 first$",
    ):
        compare_dates.compare_dates(root, "small", str(THEN), str(NOW))


def test_a_date_of_an_earlier_version_must_be_rebuilt(two_dates, tmp_path):
    root = shutil.copytree(two_dates, tmp_path / "project")
    (root / "reports/small" / str(THEN) / "data" / "segment_rules.json").unlink()
    with pytest.raises(SourceError, match="rebuild it with make report REPORT=small DATE=1997-09-30$"):
        compare_dates.compare_dates(root, "small", str(THEN), str(NOW))


def test_rebuilding_a_date_keeps_the_comparison_and_renews_it(two_dates, tmp_path):
    root = shutil.copytree(two_dates, tmp_path / "project")
    folder = root / "reports" / "small"
    done = run(root, "compare", "--report", "small", "--from", str(THEN), "--to", str(NOW))
    assert (
        done.stdout == "wrote reports/small/compare/1997-09-30_1997-12-31.html and linked it from reports/index.html\n"
    )
    page = folder / "compare" / "1997-09-30_1997-12-31.html"
    assert "small/compare/1997-09-30_1997-12-31.html" in (root / "reports" / "index.html").read_text()
    other = atomic_publish.build_folder(folder / str(NOW))
    shutil.copytree(folder / str(NOW), other)
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps(manifest | {"title": "Renamed shop"}))
    atomic_publish.swap_into_place(folder / str(NOW))
    assert page.exists(), "publishing a date leaves the comparisons"
    assert compare_dates.renew_comparisons(folder, {"1997-06-30"}) == []
    assert "Renamed shop" not in page.read_text(), "of another date: left alone"
    assert compare_dates.renew_comparisons(folder, {str(NOW)}) == []
    assert "Renamed shop" in page.read_text()
    shutil.rmtree(folder / str(THEN))
    index_refresh.refresh_index(root)
    assert "compare/" not in (root / "reports" / "index.html").read_text()


def test_other_rules_on_the_two_dates_are_said_and_moves_left_out(two_dates, tmp_path):
    root = shutil.copytree(two_dates, tmp_path / "project")
    earlier = root / "reports" / "small" / str(THEN)
    manifest = json.loads((earlier / "manifest.json").read_text())
    manifest["notebooks"][1]["parameters"]["n_bins"]["value"] = 4
    (earlier / "manifest.json").write_text(json.dumps(manifest))
    rules = Run(earlier).load_segment_rules().model_dump(mode="json")
    rules["scoring"]["config"]["window"] = "12 months to the analysis date"
    Run(earlier).save_segment_rules(SegmentRules.model_validate(rules))
    page = compare_dates.render_comparison(earlier, earlier.with_name(str(NOW)))
    assert "settings that differ between the two dates: 02_rfm.n_bins was 4 and is 5." in page
    assert "Moves between segments are not shown because the two dates score customers by different rules." in page


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_in_a_browser(two_dates, compared, browser, width):
    tab = browser.new_context(offline=True, viewport={"width": width, "height": 900}).new_page()
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto((two_dates / "reports" / "index.html").as_uri())
    tab.get_by_role("link", name="30 September 1997 and 31 December 1997").click()
    assert tab.url.endswith("small/compare/1997-09-30_1997-12-31.html")
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert Axe().run(tab).response["violations"] == []
    assert tab.locator("h1").count() == 1
    assert all(15 <= len(shown.get_attribute("aria-label")) <= 150 for shown in tab.locator("svg[role=img]").all())
    tab.get_by_role("link", name="31 December 1997").first.click()
    assert tab.url.endswith("small/1997-12-31/index.html")
    assert complaints == []
    tab.context.close()
