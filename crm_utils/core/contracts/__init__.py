"""The contract of each table, checked when it is saved and loaded. Extra columns are welcome."""

import numpy as np
import pandas as pd
from pandera.errors import SchemaErrors

from crm_utils.core.contracts.tables import CONTRACT_VERSION, CONTRACTS, TIME, Contract
from crm_utils.core.errors import TableError
from crm_utils.core.formatting import plural

__all__ = ["CONTRACTS", "CONTRACT_VERSION", "TIME", "TableError", "check_contract"]

STORED_TYPES = {
    "string[pyarrow]": "str",
    "datetime64[ns]": TIME,
}  # pandera's name of a type, and the type as it is handed out

TYPE_NAMES = {"dtype('int64')": "whole numbers", "dtype('bool')": "True and False"}

WHOLE_COLUMN_RULES = {  # pandera's rules, for whole columns
    "greater_than": lambda values, min_value: values.min() > min_value,
    "greater_than_or_equal_to": lambda values, min_value: values.min() >= min_value,
    "less_than_or_equal_to": lambda values, max_value: values.max() <= max_value,
    "in_range": lambda values, min_value, max_value, **_: min_value <= values.min() and values.max() <= max_value,
    "not_empty": lambda values: bool((values != "").all()),
    "finite": lambda values: not np.isinf(values).any(),
    "isin": lambda values, allowed_values: bool(values.isin(allowed_values).all()),
}


def check_contract(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The frame, coerced to the types of table `name` and proven to honour its contract.

    Raises `TableError` with one line for each column and broken rule: how many rows, and up to three examples.
    An analyst's own table (a name without a contract) passes as it is.
    """
    if name not in CONTRACTS:
        return frame
    contract = CONTRACTS[name]
    if _already_valid(frame, contract):
        return frame.reset_index(drop=True)
    try:
        checked = contract.schema.validate(_integers_where_whole(frame.reset_index(drop=True), contract), lazy=True)
    except SchemaErrors as error:
        raise TableError(f"table {name} breaks its contract:\n{_violations(error.failure_cases)}") from None
    return checked.astype(dict.fromkeys(contract.times, TIME))  # pandera knows nanoseconds only


def _already_valid(frame: pd.DataFrame, contract: Contract) -> bool:
    """Whether nothing is to be coerced or told. Pandera takes seconds a million rows to find that out; this does not."""
    if not frame.columns.is_unique or not set(contract.columns) <= set(frame.columns):
        return False
    for name, column in contract.columns.items():
        values = frame[name]
        wanted = STORED_TYPES.get(str(column.dtype), str(column.dtype))
        if str(values.dtype) != wanted or (values.hasnans and not column.nullable):
            return False
        if len(frame) and not all(
            rule.name in WHOLE_COLUMN_RULES and WHOLE_COLUMN_RULES[rule.name](values, **rule.statistics)
            for rule in column.checks
        ):
            return False
    key = list(contract.key)
    return not key or _is_sorted(frame, key) or not frame.duplicated(key).any()


def _integers_where_whole(frame: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """The frame with numbers that have no fraction as integers, in the columns that are to hold such."""
    counts = [name for name, column in contract.columns.items() if str(column.dtype) == "int64" and name in frame]
    numbers = [name for name in counts if pd.api.types.is_numeric_dtype(frame[name])]
    return frame.astype({name: "int64" for name in numbers if (frame[name] % 1 == 0).all()})


def _is_sorted(frame: pd.DataFrame, key: list[str]) -> bool:
    """Whether each row's key comes after the one before it, as in every stored table."""
    above, equal = np.zeros(max(len(frame) - 1, 0), bool), True
    for values in (frame[name] for name in key):
        if values.hasnans:
            return False
        later, earlier = values.array[1:], values.array[:-1]
        above |= equal & np.asarray(later > earlier, bool)
        equal = equal & np.asarray(later == earlier, bool)
    return bool(above.all())


def _violations(cases: pd.DataFrame) -> str:
    lines = []
    cases = cases[
        ~cases.failure_case.astype("str").str.startswith("TypeError(")
    ]  # a rule met a type that is told already
    for (column, rule), group in cases.groupby(["column", "check"], dropna=False, sort=True):
        if rule == "column_in_dataframe":
            lines.append(f"  column {group.failure_case.iloc[0]} is missing")
            continue
        if rule in TYPE_NAMES:
            lines.append(f"  {column} is {group.failure_case.iloc[0]}, where {TYPE_NAMES[rule]} are needed")
            continue
        if rule == "multiple_fields_uniqueness":
            lines.append(_repeated(cases[cases.check == rule]))
            continue
        examples = ", ".join(map(repr, group.failure_case.drop_duplicates().head(3).tolist()))
        lines.append(
            f"  {column}: {rule} fails in {plural(group['index'].nunique() or len(group), 'row')}, for example {examples}"
        )
    return "\n".join(dict.fromkeys(lines))


def _repeated(cases: pd.DataFrame) -> str:
    """One line for rows that share a key, whose columns pandera tells one by one."""
    first = cases[cases["index"] == cases["index"].iloc[0]].sort_values("column")
    example = " and ".join(f"{row.column} {row.failure_case!r}" for row in first.itertuples())
    return f"  {plural(cases['index'].nunique(), 'row')} share their key with another, for example {example}: keep one of each"
