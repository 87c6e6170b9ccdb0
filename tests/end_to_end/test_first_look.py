"""The first look in a real browser, with the network off: on a screen and on a phone."""

import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from crm_utils.commands.new_report.complete import complete_report
from crm_utils.commands.new_report.draft import new_report
from tests.support.cases import CASES

RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


@pytest.fixture(scope="module")
def look(tmp_path_factory) -> Path:
    """The first look at an export with statuses and an open question."""
    folder = tmp_path_factory.mktemp("first look")
    text = (CASES / "woocommerce_status" / "wc_orders.csv").read_text().splitlines()
    text = [f"{line},{'tip' if number == 0 else 5}" for number, line in enumerate(text)]
    (folder / "wc_orders.csv").write_text("\n".join(text))
    shutil.copytree(CASES.parents[1] / "params" / "recipes", folder / "params" / "recipes")
    path, _, _ = new_report(folder, "shop", "wc_orders.csv")
    return complete_report(folder, path).page


@pytest.mark.parametrize("width", [1280, 360])
def test_it_loads_nothing_is_accessible_and_nothing_sticks_out(look, browser, width):
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    tab, asked, complaints = context.new_page(), [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(look.as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert [url for url in asked if url != tab.url and not url.startswith("data:")] == []
    assert complaints == []
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert [item["id"] for item in Axe().run(tab, options=RULES).response["violations"]] == []
    assert tab.locator("h1").count() == tab.locator("main").count() == 1
    context.close()


def test_it_asks_shows_statuses_and_names_no_missing_value(look):
    text = look.read_text(encoding="utf-8")
    for heading in ("Is this your revenue?", "Which statuses are sales?", "Are these orders real?"):
        assert heading in text
    assert ">nan<" not in text
