"""The first wave line by line: one row per campaign and segment, each number a sum or mean a calculator can follow."""

import numpy as np
import pandas as pd

from crm_utils.budget.unit_economics import break_even_lift, reprice

Z_TWO_SIDED_5_POWER_80 = 2.8016
# A line holds everybody if so many of its customers are contacted or held out
NEARLY_ALL = 0.99
LATER = "planned for a later wave"
KEYS = ["campaign", "segment"]
SUMS = ["incremental_margin", "incentives_added", "incentives_to_baseline_buyers", "contact_costs"]
PLAN_COLUMNS = [
    "campaign",
    "segment",
    "customers",
    "contacts",
    "messages",
    "response",
    "holdout_customers",
    "spend",
    "expected_profit",
    "profit_low",
    "profit_high",
    "roi",
    "lift",
    "lift_low",
    "lift_high",
    "break_even_lift",
    "break_point_lift",
    "max_cost_per_contact",
    "minimum_detectable_lift",
    "baseline_probability",
    "margin",
    "discount",
    "discount_to_baseline_buyers",
    *SUMS,
    "fixed_costs",
    "evidence",
    "reason",
]


def build_plan(
    first_wave: pd.DataFrame,
    campaigns: pd.DataFrame,
    holdout_sizes: pd.Series,
    break_point_lifts: pd.Series | None = None,
    later: pd.MultiIndex | None = None,
) -> pd.DataFrame:
    """Build the table `budget`: one row per campaign and segment with eligible customers, planned or not.

    Means, break_even_lift and max_cost_per_contact are those of the planned contacts, or of all eligible customers if
    none is planned. A campaign's fixed cost is shared out by customers contacted.

    Parameters
    ----------
    first_wave, campaigns : pandas.DataFrame
        The options with the customers contacted (`year.first_wave`), and the campaigns.
    holdout_sizes : pandas.Series
        Customers held out by (campaign, segment) (`audiences.holdout_sizes`).
    break_point_lifts : pandas.Series, optional
        By campaign (`year_sensitivity.break_points`).
    later : pandas.MultiIndex, optional
        (campaign, segment) of contacts in later waves.

    Returns
    -------
    pandas.DataFrame
        `PLAN_COLUMNS`, the best profit first: contacts (customers contacted), messages (to each of them, mean),
        response (how many times the lift of one message they have), spend = contact_costs + incentives_added +
        incentives_to_baseline_buyers + fixed_costs; expected_profit = incremental_margin − spend; profit_low and
        profit_high are the same at lift_low and lift_high. Lifts are those of one message. Means:
        baseline_probability, margin and discount of an added order, discount_to_baseline_buyers of an order that comes
        anyway. Null if no lift could pay, or nothing is planned.
    """
    table = _sum_by_line(first_wave, campaigns)
    return _complete_lines(table, campaigns, holdout_sizes, break_point_lifts, later)


def _sum_by_line(first_wave: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    """Sum up the options by line; means are multiplied by their weight."""
    terms = campaigns.set_index("name")
    at = {end: reprice(first_wave, campaigns, terms[end]).profit for end in ("lift_low", "lift_high")}
    rows = first_wave.assign(profit_low=at["lift_low"], profit_high=at["lift_high"])
    weight = rows.contacts.where(rows.groupby(KEYS).contacts.transform("sum") > 0, rows.customers)
    rows["discount_to_baseline_buyers"] = rows.p0 * rows.discount
    means = ("p0", "margin", "discount", "discount_to_baseline_buyers", "profit", "messages", "response")
    weighted = {name: rows[name] * weight for name in means}
    # An added order's mean: customers of more messages place more of them
    weighted |= {name: rows[name] * weight * rows.response for name in ("margin", "discount")}
    counted = {name: rows[name] * rows.contacts for name in (*SUMS, "profit_low", "profit_high")}
    gain, left = rows.profit.clip(lower=0), rows.customers - rows.groupby("group").contacts.transform("sum")
    # A group with several numbers of messages has several rows
    customers = rows.customers.where(~rows.duplicated(["campaign", "group"]), 0)
    rows = rows[[*KEYS, "contacts"]].assign(
        customers=customers,
        weight=weight,
        best=rows.profit,
        gain=gain * customers,
        left=left,
        gain_left=gain * left,
        **weighted,
        **counted,
    )
    table = rows.groupby(KEYS, sort=True).sum()
    table["best"] = rows.groupby(KEYS, sort=True).best.max()
    return table.reset_index()


def _complete_lines(
    table: pd.DataFrame,
    campaigns: pd.DataFrame,
    holdout_sizes: pd.Series,
    break_point_lifts: pd.Series | None,
    later: pd.MultiIndex | None,
) -> pd.DataFrame:
    """Return the sums by line as `PLAN_COLUMNS`."""
    term = campaigns.set_index("name").loc[table.campaign].reset_index(drop=True)
    by_campaign = table.groupby("campaign")
    reached, open_to = by_campaign.contacts.transform("sum"), by_campaign.customers.transform("sum")
    fixed = term.fixed_cost / np.where(table.contacts > 0, reached, open_to)
    table["baseline_probability"] = table.p0 / table.weight
    table["discount_to_baseline_buyers"] /= table.p0.where(table.p0 > 0)
    table[["margin", "discount"]] = table[["margin", "discount"]].div(table.response, axis=0)
    table[["messages", "response"]] = table[["messages", "response"]].div(table.weight, axis=0)
    table["discount_to_baseline_buyers"] = table.discount_to_baseline_buyers.fillna(table.discount)
    table["fixed_costs"] = fixed * table.contacts
    table["spend"] = table[["contact_costs", "incentives_added", "incentives_to_baseline_buyers", "fixed_costs"]].sum(
        axis=1
    )
    table["expected_profit"] = table.incremental_margin - table.spend
    for end in ("profit_low", "profit_high"):
        table[end] -= table.fixed_costs
    table["roi"] = table.expected_profit / table.spend.where(table.spend > 0)
    discounts = (table.discount, table.discount_to_baseline_buyers)
    sent = (fixed, table.messages, table.response)
    table["break_even_lift"] = break_even_lift(term, table.baseline_probability, table.margin, *discounts, *sent)
    table["max_cost_per_contact"] = (table.profit / table.weight - fixed) / table.messages + term.contact_cost
    keys = pd.MultiIndex.from_frame(table[KEYS])
    table["holdout_customers"] = holdout_sizes.reindex(keys, fill_value=0).to_numpy()
    of_all = minimum_detectable_lift(table.baseline_probability, table.contacts, table.holdout_customers)
    table["minimum_detectable_lift"] = of_all / (term.delivery_rate * table.response)
    for name in ("lift", "lift_low", "lift_high", "evidence"):
        table[name] = term[name]
    known = pd.Series(dtype=float) if break_point_lifts is None else break_point_lifts
    table["break_point_lift"] = known.reindex(table.campaign).to_numpy(float)
    table["reason"] = _reasons(table, term, reached, keys.isin(later if later is not None else []))
    order = ["expected_profit", "campaign", "segment"]
    return table.sort_values(order, ascending=[False, True, True], ignore_index=True)[PLAN_COLUMNS]


def minimum_detectable_lift(baseline: pd.Series, contacts: pd.Series, holdout: pd.Series) -> pd.Series:
    """Compute the lift that a comparison with a holdout group sees 8 times of 10, at 5% two-sided.

    2.80 √(p0 (1 − p0) (1/contacts + 1/holdout)): of everybody listed, whether a contact arrives or not.

    Parameters
    ----------
    baseline : pandas.Series
        Probability of buying without the contact (p0).
    contacts, holdout : pandas.Series
        Customers contacted and held out.

    Returns
    -------
    pandas.Series
        Lift; null without a holdout group.
    """
    sizes = 1 / contacts.where(contacts > 0) + 1 / holdout.where(holdout > 0)
    spread = (baseline * (1 - baseline) * sizes) ** 0.5
    return (Z_TWO_SIDED_5_POWER_80 * spread).where(spread > 0)


def power_by_campaign(plan: pd.DataFrame) -> pd.DataFrame:
    """Find what each planned campaign's holdout groups will show, its segments pooled.

    Parameters
    ----------
    plan : pandas.DataFrame
        See `build_plan`.

    Returns
    -------
    pandas.DataFrame
        campaign, contacts, holdout_customers, lift, minimum_detectable_lift (pooled), verdict: whether the lift can be
        seen.
    """
    chosen = plan[plan.contacts > 0]
    of_all = minimum_detectable_lift(chosen.baseline_probability, chosen.contacts, chosen.holdout_customers)
    weighted = {
        "p0": chosen.baseline_probability * chosen.contacts,
        "delivered": of_all / chosen.minimum_detectable_lift * chosen.contacts,
    }
    sums = {"contacts": "sum", "holdout_customers": "sum", "p0": "sum", "delivered": "sum", "lift": "first"}
    table = chosen.assign(**weighted).groupby("campaign", sort=False).agg(sums).reset_index()
    pooled = minimum_detectable_lift(table.p0 / table.contacts, table.contacts, table.holdout_customers)
    table["minimum_detectable_lift"] = pooled * table.contacts / table.delivered
    seen = table.minimum_detectable_lift <= table.lift
    table["verdict"] = np.where(seen, "will be seen if it is there", "cannot be measured: pool or repeat")
    return table.drop(columns=["p0", "delivered"])


def _reasons(table: pd.DataFrame, term: pd.DataFrame, reached: pd.Series, later: np.ndarray) -> np.ndarray:
    none = table.contacts == 0
    spent = table.groupby("campaign").spend.transform("sum").clip(lower=term.fixed_cost)
    gained, gained_left = (table.groupby("campaign")[name].transform("sum") for name in ("gain", "gain_left"))
    cases = {
        "earns more than it costs": ~none & (table.contacts + table.holdout_customers >= table.customers * NEARLY_ALL),
        "only the customers where it earns most": ~none,
        LATER: later,
        "never pays: an added order earns less than it costs to win": table.break_even_lift.isna(),
        "measured: no effect could be told from none": (term.lift == 0) & (term.evidence == "measured"),
        "break-even lift is above the lift expected": table.best <= 0,
        "its campaign may reach no more customers": reached >= term.capacity,
        "its campaign may spend no more": spent + term.contact_cost > term.max_spend,
        "its fixed cost would not be earned back": (reached == 0) & (gained <= term.fixed_cost),
        "its fixed cost would not be earned back by those whom no other campaign serves better": (reached == 0)
        & (gained_left <= term.fixed_cost)
        & (table.left > table.customers / 2),
    }
    return np.select(list(cases.values()), list(cases), "another use of the money or of these customers earns more")
