"""Make what analysts' cells show fit for a page that runs no script, and tell the author what is left out."""

import base64
import importlib
import json
import mimetypes
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup
from bs4.element import Tag
from nbformat import NotebookNode

from crm_utils.core.display.own_figure import CLASS as OWN_FIGURE
from crm_utils.pipeline.execute import CUT, LARGEST_OUTPUT, section_of
from crm_utils.site.formulas import UNREADABLE, write_formula

PLOTLY = "application/vnd.plotly.v1+json"
PLOTLY_NUMBER = re.compile(r'id="defs-([0-9a-f]+)"')  # another one in each drawing, in its ids
SCRIPT = re.compile(r"<script\b", re.IGNORECASE)
SCRIPT_TYPES = ("application/javascript", "application/vnd.")
IMAGE_TYPES = ("image/svg+xml", "image/png", "image/jpeg")  # the best first
BARE_REPR = re.compile(r"\s*<[^<>\n]* at 0x[0-9a-f]+>\s*")
# What a reader sees of HTML: some elements, and text that is not in others
SEEN = re.compile(r"<(img|svg|table|math)\b", re.IGNORECASE)
UNSEEN = re.compile(r"<(script|style|noscript)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.IGNORECASE | re.DOTALL)
BOKEH_LOADS = "bk-notebook-logo"  # what Bokeh shows while its scripts load
NUMBER = re.compile(r"\s*[-−+]?[$£€]?[\d.,\s]+%?\s*|\s*(?:nan|NaN|–)?\s*")
LONGEST_LINE = 60  # letters of a cell's first line in a message

HAS_SCRIPT = (
    "this output needs a script, which pages do not run, and has no static image, so the page leaves it out; draw it "
    "with Matplotlib, or install what its library draws images with (Plotly: kaleido and Chrome; Altair: "
    "vl-convert-python)"
)
NO_ALT_TEXT = (
    "readers who cannot see this figure are only told its title and axes; say what it shows: "
    "Finding(paragraph(…), ax=…, caption=…, alt_text=…)"
)
NO_ALT_TEXT_OF_IMAGE = (
    "readers who cannot see this image are only told its section; say what it shows, for example: Image(…, alt=…)"
)
TOO_LARGE = f"this output is larger than {LARGEST_OUTPUT // 1_000_000} MB, so it was cut; show less of it"
BAD_FORMULA = "a formula cannot be written as MathML and is shown as it was typed"
NO_IMAGE = "the image {source} is not in the project, so the page shows its description only"
REMOTE_IMAGE = "pages load nothing from elsewhere: save the image {source} in notebooks/ and name that file"


class Notices:
    """What an author should know about the page of a notebook: each problem once, with its cells."""

    def __init__(self, notebook: str):
        self.notebook = notebook
        self.places: dict[str, list[str]] = {}

    def add(self, problem: str, place: str = "") -> None:
        """Note a problem of a cell; without a place, of the page."""
        self.places.setdefault(problem, []).extend([place] if place else [])

    def lines(self) -> list[str]:
        """One line per problem."""
        return [
            f"notebooks/{self.notebook}: {problem}" + "".join(f"\n    {place}" for place in dict.fromkeys(places))
            for problem, places in self.places.items()
        ]


def adapt_outputs(notebook: NotebookNode, notices: Notices) -> None:
    """Replace each output by what a page can show of it, and remove those of which it can show nothing.

    Parameters
    ----------
    notebook : NotebookNode
        The executed notebook, whose outputs are changed.
    notices : Notices
        Takes what its author should know.
    """
    for position, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        section = section_of(notebook, position)
        line = next((text for text in reversed(cell.source.splitlines()) if text.strip()), "").strip()
        place = f"section “{section}”, cell that ends in: {line[:LONGEST_LINE]}"
        shown: list[NotebookNode] = []
        for output in cell.outputs:
            problem = _adapt(output, section)
            if problem:
                notices.add(problem, place)
            if output.get("data") != {} and output not in shown:  # a figure may be shown twice
                shown.append(output)
        cell.outputs = shown


def _adapt(output: NotebookNode, section: str) -> str | None:
    """Change one output in place; return what its author should know about it. Without data nothing is shown."""
    data = output.get("data", {})
    html = data.get("text/html", "")
    if output.get("metadata", {}).get(CUT):
        return TOO_LARGE
    if SCRIPT.search(html) or any(kind.startswith(SCRIPT_TYPES) for kind in data):
        return _adapt_script(output, section)
    if html and not _is_seen(html):
        output.data = NotebookNode()
        return None
    if html:
        return NO_ALT_TEXT if html.startswith(f'<figure class="crm-figure {OWN_FIGURE}">') else None
    if any(kind in data for kind in IMAGE_TYPES):
        return _adapt_image(output, section)
    if "text/latex" in data:
        output.data = NotebookNode({"text/html": write_formula(data["text/latex"], block=True)})
    elif BARE_REPR.fullmatch(data.get("text/plain", "")):
        output.data = NotebookNode()
    return None


def _adapt_script(output: NotebookNode, section: str) -> str | None:
    """Keep the static image of an output with a script, or what it shows without the script."""
    if PLOTLY in output.data and not any(kind in output.data for kind in IMAGE_TYPES):
        output.data |= _plotly_image(output.data[PLOTLY])
    if any(kind in output.data for kind in IMAGE_TYPES):
        return _adapt_image(output, section)
    html = output.data.get("text/html", "")
    if not _is_seen(html):
        output.data = NotebookNode()
        return HAS_SCRIPT
    left = BeautifulSoup(html, "html.parser")
    for tag in left.find_all(["script", "noscript"]):
        tag.decompose()
    output.data = NotebookNode({"text/html": str(left)})
    return None


def _plotly_image(chart: dict[str, object]) -> dict[str, str]:
    """A chart of Plotly as SVG; nothing if Plotly cannot draw it here."""
    try:
        plotly = importlib.import_module("plotly.io")
        image = plotly.from_json(json.dumps(chart), skip_invalid=True).to_image(format="svg")
    except Exception:  # it reports in its own way that it needs another library or a browser
        return {}
    svg = image.decode("utf-8")
    number = PLOTLY_NUMBER.search(svg)
    return {"image/svg+xml": svg.replace(number[1], "chart") if number else svg}


def _is_seen(html: str) -> bool:
    """Whether a reader sees anything of HTML without its scripts."""
    return BOKEH_LOADS not in html and bool(SEEN.search(html) or UNSEEN.sub("", html).strip())


def _adapt_image(output: NotebookNode, section: str) -> str | None:
    """Put an image into an element with an alternative text, where nothing in it can run."""
    kind = next(kind for kind in IMAGE_TYPES if kind in output.data)
    content = output.data[kind]
    if kind == "image/svg+xml":
        content = base64.b64encode(content.encode()).decode()
    metadata = output.get("metadata", {})
    alt = metadata.get("alt") or metadata.get(kind, {}).get("alt")
    image = f'<img alt="{escape(alt or f"An image: {section}")}" src="data:{kind};base64,{"".join(content.split())}">'
    output.data = NotebookNode({"text/html": f'<figure class="crm-figure {OWN_FIGURE}">{image}</figure>'})
    return None if alt else NO_ALT_TEXT_OF_IMAGE


def adapt_body(body: BeautifulSoup, root: Path, notices: Notices) -> None:
    """Embed the images that a page names by their path, and give tables that are not ours our style.

    Parameters
    ----------
    body : bs4.BeautifulSoup
        The cells of a page, which are changed.
    root : Path
        The project's folder. Paths are relative to its `notebooks/`, as in Jupyter.
    notices : Notices
        Takes what the author should know.
    """
    for image in body.find_all("img"):
        source = str(image.get("src", ""))
        if source.startswith("data:"):
            continue
        path = (root / "notebooks" / unquote(source)).resolve()
        kind = mimetypes.guess_type(path.name)[0] or ""
        if path.is_file() and path.is_relative_to(root.resolve()) and kind.startswith("image/"):
            image["src"] = f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
        else:
            notices.add((REMOTE_IMAGE if "//" in source else NO_IMAGE).format(source=source))
            image.replace_with(str(image.get("alt", "")))
    if body.find("code", class_=UNREADABLE):
        notices.add(BAD_FORMULA)
    for table in body.find_all("table"):
        if "crm" not in table.get_attribute_list("class"):
            table["class"] = "crm"
            table.attrs.pop("border", None)
            _align(table.find_all("tr"))


def _align(rows: Iterable[Tag]) -> None:
    """Align the columns of a table: to the right if all their cells are numbers."""
    lines = [row.find_all("td") for row in rows]
    for cells in zip(*[line for line in lines if line], strict=False):
        kind = "number" if all(NUMBER.fullmatch(cell.get_text()) for cell in cells) else "text"
        for cell in cells:
            cell["class"] = [*(name for name in cell.get_attribute_list("class") if name), kind]
