"""Tables as they stand on a page: formatted, captioned, with nothing computed. One module a notebook.

A column is written the same way in every table: its name decides heading and format.
"""

from collections.abc import Callable
from html import escape

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.core import formatting
from crm_utils.core.display.column_formats import (
    CENTS,
    COLUMN_FORMATS,
    COUNT,
    LONG_TEXT_COLUMNS,
    MONEY,
    POINTS,
    SHARE,
    SUM,
)

TOTAL = "total"  # the label of the row that adds up
WHOLE_FROM = 100  # money: where a sum of a table is as large, none of its sums shows cents


def style_table(
    frame: pd.DataFrame,
    caption: str,
    currency: str = "",
    headings: dict[str, str] | None = None,
    total: tuple[str, ...] = (),
) -> Styler:
    """The frame with its caption, each column written by its name; `headings` overrides. Text is escaped, ids are fixed.

    `total` names the columns that a last row adds up.
    """
    frame = _with_total(frame, total) if total and len(frame) > 1 else frame.reset_index(drop=True)
    names = {column: (headings or {}).get(column) or column_heading(column) for column in frame.columns}
    classes = pd.DataFrame({names[column]: _class(frame[column]) for column in frame.columns}, index=frame.index)
    classes[frame.index == TOTAL] += " total"
    identity = "t" + "".join(letter for letter in caption.lower() if letter.isascii() and letter.isalnum())[:24]
    style = frame.rename(columns=names).style.hide(axis="index").set_caption(caption).set_uuid(identity)
    style = style.set_table_attributes('class="crm"').set_td_classes(classes)
    cents = 0 if _largest_sum(frame) >= WHOLE_FROM else 2
    for column in frame.columns:
        style = style.format(_writer(frame[column], currency, cents), subset=[names[column]], na_rep="–", escape="html")
    if TOTAL in frame.index:
        others = [names[column] for column in frame.columns[1:] if column not in total]
        style = style.format(lambda _: "", subset=([TOTAL], others), na_rep="")
    return style


def _with_total(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """The frame with a last row that adds up `columns`; the index tells it from the others."""
    sums = {column: frame[column].sum() for column in columns} | {frame.columns[0]: "Total"}
    numbered = frame.reset_index(drop=True).astype({frame.columns[0]: object})
    return pd.concat([numbered, pd.DataFrame([sums], index=[TOTAL])])[list(frame.columns)]


class Collapsible:
    """Something on a page that opens on a click: a summary line, and behind it tables, figures or sentences."""

    def __init__(self, summary: str, contents: list):
        self.summary, self.contents = summary, contents

    def _repr_html_(self) -> str:
        inside = "".join(content._repr_html_() for content in self.contents)
        return f'<details class="folded"><summary>{escape(self.summary)}</summary>{inside}</details>'


def collapsible(summary: str, *contents: object) -> Collapsible | None:
    """The contents folded away under a summary line; those that are None are left out, and nothing is shown for none."""
    shown = [content for content in contents if content is not None]
    return Collapsible(summary, shown) if shown else None


def column_heading(column: str) -> str:
    """A column's name as it is written over tables and sheets."""
    return COLUMN_FORMATS.get(column, (None, None))[1] or column.replace("_", " ").capitalize()


def _class(column: pd.Series) -> str:
    if column.name in LONG_TEXT_COLUMNS:
        return "text long"
    return "number" if column.name in COLUMN_FORMATS or pd.api.types.is_numeric_dtype(column) else "text"


def _largest_sum(frame: pd.DataFrame) -> float:
    sums = [column for column in frame.columns if COLUMN_FORMATS.get(column, (None, None))[0] == SUM]
    return frame[sums].abs().max().max() if sums else 0


def _writer(column: pd.Series, currency: str, cents: int) -> Callable[[object], str] | None:
    kind = COLUMN_FORMATS.get(column.name, (None, None))[0]
    writers = {
        COUNT: formatting.count,
        SHARE: formatting.percent,
        MONEY: lambda amount: formatting.money(amount, currency, 0),
        SUM: lambda amount: formatting.money(amount, currency, cents),
        CENTS: lambda amount: formatting.money(amount, currency, 2),
        POINTS: lambda share: formatting.number(share * 100, 1),
    }
    if kind in writers:
        return writers[kind]
    if kind:
        return lambda value: kind.format(value).replace("-", "−")
    if pd.api.types.is_integer_dtype(column):
        return formatting.count
    return (lambda value: formatting.number(value, _decimals(column))) if pd.api.types.is_float_dtype(column) else None


def _decimals(column: pd.Series) -> int:
    """How many decimals the numbers of a column need, two at most: all of them are written with as many."""
    return next((places for places in (0, 1) if (column.dropna().round(places) == column.dropna()).all()), 2)
