"""One customer worked by hand: the printed formulas give the printed values, and the months add up to the CLV."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from conftest import three_hundred
from scipy.special import hyp2f1

from crm_utils import btyd, cltv, worked

TODAY = date(2011, 12, 9)


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return three_hundred()


@pytest.fixture(scope="module")
def models(customers) -> btyd.Models:
    return btyd.fit_models(customers)


@pytest.fixture(scope="module")
def valued(customers, models) -> pd.DataFrame:
    return cltv.lifetime_value(cltv.forecast(customers, models, TODAY), models, TODAY, 0.3, 0.1, 12)


@pytest.fixture(scope="module")
def placed(valued) -> ibis.Table:
    """Two orders on one day, of the customer in the middle."""
    again = valued[valued.repeat_orders >= 2].sort_values(["clv", "customer_id"])
    who = again.customer_id.iloc[len(again) // 2]
    days = pd.to_datetime(["2011-01-02 12:00", "2011-01-02 09:00", "2011-01-01 08:00"])
    return ibis.memtable(
        pd.DataFrame(
            {"customer_id": [who, who, "z"], "order_id": list("213"), "ordered_at": days, "lines": 3, "revenue": 5.0}
        )
    )


def test_the_months_add_up_to_the_value(placed, valued, models):
    found = worked.example(placed, valued, models, TODAY, 0.3, 0.1, 12)
    row = valued[valued.customer_id == found.customer_id].iloc[0]
    assert found.months.clv.sum() == pytest.approx(row.clv)
    assert found.months.expected_orders.sum() == pytest.approx(row.expected_orders)
    assert found.orders.order_id.tolist() == ["1", "2"] and found.orders.lines.tolist() == [3, 3]
    result = found.steps.set_index("step").result
    assert result["Purchase days (n)"] == str(row.repeat_orders + 1)
    assert result["Expected revenue, 12 months"] == f"{row.expected_revenue:,.2f}"


def test_the_value_formula_is_the_one_printed(valued, models):
    one = valued.iloc[[5]]
    p, q, gamma = models.value.p, models.value.q, models.value.gamma
    n, z = one.repeat_orders.iloc[0] + 1, one.mean_value.iloc[0]
    steps = worked.steps(one, models, 0.3).set_index("step")
    assert steps.formula["Expected value of a purchase day"] == "p (γ + n z) ÷ (p n + q − 1)"
    assert steps.result["Expected value of a purchase day"] == f"{p * (gamma + n * z) / (p * n + q - 1):,.2f}"


@pytest.mark.parametrize("kind", btyd.KINDS)
def test_the_formulas_for_expected_purchase_days_are_those_printed(kind):
    """Fader, Hardie & Lee (2005), eq. 10; Batislam et al. (2007); Schmittlein et al. (1987): closed forms against our quadrature."""
    x, t_x, T, t = 3.0, 20.0, 39.0, 26.0
    model = btyd.KINDS[kind].model(0.5, 10.0, 0.6, 12.0)
    alive = model.p_alive(*(np.array([value]) for value in (x, t_x, T)))[0]
    r, alpha, third, fourth = 0.5, 10.0, 0.6, 12.0
    if kind == "pareto_nbd":
        ratio = (fourth + T) / (fourth + T + t)
        closed = (r + x) * (fourth + T) / ((alpha + T) * (third - 1)) * (1 - ratio ** (third - 1))
    else:
        chances = x + model.chances_at_first
        z = t / (alpha + T + t)
        rest = ((alpha + T) / (alpha + T + t)) ** (r + x) * hyp2f1(
            r + x, fourth + chances, third + fourth + chances - 1, z
        )
        closed = (third + fourth + chances - 1) / (third - 1) * (1 - rest)
    ours = model.expected_orders(*(np.array([value]) for value in (x, t_x, T)), t)[0]
    assert alive * closed == pytest.approx(ours, rel=1e-9)
