"""Whether the data of a published date changed since it was published."""

import ibis.expr.types as ir
import pandas as pd

from crm_utils.cleaning.data_quality import Check, CheckResult
from crm_utils.config.report import PastTotals


def past_totals(ledger: pd.DataFrame, known_orders: ir.Table) -> PastTotals:
    """Return what counts on the analysis date.

    Parameters
    ----------
    ledger : pandas.DataFrame
        See `ledger_after_cancellations`.
    known_orders : ibis.Table
        Orders as of the analysis date (see `orders_as_of`).

    Returns
    -------
    PastTotals
        Rows, orders, customers and revenue.
    """
    last = ledger.iloc[-1]
    return PastTotals(
        rows=int(last.rows_left),
        orders=int(known_orders.count().execute()),
        customers=int(last.customers_left),
        revenue=round(float(last.revenue_left), 2),
    )


def check_past(published: PastTotals | None, ledger: pd.DataFrame, known_orders: ir.Table) -> list[CheckResult]:
    """Warn if a date was published with other figures before.

    Parameters
    ----------
    published : PastTotals or None
        What was published of the date, under the same rules of what counts.
    ledger : pandas.DataFrame
        See `ledger_after_cancellations`.
    known_orders : ibis.Table
        Orders as of the analysis date.

    Returns
    -------
    list of CheckResult
        One warning, or nothing if the figures are the same.
    """
    if published is None or published == (now := past_totals(ledger, known_orders)):
        return []
    return [CheckResult(Check.PAST, False, now.revenue, published.revenue, past=(published, now))]
