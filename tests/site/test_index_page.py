"""The page over all reports: newest first, up to date after every change, the same for the same reports."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe

from crm_utils.core.formatting import NumberFormat
from crm_utils.site import index_page, index_refresh, pages, published, trends

FMT = NumberFormat("USD")


def publish(root: Path, report: str, day: str, customers: int, key: str = "k", **manifest: object) -> None:
    """A published date as far as the overview reads it."""
    folder = root / "reports" / report / day
    (folder / "data").mkdir(parents=True, exist_ok=True)
    figures = {"customers": customers, "orders": 9, "revenue": 1e3 * customers, "bought_in_90_days": customers // 2}
    figures |= {"expected_revenue_12m": 500.0, "revenue_90_days": 7.0, "spend": 10.0, "expected_profit": 20.0}
    content = {"title": report.title(), "currency": "USD", "analysis_date": day, "summary": figures, "pages_key": key}
    (folder / "manifest.json").write_text(json.dumps(content | manifest))
    sizes = pd.DataFrame({"segment": ["Champions", "Lost", "Empty"], "customers": [customers // 3, customers // 2, 0]})
    sizes.to_parquet(folder / "data" / "segment_profile.parquet")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    publish(tmp_path, "early", "2023-12-31", 40)
    publish(tmp_path, "late", "2024-03-31", 60)
    publish(tmp_path, "late", "2024-06-30", 90)
    return tmp_path


def index(root: Path) -> str:
    index_refresh.refresh_index(root)
    return (root / "reports" / "index.html").read_text()


def test_reports_and_dates_stand_newest_first(root):
    page = index(root)
    places = [page.index(text) for text in ("late/2024-06-30/", "late/2024-03-31/", "early/2023-12-31/")]
    assert places == sorted(places)
    assert page.count("<figure") == 2, "one date alone has no trend"
    assert "Bought in the last 90 days" in page
    assert (root / "reports" / "how-to-read.html").exists()


def test_a_report_taken_away_leaves_the_index(root):
    assert "early" in index(root)
    shutil.rmtree(root / "reports" / "early")
    assert "early" not in index(root)
    shutil.rmtree(root / "reports" / "late" / "2024-03-31")
    assert "<figure" not in index(root)
    shutil.rmtree(root / "reports" / "late")
    assert "No report has been built yet" in index(root)


def test_rebuilding_one_report_leaves_the_others_in_place(root):
    before = index(root)
    publish(root, "early", "2023-12-31", 50, key="other")
    after = index(root)
    assert before != after
    assert "late/2024-06-30/" in after


def test_nothing_new_writes_nothing_and_run_times_do_not_count(root):
    index(root)
    path = root / "reports" / "index.html"
    content, stamp = path.read_bytes(), path.stat().st_mtime_ns
    publish(root, "late", "2024-06-30", 90, seconds=7)
    index(root)
    assert path.stat().st_mtime_ns == stamp
    path.unlink()
    index(root)
    assert path.read_bytes() == content


def test_what_is_unfinished_failed_or_a_draft_is_no_date(root):
    for name in ("late/.2024-09-30.building", "late/2024-09-30.failed", "_draft"):
        shutil.copytree(root / "reports" / "late" / "2024-06-30", root / "reports" / name)
    (root / "reports" / "nothing").mkdir()
    assert {folder.name: days for folder, days in published.published_dates(root).items()} == {
        "early": ["2023-12-31"],
        "late": ["2024-03-31", "2024-06-30"],
    }


def test_what_a_user_copied_or_put_there_is_left_alone(root):
    before = index(root)
    late = root / "reports" / "late"
    (late / "compare").mkdir()
    (late / "compare" / "note_for_the_boss.html").write_text("x")
    shutil.copytree(late / "2024-06-30", late / "2024-06-30 (copy)")
    (late / "2024-06-30 (copy)" / "index.html").write_text("<!--compared-->mine<!--/compared-->")
    assert index(root) == before
    assert "mine" in (late / "2024-06-30 (copy)" / "index.html").read_text()


def test_comparisons_are_linked_while_both_dates_are_there(root):
    folder = root / "reports" / "late" / "compare"
    folder.mkdir()
    (folder / "2024-03-31_2024-06-30.html").write_text("x")
    (folder / "2023-03-31_2024-06-30.html").write_text("one of its dates is gone")
    for day in ("2024-03-31", "2024-06-30"):
        (root / "reports" / "late" / day / "index.html").write_text("<p>a</p><!--compared--><!--/compared--><p>b</p>")
    page = index(root)
    first = root / "reports" / "late" / "2024-03-31" / "index.html"
    link = '<a href="../compare/2024-03-31_2024-06-30.html">30 June 2024</a>'
    assert first.read_text() == (
        f'<p>a</p><!--compared--><p class="compared">Compared with {link}.</p><!--/compared--><p>b</p>'
    )
    (folder / "2024-03-31_2024-06-30.html").rename(folder / "gone.html")
    index(root)
    assert first.read_text() == "<p>a</p><!--compared--><!--/compared--><p>b</p>"
    (folder / "gone.html").rename(folder / "2024-03-31_2024-06-30.html")
    assert 'href="late/compare/2024-03-31_2024-06-30.html">31 March 2024 and 30 June 2024</a>' in page
    assert "2023-03-31" not in page


def test_titles_from_params_are_escaped(tmp_path):
    publish(tmp_path, "odd", "2024-06-30", 5, title="<script>alert(1)</script>")
    assert "<script>alert" not in index_page.render_index(tmp_path)


@pytest.mark.parametrize("name", ["index.html", "how-to-read.html"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_pages_in_a_browser(root, browser, name, width):
    index(root)
    tab = browser.new_context(offline=True, viewport={"width": width, "height": 900}).new_page()
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto((root / "reports" / name).as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert [item["id"] for item in Axe().run(tab).response["violations"]] == []
    assert tab.locator("h1").count() == 1
    assert all(15 <= len(shown.get_attribute("aria-label")) <= 150 for shown in tab.locator("svg[role=img]").all())
    assert complaints == []
    tab.context.close()


def sizes(*counts: tuple[int, int]) -> pd.DataFrame:
    days = pd.to_datetime(["2024-03-31", "2024-06-30"])
    rows = [(f"S{n}", day, count) for n, pair in enumerate(counts) for day, count in zip(days, pair, strict=True)]
    return pd.DataFrame(rows, columns=["segment", "date", "customers"])


def test_the_sentence_about_segment_sizes_in_singular_and_zero():
    assert trends.segment_sizes_sentence(sizes((3, 1), (0, 2)), FMT) == (
        "S1 grew most: from 0 to 2 customers. S0 shrank most: from 3 to 1 customer."
    )
    assert "31 March 2024" in trends.segment_sizes_sentence(sizes((1, 1)), FMT)
    assert trends.segment_sizes_sentence(sizes((5, 5), (1, 9)), FMT) == "S1 grew most: from 1 to 9 customers."
    assert trends.alt_text_segment_sizes(sizes((3, 1)), FMT).endswith("date: S0 3 to 1.")


def test_the_trend_gives_both_ends_and_a_percentage_where_there_is_a_base():
    dates = pd.DataFrame(
        {
            "date": pd.to_datetime(["2024-03-31", "2024-06-30"]),
            "bought_in_90_days": [0, 30],
            "revenue_90_days": [1e3, 800.0],
            "expected_revenue_12m": [500.0, 400.0],
        }
    )
    text = trends.trend_sentence(dates, FMT)
    assert "from 0 to 30, and" in text
    assert "from $500 to $400 (−20%)." in text
    assert "their revenue from $1,000 to $800 (−20%)." in text, "a fall is called a fall"
    assert "30 June 2024: 30 buyers, $800 in 90 days, $400 expected" in trends.alt_text_trend(dates, FMT)


def test_every_segment_that_ever_had_a_customer_has_its_panel():
    ax = trends.plot_segment_sizes(sizes((3, 1), (0, 0), (0, 2), (1, 1), (4, 4), (2, 2)), FMT)
    titles = [panel.get_title(loc="left") for panel in ax.figure.axes]
    assert [title for title in titles if title] == ["S0", "S2", "S3", "S4", "S5"]
    assert [float(y) for y in ax.lines[0].get_ydata()] == [3, 1]


def newest(root: Path) -> dict[str, str]:
    """What `latest` of report `late` holds."""
    index_refresh.refresh_index(root)
    folder = root / "reports" / "late" / "latest"
    return {path.name: path.read_text() for path in sorted(folder.glob("*.*"))}


def test_latest_holds_the_newest_date_whatever_is_added_rebuilt_or_deleted(root):
    late = root / "reports" / "late"
    for day in ("2024-03-31", "2024-06-30"):
        (late / day / "index.html").write_text(day)
    assert newest(root)["index.html"] == "2024-06-30"
    assert (late / "latest" / "data" / "segment_profile.parquet").samefile(
        late / "2024-06-30" / "data" / "segment_profile.parquet"
    ), "no second copy on the disk"
    stamp = (late / "latest").stat().st_mtime_ns
    newest(root)
    assert (late / "latest").stat().st_mtime_ns == stamp, "nothing new writes nothing"
    publish(root, "late", "2024-09-30", 95)
    (late / "2024-09-30" / "index.html").write_text("autumn")
    assert newest(root)["index.html"] == "autumn"
    (late / ".latest.building").mkdir()  # a killed run
    publish(root, "late", "2024-09-30", 96)
    assert '"customers": 96' in newest(root)["manifest.json"]
    shutil.rmtree(late / "2024-09-30")
    assert newest(root)["index.html"] == "2024-06-30"
    for day in ("2024-03-31", "2024-06-30"):
        shutil.rmtree(late / day)
    assert newest(root) == {}, "no list of customers is left of a deleted report"


def test_latest_is_copied_where_the_disk_has_no_hard_links(root, monkeypatch):
    def refuse(source: str, target: str) -> None:
        raise OSError("no hard links here")

    monkeypatch.setattr(published.os, "link", refuse)
    (root / "reports" / "late" / "2024-06-30" / "index.html").write_text("June")
    assert newest(root)["index.html"] == "June"
    (root / "reports" / "early" / "latest" / "manifest.json").unlink()
    index_refresh.refresh_index(root)
    assert (root / "reports" / "early" / "latest" / "manifest.json").exists()


def test_links_of_the_pages_are_percent_encoded(tmp_path):
    """A report published before names were restricted, or a notebook of one's own, may have any name."""
    publish(tmp_path, "my #1 100%", "2024-12-31", 5)
    assert 'href="my%20%231%20100%25/2024-12-31/index.html"' in index_page.render_index(tmp_path, "")
    for template in Path(pages.__file__).parent.glob("templates/*.j2"):
        for link in re.findall(r'href="([^"]*)"', template.read_text(encoding="utf-8")):
            names = re.findall(r"{{ *([\w.]*(?:name|path|list)[\w.]*)( \| urlencode)? }}", link)
            assert all(encoded for _, encoded in names), (template.name, link)
