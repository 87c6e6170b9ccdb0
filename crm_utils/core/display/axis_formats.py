"""How an axis writes its numbers and names, short at its ticks and in full where a page shows one value."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axis import Axis
from matplotlib.category import StrCategoryFormatter
from matplotlib.dates import num2date
from matplotlib.ticker import FixedFormatter, FixedLocator, Formatter, FuncFormatter

from crm_utils.core.formatting import day

# A name belongs to values at most this far from its position, in units of the axis
NEAR = 0.51


class ValueFormatter(FuncFormatter):
    """Numbers written short at the ticks, and in full as `exact` writes them."""

    def __init__(self, short: Callable[[float], str], exact: Callable[[float], str] | None = None):
        super().__init__(lambda value, _: short(value))
        self.exact = exact or short


class NameFormatter(Formatter):
    """Names at positions, of which not all need a tick: short at the ticks, and in full as `exact` returns them."""

    def __init__(self, positions: Sequence[float], names: Sequence[str], short: Sequence[str] | None = None):
        self.positions = np.asarray(positions, float)
        self.names = [" ".join(str(name).split()) for name in names]
        self.short = list(names if short is None else short)

    def __call__(self, value: float, _: int | None = None) -> str:
        """Return the short name at a position; '' if there is none."""
        return self._at(value, self.short)

    def exact(self, value: float) -> str:
        """Return the name at a position in full, on one line; '' if there is none."""
        return self._at(value, self.names)

    def _at(self, value: float, names: list[str]) -> str:
        distances = np.abs(self.positions - value)
        return names[int(distances.argmin())] if len(distances) and distances.min() <= NEAR else ""


def name_axis(
    axis: Axis, positions: Sequence[float], names: Sequence[str], every: int = 1, short: Sequence[str] | None = None
) -> None:
    """Write names on an axis, at every second or third position if there is no room for all.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        `ax.xaxis` or `ax.yaxis`.
    positions : sequence of float
        Where the names belong.
    names : sequence of str
        One name for each position.
    every : int
        1 writes all names, 2 every second.
    short : sequence of str, optional
        What stands at the ticks instead of the names.
    """
    axis.set_major_locator(FixedLocator(list(positions)[::every]))
    axis.set_major_formatter(NameFormatter(positions, names, short))


def has_names(axis: Axis) -> bool:
    """Return whether an axis shows names, not numbers or days."""
    formatter = axis.get_major_formatter()
    if isinstance(formatter, FuncFormatter):  # as `ax.set_xticks(positions, names)` leaves it
        return isinstance(axis.get_major_locator(), FixedLocator) and not isinstance(formatter, ValueFormatter)
    return isinstance(formatter, (FixedFormatter, NameFormatter, StrCategoryFormatter))


def write_value(axis: Axis, value: float) -> str:
    """Return a value as its axis names it, or the number in full."""
    formatter = axis.get_major_formatter()
    if isinstance(formatter, (ValueFormatter, NameFormatter)):
        return formatter.exact(value)
    if has_names(axis):
        ticks = np.asarray(axis.get_majorticklocs(), float).tolist()
        return NameFormatter(ticks, formatter.format_ticks(ticks)).exact(value)
    if isinstance(formatter, FuncFormatter):
        return formatter(value, 0)
    if "Date" in type(formatter).__name__:
        return day(num2date(value))
    return f"{value:,.4g}"
