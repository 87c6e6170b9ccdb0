"""The segment of each customer on a date."""

from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.config import SegmentMap, SegmentRules
from crm_utils.config.safe_query import evaluate
from crm_utils.core.constants import RECENT_DAYS
from crm_utils.core.errors import SegmentError
from crm_utils.rfm.scoring import SCORES, cell_names, score_as_of


def assign_segments(customers: pd.DataFrame, rules: SegmentRules, analysis_date: date) -> pd.DataFrame:
    """Assign each customer to a segment.

    Parameters
    ----------
    customers : pandas.DataFrame
        Scored customers: customer_id, first_order, the three scores, rfm_cell, and the columns that the queries use.
    rules : SegmentRules
        How customers were scored, the segment map, and for how long a customer counts as new. Nobody who is new is
        in a segment for those who stopped buying, and nobody who is not new in a segment for new customers.
    analysis_date : date
        The day from which `new_within_days` counts back.

    Returns
    -------
    pandas.DataFrame
        customer_id, segment; in the order of `customers`.

    Raises
    ------
    SegmentError
        If the map is made for another number of score classes, or a customer has no segment or more than one.
    """
    _check_n_bins(rules)
    segment_map = rules.segment_map
    names = list(segment_map.advice())
    codes = _codes_of_cells(customers, segment_map, names)
    if segment_map.queries():
        codes = _add_queries(customers, codes, segment_map.queries(), names)
    if (codes < 0).any():
        lost = customers.rfm_cell[codes < 0]
        cells = ", ".join(sorted(lost.unique())[:10])
        raise SegmentError(f"{len(lost):,} customers are in cells without a segment in the map: {cells}")
    if rules.new_within_days is not None:
        codes = np.where(
            are_new(customers, rules.new_within_days, analysis_date),
            _targets(names, segment_map.fallback_if_new())[codes],
            _targets(names, segment_map.fallback())[codes],
        )
    return customers[["customer_id"]].assign(segment=pd.array(names, dtype="str").take(codes))


def are_new(customers: pd.DataFrame, new_within_days: int | None, analysis_date: date) -> pd.Series:
    """Return whether each customer is new.

    Parameters
    ----------
    customers : pandas.DataFrame
        Customers with first_order.
    new_within_days : int, optional
        A first order within so many days makes a customer new; None stands for `RECENT_DAYS`.
    analysis_date : date
        The day from which the days count back.

    Returns
    -------
    pandas.Series
        True for new customers, in the order of `customers`.
    """
    days = RECENT_DAYS if new_within_days is None else new_within_days
    return customers.first_order >= pd.Timestamp(analysis_date - timedelta(days=days))


def segments_as_of(
    orders: ir.Table, day: date, rules: SegmentRules, customers: pd.DataFrame, segments: pd.DataFrame
) -> pd.Series:
    """Assign the customers of another day to segments by the rules of today.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on that day.
    day : date
        The day.
    rules : SegmentRules
        How the segments of today were assigned.
    customers, segments : pandas.DataFrame
        The scored customers of today and their segments. They are used only if an analyst's notebook renamed the
        segments. A cell then gets the segment that most of its customers have today; a cell that is empty today gets
        none.

    Returns
    -------
    pandas.Series
        segment, indexed by customer_id.
    """
    scored = score_as_of(orders, day, rules.scoring)
    if knows_segments(rules.segment_map, segments):
        return assign_segments(scored, rules, day).set_index("customer_id").segment
    today = customers[["customer_id", "rfm_cell"]].merge(segments[["customer_id", "segment"]], on="customer_id")
    most_frequent = today.value_counts(["rfm_cell", "segment"]).reset_index().drop_duplicates("rfm_cell")
    return scored.set_index("customer_id").rfm_cell.map(most_frequent.set_index("rfm_cell").segment).rename("segment")


def knows_segments(segment_map: SegmentMap, segments: pd.DataFrame) -> bool:
    """Return whether all segments of a table are in this map; False if an analyst renamed them."""
    return set(segments.segment) <= set(segment_map.advice())


def _check_n_bins(rules: SegmentRules) -> None:
    map_bins = rules.segment_map.n_bins
    scored_bins = rules.scoring.config.n_bins
    if map_bins != scored_bins:
        raise SegmentError(
            f"the segment map is made for {map_bins} score classes, but the customers have {scored_bins}. Set "
            f"rfm.n_bins to {map_bins}, or set segmentation.segment_map to a map for {scored_bins} classes."
        )


def _codes_of_cells(customers: pd.DataFrame, segment_map: SegmentMap, names: list[str]) -> np.ndarray:
    """Return the position in `names` of each customer's segment, by cell; -1 for cells without a segment."""
    positions = {name: position for position, name in enumerate(names)}
    segment_of = segment_map.cells()
    code_of_cell = [positions.get(segment_of.get(cell, ""), -1) for cell in cell_names(segment_map.n_bins)]
    scores = [customers[column].to_numpy() - 1 for column in SCORES]
    return np.array(code_of_cell)[np.ravel_multi_index(scores, [segment_map.n_bins] * 3)]


def _targets(names: list[str], fallback: dict[str, str]) -> np.ndarray:
    """Return for each segment the position of the segment that its customers go to: its own, or its fallback."""
    return np.array([names.index(fallback.get(name, name)) for name in names])


def _add_queries(customers: pd.DataFrame, codes: np.ndarray, queries: dict[str, str], names: list[str]) -> np.ndarray:
    """Return the codes with the segments that queries assign. Each customer must be in exactly one segment."""
    matches = (codes >= 0).astype(int)
    for name, query in queries.items():
        try:
            meets_query = evaluate(customers, query)
        except Exception as error:  # pandas raises many kinds for a query that does not fit
            raise SegmentError(f"segment {name}: where {query!r} is not a query on the customers: {error}") from error
        matches += meets_query
        codes = np.where(meets_query, names.index(name), codes)
    if (matches != 1).any():
        none = customers.rfm_cell[matches == 0]
        several = customers.rfm_cell[matches > 1]
        raise SegmentError(
            "the queries of the segment map must put each customer into one segment: "
            f"{len(none):,} customers are in no segment (cells {_examples(none)}), "
            f"{len(several):,} in several (cells {_examples(several)})"
        )
    return codes


def _examples(cells: pd.Series) -> str:
    return ", ".join(sorted(cells.unique())[:5]) or "–"
