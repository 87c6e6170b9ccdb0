"""The lines and blocks of a date's first page. Each shows the outputs of the notebook cells with its tags."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from bs4 import BeautifulSoup
from markupsafe import Markup
from nbformat import NotebookNode

from crm_utils.core.display.paragraphs import paragraph
from crm_utils.pipeline import execute

QUESTIONS = {  # question: the tags of the cells that answer it, in this order
    "What should we do?": ("decision",),
    "How sure is that?": ("certainty",),
    "What would change it?": ("would-change",),
    "What did past campaigns earn?": ("earned",),
    "What will known customers bring without campaigns?": ("usual", "record"),
    "What has changed since the earlier date?": ("since",),
    "Who matters?": ("matters",),
    "What should we not do?": ("avoid",),
    "What is a new customer worth?": ("newcomer",),
    "Can the data be trusted?": ("trust",),
}
DECISION, PLAN = "decision", "plan"
UNSURE = ("certainty", "would-change", "usual")  # their lines say what is not sure
LINES = {  # tag: the question that its line answers
    "since": "Who moved?",
    "matters": "Who matters?",
    "record": "Were past forecasts right?",
    "trust": "Can the data be trusted?",
}
BRIEF = ".brief"
CAPTION = re.compile("<caption>.*?</caption>", re.DOTALL)
HEADLINE = "headline"  # shown below a page's title, unless a block already shows it


@dataclass(frozen=True)
class Block:
    """A question of the first page: the id of its section, the answer, and links to the sections with details."""

    id: str
    question: str
    answer: list[Markup]
    more: list[tuple[str, str]]


@dataclass(frozen=True)
class Line:
    """An answer in one line, and the address of its section."""

    text: str
    href: str


def brief_lines(executed: dict[str, NotebookNode], pages: dict[str, str], tag: str) -> list[Line]:
    """Return the lines that the cells with a tag wrote for the first page (`Finding.brief`).

    If they wrote none because there is nothing to show, the first reason is the line.

    Parameters
    ----------
    executed : dict of str to NotebookNode
        The executed notebooks by name.
    pages : dict of str to str
        Their rendered pages by name.
    tag : str
        The tag.
    """
    briefs, reasons = (
        [
            Line(line.get_text(), _link(name, section, pages[name])[1])
            for name, notebook in executed.items()
            for html, section in execute.tagged_outputs(notebook, tag, reasons=nothing_to_show)
            for line in BeautifulSoup(html, "html.parser").select(select)
        ]
        for select, nothing_to_show in ((BRIEF, False), (".nothing", True))
    )
    return briefs or reasons[:1]


def tables_of(executed: dict[str, NotebookNode], tag: str) -> list[Markup]:
    """Return the tables of the cells with a tag, without their captions; those without rows are left out."""
    outputs = [html for notebook in executed.values() for html, _ in execute.tagged_outputs(notebook, tag)]
    return [Markup(CAPTION.sub("", html)) for html in outputs if not _is_empty(html)]


def summary_blocks(executed: dict[str, NotebookNode], pages: dict[str, str]) -> list[Block]:
    """Return the blocks that have content.

    Parameters
    ----------
    executed : dict of str to NotebookNode
        The executed notebooks by name.
    pages : dict of str to str
        Their rendered pages by name. A block links once to each section that it quotes.
    """
    found = []
    for question, tags in QUESTIONS.items():
        quoted = [
            (_excerpt(html), name, section)
            for tag in tags
            for name, notebook in executed.items()
            for html, section in execute.tagged_outputs(notebook, tag)
        ]
        quoted = [(excerpt, name, section) for excerpt, name, section in quoted if not _is_empty(excerpt)]
        if quoted:
            answer = [excerpt for excerpt, _, _ in quoted]
            links = dict(_link(name, section, pages[name]) for _, name, section in quoted)
            found.append(Block(tags[0], question, answer, list(links.items())))
    return found


def card_headlines(notebook: NotebookNode) -> list[Markup]:
    """Return the headlines that are shown below a notebook's title, without those that a block already shows."""
    in_blocks = {tag for tags in QUESTIONS.values() for tag in tags}
    headlines = execute.tagged_outputs(notebook, HEADLINE, but_not=in_blocks)
    return [_excerpt(html) for html, _ in headlines]


def _is_empty(html: str) -> bool:
    """Whether an output is a table without rows."""
    table = BeautifulSoup(html, "html.parser").table
    return table is not None and not table.select("tbody td")


def _excerpt(html: str) -> Markup:
    """Cut a finding to its sentence. Other outputs are shown whole."""
    body = BeautifulSoup(html, "html.parser")
    for part in body.select(f".finding-table, {BRIEF}"):
        part.decompose()
    for figure in body.find_all("figure"):
        sentence = paragraph(*(found.text for found in figure.select(".finding")))
        figure.replace_with(BeautifulSoup(sentence._repr_html_(), "html.parser"))
    return Markup(str(body))


def _link(name: str, section: str, page: str) -> tuple[str, str]:
    """Text and address of a section of a notebook's page; the page itself if it has no such section."""
    anchor = section.replace(" ", "-")
    address = f"{quote(name)}.html"
    return section, f"{address}#{anchor}" if f'id="{anchor}"' in page else address
