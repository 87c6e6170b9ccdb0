"""What a page shows at once, and what it folds."""

from bs4 import BeautifulSoup

from crm_utils.site import short_page

LONG = "Champions brought £1,200.50, or 40% of revenue, in the 12 months before this day, " + "and more, " * 9 + "too. "


def shortened(*cells: str) -> BeautifulSoup:
    body = BeautifulSoup("".join(cells), "html.parser")
    short_page.shorten(body)
    return body


def cell(inside: str, tag: str = "") -> str:
    return f'<div class="cell {tag}">{inside}</div>'


HEADING = cell('<div class="md"><h2 id="q">Who?</h2><p>How it is worked out.</p><ul><li>A rule</li></ul></div>')
FOUND = cell(f'<p class="so-what">One is best. Two follows. {LONG}The last sentence.</p>')
FIGURE = cell(
    '<figure class="crm-figure"><p class="finding">A leads.</p><svg></svg><figcaption>Bars.</figcaption></figure>'
    '<div class="finding-table"><table><tr><td>7</td></tr></table></div>'
)


def visible(body: BeautifulSoup) -> str:
    shown = BeautifulSoup(str(body), "html.parser")
    for part in shown.find_all("details"):
        part.extract()
    return shown.get_text(" ", strip=True)


def test_the_question_the_finding_and_the_figure_stay_and_the_rest_is_folded_in_their_order():
    body = shortened(HEADING, FOUND, FIGURE)
    assert visible(body) == "Who? One is best. Two follows. A leads. Bars."
    (more,) = body.find_all("details")
    assert more.summary.text == "More" and more.summary["aria-label"] == "More: Who?"
    text = more.get_text(" ", strip=True)
    assert text == f"More How it is worked out. A rule {LONG}The last sentence. 7"
    assert more.find("table").parent["class"] == ["finding-table"]
    assert body.svg.parent.name == "figure"


def test_nothing_is_lost():
    before = BeautifulSoup(HEADING + FOUND + FIGURE, "html.parser").get_text(" ")
    after = shortened(HEADING, FOUND, FIGURE).get_text(" ").replace("More", "", 1)
    assert sorted(before.split()) == sorted(after.split())


def test_a_section_of_ones_own_keeps_its_text_and_its_table():
    own = cell("<h2>Mine?</h2><p>I looked at it. It is long, and nobody found anything.</p>")
    body = shortened(own, cell("<table><tr><td>7</td></tr></table>"))
    assert visible(body) == "Mine? I looked at it. It is long, and nobody found anything. 7"
    assert body.details is None


def test_the_plan_stays_and_what_rests_on_assumptions_is_folded():
    plan = cell('<div class="scroll"><table><tr><td>£50,000</td></tr></table></div>', "celltag_plan")
    rests = cell("<h2>What this rests on</h2><ul><li>Assumed</li></ul>")
    body = shortened(HEADING, FOUND, plan, rests)
    assert "£50,000" in visible(body) and "Assumed" not in visible(body)


def test_cells_for_analysts_and_text_before_the_first_question_stay_as_they_are():
    lead = cell("<p>For everybody.</p>")
    notes = cell("<p>Note.</p><table><tr><td>1</td></tr></table>", "celltag_analyst")
    body = shortened(lead, HEADING, notes, FOUND)
    assert "For everybody. Who?" in visible(body) and "Note. 1" in visible(body)


def test_a_section_with_nothing_to_fold_gets_no_fold():
    assert shortened(cell("<h2>Short?</h2>"), cell('<p class="so-what">Yes.</p>')).details is None


def test_long_sentences_and_abbreviations_are_not_cut():
    sentence = "It earned £5.50 (e.g. by U.S. makers, number 7) " + "and more " * 40 + "in the end."
    body = shortened(HEADING, cell(f'<p class="so-what">{sentence} Next one.</p>'))
    assert body.find("p", class_="so-what").text == sentence


def test_what_is_for_analysts_stays_so_when_it_is_folded():
    maps = "<details class='folded'><summary>Maps</summary><table><tr><td>7</td></tr></table></details>"
    body = shortened(HEADING, FOUND, cell(f'<div class="celltag_analyst">{maps}</div>'))
    more = body.find("details", class_="more")
    assert more.find("div", class_="celltag_analyst").details.table is not None
    assert len(body.find_all("table")) == 1


def test_a_table_within_a_folded_part_stays_there():
    folded = cell("<details class='folded'><summary>Lines</summary><table><tr><td>7</td></tr></table></details>")
    body = shortened(HEADING, FOUND, folded)
    inside = body.find("details", class_="more").find("details")
    assert inside.table is not None and inside.has_attr("open"), "one click shows it"
    assert len(body.find_all("table")) == 1
