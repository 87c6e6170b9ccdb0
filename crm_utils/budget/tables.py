"""Tables of 05_budget as they stand on a page."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.budget.cohort_margins import AGES
from crm_utils.budget.gates import SMALL, Gate
from crm_utils.budget.year import Line
from crm_utils.core.display.table_style import style_table
from crm_utils.core.formatting import NumberFormat, day

SUMMED = ("contacts", "holdout_customers", "spend", "expected_profit")
RANGED = "profits rest on the costs and lifts assumed; intervals given the assumed ranges"
# Columns of the campaigns that say nothing if no campaign uses them
OPTIONAL_TEXT = ("channel", "capacity", "max_spend")
OPTIONAL_AMOUNTS = ("min_spend", "incentive_share", "follow_on_margin")
LIFT_HEADING = "Lift of a message, points"
LINE_NAMES = {
    Line.KEEP: "Keep and win back",
    Line.REPEAT: "Repeat what was measured",
    Line.NEW: "Win new customers",
    Line.LEARN: "Test first",
    Line.RESERVE: "Reserve",
}
GATE_NAMES = {
    Gate.NEW_CUSTOMERS: "A new customer costs at most {limit}",
    Gate.LIFT: "One message of {campaign} adds at least {limit} points to the chance to buy",
    Gate.RESERVE: "The next money would earn a profit",
}


def budget_lines(lines: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the lines that add up to the budget.

    Parameters
    ----------
    lines : pandas.DataFrame
        See `year.budget_lines`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    pandas.io.formats.style.Styler
        One row per line that has money, with its share of the budget, and their sum.
    """
    total = lines.spend.sum()
    used = lines[lines.spend.abs() + lines.expected_profit.abs() > 0]
    shown = (used if len(used) else lines.tail(1)).assign(
        line=lines.line.map(LINE_NAMES), share=lines.spend / total if total else 0.0
    )
    columns = ["line", "spend", "share", "expected_profit"]
    headings = {"line": "Line", "share": "Of the budget", "spend": "Money"}
    return style_table(
        shown[columns], "How the budget is used in the period", fmt, headings, total=("spend", "expected_profit")
    )


def calendar(table: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show what is sent when (`year.calendar`)."""
    columns = ["wave", "starts_on", "campaign", "segment", "customers", "messages", "contacts", "spend"]
    headings = {"contacts": "Messages", "starts_on": "Starts on"}
    shown = table[[*columns, "expected_profit"]].assign(starts_on=table.starts_on.map(day))
    return style_table(shown, f"The calendar ({RANGED})", fmt, headings, ("contacts", "spend", "expected_profit"))


def new_customers(table: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show how many new customers are won in each wave (`year.acquisition_table`); None without any."""
    if not table.customers_won.sum() > 0:
        return None
    shown = table.assign(starts_on=table.starts_on.map(day))
    caption = "New customers to win, beyond those who come anyway"
    summed = ("customers_won", "spend", "expected_profit")
    return style_table(shown, caption, fmt, {"starts_on": "Starts on"}, summed)


def planned_lines(plan: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the planned lines of the first wave; small ones together.

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
    columns = ["campaign", "segment", "messages", *SUMMED, "lift_planned"]
    shown = _pool_small_lines(shown[columns])
    headings = {"contacts": "Customers", "lift_planned": LIFT_HEADING}
    return style_table(shown, f"The planned lines of the first wave ({RANGED})", fmt, headings, total=SUMMED)


def _pool_small_lines(shown: pd.DataFrame) -> pd.DataFrame:
    """Show the lines that earn less than `SMALL` of all as one, if there are at least two."""
    small = shown.expected_profit < SMALL * shown.expected_profit.sum()
    if small.sum() < 2:
        return shown
    pooled = shown[small][list(SUMMED)].sum().to_dict()
    campaigns = shown.campaign[small].nunique()
    row = {"campaign": f"{campaigns} small campaigns" if campaigns > 1 else shown.campaign[small].iloc[0], **pooled}
    row |= {"segment": f"{int(small.sum())} lines"}
    return pd.concat([shown[~small], pd.DataFrame([row])], ignore_index=True)


def gates(table: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show the gates and whether they are open (`gates.find_gates`); None without gates."""
    if table.empty:
        return None
    rows = []
    for gate in table.itertuples():
        write = (lambda lift: fmt.number(lift * 100, 2)) if gate.gate == Gate.LIFT else (lambda x: fmt.money(x, 2))
        rows.append(
            {
                "rule": GATE_NAMES[Gate(gate.gate)].format(limit=write(gate.limit), campaign=gate.campaign),
                "decide_on": day(gate.decide_on),
                "releases": gate.releases,
                "measured": write(gate.observed) if pd.notna(gate.observed) else "–",
                "state": gate.state,
            }
        )
    headings = {"rule": "Rule", "decide_on": "Decide on", "releases": "Releases", "measured": "Today", "state": "Gate"}
    return style_table(pd.DataFrame(rows), "Rules for releasing money, written before the start", fmt, headings)


def learning(table: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show which lifts are worth measuring (`learning.learning_options`); None if nothing is planned."""
    if table.empty:
        return None
    headings = {"customers": "Customers a wave", "waves": "Waves until it is known", "verdict": "Verdict"}
    return style_table(table, "What it takes to know each lift", fmt, headings)


def evidence(campaigns: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show what each lift and each cost rests on."""
    columns = ["name", "lift", "lift_low", "lift_high", "lift_from", "evidence_source", "costs_from"]
    headings = {
        "name": "Campaign", "lift_from": "The lift is", "evidence_source": "Experiment", "costs_from": "Costs are"
    }  # fmt: skip
    return style_table(campaigns[columns], "What each number rests on", fmt, headings)


def every_line(plan: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show every line of the first wave that was weighed, with all that its spend and profit are made of."""
    shown = _with_lift_planned(plan, fmt).drop(columns=["roi", "evidence", "lift", "lift_low", "lift_high"])
    shown = shown if plan.discount.any() else shown.drop(columns=["discount", "discount_to_baseline_buyers"])
    headings = {"customers": "Eligible", "contacts": "Contacted", "reason": "Why", "lift_planned": LIFT_HEADING}
    return style_table(shown, f"Every campaign × segment that was weighed ({RANGED})", fmt, headings)


def campaigns(campaigns: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show what is assumed or measured of each campaign; limits only if one is set."""
    unused = [name for name in OPTIONAL_TEXT if campaigns[name].isna().all()]
    unused += [name for name in OPTIONAL_AMOUNTS if not campaigns[name].any()]
    left_out = ["group", "where", "segments", "evidence", "evidence_source", "not_within", "costs_from", *unused]
    offered = [", ".join(map(str, numbers)) for numbers in campaigns.messages]
    shown = campaigns.assign(messages=offered).drop(columns=left_out).rename(columns={"messages": "messages_offered"})
    headings = {"name": "Campaign", "lift_from": "Lift is"}
    return style_table(shown, "What each campaign costs and changes (costs and shares: assumptions)", fmt, headings)


def verdicts(verdicts: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show what the plan does for each segment."""
    summed = ("customers", "contacts", "spend", "expected_profit", "eligible", "cost_of_contacting_all")
    return style_table(verdicts, "What the plan does for each segment", fmt, total=summed)


def scenarios(scenarios: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the best plan in each scenario."""
    return style_table(scenarios, "The best plan if things differ", fmt)


def lever_gains(levers: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show what the plan would earn if something that an owner can change were better."""
    return style_table(levers, "What you can change", fmt, {"scenario": "What if"})


def break_points(table: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show where each campaign enters or leaves the plan."""
    headings = {"waves": "Waves planned", "evidence": "Lift is"}
    return style_table(table, "Where each campaign enters or leaves the plan", fmt, headings)


def budget_curve(curve: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the best plan at each budget."""
    return style_table(curve, "The best plan at each budget", fmt)


def simple_plans(simple: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show simple plans beside the plan."""
    return style_table(simple, "Plans that need no optimization", fmt, {"plan": "Plan", "contacts": "Messages"})


def sizes(judged: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show how well segment sizes were forecast; None if the history is too short."""
    if judged.empty:
        return None
    shown = judged.assign(origin=judged.origin.map(day)).rename(columns={"error": "size_error"})
    headings = {"origin": "Forecast on"}
    return style_table(shown, "Segment sizes: forecast beside “nothing changes”", fmt, headings)


def cohort_margins(cohorts: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show what the new customers of each quarter have brought (`cohort_margins.cohort_margins`); None without any."""
    if cohorts.empty:
        return None
    headings = {f"margin_{days}d": f"After {days} days" for days in AGES.values()}
    headings |= {"cohort": "First order", "payback_days": "Days until paid back"}
    caption = "Mean margin that a new customer has brought since the first order, by quarter of the first order"
    return style_table(cohorts, caption, fmt, headings)


def strategy_cells(cells: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the cells that the strategy names, and what the plan does with them."""
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
    return style_table(table, caption, fmt, {"contacts": "Contacted", "verdict": "The lift"})


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
    columns = ["campaign", "status", "check", "treated", "control"]
    if measured.sent_treated.notna().any():
        columns += ["sent_treated", "sent_control", "bounced", "unsubscribed"]
    columns += ["bought_treated", "bought_control"]
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
