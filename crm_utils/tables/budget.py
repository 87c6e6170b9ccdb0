"""Tables of 05_budget."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.tables import styled


def budget(plan: pd.DataFrame, currency: str) -> Styler:
    """Where all lifts share one basis the caption says so, else each line does."""
    same = plan.basis.nunique() == 1
    shown = plan.drop(columns=["roi", "basis"] if same else ["roi"])
    caption = "Every campaign × segment that was weighed" + (f" (all lifts are {plan.basis.iloc[0]})" if same else "")
    return styled(shown, caption, currency, {"customers": "Eligible", "basis": "Lift is", "reason": "Why"})


def campaigns(campaigns: pd.DataFrame, currency: str) -> Styler:
    shown = campaigns.drop(columns=["group", "where", "segments"])
    return styled(shown, "What each campaign costs and changes", currency, {"name": "Campaign", "basis": "Figures are"})


def verdicts(verdicts: pd.DataFrame, currency: str) -> Styler:
    return styled(verdicts, "What the plan does for each segment", currency)
