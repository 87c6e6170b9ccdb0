"""Sentences of 01_cleaning."""

from datetime import date

import pandas as pd

from crm_utils.formats import count, day, listing, money, plural
from crm_utils.headlines import Sentence, say


def counted(log: pd.DataFrame, analysis_date: date, currency: str) -> Sentence:
    """How many rows count as sales, of how many customers, for how much."""
    first, last = log.iloc[0], log.iloc[-1]
    rows = (
        f"All {plural(first.rows_left, 'row')} count"
        if last.rows_left == first.rows_left
        else f"{count(last.rows_left)} of {plural(first.rows_left, 'row')} count"
    )
    return say(
        f"{rows} as sales: by {day(analysis_date)}, {plural(last.customers_left, 'customer')} had spent {money(last.revenue_left, currency)}."
    )


def removed(log: pd.DataFrame, currency: str) -> Sentence:
    """Which rules removed rows, and the revenue and customers that went with them."""
    active = log[log.rows_removed > 0]
    if active.empty:
        return say("No rule removed a row.")
    parts = [f"{plural(row.rows_removed, 'row')} by “{row.rule}”" for row in active.itertuples()]
    revenue, customers = log.revenue_removed.sum(), log.customers_left.iloc[0] - log.customers_left.iloc[-1]
    lost = f"{money(revenue, currency)} of revenue" if round(revenue, 2) else "no revenue"
    return say(
        f"The rules removed {listing(parts)}.",
        f"They carried {lost}; {plural(customers, 'customer') if customers else 'no customer'} went with them.",
    )


def reconciles(log: pd.DataFrame, orders_total: float, adjustments_total: float, currency: str) -> Sentence:
    """Whether the ledger's last line equals the orders and adjustments. Raises `ValueError` where it does not."""
    left, total = log.revenue_left.iloc[-1], orders_total + adjustments_total
    if abs(left - total) > 0.01:
        raise ValueError(
            f"the ledger ends at {left:,.2f}, the orders and adjustments at {total:,.2f}: they must agree to 0.01"
        )
    return say(f"The ledger’s last line and the orders agree to the cent: {money(left, currency, 2)}.")


def best_month(months: pd.DataFrame, currency: str) -> Sentence:
    """The month with the most revenue, and the last complete one."""
    best = months.loc[months.revenue.idxmax()]
    complete = months[months.complete]
    text = f"Revenue was highest in {best.month:%B %Y}, at {money(best.revenue, currency)}"
    if complete.empty or complete.iloc[-1].month == best.month:
        return say(text + ".")
    last = complete.iloc[-1]
    return say(f"{text}; {last.month:%B %Y}, the last complete month, brought {money(last.revenue, currency)}.")


def newcomers(months: pd.DataFrame) -> Sentence:
    """When the last customers were won: a report without new customers must plan for the others."""
    last, won = months.iloc[-1], months[months.new_customers > 0].iloc[-1]
    if won.month == last.month:
        return say(f"{plural(won.new_customers, 'customer')} placed a first order in {won.month:%B %Y}.")
    recent = months.new_customers.tail(3).sum()
    return say(
        f"No customer was won {'in the last three months' if recent == 0 else f'in {last.month:%B %Y}'}: the last first order was in {won.month:%B %Y}."
    )


def months_in_words(months: pd.DataFrame, currency: str) -> str:
    """What the bars of revenue by month show."""
    first, last = months.iloc[0], months.iloc[-1]
    return f"Bar chart of revenue in {plural(len(months), 'month')}, from {money(first.revenue, currency)} in {first.month:%B %Y} to {money(last.revenue, currency)} in {last.month:%B %Y}."
