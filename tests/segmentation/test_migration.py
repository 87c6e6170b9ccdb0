"""Movement between two dates: the five causes add up, frozen limits move nobody, and a case worked by hand."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_utils.config import ScoringConfig
from crm_utils.core import errors
from crm_utils.rfm import measures, scoring
from crm_utils.segmentation import assignment, migration, profile
from crm_utils.segmentation.migration import Cause
from tests.support.segment_factories import high_and_low, segment_rules, shipped_map

MAP = shipped_map()
THEN, NOW = date(2023, 6, 30), date(2023, 9, 30)
NO_ADJUSTMENTS = ibis.memtable(
    pd.DataFrame(
        {
            "customer_id": pd.Series([], dtype="str"),
            "order_id": pd.Series([], dtype="str"),
            "adjusted_at": pd.Series([], dtype="datetime64[us]"),
            "revenue": pd.Series([], dtype="float64"),
        }
    )
)


def shop(seed: int, customers: int = 120) -> ibis.Table:
    """Orders of a shop over the year 2023: some customers come after THEN, some fall silent."""
    draw = np.random.default_rng(seed)
    rows = customers * 4
    frame = pd.DataFrame(
        {
            "customer_id": [f"{number:04d}" for number in draw.integers(0, customers, rows)],
            "order_id": [f"o{number}" for number in range(rows)],
            "ordered_at": pd.Timestamp("2023-01-01") + pd.to_timedelta(draw.integers(0, 272, rows), unit="D"),
            "revenue": draw.gamma(1, 40, rows).round(2) + 1,
            "units": 1.0,
            "lines": 1,
        }
    )
    return ibis.memtable(frame)


def both_dates(orders: ibis.Table, config: ScoringConfig, adjustments: ibis.Table = NO_ADJUSTMENTS):
    """The segment rules, measures then, customers now, and the profiles at both dates."""
    edges = None
    if config.bin_edges_from_date:
        edges = scoring.compute_bin_edges(measures.rfm_as_of(orders, adjustments, THEN, config), config)
    rules = segment_rules(MAP, config=config, bin_edges=edges)
    now = scoring.score_customers(measures.rfm_as_of(orders, adjustments, NOW, config), config, edges)
    then = migration.earlier_customers(orders, adjustments, THEN, config)
    scored_then = scoring.score_customers(then, config, edges)
    profiles = [
        profile.segment_profile(scored, assignment.assign_segments(scored, rules, day), MAP.advice())
        for scored, day in ((scored_then, THEN), (now, NOW))
    ]
    return rules, then, now, profiles


@given(
    st.integers(0, 10_000),
    st.sampled_from([ScoringConfig(), ScoringConfig(monetary_measure="average"), ScoringConfig(recency_unit="weeks")]),
)
@settings(max_examples=12, deadline=None)
def test_the_causes_sum_to_the_change_of_every_segment(seed, config):
    rules, then, now, (before, after) = both_dates(shop(seed), config)
    net = migration.net_by_cause(migration.decompose_migration(then, now, rules, THEN, NOW), after)
    assert net.customers_then.tolist() == before.customers.tolist(), "residual 0"
    assert net.customers.tolist() == after.customers.tolist()
    np.testing.assert_allclose(net.revenue_change, after.revenue - before.revenue, atol=1e-6)


def test_frozen_limits_move_nobody_by_themselves():
    rules, then, now, (before, after) = both_dates(shop(1), ScoringConfig(bin_edges_from_date=str(THEN)))
    moves = migration.decompose_migration(then, now, rules, THEN, NOW)
    assert not moves.cause.isin([Cause.BIN_EDGES_MOVED_BY_EXISTING, Cause.BIN_EDGES_MOVED_BY_NEW]).any()
    assert migration.net_by_cause(moves, after).customers_then.tolist() == before.customers.tolist()
    rules, then, now, _ = both_dates(shop(1), ScoringConfig())
    relative = migration.decompose_migration(then, now, rules, THEN, NOW)
    assert relative.cause.isin([Cause.BIN_EDGES_MOVED_BY_EXISTING, Cause.BIN_EDGES_MOVED_BY_NEW]).any()


def test_late_cancellations_make_customers_leave():
    orders = shop(2)
    first = orders.filter(orders.customer_id == "0007").execute()
    cancelled = first.assign(adjusted_at=pd.Timestamp("2023-08-15"), revenue=-first.revenue)
    adjustments = ibis.memtable(cancelled[["customer_id", "order_id", "adjusted_at", "revenue"]])
    rules, then, now, (before, after) = both_dates(orders, ScoringConfig(), adjustments)
    assert "0007" in set(then.customer_id)
    assert "0007" not in set(now.customer_id)
    moves = migration.decompose_migration(then, now, rules, THEN, NOW)
    gone = moves[moves.to_segment == migration.DEPARTED]
    assert gone.customers.sum() == 1
    assert migration.net_by_cause(moves, after).customers_then.tolist() == before.customers.tolist()


def test_two_customers_worked_by_hand():
    # Two classes on two customers: the better of each measure scores 2. Then a is better in everything. Until now b
    # buys three times: under the old limits b is High (a stays it, silent); today's limits push a out of it.
    rows = [("a", "2023-06-01", 10.0)] * 2 + [("b", "2023-05-01", 5.0)] + [("b", "2023-09-01", 50.0)] * 3
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    frame["order_id"] = [f"o{number}" for number in range(len(frame))]
    orders = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at), units=1.0, lines=1))
    # at most 29 days scores 2: a's 1 June was recent on 30 June
    config = ScoringConfig(n_bins=2, bin_edges={"recency": [29]})
    rules = segment_rules(high_and_low(), new_within_days=None, config=config)
    now = scoring.score_customers(measures.rfm_as_of(orders, NO_ADJUSTMENTS, NOW, config), config)
    then = migration.earlier_customers(orders, NO_ADJUSTMENTS, THEN, config)
    moves = migration.decompose_migration(then, now, rules, THEN, NOW)
    assert moves.index.tolist() == list(range(len(moves)))
    on_the_day = migration.decompose_migration(then, now, rules, date(2023, 9, 1), NOW)
    assert set(on_the_day.cause) == {"stayed_silent"}, "an order of the earlier date itself is not a later one"
    rows = {(row.from_segment, row.to_segment, row.cause): (row.customers, row.revenue) for row in moves.itertuples()}
    assert rows == {
        ("Low", "Low", "bought"): (1, 150.0),  # what b added while Low
        ("High", "High", "stayed_silent"): (1, 0.0),
        ("Low", "High", "bought"): (1, 155.0),  # b brings all its revenue along
        ("High", "Low", "stayed_silent"): (1, 20.0),  # a's last order is too long ago
    }


def test_no_earlier_date_gives_an_empty_table_with_its_columns():
    rules, _, now, (_, after) = both_dates(shop(3), ScoringConfig())
    then = migration.earlier_customers(shop(3), NO_ADJUSTMENTS, None, rules.scoring.config)
    moves = migration.decompose_migration(then, now, rules, None, NOW)
    assert moves.columns.tolist() == migration.COLUMNS
    assert moves.empty
    assert migration.net_by_cause(moves, after).empty
    nobody = migration.earlier_customers(shop(3), NO_ADJUSTMENTS, date(2022, 12, 31), rules.scoring.config)
    for earlier, day in ((nobody.head(0), THEN), (now, None)):
        assert migration.decompose_migration(earlier, now, rules, day, NOW).empty


def test_the_date_to_compare_with():
    customers = pd.DataFrame({"first_order": pd.to_datetime(["2022-03-01", "2022-01-31"])})
    assert migration.comparison_date("previous", THEN, NOW, customers) == THEN
    assert migration.comparison_date("previous", None, NOW, customers) is None
    assert migration.comparison_date("none", THEN, NOW, customers) is None
    assert migration.comparison_date("2023-01-31", THEN, NOW, customers) == date(2023, 1, 31)
    assert migration.comparison_date("2023-09-30", THEN, NOW, customers) is None, "a report is not compared with itself"
    with pytest.raises(
        errors.MigrationError, match="nobody had ordered by 2022-01-30, because the first order was on 2022-01-31"
    ):
        migration.comparison_date("2022-01-30", THEN, NOW, customers)


def test_online_retail_june_to_september(retail):
    """The finding of the methods: a segment grows while fewer customers behave like it.

    Both years, no cancellations.
    """
    first, second = (pd.read_parquet(retail / f"year_{years}.parquet") for years in ("2009_2010", "2010_2011"))
    lines = pd.concat([first[~first.Invoice.isin(second.Invoice)], second])
    cancelled = lines.Invoice.astype(str).str.startswith("C")
    lines = lines[lines["Customer ID"].notna() & ~cancelled & (lines.Quantity > 0) & (lines.Price > 0)]
    lines = lines.assign(customer_id=lines["Customer ID"].astype(int).astype(str), revenue=lines.Quantity * lines.Price)
    placed = lines.groupby(["customer_id", "Invoice"], as_index=False).agg(
        ordered_at=("InvoiceDate", "max"), revenue=("revenue", "sum")
    )
    assert (len(placed), placed.customer_id.nunique()) == (36_969, 5_878)
    orders = ibis.memtable(placed.rename(columns={"Invoice": "order_id"}).assign(units=1.0, lines=1))
    then_day, now_day = date(2011, 6, 9), date(2011, 9, 9)
    ten = shipped_map("rf10")
    rules = segment_rules(ten, new_within_days=None)
    now = scoring.score_customers(measures.rfm_as_of(orders, NO_ADJUSTMENTS, now_day), 5)
    then = migration.earlier_customers(orders, NO_ADJUSTMENTS, then_day, rules.scoring.config)
    segments = profile.segment_profile(now, assignment.assign_segments(now, rules, now_day), ten.advice())
    moves = migration.decompose_migration(then, now, rules, then_day, now_day)
    champions = migration.net_by_cause(moves, segments).iloc[0]
    assert (champions.customers_then, champions.customers) == (633, 724)
    assert champions[Cause.BOUGHT] + champions[Cause.STAYED_SILENT] == -29
    assert champions[Cause.BIN_EDGES_MOVED_BY_EXISTING] + champions[Cause.BIN_EDGES_MOVED_BY_NEW] == 116
    assert champions[Cause.ARRIVALS_LESS_DEPARTURES] == 4
    assert pytest.approx(1_207_350.35, abs=0.01) == champions.revenue_change


def test_the_change_of_segments_by_cause_worked_by_hand():
    """A has 2 + 1 now, B 4: three came to A, one came from B, and two left for B."""
    rows = [
        ("A", "B", Cause.BOUGHT, 2, 30.0),
        ("B", "A", Cause.STAYED_SILENT, 1, 10.0),
        ("A", "A", Cause.BOUGHT, 5, 7.0),
        (migration.NEW_CUSTOMER, "A", Cause.ARRIVALS_LESS_DEPARTURES, 3, 60.0),
        ("B", migration.DEPARTED, Cause.ARRIVALS_LESS_DEPARTURES, 1, 4.0),
    ]
    moves = pd.DataFrame([(*row[:2], row[2].value, *row[3:]) for row in rows], columns=migration.COLUMNS)
    net = migration.net_by_cause(moves, pd.DataFrame({"segment": ["C", "B", "A"], "customers": [0, 4, 9]}))
    expected = pd.DataFrame(
        {
            "segment": ["C", "B", "A"],
            "customers_then": [0, 4, 7],
            Cause.BOUGHT.value: [0, 2, -2],
            Cause.STAYED_SILENT.value: [0, -1, 1],
            Cause.ARRIVALS_LESS_DEPARTURES.value: [0, -1, 3],
            "customers": [0, 4, 9],
            "revenue_change": [0, 30 - 10 - 4, 10 + 60 - 30 + 7],
        }
    )
    pd.testing.assert_frame_equal(net[expected.columns], expected, check_dtype=False)
    others = net.drop(columns=expected.columns)
    assert set(others) == {Cause.BIN_EDGES_MOVED_BY_EXISTING, Cause.BIN_EDGES_MOVED_BY_NEW} and not others.any(
        axis=None
    )
