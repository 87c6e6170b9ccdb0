"""The combination of candidates, worked by hand, and the ranges from its errors."""

import numpy as np
import pytest
from scipy.stats import t

from crm_utils.cltv.backtest.candidates import CANDIDATES, RULES, index_of
from crm_utils.cltv.backtest.combination import KINDS, combine, judge
from crm_utils.cltv.backtest.error_ranges import HorizonError, PastErrors, judge_horizons

NONE = np.full(len(CANDIDATES), np.nan)


def only(**values: float) -> np.ndarray:
    """The logarithms of a few candidates; all others cannot be made."""
    found = NONE.copy()
    for name, value in values.items():
        found[index_of(name)] = value
    return found


def no_tests(horizons: int = 1) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return [np.empty((0, len(CANDIDATES)))] * horizons, [np.empty(0)] * horizons


def test_without_tests_the_priors_decide():
    """A model, prior .09 and three of its kind, and a rule, prior .16 and five: weights 1 ÷ .0243 and 1 ÷ .128."""
    total, weights = combine(only(bg_nbd=1.0, same_as_last_period=2.0)[None], *no_tests(), [True])
    model = (1 / (0.09**2 * 3)) / (1 / (0.09**2 * 3) + 1 / (0.16**2 * len(RULES)))
    assert weights[0, index_of("bg_nbd")] == pytest.approx(model)
    assert total[0] == pytest.approx(model + 2 * (1 - model))
    assert weights.sum() == pytest.approx(1)


def test_errors_are_shrunk_by_hand():
    """Two errors of .5: mean 1 ÷ 15; squares 2 × (.5 − 1/15)² and three of the prior, over five."""
    errors = np.array([only(bg_nbd=0.5), only(bg_nbd=0.5)])
    bias, spread = judge(errors, KINDS.priors, np.array(3))
    place = index_of("bg_nbd")
    assert bias[place] == pytest.approx(1 / 15)
    assert spread[place] == pytest.approx((2 * (0.5 - 1 / 15) ** 2 + 3 * 0.09) / 5)
    rule = index_of("retention_rule")
    assert (bias[rule], spread[rule]) == (0, pytest.approx(KINDS.priors[rule]))


def test_the_last_thirteen_tests_count():
    good, bad = only(bg_nbd=0.0), only(bg_nbd=9.0)
    candidates = only(bg_nbd=1.0, mbg_nbd=3.0)[None]
    past = [np.array([bad] * 5 + [good] * 13)]
    total, _ = combine(candidates, past, [np.zeros(18)], [True])
    same, _ = combine(candidates, [past[0][5:]], [np.zeros(13)], [True])
    assert total == pytest.approx(same)


def test_a_longer_horizon_learns_from_the_shorter_one():
    """Five tests at one month in which the rule was exact; none at a year."""
    candidates = np.array([only(bg_nbd=1.0, retention_rule=2.0)] * 2)
    tests = np.array([only(bg_nbd=0.6, retention_rule=0.0)] * 5)
    _, weights = combine(candidates, [tests, tests[:0]], [np.zeros(5), np.empty(0)], [True, True])
    assert weights[1, index_of("retention_rule")] == pytest.approx(weights[0, index_of("retention_rule")], abs=0.1)
    assert weights[1, index_of("retention_rule")] > 0.8


def test_without_a_known_season_a_lucky_rule_is_believed_slowly():
    """Four tests in which a rule was exact and the model .5 too high. Half of the model's mean error is taken off."""
    candidates = only(bg_nbd=1.0, retention_rule=1.0)[None]
    past = [np.array([only(bg_nbd=0.5, retention_rule=0.0)] * 4)]
    (known, trusted), (unknown, doubted) = (
        combine(candidates, past, [np.zeros(4)], [season]) for season in (True, False)
    )
    rule = index_of("retention_rule")
    assert trusted[0, rule] > 0.8 > 0.7 > doubted[0, rule]
    bias = 4 * 0.5 / 17
    assert known[0] == pytest.approx(1 - (1 - trusted[0, rule]) * bias)
    assert unknown[0] == pytest.approx(1 - (1 - doubted[0, rule]) * bias / 2)


def test_no_candidate_no_forecast():
    total, weights = combine(NONE[None], *no_tests(), [True])
    assert np.isnan(total).all() and not weights.any()


def test_nothing_bought_is_an_error_of_a_factor_of_ten():
    bias, _ = judge(np.array([only(bg_nbd=np.inf)]), KINDS.priors, np.array(3))
    assert bias[index_of("bg_nbd")] == pytest.approx(np.log(10) / 14)


def misses(*errors: float, season_known: bool = True) -> PastErrors:
    return PastErrors(np.array(errors, float), np.full(len(errors), season_known))


def test_a_range_worked_by_hand():
    """Four errors of .1 over 30 days, every 28 days: 4 × 28/30 tests, and two assumed errors of .2."""
    [month, year] = judge_horizons([misses(0.1, -0.1, 0.1, -0.1), misses()], [30, 364], 28, True)
    effective = 4 * 28 / 30
    spread = ((effective * 0.01 + 2 * 0.2**2) / (effective + 2)) ** 0.5
    assert month.spread == pytest.approx(spread)
    assert month.half_width == pytest.approx(max(t.ppf(0.95, effective + 2) * spread, 0.25))
    assert year.spread == pytest.approx(spread), "a year without a test has the error of the month"
    assert year.half_width >= 0.1 and year.tests == 0


def test_growth_between_two_lengths_goes_on():
    """.1 after a month and .2 after four: doubled by four times the time, so the exponent is a half."""
    months = [misses(*[0.1] * 26), misses(*[0.2] * 26), misses()]
    found = judge_horizons(months, [28, 112, 448], 28, True)
    assert found[2].spread == pytest.approx(found[1].spread * 2)


def test_the_largest_miss_is_the_least_of_an_untested_length():
    found = judge_horizons([misses(*[0.01] * 12, 0.9), misses()], [30, 364], 28, True)
    assert found[1].half_width >= 0.9 > found[0].half_width


def test_without_tests_there_is_no_range_and_with_few_it_is_wide():
    assert np.isnan(judge_horizons([misses()], [30], 28, True)[0].half_width)
    few = judge_horizons([misses(*[0.0] * 5)], [30], 28, True)[0]
    assert few.half_width >= 0.25
    assert np.isnan(HorizonError(30, 9.0, 5, 9, 9, 0.1).half_width), "a range of no use is not given"


def test_an_unknown_season_widens_a_part_of_a_year():
    tests = [misses(*[0.1] * 9), misses(*[0.1] * 9)]
    known, unknown = (judge_horizons(tests, [91, 364], 28, season) for season in (True, False))
    assert unknown[0].half_width > known[0].half_width
    assert unknown[1].half_width == known[1].half_width


def test_tests_of_the_same_kind_count_alone_if_there_are_four():
    both = PastErrors(np.array([0.8, 0.8, 0.1, 0.1, 0.1, 0.1]), np.array([False] * 2 + [True] * 4))
    assert both.alike(True).tolist() == [0.1] * 4
    assert len(both.alike(False)) == 6
