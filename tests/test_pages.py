"""The pages in a real browser, with the network off."""

from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe

pytestmark = pytest.mark.xdist_group("report")
DAY = Path("reports/small/1997-12-31")
PAGES = [
    "reports/index.html",
    *(
        str(DAY / f"{name}.html")
        for name in ("index", "01_cleaning", "02_rfm", "03_segmentation", "04_cltv", "05_budget")
    ),
]


@pytest.fixture(params=PAGES, ids=lambda name: Path(name).stem)
def page(request, built, browser):
    """A page opened offline; whatever it asks for from outside, and whatever it complains of, is collected."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.asked, tab.complaints = [], []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.on("console", lambda message: tab.complaints.append(message.text))
    tab.address = (built / request.param).as_uri()
    tab.goto(tab.address)
    yield tab
    context.close()


def test_it_loads_nothing_from_outside(page):
    assert [url for url in page.asked if url != page.address and not url.startswith("data:")] == []
    assert page.complaints == []


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_of_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_it_has_one_title_and_described_figures(page):
    assert page.locator("h1").count() == 1
    for image in page.locator("img").all():
        assert len(image.get_attribute("alt")) >= 15
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    for figure in page.locator("figure").all():
        assert figure.locator("figcaption").text_content().strip()
        assert figure.locator(".finding").text_content().strip()
    assert page.locator("table:not(:has(caption))").count() <= 1, (
        "only the settings and the index of dates go without a caption"
    )


def test_it_is_accessible(page):
    found = Axe().run(page)["violations"]
    assert [f"{item['id']}: {item['nodes'][0]['html'][:120]}" for item in found] == []


def test_code_is_folded_away_until_asked_for(page):
    switch = page.locator("#show-code")
    if switch.count():
        assert page.locator(".code").first.is_visible() is False
        switch.check()
        assert page.locator(".code").first.is_visible()
