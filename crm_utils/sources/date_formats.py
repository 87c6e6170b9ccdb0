"""Find the date formats that fit a set of texts."""

from datetime import datetime
from itertools import product

DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%Y.%m.%d",
    "%Y年%m月%d日",
)
NAMED_DAYS = ("%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%y")
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
FORMATS = tuple(day + time for day, time in product(DAYS + NAMED_DAYS, TIMES))
SERIALS = (20_000, 80_000)  # Excel's serial numbers of dates in 1954 and 2119


def fitting_formats(texts: list[str]) -> list[str]:
    """Return the strptime patterns that match all texts; several if day and month cannot be told apart."""
    formats = list(FORMATS)
    for text in texts:
        formats = [format for format in formats if reads_all(format, text)]
    return formats


def reads_all(format: str, text: str) -> bool:
    """Whether a text matches a strptime pattern."""
    try:
        datetime.strptime(text.strip(), format)
    except ValueError:
        return False
    return True


def day_of_month(text: str) -> int | None:
    """The day of a date in one of the usual formats; None if it is in none of them."""
    fits = fitting_formats([text])
    return datetime.strptime(text.strip(), fits[0]).day if fits else None


def are_excel_serials(texts: list[str]) -> bool:
    """Whether all texts are serial numbers of dates from 1954 to 2119."""
    try:
        return bool(texts) and all(SERIALS[0] <= float(text) <= SERIALS[1] for text in texts)
    except ValueError:
        return False
