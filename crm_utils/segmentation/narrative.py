"""Sentences of 03_segmentation: templates first, then the functions that fill them."""

from datetime import date

import pandas as pd

from crm_utils.config.segment_map import SegmentRole
from crm_utils.core.constants import RECENT_DAYS
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import NumberFormat, day, join_names, percent
from crm_utils.segmentation.assignment import are_new
from crm_utils.segmentation.labels import status_label, trait_label, trait_value_label
from crm_utils.segmentation.lifecycle import LifecycleRules
from crm_utils.segmentation.migration import Cause
from crm_utils.segmentation.profiling import SMALL_GROUP_CUSTOMERS
from crm_utils.segmentation.revenue_bridge import Bridge, Periods

EMPTY_SEGMENTS = "No customer is in {segments} on this date."
NO_EMPTY_SEGMENT = "Every segment has customers."

LEADING = "{segment} are {customer_share} of customers and brought {revenue_share} of revenue."
LARGEST = "The largest segment, {segment}, is {customer_share} of customers and brought {revenue_share} of revenue."
LEADING_IS_LARGEST = "They are also the largest segment."

NEW = "{customers} ({share}) ordered for the first time in the last {days}: {segments}."
NEW_IN_SEGMENT = "{customers} in {segment}"
NEW_ELSEWHERE = "{customers} in other segments"
TOO_SHORT = (
    "The history is too short for segments: every customer ordered for the first time in the last {days}. It cannot "
    "show who has stopped buying."
)
NO_NEW = "No customer is new: the latest first order was on {day}. The plan is for existing customers only."
MAX_NEW_SEGMENTS = 3

SLIPPING = (
    "{customers} who used to buy often or spend a lot {have} stopped ordering ({segments}). {they} had spent {revenue}."
)
NO_SLIPPING = "No valuable customer has stopped ordering."
SLIPPING_TOO_EARLY = "It is too early to tell whether a valuable customer has stopped ordering."
SLIPPING_UNKNOWN = "The segment map does not mark any segment as slipping."

ORDERED_AGAIN = "Since {then}, {again} of {existing} ordered again, and {new}."
NEW_CAME = "{new} came"
NONE_CAME = "no new customer came"
NO_PERIOD_BEFORE = "There is no period as long to compare its revenue with."
REVENUE_SINCE = "From {start} to {end} customers spent {revenue}, {change} {against} ({before})."
REVENUE_ALONE = "From {start} to {end} customers spent {revenue}. Nothing was spent {against}."
SAME_DAYS, DAYS_BEFORE = "in the same days a year before", "in the {days} before"
AS_MUCH, MORE_THAN, LESS_THAN = "as much as", "{change} more than", "{change} less than"
BRIDGE = (
    "Customers won since then brought {new}, and known ones who spent more added {more}. Those who spent less took "
    "away {less}, and those who did not come back {lost}."
)
LARGEST_MOVE = (
    "The largest move since {day} is from {previous} to {new}: {customers}, who spent {revenue} in the last 12 months."
)
LARGEST_IN_BRIEF = "Largest move since {day}: {customers} from {previous} to {new}, who spent {revenue} in 12 months."
NOBODY_MOVED = "Nobody has moved from one segment to another since {day}."
NO_EARLIER_DATE = "There is no earlier date to compare with, or the scoring is that of the article."

BEHAVIOUR = "Compared with {day}, {change} customers behave like {segment}."
AS_MANY = "As many customers behave like {segment} as on {day}."
COUNT = "The segment went from {then} to {customers}{reasons}."
SAME_COUNT = "The segment still has {customers}{reasons}."
MOVED_EDGES = "moved score limits {effect}"
ARRIVALS = "new customers, less those who left, {effect}"

LIFECYCLE = "{first} of customers are {status}{others}."
PROSPECTS = (
    "{people} on the contact list {have} no order that counts. Either {they} {have} not ordered yet, or all orders "
    "were cancelled."
)
LIFECYCLE_RULES = (
    "Gone: no order for more than {gone}. Silent: no order for more than {silent}. New: first order within {new}. "
    "Cooling: no order in the last {cooling}. Active: all others."
)

PRICE_FOCUSED = (
    "Low prices matter most to {segment}: {share} of them pay clearly less than usual for the same products."
)
PREMIUM = "The segment that most often pays more than usual is {segment} ({share} of its customers)."
RETURNS = "{segment} return the most, {share} of what they buy."
MAIN_COUNTRIES = "The main country differs between segments: {countries}."
ONE_MAIN_COUNTRY = "Most customers of every segment are from {country}. The share is lowest in {segment}, at {share}."
NOTHING_STANDS_OUT = "Segments differ in what they buy, as the table shows."
NO_FEATURES = "The source has no prices, products, returns or countries."
# A smaller share of premium buyers is not mentioned.
PREMIUM_SHARE_FROM = 0.05

STRONGEST_TRAIT = (
    "Segments differ most in {trait}: {value} applies to {share} of {segment}, but to {share_of_all} of all customers."
)
NO_STRONG_TRAIT = "No other known trait differs much between segments. The one that differs most is {trait}."
SMALL_GROUPS = "{rows} of the table {rest} based on fewer than {customers} customers. Treat them as anecdotes."
NO_TRAITS = "Nothing is known about customers beyond their orders."
# With a Cramér's V below this, no trait is called different between segments.
STRENGTH_FROM = 0.1

STABILITY = (
    "If chance had brought slightly different weeks and customers, {share} of customers would be in the same segment."
)
STABILITY_RANGE = (
    "{stable} is the most stable segment ({stable_share}), and {unstable} is the least stable ({unstable_share}). "
    "Treat the customers of {unstable} as borderline cases."
)
NO_STABILITY = "Stability is estimated only for the default scoring."

CLUSTERS = (
    "By similarity alone, customers form {clusters} groups. The group that spends most has {customers} "
    "({description}). {share} of them are {segment}."
)
NO_CLUSTERS = "Too few customers differ from each other to form groups."

CALLED_RECENT = "{segments} are called recent, but {shares} of them have not ordered for more than {days}."
RECENT_INDEED = (
    "In each segment that is called recent, at most a fifth of the customers have not ordered for more than {days}."
)
# A segment called recent may have this share of silent customers
SILENT_SHARE_UP_TO = 0.2
RECENT_ROLES = (SegmentRole.BEST, SegmentRole.NEW, SegmentRole.PROMISING)

LIMITS = "Last order {last_order}; {orders}; {revenue}."
LAST_WITHIN, LAST_BETWEEN = "within {most}", "{fewest}–{most} ago"

LISTS = (
    "The folder lists contains {lists} with {customers}, one list per segment. They say who may be contacted, and who "
    "is held out of all campaigns."
)


def leading_segments(profile: pd.DataFrame) -> Paragraph:
    """Name the segment with the most revenue, and the one with the most customers."""
    richest = profile.loc[profile.revenue.idxmax()]
    largest = profile.loc[profile.customers.idxmax()]
    return paragraph(
        LEADING.format(**_shares(richest)),
        LEADING_IS_LARGEST if richest.segment == largest.segment else LARGEST.format(**_shares(largest)),
    )


def _shares(row: pd.Series) -> dict[str, str]:
    return {
        "segment": row.segment,
        "customer_share": percent(row.customer_share),
        "revenue_share": percent(row.revenue_share),
    }


def empty_segments(profile: pd.DataFrame) -> Paragraph:
    """Name the segments without customers on this date."""
    names = profile.segment[profile.customers == 0].tolist()
    return paragraph(EMPTY_SEGMENTS.format(segments=join_names(names)) if names else NO_EMPTY_SEGMENT)


def new_customers(
    customers: pd.DataFrame, new_within_days: int | None, analysis_date: date, fmt: NumberFormat
) -> Paragraph:
    """Say how many customers are new, and the segments they are in.

    Parameters
    ----------
    customers : pandas.DataFrame
        Customers with first_order and segment.
    new_within_days : int, optional
        A customer whose first order is at most this many days old is new. None means `RECENT_DAYS`.
    """
    days = RECENT_DAYS if new_within_days is None else new_within_days
    new = customers[are_new(customers, new_within_days, analysis_date)]
    if new.empty:
        return paragraph(NO_NEW.format(day=day(customers.first_order.max())))
    sizes = new.segment.value_counts()
    parts = [NEW_IN_SEGMENT.format(customers=fmt.count(size), segment=segment) for segment, size in sizes.items()]
    if len(parts) > MAX_NEW_SEGMENTS + 1:
        elsewhere = fmt.count(sizes.iloc[MAX_NEW_SEGMENTS:].sum())
        parts = [*parts[:MAX_NEW_SEGMENTS], NEW_ELSEWHERE.format(customers=elsewhere)]
    return paragraph(
        TOO_SHORT.format(days=fmt.plural(days, "day")) if len(new) == len(customers) else "",
        NEW.format(
            customers=fmt.plural(len(new), "customer"),
            share=percent(len(new) / len(customers)),
            days=fmt.plural(days, "day"),
            segments=join_names(parts),
        ),
    )


def slipping_customers(
    profile: pd.DataFrame, roles: dict[str, SegmentRole | None], all_new: bool, fmt: NumberFormat
) -> Paragraph | NotApplicable:
    """Say how many valuable customers have stopped ordering, and what they had spent.

    Parameters
    ----------
    profile : pandas.DataFrame
        One row per segment.
    roles : dict of str to SegmentRole
        The role of each segment of the map.
    all_new : bool
        Whether every customer is new, so that nobody can have stopped.
    """
    filled = profile[profile.customers > 0]
    slipping = filled[filled.segment.map(roles) == SegmentRole.SLIPPING]
    all_known = set(filled.segment) <= set(roles)
    if SegmentRole.SLIPPING not in roles.values() or (slipping.empty and not all_known):
        return not_applicable(SLIPPING_UNKNOWN)
    if slipping.empty:
        return not_applicable(SLIPPING_TOO_EARLY) if all_new else paragraph(NO_SLIPPING)
    customers = int(slipping.customers.sum())
    return paragraph(
        SLIPPING.format(
            customers=fmt.plural(customers, "customer"),
            have="has" if customers == 1 else "have",
            they="This customer" if customers == 1 else "They",
            segments=join_names(slipping.segment.tolist()),
            revenue=fmt.money(slipping.revenue.sum()),
        )
    )


def changes_since(
    then: pd.DataFrame,
    now: pd.DataFrame,
    earlier: date | None,
    periods: Periods | None,
    bridge: Bridge | None,
    fmt: NumberFormat,
) -> Paragraph | NotApplicable:
    """Say how many customers ordered since an earlier date, and how revenue changed against a period as long.

    Parameters
    ----------
    then, now : pandas.DataFrame
        The customers as measured at the two dates.
    earlier : date, optional
        The earlier date.
    periods : Periods, optional
        See `comparable_periods`.
    bridge : Bridge, optional
        See `compute_bridge`.
    """
    if then.empty or earlier is None:
        return not_applicable(NO_EARLIER_DATE)
    existing = now.customer_id.isin(then.customer_id)
    again = int((existing & (now.last_order > pd.Timestamp(earlier))).sum())
    new = int((~existing).sum())
    ordered = ORDERED_AGAIN.format(
        then=day(earlier),
        again=fmt.count(again) if again else "none",
        existing=f"the {fmt.plural(len(then), 'existing customer')}",
        new=NEW_CAME.format(new=fmt.plural(new, "new customer")) if new else NONE_CAME,
    )
    if periods is None or bridge is None:
        return paragraph(ordered, NO_PERIOD_BEFORE)
    return paragraph(_revenue_against(periods, bridge, fmt), _bridge(bridge, fmt), ordered)


def _revenue_against(periods: Periods, bridge: Bridge, fmt: NumberFormat) -> str:
    """The revenue of a period beside that of the one it is compared with."""
    days = (periods.end - periods.start).days + 1
    against = SAME_DAYS if periods.is_year_before else DAYS_BEFORE.format(days=fmt.plural(days, "day"))
    change = AS_MUCH
    relative = bridge.now / bridge.before - 1 if bridge.before > 0 else None
    if relative is not None and round(relative, 2):
        change = (MORE_THAN if relative > 0 else LESS_THAN).format(change=percent(abs(relative)))
    template = REVENUE_SINCE if relative is not None else REVENUE_ALONE
    return template.format(
        start=day(periods.start),
        end=day(periods.end),
        revenue=fmt.money(bridge.now),
        change=change,
        against=against,
        before=fmt.money(bridge.before),
    )


def _bridge(bridge: Bridge, fmt: NumberFormat) -> str:
    return BRIDGE.format(
        new=fmt.money(bridge.new),
        more=fmt.money(bridge.more),
        less=fmt.money(-bridge.less),
        lost=fmt.money(-bridge.lost),
    )


def largest_moves(moves: pd.DataFrame, since: date | None, fmt: NumberFormat) -> Paragraph | NotApplicable:
    """Name the move of most customers from one segment to another, with what they spent.

    Parameters
    ----------
    moves : pandas.DataFrame
        See `moved_customers.largest_moves`.
    since : date, optional
        The earlier date.
    """
    if since is None:
        return not_applicable(NO_EARLIER_DATE)
    if moves.empty:
        return paragraph(NOBODY_MOVED.format(day=day(since)))
    return paragraph(LARGEST_MOVE.format(**_largest_move(moves, since, fmt)))


def largest_move_in_brief(moves: pd.DataFrame, since: date, fmt: NumberFormat) -> Paragraph:
    """Name the move of most customers in one line."""
    if moves.empty:
        return paragraph(NOBODY_MOVED.format(day=day(since)))
    return paragraph(LARGEST_IN_BRIEF.format(**_largest_move(moves, since, fmt)))


def _largest_move(moves: pd.DataFrame, since: date, fmt: NumberFormat) -> dict[str, str]:
    row = moves.iloc[0]
    return {
        "day": day(since),
        "customers": fmt.plural(row.customers, "customer"),
        "previous": row.previous_segment,
        "new": row.new_segment,
        "revenue": fmt.money(row.revenue_12m),
    }


def segment_migration(
    net: pd.DataFrame, since: date | None, roles: dict[str, SegmentRole | None], fmt: NumberFormat
) -> Paragraph | NotApplicable:
    """Say how many more or fewer customers behave like the best segment, not counting the effect of moved bin edges.

    Parameters
    ----------
    net : pandas.DataFrame
        See `net_by_cause`.
    since : date
        The earlier date.
    roles : dict of str to SegmentRole
        The role of each segment. If none is the best one, the sentence is about the first segment of the map.
    """
    if net.empty or since is None:
        return not_applicable(NO_EARLIER_DATE)
    marked_best = net[net.segment.map(roles) == SegmentRole.BEST]
    best = (net if marked_best.empty else marked_best).iloc[0]
    behaviour = best[Cause.BOUGHT] + best[Cause.STAYED_SILENT]
    edges = best[Cause.BIN_EDGES_MOVED_BY_EXISTING] + best[Cause.BIN_EDGES_MOVED_BY_NEW]
    arrivals = best[Cause.ARRIVALS_LESS_DEPARTURES]
    effects = {MOVED_EDGES: edges, ARRIVALS: arrivals}
    reasons = [template.format(effect=_effect(change, fmt)) for template, change in effects.items() if change]
    change = f"{fmt.count(abs(behaviour))} {'fewer' if behaviour < 0 else 'more'}"
    return paragraph(
        (BEHAVIOUR if behaviour else AS_MANY).format(day=day(since), change=change, segment=best.segment),
        (SAME_COUNT if best.customers == best.customers_then else COUNT).format(
            then=fmt.count(best.customers_then),
            customers=fmt.plural(best.customers, "customer"),
            reasons=f": {join_names(reasons)}" if reasons else "",
        ),
    )


def _effect(change: float, fmt: NumberFormat) -> str:
    return f"{'took away' if change < 0 else 'added'} {fmt.count(abs(change))}"


def lifecycle(crossed: pd.DataFrame, prospects: int, fmt: NumberFormat) -> Paragraph:
    """Say how many customers have which status, and how many people have not ordered yet."""
    totals = crossed.groupby("value").customers.sum().sort_values(ascending=False, kind="stable")
    shares = [(percent(customers / totals.sum()), status_label(str(status))) for status, customers in totals.items()]
    first, *others = shares
    listed = PROSPECTS.format(
        people=fmt.plural(prospects, "person", "people"),
        have="has" if prospects == 1 else "have",
        they="this person" if prospects == 1 else "they",
    )
    more = join_names([f"{share} {status}" for share, status in others])
    return paragraph(
        LIFECYCLE.format(first=first[0], status=first[1], others=f", {more}" if others else ""),
        listed if prospects else "",
    )


def lifecycle_rules(rules: LifecycleRules, fmt: NumberFormat) -> str:
    """Say what each status means, with the days of this report."""
    return LIFECYCLE_RULES.format(
        gone=fmt.plural(rules.churned_after_days, "day"),
        silent=fmt.plural(rules.at_risk_after_days, "day"),
        new=fmt.plural(rules.new_within_days or 0, "day"),
        cooling=fmt.plural(rules.cooling_after_days, "day"),
    )


def buying_behaviour(features: pd.DataFrame) -> Paragraph | NotApplicable:
    """Say which segment looks for low prices, which pays more, and which returns most."""
    if features.empty or len(features.columns) < 3:
        return not_applicable(NO_FEATURES)
    large = features[features.customers >= SMALL_GROUP_CUSTOMERS]
    shown = features if large.empty else large
    sentences = [*_prices(shown), *_returns(shown), *_countries(shown)]
    return paragraph(*sentences) if sentences else paragraph(NOTHING_STANDS_OUT)


def _prices(features: pd.DataFrame) -> list[str]:
    if "price_focused" not in features:
        return []
    low = features.loc[features.price_focused.idxmax()]
    high = features.loc[features.premium.idxmax()]
    sentences = [PRICE_FOCUSED.format(segment=low.segment, share=percent(low.price_focused))]
    if high.premium >= PREMIUM_SHARE_FROM:
        sentences.append(PREMIUM.format(segment=high.segment, share=percent(high.premium)))
    return sentences


def _returns(features: pd.DataFrame) -> list[str]:
    if "return_share" not in features or not features.return_share.max() > 0:
        return []
    most = features.loc[features.return_share.idxmax()]
    return [RETURNS.format(segment=most.segment, share=percent(most.return_share))]


def _countries(features: pd.DataFrame) -> list[str]:
    if "main_country" not in features:
        return []
    countries = features.main_country.dropna().unique()
    if len(countries) != 1:
        return [MAIN_COUNTRIES.format(countries=join_names(sorted(countries)))]
    least = features.loc[features.main_country_share.idxmin()]
    share = percent(least.main_country_share)
    return [ONE_MAIN_COUNTRY.format(country=countries[0], segment=least.segment, share=share)]


def trait_associations(associations: pd.DataFrame, fmt: NumberFormat) -> Paragraph | NotApplicable:
    """Name the trait that differs most between segments, and the segment in which it stands out."""
    if associations.empty:
        return not_applicable(NO_TRAITS)
    strongest = associations.iloc[0]
    small = int(associations.small.sum())
    warning = SMALL_GROUPS.format(
        rows=fmt.plural(small, "row"), rest="is" if small == 1 else "are", customers=SMALL_GROUP_CUSTOMERS
    )
    template = NO_STRONG_TRAIT if strongest.strength < STRENGTH_FROM else STRONGEST_TRAIT
    finding = template.format(
        trait=trait_label(strongest.trait),
        value=f"“{trait_value_label(strongest.trait, strongest.value)}”",
        segment=strongest.segment,
        share=percent(strongest.share),
        share_of_all=percent(strongest.share_of_all),
    )
    return paragraph(finding, warning if small else "")


def stability(retention: pd.DataFrame) -> Paragraph | NotApplicable:
    """Say how often a customer keeps the segment, and which segments are the most and the least stable."""
    if retention.empty:
        return not_applicable(NO_STABILITY)
    mean = (retention.bootstrap_retention * retention.customers).sum() / retention.customers.sum()
    stable = retention.loc[retention.bootstrap_retention.idxmax()]
    unstable = retention.loc[retention.bootstrap_retention.idxmin()]
    return paragraph(
        STABILITY.format(share=percent(mean)),
        STABILITY_RANGE.format(
            stable=stable.segment,
            stable_share=percent(stable.bootstrap_retention),
            unstable=unstable.segment,
            unstable_share=percent(unstable.bootstrap_retention),
        ),
    )


def cluster_profiles(described: pd.DataFrame, fmt: NumberFormat) -> Paragraph | NotApplicable:
    """Say how many clusters there are, and which segment the richest cluster mostly consists of."""
    if described.empty:
        return not_applicable(NO_CLUSTERS)
    richest = described.iloc[0]
    return paragraph(
        CLUSTERS.format(
            clusters=len(described),
            customers=fmt.plural(richest.customers, "customer"),
            description=richest.description[0].lower() + richest.description[1:],
            share=percent(richest.main_share),
            segment=richest.main_segment,
        )
    )


def silent_in_recent_segments(
    customers: pd.DataFrame,
    segments: pd.DataFrame,
    roles: dict[str, SegmentRole | None],
    at_risk_after_days: int,
    fmt: NumberFormat,
) -> Paragraph | None:
    """Name the segments called recent in which more than a fifth of the customers are silent; None if there are none.

    Parameters
    ----------
    customers, segments : pandas.DataFrame
        The customers with recency_days, and the segment of each.
    roles : dict of str to SegmentRole
        The role of each segment of the map.
    at_risk_after_days : int
        Without an order for more days than this, a customer is silent.
    """
    days = customers.merge(segments[["customer_id", "segment"]], on="customer_id")
    recent = days[days.segment.map(roles).isin(RECENT_ROLES)]
    silent = (recent.recency_days > at_risk_after_days).groupby(recent.segment).mean()
    found = silent[silent > SILENT_SHARE_UP_TO].sort_values(ascending=False, kind="stable")
    if found.empty:
        return None
    return paragraph(
        CALLED_RECENT.format(
            segments=join_names(found.index.tolist()),
            shares=join_names([percent(share) for share in found]),
            days=fmt.plural(at_risk_after_days, "day"),
        )
    )


def recent_indeed(at_risk_after_days: int, fmt: NumberFormat) -> Paragraph:
    """Say that the segments called recent are recent."""
    return paragraph(RECENT_INDEED.format(days=fmt.plural(at_risk_after_days, "day")))


def limits_in_words(profile: pd.DataFrame, limits: pd.DataFrame, fmt: NumberFormat) -> list[str | None]:
    """Say within which limits the customers of each segment are on this date; None for empty segments.

    Parameters
    ----------
    profile : pandas.DataFrame
        One row per segment.
    limits : pandas.DataFrame
        See `segment_limits`.
    """
    return [_limits(limits.loc[name], fmt) if name in limits.index else None for name in profile.segment]


def _limits(row: pd.Series, fmt: NumberFormat) -> str:
    one_value = row.fewest_orders == row.most_orders
    orders = fmt.plural(row.most_orders, "order")
    money = fmt.money(row.most_revenue)
    return LIMITS.format(
        last_order=(LAST_WITHIN if row.fewest_days <= 1 else LAST_BETWEEN).format(
            fewest=fmt.count(row.fewest_days), most=fmt.plural(row.most_days, "day")
        ),
        orders=orders if one_value else f"{fmt.count(row.fewest_orders)}–{orders}",
        revenue=money if row.least_revenue == row.most_revenue else f"{fmt.money(row.least_revenue)}–{money}",
    )


def contact_lists(profile: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say how many lists there are, and where they are."""
    lists = int((profile.customers > 0).sum())
    return paragraph(
        LISTS.format(
            lists=fmt.plural(lists, "list"),
            customers=fmt.plural(profile.customers.sum(), "customer"),
        )
    )
