"""Check that a table honours its contract, when it is saved and when it is loaded.

Extra columns are allowed, unless their name looks like a misspelt column of the contract.

A contract is checked in one or two steps. `_is_valid` checks whole columns, takes milliseconds for a million rows,
and only returns True or False. If it returns False, pandera coerces the types, checks row by row and lists every
violation, which takes seconds. `_is_valid` is never more lenient than pandera: a check that it does not know fails.
"""

import difflib
from collections.abc import Callable

import numpy as np
import pandas as pd
from pandera.errors import SchemaErrors
from pandera.pandas import Check, Column

from crm_utils.core.contracts.rules import describe_failure
from crm_utils.core.contracts.tables import CONTRACT_VERSION, CONTRACTS, TIME, Contract
from crm_utils.core.errors import TableError
from crm_utils.core.formatting import MESSAGES

__all__ = ["CONTRACTS", "CONTRACT_VERSION", "TIME", "TableError", "check_contract"]

# Pandera's name of a type, and the pandas type of the checked table
STORED_TYPES = {"string[pyarrow]": "str", "datetime64[ns]": TIME}
# Pandera's name of a type check, and the values that it expects
TYPE_NAMES = {"dtype('int64')": "whole numbers", "dtype('bool')": "True and False"}
# From this similarity on, an unknown name is taken for a misspelt one.
NEARLY_EQUAL = 0.8
# Pandera's checks by name, as functions of a whole column
COLUMN_CHECKS: dict[str, Callable[..., bool]] = {
    "greater_than": lambda values, min_value: values.min() > min_value,
    "greater_than_or_equal_to": lambda values, min_value: values.min() >= min_value,
    "less_than_or_equal_to": lambda values, max_value: values.max() <= max_value,
    "in_range": lambda values, min_value, max_value, **_: min_value <= values.min() and values.max() <= max_value,
    "not_empty": lambda values: bool((values != "").all()),
    "finite": lambda values: not np.isinf(values).any(),
    "isin": lambda values, allowed_values: bool(values.isin(allowed_values).all()),
}


def check_contract(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Check that a table honours its contract, and return it with the contract's types.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table. Its index is dropped.
    name : str
        The table's name. A table without a contract (an analyst's own) is returned unchecked.

    Returns
    -------
    pandas.DataFrame
        The table with text as `str`, times as `datetime64[us]`, and whole numbers as `int64`.

    Raises
    ------
    TableError
        One line for each column and broken rule: the number of rows, with up to three examples.
    """
    if name not in CONTRACTS:
        return frame
    contract = CONTRACTS[name]
    checked = frame.reset_index(drop=True)
    violations: list[str] = []
    if not _is_valid(checked, contract):
        try:
            checked = contract.schema.validate(_integers_where_whole(checked, contract), lazy=True)
            # Pandera supports only nanoseconds.
            checked = checked.astype(dict.fromkeys(contract.times, TIME))
        except SchemaErrors as error:
            violations = [_violations(error.failure_cases)]
    violations = violations or [
        line for rule in contract.rules if (line := describe_failure(rule, checked, contract.key))
    ]
    violations += _misspelt_columns(checked, contract)
    if violations:
        raise TableError(f"table {name} breaks its contract:\n" + "\n".join(violations), name)
    return checked


def _misspelt_columns(frame: pd.DataFrame, contract: Contract) -> list[str]:
    """Return one line for each column whose name looks like a misspelt column of the contract."""
    if contract.own_columns:
        return []
    known = [*contract.columns, *contract.optional]
    nearest = {
        str(name): difflib.get_close_matches(str(name), known, n=1, cutoff=NEARLY_EQUAL)
        for name in frame.columns
        if name not in known
    }
    return [
        f"  column {name} is not known; did you mean {near[0]!r}? Give a column of your own a name that differs more."
        for name, near in nearest.items()
        if near
    ]


def _is_valid(frame: pd.DataFrame, contract: Contract) -> bool:
    """Return whether the table honours its contract without a change of types."""
    if not frame.columns.is_unique or not set(contract.columns) <= set(frame.columns):
        return False
    optional = {name: column for name, column in contract.optional.items() if name in frame}
    if not all(_column_is_valid(frame[name], column) for name, column in (contract.columns | optional).items()):
        return False
    key = list(contract.key)
    return not key or _is_sorted(frame, key) or not frame.duplicated(key).any()


def _column_is_valid(values: pd.Series, column: Column) -> bool:
    pandera_type = str(column.dtype)
    if str(values.dtype) != STORED_TYPES.get(pandera_type, pandera_type):
        return False
    if values.hasnans and not column.nullable:
        return False
    return values.empty or all(_passes(values, check) for check in column.checks)


def _passes(values: pd.Series, check: Check) -> bool:
    whole_column_check = COLUMN_CHECKS.get(str(check.name))
    return whole_column_check is not None and whole_column_check(values, **(check.statistics or {}))


def _is_sorted(frame: pd.DataFrame, key: list[str]) -> bool:
    """Return whether each row's key is greater than the previous one, as in every stored table."""
    greater = np.zeros(max(len(frame) - 1, 0), dtype=bool)
    equal = np.ones(max(len(frame) - 1, 0), dtype=bool)
    for name in key:
        values = frame[name]
        if values.hasnans:
            return False
        later, earlier = values.array[1:], values.array[:-1]
        greater |= equal & np.asarray(later > earlier, dtype=bool)
        equal &= np.asarray(later == earlier, dtype=bool)
    return bool(greater.all())


def _integers_where_whole(frame: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Cast the integer columns of the contract whose numbers have no fraction to integers."""
    integers = [name for name, column in contract.columns.items() if str(column.dtype) == "int64" and name in frame]
    numbers = [name for name in integers if pd.api.types.is_numeric_dtype(frame[name])]
    return frame.astype({name: "int64" for name in numbers if (frame[name] % 1 == 0).all()})


def _violations(cases: pd.DataFrame) -> str:
    """Return one line for each column and rule of pandera's failure cases."""
    # A check on a column of the wrong type fails as well, but the wrong type already has its own line.
    cases = cases[~cases.failure_case.astype("str").str.startswith("TypeError(")]
    lines = [
        _repeated_keys(cases[cases.check == rule])
        if rule == "multiple_fields_uniqueness"
        else _violation(column, rule, group)
        for (column, rule), group in cases.groupby(["column", "check"], dropna=False, sort=True)
    ]
    return "\n".join(dict.fromkeys(lines))


def _violation(column: str, rule: str, cases: pd.DataFrame) -> str:
    if rule == "column_in_dataframe":
        return f"  column {cases.failure_case.iloc[0]} is missing"
    if rule in TYPE_NAMES:
        return f"  {column} is {cases.failure_case.iloc[0]}; {TYPE_NAMES[rule]} are needed"
    rows = MESSAGES.plural(cases["index"].nunique() or len(cases), "row")
    examples = ", ".join(map(repr, cases.failure_case.drop_duplicates().head(3).tolist()))
    return f"  {column}: {rule} fails in {rows}, for example {examples}"


def _repeated_keys(cases: pd.DataFrame) -> str:
    """Return one line for rows that share a key. Pandera lists each column of the key separately."""
    first = cases[cases["index"] == cases["index"].iloc[0]].sort_values("column")
    example = " and ".join(f"{row.column} {row.failure_case!r}" for row in first.itertuples())
    rows = MESSAGES.plural(cases["index"].nunique(), "row")
    return f"  {rows} share their key with another, for example {example}: keep one of each"
