"""Tables of 03_segmentation."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.tables import styled


def profile(profile: pd.DataFrame, currency: str) -> Styler:
    shown = profile.drop(columns="advice").rename(columns={"orders": "mean_orders"})
    return styled(shown, "The segments on this date", currency)


def advice(profile: pd.DataFrame, meaning: dict[str, str]) -> Styler:
    shown = profile.assign(meaning=profile.segment.map(meaning))[["segment", "meaning", "advice"]]
    return styled(shown, "What each segment means and what to do", headings={"advice": "What to do"})
