"""Moves between segments since an earlier date, split into five causes that add up."""

from datetime import date
from enum import StrEnum

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.config import ScoringConfig, SegmentRules
from crm_utils.config.scoring import ScoringMethod
from crm_utils.core.errors import MigrationError
from crm_utils.rfm import measures, scoring
from crm_utils.segmentation.assignment import assign_segments


class Cause(StrEnum):
    """The values of column `cause`."""

    BOUGHT = "bought"
    STAYED_SILENT = "stayed_silent"
    BIN_EDGES_MOVED_BY_EXISTING = "bin_edges_moved_by_existing"
    BIN_EDGES_MOVED_BY_NEW = "bin_edges_moved_by_new"
    ARRIVALS_LESS_DEPARTURES = "arrivals_less_departures"


CAUSES = [cause.value for cause in Cause]
# from_segment of new customers, and to_segment of customers whose orders were all cancelled
NEW_CUSTOMER = "not_yet_customer"
DEPARTED = "no_longer_customer"
COLUMNS = ["from_segment", "to_segment", "cause", "customers", "revenue"]


def comparison_date(
    compare_with: str, previous: date | None, analysis_date: date, customers: pd.DataFrame
) -> date | None:
    """Return the earlier date with which the report is compared.

    Parameters
    ----------
    compare_with : str
        `previous` (the report's previous date), `none`, or a date as ISO text.
    previous : date, optional
        The report's previous date.
    analysis_date : date
        The date of the report.
    customers : pandas.DataFrame
        The customers of today, with first_order.

    Returns
    -------
    date or None
        None if there is no earlier date.

    Raises
    ------
    MigrationError
        If nobody had ordered by the date.
    """
    if compare_with == "previous":
        return previous
    if compare_with == "none":
        return None
    day = date.fromisoformat(compare_with)
    first_order = customers.first_order.min().date()
    if day < first_order:
        raise MigrationError(
            f"segmentation.compare_with: nobody had ordered by {day}, because the first order was on {first_order}. "
            "Set a later day."
        )
    return day if day < analysis_date else None


def known_date(then: pd.DataFrame, earlier: date | None) -> date | None:
    """Return the earlier date if moves since then can be explained.

    Parameters
    ----------
    then : pandas.DataFrame
        See `earlier_customers`.
    earlier : date, optional
        The earlier date.

    Returns
    -------
    date or None
        None if `then` has no customers.
    """
    return None if then.empty else earlier


def earlier_customers(orders: ir.Table, adjustments: ir.Table, day: date | None, config: ScoringConfig) -> pd.DataFrame:
    """Compute the RFM measures as of an earlier day.

    Parameters
    ----------
    orders, adjustments : ibis.Table
        Tables `orders` and `order_adjustments`.
    day : date, optional
        The earlier day.
    config : ScoringConfig
        How the customers of today were scored.

    Returns
    -------
    pandas.DataFrame
        See `compute_rfm`. Empty if there is no earlier day. Also empty for the method `article`: it gives equal
        customers different scores, so moves between segments cannot be explained by what customers did.
    """
    if day is None or config.method == ScoringMethod.ARTICLE:
        return pd.DataFrame(columns=["customer_id", "first_order", "last_order", "recency_days", "orders", "revenue"])
    return measures.rfm_as_of(orders, adjustments, day, config)


def decompose_migration(
    then: pd.DataFrame, now: pd.DataFrame, rules: SegmentRules, day_then: date | None, day_now: date
) -> pd.DataFrame:
    """Split moves between segments by cause.

    For customers known at both dates there are three steps. First only their measures change; the bin edges are those
    of the earlier date. Then the bin edges are computed today from these customers alone. Then they are computed from
    all customers of today. Finally customers arrive or leave. The change of a segment is the number of customers with
    it as `to_segment` less the number with it as `from_segment`.

    Parameters
    ----------
    then, now : pandas.DataFrame
        The RFM measures at the two dates (`compute_rfm`).
    rules : SegmentRules
        The rules of today; both dates are scored and assigned by them.
    day_then, day_now : date
        The two dates.

    Returns
    -------
    pandas.DataFrame
        from_segment, to_segment, cause (a `Cause`), customers, revenue. The revenue of a move is all revenue of its
        customers until now. In a row with from_segment = to_segment it is what its customers added since the earlier
        date. Empty if there is no earlier date.
    """
    if then.empty or day_then is None:
        return pd.DataFrame({column: [] for column in COLUMNS}).astype({"customers": int, "revenue": float})
    before = then.set_index("customer_id", drop=False)
    today = now.set_index("customer_id", drop=False)
    segment_then = _segments(before, before, rules, day_then)
    segment_now = _segments(today, today, rules, day_now)
    steps = _steps_of_existing(before, today, rules, day_then, day_now)
    path = steps.assign(segment_then=segment_then.reindex(steps.index), segment_now=segment_now.reindex(steps.index))
    arrived = today.index.difference(before.index)
    departed = before.index.difference(today.index)
    behaviour = path.behaviour
    rows = [
        _group(path.segment_then, path.segment_then, behaviour, path.revenue - path.revenue_then),
        _moves(path.segment_then, path.after_behaviour, behaviour, path.revenue),
        _moves(path.after_behaviour, path.after_existing_edges, Cause.BIN_EDGES_MOVED_BY_EXISTING.value, path.revenue),
        _moves(path.after_existing_edges, path.segment_now, Cause.BIN_EDGES_MOVED_BY_NEW.value, path.revenue),
        _group(
            NEW_CUSTOMER, segment_now.loc[arrived], Cause.ARRIVALS_LESS_DEPARTURES.value, today.revenue.loc[arrived]
        ),
        _group(
            segment_then.loc[departed], DEPARTED, Cause.ARRIVALS_LESS_DEPARTURES.value, before.revenue.loc[departed]
        ),
    ]
    return pd.concat(rows, ignore_index=True)


def _segments(customers: pd.DataFrame, base: pd.DataFrame, rules: SegmentRules, day: date) -> pd.Series:
    """Return the segments of a day by the bin edges of the customers in `base`, unless the edges are fixed."""
    config = rules.scoring.config
    edges = rules.scoring.fixed_bin_edges or scoring.compute_bin_edges(base, config)
    return assign_segments(scoring.score_customers(customers, config, edges), rules, day).segment


def _steps_of_existing(
    before: pd.DataFrame, today: pd.DataFrame, rules: SegmentRules, day_then: date, day_now: date
) -> pd.DataFrame:
    """Return the segment of each customer known at both dates after each step, and what the customer did."""
    existing = before.index.intersection(today.index)
    existing_now = today.loc[existing]
    bought = existing_now.last_order > pd.Timestamp(day_then)
    return pd.DataFrame(
        {
            "after_behaviour": _segments(existing_now, before, rules, day_now),
            "after_existing_edges": _segments(existing_now, existing_now, rules, day_now),
            "revenue_then": before.revenue.loc[existing],
            "revenue": existing_now.revenue,
            "behaviour": np.where(bought, Cause.BOUGHT.value, Cause.STAYED_SILENT.value),
        }
    )


def _group(
    source: pd.Series | str, target: pd.Series | str, cause: pd.Series | str, revenue: pd.Series
) -> pd.DataFrame:
    """Return one row per from_segment, to_segment and cause."""
    table = pd.DataFrame({"revenue": revenue, "from_segment": source, "to_segment": target, "cause": cause})
    grouped = table.groupby(["from_segment", "to_segment", "cause"], observed=True).revenue
    return grouped.agg(customers="size", revenue="sum").reset_index()[COLUMNS]


def _moves(source: pd.Series, target: pd.Series, cause: pd.Series | str, revenue: pd.Series) -> pd.DataFrame:
    moved = source != target
    cause_of_moves = cause if isinstance(cause, str) else cause[moved]
    return _group(source[moved], target[moved], cause_of_moves, revenue[moved])


def net_by_cause(moves: pd.DataFrame, profile: pd.DataFrame) -> pd.DataFrame:
    """Sum up the effect of each cause on each segment.

    Parameters
    ----------
    moves : pandas.DataFrame
        See `decompose_migration`.
    profile : pandas.DataFrame
        The segments of today; its order is kept.

    Returns
    -------
    pandas.DataFrame
        segment, customers_then, one column per `Cause` (net customers), customers (now), revenue_change. Empty if
        there are no moves.
    """
    names = profile.segment.tolist() if len(moves) else []
    moved = moves[moves.from_segment != moves.to_segment]
    stayed = moves[moves.from_segment == moves.to_segment]
    change = _customers_by_cause(moved, "to_segment", names) - _customers_by_cause(moved, "from_segment", names)
    table = change.astype(int).rename_axis(columns=None).rename_axis("segment").reset_index()
    customers = profile.set_index("segment").customers.reindex(names).to_numpy()
    table.insert(1, "customers_then", customers - table[CAUSES].sum(axis=1).to_numpy())
    revenue_change = (
        _revenue(moved, "to_segment", names)
        - _revenue(moved, "from_segment", names)
        + _revenue(stayed, "from_segment", names)
    )
    return table.assign(customers=customers, revenue_change=revenue_change.to_numpy())


def _customers_by_cause(moves: pd.DataFrame, side: str, names: list[str]) -> pd.DataFrame:
    table = moves.pivot_table(index=side, columns="cause", values="customers", aggfunc="sum")
    return table.reindex(index=names, columns=CAUSES, fill_value=0).fillna(0)


def _revenue(moves: pd.DataFrame, side: str, names: list[str]) -> pd.Series:
    return moves.groupby(side).revenue.sum().reindex(names, fill_value=0)
