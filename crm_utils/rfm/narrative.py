"""Sentences of 02_rfm."""

from datetime import date

import pandas as pd

from crm_utils.config import ScoringConfig
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import count, day, join_names, money, percent, plural

WINDOWS = {
    "12 months to the analysis date": "Frequency and monetary scores count the orders of the last 12 months only; revenue here is that of all orders.",
    "12 months to each customer's last purchase": "Frequency and monetary scores count the 12 months before each customer's own last order: customers gone for years score as active ones do, and only recency tells them apart.",
}


def concentration(customers: pd.DataFrame) -> Paragraph:
    """How much of revenue the best customers brought, and how many bought once."""
    tenth = max(len(customers) // 10, 1)
    best = customers.revenue.nlargest(tenth).sum() / customers.revenue.sum()
    once = int((customers.orders == 1).sum())
    bought_once = (
        f"{percent(once / len(customers))} of {plural(len(customers), 'customer')} bought once"
        if once
        else "Every customer bought more than once"
    )
    return paragraph(f"The best tenth of customers brought {percent(best)} of revenue. {bought_once}.")


def typical(customers: pd.DataFrame, currency: str, window: str = "all") -> Paragraph:
    """The median customer, and what a window of orders means for the scores."""
    middle = customers[["recency_days", "orders", "revenue"]].median()
    return paragraph(
        f"Half of the customers last ordered within {plural(middle.recency_days, 'day')}; half placed {plural(middle.orders, 'order')} or fewer; half spent {money(middle.revenue, currency)} or less.",
        WINDOWS.get(window, ""),
    )


def top_scores(cuts: pd.DataFrame, currency: str) -> Paragraph:
    """What it takes to reach the best class of each measure."""
    best = cuts[cuts.customers > 0].groupby("measure").last()
    recency, frequency, monetary = (best.loc[measure] for measure in ("recency", "frequency", "monetary"))
    return paragraph(
        f"A recency score of {recency.score:.0f} takes an order in the last {plural(recency.highest, recency.unit)},",
        f"a frequency score of {frequency.score:.0f} takes {plural(frequency.lowest, frequency.unit)} or more,",
        f"a monetary score of {monetary.score:.0f} takes {money(monetary.lowest, currency)} or more{monetary.unit.removeprefix('money')}.",
    )


def how_scored(rules: ScoringConfig) -> Paragraph:
    """How a score is drawn from a measure, by the method, the limits and the date of this report."""
    methods = {
        "quantiles": f"Customers are lined up by each measure, the line is cut into {rules.n_bins} equal parts, and the score is the number of the part, the best {rules.n_bins}. Equal values get equal scores; where very many customers share one value, a class can stay empty.",
        "approximate": "The classes begin at approximate quantiles that the engine draws in one pass. Equal values get equal scores.",
        "article": "As in the article, the classes hold equal numbers of customers. Customers with equally many orders are told apart by their id, so some who behave alike score differently.",
    }
    own = f"The limits of {join_names(list(rules.bin_edges))} are the analyst's own." if rules.bin_edges else ""
    frozen = (
        f"The limits are those of {day(date.fromisoformat(rules.bin_edges_from_date))}: a score changes only when the customer does."
        if rules.bin_edges_from_date
        else ""
    )
    return paragraph(methods[rules.method], own, frozen)


def empty_classes(cuts: pd.DataFrame) -> Paragraph:
    """Which score classes stay empty because too many customers share one value."""
    empty = cuts[cuts.customers == 0]
    if empty.empty:
        return paragraph("Every score class has customers.")
    crowded = cuts.loc[cuts[cuts.measure.isin(empty.measure)].groupby("measure").customers.idxmax()].set_index(
        "measure"
    )
    parts = []
    for measure, classes in empty.groupby("measure"):
        most = crowded.loc[measure]
        parts.append(
            f"{measure.capitalize()} has no score {join_names(classes.score.astype(str).tolist())}: {plural(most.customers, 'customer')} share score {int(most.score)}, and equal values get equal scores."
        )
    return paragraph(*parts)


def best_corner(cells: pd.DataFrame) -> Paragraph:
    """Customers and revenue in the cell of the best recency and frequency."""
    top = cells[cells.customers > 0].sort_values(["recency_score", "frequency_score"]).iloc[-1]
    customers, revenue = top.customers / cells.customers.sum(), top.revenue / cells.revenue.sum()
    return paragraph(
        f"The {plural(top.customers, 'customer')} with the best recency and frequency, {percent(customers)} of all, brought {percent(revenue)} of revenue."
    )


def lowest_cell(customers: pd.DataFrame) -> Paragraph:
    """How many customers score 1 in everything."""
    lowest = (customers[["recency_score", "frequency_score", "monetary_score"]] == 1).all(axis=1).sum()
    return paragraph(
        f"{count(lowest) if lowest else 'No'} customers score 1 in all three: the longest silence, the fewest orders, the least money."
        if lowest != 1
        else "One customer scores 1 in all three."
    )


def limits_in_words(cuts: pd.DataFrame, currency: str) -> str:
    """What the histograms with their limits show."""
    used = cuts[cuts.customers > 0].groupby("measure")
    spans = used.agg(
        lowest=("lowest", "min"), highest=("highest", "max"), classes=("score", "size"), unit=("unit", "first")
    )
    recency, frequency, monetary = (spans.loc[measure] for measure in ("recency", "frequency", "monetary"))
    return (
        f"Three histograms of customers: {count(recency.lowest)} to {plural(recency.highest, recency.unit)} since the last order, {count(frequency.lowest)} to {plural(frequency.highest, frequency.unit)}, "
        f"{money(monetary.lowest, currency)} to {money(monetary.highest, currency)} of revenue{monetary.unit.removeprefix('money')}, cut into {recency.classes}, {frequency.classes} and {monetary.classes} score classes."
    )


def grid_in_words(cells: pd.DataFrame) -> str:
    """What the two heat maps show."""
    most, rich = cells.loc[cells.customers.idxmax()], cells.loc[cells.revenue.idxmax()]
    return (
        f"Two heat maps of recency score by frequency score. Most customers, {count(most.customers)}, are at recency {most.recency_score:.0f}, frequency {most.frequency_score:.0f}; "
        f"most revenue is at recency {rich.recency_score:.0f}, frequency {rich.frequency_score:.0f}."
    )


def named_cells(named: pd.DataFrame) -> Paragraph | NotApplicable:
    """Which of the named cells are empty, and why rules are used instead."""
    if named.empty:
        return not_applicable("The cells people name have five classes.")
    empty = named.cell[named.in_the_cell == 0].tolist()
    first = named.iloc[0]
    who = (
        f"{'Cell' if len(empty) == 1 else 'Cells'} {join_names(empty)} {'is' if len(empty) == 1 else 'are'} empty"
        if empty
        else "Each of these cells has customers"
    )
    found = plural(first.customers, "customer") if first.customers else "nobody"
    return paragraph(
        f"{who}; the rule behind {first.cell} ({first['rule']}) finds {found}. Plans use the rules: a single cell is too narrow to act on."
    )


def methods(compared: pd.DataFrame | None) -> Paragraph | NotApplicable:
    """How many customers the default method would score otherwise."""
    if compared is None or not compared.differ.any():
        return not_applicable("Customers are scored by the default method.")
    differ = compared.groupby("measure").differ.first()
    parts = [f"{plural(differ[measure], 'customer')} in {measure}" for measure in ("recency", "frequency", "monetary")]
    return paragraph(
        f"The default method scores {join_names(parts)} otherwise.",
        "It never tells customers with equal values apart, so its classes differ in size where many are equal.",
    )


def cohorts(cohorts: pd.DataFrame) -> Paragraph | NotApplicable:
    """How many first buyers order again in the period after, in all groups, in the first and in the last."""
    after = cohorts[(cohorts.period == 1) & (cohorts["size"] >= 30)]
    if after.empty:
        return not_applicable("No period after the first order is complete yet.")
    unit, first, last = after.unit.iloc[0], after.iloc[0], after.iloc[-1]
    groups = f": {percent(first.retention)} of those who began in {_begun(first)}, {percent(last.retention)} of those of {_begun(last)}"
    return paragraph(
        f"Of all first buyers {percent(after.customers.sum() / after['size'].sum())} ordered in the {unit} after their first order{groups if len(after) > 1 else ''}."
    )


def _begun(group: pd.Series) -> str:
    quarter = f"{group.cohort.year} Q{group.cohort.quarter}"
    return f"{group.cohort:%B %Y}" if group.unit == "month" else quarter


def cohorts_in_words(cohorts: pd.DataFrame) -> str:
    """What the triangle shows."""
    cohorts = cohorts[cohorts["size"] >= 30]
    size = f"{count(cohorts['size'].min())} to {count(cohorts['size'].max())}" if len(cohorts) else "no"
    return f"Two heat maps of {plural(cohorts.cohort.nunique(), 'group')} of {size} first buyers: the share who ordered in each later period, and revenue per first buyer."
