"""Customers and revenue in score cells."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from crm_utils.rfm.scoring import SCORES

CLASSES_OF_REFERENCE_CELLS = 5
Span = tuple[int, int]


class ReferenceCell(NamedTuple):
    """A cell that marketing texts mention, and the rule behind it: lowest and highest score of each measure."""

    cell: str
    stands_for: str
    recency: Span
    frequency: Span
    monetary: Span


REFERENCE_CELLS = [
    ReferenceCell("514", "High-spending new customers", (4, 5), (1, 2), (4, 5)),
    ReferenceCell("413", "New customers who spend less and need more nurturing", (4, 5), (1, 2), (3, 3)),
    ReferenceCell("111", "Low-value customers who are hardly worth a campaign", (1, 2), (1, 2), (1, 2)),
    ReferenceCell("355", "High-spending customers who used to be loyal", (1, 2), (4, 5), (4, 5)),
    ReferenceCell("444", "Frequent and high-spending customers, but not the most recent", (3, 4), (4, 5), (4, 5)),
]


def rf_grid(scored: pd.DataFrame, n_bins: int = 5) -> pd.DataFrame:
    """Sum up customers and revenue of each recency × frequency class.

    Parameters
    ----------
    scored : pandas.DataFrame
        Customers with recency_score, frequency_score, revenue.
    n_bins : int
        Number of score classes.

    Returns
    -------
    pandas.DataFrame
        One row per class, empty ones included: recency_score, frequency_score, customers, revenue.
    """
    classes = pd.MultiIndex.from_product([range(1, n_bins + 1)] * 2, names=["recency_score", "frequency_score"])
    sums = scored.groupby(["recency_score", "frequency_score"]).agg(
        customers=("revenue", "size"), revenue=("revenue", "sum")
    )
    return sums.reindex(classes, fill_value=0).reset_index()


def reference_cells(scored: pd.DataFrame, n_bins: int = 5) -> pd.DataFrame:
    """Return the cells that marketing texts mention, with the rule behind each.

    Parameters
    ----------
    scored : pandas.DataFrame
        Customers with the three scores, rfm_cell and revenue.
    n_bins : int
        Number of score classes.

    Returns
    -------
    pandas.DataFrame
        cell, stands_for, in_the_cell (customers), rule (in words), customers and revenue (of the rule). Empty unless
        there are five score classes, because the cells mean something else otherwise.
    """
    columns = ["cell", "stands_for", "in_the_cell", "rule", "customers", "revenue"]
    if n_bins != CLASSES_OF_REFERENCE_CELLS:
        return pd.DataFrame(columns=columns)
    return pd.DataFrame([_reference_row(scored, reference) for reference in REFERENCE_CELLS], columns=columns)


def _reference_row(scored: pd.DataFrame, reference: ReferenceCell) -> tuple[str, str, int, str, int, float]:
    spans = (reference.recency, reference.frequency, reference.monetary)
    meets_each = [scored[column].between(*span) for column, span in zip(SCORES, spans, strict=True)]
    meets_rule = np.logical_and.reduce(meets_each)
    words = zip(("recency", "frequency", "money"), spans, strict=True)
    rule = ", ".join(f"{word} {low}" if low == high else f"{word} {low} or {high}" for word, (low, high) in words)
    in_the_cell = int((scored.rfm_cell == reference.cell).sum())
    revenue = scored.revenue[meets_rule].sum()
    return reference.cell, reference.stands_for, in_the_cell, rule, int(meets_rule.sum()), revenue
