"""Customer value: a literal ledger, relations that must hold, and inputs at the edge."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_utils.cltv import btyd, chance, forecast
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.core.contracts import check_contract
from tests.support.factories import three_hundred, unit_factors

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
    expected = chance.add_chances(forecast.forecast_customers(customers, models, TODAY), models, None)
    return forecast.add_lifetime_value(expected, models, TODAY, TERMS, unit_factors())


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
        return forecast.add_lifetime_value(
            customers, models, TODAY, ClvAssumptions(margin, discount, months), unit_factors()
        ).clv.sum()

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
    found = forecast.add_lifetime_value(customers, models, TODAY, ClvAssumptions(0.3, 0.1, months), unit_factors())
    assert np.isfinite(found[["clv", "clv_low", "clv_high"]]).all(axis=None)
    assert (found.clv == 0).all() if months == 0 else (found.clv > 0).all()


TOTALS = pd.DataFrame({"purchase_days": [60.0, 130.0, 300.0], "revenue": [2000.0, 2000.0, 9000.0]}, index=[1, 3, 12])


@pytest.fixture(scope="module")
def scaled(customers, models) -> tuple[pd.DataFrame, pd.DataFrame]:
    return forecast.scale_to_totals(forecast.forecast_customers(customers, models, TODAY), TOTALS)


def test_customers_add_up_to_the_totals_and_never_fall(scaled):
    """Nothing is expected between one month and three, and six months have the factor of twelve."""
    customers, factors = scaled
    for months, suffix in ((1, "_1m"), (3, "_3m"), (12, "_12m")):
        assert customers[f"expected_revenue{suffix}"].sum() == pytest.approx(TOTALS.revenue[months], abs=1e-6)
        assert customers[f"expected_purchase_days{suffix}"].sum() == pytest.approx(TOTALS.purchase_days[months])
    assert factors.revenue[3] == pytest.approx(0, abs=1e-9) and factors.revenue[6] == factors.revenue[12] > 0
    for measure in ("revenue", "purchase_days"):
        steps = customers[[f"expected_{measure}{suffix}" for suffix in forecast.HORIZONS.values()]].diff(axis=1)
        assert (steps.iloc[:, 1:] >= 0).all(axis=None)


steps = st.lists(st.floats(0, 1e7, allow_nan=False), min_size=4, max_size=4)


@settings(max_examples=50, deadline=None)
@given(more=steps, known=st.sets(st.sampled_from([1, 3, 6, 12]), min_size=1), seed=st.integers(0, 99))
def test_any_shop_adds_up_and_never_falls(more, known, seed):
    """Random customers and increasing totals of some horizons: sums agree to a cent, and no forecast falls."""
    rng = np.random.default_rng(seed)
    model = np.cumsum(rng.gamma(0.3, 10, (2, 60, 4)), axis=2)
    names = [[f"expected_{measure}{end}" for end in forecast.HORIZONS.values()] for measure in TOTALS]
    customers = pd.DataFrame(np.hstack(model), columns=sum(names, []))
    totals = pd.DataFrame({"purchase_days": np.cumsum(more), "revenue": np.cumsum(more[::-1])}, index=[1, 3, 6, 12])
    totals = totals.loc[sorted(known)]
    scaled, factors = forecast.scale_to_totals(customers, totals)
    assert (factors >= 0).all(axis=None)
    for measure, columns in zip(TOTALS, names, strict=True):
        assert (scaled[columns].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
        for months in totals.index:
            column = f"expected_{measure}{forecast.HORIZONS[months]}"
            assert scaled[column].sum() == pytest.approx(totals[measure][months], abs=0.01)


def test_a_total_that_is_not_known_leaves_the_factor(customers, models):
    plain = forecast.forecast_customers(customers, models, TODAY)
    none = pd.DataFrame({"purchase_days": [np.nan], "revenue": [np.nan]}, index=[3])
    same, factors = forecast.scale_to_totals(plain, none)
    pd.testing.assert_frame_equal(same, plain)
    assert (factors == 1).all(axis=None)
    numbered = factors.mul([1, 2, 3, 4], axis=0)
    assert forecast.factor_by_month(numbered, 14).tolist() == [1, 2, 2, 3, 3, 3] + [4] * 8


def test_value_of_scaled_customers(scaled, models):
    customers, factors = scaled
    flat = ClvAssumptions(0.3, 0.0, 12)
    valued = forecast.add_lifetime_value(customers, models, TODAY, flat, factors)
    np.testing.assert_allclose(valued.clv, 0.3 * customers.expected_revenue_12m)


def test_segments_add_up_to_all(scaled, models, segments):
    customers, _ = scaled
    widths = {1: 0.2, 3: 0.3, 12: np.nan}
    table = check_contract(forecast.forecast_totals(customers, segments, models, widths, TODAY), "forecast")
    everyone = table[table.segment == "all"].set_index("horizon_days")
    parts = table[table.segment != "all"].groupby("horizon_days")[["revenue", "purchase_days"]].sum()
    assert everyone.index.tolist() == [31, 91, 366]
    assert parts.revenue.to_numpy() == pytest.approx(TOTALS.revenue.to_numpy())
    assert parts.purchase_days.to_numpy() == pytest.approx(everyone.purchase_days.to_numpy())
    assert everyone.revenue_high[31] == pytest.approx(2000 * np.exp(0.2))
    assert everyone.revenue_low[366:].isna().all()
    relative = table.assign(width=table.revenue_high / table.revenue)[table.horizon_days == 91]
    assert relative.set_index("segment").width.idxmin() == "all", "a part is less sure than the whole"
    assert forecast.forecast_totals(customers, segments, models, {}, TODAY).empty


def test_lists(valued, segments):
    best, quiet = forecast.most_valuable(valued, segments), forecast.likely_churned_best(valued, segments)
    assert best.clv.is_monotonic_decreasing and best.clv.iloc[0] == valued.clv.max()
    assert (quiet.chance_12m < 0.5).all() and quiet.past_revenue.is_monotonic_decreasing


def test_tenths_of_value_by_hand():
    # 25 customers worth 1 to 25: tenths hold 3, 2, 3, 2 … customers, and the first 25 + 24 + 23 of 325.
    table = forecast.value_deciles(pd.DataFrame({"clv": [float(value) for value in range(1, 26)]}))
    assert table.decile.tolist() == list(range(1, 11))
    assert table.customers.tolist() == [3, 2, 3, 2, 3, 2, 3, 2, 3, 2]
    assert (table.clv_share * 325).round(9).tolist() == [72, 43, 57, 33, 42, 23, 27, 13, 12, 3]
    equal = forecast.value_deciles(pd.DataFrame({"clv": [5.0] * 20}))
    assert equal.customers.tolist() == [2] * 10 and equal.clv_share.tolist() == pytest.approx([0.1] * 10)
    few = forecast.value_deciles(pd.DataFrame({"clv": [1.0, 3.0]}))
    assert few.to_numpy().tolist() == [[1, 1, 0.75], [6, 1, 0.25]]


def test_thirds_of_value_by_hand():
    assert forecast._value_tiers(np.array([1.0, 5, 3, 3, 2, 4, 0])).tolist() == ["C", "A", "A", "B", "B", "A", "C"]
    assert forecast._value_tiers(np.array([])).tolist() == []


def ten_buyers() -> pd.DataFrame:
    """Customers who spent 10 to 100, the last two most; all but one have more likely stopped."""
    return pd.DataFrame(
        {
            "customer_id": list("abcdefghijkl"),
            "repeat_purchase_days": 1,
            "last_purchase_age_days": 30,
            "customer_age_days": 100,
            "mean_purchase_value": [5.0, 10, 15, 20, 25, 30, 35, 40, 45, 50, 50, 50],
            "chance_6m": 0.1,
            "chance_12m": [0.1] * 9 + [0.49, 0.5, 0.4],
            "clv": [float(value) for value in range(12)],
            "clv_low": 0.0,
            "clv_high": 9.0,
        }
    )


def test_the_best_of_the_past_who_have_probably_stopped():
    segments = pd.DataFrame({"customer_id": list("lj"), "segment": ["A", "B"]})
    found = forecast.likely_churned_best(ten_buyers(), segments)
    assert found.columns.tolist() == [
        "customer_id", "segment", "purchase_days", "past_revenue", "silent_days", "mean_purchase_value", "chance_6m",
        "chance_12m", "clv", "clv_low", "clv_high",
    ]  # fmt: skip
    assert found.iloc[:, :6].to_numpy().tolist() == [["j", "B", 2, 100, 70, 50], ["l", "A", 2, 100, 70, 50]]


def test_the_ten_most_valuable():
    found = forecast.most_valuable(ten_buyers(), pd.DataFrame({"customer_id": ["l"], "segment": ["A"]}))
    assert found.customer_id.tolist() == list("lkjihgfedc")
    assert found.segment.fillna("").tolist() == ["A"] + [""] * 9
    assert forecast.most_valuable(ten_buyers(), found[["customer_id", "segment"]], 3).customer_id.tolist() == list(
        "lkj"
    )


def test_values_by_segment_by_hand(segments):
    customers = pd.DataFrame(
        {
            "customer_id": list("abc"),
            "clv": [1.0, 2, 9],
            "expected_purchase_days_12m": [0.1, 0.2, 0.4],
            "expected_revenue_12m": [10.0, 20, 40],
        }
    )
    segments = pd.DataFrame({"customer_id": list("abc"), "segment": ["X", "X", "Y"]})
    totals = pd.DataFrame(
        [(12, "all", 70, 1.0, 2.0), (6, "X", 9, 3.0, 4.0), (12, "X", 30, 5.0, 6.0), (12, "Y", 40, 7.0, 8.0)],
        columns=["months", "segment", "revenue", "revenue_low", "revenue_high"],
    )
    found = forecast.value_by_segment(customers, segments, totals)
    assert found.columns.tolist() == [
        "segment", "customers", "expected_purchase_days_12m", "expected_revenue_12m", "revenue_low", "revenue_high",
        "clv", "clv_per_customer",
    ]  # fmt: skip
    assert found.to_numpy().tolist() == [
        ["Y", 1, 0.4, 40, 7, 8, 9, 9],
        ["X", 2, pytest.approx(0.3), 30, 5, 6, 3, 1.5],
    ]


def test_the_grid_of_customers_who_first_bought_a_year_ago(models):
    grid = forecast.p_alive_grid(models)
    assert len(grid) == 12 * 13
    assert sorted(grid.repeat_purchase_days.unique()) == list(range(1, 13))
    assert sorted(grid.silent_days.unique()) == list(range(0, 361, 30))
    row = grid[(grid.repeat_purchase_days == 3) & (grid.silent_days == 60)].iloc[0]
    history = [np.array([value]) for value in (3.0, 305.0, 365.0)]
    assert row.p_alive == models.purchase.probability_alive(*history)[0]
    assert row.expected_purchase_days_12m == models.purchase.expected_purchases(*history, 365.0)[0]


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
    assert whole.expected_revenue_12m.iloc[0] == pytest.approx(first.expected_revenue_12m, abs=0.01)
    joined = valued.merge(segments, on="customer_id")
    for column in [name for name in whole.columns if name.startswith("expected_")]:
        exact, rounded = (table.groupby("segment")[column].sum() for table in (joined, whole))
        assert rounded.to_numpy() == pytest.approx(exact.to_numpy(), abs=0.011), column
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
    expected = chance.add_chances(forecast.forecast_customers(few, models, TODAY), models, None)
    valued = forecast.add_lifetime_value(expected, models, TODAY, TERMS, unit_factors())
    check_contract(valued.assign(historical_clv=0.0), "cltv")
    assert valued.p_alive.isna().all() and models.unavailable_reason
    # half a purchase day in a year and 17 days, for 366 days
    assert valued.expected_purchase_days_12m.to_numpy() == pytest.approx(0.5 / (365 + 17) * 366, rel=1e-3)
    model = check_contract(models.table(TERMS.table()), "fitted_parameters")
    purchase, _ = btyd.models_from_table(model, few, ".")
    assert btyd.purchase_probabilities(purchase, few, [30]).notna().all(axis=None)


def test_thin_data_have_no_covariance():
    few = three_hundred().head(20)
    models = btyd.fit_customer_base(few)
    assert models.purchase_covariance is None and models.unavailable_reason
    assert models.value_covariance.sandwich.shape == (3, 3)
    assert not models.covariance[:4].any() and models.covariance[4:, 4:].any()


def test_rounded_values_keep_their_sum():
    values = pd.Series([0.004] * 1000)
    assert forecast.round_to_sum(values, 2).sum() == pytest.approx(4)
    assert forecast.round_to_sum(values, 2).isin([0.0, 0.01]).all()
    assert forecast.round_to_sum(pd.Series([1.234, 2.0]), 2).tolist() == [1.23, 2.0]
    assert forecast.round_to_sum(values.head(0), 2).empty
