"""Check the pandas queries in rules. They may compare columns, but not write files, import modules or run code."""

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # without these imports a run that has nothing to build starts four times as fast
    import numpy as np
    import pandas as pd

ALLOWED_METHODS = {
    *("isin", "between", "isna", "notna", "isnull", "notnull", "abs", "round"),
    *("str", "startswith", "endswith", "contains", "lower", "upper", "strip", "len"),
    *("dt", "year", "month", "day", "quarter", "dayofweek"),
}

LONGEST_SHOWN = 200  # characters of a query
QUOTED_NAME = r"`[^`'\"#\n]*`"  # no quotes: they could hide code between two texts that each contain a backtick


def check_query(query: str, label: str) -> None:
    """Raise `ValueError` if a query is invalid, or does more than compare columns with values."""
    shown = repr(query if len(query) <= LONGEST_SHOWN else f"{query[:LONGEST_SHOWN]}…")
    if "@" in query:
        raise ValueError(f"{label}: where {shown} may only use columns, not variables (@)")
    plain = re.sub(QUOTED_NAME, "column", query).strip()
    try:
        tree = ast.parse(plain, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{label}: where {shown} is not a valid pandas query") from None
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else None
        calls_function = isinstance(node, ast.Call) and not isinstance(node.func, ast.Attribute)
        defines_code = isinstance(node, (ast.Lambda, ast.comprehension))
        if calls_function or defines_code or (name and name not in ALLOWED_METHODS):
            forbidden = name or ast.unparse(node)
            raise ValueError(
                f"{label}: where {shown} may not use {forbidden}; it may compare columns, "
                f"and use {', '.join(sorted(ALLOWED_METHODS))}"
            )


def named_columns(query: str) -> list[str]:
    """Return the columns that a query names, in their order."""
    quoted = {f"quoted_{number}": name[1:-1] for number, name in enumerate(re.findall(QUOTED_NAME, query))}
    places = iter(quoted)
    tree = ast.parse(re.sub(QUOTED_NAME, lambda _: next(places), query).strip(), mode="eval")
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return list(dict.fromkeys(quoted.get(name, name) for name in names))


def evaluate(table: "pd.DataFrame", query: str) -> "np.ndarray":
    """Return which rows of a table match a query. Raises `ValueError` if the result is not boolean."""
    result = table.eval(query)
    if str(getattr(result, "dtype", None)) != "bool":
        raise ValueError("its result is a number or text, not true or false; compare columns with values")
    return result.to_numpy()
