"""Pandas queries in rules: they may compare columns, and call nothing that could write, import or run."""

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a run that finds nothing to do starts in a quarter of the time without them
    import numpy as np
    import pandas as pd

ALLOWED_METHODS = {
    *("isin", "between", "isna", "notna", "isnull", "notnull", "abs", "round"),
    *("str", "startswith", "endswith", "contains", "lower", "upper", "strip", "len"),
    *("dt", "year", "month", "day", "quarter", "dayofweek"),
}

QUOTED_NAME = r"`[^`'\"#\n]*`"  # with a quote in it, it could be code between two texts that each hold a backtick


def check_query(query: str, who: str) -> None:
    """Raises `ValueError` where a query is none, or does more than compare columns with values."""
    if "@" in query:
        raise ValueError(f"{who}: where {query!r} may name columns only, not variables (@)")
    plain = re.sub(QUOTED_NAME, "column", query).strip()
    try:
        tree = ast.parse(plain, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{who}: where {query!r} is no pandas query") from None
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else None
        called = isinstance(node, ast.Call) and not isinstance(node.func, ast.Attribute)
        if called or isinstance(node, (ast.Lambda, ast.comprehension)) or (name and name not in ALLOWED_METHODS):
            what = name or ast.unparse(node)
            raise ValueError(
                f"{who}: where {query!r} may not use {what}; columns may be compared, "
                f"and asked {', '.join(sorted(ALLOWED_METHODS))}"
            )


def evaluate(table: "pd.DataFrame", query: str) -> "np.ndarray":
    """Which rows of a table a query says yes to. Raises `ValueError` where it says anything but yes or no."""
    answer = table.eval(query)
    if str(getattr(answer, "dtype", None)) != "bool":
        raise ValueError("it gives numbers or text, not yes or no: compare columns with values")
    return answer.to_numpy()
