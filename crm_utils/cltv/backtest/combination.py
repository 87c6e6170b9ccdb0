"""Combine candidate forecasts by their errors in earlier tests.

Bates & Granger (1969), Operational Research Quarterly 20(4): combined forecasts have smaller errors than single ones.
Each candidate is corrected by its mean log error, shrunk towards 0. Its weight is 1 ÷ v², where v is the mean squared
error that is left, shrunk towards a prior. The prior of the shortest horizon is that of the candidate's kind; the prior
of a longer horizon is v of the next shorter one. Candidates of one kind share its weight.

The priors were set by hand after trials on 14 logs: CDNOW, Online Retail II, simulated and grocery logs. Halving or
doubling all of them changed the mean error over these logs by under 1 %.
"""

import numpy as np

from crm_utils.cltv import btyd
from crm_utils.cltv.backtest.candidates import (
    CANDIDATES,
    LAST_PERIOD,
    LAST_YEAR,
    LAST_YEAR_GROWN,
    OWN_ERROR,
    PAST_RATE,
    RETENTION,
    RULES,
    SEASON,
)

# Prior mean squared log errors.
PRIOR_PLAIN, PRIOR_SEASON, PRIOR_OWN_ERROR = 0.09, 0.04, 0.06
PRIOR_RULES = {RETENTION: 0.09, LAST_YEAR: 0.16, LAST_YEAR_GROWN: 0.09, LAST_PERIOD: 0.16, PAST_RATE: 0.25}
# The last tests that count, a year of them, and how many tests a prior and a mean error of 0 are worth.
MAX_TESTS = 13
PRIOR_TESTS = 3
BIAS_PRIOR_TESTS = 13
# A larger log error counts as this one, a factor of 10. That is also the error if nothing at all was bought.
MAX_LOG_ERROR = float(np.log(10))


def _priors() -> np.ndarray:
    by_ending = {OWN_ERROR: PRIOR_OWN_ERROR, SEASON: PRIOR_SEASON}
    values = []
    for name in CANDIDATES:
        ending = next((prior for end, prior in by_ending.items() if name.endswith(end)), PRIOR_PLAIN)
        values.append(PRIOR_RULES.get(name, ending))
    return np.array(values)


PRIORS = _priors()
# How many candidates are of the same kind.
KIND_SIZES = np.array([len(RULES) if name in RULES else len(btyd.MODELS) for name in CANDIDATES])


def combine(
    candidates: np.ndarray,
    past: list[np.ndarray],
    actual: list[np.ndarray],
    priors: np.ndarray = PRIORS,
    kind_sizes: np.ndarray = KIND_SIZES,
) -> tuple[np.ndarray, np.ndarray]:
    """Combine the candidates of a day, horizon by horizon.

    Parameters
    ----------
    candidates : numpy.ndarray
        Logarithms of the forecasts: horizon (the shortest first) × candidate; null if a candidate cannot be made.
    past : list of numpy.ndarray
        For each horizon, logarithms of the candidates in the tests that were over by the day: test × candidate, the
        oldest first.
    actual : list of numpy.ndarray
        For each horizon, logarithms of what happened in these tests.
    priors : numpy.ndarray
        The mean squared error that is expected of each candidate without a test.
    kind_sizes : numpy.ndarray
        How many candidates are of the same kind, for each candidate.

    Returns
    -------
    tuple of numpy.ndarray
        The logarithm of the combination for each horizon (null without any candidate), and the weights of the
        candidates (horizon × candidate).
    """
    combined = np.full(len(candidates), np.nan)
    weights = np.zeros(candidates.shape)
    spread = priors
    for position, forecast in enumerate(candidates):
        errors = (past[position] - actual[position][:, None])[-MAX_TESTS:]
        bias, spread = judge(errors, spread)
        possible = np.isfinite(forecast)
        if not possible.any():
            continue
        weight = np.where(possible, 1 / (spread**2 * kind_sizes), 0)
        weights[position] = weight / weight.sum()
        combined[position] = weights[position] @ np.where(possible, forecast - bias, 0)
    return combined, weights


def judge(errors: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each candidate's mean error, and its mean squared error without it, both shrunk.

    Parameters
    ----------
    errors : numpy.ndarray
        Log errors: test × candidate; null if a candidate could not be made.
    prior : numpy.ndarray
        The mean squared error that is expected of each candidate.

    Returns
    -------
    tuple of numpy.ndarray
        Mean error and mean squared error of each candidate.
    """
    errors = np.clip(errors, -MAX_LOG_ERROR, MAX_LOG_ERROR)
    tests = np.isfinite(errors).sum(axis=0)
    bias = np.nansum(errors, axis=0) / (tests + BIAS_PRIOR_TESTS)
    squares = np.nansum((errors - bias) ** 2, axis=0)
    return bias, (squares + PRIOR_TESTS * prior) / (tests + PRIOR_TESTS)
