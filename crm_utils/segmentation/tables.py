"""Tables of 03_segmentation."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.core import formatting
from crm_utils.core.display.table_style import Collapsible, collapsible, style_table


def profile(profile: pd.DataFrame, currency: str) -> Styler:
    shown = profile.drop(columns="advice").rename(columns={"orders": "mean_orders"})
    summed = ("customers", "customer_share", "revenue", "revenue_share")
    return style_table(shown, "The segments on this date", currency, total=summed)


def advice(profile: pd.DataFrame, meaning: dict[str, str]) -> Styler:
    shown = profile.assign(meaning=profile.segment.map(meaning))[["segment", "meaning", "advice"]]
    return style_table(shown, "What each segment means and what to do", headings={"advice": "What to do"})


def moves(net: pd.DataFrame, currency: str) -> Collapsible | None:
    if net.empty:
        return None
    caption = "Customers of each segment then and now, and what changed their number"
    table = style_table(net, caption, currency, total=tuple(net.columns[1:]))
    return collapsible("The numbers behind the figure", table)


def statuses(crossed: pd.DataFrame, order: list[str]) -> Collapsible:
    table = crossed.pivot(index="segment", columns="value", values="customers").fillna(0).astype(int)
    shown = table.reindex([name for name in order if name in table.index]).rename_axis(columns=None).reset_index()
    summed = tuple(shown.columns[1:])
    return collapsible(
        "The numbers behind the figure", style_table(shown, "Customers by segment and status", total=summed)
    )


def habits(typical: pd.DataFrame) -> Styler | None:
    return None if typical.empty else style_table(typical, "How each segment buys")


def associations(associations: pd.DataFrame) -> Styler | None:
    if associations.empty:
        return None
    warned = associations.customers.map(formatting.count) + associations.small.map({True: " (small)", False: ""})
    shown = associations.assign(customers=warned, trait=associations.trait.str.replace("_", " ")).drop(columns="small")
    shown = shown.rename(columns={"customers": "these_customers", "value": "stands_out"})
    return style_table(
        shown, "What stands out where", headings={"these_customers": "Customers", "trait": "What is known"}
    )


def stability(kept: pd.DataFrame, order: list[str]) -> Collapsible | None:
    if kept.empty:
        return None
    shown = kept.set_index("segment").reindex([name for name in order if name in set(kept.segment)]).reset_index()
    return collapsible("Segment by segment", style_table(shown, "How often customers keep their segment in resamples"))


def clusters(described: pd.DataFrame, currency: str) -> Collapsible | None:
    if described.empty:
        return None
    table = style_table(described, "The clusters, the highest mean revenue first", currency, {"main_segment": "Mostly"})
    return collapsible("The clusters and the segments they meet", table)
