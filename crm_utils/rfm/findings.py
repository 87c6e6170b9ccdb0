"""The findings of 02_rfm: one function per section of the notebook."""

import pandas as pd

from crm_utils.config import ScoringConfig
from crm_utils.core.display.finding import Finding
from crm_utils.core.display.table_style import collapsible
from crm_utils.core.formatting import NumberFormat
from crm_utils.rfm import charts, narrative, tables
from crm_utils.rfm.cohorts import MIN_COHORT_CUSTOMERS

DISTRIBUTIONS_CAPTION = (
    "Customers by days since the last order, by number of orders and by revenue. The lines are the limits of the "
    "scores. Orders and revenue are on logarithmic scales."
)
RF_GRID_CAPTION = (
    "Number of customers and their revenue so far, by recency and frequency score. The highest score is best. A dash "
    "means that there is no customer."
)
COHORTS_CAPTION = (
    "Each row is a cohort of first-time buyers, and each column is a period after their first order. Only complete "
    f"periods and cohorts of {MIN_COHORT_CUSTOMERS} or more customers are shown."
)


def concentration(customers: pd.DataFrame, history: pd.DataFrame, shares: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show how much of revenue the best customers brought.

    Parameters
    ----------
    customers : pandas.DataFrame
        See `compute_rfm`.
    history : pandas.DataFrame
        See `compute_history`.
    shares : pandas.DataFrame
        See `top_revenue_shares`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence and a table.
    """
    return Finding(narrative.concentration(customers, history, fmt), table=tables.top_revenue_shares(shares, fmt))


def typical_customer(customers: pd.DataFrame, config: ScoringConfig, fmt: NumberFormat) -> Finding:
    """Show the median customer.

    Parameters
    ----------
    customers : pandas.DataFrame
        See `compute_rfm`.
    config : ScoringConfig
        How customers are scored.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence.
    """
    return Finding(narrative.typical_customer(customers, config, fmt))


def how_scored(config: ScoringConfig) -> Finding:
    """Show how a measure becomes a score.

    Parameters
    ----------
    config : ScoringConfig
        How customers are scored.

    Returns
    -------
    Finding
        A sentence.
    """
    return Finding(narrative.how_scored(config))


def score_boundaries(
    customers: pd.DataFrame, boundaries: pd.DataFrame, config: ScoringConfig, fmt: NumberFormat
) -> Finding:
    """Show the limits of each score.

    Parameters
    ----------
    customers : pandas.DataFrame
        See `score_customers`.
    boundaries : pandas.DataFrame
        See `scoring.score_boundaries`.
    config : ScoringConfig
        How customers were scored.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, histograms, and a table of the limits.
    """
    return Finding(
        narrative.top_scores(boundaries, fmt),
        charts.plot_distributions(customers, boundaries, config, fmt),
        DISTRIBUTIONS_CAPTION,
        charts.alt_text_distributions(boundaries, fmt),
        collapsible(
            "The limits of each score class, and how many customers are in it",
            narrative.empty_classes(boundaries, fmt),
            tables.score_boundaries(boundaries, fmt),
        ),
    )


def scoring_methods(compared: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show how much the method of scoring matters.

    Parameters
    ----------
    compared : pandas.DataFrame
        See `compare_scoring_methods`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table; not applicable if both methods give the same scores.
    """
    return Finding(narrative.scoring_methods(compared, fmt), table=tables.scoring_methods(compared, fmt))


def rf_grid(grid: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show where customers and revenue are.

    Parameters
    ----------
    grid : pandas.DataFrame
        See `cells.rf_grid`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, heat maps and table.
    """
    return Finding(
        narrative.best_cell(grid, fmt),
        charts.plot_rf_grid(grid, fmt),
        RF_GRID_CAPTION,
        charts.alt_text_rf_grid(grid, fmt),
        tables.rf_grid(grid, fmt),
    )


def lowest_cell(customers: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show how many customers score 1 in all three measures.

    Parameters
    ----------
    customers : pandas.DataFrame
        See `score_customers`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence.
    """
    return Finding(narrative.lowest_cell(customers, fmt))


def reference_cells(cells: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show the cells that marketing texts mention.

    Parameters
    ----------
    cells : pandas.DataFrame
        See `cells.reference_cells`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table.
    """
    return Finding(narrative.reference_cells(cells, fmt), table=tables.reference_cells(cells, fmt))


def cohorts(cohorts: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show whether first-time buyers come back.

    Parameters
    ----------
    cohorts : pandas.DataFrame
        See `compute_cohorts`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, heat maps and table; not applicable until a period after a first order is complete.
    """
    return Finding(
        narrative.cohort_retention(cohorts),
        charts.plot_cohorts(cohorts, fmt),
        COHORTS_CAPTION,
        charts.alt_text_cohorts(cohorts, fmt),
        tables.cohorts(cohorts, fmt),
    )
