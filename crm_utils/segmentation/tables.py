"""The tables of 03_segmentation."""

from html import escape

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.core.display.table_style import Collapsible, collapsible, style_table
from crm_utils.core.formatting import NumberFormat
from crm_utils.segmentation.labels import CAUSE_LABELS, STATUS_LABELS, trait_label, trait_value_label
from crm_utils.segmentation.named_map import segment_anchor
from crm_utils.segmentation.narrative import limits_in_words

BEHIND_THE_FIGURE = "The numbers behind the figure"


def profile(profile: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show size, revenue and behaviour of each segment.

    Parameters
    ----------
    profile : pandas.DataFrame
        The table `segment_profile`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Styler
        One row for each segment, with a total.
    """
    shown = profile.drop(columns="advice").rename(columns={"orders": "mean_orders"})
    summed = ("customers", "customer_share", "revenue", "revenue_share")
    return style_table(shown, "The segments on this date", fmt, total=summed)


def advice(profile: pd.DataFrame, meaning: dict[str, str], limits: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show what each segment means, its limits on this date, and what to do.

    Parameters
    ----------
    profile : pandas.DataFrame
        See `segment_profile`.
    meaning : dict of str to str
        What each segment says about its customers.
    limits : pandas.DataFrame
        See `segment_limits`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    pandas.io.formats.style.Styler
        One row per segment, which a link can lead to (`segment_anchor`).
    """
    shown = profile.assign(meaning=profile.segment.map(meaning), limits=limits_in_words(profile, limits, fmt))
    headings = {"advice": "What to do", "limits": "On this date"}
    style = style_table(
        shown[["segment", "meaning", "limits", "advice"]], "What each segment means and what to do", fmt, headings
    )
    return style.format(_with_anchor, subset=["Segment"], escape=None)


def _with_anchor(segment: str) -> str:
    return f'<span id="{segment_anchor(segment)}">{escape(segment)}</span>'


def segment_migration(net: pd.DataFrame, fmt: NumberFormat) -> Collapsible | None:
    """Show customers of each segment then and now, and the change by cause."""
    if net.empty:
        return None
    caption = "Customers of each segment on both dates, and the change by cause"
    table = style_table(net, caption, fmt, CAUSE_LABELS, total=tuple(net.columns[1:]))
    return collapsible(BEHIND_THE_FIGURE, table)


def lifecycle(crossed: pd.DataFrame, order: list[str], fmt: NumberFormat) -> Collapsible | None:
    """Show customers by segment and status."""
    table = crossed.pivot(index="segment", columns="value", values="customers").fillna(0).astype(int)
    shown = table.reindex([name for name in order if name in table.index]).rename_axis(columns=None).reset_index()
    statuses = tuple(shown.columns[1:])
    styled = style_table(shown, "Customers by segment and status", fmt, STATUS_LABELS, total=statuses)
    return collapsible(BEHIND_THE_FIGURE, styled)


def buying_behaviour(features: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show how each segment buys."""
    return None if features.empty else style_table(features, "How each segment buys", fmt)


def trait_associations(associations: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show which value of each trait stands out in which segment."""
    if associations.empty:
        return None
    pairs = zip(associations.trait, associations.value, strict=True)
    shown = pd.DataFrame(
        {
            "trait": [trait_label(trait) for trait in associations.trait],
            "strength": associations.strength,
            "segment": associations.segment,
            "stands_out": [trait_value_label(trait, value) for trait, value in pairs],
            "share": associations.share,
            "share_of_all": associations.share_of_all,
            "customers_with_value": associations.customers.map(fmt.count)
            + associations.small.map({True: " (small)", False: ""}),
        }
    )
    headings = {"trait": "Trait", "customers_with_value": "Customers"}
    return style_table(shown, "What stands out in which segment", fmt, headings)


def stability(retention: pd.DataFrame, order: list[str], fmt: NumberFormat) -> Collapsible | None:
    """Show how often customers keep their segment, by segment."""
    if retention.empty:
        return None
    names = [name for name in order if name in set(retention.segment)]
    shown = retention.set_index("segment").reindex(names).reset_index()
    table = style_table(shown, "How often customers keep their segment in resamples", fmt)
    return collapsible("Segment by segment", table)


def cluster_profiles(described: pd.DataFrame, fmt: NumberFormat) -> Collapsible | None:
    """Show the clusters and their most frequent segments."""
    if described.empty:
        return None
    headings = {"main_segment": "Mostly", "description": "In words"}
    table = style_table(described, "The groups, highest mean revenue first", fmt, headings)
    return collapsible("The groups and their segments", table)
