"""The findings of 05_budget: one function per answer of the notebook."""

from datetime import date

import pandas as pd

from crm_utils.budget import charts, narrative, tables
from crm_utils.budget.acquisition import NewCustomerValue, break_even_costs
from crm_utils.budget.audiences import Audience, reach_by_campaign
from crm_utils.budget.plan import power_by_campaign
from crm_utils.budget.waves import YearPlan, YearProblem
from crm_utils.budget.year import money_by_campaign
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.display.finding import Finding
from crm_utils.core.display.paragraphs import paragraph
from crm_utils.core.display.table_style import collapsible, for_analysts
from crm_utils.core.formatting import NumberFormat

LINES_CAPTION = "Each line of the budget: the money for the period (grey) and its expected profit after costs (blue)."
CALENDAR_CAPTION = "The money of each wave. Only the first wave has lists of names."
CURVE_CAPTION = (
    "Expected profit of the best plan at each budget, from campaigns and from new customers. Dots: simple plans."
)
CHANGE_CAPTION = "From the profit of today's spending to that of the plan, by campaign."
BREAK_POINTS_CAPTION = (
    "Bars: the range of each lift (blue: planned, grey: not planned). Dots: the lift planned with. Orange: the break "
    "point. A planned campaign stays as long as its lift is right of it; one not planned enters from there on."
)
PAYBACK_CAPTION = "What a new customer has brought on average, by days since the first order."
PAST_CAPTION = (
    "Dots: earned, with 90% intervals (blue: random groups; grey: observational, not used). Orange: what the assumed "
    "lift promised."
)


def recommendation(
    year: YearPlan,
    lines: pd.DataFrame,
    profit_range: tuple[float, float],
    problem: YearProblem,
    value: NewCustomerValue,
    costs: Acquisition | None,
    next_profit: float,
    analysis_date: date,
    fmt: NumberFormat,
) -> Finding:
    """Show what to do in the period, for how much, and how sure that is.

    Parameters
    ----------
    year : YearPlan
        The plan.
    lines : pandas.DataFrame
        See `year.budget_lines`.
    profit_range : tuple of float
        See `year.profit_range`.
    problem : YearProblem
        What the plan was made from.
    value : NewCustomerValue
        What a new customer brings.
    costs : Acquisition, optional
        What a new customer costs; None if the report does not say.
    next_profit : float
        What more money would earn (`year_sensitivity.marginal_profit`).
    analysis_date : datetime.date
        The day before the first wave.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and bars of the lines.
    """
    return Finding(
        paragraph(
            narrative.recommendation(year, profit_range, problem, value, costs, analysis_date, fmt),
            narrative.reserve(year, problem, next_profit, fmt),
        ),
        charts.plot_lines(lines, fmt),
        LINES_CAPTION,
        charts.alt_text_lines(lines, fmt),
        brief=narrative.decision_in_brief(year, profit_range, problem, analysis_date, fmt),
    )


def calendar(
    table: pd.DataFrame,
    won: pd.DataFrame,
    plan: pd.DataFrame,
    eligible: pd.DataFrame,
    forecast: pd.DataFrame,
    margin_rate: float,
    margin_known: bool,
    fmt: NumberFormat,
) -> Finding:
    """Show what is sent when, and what comes without any campaign.

    Parameters
    ----------
    table, won : pandas.DataFrame
        See `year.calendar` and `year.acquisition_table`.
    plan : pandas.DataFrame
        The first wave (`plan.build_plan`).
    eligible : pandas.DataFrame
        Whom each campaign is meant for (`unit_economics.eligible_customers`).
    forecast : pandas.DataFrame
        The table `forecast` of 04_cltv.
    margin_rate : float
        Margin per unit of revenue.
    margin_known : bool
        Whether the margin comes from the costs in the data.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, bars by wave, the calendar, and every line of the first wave that was weighed.
    """
    return Finding(
        narrative.calendar(table, won, forecast, margin_rate, margin_known, fmt),
        charts.plot_calendar(table, won, fmt),
        CALENDAR_CAPTION,
        charts.alt_text_calendar(table, won, fmt),
        collapsible(
            "The first wave line by line, and the calendar",
            tables.planned_lines(plan, fmt),
            tables.calendar(table, fmt),
            tables.new_customers(won, fmt),
            narrative.nobody_fits(eligible),
            for_analysts(tables.every_line(plan, fmt)),
        ),
    )


def budget_curve(
    curve: pd.DataFrame, simple: pd.DataFrame, year: YearPlan, problem: YearProblem, fmt: NumberFormat
) -> Finding:
    """Show how much budget is sensible, and what simple plans would earn.

    Parameters
    ----------
    curve : pandas.DataFrame
        See `year_sensitivity.budget_curve`.
    simple : pandas.DataFrame
        See `simple_plans.compare_simple_plans`.
    year, problem : YearPlan, YearProblem
        The plan, and what it was made from.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, curve, and tables of the curve and of the simple plans.
    """
    return Finding(
        narrative.budget_curve(curve, simple, year, problem.budget, fmt),
        charts.plot_budget_curve(curve, simple, problem.budget, fmt),
        CURVE_CAPTION,
        charts.alt_text_budget_curve(curve, fmt),
        collapsible(
            "The numbers behind the figure, and simple plans",
            tables.budget_curve(curve, fmt),
            tables.simple_plans(simple, fmt),
        ),
    )


def change_from_today(today: pd.DataFrame, year: YearPlan, fmt: NumberFormat) -> Finding:
    """Show how the plan differs from today's spending.

    Parameters
    ----------
    today : pandas.DataFrame
        See `simple_plans.follow_spending`; without a row if the report does not say what is spent today.
    year : YearPlan
        The plan.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and waterfall; not applicable if today's spending is not known.
    """
    planned = money_by_campaign(year).reset_index()
    return Finding(
        narrative.change_from_today(today, planned, fmt),
        charts.plot_change(today, planned, fmt),
        CHANGE_CAPTION,
        charts.alt_text_change(today, planned, fmt),
    )


def scenarios(
    scenarios: pd.DataFrame, year: YearPlan, campaigns: pd.DataFrame, costs: Acquisition | None, fmt: NumberFormat
) -> Finding:
    """Show what the plan earns if things differ.

    Parameters
    ----------
    scenarios : pandas.DataFrame
        See `year_sensitivity.compare_scenarios`.
    year, campaigns : YearPlan, pandas.DataFrame
        The plan, and one row per campaign.
    costs : Acquisition, optional
        What a new customer costs; None if the report does not say.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table.
    """
    brief = narrative.doubts_in_brief(scenarios, year, campaigns, costs, fmt)
    return Finding(narrative.scenarios(scenarios, fmt), table=tables.scenarios(scenarios, fmt), brief=brief)


def what_decides(
    levers: pd.DataFrame,
    table: pd.DataFrame,
    campaigns: pd.DataFrame,
    value: NewCustomerValue,
    costs: Acquisition | None,
    fmt: NumberFormat,
) -> Finding:
    """Show what an owner can change, and at which lift and cost of preparation a decision changes.

    Parameters
    ----------
    levers : pandas.DataFrame
        See `year_sensitivity.compare_levers`.
    table : pandas.DataFrame
        See `year_sensitivity.break_points`.
    campaigns : pandas.DataFrame
        One row per campaign.
    value, costs : NewCustomerValue, Acquisition or None
        What a new customer brings, and what one costs.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, ranges and break points, and tables of the break points and of what each campaign costs and rests on.
    """
    return Finding(
        paragraph(narrative.best_lever(levers, fmt), narrative.break_points(table, fmt)),
        charts.plot_break_points(table),
        BREAK_POINTS_CAPTION,
        charts.alt_text_break_points(table, fmt),
        collapsible(
            "What you can change",
            tables.lever_gains(levers, fmt),
            for_analysts(
                tables.break_points(table, fmt), tables.campaigns(campaigns, fmt), tables.evidence(campaigns, fmt)
            ),
        ),
        brief=narrative.what_decides_in_brief(table, value, costs, fmt),
    )


def past_campaigns(measured: pd.DataFrame, eligible: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show what past campaigns earned.

    Parameters
    ----------
    measured : pandas.DataFrame
        See `uplift.measure_campaigns`.
    eligible : pandas.DataFrame
        Whom each campaign is meant for, those it was measured on included (`uplift.measured_audience`).
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, intervals and table; not applicable if the report names no file of past campaigns.
    """
    return Finding(
        narrative.past_campaigns(measured, eligible, fmt),
        charts.plot_past_campaigns(measured, fmt),
        PAST_CAPTION,
        charts.alt_text_past_campaigns(measured, fmt),
        tables.past_campaigns(measured, fmt),
    )


def lists(
    targets: pd.DataFrame,
    plan: pd.DataFrame,
    audience: Audience,
    do_not_contact: pd.DataFrame,
    learning: pd.DataFrame,
    gates: pd.DataFrame,
    effect: float,
    fmt: NumberFormat,
) -> Finding:
    """Show how many customers are on lists, who is held out, what that will tell, and what releases the next money.

    Parameters
    ----------
    targets : pandas.DataFrame
        See `audiences.assign_audiences`.
    plan : pandas.DataFrame
        See `plan.build_plan`.
    audience : Audience
        Whom campaigns are meant for and may contact, and who is left out (`audiences.find_audience`).
    do_not_contact : pandas.DataFrame
        See `send_lists.find_do_not_contact`.
    learning : pandas.DataFrame
        See `year.lifts_to_learn`.
    gates : pandas.DataFrame
        See `gates.find_gates`.
    effect : float
        The smallest effect that the holdout would show (`learning.smallest_visible_effect`).
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, the gates, what it takes to know each lift, what the lists will show, and who may be contacted.
    """
    reach, held_out = reach_by_campaign(audience.eligible, audience.allowed), audience.held_out
    sentences = (
        narrative.lists(targets, fmt),
        narrative.reach_by_campaign(reach, audience.contacts),
        narrative.do_not_contact(do_not_contact, fmt),
        narrative.learning(learning, gates, int(held_out.sum()), len(held_out), effect, fmt),
    )
    folded = collapsible(
        "The gates, what it takes to know each lift, and who may be contacted",
        tables.gates(gates, fmt),
        tables.learning(learning, fmt),
        tables.power(power_by_campaign(plan), fmt),
        tables.reach_by_campaign(reach, audience.contacts, fmt),
    )
    return Finding(paragraph(*sentences), table=folded)


def judged_gates(table: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show which gates of an earlier plan have opened.

    Parameters
    ----------
    table : pandas.DataFrame
        See `gates.judge_gates`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table.
    """
    return Finding(narrative.judged_gates(table, fmt), table=tables.gates(table, fmt))


def target_groups(
    plan: pd.DataFrame,
    campaigns: pd.DataFrame,
    audience: pd.DataFrame,
    targets: pd.DataFrame,
    cells: pd.DataFrame,
    fmt: NumberFormat,
) -> Finding:
    """Show what the plan does for the two groups that the strategy starts from.

    Parameters
    ----------
    plan, campaigns : pandas.DataFrame
        The plan and the campaigns.
    audience : pandas.DataFrame
        Whom each campaign may contact (`audiences.contactable`).
    targets : pandas.DataFrame
        Who is on a list (`audiences.assign_audiences`).
    cells : pandas.DataFrame
        See `verdicts.strategy_cells`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, and a table of the cells that the strategy names.
    """
    return Finding(
        narrative.target_groups(plan, campaigns, audience, targets, fmt),
        table=collapsible(
            "The cells the strategy names, with today's counts",
            narrative.strategy_cells(cells, fmt),
            tables.strategy_cells(cells, fmt),
        ),
    )


def acquisition(
    limit: pd.DataFrame,
    value: NewCustomerValue,
    payback: pd.DataFrame,
    cohorts: pd.DataFrame,
    costs: Acquisition | None,
    won: pd.DataFrame,
    forecast: pd.DataFrame,
    margin_known: bool,
    fmt: NumberFormat,
) -> Finding:
    """Show what a new customer brings, may cost, and when that is paid back.

    Parameters
    ----------
    limit : pandas.DataFrame
        See `verdicts.max_acquisition_cost`.
    value : NewCustomerValue
        See `acquisition.new_customer_value`.
    payback : pandas.DataFrame
        See `acquisition.payback_curve`.
    cohorts : pandas.DataFrame
        See `cohort_margins.cohort_margins`.
    costs : Acquisition, optional
        What a new customer costs; None if the report does not say.
    won : pandas.DataFrame
        See `year.acquisition_table`.
    forecast : pandas.DataFrame
        The table `forecast` of 04_cltv.
    margin_known : bool
        Whether the margin comes from the costs in the data.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, payback curve and table; not applicable if the history is too short for a value and for a forecast of
        12 months.
    """
    known = value.known
    return Finding(
        narrative.acquisition(limit, value, payback, costs, won, forecast, margin_known, fmt),
        charts.plot_payback(payback, costs.cost_per_customer if costs else None, fmt) if known else None,
        PAYBACK_CAPTION,
        charts.alt_text_payback(payback, fmt),
        collapsible(
            "Quarter by quarter, and how many more customers would be worth winning",
            tables.cohort_margins(cohorts, fmt),
            tables.break_even_costs(break_even_costs(value, 1.0), fmt),
        ),
    )


def low_potential(verdicts: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show the segments not to spend on.

    Parameters
    ----------
    verdicts : pandas.DataFrame
        See `verdicts.segment_verdicts`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table.
    """
    return Finding(narrative.low_potential(verdicts, fmt), table=tables.verdicts(verdicts, fmt))


def calibration(held_out: pd.DataFrame, judged: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show whether the probabilities of buying anyway, and the sizes of later waves, can be trusted.

    Parameters
    ----------
    held_out : pandas.DataFrame
        See `calibration.WindowCalibration.last_window_check`.
    judged : pandas.DataFrame
        See `customer_flow.judge_sizes`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and tables.
    """
    return Finding(
        paragraph(narrative.calibration(held_out, fmt), narrative.segment_sizes(judged, fmt)),
        table=collapsible(
            "Forecast and outcome, segment by segment", tables.calibration(held_out, fmt), tables.sizes(judged, fmt)
        ),
    )
