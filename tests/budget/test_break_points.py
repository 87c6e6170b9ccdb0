"""The steps that find a break point, each worked by hand."""

import numpy as np
import pandas as pd
import pytest

from crm_utils.budget import break_points, optimizer
from tests.support.budget_factories import campaigns, options

# Ten customers; an added order earns 40 and costs a contact of 1: the line pays from a lift of 1 ÷ 40 = .025.
ONE_LINE = campaigns({})
TEN = ("a", 0, "A", 10, 0.1, 40.0)


def line_of(offers: pd.DataFrame, *rows: tuple, segment: str = "A", budget: float = 1000.0, **limits: float | None):
    """Return the program of campaign a in one segment."""
    table = options(offers, *rows)
    own = ((table.campaign == "a") & (table.segment == segment)).to_numpy()
    return break_points._line_milp(table, own, offers, budget, limits.get("target_roi"), limits.get("holdout", 0.0))


def bracket_noting_lifts(gain_and_slope, start: float = 1.0) -> tuple[tuple[float, float], list[float]]:
    """Return the bracket and the lifts that were tried."""
    tried = []

    def note(lift: float) -> tuple[float, float]:
        tried.append(lift)
        return gain_and_slope(lift)

    return break_points._bracket(note, start, 1e-9), tried


def test_a_straight_gain_is_met_with_one_step():
    """From lift 1 down to 1 − 8 ÷ 10 = .2, where nothing is gained, then a look .2% above it."""
    (out, inside), tried = bracket_noting_lifts(lambda lift: (max(10 * (lift - 0.2) - 1e-12, 0.0), 10.0))
    assert tried == pytest.approx([1, 0.2, 0.2004], abs=1e-9)
    assert (out, inside) == pytest.approx((0.2, 0.2004), abs=1e-9)


def test_a_look_above_the_break_point_stays_above_it():
    _, tried = bracket_noting_lifts(lambda lift: (max(10 * (lift - 0.2) - 1e-12, 0.0), 10.0), start=0.3)
    assert tried == pytest.approx([0.3, 0.2, 0.2004], abs=1e-9)


def test_a_line_that_pays_at_any_lift_is_halved_down_to_nothing():
    (out, inside), tried = bracket_noting_lifts(lambda lift: (10 * lift + 1e-6, 10.0))
    assert tried[:3] == pytest.approx([1, 0.5, 0.25], abs=1e-6)
    assert out == 0 and inside < 1e-9


def test_a_gain_that_bends_takes_one_step_a_piece():
    """Slope 20 above .5 and 10 below, 0 at .2: 13 at lift 1, so 1 − 13 ÷ 20 = .35, then .35 − 1.5 ÷ 10 = .2."""

    def gain_and_slope(lift: float) -> tuple[float, float]:
        return max(10 * (lift - 0.2) + 10 * max(lift - 0.5, 0.0) - 1e-12, 0.0), 20.0 if lift > 0.5 else 10.0

    (out, inside), tried = bracket_noting_lifts(gain_and_slope)
    assert tried == pytest.approx([1, 0.35, 0.2, 0.2004], abs=1e-9)
    assert (out, inside) == pytest.approx((0.2, 0.2004), abs=1e-9)


@pytest.mark.parametrize("slope", [0.0, -1.0, 1e-3])
def test_without_a_useful_slope_the_interval_is_halved(slope):
    """A gain of 1 above lift .3. The first lift outside is followed by a look .2% above it."""
    (out, inside), tried = bracket_noting_lifts(lambda lift: (float(lift > 0.3), slope))
    assert tried[:5] == pytest.approx([1, 0.5, 0.25, 0.2505, (0.2505 + 0.5) / 2])
    assert out <= 0.3 < inside <= out * 1.0041


def test_a_flat_slope_below_one_still_gives_a_step():
    """1 − .4 ÷ .5 = .2."""
    _, tried = bracket_noting_lifts(lambda lift: (max(0.5 * (lift - 0.2) - 1e-12, 0.0), 0.5))
    assert tried == pytest.approx([1, 0.2, 0.2004], abs=1e-9)


def test_a_line_that_is_not_in_at_the_start_has_no_bracket():
    (out, inside), tried = bracket_noting_lifts(lambda lift: (0.0, 10.0), start=0.5)
    assert out == 0.5 and np.isnan(inside) and tried == [0.5]
    assert np.isnan(bracket_noting_lifts(lambda lift: (1e-9, 10.0))[0][1]), "the least gain is not above itself"


@pytest.mark.parametrize(
    ("share", "is_break_point"), [(1, True), (1.003, True), (1.005, False), (0.997, True), (0.995, False)]
)
def test_a_break_point_may_be_off_by_four_thousandths(share, is_break_point):
    """In at 1.004 times the lift and out at .996 times it: .997 × 1.004 > 1, but .995 × 1.004 < 1."""
    assert line_of(ONE_LINE, TEN).is_break_point(0.025 * share) is is_break_point


def test_no_lift_is_no_break_point():
    assert line_of(ONE_LINE, TEN).is_break_point(np.nan) is False


def test_the_slope_of_the_profit_worked_by_hand():
    """Ten contacts × 40, less 2 of profit elsewhere for each unit of money that half of them redeem of 3."""
    offers = campaigns({"incentive": 3, "redemption_rate": 0.5})
    line = line_of(offers, TEN)
    best, prices = np.array([10.0, 1.0]), np.zeros(line.base.rows.shape[0])
    assert line._slope(0.5, best, prices) == pytest.approx(10 * (40 - 1.5))
    prices[0] = 2
    assert line._slope(0.5, best, prices) == pytest.approx(10 * (40 - 1.5) - 2 * 15)
    # All who do not buy anyway are won at lift .9: from there on more lift wins nobody.
    assert line._slope(0.9, best, prices) == pytest.approx(10 * (40 - 1.5) - 2 * 15)
    assert line._slope(0.91, best, prices) == 0
    assert line._gain(0.1, best, 5.0) == pytest.approx(10 * (0.1 * 38.5 - 0.1 * 1.5 - 1) - 5)
    assert line._gain(1.0, best, 5.0) == pytest.approx(10 * (0.9 * 38.5 - 0.1 * 1.5 - 1) - 5)
    assert line._gain(0.1, np.array([0.0, 1.0]), 5.0) == 0
    assert line._fixed_campaigns(np.array([True]), 5.0)(0.01)[0] == 0, "it is not in the best plan at this lift"


@pytest.mark.parametrize("lift", [0.06, 0.1, 0.2, 0.5])
@pytest.mark.parametrize("limits", [{"budget": 14.0}, {"budget": 25.0}, {"target_roi": 1.5}])
def test_the_slope_is_that_of_the_best_profit(lift, limits):
    """Compared with the difference of two best profits, a little above the lift and a little below."""
    offers = campaigns({"incentive": 2, "redemption_rate": 0.5, "lift": 0.2}, {"segments": ["B"], "fixed_cost": 2})
    rows = [TEN, ("a", 1, "A", 6, 0.2, 25.0), ("b", 2, "B", 8, 0.1, 30.0), ("a", 2, "B", 8, 0.1, 30.0)]
    line = line_of(offers, *rows, **limits)
    gain_and_slope = line._fixed_campaigns(np.array([True, True]), 0.0)
    step = 1e-5
    numeric = (gain_and_slope(lift + step)[0] - gain_and_slope(lift - step)[0]) / (2 * step)
    assert gain_and_slope(lift)[1] == pytest.approx(numeric, rel=1e-4)
    assert numeric > 0


def test_options_of_the_line_are_the_last_ones_and_priced_at_no_lift():
    offers = campaigns({"incentive": 3, "redemption_rate": 0.5}, {"segments": ["B"]})
    line = line_of(offers, TEN, ("b", 1, "B", 8, 0.1, 30.0), ("a", 2, "A", 5, 0.4, 20.0))
    assert line.options.tolist() == [1, 2]
    assert line.base.profit.tolist() == pytest.approx([0.1 * 30 - 1, -0.15 - 1, -0.6 - 1, 0, 0])
    assert line.profit_per_lift.tolist() == pytest.approx([38.5, 18.5])
    assert line.spend_per_lift.tolist() == pytest.approx([1.5, 1.5])
    assert line.highest_lift.tolist() == pytest.approx([0.9, 0.6])
    # At lift .7 the second option wins the .6 who do not buy anyway.
    assert line.at(0.7).profit.tolist() == pytest.approx([2, 0.7 * 38.5 - 1.15, 0.6 * 18.5 - 1.6, 0, 0])
    assert line.at(0.7).rows.toarray()[0].tolist() == pytest.approx([1, 1.15 + 0.7 * 1.5, 1.6 + 0.6 * 1.5, 0, 0])


@pytest.mark.parametrize(
    ("fixed_cost", "budget", "expected", "of_whole"),
    [(0, 1000, 0.025, 0.025), (20, 1000, 0.075, 0.075), (20, 26, 26 / 240, 26 / 240), (20, 26.5, 26.5 / 260, 26 / 240)],
)
def test_a_break_point_worked_by_hand(fixed_cost, budget, expected, of_whole):
    """Ten contacts must earn 10 and the fixed cost: (10 + 20) ÷ 400.

    With 26 of money only 6 can be paid: 26 ÷ 240. With 26.5 it is half a contact more, if customers may be split.
    """
    offers = campaigns({"fixed_cost": fixed_cost, "lift": 0.2})
    line = line_of(offers, TEN, budget=budget)
    assert line.break_point(0.2, 0.0) == pytest.approx(expected, rel=0.004)
    assert line.break_point_of_whole_customers(0.2) == pytest.approx(of_whole, rel=0.004)
    assert np.isnan(line.break_point(expected * 0.99, 0.0)), "not in at this lift"


def test_break_points_of_lines_in_and_out_of_the_plan():
    """a pays in A from .025, and c in C from 1 ÷ 4 = .25. b must spend. Of D everybody buys anyway."""
    offers = campaigns({}, {"segments": ["B"], "min_spend": 0.5}, {"segments": ["C"]}, {"segments": ["D"]})
    table = options(offers, TEN, ("b", 1, "B", 10, 0.1, 40.0), ("c", 2, "C", 10, 0.1, 4.0), ("d", 3, "D", 10, 1.0, 4.0))
    planned = optimizer.allocate(table, offers, 1000)
    found = break_points.break_points(planned, offers, 1000)
    assert found.index.tolist() == [("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")]
    assert found["a", "A"] == pytest.approx(0.025, rel=0.004)
    assert found["c", "C"] == pytest.approx(0.25, rel=0.004)
    assert np.isnan(found["b", "B"]) and np.isnan(found["d", "D"])
    assert found.index.names == ["campaign", "segment"] and found.dtype == float
    turned = break_points.break_points(planned.iloc[::-1], offers, 1000)
    assert turned.index.equals(found.index)
    assert turned.to_numpy() == pytest.approx(found.to_numpy(), rel=0.004, nan_ok=True)


def test_a_planned_line_after_one_that_is_not():
    """a pays from .25, b from .025."""
    offers = campaigns({}, {"segments": ["B"]})
    table = options(offers, ("a", 0, "A", 10, 0.1, 4.0), ("b", 1, "B", 10, 0.1, 40.0))
    found = break_points.break_points(optimizer.allocate(table, offers, 1000), offers, 1000)
    assert found.tolist() == pytest.approx([0.25, 0.025], rel=0.004)


def test_a_budget_too_small_for_one_contact_has_no_break_point():
    """Half a contact would pay from .025, but a whole one cannot be paid at any lift."""
    table = options(ONE_LINE, TEN)
    planned = optimizer.allocate(table, ONE_LINE, 0.5)
    assert planned.contacts.tolist() == [0]
    assert break_points.break_points(planned, ONE_LINE, 0.5).isna().all()


def test_a_gain_below_a_millionth_of_the_profit_is_the_solvers():
    """Next to a profit of a million, a gain of less than 1 does not count: 10 × (40 lift − 1) is 1 at .0275."""
    offers = campaigns({}, {"segments": ["B"]})
    line = line_of(offers, TEN, ("b", 1, "B", 1000, 0.1, 10010.0), budget=1e5)
    assert line.profit_without() == pytest.approx(1e6)
    for search in (lambda lift: line.break_point(lift, 1e6), line.break_point_of_whole_customers):
        assert np.isnan(search(0.0270))
        assert search(0.0285) == pytest.approx(0.026, abs=0.002)


@pytest.mark.parametrize(
    ("budget", "whole_up_to", "by_whole_customers"),
    [(1000, 400, False), (26.5, 400, True), (26.5, 1, True), (26.5, 0, False)],
)
def test_when_a_break_point_is_found_with_whole_customers(monkeypatch, budget, whole_up_to, by_whole_customers):
    """With 26.5, half a contact more than 6 could be paid. A plan of more options than the limit is not checked."""
    monkeypatch.setattr(break_points, "WHOLE_UP_TO", whole_up_to)
    monkeypatch.setattr(break_points._LineMilp, "break_point_of_whole_customers", lambda *_: 99.0)
    offers = campaigns({"fixed_cost": 20, "lift": 0.2})
    planned = optimizer.allocate(options(offers, TEN), offers, budget)
    found = break_points.break_points(planned, offers, budget)
    assert bool(found.iloc[0] == 99) is by_whole_customers


def test_what_the_plan_without_the_line_earns():
    """Each contact of b costs 1 and earns 3: 10.5 of money earn 31.5, or 30 if no customer is split."""
    offers = campaigns({}, {"segments": ["B"]})
    line = line_of(offers, TEN, ("b", 1, "B", 20, 0.1, 40.0), budget=10.5)
    assert line.profit_without() == pytest.approx(31.5)
    assert line.profit_without(True) == pytest.approx(30)
