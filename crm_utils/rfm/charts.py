"""Figures of 02_rfm."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from crm_utils.config.scoring import ScoringConfig
from crm_utils.core import formatting
from crm_utils.core.display.figure_style import BLUE, INK, ORANGE, count_axis, use_style
from crm_utils.rfm.measures import UNITS

LABELS = {
    "day": "Days since last order",
    "week": "Weeks since last order",
    "month": "Months since last order",
    "order": "Orders",
    "purchase day": "Purchase days",
    "money": "Revenue, {currency}",
    "money an order": "Revenue an order, {currency}",
}


def distributions(customers: pd.DataFrame, cuts: pd.DataFrame, config: ScoringConfig, currency: str) -> Axes:
    """Three histograms (recency, orders, revenue) with the lower limit of each score class as a line. Returns the first ax."""
    use_style()
    panels = plt.subplots(1, 3, figsize=(6.6, 2.9))[1]
    for ax, (measure, column) in zip(panels, config.columns.items(), strict=True):
        _histogram(ax, customers[column], log=measure != "recency")
        for limit in cuts[(cuts.measure == measure) & (cuts.customers > 0)].lowest.sort_values().iloc[1:]:
            ax.axvline(limit, color=ORANGE, linewidth=1.2)
        ax.set_xlabel(LABELS[UNITS[column]].format(currency=currency))
        count_axis(ax.yaxis)
    panels[0].set_ylabel("Customers")
    return panels[0]


def _histogram(ax: Axes, values: pd.Series, log: bool) -> None:
    low, high = max(values.min(), 1e-2 if log else 0), values.max()
    edges = np.geomspace(low, max(high, low * 1.1), 25) if log else np.linspace(low, high + 1, 25)
    if log and (values == values.round()).all():  # counts: one bar each while they are small
        edges = np.unique(
            np.concatenate([np.arange(1, 11) - 0.5, np.geomspace(10.5, max(high + 1, 12), 12).round() + 0.5])
        )
    ax.hist(values, bins=edges, color=BLUE, alpha=0.85)
    if log:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda value, _: formatting.count(value) if value >= 1 else f"{value:g}")
        ax.xaxis.set_minor_formatter(lambda value, _: "")


def grids(cells: pd.DataFrame, currency: str) -> Axes:
    """Heat maps of customers and of their revenue over recency (rows, best on top) × frequency. Returns the first ax."""
    use_style()
    panels = plt.subplots(1, 2, figsize=(6.6, 3.1))[1]
    written = {"customers": formatting.count, "revenue": lambda amount: formatting.short_money(amount, currency)}
    for ax, (column, write) in zip(panels, written.items(), strict=True):
        table = cells.pivot(index="recency_score", columns="frequency_score", values=column)
        labels = table.map(lambda value, write=write: write(value) if value else "–")
        _heat(ax, table.sort_index(ascending=False), labels.sort_index(ascending=False), 1.15 * table.max().max())
        ax.set(title=column.capitalize(), xlabel="Frequency score", ylabel="Recency score")
    return panels[0]


def _heat(ax: Axes, table: pd.DataFrame, labels: pd.DataFrame, top: float, size: float = 9) -> None:
    """One heat map: the deeper the blue, the nearer to `top`."""
    sns.heatmap(
        table, annot=labels, fmt="", cmap="Blues", cbar=False, linewidths=1, ax=ax, vmin=0, vmax=top or 1,
        annot_kws={"size": size},
    )  # fmt: skip
    for text in ax.texts:  # seaborn's own choice is white on pale blue
        column, row = (int(place) for place in text.get_position())
        text.set_color("white" if table.iloc[row, column] > 0.6 * (top or 1) else INK)
    ax.tick_params(axis="y", rotation=0)


def triangle(cohorts: pd.DataFrame, currency: str) -> Axes | None:
    """Two heat maps of cohorts (rows) by periods since the first order: who ordered again, and revenue per first buyer.

    Groups of fewer than 30 are left out. Returns the first ax; None where no group has a second period.
    """
    cohorts = cohorts[cohorts["size"] >= 30]
    if not (cohorts.period > 0).any():
        return None
    unit, rows = cohorts.unit.iloc[0], cohorts.cohort.nunique()
    use_style()
    panels = plt.subplots(2, 1, figsize=(6.6, 1.7 + 0.56 * rows))[1]
    names = cohorts.cohort.dt.strftime("%b %Y") if unit == "month" else cohorts.cohort.dt.to_period("Q").astype("str")
    again = cohorts.assign(name=names, retention=cohorts.retention.where(cohorts.period > 0))
    order = again.name.drop_duplicates().tolist()
    for ax, column, written in (
        (panels[0], "retention", lambda share: f"{share:.0%}"),
        (panels[1], "revenue_per_customer", lambda amount: formatting.short_money(round(amount), currency)),
    ):
        table = again.pivot(index="name", columns="period", values=column).reindex(order).dropna(how="all")
        labels = table.map(lambda value, written=written: "" if pd.isna(value) else written(value))
        size = 9 if table.shape[1] <= 10 else 6.5
        _heat(ax, table, labels, 1.2 * table.drop(columns=0).max().max(), size)
        ax.set(xlabel="", ylabel="")
    panels[0].set_title(f"Who ordered again, by {unit}s since the first order")
    panels[1].set_title(f"Revenue per first buyer, by {unit}s since the first order")
    return panels[0]
