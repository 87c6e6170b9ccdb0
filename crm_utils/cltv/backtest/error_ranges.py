"""Ranges of forecasts from the errors of earlier ones, horizon by horizon.

A range is exp(± t s) times the forecast. s² is the mean squared log error of the tests of that horizon, and t is
Student's t. Tests overlap, so a test counts only for the share of its days that the next one does not have. Two
assumed errors are added: of `ASSUMED_ERROR` for the shortest horizon, and for a longer one of the s of the next shorter
one, times the growth that was observed between the two horizons before it. (If the longer one was tested, the assumed
errors are no larger than `ASSUMED_ERROR` or its own.)

Forecasts made before a season could be known have larger errors. Tests are therefore compared with forecasts of the
same kind if there are enough of them. Without a known season, `UNKNOWN_SEASON` is added to s of a part of a year.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from crm_utils.cltv.forecast import MAX_HALF_WIDTH

LEVEL = 0.9
# The error and the number of assumed tests.
ASSUMED_ERROR = 0.2
ASSUMED_TESTS = 2
# The last tests that count: two years of them.
MAX_TESTS = 26
# The error of a forecast for a part of a year if the season is not known.
UNKNOWN_SEASON = 0.15
# Tests with a season as known, or unknown, as that of the forecast, from which on only they count.
MIN_ALIKE_TESTS = 4
YEAR_DAYS = 364
# Until so many tests are judged, the range reaches at least so far to both sides.
FEW_TESTS, LEAST_HALF_WIDTH = 6, 0.25
# Growth of the error is judged from so many tests of both horizons, and is at most that of the root of time.
MIN_GROWTH_TESTS = 4
MAX_GROWTH_EXPONENT = 0.5


@dataclass(frozen=True)
class HorizonError:
    """The error of forecasts of one length.

    Parameters
    ----------
    days : int
        The length.
    spread : float
        s, the root of the mean squared log error.
    degrees : float
        The degrees of freedom of Student's t.
    tests : int
        Tests of this length.
    all_tests : int
        Tests of this length and of all shorter ones.
    largest : float
        The largest log error of these tests, without sign.
    unknown_season : float
        The error to add because the season is not known.
    """

    days: int
    spread: float
    degrees: float
    tests: int
    all_tests: int
    largest: float
    unknown_season: float = 0.0

    @property
    def known(self) -> bool:
        """Whether any test was judged. Without one no range is given."""
        return self.all_tests > 0

    @property
    def half_width(self) -> float:
        """Half the width of the range, in logs; null if not `known`, or above `MAX_HALF_WIDTH`."""
        if not self.known:
            return float("nan")
        width = float(t.ppf((1 + LEVEL) / 2, self.degrees)) * float(np.hypot(self.spread, self.unknown_season))
        least = 0.0 if self.tests else self.largest
        found = max(width, least, LEAST_HALF_WIDTH if self.all_tests < FEW_TESTS else 0.0)
        return found if found <= MAX_HALF_WIDTH else float("nan")


@dataclass(frozen=True)
class PastErrors:
    """The tests of one length that are over, the oldest first.

    Parameters
    ----------
    errors : numpy.ndarray of float
        Log errors.
    season_known : numpy.ndarray of bool
        Whether a season could be known on the day of each test.
    """

    errors: np.ndarray
    season_known: np.ndarray

    def alike(self, season_known: bool) -> np.ndarray:
        """Return the errors of the last tests that are like a forecast, or of all if those are too few."""
        possible = ~np.isnan(self.errors)
        errors, known = self.errors[possible][-MAX_TESTS:], self.season_known[possible][-MAX_TESTS:]
        same = errors[known == season_known]
        return same if len(same) >= MIN_ALIKE_TESTS else errors


def judge_horizons(
    tests: Sequence[PastErrors], horizons: Sequence[int], step_days: int, season_known: bool
) -> list[HorizonError]:
    """Judge the error of each horizon.

    Parameters
    ----------
    tests : sequence of PastErrors
        For each horizon, the shortest first.
    horizons : sequence of int
        The lengths in days.
    step_days : int
        Days between two tests.
    season_known : bool
        Whether a season can be known on the day of the forecast.

    Returns
    -------
    list of HorizonError
        One for each horizon.
    """
    found: list[HorizonError] = []
    measured: list[tuple[int, float]] = []
    before = HorizonError(0, ASSUMED_ERROR, ASSUMED_TESTS, 0, 0, 0.0)
    for days, test in zip(horizons, tests, strict=True):
        errors = test.alike(season_known)
        effective = len(errors) * min(1, step_days / days)
        expected = before.spread * (days / before.days) ** _growth(measured) if before.days else ASSUMED_ERROR
        squares = float(np.mean(errors**2)) * effective if len(errors) else 0.0
        if len(errors) >= MIN_GROWTH_TESTS:
            expected = min(expected, max(ASSUMED_ERROR, float(np.sqrt(np.mean(errors**2)))))
        spread = float(np.sqrt((squares + ASSUMED_TESTS * expected**2) / (effective + ASSUMED_TESTS)))
        if len(errors) >= MIN_GROWTH_TESTS:
            measured.append((days, float(np.sqrt(np.mean(errors**2)))))
        number = int((~np.isnan(test.errors)).sum())
        before = HorizonError(
            days,
            spread,
            max(effective + ASSUMED_TESTS, before.degrees),
            number,
            number + before.all_tests,
            float(max(np.nanmax(np.abs(test.errors), initial=0), before.largest)),
            0.0 if season_known or days >= YEAR_DAYS else UNKNOWN_SEASON,
        )
        found.append(before)
    return found


def _growth(measured: list[tuple[int, float]]) -> float:
    """The exponent of time with which the error grew between the last two horizons that were tested; 0 if unknown."""
    if len(measured) < 2:
        return 0.0
    (days, error), (longer, larger) = measured[-2:]
    exponent = np.log(max(larger, 1e-9) / max(error, 1e-9)) / np.log(longer / days)
    return float(np.clip(exponent, 0, MAX_GROWTH_EXPONENT))
