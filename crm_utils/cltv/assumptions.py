"""The assumptions of a lifetime value: margin, discount rate and horizon."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_utils.core.errors import AssumptionsError
from crm_utils.core.formatting import percent

ASSUMED_MARGIN_RATE = 0.3
# The margin is measured only if customers with known costs brought at least this share of revenue.
MIN_COSTED_REVENUE_SHARE = 0.5


@dataclass(frozen=True)
class ClvAssumptions:
    """The assumptions of a lifetime value.

    Parameters
    ----------
    margin_rate : float
        Profit as a share of revenue, before marketing; in (0, 1].
    discount_rate : float
        By how much profit is discounted per year; above −1.
    months : int
        The number of calendar months that count.
    margin_known : bool
        Whether the margin comes from the costs in the data. If not, it is an assumption, like the discount rate.

    Raises
    ------
    AssumptionsError
        If a value is out of its range.
    """

    margin_rate: float
    discount_rate: float
    months: int
    margin_known: bool = False

    def __post_init__(self) -> None:
        if not (0 < self.margin_rate <= 1 and self.discount_rate > -1 and self.months >= 0):
            raise AssumptionsError(
                "CLV needs a margin rate in (0, 1], a discount rate above −1 and months ≥ 0, "
                f"not {self.margin_rate}, {self.discount_rate}, {self.months}"
            )

    @classmethod
    def from_data(
        cls,
        customers: pd.DataFrame,
        customer_features: pd.DataFrame | None,
        margin_rate: float | None,
        discount_rate: float,
        months: int,
    ) -> "ClvAssumptions":
        """Return the assumptions of a run, with the margin from the costs in the data.

        Parameters
        ----------
        customers : pandas.DataFrame
            customer_id and revenue.
        customer_features : pandas.DataFrame or None
            customer_id and, if the source has unit costs, margin_rate (1 − cost ÷ revenue).
        margin_rate : float or None
            The margin set by the analyst. If it is None, the margin is the mean of `customer_features` weighted by
            revenue and rounded to 0.1 %, or `ASSUMED_MARGIN_RATE` if costs are known for too little revenue.
        discount_rate : float
            Per year.
        months : int
            The number of calendar months that count.

        Returns
        -------
        ClvAssumptions
            Margin rate, discount rate, months, and whether the margin was measured.

        Raises
        ------
        AssumptionsError
            If the margin from the costs in the data is not positive.
        """
        if margin_rate is not None:
            return cls(margin_rate, discount_rate, months)
        measured = _measured_margin(customers, customer_features)
        if measured is None:
            return cls(ASSUMED_MARGIN_RATE, discount_rate, months)
        if measured <= 0:
            raise AssumptionsError(
                f"the costs in the data leave a margin of {percent(measured, 1)} of revenue: correct unit_cost, "
                "or set cltv.margin_rate"
            )
        return cls(measured, discount_rate, months, margin_known=True)

    def table(self) -> pd.DataFrame:
        """Return the assumptions as rows of the `fitted_parameters` table.

        Returns
        -------
        pandas.DataFrame
            model, parameter, value, standard_error (null), note.
        """
        values = {
            "margin_rate": self.margin_rate,
            "discount_rate": self.discount_rate,
            "horizon_months": self.months,
        }
        rows = pd.DataFrame({"model": "CLV", "parameter": values.keys(), "value": [float(v) for v in values.values()]})
        known = rows.parameter.eq("margin_rate") & self.margin_known
        return rows.assign(standard_error=np.nan, note=np.where(known, "from the costs in the data", "assumption"))


def _measured_margin(customers: pd.DataFrame, customer_features: pd.DataFrame | None) -> float | None:
    """The mean margin rate weighted by revenue; None if costs are known for too little revenue."""
    if customer_features is None or "margin_rate" not in customer_features:
        return None
    rates = customers.customer_id.map(customer_features.set_index("customer_id").margin_rate).astype(float)
    costed = customers.revenue[rates.notna()].sum()
    if costed < MIN_COSTED_REVENUE_SHARE * customers.revenue.sum() or costed <= 0:
        return None
    return round(float((rates * customers.revenue).sum() / costed), 3)
