"""How purchase and value models are fitted: slopes, bounds, covariances, and what is noted about the parameters."""

import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import btyd
from crm_utils.cltv.btyd import bg_nbd, fit, gamma_gamma, pareto_nbd
from crm_utils.core.errors import FitError

# One-time buyers, an active customer, one who bought last on the last day, and one who has long been silent.
HISTORIES = tuple(np.array(column, float) for column in ([0, 0, 3, 5, 7], [0, 0, 20, 40, 8], [10, 200, 31, 40, 300]))
LIKELIHOODS = {
    "bg_nbd": (bg_nbd.log_likelihood, (0.6, 9.0, 0.8, 2.5), HISTORIES),
    "mbg_nbd": (bg_nbd.mbg_log_likelihood, (0.6, 9.0, 0.8, 2.5), HISTORIES),
    "nbd": (bg_nbd.nbd_log_likelihood, (0.6, 9.0), HISTORIES),
    "pareto_nbd": (pareto_nbd.log_likelihood, (0.6, 9.0, 0.7, 30.0), HISTORIES),
    "pareto_nbd that stop late": (pareto_nbd.log_likelihood, (0.6, 30.0, 1.7, 9.0), HISTORIES),
    "gamma_gamma": (gamma_gamma.log_likelihood, (6.0, 4.0, 15.0), (np.array([1.0, 2, 9]), np.array([20.0, 35, 8]))),
}


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_slopes_are_those_of_the_likelihood(name):
    """Compared with the difference of the likelihood a little above and below each parameter.

    The integral of Pareto/NBD is exact to a few ten-thousandths.
    """
    likelihood, theta, rows = LIKELIHOODS[name]
    slopes = likelihood(*theta, *rows)[1]
    rel = 5e-4 if "pareto" in name else 1e-5
    assert slopes.shape == (len(theta), len(rows[0]))
    for place, value in enumerate(theta):
        step = 1e-6 * value * (np.arange(len(theta)) == place)
        above, below = (likelihood(*(np.array(theta) + way * step), *rows)[0] for way in (1, -1))
        assert slopes[place] == pytest.approx((above - below) / (2e-6 * value), rel=rel, abs=1e-5)


@pytest.mark.parametrize("unit", [1.0, 100.0])
def test_bounds_of_the_search(unit):
    """Bounds of times move with the unit of time; the others are numbers."""
    log = np.log(unit)
    first = [(-8, 9.5), (log - 10, log + 10)]
    for kind in ("bg_nbd", "mbg_nbd"):
        assert fit._bounds(fit.MODELS[kind], unit) == [*first, (-10, 8), (-8, 10)]
    assert fit._bounds(fit.MODELS["pareto_nbd"], unit) == [*first, (-10, 5), (log - 8, log + 12)]


def test_which_parameters_are_on_a_bound():
    """A ten-thousandth in the logarithm is still on it."""
    bounds = [(-1.0, 2.0)] * 6
    logs = [-1.0, -0.99991, -0.99989, 1.99989, 1.99991, 2.0]
    assert fit.on_bound(np.exp(logs), bounds).tolist() == [True, True, False, False, True, True]


def gaussian(first: float, second: float, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A likelihood of the log parameters: −½ ((log first − at)² + 4 (log second − 1)²) for each row."""
    x, y = np.log(first) - at, np.log(second) - 1
    return -(x**2 + 4 * y**2) / 2, np.array([-x / first, np.full(len(at), -4 * y / second)])


def test_the_covariance_worked_by_hand():
    """Rows at −1 and 3, the second twice: the mean is 5/3.

    H = 3 for the first parameter and 12 for the second. Scores of the first are −8/3 and twice 4/3: J = 64/9 + 2 × 16/9
    = 32/3, so the sandwich is 32/3 ÷ 9 = 32/27. Those of the second are 0.
    """
    rows, weights = (np.array([-1.0, 3.0]),), np.array([1.0, 2.0])
    theta = np.exp([5 / 3, 1.0])
    found = fit.covariance_at(gaussian, rows, weights, theta, np.array([True, True]))
    assert found.hessian == pytest.approx(np.diag([1 / 3, 1 / 12]), abs=1e-6)
    assert found.sandwich == pytest.approx(np.diag([32 / 27, 0]), abs=1e-6)
    assert found.standard_errors(theta, "hessian") == pytest.approx(theta * np.sqrt([1 / 3, 1 / 12]), rel=1e-6)
    assert found.standard_errors(theta) == pytest.approx(theta * np.sqrt([32 / 27, 0]), abs=1e-6)
    only_second = fit.covariance_at(gaussian, rows, weights, theta, np.array([False, True]))
    assert only_second.hessian == pytest.approx(np.diag([0, 1 / 12]), abs=1e-6)
    assert np.isnan(only_second.standard_errors(theta)).tolist() == [True, False]


def test_flat_directions_have_no_variance():
    """Curvature 2 along (1, 1) and none along (1, −1): the inverse is ½ × (1, 1)(1, 1)ᵀ ÷ 2."""
    assert fit._inverse(np.array([[1.0, 1.0], [1.0, 1.0]])) == pytest.approx(np.full((2, 2), 0.25))
    assert fit._inverse(np.diag([1.0, 2e-9])) == pytest.approx(np.diag([1.0, 5e8]))
    assert fit._inverse(np.diag([1.0, 5e-10])).tolist() == [[1, 0], [0, 0]]
    assert not fit._inverse(np.zeros((2, 2))).any()
    assert fit._inverse(np.diag([1e-10, 1e-12])) == pytest.approx(np.diag([1e10, 1e12])), "small, but not flat"
    assert fit._inverse(np.zeros((0, 0))).shape == (0, 0)


def test_the_search_finds_the_weighted_optimum():
    """The weighted mean of −1 and 3 (twice) is 5/3, and the log-likelihood there −½ (64/9 + 2 × 16/9) = −16/3."""
    rows, weights = (np.array([-1.0, 3.0]),), np.array([1.0, 2.0])
    bounds = [(-10.0, 10.0), (-10.0, 10.0)]
    theta, value = fit.fit_mle(gaussian, rows, weights, [(1.0, 1.0), (50.0, 0.1)], bounds)
    assert np.log(theta) == pytest.approx([5 / 3, 1], abs=1e-6)
    assert value == pytest.approx(-16 / 3)
    bounded, _ = fit.fit_mle(gaussian, rows, weights, [(1.0, 1.0)], [(-10.0, 1.0), (2.0, 10.0)])
    assert np.log(bounded) == pytest.approx([1, 2])


def test_a_start_without_a_likelihood_is_left_out():
    def broken(first: float, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        away = (np.log(first) - at) * (np.nan if first > 50 else 1)
        return -(away**2) / 2, np.array([-away / first])

    rows, weights = (np.array([1.0, 2.0]),), np.ones(2)
    theta, _ = fit.fit_mle(broken, rows, weights, [(100.0,), (2.0,)], [(-10.0, 10.0)])
    assert np.log(theta) == pytest.approx([1.5], abs=1e-6)
    with pytest.raises(FitError, match="not finite at any start"):
        fit.fit_mle(broken, rows, weights, [(100.0,)], [(-10.0, 10.0)])


def test_starts_are_compared_on_every_second_row_of_many():
    """With 2,000 rows or more, starts see a share of them, and the last search sees all."""
    seen = []

    def noting(first: float, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen.append(len(at))
        return -((np.log(first) - at) ** 2) / 2, np.array([-(np.log(first) - at) / first])

    for rows, few in ((1999, 1999), (2000, 1000), (4000, 1334)):
        seen.clear()
        fit.fit_mle(noting, (np.linspace(0, 1, rows),), np.ones(rows), [(1.0,)], [(-10.0, 10.0)])
        assert (seen[0], seen[-1]) == (few, rows)


def test_the_average_rate_worked_by_hand():
    """(3 + ½) ÷ (335 + 365) = .005 a day for everybody; nobody drops out."""
    model = fit.constant_rate_model(np.array([1, 2]), np.array([135, 200]), "too few")
    assert model.r / model.alpha == pytest.approx(0.005)
    assert model.r == 1e4 and model.b == 1 and np.log(model.a) == pytest.approx(-10)
    assert model.at_bound == model.parameters
    assert model.note == "no model: too few; the forecast is the average rate of all customers"


def test_why_data_are_insufficient():
    """A history from day 0 to day 89 has 90 days; the limits are those of the data checks."""
    x, T = np.array([1] * 30 + [0] * 70), np.full(100, 400.0)
    assert btyd.fit.insufficient_data_reason(x, T) == ""
    assert "29 repeat buyers" in fit.insufficient_data_reason(np.array([1] * 29 + [0] * 71), T)
    assert "99 customers" in fit.insufficient_data_reason(x[:99], T[:99])
    assert fit.insufficient_data_reason(x, np.full(100, 89.0)) == ""
    assert "89 days" in fit.insufficient_data_reason(x, np.full(100, 88.0))
    assert "0 days" in fit.insufficient_data_reason([], [])


def test_distinct_histories_are_counted():
    rows, weights = bg_nbd.distinct_histories(np.array([1, 0, 1]), np.array([5, 0, 5]), np.array([9, 9, 9]))
    assert {tuple(row): count for *row, count in zip(*rows, weights, strict=True)} == {(0, 0, 9): 1, (1, 5, 9): 2}


@pytest.mark.parametrize("kind", fit.MODELS)
def test_a_model_knows_its_kind(kind):
    assert fit.spec_of(fit.MODELS[kind].model(0.5, 9.0, 0.8, 2.5)) == kind


@pytest.mark.parametrize(
    ("kind", "purchases", "dropout"),
    [
        ("bg_nbd", [1, 1, 2], [0.8 / 3.3, 0.2 / 4.2, 0.5]),
        ("mbg_nbd", [1, 1, 2], [0.8 / 3.3, 0.2 / 4.2, 0.5]),
        ("pareto_nbd", [1, 1], [1.2, 0.05]),
    ],
)
def test_what_the_starts_of_the_search_mean(kind, purchases, dropout):
    """Customers of mean age bought once or twice; a twentieth to half drop out after a purchase.

    For Pareto/NBD the second is how often a customer would have stopped by the mean age.
    """
    starts = np.array(fit.MODELS[kind].starts(100.0)).T
    assert (100 * starts[0] / starts[1]).tolist() == pytest.approx(purchases)
    assert starts[0].tolist() == [0.5, 1, 0.25][: len(purchases)]
    found = 100 * starts[2] / starts[3] if kind == "pareto_nbd" else starts[2] / (starts[2] + starts[3])
    assert found.tolist() == pytest.approx(dropout)


def test_measures_of_fit_worked_by_hand():
    """AIC 2 × 4 + 2 × 100 = 208, BIC 4 × log 50 + 200."""
    model = btyd.BgNbd(0.5, 9.0, 0.8, 2.5, log_likelihood=-100.0, note="why")
    more = pd.DataFrame(
        [("CLV", "margin_rate", 0.3, np.nan, "")], columns=["model", "parameter", "value", "standard_error", "note"]
    )
    covariance = fit.Covariance(np.eye(4), 0.01 * np.eye(4), np.ones(4, bool), np.array([True, True, False, False]))
    table = btyd.models_to_table([(model, covariance, 50), (btyd.GammaGamma(6.0, 4.0, 15.0), None, 50)], more)
    assert table.index.tolist() == list(range(11)) and list(table.columns) == list(more.columns)
    found = table.set_index(["model", "parameter"])
    assert found.value["BG/NBD"].to_dict() == pytest.approx(
        {"r": 0.5, "alpha": 9, "a": 0.8, "b": 2.5, "log_likelihood": -100, "aic": 208, "bic": 4 * np.log(50) + 200}
    )
    errors = found.standard_error["BG/NBD"]
    assert errors[["r", "alpha"]].tolist() == pytest.approx([0.05, 0.9]) and errors.drop(["r", "alpha"]).isna().all()
    assert found.value["Gamma-Gamma"].to_dict() == {"p": 6, "q": 4, "gamma": 15}, "it was not fitted"
    assert (found.note["BG/NBD"] == "why").all()
    purchase, value = btyd.models_from_table(table, pd.DataFrame(), ".")
    assert purchase == model and (value.p, value.q, value.gamma) == (6, 4, 15)


def test_probabilities_are_named_by_customer_and_window():
    model = btyd.BgNbd(0.5, 9.0, 0.8, 2.5)
    columns = ["repeat_purchase_days", "last_purchase_age_days", "customer_age_days"]
    customers = pd.DataFrame([[0, 0, 10], [3, 20, 31]], columns=columns).assign(customer_id=["x", "y"])
    found = btyd.purchase_probabilities(model, customers, [91, 30, 91])
    assert found.index.tolist() == ["x", "y"] and found.columns.tolist() == [30, 91]
    history = [np.array([value]) for value in (3.0, 20.0, 31.0)]
    assert found.loc["y", 91] == model.purchase_probability(*history, 91)[0]


@pytest.mark.parametrize("purchases", [[0.0], [-1.0]])
def test_a_value_needs_a_purchase(purchases):
    with pytest.raises(FitError, match="1 of 1 are not"):
        btyd.fit_gamma_gamma(purchases, [5.0])
