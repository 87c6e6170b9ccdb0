"""The chance that a customer buys in the next 6 and 12 months, from the model and from what customers like them did.

The probability of being active, P(alive), is a quantity of the model. Customers with many purchases and a long silence
come back more often than it says: of 603 such customers of CDNOW (mean P(alive) .31), 58 % bought again within a year.
The chance here is the mean of the model's chance and that of a life table. By purchases and weeks of silence, the table
has the share of customers who bought within the next four weeks, on all past days of the last year. It is followed from
a customer's silence on, four weeks at a time.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_utils.cltv import btyd
from crm_utils.cltv.backtest import Backtest
from crm_utils.cltv.forecast import is_quiet
from crm_utils.cltv.purchase_log import PurchaseLog

# Days of a step of the life table, and how many steps before a day are used: a year.
STEP_DAYS = 28
MAX_STEPS = 13
# Steps of silence that are told apart.
MAX_SILENCE = 40
# Lower ends of the classes of repeat purchase days.
CLASSES = np.array([0, 1, 2, 3, 5, 10, 20])
# A share is shrunk towards that of one step less of silence × the usual decline, as if so many more customers had it.
SHRINK_CUSTOMERS = 20
USUAL_DECLINE = 0.9
# The windows, by the months in the names of columns.
WINDOWS = {6: 182, 12: 364}


@dataclass(frozen=True)
class ListRecord:
    """What became of the customers who would have been listed as quiet half a year ago.

    Parameters
    ----------
    customers : int
        Customers on the list.
    expected : float
        Mean chance to buy within the half year, as it was then.
    came_back : float
        The share who bought.
    """

    customers: int
    expected: float
    came_back: float


def return_shares(log: PurchaseLog, day: int) -> np.ndarray | None:
    """Compute the life table as of a day.

    Parameters
    ----------
    log : PurchaseLog
        The orders. Nothing after the day is used.
    day : int
        The number of the day.

    Returns
    -------
    numpy.ndarray or None
        Share of customers who bought within the next four weeks: class of repeat purchase days × steps of silence. None
        if the history is shorter than two steps.
    """
    customers, buyers = np.zeros((len(CLASSES), MAX_SILENCE)), np.zeros((len(CLASSES), MAX_SILENCE))
    first = int(log.day.min()) if len(log.day) else day
    for back in range(1, MAX_STEPS + 1):
        start = day - STEP_DAYS * back
        if start - first < STEP_DAYS - 1:
            break
        known, later = log.as_of(start), log.as_of(start + STEP_DAYS)
        summary = known.summary()
        bought = np.isin(summary.customer, later.customer[later.day > start])
        place = _classes(summary)
        np.add.at(customers, place, 1)
        np.add.at(buyers, place, bought)
    return _smooth(customers, buyers) if customers.any() else None


def add_chances(customers: pd.DataFrame, models: btyd.CustomerBaseModel, shares: np.ndarray | None) -> pd.DataFrame:
    """Add the chance that each customer buys in the next 6 and 12 months.

    Parameters
    ----------
    customers : pandas.DataFrame
        `rfm_summary`, or a table with its columns.
    models : CustomerBaseModel
        The fitted models.
    shares : numpy.ndarray or None
        `return_shares`.

    Returns
    -------
    pandas.DataFrame
        The customers with chance_6m and chance_12m. Without a model of customers it is the life table's alone; without
        a life table it is the model's, which is the average rate of all customers if none could be fitted.
    """
    x, t_x, T = btyd.to_xtT(customers)
    columns = {}
    for months, days in WINDOWS.items():
        parts = []
        if shares is None or models.tells_customers_apart:
            parts.append(models.purchase.purchase_probability(x, t_x, T, float(days)))
        if shares is not None:
            parts.append(_follow(shares, customers, days))
        columns[f"chance_{months}m"] = np.mean(parts, axis=0)
    return customers.assign(**columns)


def judge_last_list(past: Backtest) -> ListRecord | None:
    """Compare the list of half a year ago with what happened.

    Parameters
    ----------
    past : Backtest
        The past forecasts.

    Returns
    -------
    ListRecord or None
        None if no purchase model could be fitted then, or nobody would have been listed.
    """
    days = WINDOWS[6]
    start = past.last_day - days
    customers = past.log.as_of(start).summary()
    ages = customers.customer_age_days
    if not past.with_models or btyd.insufficient_data_reason(customers.repeat_purchase_days, ages):
        return None
    judged = add_chances(customers, btyd.fit_customer_base(customers), return_shares(past.log, start))
    listed = judged[is_quiet(judged)]
    if listed.empty:
        return None
    later = past.log.as_of(past.last_day)
    came_back = np.isin(listed.customer, later.customer[later.day > start])
    return ListRecord(len(listed), float(listed.chance_6m.mean()), float(came_back.mean()))


def _classes(customers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The class of repeat purchase days and the steps of silence of each customer."""
    x, t_x, T = btyd.to_xtT(customers)
    silence = np.minimum((T - t_x) // STEP_DAYS, MAX_SILENCE - 1).astype(int)
    return np.searchsorted(CLASSES, x, side="right") - 1, silence


def _smooth(customers: np.ndarray, buyers: np.ndarray) -> np.ndarray:
    """Shares of each class, shrunk from one step of silence to the next."""
    declines = _declines(customers, buyers)
    shares = np.zeros_like(customers)
    everybody = buyers.sum() / customers.sum()
    before = (buyers.sum(axis=1) + everybody) / (customers.sum(axis=1) + 1)
    for step in range(MAX_SILENCE):
        expected = before * declines[step]
        before = (buyers[:, step] + SHRINK_CUSTOMERS * expected) / (customers[:, step] + SHRINK_CUSTOMERS)
        shares[:, step] = before
    return shares


def _declines(customers: np.ndarray, buyers: np.ndarray) -> np.ndarray:
    """By how much shares of all classes usually decline from one step of silence to the next; 1 for the first."""
    shares = (buyers + 0.5) / (customers + 2)
    declines = np.ones(MAX_SILENCE)
    for step in range(1, MAX_SILENCE):
        both = np.minimum(customers[:, step - 1], customers[:, step])
        evidence = np.minimum(buyers[:, step - 1], buyers[:, step]).sum()
        seen = (shares[:, step] @ both) / max(shares[:, step - 1] @ both, 1e-9) if both.any() else USUAL_DECLINE
        weight = evidence / (evidence + SHRINK_CUSTOMERS)
        declines[step] = np.clip(seen, 0.3, 1.2) ** weight * USUAL_DECLINE ** (1 - weight)
    return declines


def _follow(shares: np.ndarray, customers: pd.DataFrame, days: int) -> np.ndarray:
    """The chance to buy within some days, if silence goes on until then."""
    kind, silence = _classes(customers)
    silent = np.ones(len(customers))
    for step in range(days // STEP_DAYS):
        silent *= 1 - shares[kind, np.minimum(silence + step, MAX_SILENCE - 1)]
    rest = days % STEP_DAYS / STEP_DAYS
    silent *= (1 - shares[kind, np.minimum(silence + days // STEP_DAYS, MAX_SILENCE - 1)]) ** rest
    return 1 - silent
