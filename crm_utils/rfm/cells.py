"""Customers and revenue in score cells."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from crm_utils.config.segment_map import cell_name
from crm_utils.rfm.scoring import SCORES

# Marketing texts count five classes.
USUAL_CLASSES = 5
Span = tuple[int, int]


class ReferenceCell(NamedTuple):
    """A cell that marketing texts mention, and the rule behind it: lowest and highest score of each measure of five."""

    scores: tuple[int, int, int]
    stands_for: str
    recency: Span
    frequency: Span
    monetary: Span


REFERENCE_CELLS = [
    ReferenceCell((5, 1, 4), "High-spending new customers", (4, 5), (1, 2), (4, 5)),
    ReferenceCell((4, 1, 3), "New customers who spend less and need more nurturing", (4, 5), (1, 2), (3, 3)),
    ReferenceCell((1, 1, 1), "Low-value customers who are hardly worth a campaign", (1, 2), (1, 2), (1, 2)),
    ReferenceCell((3, 5, 5), "High-spending customers who used to be loyal", (1, 2), (4, 5), (4, 5)),
    ReferenceCell((4, 4, 4), "Frequent and high-spending customers, but not the most recent", (3, 4), (4, 5), (4, 5)),
]


def name_cell(scores: tuple[int, int, int], n_bins: int) -> str:
    """Return the cell that stands for scores of five classes among another number of classes.

    The best and the worst class stay so; a class between them becomes the one that holds its middle customer.

    Parameters
    ----------
    scores : tuple of int
        Recency, frequency and monetary score, 1 to 5.
    n_bins : int
        Number of score classes.

    Returns
    -------
    str
        The name as in `rfm_cell`, such as '514' of five classes, '413' of four and '10-1-7' of ten.
    """
    middle = {1: 1, USUAL_CLASSES: n_bins}
    return cell_name(*(middle.get(score, -int(-(score - 0.5) * n_bins // USUAL_CLASSES)) for score in scores))


def scale_span(span: Span, n_bins: int) -> Span:
    """Return the classes that hold about the same customers as a span of five classes."""
    low, high = round((span[0] - 1) * n_bins / USUAL_CLASSES) + 1, round(span[1] * n_bins / USUAL_CLASSES)
    return min(low, high), max(low, high)


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
        cell, stands_for, in_the_cell (customers), rule (in words), customers and revenue (of the rule). The cells are
        those of marketing texts, which count five classes, put into as many classes as there are.
    """
    columns = ["cell", "stands_for", "in_the_cell", "rule", "customers", "revenue"]
    rows = [_reference_row(scored, reference, n_bins) for reference in REFERENCE_CELLS]
    return pd.DataFrame(rows, columns=columns)


def _reference_row(
    scored: pd.DataFrame, reference: ReferenceCell, n_bins: int
) -> tuple[str, str, int, str, int, float]:
    cell = name_cell(reference.scores, n_bins)
    spans = [scale_span(span, n_bins) for span in (reference.recency, reference.frequency, reference.monetary)]
    meets_each = [scored[column].between(*span) for column, span in zip(SCORES, spans, strict=True)]
    meets_rule = np.logical_and.reduce(meets_each)
    words = zip(("recency", "frequency", "money"), spans, strict=True)
    rule = ", ".join(f"{word} {_classes(*span)}" for word, span in words)
    in_the_cell = int((scored.rfm_cell == cell).sum())
    revenue = scored.revenue[meets_rule].sum()
    return cell, reference.stands_for, in_the_cell, rule, int(meets_rule.sum()), revenue


def _classes(low: int, high: int) -> str:
    """Classes in words: '3', '4 or 5', or '7 to 10'."""
    return str(low) if low == high else f"{low} or {high}" if high == low + 1 else f"{low} to {high}"
