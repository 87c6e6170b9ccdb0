"""The lists for the sending tool: whom to contact, whom to hold back, and whom to leave alone."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from crm_utils.budget.audiences import Audience, days_of_windows
from crm_utils.core.formatting import NumberFormat
from crm_utils.sources.contact_addresses import GENERIC, SMS, TOOL_CHANNELS, normalize_channel, valid_addresses
from crm_utils.sources.permissions import consent_channels

# A tool's own name of a column, as its documentation gives it; other columns keep their names
HEADINGS = {
    GENERIC: {},
    "klaviyo": {"email": "Email", "phone": "Phone Number", "first_name": "First Name", "consent": "crm_consent"},
    "mailchimp": {
        "email": "Email Address",
        "phone": "Phone Number",
        "first_name": "First Name",
        "consent": "crm_consent",
    },
    "hubspot": {"email": "Email", "phone": "Phone Number", "first_name": "First Name", "consent": "crm_consent"},
    "braze": {"consent": "crm_consent"},
}
# Mailchimp's field of contacts without an e-mail address
MAILCHIMP_SMS = "SMS Phone Number"
ADDRESSES = ["email", "phone", "first_name", "external_id"]
PLAN_COLUMNS = [
    "customer_id",
    "campaign",
    "segment",
    "group",
    "messages",
    "send_on",
    "offer_ends",
    "value",
    "reason",
    "assumption",
]
# The first wave of a plan is the one whose lists are written
WAVE = "{day} wave 1"
OFFER_AMOUNT, OFFER_SHARE = "{amount} off one order", "{share}% off one order"
HELD_OUT = "held out of every campaign to measure the effect"
NOT_IN_CONTACTS = "not in the table of contacts"
NO_CONSENT = "no consent"
OPEN_WINDOW = "control group of a campaign whose window is open"
RESTING = "contacted lately"


@dataclass(frozen=True)
class SendLists:
    """The first wave for the sending tool.

    Parameters
    ----------
    plan : pandas.DataFrame
        See `plan_contacts`.
    send, hold_back : dict of (str, str) to pandas.DataFrame
        By campaign and segment: the customers to contact, and those who are held back although they would have been.
    left_alone : pandas.DataFrame
        See `find_do_not_contact`.
    do_not_contact : pandas.DataFrame
        The same as a list. Whom no tool could know, because there is no valid address, comes last.
    """

    plan: pd.DataFrame
    send: dict[tuple[str, str], pd.DataFrame]
    hold_back: dict[tuple[str, str], pd.DataFrame]
    left_alone: pd.DataFrame
    do_not_contact: pd.DataFrame


def plan_contacts(
    targets: pd.DataFrame, campaigns: pd.DataFrame, customers: pd.DataFrame, analysis_date: date
) -> pd.DataFrame:
    """Return who is on a list of the first wave, with dates: the table `contact_plan`.

    Parameters
    ----------
    targets : pandas.DataFrame
        See `audiences.assign_audiences`.
    campaigns : pandas.DataFrame
        One row per campaign.
    customers : pandas.DataFrame
        customer_id, margin_known: whether the data knows the customer's margin.
    analysis_date : datetime.date
        The day before the first wave.

    Returns
    -------
    pandas.DataFrame
        customer_id, campaign, segment, group (treatment or control), messages (in the wave), send_on (date of the
        first message), offer_ends (last day of the offer; null without one), value (margin of an added order, money),
        reason (of the customer's place on the list), assumption: "lift" (of the campaign), "margin" (in the value),
        "lift and margin", or nothing.
    """
    terms = campaigns.set_index("name")
    start = pd.Timestamp(analysis_date + timedelta(days=1))
    days = targets.campaign.map(_offer_days(terms)).astype(float)
    lift = targets.campaign.map(terms.evidence).eq("assumed")
    margin = ~targets.customer_id.isin(customers.customer_id[customers.margin_known])
    cases = {"lift and margin": lift & margin, "lift": lift, "margin": margin}
    table = targets.assign(
        send_on=start,
        offer_ends=start + pd.to_timedelta(days - 1, unit="D"),
        assumption=np.select(list(cases.values()), list(cases), ""),
    )
    return table.astype({"send_on": "datetime64[us]", "offer_ends": "datetime64[us]"})[PLAN_COLUMNS]


def _offer_days(terms: pd.DataFrame) -> pd.Series:
    """Return for how many days each campaign's offer is valid: the campaign's window unless it says how long."""
    has_offer = terms.offer.notna() | (terms.incentive > 0) | (terms.incentive_share > 0)
    return terms.offer_days.fillna(terms.window_days.astype(float)).where(has_offer)


def describe_offers(campaigns: pd.DataFrame, fmt: NumberFormat) -> pd.Series:
    """Return what each campaign offers: its own words, or its incentive; empty text without an incentive.

    Parameters
    ----------
    campaigns : pandas.DataFrame
        name, offer, incentive (money), incentive_share.
    fmt : NumberFormat
        How the report writes money.

    Returns
    -------
    pandas.Series
        Text by campaign.
    """

    def describe(term: pd.Series) -> str:
        if pd.notna(term.offer):
            return term.offer
        if term.incentive:
            return OFFER_AMOUNT.format(amount=fmt.money(term.incentive, 0 if term.incentive % 1 == 0 else 2))
        return OFFER_SHARE.format(share=f"{term.incentive_share * 100:.3g}") if term.incentive_share else ""

    terms = campaigns.set_index("name")[["offer", "incentive", "incentive_share"]]
    return pd.Series([describe(term) for _, term in terms.iterrows()], index=terms.index, dtype=object)


def find_do_not_contact(
    audience: Audience,
    past: pd.DataFrame | None,
    campaigns: pd.DataFrame,
    analysis_date: date,
) -> pd.DataFrame:
    """List the customers who may not be contacted in this wave, each with the most lasting reason.

    Whoever is held out of everything is among them, also if they are on a list in `hold_back`.

    Parameters
    ----------
    audience : Audience
        See `audiences.find_audience`.
    past : pandas.DataFrame or None
        Past campaigns.
    campaigns : pandas.DataFrame
        One row per campaign.
    analysis_date : datetime.date
        The day before the first wave.

    Returns
    -------
    pandas.DataFrame
        customer_id, reason, until (last day for which the reason holds; null if it has no end).
    """
    ids, contacts = audience.held_out.index, audience.contacts
    reasons, until = pd.Series("", index=ids, dtype=object), pd.Series(pd.NaT, index=ids, dtype="datetime64[us]")
    if contacts is not None:
        last = pd.to_datetime(contacts.groupby("customer_id").last_contacted.max()).reindex(ids)
        rested = last + pd.Timedelta(days=audience.days_between_contacts) - pd.Timedelta(days=1)
        resting = rested >= pd.Timestamp(analysis_date)
        reasons[resting], until[resting] = RESTING, rested[resting]
    if past is not None and len(past):
        control, windows = past[past.group == "control"], campaigns.set_index("name").window_days
        ends = pd.to_datetime(control.contacted_on) + pd.to_timedelta(days_of_windows(control, windows), unit="D")
        last_day = ends.groupby(control.customer_id).max().reindex(ids)
        open_window = last_day > pd.Timestamp(analysis_date)
        reasons[open_window], until[open_window] = OPEN_WINDOW, last_day[open_window]
    lasting = {HELD_OUT: audience.held_out.astype(bool)} | _lasting_reasons(contacts, ids)
    for reason, holds in lasting.items():
        reasons[holds], until[holds] = reason, pd.NaT
    table = pd.DataFrame({"customer_id": ids, "reason": reasons.to_numpy(), "until": until.to_numpy()})
    return table[table.reason != ""].reset_index(drop=True)


def _lasting_reasons(contacts: pd.DataFrame | None, ids: pd.Index) -> dict[str, pd.Series]:
    """Return which customers may be contacted on no channel, by reason; the strongest comes last."""
    if contacts is None:
        return {}
    agreed = ids.isin(contacts.customer_id[contacts.consent])
    wrong = contacts[contacts.problem != ""].drop_duplicates("customer_id").set_index("customer_id").problem
    problem = pd.Series(wrong.reindex(ids).fillna("").to_numpy(), index=ids).where(~agreed, "")
    known = ids.isin(contacts.customer_id)
    found = {text: problem == text for text in sorted(set(problem) - {""})}
    found[NO_CONSENT] = pd.Series(known & ~agreed, index=ids) & (problem == "")
    found[NOT_IN_CONTACTS] = pd.Series(~known, index=ids)
    return found


def build_send_lists(
    targets: pd.DataFrame,
    campaigns: pd.DataFrame,
    customers: pd.DataFrame,
    audience: Audience,
    past: pd.DataFrame | None,
    analysis_date: date,
    fmt: NumberFormat,
) -> SendLists:
    """Write the first wave as lists that a sending tool imports as they are.

    Lists of e-mails and text messages have the headings of the tool. Lists of other channels (post, ads) do not go
    through it, and are generic. Dates are ISO 8601. No column changes a subscription: an import that sets it could
    subscribe somebody again who has unsubscribed in the tool.

    Parameters
    ----------
    targets, campaigns, customers, analysis_date
        See `plan_contacts`.
    audience, past
        See `find_do_not_contact`.
    fmt : NumberFormat
        How the report writes money.

    Returns
    -------
    SendLists
    """
    plan = plan_contacts(targets, campaigns, customers, analysis_date)
    left = find_do_not_contact(audience, past, campaigns, analysis_date)
    contacts, send_format = audience.contacts, audience.send_format
    people = valid_addresses(contacts, send_format) if contacts is not None else pd.DataFrame()
    rows = _with_addresses(_list_columns(plan, campaigns, contacts, analysis_date, fmt), people)
    channels = campaigns.set_index("name").channel
    lists: dict[str, dict[tuple[str, str], pd.DataFrame]] = {"treatment": {}, "control": {}}
    for (campaign, segment, group), own in rows.groupby(["crm_campaign", "crm_segment", "group"], sort=True):
        lists[group][campaign, segment] = _in_format(own.drop(columns="group"), channels[campaign], send_format)
    left_alone = _in_format(_left_alone(left, people), "email", send_format)
    return SendLists(plan, lists["treatment"], lists["control"], left, left_alone)


def _list_columns(
    plan: pd.DataFrame, campaigns: pd.DataFrame, contacts: pd.DataFrame | None, analysis_date: date, fmt: NumberFormat
) -> pd.DataFrame:
    """Return the columns of the lists, without addresses, and the group."""
    columns = {
        "crm_campaign": plan.campaign,
        "crm_segment": plan.segment,
        "crm_wave": WAVE.format(day=analysis_date),
        "crm_offer": plan.campaign.map(describe_offers(campaigns, fmt)),
        "send_on": _iso(plan.send_on),
        "offer_ends": _iso(plan.offer_ends),
        "crm_messages": plan.messages,
        "customer_id": plan.customer_id,
        "group": plan.group,
    }
    if contacts is not None:
        columns = {"consent": consent_channels(contacts, plan.customer_id).to_numpy()} | columns
    return pd.DataFrame(columns, index=plan.index)


def _left_alone(left: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `do_not_contact.csv`; those without any address come last."""
    columns = {"crm_reason": left.reason, "crm_until": _iso(left.until), "customer_id": left.customer_id}
    rows = _with_addresses(pd.DataFrame(columns), people)
    unknown = rows[rows.columns.intersection(["email", "phone", "external_id"])].isna().all(axis=1)
    return rows.loc[unknown.sort_values(kind="stable").index]


def _with_addresses(rows: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Put the addresses that the contacts have in front."""
    found = people[[name for name in ADDRESSES if name in people]]
    return pd.concat([found.reindex(rows.customer_id).set_index(rows.index), rows], axis=1)


def _iso(days: pd.Series) -> pd.Series:
    return days.dt.strftime("%Y-%m-%d").astype(object).where(days.notna(), None)


def _in_format(rows: pd.DataFrame, channel: str | None, send_format: str) -> pd.DataFrame:
    """Return a list under a tool's headings, the column by which the tool knows a customer first."""
    named = "" if pd.isna(channel) else normalize_channel(str(channel))
    used = send_format if named in TOOL_CHANNELS else GENERIC
    first = [("phone" if named == SMS else "email")]
    if used == "braze":
        first = ["external_id", *first]
    first = [name for name in first if name in rows]
    rows = rows[[*first, *rows.columns.drop(first)]]
    headings = dict(HEADINGS[used])
    if used == "mailchimp" and named == SMS:
        headings["phone"] = MAILCHIMP_SMS
    return rows.rename(columns=headings)
