"""Segments: a name for every customer, and a profile of each name."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from crm_utils.config import cell_name
from crm_utils.config.safe_query import evaluate
from crm_utils.core.errors import SegmentError


@dataclass(frozen=True)
class SegmentRules:
    """A segment map as data: what `assign` needs to name customers on any date."""

    cells: dict[str, str]
    n_bins: int
    queries: dict[str, str]
    fallback: dict[str, str]
    new_within_days: int | None = None

    def names(self) -> set[str]:
        """The segments that it can name."""
        return {*self.cells.values(), *self.queries, *self.fallback.values()}

    def segment(self, customers: pd.DataFrame, analysis_date: date) -> pd.DataFrame:
        """The segment of each scored customer on a date: customer_id, segment. The naming travels with the table in `attrs`."""
        since = None if self.new_within_days is None else analysis_date - timedelta(days=self.new_within_days)
        named = assign_segments(customers, self.cells, self.n_bins, self.queries, self.fallback, since)
        named.attrs["naming"] = asdict(self)
        return named


def segment_rules_of(segments: pd.DataFrame) -> SegmentRules | None:
    """The naming that a table of segments was made by; None where it does not say, or an analyst has named them anew."""
    if "naming" not in segments.attrs:
        return None
    naming = SegmentRules(**segments.attrs["naming"])
    return naming if set(segments.segment) <= naming.names() else None


def assign_as_of(then: pd.DataFrame, day: date, customers: pd.DataFrame, segments: pd.DataFrame) -> pd.Series:
    """The segments of another day, by customer_id, as the map behind today's `segments` names them.

    then: the customers of that day, scored as today's `customers` were. Segments of an analyst's own come without a map: a
    cell then has the name that most of its customers bear today, and whoever stands in a cell that is empty today has none.
    """
    naming = segment_rules_of(segments)
    if naming is not None:
        return naming.segment(then, day).set_index("customer_id").segment
    today = customers[["customer_id", "rfm_cell"]].merge(segments[["customer_id", "segment"]], on="customer_id")
    names = today.value_counts(["rfm_cell", "segment"]).reset_index().drop_duplicates("rfm_cell")
    return then.set_index("customer_id").rfm_cell.map(names.set_index("rfm_cell").segment).rename("segment")


def assign_segments(
    customers: pd.DataFrame,
    cells: dict[str, str],
    n_bins: int,
    queries: dict[str, str] | None = None,
    fallback: dict[str, str] | None = None,
    new_since: date | None = None,
) -> pd.DataFrame:
    """The segment of each customer: customer_id, segment.

    `cells` names the segment of RFM cells of `n_bins` classes, `queries` the segments that are pandas queries on the
    customers; together they must name each customer once. Customers of a segment in `fallback` whose first order is
    older than `new_since` go to the segment named there. Raises `SegmentError` where the customers were scored in
    another number of classes, or a customer has no segment or several.
    """
    scored_in = customers.attrs.get("n_bins", n_bins)
    if scored_in != n_bins:
        raise SegmentError(
            f"the segment map is made for {n_bins} score classes, the customers were scored in {scored_in}: set rfm.n_bins to {n_bins}, or name a map for {scored_in} classes in segmentation.segment_map"
        )
    names = list(dict.fromkeys([*cells.values(), *(queries or {}), *(fallback or {}).values()]))
    code = _codes(customers, cells, n_bins, names)
    if queries:
        code = _with_queries(customers, code, queries, names)
    if (code < 0).any():
        lost = customers.rfm_cell[code < 0]
        raise SegmentError(
            f"{len(lost):,} customers are in cells the segment map does not name: {', '.join(sorted(lost.unique())[:10])}"
        )
    if fallback and new_since is not None:
        code = _without_old(customers.first_order, code, fallback, names, pd.Timestamp(new_since))
    return customers[["customer_id"]].assign(segment=pd.array(names, dtype="str").take(code))


def _codes(customers: pd.DataFrame, cells: dict[str, str], n_bins: int, names: list[str]) -> np.ndarray:
    """The number of each customer's segment in `names` by the cell; -1 for cells without a name."""
    numbers = {name: number for number, name in enumerate(names)}
    scores = [customers[f"{measure}_score"].to_numpy() - 1 for measure in ("recency", "frequency", "monetary")]
    table = [numbers.get(cells.get(cell_name(*(place + 1)), ""), -1) for place in np.argwhere(np.ones([n_bins] * 3))]
    return np.array(table)[np.ravel_multi_index(scores, [n_bins] * 3)]


def _without_old(
    first_order: pd.Series, code: np.ndarray, fallback: dict[str, str], names: list[str], since: pd.Timestamp
) -> np.ndarray:
    """The codes with who is not new moved out of the segments for new customers."""
    code = code.copy()
    target = np.arange(len(names))
    target[[names.index(name) for name in fallback]] = [names.index(name) for name in fallback.values()]
    rows = np.flatnonzero((target != np.arange(len(names)))[code])
    old = rows[(first_order.iloc[rows] < since).to_numpy()]
    code[old] = target[code[old]]
    return code


def _with_queries(customers: pd.DataFrame, code: np.ndarray, queries: dict[str, str], names: list[str]) -> np.ndarray:
    """The codes completed by queries, each customer proven to be in exactly one segment."""
    times = (code >= 0).astype(int)
    for name, where in queries.items():
        try:
            met = evaluate(customers, where)
        except Exception as error:  # pandas raises many kinds for a query that does not fit
            raise SegmentError(f"segment {name}: where {where!r} is no query on the customers: {error}") from error
        times += met
        code = np.where(met, names.index(name), code)
    if (times != 1).any():
        none, several = customers.rfm_cell[times == 0], customers.rfm_cell[times > 1]
        raise SegmentError(
            f"the queries of the segment map must name each customer once: {len(none):,} customers are in no segment "
            f"(cells {', '.join(sorted(none.unique())[:5]) or '–'}), {len(several):,} in several "
            f"(cells {', '.join(sorted(several.unique())[:5]) or '–'})"
        )
    return code


def segment_profile(customers: pd.DataFrame, segments: pd.DataFrame, advice: dict[str, str]) -> pd.DataFrame:
    """One row per segment, in the order of `advice`, empty segments included.

    Returns segment, customers, customer_share, revenue, revenue_share, recency_days, orders, mean_order_value (means
    over the segment's customers; mean_order_value is revenue ÷ orders), advice.
    """
    segment = _aligned(customers, segments)
    grouped = customers.groupby(segment)
    table = grouped.agg(
        customers=("revenue", "size"),
        revenue=("revenue", "sum"),
        recency_days=("recency_days", "mean"),
        orders=("orders", "mean"),
    )
    total_orders = table.orders * table.customers
    table["mean_order_value"] = table.revenue / total_orders
    unnamed = [name for name in table.index if name not in advice]  # an analyst's own segments come last
    table = table.reindex([*advice, *unnamed]).fillna({"customers": 0, "revenue": 0.0})
    table["customer_share"] = table.customers / table.customers.sum()
    table["revenue_share"] = table.revenue / table.revenue.sum()
    table["advice"] = [advice.get(name, "") for name in table.index]
    columns = [
        "segment",
        "customers",
        "customer_share",
        "revenue",
        "revenue_share",
        "recency_days",
        "orders",
        "mean_order_value",
        "advice",
    ]
    return table.rename_axis("segment").reset_index()[columns].astype({"customers": int})


def _aligned(customers: pd.DataFrame, segments: pd.DataFrame) -> pd.Series:
    """The segment of each row of `customers`, as a category."""
    segment = segments.segment
    if len(customers) != len(segments) or not customers.customer_id.equals(segments.customer_id):
        twice = int(segments.customer_id.duplicated().sum())
        if twice:
            raise SegmentError(f"{twice:,} customers have more than one segment")
        segment = customers.customer_id.map(segments.set_index("customer_id").segment)
    if segment.isna().any():
        raise SegmentError(f"{int(segment.isna().sum()):,} of {len(customers):,} customers have no segment")
    codes, names = pd.factorize(segment, sort=True)
    return pd.Series(pd.Categorical.from_codes(codes, names), index=customers.index, name="segment")
