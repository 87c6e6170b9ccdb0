"""Which lifts are worth measuring, how long that takes, and what it costs."""

from datetime import date, timedelta
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.stats import norm

from crm_utils.budget.waves import WaveTerms
from crm_utils.core.exact_money import exact_sum

# (z of 5% two-sided + z of 80% power)²
Z_SQUARED = (norm.ppf(0.975) + norm.ppf(0.8)) ** 2
# A 90% range of a normal distribution is so many standard deviations wide
DEVIATIONS_IN_RANGE = 2 * norm.ppf(0.95)
WORTH, CANNOT = "worth measuring", "cannot be measured here"
HOLDOUT_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)
COLUMNS = [
    "campaign",
    "customers",
    "lift",
    "break_even_lift",
    "value_of_knowing",
    "holdout_share",
    "waves",
    "cost",
    "verdict",
]


def value_of_knowing(profit_per_lift: float, lift: float, break_even: float, low: float, high: float) -> float:
    """Compute what it is worth to know a lift exactly before deciding (expected value of perfect information).

    σ B [φ(z) − z Φ(−z)] with z = |u − u*| / σ and σ = (high − low) / 3.29.

    Parameters
    ----------
    profit_per_lift : float
        B: money per unit of lift.
    lift, break_even, low, high : float
        u, u* and the 90% range of u.

    Returns
    -------
    float
        Money; 0 if the lift is known.
    """
    deviation = (high - low) / DEVIATIONS_IN_RANGE
    if deviation <= 0:
        return 0.0
    z = abs(lift - break_even) / deviation
    return float(deviation * profit_per_lift * (norm.pdf(z) - z * norm.cdf(-z)))


def waves_needed(baseline: float, delivered_lift: float, customers: float, holdout_share: float) -> float:
    """Compute how many waves it takes until a comparison with a holdout group sees a lift 8 times of 10, at 5%.

    k = 7.85 p (1 − p) / ((u s)² N h (1 − h)).

    Parameters
    ----------
    baseline : float
        p: probability of buying without a contact.
    delivered_lift : float
        u s: lift of everybody listed.
    customers : float
        N: customers listed in each wave.
    holdout_share : float
        h: share of them who are held out.

    Returns
    -------
    float
        Waves; infinite without customers or lift.
    """
    seen = delivered_lift**2 * customers * holdout_share * (1 - holdout_share)
    return float(Z_SQUARED * baseline * (1 - baseline) / seen) if seen > 0 else np.inf


def learning_options(lines: pd.DataFrame, waves: int) -> pd.DataFrame:
    """Advise what to measure: the holdout share, how long it takes, what it costs and what knowing is worth.

    The share is the cheapest of `HOLDOUT_SHARES` that sees the lift within the period.

    Parameters
    ----------
    lines : pandas.DataFrame
        One row per campaign: campaign, customers (listed in each wave), baseline_probability, delivered_lift (s u),
        profit (expected of one contact), profit_per_lift (money of the whole plan per unit of lift), lift,
        break_even_lift, lift_low, lift_high, evidence.
    waves : int
        Waves of the plan.

    Returns
    -------
    pandas.DataFrame
        campaign, customers, lift, break_even_lift, value_of_knowing, holdout_share, waves (until it is known), cost
        (profit given up by holding back), verdict: "measured", "worth measuring", "costs more than it tells" or
        "cannot be measured here". The most valuable first.
    """
    rows = [_advise(line, waves) for line in lines.itertuples()]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(["value_of_knowing", "campaign"], ascending=[False, True], ignore_index=True)


def _advise(line: Any, waves: int) -> list[Any]:
    known = line.evidence == "measured"
    worth = 0.0
    if not known and np.isfinite(line.break_even_lift):
        worth = value_of_knowing(line.profit_per_lift, line.lift, line.break_even_lift, line.lift_low, line.lift_high)
    choices = []
    for share in HOLDOUT_SHARES:
        needed = np.ceil(waves_needed(line.baseline_probability, line.delivered_lift, line.customers, share))
        if needed <= waves:
            choices.append((max(share * line.customers * line.profit * needed, 0.0), share, needed))
    most = waves_needed(line.baseline_probability, line.delivered_lift, line.customers, 0.5)
    cost, share, needed = min(choices) if choices else (np.nan, np.nan, np.ceil(most))
    if known:
        verdict = "measured"
    elif not choices:
        verdict = CANNOT
    else:
        verdict = WORTH if worth > cost else "costs more than it tells"
    return [line.campaign, line.customers, line.lift, line.break_even_lift, worth, share, needed, cost, verdict]


def smallest_visible_effect(
    orders: ir.Table, customer_ids: pd.Series, analysis_date: date, terms: WaveTerms, share: float
) -> float:
    """Compute the smallest effect of the whole programme that a universal holdout sees 8 times of 10, at 5%.

    √(7.85 σ² / (N h (1 − h) W)): σ² is the variance of revenue per customer in the last wave, N the number of
    customers, h the share held out, W the number of waves, which count as independent.

    Parameters
    ----------
    orders : ibis Table
        Orders as known on the analysis date: customer_id, ordered_at, revenue.
    customer_ids : pandas.Series
        The customers.
    analysis_date : datetime.date
        The last day of the last wave.
    terms : WaveTerms
        Number and length of the waves.
    share : float
        h.

    Returns
    -------
    float
        Revenue per customer and wave; infinite without a holdout.
    """
    seen = len(customer_ids) * share * (1 - share) * terms.waves
    if not seen:
        return np.inf
    recent = orders.filter(orders.ordered_at.date() > analysis_date - timedelta(days=terms.wave_days))
    sums = recent.group_by("customer_id").agg(revenue=exact_sum(recent.revenue).cast("float64")).execute()
    revenue = customer_ids.map(sums.set_index("customer_id").revenue).fillna(0.0)
    return float(np.sqrt(Z_SQUARED * revenue.var(ddof=0) / seen))
