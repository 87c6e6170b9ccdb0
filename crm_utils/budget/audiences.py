"""Who gets which campaign, and who is held back so that its effect can be measured."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from crm_utils.core.errors import BudgetError

CONTACTS = ["customer_id", "channel", "consent", "last_contacted", "external_id"]


@dataclass(frozen=True)
class Audience:
    """Whom campaigns may contact, and what is known of each customer's contacts.

    Parameters
    ----------
    eligible, allowed : pandas.DataFrame
        customer_id × campaign: whom a campaign is meant for, and whom it may contact in the first wave.
    consent : pandas.Series
        The channels on which each customer may be contacted, as one text.
    resting : pandas.Series
        Whether a customer may not be contacted in the first wave only, because of an earlier contact.
    held_out : pandas.Series
        Whether a customer is left out of everything.
    """

    eligible: pd.DataFrame
    allowed: pd.DataFrame
    consent: pd.Series
    resting: pd.Series
    held_out: pd.Series


def find_audience(
    eligible: pd.DataFrame,
    contacts: pd.DataFrame | None,
    past: pd.DataFrame | None,
    campaigns: pd.DataFrame,
    analysis_date: date,
    days_between_contacts: int,
    holdout_share: float,
    seed: int,
) -> Audience:
    """Find whom each campaign may contact in the first wave, who rests, and who is left out of everything.

    Parameters
    ----------
    eligible : pandas.DataFrame
        customer_id × campaign (`unit_economics.eligible_customers`).
    contacts, past, campaigns, analysis_date, days_between_contacts
        See `contactable`.
    holdout_share, seed
        See `universal_holdout`.

    Returns
    -------
    Audience
    """
    allowed = contactable(eligible, contacts, past, campaigns, analysis_date, days_between_contacts)
    consented = contactable(eligible, contacts, None, campaigns, analysis_date, 0)
    ids = pd.Series(eligible.index)
    return Audience(
        eligible,
        allowed,
        consent_channels(contacts, ids),
        (consented & ~allowed).any(axis=1),
        universal_holdout(ids, holdout_share, seed),
    )


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


def universal_holdout(customer_ids: pd.Series, share: float, seed: int) -> pd.Series:
    """Draw the customers who are left out of every campaign.

    A hash of customer and seed draws them, so a customer stays held out from wave to wave and from date to date, and
    new customers do not change who is.

    Parameters
    ----------
    customer_ids : pandas.Series
        The customers.
    share : float
        Expected share of customers who are held out.
    seed : int
        Another number holds other customers out.

    Returns
    -------
    pandas.Series of bool
        By customer_id.
    """
    key = hashlib.sha256(f"universal holdout|{seed}".encode()).hexdigest()[:16]
    draws = pd.util.hash_array(customer_ids.astype(object).to_numpy(), hash_key=key, categorize=False)
    return pd.Series(draws / 2.0**64 < share, index=pd.Index(customer_ids, name="customer_id"))


def assign_audiences(groups: pd.DataFrame, first_wave: pd.DataFrame) -> pd.DataFrame:
    """Put the customers of the first wave on lists, each at most once, with the holdout group of each list.

    Of each group of similar customers those of the highest value come first. The customers who are held out keep their
    place in this order: whoever would have been contacted is in the list's control group.

    Parameters
    ----------
    groups : pandas.DataFrame
        See `unit_economics.planning_groups`.
    first_wave : pandas.DataFrame
        campaign, group, contact_level, messages, contacts and profit of the first wave (`year.first_wave`).

    Returns
    -------
    pandas.DataFrame
        customer_id, campaign, segment, group (treatment or control), messages (in the wave), value (margin of an added
        order), reason.
    """
    chosen = first_wave[first_wave.contacts > 0]
    chosen = chosen.assign(state=_state(chosen)).sort_values(
        ["state", "profit", "campaign"], ascending=[True, False, True]
    )
    chosen = chosen.assign(upto=chosen.groupby("state").contacts.cumsum().astype(int))
    ranked = groups.assign(state=_state(groups))
    ranked = ranked[ranked.state.isin(chosen.state)]
    ranked = ranked.sort_values(["state", "order_margin", "customer_id"], ascending=[True, False, True])
    free = (~ranked.held_out).astype(int)
    place = free.groupby(ranked.state).cumsum() + ranked.held_out  # of a customer who is held out: of the next one
    # Without a next one they belong to the last list, if it takes all others of the group
    place = place.clip(upper=free.groupby(ranked.state).transform("sum"))
    option = _option_at(chosen, ranked.state.to_numpy(), place.to_numpy())
    listed, mine = ranked[option >= 0], chosen.iloc[option[option >= 0]]
    return _described(
        listed[["customer_id", "segment", "recency_days", "orders", "order_margin"]].assign(
            campaign=mine.campaign.to_numpy(),
            messages=mine.messages.to_numpy(),
            group=np.where(listed.held_out, "control", "treatment"),
        )
    )


def _state(table: pd.DataFrame) -> pd.Series:
    """Return group and contact level, which has one digit, as one number."""
    return table.group * 10 + table.contact_level


def _option_at(chosen: pd.DataFrame, state: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return the position in `chosen` of the option that takes a place of a group; -1 if none does."""
    width = int(max(chosen.upto.max(), place.max(initial=0))) + 1 if len(chosen) else 1
    ends = chosen.state.to_numpy() * width + chosen.upto.to_numpy()
    found = np.searchsorted(ends, state * width + place)
    inside = np.minimum(found, max(len(chosen) - 1, 0))
    taken = (found < len(chosen)) & (chosen.state.to_numpy()[inside] == state) if len(chosen) else np.zeros(0, bool)
    return np.where(taken, found, -1)


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


def _described(listed: pd.DataFrame) -> pd.DataFrame:
    days, orders = listed.recency_days.astype(str), listed.orders.astype(str)
    counted = orders + np.where(listed.orders == 1, " order", " orders")
    reason = listed.segment + ": " + counted + ", the last " + days + " days ago"
    table = listed.assign(value=listed.order_margin.round(2), reason=reason)
    columns = ["customer_id", "campaign", "segment", "group", "messages", "value", "reason"]
    return table.sort_values(["campaign", "segment", "customer_id"], ignore_index=True)[columns]
