"""The forecast as it is published: how far it reaches, what it adds up to, and large accounts."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import btyd, forecast, outlook
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.cltv.backtest import Backtest
from crm_utils.core.contracts import check_contract
from tests.support.factories import empty_adjustments

TODAY = date(2011, 12, 31)


def buyers(largest: float, others: int = 99, unit: float = 1.0) -> pd.DataFrame:
    """Customers who brought one unit of money each, and one who bought twice."""
    ids = [f"c{number}" for number in range(others + 1)]
    values = np.array([largest / 2] + [1.0] * others) * unit
    repeats = [1] + [0] * others
    return pd.DataFrame({"customer_id": ids, "repeat_purchase_days": repeats, "mean_purchase_value": values})


@pytest.mark.filterwarnings("error")
def test_a_tenth_of_the_revenue_of_a_hundred_customers_is_a_large_account():
    assert outlook._find_large_account(buyers(11.0)) == ("c0", 0.1)
    assert outlook._find_large_account(buyers(10.9)) is None
    assert outlook._find_large_account(buyers(11.0, unit=2**-7)) == ("c0", 0.1)
    assert outlook._find_large_account(buyers(0.0, unit=0.0)) is None
    assert outlook._find_large_account(buyers(1.0, others=0)) is None
    assert outlook._find_large_account(buyers(1.0).head(0)) is None


@pytest.mark.parametrize(("age", "months"), [(30, []), (31, [1]), (91, [1]), (92, [1, 3]), (366, [1, 3, 6, 12])])
def test_a_forecast_is_no_longer_than_the_history(age, months):
    """A history from 1 October to 31 December is three months: the first customers are 91 days old on its last day."""
    customers = pd.DataFrame({"customer_age_days": [3, age - 1]})
    first_day = outlook._first_day(customers, TODAY)
    assert list(forecast.horizons_within(TODAY, first_day)) == months


@pytest.mark.parametrize(
    ("reaches", "asked", "months"), [([1, 12], 24, 24), ([1, 3], 24, 3), ([1, 3], 2, 2), ([], 24, 1)]
)
def test_value_reaches_no_further_than_the_history(reaches, asked, months):
    totals = pd.DataFrame({"months": reaches, "revenue_low": 1.0})
    made = outlook.Outlook(totals, totals, totals, pd.Series(dtype=float), True, totals)
    assert made.limit_months(ClvAssumptions(0.3, 0.1, asked)) == ClvAssumptions(0.3, 0.1, months)


def shop(large: float = 0.0) -> ibis.Table:
    """40 customers who buy for 10 on the fifth of each month of two years, and perhaps one for more."""
    days = pd.date_range("2010-01-05", "2011-12-31", freq="MS") + pd.Timedelta(days=4)
    rows = [(f"c{c:03}", day, 10.0) for c in range(40) for day in days]
    rows += [("LARGE", day, large) for day in days if large]
    table = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    order_ids = table.customer_id + table.ordered_at.astype(str)
    return ibis.memtable(table.assign(order_id=order_ids, units=1.0, lines=1))


def made_of(orders: ibis.Table) -> outlook.Outlook:
    customers = forecast.rfm_summary(orders, TODAY)
    segments = customers[["customer_id"]].assign(segment=np.where(customers.index % 3 == 0, "X", "Y"))
    past = Backtest.read(orders, ibis.memtable(empty_adjustments()), TODAY, with_models=False)
    models = btyd.fit_customer_base(customers, obstacles=["buyers are regular"])
    return outlook.make_outlook(past, customers, segments, models, TODAY)


def test_customers_segments_and_total_agree():
    made = made_of(shop())
    everyone = made.totals[made.totals.segment == "all"].set_index("months")
    assert everyone.index.tolist() == [1, 3, 6, 12] and made.large_account is None and made.tested
    assert everyone.revenue.is_monotonic_increasing
    assert everyone.revenue[12] == pytest.approx(4800, rel=0.25)
    for months, suffix in forecast.HORIZONS.items():
        parts = made.totals[(made.totals.segment != "all") & (made.totals.months == months)]
        assert parts.revenue.sum() == pytest.approx(everyone.revenue[months], abs=0.01)
        assert made.customers[f"expected_revenue{suffix}"].sum() == pytest.approx(everyone.revenue[months], abs=0.01)
    assert made.weights.sum() == pytest.approx(1) and made.weights["bg_nbd"] == 0


def test_the_whole_business_adds_up():
    whole = check_contract(made_of(shop()).whole, "business").set_index("months")
    assert whole.revenue.to_numpy() == pytest.approx((whole.revenue_known + whole.revenue_new).to_numpy())
    assert (whole.revenue_new == 0).all(), "nobody was won since the first day"
    assert whole.revenue_before[12] == whole.revenue_known_before[12] == 4800


def test_a_large_account_is_forecast_apart():
    """Without it the forecast is that of the shop that never had it."""
    made, without = made_of(shop(large=500.0)), made_of(shop())
    assert (made.large_account.customer_id, round(made.large_account.revenue_share, 2)) == ("LARGE", 0.56)
    np.testing.assert_allclose(
        made.large_account.totals.query("segment == 'all'").revenue, without.totals.query("segment == 'all'").revenue
    )


def test_a_year_has_every_season():
    weights = pd.Series({"bg_nbd": 0.1, "bg_nbd_season": 0.5, "retention_rule": 0.4})
    assert outlook._merge_season(weights, 365).to_dict() == {"bg_nbd": 0.6, "bg_nbd_season": 0, "retention_rule": 0.4}
    assert outlook._merge_season(weights, 183).equals(weights)
