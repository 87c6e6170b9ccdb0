"""What the strategy says about groups of customers, with the counts of the day."""

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.core.exact_money import exact_sum

STRATEGY_CELLS = {"514": "win over", "413": "win over", "355": "keep", "444": "keep", "111": "leave alone"}


def strategy_cells(customers: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """The cells the strategy names, and what the plan does with their customers of today.

    Returns cell, use, in_cell (customers), segment (of these, the most frequent first), contacts (customers of the cell
    on a list, those held back apart), campaigns (on whose lists). `targets` says who is on a list (see `audiences.targets`).
    """
    listed = targets[targets.group == "treatment"]
    rows = []
    for cell, use in STRATEGY_CELLS.items():
        here = customers[customers.rfm_cell == cell]
        reached = listed[listed.customer_id.isin(here.customer_id)]
        named = [", ".join(column.value_counts().index) for column in (here.segment, reached.campaign)]
        rows.append([cell, use, len(here), named[0] or "nobody", len(reached), named[1]])
    return pd.DataFrame(rows, columns=["cell", "use", "in_cell", "segment", "contacts", "campaigns"])


def segment_verdicts(
    plan: pd.DataFrame, options: pd.DataFrame, campaigns: pd.DataFrame, profile: pd.DataFrame
) -> pd.DataFrame:
    """What the plan does for each segment, and what spending where it does not would cost.

    Returns segment, customers, contacts, spend, expected_profit, verdict (worthwhile / low potential / no campaign /
    empty), eligible (customers some campaign may be sent to), and of low-potential segments campaign (the one that fits
    most of them) and cost_of_contacting_all: what sending it to all of them would lose, as a profit (< 0). What a campaign costs once is
    shared by its segments.
    """
    sums = plan.groupby("segment")[["contacts", "spend", "expected_profit"]].sum()
    table = profile[["segment", "customers"]].merge(sums, on="segment", how="left")
    cases = {"empty": table.customers == 0, "worthwhile": table.contacts > 0, "no campaign": table.contacts.isna()}
    table["verdict"] = np.select(list(cases.values()), list(cases), "low potential")
    table["eligible"] = table.segment.map(options.drop_duplicates("group").groupby("segment").customers.sum())
    losses = _losses(options, campaigns, table.segment[table.verdict == "low potential"])
    amounts = ["contacts", "spend", "expected_profit", "eligible"]
    return (
        table.fillna(dict.fromkeys(amounts, 0))
        .merge(losses, on="segment", how="left")
        .astype({"contacts": int, "eligible": int})
    )


def _losses(options: pd.DataFrame, campaigns: pd.DataFrame, segments: pd.Series) -> pd.DataFrame:
    """What sending each of these segments the campaign that fits most of it would lose: segment, campaign, cost_of_contacting_all (< 0)."""
    whole = options[options.segment.isin(segments)].assign(cost_of_contacting_all=options.profit * options.customers)
    sent = whole.groupby(["segment", "campaign"])[["customers", "cost_of_contacting_all"]].sum().reset_index()
    sent = sent.sort_values(["customers", "cost_of_contacting_all"], kind="stable").drop_duplicates(
        "segment", keep="last"
    )
    share = sent.customers / sent.groupby("campaign").customers.transform("sum")
    sent["cost_of_contacting_all"] -= share * sent.campaign.map(campaigns.set_index("name").fixed_cost).astype(float)
    return sent.loc[sent.cost_of_contacting_all < 0, ["segment", "campaign", "cost_of_contacting_all"]]


def acquisition_limit(orders_value: float, first_basket: float, orders_12m: float, margin: float) -> pd.DataFrame:
    """What one may pay for a new customer: margin × (first basket + orders expected in 12 months × value of an order).

    Returns first_basket, expected_purchase_days_12m, order_value, margin_rate, most_to_pay (one row). Beyond it a new customer
    does not earn back in a year what it cost to win.
    """
    most = margin * (first_basket + orders_12m * orders_value)
    return pd.DataFrame(
        [
            {
                "first_basket": first_basket,
                "expected_purchase_days_12m": orders_12m,
                "order_value": orders_value,
                "margin_rate": margin,
                "most_to_pay": most,
            }
        ]
    )


def max_acquisition_cost(orders: ir.Table, bg_nbd, gamma_gamma, margin: float) -> pd.DataFrame:
    """`acquisition_limit` from the mean of all first purchase days and what the models expect of a new customer."""
    days = orders.group_by("customer_id", day=orders.ordered_at.date()).agg(revenue=exact_sum(orders.revenue))
    first = days.group_by("customer_id").agg(revenue=days.revenue.argmin(days.day))
    nobody = np.zeros(1)
    later = float(bg_nbd.expected_purchases(nobody, nobody, nobody, 365)[0])
    value = float(gamma_gamma.expected_value(nobody, nobody)[0])
    return acquisition_limit(value, float(first.revenue.mean().execute()), later, margin)
