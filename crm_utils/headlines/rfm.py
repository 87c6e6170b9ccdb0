"""Sentences of 02_rfm."""

import pandas as pd

from crm_utils.formats import count, listing, money, percent, plural
from crm_utils.headlines import Sentence, say


def concentration(customers: pd.DataFrame) -> Sentence:
    """How much of revenue the best customers brought, and how many bought once."""
    tenth = max(len(customers) // 10, 1)
    best = customers.revenue.nlargest(tenth).sum() / customers.revenue.sum()
    once = int((customers.orders == 1).sum())
    bought_once = (
        f"{percent(once / len(customers))} of {plural(len(customers), 'customer')} bought once"
        if once
        else "Every customer bought more than once"
    )
    return say(f"The best tenth of customers brought {percent(best)} of revenue. {bought_once}.")


def typical(customers: pd.DataFrame, currency: str) -> Sentence:
    """The median customer."""
    middle = customers[["recency_days", "orders", "revenue"]].median()
    return say(
        f"The customer in the middle last ordered {plural(middle.recency_days, 'day')} ago, placed {plural(middle.orders, 'order')} and spent {money(middle.revenue, currency)}."
    )


def top_scores(cuts: pd.DataFrame, currency: str) -> Sentence:
    """What it takes to reach the best class of each measure."""
    best = cuts[cuts.customers > 0].groupby("measure").last()
    recency, frequency, monetary = (best.loc[measure] for measure in ("recency", "frequency", "monetary"))
    return say(
        f"A recency score of {recency.score:.0f} takes an order in the last {plural(recency.highest, 'day')},",
        f"a frequency score of {frequency.score:.0f} takes {plural(frequency.lowest, 'order')} or more,",
        f"a monetary score of {monetary.score:.0f} takes {money(monetary.lowest, currency)} or more.",
    )


def empty_classes(cuts: pd.DataFrame) -> Sentence:
    """Which score classes stay empty because too many customers share one value."""
    empty = cuts[cuts.customers == 0]
    if empty.empty:
        return say("Every score class has customers.")
    crowded = cuts.loc[cuts[cuts.measure.isin(empty.measure)].groupby("measure").customers.idxmax()].set_index(
        "measure"
    )
    parts = []
    for measure, classes in empty.groupby("measure"):
        most = crowded.loc[measure]
        parts.append(
            f"{measure.capitalize()} has no score {listing(classes.score.astype(str).tolist())}: {plural(most.customers, 'customer')} share score {int(most.score)}, and equal values get equal scores."
        )
    return say(*parts)


def best_corner(cells: pd.DataFrame) -> Sentence:
    """Customers and revenue in the cell of the best recency and frequency."""
    top = cells[cells.customers > 0].sort_values(["recency_score", "frequency_score"]).iloc[-1]
    customers, revenue = top.customers / cells.customers.sum(), top.revenue / cells.revenue.sum()
    return say(
        f"The {plural(top.customers, 'customer')} with the best recency and frequency, {percent(customers)} of all, brought {percent(revenue)} of revenue."
    )


def lowest_cell(customers: pd.DataFrame) -> Sentence:
    """How many customers score 1 in everything."""
    lowest = (customers[["recency_score", "frequency_score", "monetary_score"]] == 1).all(axis=1).sum()
    return say(
        f"{count(lowest) if lowest else 'No'} customers score 1 in all three: long gone, one small order."
        if lowest != 1
        else "One customer scores 1 in all three."
    )


def limits_in_words(cuts: pd.DataFrame, currency: str) -> str:
    """What the histograms with their limits show."""
    used = cuts[cuts.customers > 0].groupby("measure")
    spans = used.agg(lowest=("lowest", "min"), highest=("highest", "max"), classes=("score", "size"))
    recency, frequency, monetary = (spans.loc[measure] for measure in ("recency", "frequency", "monetary"))
    return (
        f"Three histograms of customers: {count(recency.lowest)} to {count(recency.highest)} days since the last order, {count(frequency.lowest)} to {count(frequency.highest)} orders, "
        f"{money(monetary.lowest, currency)} to {money(monetary.highest, currency)} of revenue, cut into {recency.classes}, {frequency.classes} and {monetary.classes} score classes."
    )


def grid_in_words(cells: pd.DataFrame) -> str:
    """What the two heat maps show."""
    most, rich = cells.loc[cells.customers.idxmax()], cells.loc[cells.revenue.idxmax()]
    return (
        f"Two heat maps of recency score by frequency score. Most customers, {count(most.customers)}, are at recency {most.recency_score:.0f}, frequency {most.frequency_score:.0f}; "
        f"most revenue is at recency {rich.recency_score:.0f}, frequency {rich.frequency_score:.0f}."
    )
