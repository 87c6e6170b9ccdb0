"""E-mail addresses as customer ids: what differs between two spellings of the same address."""

from collections.abc import Collection
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.core import duckdb_engine

EMAIL = "@"
PLUS_TAGS, GMAIL_DOTS = "plus_tags", "gmail_dots"
TAG = r"\+[^@]*@"  # anna+shop@example.org
GMAIL = r"@(gmail|googlemail)\.com$"  # for which dots before the @ mean nothing
HOST = r"@.*$"


@dataclass(frozen=True)
class EmailSpellings:
    """How many e-mail addresses are customers, and how many are spellings of another one.

    Parameters
    ----------
    customers : int
        Customers whose id is an e-mail address.
    merged : int
        Addresses that differ from that of a customer in case, outer blanks and what the parameters ignore.
    alike : int
        Customers whose address differs from another in +tags or in dots of Gmail only.
    """

    customers: int
    merged: int
    alike: int


@dataclass(frozen=True)
class SharedEmails:
    """Customer ids that stand beside the same e-mail address as another id.

    Parameters
    ----------
    column : str
        The source's column of addresses.
    addresses : int
        Addresses that stand beside several ids.
    ids : int
        The ids beside them.
    example : str
        Two ids of one address.
    """

    column: str
    addresses: int
    ids: int
    example: str


def count_shared_emails(rows: ir.Table, column: str) -> SharedEmails:
    """Count the addresses that stand beside several customer ids.

    Parameters
    ----------
    rows : ibis.Table
        customer_id and address, as text.
    column : str
        The source's column of addresses.

    Returns
    -------
    SharedEmails
        The counts; 0 if each address stands beside one id.
    """
    pairs = rows.filter(rows.address.contains(EMAIL) & rows.customer_id.notnull())
    pairs = pairs.select("customer_id", address=pairs.address.strip().lower()).distinct()
    beside = pairs.group_by("address").agg(
        ids=pairs.count(), first=pairs.customer_id.min(), last=pairs.customer_id.max()
    )
    shared = beside.filter(beside.ids > 1)
    pair = shared["first"] + ibis.literal(" and ") + shared["last"]
    counts = shared.aggregate(addresses=shared.count(), ids=shared.ids.sum(), example=pair.min())
    found = counts.execute().iloc[0].fillna(0)
    return SharedEmails(column, int(found.addresses), int(found.ids), str(found.example or ""))


def count_spellings(tables: list[ir.Table], ignored: Collection[str]) -> EmailSpellings:
    """Count the spellings of e-mail addresses.

    Parameters
    ----------
    tables : list of ibis.Table
        Of each part of the source the customer ids as they are written, in a column `spelling`.
    ignored : collection of {"plus_tags", "gmail_dots"}
        What makes no difference.

    Returns
    -------
    EmailSpellings
        The counts.
    """
    distinct = [
        table.filter(table.spelling.contains(EMAIL)).select(spelling=table.spelling.strip()).distinct()
        for table in tables
    ]
    # MariaDB has no replacement by pattern, so the distinct addresses of a server are compared here
    spellings = duckdb_engine.to_duckdb(distinct[0]) if len(distinct) == 1 else duckdb_engine.concatenate(distinct)
    lower = spellings.spelling.lower()
    counts = spellings.aggregate(
        spellings=spellings.spelling.nunique(),
        customers=ignore_in_emails(lower, ignored).nunique(),
        people=ignore_in_emails(lower, [PLUS_TAGS, GMAIL_DOTS]).nunique(),
    )
    found = counts.execute().iloc[0]
    customers = int(found.customers)
    return EmailSpellings(customers, int(found.spellings) - customers, customers - int(found.people))


def ignore_in_emails(ids: ir.StringValue, ignored: Collection[str]) -> ir.StringValue:
    """Write e-mail addresses in lower case without what `ignored` names. Other ids stay as they are.

    Parameters
    ----------
    ids : ibis.StringValue
        Customer ids, in lower case if they are e-mail addresses.
    ignored : collection of {"plus_tags", "gmail_dots"}
        What makes no difference: a tag between `+` and `@`; dots before the `@` of Gmail addresses.

    Returns
    -------
    ibis.StringValue
        The ids.
    """
    if PLUS_TAGS in ignored:
        ids = ids.re_replace(TAG, EMAIL)
    if GMAIL_DOTS in ignored:
        ids = ibis.ifelse(ids.re_search(GMAIL), ids.re_replace(HOST, "").replace(".", "") + "@gmail.com", ids)
    return ids


def fold_email_ids(ids: pd.Series, ignored: Collection[str]) -> pd.Series:
    """The same for a column of a small table, whose addresses may be written in any case."""
    texts = ids.where(~ids.str.contains(EMAIL, regex=False, na=False), ids.str.lower())
    if PLUS_TAGS in ignored:
        texts = texts.str.replace(TAG, EMAIL, regex=True)
    if GMAIL_DOTS in ignored:
        plain = texts.str.replace(HOST, "", regex=True).str.replace(".", "", regex=False) + "@gmail.com"
        texts = texts.where(~texts.str.contains("@(?:gmail|googlemail)\\.com$", regex=True, na=False), plain)
    return texts
