"""Read tables about customers: attributes, contacts and past campaigns."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.config import Sent, Source
from crm_utils.config.paths import SIMULATED, customer_table_paths
from crm_utils.core.duckdb_engine import materialize
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES
from crm_utils.sources import casting, encodings, sent_messages, simulated, spreadsheets, text_files, validation
from crm_utils.sources.contact_addresses import hide_addresses
from crm_utils.sources.email_ids import fold_email_ids
from crm_utils.sources.raw_table import TextFormat

# At least this share of the customers of a file, or of the transactions if those are fewer, must be in both.
MIN_KNOWN_SHARE = 0.05
YES, NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")
REQUIRED = {  # columns needed to merge ids, the key first
    "attributes": ["customer_id"],
    "contacts": ["customer_id", "channel", "consent"],
    "past_campaigns": ["customer_id", "campaign", "group"],
}
ISO_DAY = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?"


def read_customer_tables(
    named: Mapping[str, str],
    source: Source,
    root: Path,
    day: date,
    merged: dict[str, str] | None = None,
    sent: Sent | None = None,
) -> dict[str, pd.DataFrame]:
    """Read a report's tables about customers: csv, parquet or spreadsheet files, or `simulated`.

    Ids are text. An empty consent means no consent. Campaigns after the analysis date are left out, and contact dates
    after it become null.

    Parameters
    ----------
    named : mapping of str to str
        For each of attributes, contacts and past_campaigns that the report has: a file (its path is relative to the
        project) or `simulated`.
    source : Source
        Its encoding, decimal and date_format apply to these files too. Dates may always be ISO.
    root : Path
        The project's folder.
    day : datetime.date
        The analysis date.
    merged : dict of str to str, optional
        Ids that belong to one customer: the id to drop and the id to keep. If their rows differ, the customer has not
        consented, was contacted on the later date, and is in the control group.
    sent : Sent, optional
        The sending tool's export. It says which of the past campaigns' customers were sent a message, and brings the
        contacts up to date (`sent_messages.update_contacts`).

    Returns
    -------
    dict of str to pandas.DataFrame
        attributes: customer_id and any columns; contacts: customer_id, channel, consent, last_contacted,
        external_id; past_campaigns: campaign, customer_id, contacted_on, group, and with an export sent, bounced and
        unsubscribed; with an export also sent_messages (`sent_messages.match_sent_messages`).

    Raises
    ------
    SourceMissing
        If a file does not exist.
    SourceError
        If a file cannot be read, or has several rows for one customer in a campaign.
    """
    root, day = Path(root), pd.Timestamp(day)
    tables = {name: _read_table(name, location, source, root, day) for name, location in named.items()}
    if "past_campaigns" in tables:
        table = tables["past_campaigns"]
        _check_dated(table, f"past_campaigns: {named['past_campaigns']}")
        _check_one_row_per_customer(table, f"past_campaigns: {named['past_campaigns']}")
        tables["past_campaigns"] = table[table.contacted_on.dt.normalize() <= day]
    if sent is not None:
        tables |= _with_sent_messages(tables, sent, source, root, day)
    if "contacts" in tables:
        table = tables["contacts"]
        tables["contacts"] = table.assign(
            last_contacted=table.last_contacted.where(table.last_contacted.dt.normalize() <= day)
        )
    same = merged or {}
    return {
        name: _merge_ids(_merge_ids(table, name, _spellings(table, source)), name, same)
        for name, table in tables.items()
    }


def _with_sent_messages(
    tables: dict[str, pd.DataFrame], sent: Sent, source: Source, root: Path, day: pd.Timestamp
) -> dict[str, pd.DataFrame]:
    """Return past campaigns, sent messages and contacts as the sending tool's export has them."""
    planned, contacts = tables["past_campaigns"], tables.get("contacts")
    missing = [column for column in (*REQUIRED["past_campaigns"], "group") if column not in planned]
    missing += [column for column in REQUIRED["contacts"] if contacts is not None and column not in contacts]
    if missing or planned.empty:
        return {}  # the contract names missing columns; nothing was planned by this day
    files = customer_table_paths("sent", sent.file, root)
    try:
        parts = [_read_file(path, root, TextFormat.of(source)).astype("str") for path in files]
    except SourceError as error:
        raise type(error)(f"sent: {hide_addresses(str(error))}") from None
    messages = pd.concat(parts, ignore_index=True)
    past, found = sent_messages.match_sent_messages(messages, planned, contacts, sent, day)
    changed = {"past_campaigns": past, "sent_messages": found}
    return changed if contacts is None else changed | {"contacts": sent_messages.update_contacts(contacts, found)}


def count_known_customers(tables: Mapping[str, pd.DataFrame], orders: ir.Table) -> dict[str, int]:
    """Count the customers of each table who have ordered.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        See `read_customer_tables`.
    orders : ibis.Table
        Orders as of the analysis date.

    Returns
    -------
    dict of str to int
        The name of each table, and how many of its customers have an order.

    Raises
    ------
    SourceError
        If hardly any customer of a table has.
    """
    ids = {name: table.customer_id.dropna().unique() for name, table in tables.items()}
    known = {name: _count_known(found, orders) for name, found in ids.items()}
    for name in REQUIRED.keys() & tables.keys():
        _check_known(name, ids[name], known[name], orders)
    return known


def _count_known(ids: np.ndarray, orders: ir.Table) -> int:
    theirs = ibis.memtable(pd.DataFrame({"customer_id": pd.Series(ids, dtype="str")}))
    return int(theirs.filter(theirs.customer_id.isin(orders.customer_id)).count().execute())


def check_known_ids(tables: Mapping[str, pd.DataFrame], named: Mapping[str, str], lines: ir.Table) -> None:
    """Raise `SourceError` if hardly any customer of a file is among the customers of the line items.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        See `read_customer_tables`.
    named : mapping of str to str
        The file of each table, or `simulated`.
    lines : ibis.Table
        Line items (see `read_line_items`). Their ids are counted in one pass, and only if there is a file.
    """
    files = {name: tables[name].customer_id.dropna().unique() for name in named if named[name] != SIMULATED}
    files = {name: ids for name, ids in files.items() if len(ids)}
    if not files:
        return
    ours = materialize(lines.filter(lines.customer_id.notnull()).select("customer_id").distinct())
    for name, ids in files.items():
        _check_known(f"{name}: {named[name]}", ids, _count_known(ids, ours), ours)


def _check_known(label: str, ids: np.ndarray, known: int, ours: ir.Table) -> None:
    """Raise `SourceError` if hardly any id of a table is in the column customer_id of `ours`."""
    if not len(ids):
        return
    ours = ours.filter(ours.customer_id.notnull()).select("customer_id").distinct()
    customers = int(ours.count().execute())
    if known >= MIN_KNOWN_SHARE * min(len(ids), customers):
        return
    theirs = ibis.memtable(pd.DataFrame({"customer_id": pd.Series(ids, dtype="str")}))
    alike = theirs.filter(_plain(theirs).isin(_plain(ours))).count().execute() > known
    cure = (
        "they differ only in leading zeros or in case, so export both files with the ids as text"
        if alike
        else "give the file the ids of the transactions, or name the column with its ids in columns.customer_id"
    )
    raise SourceError(
        f"{label}, column 'customer_id': {MESSAGES.count(known)} of {MESSAGES.plural(len(ids), 'customer')} of this "
        f"file are among the {MESSAGES.count(customers)} of the transactions; its ids are like "
        f"{_first_ids(theirs)}, those of the transactions like {_first_ids(ours)}; {cure}"
    )


def _plain(table: ir.Table) -> ir.StringColumn:
    return table.customer_id.lower().re_replace("^0+", "")


def _first_ids(table: ir.Table) -> str:
    return ", ".join(map(repr, table.order_by("customer_id").limit(3).execute().customer_id))


def _spellings(table: pd.DataFrame, source: Source) -> dict[str, str]:
    """Map each e-mail address that is written differently in the transactions to the way it is written there."""
    ids = table.customer_id.dropna().drop_duplicates().astype("str")
    folded = fold_email_ids(ids, source.ignore_in_emails)
    return dict(zip(ids[folded != ids], folded[folded != ids], strict=True))


def _merge_ids(table: pd.DataFrame, name: str, merged: dict[str, str]) -> pd.DataFrame:
    """Merge the rows of ids that belong to one customer. Other columns keep the values of the id that is kept."""
    if name == "sent_messages":
        return table.assign(customer_id=table.customer_id.replace(merged))
    dropped = table.customer_id.isin(merged.keys())
    if not dropped.any() or not set(REQUIRED[name]) <= set(table.columns):  # the contract check reports missing columns
        return table
    table = table.assign(customer_id=table.customer_id.map(merged).fillna(table.customer_id), dropped=dropped)
    affected = table.customer_id.isin(table.customer_id[dropped])
    both = table[affected].sort_values("dropped", kind="stable")
    key = REQUIRED[name][:2] + (["contacted_on"] if name == "past_campaigns" else [])
    if name == "contacts":
        rows = both.groupby(key)
        both = both.assign(consent=rows.consent.transform("all"), last_contacted=rows.last_contacted.transform("max"))
    elif name == "past_campaigns":
        flags = [flag for flag in ("sent", "bounced", "unsubscribed") if flag in both]
        both[flags] = both.groupby(key)[flags].transform("any")
        both = both.sort_values("group", kind="stable")  # control before treatment
    return pd.concat([table[~affected], both.drop_duplicates(key)], ignore_index=True).drop(columns="dropped")


def _read_table(name: str, location: str, source: Source, root: Path, day: pd.Timestamp) -> pd.DataFrame:
    if location == SIMULATED:
        if source.simulate is None:
            raise SourceError(f"{name}: `simulated` needs a simulated source; give a file instead")
        return simulated.customer_table(source.simulate, name, day)
    format = TextFormat.of(source)
    try:
        parts = [_read_file(path, root, format) for path in customer_table_paths(name, location, root)]
    except SourceError as error:
        message = hide_addresses(str(error))
        raise type(error)(message if message.startswith(f"{name}: ") else f"{name}: {message}") from None
    table = pd.concat(parts, ignore_index=True)
    label = f"{name}: {location}"
    _check_column_present(table, "customer_id", label)
    table = table.assign(customer_id=_clean_ids(table.customer_id))
    if name == "attributes":
        return table.assign(
            **{column: _number_or_text(table[column], format) for column in table if column != "customer_id"}
        )
    date_column = "last_contacted" if name == "contacts" else "contacted_on"
    if name == "past_campaigns" and "contacted_on" not in table:
        table = table.rename(columns={"send_on": "contacted_on"})  # of the table contact_plan
    _check_column_present(table, date_column, label)
    texts = {column: _clean_text(table[column]) for column in table if column not in (date_column, "customer_id")}
    if "consent" in texts:
        texts["consent"] = _parse_consent(texts["consent"], label)
    if "messages" in texts:
        texts["messages"] = _parse_messages(texts["messages"], label)
    return table.assign(**texts, **{date_column: _parse_dates(table[date_column], date_column, label, format)})


def _read_file(path: Path, root: Path, format: TextFormat) -> pd.DataFrame:
    """Read a file; a csv as text. It may be in UTF-8 or have another delimiter although the line items do not."""
    encoding = None
    if text_files.file_kind(path) == "csv" and format.encoding and encodings.guess_encoding(path):
        encoding = format.encoding
    if text_files.file_kind(path) == "xlsx" and len(names := spreadsheets.sheet_shapes(path)) > 1:
        raise SourceError(
            f"{path.name} has {len(names)} sheets ({', '.join(map(repr, names))}); save the table as a separate file"
        )
    (part,) = text_files.read_file(path, None, root, replace(format, encoding=encoding, delimiter=None))
    return validation.execute(part.table, part)


def _clean_text(column: pd.Series) -> pd.Series:
    """Write a column as trimmed text: whole numbers without decimals, empty values as null."""
    texts = column.astype("str").str.strip().str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    return texts.where(texts != "")


def _clean_ids(column: pd.Series) -> pd.Series:
    texts = _clean_text(column)
    return texts.where(~texts.isin(casting.NULL_IDS))


def _number_or_text(column: pd.Series, format: TextFormat) -> pd.Series:
    """Convert a text column to numbers if all its values are numbers; leave any other column unchanged."""
    if not pd.api.types.is_string_dtype(column):
        return column
    texts = _clean_text(column)
    decimal = format.decimal or "."
    numbers = pd.to_numeric(texts.str.replace(decimal, ".") if decimal != "." else texts, errors="coerce")
    return numbers if numbers.notna().equals(texts.notna()) else texts


def _parse_consent(texts: pd.Series, label: str) -> pd.Series:
    answers = texts.str.lower()
    unclear = texts[texts.notna() & ~answers.isin([*YES, *NO])]
    if len(unclear):
        raise SourceError(
            f"{label}, column 'consent': {MESSAGES.plural(len(unclear), 'row')} without a clear yes or no, "
            f"for example {unclear.iloc[0]!r}; write true or false"
        )
    return answers.isin(YES)


def _parse_messages(texts: pd.Series, label: str) -> pd.Series:
    numbers = pd.to_numeric(texts, errors="coerce")
    wrong = texts[~(numbers >= 1) | (numbers % 1 != 0)]
    if len(wrong):
        raise SourceError(
            f"{label}, column 'messages': {MESSAGES.plural(len(wrong), 'row')} without a number of messages, for "
            f"example {wrong.iloc[0]!r}; write 1 or more"
        )
    return numbers.astype(int)


def _parse_dates(column: pd.Series, name: str, label: str, format: TextFormat) -> pd.Series:
    """Parse a column of dates: typed dates, ISO text, or text that matches `source.date_format`."""
    texts = _clean_text(column)
    days = pd.to_datetime(texts.where(texts.str.fullmatch(ISO_DAY)), errors="coerce", format="ISO8601")
    patterns = format.date_format if isinstance(format.date_format, list) else [format.date_format]
    for pattern in patterns:
        if pattern and pattern != casting.EXCEL:
            days = days.fillna(pd.to_datetime(texts, errors="coerce", format=pattern))
    unreadable = texts[days.isna() & texts.notna()]
    if len(unreadable):
        raise SourceError(
            f"{label}, column {name!r}: {MESSAGES.plural(len(unreadable), 'row')} without a readable date, "
            f"for example {unreadable.iloc[0]!r}; write dates as 2024-12-31"
        )
    return days.astype("datetime64[us]")


def _check_column_present(table: pd.DataFrame, column: str, label: str) -> None:
    if column not in table.columns:
        raise SourceError(
            f"{label} has no column {column!r}. It has: {validation.list_names(list(map(str, table.columns)))}"
        )


def _check_dated(table: pd.DataFrame, label: str) -> None:
    if (rows := int(table.contacted_on.isna().sum())) > 0:
        raise SourceError(
            f"{label}, column 'contacted_on': {MESSAGES.plural(rows, 'row')} without a date; every customer in a "
            "campaign needs the date it was sent, including the control group"
        )


def _check_one_row_per_customer(table: pd.DataFrame, label: str) -> None:
    """Raise `SourceError` if a customer appears in a campaign more than once on a day, perhaps in both groups."""
    key = ["campaign", "customer_id"]
    if set(key) <= set(table.columns) and table.duplicated([*key, "contacted_on"]).any():
        repeated = table[table.duplicated([*key, "contacted_on"], keep=False)]
        campaign, customer = repeated[key].iloc[0]
        raise SourceError(
            f"{label}, columns 'campaign' and 'customer_id': {MESSAGES.plural(len(repeated), 'row')} of customers who "
            f"appear in a campaign more than once on a day, for example customer {customer} in {campaign!r}; "
            "keep one row per customer and day, with the group to which the customer was assigned"
        )
