"""Rules that hold within a table, beyond the type and range of each column."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

# Sums of floats differ in their last digits; rounded amounts differ by cents.
TOLERANCE, CENTS = 1e-6, 0.01
OWN_MODEL = "For predictions of your own, name a model in the parameters file: cltv: {model: my_models:MyModel}."


@dataclass(frozen=True)
class Rule:
    """A rule on the rows of a table.

    Parameters
    ----------
    text : str
        The rule as a message shows it.
    holds : callable
        Returns for each row of the table whether it follows the rule. Values that are not known follow every rule.
    cure : str
        What to do instead, if it is not clear from the rule.
    """

    text: str
    holds: Callable[[pd.DataFrame], pd.Series]
    cure: str = ""


def ascending(*columns: str, cure: str = "") -> Rule:
    """The values of these columns do not fall from one to the next."""

    def holds(table: pd.DataFrame) -> pd.Series:
        numbers = table[list(columns)].apply(pd.to_numeric)
        steps = [
            ~(numbers[low] > numbers[high]) | _close(numbers[low], numbers[high]) for low, high in pairwise(columns)
        ]
        return np.logical_and.reduce(steps)

    return Rule(" ≤ ".join(columns), holds, cure)


def equal(left: str, right: str) -> Rule:
    """Two expressions over the columns have the same value."""
    return Rule(f"{left} = {right}", lambda table: _close(table.eval(left), table.eval(right)))


def running_total(left: str, removed: str) -> Rule:
    """What is left in a row is what the row above left, less what this row removed."""

    def holds(table: pd.DataFrame) -> pd.Series:
        before = table[left].shift(1, fill_value=0) - table[removed]
        return _close(table[left], before.where(table.index > 0, table[left]), CENTS)

    return Rule(f"{left} = {left} of the row above − {removed}", holds)


def share_of_all(share: str, column: str) -> Rule:
    """A share is that of the sum of a column."""
    return Rule(
        f"{share} = {column} ÷ all {column}", lambda table: _close(table[share], table[column] / table[column].sum())
    )


def different(column: str) -> Rule:
    """No value of a column stands in two rows."""
    return Rule(f"{column} differs in all rows", lambda table: ~table[column].duplicated(keep=False))


def same_in_all_rows(text: str, expression: Callable[[pd.DataFrame], pd.Series]) -> Rule:
    """An expression has the same value in all rows."""
    return Rule(text, lambda table: (values := expression(table)) == values.iloc[:1].squeeze())


def falls_with(name: str, by: str, cure: str = "") -> Rule:
    """The names of a column are in alphabetical order when the rows are sorted by falling values of another column."""

    def holds(table: pd.DataFrame) -> pd.Series:
        lowest = table.groupby(name)[by].min().sort_index()
        floor = lowest.cummin().shift(1, fill_value=np.inf)
        return table[by] <= table[name].map(floor) * (1 + TOLERANCE)

    return Rule(f"{by} falls from one {name} to the next", holds, cure)


def describe_failure(rule: Rule, table: pd.DataFrame, key: tuple[str, ...]) -> str | None:
    """Return one line with the number of rows that break a rule and an example; None if no row does."""
    if table.empty or (holds := np.asarray(rule.holds(table), dtype=bool)).all():
        return None
    row, rows = table[~holds].iloc[0], f"{(~holds).sum():,} of {len(table):,} rows"
    shown = [*key, *dict.fromkeys(name for name in re.findall(r"\w+", rule.text) if name in table.columns)]
    example = ", ".join(f"{name} {_write(row[name])}" for name in shown)
    return f"  {rule.text} fails in {rows}, for example {example}. {rule.cure}".rstrip()


def _close(left: pd.Series, right: pd.Series, tolerance: float = TOLERANCE) -> pd.Series:
    """Return where two columns are equal, or one of them is not known."""
    close = np.isclose(left.to_numpy(float), right.to_numpy(float), rtol=TOLERANCE, atol=tolerance)
    return pd.Series(close, index=left.index) | left.isna() | right.isna()


def _write(value: object) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
