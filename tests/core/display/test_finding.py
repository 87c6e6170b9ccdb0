"""A finding shows its sentence, its figure and its table, or the reason why there is nothing to show."""

import pandas as pd
from bs4 import BeautifulSoup

from crm_utils.core.display.figure_style import new_axes
from crm_utils.core.display.finding import Finding
from crm_utils.core.display.paragraphs import not_applicable, paragraph
from crm_utils.core.display.table_style import style_table
from crm_utils.core.formatting import NumberFormat

BASKETS = pd.DataFrame({"segment": ["A", "B"], "revenue": [1500.0, 20.0]})


def shown(finding: Finding) -> BeautifulSoup:
    return BeautifulSoup(finding._repr_html_(), "html.parser")


def test_a_sentence_alone():
    page = shown(Finding(paragraph("Two", "", "facts.")))
    assert [(tag.name, tag.text) for tag in page.find_all(recursive=False)] == [("p", "Two facts.")]


def test_figure_and_table_follow_the_sentence():
    table = style_table(BASKETS, "Baskets", NumberFormat("GBP"))
    page = shown(Finding(paragraph("A leads."), new_axes(None), "How to read it", "An empty figure", table))
    assert page.select_one("figure .finding").text == "A leads."
    assert page.select_one("figure svg.wide")["aria-label"] == "An empty figure"
    assert page.figcaption.text == "How to read it"
    assert [cell.text for cell in page.select(".finding-table tbody td")] == ["A", "£1,500", "B", "£20"]


def test_a_plain_frame_is_styled_without_a_currency():
    page = shown(Finding(paragraph("A leads."), table=BASKETS))
    assert [cell.text for cell in page.select(".finding-table table.crm tbody td")] == ["A", "1,500", "B", "20"]


def test_a_section_that_does_not_apply_shows_its_reason_only():
    finding = Finding(not_applicable("Nobody bought."), new_axes(None), "How", "What", BASKETS)
    assert finding.figure is None
    assert finding._repr_html_() == '<p class="nothing">Nobody bought.</p>'
