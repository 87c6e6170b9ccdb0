"""Tables of 02_rfm."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.core import formatting
from crm_utils.core.display.table_style import Collapsible, collapsible, style_table


def cut_points(cuts: pd.DataFrame, currency: str) -> Styler:
    """Limits differ in unit from measure to measure, so each is written with its own."""
    shown = cuts.assign(measure=cuts.measure.str.capitalize()).astype({"lowest": object, "highest": object})
    for column in ("lowest", "highest"):
        limits = zip(cuts.unit, cuts[column], strict=True)
        shown[column] = [_written(limit, unit, currency) if pd.notna(limit) else None for unit, limit in limits]
    shown = shown.drop(columns="unit")
    return style_table(shown, "The limits of each score class", currency, {"lowest": "From", "highest": "To"})


def _written(limit: float, unit: str, currency: str) -> str:
    return formatting.money(limit, currency) if unit.startswith("money") else formatting.plural(limit, unit)


def grid(cells: pd.DataFrame, currency: str) -> Collapsible:
    shown = cells[cells.customers > 0].sort_values(["recency_score", "frequency_score"], ascending=False)
    caption = "Customers and revenue by recency and frequency score"
    return collapsible(
        "The numbers behind the figure", style_table(shown, caption, currency, total=("customers", "revenue"))
    )


def named_cells(named: pd.DataFrame, currency: str) -> Collapsible | None:
    if named.empty:
        return None
    table = style_table(named, "Cells that people name, and the rule each stands for", currency)
    return collapsible("The cells and their rules", table)


def methods(compared: pd.DataFrame) -> Collapsible:
    shown = compared.assign(measure=compared.measure.str.capitalize())
    return collapsible("The classes by both methods", style_table(shown, "Class sizes by both methods"))


def cohorts(cohorts: pd.DataFrame, currency: str) -> Collapsible | None:
    if cohorts.empty:
        return None
    code = {"month": "M", "quarter": "Q"}[cohorts.unit.iloc[0]]
    shown = cohorts.assign(first_order=cohorts.cohort.dt.to_period(code).astype("str"))
    shown = shown[["first_order", "period", "customers", "size", "revenue"]]
    names = {
        "period": f"{cohorts.unit.iloc[0].capitalize()}s since",
        "customers": "Who ordered",
        "size": "First buyers",
    }
    return collapsible(
        "The numbers behind the figure", style_table(shown, "First buyers and what came of them", currency, names)
    )
