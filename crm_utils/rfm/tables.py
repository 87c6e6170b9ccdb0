"""The tables of 02_rfm."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.core.display.table_style import Collapsible, collapsible, style_table
from crm_utils.core.formatting import NumberFormat

BEHIND_THE_FIGURE = "The numbers behind the figure"


def score_boundaries(boundaries: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the limits of each score class, each written with its unit."""
    shown = boundaries.assign(measure=boundaries.measure.str.capitalize()).drop(columns="unit")
    for column in ("lowest", "highest"):
        limits = zip(boundaries.unit, boundaries[column], strict=True)
        shown[column] = pd.Series([_write_limit(limit, unit, fmt) for unit, limit in limits], shown.index, dtype=object)
    return style_table(shown, "The limits of each score class", fmt, {"lowest": "From", "highest": "To"})


def _write_limit(limit: float, unit: str, fmt: NumberFormat) -> str | None:
    if pd.isna(limit):
        return None
    return fmt.money(limit) if unit.startswith("money") else fmt.plural(limit, unit)


def top_revenue_shares(shares: pd.DataFrame, fmt: NumberFormat) -> Collapsible | None:
    """Show the share of revenue of the customers who spent most (`top_revenue_shares`); None without any."""
    if shares.empty:
        return None
    caption = "Share of revenue of the customers who spent most, in the last 12 months and in the 12 months before"
    shown = shares if shares.revenue_share_before.notna().any() else shares.drop(columns="revenue_share_before")
    headings = {"top_share": "Top", "revenue_share": "Of revenue", "revenue_share_before": "12 months before"}
    return collapsible("By share of customers", style_table(shown, caption, fmt, headings))


def rf_grid(grid: pd.DataFrame, fmt: NumberFormat) -> Collapsible | None:
    """Show customers and revenue of each recency × frequency class that has customers."""
    filled = grid[grid.customers > 0]
    shown = filled.sort_values(["recency_score", "frequency_score"], ascending=False)
    caption = "Customers and revenue by recency and frequency score"
    return collapsible(BEHIND_THE_FIGURE, style_table(shown, caption, fmt, total=("customers", "revenue")))


def reference_cells(cells: pd.DataFrame, fmt: NumberFormat) -> Collapsible | None:
    """Show the reference cells, with the rule behind each."""
    table = style_table(cells, "Cells that people talk about, and the rule behind each", fmt)
    return collapsible("The cells and their rules", table)


def scoring_methods(compared: pd.DataFrame, fmt: NumberFormat) -> Collapsible | None:
    """Show class sizes by both methods."""
    shown = compared.assign(measure=compared.measure.str.capitalize())
    return collapsible("The classes by both methods", style_table(shown, "Class sizes by both methods", fmt))


def cohorts(cohorts: pd.DataFrame, fmt: NumberFormat) -> Collapsible | None:
    """Show customers and revenue of each cohort in each period."""
    if cohorts.empty:
        return None
    unit = cohorts.unit.iloc[0]
    first_order = cohorts.cohort.dt.to_period({"month": "M", "quarter": "Q"}[unit]).astype("str")
    shown = cohorts.assign(first_order=first_order)[["first_order", "period", "customers", "size", "revenue"]]
    headings = {"period": f"{unit.capitalize()}s since", "customers": "Who ordered", "size": "First-time buyers"}
    return collapsible(BEHIND_THE_FIGURE, style_table(shown, "First-time buyers and their later orders", fmt, headings))
