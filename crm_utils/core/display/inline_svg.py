"""A figure as SVG that stands in a page itself: its text can be selected and found, its marks show their values."""

import re
from hashlib import sha256
from html import escape
from io import StringIO

from matplotlib.figure import Figure

from crm_utils.core.display.hover import Target, hover_targets

# What Matplotlib writes and a page does not need: a description of the file, and a style that would hold for the page
_NOT_NEEDED = re.compile(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_OWN_IDS = re.compile(r' id="([^"]*)"')
_LINKS = re.compile(r'(xlink:href="#|url\(#)([^")]+)')
# The page's own letters are used; they are no wider than those that the layout was made for
_FONT = re.compile(r"font-family: [^;\"]*;? ?")
_TAG = re.compile(r"<[^>]+>")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_NOTHING = re.compile(r' transform="rotate\(-?0 [^"]*\)"|<g/>|<!--.*?-->')
# Of an SVG, whose unit is a point
DOTS_PER_INCH = 72
# Letters and digits of the hash that keeps the ids of two figures apart
ID_LENGTH = 8


def inline_svg(figure: Figure, alt: str, layout: str) -> str:
    """Draw a figure as an SVG element.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, laid out at `DOTS_PER_INCH`.
    alt : str
        What it shows, in words.
    layout : str
        Class of the element: `wide` or `narrow`.

    Returns
    -------
    str
        The element. Equal figures give equal text; its ids differ from those of every other figure.
    """
    drawn = StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    targets = hover_targets(figure)
    text = _NOT_NEEDED.sub("", drawn.getvalue())
    body = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    key = sha256(f"{layout}{alt}{body}".encode()).hexdigest()[:ID_LENGTH]
    linked = {name for _, name in _LINKS.findall(body)}
    body = _OWN_IDS.sub(lambda own: f' id="f{key}-{own[1]}"' if own[1] in linked else "", body)
    body = _LINKS.sub(lambda link: f"{link[1]}f{key}-{link[2]}", body)
    body = _FONT.sub("", body)
    width, height = (DOTS_PER_INCH * size for size in figure.get_size_inches())
    hidden = "; display: none" if layout == "narrow" else ""
    return (
        f'<svg class="{layout}" style="white-space: pre{hidden}" role="img" aria-label="{escape(alt)}" '
        f'viewBox="0 0 {width:g} {height:g}" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f"{_hits(targets)}{_compact(body)}</svg>"
    )


def _hits(targets: list[Target]) -> str:
    """Rectangles that nobody sees, below the drawing, each with the text that appears where the mouse points."""
    return "".join(
        f'<rect class="hit" x="{one.left:g}" y="{one.top:g}" width="{one.width:g}" height="{one.height:g}" '
        f'fill="none" pointer-events="all"><title>{escape(one.text)}</title></rect>'
        for one in targets
    )


def _compact(body: str) -> str:
    """The drawing without what changes nothing, its coordinates with two decimals."""
    body = _NOTHING.sub("", body)
    body = _TAG.sub(lambda tag: _LONG_NUMBER.sub(lambda number: f"{round(float(number[0]), 2):g}", tag[0]), body)
    return re.sub(r"\s*\n\s*", "\n", body).strip()
