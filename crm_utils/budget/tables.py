"""Tables of 05_budget as they stand on a page."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.core.display.table_style import style_table
from crm_utils.core.formatting import NumberFormat

SUMMED = ("contacts", "holdout_customers", "spend", "expected_profit", "profit_low", "profit_high")
RANGED = "profits rest on the costs and lifts assumed; intervals given the assumed ranges"
# Columns of the campaigns that say nothing if no campaign uses them
OPTIONAL_TEXT = ("channel", "capacity", "max_spend")
OPTIONAL_AMOUNTS = ("min_spend", "incentive_share", "follow_on_margin")


def planned_lines(plan: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the planned lines.

    Parameters
    ----------
    plan : pandas.DataFrame
        See `plan.build_plan`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    pandas.io.formats.style.Styler
        One row per planned line, and their sum.
    """
    shown = _with_lift_planned(plan[plan.contacts > 0], fmt)
    columns = ["campaign", "segment", *SUMMED, "lift_planned", "break_even_lift"]
    return style_table(shown[columns], f"The planned lines ({RANGED})", fmt, total=SUMMED)


def every_line(plan: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show every line that was weighed, with all that its spend and profit are made of."""
    shown = _with_lift_planned(plan, fmt).drop(columns=["roi", "evidence", "lift", "lift_low", "lift_high"])
    shown = shown if plan.discount.any() else shown.drop(columns=["discount", "discount_to_baseline_buyers"])
    headings = {"customers": "Eligible", "reason": "Why"}
    return style_table(shown, f"Every campaign × segment that was weighed ({RANGED})", fmt, headings)


def campaigns(campaigns: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show what is assumed or measured of each campaign; limits only if one is set."""
    unused = [name for name in OPTIONAL_TEXT if campaigns[name].isna().all()]
    unused += [name for name in OPTIONAL_AMOUNTS if not campaigns[name].any()]
    shown = campaigns.drop(columns=["group", "where", "segments", "evidence", *unused])
    headings = {"name": "Campaign", "lift_from": "Lift is"}
    return style_table(shown, "What each campaign costs and changes (costs and shares: assumptions)", fmt, headings)


def verdicts(verdicts: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show what the plan does for each segment."""
    summed = ("customers", "contacts", "spend", "expected_profit", "eligible", "cost_of_contacting_all")
    return style_table(verdicts, "What the plan does for each segment", fmt, total=summed)


def scenarios(scenarios: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the best plan in each scenario."""
    return style_table(scenarios, f"The best plan if things differ ({RANGED})", fmt)


def what_if_doubled(levers: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show how much would be worth spending if one thing were twice as good."""
    return style_table(levers, f"How much would be worth spending if things were better ({RANGED})", fmt)


def budget_curve(curve: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the best plan at each budget."""
    return style_table(curve, f"The best plan at each budget ({RANGED})", fmt)


def benchmarks(benchmarks: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the plan and the rules of thumb."""
    return style_table(benchmarks, "What the plan costs, spent in other ways", fmt)


def strategy_cells(cells: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show the cells that the strategy names, and what the plan does with them; None if they do not exist."""
    if cells.empty:
        return None
    headings = {
        "strategy": "What the strategy says",
        "segment": "Segments of its customers",
        "campaigns": "With",
        "cell": "Cell",
    }
    return style_table(cells, "The cells the strategy names, and what the plan does with them", fmt, headings)


def power(table: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show what the holdout groups will tell; None if nothing is planned."""
    if table.empty:
        return None
    caption = "What the holdout groups will show, a campaign's segments pooled"
    return style_table(table, caption, fmt, {"verdict": "The lift"})


def reach_by_campaign(reach: pd.DataFrame, contacts: pd.DataFrame | None, fmt: NumberFormat) -> Styler | None:
    """Show how many customers may be contacted; None if the report names no contacts."""
    if contacts is None:
        return None
    return style_table(reach, "Who may be contacted", fmt, {"customers": "Eligible", "share": "Of them"})


def break_even_costs(costs: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show how many more customers a year would be worth winning at some costs; None if that is not known."""
    if costs.empty:
        return None
    caption = "More customers in a year, if twice as many new ones cost twice as much each (an assumption)"
    return style_table(costs, caption, fmt, {"customers": "More customers"})


def past_campaigns(measured: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show what past campaigns did, and why some cannot be used; None without past campaigns."""
    if measured.empty:
        return None
    columns = ["campaign", "status", "check", "treated", "control", "bought_treated", "bought_control"]
    columns += ["lift", "incremental_profit", "incremental_profit_low", "incremental_profit_high", "forecast_profit"]
    return style_table(measured[columns], "What past campaigns earned (90% intervals)", fmt)


def calibration(held_out: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show forecast and outcome of the last window; None if the history is too short for one."""
    if held_out.empty:
        return None
    caption = "Customers who bought by themselves in the last window, beside the forecast from its start"
    return style_table(held_out, caption, fmt)


def _with_lift_planned(plan: pd.DataFrame, fmt: NumberFormat) -> pd.DataFrame:
    """Add lift_planned: the lift in points and what it rests on, as text."""
    lifts = [f"{fmt.number(row.lift * 100, 1)}, {row.evidence}" for row in plan.itertuples()]
    return plan.assign(lift_planned=lifts)
