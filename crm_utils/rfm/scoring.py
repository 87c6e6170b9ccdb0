"""From a measure to a score: how customers are scored, where score classes begin, and which class a value is in.

Limits are held per measure as the values that scores 2, 3 … take: at most that many days for recency, at least that
much for frequency and monetary value. A class nobody can reach has an infinite limit.
"""

from dataclasses import dataclass, field

import ibis
import numpy as np
import pandas as pd

from crm_utils.config import check_bin_edges
from crm_utils.core.errors import ScoringError

ALL, TO_DATE, TO_LAST = "all", "12 months to the analysis date", "12 months to each customer's last purchase"
RECENCY_COLUMNS = {
    "days": "recency_days",
    "weeks": "recency_weeks",
    "months": "recency_months",
    "elapsed days": "elapsed_days",
}


@dataclass(frozen=True)
class ScoringConfig:
    """How customers are scored: the classes, the method, and what exactly is measured.

    `method` is quantiles, approximate (the engine's approximate quantiles) or article (rank first). `bin_edges` are the
    analyst's own, per measure, in ascending order; `bin_edges_from_date` is the date whose limits are kept (ISO text).
    """

    n_bins: int = 5
    method: str = "quantiles"
    window: str = ALL
    recency_unit: str = "days"
    frequency_measure: str = "orders"
    monetary_measure: str = "total"
    bin_edges: dict[str, list[float]] = field(default_factory=dict)
    bin_edges_from_date: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """The column that each measure's score is drawn from."""
        prefix = "" if self.window == ALL else "window_"
        frequency = "purchase_days" if self.frequency_measure == "purchase days" else "orders"
        monetary = "mean_order_value" if self.monetary_measure == "average" else "revenue"
        return {
            "recency": RECENCY_COLUMNS[self.recency_unit],
            "frequency": prefix + frequency,
            "monetary": prefix + monetary,
        }


def bin_edges(customers: pd.DataFrame, rules: ScoringConfig) -> dict[str, list[float]]:
    """The limits of each measure over these customers: the analyst's own where there are any, else quantiles.

    Raises `ScoringError` for missing or infinite values, and for own limits that do not fit the number of classes.
    """
    if rules.method == "article":
        return {}  # ranks have no limits
    drawn = approximate_bin_edges if rules.method == "approximate" else quantile_bin_edges
    found = {}
    for measure, column in rules.columns.items():
        _check_finite(customers[column])
        own = rules.bin_edges.get(measure)
        if own is None:
            found[measure] = drawn(customers[column], rules.n_bins, low_is_best=measure == "recency")
        else:
            found[measure] = _own_bin_edges(measure, own, rules.n_bins)
    return found


def quantile_bin_edges(values: pd.Series, n_bins: int, low_is_best: bool = False) -> list[float]:
    """The limits at which 1 + floor(n_bins × share of customers strictly worse) reaches 2, 3 … `n_bins`."""
    worst_first = np.sort(-values.to_numpy(float) if low_is_best else values.to_numpy(float))
    needed = -(-np.arange(1, n_bins) * len(values) // n_bins)  # customers strictly worse that each score takes
    places = np.searchsorted(worst_first, worst_first[needed - 1], side="right")
    reached = np.append(worst_first, np.inf)[places]
    return (-reached if low_is_best else reached).tolist()


def approximate_quantiles(values: pd.Series, n_bins: int) -> list[float]:
    """The `n_bins` + 1 boundaries of approximate quantiles, least and greatest value included.

    As BigQuery's APPROX_QUANTILES(values, n_bins) returns them, computed by the engine in one pass over any number of rows.
    """
    column = ibis.memtable(pd.DataFrame({"value": values.to_numpy(float)})).value
    inner = [column.approx_quantile(step / n_bins).name(f"q{step}") for step in range(1, n_bins)]
    ends = [column.min().name("least"), column.max().name("greatest")]
    row = column.as_table().aggregate([ends[0], *inner, ends[1]]).execute()
    return row.iloc[0].astype(float).tolist()


def approximate_bin_edges(values: pd.Series, n_bins: int, low_is_best: bool = False) -> list[float]:
    """The limits at the inner boundaries of the engine's approximate quantiles."""
    inner = [float(value) for value in approximate_quantiles(values, n_bins)[1:-1]]
    return inner[::-1] if low_is_best else inner


def digitize(values: pd.Series, limits: list[float], low_is_best: bool = False) -> pd.Series:
    """The score of each value: 1 plus the number of limits it meets. Equal values get equal scores."""
    _check_finite(values)
    reached = values.to_numpy()
    score = np.ones(len(values), dtype=np.int8)
    for limit in limits:
        score += reached <= limit if low_is_best else reached >= limit
    return pd.Series(score.astype("int64"), index=values.index, name=values.name)


def score_rank_first(customers: pd.DataFrame, rules: ScoringConfig) -> pd.DataFrame:
    """Scores by pandas-style quantile cuts, frequency ranked first: recency_score, frequency_score, monetary_score.

    Equal numbers of orders are told apart by customer id, the order a pandas groupby gives; the classes then hold
    equal numbers of customers, and customers who behave alike can differ by a class.
    """
    by_id = customers.sort_values("customer_id")
    values = {measure: by_id[column] for measure, column in rules.columns.items()}
    for column in values.values():
        _check_finite(column)
    values["frequency"] = values["frequency"].rank(method="first")
    scores = pd.DataFrame(
        {f"{measure}_score": _quantile_class(column, rules.n_bins) for measure, column in values.items()}
    )
    scores["recency_score"] = rules.n_bins + 1 - scores.recency_score
    return scores.reindex(customers.index)


def _quantile_class(values: pd.Series, n_bins: int) -> pd.Series:
    """The class of each value between linear quantiles, upper limits included: what pandas.qcut gives where it does not fail."""
    edges = np.quantile(values, np.linspace(0, 1, n_bins + 1))
    return pd.Series(np.searchsorted(edges[1:-1], values, side="left") + 1, index=values.index)


def _own_bin_edges(measure: str, own: list[float], n_bins: int) -> list[float]:
    try:
        check_bin_edges(measure, own, n_bins)
    except ValueError as error:
        raise ScoringError(str(error)) from None
    return [float(limit) for limit in (own[::-1] if measure == "recency" else own)]


def _check_finite(values: pd.Series) -> None:
    unusable = len(values) - int(np.isfinite(values.to_numpy(float)).sum())
    if unusable:
        raise ScoringError(f"{values.name}: {unusable:,} of {len(values):,} values are missing or infinite")
    if not len(values):
        raise ScoringError(
            f"{values.name}: there are no customers to score, since nobody had ordered by then: choose a later analysis date, or rfm.bin_edges_from_date"
        )
