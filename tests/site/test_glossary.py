"""The words of the pages: linked where they are first used, and all explained on one page."""

import pytest
from bs4 import BeautifulSoup

from crm_utils.site import glossary


def linked(html: str) -> BeautifulSoup:
    body = BeautifulSoup(html, "html.parser")
    glossary.link_first_use(body, "../../")
    return body


def test_a_term_is_linked_at_its_first_use_only():
    body = linked("<p>The lift of a line.</p><p>The lift again, and Lifts.</p>")
    assert str(body.p) == '<p>The <a class="term" href="../../how-to-read.html#lift">lift</a> of a line.</p>'
    assert len(body.find_all("a")) == 1


def test_the_longer_term_wins_and_both_get_their_link():
    body = linked("<p>Break-even lift, then the lift.</p>")
    assert [(link.text, link["href"].split("#")[1]) for link in body.find_all("a")] == [
        ("Break-even lift", "break-even-lift"),
        ("lift", "lift"),
    ]


@pytest.mark.parametrize(
    "html",
    [
        "<h2>lift</h2>",
        "<p><a href='x'>lift</a></p>",
        "<p><code>lift</code></p>",
        "<td>lift</td>",
        "<p>uplift, lift_planned, lifting</p>",
        '<div class="celltag_analyst"><p>lift</p></div>',
        '<figure><p class="finding">lift</p></figure>',
    ],
)
def test_headings_links_code_tables_and_parts_of_words_are_left_alone(html):
    assert linked(html).find("a", class_="term") is None


def test_text_stays_as_it_was_and_escaped():
    body = linked("<p>RFM &lt;script&gt; &amp; recency</p>")
    assert body.get_text() == "RFM <script> & recency"
    assert "<script>" not in str(body)


def test_every_term_is_explained_once_and_can_be_linked_to():
    page = BeautifulSoup(glossary.how_to_read_page(), "html.parser")
    ids = [element["id"] for element in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert {term.id for term in glossary.TERMS} <= set(ids)
    assert all(term.meaning.endswith(".") and len(term.meaning) >= 25 for term in glossary.TERMS)
    assert [term.name.lower() for term in glossary.TERMS] == sorted(term.name.lower() for term in glossary.TERMS)
    for link in page.select(".contents a"):
        assert page.find(id=link["href"][1:]).name == "h2"


def test_what_the_page_must_explain_is_there():
    text = BeautifulSoup(glossary.how_to_read_page(), "html.parser").get_text()
    for word in (
        "CRM",
        "RFM",
        "quantiles",
        "approximate",
        "Buy till you die",
        "Gamma-Gamma",
        "control group",
        "clevertap.com/blog/rfm-analysis",
    ):
        assert word in text


def test_the_page_is_read_in_900_words_with_three_pictures_and_the_terms_of_the_first_page():
    main = BeautifulSoup(glossary.how_to_read_page(), "html.parser").main
    assert len(main.find_all("svg", role="img")) == 3
    assert len(glossary.FIRST_TERMS) == len(main.find("dl").find_all("dt")) == 15
    for part in [*main.find_all("svg"), *main.find(id="a-to-z").find_next_siblings(), main.find(id="a-to-z")]:
        part.extract()
    assert 500 < len(main.get_text(" ").split()) <= 900
