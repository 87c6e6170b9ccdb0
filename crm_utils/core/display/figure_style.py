"""The colours and axes of all figures, and their layout on wide and on narrow screens."""

import copy
import textwrap
from collections.abc import Callable
from contextlib import suppress
from functools import cache, cached_property
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.figure
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.layout_engine import LayoutEngine
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from crm_utils.core.display.axis_formats import ValueFormatter, has_names, name_axis
from crm_utils.core.display.inline_svg import DOTS_PER_INCH, inline_svg
from crm_utils.core.formatting import NumberFormat, percent

STYLE_FILE = Path(__file__).with_name("crm.mplstyle")
# Matplotlib settings that belong to the user's machine, not to the look of a figure
USER_SETTINGS = {"backend", "backend_fallback", "interactive", "toolbar", "timezone", "webagg.port", "webagg.address"}
# Width in inches of a figure on a wide screen and on a phone
WIDTH = 6.6
PHONE_WIDTH = 4.1
# Letters that fit on one line of a label on a wide screen
LABEL_LETTERS = 46
# Letters that fit on one line on a phone: next to the axis, in titles, and in tick labels that would overlap
PHONE_LABEL_LETTERS = 18
PHONE_TITLE_LETTERS = 36
PHONE_TICK_LETTERS = 9
# Up to so many names below an axis are wrapped; of more, some are left out
FEW_NAMES = 6

# Text and marks
INK = "#1c2530"
# Less important text
LIGHT_INK = "#48525e"
# Series of a figure, in this order
BLUE = "#1f5fa8"
ORANGE = "#c8601d"
TEAL = "#2a9d8f"
# Values that are only shown for comparison
GREY = "#9aa3ad"
PALE = "#dfe4e9"
# Champions are green, customers at risk are red: one colour for each segment in every figure
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
# Segments of an analyst's own map
SPARE_COLOURS = ["#6a4c93", "#c272ab", "#83952f", "#3e7d91", "#a06a2c", "#3d4f9f"]


def segment_colours(segments: list[str]) -> list[str]:
    """Return the fixed colour of each segment.

    Names of an analyst's own map take the spare colours in alphabetical order, so that figures that show the same
    segments in another order give each the same colour.
    """
    unknown = sorted({name for name in segments if name not in SEGMENT_COLOURS})
    spare = {name: SPARE_COLOURS[index % len(SPARE_COLOURS)] for index, name in enumerate(unknown)}
    return [SEGMENT_COLOURS.get(name) or spare[name] for name in segments]


@cache
def style() -> Any:
    """Return Matplotlib's settings for every figure.

    They start from Matplotlib's defaults, so a user's own matplotlibrc does not change a report. The backend is not
    changed.
    """
    defaults: Any = {name: value for name, value in mpl.rcParamsDefault.items() if name not in USER_SETTINGS}
    ours = mpl.rc_params_from_file(STYLE_FILE, use_default_template=False)
    return defaults | dict(ours) | {"timezone": "UTC"}


def use_style() -> None:
    """Draw everything from here on in the style of the report."""
    mpl.rcParams.update(style())


def new_axes(ax: Axes | None, height: float = 3.4) -> Axes:
    """Return the given axes, or those of a new figure in the report's style.

    Parameters
    ----------
    ax : Axes or None
        Axes to draw on. None makes a new figure.
    height : float
        Height of the new figure in inches; it is 6.6 inches wide.
    """
    if ax is not None:
        return ax
    use_style()
    return plt.subplots(figsize=(WIDTH, height))[1]


def money_axis(axis: Axis, fmt: NumberFormat) -> None:
    """Write money on an axis: $250k."""
    axis.set_major_formatter(ValueFormatter(fmt.short_money, fmt.money))


def percent_axis(axis: Axis) -> None:
    """Write shares on an axis: 20%."""
    axis.set_major_formatter(ValueFormatter(percent))


def count_axis(axis: Axis, fmt: NumberFormat) -> None:
    """Write whole numbers on an axis: 1,500."""
    axis.set_major_formatter(ValueFormatter(fmt.count))


class Figure:
    """A figure with the sentence it supports, a caption that says how to read it, and a description in words.

    Phones get a narrower layout with letters of the same size. Both layouts are drawn from copies, so `ax` does not
    change.

    Parameters
    ----------
    ax : Axes
        The drawing.
    finding : str
        The sentence it supports, shown above it.
    caption : str
        How to read it, shown below it.
    alt : str
        What it shows, in words, for readers who cannot see it.
    """

    def __init__(self, ax: Axes, finding: str, caption: str, alt: str):
        self.ax = ax
        self.finding = str(finding)
        self.caption = caption
        self.alt = alt
        plt.close(_figure_of(ax))  # otherwise Jupyter shows it a second time

    @cached_property
    def wide(self) -> mpl.figure.Figure:
        """The figure for wide screens."""
        figure = self._copy()
        with mpl.rc_context(style()):
            lay_out(figure, [ax for ax in figure.axes if has_names(ax.xaxis) and len(ax.get_xticks()) > FEW_NAMES])
        return figure

    @cached_property
    def narrow(self) -> mpl.figure.Figure:
        """The figure for narrow screens."""
        figure = self._copy()
        with mpl.rc_context(style()):
            fit_to_phone(figure)
            lay_out(figure, figure.axes)
        return figure

    def _copy(self) -> mpl.figure.Figure:
        figure = copy.deepcopy(_figure_of(self.ax))
        for ax in figure.axes:
            _rewrite_labels(ax, LABEL_LETTERS, _cut_line)
        return figure

    @cached_property
    def _html(self) -> str:
        with mpl.rc_context(style()):
            drawn = inline_svg(self.wide, self.alt, "wide") + inline_svg(self.narrow, self.alt, "narrow")
        return (
            f'<figure class="crm-figure"><p class="finding">{escape(self.finding)}</p>{drawn}'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
        )

    def _repr_html_(self) -> str:
        return self._html


def _figure_of(ax: Axes) -> mpl.figure.Figure:
    figure = ax.get_figure(root=True)
    assert figure is not None, "the axes do not belong to a figure"
    return figure


def lay_out(figure: mpl.figure.Figure, crowded: list[Axes]) -> None:
    """Lay a figure out once, and again if labels below its `crowded` axes overlapped."""
    figure.set_dpi(DOTS_PER_INCH)
    engine = _layout_engine(figure)
    if engine is None:
        figure.draw_without_rendering()
    else:
        engine.execute(figure)
        # only the computed layout shows which tick labels overlap
        changed = [_separate_tick_labels(ax) for ax in crowded]
        if any(changed):
            engine.execute(figure)
        figure.set_layout_engine("none")  # drawing would compute the layout twice more


def _layout_engine(figure: mpl.figure.Figure) -> LayoutEngine | None:
    """Return what lays a figure out: the constrained layout, or the tight one if there is a colour bar.

    They are no setting for all figures, because functions of seaborn such as `clustermap` put panels at places of their
    own. Such figures stay as they are.
    """
    if figure.axes and all(ax.get_subplotspec() for ax in figure.axes):
        with suppress(RuntimeError):  # the figure was laid out in a way that cannot be changed
            figure.set_layout_engine("tight" if any(map(is_colour_bar, figure.axes)) else "constrained")
    return figure.get_layout_engine()


def is_colour_bar(ax: Axes) -> bool:
    """Return whether axes are the colour bar of others."""
    return getattr(ax, "_colorbar", None) is not None


def fit_to_phone(figure: mpl.figure.Figure) -> None:
    """Put panels below each other, long names on several lines and legends above."""
    panels = figure.axes
    stacked = _stack_panels(figure)
    for ax in panels:
        _shorten_texts(ax)
    lines = max((label.get_text().count("\n") for ax in panels for label in ax.get_yticklabels()), default=0)
    scale = 0.75 * len(panels) if stacked else 1.1 + 0.2 * lines
    figure.set_size_inches(PHONE_WIDTH, figure.get_figheight() * scale)


def _stack_panels(figure: mpl.figure.Figure) -> bool:
    """Put panels below each other if they are side by side. Return whether they were."""
    panels = figure.axes
    columns = {spec.colspan.start if (spec := ax.get_subplotspec()) else None for ax in panels}
    if None in columns or len(columns) < 2:
        return False
    rows = figure.add_gridspec(len(panels), 1)
    for index, ax in enumerate(panels):
        ax.set_subplotspec(rows[index, 0])
    return True


def _shorten_texts(ax: Axes) -> None:
    """Wrap names and titles, draw fewer ticks, and move the legend above the figure."""
    _rewrite_labels(ax, PHONE_LABEL_LETTERS, _wrap)
    ax.set_xlabel(_wrap(ax.get_xlabel(), PHONE_TITLE_LETTERS))
    if isinstance(ax.xaxis.get_major_locator(), MaxNLocator):
        ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.set_title(_wrap(ax.get_title(loc="left"), PHONE_TITLE_LETTERS), loc="left")
    legend = ax.get_legend()
    if legend:
        entries = [text.get_text() for text in legend.get_texts()]
        columns = 2 if max(map(len, entries)) < 22 else 1
        handles = [handle for handle in legend.legend_handles if handle]
        _figure_of(ax).legend(handles, entries, loc="outside upper left", ncols=columns, fontsize=8.5)
        legend.remove()


def _separate_tick_labels(ax: Axes) -> bool:
    """Wrap the labels below an axis if they overlap; of more than six, leave out some. Return whether they did."""
    labels = [label for label in ax.get_xticklabels() if label.get_text() and ax.xaxis.get_visible()]
    boxes = [label.get_window_extent() for label in labels]
    if not _overlap(boxes):
        return False
    names = [label.get_text() for label in labels]
    positions = [label.get_position()[0] for label in labels]
    if len(names) <= FEW_NAMES:
        wrapped = ["\n".join(_wrap(line, PHONE_TICK_LETTERS) for line in name.splitlines()) for name in names]
        ax.set_xticks(positions, wrapped, fontsize=8)
    else:
        every = next(step for step in range(2, len(names) + 1) if not _overlap(boxes[::step]))
        name_axis(ax.xaxis, positions, names, every)
    return True


def _overlap(boxes: list[Bbox]) -> bool:
    return any(left.x1 + 3 > right.x0 for left, right in pairwise(boxes))


def _rewrite_labels(ax: Axes, letters: int, rewrite: Callable[[str], str]) -> None:
    """Rewrite the labels of a vertical axis, line by line, if a line has more than `letters` letters."""
    names = [label.get_text().splitlines() for label in ax.get_yticklabels()]
    if any(len(line) > letters for lines in names for line in lines):
        ax.set_yticks(ax.get_yticks(), ["\n".join(map(rewrite, lines)) for lines in names], fontsize=8.5)


def _cut_line(line: str) -> str:
    return f"{line[: LABEL_LETTERS - 1]}…" if len(line) > LABEL_LETTERS else line


def _wrap(text: str, letters: int = PHONE_LABEL_LETTERS) -> str:
    return textwrap.fill(text, letters)
