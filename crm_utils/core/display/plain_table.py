"""A DataFrame that an analyst's cell shows, in the style of our tables."""

from html import escape
from typing import Any

import pandas as pd

from crm_utils.core.display.column_formats import column_heading, column_kind
from crm_utils.core.display.table_style import column_class, column_writer
from crm_utils.core.formatting import NumberFormat

# Of a longer table the first and the last rows are shown, as pandas does, and of a wider one the first columns
MOST_ROWS = 60
ROWS_AT_ENDS = 5
MOST_COLUMNS = 30
MOST_LETTERS = 200
# Whole numbers in columns whose last word is one of these are names, not counts: 2024, not 2,024
NAMES_OF_NUMBERS = ("id", "year", "month", "week", "code", "number", "zip", "cell")
# pandas' class, by which pages recognize a table that may hold customer ids
CLASSES = "crm dataframe"


def plain_table(frame: pd.DataFrame, fmt: NumberFormat) -> str:
    """Return a DataFrame as an HTML table in the style of our tables.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any table. Its index is shown unless it only numbers the rows.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    str
        The table. Columns that reports know have their heading and format, other numbers up to two decimals. Missing
        values are written as a dash. Of more than 60 rows the first and last five are shown, of more than 30 columns
        the first 30, with a caption that says so.
    """
    shown = frame.iloc[:, :MOST_COLUMNS]
    if len(frame) > MOST_ROWS:
        shown = pd.concat([shown.head(ROWS_AT_ENDS), shown.tail(ROWS_AT_ENDS)])
    if not isinstance(frame.index, pd.RangeIndex):
        index = shown.index.set_names([None] * shown.index.nlevels).to_frame(index=False)
        index.columns = [_name(name) for name in shown.index.names]
        shown = pd.concat([index, shown.reset_index(drop=True)], axis=1)
    columns = [shown.iloc[:, position].rename(_name(name)) for position, name in enumerate(shown.columns)]
    heads = "".join(f"<th>{escape(column_heading(str(column.name)))}</th>" for column in columns)
    if {"count", "mean"} <= set(map(str, frame.index)):  # of `describe`: counts stand among amounts
        columns = [column.rename("") for column in columns]
    cells = [_cells(column, fmt) for column in columns]
    rows = [f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True)]
    notes = [f"The first and last {ROWS_AT_ENDS} of {fmt.plural(len(frame), 'row')}"] * (len(frame) > MOST_ROWS)
    notes += [f"the first {MOST_COLUMNS} of {frame.shape[1]} columns"] * (frame.shape[1] > MOST_COLUMNS)
    note = ", ".join(notes)
    return (
        f'<table class="{CLASSES}">{f"<caption>{note[:1].upper()}{note[1:]}</caption>" if note else ""}'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _name(name: Any) -> str:
    """The name of a column or of a level of the index as text; blank if it has none."""
    parts = name if isinstance(name, tuple) else [name]
    return " / ".join(str(part) for part in parts if part not in (None, ""))


def _cells(column: pd.Series, fmt: NumberFormat) -> list[str]:
    kind = column_class(column)
    write = None if _holds_names(column) else column_writer(column, fmt, 2)
    known = column.dropna()
    dates = pd.api.types.is_datetime64_any_dtype(column) and bool((known.dt.normalize() == known).all())
    return [f'<td class="{kind}">{_text(value, write, dates)}</td>' for value in column]


def _holds_names(column: pd.Series) -> bool:
    """Whether the values of a column are written as they are: text, and numbers that are names."""
    name = str(column.name)
    words = name.lower().replace("_", " ").split()
    whole = pd.api.types.is_integer_dtype(column) and column_kind(name) is None
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return True
    return whole and ((bool(words) and words[-1] in NAMES_OF_NUMBERS) or name.endswith(("ID", "Id")))


def _text(value: Any, write: Any, dates: bool) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "–"
    text = f"{value:%Y-%m-%d}" if dates else write(value) if write else str(value)
    return escape(text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…")
