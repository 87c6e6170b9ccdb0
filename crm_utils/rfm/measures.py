"""Recency, frequency and monetary value: measures, scores, cells."""

from dataclasses import asdict
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.config import cell_name
from crm_utils.core.errors import ScoringError
from crm_utils.rfm import scoring
from crm_utils.rfm.scoring import ScoringConfig, bin_edges

__all__ = ["ScoringConfig", "ScoringError", "bin_edges"]

SCORES = ["recency_score", "frequency_score", "monetary_score"]
EXACT_MONEY = "decimal(38, 4)"
UNITS = {
    "recency_days": "day",
    "elapsed_days": "day",
    "recency_weeks": "week",
    "recency_months": "month",
    "orders": "order",
    "window_orders": "order",
    "purchase_days": "purchase day",
    "window_purchase_days": "purchase day",
    "revenue": "money",
    "window_revenue": "money",
    "mean_order_value": "money an order",
    "window_mean_order_value": "money an order",
}
DAYS = ("purchase_days", "window_purchase_days")
REFERENCE_CELLS = [  # cell, what the documents say of it, the rule it stands for: scores (low, high) of five classes
    ("514", "High-spending new customers", (4, 5), (1, 2), (4, 5)),
    ("413", "New customers who spend less and need more nurturing", (4, 5), (1, 2), (3, 3)),
    ("111", "Low potential: neither to win nor to keep", (1, 2), (1, 2), (1, 2)),
    ("355", "Once frequent, loyal and of high value", (1, 2), (4, 5), (4, 5)),
    ("444", "Frequent and of high value, no longer the most recent", (3, 4), (4, 5), (4, 5)),
]


def compute_rfm(orders: ir.Table, analysis_date: date, rules: ScoringConfig | None = None) -> pd.DataFrame:
    """One row per customer, from orders as known on the analysis date.

    Returns customer_id, first_order and last_order (dates), recency_days (calendar days from the last order to the
    analysis date), orders, revenue, mean_order_value; and the columns that `rules` score beyond these: recency_weeks,
    recency_months, elapsed_days, purchase_days, or within 12 months window_orders, window_revenue and their like.
    """
    rules = rules or ScoringConfig()
    placed = orders.mutate(day=orders.ordered_at.date())
    placed = placed.mutate(counts=_in_window(placed, analysis_date, rules.window))
    grouped = placed.group_by("customer_id").agg(
        first_order=placed.day.min(),
        last_order=placed.day.max(),
        last_at=placed.ordered_at.max(),
        orders=placed.count(),
        revenue=placed.revenue.cast(EXACT_MONEY).sum().cast("float64"),
        window_orders=placed.counts.sum().cast("int64"),
        window_revenue=placed.revenue.cast(EXACT_MONEY).sum(where=placed.counts).fill_null(0).cast("float64"),
        **_purchase_days(placed, rules),
    )
    days = ibis.literal(analysis_date).delta(grouped.last_order, unit="day")
    frame = grouped.mutate(recency_days=days).order_by("customer_id").execute()
    frame = frame.astype({"first_order": "datetime64[us]", "last_order": "datetime64[us]"})
    extras = _extras(frame, pd.Timestamp(analysis_date), rules)
    columns = ["customer_id", "first_order", "last_order", "recency_days", "orders", "revenue"]
    return frame[columns].assign(mean_order_value=frame.revenue / frame.orders, **extras)


def _purchase_days(placed: ir.Table, rules: ScoringConfig) -> dict[str, ir.IntegerScalar]:
    """Counting different days costs as much as all other measures together, so it is done only where they are scored."""
    if not set(DAYS) & set(rules.columns.values()):
        return {}
    return {"window_purchase_days": placed.day.nunique(where=placed.counts)}


def _in_window(placed: ir.Table, analysis_date: date, window: str) -> ir.BooleanValue:
    """True for the orders that count: all, or those after the day twelve months before the window's end."""
    if window == scoring.TO_DATE:
        return placed.day > ibis.literal((pd.Timestamp(analysis_date) - pd.DateOffset(months=12)).date())
    if window == scoring.TO_LAST:
        last = placed.day.max().over(group_by=placed.customer_id)
        return placed.day > last - ibis.interval(months=12)
    return ibis.literal(True)


def _extras(frame: pd.DataFrame, day: pd.Timestamp, rules: ScoringConfig) -> dict[str, pd.Series]:
    """The columns that only some rules ask for."""
    last, orders = frame.last_order, frame.window_orders
    months = (day.year - last.dt.year) * 12 + day.month - last.dt.month - (last.dt.day > day.day)
    known = {
        "recency_weeks": frame.recency_days // 7,
        "recency_months": months.astype("int64"),  # full months
        "elapsed_days": (day - frame.last_at).dt.days,  # whole 24 hours to the date's midnight, as the article counts
        "window_mean_order_value": (frame.window_revenue / orders.where(orders > 0)).fillna(0.0),
    }
    known |= dict.fromkeys(DAYS, frame.get("window_purchase_days"))
    wanted = {column: known[column] for column in rules.columns.values() if column in known}
    if rules.window != scoring.ALL:
        wanted |= {"window_orders": orders, "window_revenue": frame.window_revenue}
    return wanted


def bin_edges_date(bin_edges_from_date: str | None, analysis_date: date) -> date:
    """The date whose cut points count. Raises `ScoringError` where it lies after the analysis date."""
    day = date.fromisoformat(bin_edges_from_date) if bin_edges_from_date else analysis_date
    if day > analysis_date:
        raise ScoringError(
            f"bin_edges_from_date {day} lies after the analysis date {analysis_date}: name an earlier date"
        )
    return day


def score_customers(
    customers: pd.DataFrame, rules: ScoringConfig | int = 5, limits: dict[str, list[float]] | None = None
) -> pd.DataFrame:
    """The customers with recency_score, frequency_score, monetary_score (1 to n, best last) and rfm_cell ('514').

    `rules` may be just the number of classes; `limits` are those of a reference date where cut points are frozen.
    Rules and limits travel with the table in `attrs`.
    """
    rules = ScoringConfig(n_bins=rules) if isinstance(rules, int) else rules
    if rules.method == "article":
        scored, used = customers.assign(**scoring.score_rank_first(customers, rules)), {}
    else:
        used = limits or scoring.bin_edges(customers, rules)
        scored = customers.assign(**score_by_edges(customers, used, rules))
    places = np.ravel_multi_index([scored[column].to_numpy() - 1 for column in SCORES], [rules.n_bins] * 3)
    names = [cell_name(*(place + 1)) for place in np.argwhere(np.ones([rules.n_bins] * 3))]
    scored["rfm_cell"] = pd.array(names, dtype="str").take(places)
    scored.attrs = {"n_bins": rules.n_bins, "rules": asdict(rules), "limits": used}
    return scored


def score_by_edges(
    customers: pd.DataFrame, limits: dict[str, list[float]], rules: ScoringConfig
) -> dict[str, pd.Series]:
    """The three scores of each customer under given limits: recency_score, frequency_score, monetary_score."""
    return {
        f"{measure}_score": scoring.digitize(customers[column], limits[measure], low_is_best=measure == "recency")
        for measure, column in rules.columns.items()
    }


def scoring_config_of(scored: pd.DataFrame) -> ScoringConfig:
    """The rules a table of customers was scored by; the default rules where it does not say."""
    return ScoringConfig(**scored.attrs.get("rules", {"n_bins": scored.attrs.get("n_bins", 5)}))


def score_with_rules_of(orders: ir.Table, day: date, scored: pd.DataFrame) -> pd.DataFrame:
    """The customers as they stood on another day, measured and scored by the rules of a table that is `scored`.

    orders: those known on that day. Cut points are computed anew, unless the rules freeze them.
    """
    rules = scoring_config_of(scored)
    return score_customers(
        compute_rfm(orders, day, rules), rules, scored.attrs["limits"] if rules.bin_edges_from_date else None
    )


def score_boundaries(scored: pd.DataFrame, n_bins: int = 5) -> pd.DataFrame:
    """The limits of each score class: measure, score, lowest, highest, customers, unit. Empty classes have 0 customers."""
    tables = [
        scored.groupby(f"{measure}_score")[column]
        .agg(lowest="min", highest="max", customers="size")
        .reindex(range(1, n_bins + 1))
        .assign(measure=measure, unit=UNITS[column])
        for measure, column in scoring_config_of(scored).columns.items()
    ]
    table = pd.concat(tables).rename_axis("score").reset_index()
    columns = ["measure", "score", "lowest", "highest", "customers", "unit"]
    return table.fillna({"customers": 0}).astype({"customers": int})[columns]


def rf_grid(scored: pd.DataFrame, n_bins: int = 5) -> pd.DataFrame:
    """Customers and revenue of each recency × frequency class: recency_score, frequency_score, customers, revenue."""
    cells = pd.MultiIndex.from_product([range(1, n_bins + 1)] * 2, names=["recency_score", "frequency_score"])
    sums = scored.groupby(["recency_score", "frequency_score"]).agg(
        customers=("revenue", "size"), revenue=("revenue", "sum")
    )
    return sums.reindex(cells, fill_value=0).reset_index()


def reference_cells(scored: pd.DataFrame) -> pd.DataFrame:
    """The cells people name, with the rule each stands for; no row where the scores have not five classes.

    Returns cell, stands_for, in_the_cell (customers), rule (in words), customers, revenue (of the rule).
    """
    rows = []
    for cell, stands_for, *spans in REFERENCE_CELLS if scoring_config_of(scored).n_bins == 5 else []:
        ranges = zip(SCORES, spans, strict=True)
        meets = np.logical_and.reduce([scored[column].between(*span) for column, span in ranges])
        words = zip(("recency", "frequency", "money"), spans, strict=True)
        rule = ", ".join(f"{word} {low}" if low == high else f"{word} {low} or {high}" for word, (low, high) in words)
        exact, revenue = int((scored.rfm_cell == cell).sum()), scored.revenue[meets].sum()
        rows.append((cell, stands_for, exact, rule, int(meets.sum()), revenue))
    return pd.DataFrame(rows, columns=["cell", "stands_for", "in_the_cell", "rule", "customers", "revenue"])


def compare_scoring_methods(scored: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Two ways of scoring side by side: measure, score, customers, customers_other, differ (customers scored otherwise)."""
    tables = []
    for column in SCORES:
        sizes = pd.DataFrame({"customers": scored[column].value_counts(), "other": other[column].value_counts()})
        differ = int((scored[column] != other[column]).sum())
        sizes = sizes.fillna(0).astype(int).rename_axis("score").sort_index().reset_index()
        tables.append(sizes.assign(measure=column.removesuffix("_score"), differ=differ))
    return pd.concat(tables, ignore_index=True)[["measure", "score", "customers", "other", "differ"]]
