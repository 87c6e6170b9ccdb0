"""What 04_cltv says, for good, bad and absent findings."""

import re
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import article_method, btyd, charts, findings, narrative, tables
from crm_utils.cltv.backtest import COMBINATION
from crm_utils.cltv.backtest import narrative as backtest_narrative
from crm_utils.cltv.backtest.candidates import CANDIDATES, LAST_PERIOD, LAST_YEAR
from crm_utils.cltv.chance import ListRecord
from crm_utils.cltv.outlook import LargeAccount, Outlook
from crm_utils.core.constants import MIN_DATA
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.display.table_style import collapsible
from crm_utils.core.formatting import NumberFormat

USD, GBP = NumberFormat("USD"), NumberFormat("GBP")


def trials(ours: float, rule: float, capture: float = 0.6, origins: int = 3, rivals: float = 0.6) -> pd.DataFrame:
    """Tests in which 100 came, forecast as given."""
    rows = [
        {
            "origin": pd.Timestamp("2011-01-01") + pd.Timedelta(days=91 * index),
            "horizon_days": 91,
            "model": model,
            "purchase_days_actual": 10.0,
            "purchase_days_predicted": 9.0,
            "revenue_actual": 100.0,
            "revenue_predicted": forecast,
            "revenue_new": 25.0,
            "weight": 1.0,
            "top_decile_capture": capture if model == COMBINATION else np.nan,
            "past_spend_capture": rivals if model == COMBINATION else np.nan,
            "revenue_low": forecast * 0.8 if model == COMBINATION else np.nan,
            "revenue_high": forecast * 1.2 if model == COMBINATION else np.nan,
        }
        for index in range(origins)
        for model, forecast in ((COMBINATION, ours), (LAST_PERIOD, rule))
    ]
    return pd.DataFrame(rows)


NONE = trials(1, 1).iloc[:0]


@pytest.mark.parametrize(
    "ours, rule, capture, parts",
    [
        (
            105,
            130,
            0.7,
            ["off by 5%", "better than the best", "“same as the last period”: 30%", "better than a simple rule"],
        ),
        (
            130,
            105,
            0.5,
            ["off by 30%", "worse than the best", "“same as the last period”: 5%", "worse than a simple rule"],
        ),
        (110, 111, 0.61, ["about as good as"]),
        (110, 111, 0.61, ["no better than a simple rule"]),
    ],
)
def test_the_verdict_is_honest(ours, rule, capture, parts):
    sentence = backtest_narrative.verdict_sentence(trials(ours, rule, capture), 91, USD)
    assert all(part in sentence for part in parts)
    assert ("worse than a simple rule" in sentence) == ("worse than a simple rule" in parts)


def test_a_rule_is_judged_on_the_tests_it_can_be_made_for():
    """Last year's rule is 10 % off and needs a year of history: we are 20 % off in its three tests of five."""
    tested = trials(105, 140, origins=5)
    tested.loc[
        (tested.model == COMBINATION) & (tested.origin > tested.origin.unique()[1]),
        "revenue_predicted",
    ] = 120.0
    last_year = tested[(tested.model == LAST_PERIOD) & (tested.origin > tested.origin.unique()[1])]
    rows = pd.concat([tested, last_year.assign(model=LAST_YEAR, revenue_predicted=90.0)])
    assert (
        "off by 14% on average. That is worse than the best simple rule (“same period last year”: 10% in the 3 tests "
        "that have this rule; our error in them was 20%)."
    ) in backtest_narrative.verdict_sentence(rows, 91, USD)
    assert "better than the best simple rule (“same as the last period”: 40%)" in backtest_narrative.verdict_sentence(
        tested, 91, USD
    )
    # Two tests of five are too few to judge a rule by.
    two = rows[(rows.model != LAST_YEAR) | (rows.origin > tested.origin.unique()[2])]
    assert "same as the last period" in backtest_narrative.verdict_sentence(two, 91, USD)


def test_few_tests_are_a_first_impression():
    assert "first impression" in backtest_narrative.verdict_sentence(trials(105, 130, origins=2), 91, USD)
    assert "Tested once, on 91 days" in backtest_narrative.verdict_sentence(trials(105, 130, origins=1), 91, USD)
    assert "first impression" not in backtest_narrative.verdict_sentence(trials(105, 130), 91, USD)


def test_ranges_are_counted():
    assert backtest_narrative.range_record_sentence(trials(110, 100), 91, USD).endswith(
        "within the range in 3 of 3 for 91 days. The last forecast was 10% too high."
    )
    assert "in 0 of 3 for 91 days" in backtest_narrative.range_record_sentence(trials(200, 100), 91, USD)
    no_revenue = trials(110, 100).assign(revenue_actual=0.0)
    assert "no revenue" in backtest_narrative.range_record_sentence(no_revenue, 91, USD)


def test_new_customers_are_counted_apart():
    assert "$25.00 per test, 20% of all revenue" in backtest_narrative.new_customers_sentence(trials(110, 100), 91, USD)
    assert "no new customers" in backtest_narrative.new_customers_sentence(
        trials(110, 100).assign(revenue_new=0.0), 91, USD
    )


def test_nothing_tested_is_said_with_the_limits_of_the_code():
    for sentence in (
        backtest_narrative.verdict_sentence(NONE, 91, USD),
        findings.past_forecasts(NONE, 91, USD).sentence,
    ):
        assert sentence == backtest_narrative.no_test_sentence(USD)
    assert f"{MIN_DATA['days']} days" in backtest_narrative.no_test_sentence(USD)
    nothing = findings.forecast_errors(NONE, NONE, USD)
    assert isinstance(nothing.sentence, NotApplicable) and nothing.figure is None


def test_the_largest_error_is_named():
    classes = pd.DataFrame(
        {
            "repeat_purchases": ["0", "10+"],
            "customers": [1000, 2],
            "purchase_days_predicted": [200.0, 18.0],
            "purchase_days_actual": [100.0, 6.0],
        }
    )
    sentence = backtest_narrative.frequency_error_sentence(classes, USD)
    assert "never bought again: 0.20 purchase days were expected per customer, and there were 0.10." in sentence
    parts = pd.DataFrame(
        {"segment": ["Champions", "Lost"], "revenue_predicted": [500.0, 300.0], "revenue_actual": [400.0, 0.0]}
    )
    assert backtest_narrative.segment_error_sentence(parts, USD).endswith(
        "in Lost: the forecast was $300, and the actual revenue was $0.00."
    )
    assert backtest_narrative.segment_error_sentence(parts.iloc[:1], USD).endswith(
        "in Champions: the forecast was $500 (25% too high), and the actual revenue was $400."
    )
    assert len(charts.plot_backtest_by_segment(parts, USD).get_yticklabels()) == 2


def test_what_a_fit_warns_of_is_said_with_a_true_minus():
    notes = pd.DataFrame({"model": ["BG/NBD"], "note": ["no dropout (log-likelihood -61,875.39)"]})
    assert narrative.fit_notes_sentence(notes) == "BG/NBD: no dropout (log-likelihood −61,875.39)."
    assert narrative.fit_notes_sentence(notes.assign(note="")) == narrative.NO_FIT_NOTES


def test_the_model_is_named_with_its_reason():
    assert narrative.model_sentence("bg_nbd").startswith("BG/NBD divides")
    assert narrative.model_sentence("bg_nbd").endswith(narrative.NONE_CLEARLY_BETTER)
    assert narrative.model_sentence("pareto_nbd").endswith(narrative.CLEARLY_CLOSER)


def outlook(tested: bool = True, **more: object) -> Outlook:
    totals = forecast_rows()
    if not tested:
        totals = totals.assign(revenue_low=np.nan, revenue_high=np.nan)
    weights = pd.Series(0.0, index=list(CANDIDATES)) + 1 / len(CANDIDATES)
    return replace(Outlook(totals, totals, totals, weights, tested, totals), **more)


def forecast_rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "segment": "all",
            "months": [3, 12],
            "purchase_days": [3.0, 9.0],
            "revenue": [500.0, 2000.0],
            "revenue_low": [400.0, 1500.0],
            "revenue_high": [700.0, 2600.0],
        }
    )


def seven(reason: str = "", purchase: btyd.PurchaseModel | None = None) -> btyd.CustomerBaseModel:
    """The models of seven customers."""
    rate = btyd.constant_rate_model(np.ones(7), np.full(7, 100.0), reason)
    return btyd.CustomerBaseModel(purchase or rate, btyd.GammaGamma(6, 4, 15), None, None, 7, reason)


def test_the_outlook_has_its_range():
    sentence = narrative.revenue_forecast_sentence(outlook(), seven(), date(2011, 12, 9), GBP)
    numbers = ["12 months after 9 December 2011", "7 customers", "£2,000", "between £1,500 and £2,600"]
    assert all(number in sentence for number in numbers)
    without = narrative.revenue_forecast_sentence(outlook(), seven("few bought twice"), date(2011, 12, 9), GBP)
    assert without.startswith("There is no model forecast, because few bought twice.") and sentence in without


def test_without_a_test_no_range_is_said():
    renewing = seven("80% buy at equal intervals", btyd.Renewals(30.0, 0.2, 0.04))
    renewals = narrative.revenue_forecast_sentence(outlook(), renewing, date(2011, 12, 9), GBP)
    assert renewals.startswith("Because 80% buy at equal intervals, the forecast counts renewals")
    assert "96 buy again" in renewals and "and 80 of 100 who bought once" in renewals
    said = narrative.revenue_forecast_sentence(outlook(tested=False), seven(), date(2011, 12, 9), GBP)
    assert "£2,000" in said and "could be tested" in said
    assert "Nine times" not in said and "£2,600" not in said
    assert "£2,600" in tables.forecast_table(forecast_rows(), GBP).to_html()
    assert "£2,600" not in tables.forecast_table(forecast_rows(), GBP, tested=False).to_html()


def test_a_forecast_reaches_as_far_as_it_is_made():
    short = replace(outlook(), totals=forecast_rows().iloc[:1])
    said = narrative.revenue_forecast_sentence(short, seven(), date(2011, 12, 9), GBP)
    assert "In the 3 months after" in said and "£500" in said and narrative.NO_LONGER_FORECAST in said
    none = replace(outlook(), totals=forecast_rows().iloc[:0])
    said = narrative.revenue_forecast_sentence(none, seven(), date(2011, 12, 9), GBP)
    assert said == narrative.NO_FORECAST
    assert findings.forecast_basis(none, forecast_rows(), GBP).sentence == narrative.NO_FORECAST


def test_a_range_of_no_use_is_not_given():
    wide = forecast_rows().assign(revenue_low=[400.0, np.nan], revenue_high=[700.0, np.nan])
    said = narrative.revenue_forecast_sentence(outlook(totals=wide), seven(), date(2011, 12, 9), GBP)
    assert narrative.NO_RANGE in said and "Nine times" not in said


def test_what_the_forecast_combines_is_one_sentence():
    weights = pd.Series(0.0, index=list(CANDIDATES))
    weights["bg_nbd_season"], weights["mbg_nbd_season"], weights[LAST_YEAR], weights["bg_nbd"] = 0.3, 0.35, 0.3, 0.05
    said = backtest_narrative.combination_sentence(weights)
    assert said == (
        "The forecast combines the purchase models with the season (65%) and simple rules (30%), weighted by how close "
        "each came in earlier tests."
    )
    assert backtest_narrative.combination_sentence(weights * 0) == ""
    assert said in narrative.basis_sentence(outlook(weights=weights), GBP)


def test_earlier_forecasts_for_a_year():
    year = trials(125, 100).assign(horizon_days=364)
    said = backtest_narrative.year_record_sentence(year, GBP)
    assert "In 3 tests of 12 months" in said and "25% on average" in said and "in 3 of 3 tests with a range" in said
    assert backtest_narrative.year_record_sentence(trials(1, 1), GBP) == backtest_narrative.NO_YEAR_RECORD


def track(*rows: tuple[float, float, float]) -> pd.DataFrame:
    """Forecasts of 100 that are over: the ends of the range, and what came."""
    table = pd.DataFrame(rows, columns=["revenue_low", "revenue_high", "revenue_actual"])
    return table.assign(made_on=pd.Timestamp("2011-03-31"), months=3, revenue_predicted=100.0)


def test_the_track_record_of_earlier_dates():
    said = backtest_narrative.track_record_sentence(
        track((90, 110, 100), (90, 110, 80), (np.nan, np.nan, 50), (90, 110, 0)), GBP
    )
    assert said == (
        "Of 3 ranges given on earlier dates of this report, 1 held. The forecasts were off by 42% on average."
    )
    unsure = backtest_narrative.track_record_sentence(track((np.nan, np.nan, 100)), GBP)
    assert unsure.startswith(backtest_narrative.NO_EARLIER_RANGE) and "under 1%" not in unsure
    assert backtest_narrative.track_record_sentence(track(), GBP) == backtest_narrative.NOTHING_OVER


def whole(**changes: float) -> pd.DataFrame:
    row = {
        "months": 12,
        "horizon_days": 365,
        "revenue_known": 700.0,
        "revenue_new": 300.0,
        "revenue": 1000.0,
        "revenue_low": 800.0,
        "revenue_high": 1250.0,
        "revenue_known_before": 500.0,
        "revenue_new_before": 300.0,
        "revenue_before": 800.0,
    }
    return pd.DataFrame([row | changes])


RECORDS = {
    "horizon_days": [91, 364], "tests": [9, 4], "mean_error": [0.1, 0.2], "ranges": [8, 3], "ranges_held": [8, 1]
}  # fmt: skip


def test_the_whole_business():
    records = pd.DataFrame(RECORDS)
    said = narrative.whole_business_sentence(whole(), records, date(2011, 12, 9), GBP)
    assert said == (
        "The whole business should bring £1,000 in the 12 months after 9 December 2011 (25% more than in the 12 months "
        "before). Of this, £700 should come from today’s customers and £300 from customers who are not won yet. Nine "
        "times in ten it should be between £800 and £1,250. In 4 tests of 364 days, this forecast was off by 20% on "
        "average, and 1 of 3 ranges held."
    )
    less = whole(revenue_before=2000.0, revenue_low=np.nan)
    assert "50% less" in narrative.whole_business_sentence(less, records.head(1), date(2011, 12, 9), GBP)
    assert "Nine times" not in narrative.whole_business_sentence(less, records, date(2011, 12, 9), GBP)
    same = narrative.whole_business_sentence(whole(revenue_before=1001.0), records, date(2011, 12, 9), GBP)
    assert "as much as in" in same
    first = narrative.whole_business_sentence(whole(revenue_before=0.0), records, date(2011, 12, 9), GBP)
    assert "months before" not in first
    assert narrative.whole_business_sentence(whole().head(0), records, date(2011, 12, 9), GBP) == narrative.NO_WHOLE


def test_the_whole_business_in_brief_stands_beside_as_many_months_before():
    records = pd.DataFrame(RECORDS)
    none = records.head(0)
    assert narrative.whole_business_in_brief(whole(), records, GBP).endswith(
        "off by 20% on average, and 1 of 3 ranges held."
    )
    assert narrative.whole_business_in_brief(whole(), none, GBP) == (
        "The next 12 months should bring £1,000, nine times in ten £800 to £1,250 (the last 12 months: £800)."
    )
    unknown = whole(revenue_low=np.nan, revenue_before=0.0, months=1)
    assert narrative.whole_business_in_brief(unknown, none, GBP) == "The next month should bring £1,000."


def test_the_record_in_brief_is_ours_beside_the_best_rule():
    said = backtest_narrative.record_in_brief(trials(1, 1, 0.1), 91, USD)
    assert re.match(r"In \d tests? of 91 days, our revenue forecast was off by \d+% on average", said)
    young = trials(1, 1, 0.1, origins=8)
    rule = young.model.isin(backtest_narrative.RULES)
    some = young[~rule | (young.origin > young.origin.min())]
    assert "In 7 tests of 91 days that both could make, our" in backtest_narrative.record_in_brief(some, 91, USD)
    assert backtest_narrative.record_in_brief(NONE, 91, USD) == backtest_narrative.NO_TEST_IN_BRIEF
    nothing = trials(1, 1, 0.1).assign(revenue_actual=0.0)
    assert backtest_narrative.record_in_brief(nothing, 91, USD) == backtest_narrative.NOTHING_BOUGHT
    assert backtest_narrative.verdict_sentence(nothing, 91, USD).startswith(backtest_narrative.NOTHING_BOUGHT)


def test_a_ranking_no_better_than_chance_is_said():
    assert "better than chance" in backtest_narrative.verdict_sentence(trials(1, 1, 0.1, rivals=0.1), 91, USD)


def test_a_large_account_is_shown_apart():
    account = LargeAccount("ACME & Co", 0.71, forecast_rows().assign(revenue=[1.0, 300.0]))
    said = narrative.revenue_forecast_sentence(outlook(large_account=account), seven(), date(2011, 12, 9), GBP)
    assert "One customer brought 71% of revenue so far. Without this customer the forecast is £300." in said
    assert "ACME" not in said, "the name is on the page of the data alone"


def test_folded_tables_open_on_a_click():
    html = collapsible(
        "More <numbers>", narrative.concentration_sentence(pd.DataFrame({"clv_share": [0.5]})), None
    )._repr_html_()
    assert html.startswith('<details class="folded"><summary>More &lt;numbers&gt;</summary><p class="so-what">')
    assert collapsible("Nothing", None) is None


def test_who_should_buy_again():
    """Chances of .2, .9 and .8 are about two buyers."""
    customers = pd.DataFrame({"repeat_purchase_days": [0, 2, 5], "chance_12m": [0.2, 0.9, 0.8]})
    sentence = narrative.still_active_sentence(customers, True, USD)
    assert sentence.startswith("One customer bought on one day only.")
    assert sentence.endswith("About 2 of all 3 customers should buy again within the next 12 months.")
    unknown = narrative.still_active_sentence(customers, False, USD)
    assert unknown.startswith(narrative.DROPOUT_UNKNOWN) and "About 2 of all 3" in unknown
    assert narrative.ALL_BOUGHT_AGAIN in narrative.still_active_sentence(customers.iloc[1:], True, USD)


def test_customers_who_have_gone_quiet_are_counted_with_what_they_spent():
    gone = pd.DataFrame({"past_revenue": [1000.0, 500.0]})
    said = narrative.churned_sentence(gone, ListRecord(603, 0.4, 0.42), USD)
    assert "2 of your top 10% customers" in said and "$1,500" in said and "below 50%" in said
    assert said.endswith("Of the 603 who were on this list half a year ago, 42% have bought since (40% expected).")
    one = narrative.churned_sentence(gone.iloc[:1], None, USD)
    assert one.startswith("1 of your top 10% customers") and "$1,000" in one and "half a year ago" not in one
    assert narrative.churned_sentence(gone.iloc[:0], None, USD) == narrative.NOBODY_QUIET


def test_customers_who_have_gone_quiet_in_brief():
    gone = pd.DataFrame({"past_revenue": [1000.0, 500.0]})
    assert narrative.churned_in_brief(gone, USD) == (
        "Of your top 10% customers 2 have gone quiet; they had spent $1,500."
    )
    assert "1 has gone quiet" in narrative.churned_in_brief(gone.iloc[:1], USD)
    assert narrative.churned_in_brief(gone.iloc[:0], USD) == narrative.NOBODY_QUIET


def test_the_article_is_left_out_with_its_reason_or_not_shown_at_all():
    sentence = findings.article_method(article_method.ArticleResult(reason="nobody ordered twice"), NONE, USD).sentence
    assert sentence.endswith("on these orders, because nobody ordered twice.") and not isinstance(
        sentence, NotApplicable
    )
    assert isinstance(findings.article_method(article_method.ArticleResult(), NONE, USD).sentence, NotApplicable)
    table = pd.DataFrame({"customer_id": ["a"]})
    assert article_method.ArticleResult().tables(table) == {}
    assert article_method.ArticleResult().add_columns(table) is table


def test_the_strength_of_a_correlation_is_said():
    """Rank correlations of 1, 0.2 and none."""
    frame = pd.DataFrame({"repeat_purchase_days": range(5), "mean_purchase_value": range(5)})
    assert "clearly related (rank correlation 1.00)" in narrative.correlation_sentence(frame, USD)
    some = frame.assign(mean_purchase_value=[2, 3, 0, 1, 4])
    assert "somewhat related" in narrative.correlation_sentence(some, USD)
    assert narrative.correlation_sentence(frame.assign(mean_purchase_value=1.0), USD) == narrative.NO_CORRELATION
