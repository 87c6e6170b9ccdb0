"""The findings of 05_budget: one function per answer of the notebook."""

import pandas as pd

from crm_utils.budget import charts, narrative, tables
from crm_utils.budget.acquisition import NewCustomerValue, break_even_costs
from crm_utils.budget.break_points import sensitive_lines
from crm_utils.budget.plan import power_by_campaign
from crm_utils.core.display.finding import Finding
from crm_utils.core.display.paragraphs import paragraph
from crm_utils.core.display.table_style import collapsible
from crm_utils.core.formatting import NumberFormat

PLAN_CAPTION = (
    "Each planned line: what it earns after all its costs (coloured by segment; the thin line is its interval given "
    "the assumed ranges) and what it costs (grey)."
)
CURVE_CAPTION = (
    "Expected profit of the best plan at each budget. Band: given the assumed ranges, all lifts low or high together. "
    "If the curve ends far below the budget given, it stays flat up to that budget and beyond."
)
BREAK_POINTS_CAPTION = (
    "Bars: the range of each lift (blue: planned, grey: not planned). Dots: the lift planned with. Orange: the break "
    "point. A planned line stays as long as its lift is right of it; one not planned enters from there on."
)
PAST_CAPTION = (
    "Dots: earned, with 90% intervals (blue: random groups; grey: observational, not used). Orange: what the assumed "
    "lift promised."
)


def recommendation(
    plan: pd.DataFrame, eligible: pd.DataFrame, budget: float, target_roi: float | None, fmt: NumberFormat
) -> Finding:
    """Show what to do, for how much, and how sure that is.

    Parameters
    ----------
    plan : pandas.DataFrame
        See `plan.build_plan`.
    eligible : pandas.DataFrame
        Whom each campaign is meant for (`unit_economics.eligible_customers`).
    budget : float
        Money that may be spent.
    target_roi : float, optional
        The profit per unit of money that the plan must earn instead.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, bars of the planned lines, and a table of every line that was weighed.
    """
    return Finding(
        narrative.recommendation(plan, budget, target_roi, fmt),
        charts.plot_plan(plan, fmt),
        PLAN_CAPTION,
        charts.alt_text_plan(plan, fmt),
        collapsible(
            "Every line that was weighed, and why it is in or out",
            narrative.nobody_fits(eligible),
            tables.every_line(plan, fmt),
        ),
    )


def unspent(
    plan: pd.DataFrame,
    budget: float,
    target_roi: float | None,
    next_profit: float,
    limits: list[str],
    most: float,
    fmt: NumberFormat,
) -> Finding:
    """Show how much money is left and why.

    Parameters
    ----------
    plan : pandas.DataFrame
        See `plan.build_plan`.
    budget, target_roi : float
        See `recommendation`.
    next_profit : float
        What more money would earn (`sensitivity.marginal_profit`).
    limits : list of str
        See `optimizer.binding_constraints`.
    most : float
        What the campaigns could cost at all (`sensitivity.max_useful_spend`).
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence.
    """
    return Finding(narrative.unspent(plan, budget, target_roi, next_profit, limits, most, fmt))


def baseline_and_increment(
    plan: pd.DataFrame, forecast: pd.DataFrame, margin_rate: float, margin_known: bool, fmt: NumberFormat
) -> Finding:
    """Show what comes without any campaign, and what the plan adds to it.

    Parameters
    ----------
    plan, forecast : pandas.DataFrame
        The plan, and the table `forecast` of 04_cltv.
    margin_rate : float
        Margin per unit of revenue.
    margin_known : bool
        Whether the margin comes from the costs in the data.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence.
    """
    return Finding(narrative.baseline_and_increment(plan, forecast, margin_rate, margin_known, fmt))


def budget_curve(
    curve: pd.DataFrame, benchmarks: pd.DataFrame, budget: float, best: float, fmt: NumberFormat
) -> Finding:
    """Show how much budget is sensible, and what rules of thumb would earn.

    Parameters
    ----------
    curve : pandas.DataFrame
        See `sensitivity.budget_curve`.
    benchmarks : pandas.DataFrame
        See `sensitivity.benchmark_allocations`.
    budget, best : float
        The budget given, and the profit-maximizing one.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, curve, and tables of the curve and of the rules of thumb.
    """
    return Finding(
        paragraph(narrative.best_budget(curve, budget, best, fmt), narrative.benchmarks(benchmarks, fmt)),
        charts.plot_budget_curve(curve, budget, best, fmt),
        CURVE_CAPTION,
        charts.alt_text_budget_curve(curve, fmt),
        collapsible(
            "The numbers behind the figure, and the plan beside three rules of thumb",
            tables.budget_curve(curve, fmt),
            tables.benchmarks(benchmarks, fmt),
        ),
    )


def what_if_doubled(levers: pd.DataFrame, budget: float, target_roi: float | None, fmt: NumberFormat) -> Finding:
    """Show which assumption would change most how much is worth spending.

    Parameters
    ----------
    levers : pandas.DataFrame
        See `sensitivity.what_if_doubled`.
    budget, target_roi : float
        See `recommendation`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table.
    """
    return Finding(
        narrative.what_if_doubled(levers, budget, target_roi, fmt),
        table=collapsible(
            "How much would be worth spending if one thing were twice as good", tables.what_if_doubled(levers, fmt)
        ),
    )


def scenarios(scenarios: pd.DataFrame, unplanned: pd.DataFrame, plan: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show what the plan earns if things differ.

    Parameters
    ----------
    scenarios : pandas.DataFrame
        See `sensitivity.compare_scenarios`.
    unplanned : pandas.DataFrame
        See `sensitivity.measured_but_unplanned`.
    plan : pandas.DataFrame
        See `plan.build_plan`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table.
    """
    return Finding(
        paragraph(narrative.scenarios(scenarios, plan, fmt), narrative.measured_but_unplanned(unplanned, fmt)),
        table=tables.scenarios(scenarios, fmt),
    )


def break_points(plan: pd.DataFrame, campaigns: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show at which lift a decision changes.

    Parameters
    ----------
    plan, campaigns : pandas.DataFrame
        The plan with its break points, and the campaigns.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, ranges and break points, and a table of what is assumed of each campaign.
    """
    shown = sensitive_lines(plan)
    return Finding(
        narrative.break_points(plan, power_by_campaign(plan), fmt),
        charts.plot_break_points(shown),
        BREAK_POINTS_CAPTION,
        charts.alt_text_break_points(shown, fmt),
        collapsible("What each campaign costs and changes", tables.campaigns(campaigns, fmt)),
    )


def past_campaigns(measured: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show what past campaigns earned.

    Parameters
    ----------
    measured : pandas.DataFrame
        See `uplift.measure_campaigns`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, intervals and table; not applicable if the report names no file of past campaigns.
    """
    return Finding(
        narrative.past_campaigns(measured, fmt),
        charts.plot_past_campaigns(measured, fmt),
        PAST_CAPTION,
        charts.alt_text_past_campaigns(measured, fmt),
        tables.past_campaigns(measured, fmt),
    )


def lists(
    targets: pd.DataFrame, plan: pd.DataFrame, reach: pd.DataFrame, contacts: pd.DataFrame | None, fmt: NumberFormat
) -> Finding:
    """Show how many customers are on lists and held back, what that will tell, and who may be contacted.

    Parameters
    ----------
    targets : pandas.DataFrame
        See `audiences.assign_audiences`.
    plan : pandas.DataFrame
        See `plan.build_plan`.
    reach : pandas.DataFrame
        See `audiences.reach_by_campaign`.
    contacts : pandas.DataFrame or None
        The permissions and last contacts; None if the report names no such table.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and tables.
    """
    power = power_by_campaign(plan)
    sentences = (narrative.lists(targets, fmt), narrative.power(power), narrative.reach_by_campaign(reach, contacts))
    folded = collapsible(
        "What the holdout groups will show, and who may be contacted",
        tables.power(power, fmt),
        tables.reach_by_campaign(reach, contacts, fmt),
    )
    return Finding(paragraph(*sentences), table=folded)


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
    limit: pd.DataFrame, value: NewCustomerValue, forecast: pd.DataFrame, margin_known: bool, fmt: NumberFormat
) -> Finding:
    """Show what a new customer may cost.

    Parameters
    ----------
    limit : pandas.DataFrame
        See `verdicts.max_acquisition_cost`.
    value : NewCustomerValue
        See `acquisition.new_customer_value`.
    forecast : pandas.DataFrame
        The table `forecast` of 04_cltv.
    margin_known : bool
        Whether the margin comes from the costs in the data.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table; not applicable if the history is too short for a value and for a forecast of 12 months.
    """
    return Finding(
        narrative.acquisition(limit, value, forecast, margin_known, fmt),
        table=collapsible(
            "How many more customers would be worth winning, by what one more costs today",
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


def calibration(held_out: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show whether the probabilities of buying anyway can be trusted.

    Parameters
    ----------
    held_out : pandas.DataFrame
        See `calibration.WindowCalibration.last_window_check`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table.
    """
    return Finding(
        narrative.calibration(held_out, fmt),
        table=collapsible("Forecast and outcome, segment by segment", tables.calibration(held_out, fmt)),
    )
