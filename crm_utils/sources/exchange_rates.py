"""Rates of exchange, from a file that the report names."""

import csv
import math
from pathlib import Path

from crm_utils.core.errors import SourceError, SourceMissing


def read_rates(file: str, root: Path) -> dict[str, float]:
    """Read a csv with the columns currency and rate.

    Parameters
    ----------
    file : str
        The file, relative to the project.
    root : Path
        The project's folder.

    Returns
    -------
    dict of str to float
        What one unit of each currency is worth in the report's currency. Currencies are in capitals.

    Raises
    ------
    SourceMissing
        If the file does not exist.
    SourceError
        If a column is missing, a rate is not a number above 0, or a currency has two rates.
    """
    path = root / file
    if not path.is_file():
        raise SourceMissing(f"source.currency.rates: {file} does not exist; add the file or correct the name")
    with path.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    rates: dict[str, float] = {}
    for number, row in enumerate(rows, start=2):
        currency, rate = (str(row.get(name) or "").strip() for name in ("currency", "rate"))
        try:
            value = float(rate)
        except ValueError:
            value = math.nan
        if not currency or not 0 < value < math.inf:
            raise SourceError(
                f"{file}, line {number}: {currency or '(empty)'!r} with the rate {rate!r}; each line needs a currency "
                "and a rate above 0 below the heading currency,rate"
            )
        if rates.setdefault(currency.upper(), value) != value:
            raise SourceError(f"{file}, line {number}: a second rate of {currency.upper()}; keep one of them")
    return rates
