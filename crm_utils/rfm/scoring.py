"""From a measure to a score: bin edges, scores, cells.

The bin edges of a measure are the values that scores 2, 3 … need: at most that many days for recency, at least that
value for frequency and monetary value. A class that no value can reach has an infinite edge.
"""

import itertools
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.config import cell_name, check_bin_edges
from crm_utils.config.scoring import Scoring, ScoringConfig, ScoringMethod
from crm_utils.core.errors import ScoringError
from crm_utils.rfm.measures import UNITS, compute_rfm

MEASURES = ("recency", "frequency", "monetary")
SCORES = [f"{measure}_score" for measure in MEASURES]
BinEdges = dict[str, list[float]]


def bin_edges_date(bin_edges_from_date: str | None, analysis_date: date) -> date:
    """Return the date from which the bin edges are taken.

    Parameters
    ----------
    bin_edges_from_date : str, optional
        A date as ISO text; None stands for the analysis date.
    analysis_date : date
        The date of the report.

    Returns
    -------
    date
        The analysis date or an earlier one.

    Raises
    ------
    ScoringError
        If the date is later than the analysis date.
    """
    day = date.fromisoformat(bin_edges_from_date) if bin_edges_from_date else analysis_date
    if day > analysis_date:
        raise ScoringError(
            f"bin_edges_from_date {day} is later than the analysis date {analysis_date}: set an earlier date"
        )
    return day


def compute_bin_edges(customers: pd.DataFrame, config: ScoringConfig) -> BinEdges:
    """Compute the bin edges of each measure: the analyst's own if they are set, else quantiles.

    Parameters
    ----------
    customers : pandas.DataFrame
        Customers as `compute_rfm` returns them.
    config : ScoringConfig
        How to score.

    Returns
    -------
    dict of str to list of float
        `n_bins` − 1 edges for each of recency, frequency and monetary; empty for the article's method.

    Raises
    ------
    ScoringError
        If values are missing or infinite, if there are no customers, or if the analyst's own edges do not fit `n_bins`.
    """
    if config.method == ScoringMethod.ARTICLE:
        return {}  # ranks have no edges
    estimate = approximate_bin_edges if config.method == ScoringMethod.APPROXIMATE else quantile_bin_edges
    edges = {}
    for measure, column in config.columns.items():
        _check_finite(customers[column])
        if measure in config.bin_edges:
            edges[measure] = _analysts_bin_edges(measure, config.bin_edges[measure], config.n_bins)
        else:
            edges[measure] = estimate(customers[column], config.n_bins, low_is_best=measure == "recency")
    return edges


def quantile_bin_edges(values: pd.Series, n_bins: int, low_is_best: bool = False) -> list[float]:
    """Return the values at which 1 + floor(n_bins × share of customers strictly worse) reaches 2, 3 … `n_bins`."""
    signed = -values.to_numpy(float) if low_is_best else values.to_numpy(float)
    worst_first = np.sort(signed)
    strictly_worse_needed = -(-np.arange(1, n_bins) * len(values) // n_bins)
    positions = np.searchsorted(worst_first, worst_first[strictly_worse_needed - 1], side="right")
    edges = np.append(worst_first, np.inf)[positions]
    return (-edges if low_is_best else edges).tolist()


def approximate_quantiles(values: pd.Series, n_bins: int) -> list[float]:
    """Return the `n_bins` + 1 boundaries of approximate quantiles, minimum and maximum included.

    BigQuery's APPROX_QUANTILES(values, n_bins) returns the same. The engine computes them in one pass over the rows.
    """
    column = ibis.memtable(pd.DataFrame({"value": values.to_numpy(float)})).value
    inner = [column.approx_quantile(step / n_bins).name(f"q{step}") for step in range(1, n_bins)]
    boundaries = [column.min().name("minimum"), *inner, column.max().name("maximum")]
    row = column.as_table().aggregate(boundaries).execute()
    return row.iloc[0].astype(float).tolist()


def approximate_bin_edges(values: pd.Series, n_bins: int, low_is_best: bool = False) -> list[float]:
    """Return the inner boundaries of the engine's approximate quantiles."""
    inner = [float(value) for value in approximate_quantiles(values, n_bins)[1:-1]]
    return inner[::-1] if low_is_best else inner


def score_customers(
    customers: pd.DataFrame, config: ScoringConfig | int = 5, bin_edges: BinEdges | None = None
) -> pd.DataFrame:
    """Score customers and name their cells.

    Parameters
    ----------
    customers : pandas.DataFrame
        Customers as `compute_rfm` returns them.
    config : ScoringConfig or int
        How to score. A number means the default configuration with that number of classes.
    bin_edges : dict, optional
        Bin edges to use; None computes them from these customers.

    Returns
    -------
    pandas.DataFrame
        The customers with recency_score, frequency_score, monetary_score (1 to `n_bins`, the best customers highest)
        and rfm_cell (the three scores as text, such as '514').

    Raises
    ------
    ScoringError
        See `compute_bin_edges`.
    """
    config = ScoringConfig(n_bins=config) if isinstance(config, int) else config
    if config.method == ScoringMethod.ARTICLE:
        scored = customers.assign(**score_rank_first(customers, config))
    else:
        scored = customers.assign(
            **score_by_edges(customers, bin_edges or compute_bin_edges(customers, config), config)
        )
    scores = [scored[column].to_numpy() - 1 for column in SCORES]
    positions = np.ravel_multi_index(scores, [config.n_bins] * 3)
    scored["rfm_cell"] = pd.array(cell_names(config.n_bins), dtype="str").take(positions)
    return scored


def score_as_of(orders: ir.Table, day: date, scoring: Scoring) -> pd.DataFrame:
    """Compute RFM and scores as of another day by the same rules.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on that day.
    day : date
        The day.
    scoring : Scoring
        How the customers of today were scored. New bin edges are computed unless the configuration fixes them.

    Returns
    -------
    pandas.DataFrame
        See `score_customers`.
    """
    return score_customers(compute_rfm(orders, day, scoring.config), scoring.config, scoring.fixed_bin_edges)


def cell_names(n_bins: int) -> list[str]:
    """Return the name of every cell, by recency, then frequency, then monetary score."""
    return [cell_name(*scores) for scores in itertools.product(range(1, n_bins + 1), repeat=3)]


def score_by_edges(customers: pd.DataFrame, bin_edges: BinEdges, config: ScoringConfig) -> dict[str, pd.Series]:
    """Score customers by given bin edges: recency_score, frequency_score, monetary_score."""
    return {
        f"{measure}_score": digitize(customers[column], bin_edges[measure], low_is_best=measure == "recency")
        for measure, column in config.columns.items()
    }


def digitize(values: pd.Series, edges: list[float], low_is_best: bool = False) -> pd.Series:
    """Score values: 1 plus the number of edges that a value reaches. Equal values get equal scores."""
    _check_finite(values)
    numbers = values.to_numpy()
    score = np.ones(len(values), dtype=np.int8)
    for edge in edges:
        score += numbers <= edge if low_is_best else numbers >= edge
    return pd.Series(score.astype("int64"), index=values.index, name=values.name)


def score_rank_first(customers: pd.DataFrame, config: ScoringConfig) -> pd.DataFrame:
    """Score by quantile cuts as in the article: recency_score, frequency_score, monetary_score.

    Frequency is ranked first. Customers with the same number of orders are ranked by customer id (the order of a pandas
    groupby). All classes then have the same size, and customers who behave in the same way can differ by one score.
    """
    by_id = customers.sort_values("customer_id")
    values = {measure: by_id[column] for measure, column in config.columns.items()}
    for column in values.values():
        _check_finite(column)
    values["frequency"] = values["frequency"].rank(method="first")
    scores = pd.DataFrame(
        {f"{measure}_score": _quantile_class(column, config.n_bins) for measure, column in values.items()}
    )
    scores["recency_score"] = config.n_bins + 1 - scores.recency_score
    return scores.reindex(customers.index)


def score_boundaries(scored: pd.DataFrame, config: ScoringConfig) -> pd.DataFrame:
    """Return the lowest and highest value in each score class.

    Parameters
    ----------
    scored : pandas.DataFrame
        Customers as `score_customers` returns them.
    config : ScoringConfig
        How they were scored.

    Returns
    -------
    pandas.DataFrame
        One row per measure and score: measure, score, lowest, highest, customers (0 for empty classes), unit.
    """
    tables = [
        scored.groupby(f"{measure}_score")[column]
        .agg(lowest="min", highest="max", customers="size")
        .reindex(range(1, config.n_bins + 1))
        .assign(measure=measure, unit=UNITS[column])
        for measure, column in config.columns.items()
    ]
    table = pd.concat(tables).rename_axis("score").reset_index()
    columns = ["measure", "score", "lowest", "highest", "customers", "unit"]
    return table.fillna({"customers": 0}).astype({"customers": int})[columns]


def compare_scoring_methods(scored: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Compare two ways to score the same customers.

    Parameters
    ----------
    scored, other : pandas.DataFrame
        The same customers in the same order, scored in two ways.

    Returns
    -------
    pandas.DataFrame
        One row per measure and score: measure, score, customers, other (customers), differ (customers of the measure
        whose score differs).
    """
    tables = []
    for measure, column in zip(MEASURES, SCORES, strict=True):
        sizes = pd.DataFrame({"customers": scored[column].value_counts(), "other": other[column].value_counts()})
        sizes = sizes.fillna(0).astype(int).rename_axis("score").sort_index().reset_index()
        differ = int((scored[column] != other[column]).sum())
        tables.append(sizes.assign(measure=measure, differ=differ))
    return pd.concat(tables, ignore_index=True)[["measure", "score", "customers", "other", "differ"]]


def _quantile_class(values: pd.Series, n_bins: int) -> pd.Series:
    """Cut by linear quantiles, upper edges included. Unlike pandas.qcut, it accepts repeated edges."""
    edges = np.quantile(values, np.linspace(0, 1, n_bins + 1))
    return pd.Series(np.searchsorted(edges[1:-1], values, side="left") + 1, index=values.index)


def _analysts_bin_edges(measure: str, edges: list[float], n_bins: int) -> list[float]:
    try:
        check_bin_edges(measure, edges, n_bins)
    except ValueError as error:
        raise ScoringError(str(error)) from None
    return [float(edge) for edge in (edges[::-1] if measure == "recency" else edges)]


def _check_finite(values: pd.Series) -> None:
    unusable = len(values) - int(np.isfinite(values.to_numpy(float)).sum())
    if unusable:
        raise ScoringError(f"{values.name}: {unusable:,} of {len(values):,} values are missing or infinite")
    if not len(values):
        raise ScoringError(
            f"{values.name}: there is no customer to score, because nobody had ordered by then. Choose a later "
            "analysis date or rfm.bin_edges_from_date."
        )
