"""Who may be contacted, and who is held out of every campaign."""

import hashlib

import pandas as pd

from crm_utils.config import Contacting
from crm_utils.sources.contact_addresses import normalize_channels

# Instead of the channels, if the report names no table of contacts
ANY_CHANNEL = "any"


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
        By customer_id: the channels with consent, joined by "|". Without contacts "any" for everybody.
    """
    index = pd.Index(customer_ids, name="customer_id")
    if contacts is None:
        return pd.Series(ANY_CHANNEL, index=index)
    agreed = contacts[contacts.consent].assign(channel=lambda table: normalize_channels(table.channel))
    agreed = agreed.drop_duplicates(["customer_id", "channel"]).sort_values("channel")
    return agreed.groupby("customer_id").channel.agg("|".join).reindex(index).fillna("")


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


def mark_permissions(
    customers: pd.DataFrame, contacts: pd.DataFrame | None, contacting: Contacting | None
) -> pd.DataFrame:
    """Say on which channels each customer of a list may be contacted, and who is held out of every campaign.

    Parameters
    ----------
    customers : pandas.DataFrame
        The list, with customer_id.
    contacts : pandas.DataFrame or None
        The contacts that the sending tool can use (`contact_addresses.usable_contacts`); None if the report names no
        such table.
    contacting : Contacting or None
        How the budget contacts customers; None if the report has no budget, which holds nobody out.

    Returns
    -------
    pandas.DataFrame
        Adds may_contact (the channels with consent, joined by "|"; "no", or "any" without contacts) and held_out ("yes"
        or "no"). A channel whose address the sending tool could not use is not among them.
    """
    ids = customers.customer_id.drop_duplicates()
    channels = consent_channels(contacts, ids)
    held_out = pd.Series(False, index=ids)
    if contacting is not None:
        held_out = universal_holdout(ids, contacting.holdout_share, contacting.seed)
    return customers.assign(
        may_contact=customers.customer_id.map(channels).replace("", "no"),
        held_out=customers.customer_id.map(held_out).map({True: "yes", False: "no"}),
    )
