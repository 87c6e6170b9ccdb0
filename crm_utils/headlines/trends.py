"""Sentences of the index over all dates."""

import pandas as pd

from crm_utils.formats import count, day, money
from crm_utils.headlines import Sentence, say


def trend(table: pd.DataFrame, currency: str) -> Sentence:
    """How recent buyers and expected revenue changed from the first date to the last."""
    first, last = table.iloc[0], table.iloc[-1]
    return say(
        f"From {day(first.date)} to {day(last.date)}, customers who bought in the last 90 days went from",
        f"{count(first.bought_in_90_days)} to {count(last.bought_in_90_days)}, and revenue expected in the next 12 months",
        f"from {money(first.expected_revenue, currency)} to {money(last.expected_revenue, currency)}.",
    )


def trend_in_words(table: pd.DataFrame, currency: str) -> str:
    """What the two lines show."""
    points = "; ".join(
        f"{day(row.date)}: {count(row.bought_in_90_days)} recent buyers, {money(row.expected_revenue, currency)} expected"
        for row in table.itertuples()
    )
    return f"Two line charts across analysis dates. {points}."
