"""The time zone in which dates with a UTC offset were written."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

OFFSET = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d)?(?:\.\d+)? ?(?:(Z|UTC)|([+-]\d\d):?(\d\d)?)$")
USUAL = (  # tried first, because more shops are there
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Helsinki", "Europe/Istanbul", "Africa/Lagos",
    "Africa/Johannesburg", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Phoenix", "America/Mexico_City", "America/Bogota", "America/Sao_Paulo", "Asia/Dubai", "Asia/Kolkata",
    "Asia/Bangkok", "Asia/Shanghai", "Asia/Tokyo", "Australia/Brisbane", "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip


def fitting_zone(texts: list[str]) -> str | None:
    """Find a time zone that has the offset of each date.

    Any such zone gives the same local times: those that the texts show.

    Parameters
    ----------
    texts : list of str
        Dates such as 2024-06-01 01:12:59 +0200.

    Returns
    -------
    str or None
        The name of the zone. None if not all texts have an offset, or if no zone has all of these offsets.
    """
    moments = [_moment(text) for text in texts]
    known = [moment for moment in moments if moment is not None]
    if not known or len(known) < len(moments):
        return None
    for name in [*USUAL, *sorted(available_timezones())]:
        zone = ZoneInfo(name)
        if all(moment.astimezone(zone).utcoffset() == moment.utcoffset() for moment in known):
            return name
    return None


def _moment(text: str) -> datetime | None:
    match = OFFSET.match(text.strip())
    if match is None:
        return None
    day, time, utc, hours, minutes = match.groups()
    offset = "+00:00" if utc else f"{hours}:{minutes or '00'}"
    return datetime.fromisoformat(f"{day}T{time}{offset}")
