"""What is known of customers beside their transactions: attributes, contacts, past campaigns."""

from datetime import date
from pathlib import Path

import pandas as pd

from crm_utils import simulate
from crm_utils.formats import plural
from crm_utils.locate import SIMULATED, SourceError, side_file
from crm_utils.params import Shop


def read_all(named: dict[str, str | None], source: dict, root: Path, day: date) -> dict[str, pd.DataFrame]:
    """The tables a report names, by name: a csv or parquet file (path relative to the project) or `simulated`.

    Customer ids are text. Campaigns after the day are left out, and a contact after it is not known yet.
    Raises `SourceMissing` for a file that is not there, `SourceError` for one that cannot be read.
    """
    day = pd.Timestamp(day)
    tables = {name: _read(name, where, source, Path(root), day) for name, where in named.items() if where is not None}
    if "past_campaigns" in tables:
        table = _dated(tables["past_campaigns"], "contacted_on", named["past_campaigns"])
        _refuse_repeats(table, named["past_campaigns"])
        tables["past_campaigns"] = table[table.contacted_on <= day]
    if "contacts" in tables:
        table = _dated(tables["contacts"], "last_contacted", named["contacts"])
        tables["contacts"] = table.assign(last_contacted=table.last_contacted.where(table.last_contacted <= day))
    return tables


def _read(name: str, where: str, source: dict, root: Path, day: pd.Timestamp) -> pd.DataFrame:
    if where == SIMULATED:
        if not source.get("simulate"):
            raise SourceError(f"{name}: simulated needs a simulated source; name a file")
        return simulate.side_table(Shop.model_validate(source["simulate"]), name, day)
    path = side_file(name, where, root)
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype={"customer_id": str})
    except (ValueError, OSError) as error:
        raise SourceError(f"{name}: {where} cannot be read: {str(error).splitlines()[0]}") from error
    if "customer_id" not in table.columns:
        raise SourceError(f"{name}: {where} has no column 'customer_id'. It has: {', '.join(map(str, table.columns))}")
    return table


def _refuse_repeats(table: pd.DataFrame, where: str) -> None:
    """Raise `SourceError` where a customer stands in a campaign more than once, perhaps in both groups."""
    key = ["campaign", "customer_id"]
    if set(key) <= set(table.columns) and table.duplicated(key).any():
        twice = table[table.duplicated(key, keep=False)]
        campaign, customer = twice[key].iloc[0]
        raise SourceError(
            f"{where}, columns 'campaign' and 'customer_id': {plural(len(twice), 'row')} of customers who stand in a campaign more than once, "
            f"for example customer {customer} in {campaign!r}; keep one row each, with the group they were drawn into"
        )


def _dated(table: pd.DataFrame, column: str, where: str) -> pd.DataFrame:
    if column not in table.columns:
        raise SourceError(f"{where} has no column {column!r}. It has: {', '.join(map(str, table.columns))}")
    dates = pd.to_datetime(table[column], errors="coerce").astype("datetime64[us]")
    lost = table[column][dates.isna() & table[column].notna()]
    if len(lost):
        raise SourceError(
            f"{where}, column {column!r}: {plural(len(lost), 'row')} without a readable date, for example {lost.iloc[0]!r}; write them as 2024-12-31"
        )
    return table.assign(**{column: dates})
