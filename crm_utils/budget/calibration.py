"""How often customers of each segment buy by themselves, and what the model says, on windows that are over."""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from crm_utils.cltv import btyd, forecast
from crm_utils.config import SegmentRules
from crm_utils.core.orders import orders_as_of
from crm_utils.segmentation.assignment import segments_as_of

# A segment whose forecast is off by more is named on the page.
TOLERANCE = 0.05
# Customers of a segment before its own correction is trusted
MIN_SEGMENT_CUSTOMERS = 100
# Days: whole weeks
YEAR_DAYS = 364
# Log odds by which a forecast is corrected at most
LARGEST_OFFSET = 5.0
COLUMNS = ["segment", "customers", "predicted", "actual"]


class WindowCalibration:
    """Windows of `days` days that are over: what was forecast on a day, and what came. Each is computed once.

    Parameters
    ----------
    orders, adjustments : ibis Table
        The tables `orders` and `order_adjustments`.
    days : int
        Length of a window.
    rules, customers, segments : SegmentRules, pandas.DataFrame
        The segment rules, today's scored customers and their segments. They say who was in which segment then
        (`segments_as_of`).
    kind : str or OwnModelSpec
        The purchase model whose probabilities are to be corrected (`btyd.KINDS`).
    """

    def __init__(
        self,
        orders: ir.Table,
        adjustments: ir.Table,
        days: int,
        rules: SegmentRules,
        customers: pd.DataFrame,
        segments: pd.DataFrame,
        kind: str | btyd.OwnModelSpec = "bg_nbd",
    ):
        self.orders, self.adjustments, self.days, self.kind = orders, adjustments, days, kind
        self.rules, self.customers, self.segments = rules, customers, segments
        self._computed: dict[date, pd.DataFrame] = {}

    def window_starting(self, origin: date) -> pd.DataFrame:
        """Compare forecast and outcome of the window that begins on a day, by the segments of that day.

        Returns
        -------
        pandas.DataFrame
            segment, customers, predicted, actual (shares of customers who buy within `days`), and shift: what to add to
            the log odds of the forecast so that it meets what came. No row if nobody had bought twice by then.
        """
        if origin not in self._computed:
            self._computed[origin] = self._compute(origin)
        return self._computed[origin]

    def logit_offsets(self, day: date, known_by: date | None = None) -> pd.Series:
        """Find what to add to the log odds of each segment's forecasts from `day` on.

        The mean of two windows, if the history has them: the last one over by that day, which shows how the model errs
        now, and the one that began 52 weeks before that day, which shows the season. On Online Retail II (monthly
        origins, March to September 2011) the mean error was 3.5 points with both, 7.1 and 7.2 with one, 5.6 without
        any.

        Parameters
        ----------
        day : datetime.date
            The first day of the forecast.
        known_by : datetime.date, optional
            The last day of the history; by default `day`. Windows that were not over by then are left out, so a wave
            next year uses the last window and the season of last year.

        Returns
        -------
        pandas.Series
            Log odds by segment, for segments of at least `MIN_SEGMENT_CUSTOMERS` customers.
        """
        last = min(day, known_by or day) - timedelta(days=self.days)
        origins = [origin for origin in (last, day - timedelta(days=YEAR_DAYS)) if origin <= last]
        windows = [self.window_starting(origin) for origin in dict.fromkeys(origins)]
        known = [
            table[table.customers >= MIN_SEGMENT_CUSTOMERS].set_index("segment")["shift"]
            for table in windows
            if len(table)
        ]
        return pd.concat(known, axis=1).astype(float).mean(axis=1) if known else pd.Series(dtype=float)

    def last_window_check(self, analysis_date: date) -> pd.DataFrame:
        """Forecast the last window that is over from its start, corrected by what was known then.

        Parameters
        ----------
        analysis_date : datetime.date
            The last day of the window.

        Returns
        -------
        pandas.DataFrame
            segment, customers, predicted, actual, calibrated (share expected after the correction) and error
            (calibrated − actual). Without an earlier window `calibrated` is the uncorrected forecast.
        """
        origin = analysis_date - timedelta(days=self.days)
        last = self.window_starting(origin)
        moved = last.segment.map(self.logit_offsets(origin)).fillna(0.0).astype(float)
        calibrated = shift_logit(last.predicted.astype(float), moved)
        return last.drop(columns="shift").assign(calibrated=calibrated, error=calibrated - last.actual.astype(float))

    def _compute(self, origin: date) -> pd.DataFrame:
        before = orders_as_of(self.orders, self.adjustments, origin)
        known = forecast.rfm_summary(before, origin)
        if not len(known) or not (known.repeat_purchase_days > 0).any():
            return pd.DataFrame(columns=[*COLUMNS, "shift"])
        purchase = btyd.fit_purchase_model(self.kind, *btyd.to_xtT(known))
        chance = btyd.purchase_probabilities(purchase, known, [self.days])[self.days]
        named = segments_as_of(before, origin, self.rules, self.customers, self.segments)
        judged = pd.DataFrame({"chance": chance, "segment": named.reindex(chance.index)}).dropna()
        after = orders_as_of(self.orders, self.adjustments, origin + timedelta(days=self.days))
        judged["bought"] = judged.index.isin(_buyers(after, origin))
        table = judged.groupby("segment").agg(
            customers=("chance", "size"), predicted=("chance", "mean"), actual=("bought", "mean")
        )
        table["shift"] = [
            _logit_offset(judged.chance[judged.segment == name], table.actual[name]) for name in table.index
        ]
        return table.reset_index()


@dataclass(frozen=True)
class Chances:
    """How probable it is that customers buy without a contact.

    Parameters
    ----------
    by_window : pandas.DataFrame
        customer_id × days from today.
    by_wave : list of pandas.Series
        For each wave, in its season: probability by customer_id.
    """

    by_window: pd.DataFrame
    by_wave: list[pd.Series]


def find_chances(
    windows: WindowCalibration,
    purchase_model: btyd.PurchaseModel,
    people: pd.DataFrame,
    days: list[int],
    analysis_date: date,
    waves: int,
) -> Chances:
    """Compute the probabilities of buying anyway, corrected segment by segment by past windows.

    Parameters
    ----------
    windows : WindowCalibration
        Past windows as long as a wave.
    purchase_model : fitted model
        See `cltv.btyd.models_from_table`.
    people : pandas.DataFrame
        Customers with their segment and history (`unit_economics.customer_economics`).
    days : list of int
        Windows from today, in days, beside that of a wave.
    analysis_date : datetime.date
        The last day of the history.
    waves : int
        Number of waves.

    Returns
    -------
    Chances
    """
    segment = people.set_index("customer_id").segment
    modelled = btyd.purchase_probabilities(purchase_model, people, sorted({*days, windows.days}))
    by_window = calibrate(modelled, segment, windows.logit_offsets(analysis_date))
    return Chances(by_window, probabilities_by_wave(modelled[windows.days], segment, windows, analysis_date, waves))


def probabilities_by_wave(
    modelled: pd.Series,
    segment: pd.Series,
    windows: WindowCalibration,
    analysis_date: date,
    waves: int,
) -> list[pd.Series]:
    """Correct the probability of buying within a wave for each wave's season.

    Parameters
    ----------
    modelled : pandas.Series
        What the model says of the first wave, by customer_id.
    segment : pandas.Series
        Segment by customer_id.
    windows : WindowCalibration
        Past windows as long as a wave.
    analysis_date : datetime.date
        The last day of the history.
    waves : int
        Number of waves.

    Returns
    -------
    list of pandas.Series
        For each wave: probability by customer_id.
    """
    found = []
    for wave in range(waves):
        day = analysis_date + timedelta(days=wave * windows.days)
        offsets = windows.logit_offsets(day, analysis_date)
        found.append(calibrate(modelled.to_frame("chance"), segment, offsets).chance)
    return found


def calibrate(probabilities: pd.DataFrame, segment: pd.Series, offsets: pd.Series) -> pd.DataFrame:
    """Correct the probabilities of buying anyway, segment by segment.

    Parameters
    ----------
    probabilities : pandas.DataFrame
        customer_id × window in days.
    segment : pandas.Series
        Segment by customer_id.
    offsets : pandas.Series
        What to add to the log odds, by segment (`WindowCalibration.logit_offsets`). Segments without one keep the
        model's probabilities.

    Returns
    -------
    pandas.DataFrame
        The corrected probabilities.
    """
    by_customer = segment.reindex(probabilities.index).map(offsets).fillna(0.0).astype(float).to_numpy()
    return probabilities.apply(lambda column: shift_logit(column, by_customer))


def shift_logit(probability: pd.Series, shift: pd.Series | np.ndarray) -> pd.Series:
    """Return probabilities with `shift` added to their log odds."""
    return pd.Series(expit(logit(probability.to_numpy(float)) + np.asarray(shift, float)), index=probability.index)


def _buyers(orders: ir.Table, after: date) -> np.ndarray:
    later = orders.filter(orders.ordered_at.date() > after)
    return later.select("customer_id").distinct().execute().customer_id.to_numpy()


def _logit_offset(probability: pd.Series, actual: float) -> float:
    """Return the shift at which the mean probability is the actual share; at most `LARGEST_OFFSET` either way."""

    def excess(shift: float) -> float:
        return shift_logit(probability, shift).mean() - actual

    if excess(LARGEST_OFFSET) < 0:
        return LARGEST_OFFSET
    if excess(-LARGEST_OFFSET) > 0:
        return -LARGEST_OFFSET
    return brentq(excess, -LARGEST_OFFSET, LARGEST_OFFSET, xtol=1e-14)
