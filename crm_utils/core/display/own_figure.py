"""A Matplotlib or seaborn figure that an analyst's cell shows, drawn on pages like our figures."""

import base64
import copy
from html import escape
from io import BytesIO

import matplotlib as mpl
import matplotlib.figure
from matplotlib.axes import Axes

from crm_utils.core.display.alt_text import shorten
from crm_utils.core.display.figure_style import fit_to_phone, is_colour_bar, lay_out, style
from crm_utils.core.display.inline_svg import inline_svg

# Pages count figures with this class, whose description was made by a program
CLASS = "own"
# A drawing of more letters, such as one with 10,000 points, becomes an image of pixels
LARGEST_SVG = 600_000
IMAGE_DOTS_PER_INCH = 160
NO_TITLE = "A figure without a title"
AXES = {"x": "Horizontal axis: {label}.", "y": "Vertical axis: {label}."}
PANELS = "{panels} panels."


def own_figure(figure: mpl.figure.Figure) -> str:
    """Return a figure as HTML.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure. It is not changed.

    Returns
    -------
    str
        Inline SVG with an alternative text made from title and axes. A figure with one panel is drawn again for
        phones; one with several scrolls there. A figure with very many marks is an image.
    """
    alt = describe_figure(figure)
    with mpl.rc_context(style()):
        drawn = _draw(figure, alt)
    return f'<figure class="crm-figure {CLASS}">{drawn}</figure>'


def describe_figure(figure: mpl.figure.Figure) -> str:
    """Return the alternative text of a figure: its title, or the titles of its panels, and its axes."""
    panels = [ax for ax in figure.axes if ax.get_visible() and not is_colour_bar(ax)]
    titles = [figure.get_suptitle(), *(_title(ax) for ax in panels)]
    parts = [". ".join(dict.fromkeys(title.strip(" .") for title in titles if title)) or NO_TITLE]
    parts[0] += "."
    if len(panels) > 1:
        parts.append(PANELS.format(panels=len(panels)))
    for name, template in AXES.items():
        labels = [getattr(ax, f"get_{name}label")() for ax in panels]
        labels = list(dict.fromkeys(" ".join(label.split()) for label in labels if label))
        if labels:
            parts.append(template.format(label=", ".join(labels)))
    return shorten(" ".join(" ".join(parts).split()))


def _title(ax: Axes) -> str:
    return next((text for place in ("left", "center", "right") if (text := ax.get_title(loc=place))), "")


def _draw(figure: mpl.figure.Figure, alt: str) -> str:
    wide = copy.deepcopy(figure)
    lay_out(wide, [])
    drawn = inline_svg(wide, alt, "wide" if len(figure.axes) == 1 else "panels")
    if len(drawn) > LARGEST_SVG:
        return _image(figure, alt)
    if len(figure.axes) != 1:
        return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(alt)}">{drawn}</div>'
    narrow = copy.deepcopy(figure)
    fit_to_phone(narrow)
    lay_out(narrow, narrow.axes)
    return drawn + inline_svg(narrow, alt, "narrow")


def _image(figure: mpl.figure.Figure, alt: str) -> str:
    pixels = BytesIO()
    figure.savefig(pixels, format="png", dpi=IMAGE_DOTS_PER_INCH, metadata={"Software": None})
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(pixels.getvalue()).decode()}">'
