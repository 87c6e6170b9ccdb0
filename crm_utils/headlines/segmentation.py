"""Sentences of 03_segmentation."""

import pandas as pd

from crm_utils.formats import count, listing, money, percent, plural
from crm_utils.headlines import Sentence, say


def leading(profile: pd.DataFrame) -> Sentence:
    """The segment with the most revenue, and the one with the most customers."""
    rich, large = (profile.loc[profile[column].idxmax()] for column in ("revenue", "customers"))
    text = f"{rich.segment} are {percent(rich.customer_share)} of customers and brought {percent(rich.revenue_share)} of revenue"
    if rich.segment == large.segment:
        return say(text + "; no segment has more customers.")
    return say(
        f"{text}. The largest segment, {large.segment}, is {percent(large.customer_share)} of customers and brought {percent(large.revenue_share)}."
    )


def empty(profile: pd.DataFrame) -> Sentence:
    """Segments without customers on this date."""
    names = profile.segment[profile.customers == 0].tolist()
    return say(f"Nobody is in {listing(names)} on this date." if names else "Every segment has customers.")


def new_customers(customers: pd.DataFrame, profile: pd.DataFrame) -> Sentence:
    """Whether anybody is new; a plan can only be made for groups that exist."""
    new = profile[profile.segment.isin(["Recent Customers", "New Customers"])]
    if new.customers.sum():
        return say(f"{plural(new.customers.sum(), 'customer')} bought recently and not often: {_shares(new)}.")
    won = customers.first_order.max()
    return say(
        f"No customer is new: the last first order was on {won.day} {won:%B %Y}. The plan is for the groups that exist."
    )


def _shares(rows: pd.DataFrame) -> str:
    return f"{percent(rows.customer_share.sum())} of customers, {percent(rows.revenue_share.sum())} of revenue"


def slipping(profile: pd.DataFrame, currency: str) -> Sentence:
    """What the customers who once bought often or big and have gone quiet brought."""
    rows = profile[profile.segment.isin(["At Risk", "Can't Lose Them"]) & (profile.customers > 0)]
    if rows.empty:
        return say("No once-valuable customer has gone quiet.")
    return say(
        f"{count(rows.customers.sum())} once-valuable customers have gone quiet ({listing(rows.segment.tolist())}); they had brought {money(rows.revenue.sum(), currency)}."
    )


def shares_in_words(profile: pd.DataFrame) -> str:
    """What the bars of shares show."""
    shown = profile[profile.customers > 0]
    return (
        "Bar chart of each segment: "
        + "; ".join(
            f"{row.segment} {percent(row.customer_share)} of customers, {percent(row.revenue_share)} of revenue"
            for row in shown.itertuples()
        )
        + "."
    )
