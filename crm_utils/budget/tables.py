"""Tables of 05_budget."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.core.display.table_style import Collapsible, collapsible, style_table

SHORT = [
    "campaign",
    "segment",
    "contacts",
    "holdout_customers",
    "spend",
    "expected_profit",
    "profit_low",
    "profit_high",
]
RANGED = "profits rest on the costs and lifts assumed; intervals given the assumed ranges"


def budget(plan: pd.DataFrame, currency: str) -> Styler:
    """The planned lines."""
    shown = _marked(plan[plan.contacts > 0])[[*SHORT, "lift_planned", "break_even_lift"]]
    return style_table(shown, f"The planned lines ({RANGED})", currency, total=tuple(SHORT[2:]))


def every_line(plan: pd.DataFrame, currency: str) -> Styler:
    """Every line that was weighed, with all that its spend and profit are made of."""
    shown = _marked(plan).drop(columns=["roi", "evidence", "lift", "lift_low", "lift_high"])
    shown = shown if plan.discount.any() else shown.drop(columns=["discount", "discount_to_baseline_buyers"])
    headings = {"customers": "Eligible", "reason": "Why"}
    return style_table(shown, f"Every campaign × segment that was weighed ({RANGED})", currency, headings)


def campaigns(campaigns: pd.DataFrame, currency: str) -> Styler:
    """What is assumed or measured of each campaign; limits only where one is set."""
    shown = campaigns.drop(columns=["group", "where", "segments", "evidence"])
    unset = [name for name in ("channel", "capacity", "max_spend") if shown[name].isna().all()]
    shown = shown.drop(columns=[*unset, *(["min_spend"] if not shown.min_spend.any() else [])])
    shown = shown.drop(columns=[name for name in ("incentive_share", "follow_on_margin") if not shown[name].any()])
    return style_table(
        shown,
        "What each campaign costs and changes (costs and shares: assumptions)",
        currency,
        {"name": "Campaign", "lift_from": "Lift is"},
    )


def verdicts(verdicts: pd.DataFrame, currency: str) -> Styler:
    summed = ("customers", "contacts", "spend", "expected_profit", "eligible", "cost_of_contacting_all")
    return style_table(verdicts, "What the plan does for each segment", currency, total=summed)


def scenarios(scenarios: pd.DataFrame, currency: str) -> Styler:
    return style_table(scenarios, f"The best plan if things differ ({RANGED})", currency)


def levers(levers: pd.DataFrame, currency: str) -> Styler:
    return style_table(levers, f"How much would be worth spending if things were better ({RANGED})", currency)


def curve(curve: pd.DataFrame, currency: str) -> Collapsible:
    table = style_table(curve, f"The best plan at each budget ({RANGED})", currency)
    return collapsible("The numbers behind the figure", table)


def rules_of_thumb(ways: pd.DataFrame, currency: str) -> Styler:
    return style_table(ways, "What the plan costs, spent in other ways", currency)


def named_cells(cells: pd.DataFrame) -> Styler:
    headings = {
        "use": "What the strategy says",
        "segment": "Segments of its customers",
        "campaigns": "With",
        "cell": "Cell",
    }
    return style_table(cells, "The cells the strategy names, and what the plan does with them", headings=headings)


def measurability(table: pd.DataFrame) -> Styler:
    return style_table(
        table, "What the control groups will show, a campaign's segments pooled", headings={"verdict": "The lift"}
    )


def reach(reach: pd.DataFrame) -> Styler:
    return style_table(reach, "Who may be contacted", headings={"customers": "Eligible", "share": "Of them"})


def measured(measured: pd.DataFrame, currency: str) -> Styler:
    """What past campaigns did, the unused ones with the reason."""
    columns = ["campaign", "use", "check", "treated", "control", "bought_treated", "bought_control"]
    columns += ["lift", "lift_low", "lift_high", "earned", "earned_low", "earned_high", "promised"]
    return style_table(measured[columns], "What past campaigns earned (90% intervals)", currency)


def calibration(held_out: pd.DataFrame) -> Styler:
    return style_table(
        held_out, "Customers who bought by themselves in the last window, beside the forecast from its start"
    )


def _marked(plan: pd.DataFrame) -> pd.DataFrame:
    """The plan with lift_planned: the lift and what it rests on, as text."""
    return plan.assign(lift_planned=[f"{row.lift * 100:.1f}, {_mark(row.evidence)}" for row in plan.itertuples()])


def _mark(evidence: str) -> str:
    return "assumed" if evidence == "assumed" else "measured"
