"""Sentences of 04_cltv."""

import re
from datetime import date

import pandas as pd

from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import count, day, money, percent, plural, rate

NEGATIVE = r"(?<!\w)-(?=\d)"  # a hyphen where a minus belongs


def outlook(
    forecast: pd.DataFrame, customers: int, analysis_date: date, currency: str, withheld: str = ""
) -> Paragraph:
    """Revenue expected in the next twelve months, with its range."""
    year = forecast[(forecast.segment == "all") & (forecast.months == 12)].iloc[0]
    return paragraph(
        f"No model forecast is made, because {withheld}: what follows assumes that every customer buys at the average rate of all."
        if withheld
        else "",
        f"In the 12 months after {day(analysis_date)} today’s {plural(customers, 'customer')} {'is' if customers == 1 else 'are'} expected to bring {money(year.revenue, currency)};",
        f"nine times in ten it should be between {money(year.revenue_low, currency)} and {money(year.revenue_high, currency)}. Customers not yet won are not in this figure.",
    )


def basis(seasons: dict, error, tested_days: int) -> Paragraph:
    """Whether a season is in the forecast, and what its range rests on."""
    return paragraph(season(seasons), ranges(error, seasons[3].known, tested_days))


def ranges(error, season_known: bool, tested_days: int) -> Paragraph:
    """What the range of the forecast rests on, what in it is assumed, and what it does not hold."""
    judged = (
        f"the misses of {plural(error.origins, 'past forecast')} over {plural(tested_days, 'day')}; because these are few, {count(error.assumed)} more misses of {percent(error.assumed_error)} each are assumed. Forecasts over other lengths of time use the same misses."
        if error.origins
        else f"{count(error.assumed)} misses of {percent(error.assumed_error)} each, which are assumed since no past forecast could be judged."
    )
    return paragraph(
        f"The range counts the model’s doubt, chance, and {judged}",
        ""
        if season_known
        else "An unknown season is not in it: parts of a year will miss it more often than one time in ten.",
    )


def season(seasons: dict) -> Paragraph:
    """Whether the forecast carries a season, or why not."""
    months = next((months for months, found in seasons.items() if not found.known), None)
    if months is not None:
        return paragraph(f"No season is in the forecast: {seasons[months].unavailable_reason}.")
    quarter = seasons[3].factor
    return paragraph(
        f"The season is in the forecast: the next three months are worth {percent(abs(quarter - 1))} {'more' if quarter >= 1 else 'less'} than usual, as the same weeks of last year were, growth taken out. The figures without season stand beside it."
    )


def value(cltv: pd.DataFrame, terms: ClvAssumptions, currency: str) -> Paragraph:
    """Total CLV, with the horizon, margin and discount it rests on."""
    return paragraph(
        f"Today’s customers have a lifetime value (CLV) of {money(cltv.clv.sum(), currency)}: {in_full(terms)}."
    )


def in_full(terms: ClvAssumptions) -> str:
    """What a CLV stands for: its horizon, margin and discount, and what of them is assumed."""
    margin, discount = rate(terms.margin_rate), rate(terms.discount_rate)
    at = (
        f"the margin that the costs in the data leave, {margin}"
        if terms.margin_known
        else f"an assumed margin of {margin}"
    )
    return f"profit of the next {plural(terms.months, 'month')}, at {at} of revenue, discounted by an assumed {discount} a year"


def in_brief(terms: ClvAssumptions) -> str:
    """The same for a caption."""
    margin, discount = rate(terms.margin_rate), rate(terms.discount_rate)
    return f"CLV: {plural(terms.months, 'month')}, margin {margin}, discount {discount} a year"


def quiet(customers: pd.DataFrame, currency: str, identified: bool = True) -> Paragraph:
    """How many of the best customers of the past have probably gone, and what they had brought."""
    if not identified:
        return paragraph(
            "Who of the best customers has gone is not known: this history does not tell who stopped buying."
        )
    if customers.empty:
        return paragraph("None of the best tenth of customers has probably gone.")
    return paragraph(
        f"{plural(len(customers), 'customer')} of the best tenth of the past {'has' if len(customers) == 1 else 'have'} probably gone, with {money(customers.past_revenue.sum(), currency)} of revenue so far."
    )


def historic(cltv: pd.DataFrame, churn: float, months: int, currency: str) -> Paragraph:
    """What the past alone says all customers are worth, and how that compares."""
    return paragraph(
        f"By the past alone all customers together are worth {money(cltv.historical_clv.sum(), currency)}, at a churn of {percent(churn)} every 13 weeks and without an end in time. Decide by the model’s {money(cltv.clv.sum(), currency)}: it counts {plural(months, 'month')}, discounts them, and knows who has gone.",
    )


def article_left_out(reason: str | None) -> Paragraph | NotApplicable:
    """Why the article's method was not carried out; nothing where the report does not ask for it."""
    if reason is None:
        return not_applicable("Only the report of the article shows this.")
    return paragraph(f"The article’s method is left out: on these orders {reason}.")


def article_value(article: pd.DataFrame, right: float, currency: str) -> Paragraph:
    """The article's total, why it is no amount of money, and the total with the dimensions put `right`."""
    return paragraph(
        f"By the article’s formula the customers are “worth” {money(article.cltv.sum(), currency)}, with revenue of {money(article.revenue.sum(), currency)} so far.",
        "Orders cancel out of it: it is revenue squared times a constant, so it ranks customers exactly as their revenue does, is in squared currency, and halves when the customer base doubles.",
        f"Its churn is the share of customers who bought once, not a loss per period, and on its scale of 1 to 100 {percent((article.cltv_scaled < 2).mean())} of customers stand below 2.",
        f"With its margin as a rate and churn per quarter the past gives {money(right, currency)} (see above).",
    )


def article_forecast(article: pd.DataFrame, currency: str) -> Paragraph:
    """The article's six-month forecast against revenue."""
    forecast, known = article.clv_6_months.sum(), article.clv_6_months.notna()
    return paragraph(
        f"The article forecasts {money(forecast, currency)} for six months, from {count(known.sum())} customers whose whole revenue so far is {money(article.revenue[known].sum(), currency)}.",
        "It gives the value model each customer’s total revenue where the value of one order belongs, counts first orders as repeat orders, leaves out one-time buyers, and its penalty drives q below 1, where no mean order value exists.",
    )


def not_known(cltv: pd.DataFrame, identified: bool = True) -> Paragraph:
    """How many customers bought once, of whom the model cannot tell whether they will return; or that it can tell of nobody."""
    if not identified:
        return paragraph(
            "Who is still a customer is not known: this history does not tell who stopped buying from who pauses, so the forecast assumes that nobody stopped."
        )
    once = int(cltv.p_alive.isna().sum())
    if not once:
        return paragraph("Every customer has bought again, so the model can say of each whether they are still active.")
    known = cltv.p_alive.dropna()
    active = f" Of the {count(len(known))} others, about {count(known.sum())} are still active." if len(known) else ""
    return paragraph(
        f"{count(once)} customers bought on one day only: whether they are still customers is not known.{active}"
        if once > 1
        else f"One customer bought on one day only: whether they will return is not known.{active}"
    )


def concentration(deciles: pd.DataFrame) -> Paragraph:
    """How much of all CLV the top tenth holds."""
    return paragraph(
        f"The most valuable tenth of customers holds {percent(deciles.clv_share.iloc[0])} of all expected value."
    )


def by_segment(totals: pd.DataFrame, currency: str) -> Paragraph:
    """The segment that is expected to bring the most."""
    best = totals.loc[totals.expected_revenue_12m.idxmax()]
    return paragraph(
        f"{best.segment} are expected to bring {money(best.expected_revenue_12m, currency)} in the next 12 months, {percent(best.expected_revenue_12m / totals.expected_revenue_12m.sum())} of the total."
    )


def model_notes(model: pd.DataFrame) -> Paragraph:
    """What the fit itself warns of."""
    notes = model[(model.note.fillna("") != "") & (model.model != "CLV")].drop_duplicates(["model", "note"])
    return (
        paragraph(*(f"{row.model}: {re.sub(NEGATIVE, '−', row.note)}." for row in notes.itertuples()))
        if len(notes)
        else paragraph("Both models were fitted without a warning.")
    )


def activity(grid: pd.DataFrame) -> Paragraph:
    """How long a silence makes a frequent customer as doubtful as a rare one."""
    rare, often = (grid[grid.repeat_purchase_days == repeats] for repeats in (1, int(grid.repeat_purchase_days.max())))
    silent = int(often.silent_days.iloc[len(often) // 2])
    value = {
        name: float(rows[rows.silent_days == silent].p_alive.iloc[0])
        for name, rows in (("rare", rare), ("often", often))
    }
    return paragraph(
        f"After {plural(silent, 'day')} of silence a customer who bought again once is still active with a probability of {percent(value['rare'])}, one who did so {plural(often.repeat_purchase_days.iloc[0], 'time')} with {percent(value['often'])}."
    )


def busiest(grid: pd.DataFrame) -> Paragraph:
    """Which of these customers will buy most."""
    best = grid.loc[grid.expected_purchase_days_12m.idxmax()]
    return paragraph(
        f"The customers who will buy most, with {plural(best.repeat_purchase_days, 'repeat purchase day')} and {plural(best.silent_days, 'day')} of silence, are expected on about {best.expected_purchase_days_12m:.0f} days of the next year."
    )


def worked(example, customers: pd.DataFrame, in_brief: str, currency: str) -> Paragraph:
    """What the customer worked by hand did, and is worth."""
    row = customers[customers.customer_id == example.customer_id].iloc[0]
    lines, left_out = len(example.lines), int(example.lines.removed_by.notna().sum())
    removed = f" ({left_out} of them left out)" if left_out else ""
    return paragraph(
        f"Customer {row.customer_id} bought {plural(lines, 'order line')}{removed} on {plural(row.repeat_purchase_days + 1, 'day')}, for {money(row.mean_purchase_value, currency)} a day, and is worth {money(row.clv, currency)} ({in_brief})."
    )


def orders_map_in_words(grid: pd.DataFrame) -> str:
    """What the map of expected purchase days shows, at its extremes."""
    best = grid.loc[grid.expected_purchase_days_12m.idxmax()]
    return f"Map of expected purchase days of the next year: from {grid.expected_purchase_days_12m.min():.1f} to {best.expected_purchase_days_12m:.1f}, the most after {plural(best.repeat_purchase_days, 'repeat purchase day')} and {plural(best.silent_days, 'day')} of silence."


def independence(customers: pd.DataFrame) -> Paragraph:
    """Whether who buys often also spends more a purchase day: the models assume not."""
    rank = customers.repeat_purchase_days.corr(customers.mean_purchase_value, method="spearman")
    if pd.isna(rank):
        return paragraph(
            "Whether frequent customers spend more a purchase day cannot be told here; the models assume not."
        )
    kind = "hardly related" if abs(rank) < 0.1 else "somewhat related" if abs(rank) < 0.3 else "clearly related"
    return paragraph(
        f"How often customers buy and what they spend a purchase day are {kind} (rank correlation {rank:.2f}".replace(
            "-", "−"
        )
        + "); the models take them as independent."
    )


def activity_in_words(grid: pd.DataFrame) -> str:
    """What the map of activity shows, at its corners."""
    rare, often = (
        grid[grid.repeat_purchase_days == repeats]
        for repeats in (grid.repeat_purchase_days.min(), grid.repeat_purchase_days.max())
    )
    return f"Map of the probability of being active: after a long silence {percent(rare.p_alive.iloc[-1])} for customers who bought again once, {percent(often.p_alive.iloc[-1])} for those who did so {plural(often.repeat_purchase_days.iloc[0], 'time')}."


def deciles_in_words(deciles: pd.DataFrame) -> str:
    """What the bars of the tenths show."""
    return (
        "Bar chart of customer lifetime value by tenth of customers: "
        + ", ".join(percent(share) for share in deciles.clv_share)
        + "."
    )


def segments_in_words(totals: pd.DataFrame, currency: str) -> str:
    """What the bars of expected revenue show."""
    return (
        "Bar chart of expected revenue by segment: "
        + "; ".join(f"{row.segment} {money(row.expected_revenue_12m, currency)}" for row in totals.itertuples())
        + "."
    )
