"""Who gets which campaign, and who is held back so that its effect can be measured."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from crm_utils.core.errors import BudgetError
from crm_utils.sources.contact_addresses import GENERIC, normalize_channel, normalize_channels, usable_contacts
from crm_utils.sources.permissions import consent_channels, universal_holdout

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
    contacts : pandas.DataFrame or None
        The contacts that the sending tool can use (`contact_addresses.usable_contacts`); None without such a table.
    send_format : str
        The sending tool, one of `contact_addresses.SEND_FORMATS`.
    days_between_contacts : int
        Days for which a customer rests after a contact.
    """

    eligible: pd.DataFrame
    allowed: pd.DataFrame
    consent: pd.Series
    resting: pd.Series
    held_out: pd.Series
    contacts: pd.DataFrame | None = None
    send_format: str = GENERIC
    days_between_contacts: int = 0


def find_audience(
    eligible: pd.DataFrame,
    contacts: pd.DataFrame | None,
    past: pd.DataFrame | None,
    campaigns: pd.DataFrame,
    analysis_date: date,
    days_between_contacts: int,
    holdout_share: float,
    seed: int,
    send_format: str = GENERIC,
) -> Audience:
    """Find whom each campaign may contact in the first wave, who rests, and who is left out of everything.

    Parameters
    ----------
    eligible : pandas.DataFrame
        customer_id × campaign (`unit_economics.eligible_customers`).
    contacts, past, campaigns, analysis_date, days_between_contacts
        See `contactable`.
    holdout_share, seed
        See `permissions.universal_holdout`.
    send_format : str
        The sending tool. Who has no address that it can use is not contacted.

    Returns
    -------
    Audience
    """
    contacts = usable_contacts(contacts, send_format)
    allowed = contactable(eligible, contacts, past, campaigns, analysis_date, days_between_contacts)
    consented = contactable(eligible, contacts, None, campaigns, analysis_date, 0)
    ids = pd.Series(eligible.index)
    return Audience(
        eligible,
        allowed,
        consent_channels(contacts, ids),
        (consented & ~allowed).any(axis=1),
        universal_holdout(ids, holdout_share, seed),
        contacts,
        send_format,
        days_between_contacts,
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
    named, allowed = normalize_channels(agreed.channel), {}
    for name in audience:
        on_channel = agreed if pd.isna(channels[name]) else agreed[named == normalize_channel(channels[name])]
        allowed[name] = audience[name] & audience.index.isin(on_channel.customer_id)
    return pd.DataFrame(allowed, index=audience.index)


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
    ends = pd.to_datetime(past.contacted_on) + pd.to_timedelta(days_of_windows(past, windows), unit="D")
    held = past.customer_id[(past.group == "control") & (ends > pd.Timestamp(analysis_date))]
    return audience.mul(~audience.index.isin(held), axis=0)


def was_sent(past: pd.DataFrame) -> pd.Series:
    """Return who was sent a message: what the sending tool's export says, or else the treatment group.

    Parameters
    ----------
    past : pandas.DataFrame
        Past campaigns: group, and sent if the report names an export.

    Returns
    -------
    pandas.Series of bool
        By row of `past`.
    """
    return past.sent if "sent" in past else past.group == "treatment"


def days_of_windows(past: pd.DataFrame, windows: pd.Series) -> pd.Series:
    """Return the days of each past contact's window.

    Parameters
    ----------
    past : pandas.DataFrame
        campaign.
    windows : pandas.Series
        Days by campaign name. A campaign that is not listed gets the longest window.

    Returns
    -------
    pandas.Series
        Days, by row of `past`.
    """
    return past.campaign.map(windows).fillna(windows.max())


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
