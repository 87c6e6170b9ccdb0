"""The blocks of a date's first page: what cells tagged with a block's name show, in the order a reader asks for it."""

from dataclasses import dataclass

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
    "The plan, line by line": ("plan",),
    "What should we not do?": ("avoid",),
    "What is a new customer worth?": ("newcomer",),
    "Can the data be trusted?": ("trust",),
}
WITH_FIGURE = {"matters"}  # where a figure stands whole; elsewhere its finding says enough
HEADLINE = "headline"  # what stands beside a page's name, unless a block already says it


@dataclass(frozen=True)
class Block:
    """One question of the first page: the id of its section, the answer, and the page sections where more is said."""

    id: str
    question: str
    answer: list[Markup]
    more: list[tuple[str, str]]


def summary_blocks(executed: dict[str, NotebookNode], pages: dict[str, str]) -> list[Block]:
    """The blocks that have content, from executed notebooks by name; `pages` holds their rendered pages, to link to.

    The sections in which something is said are linked once, by their own headings.
    """
    found = []
    for question, tags in QUESTIONS.items():
        shown = [
            (part, name, section)
            for tag in tags
            for name, notebook in executed.items()
            for part, section in execute.tagged_outputs(notebook, tag)
        ]
        shown = [(html, name, section) for html, name, section in shown if not _empty(html)]
        if shown:
            answer = [_part(html, whole=bool(WITH_FIGURE & set(tags))) for html, _, _ in shown]
            more = dict(_link(name, section, pages[name]) for _, name, section in shown)
            found.append(Block(tags[0], question, answer, list(more.items())))
    return found


def card_headlines(notebook: NotebookNode) -> list[Markup]:
    """What a notebook says beside its name: its headlines, but for those that stand in a block."""
    in_blocks = {tag for tags in QUESTIONS.values() for tag in tags}
    return [Markup(html) for html, _ in execute.tagged_outputs(notebook, HEADLINE, but_not=in_blocks)]


def _empty(html: str) -> bool:
    """Whether an output is a table without a row."""
    table = BeautifulSoup(html, "html.parser").table
    return table is not None and not table.select("tbody td")


def _part(html: str, whole: bool) -> Markup:
    """A cell's output as it stands on the page: a figure by its finding alone, unless it is wanted whole."""
    body = BeautifulSoup(html, "html.parser")
    for figure in [] if whole else body.find_all("figure"):
        finding = paragraph(figure.find(class_="finding").text)
        figure.replace_with(BeautifulSoup(finding._repr_html_(), "html.parser"))
    return Markup(str(body))


def _link(name: str, section: str, page: str) -> tuple[str, str]:
    """Text and address of a section of a notebook's page; the page itself where it has no such section."""
    anchor = section.replace(" ", "-")
    return section, f"{name}.html#{anchor}" if f'id="{anchor}"' in page else f"{name}.html"
