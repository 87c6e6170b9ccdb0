"""Tables of 02_rfm."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils import formats
from crm_utils.tables import styled


def cut_points(cuts: pd.DataFrame, currency: str) -> Styler:
    """Limits differ in unit from measure to measure, so each is written with its own."""
    units = {
        "recency": lambda value: formats.plural(value, "day"),
        "frequency": lambda value: formats.plural(value, "order"),
        "monetary": lambda value: formats.money(value, currency),
    }
    shown = cuts.assign(measure=cuts.measure.str.capitalize()).astype({"lowest": object, "highest": object})
    for column in ("lowest", "highest"):
        limits = zip(cuts.measure, cuts[column], strict=True)
        shown[column] = [units[measure](limit) if pd.notna(limit) else None for measure, limit in limits]
    return styled(shown, "The limits of each score class", currency, {"lowest": "From", "highest": "To"})
