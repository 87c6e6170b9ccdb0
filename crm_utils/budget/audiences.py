"""Who gets which campaign, and who is held back so that its effect can be measured."""

import hashlib
import re
from datetime import date

import numpy as np
import pandas as pd

from crm_utils.core.errors import BudgetError

CONTACTS = ["customer_id", "channel", "consent", "last_contacted", "external_id"]


def contactable(
    audience: pd.DataFrame,
    contacts: pd.DataFrame | None,
    past: pd.DataFrame | None,
    campaigns: pd.DataFrame,
    analysis_date: date,
    days_between_contacts: int,
) -> pd.DataFrame:
    """Remove customers who may not be contacted, and customers who are still held out.

    Parameters
    ----------
    audience : pandas.DataFrame
        customer_id × campaign (`unit_economics.eligible_customers`).
    contacts, past : pandas.DataFrame or None
        Permissions and last contacts, and past campaigns; None if the report names no such table.
    campaigns : pandas.DataFrame
        One row per campaign.
    analysis_date : date
        The date of the report.
    days_between_contacts : int
        Days for which a customer rests after a contact on any channel.

    Returns
    -------
    pandas.DataFrame
        The audience without them (`may_be_contacted`, `in_holdout_window`).

    Raises
    ------
    BudgetError
        If a column of contacts is missing, or none of its ids is a customer's.
    """
    terms = campaigns.set_index("name")
    if past is not None and len(past):
        audience = in_holdout_window(audience, past, analysis_date, terms.window_days)
    if contacts is not None:
        audience = may_be_contacted(audience, contacts, terms.channel, analysis_date, days_between_contacts)
    return audience


def consent_channels(contacts: pd.DataFrame | None, customer_ids: pd.Series) -> pd.Series:
    """Name the channels on which each customer may be contacted.

    Parameters
    ----------
    contacts : pandas.DataFrame or None
        customer_id, channel, consent; None if the report names no such table.
    customer_ids : pandas.Series
        The customers.

    Returns
    -------
    pandas.Series
        By customer_id: the channels with consent, joined by "|". Without contacts the same text for everybody.
    """
    index = pd.Index(customer_ids, name="customer_id")
    if contacts is None:
        return pd.Series("any", index=index)
    agreed = contacts[contacts.consent].assign(channel=lambda table: table.channel.map(_normalized_name))
    agreed = agreed.drop_duplicates(["customer_id", "channel"]).sort_values("channel")
    return agreed.groupby("customer_id").channel.agg("|".join).reindex(index).fillna("")


def with_external_ids(targets: pd.DataFrame, contacts: pd.DataFrame | None) -> pd.DataFrame:
    """Add the id by which the sending tool knows each customer.

    Parameters
    ----------
    targets : pandas.DataFrame
        See `assign_audiences`.
    contacts : pandas.DataFrame or None
        customer_id, external_id.

    Returns
    -------
    pandas.DataFrame
        Adds external_id; unchanged without contacts.
    """
    if contacts is None:
        return targets
    ids = contacts.dropna(subset="external_id").drop_duplicates("customer_id").set_index("customer_id").external_id
    return targets.assign(external_id=targets.customer_id.map(ids))


def flag_assumptions(targets: pd.DataFrame, campaigns: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Say what is assumed behind each row of the lists.

    Parameters
    ----------
    targets, campaigns : pandas.DataFrame
        The lists (`assign_audiences`) and the campaigns.
    customers : pandas.DataFrame
        customer_id, margin_known: whether the data knows the customer's margin.

    Returns
    -------
    pandas.DataFrame
        Adds assumption: "lift" (of the campaign), "margin" (in the customer's value), "lift and margin", or nothing.
    """
    lift = targets.campaign.map(campaigns.set_index("name").evidence).eq("assumed")
    margin = ~targets.customer_id.isin(customers.customer_id[customers.margin_known])
    cases = {"lift and margin": lift & margin, "lift": lift, "margin": margin}
    return targets.assign(assumption=np.select(list(cases.values()), list(cases), ""))


def may_be_contacted(
    audience: pd.DataFrame,
    contacts: pd.DataFrame,
    channels: pd.Series,
    analysis_date: date,
    days_between_contacts: int,
) -> pd.DataFrame:
    """Remove customers without consent for a campaign's channel, and customers contacted too recently.

    Parameters
    ----------
    audience : pandas.DataFrame
        customer_id × campaign.
    contacts : pandas.DataFrame
        customer_id, channel, consent, last_contacted, external_id.
    channels : pandas.Series
        The channel of each campaign. Null: any channel with consent will do.
    analysis_date : date
        The date of the report.
    days_between_contacts : int
        Days for which a customer rests after a contact on any channel.

    Returns
    -------
    pandas.DataFrame
        The audience without them.

    Raises
    ------
    BudgetError
        If a column is missing, or none of the ids is a customer's.
    """
    missing = [column for column in CONTACTS if column not in contacts]
    if missing:
        raise BudgetError(
            f"table contacts has no column {', '.join(missing)}: without it nobody may be contacted; it needs "
            f"{', '.join(CONTACTS)}"
        )
    if len(contacts) and not contacts.customer_id.isin(audience.index).any():
        raise BudgetError(
            f"table contacts: none of its {contacts.customer_id.nunique():,} customers has ordered; its ids look like "
            f"{contacts.customer_id.iloc[0]!r}, ours like {audience.index[0]!r}"
        )
    first_day = pd.Timestamp(analysis_date) - pd.Timedelta(days=days_between_contacts)
    resting = contacts.customer_id[pd.to_datetime(contacts.last_contacted) > first_day]
    agreed = contacts[contacts.consent & ~contacts.customer_id.isin(resting)]
    named, allowed = agreed.channel.map(_normalized_name), {}
    for name in audience:
        on_channel = agreed if pd.isna(channels[name]) else agreed[named == _normalized_name(channels[name])]
        allowed[name] = audience[name] & audience.index.isin(on_channel.customer_id)
    return pd.DataFrame(allowed, index=audience.index)


def _normalized_name(channel: str) -> str:
    """Return a channel without case and signs: E-Mail is email."""
    return re.sub(r"[\W_]", "", channel.casefold())


def in_holdout_window(
    audience: pd.DataFrame, past: pd.DataFrame, analysis_date: date, windows: pd.Series
) -> pd.DataFrame:
    """Remove the holdout groups of past campaigns whose window is still open: they stay out of all campaigns.

    Parameters
    ----------
    audience : pandas.DataFrame
        customer_id × campaign.
    past : pandas.DataFrame
        campaign, customer_id, contacted_on, group.
    analysis_date : date
        The date of the report.
    windows : pandas.Series
        Days by campaign name.

    Returns
    -------
    pandas.DataFrame
        The audience without them.
    """
    days = past.campaign.map(windows).fillna(windows.max())
    ends = pd.to_datetime(past.contacted_on) + pd.to_timedelta(days, unit="D")
    held = past.customer_id[(past.group == "control") & (ends > pd.Timestamp(analysis_date))]
    return audience.mul(~audience.index.isin(held), axis=0)


def reach_by_campaign(audience: pd.DataFrame, allowed: pd.DataFrame) -> pd.DataFrame:
    """Count the customers that each campaign is meant for, and those of them who may be contacted.

    Parameters
    ----------
    audience, allowed : pandas.DataFrame
        customer_id × campaign, before and after `contactable`.

    Returns
    -------
    pandas.DataFrame
        campaign, customers, reachable, share.
    """
    table = (
        pd.DataFrame({"customers": audience.sum(), "reachable": allowed.sum()}).rename_axis("campaign").reset_index()
    )
    return table.assign(share=table.reachable / table.customers.where(table.customers > 0))


def assign_audiences(groups: pd.DataFrame, allocated: pd.DataFrame, holdout_share: float, seed: int) -> pd.DataFrame:
    """Put customers on lists, each at most once, and draw the holdout groups.

    Of each group of similar customers those of the highest value come first. Holdout customers come on top of the
    planned contacts: `holdout_share` of each list, spread over its value classes, chosen by a hash of campaign,
    customer and seed, so that the same customers are held back in every run.

    Parameters
    ----------
    groups : pandas.DataFrame
        See `unit_economics.group_customers`.
    allocated : pandas.DataFrame
        See `optimizer.allocate`; optionally with messages (sent to each customer).
    holdout_share : float
        Share of each list that is held back.
    seed : int
        Another number holds other customers back.

    Returns
    -------
    pandas.DataFrame
        customer_id, campaign, segment, group (treatment or control), value (margin of an added order), reason, and
        messages if they are given.
    """
    chosen = allocated[allocated.contacts > 0].assign(control=_controls(allocated, holdout_share))
    chosen = chosen.sort_values(["group", "profit", "campaign"], ascending=[True, False, True])
    ranked = groups.sort_values(["group", "order_margin", "customer_id"], ascending=[True, False, True])
    first = ranked.group.searchsorted(chosen.group.to_numpy())
    size = (chosen.contacts + chosen.control).to_numpy()
    starts = first + chosen.assign(size=size).groupby("group")["size"].cumsum().to_numpy() - size
    places = np.repeat(starts - np.cumsum(size) + size, size) + np.arange(size.sum())
    listed = ranked.iloc[places][["customer_id", "segment", "recency_days", "orders", "order_margin"]]
    listed = listed.assign(
        campaign=np.repeat(chosen.campaign.to_numpy(), size),
        option=np.repeat(np.arange(len(chosen)), size),
        held=np.repeat(chosen.control.to_numpy(), size),
        **{name: np.repeat(chosen[name].to_numpy(), size) for name in chosen.columns.intersection(["messages"])},
    )
    listed["draw"] = _draw_order(listed, seed)
    place = listed.sort_values(["option", "draw", "customer_id"]).groupby("option").cumcount()
    listed["group"] = np.where(place.reindex(listed.index) < listed.held, "control", "treatment")
    return _described(listed)


def holdout_sizes(targets: pd.DataFrame) -> pd.Series:
    """Count the holdout customers of each (campaign, segment).

    Parameters
    ----------
    targets : pandas.DataFrame
        See `assign_audiences`.

    Returns
    -------
    pandas.Series of int
        The customers of the control group, by campaign and segment.
    """
    return targets[targets.group == "control"].groupby(["campaign", "segment"]).size()


def _controls(allocated: pd.DataFrame, share: float) -> pd.Series:
    """Count the holdout customers of each option: those of the line by largest remainder, while the group has room."""
    chosen = allocated[allocated.contacts > 0]
    exact = chosen.contacts * share / (1 - share)
    taken = np.floor(exact + 1e-9).astype(int)
    lines = [chosen.campaign, chosen.segment]
    owed = (exact.groupby(lines).transform("sum") - taken.groupby(lines).transform("sum")).round().astype(int)
    used = (chosen.contacts + taken).groupby(chosen.group).transform("sum")
    remainder = (exact - taken).where(chosen.customers > used, -1.0)
    place = remainder.groupby(lines).rank(method="first", ascending=False)
    extra = (place <= owed) & (remainder >= 0)
    room = chosen.customers - used
    extra &= extra.groupby(chosen.group).cumsum() <= room  # two campaigns may want the last customer of a group
    return taken + extra


def _draw_order(listed: pd.DataFrame, seed: int) -> np.ndarray:
    draws = np.empty(len(listed), dtype="uint64")
    ids = listed.customer_id.astype(object).to_numpy()
    for campaign in listed.campaign.unique():
        own = (listed.campaign == campaign).to_numpy()
        key = hashlib.sha256(f"{seed}|{campaign}".encode()).hexdigest()[:16]
        draws[own] = pd.util.hash_array(ids[own], hash_key=key, categorize=False)
    return draws


def _described(listed: pd.DataFrame) -> pd.DataFrame:
    days, orders = listed.recency_days.astype(str), listed.orders.astype(str)
    counted = orders + np.where(listed.orders == 1, " order", " orders")
    reason = listed.segment + ": " + counted + ", the last " + days + " days ago"
    table = listed.assign(value=listed.order_margin.round(2), reason=reason)
    columns = ["customer_id", "campaign", "segment", "group", "value", "reason"]
    columns += table.columns.intersection(["messages"]).tolist()
    return table.sort_values(["campaign", "segment", "customer_id"], ignore_index=True)[columns]
