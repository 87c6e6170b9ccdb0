"""How often customers buy by themselves, beside what the model says."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_utils.budget import calibration
from crm_utils.cltv import btyd
from crm_utils.config import SegmentRules
from crm_utils.rfm import measures, scoring
from crm_utils.segmentation.assignment import assign_segments
from tests.support.factories import empty_adjustments
from tests.support.segment_factories import query_map, segment_rules

RULES = segment_rules(query_map(A="recency_score > 2", B="recency_score <= 2"), new_within_days=None)


@given(chance=st.floats(0, 1), shift=st.floats(-5, 5))
def test_a_shifted_chance_stays_a_chance(chance, shift):
    moved = calibration.shift_logit(pd.Series([chance]), shift).iloc[0]
    assert 0 <= moved <= 1
    assert moved >= chance - 1e-12 if shift > 0 else moved <= chance + 1e-12


def test_a_correction_makes_the_mean_chance_what_came():
    chance = pd.Series(np.random.default_rng(1).beta(1, 4, 500))
    moved = calibration.shift_logit(chance, calibration._logit_offset(chance, 0.35))
    assert moved.mean() == pytest.approx(0.35, abs=1e-9)


def test_only_segments_with_a_correction_move():
    probabilities = pd.DataFrame({30: [0.1, 0.2], 91: [0.3, 0.4]}, index=["1", "2"])
    moved = calibration.calibrate(probabilities, pd.Series({"1": "A", "2": "B"}), pd.Series({"A": 0.5}))
    assert (moved.loc["1"] > probabilities.loc["1"]).all()
    assert moved.loc["2"].tolist() == pytest.approx(probabilities.loc["2"].tolist())


def shop(seed: int = 0, count: int = 2500) -> tuple[ibis.Table, ibis.Table, date]:
    """Customers who buy at steady rates of their own over two years; all cells are segment A or B by recency."""
    random = np.random.default_rng(seed)
    rows = []
    for number, rate in enumerate(random.gamma(1, 1 / 60, count)):
        days = np.cumsum(random.exponential(1 / max(rate, 1e-3), 60)) + random.uniform(0, 300)
        rows += [(str(number), f"{number}-{n}", day) for n, day in enumerate(days[days < 730])]
    table = pd.DataFrame(rows, columns=["customer_id", "order_id", "day"])
    placed = pd.Timestamp("2022-01-01") + pd.to_timedelta(table.day, unit="D")
    table = table.assign(ordered_at=placed.astype("datetime64[us]"), revenue=10.0, units=1.0, lines=1).drop(
        columns="day"
    )
    none = empty_adjustments()
    return ibis.memtable(table), ibis.memtable(none), date(2023, 12, 31)


def today(
    placed: ibis.Table, day: date, rules: SegmentRules = RULES
) -> tuple[SegmentRules, pd.DataFrame, pd.DataFrame]:
    """The segment rules, the scored customers of a day, and their segments."""
    customers = scoring.score_customers(measures.compute_rfm(placed.filter(placed.ordered_at.date() <= day), day))
    return rules, customers, assign_segments(customers, rules, day)


def test_a_steady_shop_is_forecast_within_five_points():
    placed, none, day = shop()
    found = calibration.WindowCalibration(placed, none, 91, *today(placed, day)).last_window_check(day)
    assert set(found.segment) == {"A", "B"}
    assert found.error.abs().max() < calibration.TOLERANCE


def test_a_window_does_not_look_into_the_future():
    placed, none, day = shop(count=600)
    origin = day - timedelta(days=91)
    later = placed.filter(placed.ordered_at.date() <= day)
    before = calibration.WindowCalibration(later, none, 91, *today(placed, day)).window_starting(origin)
    everything = calibration.WindowCalibration(placed, none, 91, *today(placed, day)).window_starting(origin)
    pd.testing.assert_frame_equal(before, everything)


def test_the_window_just_over_is_computed_once(monkeypatch):
    """The plan corrects by it and the check judges it: beside it they need three earlier ones."""
    placed, none, day = shop(count=600)
    fits, fit = [], calibration.btyd.fit_purchase_model
    monkeypatch.setattr(calibration.btyd, "fit_purchase_model", lambda *known: fits.append(1) or fit(*known))
    windows = calibration.WindowCalibration(placed, none, 91, *today(placed, day))
    windows.logit_offsets(day)
    windows.last_window_check(day)
    assert len(fits) == len({day - timedelta(days=days) for days in (91, 364, 91 + 91, 91 + 364)})


def test_the_model_that_is_corrected_is_the_one_that_is_judged():
    placed, none, day = shop(count=600)
    origin = day - timedelta(days=91)
    predicted = [
        calibration.WindowCalibration(placed, none, 91, *today(placed, day), kind).window_starting(origin).predicted
        for kind in btyd.MODELS
    ]
    assert len({tuple(shares) for shares in predicted}) == 3


def test_a_short_history_has_no_window():
    placed, none, day = shop(count=50)
    windows = calibration.WindowCalibration(placed, none, 91, *today(placed, day))
    assert windows.last_window_check(date(2022, 1, 5)).empty
    assert windows.logit_offsets(date(2022, 1, 5)).empty


def test_segments_that_were_named_anew_are_judged_by_their_own_names():
    placed, none, day = shop(count=600)
    rules, customers, segments = today(placed, day)
    own = segments.assign(segment=segments.segment.map({"A": "Warm", "B": "Cold"}))
    found = calibration.WindowCalibration(placed, none, 91, rules, customers, own).window_starting(
        day - timedelta(days=91)
    )
    assert set(found.segment) == {"Warm", "Cold"}


def test_nobody_is_left_out_of_a_window():
    """Cells that nobody stands in today were full then: everybody known on that day is judged."""
    placed, none, day = shop(count=600)
    origin = day - timedelta(days=91)
    known = placed.filter(placed.ordered_at.date() <= origin).customer_id.nunique().execute()
    rules, customers, segments = today(placed, day)
    few = customers.query("recency_score == 5 or recency_score == 1")
    found = calibration.WindowCalibration(placed, none, 91, rules, few, segments).window_starting(origin)
    assert found.customers.sum() == known
    # an analyst's own segments: cells that are empty today have no name
    own = segments.assign(segment="own " + segments.segment)
    assert (
        calibration.WindowCalibration(placed, none, 91, rules, few, own).window_starting(origin).customers.sum() < known
    )


def test_on_online_retail_the_correction_helps_and_misses_are_named(retail_orders, no_adjustments):
    """Held-out quarters of 2011: mean error of the share that buys anyway, customers counted, corrected and not."""
    placed, none = retail_orders, no_adjustments
    rules = segment_rules(new_within_days=None)
    found = [
        calibration.WindowCalibration(placed, none, 91, *today(placed, day, rules)).last_window_check(day)
        for day in (date(2011, 6, 9), date(2011, 9, 9), date(2011, 12, 9))
    ]
    corrected = [np.average(table.error.abs(), weights=table.customers) for table in found]
    raw = [np.average((table.predicted - table.actual).astype(float).abs(), weights=table.customers) for table in found]
    assert np.mean(corrected) < np.mean(raw)
    assert corrected[0] < calibration.TOLERANCE
    assert corrected[1] < calibration.TOLERANCE
    assert (found[2].error.abs() > calibration.TOLERANCE).any()  # Christmas trade: the page has to say so


def windows_of(monkeypatch, days: int, tables: dict[date, pd.DataFrame]) -> calibration.WindowCalibration:
    """Windows whose comparison of forecast and outcome is given, by first day."""
    placed, none, _ = shop(count=3)
    windows = calibration.WindowCalibration(placed, none, days, RULES, pd.DataFrame(), pd.DataFrame())
    monkeypatch.setattr(windows, "_compute", lambda origin: tables[origin])
    return windows


def compared(**of_segments: tuple[int, float]) -> pd.DataFrame:
    """Customers and shift of each segment."""
    rows = [(segment, customers, 0.5, 0.6, shift) for segment, (customers, shift) in of_segments.items()]
    return pd.DataFrame(rows, columns=[*calibration.COLUMNS, "shift"])


def test_the_correction_is_the_mean_of_two_windows_worked_by_hand(monkeypatch):
    """C has 100 customers in one window only, and D in none."""
    day = date(2023, 12, 31)
    last, season = day - timedelta(days=91), day - timedelta(days=364)
    tables = {
        last: compared(A=(150, 0.2), B=(200, -0.4), C=(99, 0.9), D=(99, 0.9)),
        season: compared(A=(100, 0.6), B=(100, 0.1), C=(100, 0.3)),
    }
    offsets = windows_of(monkeypatch, 91, tables).logit_offsets(day)
    assert offsets.to_dict() == pytest.approx({"A": 0.4, "B": -0.15, "C": 0.3})
    only_last = windows_of(monkeypatch, 91, tables | {season: compared()}).logit_offsets(day)
    assert only_last.to_dict() == pytest.approx({"A": 0.2, "B": -0.4})
    no_window = windows_of(monkeypatch, 91, {last: compared(), season: compared()}).logit_offsets(day)
    assert no_window.empty and no_window.dtype == float


def test_a_window_of_a_year_counts_once(monkeypatch):
    day = date(2023, 12, 31)
    offsets = windows_of(monkeypatch, 364, {day - timedelta(days=364): compared(A=(100, 0.2))}).logit_offsets(day)
    assert offsets.to_dict() == pytest.approx({"A": 0.2})


def test_the_last_window_is_corrected_by_what_was_known_at_its_start(monkeypatch):
    """A: odds 1 × e^.4 = 1.4918, so 1.4918 ÷ 2.4918 = .5987, and .6 came. B has no correction."""
    day = date(2023, 12, 31)
    origin = day - timedelta(days=91)
    earlier = {origin - timedelta(days=91): compared(A=(100, 0.4)), origin - timedelta(days=364): compared()}
    tables = {origin: compared(A=(100, 9.0), B=(100, 9.0))} | earlier
    found = windows_of(monkeypatch, 91, tables).last_window_check(day).set_index("segment")
    assert list(found.columns) == ["customers", "predicted", "actual", "calibrated", "error"]
    assert found.calibrated.to_dict() == pytest.approx({"A": 0.598688, "B": 0.5}, abs=1e-6)
    assert found.error.to_dict() == pytest.approx({"A": -0.001312, "B": -0.1}, abs=1e-6)


def test_the_largest_correction_is_five():
    """A mean chance of one half can be moved to 1 ÷ (1 + e^-5) = .9933 at most."""
    chance = pd.Series([0.5, 0.5])
    assert calibration._logit_offset(chance, 0.9934) == 5
    assert calibration._logit_offset(chance, 1 - 0.9934) == -5
    assert calibration._logit_offset(chance, 0.9933) == pytest.approx(np.log(0.9933 / 0.0067))
    assert calibration._logit_offset(chance, 0.0067) == pytest.approx(-np.log(0.9933 / 0.0067))


def test_nobody_who_bought_twice_gives_no_window():
    placed, none, _ = shop(count=60)
    once = placed.execute().drop_duplicates("customer_id").query("ordered_at < '2023-01-01'")
    day = date(2023, 3, 31)
    windows = calibration.WindowCalibration(ibis.memtable(once), none, 91, *today(ibis.memtable(once), day))
    found = windows.window_starting(day - timedelta(days=91))
    assert found.empty and list(found.columns) == [*calibration.COLUMNS, "shift"]


def test_a_later_wave_uses_the_last_window_and_the_season_of_last_year():
    """Windows that are not over yet are left out; of the others the mean is taken."""
    windows = calibration.WindowCalibration(None, None, 91, RULES, None, None)
    day = date(2024, 9, 30)

    def window(shift: float) -> pd.DataFrame:
        return pd.DataFrame(
            {"segment": ["A"], "customers": [500], "predicted": [0.2], "actual": [0.2], "shift": [shift]}
        )

    last, year_ago, half_ago = day - timedelta(days=91), day - timedelta(days=364), day - timedelta(days=182)
    windows._computed = {last: window(1.0), year_ago: window(0.2), half_ago: window(-0.4)}
    assert windows.logit_offsets(day)["A"] == pytest.approx(0.6)
    assert windows.logit_offsets(day + timedelta(days=182), day)["A"] == pytest.approx(0.3)
    # The fourth wave began 91 days ago last year: that is the last window itself
    assert windows.logit_offsets(day + timedelta(days=273), day)["A"] == pytest.approx(1.0)
    # A wave in more than a year has no window that is over
    assert windows.logit_offsets(day + timedelta(days=364), day)["A"] == pytest.approx(1.0)
    chance = pd.Series({"1": 0.5})
    found = calibration.probabilities_by_wave(chance, pd.Series({"1": "A"}), windows, day, 1)
    assert found[0]["1"] == pytest.approx(1 / (1 + np.exp(-0.6)))
