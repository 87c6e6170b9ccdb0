"""Sentences of 04_cltv."""

from datetime import date

import pandas as pd

from crm_utils.formats import count, day, money, percent, plural
from crm_utils.headlines import Sentence, say

CLOSE = 0.02  # differences in accuracy or capture below two points are called even
OURS, UNADJUSTED = "Our forecast", "Without season"
FEW = 3  # tests below which a verdict is a first impression
NO_TEST = "The history is too short or too thin to test a forecast: it takes four weeks and 20 customers who bought twice before the test begins."


def verdict(backtest: pd.DataFrame) -> Sentence:
    """Were past forecasts closer to what happened than the best simple rule, in total and in ranking customers?"""
    if backtest.empty:
        return say(NO_TEST)
    misses, captures = _means(backtest.assign(miss=_miss(backtest).abs()))
    rule, ranking = misses.drop([OURS, UNADJUSTED]).idxmin(), captures.drop([OURS, UNADJUSTED]).idxmax()
    gain, lead = misses[rule] - misses[OURS], captures[OURS] - captures[ranking]
    total = "closer than" if gain > CLOSE else "no closer than" if gain < -CLOSE else "about as close as"
    ranks = "better than" if lead > CLOSE else "worse than" if lead < -CLOSE else "no better than"
    tests = backtest.origin.nunique()
    where = (
        f"In {plural(tests, 'test')} of {plural(backtest.horizon_days.iloc[0], 'day')} each"
        if tests > 1
        else f"Tested once, on the last {plural(backtest.horizon_days.iloc[0], 'day')}"
    )
    return say(
        f"{where}, our revenue forecast was {percent(misses[OURS])} off{' on average' if tests > 1 else ''}, {total} the best simple rule (“{rule.lower()}”: {percent(misses[rule])}).",
        f"It ranks customers {ranks} a simple rule: its top tenth brought {percent(captures[OURS])} of the revenue, against {percent(captures[ranking])} for “{ranking.lower()}”.",
        f"With fewer than {FEW} tests this is a first impression." if tests < FEW else "",
    )


def tracking(backtest: pd.DataFrame) -> Sentence:
    """How often the ranges held what came, and how far the last forecast was off."""
    if backtest.empty:
        return say(NO_TEST)
    ours = backtest[backtest.method == OURS]
    held = int(((ours.revenue_low <= ours.revenue_actual) & (ours.revenue_actual <= ours.revenue_high)).sum())
    last = ours.iloc[-1]
    return say(
        f"The range given with the forecast held what came in {count(held)} of {plural(len(ours), 'test')}; the last forecast was {_off(last.revenue_predicted / last.revenue_actual - 1) if last.revenue_actual else 'of a time without revenue'}."
    )


def not_yet_won(backtest: pd.DataFrame, currency: str) -> Sentence:
    """What customers won after an origin added: in no forecast here."""
    if backtest.empty:
        return say(NO_TEST)
    ours = backtest[backtest.method == OURS]
    new, known = ours.revenue_new.sum(), ours.revenue_actual.sum()
    if not new:
        return say("No customer was won during the tests, so nothing came on top of the forecasts.")
    return say(
        f"During the tests customers not yet won at the start added {money(new / len(ours), currency)} a test, {percent(new / (new + known))} of all revenue. No forecast here contains them."
    )


def calibration(classes: pd.DataFrame) -> Sentence:
    """The class of customers in which the forecast was furthest from what came."""
    if classes.empty:
        return say(NO_TEST)
    gaps = (classes.orders_predicted - classes.orders_actual) * classes.customers
    worst = classes.loc[gaps.abs().idxmax()]
    return say(
        f"In the last test the forecast was furthest off for customers who had bought again {worst.bought_again}: {worst.orders_predicted:.2f} purchase days expected of each, {worst.orders_actual:.2f} made."
    )


def challenger(misses: pd.DataFrame, winner: str) -> Sentence:
    """Whether another model should be tried."""
    if misses.empty:
        return say("Other models were not tried: that takes ten monthly tests and at most 50,000 customers.")
    if not winner:
        return say(f"No other model was clearly better in {plural(len(misses), 'monthly test')}, so the model stays.")
    return say(
        f"{winner} was clearly better in {plural(len(misses), 'monthly test')}: consider cltv.model: {winner}. It is not changed by itself."
    )


def _means(backtest: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Mean miss and top-tenth capture of each method that took part in every test."""
    table = backtest.groupby("method")[["miss", "top_decile_capture"]].agg(["mean", "size"])
    full = table[table["miss", "size"] == backtest.origin.nunique()]
    return full["miss", "mean"], full["top_decile_capture", "mean"].fillna(0)


def _miss(backtest: pd.DataFrame) -> pd.Series:
    return backtest.revenue_predicted / backtest.revenue_actual.where(backtest.revenue_actual > 0) - 1


def _off(miss: float) -> str:
    return "on target" if abs(miss) < 0.005 else f"{percent(abs(miss))} too {'high' if miss > 0 else 'low'}"


def outlook(forecast: pd.DataFrame, customers: int, analysis_date: date, currency: str, withheld: str = "") -> Sentence:
    """Revenue expected in the next twelve months, with its range."""
    year = forecast[(forecast.segment == "all") & (forecast.months == 12)].iloc[0]
    return say(
        f"No model forecast is made, because {withheld}: what follows assumes that every customer buys at the average rate of all."
        if withheld
        else "",
        f"In the 12 months after {day(analysis_date)} today’s {plural(customers, 'customer')} are expected to bring {money(year.revenue, currency)};",
        f"nine times in ten it should be between {money(year.revenue_low, currency)} and {money(year.revenue_high, currency)}. Customers not yet won are not in this figure.",
    )


def ranges(error) -> Sentence:
    """What the range of the forecast rests on."""
    judged = (
        f"on {plural(error.origins, 'past forecast')} that could be judged and"
        if error.origins
        else "not on past forecasts, which could not be judged, but"
    )
    return say(
        f"The range rests on the model, on chance, {judged} on the assumption that forecasts are otherwise off by about a tenth."
    )


def season(seasons: dict) -> Sentence:
    """Whether the forecast carries a season, or why not."""
    months = next((months for months, found in seasons.items() if not found.known), None)
    if months is not None:
        return say(
            f"No season is in the forecast: {seasons[months].withheld}. The months before a high season will bring more, those after it less."
        )
    quarter = seasons[3].factor
    return say(
        f"The season is in the forecast: the next three months are worth {percent(abs(quarter - 1))} {'more' if quarter >= 1 else 'less'} than usual, as the same weeks of last year were. The figures without season stand beside it."
    )


def value(cltv: pd.DataFrame, margin_rate: float, discount_rate: float, months: int, currency: str) -> Sentence:
    """Total CLV, with the horizon, margin and discount it rests on."""
    return say(
        f"Their customer lifetime value is {money(cltv.clv.sum(), currency)}: profit of the next {plural(months, 'month')},",
        f"at an assumed margin of {percent(margin_rate)} of revenue, discounted by an assumed {percent(discount_rate, 1 if discount_rate * 100 % 1 else 0)} a year.",
    )


def quiet(customers: pd.DataFrame, currency: str) -> Sentence:
    """How many of the listed best customers of the past have probably gone."""
    if customers.empty:
        return say("None of the best tenth of customers has probably gone.")
    return say(
        f"The best customers of the past who have probably gone: {plural(len(customers), 'customer')} listed, with {money(customers.past_revenue.sum(), currency)} of revenue so far."
    )


def historic(cltv: pd.DataFrame, churn: float, currency: str) -> Sentence:
    """What the past alone says all customers are worth, and how that compares."""
    return say(
        f"By the past alone all customers together are worth {money(cltv.historic_clv.sum(), currency)}, at a churn of {percent(churn)} every 13 weeks; the model says {money(cltv.clv.sum(), currency)} for its horizon.",
    )


def article_value(article: pd.DataFrame, currency: str) -> Sentence:
    """The article's total, and why it is no amount of money."""
    return say(
        f"By the article’s formula the customers are “worth” {money(article.cltv.sum(), currency)}, with revenue of {money(article.revenue.sum(), currency)} so far.",
        "Orders cancel out of it: it is revenue squared times a constant, so it ranks customers exactly as their revenue does, is in squared currency, and halves when the customer base doubles.",
    )


def article_forecast(article: pd.DataFrame, currency: str) -> Sentence:
    """The article's six-month forecast against revenue."""
    forecast, known = article.clv_6_months.sum(), article.clv_6_months.notna()
    return say(
        f"The article forecasts {money(forecast, currency)} for six months, from {count(known.sum())} customers whose whole revenue so far is {money(article.revenue[known].sum(), currency)}.",
        "It gives the value model each customer’s total revenue where the value of one order belongs, counts first orders as repeat orders, leaves out one-time buyers, and its penalty drives q below 1, where no mean order value exists.",
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


def tracking_in_words(backtest: pd.DataFrame, currency: str) -> str:
    """What the tracking figure shows."""
    ours = backtest[backtest.method == OURS]
    tests = "; ".join(
        f"from {day(row.origin)} forecast {money(row.revenue_predicted, currency)}, actual {money(row.revenue_actual, currency)}"
        for row in ours.itertuples()
    )
    return f"Chart of past forecasts with their ranges, and what came: {tests}."


def calibration_in_words(classes: pd.DataFrame) -> str:
    """What the bars by class show."""
    return (
        "Bar chart of purchase days a customer, forecast and actual: "
        + "; ".join(
            f"bought again {row.bought_again} {row.orders_predicted:.2f} and {row.orders_actual:.2f}"
            for row in classes.itertuples()
        )
        + "."
    )


def activity(grid: pd.DataFrame) -> Sentence:
    """How long a silence makes a frequent customer as doubtful as a rare one."""
    rare, often = (grid[grid.repeat_orders == repeats] for repeats in (1, int(grid.repeat_orders.max())))
    silent = int(often.silent_days.iloc[len(often) // 2])
    value = {
        name: float(rows[rows.silent_days == silent].p_alive.iloc[0])
        for name, rows in (("rare", rare), ("often", often))
    }
    return say(
        f"After {plural(silent, 'day')} of silence a customer who bought again once is still active with a probability of {percent(value['rare'])}, one who did so {plural(often.repeat_orders.iloc[0], 'time')} with {percent(value['often'])}."
    )


def activity_in_words(grid: pd.DataFrame) -> str:
    """What the map of activity shows, at its corners."""
    rare, often = (
        grid[grid.repeat_orders == repeats] for repeats in (grid.repeat_orders.min(), grid.repeat_orders.max())
    )
    return f"Map of the probability of being active: after a long silence {percent(rare.p_alive.iloc[-1])} for customers who bought again once, {percent(often.p_alive.iloc[-1])} for those who did so {plural(often.repeat_orders.iloc[0], 'time')}."


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
