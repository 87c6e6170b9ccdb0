"""The pages in a real browser, with the network off: read, listened to, typed through, sorted and printed."""

import base64
import hashlib
import io
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from pypdf import PdfReader

from tests.support.page_words import too_long

DAY = Path("reports/small/1997-12-31")
NAMES = ("01_cleaning", "02_rfm", "03_segmentation", "04_cltv", "05_budget", "index")
PAGES = ["reports/index.html", *(str(DAY / f"{name}.html") for name in NAMES)]
RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}  # the one of WCAG 2.2 that is off
UNFORMATTED = (
    r"\b(?:nan|NaN|NaT|None(?! of)|inf)\b|&#?\w+;|(?<!= )\b\d+\.\d{5,}|(?<![\w–-])-\d|\b(?!t_x)[a-z]+_[a-z_]+\b|\d %"
)
OPEN_ALL = "document.querySelectorAll('details').forEach(part => part.open = true)"
MARK_ENDS = """() => {
    let marks = 0;
    const mark = (first, last) => { first.prepend(`⟦${++marks}·`); last.append(`·${marks}⟧`); };
    for (const row of document.querySelectorAll('tbody tr')) {
        if (row.checkVisibility()) for (const cell of row.cells) mark(row.cells[0], cell);
    }
    for (const figure of document.querySelectorAll('figure')) {
        if (figure.checkVisibility()) mark(figure.querySelector('.finding'), figure.querySelector('figcaption'));
    }
    return marks;
}"""


@pytest.fixture(scope="module")
def tab(browser):
    """One tab for all pages; whatever a page asks for from outside, and whatever it complains of, is collected."""
    context = browser.new_context(offline=True)
    opened = context.new_page()
    opened.asked, opened.complaints = [], []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("console", lambda message: opened.complaints.append(message.text))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    context.close()


def opened(tab, path: Path, width: int = 1280):
    """The page at `path`, freshly loaded."""
    tab.set_viewport_size({"width": width, "height": 900})
    tab.asked.clear()
    tab.complaints.clear()
    tab.goto(path.as_uri())
    return tab


@pytest.fixture(params=PAGES, ids=lambda name: Path(name).stem)
def page(request, built, tab):
    return opened(tab, built / request.param)


@pytest.fixture
def segments_page(built, tab):
    return opened(tab, built / DAY / "03_segmentation.html")


def test_it_is_one_file_that_loads_nothing(page):
    assert [url for url in page.asked if url != page.url and not url.startswith("data:")] == []
    assert page.complaints == []
    assert Path(page.url.removeprefix("file://")).stat().st_size < 3_000_000


def test_only_our_own_script_may_run(page):
    assert page.locator("script").count() == 1
    script = page.locator("script").evaluate("script => script.textContent")
    allowed = page.locator("meta[http-equiv]").get_attribute("content")
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in allowed
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked = 1\">')")
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("width", [1280, 360])
def test_everything_open_it_is_accessible_and_nothing_sticks_out(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(OPEN_ALL)
    if page.locator("#show-code").count():
        page.locator("#show-code").check()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page, options=RULES).response["violations"]
    assert [f"{item['id']}: {item['nodes'][0]['html'][:120]}" for item in found] == []


def test_it_has_one_title_landmarks_described_figures_and_captioned_tables(page):
    assert page.locator("h1").count() == page.locator("main").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    for drawing in page.locator("svg[role=img]").all():
        assert 15 <= len(drawing.get_attribute("aria-label")) <= 150
    for figure in page.locator("figure").all():
        assert figure.locator("figcaption").text_content().strip()
        assert figure.locator(".finding").text_content().strip()


def test_figures_are_text_that_can_be_found_with_the_values_of_their_marks(page):
    page.evaluate(OPEN_ALL)
    if page.locator("#show-code").count():
        page.locator("#show-code").check()
    for drawn in page.locator("svg.drawing").all():
        assert drawn.locator("title").count() > 0
    for figure in page.locator("figure.crm-figure:not(.drawn)").all():
        wide, narrow = figure.locator("svg.wide"), figure.locator("svg.narrow")
        assert wide.is_visible() and not narrow.is_visible()
        assert wide.locator("text").count() > 0
        values = wide.locator(".hit title").all_text_contents()
        assert values and all(": " in value for value in values)
        assert narrow.locator(".hit title").count() > 0


def test_what_it_says_is_written_out(page):
    """No missing value, escaped sign, stray decimal, bare minus or name of a column is on a page."""
    page.evaluate(OPEN_ALL)
    page.evaluate(
        "document.querySelectorAll('code, pre, .settings, a[href$=csv], "
        "a[href$=parquet]').forEach(part => part.remove())"
    )
    labels = page.locator("svg[role=img]").evaluate_all("all => all.map(drawing => drawing.ariaLabel)")
    text = page.locator("body").inner_text() + " ".join(labels)
    assert re.findall(UNFORMATTED, text) == []
    assert re.findall(r"(?<![\d.,–−-])\b1 (?:customers|orders|days|rows|segments|campaigns|contacts)\b", text) == []


def test_every_table_of_a_notebook_has_a_caption_and_scopes(page):
    if page.url.endswith("index.html"):
        return
    for table in page.locator("main table").all():
        assert table.locator("caption").text_content().strip()
        assert table.locator("thead th:not([scope=col])").count() == 0
        assert table.evaluate("table => getComputedStyle(table).fontVariantNumeric") == "tabular-nums"


def test_a_page_is_read_in_three_minutes(built):
    assert too_long(built / DAY) == []


def test_contents_are_folded_and_the_plan_is_a_list_of_cards_on_a_phone(built, tab):
    opened(tab, built / DAY / "05_budget.html", width=390)
    assert not tab.locator(".contents > ol").is_visible()
    tab.locator(".contents summary").click()
    assert tab.locator(".contents details a").first.is_visible()
    table = tab.locator("table.cards")
    assert not table.locator("thead").is_visible()
    cell = table.locator("tbody td").first
    label = cell.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert label == f'"{table.locator("thead th").nth(1).text_content()}"'
    ends = table.locator("td").evaluate_all("cells => Math.max(...cells.map(c => c.getBoundingClientRect().right))")
    assert ends <= 390


def test_contents_lead_to_their_headings(segments_page):
    for link in segments_page.locator(".contents > ol li:not(.celltag_analyst) a").all():
        link.click()
        heading = segments_page.locator(":target")
        expect(heading).to_have_text(
            re.compile("^" + re.escape(link.text_content()))
        )  # waits: a browser moves when it can
        segments_page.wait_for_function(
            "heading => heading.getBoundingClientRect().top < innerHeight", arg=heading.element_handle()
        )


def test_parts_fold_and_unfold_by_keyboard(segments_page):
    part = segments_page.locator("details.folded", has=segments_page.locator("table")).first
    for key in ("Enter", "Space", "Enter"):
        before = part.evaluate("part => part.open")
        part.locator("summary").press(key)
        assert part.evaluate("part => part.open") is not before
    assert part.locator("table").is_visible()


def test_code_and_what_is_for_analysts_is_folded_away_until_asked_for(segments_page):
    hidden = segments_page.locator("h2", has_text="same groups without rules")
    entry = segments_page.locator(".contents > ol a", has_text="same groups without rules")
    for shown in (False, True):
        segments_page.locator("#show-code").set_checked(shown)
        assert [part.is_visible() for part in (hidden, entry, segments_page.locator(".code").first)] == [shown] * 3


def column(table, number: int) -> list[str]:
    return table.locator(f"tbody tr > :nth-child({number})").all_text_contents()


def test_a_long_table_sorts_by_mouse_and_keyboard_and_totals_stay(segments_page):
    segments_page.evaluate(OPEN_ALL)
    table = segments_page.locator("table.sortable", has_text="The segments on this date")
    name, customers = (table.locator("thead th").nth(place) for place in (0, 1))
    as_it_was, total = column(table, 1), table.locator("tfoot").text_content()
    counts = [int(text.replace(",", "")) for text in column(table, 2)]
    customers.locator("button").click()
    assert customers.get_attribute("aria-sort") == "descending"
    assert [int(text.replace(",", "")) for text in column(table, 2)] == sorted(counts, reverse=True)
    customers.locator("button").press("Enter")
    assert customers.get_attribute("aria-sort") == "ascending"
    assert [int(text.replace(",", "")) for text in column(table, 2)] == sorted(counts)
    name.locator("button").press("Space")
    assert (name.get_attribute("aria-sort"), customers.get_attribute("aria-sort")) == ("ascending", None)
    assert column(table, 1) == sorted(as_it_was)
    assert table.locator("tfoot").text_content() == total
    name.locator("button").click()
    name.locator("button").click()
    assert name.get_attribute("aria-sort") is None
    assert column(table, 1) == as_it_was


def test_months_sort_as_dates_and_missing_values_come_last(built, tab):
    table = opened(tab, built / DAY / "01_cleaning.html").locator("table", has_text="Revenue, orders and customers by")
    tab.evaluate(OPEN_ALL)
    first = column(table, 1)
    table.locator("thead button").first.click()
    assert column(table, 1) == first, "January comes before February, and April after both"
    table.locator("tbody tr").first.evaluate("row => row.cells[1].textContent = '–'")
    for _ in range(2):
        table.locator("thead button").nth(1).click()
        assert column(table, 1)[-1] == first[0]


def test_pages_lead_on_and_back(built, tab):
    opened(tab, built / DAY / "01_cleaning.html")
    seen = [Path(tab.url).stem]
    while seen[-1] != "index":
        tab.locator("a[rel=next]").click()
        seen.append(Path(tab.url.split("?")[0]).stem)
    assert tuple(seen) == NAMES
    opened(tab, built / DAY / "05_budget.html").locator("a[rel=prev]").click()
    assert tab.url.endswith("04_cltv.html")
    tab.locator(".crumbs a").first.click()
    assert tab.url.endswith("reports/index.html")


def test_the_keyboard_reaches_everything_and_sees_where_it_is(segments_page):
    here = """() => { const at = document.activeElement; at.dataset.seen = 1;
        return [at.tagName, getComputedStyle(at).outlineStyle !== 'none' || at.className === 'skip']; }"""
    steps = []
    while not steps or steps[-1][0] != "BODY":
        segments_page.keyboard.press("Tab")
        steps.append(segments_page.evaluate(here))
        assert len(steps) < 200
    assert [tag for tag, visible in steps[:-1] if not visible] == []
    missed = "[...document.querySelectorAll('a, summary, input, [tabindex], button')]"
    missed += ".filter(at => at.checkVisibility() && !at.dataset.seen).map(at => at.outerHTML.slice(0, 80))"
    assert segments_page.evaluate(missed) == []


def test_the_first_tab_skips_to_the_text(segments_page):
    segments_page.keyboard.press("Tab")
    assert segments_page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    segments_page.keyboard.press("Enter")
    assert segments_page.url.endswith("#main")


def test_without_a_script_a_page_is_whole(browser, built):
    context = browser.new_context(offline=True, java_script_enabled=False)
    still = context.new_page()
    still.goto((built / DAY / "03_segmentation.html").as_uri())
    table = still.locator("table.sortable").first
    assert not table.is_visible()
    still.locator("details.more", has=table).locator("summary").first.click()
    assert table.is_visible(), "a folded part opens without a script"
    assert still.locator("thead button").count() == 0
    context.close()


def printed(tab) -> PdfReader:
    return PdfReader(io.BytesIO(tab.pdf(prefer_css_page_size=True)))


@pytest.mark.parametrize("name", NAMES)
def test_on_paper_no_row_and_no_figure_is_cut(built, tab, name):
    opened(tab, built / DAY / f"{name}.html")
    pages = printed(tab).pages
    assert 1 <= len(pages) <= (2 if name == "index" else 12)
    assert {tuple(round(float(side)) for side in sorted(sheet.mediabox[2:])) for sheet in pages} == {(595, 842)}
    tab.evaluate(OPEN_ALL)
    marks = tab.evaluate(MARK_ENDS)
    lies_on: dict[str, set[int]] = {}
    for number, sheet in enumerate(printed(tab).pages):
        text = re.sub(r"\s", "", sheet.extract_text())
        for start, end in re.findall(r"⟦(\d+)·|·(\d+)⟧", text):
            lies_on.setdefault(start or end, set()).add(number)
    assert len(lies_on) == marks
    assert [mark for mark, sheets in lies_on.items() if len(sheets) > 1] == []


def test_on_paper_heads_repeat_folded_parts_say_so_and_links_name_their_page(built, tab):
    opened(tab, built / DAY / "03_segmentation.html")
    text = " ".join(" ".join(sheet.extract_text().split()) for sheet in printed(tab).pages)
    assert "folded: open it before printing" in text
    assert "On this page" not in text
    tab.evaluate(OPEN_ALL)
    table = tab.locator("table.sortable").first
    table.evaluate(
        "table => { for (let n = 0; n < 90; n++) table.tBodies[0].append(table.tBodies[0].rows[0].cloneNode(true)) }"
    )
    assert "Small shop, 31 December 1997" in text, "each sheet says what it belongs to"
    sheets = [" ".join(sheet.extract_text().split()) for sheet in printed(tab).pages]
    assert sum("Mean order value" in sheet for sheet in sheets) >= 3
    opened(tab, built / DAY / "index.html")
    tab.evaluate(OPEN_ALL)
    assert "(05_budget.html)" in "".join(sheet.extract_text() for sheet in printed(tab).pages).replace("\n", "")
