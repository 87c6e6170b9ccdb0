"""What one contact earns, for each campaign and group of similar customers.

Per contact: π = s [u (V − ρ d) − p0 ρ d] − c, with V = g v (1 − φ)(1 + κ). g margin rate, v value of an order, φ share
of added orders merely pulled forward, κ what a customer who was won earns after the window (per margin of the added
order; 0 until measured), u lift, p0 probability of buying without the contact, d incentive (money, a share δ of v, or
both), ρ its redemption rate, s delivery rate, c cost of a contact. A campaign's fixed cost F is paid once.
Lifetime value × lift is not used: lifetime value already holds the orders that come anyway.
"""

from datetime import date

import numpy as np
import pandas as pd

from crm_utils.budget.audiences import Audience
from crm_utils.config.safe_query import evaluate
from crm_utils.core.errors import BudgetError
from crm_utils.segmentation.assignment import are_new

VALUE_CLASSES = 5
# Customers. A smaller class says little, and no holdout group can be taken from it.
SMALLEST_CLASS = 20


def margin_rate(fitted_parameters: pd.DataFrame) -> tuple[float, bool]:
    """Return the margin rate that 04_cltv used, and whether it comes from the costs in the data.

    Parameters
    ----------
    fitted_parameters : pandas.DataFrame
        The table that 04_cltv wrote.

    Returns
    -------
    float
        Margin per unit of revenue.
    bool
        Whether the margin was measured.
    """
    row = fitted_parameters.set_index(["model", "parameter"]).loc[("CLV", "margin_rate")]
    return float(row.value), row.note != "assumption"


def customer_economics(
    customers: pd.DataFrame, segments: pd.DataFrame, cltv: pd.DataFrame, margin: float, features: pd.DataFrame | None
) -> pd.DataFrame:
    """Join what a plan needs to know of each customer: scores, segment, behaviour, and the value of an added order.

    Parameters
    ----------
    customers, segments, cltv : pandas.DataFrame
        The tables of earlier notebooks.
    margin : float
        Margin rate of customers whose own is not known.
    features : pandas.DataFrame or None
        The table `customer_features`. If it has margin_rate, that is the customer's own.

    Returns
    -------
    pandas.DataFrame
        One row per customer. Adds order_value (expected value of an order), order_margin (its margin) and margin_known
        (whether the customer's own rate is known).

    Raises
    ------
    BudgetError
        If a customer has no segment or no forecast, or all order values are 0.
    """
    joined = customers.merge(segments, on="customer_id", validate="one_to_one").merge(
        cltv, on="customer_id", validate="one_to_one"
    )
    if len(joined) != len(customers):
        raise BudgetError(
            f"{len(customers) - len(joined):,} of {len(customers):,} customers have no segment or no forecast: rerun "
            "03_segmentation and 04_cltv"
        )
    expected = joined.expected_revenue_12m / joined.expected_purchase_days_12m.where(
        joined.expected_purchase_days_12m > 0
    )
    joined["order_value"] = expected.fillna(joined.mean_purchase_value)
    if not (joined.order_value > 0).any():
        raise BudgetError(f"all {len(joined):,} customers have an order value of 0: no campaign can earn anything")
    rate = pd.Series(np.nan, index=joined.index)
    if features is not None and "margin_rate" in features:
        rate = joined.customer_id.map(features.set_index("customer_id").margin_rate).astype(float)
    order_margin = rate.fillna(margin).clip(-1, 1) * joined.order_value
    return joined.assign(order_margin=order_margin, margin_known=rate.notna())


def mark_new(people: pd.DataFrame, new_within_days: int | None, analysis_date: date) -> pd.DataFrame:
    """Add is_new: whether the first order is at most so many days old. Rules of campaigns may use it.

    Parameters
    ----------
    people : pandas.DataFrame
        See `customer_economics`.
    new_within_days, analysis_date : int, datetime.date
        See `segmentation.assignment.are_new`.

    Returns
    -------
    pandas.DataFrame
        Adds is_new.
    """
    return people.assign(is_new=are_new(people, new_within_days, analysis_date))


def eligible_customers(
    customers: pd.DataFrame,
    campaigns: pd.DataFrame,
    segment_names: list[str],
    measured: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Find whom each campaign may address.

    Parameters
    ----------
    customers : pandas.DataFrame
        See `customer_economics`.
    campaigns : pandas.DataFrame
        One row per campaign; it names its segments, a query (`where`), or both.
    segment_names : list of str
        The segments of the report.
    measured : pandas.DataFrame, optional
        customer_id × campaign: customers on whom a campaign was measured (`uplift.measured_audience`). It may address
        them too.

    Returns
    -------
    pandas.DataFrame
        customer_id (index) × campaign: True if its segments or its query say so.

    Raises
    ------
    BudgetError
        For an unknown segment, or a `where` that is no query on the customers' columns.
    """
    chosen = {}
    for campaign in campaigns.itertuples():
        unknown = set(campaign.segments) - set(segment_names)
        if unknown:
            raise BudgetError(
                f"campaign {campaign.name}: unknown segment {', '.join(sorted(unknown))}; the segment map has "
                f"{', '.join(segment_names)}"
            )
        may = customers.segment.isin(campaign.segments) if campaign.segments else pd.Series(True, customers.index)
        if isinstance(campaign.where, str):
            may &= _matching(customers, campaign.name, campaign.where)
        if measured is not None and campaign.name in measured:
            may |= customers.customer_id.map(measured[campaign.name])
        chosen[campaign.name] = may
    return pd.DataFrame(chosen).set_axis(customers.customer_id)


def planning_groups(customers: pd.DataFrame, audience: Audience, contact_level: pd.Series) -> pd.DataFrame:
    """Group customers by segment, campaigns that may address them, consent and value class.

    Customers whom no campaign may address today are grouped too, because they can move to another segment. Customers
    who rest from an earlier contact have groups of their own. Each block of alike customers is cut into up to five
    equal classes of order margin, of at least 20 customers.

    Parameters
    ----------
    customers : pandas.DataFrame
        See `customer_economics`.
    audience : Audience
        Whom campaigns may contact, a row for each of the customers in their order (`audiences.find_audience`).
    contact_level : pandas.Series
        customer_id → in how many of the last waves the customer was contacted (`customer_flow.contact_levels`).

    Returns
    -------
    pandas.DataFrame
        Adds group (from 0), block (the group without its value class), consent, lands (False if resting),
        contact_level and held_out.
    """
    ids = customers.customer_id
    known = customers.assign(
        consent=ids.map(audience.consent),
        lands=~ids.map(audience.resting).astype(bool),
        contact_level=ids.map(contact_level),
        held_out=ids.map(audience.held_out),
    )
    return _cut_into_groups(known, audience.allowed)


def _cut_into_groups(customers: pd.DataFrame, audience: pd.DataFrame) -> pd.DataFrame:
    """Add block (segment, set of campaigns, consent and lands) and group (block and value class)."""
    packed = pd.DataFrame(np.packbits(audience.to_numpy(), axis=1), index=customers.index)
    chosen = customers
    if not chosen.customer_id.is_monotonic_increasing:
        chosen = chosen.sort_values("customer_id")
    keyed = chosen.sort_values("order_margin", kind="stable")  # equal margins stay in the order of their ids
    same = [keyed.segment.astype("category").cat.codes, *(packed[byte].loc[keyed.index] for byte in packed)]
    keyed["block"] = keyed.groupby([*same, keyed.consent, keyed.lands], sort=True).ngroup()
    in_block = keyed.groupby("block").block
    size = in_block.transform("size")
    number = (size // SMALLEST_CLASS).clip(1, VALUE_CLASSES)
    value_class = in_block.cumcount() * number // size
    keyed["group"] = keyed.groupby(["block", value_class.rename("value_class")], sort=True).ngroup()
    return keyed.loc[chosen.index]


def contact_options(
    groups: pd.DataFrame, audience: pd.DataFrame, campaigns: pd.DataFrame, probabilities: pd.DataFrame
) -> pd.DataFrame:
    """Work out what one contact of each campaign does for each group it may address.

    Parameters
    ----------
    groups : pandas.DataFrame
        See `planning_groups`.
    audience : pandas.DataFrame
        customer_id × campaign.
    campaigns : pandas.DataFrame
        One row per campaign.
    probabilities : pandas.DataFrame
        Probability of buying without a contact, customer_id × window in days.

    Returns
    -------
    pandas.DataFrame
        One row per campaign and group: campaign, group, segment, customers, free (those not held out), p0,
        order_margin, order_value (means), lift, and the money columns of `price_options`.

    Raises
    ------
    BudgetError
        If a probability is not between 0 and 1.
    """
    wrong = ~probabilities.ge(0) | ~probabilities.le(1)
    if wrong.any(axis=None):
        raise BudgetError(
            f"{int(wrong.any(axis=1).sum()):,} of {len(probabilities):,} customers have a probability of buying "
            "outside 0–1: check the model in 04_cltv"
        )
    windows = [f"p0_{days}" for days in probabilities.columns]
    by_customer = probabilities.loc[groups.customer_id].to_numpy().T
    known = groups.assign(**dict(zip(windows, by_customer, strict=True)))
    by_group = known.groupby("group", sort=True)
    means = by_group[["order_margin", "order_value", *windows]].mean()
    means["segment"], means["customers"] = by_group.segment.first(), by_group.size()
    means["free"] = means.customers - by_group.held_out.sum()
    reached = audience.loc[by_group.customer_id.first()].to_numpy()
    tables = [
        means[reached[:, index]].rename(columns={f"p0_{campaign.window_days}": "p0"}).assign(campaign=campaign.name)
        for index, campaign in enumerate(campaigns.itertuples())
    ]
    columns = ["campaign", "group", "segment", "customers", "free", "p0", "order_margin", "order_value"]
    table = pd.concat(tables).reset_index()[columns]
    lift = table.campaign.map(campaigns.set_index("name").lift).astype(float)
    return price_options(table.assign(lift=lift), campaigns)


def price_options(options: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    """Add the money of one contact to the options.

    Parameters
    ----------
    options : pandas.DataFrame
        p0, order_margin, order_value and lift by campaign and group.
    campaigns : pandas.DataFrame
        One row per campaign, with its costs and rates.

    Returns
    -------
    pandas.DataFrame
        Adds margin (V, of an added order), discount (d, of an order that redeems it), incremental_margin (s u V),
        incentives_added (s u ρ d), incentives_to_baseline_buyers (s p0 ρ d), contact_costs (c), spend (the last three)
        and profit (incremental_margin − spend = π). A lift beyond 1 − p0 cannot happen and counts as 1 − p0.
    """
    term = campaigns.set_index("name").loc[options.campaign].reset_index(drop=True).set_index(options.index)
    discount = term.incentive + term.incentive_share * options.order_value
    given = term.redemption_rate * discount
    lift = np.minimum(options.lift, 1 - options.p0)
    margin = options.order_margin * (1 - term.pull_forward_share) * (1 + term.follow_on_margin)
    money = {
        "margin": margin,
        "discount": discount,
        "incremental_margin": term.delivery_rate * lift * margin,
        "incentives_added": term.delivery_rate * lift * given,
        "incentives_to_baseline_buyers": term.delivery_rate * options.p0 * given,
        "contact_costs": term.contact_cost,
    }
    spend = money["incentives_added"] + money["incentives_to_baseline_buyers"] + money["contact_costs"]
    return options.assign(**money, spend=spend, profit=money["incremental_margin"] - spend)


def price_messages(
    options: pd.DataFrame, campaigns: pd.DataFrame, fatigue: float, contact_level: int | pd.Series, max_messages: int
) -> pd.DataFrame:
    """Price each option with each number of messages that its campaign offers in one wave.

    k messages to a customer who was contacted in h recent waves have the lift u f^h (1 − f^k) / (1 − f): each message
    adds the share f (fatigue) of what the one before it added. They cost k contacts.

    Parameters
    ----------
    options : pandas.DataFrame
        See `contact_options`.
    campaigns : pandas.DataFrame
        One row per campaign; `messages` are the numbers of messages in a wave that it offers.
    fatigue : float
        f, between 0 and 1.
    contact_level : int or pandas.Series
        h, of all options or of each.
    max_messages : int
        Larger numbers of messages are left out.

    Returns
    -------
    pandas.DataFrame
        The columns of `reprice`, with messages (k) and response (f^h (1 − f^k) / (1 − f)).
    """
    parts, levels = [], pd.Series(contact_level, options.index)
    offered = options.campaign.map(campaigns.set_index("name").messages)
    for messages in sorted({number for numbers in campaigns.messages for number in numbers if number <= max_messages}):
        own = offered.map(lambda numbers, messages=messages: messages in numbers).astype(bool)
        response = message_response(levels[own], messages, fatigue)
        parts.append(options[own].assign(messages=messages, response=response))
    return reprice(pd.concat(parts, ignore_index=True), campaigns, campaigns.set_index("name").lift)


def message_response(contact_level: int | pd.Series, messages: int | pd.Series, fatigue: float) -> float | pd.Series:
    """Return how strongly messages work, compared with one message to a rested customer: f^h (1 − f^k) / (1 − f)."""
    several = messages if fatigue == 1 else (1 - fatigue**messages) / (1 - fatigue)
    return fatigue**contact_level * several


def reprice(contacts: pd.DataFrame, campaigns: pd.DataFrame, lifts: pd.Series) -> pd.DataFrame:
    """Price contacts of several messages at other lifts.

    Parameters
    ----------
    contacts : pandas.DataFrame
        p0, order_margin, order_value, messages and response by campaign and group.
    campaigns : pandas.DataFrame
        One row per campaign.
    lifts : pandas.Series
        Lift of one message by campaign name.

    Returns
    -------
    pandas.DataFrame
        Adds the columns of `price_options`, lift (response × lift of one message) and delivered_lift (s u).
    """
    lift = contacts.response * contacts.campaign.map(lifts).astype(float)
    priced = price_options(contacts.assign(lift=lift), campaigns)
    added = (priced.messages - 1) * priced.contact_costs
    delivered = priced.campaign.map(campaigns.set_index("name").delivery_rate).astype(float)
    return priced.assign(
        delivered_lift=delivered * np.minimum(priced.lift, 1 - priced.p0),
        contact_costs=priced.contact_costs + added,
        spend=priced.spend + added,
        profit=priced.profit - added,
    )


def break_even_lift(
    term: pd.Series | pd.DataFrame,
    p0: float | pd.Series,
    margin: float | pd.Series,
    discount: float | pd.Series,
    discount_to_baseline_buyers: float | pd.Series,
    fixed: float | pd.Series = 0.0,
    messages: float | pd.Series = 1.0,
    response: float | pd.Series = 1.0,
) -> np.ndarray:
    """Compute the lift of one message that earns nothing: u* = ((k c + F/n)/s + p0 ρ d) / (V − ρ d) / response.

    Parameters
    ----------
    term : pandas.Series or pandas.DataFrame
        contact_cost, delivery_rate and redemption_rate.
    p0, margin : float or pandas.Series
        Probability of buying anyway, and V.
    discount, discount_to_baseline_buyers : float or pandas.Series
        d of an added order, and of an order that comes anyway: averages over many customers can differ.
    fixed : float or pandas.Series
        Fixed cost per customer contacted (F/n).
    messages, response : float or pandas.Series
        k: messages to a customer, and how many times the lift of one message they have together.

    Returns
    -------
    numpy.ndarray
        Lift; null if no lift can pay (V ≤ ρ d, or everybody would have to buy).
    """
    p0, margin = np.asarray(p0, float), np.asarray(margin, float)
    given, given_anyway = term.redemption_rate * discount, term.redemption_rate * discount_to_baseline_buyers
    with np.errstate(divide="ignore", invalid="ignore"):
        lift = ((messages * term.contact_cost + fixed) / term.delivery_rate + p0 * given_anyway) / (margin - given)
    return np.where((margin > given) & (lift <= 1 - p0), lift / response, np.nan)


def _matching(customers: pd.DataFrame, name: str, where: str) -> np.ndarray:
    try:
        return evaluate(customers, where)
    except Exception as error:  # pandas raises many kinds for a query that does not fit
        raise BudgetError(f"campaign {name}: where {where!r} is no query on the customers: {error}") from error
