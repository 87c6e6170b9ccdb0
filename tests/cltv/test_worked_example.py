"""One customer worked by hand: the printed formulas give the printed values, and the months add up to the CLV."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from crm_utils.cltv import btyd, forecast, worked_example
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.core.formatting import NumberFormat
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
    totals = pd.DataFrame({"purchase_days": [80.0, 400.0], "revenue": [2000.0, 9000.0]}, index=[3, 12])
    scaled, found = forecast.scale_to_totals(forecast.forecast_customers(customers, models, TODAY), totals)
    return forecast.add_lifetime_value(scaled, models, TODAY, TERMS, found)


@pytest.fixture(scope="module")
def factors(customers, models) -> pd.DataFrame:
    totals = pd.DataFrame({"purchase_days": [80.0, 400.0], "revenue": [2000.0, 9000.0]}, index=[3, 12])
    return forecast.scale_to_totals(forecast.forecast_customers(customers, models, TODAY), totals)[1]


def orders_known(**revenue: list[float]) -> ibis.Table:
    """Orders of one line each, on a day of its own each; a customer's name is followed by the revenue of each order."""
    rows = [
        (name, f"{name}{n}", pd.Timestamp(2011, 1, 1 + n), money)
        for name, amounts in revenue.items()
        for n, money in enumerate(amounts)
    ]
    table = pd.DataFrame(rows, columns=["customer_id", "order_id", "ordered_at", "revenue"])
    return ibis.memtable(table.assign(lines=1))


def test_an_order_that_was_cancelled_is_shown_and_counts_for_nothing():
    placed = orders_known(c=[10, 20, 30])
    known = placed.filter(placed.order_id != "c1").mutate(revenue=placed.revenue - 5.0)
    own = worked_example.customer_orders(placed, known, "c")
    assert own.taken_back.tolist() == [-5, -20, -5] and own.revenue.tolist() == [5, 0, 25]
    assert own.purchase_day.fillna(0).tolist() == [1, 0, 2]


@pytest.fixture(scope="module")
def found(valued, models, factors) -> worked_example.Example:
    """A customer with two orders on one day, and one who came back on the second."""
    row = valued[valued.repeat_purchase_days == 1].iloc[0]
    days = pd.to_datetime(["2011-01-02 12:00", "2011-01-02 09:00", "2011-03-01 08:00"])
    placed = pd.DataFrame(
        {"customer_id": row.customer_id, "order_id": list("213"), "ordered_at": days, "lines": 1, "revenue": 5.0}
    )
    lines = placed[["customer_id", "order_id", "ordered_at"]].assign(amount=5.0, removed_by=None)
    table = ibis.memtable(placed)
    return worked_example.work_example(lines, table, table, valued, models, TODAY, TERMS, factors, NumberFormat())


def test_the_months_add_up_to_the_value(found, valued):
    row = valued[valued.customer_id == found.customer_id].iloc[0]
    assert found.months.clv.sum() == pytest.approx(row.clv)
    assert 0.3 * row.expected_revenue_12m == pytest.approx(found.months.profit.sum())
    assert found.orders.order_id.tolist() == ["1", "2", "3"] and found.orders.purchase_day.tolist() == [1, 1, 2]
    result = found.steps.set_index("step").result
    assert result["Purchase days (n)"] == "2"
    assert result["Expected revenue, 12 months"] == f"{row.expected_revenue_12m:,.2f}"


def test_the_value_formula_is_the_one_printed(found, valued, models):
    one = valued.iloc[[5]]
    p, q, gamma = models.value.p, models.value.q, models.value.gamma
    n, z = one.repeat_purchase_days.iloc[0] + 1, one.mean_purchase_value.iloc[0]
    steps = worked_example.calculation_steps(one, found.orders, models, TODAY, TERMS, NumberFormat()).set_index("step")
    assert steps.formula["Expected value of a purchase day"] == "p (γ + n z) ÷ (p n + q − 1)"
    assert steps.result["Expected value of a purchase day"] == f"{p * (gamma + n * z) / (p * n + q - 1):,.2f}"
    assert steps.formula["Age at the last purchase day (t_x), days"].endswith("1 March 2011 − 2 January 2011")


def test_each_step_prints_its_numbers(valued, models):
    one = valued[valued.repeat_purchase_days == 1].head(1)
    row = one.iloc[0]
    bought = pd.DataFrame(
        {
            "day": pd.to_datetime(["2011-01-01", "2011-01-02", "2011-03-01"]),
            "purchase_day": [np.nan, 1, 2],
            "revenue": [0.0, 7.5, 5.0],
        }
    )
    steps = worked_example.calculation_steps(one, bought, models, TODAY, TERMS, NumberFormat()).set_index("step")
    formula, result = steps.formula, steps.result
    assert formula["Repeat purchase days (x)"] == "n − 1 = 2 − 1" and result["Repeat purchase days (x)"] == "1"
    assert formula["Age today (T), days"].endswith("= 9 December 2011 − 2 January 2011")
    assert result["Age today (T), days"] == str(row.customer_age_days)
    assert result["Age at the last purchase day (t_x), days"] == str(row.last_purchase_age_days)
    assert formula["Mean value of a purchase day (z)"] == "revenue ÷ n = 12.50 ÷ 2"
    assert result["Mean value of a purchase day (z)"] == f"{row.mean_purchase_value:.2f}"
    assert result["Probability of being active (P)"] == f"{row.p_alive:.4f}"
    expected, worth = models.expected_purchases(one, [366])[0, 0], models.expected_value(one)[0]
    assert result["Expected purchase days in t days"] == f"{expected:.4f} in 12 months"
    factor = row.expected_revenue_12m / (expected * worth)
    assert formula["Expected revenue, 12 months"].endswith(f"= {expected:.4f} × {worth:.2f} × {factor:.4f}")
    assert formula["Profit, 12 months, not discounted"] == "revenue × margin of 30%"
    assert result["Profit, 12 months, not discounted"] == f"{0.3 * row.expected_revenue_12m:.2f}"
    assert result["Parameters of the value model"].startswith(
        f"p = {models.value.p:.5g}, q = {models.value.q:.5g}, γ = "
    )


def test_months_end_on_their_days_and_are_discounted(found, models, valued, factors):
    months = found.months
    assert months.month.tolist() == list(range(1, 13))
    assert months.until_days.tolist()[:3] == [31, 62, 91]
    assert months.discount.tolist() == pytest.approx([1.1 ** (-month / 12) for month in range(1, 13)])
    np.testing.assert_allclose(months.clv, months.profit * months.discount)
    one = valued[valued.customer_id == found.customer_id]
    first = models.expected_purchases(one, [31])[0, 0]
    assert months.expected_purchase_days[0] == pytest.approx(first)
    assert months.factor.tolist() == pytest.approx(forecast.factor_by_month(factors, 12).tolist())
    assert months.profit[0] == pytest.approx(0.3 * first * months.factor[0] * models.expected_value(one)[0])


@pytest.mark.parametrize("kind", btyd.MODELS)
def test_the_formulas_for_expected_purchase_days_are_those_printed(kind):
    """Fader, Hardie & Lee (2005), eq. 10; Batislam et al. (2007).

    Schmittlein et al. (1987): closed forms against our quadrature.
    """
    x, t_x, T, t = 3.0, 20.0, 39.0, 26.0
    model = btyd.MODELS[kind].model(0.5, 10.0, 0.6, 12.0)
    alive = model.probability_alive(*(np.array([value]) for value in (x, t_x, T)))[0]
    r, alpha, third, fourth = 0.5, 10.0, 0.6, 12.0
    if kind == "pareto_nbd":
        ratio = (fourth + T) / (fourth + T + t)
        closed = (r + x) * (fourth + T) / ((alpha + T) * (third - 1)) * (1 - ratio ** (third - 1))
    else:
        chances = x + model.initial_dropout_chances
        z = t / (alpha + T + t)
        rest = ((alpha + T) / (alpha + T + t)) ** (r + x) * hyp2f1(
            r + x, fourth + chances, third + fourth + chances - 1, z
        )
        closed = (third + fourth + chances - 1) / (third - 1) * (1 - rest)
    ours = model.expected_purchases(*(np.array([value]) for value in (x, t_x, T)), t)[0]
    assert alive * closed == pytest.approx(ours, rel=1e-9)
