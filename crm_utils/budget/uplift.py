"""What past campaigns earned, if a random control group lets us know, and what that says about the next plan."""

from datetime import date
from enum import StrEnum
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from crm_utils.budget.audiences import days_of_windows, was_sent
from crm_utils.budget.customer_flow import contact_levels
from crm_utils.budget.plan import minimum_detectable_lift
from crm_utils.budget.unit_economics import message_response
from crm_utils.core.errors import UpliftError

KEYS = ["campaign", "customer_id", "contacted_on"]
NEEDED = ["campaign", "customer_id", "contacted_on", "group"]
# Of a contact whose messages and fatigue are not known
ONE_MESSAGE = {"messages": 1, "response": 1.0}
# What the sending tool's export adds
EXPORTED = ["sent", "bounced", "unsubscribed"]
COLUMNS = [
    "campaign", "treated", "control", "bought_treated", "bought_control", "lift", "standard_error", "lift_low",
    "lift_high", "sent_treated", "sent_control", "bounced", "unsubscribed", "response", "minimum_detectable_lift",
    "incremental_profit", "incremental_profit_low",
    "incremental_profit_high", "forecast_profit", "status", "check",
]  # fmt: skip
# Half the width of a 90% interval, in standard errors
Z_90 = 1.6449
# A segment with a smaller share of a test's customers is not seen as measured
SHARE_OF_TEST = 0.05
# Standard deviations between the groups before the contact
LARGEST_DIFFERENCE = 0.1
# Standard errors
SURELY_NOT_CHANCE = 3.0
# Share of customer ids that may be unknown
UNKNOWN_ALLOWED = 0.01
# The group to contact must have been sent so much more messages than the control group, as a share of customers
MIN_DIFFERENCE_SENT = 0.5
# How far the sample-ratio statistic may exceed its mean, in standard deviations
SAMPLE_RATIO_LIMIT = 5
# Of a lift range, so that it is never divided by zero
SMALLEST_RANGE = 1e-9
BEFORE_CONTACT = {
    "days_since": "days since the last order",
    "orders_before": "orders before",
    "revenue_before": "revenue before",
}


class CampaignStatus(StrEnum):
    """Whether a past campaign was measured."""

    # its groups were random and complete
    MEASURED = "measured"
    # its groups were not, so its lift is not used
    OBSERVATIONAL = "observational"


def add_response(past: pd.DataFrame | None, fatigue: float, wave_days: int) -> pd.DataFrame | None:
    """Add to past contacts how strongly their messages work, compared with one message to a rested customer.

    Parameters
    ----------
    past : pandas.DataFrame or None
        campaign, customer_id, contacted_on, group, and optionally messages (sent in the wave, by default one). None if
        the report names no file of past campaigns.
    fatigue : float
        Share of its lift that a message keeps if the customer was contacted in the wave before, or by the message
        before.
    wave_days : int
        Days of a wave.

    Returns
    -------
    pandas.DataFrame
        Adds response: f^h (1 + f + … + f^(k − 1)), k messages to a customer contacted in h recent waves.
    """
    if past is None:
        return None
    past = past if "messages" in past else past.assign(messages=1)
    past = past.assign(contacted_on=pd.to_datetime(past.contacted_on))
    level = pd.Series(0.0, index=past.index)
    for day in past.contacted_on.unique():
        own = past.contacted_on == day
        before = past[past.contacted_on < day]
        levels = contact_levels(before, past.customer_id[own].drop_duplicates(), day - pd.Timedelta(days=1), wave_days)
        level[own] = past.customer_id[own].map(levels).to_numpy(float)
    return past.assign(response=message_response(level, past.messages, fatigue))


def campaign_outcomes(
    past: pd.DataFrame, orders: ir.Table, windows: pd.Series, customer_ids: pd.Series
) -> pd.DataFrame:
    """Find what listed customers had done before the contact, and what they bought within the window.

    Parameters
    ----------
    past : pandas.DataFrame
        campaign, customer_id, contacted_on, group (treatment or control), and optionally messages and response
        (`add_response`), and of an export sent, bounced and unsubscribed (`sent_messages.match_sent_messages`).
    orders : ibis Table
        The orders as known on the analysis date.
    windows : pandas.Series
        Days by campaign name. A campaign that is not listed gets the longest window.
    customer_ids : pandas.Series
        The known customers.

    Returns
    -------
    pandas.DataFrame
        One row per campaign, customer and day of contact. Adds known (is in `customer_ids`), ends (last day of the
        window), days_since, orders_before, revenue_before, bought (0 or 1), revenue.

    Raises
    ------
    UpliftError
        For a missing column, or a group that is neither treatment nor control.
    """
    _check_past_campaigns(past)
    days = days_of_windows(past, windows)
    start = pd.to_datetime(past.contacted_on).astype("datetime64[us]")
    sent = {column: past.get(column, value) for column, value in ONE_MESSAGE.items()}
    table = past[[*NEEDED, *(column for column in EXPORTED if column in past)]].assign(
        contacted_on=start, ends=start + pd.to_timedelta(days, unit="D"), **sent
    )
    table["known"] = table.customer_id.isin(customer_ids)
    joined = table.merge(_orders_around(table, orders), on=KEYS, how="left", validate="many_to_one")
    joined["days_since"] = (joined.contacted_on - pd.to_datetime(joined["last"])).dt.days
    filled = {"orders_before": 0, "revenue_before": 0.0, "revenue": 0.0, "bought": False}
    return joined.drop(columns="last").fillna(filled).astype({"bought": float, "revenue": float})


def _check_past_campaigns(past: pd.DataFrame) -> None:
    missing = [column for column in NEEDED if column not in past]
    if missing:
        raise UpliftError(f"table past_campaigns has no column {', '.join(missing)}; it needs {', '.join(NEEDED)}")
    odd = past.group[~past.group.isin(["treatment", "control"])]
    if len(odd):
        raise UpliftError(
            f"table past_campaigns, column group: {len(odd):,} rows are neither treatment nor control, "
            f"for example {odd.iloc[0]!r}"
        )


def _orders_around(table: pd.DataFrame, orders: ir.Table) -> pd.DataFrame:
    """Sum up what each listed customer ordered before the contact and within the window."""
    listed = ibis.memtable(table[[*KEYS, "ends"]].drop_duplicates(KEYS))
    placed = orders.select("customer_id", "revenue", day=orders.ordered_at.date()).join(listed, "customer_id")
    before = placed.day < placed.contacted_on.date()
    within = ~before & (placed.day <= placed.ends.date())
    sums = placed.group_by(*KEYS).agg(
        last=placed.day.max(where=before),
        orders_before=before.sum(),
        revenue_before=placed.revenue.sum(where=before),
        bought=within.any(),
        revenue=placed.revenue.sum(where=within),
    )
    return sums.execute()


def measure_campaigns(
    past: pd.DataFrame | None,
    orders: ir.Table,
    customer_ids: pd.Series,
    campaigns: pd.DataFrame,
    margin: float,
    analysis_date: date,
) -> pd.DataFrame:
    """Measure what past campaigns earned.

    Parameters
    ----------
    past : pandas.DataFrame or None
        See `campaign_outcomes`; None if the report names no file of past campaigns.
    orders : ibis Table
        The orders as known on the analysis date.
    customer_ids : pandas.Series
        The known customers.
    campaigns : pandas.DataFrame
        The campaigns whose costs are known.
    margin : float
        Margin rate of the orders.
    analysis_date : date
        The date of the report.

    Returns
    -------
    pandas.DataFrame
        See `measure_uplift`; no row without past campaigns.
    """
    if past is None or past.empty:
        return pd.DataFrame(columns=COLUMNS)
    windows = campaigns.set_index("name").window_days
    return measure_uplift(campaign_outcomes(past, orders, windows, customer_ids), campaigns, margin, analysis_date)


def measure_uplift(outcomes: pd.DataFrame, campaigns: pd.DataFrame, margin: float, analysis_date: date) -> pd.DataFrame:
    """Measure each past campaign's lift and what it earned, each with a 90% interval.

    Waves of a campaign are measured together, without those whose window is not over.

    Customers are compared by the group to which they were assigned, whatever was sent (intention to treat). If an
    export says that not all of one group were sent a message, or some of the other were by mistake, the lift is that of
    a message that was sent (the local average treatment effect):

    lift = (bought_treated − bought_control) / (sent_treated − sent_control).

    It holds for customers who are sent a message if and only if they are on the list to send. Errors and intervals are
    divided in the same way; the shares are those of everybody listed, and count as known. Source: Imbens & Angrist
    (1994), Identification and estimation of local average treatment effects, Econometrica 62; Angrist, Imbens & Rubin
    (1996), JASA 91.

    incremental_profit = n [lift (V − ρ d) − b s ρ d − c] − F for the n customers of the treatment group who were sent a
    message, with b = bought_control − sent_control × lift (share who buy without one) and V from what buyers of both
    groups spent (see `unit_economics` for the symbols).

    Parameters
    ----------
    outcomes : pandas.DataFrame
        See `campaign_outcomes`.
    campaigns : pandas.DataFrame
        The campaigns whose costs are known.
    margin : float
        Margin rate of the orders.
    analysis_date : date
        The date of the report.

    Returns
    -------
    pandas.DataFrame
        One row per past campaign: campaign, treated, control, bought_treated, bought_control (shares), lift (of a
        listed customer who was sent a message, whether it arrived or not), standard_error, lift_low, lift_high,
        sent_treated, sent_control, bounced, unsubscribed (shares; null without an export), response (mean, of
        the treated), minimum_detectable_lift, incremental_profit, incremental_profit_low, incremental_profit_high,
        forecast_profit (at the assumed lift); the money is null if the campaign's costs are unknown. status (see
        `CampaignStatus`) and check: why.
    """
    rows = []
    for name, own in outcomes.groupby("campaign", sort=True):
        over = own[own.ends <= pd.Timestamp(analysis_date)]
        term = campaigns[campaigns.name == name]
        rows.append(_measure_one(str(name), over if len(over) else own, term, margin, analysis_date))
    return pd.DataFrame(rows)


def randomization_check(own: pd.DataFrame, analysis_date: date) -> str:
    """Return why a campaign's groups cannot be trusted to be random; empty if they can.

    A difference before the contact counts if it is at least 0.1 standard deviations and three standard errors: small
    random groups often differ by 0.1.
    """
    treated, control = own[own.group == "treatment"], own[own.group == "control"]
    both = _customers_listed_again(own)
    unknown = (~own.known).sum()
    if both:
        return (
            f"{both:,} of {own.customer_id.nunique():,} customers are listed again within the window, or in both "
            "groups: correct the file"
        )
    if unknown > UNKNOWN_ALLOWED * len(own):
        return f"{unknown:,} of {len(own):,} customers are not among the known ones: compare the ids"
    if len(control) < 2 or len(treated) < 2:
        return (
            f"{len(treated):,} treated and {len(control):,} held back: without two groups there is nothing to compare"
        )
    if _difference_sent(own) < MIN_DIFFERENCE_SENT:
        return (
            f"{was_sent(treated).mean():.0%} of the customers to contact and {was_sent(control).mean():.0%} of the "
            "control group were sent a message: too little difference is left to measure"
        )
    if own.ends.max() > pd.Timestamp(analysis_date):
        return f"its window is open until {own.ends.max():%Y-%m-%d}"
    for column, words in BEFORE_CONTACT.items():
        difference, error = _standardized_mean_difference(treated[column].dropna(), control[column].dropna())
        if abs(difference) >= LARGEST_DIFFERENCE and abs(difference) > SURELY_NOT_CHANCE * error:
            return (
                f"the groups were not alike before the contact: {words} differ by {abs(difference):.2f} standard "
                "deviations"
            )
    if _sample_ratio_mismatch(own):
        return "the share held back differs between contact days more than chance allows"
    return ""


def measured_audience(past: pd.DataFrame | None, measured: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Find the customers like those on whom campaigns were measured: a lift holds for them, not for a part of them.

    Parameters
    ----------
    past : pandas.DataFrame or None
        campaign, customer_id, group; None if the report names no file of past campaigns.
    measured : pandas.DataFrame
        See `measure_campaigns`.
    people : pandas.DataFrame
        customer_id and segment.

    Returns
    -------
    pandas.DataFrame
        customer_id × measured campaign: whether the customer is in a segment that holds at least `SHARE_OF_TEST` of
        the customers of the test.
    """
    segment, chosen = people.set_index("customer_id").segment, {}
    if past is None:
        return pd.DataFrame(index=segment.index)
    for name in measured.campaign[measured.status == CampaignStatus.MEASURED]:
        shares = past.loc[past.campaign == name, "customer_id"].map(segment).value_counts(normalize=True)
        chosen[name] = segment.isin(shares.index[shares >= SHARE_OF_TEST])
    return pd.DataFrame(chosen, index=segment.index)


def update_lifts(campaigns: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Put measured lifts in the place of assumed and published ones.

    A measured lift is pulled towards the assumed one with weight ω²/(ω² + se²) on the measurement, ω from the assumed
    range: the few campaigns that a shop has measured, of different kinds, have no mean worth pulling to. If a test
    could have seen the assumed lift and saw none, the lift is 0. If it was too small to tell, the assumption stays.
    The lift of a campaign is that of one message to customers who were not contacted lately, so a measured lift is
    divided by the mean response (`add_response`).

    Parameters
    ----------
    campaigns : pandas.DataFrame
        One row per campaign.
    measured : pandas.DataFrame
        See `measure_uplift`.

    Returns
    -------
    pandas.DataFrame
        The campaigns with lift, lift_low, lift_high and evidence updated. Adds lift_from: why the lift is what it is.
    """
    table = campaigns.set_index("name").assign(lift_from=campaigns.evidence.to_numpy())
    trusted = measured[measured.status == CampaignStatus.MEASURED] if len(measured) else measured
    for row in trusted.itertuples():
        if row.campaign not in table.index:
            continue
        term = table.loc[row.campaign]
        first_message = term.delivery_rate * row.response
        lift, error = row.lift / first_message, row.standard_error / first_message
        if row.lift_low > 0:
            spread = max(term.lift_high - term.lift_low, SMALLEST_RANGE) / (2 * Z_90)
            weight = spread**2 / (spread**2 + error**2)
            used = weight * lift + (1 - weight) * term.lift
            half = Z_90 * spread * (1 - weight) ** 0.5
            lifts, evidence = [used, max(used - half, 0.0), min(used + half, 1.0)], "measured"
            lift_from = "measured, shrunk"
        elif row.minimum_detectable_lift / first_message <= term.lift:
            lifts, evidence = [0.0, 0.0, max(lift + Z_90 * error, 0.0)], "measured"
            lift_from = "measured: no effect could be told from none"
        else:
            lifts, evidence = [term.lift, term.lift_low, term.lift_high], term.evidence
            lift_from = f"{term.evidence}: the test was too small to tell"
        table.loc[row.campaign, ["lift", "lift_low", "lift_high", "evidence", "lift_from"]] = [
            *lifts, evidence, lift_from
        ]  # fmt: skip
    return table.reset_index()


def _measure_one(
    name: str, own: pd.DataFrame, term: pd.DataFrame, margin: float, analysis_date: date
) -> dict[str, Any]:
    why_not = randomization_check(own, analysis_date)
    treated, control = own[own.group == "treatment"], own[own.group == "control"]
    difference = 1.0 if why_not else _difference_sent(own)  # what is not used is not corrected
    lift = (treated.bought.mean() - control.bought.mean()) / difference
    centre, error = (value / difference for value in _agresti_caffo(treated.bought, control.bought))
    error *= _clustering([treated, control])
    sizes = pd.Series([own.bought.mean()]), pd.Series([len(treated)]), pd.Series([len(control)])
    estimate = {
        "lift": lift,
        "standard_error": error,
        "lift_low": max(centre - Z_90 * error, -1.0),
        "lift_high": min(centre + Z_90 * error, 1.0),
    }
    return {
        "campaign": name,
        "treated": len(treated),
        "control": len(control),
        "bought_treated": treated.bought.mean(),
        "bought_control": control.bought.mean(),
        **estimate,
        **_what_was_sent(own),
        "response": treated.response.mean(),
        "minimum_detectable_lift": minimum_detectable_lift(*sizes).iloc[0] / difference,
        **_money_of(estimate, own, term, margin, difference),
        "status": (CampaignStatus.OBSERVATIONAL if why_not else CampaignStatus.MEASURED).value,
        "check": why_not or "random groups",
    }


def _what_was_sent(own: pd.DataFrame) -> dict[str, float]:
    """Return the shares sent in both groups, and of those sent the shares that bounced and unsubscribed."""
    if "sent" not in own:
        return dict.fromkeys(["sent_treated", "sent_control", "bounced", "unsubscribed"], np.nan)
    shares, sent = own.groupby("group").sent.mean(), own[own.sent]
    of_groups = {"sent_treated": shares.get("treatment", np.nan), "sent_control": shares.get("control", np.nan)}
    return of_groups | {name: sent[name].mean() for name in ("bounced", "unsubscribed")}


def _difference_sent(own: pd.DataFrame) -> float:
    """Return how much larger the share sent a message is in the treatment group than in the control group."""
    shares = was_sent(own).groupby(own.group).mean()
    return float(shares.get("treatment", 0.0) - shares.get("control", 0.0))


def _money_of(
    estimate: dict[str, float], own: pd.DataFrame, term: pd.DataFrame, margin: float, difference: float
) -> dict[str, float]:
    """Return what a campaign earned at the measured lift, at the ends of its interval, and at the assumed lift."""
    treated, control, buyers = own[own.group == "treatment"], own[own.group == "control"], own[own.bought > 0]
    order = buyers.revenue.mean() if len(buyers) else 0.0
    response, messages = treated.response.mean(), treated.messages.mean()
    assumed = term.lift.iloc[0] * term.delivery_rate.iloc[0] * response if len(term) else np.nan
    corrected = difference != 1.0
    sent = int(was_sent(treated).sum()) if corrected else len(treated)
    without = control.bought.mean() - (was_sent(control).mean() * estimate["lift"] if corrected else 0.0)
    lifts = {
        "incremental_profit": estimate["lift"],
        "incremental_profit_low": estimate["lift_low"],
        "incremental_profit_high": estimate["lift_high"],
        "forecast_profit": assumed,
    }
    return {
        column: _incremental_profit(value, max(without, 0.0), order, margin, sent, term, messages)
        for column, value in lifts.items()
    }


def _customers_listed_again(own: pd.DataFrame) -> int:
    """Count the customers who were listed again before the window of an earlier contact was over."""
    ordered = own.sort_values(["customer_id", "contacted_on"])
    before = ordered.groupby("customer_id").ends.shift()
    return int(ordered.customer_id[ordered.contacted_on < before].nunique())


def _clustering(groups: list[pd.DataFrame]) -> float:
    """Return by how much the standard error grows because customers were listed in several waves; at least 1.

    The same customer often buys, or often does not, so their waves tell less than as many other customers would. The
    variance of each group's share is that of a ratio of sums over customers.
    """
    independent = clustered = 0.0
    for own in filter(len, groups):
        left = own.bought - own.bought.mean()
        independent += (left**2).sum() / len(own) ** 2
        clustered += (left.groupby(own.customer_id.to_numpy()).sum() ** 2).sum() / len(own) ** 2
    return float(np.sqrt(max(clustered / independent, 1.0))) if independent else 1.0


def _agresti_caffo(*bought: pd.Series) -> tuple[float, float]:
    """Return centre and standard error of the difference of two shares, each with a buyer and a non-buyer added.

    Without them a group of which all or none bought would seem to be known for certain. Source: Agresti & Caffo (2000).
    """
    sizes = np.array([len(group) + 2 for group in bought])
    shares = np.array([group.sum() + 1 for group in bought]) / sizes
    return float(shares[0] - shares[1]), float(np.sqrt(np.sum(shares * (1 - shares) / sizes)))


def _incremental_profit(
    lift: float, without: float, order: float, margin: float, treated: int, term: pd.DataFrame, messages: float
) -> float:
    if term.empty:
        return np.nan
    terms = term.iloc[0]
    given = terms.redemption_rate * (terms.incentive + terms.incentive_share * order)
    won = margin * order * (1 - terms.pull_forward_share) * (1 + terms.follow_on_margin)
    each = lift * (won - given) - without * terms.delivery_rate * given - messages * terms.contact_cost
    return treated * each - terms.fixed_cost


def _standardized_mean_difference(one: pd.Series, other: pd.Series) -> tuple[float, float]:
    """Return the difference of two means in standard deviations, and its standard error."""
    if len(one) < 2 or len(other) < 2:
        return 0.0, np.inf
    spread = np.sqrt((one.var() + other.var()) / 2)
    return (float((one.mean() - other.mean()) / spread) if spread else 0.0), np.sqrt(1 / len(one) + 1 / len(other))


def _sample_ratio_mismatch(own: pd.DataFrame) -> bool:
    """Return whether the share held back differs between contact days by more than chance allows."""
    days = pd.crosstab(own.contacted_on, own.group)
    found = chi2_contingency(days, correction=False)
    return bool(found.statistic > found.dof + SAMPLE_RATIO_LIMIT * np.sqrt(2 * found.dof))
