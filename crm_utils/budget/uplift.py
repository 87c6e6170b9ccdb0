"""What past campaigns earned, where a random control group lets us know, and what that says about the next plan."""

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.budget.plan import minimum_detectable_lift
from crm_utils.core.errors import UpliftError

NEEDED = ["campaign", "customer_id", "contacted_on", "group"]
COLUMNS = ["campaign", "treated", "control", "bought_treated", "bought_control", "lift", "standard_error", "lift_low"]
COLUMNS += ["lift_high", "minimum_detectable_lift", "earned", "earned_low", "earned_high", "promised", "use", "check"]
Z_90 = 1.6449
LARGEST_DIFFERENCE = 0.1  # standard deviations between the groups before the contact
SURELY_NOT_CHANCE = 3.0  # standard errors
UNKNOWN_ALLOWED = 0.01


def campaign_outcomes(
    past: pd.DataFrame, orders: ir.Table, windows: pd.Series, customer_ids: pd.Series
) -> pd.DataFrame:
    """One row per campaign and customer: what they had done before the contact, and what they bought within the window.

    `orders` as known on the analysis date, `windows` days by campaign name (the longest where a campaign is not
    listed). Adds known (is in `customer_ids`), ends (last day of the window), days_since, orders_before,
    revenue_before, bought, revenue. Raises `ResultsError` for a missing column or a group that is neither
    treatment nor control.
    """
    missing = [column for column in NEEDED if column not in past]
    if missing:
        raise UpliftError(f"table past_campaigns has no column {', '.join(missing)}; it needs {', '.join(NEEDED)}")
    odd = past.group[~past.group.isin(["treatment", "control"])]
    if len(odd):
        raise UpliftError(
            f"table past_campaigns, column group: {len(odd):,} rows are neither treatment nor control, for example {odd.iloc[0]!r}"
        )
    days = past.campaign.map(windows).fillna(windows.max())
    start = pd.to_datetime(past.contacted_on).astype("datetime64[us]")
    table = past[NEEDED].assign(contacted_on=start, ends=start + pd.to_timedelta(days, unit="D"))
    table["known"] = table.customer_id.isin(customer_ids)
    keys = ["campaign", "customer_id"]
    listed = ibis.memtable(table[[*keys, "contacted_on", "ends"]].drop_duplicates(keys))
    placed = orders.select("customer_id", "revenue", day=orders.ordered_at.date()).join(listed, "customer_id")
    before = placed.day < placed.contacted_on.date()
    within = ~before & (placed.day <= placed.ends.date())
    sums = placed.group_by(keys).agg(
        last=placed.day.max(where=before),
        orders_before=before.sum(),
        revenue_before=placed.revenue.sum(where=before),
        bought=within.any(),
        revenue=placed.revenue.sum(where=within),
    )
    joined = table.merge(sums.execute(), on=keys, how="left", validate="many_to_one")
    joined["days_since"] = (joined.contacted_on - pd.to_datetime(joined["last"])).dt.days
    filled = {"orders_before": 0, "revenue_before": 0.0, "revenue": 0.0, "bought": False}
    return joined.drop(columns="last").fillna(filled).astype({"bought": float, "revenue": float})


def measure_campaigns(
    past: pd.DataFrame | None,
    orders: ir.Table,
    customer_ids: pd.Series,
    campaigns: pd.DataFrame,
    margin: float,
    analysis_date: pd.Timestamp,
) -> pd.DataFrame:
    """What past campaigns earned, as `measured` tells; no row where there is no file of past campaigns."""
    if past is None or past.empty:
        return pd.DataFrame(columns=COLUMNS)
    windows = campaigns.set_index("name").window_days
    return measure_uplift(campaign_outcomes(past, orders, windows, customer_ids), campaigns, margin, analysis_date)


def measure_uplift(
    outcomes: pd.DataFrame, campaigns: pd.DataFrame, margin: float, analysis_date: pd.Timestamp
) -> pd.DataFrame:
    """One row per past campaign: its lift and what it earned, each with a 90 % interval, beside what was promised.

    Returns campaign, treated, control, bought_treated, bought_control (shares), lift (a listed customer's, whether
    the contact arrived or not), standard_error, lift_low, lift_high, earned, earned_low, earned_high, promised
    (null where the campaign's costs are unknown), use (measured / observational, not used) and check: why.
    earned = treated × [lift (V − ρ d) − bought_control s ρ d − c] − F with V from what buyers of both groups spent.
    """
    rows = [
        _one(name, own, campaigns[campaigns.name == name], margin, analysis_date)
        for name, own in outcomes.groupby("campaign", sort=True)
    ]
    return pd.DataFrame(rows)


def randomization_check(own: pd.DataFrame, analysis_date: pd.Timestamp) -> str:
    """Why a campaign's groups cannot be trusted to be random; empty where they can.

    A difference before the contact counts where it is at least 0.1 standard deviations and three standard errors:
    small random groups differ by 0.1 often.
    """
    treated, control = own[own.group == "treatment"], own[own.group == "control"]
    both = own.customer_id.duplicated().sum()
    unknown = (~own.known).sum()
    if both:
        return (
            f"{both:,} of {own.customer_id.nunique():,} customers are listed twice or in both groups: correct the file"
        )
    if unknown > UNKNOWN_ALLOWED * len(own):
        return f"{unknown:,} of {len(own):,} customers are not among the known ones: compare the ids"
    if len(control) < 2 or len(treated) < 2:
        return (
            f"{len(treated):,} treated and {len(control):,} held back: without two groups there is nothing to compare"
        )
    if own.ends.max() > pd.Timestamp(analysis_date):
        return f"its window is open until {own.ends.max():%Y-%m-%d}"
    for column, words in (
        ("days_since", "days since the last order"), ("orders_before", "orders before"), ("revenue_before", "revenue before")
    ):  # fmt: skip
        difference, error = _standardized_mean_difference(treated[column].dropna(), control[column].dropna())
        if abs(difference) >= LARGEST_DIFFERENCE and abs(difference) > SURELY_NOT_CHANCE * error:
            return f"the groups were not alike before the contact: {words} differ by {abs(difference):.2f} standard deviations"
    if _sample_ratio_mismatch(own):
        return "the share held back differs between contact days more than chance allows"
    return ""


def update_lifts(campaigns: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """The campaigns with the lifts that were measured in place of those assumed; adds `lift_from`: why it is what it is.

    A measured lift is pulled towards the assumed one with weight ω²/(ω² + se²) on the measurement, ω from the assumed
    range: the handful of campaigns a shop has measured, of different kinds, have no mean worth pulling to. Where a
    test could have seen the assumed lift and saw none, the lift is 0. Where it was too small to tell, the assumption stays.
    """
    table = campaigns.set_index("name").assign(lift_from="assumed")
    trusted = measured[measured.use == "measured"] if len(measured) else measured
    for row in trusted.itertuples():
        if row.campaign not in table.index:
            continue
        term = table.loc[row.campaign]
        lift, error = row.lift / term.delivery_rate, row.standard_error / term.delivery_rate
        if row.lift_low > 0:
            spread = max(term.lift_high - term.lift_low, 1e-9) / (2 * Z_90)
            weight = spread**2 / (spread**2 + error**2)
            used = weight * lift + (1 - weight) * term.lift
            half = Z_90 * spread * (1 - weight) ** 0.5
            values = [used, max(used - half, 0.0), min(used + half, 1.0), "measured", "measured, shrunk"]
        elif row.minimum_detectable_lift / term.delivery_rate <= term.lift:
            high = max(lift + Z_90 * error, 0.0)
            values = [0.0, 0.0, high, "measured", "measured: no effect could be told from none"]
        else:
            values = [
                term.lift,
                term.lift_low,
                term.lift_high,
                term.evidence,
                "assumed: the test was too small to tell",
            ]
        table.loc[row.campaign, ["lift", "lift_low", "lift_high", "evidence", "lift_from"]] = values
    return table.reset_index()


def _one(name: str, own: pd.DataFrame, term: pd.DataFrame, margin: float, analysis_date: pd.Timestamp) -> dict:
    why_not = randomization_check(own, analysis_date)
    treated, control = own[own.group == "treatment"], own[own.group == "control"]
    share, without = treated.bought.mean(), control.bought.mean()
    lift = share - without
    centre, error = _agresti_caffo(treated.bought, control.bought)
    pooled = pd.Series([own.bought.mean()])
    row = {
        "campaign": name,
        "treated": len(treated),
        "control": len(control),
        "bought_treated": share,
        "bought_control": without,
        "lift": lift,
        "standard_error": error,
        "lift_low": max(centre - Z_90 * error, -1.0),
        "lift_high": min(centre + Z_90 * error, 1.0),
        "minimum_detectable_lift": minimum_detectable_lift(
            pooled, pd.Series([len(treated)]), pd.Series([len(control)])
        ).iloc[0],
    }
    buyers = own[own.bought > 0]
    order = buyers.revenue.mean() if len(buyers) else 0.0
    for column, value in {"earned": lift, "earned_low": row["lift_low"], "earned_high": row["lift_high"]}.items():
        row[column] = _incremental_profit(value, without, order, margin, len(treated), term)
    assumed = term.lift.iloc[0] * term.delivery_rate.iloc[0] if len(term) else np.nan
    row["promised"] = _incremental_profit(assumed, without, order, margin, len(treated), term)
    return row | {"use": "observational, not used" if why_not else "measured", "check": why_not or "random groups"}


def _agresti_caffo(*bought: pd.Series) -> tuple[float, float]:
    """Centre and standard error of the difference of two shares, each with a buyer and a non-buyer added.

    Source: Agresti & Caffo (2000). Without them a group of which all or none bought would seem to be known for certain.
    """
    sizes = np.array([len(group) + 2 for group in bought])
    shares = np.array([group.sum() + 1 for group in bought]) / sizes
    return float(shares[0] - shares[1]), float(np.sqrt(np.sum(shares * (1 - shares) / sizes)))


def _incremental_profit(
    lift: float, without: float, order: float, margin: float, treated: int, term: pd.DataFrame
) -> float:
    if term.empty:
        return np.nan
    terms = term.iloc[0]
    given = terms.redemption * (terms.incentive + terms.incentive_share * order)
    won = margin * order * (1 - terms.pull_forward_share) * (1 + terms.follow_on_margin)
    each = lift * (won - given) - without * terms.delivery_rate * given - terms.contact_cost
    return treated * each - terms.fixed_cost


def _standardized_mean_difference(one: pd.Series, other: pd.Series) -> tuple[float, float]:
    """The difference of two means in standard deviations, and its standard error."""
    if len(one) < 2 or len(other) < 2:
        return 0.0, np.inf
    spread = np.sqrt((one.var() + other.var()) / 2)
    return (float((one.mean() - other.mean()) / spread) if spread else 0.0), np.sqrt(1 / len(one) + 1 / len(other))


def _sample_ratio_mismatch(own: pd.DataFrame) -> bool:
    """Sample-ratio check: is the share held back on one contact day beyond chance from that of all days?"""
    held = (own.group == "control").groupby(own.contacted_on).agg(["sum", "size"])
    share = held["sum"].sum() / held["size"].sum()
    deviation = (held["sum"] - held["size"] * share) / np.sqrt(held["size"] * share * (1 - share))
    return bool(len(held) > 1 and (deviation**2).sum() > len(held) - 1 + 5 * np.sqrt(2 * (len(held) - 1)))
