"""Figures of 02_rfm, each with its alternative text."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from crm_utils.config import ScoringConfig
from crm_utils.core.display.figure_style import BLUE, INK, ORANGE, WIDTH, count_axis, use_style
from crm_utils.core.formatting import ORDERS, NumberFormat, percent
from crm_utils.rfm.cohorts import MIN_COHORT_CUSTOMERS
from crm_utils.rfm.measures import UNITS
from crm_utils.rfm.scoring import MEASURES

AXIS_LABELS = {
    "day": "Days since last order",
    "week": "Weeks since last order",
    "month": "Months since last order",
    "order": "Orders",
    "purchase day": "Purchase days",
    "money": "{value}{unit}",
    "money an order": "{value} per order{unit}",
}
BINS = 24
# On a logarithmic scale, each count up to this has its own bar.
SINGLE_BARS_UP_TO = 10
# Letters are white on cells darker than this share of the deepest blue.
DARK_FROM = 0.6
# If there are more periods than this, the letters are smaller.
MANY_PERIODS = 10


def plot_distributions(
    customers: pd.DataFrame, boundaries: pd.DataFrame, config: ScoringConfig, fmt: NumberFormat
) -> Axes:
    """Draw three histograms (recency, frequency, monetary value) with the lower limit of each score class as a line.

    Returns the first ax.
    """
    use_style()
    panels = plt.subplots(1, 3, figsize=(WIDTH, 2.9))[1]
    for ax, (measure, column) in zip(panels, config.columns.items(), strict=True):
        _plot_histogram(ax, customers[column], measure != "recency", fmt)
        filled = boundaries[(boundaries.measure == measure) & (boundaries.customers > 0)]
        for limit in filled.lowest.sort_values().iloc[1:]:
            ax.axvline(limit, color=ORANGE, linewidth=1.2)
        unit = "" if fmt.currency == ORDERS else f", {fmt.currency}"
        ax.set_xlabel(AXIS_LABELS[UNITS[column]].format(value=fmt.value_noun, unit=unit))
        count_axis(ax.yaxis, fmt)
    panels[0].set_ylabel("Customers")
    return panels[0]


def _plot_histogram(ax: Axes, values: pd.Series, logarithmic: bool, fmt: NumberFormat) -> None:
    ax.hist(values, bins=_bin_edges(values, logarithmic).tolist(), color=BLUE, alpha=0.85)
    if logarithmic:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda value, _: fmt.count(value) if value >= 1 else f"{value:g}")
        ax.xaxis.set_minor_formatter(lambda value, _: "")


def _bin_edges(values: pd.Series, logarithmic: bool) -> np.ndarray:
    low = max(values.min(), 1e-2 if logarithmic else 0)
    high = values.max()
    if not logarithmic:
        return np.linspace(low, high + 1, BINS + 1)
    if (values == values.round()).all():
        single = np.arange(1, SINGLE_BARS_UP_TO + 1) - 0.5
        wide = np.geomspace(SINGLE_BARS_UP_TO + 0.5, max(high + 1, SINGLE_BARS_UP_TO + 2), 12).round() + 0.5
        return np.unique(np.concatenate([single, wide]))
    return np.geomspace(low, max(high, low * 1.1), BINS + 1)


def alt_text_distributions(boundaries: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the histograms with their limits show."""
    ranges = (
        boundaries[boundaries.customers > 0]
        .groupby("measure")
        .agg(lowest=("lowest", "min"), highest=("highest", "max"), classes=("score", "size"), unit=("unit", "first"))
    )
    recency, frequency, monetary = (ranges.loc[measure] for measure in MEASURES)
    return (
        f"Three histograms of customers: {fmt.count(recency.lowest)} to {fmt.plural(recency.highest, recency.unit)} "
        f"since the last order, {fmt.count(frequency.lowest)} to {fmt.plural(frequency.highest, frequency.unit)}, "
        f"{fmt.money(monetary.lowest)} to {fmt.money(monetary.highest)} of revenue"
        f"{monetary.unit.removeprefix('money')}, cut into {recency.classes}, {frequency.classes} and "
        f"{monetary.classes} score classes."
    )


def plot_rf_grid(grid: pd.DataFrame, fmt: NumberFormat) -> Axes:
    """Draw heat maps of customers and of revenue over recency (best on top) × frequency. Returns the first ax."""
    use_style()
    panels = plt.subplots(1, 2, figsize=(WIDTH, 3.1))[1]
    shown = (
        (panels[0], "customers", "Customers", fmt.count),
        (panels[1], "revenue", fmt.value_noun, fmt.short_money),
    )
    for ax, column, title, write in shown:
        table = grid.pivot(index="recency_score", columns="frequency_score", values=column)
        best_first = table.sort_index(ascending=False)
        labels = best_first.map(_writer(write, empty=0, dash="–"))
        _plot_heat_map(ax, best_first, labels, 1.15 * table.max().max())
        ax.set(title=title, xlabel="Frequency score", ylabel="Recency score")
    return panels[0]


def _writer(write: Callable[[float], str], empty: float | None, dash: str) -> Callable[[float], str]:
    """Return a function that writes a value, or `dash` if it is missing or `empty`."""
    return lambda value: dash if pd.isna(value) or value == empty else write(value)


def alt_text_rf_grid(grid: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the two heat maps show."""
    most = grid.loc[grid.customers.idxmax()]
    richest = grid.loc[grid.revenue.idxmax()]
    return (
        f"Two heat maps of recency score by frequency score. Most customers, {fmt.count(most.customers)}, are at "
        f"recency {most.recency_score:.0f}, frequency {most.frequency_score:.0f}; most revenue is at recency "
        f"{richest.recency_score:.0f}, frequency {richest.frequency_score:.0f}."
    )


def _plot_heat_map(ax: Axes, table: pd.DataFrame, labels: pd.DataFrame, top: float, letters: float = 9) -> None:
    """Draw one heat map; the closer a value is to `top`, the deeper its blue."""
    top = top or 1
    sns.heatmap(
        table,
        annot=labels,
        fmt="",
        cmap="Blues",
        cbar=False,
        linewidths=1,
        ax=ax,
        vmin=0,
        vmax=top,
        annot_kws={"size": letters},
    )
    for text in ax.texts:
        # seaborn writes white on pale blue
        column, row = (int(position) for position in text.get_position())
        text.set_color("white" if table.iloc[row, column] > DARK_FROM * top else INK)
    ax.tick_params(axis="y", rotation=0)


def plot_cohorts(cohorts: pd.DataFrame, fmt: NumberFormat) -> Axes | None:
    """Draw heat maps of cohorts by periods since the first order: who ordered again, and revenue per first-time buyer.

    Cohorts of fewer than `MIN_COHORT_CUSTOMERS` are left out. Returns the first ax; None if no cohort has a second
    period.
    """
    shown = cohorts[cohorts["size"] >= MIN_COHORT_CUSTOMERS]
    if not (shown.period > 0).any():
        return None
    unit = shown.unit.iloc[0]
    use_style()
    panels = plt.subplots(2, 1, figsize=(WIDTH, 1.7 + 0.56 * shown.cohort.nunique()))[1]
    named = shown.assign(name=_cohort_names(shown.cohort, unit), retention=shown.retention.where(shown.period > 0))
    _plot_cohort_map(panels[0], named, "retention", percent)
    _plot_cohort_map(panels[1], named, "revenue_per_customer", lambda amount: fmt.short_money(round(amount)))
    panels[0].set_title(f"Who ordered again, by {unit}s since the first order")
    panels[1].set_title(f"{fmt.value_noun} per first-time buyer, by {unit}s since the first order")
    return panels[0]


def _cohort_names(cohort: pd.Series, unit: str) -> pd.Series:
    return cohort.dt.strftime("%b %Y") if unit == "month" else cohort.dt.to_period("Q").astype("str")


def _plot_cohort_map(ax: Axes, named: pd.DataFrame, column: str, write: Callable[[float], str]) -> None:
    order = named.name.drop_duplicates().tolist()
    table = named.pivot(index="name", columns="period", values=column).reindex(order).dropna(how="all")
    labels = table.map(_writer(write, empty=None, dash=""))
    letters = 9 if table.shape[1] <= MANY_PERIODS else 6.5
    _plot_heat_map(ax, table, labels, 1.2 * table.drop(columns=0).max().max(), letters)
    ax.set(xlabel="", ylabel="")


def alt_text_cohorts(cohorts: pd.DataFrame, fmt: NumberFormat) -> str:
    """Describe what the two heat maps of cohorts show."""
    shown = cohorts[cohorts["size"] >= MIN_COHORT_CUSTOMERS]
    sizes = f"{fmt.count(shown['size'].min())} to {fmt.count(shown['size'].max())}" if len(shown) else "no"
    return (
        f"Two heat maps of {fmt.plural(shown.cohort.nunique(), 'cohort')} of {sizes} first-time buyers: the share "
        "who ordered in each later period, and revenue per first-time buyer."
    )
