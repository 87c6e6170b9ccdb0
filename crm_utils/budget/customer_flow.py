"""How customers move between segments from one wave to the next, as past waves showed it."""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.sparse import csr_array, identity

from crm_utils.budget.audiences import was_sent
from crm_utils.budget.waves import LEVELS, CustomerFlow
from crm_utils.config import SegmentRules
from crm_utils.config.scoring import ScoringMethod
from crm_utils.rfm import measures
from crm_utils.segmentation.migration import NEW_CUSTOMER, Cause, decompose_migration

# Past windows that are looked at: with waves of 91 days, a year
WINDOWS = 4
# Weight, in customers, of the assumption that a segment's customers stay where they are
PRIOR_CUSTOMERS = 20
# Windows whose new customers show the level of today
RECENT_WINDOWS = 2
# The season of new customers at most doubles or halves their number
MOST_SEASON = 2.0


@dataclass(frozen=True)
class SegmentMoves:
    """Moves between segments in one window that is over.

    Parameters
    ----------
    start, end : datetime.date
        The window.
    bought, silent : pandas.DataFrame
        from segment × to segment: customers who bought in the window, and customers who did not.
    arrivals : pandas.Series
        New customers of the window by the segment they were in at its end.
    sizes : pandas.Series
        Customers by segment at the start of the window.
    """

    start: date
    end: date
    bought: pd.DataFrame
    silent: pd.DataFrame
    arrivals: pd.Series
    sizes: pd.Series


def observe_moves(
    orders: ir.Table,
    adjustments: ir.Table,
    rules: SegmentRules,
    analysis_date: date,
    wave_days: int,
    windows: int = WINDOWS,
) -> list[SegmentMoves]:
    """Count moves between segments in the last windows of `wave_days` days, the latest first.

    Both ends of a window are scored by the bin edges of its start, so only what customers did moves them.

    Parameters
    ----------
    orders, adjustments : ibis.Table
        Tables `orders` and `order_adjustments`.
    rules : SegmentRules
        How the segments of today were assigned.
    analysis_date : datetime.date
        The end of the last window.
    wave_days : int
        Days of a window.
    windows : int
        Number of windows.

    Returns
    -------
    list of SegmentMoves
        Windows that start after the first order. Empty for the scoring method `article`: it gives equal customers
        different scores, so moves are partly chance.
    """
    if rules.scoring.config.method == ScoringMethod.ARTICLE:
        return []
    names, moves = sorted(rules.segment_map.advice()), []
    end, now = analysis_date, measures.rfm_as_of(orders, adjustments, analysis_date, rules.scoring.config)
    for _ in range(windows):
        start = end - timedelta(days=wave_days)
        if now.empty or pd.Timestamp(start) < now.first_order.min():
            break
        then = measures.rfm_as_of(orders, adjustments, start, rules.scoring.config)
        moves.append(_moves_of_window(then, now, rules, names, start, end))
        end, now = start, then
    return moves


def _moves_of_window(
    then: pd.DataFrame, now: pd.DataFrame, rules: SegmentRules, names: list[str], start: date, end: date
) -> SegmentMoves:
    table = decompose_migration(then, now, rules, start, end)

    def by_cause(cause: Cause) -> pd.DataFrame:
        own = table[table.cause == cause]
        counts = own.pivot_table(index="from_segment", columns="to_segment", values="customers", aggfunc="sum")
        counts = counts.reindex(index=names, columns=names).fillna(0.0)
        # A row from a segment to itself counts all of its customers, those who moved included
        everybody = pd.Series(np.diag(counts), index=names)
        stayed = everybody - (counts.sum(axis=1) - everybody)
        values = counts.to_numpy(copy=True)
        np.fill_diagonal(values, stayed)
        return pd.DataFrame(values, index=names, columns=names)

    bought, silent = by_cause(Cause.BOUGHT), by_cause(Cause.STAYED_SILENT)
    arrived = table[table.from_segment == NEW_CUSTOMER].set_index("to_segment").customers
    sizes = bought.sum(axis=1) + silent.sum(axis=1)
    return SegmentMoves(start, end, bought, silent, arrived.reindex(names, fill_value=0).astype(float), sizes)


def transition_shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each segment's customers that moves to each segment.

    Few customers show little, so `PRIOR_CUSTOMERS` customers who stay are added to each segment.

    Parameters
    ----------
    counts : pandas.DataFrame
        from segment × to segment: customers.

    Returns
    -------
    pandas.DataFrame
        Rows that add up to 1.
    """
    smoothed = counts + PRIOR_CUSTOMERS * np.eye(len(counts))
    return smoothed.div(smoothed.sum(axis=1), axis=0)


def forecast_sizes(sizes: pd.Series, past: list[SegmentMoves], waves: int) -> pd.DataFrame:
    """Forecast the customers of each segment after each of some waves, from moves seen before.

    Parameters
    ----------
    sizes : pandas.Series
        Customers by segment at the start.
    past : list of SegmentMoves
        Windows before the start, the latest first.
    waves : int
        Number of waves.

    Returns
    -------
    pandas.DataFrame
        wave (1, 2, …) × segment: customers at the end of the wave.
    """
    everybody = sum(window.bought + window.silent for window in past)
    shares, rows = transition_shares(everybody), []
    arrivals = sum(window.arrivals for window in past) / len(past)
    for _ in range(waves):
        sizes = sizes @ shares + arrivals
        rows.append(sizes)
    return pd.DataFrame(rows, index=range(1, waves + 1))


def judge_sizes(moves: list[SegmentMoves]) -> pd.DataFrame:
    """Judge the forecast of segment sizes against the assumption that nothing changes.

    From each past window's start, sizes one and two waves ahead are forecast from the windows before it.

    Parameters
    ----------
    moves : list of SegmentMoves
        See `observe_moves`.

    Returns
    -------
    pandas.DataFrame
        origin, waves_ahead, error (mean absolute error in customers per segment) and error_no_change. No row if the
        history is too short.
    """
    rows = []
    for place in range(len(moves) - 1):
        origin = moves[place].start
        forecast = forecast_sizes(moves[place].sizes, moves[place + 1 :], min(2, place + 1))
        for ahead in forecast.index:
            target = moves[place - ahead + 1]
            actual = target.bought.sum() + target.silent.sum() + target.arrivals
            rows.append(
                {
                    "origin": origin,
                    "waves_ahead": ahead,
                    "error": (forecast.loc[ahead] - actual).abs().mean(),
                    "error_no_change": (moves[place].sizes - actual).abs().mean(),
                }
            )
    return pd.DataFrame(rows, columns=["origin", "waves_ahead", "error", "error_no_change"])


def moves_are_useful(judged: pd.DataFrame) -> bool:
    """Return whether past moves forecast segment sizes better than no change.

    Parameters
    ----------
    judged : pandas.DataFrame
        See `judge_sizes`.

    Returns
    -------
    bool
        False without a test.
    """
    return bool(len(judged)) and judged.error.mean() < judged.error_no_change.mean()


def contact_levels(
    past: pd.DataFrame | None, customer_ids: pd.Series, analysis_date: date, wave_days: int
) -> pd.Series:
    """Find each customer's contact level: how often they were contacted in the last waves.

    It rises by one with each wave in which the customer was contacted, up to 2, and falls by one with each other wave.

    Parameters
    ----------
    past : pandas.DataFrame or None
        Past campaigns: customer_id, contacted_on, group (treatment or control), and sent if it is known who was sent a
        message.
    customer_ids : pandas.Series
        The customers.
    analysis_date : datetime.date
        The last day that counts.
    wave_days : int
        Days of a wave.

    Returns
    -------
    pandas.Series
        Contact level (0, 1 or 2) by customer_id.
    """
    levels = pd.Series(0, index=pd.Index(customer_ids, name="customer_id"))
    if past is None or past.empty:
        return levels
    treated = past[was_sent(past)]
    age = (pd.Timestamp(analysis_date) - pd.to_datetime(treated.contacted_on)).dt.days // wave_days
    for wave in reversed(range(2 * LEVELS)):
        contacted = levels.index.isin(treated.customer_id[age == wave])
        levels = (levels + np.where(contacted, 1, -1)).clip(0, LEVELS - 1)
    return levels


def size_error(judged: pd.DataFrame, moves: list[SegmentMoves]) -> float:
    """Return the mean error of a segment's size, as a share of it, of the forecast that is used.

    Parameters
    ----------
    judged : pandas.DataFrame
        See `judge_sizes`.
    moves : list of SegmentMoves
        See `observe_moves`.

    Returns
    -------
    float
        1 if it was not tested.
    """
    if judged.empty:
        return 1.0
    error = judged.error if moves_are_useful(judged) else judged.error_no_change
    return float(error.mean() / np.mean([window.sizes.mean() for window in moves]))


def build_flow(
    groups: pd.DataFrame,
    moves: list[SegmentMoves],
    useful: bool,
    probabilities: list[pd.Series],
    wave_days: int,
    analysis_date: date,
) -> CustomerFlow:
    """Build the customers of a plan and how they move.

    Parameters
    ----------
    groups : pandas.DataFrame
        One row per customer: customer_id, group, segment, block, lands (whether customers who come into the segment
        One row per customer: customer_id, group, segment, block, lands (whether customers who come into the segment
        land in the customer's block), consent, contact_level, held_out, order_margin, first_order
        (`unit_economics.planning_groups`).
    moves : list of SegmentMoves
        See `observe_moves`.
    useful : bool
        Whether the moves are used. Otherwise customers stay in their segment, and only the number of new customers is
        taken from the past.
    probabilities : list of pandas.Series
        For each wave: probability of buying within it, by customer_id.
    wave_days : int
        Days of a wave.
    analysis_date : datetime.date
        The start of the first wave.

    Returns
    -------
    CustomerFlow
    """
    by_group = groups.groupby("group", sort=True)
    count = len(by_group)
    ids = groups.customer_id.to_numpy()
    baseline = np.array([wave.loc[ids].groupby(groups.group.to_numpy()).mean().to_numpy() for wave in probabilities])
    margin = by_group.order_margin.mean().to_numpy()
    landing = csr_array(identity(count, format="csr"))
    bought = silent = landing
    if useful and moves:
        routes, landing = _routes(groups, moves[0].bought.columns)
        bought, silent = (
            _between_groups(routes, transition_shares(sum(getattr(window, cause) for window in moves)), landing)
            for cause in ("bought", "silent")
        )
    recent = groups[groups.first_order > pd.Timestamp(analysis_date - timedelta(days=wave_days))]
    share = recent.group.value_counts(normalize=True).reindex(range(count), fill_value=0.0).to_numpy()
    arrivals = np.zeros((len(probabilities), count))
    for wave in range(1, len(probabilities)):
        arrivals[wave] = _expected_arrivals(moves, wave) * share
    start, free = (_by_level(own, count) for own in (groups, groups[~groups.held_out]))
    return CustomerFlow(start, free, baseline, bought, silent, arrivals, share, margin, landing)


def _by_level(groups: pd.DataFrame, count: int) -> np.ndarray:
    """Return group × contact level: customers."""
    table = pd.crosstab(groups.group, groups.contact_level)
    return table.reindex(index=range(count), columns=range(LEVELS), fill_value=0).to_numpy(float)


def _expected_arrivals(moves: list[SegmentMoves], wave: int) -> float:
    """Return the new customers expected before a wave: as many as lately, more or fewer by the season of last year.

    The season is the same window of last year, as a share of the mean of all windows. Without a year it is left out. It
    is bounded, because the first customers of a data set often come all at once.
    """
    won = [window.arrivals.sum() for window in moves]
    if not won:
        return 0.0
    level, mean = float(np.mean(won[:RECENT_WINDOWS])), float(np.mean(won))
    if len(won) < WINDOWS or wave > WINDOWS or mean == 0:
        return level
    return level * float(np.clip(won[WINDOWS - wave] / mean, 1 / MOST_SEASON, MOST_SEASON))


def _between_groups(routes: pd.DataFrame, shares: pd.DataFrame, landing: csr_array) -> csr_array:
    """Return group × pool from the shares between segments. Groups of other segments stay where they are."""
    known = routes.segment.isin(shares.index)
    share = np.ones(len(routes))
    place = [shares.index.get_indexer(routes[name][known]) for name in ("segment", "target")]
    share[known] = shares.to_numpy()[*place]
    return csr_array((share, (routes.source, routes.pool)), shape=landing.shape[::-1])


def _routes(groups: pd.DataFrame, segments: pd.Index) -> tuple[pd.DataFrame, csr_array]:
    """Find where customers who move to a segment land.

    They land in its blocks with their consent, in proportion to the customers there, in the value class that holds
    their order margin. If the segment has no such block, they stay in their group. Customers who land alike are a pool;
    the first pools are the groups themselves.

    Returns
    -------
    pandas.DataFrame
        source (group), segment (its segment), target (segment), pool.
    scipy.sparse.csr_array
        pool × group: where the customers of a pool are. Rows add up to 1.
    """
    by_group = groups.groupby("group", sort=True)
    table = by_group[["segment", "block", "consent", "lands"]].first()
    table["customers"] = by_group.size()
    table["margin"], table["largest"] = by_group.order_margin.mean(), by_group.order_margin.max()
    count = len(table)
    every = np.arange(count)
    # Segments that the map does not name keep their customers
    known = table[table.segment.isin(segments)]
    routes = [pd.DataFrame({"source": table.index.difference(known.index)}).assign(pool=lambda t: t.source)]
    landing, size = [(every, every, np.ones(count))], count
    for target in segments:
        for consent, sources in known.groupby("consent"):
            inside = table[(table.segment == target) & table.lands & (table.consent == consent)]
            stays = (sources.segment == target) & sources.lands if len(inside) else pd.Series(True, index=sources.index)
            own, moving = sources.index[stays], sources[~stays]
            routes.append(pd.DataFrame({"source": own, "pool": own, "target": target}))
            pool, parts = _land(moving.margin.to_numpy(), inside)
            routes.append(pd.DataFrame({"source": moving.index, "pool": size + pool, "target": target}))
            landing += [(size + number, group, weight) for number, group, weight in parts]
            size += pool.max(initial=-1) + 1
    pools, group, weight = (np.concatenate([part[place] for part in landing]) for place in range(3))
    found = pd.concat(routes, ignore_index=True)
    return found.assign(segment=found.source.map(table.segment)), csr_array((weight, (pools, group)), (size, count))


def _land(
    margin: np.ndarray, inside: pd.DataFrame
) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Return the pool of each margin among the blocks of a segment; and pool, group and share of each block."""
    if not len(margin) or inside.empty:
        return np.zeros(len(margin), int), []
    blocks = [block.sort_values("largest") for _, block in inside.groupby("block")]
    place = [np.searchsorted(block.largest.to_numpy(), margin).clip(max=len(block) - 1) for block in blocks]
    alike, pool = np.unique(np.column_stack(place), axis=0, return_inverse=True)
    parts = []
    for number, block in enumerate(blocks):
        weight = np.full(len(alike), block.customers.sum() / inside.customers.sum())
        parts.append((np.arange(len(alike)), block.index.to_numpy()[alike[:, number]], weight))
    return pool, parts
