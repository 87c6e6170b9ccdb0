"""Sentences of 04_cltv about past forecasts: templates first, then the functions that fill them."""

import pandas as pd

from crm_utils.cltv.backtest.candidates import (
    LAST_PERIOD,
    LAST_YEAR,
    LAST_YEAR_GROWN,
    OWN_ERROR,
    OWN_MODEL,
    PAST_RATE,
    RENEWALS,
    RETENTION,
    RULES,
    SEASON,
)
from crm_utils.cltv.backtest.record import count_held, record_by_horizon
from crm_utils.cltv.backtest.rolling_origin import COMBINATION
from crm_utils.cltv.btyd import MODELS, Renewals
from crm_utils.core.constants import MIN_DATA
from crm_utils.core.display.paragraphs import Paragraph, paragraph
from crm_utils.core.formatting import NumberFormat, join_names, percent

# Two forecasts are called equally good if their error or captured share differs by less than this.
EVEN_WITHIN = 0.02
# With fewer tests, the result is called a first impression.
MIN_TESTS = 3
# A forecast with a smaller error is called on target.
ON_TARGET_WITHIN = 0.005
# Kinds of forecast with a smaller weight are not named.
NAMED_WEIGHT = 0.1

RULE_LABELS = {
    RETENTION: "Last year’s retention",
    LAST_YEAR: "Same period last year",
    LAST_YEAR_GROWN: "Same period last year, with growth",
    LAST_PERIOD: "Same as the last period",
    PAST_RATE: "Past average rate",
}
MODEL_LABELS = {
    COMBINATION: "Our forecast",
    **{model: spec.model.name for model, spec in MODELS.items()},
    **{f"{model}{SEASON}": f"{spec.model.name} with season" for model, spec in MODELS.items()},
    **{f"{model}{OWN_ERROR}": f"{spec.model.name} × its error a year before" for model, spec in MODELS.items()},
    OWN_MODEL: "Your own model",
    f"{OWN_MODEL}{SEASON}": "Your own model with season",
    f"{OWN_MODEL}{OWN_ERROR}": "Your own model × its error a year before",
    **RULE_LABELS,
    RENEWALS: Renewals.name,
}
FREQUENCY_LABELS = {
    "0": "never",
    "1": "once",
    "2": "twice",
    "3-4": "3–4 times",
    "5-9": "5–9 times",
    "10+": "10 times or more",
}

NO_TEST_IN_BRIEF = "No past forecast could be tested: the history is too short."
NO_TEST = (
    "No past forecast could be tested, because the history is too short for a forecast and a test of it. The first "
    "forecast needs {days} days of history."
)
TOTAL_OF_TESTS = (
    "In {tests} of {horizon} each, our revenue forecast was off by {error} on average. That is {comparison} the best "
    "simple rule (“{rule}”: {rule_error}{where_possible})."
)
TOTAL_OF_ONE_TEST = (
    "Tested once, on {horizon}, our revenue forecast was off by {error}. That is {comparison} the best simple "
    "rule (“{rule}”: {rule_error}{where_possible})."
)
NOTHING_BOUGHT = "Nothing was bought during the tests of past forecasts, so they have no error in percent."
TOTAL_IN_BRIEF = "In {tests} of {horizon}, our revenue forecast was off by {error} on average{beside}."
BESIDE_THE_RULE = "; the best simple rule by {rule_error}"
TOTAL_OF_BOTH = (
    "In {tests} of {horizon} that both could make, our revenue forecast was off by {error} on average, the best simple "
    "rule by {rule_error}."
)
TOTAL_ALONE = "In {tests} of {horizon} each, our revenue forecast was off by {error} on average."
CLOSER, AS_CLOSE, LESS_CLOSE = "better than", "about as good as", "worse than"
WHERE_POSSIBLE = " in the {tests} that have this rule; our error in them was {error}"
RANKING = (
    "It ranks customers {comparison} a simple rule: the tenth of customers that it ranks first brought {captured} of "
    "the revenue, compared with {rule_captured} for the tenth with the highest revenue so far{chance}."
)
CHANCE = ". Neither is better than chance (10%)"
BETTER, EVEN, WORSE = "better than", "no better than", "worse than"
FIRST_IMPRESSION = "With fewer than {tests} tests this is only a first impression."
RANGE_RECORD = "The actual revenue was within the range in {records}. {last}"
RANGE_RECORD_OF = "{held} of {ranges} for {days}"
NO_RANGES = "No range could be given in these tests, because no earlier test was over."
LAST_FORECAST = "The last forecast was {error}."
LAST_WITHOUT_REVENUE = "There was no revenue during the last test."
ON_TARGET, TOO_HIGH, TOO_LOW = "on target", "{error} too high", "{error} too low"
NO_YEAR_RECORD = "A forecast for 12 months could not be tested yet."
YEAR_RECORD = "In {tests} of 12 months, which overlap, the same forecast was off by {error} on average."
YEAR_RANGES = "The actual revenue was within the range in {held} of {ranges}."
TRACK_RECORD = "Of {ranges} given on earlier dates of this report, {held} held."
TRACK_ERROR = "The forecasts were off by {error} on average."
NOTHING_OVER = "No forecast of an earlier date of this report is over yet."
NO_EARLIER_RANGE = "No range was given on the earlier dates of this report whose forecasts are over."
COMBINATION_OF = "The forecast combines {kinds}, weighted by how close each came in earlier tests."
KINDS = {
    "": "the purchase models ({share})",
    SEASON: "the purchase models with the season ({share})",
    OWN_ERROR: "the models corrected by their own error a year before ({share})",
    "rules": "simple rules ({share})",
    RENEWALS: "renewals and churn ({share})",
}
NEW_CUSTOMERS = (
    "New customers during the tests added {revenue} per test, {share} of all revenue. "
    "The forecasts do not include them."
)
NO_NEW_CUSTOMERS = "There were no new customers during the tests."
SEGMENT_ERROR = (
    "The largest error of the last test was in {segment}: the forecast was {predicted}{error}, and the actual revenue "
    "was {actual}."
)
SEGMENT_ERROR_SIZE = " ({error})"
FREQUENCY_ERROR = (
    "By past purchases, the error was largest for customers who had {bought_again}: {predicted} purchase days were "
    "expected per customer, and there were {actual}."
)
NEVER_BOUGHT_AGAIN, BOUGHT_AGAIN = "never bought again", "bought again {times}"


def no_test_sentence(fmt: NumberFormat) -> str:
    """Why no past forecast could be tested."""
    return NO_TEST.format(**{name: fmt.count(fewest) for name, fewest in MIN_DATA.items()})


def verdict_sentence(tests: pd.DataFrame, holdout_days: int, fmt: NumberFormat) -> Paragraph:
    """Whether past forecasts of a length were better than the best simple rule, in total and in ranking customers."""
    tested = tests[tests.horizon_days == holdout_days]
    if tested.empty:
        return paragraph(no_test_sentence(fmt))
    few = tested.origin.nunique() < MIN_TESTS
    return paragraph(
        _total_sentence(tested, fmt),
        _ranking_sentence(tested),
        FIRST_IMPRESSION.format(tests=MIN_TESTS) if few else "",
    )


def record_in_brief(backtest: pd.DataFrame, holdout_days: int, fmt: NumberFormat) -> Paragraph:
    """How far past forecasts of a length were off, beside the best simple rule; why none could be tested."""
    tested = backtest[backtest.horizon_days == holdout_days]
    if tested.empty:
        return paragraph(NO_TEST_IN_BRIEF)
    error = _errors(tested[tested.model == COMBINATION]).abs().mean()
    if pd.isna(error):
        return paragraph(NOTHING_BOUGHT)
    rules, tests = _compare_with_rules(tested), tested.origin.nunique()
    length = fmt.plural(holdout_days, "day")
    if len(rules) and rules.tests[rules.error.idxmin()] < tests:
        best = rules.loc[rules.error.idxmin()]
        return paragraph(
            TOTAL_OF_BOTH.format(
                tests=fmt.plural(best.tests, "test"),
                horizon=length,
                error=percent(best.our_error),
                rule_error=percent(best.error),
            )
        )
    return paragraph(
        TOTAL_IN_BRIEF.format(
            tests=fmt.plural(tests, "test"),
            horizon=length,
            error=percent(_errors(tested[tested.model == COMBINATION]).abs().mean()),
            beside=BESIDE_THE_RULE.format(rule_error=percent(rules.error.min())) if len(rules) else "",
        )
    )


def range_record_sentence(tests: pd.DataFrame, holdout_days: int, fmt: NumberFormat) -> Paragraph:
    """How often the actual revenue was within the range for each length, and how far the last forecast was off."""
    records = record_by_horizon(tests)
    given = [
        RANGE_RECORD_OF.format(
            held=fmt.count(row.ranges_held), ranges=fmt.count(row.ranges), days=fmt.plural(row.horizon_days, "day")
        )
        for row in records.itertuples()
        if row.ranges
    ]
    ours = tests[(tests.model == COMBINATION) & (tests.horizon_days == holdout_days)]
    last = LAST_WITHOUT_REVENUE
    if len(ours) and ours.revenue_actual.iloc[-1] > 0:
        last = LAST_FORECAST.format(error=_error_text(_errors(ours).iloc[-1]))
    return paragraph(RANGE_RECORD.format(records=join_names(given), last=last) if given else f"{NO_RANGES} {last}")


def year_record_sentence(tests: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """How close forecasts for 12 months came."""
    records = record_by_horizon(tests)
    year = records[records.horizon_days == 364]
    if year.empty:
        return paragraph(NO_YEAR_RECORD)
    row = year.iloc[0]
    ranges = fmt.plural(row.ranges, "test with a range", "tests with a range")
    return paragraph(
        YEAR_RECORD.format(tests=fmt.plural(row.tests, "test"), error=percent(row.mean_error)),
        YEAR_RANGES.format(held=fmt.count(row.ranges_held), ranges=ranges) if row.ranges else "",
    )


def track_record_sentence(track: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """How many ranges of earlier analysis dates held."""
    if track.empty:
        return paragraph(NOTHING_OVER)
    given = track[track.revenue_low.notna()]
    ranges = fmt.plural(len(given), "range")
    record = TRACK_RECORD.format(ranges=ranges, held=fmt.count(count_held(given))) if len(given) else NO_EARLIER_RANGE
    errors = _errors(track).abs().dropna()
    return paragraph(record, TRACK_ERROR.format(error=percent(errors.mean())) if len(errors) else "")


def combination_sentence(weights: pd.Series) -> Paragraph:
    """What the combined forecast consists of; `weights` by candidate."""
    if not weights.sum():
        return paragraph("")
    kinds = weights.groupby([_kind_of(name) for name in weights.index]).sum().sort_values(ascending=False)
    named = [KINDS[kind].format(share=percent(share)) for kind, share in kinds.items() if share >= NAMED_WEIGHT]
    return paragraph(COMBINATION_OF.format(kinds=join_names(named)))


def _kind_of(candidate: str) -> str:
    if candidate in RULES:
        return "rules"
    return next((ending for ending in (SEASON, OWN_ERROR, RENEWALS) if candidate.endswith(ending)), "")


def new_customers_sentence(tests: pd.DataFrame, holdout_days: int, fmt: NumberFormat) -> Paragraph:
    """What customers won after an origin added; they are in no forecast."""
    ours = tests[(tests.model == COMBINATION) & (tests.horizon_days == holdout_days)]
    new = ours.revenue_new.sum()
    if not new:
        return paragraph(NO_NEW_CUSTOMERS)
    share = new / (new + ours.revenue_actual.sum())
    return paragraph(NEW_CUSTOMERS.format(revenue=fmt.money(new / len(ours)), share=percent(share)))


def segment_error_sentence(by_segment: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """The segment whose revenue the last tested forecast missed by most."""
    if by_segment.empty:
        return paragraph(no_test_sentence(fmt))
    worst = by_segment.loc[(by_segment.revenue_predicted - by_segment.revenue_actual).abs().idxmax()]
    error = ""
    if worst.revenue_actual:
        error = SEGMENT_ERROR_SIZE.format(error=_error_text(worst.revenue_predicted / worst.revenue_actual - 1))
    return paragraph(
        SEGMENT_ERROR.format(
            segment=worst.segment,
            predicted=fmt.money(worst.revenue_predicted),
            actual=fmt.money(worst.revenue_actual),
            error=error,
        )
    )


def frequency_error_sentence(by_frequency: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """The class of customers, by past purchases, for which the last tested forecast was furthest off."""
    if by_frequency.empty:
        return paragraph(no_test_sentence(fmt))
    worst = by_frequency.loc[(by_frequency.purchase_days_predicted - by_frequency.purchase_days_actual).abs().idxmax()]
    label = FREQUENCY_LABELS[worst.repeat_purchases]
    return paragraph(
        FREQUENCY_ERROR.format(
            bought_again=NEVER_BOUGHT_AGAIN if worst.repeat_purchases == "0" else BOUGHT_AGAIN.format(times=label),
            predicted=fmt.number(worst.purchase_days_predicted / worst.customers, 2),
            actual=fmt.number(worst.purchase_days_actual / worst.customers, 2),
        )
    )


def _total_sentence(tested: pd.DataFrame, fmt: NumberFormat) -> str:
    tests = tested.origin.nunique()
    error = _errors(tested[tested.model == COMBINATION]).abs().mean()
    if pd.isna(error):
        return NOTHING_BOUGHT
    rules = _compare_with_rules(tested)
    values = {
        "tests": fmt.plural(tests, "test"),
        "horizon": fmt.plural(tested.horizon_days.iloc[0], "day"),
        "error": percent(error),
    }
    if rules.empty:
        return TOTAL_ALONE.format(**values)
    rule = rules.loc[(rules.error - rules.our_error).idxmin()]
    gain = rule.error - rule.our_error
    where_possible = ""
    if rule.tests != tests:
        where_possible = WHERE_POSSIBLE.format(tests=fmt.plural(rule.tests, "test"), error=percent(rule.our_error))
    return (TOTAL_OF_TESTS if tests > 1 else TOTAL_OF_ONE_TEST).format(
        **values,
        comparison=CLOSER if gain > EVEN_WITHIN else LESS_CLOSE if gain < -EVEN_WITHIN else AS_CLOSE,
        rule=MODEL_LABELS[rule.name].lower(),
        rule_error=percent(rule.error),
        where_possible=where_possible,
    )


def _ranking_sentence(tested: pd.DataFrame) -> str:
    """Compare the ranking of customers with the ranking by revenue so far."""
    ours = tested[tested.model == COMBINATION]
    captured, rule = ours.top_decile_capture.mean(), ours.past_spend_capture.mean()
    if not captured >= 0:
        return ""
    lead = captured - rule
    return RANKING.format(
        comparison=BETTER if lead > EVEN_WITHIN else WORSE if lead < -EVEN_WITHIN else EVEN,
        captured=percent(captured),
        rule_captured=percent(rule),
        chance=CHANCE if max(captured, rule) < 0.1 + EVEN_WITHIN else "",
    )


def _compare_with_rules(tested: pd.DataFrame) -> pd.DataFrame:
    """Compare each simple rule with our forecast in the tests that have both: tests, error and our_error (means).

    If there are at least `MIN_TESTS` tests, a rule that fewer of them have is left out. For example, the rule “same
    period last year” needs a year of history.
    """
    rows = tested.assign(error=_errors(tested).abs())
    ours = rows[rows.model == COMBINATION].set_index("origin").error.rename("our_error")
    rules = rows[rows.model.isin(RULES) & rows.error.notna()].join(ours, on="origin")
    table = rules.groupby("model")[["error", "our_error"]].mean()
    table.insert(0, "tests", rules.groupby("model").size())
    return table[table.tests >= min(MIN_TESTS, tested.origin.nunique())]


def _errors(backtest: pd.DataFrame) -> pd.Series:
    """Forecast ÷ actual − 1; null if there was no revenue."""
    return backtest.revenue_predicted / backtest.revenue_actual.where(backtest.revenue_actual > 0) - 1


def _error_text(error: float) -> str:
    if abs(error) < ON_TARGET_WITHIN:
        return ON_TARGET
    return (TOO_HIGH if error > 0 else TOO_LOW).format(error=percent(abs(error)))
