"""How to mend a column, from examples of the texts in it that cannot be read."""

import json
import re

from crm_utils.config.report import YEARS
from crm_utils.sources import casting, date_formats


def date_hint(texts: list[str], some: bool, queried: str | None = None, timezone: str | None = None) -> str:
    """What mends a column of dates.

    `some` where its other rows can be read. queried: its name where it is a database's.
    timezone: what source.timezone says already.
    """
    written = [text for text in texts if text != "(empty)"]
    if not written:
        return "give every row a date, or leave these rows out"
    if all(re.match(r"\d{4}-\d\d-\d\d", text) and not YEARS[0] <= int(text[:4]) <= YEARS[1] for text in written):
        return f"that is no date from {YEARS[0]} to {YEARS[1]}: correct these rows, or leave them out"
    offset = all(re.search(casting.WITH_OFFSET, text) for text in written)
    if queried or offset:
        return _zone_hint(queried, offset, timezone)
    if date_formats.are_excel_serials(written):
        return "they are a spreadsheet's serial numbers: " + (
            "format the whole column as dates" if some else "set source.date_format: excel"
        )
    fits = [
        pattern for pattern in date_formats.fitting_formats(written) if pattern != "%Y-%m-%d"
    ]  # which is read without being named
    if not any(date_formats.fitting_formats([text]) for text in written):
        cure = "correct these rows, or leave them out"
        if not some:
            cure = "name the column that holds dates, or their strptime pattern in source.date_format"
        return f"that is no date of a format we know: {cure}"
    if some or not fits:
        found = f" (these fit {' or '.join(fits[:2])})" if fits else ""
        return (
            f"the column mixes formats{found}, or holds what is no date from 1900 to 2100: write all rows in one format"
        )
    if len(fits) > 1:
        return f"they fit {' and '.join(fits[:2])}: set source.date_format to the one that is meant"
    return f"set source.date_format: '{fits[0]}'"


def _zone_hint(queried: str | None, offset: bool, timezone: str | None) -> str:
    """What mends dates of a database, or dates that carry an offset."""
    if queried and offset:
        return (
            f"they carry a time zone: in source.query, select substr({queried}, 1, 19) "
            f"as {queried} takes the time as it is written, datetime({queried}) as {queried} that of UTC"
        )
    if queried:
        return "write them as 2024-12-31 10:00:00, in the table or in source.query"
    if timezone:
        return (
            "their offset cannot be read: write it as in 2024-12-31 10:00:00+01:00, "
            "or name the pattern in source.date_format, with %z for it"
        )
    return "they carry a time zone: set source.timezone to the zone in which your days begin, for example Europe/London"


def number_hint(texts: list[str]) -> str:
    """What mends a column of numbers."""
    signs = sorted({sign for text in texts for sign in re.findall(r"[$€£¥]|\b[A-Z]{3}\b", text)})
    if len(signs) > 1:
        return f"they are in several currencies ({', '.join(signs)}): convert them to one"
    if signs:
        return f"set source.currency_sign: '{signs[0]}' (and source.thousands, source.decimal where they are used)"
    if all(re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})*,\d+", text.strip()) for text in texts):
        return (
            "set source.decimal: ',' (and source.thousands: '.') if the comma is the decimal mark, "
            "or source.thousands: ','"
        )
    if all(re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", text.strip()) for text in texts):
        return "set source.thousands: ','"
    marks = {mark for text in texts for mark in re.findall(casting.GROUP_MARK, text)}
    if len(marks) == 1 and all(re.fullmatch(r"[+-]?\d{1,3}(['\s]\d{3})+([.,]\d*)?", text.strip()) for text in texts):
        return f"set source.thousands: {json.dumps(marks.pop())} (and source.decimal where it is a comma)"
    return "correct these rows, or name another column"
