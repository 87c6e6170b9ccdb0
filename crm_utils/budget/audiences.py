"""Who gets which campaign, and who is held back so that its effect can be measured."""

import hashlib
import re

import numpy as np
import pandas as pd

from crm_utils.core.errors import BudgetError

CONTACTS = ["customer_id", "channel", "consent", "last_contacted", "external_id"]


def contactable(
    audience: pd.DataFrame,
    contacts: pd.DataFrame | None,
    past: pd.DataFrame | None,
    campaigns: pd.DataFrame,
    analysis_date: pd.Timestamp,
    days_between_contacts: int,
) -> pd.DataFrame:
    """The audience less who may not be contacted (`reachable`) and who is still held back (`resting`), where such tables are."""
    terms = campaigns.set_index("name")
    if past is not None and len(past):
        audience = in_holdout_window(audience, past, analysis_date, terms.window_days)
    if contacts is not None:
        audience = may_be_contacted(audience, contacts, terms.channel, analysis_date, days_between_contacts)
    return audience


def with_external_ids(targets: pd.DataFrame, contacts: pd.DataFrame | None) -> pd.DataFrame:
    """The lists with the id that the sending tool knows each customer by, where there are contacts."""
    if contacts is None:
        return targets
    ids = contacts.dropna(subset="external_id").drop_duplicates("customer_id").set_index("customer_id").external_id
    return targets.assign(external_id=targets.customer_id.map(ids))


def flag_assumptions(targets: pd.DataFrame, campaigns: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """The lists with `assumption`: what is assumed behind each row, the campaign's lift, the margin in the customer's value, or both.

    `customers` (customer_id, margin_known) tell whose margin the data knows.
    """
    lift = targets.campaign.map(campaigns.set_index("name").evidence).eq("assumed")
    margin = ~targets.customer_id.isin(customers.customer_id[customers.margin_known])
    cases = {"lift and margin": lift & margin, "lift": lift, "margin": margin}
    return targets.assign(assumption=np.select(list(cases.values()), list(cases), ""))


def may_be_contacted(
    audience: pd.DataFrame,
    contacts: pd.DataFrame,
    channels: pd.Series,
    analysis_date: pd.Timestamp,
    days_between_contacts: int,
) -> pd.DataFrame:
    """The audience less who may not be contacted: no consent for the campaign's channel, or contacted too recently.

    `channels` names the channel of each campaign (null: any channel with consent will do). Whoever was contacted in
    the last `days_between_contacts` days on any channel rests. Raises `BudgetError` where a column is missing or no id is one of ours.
    """
    missing = [column for column in CONTACTS if column not in contacts]
    if missing:
        raise BudgetError(
            f"table contacts has no column {', '.join(missing)}: without it nobody may be contacted; it needs {', '.join(CONTACTS)}"
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
    """A channel without case and signs: E-Mail is email."""
    return re.sub(r"[\W_]", "", channel.casefold())


def in_holdout_window(
    audience: pd.DataFrame, past: pd.DataFrame, analysis_date: pd.Timestamp, windows: pd.Series
) -> pd.DataFrame:
    """The audience less the control groups of past campaigns whose window is still open: they stay out of all campaigns."""
    days = past.campaign.map(windows).fillna(windows.max())
    ends = pd.to_datetime(past.contacted_on) + pd.to_timedelta(days, unit="D")
    held = past.customer_id[(past.group == "control") & (ends > pd.Timestamp(analysis_date))]
    return audience.mul(~audience.index.isin(held), axis=0)


def reach_by_campaign(audience: pd.DataFrame, allowed: pd.DataFrame) -> pd.DataFrame:
    """How many of each campaign's audience may be contacted: campaign, customers, reachable, share."""
    table = (
        pd.DataFrame({"customers": audience.sum(), "reachable": allowed.sum()}).rename_axis("campaign").reset_index()
    )
    return table.assign(share=table.reachable / table.customers.where(table.customers > 0))


def assign_audiences(groups: pd.DataFrame, allocated: pd.DataFrame, holdout_share: float, seed: int) -> pd.DataFrame:
    """Everybody on a list, once: customer_id, campaign, segment, group (treatment / control), value, reason.

    Of each group of alike customers those of the highest value come first. Controls come on top of the planned
    contacts: `holdout_share` of each list, spread over its value classes, chosen by a hash of campaign, customer and
    seed, so that the same customers are held back in every run. value is the margin of an added order.
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
    )
    listed["draw"] = _draw_order(listed, seed)
    place = listed.sort_values(["option", "draw", "customer_id"]).groupby("option").cumcount()
    listed["group"] = np.where(place.reindex(listed.index) < listed.held, "control", "treatment")
    return _described(listed)


def holdout_sizes(targets: pd.DataFrame) -> pd.Series:
    """Size of the control group of each (campaign, segment)."""
    return targets[targets.group == "control"].groupby(["campaign", "segment"]).size()


def _controls(allocated: pd.DataFrame, share: float) -> pd.Series:
    """Controls of each option: the line's count in whole customers, by largest remainder, where the group has room."""
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
    return table.sort_values(["campaign", "segment", "customer_id"], ignore_index=True)[columns]
