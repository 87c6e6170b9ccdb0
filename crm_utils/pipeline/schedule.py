"""Find the analysis dates of a report: those in its parameters file, or the last days of complete periods."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from crm_utils.config import Report
from crm_utils.config.paths import source_paths
from crm_utils.config.report import DateRule, Every
from crm_utils.core.errors import ParamsError, SourceError, TableError
from crm_utils.core.files import atomic_write, content_hash

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ReportDates:
    """The analysis dates of a report.

    Parameters
    ----------
    days : list of date
        The dates to build, oldest first.
    known : list of date
        The same dates and earlier ones that a rule gives, oldest first.
    waiting : str
        A message if the data do not reach the newest date of a rule yet; else empty.
    earlier : int
        How many dates before a date are its earlier dates.
    """

    days: list[date]
    known: list[date]
    waiting: str = ""
    earlier: int | None = None

    def before(self, day: date) -> list[date]:
        """Return the earlier dates of a date, oldest first. By a rule, they stay the same when time moves on."""
        return [other for other in self.known if other < day][-(self.earlier or len(self.known)) :]


def find_dates(report: Report, name: str, root: Path, today: date) -> ReportDates:
    """Find the analysis dates of a report.

    Parameters
    ----------
    report : Report
        The parameters file.
    name : str
        The name of the report, for messages.
    root : Path
        The project's folder.
    today : datetime.date
        The day of the run. A period that ends on it or later is not complete.

    Returns
    -------
    ReportDates
        If the source cannot be read, the dates that the rule gives without data. Building them reports the error.

    Raises
    ------
    ParamsError
        If no period is complete.
    """
    rule = report.analysis_dates
    if not isinstance(rule, DateRule):
        return ReportDates(rule, rule)
    first, last = _order_days(report, root, today)
    until = today - ONE_DAY
    if rule.up_to == "data":
        until = min(until, last)
    end = due = end_before(rule.every, until + ONE_DAY)
    while last <= end_before(rule.every, end) and end >= first:  # no order in the period
        end = end_before(rule.every, end)
    earlier = max(rule.last - 1, 1)
    known: list[date] = []
    while end >= first and len(known) < rule.last + earlier:
        known.insert(0, end)
        end = end_before(rule.every, end)
    if not known:
        raise ParamsError(
            f"params/{name}.yaml: analysis_dates: the data go from {first} to {last}, and no {rule.every} has ended "
            f"between these days and before {today}; list the dates, or wait for more data"
        )
    waiting = f"{name}: no data for {due} yet; the last order is of {last}" if known[-1] != due else ""
    return ReportDates(known[-rule.last :], known, waiting, earlier)


def end_before(every: Every, day: date) -> date:
    """Return the last day of the newest period that ended before a day. A week ends on Sunday.

    Parameters
    ----------
    every : Every
        The length of a period.
    day : datetime.date
        Any day.

    Returns
    -------
    datetime.date
    """
    if every == Every.WEEK:
        return day - timedelta(days=day.weekday() + 1)
    months = {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}[every]
    first_month = (day.month - 1) // months * months + 1
    return date(day.year, first_month, 1) - ONE_DAY


def _order_days(report: Report, root: Path, today: date) -> tuple[date, date]:
    """Return the days of the first and the last order. Without readable data, no day is excluded.

    For files they are kept in `.cache/order_days`, because reading them takes longer than a run with nothing to do.
    """
    try:
        if report.source.database:
            return _read_order_days(report, root, today)
        hashes = [content_hash(path, root) for path in source_paths(report.source, root)]
        described = [report.source.model_dump_json(), report.columns.model_dump_json(), *hashes]
        key = hashlib.sha256("\0".join(described).encode()).hexdigest()
        kept = root / ".cache" / "order_days" / f"{key}.json"
        known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else []
        if known[:1] != [str(today)]:
            known = [str(day) for day in (today, *_read_order_days(report, root, today))]
            with atomic_write(kept) as unfinished:
                unfinished.write_text(json.dumps(known), encoding="utf-8")
        return date.fromisoformat(known[1]), date.fromisoformat(known[2])
    except (SourceError, TableError):
        return date.min, date.max


def _read_order_days(report: Report, root: Path, today: date) -> tuple[date, date]:
    # imported here because they import an engine, which a run with nothing to do does not need
    import pandas as pd

    from crm_utils import sources

    lines = sources.read_line_items(report.source, report.columns, root, today)
    days = lines.mutate(day=lines.ordered_at.date())
    days = days.filter(days.day <= today)
    first, last = days.aggregate(first=days.day.min(), last=days.day.max()).execute().loc[0]
    if pd.isna(first):
        return date.min, date.max
    return pd.Timestamp(first).date(), pd.Timestamp(last).date()
