"""Render executed notebooks as self-contained HTML pages that load nothing from outside."""

import re
from functools import cache
from itertools import count
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import nbformat
from bs4 import BeautifulSoup
from bs4.element import Tag
from markupsafe import Markup
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter

from crm_utils.pipeline.jobs import Job
from crm_utils.pipeline.notebooks import Notebook
from crm_utils.site import glossary, orders_wording, pages, short_page
from crm_utils.site.formulas import PageExporter
from crm_utils.site.own_outputs import Notices, adapt_body, adapt_outputs
from crm_utils.site.table_html import make_accessible

HIDDEN_TAGS = {"parameters", "injected-parameters"}
ANALYST_TAG = "analyst"
# Elements that no page of a report needs
LEADS_AWAY = ["meta", "base", "form", "iframe", "frame", "object", "embed", "link", "script"]
SCRIPT_LINK = re.compile(r"^[\s\x00-\x1f]*(?:java|vb)script:|^[\s\x00-\x1f]*data:", re.IGNORECASE)
# How pandas and our kernels write an unstyled DataFrame
PLAIN_TABLE = re.compile(r'class="(?:crm )?dataframe"')
DRAWING = re.compile(r'<svg class="(?:wide|narrow|panels)" .*?</svg>', re.DOTALL)
DRAWING_MARK = re.compile(r'<svg data-drawing="(\d+)"></svg>')
_EXPORTER_LOCK = Lock()  # dates are rendered in parallel


class RenderedPage(NamedTuple):
    """The page of a notebook, and one line for each thing its author should know."""

    html: str
    notices: list[str]


def render_notebook(job: Job, notebook: Notebook, executed: NotebookNode) -> RenderedPage:
    """The page of one notebook: text, figures and tables, hidden code, and links to its sections and nearby pages."""
    notices = Notices(notebook.path.name)
    html, drawings = _set_drawings_aside(_body(executed, notices))
    body = BeautifulSoup(html, "html.parser")
    _drop_what_leads_away(body)
    adapt_body(body, job.root, notices)
    _drop_empty_sections(body)
    if job.report.columns.order_value is not None:
        body.insert(0, orders_wording.notice(job.report.columns, job.number_format))
    short_page.shorten(body)
    glossary.link_first_use(body, "../../")
    make_accessible(body)
    title = body.h1
    if title:
        title.extract()
    position = job.notebooks.index(notebook)
    previous = job.notebooks[position - 1] if position else None
    following = job.notebooks[position + 1] if position + 1 < len(job.notebooks) else None
    page = pages.fill_template(
        "notebook.html.j2",
        job=job,
        notebook=notebook,
        settings=Markup(pages.render_page("settings.html.j2", parameters=job.parameters[notebook.name])),
        contents=[
            (heading.get("id"), short_page.heading_text(heading), _for_analysts(heading))
            for heading in body.find_all("h2")
        ],
        body=Markup(_put_drawings_back(str(body), drawings)),
        previous=previous,
        following=following,
        highlight=HtmlFormatter(style="xcode").get_style_defs(".highlight"),
    )
    page = orders_wording.reword_page(page) if job.report.columns.counts_orders else page
    return RenderedPage(page, notices.lines())


def read_notebook(path: Path) -> NotebookNode:
    """An executed notebook."""
    return nbformat.read(path, as_version=4)


def _body(executed: NotebookNode, notices: Notices) -> str:
    executed = nbformat.from_dict(executed)
    executed.cells = [cell for cell in executed.cells if not HIDDEN_TAGS & set(cell.metadata.get("tags", []))]
    for cell in executed.cells:
        if cell.cell_type == "code":
            for_analyst = ANALYST_TAG in cell.metadata.get("tags", [])
            cell.outputs = [output for output in cell.outputs if _is_for_readers(output, for_analyst)]
    adapt_outputs(executed, notices)
    with _EXPORTER_LOCK:
        return _exporter().from_notebook_node(executed)[0]


def _set_drawings_aside(html: str) -> tuple[str, list[str]]:
    """The page with a mark in place of each drawing, which need not be parsed, and the drawings."""
    drawings = DRAWING.findall(html)
    numbers = count()
    return DRAWING.sub(lambda _: f'<svg data-drawing="{next(numbers)}"></svg>', html), drawings


def _put_drawings_back(html: str, drawings: list[str]) -> str:
    return DRAWING_MARK.sub(lambda mark: drawings[int(mark[1])], html)


def _is_for_readers(output: NotebookNode, for_analyst: bool) -> bool:
    """Whether an output belongs on the page.

    Warnings do not. Nor do unstyled DataFrames and text from an analyst's cell, because they can contain customer ids.
    They stay in the executed notebook.
    """
    if output.get("name") == "stderr":
        return False
    html = output.get("data", {}).get("text/html", "")
    return not for_analyst or (bool(html) and not PLAIN_TABLE.search(html))


def _drop_what_leads_away(body: BeautifulSoup) -> None:
    """Remove what an analyst's own output could do to a reader: leave the page, send a form, or load something."""
    for tag in body.find_all(LEADS_AWAY):
        tag.decompose()
    for link in body.find_all(href=SCRIPT_LINK):
        del link["href"]


def _drop_empty_sections(body: BeautifulSoup) -> None:
    """Remove each section that says it has nothing to show, from its heading to the next one."""
    cells = body.find_all("div", class_="cell", recursive=False)
    sections: list[list[Tag]] = [[]]
    for cell in cells:
        if cell.h2:
            sections.append([])
        sections[-1].append(cell)
    for section in sections[1:]:
        if any(cell.find(class_="nothing") for cell in section):
            for cell in section:
                cell.extract()


def _for_analysts(heading: Tag) -> bool:
    return heading.find_parent(class_="celltag_analyst") is not None


@cache
def _exporter() -> PageExporter:
    """The exporter of all pages. Every instance compiles its templates, which takes as long as a page."""
    return PageExporter(
        template_name="crm",
        extra_template_basedirs=[str(pages.TEMPLATES)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
