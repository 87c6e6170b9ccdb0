"""What the sending tool sent: its export beside the lists that were planned."""

import numpy as np
import pandas as pd

from crm_utils.config import Sent
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES, join_names
from crm_utils.sources.contact_addresses import TOOL_CHANNELS, customer_addresses, normalize_channels

SENT, BOUNCED, UNSUBSCRIBED, NOT_SENT = "sent", "bounced", "unsubscribed", "not sent"
# Words of the tools' exports, without case, blanks and signs
OUTCOMES = {
    SENT: "sent delivered received opened open clicked click true yes y 1 recipient success",
    BOUNCED: "bounced bounce hardbounce softbounce hard soft bouncedemail undelivered dropped failed rejected cleaned",
    UNSUBSCRIBED: "unsubscribed unsubscribe optedout optout spam spamcomplaint markedasspam complaint complained",
    NOT_SENT: "notsent skipped suppressed excluded scheduled queued cancelled canceled false no n 0",
}
WORDS = {word: outcome for outcome, words in OUTCOMES.items() for word in words.split()}
IDS = ("customer_id", "external_id", "email")
# At least this share of the messages must be to somebody we know
MIN_KNOWN_SHARE = 0.05
NOT_PLANNED, UNKNOWN = "not planned", "unknown customer"
COLUMNS = ["campaign", "customer_id", "sent_on", "outcome", "planned"]


def match_sent_messages(
    messages: pd.DataFrame, planned: pd.DataFrame, contacts: pd.DataFrame | None, sent: Sent, day: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare a sending tool's export with the lists that were planned.

    A message belongs to the last wave of its campaign that had begun. A wave begins with its first message, for the
    control group too. Messages after the analysis date are left out.

    Parameters
    ----------
    messages : pandas.DataFrame
        The export as text.
    planned : pandas.DataFrame
        campaign, customer_id, contacted_on (date of the plan), group (treatment or control).
    contacts : pandas.DataFrame or None
        customer_id, channel, and external_id or email if the export knows customers by them.
    sent : Sent
        The names of the export's columns, campaigns and outcomes.
    day : pandas.Timestamp
        The analysis date.

    Returns
    -------
    pandas.DataFrame, pandas.DataFrame
        The planned contacts with sent, bounced and unsubscribed (bool), and the messages: campaign, customer_id (null
        if unknown), sent_on (null if the export has no dates), outcome, and planned (treatment, control, not planned,
        or unknown customer).

    Raises
    ------
    SourceError
        If a column is missing, a word for an outcome is not known, no campaign is one of the plan, a campaign of
        several waves has no dates, or hardly any customer is known.
    """
    label = f"sent: {sent.file}"
    table = _standard_columns(messages, sent, label)
    table["customer_id"] = _find_customers(messages, planned, contacts, sent, label)
    table = table[table.sent_on.isna() | (table.sent_on.dt.normalize() <= day)]
    table = _of_planned_campaigns(table, planned, label)
    table, planned = _match_waves(table, planned, label)
    key = ["campaign", "customer_id", "contacted_on"]
    groups = planned.set_index(key).group
    found = groups.reindex(pd.MultiIndex.from_frame(table[key])).to_numpy(dtype=object)
    table["planned"] = np.where(pd.notna(found), found, np.where(table.customer_id.isna(), UNKNOWN, NOT_PLANNED))
    reached = table[table.outcome != NOT_SENT].set_index(key)
    index = pd.MultiIndex.from_frame(planned[key])
    flags = {
        "sent": index.isin(reached.index),
        "bounced": index.isin(reached.index[reached.outcome == BOUNCED]),
        "unsubscribed": index.isin(reached.index[reached.outcome == UNSUBSCRIBED]),
    }
    return planned.assign(**flags), table[COLUMNS].reset_index(drop=True)


def _standard_columns(messages: pd.DataFrame, sent: Sent, label: str) -> pd.DataFrame:
    """Return campaign, sent_on and outcome of each message."""
    for name, column in sent.columns.items():
        if column not in messages:
            raise SourceError(f"{label} has no column {column!r} (sent.columns.{name}). It has: {', '.join(messages)}")
    columns = sent.columns
    campaign = messages[columns["campaign"]].str.strip() if "campaign" in columns else pd.Series(None, messages.index)
    days = pd.Series(pd.NaT, messages.index, dtype="datetime64[us]")
    if "sent_on" in columns:
        days = _parse_times(messages[columns["sent_on"]], sent, label)
    outcome = pd.Series(SENT, messages.index, dtype=object)
    if "outcome" in columns:
        outcome = _read_outcomes(messages[columns["outcome"]], sent, label)
    return pd.DataFrame(
        {"campaign": campaign.astype(object).replace(sent.campaigns), "sent_on": days, "outcome": outcome}
    )


def _parse_times(texts: pd.Series, sent: Sent, label: str) -> pd.Series:
    given = texts.astype("str").str.strip()
    times = pd.to_datetime(given.where(given != ""), errors="coerce", format=sent.date_format or "ISO8601", utc=True)
    unreadable = given[times.isna() & texts.notna() & (given != "")]
    if len(unreadable):
        raise SourceError(
            f"{label}, column {sent.columns['sent_on']!r}: {MESSAGES.plural(len(unreadable), 'row')} without a "
            f"readable date, for example {unreadable.iloc[0]!r}; set sent.date_format, such as '%d.%m.%Y %H:%M'"
        )
    return times.dt.tz_localize(None).astype("datetime64[us]")


def _read_outcomes(texts: pd.Series, sent: Sent, label: str) -> pd.Series:
    own = {word.strip().casefold(): outcome for word, outcome in sent.outcomes.items()}
    plain = texts.fillna("").str.strip().str.casefold()
    words = plain.str.replace(r"[\W_]", "", regex=True)
    meaning = plain.map(own).astype(object).fillna(words.map(WORDS).astype(object))
    unclear = texts[meaning.isna()].fillna("(empty)").value_counts()
    if len(unclear):
        words = [f"{word!r} ({MESSAGES.plural(rows, 'row')})" for word, rows in unclear.head(5).items()]
        raise SourceError(
            f"{label}, column {sent.columns['outcome']!r}: it is not known what {join_names(words)} "
            f"{'means' if len(unclear) == 1 else 'mean'}; write sent.outcomes: {{{unclear.index[0]}: sent}} "
            "(or bounced, unsubscribed, not sent)"
        )
    return meaning


def _find_customers(
    messages: pd.DataFrame, planned: pd.DataFrame, contacts: pd.DataFrame | None, sent: Sent, label: str
) -> pd.Series:
    """Return the customer of each message; null if unknown. The first of `IDS` that the export has decides."""
    name = next(name for name in IDS if name in sent.columns)
    texts = messages[sent.columns[name]].astype("str").str.strip().replace("", None)
    if name == "customer_id":
        known = pd.concat([planned.customer_id, contacts.customer_id if contacts is not None else None])
        by_id = pd.Series(known.unique(), known.unique())
    else:
        people = customer_addresses(contacts) if contacts is not None else pd.DataFrame()
        if name not in people:
            raise SourceError(f"{label} knows customers by {name}, but contacts has no column {name} with values")
        ids = people[name].dropna()
        ids = ids.str.casefold() if name == "email" else ids
        texts = texts.str.casefold() if name == "email" else texts
        ids = ids[~ids.duplicated(keep=False)]  # an address of several customers is not known
        by_id = pd.Series(ids.index, index=ids.to_numpy())
    found = texts.map(by_id)
    if found.notna().sum() < MIN_KNOWN_SHARE * len(texts):
        raise SourceError(_hardly_any(texts, by_id, int(found.notna().sum()), name, sent.columns[name], label))
    return found


def _hardly_any(texts: pd.Series, by_id: pd.Series, known: int, name: str, column: str, label: str) -> str:
    """Return the message for an export of strangers. It shows ids, but no e-mail address."""
    shown = ""
    if name != "email" and len(by_id):
        shown = f"; its ids are like {texts.dropna().iloc[0]!r}, those of the lists like {by_id.index[0]!r}"
    alike = texts.str.lstrip("0").isin(by_id.index.astype("str").str.lstrip("0")).sum() > known
    whose = "transactions" if name == "customer_id" else "contacts"
    cure = (
        "they differ only in leading zeros, so export the ids as text"
        if alike
        else f"name the column with the ids of your {whose} in sent.columns"
    )
    return (
        f"{label}, column {column!r}: {MESSAGES.count(known)} of {MESSAGES.plural(len(texts), 'message')} went to "
        f"customers who are known{shown}; {cure}"
    )


def _of_planned_campaigns(table: pd.DataFrame, planned: pd.DataFrame, label: str) -> pd.DataFrame:
    """Leave out messages of campaigns that were not planned. Names are compared without case."""
    names = planned.campaign.unique()
    if table.campaign.isna().all():
        if len(names) > 1:
            raise SourceError(
                f"{label} names no campaign, but the lists are of {join_names(list(names))}; name the column with the "
                "campaign in sent.columns"
            )
        return table.assign(campaign=names[0] if len(names) else None)
    by_name = {name.casefold(): name for name in names}
    own = table.campaign.str.casefold().map(by_name)
    if own.isna().all() and len(table):
        others = join_names(sorted(table.campaign.dropna().unique())[:3])
        raise SourceError(
            f"{label}: none of its campaigns ({others}) is on the lists ({join_names(list(names))}); write "
            "sent.campaigns: {name in the tool: name on the list}"
        )
    return table.assign(campaign=own)[own.notna()]


def _match_waves(table: pd.DataFrame, planned: pd.DataFrame, label: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add to each message the day on which its wave began; waves begin on the day of their first message."""
    waves = planned[["campaign", "contacted_on"]].drop_duplicates().sort_values("contacted_on")
    several = waves.campaign[waves.campaign.duplicated()].unique()
    undated = table.sent_on.isna() & table.campaign.isin(several)
    if undated.any():
        raise SourceError(
            f"{label}: {MESSAGES.plural(int(undated.sum()), 'message')} of {join_names(list(several))} without a date, "
            "but it was planned on several days; name the column with the date in sent.columns.sent_on"
        )
    first = waves.drop_duplicates("campaign").set_index("campaign").contacted_on
    table = table.assign(at=table.sent_on.fillna(table.campaign.map(first)).astype("datetime64[us]"))
    planned_on = waves.assign(at=waves.contacted_on.astype("datetime64[us]"))
    matched = pd.merge_asof(table.sort_values("at", kind="stable"), planned_on, on="at", by="campaign")
    began = matched.dropna(subset=["contacted_on", "sent_on"]).groupby(["campaign", "contacted_on"]).sent_on.min()
    days = began.dt.normalize().rename("began").reset_index()
    moved = [
        rows.merge(days, on=["campaign", "contacted_on"], how="left").assign(
            contacted_on=lambda both: both.began.fillna(both.contacted_on)
        )
        for rows in (matched, planned)
    ]
    return moved[0].drop(columns=["at", "began"]), moved[1].drop(columns="began")


def update_contacts(contacts: pd.DataFrame, messages: pd.DataFrame) -> pd.DataFrame:
    """Bring the table of contacts up to date with the messages that were sent since it was exported.

    Parameters
    ----------
    contacts : pandas.DataFrame
        customer_id, channel, consent, last_contacted.
    messages : pandas.DataFrame
        See `match_sent_messages`.

    Returns
    -------
    pandas.DataFrame
        The contacts: whoever unsubscribed has not consented to e-mails and text messages, and a message that was sent
        is a contact.
    """
    reached = messages[(messages.outcome != NOT_SENT) & messages.customer_id.notna()]
    left = contacts.customer_id.isin(reached.customer_id[reached.outcome == UNSUBSCRIBED])
    left &= normalize_channels(contacts.channel).isin(TOOL_CHANNELS)
    last = contacts.customer_id.map(reached.groupby("customer_id").sent_on.max()).astype("datetime64[us]")
    newer = last.notna() & ~(contacts.last_contacted >= last)
    return contacts.assign(consent=contacts.consent & ~left, last_contacted=contacts.last_contacted.where(~newer, last))
