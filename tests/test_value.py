"""Customer value: the summary worked by hand, calendar horizons, discounting, and the holdout."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils import backtest, btyd, cltv, orders

MODEL, SPEND = btyd.BgNbd(0.3, 40.0, 0.5, 2.0), btyd.GammaGamma(6.0, 4.0, 15.0)


def placed(rows: list[tuple[str, str, float]]) -> ibis.Table:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    return ibis.memtable(
        frame.assign(
            ordered_at=pd.to_datetime(frame.ordered_at, format="ISO8601"), order_id=[str(n) for n in range(len(rows))]
        )
    )


def test_the_summary_worked_by_hand():
    table = cltv.summary(
        placed(
            [
                ("a", "2024-01-01 09:00", 10),
                ("a", "2024-01-01 18:00", 20),
                ("a", "2024-01-11", 30),
                ("b", "2024-01-31", 7),
            ]
        ),
        date(2024, 1, 31),
    )
    assert table.to_dict("records") == [
        {"customer_id": "a", "repeat_orders": 1, "last_order_age": 10, "age": 30, "mean_value": 30.0},
        {"customer_id": "b", "repeat_orders": 0, "last_order_age": 0, "age": 0, "mean_value": 7.0},
    ], "two orders of one day are one purchase day"


@pytest.mark.parametrize(("months", "days"), [(1, 29), (3, 90), (6, 182), (12, 366)])
def test_horizons_are_calendar_days(months, days):
    assert cltv.days_ahead(date(2024, 1, 31), months) == days


def customers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "repeat_orders": [3, 0],
            "last_order_age": [80, 0],
            "age": [100, 100],
            "mean_value": [30.0, 20.0],
        }
    )


def value(margin: float = 0.3, discount: float = 0.1, months: int = 12) -> float:
    return cltv.lifetime_value(customers(), MODEL, SPEND, date(2024, 1, 31), margin, discount, months).clv.sum()


def test_p_alive_of_who_bought_once_is_not_known():
    table = cltv.forecast(customers(), MODEL, SPEND, date(2024, 1, 31))
    assert 0 < table.p_alive[0] < 1
    assert np.isnan(table.p_alive[1])


def test_value_without_discount_is_margin_times_expected_revenue():
    table = cltv.forecast(customers(), MODEL, SPEND, date(2024, 1, 31))
    assert value(margin=0.25, discount=0) == pytest.approx(0.25 * table.expected_revenue.sum())


def test_more_discount_is_less_value_and_more_months_more():
    assert value(discount=0.2) < value(discount=0.1) < value(discount=0)
    assert value(months=6) < value(months=12) < value(months=24)
    assert value(margin=0.6) == pytest.approx(2 * value(margin=0.3))


def test_discounting_takes_a_year_as_a_year():
    monthly = cltv.forecast(customers(), MODEL, SPEND, date(2024, 1, 31))
    assert value(discount=0.1, months=1) == pytest.approx(0.3 * monthly.expected_revenue_1m.sum() / 1.1 ** (1 / 12))


def test_tenths_share_all_value():
    table = cltv.deciles(pd.DataFrame({"clv": np.arange(1.0, 41.0)}))
    assert table.customers.tolist() == [4] * 10
    assert table.clv_share.sum() == pytest.approx(1)
    assert table.clv_share.is_monotonic_decreasing


@pytest.fixture(scope="module")
def cdnow(cdnow_lines):
    lines = cdnow_lines.filter(cdnow_lines.amount > 0, cdnow_lines.customer_id.cast("int64") % 10 == 0)
    return orders.from_lines(lines).cache(), ibis.memtable(
        orders.no_adjustments().astype(
            {"customer_id": str, "order_id": str, "adjusted_at": "datetime64[us]", "revenue": float}
        )
    )


def test_the_holdout_judges_on_what_followed(cdnow):
    table = backtest.holdout(*cdnow, date(1998, 6, 30), 91).set_index("method")
    after = cdnow[0].filter(cdnow[0].ordered_at.date() > date(1998, 3, 31)).execute()
    assert table.revenue_actual.tolist() == pytest.approx([after.revenue.sum()] * 3)
    assert table.orders_actual.iloc[0] == after.groupby(["customer_id", after.ordered_at.dt.date]).ngroups
    before = (
        cdnow[0]
        .filter((cdnow[0].ordered_at.date() > date(1997, 12, 30)) & (cdnow[0].ordered_at.date() <= date(1998, 3, 31)))
        .execute()
    )
    assert table.revenue_predicted[backtest.REPEAT_PERIOD] == pytest.approx(before.revenue.sum())
    assert table.top_decile_capture.between(0, 1).all()


def test_the_holdout_sees_nothing_after_its_origin(cdnow):
    """The forecast for the same origin is the same, whatever came later."""
    placed_orders, adjustments = cdnow
    longer = backtest.holdout(placed_orders, adjustments, date(1998, 3, 31), 91)
    cut = backtest.holdout(
        placed_orders.filter(placed_orders.ordered_at.date() <= date(1998, 3, 31)), adjustments, date(1998, 3, 31), 91
    )
    pd.testing.assert_frame_equal(longer, cut)


def test_a_holdout_longer_than_the_history_is_refused(cdnow):
    with pytest.raises(backtest.HoldoutError, match="set cltv.holdout_days below 700"):
        backtest.holdout(*cdnow, date(1998, 6, 30), 700)
