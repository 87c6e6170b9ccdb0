"""Sentences of 01_cleaning."""

from datetime import date

import pandas as pd

from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import count, day, join_names, money, percent, plural


def counted(log: pd.DataFrame, analysis_date: date, currency: str) -> Paragraph:
    """How many rows count as sales, of how many customers, for how much."""
    first, last = log.iloc[0], log.iloc[-1]
    rows = (
        f"All {plural(first.rows_left, 'row')} count"
        if last.rows_left == first.rows_left
        else f"{count(last.rows_left)} of {plural(first.rows_left, 'row')} count"
    )
    return paragraph(
        f"{rows} as sales: by {day(analysis_date)}, {plural(last.customers_left, 'customer')} had spent {money(last.revenue_left, currency)}."
    )


def removed(log: pd.DataFrame, currency: str) -> Paragraph:
    """Which rules removed rows, and the revenue and customers that went with them."""
    active = log[log.rows_removed > 0]
    if active.empty:
        return paragraph("No rule removed a row.")
    parts = [f"{plural(row.rows_removed, 'row')} by “{row.rule}”" for row in active.itertuples()]
    revenue, customers = log.revenue_removed.sum(), log.customers_left.iloc[0] - log.customers_left.iloc[-1]
    lost = f"{money(revenue, currency)} of revenue" if round(revenue, 2) else "no revenue"
    return paragraph(
        f"The rules removed {join_names(parts)}.",
        f"They carried {lost}; {plural(customers, 'customer') if customers else 'no customer'} went with them.",
    )


def reconciles(log: pd.DataFrame, orders_total: float, adjustments_total: float, currency: str) -> Paragraph:
    """Whether the ledger's last line equals the orders and adjustments. Raises `ValueError` where it does not."""
    left, total = log.revenue_left.iloc[-1], orders_total + adjustments_total
    if abs(left - total) > 0.01:
        raise ValueError(
            f"the ledger ends at {left:,.2f}, the orders and adjustments at {total:,.2f}: they must agree to 0.01"
        )
    return paragraph(f"The ledger’s last line and the orders agree to the cent: {money(left, currency, 2)}.")


def best_month(months: pd.DataFrame, currency: str) -> Paragraph:
    """The month with the most revenue, and the last complete one."""
    best = months.loc[months.revenue.idxmax()]
    complete = months[months.complete]
    text = f"Revenue was highest in {best.month:%B %Y}, at {money(best.revenue, currency)}"
    if complete.empty or complete.iloc[-1].month == best.month:
        return paragraph(text + ".")
    last = complete.iloc[-1]
    return paragraph(f"{text}; {last.month:%B %Y}, the last complete month, brought {money(last.revenue, currency)}.")


def newcomers(months: pd.DataFrame) -> Paragraph:
    """When the last customers were won: a report without new customers must plan for the others."""
    last, won = months.iloc[-1], months[months.new_customers > 0].iloc[-1]
    if won.month == last.month:
        return paragraph(f"{plural(won.new_customers, 'customer')} placed a first order in {won.month:%B %Y}.")
    recent = months.new_customers.tail(3).sum()
    return paragraph(
        f"No customer was won {'in the last three months' if recent == 0 else f'in {last.month:%B %Y}'}: the last first order was in {won.month:%B %Y}."
    )


def months_in_words(months: pd.DataFrame, currency: str) -> str:
    """What the bars of revenue by month show."""
    first, last = months.iloc[0], months.iloc[-1]
    return f"Bar chart of revenue in {plural(len(months), 'month')}, from {money(first.revenue, currency)} in {first.month:%B %Y} to {money(last.revenue, currency)} in {last.month:%B %Y}."


def unmoved(log: pd.DataFrame) -> NotApplicable | None:
    """What a figure of the ledger shows where no rule moved money: nothing."""
    return None if log.revenue_removed.round(2).any() else not_applicable("No rule took revenue away or added any.")


def largest_step(log: pd.DataFrame, currency: str) -> Paragraph:
    """How much of the revenue read counts as sales, and the rule that moved most."""
    read, left = log.revenue_left.iloc[0], log.revenue_left.iloc[-1]
    step = log.loc[log.revenue_removed.abs().idxmax()]
    moved = "took away" if step.revenue_removed > 0 else "added"
    return paragraph(
        f"Of {money(read, currency)} read, {money(left, currency)} count as sales: “{step.rule}” {moved} {money(abs(step.revenue_removed), currency)}."
    )


def steps_in_words(log: pd.DataFrame, currency: str) -> str:
    """What the waterfall of the ledger shows."""
    moved = log[log.revenue_removed.round(2) != 0]
    steps = [f"{row.rule} {'−' if row.revenue_removed > 0 else '+'}{money(abs(row.revenue_removed), currency)}" for row in moved.itertuples()]  # fmt: skip
    return f"Waterfall from {money(log.revenue_left.iloc[0], currency)} read to {money(log.revenue_left.iloc[-1], currency)} left: {join_names(steps)}."


def cancellations(
    mode: str, placed: float, adjustments: pd.DataFrame, log: pd.DataFrame, currency: str
) -> Paragraph | NotApplicable:
    """What cancellations took off orders, and how many orders and customers went with them; nothing where they are dropped."""
    if mode == "drop":
        return not_applicable("Cancelled lines are dropped (cancellations: drop), the sales they take back are kept.")
    if adjustments.empty:
        return paragraph("No cancellation took anything off an order.")
    taken = -adjustments.revenue.sum()
    orders = plural(adjustments.order_id.nunique(), "order")
    gone = log.customers_left.iloc[-2] - log.customers_left.iloc[-1]
    left = f"{plural(gone, 'customer')} {'was' if gone == 1 else 'were'} left with nothing" if gone else ""
    return paragraph(
        f"Cancellations took {money(taken, currency)} off {orders}, {percent(taken / placed, 1)} of what was ordered.",
        left and f"{left} and {'does' if gone == 1 else 'do'} not count.",
    )


def all_matched(unmatched: pd.DataFrame) -> Paragraph | None:
    """What stands in place of the list of cancellations that found no sale, where there is none."""
    return paragraph("Every cancellation found its sale.") if unmatched.empty else None


def limits(limits: dict[str, float], log: pd.DataFrame, currency: str) -> Paragraph | NotApplicable:
    """The limits of extreme values and the revenue they held back; nothing where none were asked for."""
    if not limits:
        return not_applicable("No value is held back (cap_outliers: False).")
    held = log.revenue_removed[log.rule == "outliers capped"].iloc[0]
    return paragraph(
        f"Quantities beyond {limits['quantity']:,.1f} and prices beyond {money(limits['unit_price'], currency, 2)} count as these limits: {money(held, currency)} of revenue is held back."
    )


def no_habits(habits: pd.DataFrame) -> NotApplicable | None:
    """Nothing, where the source has no column that tells a habit."""
    return (
        not_applicable("The source has no products, prices or countries.") if not HABITS & set(habits.columns) else None
    )


def habits(habits: pd.DataFrame) -> Paragraph | NotApplicable:
    """What stands out in what customers buy; nothing where the source does not tell."""
    parts = []
    if "price_ratio" in habits:
        below = (habits.price_ratio < 0.95).mean()
        parts.append(f"{percent(below)} of customers mostly pay at least 5% less than usual for the same product.")
    if "return_share" in habits and habits.return_share.any():
        sender = (habits.return_share > 0).mean()
        parts.append(f"{percent(sender)} have cancelled or sent something back.")
    if "main_country" in habits and habits.main_country.notna().any():
        shares = habits.main_country.value_counts(normalize=True)
        parts.append(f"{percent(shares.iloc[0])} order from {shares.index[0]}.")
    return paragraph(*parts) if parts else not_applicable("The source tells no habit.")


HABITS = {"price_ratio", "distinct_products", "return_share", "favourite_product", "main_country", "margin_rate"}


def side_tables(named: dict[str, pd.DataFrame], customers: int) -> Paragraph | NotApplicable:
    """For how many customers there is more to know; nothing where the report names no such table."""
    if not named:
        return not_applicable("The report names no attributes, contacts or past campaigns.")
    parts = []
    if "attributes" in named:
        table = named["attributes"]
        columns = join_names([name.replace("_", " ") for name in table.columns.drop("customer_id")])
        parts.append(f"{plural(table.customer_id.nunique(), 'customer')} have attributes ({columns}).")
    if "contacts" in named:
        table = named["contacts"]
        agreed = table[table.consent].customer_id.nunique()
        parts.append(
            f"{plural(table.customer_id.nunique(), 'customer')} can be reached, {count(agreed)} of them agreed to it."
        )
    if "past_campaigns" in named:
        parts.append(_campaigns(named["past_campaigns"]))
    return paragraph(*parts, f"These pages count {plural(customers, 'customer')}.")


def _campaigns(table: pd.DataFrame) -> str:
    if table.empty:
        return "No campaign had taken place by this date."
    sizes = table.group.value_counts()
    return f"{plural(table.campaign.nunique(), 'past campaign')} reached {plural(sizes.get('treatment', 0), 'customer')} and left out {count(sizes.get('control', 0))} for comparison."
