"""What 04_cltv says, for good, bad and absent findings."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import btyd, charts, tables
from crm_utils.cltv import narrative as cltv_narrative
from crm_utils.cltv.backtest import BacktestModel, narrative
from crm_utils.cltv.seasonality import Seasonality
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.display.table_style import collapsible


def trials(ours: float, rule: float, capture: float = 0.6, origins: int = 3, season: float = np.nan) -> pd.DataFrame:
    """Tests in which 100 came, forecast as given."""
    rows = [
        {
            "origin": pd.Timestamp("2011-01-01") + pd.Timedelta(days=91 * place),
            "horizon_days": 91,
            "model": model,
            "purchase_days_actual": 10.0,
            "purchase_days_predicted": 9.0,
            "revenue_actual": 100.0,
            "revenue_predicted": forecast,
            "revenue_new": 25.0,
            "mae_purchase_days": 0.5,
            "top_decile_capture": share,
            "past_spend_capture": 0.3,
            "seasonal_factor": season if model == BacktestModel.MODEL_WITH_SEASON and place else np.nan,
            "revenue_low": forecast * 0.8,
            "revenue_high": forecast * 1.2,
        }
        for place in range(origins)
        for model, forecast, share in (
            (BacktestModel.MODEL_WITH_SEASON, ours, capture),
            (BacktestModel.MODEL_NO_SEASON, ours, capture),
            (BacktestModel.SAME_AS_LAST_PERIOD, rule, 0.6),
        )
    ]
    return pd.DataFrame(rows)


NONE = trials(1, 1).iloc[:0]


@pytest.mark.parametrize(
    "ours, rule, capture, part",
    [
        (
            105,
            130,
            0.7,
            "5% off on average, closer than the best simple rule (“same as the last period”: 30%). It ranks customers better",
        ),
        (
            130,
            105,
            0.5,
            "30% off on average, no closer than the best simple rule (“same as the last period”: 5%). It ranks customers worse",
        ),
        (110, 111, 0.61, "about as close as"),
        (110, 111, 0.61, "ranks customers no better than"),
    ],
)
def test_the_verdict_is_honest(ours, rule, capture, part):
    assert part in narrative.verdict(trials(ours, rule, capture))


def test_a_rule_is_judged_on_the_tests_it_can_be_made_for():
    """Last year's rule, 10 % off, needs a year of history: in its three tests of five we are 20 % off, and 5 % before."""
    tested = trials(105, 140, origins=5)
    tested.loc[
        (tested.model == BacktestModel.MODEL_WITH_SEASON) & (tested.origin > tested.origin.unique()[1]),
        "revenue_predicted",
    ] = 120.0
    last_year = tested[
        (tested.model == BacktestModel.SAME_AS_LAST_PERIOD) & (tested.origin > tested.origin.unique()[1])
    ]
    rows = pd.concat([tested, last_year.assign(model=BacktestModel.SAME_PERIOD_LAST_YEAR, revenue_predicted=90.0)])
    assert (
        "our revenue forecast was 14% off on average, no closer than the best simple rule "
        "(“same period last year”: 10% in the 3 tests it can be made for, ours 20% there)."
    ) in narrative.verdict(rows)
    assert "closer than the best simple rule (“same as the last period”: 40%)" in narrative.verdict(tested)
    two = rows[(rows.model != BacktestModel.SAME_PERIOD_LAST_YEAR) | (rows.origin > tested.origin.unique()[2])]
    assert "same as the last period" in narrative.verdict(two)  # two tests of five are too few to judge a rule by


def test_few_tests_are_a_first_impression():
    assert "first impression" in narrative.verdict(trials(105, 130, origins=2))
    assert "Tested once, on the last 91 days" in narrative.verdict(trials(105, 130, origins=1))
    assert "first impression" not in narrative.verdict(trials(105, 130))


def test_tests_with_a_season_are_told_apart():
    assert (
        "In the 2 tests where last year’s season was known it was 5% off (without that season 5%), and its range held what came in 2 of 2."
        in narrative.verdict(trials(105, 130, season=1.2))
    )
    assert "season" not in narrative.verdict(trials(105, 130))


def test_ranges_are_counted():
    assert "held what came in 3 of 3 tests; the last forecast was 10% too high" in narrative.tracking(trials(110, 100))
    assert "held what came in 0 of 3 tests" in narrative.tracking(trials(200, 100))


def test_new_customers_stand_apart():
    assert "added $25.00 a test, 20% of all revenue" in narrative.not_yet_won(trials(110, 100), "USD")
    assert "No customer was won" in narrative.not_yet_won(trials(110, 100).assign(revenue_new=0.0), "USD")


def test_nothing_tested_is_said():
    for sentence in (narrative.verdict(NONE), narrative.tracking(NONE), narrative.not_yet_won(NONE, "USD")):
        assert sentence == narrative.NO_TEST


def test_the_largest_gap_is_named():
    classes = pd.DataFrame(
        {
            "repeat_purchases": ["0", "10+"],
            "customers": [1000, 2],
            "purchase_days_predicted": [200.0, 18.0],
            "purchase_days_actual": [100.0, 6.0],
        }
    )
    assert "had never bought again: 0.20 purchase days expected of each, 0.10 made" in narrative.by_frequency(classes)
    parts = pd.DataFrame(
        {"segment": ["Champions", "Lost"], "revenue_predicted": [500.0, 300.0], "revenue_actual": [400.0, 0.0]}
    )
    assert narrative.by_segment(parts, "USD").endswith("in Lost: $300 forecast, $0.00 came.")
    assert narrative.by_segment(parts.iloc[:1], "USD").endswith("in Champions: $500 forecast, $400 came, 25% too high.")
    assert len(charts.parts(parts, "USD").get_yticklabels()) == 2


def test_what_a_fit_warns_of_is_said_with_a_true_minus():
    notes = pd.DataFrame({"model": ["BG/NBD"], "note": ["no dropout (log-likelihood -61,875.39)"]})
    assert cltv_narrative.model_notes(notes) == "BG/NBD: no dropout (log-likelihood −61,875.39)."
    assert cltv_narrative.model_notes(notes.assign(note="")) == "Both models were fitted without a warning."


def test_a_challenger_is_proposed_not_taken():
    misses = pd.DataFrame({"bg_nbd": [0.1] * 10, "mbg_nbd": [0.05] * 10})
    assert (
        "MBG/NBD forecast clearly better than the model used here, in 10 of 10 monthly tests."
        in narrative.challenger(misses, "mbg_nbd")
    )
    assert narrative.challenger(misses, "").startswith("MBG/NBD was tried in 10 monthly tests")
    assert "were not tried" in narrative.challenger(misses.iloc[:0], "")


def outlook() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "segment": "all",
            "months": [3, 12],
            "purchase_days": [3.0, 9.0],
            "revenue": [500.0, 2000.0],
            "revenue_low": [400.0, 1500.0],
            "revenue_high": [700.0, 2600.0],
            "revenue_without_seasonality": [450.0, 2000.0],
            "seasonal_factor": [np.nan, 1.0],
        }  # fmt: skip
    )


def test_the_outlook_has_its_range():
    said = cltv_narrative.outlook(outlook(), 7, date(2011, 12, 9), "GBP")
    assert said == "In the 12 months after 9 December 2011 today’s 7 customers are expected to bring £2,000; nine times in ten it should be between £1,500 and £2,600. Customers not yet won are not in this figure."  # fmt: skip
    assert cltv_narrative.outlook(outlook(), 7, date(2011, 12, 9), "GBP", "few bought twice").startswith(
        "No model forecast is made, because few bought twice"
    )


def test_the_season_or_its_absence():
    known = dict.fromkeys((1, 3, 6, 12), Seasonality(1.5))
    assert "the next three months are worth 50% more than usual" in cltv_narrative.season(known)
    assert "No season is in the forecast: too short." in cltv_narrative.season(
        known | {6: Seasonality(unavailable_reason="too short")}
    )


def test_what_a_range_rests_on():
    assert (
        "the misses of 2 past forecasts over 91 days; because these are few, 3 more misses of 10% each are assumed."
        in cltv_narrative.ranges(btyd.ForecastErrorModel(0.1, 2), True, 91)
    )
    assert "no past forecast could be judged" in cltv_narrative.ranges(btyd.ForecastErrorModel(), True, 91)


def test_an_unknown_season_is_not_in_the_range():
    assert "An unknown season is not in it" in cltv_narrative.ranges(btyd.ForecastErrorModel(), False, 91)
    assert "season" not in cltv_narrative.ranges(btyd.ForecastErrorModel(), True, 91)


def test_the_unadjusted_figure_shows_only_beside_a_season():
    plain, seasonal = (
        tables.forecast(outlook(), "GBP").to_html(),
        tables.forecast(outlook().assign(seasonal_factor=1.2), "GBP").to_html(),
    )
    assert "Without season" not in plain
    assert "Without season" in seasonal and "×1.20" in seasonal


def test_folded_tables_open_on_a_click():
    html = collapsible("More <numbers>", cltv_narrative.season({3: Seasonality(1.1)}), None)._repr_html_()
    assert html.startswith('<details class="folded"><summary>More &lt;numbers&gt;</summary><p class="so-what">')
    assert collapsible("Nothing", None) is None


def test_the_tracking_figure_shows_each_test():
    ax = charts.tracking(trials(110, 100), "USD")
    assert len(ax.get_xticks()) == 3
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {
        "Our forecast",
        "Same as the last period",
        "What came",
        "Same period last year",
        "Past average rate",
    }


def test_unidentified_dropout_is_no_finding():
    alive = pd.DataFrame({"p_alive": [np.nan, 0.9, 0.8]})
    assert (
        cltv_narrative.not_known(alive)
        == "One customer bought on one day only: whether they will return is not known. Of the 2 others, about 2 are still active."
    )
    assert "not known" in cltv_narrative.not_known(alive, identified=False)
    assert "does not tell who stopped" in cltv_narrative.quiet(alive.iloc[:0], "USD", identified=False)


def test_a_year_before_the_same_forecast_is_told_with_what_came():
    tried = pd.DataFrame({"model": [narrative.OURS], "customers": 4200, "revenue_predicted": 8.8e6, "revenue_actual": 6.5e6, "revenue_new": 1.5e6})  # fmt: skip
    assert narrative.year_before(tried, "GBP") == (
        "A year before, the same forecast for the 4,200 customers of that day would have been £8.80 million; "
        "£6.50 million came, so it was 35% too high. Customers won since then brought another £1.50 million."
    )
    nothing_came = tried.assign(revenue_actual=0.0, revenue_new=0.0)
    assert narrative.year_before(nothing_came, "GBP").endswith("£8.80 million; £0.00 came.")
    assert "could not be tried yet" in narrative.year_before(tried.iloc[:0], "GBP")


def test_a_method_that_was_left_out_is_told_where_it_was_asked_for():
    told = cltv_narrative.article_left_out("nobody ordered twice")
    assert str(told) == "The article’s method is left out: on these orders nobody ordered twice."
    assert not isinstance(told, NotApplicable)
    assert isinstance(cltv_narrative.article_left_out(None), NotApplicable)
