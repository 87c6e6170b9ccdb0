"""The contract of each table, checked when it is saved and loaded. Extra columns are welcome."""

import pandas as pd
from pandera.errors import SchemaErrors

from crm_utils.schemas.contracts import CONTRACTS, TIME

__all__ = ["CONTRACTS", "TIME", "TableError", "check"]


class TableError(ValueError):
    """A table breaks its contract; the message lists every violation with counts and examples."""


def check(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The frame, coerced to the types of table `name` and proven to honour its contract.

    Raises `TableError` with one line for each column and broken rule: how many rows, and up to three examples.
    An analyst's own table (a name without a contract) passes as it is.
    """
    if name not in CONTRACTS:
        return frame
    contract = CONTRACTS[name]
    try:
        checked = contract.schema.validate(frame.reset_index(drop=True), lazy=True)
    except SchemaErrors as error:
        raise TableError(f"table {name} breaks its contract:\n{_violations(error.failure_cases)}") from None
    return checked.astype(dict.fromkeys(contract.times, TIME))  # pandera knows nanoseconds only


def _violations(cases: pd.DataFrame) -> str:
    lines = []
    for (column, rule), group in cases.groupby(["column", "check"], dropna=False, sort=True):
        if rule == "column_in_dataframe":
            lines.append(f"  column {group.failure_case.iloc[0]} is missing")
            continue
        examples = ", ".join(map(repr, group.failure_case.drop_duplicates().head(3).tolist()))
        lines.append(
            f"  {column}: {rule} fails in {group['index'].nunique() or len(group):,} rows, for example {examples}"
        )
    return "\n".join(lines)
