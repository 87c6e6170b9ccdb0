"""The findings of 03_segmentation: one function per section of the notebook."""

from datetime import date

import pandas as pd

from crm_utils.config.segment_map import SegmentRole
from crm_utils.core.display.finding import Finding
from crm_utils.core.display.table_style import collapsible
from crm_utils.core.formatting import NumberFormat
from crm_utils.segmentation import charts, drawings, narrative, tables
from crm_utils.segmentation.lifecycle import LifecycleRules
from crm_utils.segmentation.revenue_bridge import Bridge, Periods

SHARES_CAPTION = "Each area is as large as the segment’s revenue so far. It leads to what the segment means."
BRIDGE_CAPTION = "From the revenue of the earlier period to that since the earlier date."
MOVES_CAPTION = (
    "The five largest moves from one segment to another: customers, and what they spent in the last 12 months. Each "
    "leads to the list of those who are new in a segment."
)
CAUSES = "Why: what customers did, and what moved the score limits"
MIGRATION_CAPTION = (
    "Change in the number of customers of each segment by cause. Gains are to the right of the line and losses to the "
    "left. The diamond is their sum."
)


def empty_segments(profile: pd.DataFrame) -> Finding:
    """Show segments without customers.

    Parameters
    ----------
    profile : pandas.DataFrame
        See `segment_profile`.

    Returns
    -------
    Finding
        A sentence.
    """
    return Finding(narrative.empty_segments(profile))


def segment_shares(profile: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show each segment's share of customers and of revenue.

    Parameters
    ----------
    profile : pandas.DataFrame
        See `segment_profile`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and a treemap of revenue.
    """
    sentence = narrative.leading_segments(profile)
    return Finding(sentence, caption=SHARES_CAPTION, drawing=drawings.draw_treemap(profile, fmt))


def new_customers(
    customers: pd.DataFrame,
    segments: pd.DataFrame,
    new_within_days: int | None,
    analysis_date: date,
    fmt: NumberFormat,
) -> Finding:
    """Show how many customers are new, and which segments they are in.

    Parameters
    ----------
    customers, segments : pandas.DataFrame
        The customers with first_order, and the segment of each.
    new_within_days : int, optional
        A customer whose first order is at most this many days old is new. None means `RECENT_DAYS`.
    analysis_date : date
        The date of the report.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence.
    """
    assigned = customers.merge(segments[["customer_id", "segment"]], on="customer_id")
    return Finding(narrative.new_customers(assigned, new_within_days, analysis_date, fmt))


def slipping_customers(
    profile: pd.DataFrame, roles: dict[str, SegmentRole | None], new: pd.Series, fmt: NumberFormat
) -> Finding:
    """Show the customers who used to be valuable and have stopped ordering.

    Parameters
    ----------
    profile : pandas.DataFrame
        See `segment_profile`.
    roles : dict of str to SegmentRole
        The role of each segment (`SegmentMap.roles`).
    new : pandas.Series
        Whether each customer is new (`are_new`).
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence; not applicable if no segment of the map has the role `slipping`, or all customers are new.
    """
    return Finding(narrative.slipping_customers(profile, roles, bool(new.all()), fmt))


def changes_since(
    then: pd.DataFrame,
    now: pd.DataFrame,
    earlier: date | None,
    periods: Periods | None,
    bridge: Bridge | None,
    fmt: NumberFormat,
) -> Finding:
    """Show what changed since the earlier date, against a period as long.

    Parameters
    ----------
    then, now : pandas.DataFrame
        The customers with their RFM measures at the two dates.
    earlier : date, optional
        The earlier date.
    periods : Periods, optional
        See `comparable_periods`.
    bridge : Bridge, optional
        See `compute_bridge`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, and bars from one revenue to the other; not applicable without an earlier date.
    """
    sentence = narrative.changes_since(then, now, earlier, periods, bridge, fmt)
    return Finding(sentence, caption=BRIDGE_CAPTION, drawing=drawings.draw_bridge(periods, bridge, fmt))


def largest_moves(
    moves: pd.DataFrame,
    profile: pd.DataFrame,
    net: pd.DataFrame,
    since: date | None,
    roles: dict[str, SegmentRole | None],
    fmt: NumberFormat,
) -> Finding:
    """Show the largest moves between segments since the earlier date, and behind them the causes.

    Parameters
    ----------
    moves : pandas.DataFrame
        See `moved_customers.largest_moves`.
    profile : pandas.DataFrame
        See `segment_profile`.
    net : pandas.DataFrame
        See `net_by_cause`.
    since : date, optional
        The earlier date.
    roles : dict of str to SegmentRole
        The role of each segment (`SegmentMap.roles`).
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, flows and the folded causes; not applicable without an earlier date.
    """
    sentence = narrative.largest_moves(moves, since, fmt)
    causes = None if net.empty else collapsible(CAUSES, segment_migration(net, since, roles, fmt))
    drawing = drawings.draw_moves(moves, profile, fmt)
    brief = None if since is None else narrative.largest_move_in_brief(moves, since, fmt)
    return Finding(sentence, caption=MOVES_CAPTION, drawing=drawing, table=causes, brief=brief)


def segment_migration(
    net: pd.DataFrame, since: date | None, roles: dict[str, SegmentRole | None], fmt: NumberFormat
) -> Finding:
    """Show who moved between segments since the earlier date, and why.

    Parameters
    ----------
    net : pandas.DataFrame
        See `net_by_cause`.
    since : date
        The earlier date.
    roles : dict of str to SegmentRole
        The role of each segment (`SegmentMap.roles`).
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, bars by cause and table; not applicable without an earlier date.
    """
    return Finding(
        narrative.segment_migration(net, since, roles, fmt),
        charts.plot_segment_migration(net, fmt),
        MIGRATION_CAPTION,
        charts.alt_text_segment_migration(net, fmt),
        tables.segment_migration(net, fmt),
    )


def lifecycle(
    crossed: pd.DataFrame, prospects: int, rules: LifecycleRules, order: list[str], fmt: NumberFormat
) -> Finding:
    """Show how many customers have which status, and the mix within each segment.

    Parameters
    ----------
    crossed : pandas.DataFrame
        Customers by segment and status (`crosstab`).
    prospects : int
        People on the contact list without an order.
    rules : LifecycleRules
        The limits between statuses.
    order : list of str
        The segments in the order of the report.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence, bars and table.
    """
    return Finding(
        narrative.lifecycle(crossed, prospects, fmt),
        charts.plot_lifecycle(crossed, order),
        narrative.lifecycle_rules(rules, fmt),
        charts.alt_text_lifecycle(crossed),
        tables.lifecycle(crossed, order, fmt),
    )


def buying_behaviour(features: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show how each segment buys.

    Parameters
    ----------
    features : pandas.DataFrame
        See `segment_features`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table; not applicable if the source has neither prices, products, returns nor countries.
    """
    return Finding(narrative.buying_behaviour(features), table=tables.buying_behaviour(features, fmt))


def trait_associations(associations: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show which traits differ most between segments.

    Parameters
    ----------
    associations : pandas.DataFrame
        See `profiling.trait_associations`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table; not applicable if nothing else is known about customers.
    """
    return Finding(narrative.trait_associations(associations, fmt), table=tables.trait_associations(associations, fmt))


def stability(retention: pd.DataFrame, order: list[str], fmt: NumberFormat) -> Finding:
    """Show how stable segments are.

    Parameters
    ----------
    retention : pandas.DataFrame
        See `bootstrap_retention`.
    order : list of str
        The segments in the order of the report.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table; not applicable unless customers are scored by the default method.
    """
    return Finding(narrative.stability(retention), table=tables.stability(retention, order, fmt))


def cluster_profiles(described: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show the groups that customers form by similarity alone.

    Parameters
    ----------
    described : pandas.DataFrame
        See `describe_clusters`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        Sentence and table; not applicable if too few customers differ.
    """
    return Finding(narrative.cluster_profiles(described, fmt), table=tables.cluster_profiles(described, fmt))


def silent_in_recent_segments(
    customers: pd.DataFrame,
    segments: pd.DataFrame,
    roles: dict[str, SegmentRole | None],
    at_risk_after_days: int,
    fmt: NumberFormat,
) -> Finding:
    """Show whether the segments that are called recent are recent on this date.

    Parameters
    ----------
    customers, segments : pandas.DataFrame
        The customers with recency_days, and the segment of each.
    roles : dict of str to SegmentRole
        The role of each segment (`SegmentMap.roles`).
    at_risk_after_days : int
        Without an order for more days than this, a customer is silent.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence. A warning stands on the first page, too.
    """
    warning = narrative.silent_in_recent_segments(customers, segments, roles, at_risk_after_days, fmt)
    return Finding(warning or narrative.recent_indeed(at_risk_after_days, fmt), brief=warning)


def contact_lists(profile: pd.DataFrame, fmt: NumberFormat) -> Finding:
    """Show how many lists there are, and where they are.

    Parameters
    ----------
    profile : pandas.DataFrame
        See `segment_profile`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Finding
        A sentence.
    """
    return Finding(narrative.contact_lists(profile, fmt))
