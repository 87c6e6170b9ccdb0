"""Sentences of 04_cltv about past forecasts: templates first, then the functions that fill them."""

import pandas as pd

from crm_utils.cltv import btyd
from crm_utils.cltv.backtest.model_comparison import MAX_CUSTOMERS, N_ORIGINS
from crm_utils.cltv.backtest.rolling_origin import BacktestModel
from crm_utils.core.constants import MIN_DATA
from crm_utils.core.display.paragraphs import Paragraph, paragraph
from crm_utils.core.formatting import NumberFormat, join_names, percent

# Two forecasts are called equally good if their error or captured share differs by less than this.
EVEN_WITHIN = 0.02
# With fewer tests, the result is called a first impression.
MIN_TESTS = 3
# A forecast with a smaller error is called on target.
ON_TARGET_WITHIN = 0.005

OURS = BacktestModel.MODEL_WITH_SEASON
UNADJUSTED = BacktestModel.MODEL_NO_SEASON
MODEL_LABELS = {
    BacktestModel.MODEL_WITH_SEASON: "Our forecast",
    BacktestModel.MODEL_NO_SEASON: "Without season",
    BacktestModel.SAME_AS_LAST_PERIOD: "Same as the last period",
    BacktestModel.SAME_PERIOD_LAST_YEAR: "Same period last year",
    BacktestModel.PAST_AVERAGE_RATE: "Past average rate",
}
PAST_SPEND_LABEL = "Revenue so far"
FREQUENCY_LABELS = {
    "0": "never",
    "1": "once",
    "2": "twice",
    "3-4": "3–4 times",
    "5-9": "5–9 times",
    "10+": "10 times or more",
}

NO_TEST = (
    "No past forecast could be tested. Before a test starts, there must be {days} days of history, {customers} "
    "customers and {repeat_buyers} repeat buyers."
)
TOTAL_OF_TESTS = (
    "In {tests} of {horizon} each, our revenue forecast was off by {error} on average. That is {comparison} the best "
    "simple rule (“{rule}”: {rule_error}{where_possible})."
)
TOTAL_OF_ONE_TEST = (
    "Tested once, on the last {horizon}, our revenue forecast was off by {error}. That is {comparison} the best simple "
    "rule (“{rule}”: {rule_error}{where_possible})."
)
CLOSER, AS_CLOSE, LESS_CLOSE = "better than", "about as good as", "worse than"
WHERE_POSSIBLE = " in the {tests} that have this rule; our error in them was {error}"
RANKING = (
    "It ranks customers {comparison} a simple rule: the tenth of customers that it ranks first brought {captured} of "
    "the revenue, compared with {rule_captured} for “{rule}”."
)
BETTER, EVEN, WORSE = "better than", "no better than", "worse than"
SEASON_IN_SOME = (
    "In the {tests} for which last year’s season was known, it was off by {error} ({error_without} without the "
    "season). The actual revenue was within its range in {held} of {known}."
)
SEASON_IN_ALL = (
    "With last year’s season it was off by {error} ({error_without} without the season). The actual revenue was within "
    "its range in {held} of {known}."
)
FIRST_IMPRESSION = "With fewer than {tests} tests this is only a first impression."
RANGE_RECORD = "The actual revenue was within the range of the forecast in {held} of {tests}. {last}"
LAST_FORECAST = "The last forecast was {error}."
LAST_WITHOUT_REVENUE = "There was no revenue during the last test."
ON_TARGET, TOO_HIGH, TOO_LOW = "on target", "{error} too high", "{error} too low"
NO_YEAR_BEFORE = (
    "A forecast for 12 months could not be tested, because the history is too short to make one a year ago."
)
YEAR_BEFORE = (
    "A year ago, the same forecast for the {customers} of that day would have been {predicted}. "
    "The actual revenue was {actual}{error}."
)
YEAR_BEFORE_ERROR = ", so the forecast was {error}"
YEAR_BEFORE_NEW = "New customers since then brought another {revenue}."
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
NOT_COMPARED = (
    "Other models were not tried, because that needs {origins} monthly tests and at most {customers} customers."
)
NO_CHALLENGER_BETTER = "{models} {were} tried in {tests}. None was clearly better, so the model stays the same."
CHALLENGER_BETTER = (
    "{model} was clearly better than the model used here in {won} of {tests}. The model does not change automatically. "
    "An analyst can set it."
)


def no_test_sentence(fmt: NumberFormat) -> str:
    """Why no past forecast could be tested."""
    return NO_TEST.format(**{name: fmt.count(fewest) for name, fewest in MIN_DATA.items()})


def verdict_sentence(backtest: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Whether past forecasts were better than the best simple rule, in total and in ranking customers."""
    if backtest.empty:
        return paragraph(no_test_sentence(fmt))
    few = backtest.origin.nunique() < MIN_TESTS
    rules = _compare_with_rules(backtest)
    return paragraph(
        _total_sentence(backtest, rules, fmt),
        _ranking_sentence(backtest, rules),
        _season_sentence(backtest, fmt),
        FIRST_IMPRESSION.format(tests=MIN_TESTS) if few else "",
    )


def range_record_sentence(backtest: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """How often the actual revenue was within the range, and how far the last forecast was off."""
    if backtest.empty:
        return paragraph(no_test_sentence(fmt))
    ours = backtest[backtest.model == OURS]
    last = ours.iloc[-1]
    last_sentence = LAST_WITHOUT_REVENUE
    if last.revenue_actual:
        last_sentence = LAST_FORECAST.format(error=_error_text(last.revenue_predicted / last.revenue_actual - 1))
    return paragraph(
        RANGE_RECORD.format(held=fmt.count(_count_held(ours)), tests=fmt.plural(len(ours), "test"), last=last_sentence)
    )


def year_before_sentence(year_before: pd.DataFrame, fmt: NumberFormat, model: BacktestModel = OURS) -> Paragraph:
    """What the forecast over 12 months, made by `model`, would have said a year before, and what came."""
    made = year_before[year_before.model == model]
    if made.empty:
        return paragraph(NO_YEAR_BEFORE)
    ours = made.iloc[0]
    error = ""
    if ours.revenue_actual > 0:
        error = YEAR_BEFORE_ERROR.format(error=_error_text(ours.revenue_predicted / ours.revenue_actual - 1))
    return paragraph(
        YEAR_BEFORE.format(
            customers=fmt.plural(ours.customers, "customer"),
            predicted=fmt.money(ours.revenue_predicted),
            actual=fmt.money(ours.revenue_actual),
            error=error,
        ),
        YEAR_BEFORE_NEW.format(revenue=fmt.money(ours.revenue_new)) if ours.revenue_new > 0 else "",
    )


def new_customers_sentence(backtest: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """What customers won after an origin added; they are in no forecast."""
    ours = backtest[backtest.model == OURS]
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


def challenger_sentence(log_errors: pd.DataFrame, winner: str, fmt: NumberFormat) -> Paragraph:
    """Whether another model should be used; `winner` is the key of the better one, or empty."""
    if log_errors.empty:
        return paragraph(NOT_COMPARED.format(origins=N_ORIGINS, customers=fmt.count(MAX_CUSTOMERS)))
    in_use, *challengers = log_errors.columns
    tests = fmt.plural(len(log_errors), "monthly test")
    if winner:
        won = int((log_errors[winner] < log_errors[in_use]).sum())
        model = btyd.MODELS[winner].model.name
        return paragraph(CHALLENGER_BETTER.format(model=model, won=fmt.count(won), tests=tests))
    models = join_names([btyd.MODELS[key].model.name for key in challengers])
    were = "were" if len(challengers) > 1 else "was"
    return paragraph(NO_CHALLENGER_BETTER.format(models=models, were=were, tests=tests))


def _total_sentence(backtest: pd.DataFrame, rules: pd.DataFrame, fmt: NumberFormat) -> str:
    tests = backtest.origin.nunique()
    rule = rules.loc[(rules.error - rules.our_error).fillna(0).idxmin()]
    gain = rule.error - rule.our_error
    where_possible = ""
    if rule.tests != tests:
        where_possible = WHERE_POSSIBLE.format(tests=fmt.plural(rule.tests, "test"), error=percent(rule.our_error))
    template = TOTAL_OF_TESTS if tests > 1 else TOTAL_OF_ONE_TEST
    return template.format(
        tests=fmt.plural(tests, "test"),
        horizon=fmt.plural(backtest.horizon_days.iloc[0], "day"),
        error=percent(_errors(backtest[backtest.model == OURS]).abs().mean()),
        comparison=CLOSER if gain > EVEN_WITHIN else LESS_CLOSE if gain < -EVEN_WITHIN else AS_CLOSE,
        rule=MODEL_LABELS[rule.name].lower(),
        rule_error=percent(rule.error),
        where_possible=where_possible,
    )


def _ranking_sentence(backtest: pd.DataFrame, rules: pd.DataFrame) -> str:
    """Compare the ranking of customers with the best simple rule. One of the rules is revenue so far."""
    ours = backtest[backtest.model == OURS]
    past_spend = pd.DataFrame(
        {"capture": ours.past_spend_capture.mean(), "our_capture": ours.top_decile_capture.mean()},
        index=[PAST_SPEND_LABEL],
    )
    ranks = pd.concat([rules[["capture", "our_capture"]].astype(float).fillna(0), past_spend])
    best = ranks.loc[(ranks.our_capture - ranks.capture).idxmin()]
    lead = best.our_capture - best.capture
    return RANKING.format(
        comparison=BETTER if lead > EVEN_WITHIN else WORSE if lead < -EVEN_WITHIN else EVEN,
        captured=percent(best.our_capture),
        rule_captured=percent(best.capture),
        rule=MODEL_LABELS.get(best.name, best.name).lower(),
    )


def _season_sentence(backtest: pd.DataFrame, fmt: NumberFormat) -> str:
    """The error with and without the season in tests with a known season; empty if there are none."""
    ours = backtest[backtest.model == OURS]
    known = ours[ours.seasonal_factor.notna()]
    if known.empty:
        return ""
    unadjusted = backtest[(backtest.model == UNADJUSTED) & backtest.origin.isin(known.origin)]
    template = SEASON_IN_SOME if len(known) < len(ours) else SEASON_IN_ALL
    return template.format(
        tests=fmt.plural(len(known), "test"),
        error=percent(_errors(known).abs().mean()),
        error_without=percent(_errors(unadjusted).abs().mean()),
        held=fmt.count(_count_held(known)),
        known=fmt.count(len(known)),
    )


def _compare_with_rules(backtest: pd.DataFrame) -> pd.DataFrame:
    """Compare each simple rule with our forecast in the tests that have both.

    Columns: tests, error, our_error, capture, our_capture (means).
    If there are at least `MIN_TESTS` tests, a rule that fewer of them have is left out. For example, the rule “same
    period last year” needs a year of history.
    """
    rows = backtest.assign(error=_errors(backtest).abs(), capture=backtest.top_decile_capture)
    ours = rows[rows.model == OURS].set_index("origin")[["error", "capture"]].add_prefix("our_")
    rules = rows[~rows.model.isin([OURS, UNADJUSTED])].join(ours, on="origin")
    table = rules.groupby("model")[["error", "our_error", "capture", "our_capture"]].mean()
    table.insert(0, "tests", rules.groupby("model").size())
    return table[table.tests >= min(MIN_TESTS, backtest.origin.nunique())]


def _errors(backtest: pd.DataFrame) -> pd.Series:
    """Forecast ÷ actual − 1; null if there was no revenue."""
    return backtest.revenue_predicted / backtest.revenue_actual.where(backtest.revenue_actual > 0) - 1


def _count_held(ours: pd.DataFrame) -> int:
    return int(((ours.revenue_low <= ours.revenue_actual) & (ours.revenue_actual <= ours.revenue_high)).sum())


def _error_text(error: float) -> str:
    if abs(error) < ON_TARGET_WITHIN:
        return ON_TARGET
    return (TOO_HIGH if error > 0 else TOO_LOW).format(error=percent(abs(error)))
