"""The currency of a new report, judged on all rows."""

from collections.abc import Mapping

import pandas as pd

from crm_utils.commands.new_report.inference import CODES
from crm_utils.config.report import Currency
from crm_utils.core.formatting import MESSAGES, join_names
from crm_utils.core.suggestions import plain_name
from crm_utils.sources.preparation import CURRENCY_COLUMNS, in_yaml

CODE = "[A-Z]{3}"
SEVERAL = (
    "source.currency: column {column!r} contains {codes}. Write keep: {main} instead of keep: ??? to count {main} "
    "only, or rates: rates.csv instead to convert all (a csv with the columns currency and rate). Until then the "
    "report is refused"
)


def find_currencies(counted: Mapping[str, pd.DataFrame]) -> tuple[str, pd.DataFrame] | None:
    """Find the column that says in which currency a row is.

    Parameters
    ----------
    counted : mapping of str to pandas.DataFrame
        The values of each column on all rows, with their rows and money (see `statuses.count_texts`).

    Returns
    -------
    tuple of str and pandas.DataFrame, or None
        The column, and per code its rows and money, the most frequent first.
    """
    for name, values in counted.items():
        codes = values.assign(value=values.value.str.upper()).groupby("value")[["rows", "money"]].sum()
        is_named = plain_name(name) in CURRENCY_COLUMNS and bool(codes.index.str.fullmatch(CODE).all())
        if is_named or set(codes.index) <= set(CODES):
            return name, codes.sort_values("rows", ascending=False, kind="stable")
    return None


def propose_currency(counted: Mapping[str, pd.DataFrame], to_check: list[str]) -> tuple[str | None, Currency | None]:
    """Return the most frequent currency, and the rule for the others if there are several, with a line to check."""
    found = find_currencies(counted)
    if found is None:
        return None, None
    column, codes = found
    main = str(codes.index[0])
    if len(codes) == 1:
        return main, None
    shown = [
        f"{code} ({MESSAGES.plural(rows, 'row')}{f', {MESSAGES.number(money, 2)}' if money else ''})"
        for code, rows, money in codes.itertuples()
    ]
    to_check.append(SEVERAL.format(column=column, codes=join_names(shown), main=in_yaml(main)))
    return main, Currency(column=column, keep=main)
