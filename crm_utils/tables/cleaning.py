"""Tables of 01_cleaning."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.tables import styled


def cleaning_log(log: pd.DataFrame, currency: str) -> Styler:
    return styled(log, "What each rule removed and what was left after it", currency)


def months(months: pd.DataFrame, currency: str) -> Styler:
    names = months.month.dt.strftime("%B %Y") + months.complete.map({True: "", False: " (incomplete)"})
    return styled(
        months.assign(month=names).drop(columns="complete"), "Revenue, orders and customers by month", currency
    )
