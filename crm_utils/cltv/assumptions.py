"""What a lifetime value rests on besides the models: margin, discount and horizon."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_utils.core.errors import AssumptionsError
from crm_utils.core.formatting import percent

ASSUMED_MARGIN = 0.3
MIN_COSTED_REVENUE_SHARE = 0.5  # of revenue, from customers whose costs are known: less says little about the others


@dataclass(frozen=True)
class ClvAssumptions:
    """margin_rate (profit as a share of revenue, before marketing), discount_rate (a year), months (calendar).

    margin_known: whether the margin comes from the costs in the data; else it is an assumption, as the discount always is.
    Raises `TermsError` for a margin rate outside (0, 1], a discount rate of −1 or less, and months below 0.
    """

    margin_rate: float
    discount_rate: float
    months: int
    margin_known: bool = False

    def __post_init__(self) -> None:
        if not (0 < self.margin_rate <= 1 and self.discount_rate > -1 and self.months >= 0):
            raise AssumptionsError(
                "CLV takes a margin rate in (0, 1], a discount rate above −1 and months ≥ 0, "
                f"not {self.margin_rate}, {self.discount_rate}, {self.months}"
            )

    def table(self) -> pd.DataFrame:
        """The terms as rows of the `fitted_parameters` table: model, parameter, value, standard_error, note."""
        values = {
            "margin_rate": self.margin_rate,
            "discount_rate": self.discount_rate,
            "horizon_months": self.months,
        }
        rows = pd.DataFrame({"model": "CLV", "parameter": values.keys(), "value": [float(v) for v in values.values()]})
        known = rows.parameter.eq("margin_rate") & self.margin_known
        return rows.assign(standard_error=np.nan, note=np.where(known, "from the costs in the data", "assumption"))


def assumptions_from_data(
    customers: pd.DataFrame, habits: pd.DataFrame | None, margin_rate: float | None, discount_rate: float, months: int
) -> ClvAssumptions:
    """The terms of a run. A margin_rate of None is taken from the costs in the data where most of revenue has them, else assumed.

    customers: customer_id and revenue. habits: customer_id and, where the source has unit costs, margin_rate (1 − cost ÷
    revenue), whose mean by revenue is the margin, to a tenth of a percent. Raises `TermsError` where it is 0 or less.
    """
    if margin_rate is not None:
        return ClvAssumptions(margin_rate, discount_rate, months)
    if habits is None or "margin_rate" not in habits:
        return ClvAssumptions(ASSUMED_MARGIN, discount_rate, months)
    own = customers.customer_id.map(habits.set_index("customer_id").margin_rate).astype(float)
    known = customers.revenue[own.notna()]
    if known.sum() < MIN_COSTED_REVENUE_SHARE * customers.revenue.sum() or known.sum() <= 0:
        return ClvAssumptions(ASSUMED_MARGIN, discount_rate, months)
    measured = round(float((own * customers.revenue).sum() / known.sum()), 3)
    if measured <= 0:
        raise AssumptionsError(
            f"the costs in the data leave a margin of {percent(measured, 1)} of revenue: correct unit_cost, or set cltv.margin_rate"
        )
    return ClvAssumptions(measured, discount_rate, months, margin_known=True)
