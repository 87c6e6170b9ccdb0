"""The purchase and value models against published answers, simulated truth and hopeless data."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from crm_utils.cltv import btyd
from crm_utils.cltv.btyd import bg_nbd
from crm_utils.cltv.btyd.bg_nbd import log_likelihood
from crm_utils.cltv.btyd.quadrature import power_decay_gradient
from crm_utils.core.errors import FitError

NEW = (np.zeros(1), np.zeros(1), np.zeros(1))


@pytest.fixture(scope="module")
def sample(cdnow_sample) -> pd.DataFrame:
    """x, t_x, T (weeks) of the published sample to 1997-09-30, and the repeat days' count and mean value."""
    log = cdnow_sample[cdnow_sample.date <= "1997-09-30"]
    grouped = log.groupby("customer")
    first, last = grouped.date.transform("min"), grouped.date.max()
    table = pd.DataFrame({"x": grouped.size() - 1, "t_x": (last - grouped.date.min()).dt.days / 7})
    table["T"] = (pd.Timestamp("1997-09-30") - grouped.date.min()).dt.days / 7
    table["repeat_value"] = log[log.date > first].groupby("customer").amount.mean()
    return table


@pytest.fixture(scope="module")
def holdout(cdnow_sample) -> pd.Series:
    """Purchase days of each customer in the 39 weeks after."""
    return cdnow_sample[cdnow_sample.date > "1997-09-30"].groupby("customer").size()


PUBLISHED = [  # parameters, log-likelihood, standard errors (H⁻¹), purchases of the next 39 weeks
    # Fader, Hardie & Lee (2005); CLVTools' tests; standard errors: lifetimes' quickstart
    (
        "bg_nbd",
        (0.2425945, 4.4136019, 0.7929199, 2.4258881),
        -9582.429,
        (0.012557, 0.378221, 0.185719, 0.705345),
        1653.4,
    ),
    # lifetimes' tests
    ("mbg_nbd", (0.525, 6.183, 0.891, 1.614), -9582.1357, None, 1576.7),
    # CLVTools' tests
    (
        "pareto_nbd",
        (0.55315, 10.57633, 0.60625, 11.67150),
        -9594.976,
        (0.0476264, 0.8427222, 0.1872594, 6.2105448),
        1665.5,
    ),
]


@pytest.mark.parametrize("kind, parameters, likelihood, errors, purchases", PUBLISHED)
def test_published_fits(sample, kind, parameters, likelihood, errors, purchases):
    model = btyd.fit_purchase_model(kind, sample.x, sample.t_x, sample["T"])
    found = [getattr(model, name) for name in model.parameters]
    assert found == pytest.approx(parameters, rel=6e-4)
    assert model.log_likelihood == pytest.approx(likelihood, abs=2e-3)
    assert model.expected_purchases(sample.x, sample.t_x, sample["T"], 39).sum() == pytest.approx(purchases, abs=0.1)
    assert model.note == ""
    if errors:
        covariance = btyd.purchase_covariance(model, sample.x, sample.t_x, sample["T"])
        assert covariance.standard_errors(found, "hessian") == pytest.approx(errors, rel=2e-3)


def test_holdout_by_class(sample, holdout):
    """Mean purchases expected and made in 39 weeks, by repeat purchases 0 to 7 and more (by scipy's Nelder–Mead)."""
    model = btyd.fit_purchase_model("bg_nbd", sample.x, sample.t_x, sample["T"])
    sample = sample.assign(
        predicted=model.expected_purchases(sample.x, sample.t_x, sample["T"], 39),
        actual=holdout.reindex(sample.index, fill_value=0),
    )
    means = sample.groupby(sample.x.clip(upper=7))[["predicted", "actual"]].mean()
    assert sample.actual.sum() == 1882
    assert means.predicted.tolist() == pytest.approx([0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157], abs=6e-4)
    assert means.actual.tolist() == pytest.approx([0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359], abs=6e-4)
    assert (sample.predicted - sample.actual).abs().mean() == pytest.approx(0.7855, abs=1e-4)


def test_published_expectations():
    """Hardie's sheet by way of lifetimes' tests, and the R manual of BTYD."""
    model = btyd.BgNbd(0.242594, 4.413602, 0.792920, 2.425896)
    one = (np.array([2.0]), np.array([30.43]), np.array([38.86]))
    assert model.expected_purchases(*one, 39)[0] == pytest.approx(1.226, abs=1e-3)
    curve = model.expected_purchases(*NEW, np.array([0.1429, 1, 3, 31.8571, 32, 78]))[0]
    assert curve == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576], abs=4e-4)  # ₂F₁ gives 1.85795 too
    active = btyd.ParetoNbd(0.5534, 10.5802, 0.6061, 11.6562).probability_alive(
        np.array([26.0]), np.array([30.86]), np.array([31.0])
    )
    assert active[0] == pytest.approx(0.9979, abs=1e-4)


def test_the_likelihood_is_stable_for_extreme_customers():
    """pymc-marketing, tests/clv/models/test_beta_geo.py: a .8 b 2.5 r .25 alpha 4 T 40."""
    value, _ = log_likelihood(0.25, 4, 0.8, 2.5, np.array([0.0, 200]), np.array([0.0, 38]), np.array([40.0, 40]))
    assert value == pytest.approx([-0.59947382, 100.7957], rel=1e-6)


def test_published_gamma_gamma(sample):
    """Hardie's note 025 (946 repeat buyers); log-likelihood: CLVTools' tests. First ten customers: Hardie's sheet."""
    repeaters = sample[sample.x > 0]
    model = btyd.fit_gamma_gamma(repeaters.x, repeaters.repeat_value)
    assert len(repeaters) == 946
    assert (model.p, model.q, model.gamma) == pytest.approx((6.25, 3.74, 15.44), abs=0.006)
    assert model.log_likelihood == pytest.approx(-4055.9177, abs=1e-3)
    spend = model.expected_value(sample.x[:10].to_numpy(), sample.repeat_value[:10].fillna(0).to_numpy())
    assert spend == pytest.approx([24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17], abs=0.02)


@pytest.mark.parametrize("kind", btyd.MODELS)
def test_moments_agree_with_exact_draws(kind):
    """400,000 exact draws of one customer."""
    x, t_x, T, t, n = 3.0, 20.0, 39.0, 39.0, 400_000
    rng = np.random.default_rng(1)
    if kind == "pareto_nbd":
        model = btyd.ParetoNbd(0.55, 10.6, 0.6, 11.7)
        rate, stop = rng.gamma(model.r + x, 1 / (model.alpha + T), n), rng.gamma(model.s, 1 / (model.beta + T), n)
        drawn = rng.poisson(rate * np.minimum(rng.exponential(1 / stop), t))
    else:
        model = btyd.MODELS[kind].model(0.4, 5, 0.8, 2)
        rate = rng.gamma(model.r + x, 1 / (model.alpha + T), n)
        drop = rng.beta(model.a, model.b + x + model.initial_dropout_chances, n)
        drawn = np.minimum(rng.poisson(rate * t), rng.geometric(drop))
    one = (np.array([x]), np.array([t_x]), np.array([T]))
    drawn = np.where(rng.random(n) < model.probability_alive(*one), drawn, 0)
    assert model.expected_purchases(*one, t)[0] == pytest.approx(drawn.mean(), rel=0.01)
    assert model.expected_squared_purchases(*one, t)[0] == pytest.approx((drawn.astype(float) ** 2).mean(), rel=0.02)
    assert model.purchase_probability(*one, t)[0] == pytest.approx((drawn > 0).mean(), rel=0.01)


def test_the_integral_of_pareto_nbd_is_right_wherever_the_search_may_go():
    """Against SciPy's adaptive quadrature on a log scale, piece by piece.

    The slopes against differences of the integral.
    """
    rng = np.random.default_rng(0)
    for k, s, alpha, beta, length in 10.0 ** rng.uniform((-1, -3, -2, -2, -1), (2, 2.2, 4, 5, 3), (150, 5)):
        start = rng.uniform(0, 500)
        pieces = np.linspace(np.log(length) - 40, np.log(length), 41)

        def integrand(z, k=k, s=s, A=alpha + start, B=beta + start):
            return np.exp(z - k * np.log1p(np.exp(z) / A) - (s + 1) * np.log1p(np.exp(z) / B))

        exact = sum(quad(integrand, low, high, epsabs=0)[0] for low, high in itertools.pairwise(pieces))
        exact = np.log(exact) - k * np.log(alpha + start) - (s + 1) * np.log(beta + start)
        span = (np.array([start]), np.array([start + length]))
        value, slopes = power_decay_gradient(np.array([k]), s, alpha, beta, *span)
        assert value[0] == pytest.approx(exact, abs=2e-3)
        at = np.array([k, alpha, s, beta])
        for place, slope in enumerate(slopes[:, 0]):
            step = 1e-5 * at[place] * (np.arange(4) == place)
            (k_up, a_up, s_up, b_up), (k_down, a_down, s_down, b_down) = at + step, at - step
            up = power_decay_gradient(np.array([k_up]), s_up, a_up, b_up, *span)[0][0]
            down = power_decay_gradient(np.array([k_down]), s_down, a_down, b_down, *span)[0][0]
            assert slope == pytest.approx((up - down) / (2 * step[place]), rel=0.05, abs=1e-6)


positive = st.floats(0.05, 20)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(btyd.MODELS)), positive, positive, positive, positive, st.integers(0, 60), st.floats(0, 1))
def test_expectations_are_probabilities_and_grow(kind, r, alpha, third, fourth, x, share):
    model = btyd.MODELS[kind].model(r, alpha, third, fourth)
    one = (np.array([float(x)]), np.array([share * 50 if x else 0.0]), np.array([50.0]))
    alive, (short, long) = model.probability_alive(*one)[0], model.expected_purchases(*one, np.array([10.0, 50.0]))[0]
    assert 0 <= alive <= 1
    assert 0 <= short <= long <= (r + x) / (alpha + 50) * 50 * 1.0001
    assert 0 <= model.purchase_probability(*one, 50.0)[0] <= min(alive, long) * 1.0001 + 1e-9
    assert model.expected_squared_purchases(*one, 50.0)[0] >= long**2 * 0.9999 - 1e-9


def base(rng: np.random.Generator, n: int, r, alpha, a, b, ages: tuple[int, int]) -> pd.DataFrame:
    """Customers who buy and drop out exactly as BG/NBD says."""
    T = rng.integers(*ages, n).astype(float)
    rate, drop = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    x, t_x, clock, active = np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, bool)
    for _ in range(2000):
        clock = clock + rng.exponential(1 / np.maximum(rate, 1e-300))
        active &= clock <= T
        if not active.any():
            break
        x[active] += 1
        t_x[active] = clock[active]
        active &= rng.random(n) >= drop
    return pd.DataFrame({"x": x, "t_x": t_x, "T": T})


SHOPS = {
    "small": (40, 0.5, 60, 0.8, 2.5, (100, 400)),
    "huge rates": (300, 5, 20, 0.8, 9, (100, 400)),
    "heavy one-timers": (1500, 0.03, 30, 0.8, 2.5, (100, 400)),
    "hardly a one-timer": (300, 8, 60, 0.5, 8, (300, 400)),
    "one cohort": (500, 0.5, 60, 0.8, 2.5, (365, 366)),
    "no dropout": (500, 0.8, 60, 1e-4, 10, (100, 400)),
    "all drop out": (500, 0.8, 30, 50, 0.05, (100, 400)),
    "alike": (500, 80, 4000, 2, 20, (100, 400)),
}


@pytest.mark.parametrize("shop", SHOPS)
def test_fits_end_for_any_shop(shop):
    """25 simulated shops of each of eight kinds: no exception, no nan, a likelihood no worse than the truth's."""
    n, *truth, ages = SHOPS[shop]
    rng = np.random.default_rng(len(shop))
    for _ in range(25):
        customers = base(rng, n, *truth, ages)
        if not (customers.x > 0).any():
            continue
        columns = [customers[name].to_numpy() for name in ("x", "t_x", "T")]
        model = btyd.fit_purchase_model("bg_nbd", *columns)
        errors = btyd.purchase_covariance(model, *columns).standard_errors(np.ones(4))
        expected = model.expected_purchases(*columns, 365.0)
        assert np.isfinite(expected).all() and (expected >= 0).all()
        identified = [not set(pair) & set(model.at_bound) for pair in (("r", "alpha"), ("a", "b"))]
        assert np.isfinite(errors).tolist() == np.repeat(identified, 2).tolist()
        assert model.log_likelihood >= log_likelihood(*truth, *columns)[0].sum() - 0.05


def test_the_partner_of_a_parameter_on_its_bound_has_no_standard_error():
    """All customers drop out with the same probability: a and b grow together, and only their ratio is identified."""
    customers = base(np.random.default_rng(5), 1000, 0.8, 30, 3000, 9000, (150, 500))
    columns = [customers[name].to_numpy() for name in ("x", "t_x", "T")]
    model = btyd.fit_purchase_model("bg_nbd", *columns)
    assert model.at_bound == ("a",) and model.a / (model.a + model.b) == pytest.approx(0.25, abs=0.02)
    spread = btyd.purchase_covariance(model, *columns)
    assert np.isfinite(spread.standard_errors(np.ones(4))).tolist() == [True, True, False, False]
    assert spread.free[3] and spread.sandwich[3, 3] > 0  # the ratio still moves the forecast's range


def test_true_parameters_lie_in_their_intervals_as_often_as_they_should():
    """95 % intervals on the log scale, 60 shops of 2,000 customers: 57 expected.

    51 or more in all but 1 of 100 such tests.
    """
    truth = np.array([0.5, 40, 0.8, 2.5])
    rng, inside = np.random.default_rng(5), np.zeros(4)
    for _ in range(60):
        customers = base(rng, 2000, *truth, (150, 500))
        columns = [customers[name].to_numpy() for name in ("x", "t_x", "T")]
        model = btyd.fit_purchase_model("bg_nbd", *columns)
        spread = np.sqrt(np.diag(btyd.purchase_covariance(model, *columns).sandwich))
        inside += np.abs(np.log([model.r, model.alpha, model.a, model.b] / truth)) <= 1.96 * spread
    assert (inside >= 51).all(), inside


def in_weeks(orders: pd.DataFrame, today: str) -> tuple[pd.Series, pd.Series, pd.Series]:
    """x, t_x and T of each customer, from purchase days, in weeks."""
    placed = orders.assign(day=orders.ordered_at.dt.normalize()).drop_duplicates(["customer_id", "day"])
    days = placed.groupby("customer_id").day
    return days.size() - 1, (days.max() - days.min()).dt.days / 7, (pd.Timestamp(today) - days.min()).dt.days / 7


def test_a_year_of_online_retail_does_not_identify_dropout(retail_orders):
    """Sheet 2010-11 alone to 2011-12-09, weeks: log-likelihood at least −37,645.55.

    No dropout at all reaches −37,645.66.
    """
    sheet = retail_orders.filter(retail_orders.ordered_at >= "2010-12-01").execute()
    x, t_x, age = in_weeks(sheet, "2011-12-09")
    model = btyd.fit_purchase_model("bg_nbd", x, t_x, age)
    assert len(age) == 4338
    assert model.log_likelihood >= -37645.55
    assert "dropout is not identified" in model.note and "-37,645.66" in model.note.replace("−", "-")
    assert model.at_bound == ("a", "b")


def test_two_years_of_online_retail_do(retail_orders):
    """Two years' data to 2011-09-09 identify dropout: r .6357 alpha 8.9381 a .1717 b 2.7131 (by Nelder–Mead)."""
    both = retail_orders.filter(retail_orders.ordered_at < "2011-09-10").execute()
    model = btyd.fit_purchase_model("bg_nbd", *in_weeks(both, "2011-09-09"))
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.6357, 8.9381, 0.1717, 2.7131), rel=2e-3)
    assert model.note == ""


def test_units_of_time_do_not_matter(sample):
    weeks = btyd.fit_purchase_model("bg_nbd", sample.x, sample.t_x, sample["T"])
    days = btyd.fit_purchase_model("bg_nbd", sample.x, sample.t_x * 7, sample["T"] * 7)
    assert (days.r, days.alpha / 7, days.a, days.b) == pytest.approx((weeks.r, weeks.alpha, weeks.a, weeks.b), rel=1e-4)


def test_heavy_tails_keep_a_mean():
    """Order values of infinite mean (Pareto, shape ½): q is held above 1 and the note says so."""
    values = (np.arange(1, 2001) / 2001.0) ** -2.0
    model = btyd.fit_gamma_gamma(np.ones(2000), values)
    assert model.q > 1 and "q above 1" in model.note and "q" in model.at_bound
    assert np.isfinite(model.expected_value(np.ones(2000), values)).all()


@pytest.mark.parametrize(
    "x, t_x, T, part",
    [
        ([0, 0], [0, 0], [9, 9], "none of the 2 customers bought on a second day"),
        ([1, 2], [3, np.nan], [9, 9], "1 of 2 customers have no valid history"),
        ([1, 2], [3, 10], [9, 9], "1 of 2 customers have no valid history"),
        ([-1, 2], [3, 5], [9, 9], "1 of 2 customers have no valid history"),
    ],
)
def test_no_history_no_model(x, t_x, T, part):
    with pytest.raises(FitError, match=part):
        btyd.fit_purchase_model("bg_nbd", x, t_x, T)


@pytest.mark.parametrize("values", [[], [0.0, 5.0], [-3.0, 5.0], [np.inf, 5.0]])
def test_no_money_no_value_model(values):
    with pytest.raises(FitError, match="must be positive and finite"):
        btyd.fit_gamma_gamma(np.ones(len(values)), values)


@pytest.mark.parametrize("kind", btyd.MODELS)
def test_one_repeat_buyer_and_daily_buyers_are_fitted(kind):
    once = btyd.fit_purchase_model(kind, [0] * 30 + [1], [0] * 30 + [5], [100] * 31)
    daily = btyd.fit_purchase_model(kind, [99] * 30, [99] * 30, [99] * 30)
    for model, customer in ((once, (1.0, 5.0, 100.0)), (daily, (99.0, 99.0, 99.0))):
        expected = model.expected_purchases(*(np.array([value]) for value in customer), 30.0)[0]
        assert np.isfinite(expected) and expected >= 0 and model.note
    assert daily.expected_purchases(np.array([99.0]), np.array([99.0]), np.array([99.0]), 30.0)[0] == pytest.approx(
        30, rel=0.02
    )


def summary(x, t_x, T, value) -> pd.DataFrame:
    columns = {"repeat_purchase_days": x, "last_purchase_age_days": t_x, "customer_age_days": T}
    return pd.DataFrame({"customer_id": [str(i) for i in range(len(x))], **columns, "mean_purchase_value": value})


def test_too_thin_data_give_the_average_rate_and_say_so():
    customers = summary([0] * 9 + [2], [0] * 9 + [50], [100] * 10, [20.0] * 10)
    models = btyd.fit_customer_base(customers)
    assert (
        models.unavailable_reason
        == "there are 10 customers, but a model needs 100; there is 1 repeat buyer, but a model needs 30"
    )
    assert "no model" in models.purchase.note and models.unavailable_reason in models.purchase.note
    # (2 + ½) ÷ (1,000 + 365 days) × 100 days for everybody, by hand
    assert models.expected_purchases(customers, [100]) == pytest.approx(np.full((10, 1), 0.18315), rel=0.01)


def test_an_obstacle_withholds_the_model_in_its_words(sample):
    customers = summary(sample.x, sample.t_x * 7, sample["T"] * 7, sample.repeat_value.fillna(30))
    models = btyd.fit_customer_base(customers, obstacles=["customers buy as in a subscription"])
    assert models.unavailable_reason == "customers buy as in a subscription"
    assert (
        models.unavailable_reason in models.purchase.note and not btyd.fit_customer_base(customers).unavailable_reason
    )


def test_tables_give_the_models_back(sample):
    customers = summary(sample.x, sample.t_x * 7, sample["T"] * 7, sample.repeat_value.fillna(30))
    for kind in btyd.MODELS:
        models = btyd.fit_customer_base(customers, kind)
        table = models.table(pd.DataFrame({"model": ["CLV"], "parameter": ["margin_rate"], "value": [0.3]}))
        stored = table.sort_values(["model", "parameter"])
        purchase, value = btyd.models_from_table(stored, customers, ".")
        assert type(purchase) is type(models.purchase)
        chances = btyd.purchase_probabilities(purchase, customers, [30, 7, 30])
        assert list(chances) == [7, 30] and (chances[7] < chances[30]).all() and (chances[30] <= 1).all()
        assert value.expected_value(2, 10.0) == models.value.expected_value(2, 10.0)
        fit = table.set_index(["model", "parameter"]).value[models.purchase.name]
        assert fit["aic"] == pytest.approx(8 - 2 * models.purchase.log_likelihood)


def test_the_library_prints_nothing(sample, capfd):
    btyd.fit_purchase_model("bg_nbd", sample.x, sample.t_x, sample["T"])
    btyd.fit_purchase_model("bg_nbd", [0] * 30 + [1], [0] * 30 + [5], [100] * 31)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["bg_nbd", "mbg_nbd"])
def test_the_series_of_the_second_moment_meets_the_exact_formula(kind, monkeypatch):
    """Just below the limit both are right: the series is off by its next term, the formula by rounding."""
    model = btyd.MODELS[kind].model(0.5, 10.0, 2.0, 3.0)
    history = [np.array([value]) for value in (2.0, 20.0, 90.0)]
    by_series = model.expected_squared_purchases(*history, 0.02)
    monkeypatch.setattr(bg_nbd, "SERIES_BELOW", 0.0)
    assert by_series == pytest.approx(model.expected_squared_purchases(*history, 0.02), rel=1e-9)
