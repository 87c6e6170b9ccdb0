"""The findings of 01_cleaning: one function per section of the notebook."""

from datetime import date

import pandas as pd

from crm_utils.cleaning import charts, narrative, tables
from crm_utils.cleaning.data_quality import CheckResult, DataSummary
from crm_utils.core.display.finding import Finding
from crm_utils.core.formatting import NumberFormat

WATERFALL_CAPTION = (
    "Revenue as it was read, what each rule took away or added, and what counts as sales. Rules that did not change "
    "the revenue are left out."
)
MONTHS_CAPTION = (
    "Revenue by calendar month, as it was ordered, without later cancellations. A hatched bar is a month that is not "
    "complete on the analysis date."
)


def counted_rows(ledger: pd.DataFrame, analysis_date: date, fmt: NumberFormat) -> Finding:
    """Show how many rows count as sales, and what happened to the others.

    Parameters
    ----------
    ledger : pandas.DataFrame
        The complete ledger (see `ledger_after_cancellations`).
    analysis_date : datetime.date
        The last day whose orders count.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, waterfall of the revenue (if a rule changed it) and ledger.
    """
    return Finding(
        narrative.counted_rows(ledger, analysis_date, fmt),
        charts.plot_waterfall(ledger, fmt),
        WATERFALL_CAPTION,
        charts.alt_text_waterfall(ledger, fmt),
        tables.ledger(ledger, fmt),
    )


def removed_rows(ledger: pd.DataFrame, ordered: float, adjusted: float, fmt: NumberFormat) -> Finding:
    """Show which rules removed rows, and check that the orders add up to the ledger.

    Parameters
    ----------
    ledger : pandas.DataFrame
        The complete ledger.
    ordered : float
        Revenue of all orders as they were placed (see `total_revenue`).
    adjusted : float
        Revenue of all adjustments: 0 or negative.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence.

    Raises
    ------
    ValueError
        If orders and adjustments differ from the last row of the ledger by more than 0.01.
    """
    left, total = ledger.revenue_left.iloc[-1], ordered + adjusted
    if abs(left - total) > 0.01:
        raise ValueError(
            f"the ledger ends at {left:,.2f}, the orders and adjustments at {total:,.2f}: they must agree to 0.01"
        )
    return Finding(narrative.removed_rows(ledger, fmt))


def cancellations(
    method: str,
    ordered: float,
    adjustments: pd.DataFrame,
    unmatched: pd.DataFrame,
    ledger: pd.DataFrame,
    fmt: NumberFormat,
) -> Finding:
    """Show what became of cancelled sales.

    Parameters
    ----------
    method : {"drop", "net", "match"}
        What happens to cancelled lines.
    ordered : float
        Revenue of all orders as they were placed.
    adjustments : pandas.DataFrame
        See `order_adjustments`.
    unmatched : pandas.DataFrame
        See `unmatched_cancellations`.
    ledger : pandas.DataFrame
        The complete ledger.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, and a table of the largest cancellations without a sale; not applicable if cancellations are dropped.
    """
    sentence = narrative.cancellations(method, ordered, adjustments, unmatched, ledger, fmt)
    return Finding(sentence, table=tables.unmatched(unmatched, fmt))


def caps(caps: dict[str, float], ledger: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show where extreme values are capped.

    Parameters
    ----------
    caps : dict of str to float
        See `fit_caps`.
    ledger : pandas.DataFrame
        The complete ledger.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence; not applicable without caps.
    """
    return Finding(narrative.caps(caps, ledger, fmt))


def data_quality(checks: list[CheckResult], summary: DataSummary, fmt: NumberFormat) -> Finding:
    """Show whether the data can be trusted.

    Parameters
    ----------
    checks : list of CheckResult
        See `run_checks`.
    summary : DataSummary
        See `summarize_data`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, and a table of the checks, warnings first.
    """
    sentence = narrative.data_quality(checks, fmt)
    brief = narrative.data_quality_in_brief(checks, fmt)
    return Finding(sentence, table=tables.checks(checks, summary, fmt), brief=brief)


def revenue_by_month(months: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show how revenue developed, and whether new customers still come.

    Parameters
    ----------
    months : pandas.DataFrame
        See `monthly_revenue`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, bars and table.
    """
    return Finding(
        narrative.revenue_by_month(months, fmt),
        charts.plot_revenue_by_month(months, fmt),
        MONTHS_CAPTION,
        charts.alt_text_revenue_by_month(months, fmt),
        tables.months(months, fmt),
    )


def customer_features(features: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show what customers buy, and at what price.

    Parameters
    ----------
    features : pandas.DataFrame
        See `compute_customer_features`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table of quartiles; not applicable if the source has no column for it.
    """
    return Finding(narrative.customer_features(features), table=tables.customer_features(features, fmt))


def customer_tables(
    named: dict[str, pd.DataFrame], known: dict[str, int], customers: int, fmt: NumberFormat
) -> Finding:
    """Show what is known of customers besides their transactions.

    Parameters
    ----------
    named : dict of str to pandas.DataFrame
        See `read_customer_tables`.
    known : dict of str to int
        How many customers of each table have ordered (see `count_known_customers`).
    customers : int
        Customers that the report counts.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence; not applicable if the report names no such table.
    """
    return Finding(narrative.customer_tables(named, known, customers, fmt))
