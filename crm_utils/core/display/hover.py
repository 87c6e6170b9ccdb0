"""What the marks of a figure stand for, so that a page can show a value where the mouse points.

Everything is read from the drawing: bars, points, lines, cells and ranges with the names and formats of their axes. So
a figure that somebody draws with Matplotlib or seaborn shows its values too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from crm_utils.core.display.axis_formats import has_names, write_value

# Points of one line that can be pointed at
MOST_POINTS = 120
# Size of the area around a point, and of a narrow bar, in points of 1/72 inch
REACH = 5.0


@dataclass(frozen=True)
class Target:
    """A rectangle of a figure in points from its top left corner, and what it stands for."""

    left: float
    top: float
    width: float
    height: float
    text: str


def hover_targets(figure: Figure) -> list[Target]:
    """Find what each mark of a figure stands for.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, drawn at 72 dots per inch as an SVG is.

    Returns
    -------
    list of Target
        Bars, cells, points of lines and scatter plots, and ranges, each with its text: "At Risk, then: 1,200". Larger
        marks come first, so that a point on a bar is found.
    """
    height = figure.bbox.height
    found = [
        _target(ax, corners, text, height)
        for ax in figure.axes
        if ax.get_visible()
        for corners, text in _marks(ax)
        if np.isfinite(corners).all()
    ]
    return sorted(found, key=lambda target: -target.width * target.height)


def _target(ax: Axes, corners: np.ndarray, text: str, height: float) -> Target:
    (x0, y0), (x1, y1) = np.sort(ax.transData.transform(corners), axis=0)
    x0, x1 = _widened(x0, x1)
    y0, y1 = _widened(y0, y1)
    left, top, across, down = (round(float(size), 1) for size in (x0, height - y1, x1 - x0, y1 - y0))
    return Target(left, top, across, down, text)


def _widened(low: float, high: float) -> tuple[float, float]:
    missing = max(2 * REACH - (high - low), 0) / 2
    return low - missing, high + missing


def _marks(ax: Axes) -> Iterator[tuple[np.ndarray, str]]:
    """Corners of each mark, in the units of the axes, and its text."""
    for container in ax.containers:
        if isinstance(container, BarContainer):
            yield from _bars(ax, container)
    for line in ax.lines:
        if line.get_transform() == ax.transData:
            yield from _points(ax, np.asarray(line.get_xydata(), float), line)
    for collection in ax.collections:
        if isinstance(collection, QuadMesh):
            yield from _cells(ax, collection)
        elif isinstance(collection, PathCollection):
            yield from _points(ax, np.ma.getdata(collection.get_offsets()), collection)
        elif isinstance(collection, LineCollection):
            yield from _ranges(ax, collection)


def _bars(ax: Axes, container: BarContainer) -> Iterator[tuple[np.ndarray, str]]:
    """Each bar, with its name and length."""
    upright = container.orientation != "horizontal"
    names, values = (ax.xaxis, ax.yaxis) if upright else (ax.yaxis, ax.xaxis)
    for bar in container.patches:
        start, end = bar.get_xy(), np.add(bar.get_xy(), (bar.get_width(), bar.get_height()))
        middle, length = (start + end)[1 - upright] / 2, (end - start)[int(upright)]
        name = write_value(names, middle)
        if not has_names(names):
            name = f"{write_value(names, start[1 - upright])} to {write_value(names, end[1 - upright])}"
        yield np.array([start, end]), f"{_named(name, container)}: {write_value(values, length)}"


def _points(ax: Axes, points: np.ndarray, artist: Artist) -> Iterator[tuple[np.ndarray, str]]:
    """Each point within the axes, thinned to `MOST_POINTS`."""
    inside = points[np.isfinite(points).all(axis=1)]
    low, high = np.sort(np.array([ax.get_xlim(), ax.get_ylim()]), axis=1).T
    inside = inside[((inside >= low) & (inside <= high)).all(axis=1)]
    every = np.unique(np.linspace(0, len(inside) - 1, min(len(inside), MOST_POINTS)).round().astype(int))
    names_below = has_names(ax.xaxis) or not has_names(ax.yaxis)
    for x, y in inside[every]:
        name, value = (write_value(ax.xaxis, x), write_value(ax.yaxis, y))
        if not names_below:
            name, value = value, name
        yield np.array([[x, y], [x, y]]), f"{_named(name, artist)}: {value}"


def _cells(ax: Axes, mesh: QuadMesh) -> Iterator[tuple[np.ndarray, str]]:
    """Each cell of a heat map, with what is written in it."""
    corners = np.asarray(mesh.get_coordinates(), float)
    values: np.ndarray = np.ma.filled(np.ma.asarray(mesh.get_array(), float), np.nan).reshape(corners.shape[0] - 1, -1)
    written = {text.get_position(): text.get_text() for text in ax.texts}
    for (row, column), value in np.ndenumerate(values):
        ends = np.array([corners[row, column], corners[row + 1, column + 1]])
        middle = ends.mean(axis=0)
        text = written.get(tuple(middle), "" if np.isnan(value) else f"{value:,.4g}")
        if text:
            yield ends, f"{_axis_name(ax.yaxis, middle[1])}, {_axis_name(ax.xaxis, middle[0])}: {text}"


def _ranges(ax: Axes, lines: LineCollection) -> Iterator[tuple[np.ndarray, str]]:
    """Each straight line from one value to another, or along names at one value."""
    for line in lines.get_segments():
        if len(line) < 2:  # a range that is not known
            continue
        start, end = np.asarray(line[0], float), np.asarray(line[-1], float)
        across = bool(start[1] == end[1])
        along, fixed = (ax.xaxis, ax.yaxis) if across else (ax.yaxis, ax.xaxis)
        at, low, high = (start[1], start[0], end[0]) if across else (start[0], start[1], end[1])
        if has_names(along):
            name, value = write_value(along, (low + high) / 2), write_value(fixed, at)
        else:
            name, value = write_value(fixed, at), f"{write_value(along, low)} to {write_value(along, high)}"
        yield np.array([start, end]), f"{_named(name, lines)}: {value}"


def _named(name: str, artist: Any) -> str:
    """The name of a mark with that of its series. Matplotlib's own labels start with an underscore."""
    label = str(artist.get_label())
    return name if not label or label.startswith("_") else f"{name}, {label}"


def _axis_name(axis: Axis, value: float) -> str:
    title = axis.get_label_text()
    return f"{title} {write_value(axis, value)}" if title else write_value(axis, value)
