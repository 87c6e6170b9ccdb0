"""Moves between segments as past waves showed them."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from crm_utils.budget import customer_flow
from crm_utils.budget.waves import CustomerFlow
from tests.support.factories import empty_adjustments
from tests.support.segment_factories import query_map, segment_rules, two_kinds_of_customers

START, DAY = date(2024, 1, 1), date(2024, 4, 1)


def window(bought, silent, arrivals, start=START) -> customer_flow.SegmentMoves:
    """Moves between the segments A and B."""
    names = ["A", "B"]
    tables = [pd.DataFrame(rows, names, names, dtype=float) for rows in (bought, silent)]
    sizes = tables[0].sum(axis=1) + tables[1].sum(axis=1)
    return customer_flow.SegmentMoves(start, DAY, *tables, pd.Series(arrivals, names, dtype=float), sizes)


def test_shares_of_a_few_customers_lean_to_staying():
    counts = pd.DataFrame([[0.0, 80.0], [0.0, 0.0]], ["A", "B"], ["A", "B"])
    shares = customer_flow.transition_shares(counts)
    assert shares.loc["A"].tolist() == pytest.approx([0.2, 0.8])
    assert shares.loc["B"].tolist() == [0.0, 1.0]


def test_observed_moves_account_for_every_customer():
    """Everybody known at the start bought or stayed silent, and everybody else arrived."""
    orders = two_kinds_of_customers()
    last = orders.ordered_at.max().execute().date()
    rules = segment_rules(query_map(A="recency_score > 2", B="recency_score <= 2"), new_within_days=None)
    moves = customer_flow.observe_moves(orders, ibis.memtable(empty_adjustments()), rules, last, 60, windows=3)
    assert len(moves) == 3
    table = orders.execute()
    first = table.groupby("customer_id").ordered_at.min()
    for seen in moves:
        assert seen.end - seen.start == timedelta(days=60)
        end, start = pd.Timestamp(seen.end) + pd.Timedelta(days=1), pd.Timestamp(seen.start) + pd.Timedelta(days=1)
        known = first[first < start].index
        bought = table[(table.ordered_at >= start) & (table.ordered_at < end)].customer_id.unique()
        assert seen.sizes.sum() == len(known)
        assert seen.bought.to_numpy().sum() == np.isin(known, bought).sum()
        assert seen.silent.to_numpy().sum() == (~np.isin(known, bought)).sum()
        assert seen.arrivals.sum() == ((first >= start) & (first < end)).sum()
        assert (seen.bought.to_numpy() >= 0).all()
        assert (seen.silent.to_numpy() >= 0).all()


def test_no_window_before_the_first_order():
    orders = two_kinds_of_customers()
    first = orders.ordered_at.min().execute().date()
    rules = segment_rules(query_map(A="recency_score > 2", B="recency_score <= 2"), new_within_days=None)
    day = first + timedelta(days=70)
    moves = customer_flow.observe_moves(orders, ibis.memtable(empty_adjustments()), rules, day, 60)
    assert [seen.start for seen in moves] == [first + timedelta(days=10)]


def test_sizes_one_wave_ahead_by_hand():
    """Of 100 in A 80 moved to B; 20 stay in A, and the assumption adds 20 who stay: 2 of 3 move. 12 arrive in A."""
    past = [window([[0, 0], [0, 0]], [[20, 80], [0, 100]], [12, 0])]
    sizes = customer_flow.forecast_sizes(pd.Series({"A": 90.0, "B": 30.0}), past, 2)
    assert sizes.loc[1].tolist() == pytest.approx([90 / 3 + 12, 30 + 60])
    assert sizes.loc[2].tolist() == pytest.approx([42 / 3 + 12, 90 + 28])


def test_moves_are_used_only_if_they_beat_no_change():
    """Windows that repeat are forecast well; windows that are turned around are not."""
    moving = window([[0, 0], [0, 0]], [[2000, 8000], [0, 10_000]], [0, 0])
    then = window([[0, 0], [0, 0]], [[2000, 8000], [0, 10_000]], [0, 0], start=START - timedelta(days=91))
    judged = customer_flow.judge_sizes([moving, then])
    assert judged.waves_ahead.tolist() == [1]
    assert judged.error_no_change.iloc[0] == pytest.approx(8000)
    assert judged.error.iloc[0] == pytest.approx(8000 - 10_000 * 8000 / 10_020)
    assert customer_flow.moves_are_useful(judged)
    back = window([[0, 0], [0, 0]], [[10_000, 0], [8000, 2000]], [0, 0])
    assert not customer_flow.moves_are_useful(customer_flow.judge_sizes([back, then]))
    assert not customer_flow.moves_are_useful(customer_flow.judge_sizes([then]))


def groups() -> pd.DataFrame:
    """Segment A with one group, B with two blocks of which one rests; e-mail allowed for all but the last customers."""
    rows = [
        # segment, block, group, consent, lands, order margins
        ("A", 0, 0, "email", True, [5.0, 9.0]),
        ("B", 1, 1, "email", True, [1.0, 4.0]),
        ("B", 1, 2, "email", True, [6.0, 8.0]),
        ("B", 2, 3, "email", False, [3.0]),
        ("A", 3, 4, "", True, [7.0]),
    ]
    table = [
        {"segment": s, "block": b, "group": g, "consent": c, "lands": lands, "order_margin": margin}
        for s, b, g, c, lands, margins in rows
        for margin in margins
    ]
    days = pd.to_datetime(["2023-01-01"] * 7 + ["2024-03-31"])
    ids = [f"{place}" for place in range(8)]
    return (
        pd.DataFrame(table)
        .assign(customer_id=ids, first_order=days, contact_level=[0, 1, 0, 2, 0, 0, 0, 0])
        .assign(held_out=[True] + [False] * 7)
    )


def test_customers_land_in_the_value_class_that_holds_their_margin():
    moves = [window([[100, 0], [0, 100]], [[0, 80], [0, 100]], [3, 0])]
    chance = pd.Series(0.25, groups().customer_id)
    flow = customer_flow.build_flow(groups(), moves, True, [chance, chance], 91, DAY)
    silent = (flow.if_silent @ flow.pools).toarray()
    assert silent.sum(axis=1).tolist() == pytest.approx([1.0] * 5)
    # A → B: 80 of 80, with 20 added who stay: 0.8. The mean margin of 7 is in the class up to 8, not in the one up to 4
    assert silent[0].tolist() == pytest.approx([0.2, 0.0, 0.8, 0.0, 0.0])
    # No customer of B has no consent, so the last group stays
    assert silent[4].tolist() == pytest.approx([0, 0, 0, 0, 1.0])
    # Customers who rest stay in B but join those who can be contacted
    assert silent[3].tolist() == pytest.approx([0, 1.0, 0, 0, 0])
    assert (flow.if_bought @ flow.pools).toarray()[0].tolist() == pytest.approx([1.0, 0, 0, 0, 0])


def test_flow_by_hand():
    moves = [window([[100, 0], [0, 100]], [[0, 80], [0, 100]], [3, 1])]
    chance = pd.Series(np.linspace(0.1, 0.8, 8), groups().customer_id)
    flow = customer_flow.build_flow(groups(), moves, True, [chance, chance * 0.5], 91, DAY)
    assert flow.customers.tolist() == [2, 2, 2, 1, 1]
    assert flow.baseline[0].tolist() == pytest.approx([0.15, 0.35, 0.55, 0.7, 0.8])
    assert flow.baseline[1].tolist() == pytest.approx([0.075, 0.175, 0.275, 0.35, 0.4])
    assert flow.newcomers.tolist() == [0, 0, 0, 0, 1.0], "only the last customer is new"
    assert flow.arrivals.tolist() == [[0] * 5, [0, 0, 0, 0, 4.0]]
    assert flow.order_margin.tolist() == [7.0, 2.5, 7.0, 3.0, 7.0]
    sizes = flow.sizes(2, np.array([2.0, 0.0]))
    assert sizes[1].sum() == pytest.approx(8 + 4 + 2)
    # Group 0: 15% buy and stay, of the others 20% stay
    assert sizes[1][0] == pytest.approx(2 * (0.15 + 0.85 * 0.2))


def test_without_useful_moves_nobody_moves():
    chance = pd.Series(0.25, groups().customer_id)
    moves = [window([[1, 0], [0, 1]], [[0, 80], [0, 100]], [3, 0])]
    flow = customer_flow.build_flow(groups(), moves, False, [chance, chance], 91, DAY)
    assert (flow.transition(0).toarray() == np.eye(5)).all()
    assert flow.arrivals[1].sum() == 3


def arrivals_after(*won: float) -> list[float]:
    """New customers expected before each of four waves, from those of past windows, the latest first."""
    moves = [window([[1, 0], [0, 1]], [[1, 0], [0, 1]], [number, 0]) for number in won]
    chance = pd.Series(0.25, groups().customer_id)
    return customer_flow.build_flow(groups(), moves, True, [chance] * 4, 91, DAY).arrivals.sum(axis=1).tolist()


def test_arrivals_follow_the_season_of_last_year():
    """Lately 35 a window. Last year the same windows had 10, 20 and 30, with a mean of 25: halved at most, 0.8, 1.2."""
    assert arrivals_after(40, 30, 20, 10) == pytest.approx([0, 17.5, 28, 42])
    assert arrivals_after(40, 30) == [0, 35, 35, 35]
    assert arrivals_after() == [0, 0, 0, 0]


def test_a_closed_customer_base_stays_closed():
    """All customers came in the first window of the year, and hardly any since."""
    assert max(arrivals_after(2, 0, 10, 23_000)) <= 2


def test_contact_levels_by_hand():
    """Waves of 91 days before 2024-04-01: the last one from 2024-01-02 on."""
    rows = [
        ("once", "2024-01-05", "treatment"),
        ("before", "2023-10-10", "treatment"),
        ("thrice", "2024-01-05", "treatment"),
        ("thrice", "2023-10-10", "treatment"),
        ("thrice", "2023-07-10", "treatment"),
        ("held", "2024-01-05", "control"),
    ]
    past = pd.DataFrame(rows, columns=["customer_id", "contacted_on", "group"])
    ids = pd.Series(["once", "before", "thrice", "held", "never"])
    levels = customer_flow.contact_levels(past, ids, DAY, 91)
    assert levels.to_dict() == {"once": 1, "before": 0, "thrice": 2, "held": 0, "never": 0}
    assert customer_flow.contact_levels(None, ids, DAY, 91).eq(0).all()
    by_mistake = past.assign(sent=past.customer_id.isin(["held", "before"]))
    known = customer_flow.contact_levels(by_mistake, ids, DAY, 91)
    assert known.to_dict() == {"once": 0, "before": 0, "thrice": 0, "held": 1, "never": 0}, "what was sent counts"


def test_customers_start_at_their_contact_level():
    flow = customer_flow.build_flow(groups(), [], False, [pd.Series(0.25, groups().customer_id)] * 2, 91, DAY)
    assert flow.start[:2].tolist() == [[1, 1, 0], [1, 0, 1]]
    assert flow.start.sum(axis=1).tolist() == flow.customers.tolist()
    assert flow.free[:2].tolist() == [[0, 1, 0], [1, 0, 1]], "the first customer is held out"


def test_size_error_by_hand():
    judged = pd.DataFrame({"error": [10.0, 20.0], "error_no_change": [40.0, 20.0]})
    moves = [window([[0, 0], [0, 0]], [[60, 0], [0, 40]], [0, 0])]
    assert customer_flow.size_error(judged, moves) == pytest.approx(15 / moves[0].sizes.mean())
    worse = judged.assign(error=[50.0, 50.0])
    assert customer_flow.size_error(worse, moves) == pytest.approx(30 / moves[0].sizes.mean())
    assert customer_flow.size_error(judged.head(0), []) == 1


def test_value_of_moving_by_hand():
    """Two groups, three waves: buyers of group 0 go to group 1, where everybody buys for a margin of 10."""
    flow = CustomerFlow(
        start=np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        free=np.zeros((2, 3)),
        baseline=np.tile([0.5, 1.0], (3, 1)),
        if_bought=csr_array([[0.0, 1.0], [0.0, 1.0]]),
        if_silent=csr_array([[1.0, 0.0], [0.0, 1.0]]),
        arrivals=np.zeros((3, 2)),
        newcomers=np.zeros(2),
        order_margin=np.array([2.0, 10.0]),
    )
    ahead = flow.value_of_moving(3)
    assert ahead[2].tolist() == [0, 0]
    assert ahead[1].tolist() == pytest.approx([10 - 1, 0])
    # From wave 1 on: group 0 brings 1 + (1 + 10) / 2, group 1 brings 20
    assert ahead[0].tolist() == pytest.approx([20 - (1 + (1 + 10) / 2), 0])
