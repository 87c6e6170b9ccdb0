"""Addresses of customers in the table of contacts: which of them a sending tool can use."""

import re

import pandas as pd

from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES, join_names
from crm_utils.core.formula_injection import FORMULA_STARTS
from crm_utils.core.suggestions import did_you_mean, plain_name

GENERIC = "generic"
SEND_FORMATS = (GENERIC, "klaviyo", "mailchimp", "hubspot", "braze")
# Passed through to the lists if the table of contacts has them, and the channel whose row is asked first
ADDRESS_COLUMNS = {"email": "email", "phone": "sms", "first_name": "email", "external_id": "email"}
SMS = "sms"
# Channels whose messages a sending tool sends
TOOL_CHANNELS = ("email", SMS)
# The part before the @ is ASCII, as Mailchimp asks, and starts with a sign with which no formula starts
EMAIL = r"[A-Za-z0-9_][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]*@(?:[^\W_](?:[^\W_]|-)*\.)+[^\W\d_]{2,}"
E164 = r"\+[1-9]\d{6,14}"
# If more of the agreed rows cannot be used, the column is probably another one
MOST_UNUSABLE = 0.5
NAMES = {"email": "e-mail address", "phone": "phone number", "external_id": "external id"}


def normalize_channel(channel: str) -> str:
    """Return a channel without case and signs: E-Mail is email."""
    return re.sub(r"[\W_]", "", channel.casefold())


def normalize_channels(channels: pd.Series) -> pd.Series:
    """Return channels without case and signs; there are few different ones."""
    return channels.map({channel: normalize_channel(channel) for channel in channels.dropna().unique()})


def hide_addresses(message: str) -> str:
    """Return a message without the e-mail addresses and phone numbers in it, for example in a line of a file."""
    return re.sub(r"[^\s,;'\"<>|]+@[^\s,;'\"<>|]+|\+\d[\d ().-]{6,}|\d{9,}", "…", message)


def customer_addresses(contacts: pd.DataFrame) -> pd.DataFrame:
    """Return the addresses of each customer.

    Parameters
    ----------
    contacts : pandas.DataFrame
        customer_id, channel and, as far as the report has them, email, phone, first_name and external_id.

    Returns
    -------
    pandas.DataFrame
        One row per customer (index) with those columns that hold anything. The row of a column's own channel counts
        first: an e-mail address stands in the row of the channel e-mail.
    """
    rows = contacts.assign(named=normalize_channels(contacts.channel)).sort_values(["customer_id", "named"])
    found = {}
    for column, channel in ADDRESS_COLUMNS.items():
        if column in contacts and contacts[column].notna().any():
            ordered = rows.sort_values("named", key=lambda named, own=channel: named != own, kind="stable")
            found[column] = (
                ordered.dropna(subset=column).drop_duplicates("customer_id").set_index("customer_id")[column]
            )
    ids = pd.Index(contacts.customer_id.drop_duplicates().sort_values(), name="customer_id")
    table = pd.DataFrame(found, index=ids)
    return table.assign(phone=format_phones(table.phone)) if "phone" in table else table


def format_phones(phones: pd.Series) -> pd.Series:
    """Write phone numbers as E.164 asks (+442071838750). A number without a country code stays as it is.

    Parameters
    ----------
    phones : pandas.Series
        Text; null where there is none.

    Returns
    -------
    pandas.Series
        The same numbers without blanks, brackets and dashes, with + in place of 00.
    """
    plain = phones.str.replace(r"\(0\)|[\s().\-/\u00a0]", "", regex=True).str.replace(r"^00", "+", regex=True)
    return plain.where(plain.str.fullmatch(E164).fillna(False).astype(bool), phones)


def find_address_problems(contacts: pd.DataFrame, send_format: str) -> pd.Series:
    """Find the rows of contacts whose address a sending tool could not use.

    An address of several customers is one person for the tool, who would get the messages of all of them, and be
    contacted although one of them is held back. So it is used for none of them.

    Parameters
    ----------
    contacts : pandas.DataFrame
        customer_id, channel and addresses (`customer_addresses`).
    send_format : str
        One of `SEND_FORMATS`.

    Returns
    -------
    pandas.Series
        What is wrong, by row of contacts; empty text if nothing is.
    """
    people = customer_addresses(contacts)
    problems = {name: _problems_of(people, name, send_format) for name in NAMES}
    channels, found = normalize_channels(contacts.channel), pd.Series("", index=contacts.index, dtype=object)
    for channel in TOOL_CHANNELS:
        rows = contacts.customer_id[channels == channel]
        for name in reversed(_needed(send_format, channel, people)):
            own = rows.map(problems[name]).fillna("")
            found[own.index[own != ""]] = own[own != ""]
    return found


def _needed(send_format: str, channel: str, people: pd.DataFrame) -> list[str]:
    """Return the columns by which a tool knows a customer of a channel, the most important first."""
    own = "phone" if channel == SMS else "email"
    if send_format == "hubspot":
        return list(dict.fromkeys(["email", own]))
    if send_format in (GENERIC, "braze") and "external_id" in people:
        return ["external_id", own]
    return [own]


def _problems_of(people: pd.DataFrame, name: str, send_format: str) -> pd.Series:
    """Return what is wrong with each customer's address; empty text if nothing is.

    A list without a format may go to any tool, so no address has to be there.
    """
    texts = people[name] if name in people else pd.Series(None, index=people.index, dtype=object)
    texts = texts.astype(object).where(texts.notna())
    plain = texts.str.casefold() if name == "email" else texts
    pattern = {"email": EMAIL, "phone": E164}.get(name)
    wrong = texts.notna() & (
        texts.str.startswith(FORMULA_STARTS).eq(True)
        if pattern is None
        else ~texts.str.fullmatch(pattern).fillna(False).astype(bool)
    )
    shared = plain.notna() & plain.duplicated(keep=False)
    result = pd.Series("", index=people.index, dtype=object)
    result[texts.isna() & (send_format != GENERIC)] = f"no {NAMES[name]}"
    result[wrong] = f"not a valid {NAMES[name]}"
    result[shared & ~wrong] = f"{NAMES[name]} of several customers"
    return result


def valid_addresses(contacts: pd.DataFrame, send_format: str) -> pd.DataFrame:
    """Return the addresses of each customer that a tool takes: those that are wrong, or of several customers, are null.

    Parameters
    ----------
    contacts : pandas.DataFrame
        See `customer_addresses`.
    send_format : str
        One of `SEND_FORMATS`. The generic lists keep phone numbers without a country code.

    Returns
    -------
    pandas.DataFrame
        See `customer_addresses`.
    """
    people = customer_addresses(contacts)
    for name in people.columns.intersection(list(NAMES)):
        if (name, send_format) != ("phone", GENERIC):
            people[name] = people[name].where(_problems_of(people, name, send_format) == "")
    return people


def usable_contacts(contacts: pd.DataFrame | None, send_format: str) -> pd.DataFrame | None:
    """Leave out permissions for addresses that the sending tool could not use.

    Parameters
    ----------
    contacts : pandas.DataFrame or None
        See `find_address_problems`; None if the report names no such table.
    send_format : str
        One of `SEND_FORMATS`.

    Returns
    -------
    pandas.DataFrame or None
        consent is False where the address cannot be used. Adds problem: what is wrong with the address of somebody who
        agreed; empty text if nothing is.
    """
    if contacts is None or "consent" not in contacts:
        return contacts
    problem = find_address_problems(contacts, send_format).where(contacts.consent, "")
    return contacts.assign(problem=problem, consent=contacts.consent & (problem == ""))


def check_contact_addresses(contacts: pd.DataFrame, location: str, send_format: str) -> None:
    """Raise `SourceError` if the sending tool could not use the contacts.

    A few wrong addresses only keep their customers off the lists. If most are wrong, the column is another one.

    Parameters
    ----------
    contacts : pandas.DataFrame
        The table of contacts.
    location : str
        Its file.
    send_format : str
        One of `SEND_FORMATS`.
    """
    agreed, people = contacts[contacts.consent], customer_addresses(contacts)
    channels = normalize_channels(agreed.channel)
    for channel in TOOL_CHANNELS:
        rows = channels == channel
        needed = _needed(send_format, channel, people) if rows.any() and send_format != GENERIC else []
        for name in needed:
            if name not in contacts:
                raise SourceError(_missing_column(contacts, location, name, send_format))
    problems = find_address_problems(contacts, send_format)[agreed.index]
    asked = agreed[channels.isin(TOOL_CHANNELS)].index
    unusable = problems[asked][problems[asked] != ""]
    if len(unusable) > MOST_UNUSABLE * max(len(asked), 1):
        counts = [f"{problem}: {MESSAGES.count(rows)}" for problem, rows in unusable.value_counts().items()]
        raise SourceError(
            f"contacts: {location}: {MESSAGES.count(len(unusable))} of {MESSAGES.plural(len(asked), 'row')} with "
            f"consent cannot be used in lists for {send_format} ({join_names(counts)}), first in row "
            f"{int(unusable.index[0]) + 2}; correct the columns email, phone and external_id"
        )


def _missing_column(contacts: pd.DataFrame, location: str, name: str, send_format: str) -> str:
    others = [str(column) for column in contacts if column not in ("customer_id", "problem")]
    alike = [column for column in others if name in plain_name(column)]
    hint = f"did you mean {alike[0]!r}?" if alike else did_you_mean(name, others)
    return (
        f"contacts: {location} has no column {name!r}, which lists for {send_format} need. "
        f"It has: {', '.join(others)}; "
        f"{f'{hint} Rename it' if hint else 'add it'}, or write budget.send.format: {GENERIC}"
    )
