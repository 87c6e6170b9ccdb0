"""How customers are scored: the configuration of a report, and the bin edges that resulted."""

from enum import StrEnum

from pydantic import ConfigDict

from crm_utils.config.yaml_models import Model


class ScoringMethod(StrEnum):
    """How a measure is divided into score classes."""

    QUANTILES = "quantiles"
    APPROXIMATE = "approximate"
    ARTICLE = "article"


class Window(StrEnum):
    """The orders that frequency and monetary value count."""

    ALL = "all"
    TO_ANALYSIS_DATE = "12 months to the analysis date"
    TO_LAST_ORDER = "12 months to each customer's last purchase"


class RecencyUnit(StrEnum):
    """The unit in which recency is scored."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    ELAPSED_DAYS = "elapsed days"


class FrequencyMeasure(StrEnum):
    """What frequency counts."""

    ORDERS = "orders"
    PURCHASE_DAYS = "purchase days"


class MonetaryMeasure(StrEnum):
    """What monetary value measures: all revenue, or revenue per order."""

    TOTAL = "total"
    AVERAGE = "average"


RECENCY_COLUMNS = {
    RecencyUnit.DAYS: "recency_days",
    RecencyUnit.WEEKS: "recency_weeks",
    RecencyUnit.MONTHS: "recency_months",
    RecencyUnit.ELAPSED_DAYS: "elapsed_days",
}


class ScoringConfig(Model):
    """How customers are scored.

    Parameters
    ----------
    n_bins : int
        Number of score classes per measure.
    method : ScoringMethod
        Exact quantiles, the engine's approximate quantiles, or the article's method (equal values get different ranks).
    window, recency_unit, frequency_measure, monetary_measure
        How the three measures are defined.
    bin_edges : dict of str to list of float
        The analyst's own bin edges per measure, in ascending order, one fewer than classes.
    bin_edges_from_date : str, optional
        The date (ISO text) whose bin edges are kept on every later date.
    """

    n_bins: int = 5
    method: ScoringMethod = ScoringMethod.QUANTILES
    window: Window = Window.ALL
    recency_unit: RecencyUnit = RecencyUnit.DAYS
    frequency_measure: FrequencyMeasure = FrequencyMeasure.ORDERS
    monetary_measure: MonetaryMeasure = MonetaryMeasure.TOTAL
    bin_edges: dict[str, list[float]] = {}
    bin_edges_from_date: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """The column from which each measure is scored: keys recency, frequency, monetary."""
        prefix = "" if self.window == Window.ALL else "window_"
        by_day = self.frequency_measure == FrequencyMeasure.PURCHASE_DAYS
        per_order = self.monetary_measure == MonetaryMeasure.AVERAGE
        return {
            "recency": RECENCY_COLUMNS[self.recency_unit],
            "frequency": prefix + ("purchase_days" if by_day else "orders"),
            "monetary": prefix + ("mean_order_value" if per_order else "revenue"),
        }


class Scoring(Model):
    """How the customers of one date were scored.

    Parameters
    ----------
    config : ScoringConfig
        The configuration of the report.
    bin_edges : dict of str to list of float
        Per measure the values at which scores 2, 3 … start; empty for the article's method.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings")  # an empty score class has an infinite edge

    config: ScoringConfig
    bin_edges: dict[str, list[float]] = {}

    @property
    def fixed_bin_edges(self) -> dict[str, list[float]] | None:
        """The bin edges to use on every date; None if each date has its own."""
        return self.bin_edges if self.config.bin_edges_from_date else None
