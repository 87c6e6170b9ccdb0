"""Customer value: a literal ledger, relations that must hold, and inputs at the edge."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import btyd, forecast
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.cltv.seasonality import Seasonality
from crm_utils.core.contracts import check_contract
from tests.support.factories import three_hundred

TODAY = date(2011, 12, 9)
TERMS = ClvAssumptions(0.3, 0.1, 12)


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return three_hundred()


@pytest.fixture(scope="module")
def models(customers) -> btyd.CustomerBaseModel:
    return btyd.fit_customer_base(customers)


@pytest.fixture(scope="module")
def valued(customers, models) -> pd.DataFrame:
    return forecast.add_lifetime_value(forecast.forecast_customers(customers, models, TODAY), models, TODAY, TERMS)


@pytest.fixture(scope="module")
def segments(customers) -> pd.DataFrame:
    return customers[["customer_id"]].assign(segment=np.where(customers.repeat_purchase_days > 2, "Champions", "Lost"))


def test_summary_by_hand():
    """a bought on 1 January (twice) and 11 January; b once, on 6 January; orders of one day are one."""
    table = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "order_id": ["1", "2", "3", "4"],
            "ordered_at": pd.to_datetime(
                ["2011-01-01 09:00", "2011-01-01 18:00", "2011-01-11 12:00", "2011-01-06 23:00"]
            ),
            "revenue": [10.0, 20.0, 60.0, 5.0],
        }
    )
    found = forecast.rfm_summary(ibis.memtable(table), date(2011, 1, 31))
    assert found.values.tolist() == [["a", 1, 10, 30, 45.0], ["b", 0, 0, 25, 5.0]]


def test_horizons_are_calendar_days():
    assert forecast.horizons(date(2012, 1, 31)) == {1: 29, 3: 90, 6: 182, 12: 366}


def test_value_is_the_discounted_sum_of_months(customers, models, valued):
    """One customer's CLV added up month by month."""
    one = customers.iloc[[5]]
    total, before = 0.0, 0.0
    for month in range(1, 13):
        until = models.expected_purchases(one, [forecast.days_ahead(TODAY, month)])[0, 0]
        total += 0.3 * (until - before) * models.expected_value(one)[0] / 1.1 ** (month / 12)
        before = until
    assert valued.clv[5] == pytest.approx(total)


def test_relations(customers, models, valued):
    def total(margin: float = 0.3, discount: float = 0.1, months: int = 12) -> float:
        return forecast.add_lifetime_value(customers, models, TODAY, ClvAssumptions(margin, discount, months)).clv.sum()

    assert total(margin=0.6) == pytest.approx(2 * total())
    assert total(discount=0.2) < total() < total(discount=0)
    assert total(months=6) < total() < total(months=24)
    assert total(discount=0) == pytest.approx(0.3 * valued.expected_revenue_12m.sum())
    shuffled = customers.sample(frac=1, random_state=0)
    again = forecast.forecast_customers(shuffled, models, TODAY).sort_index()
    pd.testing.assert_frame_equal(again, forecast.forecast_customers(customers, models, TODAY))


def test_it_honours_its_contract(valued):
    table = check_contract(valued.assign(historical_clv=1.0), "cltv")
    assert (table.clv_low <= table.clv).all() and (table.clv <= table.clv_high).all()
    assert table.p_alive.isna().equals(table.repeat_purchase_days == 0)
    assert table.value_tier.value_counts().to_dict() == {"A": 100, "B": 100, "C": 100}
    assert table[table.value_tier == "A"].clv.min() >= table[table.value_tier == "B"].clv.max()


@pytest.mark.parametrize("months", [0, 1200])
def test_no_horizon_and_a_century(customers, models, months):
    found = forecast.add_lifetime_value(customers, models, TODAY, ClvAssumptions(0.3, 0.1, months))
    assert np.isfinite(found[["clv", "clv_low", "clv_high"]]).all(axis=None)
    assert (found.clv == 0).all() if months == 0 else (found.clv > 0).all()


def test_outlook_agrees_with_the_customers(customers, models, valued, segments):
    """The year's revenue is the sum of the customers'; a season multiplies, and the unadjusted figure stays."""
    seasons = {1: Seasonality(1.2), 3: Seasonality(1.5), 6: Seasonality(unavailable_reason="why"), 12: Seasonality()}
    table = check_contract(
        forecast.forecast_totals(customers, segments, models, seasons, btyd.ForecastErrorModel(), TODAY), "forecast"
    )
    everyone = table[table.segment == "all"].set_index("months")
    parts = table[table.segment != "all"].groupby("months").revenue.sum()
    assert everyone.revenue.to_dict() == pytest.approx(parts.to_dict())
    assert everyone.revenue[12] == pytest.approx(valued.expected_revenue_12m.sum())
    assert everyone.revenue_without_seasonality[3] == pytest.approx(valued.expected_revenue_3m.sum())
    assert everyone.revenue[3] == pytest.approx(1.5 * everyone.revenue_without_seasonality[3])
    assert everyone.seasonal_factor.isna().to_dict() == {1: False, 3: False, 6: True, 12: False}
    assert ((table.revenue_low < table.revenue) & (table.revenue < table.revenue_high)).all()
    totals = forecast.value_by_segment(valued, segments, table)
    assert totals.expected_revenue_12m.sum() == pytest.approx(everyone.revenue[12])
    assert (
        (totals.revenue_low < totals.expected_revenue_12m) & (totals.expected_revenue_12m < totals.revenue_high)
    ).all()


def test_lists(valued, segments):
    best, quiet = forecast.most_valuable(valued, segments), forecast.likely_churned_best(valued, segments)
    assert best.clv.is_monotonic_decreasing and best.clv.iloc[0] == valued.clv.max()
    assert (quiet.p_alive < 0.5).all() and quiet.past_revenue.is_monotonic_decreasing


def test_the_joined_table_holds_every_customer_once(valued, segments):
    scored = valued[["customer_id"]].assign(
        rfm_cell="555",
        revenue=100 / 3,
        mean_order_value=10 / 3,
        first_order=pd.Timestamp(TODAY),
        last_order=pd.Timestamp(TODAY),
    )  # fmt: skip
    whole = forecast.customer_table(scored, segments, valued, TERMS)
    assert sorted(whole.customer_id) == sorted(valued.customer_id)
    assert whole.clv.is_monotonic_decreasing and whole.revenue.iloc[0] == 33.33
    assert whole[["horizon_months", "margin_rate", "discount_rate"]].iloc[0].tolist() == [12, 0.3, 0.1]
    first = valued.set_index("customer_id").loc[whole.customer_id.iloc[0]]
    assert whole.expected_revenue_12m.iloc[0] == round(first.expected_revenue_12m, 2)
    assert str(whole.last_order.iloc[0]) == "2011-12-09"


def test_thin_data_go_on_with_the_average_rate(segments):
    few = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "repeat_purchase_days": 0,
            "last_purchase_age_days": 0,
            "customer_age_days": [9, 5, 3, 0],
            "mean_purchase_value": [5.0, 6, 7, 8],
        }
    )
    models = btyd.fit_customer_base(few)
    valued = forecast.add_lifetime_value(forecast.forecast_customers(few, models, TODAY), models, TODAY, TERMS)
    check_contract(valued.assign(historical_clv=0.0), "cltv")
    assert valued.p_alive.isna().all() and models.unavailable_reason
    # half a purchase day in a year and 17 days, for 366 days
    assert valued.expected_purchase_days_12m.to_numpy() == pytest.approx(0.5 / (365 + 17) * 366, rel=1e-3)
    model = check_contract(models.table(TERMS.table()), "fitted_parameters")
    purchase, _ = btyd.models_from_table(model)
    assert btyd.purchase_probabilities(purchase, few, [30]).notna().all(axis=None)
