"""Where a marketing budget earns most: campaigns × segments by expected incremental profit.

Per contact: π = s [u (V − ρ d) − p0 ρ d] − c, with V = g v (1 − φ). g margin rate, v value of an order, φ share
of added orders merely pulled forward, u lift, p0 probability of buying without the contact, d incentive, ρ its
redemption, s share of contacts delivered, c cost of a contact. A campaign's fixed cost is paid once.
"""

import numpy as np
import pandas as pd
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import coo_array, vstack

VALUE_CLASSES = 10
COLUMNS = [
    "campaign",
    "segment",
    "customers",
    "contacts",
    "spend",
    "expected_profit",
    "roi",
    "break_even_lift",
    "max_cost_per_contact",
    "basis",
    "reason",
]


class BudgetError(ValueError):
    """A plan cannot be made; the message names the campaign and what is wrong."""


def margin_rate(model: pd.DataFrame) -> float:
    """The margin rate that 04_cltv assumed."""
    return float(model.set_index(["model", "parameter"]).value["CLV", "margin_rate"])


def candidates(customers: pd.DataFrame, segments: pd.DataFrame, cltv: pd.DataFrame) -> pd.DataFrame:
    """One row per customer with what a plan looks at: scores, segment, behaviour and order_value (expected, money)."""
    joined = customers.merge(segments, on="customer_id", validate="one_to_one").merge(
        cltv, on="customer_id", validate="one_to_one"
    )
    if len(joined) != len(customers):
        raise BudgetError(
            f"{len(customers) - len(joined):,} of {len(customers):,} customers have no segment or no forecast: rerun 03_segmentation and 04_cltv"
        )
    expected = joined.expected_revenue / joined.expected_orders.where(joined.expected_orders > 0)
    return joined.assign(order_value=expected.fillna(joined.mean_value))


def audiences(customers: pd.DataFrame, campaigns: pd.DataFrame, segment_names: list[str]) -> pd.DataFrame:
    """Who each campaign may address: customer_id (index) × campaign, True where eligible.

    Raises `BudgetError` for an unknown segment or a `where` that is no query on the customers' columns.
    """
    eligible = {}
    for campaign in campaigns.itertuples():
        unknown = set(campaign.segments) - set(segment_names)
        if unknown:
            raise BudgetError(
                f"campaign {campaign.name}: unknown segment {', '.join(sorted(unknown))}; the segment map has {', '.join(segment_names)}"
            )
        eligible[campaign.name] = (
            customers.segment.isin(campaign.segments) if campaign.segments else _matching(customers, campaign)
        )
    return pd.DataFrame(eligible).set_axis(customers.customer_id)


def groups(
    customers: pd.DataFrame, eligible: pd.DataFrame, campaigns: pd.DataFrame, chances: pd.DataFrame, margin: float
) -> pd.DataFrame:
    """What one contact of each campaign does for each group of alike customers.

    A group shares segment, eligible campaigns and tenth of order value. `chances` is P(buys anyway) per customer and window.
    Returns campaign, group, segment, customers, p0, margin (V), spend and profit per contact: one row a campaign and group.
    """
    pattern = eligible.to_numpy() @ (1 << np.arange(eligible.shape[1], dtype=object))
    tenth = (customers.order_value.rank(method="first", pct=True) * VALUE_CLASSES).apply(np.ceil)
    keyed = customers.assign(pattern=pattern.astype(str), tenth=tenth.astype(int))
    keyed["group"] = keyed.groupby(["segment", "pattern", "tenth"], sort=True).ngroup()
    tables = []
    for campaign in campaigns.itertuples():
        chosen = keyed[eligible[campaign.name].to_numpy()]
        if not chosen.empty:
            with_chance = chosen.assign(p0=chances.loc[chosen.customer_id, campaign.window_days].to_numpy())
            means = with_chance.groupby(["group", "segment"]).agg(
                customers=("p0", "size"), p0=("p0", "mean"), order_value=("order_value", "mean")
            )
            tables.append(means.reset_index().assign(campaign=campaign.name))
    if not tables:
        return pd.DataFrame(
            columns=["campaign", "group", "segment", "customers", "p0", "order_value", "margin", "spend", "profit"]
        )
    return _economics(pd.concat(tables, ignore_index=True), campaigns, margin)


def allocate(options: pd.DataFrame, campaigns: pd.DataFrame, budget: float) -> pd.DataFrame:
    """The options with `contacts`: the plan of highest expected profit, one campaign a customer, within the budget.

    Spend counts contacts, fixed costs and the incentives expected to be redeemed. What would not earn its cost stays unspent.
    """
    used = options[options.profit > 0].reset_index()
    if used.empty or budget <= 0:
        return options.assign(contacts=0)
    names = campaigns.name.tolist()
    fixed = campaigns.fixed_cost.to_numpy(float)
    lines, switches = len(used), len(names)
    row, campaign = np.arange(lines), used.campaign.map(names.index).to_numpy()
    group = used.group.rank(method="dense").astype(int).to_numpy() - 1
    size = used.groupby(group).customers.max().to_numpy(float)
    once = coo_array((np.ones(lines), (group, row)), (len(size), lines + switches))
    opened = coo_array(
        (
            np.concatenate([np.ones(lines), -used.customers.to_numpy(float)]),
            (np.tile(row, 2), np.concatenate([row, lines + campaign])),
        ),
        (lines, lines + switches),
    )
    cost = coo_array(np.concatenate([used.spend.to_numpy(), fixed])[None, :])
    limits = LinearConstraint(vstack([once, opened, cost]), ub=np.concatenate([size, np.zeros(lines), [budget]]))
    upper = np.concatenate([used.customers.to_numpy(float), np.ones(switches)])
    solution = milp(
        np.concatenate([-used.profit.to_numpy(), fixed]),
        integrality=np.ones(lines + switches),
        bounds=(0, upper),
        constraints=limits,
        options={"mip_rel_gap": 1e-6},
    )
    if solution.x is None:
        raise BudgetError(f"no plan found: {solution.message}")
    contacts = np.rint(solution.x[:lines]).astype(int)
    return options.assign(contacts=pd.Series(contacts, index=used["index"]).reindex(options.index, fill_value=0))


def plan(options: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    """The budget table: one row per campaign × segment with eligible customers, planned or not, the best profit first.

    break_even_lift and max_cost_per_contact are of the planned contacts, or of all eligible customers where none is
    planned; a campaign's fixed cost is shared out by contacts. Null where no lift could pay.
    """
    terms = campaigns.set_index("name")
    reached = options.groupby("campaign").contacts.sum()
    rows = []
    for (campaign, segment), line in options.groupby(["campaign", "segment"], sort=False):
        term, contacts = terms.loc[campaign], int(line.contacts.sum())
        weight = line.contacts if contacts else line.customers
        fixed = term.fixed_cost / (
            reached[campaign] if contacts else options[options.campaign == campaign].customers.sum()
        )
        p0, margin, profit = (np.average(line[column], weights=weight) for column in ("p0", "margin", "profit"))
        spend = contacts * fixed + (line.contacts * line.spend).sum()
        expected = (line.contacts * line.profit).sum() - contacts * fixed
        lift = _break_even(term, p0, margin, fixed)
        rows.append(
            [
                campaign,
                segment,
                int(line.customers.sum()),
                contacts,
                spend,
                expected,
                expected / spend if spend else np.nan,
                lift,
                profit + term.contact_cost - fixed,
                term.basis,
                _reason(line, contacts, lift, term, fixed, reached[campaign] > 0),
            ]
        )
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(
        ["expected_profit", "campaign", "segment"], ascending=[False, True, True], ignore_index=True
    )


def segment_verdicts(plan: pd.DataFrame, profile: pd.DataFrame) -> pd.DataFrame:
    """What the plan does for each segment: segment, customers, contacts, spend, expected_profit, verdict (worthwhile / low potential / empty)."""
    sums = plan.groupby("segment")[["contacts", "spend", "expected_profit"]].sum()
    table = profile[["segment", "customers"]].merge(sums, on="segment", how="left").fillna(0)
    table["verdict"] = np.select([table.customers == 0, table.contacts > 0], ["empty", "worthwhile"], "low potential")
    return table.astype({"contacts": int})


def _matching(customers: pd.DataFrame, campaign) -> pd.Series:
    try:
        return customers.eval(campaign.where).astype(bool)
    except Exception as error:  # pandas raises many kinds for a query that does not fit
        raise BudgetError(
            f"campaign {campaign.name}: where {campaign.where!r} is no query on the customers: {error}"
        ) from error


def _economics(options: pd.DataFrame, campaigns: pd.DataFrame, margin_rate: float) -> pd.DataFrame:
    term = campaigns.set_index("name").loc[options.campaign].reset_index(drop=True)
    given = term.redemption * term.incentive
    margin = margin_rate * options.order_value * (1 - term.pulled_forward)
    profit = term.delivered * (term.lift * (margin - given) - options.p0 * given) - term.contact_cost
    spend = term.contact_cost + term.delivered * given * (options.p0 + term.lift)
    return options.assign(margin=margin, spend=spend, profit=profit)


def _break_even(term: pd.Series, p0: float, margin: float, fixed: float) -> float:
    """u* = ((c + F/n)/s + p0 ρ d) / (V − ρ d); null where no lift could pay."""
    given = term.redemption * term.incentive
    if margin <= given:
        return np.nan
    lift = ((term.contact_cost + fixed) / term.delivered + p0 * given) / (margin - given)
    return lift if lift <= 1 - p0 else np.nan


def _reason(line: pd.DataFrame, contacts: int, lift: float, term: pd.Series, fixed: float, campaign_runs: bool) -> str:
    if contacts == line.customers.sum():
        return "earns more than it costs"
    if contacts:
        return "only the customers where it earns most"
    if np.isnan(lift):
        return "never pays: an added order earns less than it costs to win"
    if (line.profit <= 0).all():
        return "break-even lift is above the lift expected"
    if not campaign_runs and lift > term.lift:
        return "its fixed cost would not be earned back"
    return "another use of the money or of these customers earns more"
