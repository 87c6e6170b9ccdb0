"""Figures drawn by hand as inline SVG: small, with text that can be selected and found, and values on hover.

They are drawn for the width of a phone, `WIDTH` units, and wide screens enlarge them. So one drawing fits both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from crm_utils.core.display.alt_text import shorten
from crm_utils.core.display.figure_style import INK

WIDTH = 340
# Width of a letter as a share of the size of the font
LETTER, NARROW_LETTER, WIDE_LETTER = 0.6, 0.36, 0.88
NARROW, WIDE = "iljtfrI.,:;'’·()[]| ", "mwMW%@"


@dataclass(frozen=True)
class Drawing:
    """A drawing and what it shows in words.

    Parameters
    ----------
    width, height : float
        Its size in units.
    alt_text : str
        What it shows; cut to what can be listened to. The table beside it has the numbers.
    body : str
        The elements of the SVG.
    has_links : bool
        Whether it contains links. A screen reader then reads its content instead of one image.
    """

    width: float
    height: float
    alt_text: str
    body: str
    has_links: bool = False

    def _repr_html_(self) -> str:
        role = "group" if self.has_links else "img"
        return (
            f'<svg class="drawing" viewBox="0 0 {number(self.width)} {number(self.height)}" role="{role}" '
            f'aria-label="{escape(shorten(self.alt_text))}">{self.body}</svg>'
        )


def number(value: float) -> str:
    """A coordinate with at most one decimal, so that equal drawings have equal bytes."""
    return f"{round(value, 1) + 0:.1f}".removesuffix(".0")


def rect(x: float, y: float, width: float, height: float, fill: str, title: str = "") -> str:
    """A rectangle; `title` is shown on hover."""
    shape = f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" fill="{fill}"'
    return f"{shape}>{_title(title)}</rect>" if title else f"{shape}/>"


def path(commands: str, fill: str, title: str = "", extra: str = "") -> str:
    """A shape with given path commands."""
    return f'<path d="{commands}" fill="{fill}"{extra}>{_title(title)}</path>'


def text(
    x: float, y: float, words: str, size: float = 10, anchor: str = "start", colour: str = INK, bold: bool = False
) -> str:
    """Words on one line; `anchor` is start, middle or end."""
    weight = ' font-weight="650"' if bold else ""
    place = f'x="{number(x)}" y="{number(y)}" font-size="{number(size)}"'
    return f'<text {place} text-anchor="{anchor}" fill="{colour}"{weight}>{escape(words)}</text>'


def link(href: str, *elements: str) -> str:
    """Elements that lead somewhere."""
    return f'<a href="{escape(href)}">{"".join(elements)}</a>'


def wrap(words: str, width: float, size: float) -> list[str]:
    """Break words into lines of a width in units. A word that is longer stays whole."""
    lines: list[str] = []
    for word in words.split():
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def text_width(words: str, size: float) -> float:
    """About how wide words are."""
    narrow, wide = (sum(words.count(letter) for letter in letters) for letters in (NARROW, WIDE))
    return size * (LETTER * (len(words) - narrow - wide) + NARROW_LETTER * narrow + WIDE_LETTER * wide)


def ink_on(fill: str) -> str:
    """The colour of letters on a coloured area, dark or white: the one with the stronger contrast (WCAG 2)."""
    luminance = relative_luminance(fill)
    return "#ffffff" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / (relative_luminance(INK) + 0.05) else INK


def relative_luminance(colour: str) -> float:
    """The luminance of a colour such as #0b5d57, from 0 (black) to 1 (white), as WCAG 2 defines it."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def bars(values: Iterable[tuple[float, str, str]], width: float = 120, height: float = 34) -> str:
    """Small bars beside each other: value, colour and what to show on hover. A negative value hangs below the line."""
    shown = list(values)
    top, bottom = max((value for value, _, _ in shown), default=0), min((value for value, _, _ in shown), default=0)
    span = max(top, 0) - min(bottom, 0) or 1
    step = width / max(len(shown), 1)
    zero = height * max(top, 0) / span
    drawn = []
    for place, (value, colour, title) in enumerate(shown):
        size = max(abs(value) / span * height, 1)
        drawn.append(rect(place * step, zero - size if value >= 0 else zero, step * 0.78, size, colour, title))
    return "".join(drawn)


def _title(words: str) -> str:
    return f"<title>{escape(words)}</title>" if words else ""
