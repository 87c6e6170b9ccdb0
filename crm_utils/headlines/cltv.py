"""Sentences of 04_cltv."""

from datetime import date

import pandas as pd

from crm_utils.formats import count, day, money, percent, plural
from crm_utils.headlines import Sentence, say

CLOSE = 0.02  # differences in accuracy or capture below two points are called even


def verdict(backtest: pd.DataFrame) -> Sentence:
    """Was the model closer to what happened than the better simple rule, in total and in ranking customers?"""
    table = backtest.assign(miss=backtest.revenue_predicted / backtest.revenue_actual - 1)
    model, simple = table[table.method.str.contains("NBD")].iloc[0], table[~table.method.str.contains("NBD")]
    rule = simple.loc[simple.miss.abs().idxmin()]
    ranking = simple.loc[simple.top_decile_capture.idxmax()]
    gain, lead = abs(rule.miss) - abs(model.miss), model.top_decile_capture - ranking.top_decile_capture
    total = "closer than" if gain > CLOSE else "no closer than" if gain < -CLOSE else "about as close as"
    ranks = "better than" if lead > CLOSE else "worse than" if lead < -CLOSE else "no better than"
    return say(
        f"Tested on the last {plural(model.horizon_days, 'day')}, the model’s revenue forecast was {_off(model.miss)}, {total} the best simple rule",
        f"(“{rule.method.lower()}”: {_off(rule.miss)}). It ranks customers {ranks} a simple rule: its top tenth brought {percent(model.top_decile_capture)} of the revenue, against {percent(ranking.top_decile_capture)}.",
    )


def _off(miss: float) -> str:
    return "on target" if abs(miss) < 0.005 else f"{percent(abs(miss))} too {'high' if miss > 0 else 'low'}"


def outlook(cltv: pd.DataFrame, analysis_date: date, currency: str) -> Sentence:
    """Orders and revenue expected in the next twelve months."""
    return say(
        f"In the 12 months after {day(analysis_date)} today’s {plural(len(cltv), 'customer')} are expected to buy on {plural(cltv.expected_orders.sum(), 'day')}",
        f"and to bring {money(cltv.expected_revenue.sum(), currency)}. Customers not yet won are not in this figure.",
    )


def value(cltv: pd.DataFrame, margin_rate: float, discount_rate: float, months: int, currency: str) -> Sentence:
    """Total CLV, with the horizon, margin and discount it rests on."""
    return say(
        f"Their customer lifetime value is {money(cltv.clv.sum(), currency)}: profit of the next {plural(months, 'month')},",
        f"at an assumed margin of {percent(margin_rate)} of revenue, discounted by an assumed {percent(discount_rate, 1 if discount_rate * 100 % 1 else 0)} a year.",
    )


def not_known(cltv: pd.DataFrame) -> Sentence:
    """How many customers bought once, of whom the model cannot tell whether they will return."""
    once = int(cltv.p_alive.isna().sum())
    if not once:
        return say("Every customer has bought again, so the model can say of each whether they are still active.")
    known = cltv.p_alive.dropna()
    active = f" Of the {count(len(known))} others, about {count(known.sum())} are still active." if len(known) else ""
    return say(
        f"{count(once)} customers bought once: whether they are still customers is not known.{active}"
        if once > 1
        else f"One customer bought once: whether they will return is not known.{active}"
    )


def concentration(deciles: pd.DataFrame) -> Sentence:
    """How much of all CLV the top tenth holds."""
    return say(
        f"The most valuable tenth of customers holds {percent(deciles.clv_share.iloc[0])} of all expected value."
    )


def by_segment(totals: pd.DataFrame, currency: str) -> Sentence:
    """The segment that is expected to bring the most."""
    best = totals.loc[totals.expected_revenue.idxmax()]
    return say(
        f"{best.segment} are expected to bring {money(best.expected_revenue, currency)} in the next 12 months, {percent(best.expected_revenue / totals.expected_revenue.sum())} of the total."
    )


def model_notes(model: pd.DataFrame) -> Sentence:
    """What the fit itself warns of."""
    notes = model[(model.note.fillna("") != "") & (model.note != "assumption")].drop_duplicates(["model", "note"])
    return (
        say(*(f"{row.model}: {row.note}." for row in notes.itertuples()))
        if len(notes)
        else say("Both models were fitted without a warning.")
    )


def closest(backtest: pd.DataFrame) -> Sentence:
    """Which method came closest to the actual revenue."""
    best = backtest.loc[(backtest.revenue_predicted - backtest.revenue_actual).abs().idxmin()]
    return say(
        f"Closest to the actual revenue of the last {plural(best.horizon_days, 'day')}: {best.method} ({_off(best.revenue_predicted / best.revenue_actual - 1)})."
    )


def holdout_in_words(backtest: pd.DataFrame, currency: str) -> str:
    """What the bars of the holdout show."""
    forecasts = "; ".join(f"{row.method} {money(row.revenue_predicted, currency)}" for row in backtest.itertuples())
    return f"Bar chart of forecast revenue: {forecasts}; actual {money(backtest.revenue_actual.iloc[0], currency)}."


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
        + "; ".join(f"{row.segment} {money(row.expected_revenue, currency)}" for row in totals.itertuples())
        + "."
    )
