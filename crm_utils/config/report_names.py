"""Names of reports: they are names of files and folders on every system, and parts of addresses."""

import re
import unicodedata

from crm_utils.core.errors import ParamsError

LONGEST = 100
RULE_FILES = ("campaigns", "evidence")  # files in params/ that are no reports
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}  # on Windows


def check_report_name(name: str, label: str, cure: str) -> None:
    """Raise `ParamsError` if a name cannot be that of a report, with the nearest name that can.

    Parameters
    ----------
    name : str
        The name.
    label : str
        What has this name, for the message.
    cure : str
        What to do with it, for the message.
    """
    nearest = nearest_report_name(name)
    if name == nearest:
        return
    raise ParamsError(
        f"{label}: {name!r} cannot be the name of a report. A name has up to {LONGEST} letters (a-z), digits, '.', '_' "
        f"and '-', and starts with a letter or digit: {cure}, for example {nearest}"
    )


def nearest_report_name(name: str) -> str:
    """Return the name itself if it can be that of a report, else the most similar one that can."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    short = re.sub(r"[^A-Za-z0-9._-]+", "_", plain)[:LONGEST]
    nearest = re.sub(r"^[^A-Za-z0-9]+|(\.html?|\.)+$", "", short, flags=re.I) or "report"  # index.html is a page
    reserved = nearest.split(".")[0].lower() in DEVICES or nearest in RULE_FILES
    return f"report_{nearest}" if reserved else nearest
