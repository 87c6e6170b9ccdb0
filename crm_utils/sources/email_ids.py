"""E-mail addresses as customer ids: what differs between two spellings of the same address."""

from collections.abc import Collection

import ibis
import ibis.expr.types as ir
import pandas as pd

EMAIL = "@"
PLUS_TAGS, GMAIL_DOTS = "plus_tags", "gmail_dots"
TAG = r"\+[^@]*@"  # anna+shop@example.org
GMAIL = r"@(gmail|googlemail)\.com$"  # for which dots before the @ mean nothing
HOST = r"@.*$"


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
