"""Format and caption the tables of a page.

A column looks the same in every table: its name decides its heading and its format.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any, Protocol

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.core.display.column_formats import (
    CENTS,
    COLUMN_FORMATS,
    COUNT,
    LONG_TEXT_COLUMNS,
    MONEY,
    NUMBER_TEXT,
    POINTS,
    SHARE,
    SUM,
    column_heading,
    column_kind,
)
from crm_utils.core.formatting import NumberFormat, percent

__all__ = ["Collapsible", "Shown", "collapsible", "column_heading", "style_table"]

# The label of the row that adds up the others.
TOTAL = "total"
# By this attribute pages know our tables.
OUR_TABLE = 'class="crm"'
# If an amount of kind SUM is at least this large, no amount of that kind in the table shows cents.
NO_CENTS_FROM = 100


class Shown(Protocol):
    """Anything that Jupyter and the pages can show: a paragraph, a figure, a table."""

    def _repr_html_(self) -> str: ...


def style_table(
    frame: pd.DataFrame,
    caption: str,
    fmt: NumberFormat,
    headings: dict[str, str] | None = None,
    total: Sequence[str] = (),
) -> Styler:
    """Return a table ready for a page: with caption, headings and formatted numbers. Text is escaped.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows and columns to show.
    caption : str
        What the table shows. It is also the table's name for screen readers.
    fmt : NumberFormat
        How the report writes numbers and money (`run.number_format`).
    headings : dict of str to str, optional
        Headings that replace those of `COLUMN_FORMATS`, by column.
    total : sequence of str, optional
        The columns to add up in a last row. A table with one row gets no total.

    Returns
    -------
    pandas.io.formats.style.Styler
        Missing values are written as a dash. Equal input gives equal HTML.
    """
    frame = _with_total(frame, total) if total and len(frame) > 1 else frame.reset_index(drop=True)
    names = {column: (headings or {}).get(column) or column_heading(column) for column in frame.columns}
    style = frame.rename(columns=names).style.hide(axis="index").set_caption(caption)
    style = style.set_uuid(_html_id(caption)).set_table_attributes(OUR_TABLE)
    style = style.set_td_classes(_cell_classes(frame).rename(columns=names))
    decimals = 0 if _largest_sum(frame) >= NO_CENTS_FROM else 2
    for column, name in names.items():
        write = column_writer(frame[column], fmt, decimals)
        style = style.format(write, subset=[name], na_rep="–", escape="html")
    if TOTAL in frame.index:
        not_added = [names[column] for column in frame.columns[1:] if column not in total]
        style = style.format(lambda _: "", subset=([TOTAL], not_added), na_rep="")
        style = style.format(lambda _: TOTAL.capitalize(), subset=([TOTAL], [names[frame.columns[0]]]))
    return style


class Collapsible:
    """A summary line on a page. A click on it shows tables, figures or sentences."""

    def __init__(self, summary: str, contents: Iterable[Shown]):
        self.summary = summary
        self.contents = list(contents)

    def _repr_html_(self) -> str:
        inside = "".join(content._repr_html_() for content in self.contents)
        return f'<details class="folded"><summary>{escape(self.summary)}</summary>{inside}</details>'


class ForAnalysts:
    """Tables and figures that Jupyter shows, and a page only together with the code."""

    def __init__(self, contents: Iterable[Shown]):
        self.contents = list(contents)

    def _repr_html_(self) -> str:
        inside = "".join(content._repr_html_() for content in self.contents)
        return f'<div class="celltag_analyst">{inside}</div>'


def for_analysts(*contents: Any) -> ForAnalysts | None:
    """Show contents on a page only if the reader asks for the code.

    Parameters
    ----------
    *contents : anything with `_repr_html_`, or None
        The contents. None is left out.

    Returns
    -------
    ForAnalysts or None
        None if there is nothing to show.
    """
    shown = [content for content in contents if content is not None]
    return ForAnalysts(shown) if shown else None


def collapsible(summary: str, *contents: Any) -> Collapsible | None:
    """Hide contents under a summary line until the reader clicks on it.

    Parameters
    ----------
    summary : str
        The line that stays visible.
    *contents : anything with `_repr_html_`, or None
        The contents that a click shows. None is left out.

    Returns
    -------
    Collapsible or None
        None if there is nothing to show.
    """
    shown = [content for content in contents if content is not None]
    return Collapsible(summary, shown) if shown else None


def _with_total(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Add a last row that adds up `columns`. Its index, TOTAL, distinguishes it from the others."""
    sums = {column: frame[column].sum() for column in columns} | {frame.columns[0]: TOTAL.capitalize()}
    numbered = frame.reset_index(drop=True).astype({frame.columns[0]: object})
    return pd.concat([numbered, pd.DataFrame([sums], index=[TOTAL])])[list(frame.columns)]


def _html_id(caption: str) -> str:
    """Return an id made from the caption, so that equal tables give equal HTML."""
    return "t" + "".join(letter for letter in caption.lower() if letter.isascii() and letter.isalnum())[:24]


def _cell_classes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the CSS classes of each cell."""
    classes = pd.DataFrame({column: column_class(frame[column]) for column in frame.columns}, index=frame.index)
    classes[frame.index == TOTAL] += " total"
    return classes


def column_class(column: pd.Series) -> str:
    """Return the CSS classes of the cells of a column."""
    if column.name in LONG_TEXT_COLUMNS:
        return "text long"
    return "number" if column.name in COLUMN_FORMATS or pd.api.types.is_numeric_dtype(column) else "text"


def _largest_sum(frame: pd.DataFrame) -> float:
    """Return the largest absolute amount of kind SUM in the table."""
    sums = [column for column in frame.columns if column_kind(column) == SUM]
    return frame[sums].abs().max().max() if sums else 0


def column_writer(column: pd.Series, fmt: NumberFormat, sum_decimals: int) -> Callable[[Any], str] | None:
    """Return the function that writes a value of this column; None leaves values unchanged."""
    kind = column_kind(str(column.name))
    writers: dict[str, Callable[[Any], str] | None] = {
        COUNT: fmt.count,
        SHARE: percent,
        POINTS: lambda share: fmt.number(share * 100, 1),
        MONEY: lambda amount: fmt.money(amount, 0),
        CENTS: lambda amount: fmt.money(amount, 2),
        SUM: lambda amount: fmt.money(amount, sum_decimals),
        NUMBER_TEXT: None,
    }
    if kind in writers:
        return writers[kind]
    if kind:
        return lambda value: fmt.formatted(value, kind)
    if pd.api.types.is_integer_dtype(column):
        return fmt.count
    if pd.api.types.is_float_dtype(column):
        decimals = _decimals_needed(column)
        return lambda value: fmt.number(value, decimals)
    return None


def _decimals_needed(column: pd.Series) -> int:
    """Return how many decimals (two at most) the numbers of a column need. All of them get the same number."""
    numbers = column.dropna()
    return next((decimals for decimals in (0, 1) if (numbers.round(decimals) == numbers).all()), 2)
