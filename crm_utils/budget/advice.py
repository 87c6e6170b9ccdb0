"""What the strategy says about groups of customers, with the counts of the day."""

import ibis.expr.types as ir
import numpy as np
import pandas as pd

NEW = "high-spending new"
LOYAL = "high-spending previously loyal"
CELLS = {  # cell: (what the strategy uses it for, what it says of it, who is meant once scores and words are reconciled)
    "514": ("win over", "high-spending new customer", NEW),
    "413": ("win over", "nearly so: lower spend, needs more nurturing", NEW),
    "355": ("keep", "once frequent, loyal and of high value", LOYAL),
    "444": ("keep", "frequent, but less recent of late", LOYAL),
    "111": ("leave alone", "low potential, for winning over and for keeping", "lowest scores on all three"),
}
RULES = {
    NEW: "recency_score >= 4 and frequency_score <= 2 and monetary_score >= 4",
    LOYAL: "recency_score <= 2 and frequency_score >= 4 and monetary_score >= 4",
    "lowest scores on all three": "recency_score == 1 and frequency_score == 1 and monetary_score == 1",
}


def named_cells(customers: pd.DataFrame) -> pd.DataFrame:
    """The cells the strategy names: cell, use, said, in_cell, segment (of its customers, the most frequent first), rule (the group
    that campaigns address), in_rule (its customers).

    Single cells can be empty, and 355 and 444 are not customers long gone; so campaigns use the rules.
    """
    rows = []
    for cell, (use, said, rule) in CELLS.items():
        here = customers[customers.rfm_cell == cell]
        where = ", ".join(here.segment.value_counts().index) or "nobody"
        rows.append([cell, use, said, len(here), where, rule, int(customers.eval(RULES[rule]).sum())])
    return pd.DataFrame(rows, columns=["cell", "use", "said", "in_cell", "segment", "rule", "in_rule"])


def segment_verdicts(
    plan: pd.DataFrame, options: pd.DataFrame, campaigns: pd.DataFrame, profile: pd.DataFrame
) -> pd.DataFrame:
    """What the plan does for each segment, and what spending where it does not would cost.

    Returns segment, customers, contacts, spend, expected_profit, verdict (worthwhile / low potential / no campaign /
    empty), weighed (customers some campaign may be sent to), and of low-potential segments campaign (the best for everybody
    weighed), its fixed_cost, and loss: what contacting them all with it would lose, as a profit (< 0).
    """
    sums = plan.groupby("segment")[["contacts", "spend", "expected_profit"]].sum()
    table = profile[["segment", "customers"]].merge(sums, on="segment", how="left")
    offered = table.contacts.notna()
    table = table.fillna(0)
    everybody = (
        (options.profit * options.customers).groupby([options.segment, options.campaign]).sum().reset_index(name="loss")
    )
    everybody["fixed_cost"] = everybody.campaign.map(campaigns.set_index("name").fixed_cost).astype(float)
    everybody["loss"] -= everybody.fixed_cost
    best = everybody.sort_values("loss", kind="stable").drop_duplicates("segment", keep="last").set_index("segment")
    cases = {"empty": table.customers == 0, "worthwhile": table.contacts > 0, "no campaign": ~offered}
    table["verdict"] = np.select(list(cases.values()), list(cases), "low potential")
    table["weighed"] = table.segment.map(options.drop_duplicates("group").groupby("segment").customers.sum()).fillna(0)
    table[["campaign", "fixed_cost", "loss"]] = best.reindex(table.segment)[
        ["campaign", "fixed_cost", "loss"]
    ].to_numpy()
    losing = (table.verdict == "low potential") & (table.loss < 0)
    table[["campaign", "fixed_cost", "loss"]] = table[["campaign", "fixed_cost", "loss"]].where(losing)
    return table.astype({"contacts": int, "weighed": int, "fixed_cost": float, "loss": float})


def acquisition_limit(orders_value: float, first_basket: float, orders_12m: float, margin: float) -> pd.DataFrame:
    """What one may pay for a new customer: margin × (first basket + orders expected in 12 months × value of an order).

    Returns first_basket, expected_orders, order_value, margin_rate, most_to_pay (one row). Beyond it a new customer
    does not earn back in a year what it cost to win.
    """
    most = margin * (first_basket + orders_12m * orders_value)
    return pd.DataFrame(
        [
            {
                "first_basket": first_basket,
                "expected_orders": orders_12m,
                "order_value": orders_value,
                "margin_rate": margin,
                "most_to_pay": most,
            }
        ]
    )


def acquisition(orders: ir.Table, bg_nbd, gamma_gamma, margin: float) -> pd.DataFrame:
    """`acquisition_limit` from the mean of all first purchase days and what the models expect of a new customer."""
    days = orders.group_by("customer_id", day=orders.ordered_at.date()).agg(
        revenue=orders.revenue.cast("decimal(38, 4)").sum()
    )
    first = days.group_by("customer_id").agg(revenue=days.revenue.argmin(days.day))
    nobody = np.zeros(1)
    later = float(bg_nbd.expected_orders(nobody, nobody, nobody, 365)[0])
    value = float(gamma_gamma.expected_value(nobody, nobody)[0])
    return acquisition_limit(value, float(first.revenue.mean().execute()), later, margin)
