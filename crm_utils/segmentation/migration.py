"""Who moved between segments since an earlier date, and why: five causes that add up."""

from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.config import SegmentRules
from crm_utils.config.scoring import ScoringConfig, ScoringMethod
from crm_utils.core.errors import MigrationError
from crm_utils.rfm import measures, scoring
from crm_utils.segmentation.assignment import assign_segments

BOUGHT, SILENT = "bought", "stayed silent"
BY_OLD, BY_NEW = "cut points moved by old customers", "cut points moved by newcomers"
ARRIVALS = "arrivals less departures"
CAUSES = [BOUGHT, SILENT, BY_OLD, BY_NEW, ARRIVALS]
NEW_CUSTOMER, DEPARTED = "(not yet a customer)", "(no longer a customer)"
COLUMNS = ["from_segment", "to_segment", "cause", "customers", "revenue"]


def comparison_date(
    compare_with: str, previous: date | None, analysis_date: date, customers: pd.DataFrame
) -> date | None:
    """The earlier date to compare with: the report's `previous` one, a date of its own, or None where there is none.

    Raises `MovementError` for a date of its own on which none of today's `customers` had ordered.
    """
    if compare_with in ("previous", "none"):
        return previous if compare_with == "previous" else None
    day, first = date.fromisoformat(compare_with), customers.first_order.min().date()
    if day < first:
        raise MigrationError(
            f"segmentation.compare_with: nobody had ordered by {day}, the first order is of {first}: name a later day"
        )
    return day if day < analysis_date else None


def earlier_customers(orders: ir.Table, adjustments: ir.Table, day: date | None, config: ScoringConfig) -> pd.DataFrame:
    """The customers as measured on an earlier day.

    No row if there is no such day, or if the method tells equal customers apart (`article`): a move between segments
    then has no cause in what a customer did.
    """
    if day is None or config.method == ScoringMethod.ARTICLE:
        return pd.DataFrame(columns=["customer_id", "first_order", "last_order", "recency_days", "orders", "revenue"])
    return measures.rfm_as_of(orders, adjustments, day, config)


def decompose_migration(
    then: pd.DataFrame, now: pd.DataFrame, rules: SegmentRules, day_then: date | None, day_now: date
) -> pd.DataFrame:
    """Moves between segments by cause: from_segment, to_segment, cause, customers, revenue.

    With O the customers known at both dates, S(m, c) the segment of measures m under cut points c: first what O did
    (m changes, c stays), then the cut points of today computed from O alone, then those of all, then who arrived or
    left. Net over all rows, customers of a segment change by exactly Σ to − Σ from. Rows with from = to carry the
    revenue its customers added before any move; a move carries the customers' whole revenue of today.
    """
    if then.empty or day_then is None:
        return pd.DataFrame({column: [] for column in COLUMNS}).astype({"customers": int, "revenue": float})
    config = rules.scoring.config
    fixed = rules.scoring.fixed_bin_edges
    measured = now.set_index("customer_id", drop=False)
    before = then.set_index("customer_id", drop=False)
    both = before.index.intersection(measured.index)
    old_then, old_now = before.loc[both], measured.loc[both]

    def named(customers: pd.DataFrame, base: pd.DataFrame, day: date) -> pd.Series:
        scored = scoring.score_customers(customers, config, fixed or scoring.compute_bin_edges(base, config))
        return assign_segments(scored, rules, day).segment

    known_then, known_now = named(before, before, day_then), named(measured, measured, day_now)
    path = pd.DataFrame(
        {
            "s0": known_then.loc[both],
            "s1": named(old_now, before, day_now),
            "s2": named(old_now, old_now, day_now),
            "s3": known_now.loc[both],
            "before": old_then.revenue,
            "now": old_now.revenue,
            "cause": np.where(old_now.last_order > pd.Timestamp(day_then), BOUGHT, SILENT),
        }
    )
    new = measured.index.difference(before.index)
    gone = before.index.difference(measured.index)
    rows = [
        _rows(path.s0, path.s0, path.cause, path.now - path.before),
        _moved(path.s0, path.s1, path.cause, path.now),
        _moved(path.s1, path.s2, BY_OLD, path.now),
        _moved(path.s2, path.s3, BY_NEW, path.now),
        _rows(NEW_CUSTOMER, known_now.loc[new], ARRIVALS, measured.revenue.loc[new]),
        _rows(known_then.loc[gone], DEPARTED, ARRIVALS, before.revenue.loc[gone]),
    ]
    return pd.concat(rows, ignore_index=True)


def _rows(source, target, cause, revenue: pd.Series) -> pd.DataFrame:
    """One row per from, to and cause."""
    table = pd.DataFrame({"revenue": revenue, "from_segment": source, "to_segment": target, "cause": cause})
    grouped = table.groupby(["from_segment", "to_segment", "cause"], observed=True).revenue
    return grouped.agg(customers="size", revenue="sum").reset_index()[COLUMNS]


def _moved(source: pd.Series, target: pd.Series, cause: pd.Series | str, revenue: pd.Series) -> pd.DataFrame:
    moved = source != target
    return _rows(source[moved], target[moved], cause if isinstance(cause, str) else cause[moved], revenue[moved])


def net_by_cause(moves: pd.DataFrame, profile: pd.DataFrame) -> pd.DataFrame:
    """What each cause did to each segment, in the order of `profile`.

    Returns segment, customers_then, one column per cause (net customers), customers (now), and revenue_change; no row
    where there are no moves.
    """
    names = profile.segment.tolist() if len(moves) else []
    moved = moves[moves.from_segment != moves.to_segment]
    added = moves[moves.from_segment == moves.to_segment].groupby("from_segment").revenue.sum()
    came = moved.pivot_table(index="to_segment", columns="cause", values="customers", aggfunc="sum")
    went = moved.pivot_table(index="from_segment", columns="cause", values="customers", aggfunc="sum")
    shape = {"index": names, "columns": CAUSES, "fill_value": 0}
    change = came.reindex(**shape).fillna(0) - went.reindex(**shape).fillna(0)
    money = moved.groupby("to_segment").revenue.sum().reindex(names, fill_value=0)
    money = money - moved.groupby("from_segment").revenue.sum().reindex(names, fill_value=0)
    table = change.astype(int).rename_axis(columns=None).rename_axis("segment").reset_index()
    customers = profile.set_index("segment").customers.reindex(names).to_numpy()
    table.insert(1, "customers_then", customers - table[CAUSES].sum(axis=1).to_numpy())
    return table.assign(customers=customers, revenue_change=(money + added.reindex(names, fill_value=0)).to_numpy())
