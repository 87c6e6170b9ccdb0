"""Shorten a notebook's page to what can be read in three minutes: the rest of each section is one click away.

A section keeps its question, what was found in a sentence or two, and its figures. How it is worked out, further
sentences and tables move into a part that opens. Sections of an analyst's own without a finding stay as they are.
"""

import re

from bs4 import BeautifulSoup
from bs4.element import Tag

FINDINGS = ("so-what", "finding")
# Tables of cells with this tag stay: the decision itself
KEPT_TABLES = "celltag_plan"
ANALYST_CELL = "celltag_analyst"
# A finding or a caption keeps its first sentence, and further ones as long as it has at most so many words
WORDS = 30
CAPTION_WORDS = 20
LAST_SECTION = "What this rests on"
SUMMARY = "More"
# The end of a sentence, not of an abbreviation, and the start of the next one
SENTENCE_END = re.compile(r"(?<=[a-z0-9%)”’][.!?]) (?=[A-Z0-9$£€“])")


def shorten(body: BeautifulSoup) -> None:
    """Fold each section of a page.

    Parameters
    ----------
    body : bs4.BeautifulSoup
        The cells of a page; they are moved in place.
    """
    sections: list[list[Tag]] = []
    for cell in body.find_all("div", class_="cell", recursive=False):
        if ANALYST_CELL in cell.get_attribute_list("class"):
            continue
        if cell.h2:
            sections.append([])
        if sections:
            sections[-1].append(cell)
    for cells in sections:
        _fold(body, cells)


def heading_text(heading: Tag) -> str:
    """The text of a heading without the sign that links to it."""
    return re.sub("¶$", "", heading.get_text()).strip()


def _fold(body: BeautifulSoup, cells: list[Tag]) -> None:
    heading = cells[0].h2
    assert heading is not None
    question = heading_text(heading)
    found = [sentence for cell in cells for sentence in cell.find_all("p", class_=FINDINGS)]
    folded: list[Tag] = []
    if found or question == LAST_SECTION:
        folded += [part for part in heading.find_next_siblings() if isinstance(part, Tag)]
    for cell in cells:
        for part in cell.find_all(["p", "figcaption", "details", "table"]):
            if part.find_parent("details") or _lies_in(part, folded):
                continue
            if part.name == "figcaption":
                folded += _cut_text(body, part, CAPTION_WORDS)
            elif part.name == "p":
                folded += _cut_text(body, part, WORDS) if part in found else []
            elif part.name == "details":
                part["open"] = ""  # one click shows everything
                folded.append(part.find_parent("div", class_=ANALYST_CELL) or part)
            elif found and KEPT_TABLES not in cell.get_attribute_list("class"):
                folded.append(_boxed(part))
    if folded:
        more = body.new_tag("details", attrs={"class": "folded more"})
        summary = body.new_tag("summary", attrs={"aria-label": f"{SUMMARY}: {question}"})
        summary.string = SUMMARY
        more.append(summary)
        for part in folded:
            more.append(part.extract())
        cells[-1].append(more)


def _lies_in(part: Tag, folded: list[Tag]) -> bool:
    return any(parent is other for parent in part.parents for other in folded)


def _cut_text(body: BeautifulSoup, text: Tag, words: int) -> list[Tag]:
    """Cut a text to its first sentences; return the others as a paragraph."""
    sentences = SENTENCE_END.split(text.get_text())
    kept = 1
    while kept < len(sentences) and len(" ".join(sentences[: kept + 1]).split()) <= words:
        kept += 1
    if kept == len(sentences):
        return []
    text.string = " ".join(sentences[:kept])
    rest = body.new_tag("p")
    rest.string = " ".join(sentences[kept:])
    return [rest]


def _boxed(part: Tag) -> Tag:
    """A table with the box that it scrolls in."""
    box = part.find_parent("div", class_="finding-table") or part.find_parent("div", class_="scroll")
    return box if part.name == "table" and box is not None else part
