"""The lifecycle status of customers by simple rules on days. It does not depend on other customers."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import pandas as pd


class LifecycleStatus(StrEnum):
    """The values of column `lifecycle`. No segment of the shipped maps has one of these names."""

    NEW = "new"
    ACTIVE = "active"
    COOLING = "cooling"
    SILENT = "silent"
    GONE = "gone"


class LifecycleRules(NamedTuple):
    """The limits between statuses.

    Parameters
    ----------
    new_within_days : int, optional
        A customer whose first order is at most this many days old is new. None means 0.
    cooling_after_days : int
        Without an order in so many days, a customer is cooling.
    at_risk_after_days : int
        Without an order for more days than this, a customer is silent.
    churned_after_days : int
        Without an order for more days than this, a customer is gone.
    """

    new_within_days: int | None
    cooling_after_days: int
    at_risk_after_days: int
    churned_after_days: int


def lifecycle_status(customers: pd.DataFrame, analysis_date: date, rules: LifecycleRules) -> pd.DataFrame:
    """Give each customer the status of the first rule that applies.

    The rules are tried in this order: gone, silent, new, cooling; all other customers are active.

    Parameters
    ----------
    customers : pandas.DataFrame
        Customers as `compute_rfm` returns them.
    analysis_date : date
        The day from which the age of the first order counts back.
    rules : LifecycleRules
        The limits in days.

    Returns
    -------
    pandas.DataFrame
        customer_id, lifecycle (a `LifecycleStatus`); in the order of `customers`.
    """
    customer_age = (pd.Timestamp(analysis_date) - customers.first_order).dt.days
    conditions = {
        LifecycleStatus.GONE: customers.recency_days > rules.churned_after_days,
        LifecycleStatus.SILENT: customers.recency_days > rules.at_risk_after_days,
        LifecycleStatus.NEW: customer_age <= (rules.new_within_days or 0),
        LifecycleStatus.COOLING: customers.recency_days >= rules.cooling_after_days,
    }
    codes = [status.value for status in conditions]
    status = np.select(list(conditions.values()), codes, default=LifecycleStatus.ACTIVE.value)
    return pd.DataFrame({"customer_id": customers.customer_id, "lifecycle": pd.array(status, dtype="str")})


def count_prospects(customers: pd.DataFrame, contacts: pd.DataFrame | None) -> int:
    """Count the people on a contact list who have no order that counts.

    Parameters
    ----------
    customers : pandas.DataFrame
        Everybody with an order that counts.
    contacts : pandas.DataFrame, optional
        Table `contacts`: customer_id, one row per person and channel. None if the source has no contacts.

    Returns
    -------
    int
        0 if the source has no contacts.
    """
    if contacts is None:
        return 0
    people = contacts.customer_id.astype("str").drop_duplicates()
    return int((~people.isin(customers.customer_id)).sum())
