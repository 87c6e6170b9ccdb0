"""Sentences on whether the data can carry a report."""

import pandas as pd

from crm_utils.cleaning.minimum_data import MIN_DATA
from crm_utils.core.display.paragraphs import Paragraph, paragraph
from crm_utils.core.formatting import count, day, join_names, percent, plural

CHECKED = {
    "history": "Start of the history",
    "last month": "Last month",
    "end": "End of the data",
    "gap": "Gaps",
    "volume": "Jumps in volume",
    "model": "Enough for a forecast",
    "spacing": "Rhythm of purchases",
}


def findings(found: pd.DataFrame, facts: dict[str, float]) -> pd.DataFrame:
    """The checks of the data in words, warnings first: checked, result (fine, look here), finding."""
    sentences = [_finding(row, facts) for row in found.itertuples()]
    words = pd.DataFrame({"checked": found.check.map(CHECKED), "ok": found.ok.astype(bool), "finding": sentences})
    words = words.sort_values("ok", kind="stable", ignore_index=True)
    return words.assign(ok=words.ok.map({True: "fine", False: "look here"})).rename(columns={"ok": "result"})


def summary(found: pd.DataFrame) -> Paragraph:
    """How many checks of the data want attention, and which."""
    warned = found[~found.ok.astype(bool)]
    if warned.empty:
        return paragraph(f"Yes, as far as {plural(len(found), 'check')} can tell: nothing is amiss.")
    names = join_names([CHECKED[check].lower() for check in warned.check])
    return paragraph(
        f"{len(warned)} of {plural(len(found), 'check')} {'wants' if len(warned) == 1 else 'want'} a look: {names}."
    )


def _finding(row: tuple, facts: dict[str, float]) -> str:
    return {
        "history": _history,
        "last month": _last_month,
        "end": _end,
        "gap": _gap,
        "volume": _volume,
        "model": _enough,
        "spacing": _spacing,
    }[row.check](row, facts)


def _history(row: tuple, _: dict) -> str:
    if row.ok:
        return "It does not look cut off."
    return (
        f"{plural(row.value, 'customer')} placed a first order in the first 30 days, {count(row.other)} in a usual 30 days after: "
        "the history seems to start in the middle, and many of these customers are older than they look. "
        "Add earlier data, or set in the report’s file that the history is complete."
    )


def _last_month(row: tuple, _: dict) -> str:
    return "It is complete." if row.ok else f"Only {count(row.value)} of its {count(row.other)} days are in."


def _end(row: tuple, _: dict) -> str:
    if row.value == 0:
        return "The last order is of the analysis date."
    late = f"The last order is of {day(row.day)}, {plural(row.value, 'day')} before the analysis date"
    return f"{late}." if row.ok else f"{late}: are the data complete?"


def _gap(row: tuple, _: dict) -> str:
    if row.ok:
        return "No unusual stretch without an order."
    return f"No order for {plural(row.value, 'day')} after {day(row.day)}: closed, or a missing file?"


def _volume(row: tuple, _: dict) -> str:
    if row.ok:
        return "No sudden change from month to month."
    times = f"{row.value:.1f} times" if row.value > 1 else f"{percent(row.value)} of"
    return f"In {row.day:%B %Y} there were {times} the daily orders of the month before."


def _enough(row: tuple, facts: dict[str, float]) -> str:
    has = f"{plural(facts['customers'], 'customer')}, {plural(facts['repeat_buyers'], 'repeat buyer')}, {plural(facts['days'], 'day')} of history"
    return has + ("." if row.ok else ": too few for a forecast of purchases.")


def _spacing(row: tuple, _: dict) -> str:
    if row.ok and row.other < MIN_DATA["repeat_buyers"]:
        return "Too few buy often enough to tell whether purchases come at equal intervals, which the models do not allow for."
    if row.ok:
        return "Purchases come irregularly, as the models assume."
    return f"{percent(row.value)} of {plural(row.other, 'frequent buyer')} buy at nearly equal intervals, as in a subscription: the models of purchases do not apply."
