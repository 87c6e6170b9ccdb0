"""The first page of a date: its blocks in their order, and every number in its sentences the tables' own."""

import math
import re
from datetime import date, timedelta
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import openpyxl
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import expect

from crm_utils.core.constants import RESERVE
from crm_utils.core.display.finding import Finding
from crm_utils.core.display.paragraphs import not_applicable, paragraph
from crm_utils.core.display.table_style import style_table
from crm_utils.core.formatting import NumberFormat, day, percent
from crm_utils.site import date_page, summary_blocks
from tests.support.page_words import LIMITS, visible_words

DOLLARS = NumberFormat("USD")
DAY = Path("reports/small/1997-12-31")
ORDER = [
    "decision",
    "certainty",
    "would-change",
    "earned",
    "usual",
    "since",
    "matters",
    "avoid",
    "newcomer",
    "trust",
]
FIGURE = (
    '<figure class="crm-figure"><p class="finding">Two &amp; two</p>'
    '<img alt="a picture of four" src="data:,"><figcaption>Caption</figcaption></figure>'
)


def cell(html: str, *tags: str) -> nbformat.NotebookNode:
    output = new_output("display_data", {"text/html": html})
    return new_code_cell("1", outputs=[output], metadata={"tags": list(tags)})


def book(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return new_notebook(cells=list(cells))


def test_blocks_stand_in_the_readers_order_whatever_the_notebooks_order():
    parts = [cell(paragraph(f"About {tag}.")._repr_html_(), tag) for tag in ORDER]
    found = summary_blocks.summary_blocks({"05_budget": book(*parts[::-1])}, {"05_budget": ""})
    assert [block.id for block in found] == ORDER
    assert [block.answer for block in found] == [[f'<p class="so-what">About {tag}.</p>'] for tag in ORDER]


def test_what_is_expected_stands_before_our_record():
    parts = [cell("<p>record</p>", "record"), cell("<p>usual</p>", "usual")]
    (block,) = summary_blocks.summary_blocks({"04_cltv": book(*parts)}, {"04_cltv": ""})
    assert block.answer == ["<p>usual</p>", "<p>record</p>"]


def test_a_block_without_content_is_left_out():
    parts = [cell(not_applicable("no past campaign")._repr_html_(), "earned"), cell("<p>x</p>", "trust")]
    found = summary_blocks.summary_blocks({"05_budget": book(*parts)}, {"05_budget": ""})
    assert [block.id for block in found] == ["trust"]
    assert summary_blocks.summary_blocks({"05_budget": book()}, {"05_budget": ""}) == []


def test_a_line_comes_from_the_cells_that_wrote_one_and_leads_to_their_section():
    brief = Finding(paragraph("Half came & went."), brief=paragraph("Half & half."))
    cells = [new_markdown_cell("## Who moved?"), cell(brief._repr_html_(), "since"), cell("<p>x</p>", "since")]
    pages = {"03": '<h2 id="Who-moved?">'}
    assert summary_blocks.brief_lines({"03": book(*cells)}, pages, "since") == [
        summary_blocks.Line("Half & half.", "03.html#Who-moved?")
    ]
    (block,) = summary_blocks.summary_blocks({"03": book(*cells[1:2])}, {"03": ""})
    assert block.answer == ['<p class="so-what">Half came &amp; went.</p>'], "the line stands above, not here too"


def test_a_line_that_is_missing_says_why():
    nothing = cell(not_applicable("There is no earlier date.")._repr_html_(), "since")
    assert summary_blocks.brief_lines({"03": book(nothing, nothing)}, {"03": ""}, "since") == [
        summary_blocks.Line("There is no earlier date.", "03.html")
    ]
    assert summary_blocks.brief_lines({"03": book()}, {"03": ""}, "since") == []


def test_a_finding_stands_by_its_sentence_and_a_table_alone_stays_whole():
    """A headline too: the card beside a page's name has room for a sentence."""
    rows = pd.DataFrame({"customers": [1_234]})
    finding = Finding(paragraph("Half came back."), table=style_table(rows, "Customers", NumberFormat()))
    drawn = Finding(paragraph("Half came back."), plt.subplots()[1], "Caption", "A chart.", finding.table)
    for shown in (finding, drawn):
        notebook = book(cell(shown._repr_html_(), "since", "headline"), cell(finding.table._repr_html_(), "plan"))
        (since,) = summary_blocks.summary_blocks({"a": notebook}, {"a": ""})
        assert since.answer == ['<p class="so-what">Half came back.</p>']
        assert "1,234" in summary_blocks.tables_of({"a": notebook}, "plan")[0]
        card = summary_blocks.card_headlines(book(cell(shown._repr_html_(), "headline")))
        assert card == ['<p class="so-what">Half came back.</p>']


def test_a_finding_with_an_empty_table_still_says_its_sentence():
    nothing = style_table(pd.DataFrame({"customers": []}), "Customers", NumberFormat())
    notebook = book(cell(Finding(paragraph("Nobody left."), table=nothing)._repr_html_(), "since"))
    (block,) = summary_blocks.summary_blocks({"a": notebook}, {"a": ""})
    assert block.answer == ['<p class="so-what">Nobody left.</p>']


def test_each_block_links_to_the_sections_it_comes_from_once():
    parts = [new_markdown_cell("# Title?"), cell("<p>0</p>", "decision")]
    parts += [new_markdown_cell("## What then?\n\nText."), cell("<p>1</p>", "decision"), cell("<p>2</p>", "decision")]
    (block,) = summary_blocks.summary_blocks({"05_budget": book(*parts)}, {"05_budget": '<h2 id="What-then?">'})
    assert block.more == [("Title?", "05_budget.html"), ("What then?", "05_budget.html#What-then?")]


def test_a_table_without_a_row_is_no_content():
    table = "<table><caption>Plan</caption><thead><tr><th>Campaign</th></tr></thead><tbody>{}</tbody></table>"
    assert summary_blocks.tables_of({"a": book(cell(table.format(""), "plan"))}, "plan") == []
    (shown,) = summary_blocks.tables_of({"a": book(cell(table.format("<tr><td>Mail</td></tr>"), "plan"))}, "plan")
    assert "Mail" in shown


def test_a_headline_that_stands_in_a_block_is_not_said_twice():
    notebook = book(cell("<p>1</p>", "headline"), cell("<p>2</p>", "headline", "trust"))
    assert summary_blocks.card_headlines(notebook) == ["<p>1</p>"]


def test_every_block_is_fed_by_a_notebook_of_ours():
    cells = [
        cell
        for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
    ]
    tagged = {tag for cell in cells for tag in cell.metadata.get("tags", [])}
    blocks = {tag for tags in summary_blocks.QUESTIONS.values() for tag in tags}
    assert (
        blocks | {summary_blocks.DECISION, summary_blocks.PLAN, *summary_blocks.UNSURE, *summary_blocks.LINES} <= tagged
    )


def test_the_figures_of_a_date_count_the_lines_of_the_budget_without_the_reserve(tmp_path):
    customers = pd.DataFrame({"orders": [2, 3], "revenue": [10.0, 5.5], "recency_days": [89, 90]})
    customers.to_parquet(tmp_path / "customers.parquet")
    forecast = pd.DataFrame({"segment": ["all", "all", "A"], "months": [12, 3, 12], "revenue": [120.0, 30.0, 60.0]})
    forecast.to_parquet(tmp_path / "forecast.parquet")
    history = pd.DataFrame({"last_day": pd.to_datetime(["2023-06-30", "2024-06-30"]), "active_customers": [4, 1]})
    history = history.assign(revenue=[8.0, 15.5], new_customers=[None, 2.0], top_tenth_share=[None, 0.61])
    history.to_parquet(tmp_path / "history.parquet")
    business = pd.DataFrame({"months": [3, 12], "revenue": [40.0, 150.0], "revenue_before": [30.0, 160.0]})
    business.to_parquet(tmp_path / "business.parquet")
    known = {"customers": 2, "orders": 5, "revenue": 15.5, "bought_in_90_days": 1, "expected_revenue_12m": 120.0}
    known |= {"bought_in_90_days_year_before": 4}
    known |= {"revenue_90_days": 15.5, "revenue_90_days_year_before": 8, "new_customers_90_days": 2}
    known |= {"top_tenth_share": 0.61, "expected_business_revenue_12m": 150, "business_revenue_last_12m": 160}
    assert date_page.key_figures(tmp_path) == known, "a report without a budget"
    lines = pd.DataFrame(
        {
            "line": ["keep_and_win_back", "win_new_customers", RESERVE],
            "spend": [40.25, 50.5, 909.25],
            "expected_profit": [30.0, -1.5, 0.0],
        }
    )
    lines.to_parquet(tmp_path / "budget_lines.parquet")
    assert date_page.key_figures(tmp_path) == known | {"spend": 90.75, "expected_profit": 28.5}


@pytest.fixture(scope="module")
def page(built) -> BeautifulSoup:
    return BeautifulSoup((built / DAY / "index.html").read_text(), "html.parser")


def test_the_page_has_the_parts_that_apply(page, built):
    ids = [heading["id"] for heading in page.select("main > section > h2")]
    assert ids == ["decision", "money", "unsure", "since", "matters", "record", "trust"]
    assert "no earlier date" in page.find(id="since").parent.get_text()
    assert len(page.select(".tile")) == 6
    assert len(page.select("[aria-labelledby=unsure] li")) == 3
    table = page.select_one("[aria-labelledby=money] table")
    assert len(table.select("tbody tr")) <= 5
    assert len(table.select("thead th")) <= 5
    folded = [heading["id"] for heading in page.select("details.everything h2")]
    absent = {"earned", "since"}  # the small report has no past campaign and no earlier date
    assert folded == [f"more-{name}" for name in ORDER if name not in absent] + ["pages", "downloads"]
    for section in page.select(".block"):
        assert section.select_one(".answer").get_text(strip=True), section.h2.text


def test_the_page_has_at_most_350_words(built):
    assert visible_words(built / DAY / "index.html") <= LIMITS["index"]


def test_the_tiles_are_the_tables(page, built):
    data = {path.stem: pd.read_parquet(path) for path in (built / DAY / "data").glob("*.parquet")}
    lines, bought = data["budget_lines"], data["orders"].assign(day=data["orders"].ordered_at.dt.normalize())
    start = pd.Timestamp(DAY.name) - pd.Timedelta(days=89)
    values = [tile.get_text() for tile in page.select(".tile-value")]
    assert values[0] == DOLLARS.count((data["customers"].recency_days < 90).sum())
    assert values[1] == DOLLARS.money(bought.revenue[bought.day >= start].sum())
    assert values[2] == DOLLARS.count((data["customers"].first_order >= start).sum())
    assert values[4] == DOLLARS.money(data["business"].revenue.iloc[-1])
    assert values[5] == DOLLARS.money(lines.expected_profit[lines.line != RESERVE].sum(), 0)
    spent = bought[bought.day > pd.Timestamp(DAY.name) - pd.DateOffset(months=12)].groupby("customer_id").revenue.sum()
    share = spent.nlargest(len(spent) // 10).sum() / spent.sum()
    assert values[3] == percent(share)


def test_the_page_ends_with_what_can_be_downloaded_the_provenance_folded(page):
    last = page.select("section.block")[-1]
    assert last.h2.text == "Downloads"
    folded = {link["href"] for details in last.find_all("details") for link in details.find_all("a")}
    assert {"manifest.json", "data/customers.parquet", "notebooks/05_budget.ipynb"} <= folded
    assert "workbook.xlsx" in {link["href"] for link in last.find_all("a")} - folded


def test_the_map_is_the_segments_and_leads_to_them(page, built, browser):
    profile = pd.read_parquet(built / DAY / "data" / "segment_profile.parquet").query("customers > 0")
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in page.select(".map tbody tr")]
    assert rows == [[s.segment, f"{s.customers:,}", DOLLARS.short_money(s.revenue)] for s in profile.itertuples()]
    titles = [title.get_text() for title in page.select(".map svg a title")]
    counts = [int(re.search(r"orders?: ([\d,]+) customer", title)[1].replace(",", "")) for title in titles]
    assert sum(counts) == profile.customers.sum()
    tab = browser.new_context(offline=True).new_page()
    tab.goto((built / DAY / "index.html").as_uri())
    tab.locator(".map svg a").last.click()
    expect(tab.locator(":target")).to_be_visible()  # although the table of segments is folded
    assert tab.locator(":target").text_content() in set(profile.segment)
    tab.context.close()


def written(value: float) -> set[str]:
    """The ways in which a number can stand in a sentence."""
    if not math.isfinite(value):
        return set()
    size = abs(float(value))
    texts = [DOLLARS.count(size), percent(size), f"{size:.2f}", f"{size * 100:.1f}"]
    texts += [DOLLARS.money(size), DOLLARS.money(size, 0), DOLLARS.money(size, 2)]
    return {number for text in texts for number in re.findall(r"\d[\d,.]*\d|\d", text)}


def numbers_of_tables(folder: Path) -> set[str]:
    """Every number in the published tables as it can be written: cells of small ones, sums and means of all."""
    data = {path.stem: pd.read_parquet(path) for path in (folder / "data").glob("*.parquet")}
    sheets = openpyxl.load_workbook(folder / "workbook.xlsx", data_only=True)
    values = [value for sheet in sheets for row in sheet.iter_rows(values_only=True) for value in row]
    values = [value for value in values if isinstance(value, (int, float))]
    for name, table in data.items():
        numeric = table.select_dtypes("number")
        values += [len(table), *numeric.sum(), *numeric.median()]
        values += numeric.stack().tolist() if len(table) < 200 else []
        if name in ("budget", "budget_calendar", "segment_profile"):
            values += [*table.groupby("segment").sum(numeric_only=True).to_numpy().ravel()]
    return {text for value in values for text in written(value)}


def derived(folder: Path) -> set[str]:
    """Numbers that sentences add up or divide from tables, each computed here anew."""
    data = {path.stem: pd.read_parquet(path) for path in (folder / "data").glob("*.parquet")}
    customers, lines, profile = data["customers"], data["budget_lines"], data["segment_profile"]
    quiet = profile[profile.segment.isin(["At Risk", "Can't Lose Them"])]
    tested = data["backtest"].assign(miss=lambda table: (table.revenue_predicted / table.revenue_actual - 1).abs())
    book = openpyxl.load_workbook(folder / "workbook.xlsx", data_only=True)
    segments, points = (
        pd.DataFrame(list(rows)[1:], columns=next(iter(rows)))
        for rows in ([*book[name].iter_rows(min_row=2, values_only=True)] for name in ("Segments", "Break points"))
    )
    low = segments[segments.Verdict == "low potential"]
    point = points["Break-point lift, points"].astype(float)
    gone = pd.read_csv(folder / "lists" / "best-customers-gone.csv")
    values = [
        gone.past_revenue.sum(),
        len(gone),
        50_000 - lines.spend[lines.line != RESERVE].sum(),
        data["budget_calendar"].campaign.nunique(),
        (customers.recency_days < 90).sum(),
        (customers.orders == 1).mean(),
        customers.revenue.nlargest(len(customers) // 10).sum() / customers.revenue.sum(),
        quiet.customers.sum(),
        quiet.revenue.sum(),
        low.Eligible.sum(),
        -low["Profit if everybody is contacted"].astype(float).sum(),
        len(points),
        point.between(points["Lift, low"], points["Lift, high"]).sum(),
        tested.origin.nunique(),
        *tested.groupby("model").miss.mean(),
        *tested.groupby("model").top_decile_capture.mean(),
    ]
    return {text for value in values for text in written(value)}


SETTINGS = {
    "50,000",
    "90",
    "91",
    "12",
    "5",
    "1,000",
    "0",
    "30",
    "10",
}  # parameters, horizons and limits that sentences name


def test_every_number_in_the_sentences_is_the_tables(page, built):
    known = numbers_of_tables(built / DAY) | derived(built / DAY) | SETTINGS
    findings = [*page.select(".answer .so-what, .answer .finding, p.lead")]
    assert len(findings) >= 12
    dates = r"(\d{1,2} )?(January|February|March|April|May|June|July|August|September|October|November|December) \d{4}"
    strange = []
    for finding in findings:
        for text in re.split(r"(?<=[.?!])\s", re.sub(dates, "", finding.get_text())):
            strange += [(number, text) for number in re.findall(r"\d[\d,.]*\d|\d", text) if number not in known]
    tested = ("A new customer may cost", "segment sizes", "Segment sizes")  # from models, each with a test of its own
    assert [item for item in strange if not any(words in item[1] for words in tested)] == []


def test_the_leading_numbers_are_these(page, built):
    data = built / DAY / "data"
    lines, business = pd.read_parquet(data / "budget_lines.parquet"), pd.read_parquet(data / "business.parquet")
    customers = pd.read_parquet(data / "customers.parquet")
    year = business[business.months == 12].iloc[0]
    text = {section.h2["id"]: section.get_text(" ") for section in page.select(".block")}
    spend = lines.spend[lines.line != RESERVE].sum()
    assert lines.spend.sum() == 50_000
    assert (f"spend {DOLLARS.money(spend, 0)} of" if spend else "spend none of") in text["decision"]
    assert f"{DOLLARS.money(50_000 - spend, 0)} stays in reserve" in text["more-decision"]
    assert f"From 1 January 1998 to {day(date(1997, 12, 31) + timedelta(days=4 * 91))}" in text["decision"]
    for value in (year.revenue, year.revenue_low, year.revenue_high, year.revenue_before):
        assert DOLLARS.money(value) in text["unsure"]
    assert page.select_one("p.lead").text.startswith(f"{len(customers):,} customers so far")
    last = customers.first_order.max()
    assert f"first time since {last.day} {last:%B %Y}" in page.select_one("p.lead").text, (
        "the shop has closed its doors"
    )


def test_what_a_new_customer_may_cost_follows_from_the_tables(page, built):
    data = built / DAY / "data"
    model = pd.read_parquet(data / "fitted_parameters.parquet").set_index(["model", "parameter"]).value
    orders = pd.read_parquet(data / "orders.parquet").sort_values("ordered_at")
    orders["day"] = orders.ordered_at.dt.date
    first = orders.groupby(["customer_id", "day"]).revenue.sum().groupby("customer_id").first().mean()
    text = page.select_one("#more-newcomer").parent.select_one(".so-what").text
    assert f"a first basket of {DOLLARS.money(first)}" in text
    assert f"at a margin of {percent(model['CLV', 'margin_rate'])}" in text
    cost, basket, orders_later, value = (float(number) for number in re.findall(r"\$?(\d+\.\d\d)\b", text))
    assert cost == pytest.approx(model["CLV", "margin_rate"] * (basket + orders_later * value), abs=0.1)


def test_links_of_the_page_lead_where_they_say(built, browser):
    tab = browser.new_context(offline=True).new_page()
    tab.goto((built / DAY / "index.html").as_uri())
    tab.locator("details.everything > summary").click()
    more = tab.locator(".more a").first
    heading = more.text_content()
    more.click()
    assert tab.locator(":target").text_content().startswith(heading)
    tab.go_back()
    tab.locator("a.term:visible").first.click()
    assert tab.url.split("#")[0].endswith("reports/how-to-read.html")
    assert tab.locator(":target dt").count() == 1
    tab.context.close()
