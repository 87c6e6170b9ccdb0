"""Sentences of 03_segmentation."""

from datetime import date

import pandas as pd

from crm_utils.core.constants import RECENT_DAYS
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import count, day, join_names, money, percent, plural


def leading(profile: pd.DataFrame) -> Paragraph:
    """The segment with the most revenue, and the one with the most customers."""
    rich, large = (profile.loc[profile[column].idxmax()] for column in ("revenue", "customers"))
    text = f"{rich.segment} are {percent(rich.customer_share)} of customers and brought {percent(rich.revenue_share)} of revenue"
    if rich.segment == large.segment:
        return paragraph(text + "; no segment has more customers.")
    return paragraph(
        f"{text}. The largest segment, {large.segment}, is {percent(large.customer_share)} of customers and brought {percent(large.revenue_share)}."
    )


def empty(profile: pd.DataFrame) -> Paragraph:
    """Segments without customers on this date."""
    names = profile.segment[profile.customers == 0].tolist()
    return paragraph(f"Nobody is in {join_names(names)} on this date." if names else "Every segment has customers.")


def new_customers(named: pd.DataFrame, new_days: int | None, analysis_date: date) -> Paragraph:
    """How many customers first ordered of late, and the segments they are in; a plan can only be made for groups that exist.

    named: customers with first_order and segment. `new_days` counts as new; None stands for 90 days.
    """
    days = RECENT_DAYS if new_days is None else new_days
    new = named[(pd.Timestamp(analysis_date) - named.first_order).dt.days <= days]
    if new.empty:
        won = named.first_order.max()
        return paragraph(
            f"No customer is new: the last first order was on {won.day} {won:%B %Y}. The plan is for the groups that exist."
        )
    sizes = new.segment.value_counts()
    where = [f"{count(size)} in {segment}" for segment, size in sizes.items()]
    rest = [f"{count(sizes.iloc[3:].sum())} elsewhere"] if len(where) > 4 else where[3:]
    return paragraph(
        f"{plural(len(new), 'customer')} ({percent(len(new) / len(named))}) first ordered in the last {plural(days, 'day')}: {join_names(where[:3] + rest)}."
    )


def slipping(profile: pd.DataFrame, currency: str) -> Paragraph:
    """What the customers who once bought often or big and have gone quiet brought."""
    rows = profile[profile.segment.isin(["At Risk", "Can't Lose Them"]) & (profile.customers > 0)]
    if rows.empty:
        return paragraph("No once-valuable customer has gone quiet.")
    number = int(rows.customers.sum())
    return paragraph(
        f"{plural(number, 'once-valuable customer')} {'has' if number == 1 else 'have'} gone quiet ({join_names(rows.segment.tolist())}), who had brought {money(rows.revenue.sum(), currency)}."
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


def since(
    then: pd.DataFrame, now: pd.DataFrame, earlier: date | None, analysis_date: date, currency: str
) -> Paragraph | NotApplicable:
    """Who bought since an earlier date, and what that brought: counts and money, which do not depend on how others do.

    `then` and `now` are the customers as measured on the two dates.
    """
    if then.empty or earlier is None:
        return not_applicable("No earlier date to compare with, or equal customers are told apart (scoring: article).")
    before = now.customer_id.isin(then.customer_id)
    again = int((before & (now.last_order > pd.Timestamp(earlier))).sum())
    revenue = now.revenue.sum() - then.revenue.sum()
    came = int((~before).sum())
    recent = [int((customers.recency_days < RECENT_DAYS).sum()) for customers in (then, now)]
    return paragraph(
        f"From {day(earlier)} to {day(analysis_date)}, {count(again)} of the {plural(len(then), 'customer')} known before ordered again"
        if again
        else f"From {day(earlier)} to {day(analysis_date)}, none of the {plural(len(then), 'customer')} known before ordered again",
        f"and {plural(came, 'new customer')} came." if came else "and no new customer came.",
        f"Revenue so far {'grew' if revenue >= 0 else 'fell'} by {money(abs(revenue), currency)} to {money(now.revenue.sum(), currency)}.",
        f"Customers who had ordered in the last {RECENT_DAYS} days: {count(recent[0])} then, {count(recent[1])} now.",
    )


def moves(net: pd.DataFrame, since: date | None) -> Paragraph | NotApplicable:
    """How many more or fewer customers behave like the best segment, apart from what only cut points did."""
    if net.empty:
        return not_applicable("No earlier date to compare with, or equal customers are told apart (scoring: article).")
    best = net.iloc[0]
    bought, silent, old, newcomers, arrivals = best.iloc[2:7]
    behaviour, cuts = bought + silent, old + newcomers
    who = f"{count(abs(behaviour))} {'fewer' if behaviour < 0 else 'more'}" if behaviour else "as many"
    parts = [
        f"score limits that moved {_effect(cuts)}" if cuts else "",
        f"newcomers less those who left {_effect(arrivals)}" if arrivals else "",
    ]
    why = join_names([part for part in parts if part])
    counted = f"the segment counts {count(best.customers)} instead of {count(best.customers_then)}"
    return paragraph(
        f"Since {day(since)}, {who} customers behave like {best.segment}.",
        f"{why[0].upper() + why[1:]}, so {counted}." if any(parts) else f"{counted[0].upper() + counted[1:]}.",
    )


def _effect(change: float) -> str:
    return f"{'took' if change < 0 else 'added'} {count(abs(change))}"


def moves_in_words(net: pd.DataFrame) -> str:
    """What the bars of causes show."""
    changes = [f"{row.segment} {count(row.customers_then)} to {count(row.customers)}" for row in net.itertuples()]
    return f"Stacked bars of five causes for each segment. Customers then and now: {'; '.join(changes)}."


def statuses(crossed: pd.DataFrame, leads: int) -> Paragraph:
    """How many customers are in which state of their life with us, and how many have yet to order."""
    totals = crossed.groupby("value").customers.sum().sort_values(ascending=False, kind="stable")
    parts = [f"{percent(customers / totals.sum())} are {status}" for status, customers in totals.items()]
    listed = (
        f"{plural(leads, 'lead')} on the customer list {'has' if leads == 1 else 'have'} no order that counts: not yet, or all was cancelled."
        if leads
        else ""
    )
    return paragraph(f"Of all customers {join_names(parts)}.", listed)


def status_rules(new_days: int, risk_days: int, churn_days: int, loyal_orders: int) -> str:
    """What each status means, with the days and orders set for this report."""
    return (
        f"Churned: no order for more than {plural(churn_days, 'day')}. At risk: for more than {plural(risk_days, 'day')}. "
        f"New: first order within {plural(new_days, 'day')}. Loyal: {plural(loyal_orders, 'order')} or more. Occasional: all others."
    )


def statuses_in_words(crossed: pd.DataFrame) -> str:
    """What the bars of statuses show."""
    most = crossed.loc[crossed.groupby("segment").share.idxmax()]
    parts = [f"{row.segment} most often {row.value} ({percent(row.share)})" for row in most.itertuples()]
    return f"Stacked bars of customer status within each segment: {'; '.join(parts)}."


def habits(typical: pd.DataFrame) -> Paragraph | NotApplicable:
    """Which segment hunts offers, which pays premium, and which returns most."""
    if typical.empty or len(typical.columns) < 3:
        return not_applicable("The source tells no prices, products, returns or countries.")
    large, parts = typical[typical.customers >= 30], []
    large = typical if large.empty else large
    if "price_focused" in large:
        hunts, pays = large.loc[large.price_focused.idxmax()], large.loc[large.premium.idxmax()]
        parts.append(
            f"{hunts.segment} are most price-focused: {percent(hunts.price_focused)} pay clearly less than usual for the same products."
        )
        if pays.premium >= 0.05:
            parts.append(f"Premium buyers are most frequent among {pays.segment} ({percent(pays.premium)}).")
    if "return_share" in large and large.return_share.max() > 0:
        most = large.loc[large.return_share.idxmax()]
        parts.append(f"{most.segment} return most: {percent(most.return_share)} of what they buy.")
    if "main_country" in large:
        parts.append(_main_country(large))
    return paragraph(*parts) if parts else paragraph("Segments differ in what they buy, as the table shows.")


def _main_country(typical: pd.DataFrame) -> str:
    countries = typical.main_country.dropna().unique()
    if len(countries) != 1:
        return f"Main countries differ: {join_names(sorted(countries))}."
    least = typical.loc[typical.main_country_share.idxmin()]
    return f"{countries[0]} leads everywhere, least among {least.segment} ({percent(least.main_country_share)})."


def associations(associations: pd.DataFrame) -> Paragraph | NotApplicable:
    """The trait that goes most with segments, and where it stands out."""
    if associations.empty:
        return not_applicable("No attribute of customers is known beyond their orders.")
    first = associations.iloc[0]
    trait = first.trait.replace("_", " ")
    small = int(associations.small.sum())
    warning = (
        f" {plural(small, 'line')} of the table rest{'s' if small == 1 else ''} on fewer than 30 customers: an anecdote, not a finding."
        if small
        else ""
    )
    if first.strength < 0.1:
        return paragraph(f"Nothing that is known goes strongly with a segment; the nearest is {trait}.{warning}")
    return paragraph(
        f"Segments differ most in {trait}: “{first.value}” holds for {percent(first.share)} of {first.segment} and {percent(first.share_of_all)} of all customers.{warning}"
    )


def stability(kept: pd.DataFrame) -> Paragraph | NotApplicable:
    """How often a customer keeps the segment, and which segment is firmest and which loosest."""
    if kept.empty:
        return not_applicable("Segments are resampled for the default scoring only.")
    mean = (kept.kept * kept.customers).sum() / kept.customers.sum()
    firm, loose = kept.loc[kept.kept.idxmax()], kept.loc[kept.kept.idxmin()]
    return paragraph(
        f"How firm are the names? Had a few other weeks and customers been in the data, {percent(mean)} of customers would be in the same segment:",
        f"{firm.segment} in {percent(firm.kept)}, {loose.segment} in {percent(loose.kept)}. Read the loose ones as neighbourhoods, not as facts.",
    )


def clusters(described: pd.DataFrame) -> Paragraph | NotApplicable:
    """How many groups the data itself suggests, and how far the named segments follow them."""
    if described.empty:
        return not_applicable("Too few customers differ for clusters.")
    first = described.iloc[0]
    return paragraph(
        f"Left to itself, the data falls into {len(described)} groups. The richest, {plural(first.customers, 'customer')} ({first.in_words[0].lower() + first.in_words[1:]}), is {percent(first.main_share)} {first.main_segment}."
    )


def lists(profile: pd.DataFrame) -> Paragraph:
    """How many lists there are, and what they are for."""
    filled = int((profile.customers > 0).sum())
    return paragraph(
        f"{plural(filled, 'list')} with {plural(profile.customers.sum(), 'customer')} lie{'s' if filled == 1 else ''} in the folder lists, one per segment."
    )
