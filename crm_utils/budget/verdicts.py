"""What the strategy says about groups of customers, with the counts of the date."""

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv.btyd.fit import PurchaseModel
from crm_utils.cltv.btyd.gamma_gamma import GammaGamma
from crm_utils.core.exact_money import exact_sum
from crm_utils.rfm.cells import name_cell

# The groups that the strategy starts from, as campaigns name them
TARGET_GROUPS = ("high-spending new customers", "high-spending previously loyal customers")
LEAVE_ALONE = "leave alone"
STRATEGY_CELLS = {
    (5, 1, 4): "win over",
    (4, 1, 3): "win over",
    (3, 5, 5): "keep",
    (4, 4, 4): "keep",
    (1, 1, 1): LEAVE_ALONE,
}
YEAR_DAYS = 365


def strategy_cells(customers: pd.DataFrame, targets: pd.DataFrame, n_bins: int) -> pd.DataFrame:
    """Count the customers of the cells that the strategy names, and what the plan does with them.

    Parameters
    ----------
    customers : pandas.DataFrame
        Customers with rfm_cell and segment.
    targets : pandas.DataFrame
        Who is on a list (`audiences.assign_audiences`).
    n_bins : int
        Number of score classes.

    Returns
    -------
    pandas.DataFrame
        cell, strategy, in_cell (customers), segment (theirs, the most frequent first), contacts (customers of the cell
        on a list, without those held back), campaigns (on whose lists). The strategy counts five classes; its cells
        are put into as many classes as there are.
    """
    columns = ["cell", "strategy", "in_cell", "segment", "contacts", "campaigns"]
    listed = targets[targets.group == "treatment"]
    rows = []
    for scores, strategy in STRATEGY_CELLS.items():
        cell = name_cell(scores, n_bins)
        members = customers[customers.rfm_cell == cell]
        reached = listed[listed.customer_id.isin(members.customer_id)]
        segments, campaigns = (", ".join(names.value_counts().index) for names in (members.segment, reached.campaign))
        rows.append([cell, strategy, len(members), segments or "nobody", len(reached), campaigns])
    return pd.DataFrame(rows, columns=columns)


def segment_verdicts(
    calendar: pd.DataFrame, options: pd.DataFrame, campaigns: pd.DataFrame, profile: pd.DataFrame
) -> pd.DataFrame:
    """Sum up the plan of the period by segment, and what contacting the segments it leaves out would cost.

    Parameters
    ----------
    calendar, options, campaigns : pandas.DataFrame
        See `year.calendar`, `unit_economics.contact_options`; the campaigns.
    profile : pandas.DataFrame
        The segments with their customers (`segment_profile`).

    Returns
    -------
    pandas.DataFrame
        segment, customers, contacts (expected messages), spend, expected_profit, verdict (worthwhile, low potential, no
        campaign or empty), eligible (customers whom a campaign may contact today). For low-potential segments also
        campaign (the one that fits most of their customers) and cost_of_contacting_all: the profit, below 0, of one
        message to all of them. A campaign's fixed cost is shared by its segments.
    """
    sums = calendar.groupby("segment")[["contacts", "spend", "expected_profit"]].sum()
    table = profile[["segment", "customers"]].merge(sums, on="segment", how="left")
    table["eligible"] = table.segment.map(options.drop_duplicates("group").groupby("segment").customers.sum())
    cases = {"empty": table.customers == 0, "worthwhile": table.contacts > 0, "no campaign": table.eligible.isna()}
    table["verdict"] = np.select(list(cases.values()), list(cases), "low potential")
    losses = _losses(options, campaigns, table.segment[table.verdict == "low potential"])
    amounts = ["contacts", "spend", "expected_profit", "eligible"]
    return table.fillna(dict.fromkeys(amounts, 0.0)).merge(losses, on="segment", how="left").astype({"eligible": int})


def _losses(options: pd.DataFrame, campaigns: pd.DataFrame, segments: pd.Series) -> pd.DataFrame:
    """Return segment, campaign and cost_of_contacting_all (see `segment_verdicts`) of the segments that would lose."""
    whole = options[options.segment.isin(segments)].assign(cost_of_contacting_all=options.profit * options.customers)
    sent = whole.groupby(["segment", "campaign"])[["customers", "cost_of_contacting_all"]].sum().reset_index()
    sent = sent.sort_values(["customers", "cost_of_contacting_all"], kind="stable").drop_duplicates(
        "segment", keep="last"
    )
    share = sent.customers / sent.groupby("campaign").customers.transform("sum")
    sent["cost_of_contacting_all"] -= share * sent.campaign.map(campaigns.set_index("name").fixed_cost).astype(float)
    return sent.loc[sent.cost_of_contacting_all < 0, ["segment", "campaign", "cost_of_contacting_all"]]


def acquisition_limit(
    order_value: float, first_basket: float, purchase_days_12m: float, margin_rate: float
) -> pd.DataFrame:
    """Compute what a new customer may cost.

    Margin rate × (first basket + purchase days expected in 12 months × value of one). A new customer who costs more
    does not earn that back in a year.

    Parameters
    ----------
    order_value, first_basket : float
        Money per later purchase day, and on the first one.
    purchase_days_12m : float
        Later purchase days expected in 12 months.
    margin_rate : float
        Margin per unit of revenue.

    Returns
    -------
    pandas.DataFrame
        One row: first_basket, expected_purchase_days_12m, order_value, margin_rate, most_to_pay.
    """
    row = {
        "first_basket": first_basket,
        "expected_purchase_days_12m": purchase_days_12m,
        "order_value": order_value,
        "margin_rate": margin_rate,
        "most_to_pay": margin_rate * (first_basket + purchase_days_12m * order_value),
    }
    return pd.DataFrame([row])


def max_acquisition_cost(
    orders: ir.Table, purchase_model: PurchaseModel, spend_model: GammaGamma, margin_rate: float
) -> pd.DataFrame:
    """Compute `acquisition_limit` from past first purchase days and what the models expect of a new customer.

    Parameters
    ----------
    orders : ibis Table
        The orders as known on the analysis date.
    purchase_model, spend_model : fitted models
        See `cltv.btyd.models_from_table`.
    margin_rate : float
        Margin per unit of revenue.

    Returns
    -------
    pandas.DataFrame
        See `acquisition_limit`.
    """
    days = orders.group_by("customer_id", day=orders.ordered_at.date()).agg(revenue=exact_sum(orders.revenue))
    first = days.group_by("customer_id").agg(revenue=days.revenue.argmin(days.day))
    new = np.zeros(1)
    purchase_days = float(purchase_model.expected_purchases(new, new, new, YEAR_DAYS)[0])
    value = float(spend_model.expected_value(new, new)[0])
    return acquisition_limit(value, float(first.revenue.mean().execute()), purchase_days, margin_rate)
