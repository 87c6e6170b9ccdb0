"""The break point of each line of the plan: the lift at which it enters or leaves the plan."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_utils.budget.optimizer import CampaignMilp, LpSolution, build_milp, is_useful
from crm_utils.budget.unit_economics import price_options

ROUNDS = 40
# Of a break point
PRECISION = 0.004
# Of the plan's profit: smaller differences come from the solver
TOLERANCE = 1e-6
# Fewer contacts come from the solver
CONTACT_TOLERANCE = 1e-6
# Options. In larger plans a single customer moves no break point, and a plan of whole customers takes a second.
WHOLE_UP_TO = 400
# A line that is not planned is shown if its break point is at most so many times the top of its range
REACHABLE = 2
SHOWN_LINES = 14


def break_points(
    allocated: pd.DataFrame,
    campaigns: pd.DataFrame,
    budget: float,
    holdout_share: float = 0.0,
    target_roi: float | None = None,
) -> pd.Series:
    """Find the lift at which each line (campaign and segment) leaves or enters the plan, all else equal.

    The best profit is convex and piecewise linear in a line's lift, and flat while the line is out. With the running
    campaigns given, Newton steps come down to where the two meet. The duals of the linear program give their slope, so
    a few steps are enough. A search that knows only values, `scipy.optimize.brentq`, solves about twice as many
    programs. Just below, a look at all sets of campaigns tells whether another set keeps the line in; then the
    search goes on with that set. Customers may be split on the way. If single customers could matter, the break point
    is checked with whole ones, or found with them.

    Parameters
    ----------
    allocated, campaigns : pandas.DataFrame
        The options with their contacts (`optimizer.allocate`), and the campaigns.
    budget, holdout_share, target_roi : float
        See `optimizer.allocate`.

    Returns
    -------
    pandas.Series
        Lift by (campaign, segment). Null if no lift up to the highest possible one changes the decision.
    """
    useful = is_useful(allocated, campaigns)
    must_spend = set(campaigns.name[campaigns.min_spend > 0])
    current, found = None, {}  # what the plan earns without a line that is not in it is the same for all such lines
    for line, own in allocated.groupby(["campaign", "segment"], sort=True):
        rows = allocated.index.isin(own.index)
        planned, most = own.contacts.any(), float((1 - own.p0).min())
        if planned and line[0] in must_spend or most <= 0:
            found[line] = np.nan
            continue
        milp = _line_milp(allocated[useful | rows], rows[useful | rows], campaigns, budget, target_roi, holdout_share)
        start = min(own.lift.iloc[0], most) if planned else most
        without = milp.profit_without() if planned or current is None else current
        current = current if planned else without
        lift = milp.break_point(start, without)
        if useful.sum() <= WHOLE_UP_TO and (planned or lift > 0) and not milp.is_break_point(lift):
            lift = milp.break_point_of_whole_customers(start)
        found[line] = lift
    lines = pd.MultiIndex.from_tuples(found, names=["campaign", "segment"])
    return pd.Series(list(found.values()), index=lines, dtype=float)


def sensitive_lines(plan: pd.DataFrame) -> pd.DataFrame:
    """Return the lines whose decision could change.

    Parameters
    ----------
    plan : pandas.DataFrame
        See `plan.build_plan`.

    Returns
    -------
    pandas.DataFrame
        The planned lines, and those whose break point is near their range; at most `SHOWN_LINES`.
    """
    reachable = plan.break_point_lift.notna() & (plan.break_point_lift <= REACHABLE * plan.lift_high)
    return plan[(plan.contacts > 0) | reachable].head(SHOWN_LINES)


@dataclass(frozen=True)
class _LineMilp:
    """The plan as a function of the lift of one line; its options are at `options` of the program, priced at lift 0."""

    base: CampaignMilp
    options: np.ndarray
    profit_per_lift: np.ndarray
    spend_per_lift: np.ndarray
    highest_lift: np.ndarray  # beyond it there is nobody left to win

    def at(self, lift: float) -> CampaignMilp:
        lifts = np.minimum(lift, self.highest_lift)
        return self.base.with_changed(self.options, lifts * self.profit_per_lift, lifts * self.spend_per_lift)

    def profit_without(self, whole: bool = False) -> float:
        """Return what the best plan without the line earns."""
        return float(self.base.profit @ _solve(self.base, whole))

    def break_point(self, start: float, without: float) -> float:
        """Return the break point below a lift if customers may be split; null if the line is not in at that lift."""
        least = TOLERANCE * max(abs(without), 1.0)
        below, above, best = start, np.nan, _solve(self.at(start), False)
        for _ in range(ROUNDS):
            if not self._gain(below, best, without) > least:
                break
            below, above = _bracket(self._fixed_campaigns(_running(self.base, best), without), below, least)
            best = _solve(self.at(below), False)
        return (below + above) / 2

    def break_point_of_whole_customers(self, start: float) -> float:
        """Return the break point below a lift if every customer is whole."""
        without = self.profit_without(True)

        def gain_and_slope(lift: float) -> tuple[float, float]:
            changed = self.at(lift)
            best = _solve(changed, True)
            gain = self._gain(lift, best, without)
            if gain <= 0:  # possibly no campaign runs, and then there is no program to solve
                return gain, 0.0
            prices = changed.solve_relaxation(_running(changed, best)).shadow_prices
            return gain, self._slope(lift, best, prices)

        return sum(_bracket(gain_and_slope, start, TOLERANCE * max(abs(without), 1.0))) / 2

    def is_break_point(self, lift: float) -> bool:
        """Return whether the line, with whole customers, is in just above this lift and out just below."""
        if np.isnan(lift):
            return False
        sides = (_solve(self.at(lift * side), True) for side in (1 + PRECISION, 1 - PRECISION))
        above, below = (best[self.options].sum() > CONTACT_TOLERANCE for best in sides)
        return bool(above and not below)

    def _fixed_campaigns(self, running: np.ndarray, without: float) -> Callable[[float], tuple[float, float]]:
        def gain_and_slope(lift: float) -> tuple[float, float]:
            found: LpSolution = self.at(lift).solve_relaxation(running)
            best = np.concatenate([found.contacts, running])
            gain = found.profit - without if best[self.options].sum() > CONTACT_TOLERANCE else 0.0
            return gain, self._slope(lift, best, found.shadow_prices)

        return gain_and_slope

    def _gain(self, lift: float, best: np.ndarray, without: float) -> float:
        """Return what the line adds to the best profit; 0 if the plan leaves it out."""
        return float(self.at(lift).profit @ best) - without if best[self.options].sum() > CONTACT_TOLERANCE else 0.0

    def _slope(self, lift: float, best: np.ndarray, prices: np.ndarray) -> float:
        """Return what one more unit of lift adds to the best profit, less what the redeemed money earns elsewhere."""
        grows = lift <= self.highest_lift
        profit, rows = self.base.change_of(self.options, grows * self.profit_per_lift, grows * self.spend_per_lift)
        return float(profit @ best - prices @ (rows @ best))


def _line_milp(
    used: pd.DataFrame,
    rows: np.ndarray,
    campaigns: pd.DataFrame,
    budget: float,
    target_roi: float | None,
    holdout_share: float,
) -> _LineMilp:
    own = used[rows]
    none, all_won = (price_options(own.assign(lift=lift), campaigns) for lift in (0.0, 1.0))
    highest = 1 - own.p0.to_numpy()
    profit, spend = ((all_won[name] - none[name]).to_numpy() / highest for name in ("profit", "spend"))
    base = build_milp(pd.concat([used[~rows], none]), campaigns, budget, target_roi, holdout_share)
    return _LineMilp(base, np.arange(len(used) - len(own), len(used)), profit, spend, highest)


def _solve(milp: CampaignMilp, whole: bool) -> np.ndarray:
    """Return the best plan, which exists because the plan without the line keeps to all limits."""
    best = milp.solve(whole)
    assert best is not None, "no plan keeps to the limits"
    return best


def _running(milp: CampaignMilp, best: np.ndarray) -> np.ndarray:
    return best[milp.options :] > 0.5


def _bracket(gain_and_slope: Callable[[float], tuple[float, float]], start: float, least: float) -> tuple[float, float]:
    """Return two lifts close together at which the line is out and in; (0, nan) if it is not in at the start.

    Newton steps from a lift at which the line is in, and bisection if a step went too far. `gain_and_slope` returns
    what the line gains at a lift, and the slope of that.
    """
    out, inside, lift = 0.0, np.nan, start
    for _ in range(ROUNDS):
        gain, slope = gain_and_slope(lift)
        if gain > least:
            step = lift - gain / slope if slope > 0 else lift
            inside = lift
            lift = step if out < step < inside else (out + inside) / 2
        else:  # the first step to land outside should have met the break point: look just above
            landed, out = out == 0, lift
            lift = min(out * (1 + PRECISION / 2), (out + inside) / 2) if landed else (out + inside) / 2
        if not inside - out > PRECISION * inside:
            break
    return out, inside
