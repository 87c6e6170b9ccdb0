"""The rolling backtest: what is known at each origin, and what the forecasts reach on real data."""

from dataclasses import replace
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cleaning import rules
from crm_utils.cltv import backtest
from crm_utils.cltv.backtest import COMBINATION, Backtest, list_tests, past_tests
from crm_utils.cltv.backtest.candidates import LAST_PERIOD, LAST_YEAR, PAST_RATE, RETENTION, index_of
from crm_utils.cltv.backtest.record import record_by_horizon, separate_tests, track_record
from crm_utils.cltv.purchase_log import day_number, day_of
from crm_utils.core import orders
from crm_utils.core.contracts import check_contract
from crm_utils.rfm import measures, scoring
from tests.support.factories import empty_adjustments
from tests.support.segment_factories import segment_rules


@pytest.fixture(scope="module")
def cdnow_orders(cdnow_lines) -> ibis.Table:
    """A quarter of CDNOW's customers."""
    lines = rules.classify(cdnow_lines, rules.removal_rules(cdnow_lines, date(1998, 6, 30)))
    placed = orders.orders_from_lines(lines.filter(lines.removed_by.isnull()).drop("removed_by"))
    return placed.filter(placed.customer_id.cast("int64") % 4 == 0).cache()


@pytest.fixture(scope="module")
def cdnow(cdnow_orders) -> Backtest:
    return Backtest.read(cdnow_orders, ibis.memtable(empty_adjustments()), date(1998, 6, 30))


@pytest.fixture(scope="module")
def tested(cdnow) -> pd.DataFrame:
    return list_tests(cdnow)


def test_the_tests_honour_their_contract(tested):
    table = check_contract(tested, "backtest")
    assert sorted(table.horizon_days.unique()) == [30, 91, 182, 364]
    weights = tested[tested.model != COMBINATION].groupby(["origin", "horizon_days"]).weight.sum()
    assert weights.to_numpy() == pytest.approx(1)
    ends = tested.origin + pd.to_timedelta(tested.horizon_days, "D")
    assert ends.max() <= pd.Timestamp("1998-06-30")
    growing = tested[tested.model != LAST_PERIOD]  # the customers of a longer last period are fewer
    assert (growing.groupby(["origin", "model"]).revenue_predicted.is_monotonic_increasing).all()


def test_what_forecasts_reach_on_cdnow(tested):
    """13 weeks: 10 % on average; every range held."""
    record = record_by_horizon(tested).set_index("horizon_days")
    assert record.mean_error[91] < 0.15 and record.tests[91] == 13
    assert record.ranges_held[91] >= record.ranges[91] - 1
    assert record.mean_width.max() < 2


def test_origins_do_not_depend_on_the_analysis_date(cdnow, cdnow_orders, tested):
    """A forecast of an earlier analysis date is the same, whatever came later."""
    earlier_day = day_number(date(1997, 12, 31))
    placed = cdnow_orders.filter(cdnow_orders.ordered_at.date() <= date(1997, 12, 31))
    then = Backtest.read(placed, ibis.memtable(empty_adjustments()), date(1997, 12, 31))
    now, before = cdnow.forecast(earlier_day, [31, 90]), then.forecast(earlier_day, [31, 90])
    assert now.totals == pytest.approx(before.totals)
    assert [error.half_width for error in now.errors] == pytest.approx([error.half_width for error in before.errors])


def test_the_track_record_repeats_what_was_said(cdnow, cdnow_orders):
    """Half a year of history gave forecasts of 1, 3 and 6 months; a year is over on 30 June 1998."""
    made_on = date(1997, 6, 30)
    track = track_record(cdnow, [made_on, date(1998, 6, 15), date(1996, 1, 1)])
    assert track.months.tolist() == [1, 3, 6] and (track.made_on == pd.Timestamp(made_on)).all()
    known = cdnow_orders.filter(cdnow_orders.ordered_at.date() <= made_on).select("customer_id").distinct()
    later = cdnow_orders.filter(
        cdnow_orders.ordered_at.date() > made_on, cdnow_orders.ordered_at.date() <= date(1997, 7, 30)
    )
    expected = later.semi_join(known, "customer_id").revenue.sum().execute()
    assert track.revenue_actual[0] == pytest.approx(expected)
    then = Backtest.read(
        cdnow_orders.filter(cdnow_orders.ordered_at.date() <= made_on), ibis.memtable(empty_adjustments()), made_on
    )
    said = then.forecast(then.last_day, [30, 92, 183])
    assert track.revenue_predicted.to_numpy() == pytest.approx(said.totals[:, 1])


def test_the_model_is_chosen_by_its_weights(cdnow, monkeypatch):
    """BG/NBD stays unless another has one and a half times its weight, with season and own error counted in."""
    made = cdnow.forecast(cdnow.last_day)
    for others, chosen in ((1.4, "bg_nbd"), (1.6, "pareto_nbd")):
        weights = np.zeros_like(made.weights)
        for name, weight in (("bg_nbd", 0.1), ("bg_nbd_season", 0.1), ("pareto_nbd_own_error", 0.2 * others)):
            weights[:, index_of(name)] = weight
        weights[:, index_of(LAST_YEAR)] = 1.0
        monkeypatch.setitem(cdnow._combined, cdnow.last_day, replace(made, weights=weights))
        assert cdnow.choose_model() == chosen
        asked = Backtest(cdnow.log, day_of(cdnow.last_day), model="mbg_nbd")
        assert asked.choose_model() == "mbg_nbd"


def test_nothing_after_the_origin_is_seen(cdnow, cdnow_orders):
    last = cdnow.last_test()
    day = day_of(last.day)
    forged = cdnow_orders.mutate(
        revenue=ibis.ifelse(cdnow_orders.ordered_at.date() > ibis.literal(day), 1e6, cdnow_orders.revenue)
    )
    seen = Backtest.read(forged, ibis.memtable(empty_adjustments()), date(1998, 6, 30))
    assert seen.forecast(last.day).totals == pytest.approx(cdnow.forecast(last.day).totals)
    assert seen.origin(last.day).outcomes[0].known[1] > cdnow.origin(last.day).outcomes[0].known[1]


def monthly_buyers(last: str = "2011-12-31", customers: int = 100) -> ibis.Table:
    """Customers who buy for 10 on the first of each month of 2010 and 2011."""
    days = pd.date_range("2010-01-01", last, freq="MS")
    rows = [(f"c{c:03}", day) for c in range(customers) for day in days]
    table = pd.DataFrame(rows, columns=["customer_id", "ordered_at"])
    order_ids = table.customer_id + table.ordered_at.astype(str)
    return ibis.memtable(table.assign(order_id=order_ids, revenue=10.0, units=1.0, lines=1))


@pytest.fixture(scope="module")
def regular() -> pd.DataFrame:
    none = ibis.memtable(empty_adjustments())
    return list_tests(Backtest.read(monthly_buyers(), none, date(2011, 12, 31))).query("horizon_days == 91")


def test_rules_by_hand(regular):
    """A test from 19 September 2011 to 19 December: 1 October, November and December."""
    rows = regular[regular.origin == regular.origin.max()].set_index("model")
    assert rows.index.is_unique and rows.origin.iloc[0] == pd.Timestamp("2011-09-19")
    assert (rows.revenue_actual == 3000).all() and (rows.purchase_days_actual == 300).all()
    assert rows.revenue_predicted[LAST_PERIOD] == 3000  # July, August, September
    assert rows.revenue_predicted[LAST_YEAR] == 3000
    assert rows.revenue_predicted[RETENTION] == 3000
    # 20 repeat days in 626 days, × 91 days × 10 × 100 customers
    assert rows.revenue_predicted[PAST_RATE] == pytest.approx(20 / 626 * 91 * 10 * 100)
    assert rows.revenue_predicted[COMBINATION] == pytest.approx(3000, rel=0.03)
    assert (rows.revenue_new == 0).all() and (rows.customers == 100).all()
    assert rows.past_spend_capture[COMBINATION] == pytest.approx(0.1)


def test_late_cancellations_do_not_reach_back():
    """A sale cancelled after the origin was a sale at the origin: the forecast does not change (methods §3)."""
    placed = monthly_buyers()
    first = placed.filter(placed.ordered_at.date() == date(2011, 8, 1)).limit(20).execute()
    late = first.assign(adjusted_at=pd.Timestamp("2011-10-01"), revenue=-first.revenue)
    columns = ["customer_id", "order_id", "adjusted_at", "revenue"]
    cancelled = ibis.memtable(check_contract(late[columns], "order_adjustments"))
    origin = day_number(date(2011, 9, 19))
    none = ibis.memtable(empty_adjustments())
    kept, changed = (Backtest.read(placed, table, date(2011, 12, 31)).origin(origin) for table in (none, cancelled))
    assert np.array_equal(kept.forecasts.totals, changed.forecasts.totals, equal_nan=True)


def test_too_few_customers_leave_the_rules():
    none = ibis.memtable(empty_adjustments())
    past = Backtest.read(monthly_buyers(customers=5), none, date(2011, 12, 31))
    tests = list_tests(past)
    assert {RETENTION, LAST_YEAR, COMBINATION} <= set(tests.model) and "bg_nbd" not in set(tests.model)
    # December has 4 of its 13 weeks, so the rules that compare quarters are off.
    assert past.forecast(past.last_day, [366]).totals[0, 1] == pytest.approx(600, rel=0.2)


def test_three_customers_have_tests_only_of_what_could_be_forecast():
    days = pd.to_datetime(["2023-01-10", "2023-05-02", "2024-01-03", "2024-03-20"])
    table = pd.DataFrame({"customer_id": list("abac"), "order_id": list("1234"), "ordered_at": days})
    placed = ibis.memtable(table.assign(revenue=[20.0, 30.0, 45.0, 10.0], units=1.0, lines=1))
    past = Backtest.read(placed, ibis.memtable(empty_adjustments()), date(2024, 3, 31))
    tested = list_tests(past)
    assert len(tested) and check_contract(tested, "backtest") is not None
    assert (tested.model == COMBINATION).groupby([tested.origin, tested.horizon_days]).sum().eq(1).all()


def test_two_orders_give_no_test():
    few = pd.DataFrame({"customer_id": ["a", "b"], "ordered_at": pd.to_datetime(["2011-12-01", "2011-12-31"])})
    few = few.assign(order_id=["1", "2"], revenue=1.0, units=1.0, lines=1)
    past = Backtest.read(ibis.memtable(few), ibis.memtable(empty_adjustments()), date(2011, 12, 31))
    tested = list_tests(past)
    assert tested.empty and check_contract(tested, "backtest") is not None
    last = backtest.last_backtest(past)
    assert last.empty and backtest.backtest_by_frequency(last).empty
    assert backtest.backtest_by_segment(last, pd.Series(dtype=str)).empty
    assert record_by_horizon(tested).empty


def test_the_parts_of_the_last_test_add_up(cdnow, tested):
    last = backtest.last_backtest(cdnow)
    halves = pd.Series(np.where(last.repeat_purchase_days > 1, "A", "B"), index=last.customer_id)
    classes, parts = backtest.backtest_by_frequency(last), backtest.backtest_by_segment(last, halves)
    total = tested[(tested.model == COMBINATION) & (tested.horizon_days == 91)].iloc[-1]
    for table in (classes, parts):
        for column in ("purchase_days_predicted", "purchase_days_actual", "revenue_predicted", "revenue_actual"):
            assert table[column].sum() == pytest.approx(total[column])
        assert table.customers.sum() == total.customers


def test_the_share_of_the_tenth_that_a_model_ranks_first():
    revenue = np.array([5.0, 1.0] + [0.0] * 17 + [4.0])
    assert past_tests._top_decile_share(revenue, np.arange(20.0)) == 0.4, "the last two of twenty"
    assert past_tests._top_decile_share(revenue, np.zeros(20)) == 0.6, "ties in the order of rows"
    assert past_tests._top_decile_share(np.array([3.0, 1.0]), np.array([1.0, 2.0])) == 0.25, "one at least"
    assert np.isnan(past_tests._top_decile_share(np.zeros(3), np.zeros(3)))


def test_classes_of_repeat_purchase_days():
    columns = ["purchase_days_predicted", "purchase_days_actual", "revenue_predicted", "revenue_actual"]
    table = pd.DataFrame({"customer_id": list("abcdefghi"), "repeat_purchase_days": [0, 1, 2, 3, 4, 5, 9, 10, 99]})
    found = backtest.backtest_by_frequency(table.assign(**dict.fromkeys(columns, 1.0)))
    assert found.repeat_purchases.tolist() == ["0", "1", "2", "3-4", "5-9", "10+"]
    assert found.customers.tolist() == [1, 1, 1, 2, 2, 2]
    assert found.revenue_actual.tolist() == [1, 1, 1, 2, 2, 2]


def test_parts_by_hand():
    """Three customers: a and b in North, c in South; d has no segment and is left out."""
    rows = [
        ("a", 0, 1.0, 2.0, 10.0, 25.0),
        ("b", 3, 4.0, 3.0, 40.0, 30.0),
        ("c", 4, 2.0, 0.0, 20.0, 0.0),
        ("d", 0, 1.0, 1.0, 9.0, 9.0),
    ]
    judged = pd.DataFrame(rows, columns=backtest.breakdown.CUSTOMER_COLUMNS)
    parts = backtest.backtest_by_segment(judged, pd.Series({"a": "North", "b": "North", "c": "South"}))
    assert parts.values.tolist() == [["North", 2, 5, 5, 50, 55], ["South", 1, 2, 0, 20, 0]]
    classes = backtest.backtest_by_frequency(judged)
    assert classes.repeat_purchases.tolist() == ["0", "3-4"]
    assert classes.customers.tolist() == [2, 2]


def test_segments_are_those_of_the_origin(cdnow, cdnow_orders, no_adjustments):
    """Who bought for the first time after the origin has none; the others stand where their scores stood then."""
    today, origin = date(1998, 6, 30), day_of(cdnow.last_test().day)
    customers = scoring.score_customers(measures.compute_rfm(cdnow_orders, today))
    segments = customers[["customer_id"]].assign(segment="R" + customers.rfm_cell.str[0])
    then = backtest.segments_as_of(cdnow_orders, no_adjustments, cdnow, segment_rules(), customers, segments)
    known = orders.orders_as_of(cdnow_orders, no_adjustments, origin)
    scored = scoring.score_customers(measures.compute_rfm(known, origin)).set_index("customer_id")
    named = then.dropna()
    assert len(named) > 0.9 * len(then) and len(then) == len(scored)
    assert named.tolist() == ("R" + scored.rfm_cell.str[0]).loc[named.index].tolist()
    assert (named != segments.set_index("customer_id").segment.reindex(named.index)).any()


def judged(*rows: tuple[str, float, float, float | None]) -> pd.DataFrame:
    """Tests of 91 days: origin, forecast, actual and the low end of the range; the high end is 150."""
    table = pd.DataFrame(rows, columns=["origin", "revenue_predicted", "revenue_actual", "revenue_low"])
    high = np.where(table.revenue_low.notna(), 150.0, np.nan)
    return table.assign(origin=pd.to_datetime(table.origin), horizon_days=91, model=COMBINATION, revenue_high=high)


def test_the_record_by_hand():
    rows = judged(
        ("2011-01-01", 100.0, 50.0, None),
        ("2011-02-01", 100.0, 125.0, 50.0),
        ("2011-03-01", 100.0, 160.0, 50.0),
        ("2011-04-01", 100.0, 0.0, None),
    )
    [found] = record_by_horizon(rows).to_dict("records")
    assert (found["tests"], found["ranges"], found["ranges_held"], found["mean_width"]) == (4, 2, 1, 1.0)
    assert found["mean_error"] == pytest.approx((1 + 0.2 + 0.375) / 3)


def test_tests_that_do_not_overlap_end_with_the_newest():
    rows = judged(*[(str(day.date()), 1.0, 1.0, None) for day in pd.date_range("2011-01-01", periods=8, freq="28D")])
    assert separate_tests(rows, 91).origin.diff().dropna().dt.days.tolist() == [112]
    assert separate_tests(rows, 91).origin.max() == rows.origin.max()
    assert separate_tests(rows, 30).empty
