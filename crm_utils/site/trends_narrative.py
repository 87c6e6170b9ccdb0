"""Sentences of the index over all dates."""

import pandas as pd

from crm_utils.core.display.paragraphs import Paragraph, paragraph
from crm_utils.core.formatting import count, day, money, plural


def trend(table: pd.DataFrame, currency: str) -> Paragraph:
    """How recent buyers and expected revenue changed from the first date to the last."""
    first, last = table.iloc[0], table.iloc[-1]
    return paragraph(
        f"From {day(first.date)} to {day(last.date)}, customers who bought in the last 90 days went from",
        f"{count(first.bought_in_90_days)} to {count(last.bought_in_90_days)}, and revenue expected in the next 12 months",
        f"from {money(first.expected_revenue_12m, currency)} to {money(last.expected_revenue_12m, currency)}.",
    )


def trend_in_words(table: pd.DataFrame, currency: str) -> str:
    """What the three lines show."""
    points = "; ".join(
        f"{day(row.date)}: {count(row.bought_in_90_days)} recent buyers, {money(row.revenue, currency)} so far, {money(row.expected_revenue_12m, currency)} expected"
        for row in table.itertuples()
    )
    return f"Three line charts across analysis dates. {points}."


def segment_sizes(sizes: pd.DataFrame) -> Paragraph:
    """Which segment grew most and which shrank most from the first date to the last."""
    first, last, change = _ends(sizes)
    if not change.any():
        return paragraph(f"No segment has more or fewer customers than on {day(sizes.date.min())}.")
    parts = []
    if change.max() > 0:
        parts.append(
            f"{change.idxmax()} grew most, from {count(first[change.idxmax()])} to {plural(last[change.idxmax()], 'customer')}"
        )
    if change.min() < 0:
        parts.append(
            f"{change.idxmin()} shrank most, from {count(first[change.idxmin()])} to {plural(last[change.idxmin()], 'customer')}"
        )
    return paragraph("; ".join(parts) + ".")


def segment_sizes_in_words(sizes: pd.DataFrame) -> str:
    """What the small panels show."""
    first, last, _ = _ends(sizes)
    ends = "; ".join(f"{name} {count(first[name])} to {count(last[name])}" for name in first.index)
    return f"Small charts of the customers of each segment, from {day(sizes.date.min())} to {day(sizes.date.max())}: {ends}."


def _ends(sizes: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Customers of each segment on the first and on the last date, and the change."""
    names = list(dict.fromkeys(sizes.segment))
    first, last = (
        sizes[sizes.date == when].set_index("segment").customers.reindex(names, fill_value=0)
        for when in (sizes.date.min(), sizes.date.max())
    )
    return first, last, last - first
