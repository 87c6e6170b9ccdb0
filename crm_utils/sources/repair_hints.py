"""Suggest how to repair a column, from examples of the texts in it that cannot be read."""

import json
import re

from crm_utils.config.report import YEARS
from crm_utils.sources import casting, date_formats
from crm_utils.sources.raw_table import TextFormat


def hint_for_file(hint: str, file: str) -> str:
    """Add to a hint the line to write if only one of several files needs the setting."""
    setting = re.search(r"set source\.(\w+: ('[^']*'|\"[^\"]*\"|[\w/-]+))", hint)
    if setting is None:
        return hint
    return f"{hint}; if only this file needs it, write {{file: {file}, {setting[1]}}} in source.files"


def date_hint(texts: list[str], partial: bool, column: str, format: TextFormat | None) -> str:
    """Suggest how to repair a date column.

    Parameters
    ----------
    texts : list of str
        Different texts that cannot be read.
    partial : bool
        Whether other rows of the column can be read.
    column : str
        The column's name.
    format : TextFormat or None
        How the source writes values. None for a database.

    Returns
    -------
    str
        The end of an error message.
    """
    queried = column if format is None else None
    timezone = format.timezone if format else None
    written = [text for text in texts if text != "(empty)"]
    if not written:
        return "give every row a date, or remove these rows"
    if all(re.match(r"\d{4}-\d\d-\d\d", text) and not YEARS[0] <= int(text[:4]) <= YEARS[1] for text in written):
        return f"dates must be between {YEARS[0]} and {YEARS[1]}: correct these rows, or remove them"
    offset = all(re.search(casting.WITH_OFFSET, text) for text in written)
    if queried or offset:
        return _zone_hint(queried, offset, timezone)
    if date_formats.are_excel_serials(written):
        return "these are serial numbers of a spreadsheet: " + (
            "format the whole column as dates" if partial else "set source.date_format: excel"
        )
    fits = date_formats.fitting_formats(written)
    if format is None or not format.date_format:
        fits = [pattern for pattern in fits if pattern != "%Y-%m-%d"]  # read without source.date_format
    if not any(date_formats.fitting_formats([text]) for text in written):
        cure = "correct these rows, or remove them"
        if not partial:
            cure = "choose the column that contains the dates, or set source.date_format to their strptime pattern"
        return f"the date format is not recognized: {cure}"
    if partial or not fits:
        found = f" (these match {' or '.join(fits[:2])})" if fits else ""
        return (
            f"the column mixes date formats{found}, or has dates outside {YEARS[0]} to {YEARS[1]}: "
            "write all rows in one format"
        )
    if len(fits) > 1:
        return f"these match both {' and '.join(fits[:2])}: set source.date_format to the right one"
    return f"set source.date_format: '{fits[0]}'"


def _zone_hint(column: str | None, offset: bool, timezone: str | None) -> str:
    """Suggest how to repair dates of a database, or dates with a UTC offset."""
    if column and offset:
        return (
            f"these dates have a time zone: in source.query, select substr({column}, 1, 19) as {column} "
            f"to keep the local time, or datetime({column}) as {column} to convert it to UTC"
        )
    if column:
        return "write them as 2024-12-31 10:00:00, in the table or in source.query"
    if timezone:
        return (
            "the UTC offset cannot be read: write it as in 2024-12-31 10:00:00+01:00, "
            "or set source.date_format to a pattern with %z"
        )
    return "these dates have a time zone: set source.timezone to the zone of your business, for example Europe/London"


def number_hint(texts: list[str]) -> str:
    """Suggest how to repair a number column."""
    if any(text.strip() in casting.SPREADSHEET_ERRORS for text in texts):
        return (
            "a formula of the spreadsheet has an error or was never calculated: open it, repair it, and save it again"
        )
    signs = sorted({sign for text in texts for sign in re.findall(casting.CURRENCY_SIGN, text)})
    if len(signs) > 1:
        return f"the amounts are in several currencies ({', '.join(signs)}): convert them to one"
    if signs:
        return f"set source.currency_sign: '{signs[0]}' (and source.thousands or source.decimal if needed)"
    if all(re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})*,\d+", text.strip()) for text in texts):
        return (
            "set source.decimal: ',' (and source.thousands: '.') if the comma is the decimal mark, "
            "or source.thousands: ','"
        )
    if all(re.fullmatch(r"[+-]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?", text.strip()) for text in texts):
        return "set source.thousands: ','"
    marks = {mark for text in texts for mark in re.findall(casting.GROUP_MARK, text)}
    if len(marks) == 1 and all(re.fullmatch(r"[+-]?\d{1,3}(['\s]\d{3})+([.,]\d*)?", text.strip()) for text in texts):
        return f"set source.thousands: {json.dumps(marks.pop())} (and source.decimal if it is a comma)"
    return "correct these rows, or choose another column"
