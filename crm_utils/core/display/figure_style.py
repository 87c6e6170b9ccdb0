"""The look all figures share: colours, axes, and how a figure appears on wide and on narrow screens."""

import base64
import copy
import textwrap
from collections.abc import Callable
from functools import cache, cached_property, partial
from html import escape
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.figure
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, MaxNLocator

from crm_utils.core.formatting import NumberFormat, count, percent

STYLE_FILE = Path(__file__).with_name("crm.mplstyle")
INK, LIGHT_INK, BLUE, ORANGE, TEAL, GREY, PALE = (
    "#1c2530",
    "#48525e",
    "#1f5fa8",
    "#c8601d",
    "#2a9d8f",
    "#9aa3ad",
    "#dfe4e9",
)
SEGMENT_COLOURS = {
    "Champions": "#0b5d57",
    "Loyal Customers": "#2a9d8f",
    "Potential Loyalists": "#8bd3c7",
    "Recent Customers": "#1f5fa8",
    "New Customers": "#1f5fa8",
    "Promising": "#86b6e8",
    "Customers Needing Attention": "#f2c14e",
    "About to Sleep": "#c9a88a",
    "At Risk": "#e07b39",
    "Can't Lose Them": "#b3261e",
    "Hibernating": "#9aa3ad",
    "Lost": "#5c6670",
}
SPARE_COLOURS = ["#6a4c93", "#c06fa8", "#7a8b2a", "#3f7f93", "#a06a2c", "#3d4f9f"]


def segment_colours(segments: list[str]) -> list[str]:
    """The fixed colour of each segment; names of an analyst's own map take spare ones in their order."""
    own = [name for name in segments if name not in SEGMENT_COLOURS]
    return [SEGMENT_COLOURS.get(name) or SPARE_COLOURS[own.index(name) % len(SPARE_COLOURS)] for name in segments]


@cache
def style() -> dict[str, Any]:
    """Matplotlib's settings for every figure. A user's own matplotlibrc stays out of a report, the backend stays as set."""
    ours = mpl.rc_params_from_file(STYLE_FILE, use_default_template=False)
    kept = {"backend", "backend_fallback", "interactive", "toolbar", "timezone", "webagg.port", "webagg.address"}
    defaults = {name: value for name, value in mpl.rcParamsDefault.items() if name not in kept}
    return defaults | dict(ours) | {"timezone": "UTC"}


def use_style() -> None:
    """Draw everything from here on in the style of the report."""
    mpl.rcParams.update(style())


def new_axes(ax: Axes | None, height: float = 3.4) -> Axes:
    """Return the given axes, or those of a new figure in the report's style, 6.6 inches wide and `height` inches high."""
    if ax is not None:
        return ax
    use_style()
    return plt.subplots(figsize=(6.6, height))[1]


def money_axis(axis: Axis, fmt: NumberFormat | str) -> None:
    """Write money on an axis: $250k."""
    fmt = NumberFormat(fmt) if isinstance(fmt, str) else fmt  # until every stage is handed a NumberFormat
    axis.set_major_formatter(FuncFormatter(partial(_write_tick, fmt.short_money)))


def percent_axis(axis: Axis) -> None:
    """Write shares on an axis: 20%."""
    axis.set_major_formatter(FuncFormatter(partial(_write_tick, percent)))


def count_axis(axis: Axis) -> None:
    """Write whole numbers on an axis: 1,500."""
    axis.set_major_formatter(FuncFormatter(partial(_write_tick, count)))


def _write_tick(write: Callable[[float], str], value: float, _: int) -> str:
    return write(value)


class Figure:
    """A figure with the finding it supports, a caption that says how to read it, and its content in words.

    A phone gets a layout of its own, narrower and with letters as large. Both are drawn from copies: `ax` stays as it is.
    """

    def __init__(self, ax: Axes, finding: str, caption: str, alt: str):
        self.ax = ax
        self.finding = str(finding)
        self.caption = caption
        self.alt = alt
        plt.close(ax.figure)  # Jupyter would show it a second time

    @cached_property
    def wide(self) -> matplotlib.figure.Figure:
        """The figure for wide screens."""
        figure = copy.deepcopy(self.ax.figure)
        for ax in figure.axes:
            _rename(ax, 46, _cut_line)
        return figure

    @cached_property
    def narrow(self) -> matplotlib.figure.Figure:
        """The figure for narrow screens."""
        figure = copy.deepcopy(self.wide)
        with mpl.rc_context(style()):
            _narrow(figure)
        return figure

    @cached_property
    def _html(self) -> str:
        return (
            f'<figure class="crm-figure"><p class="finding">{escape(self.finding)}</p>'
            f'<picture><source media="screen and (max-width: 520px)" srcset="{_address(self.narrow)}">'
            f'<img src="{_address(self.wide)}" alt="{escape(self.alt)}"></picture>'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
        )

    def _repr_html_(self) -> str:
        return self._html


def _cut_line(line: str) -> str:
    return f"{line[:45]}…" if len(line) > 46 else line


def _address(drawing: matplotlib.figure.Figure) -> str:
    drawn = BytesIO()
    with mpl.rc_context(style()):
        drawing.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}"


def _narrow(drawing: matplotlib.figure.Figure) -> None:
    """Lay a figure out for a phone: panels below each other, long names on several lines, legends above."""
    panels, height = drawing.axes, drawing.get_figheight()
    places = [ax.get_subplotspec() for ax in panels]
    stacked = None not in places and len({place.colspan.start for place in places}) > 1
    if stacked:
        for ax, place in zip(panels, drawing.add_gridspec(len(panels), 1), strict=True):
            ax.set_subplotspec(place)
    for ax in panels:
        _shorten(ax)
    lines = max((label.get_text().count("\n") for ax in panels for label in ax.get_yticklabels()), default=0)
    drawing.set_size_inches(4.1, height * (0.75 * len(panels) if stacked else 1.1 + 0.2 * lines))
    drawing.draw_without_rendering()  # text beside a bar moves with it, so room is made for it in two passes
    for ax in panels:
        _thin_out(ax)


def _shorten(ax: Axes) -> None:
    _rename(ax, 18, _wrapped)
    ax.set_xlabel(_wrapped(ax.get_xlabel(), 36))
    if isinstance(ax.xaxis.get_major_locator(), MaxNLocator):
        ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.set_title(_wrapped(ax.get_title(loc="left"), 36), loc="left")
    legend = ax.get_legend()
    if legend:
        entries = [text.get_text() for text in legend.get_texts()]
        columns = 2 if max(map(len, entries)) < 22 else 1
        ax.figure.legend(legend.legend_handles, entries, loc="outside upper left", ncols=columns, fontsize=8.5)
        legend.remove()


def _thin_out(ax: Axes) -> None:
    """Where labels below an axis run into each other: on more lines while they are few, every second one else."""
    labels = [label for label in ax.get_xticklabels() if label.get_text() and ax.xaxis.get_visible()]
    boxes = [label.get_window_extent() for label in labels]
    if any(one.x1 + 3 > other.x0 for one, other in pairwise(boxes)):
        names = [label.get_text() for label in labels]
        few = len(names) <= 6
        wrapped = ["\n".join(_wrapped(line, 9) for line in name.splitlines()) for name in names]
        shown = wrapped if few else [name * (n % 2 == 0) for n, name in enumerate(names)]
        ax.set_xticks([label.get_position()[0] for label in labels], shown, fontsize=8 if few else None)


def _rename(ax: Axes, letters: int, line_of: Callable[[str], str]) -> None:
    """Other labels on a vertical axis, line by line, where a line of them is longer than so many letters."""
    names = [label.get_text().splitlines() for label in ax.get_yticklabels()]
    if any(len(line) > letters for lines in names for line in lines):
        ax.set_yticks(ax.get_yticks(), ["\n".join(map(line_of, lines)) for lines in names], fontsize=8.5)


def _wrapped(text: str, letters: int = 18) -> str:
    return textwrap.fill(text, letters)


def show_figure(ax: Axes | None, finding: str, caption: str, alt: str) -> Figure | str:
    """Show `ax` with the finding it supports, a caption that says how to read it, and its content in words.

    Without axes there is nothing to draw: the finding, which then says why, is shown alone.
    """
    return finding if ax is None else Figure(ax, finding, caption, alt)
