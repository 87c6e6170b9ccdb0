"""What is known of customers beside their transactions: attributes, contacts, past campaigns."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd

from crm_utils.config import Source
from crm_utils.config.paths import SIMULATED, customer_table_path
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES
from crm_utils.sources import casting, simulated, spreadsheets, text_files, validation
from crm_utils.sources.raw_table import TextFormat

YES, NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")
NEEDED = {  # for merging, the key first
    "attributes": ["customer_id"],
    "contacts": ["customer_id", "channel", "consent"],
    "past_campaigns": ["customer_id", "campaign", "group"],
}
ISO_DAY = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?"


def read_customer_tables(
    named: Mapping[str, str], source: Source, root: Path, day: date, merged: dict[str, str] | None = None
) -> dict[str, pd.DataFrame]:
    """Read the tables about customers that a report names: csv, parquet or spreadsheet files, or `simulated`.

    Ids are text. A customer without an answer has not consented. Campaigns after the day are left out, and a contact
    after it is not known yet.

    Parameters
    ----------
    named : mapping of str to str
        A file (its path relative to the project) or `simulated` for each of attributes, contacts and past_campaigns
        that the report has.
    source : Source
        Says how text files write numbers, dates and letters. Days may be ISO in any case.
    root : Path
        The project's folder.
    day : datetime.date
        The analysis date.
    merged : dict of str to str, optional
        Ids that belong to one customer: the id to give up and the id to keep. A refusal, a late contact and a
        control group of either id count for both.

    Returns
    -------
    dict of str to pandas.DataFrame
        attributes: customer_id and any columns; contacts: customer_id, channel, consent, last_contacted,
        external_id; past_campaigns: campaign, customer_id, contacted_on, group.

    Raises
    ------
    SourceMissing
        If a file does not exist.
    SourceError
        If a file cannot be read, or repeats a customer in a campaign.
    """
    root, day = Path(root), pd.Timestamp(day)
    tables = {name: _table(name, where, source, root, day) for name, where in named.items()}
    if "past_campaigns" in tables:
        table = tables["past_campaigns"]
        _refuse_undated(table, f"past_campaigns: {named['past_campaigns']}")
        _refuse_repeats(table, f"past_campaigns: {named['past_campaigns']}")
        tables["past_campaigns"] = table[table.contacted_on.dt.normalize() <= day]
    if "contacts" in tables:
        table = tables["contacts"]
        tables["contacts"] = table.assign(
            last_contacted=table.last_contacted.where(table.last_contacted.dt.normalize() <= day)
        )
    return {name: _merge_ids(table, name, merged or {}) for name, table in tables.items()}


def _merge_ids(table: pd.DataFrame, name: str, merged: dict[str, str]) -> pd.DataFrame:
    """The table with the rows of merged ids as those of one customer; what the id that is kept says stands first."""
    given_up = table.customer_id.isin(merged.keys())
    if not given_up.any() or not set(NEEDED[name]) <= set(table.columns):  # what is missing, the table's contract tells
        return table
    table = table.assign(customer_id=table.customer_id.replace(merged), given_up=given_up)
    one = table.customer_id.isin(table.customer_id[given_up])
    both = table[one].sort_values("given_up", kind="stable")
    key = NEEDED[name][:2]
    if name == "contacts":
        said = both.groupby(key)
        both = both.assign(consent=said.consent.transform("all"), last_contacted=said.last_contacted.transform("max"))
    elif name == "past_campaigns":
        both = both.sort_values("group", kind="stable")  # control before treatment
    return pd.concat([table[~one], both.drop_duplicates(key)], ignore_index=True).drop(columns="given_up")


def _table(name: str, where: str, source: Source, root: Path, day: pd.Timestamp) -> pd.DataFrame:
    if where == SIMULATED:
        if source.simulate is None:
            raise SourceError(f"{name}: simulated needs a simulated source; name a file")
        return simulated.customer_table(source.simulate, name, day)
    format = TextFormat.of(source)
    try:
        table = _read(customer_table_path(name, where, root), root, format)
    except SourceError as error:
        said = str(error)
        raise type(error)(said if said.startswith(f"{name}: ") else f"{name}: {said}") from None
    label = f"{name}: {where}"
    _refuse_missing(table, "customer_id", label)
    table = table.assign(customer_id=_ids(table.customer_id))
    if name == "attributes":
        return table.assign(
            **{column: _number_or_text(table[column], format) for column in table if column != "customer_id"}
        )
    dated = "last_contacted" if name == "contacts" else "contacted_on"
    _refuse_missing(table, dated, label)
    texts = {column: _text(table[column]) for column in table if column not in (dated, "customer_id")}
    if "consent" in texts:
        texts["consent"] = _consent(texts["consent"], label)
    return table.assign(**texts, **{dated: _days(table[dated], dated, label, format)})


def _read(path: Path, root: Path, format: TextFormat) -> pd.DataFrame:
    """A file as it stands; a csv as text. It may be in UTF-8, and parted by other marks than the line items."""
    encoding = None
    if text_files.file_kind(path) == "csv" and format.encoding and text_files.guess_encoding(path, root):
        encoding = format.encoding
    if text_files.file_kind(path) == "xlsx" and len(names := spreadsheets.sheet_shapes(path)) > 1:
        raise SourceError(
            f"{path.name} has {len(names)} sheets ({', '.join(map(repr, names))}): keep the table in a file of its own"
        )
    (part,) = text_files.read_file(path, None, root, replace(format, encoding=encoding, delimiter=None))
    return validation.execute(part.table, part)


def _text(column: pd.Series) -> pd.Series:
    """A column as text without blanks around it; whole numbers without decimals; null where nothing stands."""
    texts = column.astype("str").str.strip().str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    return texts.where(texts != "")


def _ids(column: pd.Series) -> pd.Series:
    texts = _text(column)
    return texts.where(~texts.isin(casting.NULL_IDS))


def _number_or_text(column: pd.Series, format: TextFormat) -> pd.Series:
    """A column of a csv as numbers where all of it are; one of a typed file as it is."""
    if not pd.api.types.is_string_dtype(column):
        return column
    texts = _text(column)
    decimal = format.decimal or "."
    numbers = pd.to_numeric(texts.str.replace(decimal, ".") if decimal != "." else texts, errors="coerce")
    return numbers if numbers.notna().equals(texts.notna()) else texts


def _consent(texts: pd.Series, label: str) -> pd.Series:
    said = texts.str.lower()
    unclear = texts[texts.notna() & ~said.isin([*YES, *NO])]
    if len(unclear):
        raise SourceError(
            f"{label}, column 'consent': {MESSAGES.plural(len(unclear), 'row')} with neither yes nor no, "
            f"for example {unclear.iloc[0]!r}; write them as true or false"
        )
    return said.isin(YES)


def _days(column: pd.Series, name: str, label: str, format: TextFormat) -> pd.Series:
    """The moments of a column: as the file types them, as ISO text, or as `source.date_format` says."""
    texts = _text(column)
    days = pd.to_datetime(texts.where(texts.str.fullmatch(ISO_DAY)), errors="coerce", format="ISO8601")
    if format.date_format and format.date_format != casting.EXCEL:
        days = days.fillna(pd.to_datetime(texts, errors="coerce", format=format.date_format))
    lost = texts[days.isna() & texts.notna()]
    if len(lost):
        raise SourceError(
            f"{label}, column {name!r}: {MESSAGES.plural(len(lost), 'row')} without a readable date, "
            f"for example {lost.iloc[0]!r}; write them as 2024-12-31"
        )
    return days.astype("datetime64[us]")


def _refuse_missing(table: pd.DataFrame, column: str, label: str) -> None:
    if column not in table.columns:
        raise SourceError(f"{label} has no column {column!r}. It has: {', '.join(map(str, table.columns))}")


def _refuse_undated(table: pd.DataFrame, label: str) -> None:
    if (rows := int(table.contacted_on.isna().sum())) > 0:
        raise SourceError(
            f"{label}, column 'contacted_on': {MESSAGES.plural(rows, 'row')} without a date; whoever is in a campaign, "
            "its control group included, needs the day it was sent"
        )


def _refuse_repeats(table: pd.DataFrame, label: str) -> None:
    """Raise `SourceError` where a customer stands in a campaign more than once, perhaps in both groups."""
    key = ["campaign", "customer_id"]
    if set(key) <= set(table.columns) and table.duplicated(key).any():
        twice = table[table.duplicated(key, keep=False)]
        campaign, customer = twice[key].iloc[0]
        raise SourceError(
            f"{label}, columns 'campaign' and 'customer_id': {MESSAGES.plural(len(twice), 'row')} of customers who "
            f"stand in a campaign more than once, for example customer {customer} in {campaign!r}; "
            "keep one row each, with the group they were drawn into"
        )
