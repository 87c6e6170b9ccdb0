"""The findings of the page that compares two dates, each with its figure and its table."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from crm_utils.comparison import charts, narrative, tables
from crm_utils.core.display.finding import Finding
from crm_utils.core.formatting import NumberFormat


def key_figures(
    table: pd.DataFrame, then: date, now: date, settings: Sequence[tuple[str, str, str]], fmt: NumberFormat
) -> Finding:
    """Return what changed between the dates.

    Parameters
    ----------
    table : pandas.DataFrame
        As `metrics.key_figures` returns it.
    then, now : datetime.date
        The earlier and the later date.
    settings : sequence of (str, str, str)
        The settings that differ: name, value then, value now.
    fmt : NumberFormat
        How the report writes numbers and money.
    """
    return Finding(
        narrative.describe_key_figures(table, then, now, settings, fmt),
        table=tables.table_of_key_figures(table, then, now, fmt),
    )


def segments(table: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Return how the segments changed; `table` is that of `metrics.compare_segments`."""
    return Finding(
        narrative.describe_segments(table, fmt),
        charts.plot_segment_sizes(table, fmt),
        narrative.SEGMENTS_CAPTION,
        charts.alt_text_segment_sizes(table, fmt),
        tables.table_of_segments(table, fmt),
    )


def forecast_outcomes(table: pd.DataFrame, then: date, now: date, fmt: NumberFormat) -> Finding:
    """Return whether past forecasts were right; `table` is that of `metrics.forecast_outcomes`."""
    sentence = narrative.describe_outcomes(table, then, now, fmt)
    if table.empty:
        return Finding(sentence)
    return Finding(
        sentence,
        charts.plot_outcomes(table, fmt),
        narrative.OUTCOMES_CAPTION,
        charts.alt_text_outcomes(table, fmt),
        tables.table_of_outcomes(table, fmt),
    )


def outcomes_by_segment(table: pd.DataFrame, months: int, fmt: NumberFormat) -> Finding:
    """Return for which segments the forecast was right; `table` is that of `metrics.forecast_outcomes_by_segment`."""
    return Finding(
        narrative.describe_outcomes_by_segment(table, fmt),
        table=tables.table_of_outcomes_by_segment(table, months, fmt),
    )
