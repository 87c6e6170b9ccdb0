"""The findings of 04_cltv: one function per section of the notebook."""

from datetime import date

import pandas as pd

from crm_utils.cltv import charts, narrative, tables
from crm_utils.cltv.article_method import ArticleResult
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.cltv.backtest import narrative as backtest_narrative
from crm_utils.cltv.backtest.record import record_by_horizon, separate_tests
from crm_utils.cltv.btyd import CustomerBaseModel, OwnModelSpec
from crm_utils.cltv.chance import ListRecord
from crm_utils.cltv.outlook import Outlook
from crm_utils.cltv.worked_example import Example
from crm_utils.core.display.finding import Finding
from crm_utils.core.display.paragraphs import not_applicable, paragraph
from crm_utils.core.display.table_style import Collapsible, collapsible, for_analysts
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.references import CLTV_TUTORIAL

# The number of customers in the lists on the page.
LISTED_CUSTOMERS = 10

PAST_FORECASTS_CAPTION = (
    "Revenue from the customers known on each date: forecast (with its 90% range) and actual. Grey marks are simple "
    "rules. Marks far above the frame are only in the table."
)
HORIZON_NUMBERS = "The forecast of every horizon, and those of earlier dates that are over"
WHOLE_NUMBERS = "By horizon, and earlier forecasts"
ALL_TESTS = "All tests in numbers, and what new customers added"
SEGMENT_ERROR_CAPTION = "Revenue in the last test by segment, forecast and actual, largest first."
FREQUENCY_ERROR_CAPTION = (
    "Mean purchase days per customer in the last test, forecast and actual, by how often customers had bought again."
)
ERROR_TABLES = "By past purchases, and all segments in numbers"
P_ALIVE_CAPTION = (
    "Probability in percent that a customer who first bought a year ago is still active, "
    "by repeat purchase days and days since the last one."
)
PURCHASES_CAPTION = "Expected purchase days in the next year, for a customer who first bought a year ago."
GRIDS = "Two maps: who is still active, and how many purchases to expect"
CONCENTRATION_CAPTION = "Share of total CLV in each tenth of customers, most valuable tenth first ({assumptions})."
DECILE_NUMBERS = "The numbers behind the figure"
TOP_CUSTOMERS = "Look up a customer: the {customers} with the highest CLV"
SEGMENT_VALUE_CAPTION = "Revenue expected from today’s customers in the next 12 months, before margin, by segment."
SEGMENT_RANGE = "The line is the range that should contain the actual revenue nine times in ten."
SEGMENT_NUMBERS = "All segments in numbers"
ARTICLE_DETAILS = "The tutorial’s groups, its forecast, and its source"
EXAMPLE_STEPS = "Every step, from order lines to lifetime value"
PARAMETERS = "Parameters, standard errors, fit and assumptions"


def past_forecasts(tested: pd.DataFrame, holdout_days: int, fmt: NumberFormat) -> Finding:
    """Whether past forecasts were closer than simple rules, and how often their ranges held.

    Parameters
    ----------
    tested : pandas.DataFrame
        `backtest.list_tests`.
    holdout_days : int
        The length of the tests in the figure.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, figure of forecast and actual revenue, and a table of all tests; only a sentence if there are no
        tests.
    """
    verdict = backtest_narrative.verdict_sentence(tested, holdout_days, fmt)
    brief = backtest_narrative.record_in_brief(tested, holdout_days, fmt)
    shown = separate_tests(tested, holdout_days)
    if shown.empty:
        return Finding(verdict, brief=brief)
    return Finding(
        verdict,
        charts.plot_past_forecasts(shown, fmt),
        f"{backtest_narrative.range_record_sentence(tested, holdout_days, fmt)} {PAST_FORECASTS_CAPTION}",
        charts.alt_text_past_forecasts(shown, fmt),
        collapsible(
            ALL_TESTS,
            backtest_narrative.new_customers_sentence(tested, holdout_days, fmt),
            tables.horizon_record_table(record_by_horizon(tested), fmt),
            tables.backtest_table(shown, fmt),
        ),
        brief=brief,
    )


def forecast_errors(by_segment: pd.DataFrame, by_frequency: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """For which customers the last tested forecast was off.

    Parameters
    ----------
    by_segment : pandas.DataFrame
        `backtest_by_segment`.
    by_frequency : pandas.DataFrame
        `backtest_by_frequency`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, figure of the errors by segment, and tables by segment and by past purchases; the reason if there
        is no test.
    """
    if by_segment.empty:
        return Finding(not_applicable(backtest_narrative.no_test_sentence(fmt)))
    frequency = Finding(
        backtest_narrative.frequency_error_sentence(by_frequency, fmt),
        charts.plot_backtest_by_frequency(by_frequency, fmt),
        FREQUENCY_ERROR_CAPTION,
        charts.alt_text_backtest_by_frequency(by_frequency, fmt),
        tables.backtest_by_frequency_table(by_frequency, fmt),
    )
    return Finding(
        backtest_narrative.segment_error_sentence(by_segment, fmt),
        charts.plot_backtest_by_segment(by_segment, fmt),
        SEGMENT_ERROR_CAPTION,
        charts.alt_text_backtest_by_segment(by_segment, fmt),
        collapsible(ERROR_TABLES, frequency, tables.backtest_by_segment_table(by_segment, fmt)),
    )


def revenue_forecast(
    outlook: Outlook,
    tested: pd.DataFrame,
    track: pd.DataFrame,
    models: CustomerBaseModel,
    analysis_date: date,
    fmt: NumberFormat,
) -> Finding:
    """What today's customers should bring in the next 12 months, and how accurate earlier forecasts were.

    Parameters
    ----------
    outlook : Outlook
        `make_outlook`.
    tested : pandas.DataFrame
        `backtest.list_tests`.
    track : pandas.DataFrame
        `backtest.track_record`.
    models : CustomerBaseModel
        The fitted models.
    analysis_date : datetime.date
        The day the forecast is made.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence.
    """
    expected = narrative.revenue_forecast_sentence(outlook, models, analysis_date, fmt)
    year = backtest_narrative.year_record_sentence(tested, fmt)
    return Finding(paragraph(expected, year, backtest_narrative.track_record_sentence(track, fmt)))


def whole_business(outlook: Outlook, tested: pd.DataFrame, analysis_date: date, fmt: NumberFormat) -> Finding:
    """What the whole business may expect, customers who are not won yet included.

    Parameters
    ----------
    outlook : Outlook
        `make_outlook`.
    tested : pandas.DataFrame
        `backtest.list_tests`.
    analysis_date : datetime.date
        The day the forecast is made.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and a table by horizon, with the record of earlier forecasts; not applicable if there is no forecast.
    """
    records = record_by_horizon(tested, whole=True)
    sentence = narrative.whole_business_sentence(outlook.whole, records, analysis_date, fmt)
    if outlook.whole.empty:
        return Finding(not_applicable(sentence))
    past = tables.horizon_record_table(records, fmt, tables.WHOLE_RECORD_CAPTION) if len(records) else None
    return Finding(
        sentence,
        table=collapsible(WHOLE_NUMBERS, tables.whole_business_table(outlook.whole, fmt), past),
        brief=narrative.whole_business_in_brief(outlook.whole, records, fmt),
    )


def forecast_basis(outlook: Outlook, track: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """The basis of the forecast and its range, with the forecast of every horizon and those of earlier dates.

    Parameters
    ----------
    outlook : Outlook
        `make_outlook`.
    track : pandas.DataFrame
        `backtest.track_record`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and tables of the forecasts; not applicable if there is no forecast.
    """
    if outlook.totals.empty:
        return Finding(not_applicable(narrative.NO_FORECAST))
    earlier = tables.track_record_table(track, fmt) if len(track) else None
    horizons = tables.forecast_table(outlook.totals, fmt, outlook.tested)
    return Finding(narrative.basis_sentence(outlook, fmt), table=collapsible(HORIZON_NUMBERS, horizons, earlier))


def still_active(expected: pd.DataFrame, grid: pd.DataFrame, models: CustomerBaseModel, fmt: NumberFormat) -> Finding:
    """How many customers are still active, and what the time without a purchase says about it.

    Parameters
    ----------
    expected : pandas.DataFrame
        `chance.add_chances`.
    grid : pandas.DataFrame
        `p_alive_grid`; shown only if dropout is identified.
    models : CustomerBaseModel
        The fitted models.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, and two collapsed heat maps; only a sentence if dropout is not identified.
    """
    sentence = narrative.still_active_sentence(expected, models.identified, fmt)
    if not models.identified:
        return Finding(sentence)
    alive = Finding(
        narrative.silence_sentence(grid, fmt),
        charts.plot_p_alive_grid(grid),
        P_ALIVE_CAPTION,
        charts.alt_text_p_alive_grid(grid, fmt),
        tables.p_alive_grid_table(grid, fmt),
    )
    purchases = Finding(
        narrative.most_purchases_sentence(grid, fmt),
        charts.plot_expected_purchases_grid(grid),
        PURCHASES_CAPTION,
        charts.alt_text_expected_purchases_grid(grid, fmt),
        tables.expected_purchases_grid_table(grid, fmt),
    )
    return Finding(sentence, table=for_analysts(collapsible(GRIDS, alive, purchases)))


def lifetime_value(
    valued: pd.DataFrame, deciles: pd.DataFrame, assumptions: ClvAssumptions, fmt: NumberFormat
) -> Finding:
    """What all customers are worth, and how the value is distributed.

    Parameters
    ----------
    valued : pandas.DataFrame
        The table `cltv`.
    deciles : pandas.DataFrame
        `value_deciles`.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, figure of the value by decile of customers, and its table.
    """
    brief = narrative.assumptions_brief(assumptions, fmt)
    value = narrative.lifetime_value_sentence(valued.clv.sum(), assumptions, fmt)
    return Finding(
        paragraph(value, narrative.concentration_sentence(deciles)),
        charts.plot_value_deciles(deciles),
        CONCENTRATION_CAPTION.format(assumptions=brief),
        charts.alt_text_value_deciles(deciles),
        collapsible(DECILE_NUMBERS, tables.deciles_table(deciles, brief, fmt)),
    )


def most_valuable(best: pd.DataFrame, assumptions: ClvAssumptions, fmt: NumberFormat) -> Finding:
    """What the ten customers with the highest CLV are worth.

    Parameters
    ----------
    best : pandas.DataFrame
        `forecast.most_valuable`.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and a table of ten customers.
    """
    brief = narrative.assumptions_brief(assumptions, fmt)
    shown = best.head(LISTED_CUSTOMERS)
    return Finding(narrative.most_valuable_sentence(shown, fmt), table=tables.most_valuable_table(shown, brief, fmt))


def top_customers(best: pd.DataFrame, assumptions: ClvAssumptions, fmt: NumberFormat) -> Collapsible | None:
    """The most valuable customers in a collapsed table that can be sorted.

    Parameters
    ----------
    best : pandas.DataFrame
        `forecast.most_valuable`.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Collapsible or None
        The table, one row for each customer.
    """
    brief = narrative.assumptions_brief(assumptions, fmt)
    customers = fmt.plural(len(best), "customer")
    return collapsible(TOP_CUSTOMERS.format(customers=customers), tables.top_customers_table(best, brief, fmt))


def likely_churned(
    churned: pd.DataFrame, record: ListRecord | None, assumptions: ClvAssumptions, fmt: NumberFormat
) -> Finding:
    """Which of the best customers by past revenue have gone quiet.

    Parameters
    ----------
    churned : pandas.DataFrame
        `likely_churned_best`.
    record : ListRecord or None
        `judge_last_list`.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and a table of the ten best; only a sentence if there are none.
    """
    sentence, brief = narrative.churned_sentence(churned, record, fmt), narrative.churned_in_brief(churned, fmt)
    if churned.empty:
        return Finding(sentence, brief=brief)
    table = tables.churned_table(churned.head(LISTED_CUSTOMERS), narrative.assumptions_brief(assumptions, fmt), fmt)
    return Finding(sentence, table=table, brief=brief)


def segment_value(
    by_segment: pd.DataFrame, outlook: Outlook, assumptions: ClvAssumptions, fmt: NumberFormat
) -> Finding:
    """Which segments will bring the expected revenue.

    Parameters
    ----------
    by_segment : pandas.DataFrame
        `value_by_segment`.
    outlook : Outlook
        `make_outlook`.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, figure of expected revenue by segment, and its table; not applicable without a forecast of 12 months.
    """
    if 12 not in set(outlook.totals.months):
        return Finding(not_applicable(narrative.NO_YEAR_BY_SEGMENT))
    brief = narrative.assumptions_brief(assumptions, fmt)
    if not outlook.tested:
        by_segment = by_segment.drop(columns=["revenue_low", "revenue_high"])
    return Finding(
        narrative.segment_value_sentence(by_segment, fmt),
        charts.plot_segment_revenue(by_segment, fmt),
        f"{SEGMENT_VALUE_CAPTION} {SEGMENT_RANGE}" if outlook.tested else SEGMENT_VALUE_CAPTION,
        charts.alt_text_segment_revenue(by_segment, fmt),
        collapsible(SEGMENT_NUMBERS, tables.segment_values_table(by_segment, brief, fmt)),
    )


def historical_value(
    valued: pd.DataFrame, churn: float, models: CustomerBaseModel, assumptions: ClvAssumptions, fmt: NumberFormat
) -> Finding:
    """What customers are worth by their past orders alone.

    Parameters
    ----------
    valued : pandas.DataFrame
        The table `cltv`.
    churn : float
        `quarterly_churn`.
    models : CustomerBaseModel
        The fitted models.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence; the reason if no churn can be measured.
    """
    if models.unavailable_reason:
        return Finding(not_applicable(narrative.NO_CHURN_RATE))
    return Finding(narrative.historical_value_sentence(valued, churn, assumptions.months, fmt))


def article_method(result: ArticleResult, valued: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """What the published tutorial's method gives on these orders.

    Parameters
    ----------
    result : ArticleResult
        `try_article_method`.
    valued : pandas.DataFrame
        The table `cltv`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, and the tutorial's forecast and table, collapsed; the reason if the method was left out.
    """
    if result.reason:
        return Finding(narrative.article_left_out_sentence(result.reason))
    if result.customers is None:
        return Finding(not_applicable(narrative.ARTICLE_NOT_INCLUDED))
    return Finding(
        narrative.article_value_sentence(result.customers, valued.historical_clv.sum(), fmt),
        table=collapsible(
            ARTICLE_DETAILS,
            narrative.article_forecast_sentence(result.customers, fmt),
            tables.article_table(result.customers, fmt),
            paragraph(f"{CLTV_TUTORIAL.citation}."),
        ),
    )


def worked_example(
    example: Example, valued: pd.DataFrame, models: CustomerBaseModel, assumptions: ClvAssumptions, fmt: NumberFormat
) -> Finding:
    """How one customer's value is computed.

    Parameters
    ----------
    example : Example
        `work_example`.
    valued : pandas.DataFrame
        The table `cltv`.
    models : CustomerBaseModel
        The fitted models.
    assumptions : ClvAssumptions
        Margin rate, discount rate and months.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, and the tables of every step.
    """
    if models.unavailable_reason:
        return Finding(not_applicable(narrative.NO_MODEL_TO_WORK))
    return Finding(
        narrative.worked_example_sentence(example, valued, assumptions, fmt),
        table=collapsible(EXAMPLE_STEPS, *tables.example_tables(example, fmt)),
    )


def fitted_models(
    best_model: str | OwnModelSpec, fitted_parameters: pd.DataFrame, customers: pd.DataFrame, fmt: NumberFormat
) -> Finding:
    """Which model was closest in the tests, the warnings of the fits, and their parameters.

    Parameters
    ----------
    best_model : str or OwnModelSpec
        `Backtest.choose_model`, by rule.
    fitted_parameters : pandas.DataFrame
        `CustomerBaseModel.table`.
    customers : pandas.DataFrame
        `rfm_summary`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, and a table of parameters, standard errors and fit.
    """
    return Finding(
        paragraph(narrative.model_sentence(best_model), narrative.fit_notes_sentence(fitted_parameters)),
        table=collapsible(
            PARAMETERS,
            narrative.correlation_sentence(customers, fmt),
            tables.parameters_table(fitted_parameters, fmt),
        ),
    )
