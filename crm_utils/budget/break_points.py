"""At which lift each line of the plan enters or leaves it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_utils.budget.milp import CampaignMilp, build_milp, is_useful
from crm_utils.budget.unit_economics import price_options

ROUNDS = 40
PRECISION = 0.004  # of a flip point
TOLERANCE = 1e-6  # of the plan's profit: differences below are the solver's
CONTACT_TOLERANCE = 1e-6  # less of one is the solver's
WHOLE_UP_TO = 400  # options: in larger plans a single customer moves no flip point, and whole ones take a second a plan


def break_points(
    allocated: pd.DataFrame,
    campaigns: pd.DataFrame,
    budget: float,
    holdout_share: float = 0.0,
    target_roi: float | None = None,
) -> pd.Series:
    """The lift at which each line (campaign, segment) leaves the plan, or enters it, all else equal; null where none does
    (lifts are tried up to what is left to whom of the line buys most often anyway).

    The best profit is convex in a line's lift and flat while the line is out. With the running campaigns given, Newton
    steps with the slope from the duals of the linear programme come down to where the two meet: there the line's
    profit per unit of money equals that of the plan's last unit. Just below, a look at all sets of campaigns tells
    whether another set keeps the line in, and the search goes on with that one. Customers may be split on the way;
    where single ones could matter, the flip point is proven with whole ones, or found with them.
    """
    useful = is_useful(allocated, campaigns)
    terms = (campaigns, budget, target_roi, holdout_share)
    must_spend = set(campaigns.name[campaigns.min_spend > 0])
    current, flips = None, {}  # what the plan earns without a line that is not in it is the same for all of these
    for line, own in allocated.groupby(["campaign", "segment"], sort=True):
        rows = allocated.index.isin(own.index)
        planned, most = own.contacts.any(), float((1 - own.p0).min())
        if planned and line[0] in must_spend or most <= 0:
            flips[line] = np.nan
            continue
        searched = _line(allocated[useful | rows], rows[useful | rows], *terms)
        start = min(own.lift.iloc[0], most) if planned else most
        without = searched.without() if planned or current is None else current
        current = current if planned else without
        flip = searched.flip(start, without)
        if useful.sum() <= WHOLE_UP_TO and (planned or flip > 0) and not searched.proves(flip):
            flip = searched.flip_whole(start)
        flips[line] = flip
    lines = pd.MultiIndex.from_tuples(flips, names=["campaign", "segment"])
    return pd.Series(list(flips.values()), index=lines, dtype=float)


@dataclass(frozen=True)
class _Line:
    """The plan with the lift of one line changed: its options are at `places` of the programme, priced at lift 0."""

    base: CampaignMilp
    places: np.ndarray
    profit_per_lift: np.ndarray
    spend_per_lift: np.ndarray
    highest_lift: np.ndarray  # beyond it there is nobody left to win

    def at(self, lift: float) -> CampaignMilp:
        lifts = np.minimum(lift, self.highest_lift)
        return self.base.shifted(self.places, lifts * self.profit_per_lift, lifts * self.spend_per_lift)

    def without(self, whole: bool = False) -> float:
        """What the best plan without the line earns."""
        return float(self.base.profit @ self.base.best(whole))

    def flip(self, start: float, without: float) -> float:
        """The flip point below a lift, customers split where a limit ends; null where the line is not in at that lift."""
        enough = TOLERANCE * max(abs(without), 1.0)
        below, above, best = start, np.nan, self.at(start).best(False)
        for _ in range(ROUNDS):
            if not self._gain(below, best, without) > enough:
                break
            below, above = _bracket(self._with(_running(self.base, best), without), below, enough)
            best = self.at(below).best(False)
        return (below + above) / 2

    def flip_whole(self, start: float) -> float:
        """The flip point below a lift, every customer whole."""
        without = self.without(True)

        def plan(lift: float) -> tuple[float, float]:
            changed = self.at(lift)
            best = changed.best(True)
            prices = changed.fixed(_running(changed, best)).prices
            return self._gain(lift, best, without), self._slope(lift, best, prices)

        return sum(_bracket(plan, start, TOLERANCE * max(abs(without), 1.0))) / 2

    def proves(self, flip: float) -> bool:
        """Whether the line, customers kept whole, is in just above this lift and out just below."""
        if np.isnan(flip):
            return False
        sides = (self.at(flip * side).best(True) for side in (1 + PRECISION, 1 - PRECISION))
        above, below = (best[self.places].sum() > CONTACT_TOLERANCE for best in sides)
        return bool(above and not below)

    def _with(self, running: np.ndarray, without: float) -> Callable[[float], tuple[float, float]]:
        def plan(lift: float) -> tuple[float, float]:
            found = self.at(lift).fixed(running)
            best = np.concatenate([found.contacts, running])
            gain = found.profit - without if best[self.places].sum() > CONTACT_TOLERANCE else 0.0
            return gain, self._slope(lift, best, found.prices)

        return plan

    def _gain(self, lift: float, best: np.ndarray, without: float) -> float:
        """What the line adds to the best profit; 0 where the plan leaves it out."""
        return float(self.at(lift).profit @ best) - without if best[self.places].sum() > CONTACT_TOLERANCE else 0.0

    def _slope(self, lift: float, best: np.ndarray, prices: np.ndarray) -> float:
        """What one more unit of lift adds to the best profit: added profit, less what the money redeemed is worth elsewhere."""
        grows = lift <= self.highest_lift
        profit, rows = self.base.shift(self.places, grows * self.profit_per_lift, grows * self.spend_per_lift)
        return float(profit @ best - prices @ (rows @ best))


def _line(used: pd.DataFrame, rows: np.ndarray, campaigns: pd.DataFrame, *limits) -> _Line:
    own = used[rows]
    none, all_won = (price_options(own.assign(lift=lift), campaigns) for lift in (0.0, 1.0))
    highest = 1 - own.p0.to_numpy()
    per_lift = [(all_won[name] - none[name]).to_numpy() / highest for name in ("profit", "spend")]
    base = build_milp(pd.concat([used[~rows], none]), campaigns, *limits)
    return _Line(base, np.arange(len(used) - len(own), len(used)), *per_lift, highest)


def _running(programme: CampaignMilp, best: np.ndarray) -> np.ndarray:
    return best[programme.options :] > 0.5


def _bracket(plan: Callable[[float], tuple[float, float]], start: float, enough: float) -> tuple[float, float]:
    """Lifts close together at which the line is out and in: Newton from one at which it is in, bisection where a step went too far.

    `plan` tells for a lift what the line gains and the slope of that. (0, nan) where the line is not in at the start.
    """
    out, inside, lift = 0.0, np.nan, start
    for _ in range(ROUNDS):
        gain, slope = plan(lift)
        if gain > enough:
            step = lift - gain / slope if slope > 0 else lift
            inside = lift
            lift = step if out < step < inside else (out + inside) / 2
        else:  # the first step to land outside should have met the flip point: look just above
            landed, out = out == 0, lift
            lift = min(out * (1 + PRECISION / 2), (out + inside) / 2) if landed else (out + inside) / 2
        if not inside - out > PRECISION * inside:
            break
    return out, inside
