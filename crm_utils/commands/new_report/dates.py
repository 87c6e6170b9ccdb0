"""Analysis dates to propose: ends of months that the data cover."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from crm_utils import sources
from crm_utils.config import Source
from crm_utils.core.errors import SourceError
from crm_utils.sources import casting, validation

HISTORY_DAYS, DATES, MONTHS_APART = 180, 4, 3
# The last month is covered if the days from the last order to its end are at most so many usual gaps between days with
# an order, and at most so many days.
USUAL_GAPS, MAX_GAP_DAYS = 3, 7


def propose_dates(first: date, last: date, order_days: int, today: date | None = None) -> list[date]:
    """Propose the analysis dates of a report.

    Parameters
    ----------
    first, last : datetime.date
        The days of the first and the last order.
    order_days : int
        Days with an order.
    today : datetime.date, optional
        No date after it is proposed, unless the last order is dated after it.

    Returns
    -------
    list of datetime.date
        Up to four, oldest first, a quarter apart, each after half a year of data. The last one is the end of the last
        month if the data cover it, else the day of the last order, so that no order is left out. The others are ends
        of months.
    """
    newest = month_end(last)
    gap = min(MAX_GAP_DAYS, USUAL_GAPS * (last - first).days / max(order_days - 1, 1))
    is_covered = (newest - last).days <= gap and newest <= max(today or date.today(), last)
    final = newest if is_covered else last
    complete = newest if is_covered else month_end(newest.replace(day=1) - timedelta(days=1))
    since = 0 if is_covered else 1  # months from the last complete one to that of the last order
    earlier = [_months_before(complete, MONTHS_APART * step - since) for step in range(1, DATES)]
    return [*(day for day in reversed(earlier) if (day - first).days >= HISTORY_DAYS), final]


def count_days(source: Source, column: str, root: Path) -> tuple[date, date, int] | None:
    """Read the dates alone, for a file whose other columns cannot be read yet.

    Parameters
    ----------
    source : Source
        With the formats that were guessed.
    column : str
        The column of dates.
    root : Path
        The project's folder.

    Returns
    -------
    tuple of date, date, int, or None
        The first and the last day up to today, and the number of days; None if no date can be read.
    """
    found: set[date] = set()
    try:
        for part in sources.read_raw_tables(source, root):
            day = casting.cast(part.table[column], "ordered_at", part.format).date()
            days = validation.execute(day.name("day").as_table().distinct(), part).day.dropna()
            found |= set(pd.to_datetime(days).dt.date)
    except SourceError:
        return None
    known = sorted(day for day in found if day <= date.today())
    return (known[0], known[-1], len(known)) if known else None


def month_end(day: date) -> date:
    """The last day of a month."""
    return (pd.Timestamp(day) + pd.offsets.MonthEnd(0)).date()


def _months_before(end: date, months: int) -> date:
    return month_end((pd.Timestamp(end.replace(day=1)) - pd.DateOffset(months=months)).date())
