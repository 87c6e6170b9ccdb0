"""How often customers of each segment buy by themselves, beside what the model says, on windows that are over."""

from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.special import expit, logit

from crm_utils.cltv import btyd, forecast
from crm_utils.config import SegmentRules
from crm_utils.core.orders import orders_as_of
from crm_utils.segmentation.assignment import segments_as_of

TOLERANCE = 0.05  # a segment whose forecast is off by more is named on the page
MIN_SEGMENT_CUSTOMERS = 100  # customers of a segment before its own correction is trusted
YEAR = 364  # whole weeks
COLUMNS = ["segment", "customers", "predicted", "actual"]


class WindowCalibration:
    """Windows of `days` days that are over: what was forecast on a day, and what came. Each is computed once."""

    def __init__(
        self,
        orders: ir.Table,
        adjustments: ir.Table,
        days: int,
        rules: SegmentRules,
        customers: pd.DataFrame,
        segments: pd.DataFrame,
        kind: str = "bg_nbd",
    ):
        """`rules`, today's scored `customers` and their `segments` say who was in which segment then (see `segments_as_of`).

        `kind`: the purchase model whose chances are to be corrected (see `btyd.KINDS`).
        """
        self.orders, self.adjustments, self.days, self.kind = orders, adjustments, days, kind
        self.rules, self.customers, self.segments = rules, customers, segments
        self._computed: dict[date, pd.DataFrame] = {}

    def on(self, origin: date) -> pd.DataFrame:
        """The window that begins on a day: one row per segment as it was that day.

        Returns segment, customers, predicted, actual (shares of customers who buy within `days`), and shift: what to
        add to the log odds of the forecast so that it meets what came. No row where nobody had bought twice by then.
        """
        if origin not in self._computed:
            self._computed[origin] = self._compute(origin)
        return self._computed[origin]

    def corrections(self, day: date) -> pd.Series:
        """What to add to the log odds of each segment's forecasts from `day` on: index segment.

        The mean of two windows, where the history has them: the last one over by that day, which shows how the model
        errs now, and the one that began 52 weeks before that day, which shows the season. On Online Retail II (monthly
        origins, March to September 2011) the mean error was 3.5 points with both, 7.1 and 7.2 with one, 5.6 without any.
        """
        origins = (day - timedelta(days=self.days), day - timedelta(days=YEAR))
        windows = [self.on(origin) for origin in dict.fromkeys(origins)]
        known = [
            table[table.customers >= MIN_SEGMENT_CUSTOMERS].set_index("segment")["shift"]
            for table in windows
            if len(table)
        ]
        return pd.concat(known, axis=1).astype(float).mean(axis=1) if known else pd.Series(dtype=float)

    def held_out(self, analysis_date: date) -> pd.DataFrame:
        """The last window that is over, forecast from its start and corrected by what was known then.

        Returns segment, customers, predicted, actual, calibrated (share expected after the correction) and error
        (calibrated − actual). Without an earlier window `calibrated` is the uncorrected forecast.
        """
        origin = analysis_date - timedelta(days=self.days)
        last = self.on(origin)
        moved = last.segment.map(self.corrections(origin)).fillna(0.0).astype(float)
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


def calibrate(chances: pd.DataFrame, segment: pd.Series, corrections: pd.Series) -> pd.DataFrame:
    """The chances to buy anyway (customer_id × window) moved, segment by segment, by `corrections`.

    `segment` by customer_id; segments without a correction keep the model's chances.
    """
    by_customer = segment.reindex(chances.index).map(corrections).fillna(0.0).astype(float).to_numpy()
    return chances.apply(lambda column: shift_logit(column, by_customer))


def shift_logit(chance: pd.Series, shift: pd.Series | np.ndarray) -> pd.Series:
    """Probabilities with `shift` added to their log odds."""
    return pd.Series(expit(logit(chance.to_numpy(float)) + np.asarray(shift, float)), index=chance.index)


def _buyers(orders: ir.Table, after: date) -> np.ndarray:
    later = orders.filter(orders.ordered_at.date() > after)
    return later.select("customer_id").distinct().execute().customer_id.to_numpy()


def _logit_offset(chance: pd.Series, actual: float) -> float:
    """The shift at which the mean chance is the actual share, by bisection; within ±5, where a share is 0 or 1."""
    low, high = -5.0, 5.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if shift_logit(chance, middle).mean() < actual else (low, middle)
    return (low + high) / 2
