"""Segments: the article's published counts, maps as queries, newness, row order, and the profile."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.config import ScoringConfig, SegmentMap, parse_model
from crm_utils.core.errors import ParamsError, SegmentError
from crm_utils.rfm import cells, measures, scoring
from crm_utils.segmentation import assignment
from crm_utils.segmentation.assignment import assign_segments
from crm_utils.segmentation.profile import segment_profile
from crm_utils.store import Run
from tests.support.segment_factories import query_map, segment_rules, shipped_map

TODAY = date(2011, 12, 11)
PUBLISHED = {  # the article's notebook with price > 0; with the zero-price customer kept, promising are 95
    "Champions": 633,
    "Loyal Customers": 819,
    "Potential Loyalists": 484,
    "New Customers": 42,
    "Promising": 94,
    "Customers Needing Attention": 187,
    "About to Sleep": 352,
    "At Risk": 593,
    "Can't Lose Them": 63,
    "Hibernating": 1071,
}


def segments_of(customers: pd.DataFrame, day: date = TODAY, name: str = "dma11", new_within_days: int | None = 90):
    return assign_segments(customers, segment_rules(shipped_map(name), new_within_days), day)


@pytest.fixture(scope="module")
def article_orders(retail) -> pd.DataFrame:
    """Invoices of the sheet Year 2010-2011 as the article keeps them, price left open."""
    lines = pd.read_parquet(retail / "year_2010_2011.parquet")
    lines = lines[lines["Customer ID"].notna() & ~lines.Invoice.astype(str).str.startswith("C") & (lines.Quantity > 0)]
    lines = lines.assign(customer_id=lines["Customer ID"].astype(int).astype(str), revenue=lines.Quantity * lines.Price)
    grouped = lines.groupby(["customer_id", "Invoice"], as_index=False)
    return grouped.agg(ordered_at=("InvoiceDate", "max"), revenue=("revenue", "sum"), price=("Price", "max"))


ARTICLE = ScoringConfig(method="article", recency_unit="elapsed days")


def article_counts(orders: pd.DataFrame) -> tuple[dict, pd.DataFrame]:
    measured = measures.compute_rfm(ibis.memtable(orders), TODAY, ARTICLE)
    scored = scoring.score_customers(measured, ARTICLE)
    named = segments_of(scored, TODAY, "rf10", new_within_days=None)
    return named.segment.value_counts().to_dict(), scored.merge(named)


def test_the_articles_segments(article_orders):
    counts, customers = article_counts(article_orders[article_orders.price > 0])
    assert counts == PUBLISHED
    assert len(customers) == 4338
    champions = customers[customers.segment == "Champions"]
    assert champions.revenue.mean() == pytest.approx(6857.963918, abs=1e-6), "published with the counts"
    assert champions.elapsed_days.mean() == pytest.approx(6.36, abs=0.005)
    assert customers.elapsed_days.min() == 1
    assert (customers.recency_days - customers.elapsed_days == 1).all()


def test_the_articles_own_lines_of_pandas_give_the_same_scores(article_orders):
    grouped = article_orders[article_orders.price > 0].groupby("customer_id")
    recency = (pd.Timestamp(TODAY) - grouped.ordered_at.max()).dt.days
    frequency = grouped.Invoice.nunique()
    theirs = pd.DataFrame(
        {
            "recency_score": pd.qcut(recency, 5, labels=[5, 4, 3, 2, 1]).astype(int),
            "frequency_score": pd.qcut(frequency.rank(method="first"), 5, labels=[1, 2, 3, 4, 5]).astype(int),
            "monetary_score": pd.qcut(grouped.revenue.sum(), 5, labels=[1, 2, 3, 4, 5]).astype(int),
        }
    )
    _, customers = article_counts(article_orders[article_orders.price > 0])
    pd.testing.assert_frame_equal(customers.set_index("customer_id")[scoring.SCORES], theirs, check_dtype=False)


def test_the_article_with_the_zero_price_customer_kept(article_orders):
    counts, customers = article_counts(article_orders)
    assert counts == PUBLISHED | {"Promising": 95}
    assert len(customers) == 4339


def test_the_cells_the_documents_name(article_orders):
    # Counts of the checklist of the documents' slips: nobody is in 514, the cell its budget is for; 444 has recency 4.
    measured = measures.compute_rfm(ibis.memtable(article_orders[article_orders.price > 0]), TODAY)
    named = cells.reference_cells(scoring.score_customers(measured, ScoringConfig(method="article"))).set_index("cell")
    assert named.in_the_cell.to_dict() == {"514": 0, "413": 12, "111": 182, "355": 83, "444": 118}
    assert named.customers["514"] == 30, "the rule finds whom the cell misses"


def test_the_default_method_beside_the_article(article_orders):
    measured = measures.compute_rfm(ibis.memtable(article_orders[article_orders.price > 0]), TODAY)
    scored, theirs = (
        scoring.score_customers(measured, 5),
        scoring.score_customers(measured, ScoringConfig(method="article")),
    )
    compared = scoring.compare_scoring_methods(theirs, scored)
    frequency = compared[compared.measure == "frequency"]
    # 1,493 customers ordered once. The article spreads them over two classes (868 and 625); here they share one.
    assert frequency.customers.tolist() == [868, 867, 868, 867, 868]
    assert frequency.other.iloc[0] == 1493
    once = scored[scored.orders == 1].index
    assert theirs.frequency_score[once].value_counts().to_dict() == {1: 868, 2: 625}
    assert compared.groupby("measure").differ.first()["frequency"] > 625


def test_twenty_shuffles_give_identical_segments(article_orders):
    measured = measures.compute_rfm(ibis.memtable(article_orders), TODAY)
    for rules in (ScoringConfig(), ARTICLE):
        frame = measured.assign(elapsed_days=measured.recency_days - 1)
        first = segments_of(scoring.score_customers(frame, rules), name="rf10").set_index("customer_id").segment
        for seed in range(10):
            shuffled = scoring.score_customers(frame.sample(frac=1, random_state=seed), rules)
            again = segments_of(shuffled, name="rf10").set_index("customer_id").segment
            assert again.reindex(first.index).equals(first)


def five(**columns) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "first_order": pd.to_datetime(["2024-01-01", "2024-03-01", "2024-01-01", "2020-01-01", "2020-01-01"]),
            "recency_days": [1, 2, 3, 4, 5],
            "orders": [1, 2, 3, 4, 5],
            "revenue": [50.0, 40, 30, 20, 10],
        }
    )
    return scoring.score_customers(frame.assign(**columns), 5)


def test_new_asks_for_a_first_order_lately():
    # Cells 515 and 424 are Recent Customers by their scores; a's first order is 91 days old, b's 31.
    scored, day = five(), date(2024, 4, 1)
    assert scored.rfm_cell.tolist()[:2] == ["515", "424"]
    assert segments_of(scored, day, new_within_days=90).segment.tolist()[:2] == [
        "Potential Loyalists",
        "Recent Customers",
    ]
    assert segments_of(scored, day, new_within_days=91).segment[0] == "Recent Customers"
    assert segments_of(scored, day, new_within_days=None).segment[0] == "Recent Customers"


def test_nobody_who_is_new_has_stopped_buying():
    # Cells 333, 242 and 151 are About to Sleep, Hibernating and, for much money long ago, At Risk.
    scored = five(first_order=pd.to_datetime(["2024-01-01"] * 4 + ["2024-03-01"]))
    day = date(2024, 4, 1)
    old = segments_of(scored, day, new_within_days=30).segment
    new = segments_of(scored, day, new_within_days=31).segment
    assert shipped_map().roles()[old[4]] in ("slipping", "lost")
    assert new[4] == "Recent Customers"
    assert new[:4].tolist() == old[:4].tolist()
    assert segments_of(scored, day, new_within_days=None).segment[4] == old[4]


def test_a_map_without_roles_for_new_customers_keeps_its_cells():
    rows = [{"name": "Up", "cells": [{"recency": 2}], "role": "best"}, {"name": "Down", "cells": [{"recency": 1}]}]
    down = {"role": "lost"}
    texts = {"meaning": "-", "advice": "-"}
    segment_map = parse_model(
        {"title": "t", "n_bins": 2, "segments": [rows[0] | texts, rows[1] | texts | down]}, SegmentMap, "map"
    )
    assert segment_map.fallback_if_new() == {}
    rows[0]["role"] = "promising"
    segment_map = parse_model(
        {"title": "t", "n_bins": 2, "segments": [rows[0] | texts, rows[1] | texts | down]}, SegmentMap, "map"
    )
    assert segment_map.fallback_if_new() == {"Down": "Up"}


def test_a_map_of_queries_on_scores_is_proven_at_load():
    names = query_map(S0="recency_score >= 3", S1="recency_score < 3")
    assert len(names.cells()) == 125
    assert names.queries() == {}
    with pytest.raises(ParamsError, match="cell 311 is in S0 and S1"):
        query_map(S0="recency_score >= 3", S1="recency_score <= 3")
    with pytest.raises(ParamsError, match="cell 311 is in no segment"):
        query_map(S0="recency_score > 3", S1="recency_score < 3")
    with pytest.raises(ParamsError, match="S0: where 'recency_score >' is not a valid pandas query"):
        query_map(S0="recency_score >", S1="recency_score < 3")


def test_a_map_of_queries_on_more_than_scores_is_proven_on_the_customers():
    names = query_map(S0="orders > 2", S1="orders <= 2")
    assert assign_segments(five(), segment_rules(names), TODAY).segment.tolist() == ["S1", "S1", "S0", "S0", "S0"]
    hole = segment_rules(query_map(S0="orders > 3", S1="orders <= 2"))
    with pytest.raises(SegmentError, match=r"1 customers are in no segment \(cells 333\), 0 in several"):
        assign_segments(five(), hole, TODAY)
    overlap = segment_rules(query_map(S0="orders > 1", S1="orders <= 2"))
    with pytest.raises(SegmentError, match=r"0 customers are in no segment \(cells –\), 1 in several \(cells 424\)"):
        assign_segments(five(), overlap, TODAY)
    unknown = segment_rules(query_map(S0="colour == 1", S1="orders > 0"))
    with pytest.raises(SegmentError, match="segment S0: where 'colour == 1' is not a query on the customers"):
        assign_segments(five(), unknown, TODAY)
    number = segment_rules(query_map(S0="orders", S1="orders < 0"))
    with pytest.raises(
        SegmentError, match="segment S0: where 'orders' is not a query on the customers: its result is a number"
    ):
        assign_segments(five(), number, TODAY)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"fallback": "Nobody"}, "fallback 'Nobody' is not another segment"),
        ({"where": "recency_score > 1"}, "set exactly one of cells, where"),
        ({"name": "Low"}, "segments listed more than once: Low; list each segment once"),
    ],
)
def test_maps_that_contradict_themselves_are_refused(change, complaint):
    high = {"name": "High", "meaning": "-", "advice": "-", "cells": [{"recency": 2}]} | change
    low = {"name": "Low", "meaning": "-", "advice": "-", "cells": [{"recency": 1}]}
    with pytest.raises(ParamsError, match=complaint):
        parse_model({"title": "t", "n_bins": 2, "segments": [high, low]}, SegmentMap, "map")


def test_who_is_no_longer_new_does_not_go_to_another_segment_for_the_new():
    rows = [("A", [{"recency": 3}], "B"), ("B", [{"recency": 2}], "C"), ("C", [{"recency": 1}], None)]
    parts = [
        {"name": name, "meaning": "-", "advice": "-", "cells": cells, "fallback": other} for name, cells, other in rows
    ]
    with pytest.raises(
        ParamsError, match="segment A: fallback 'B' has a fallback itself; choose a segment without one"
    ):
        parse_model({"title": "t", "n_bins": 3, "segments": parts}, SegmentMap, "map")


def test_the_profile_finds_customers_in_any_order_and_refuses_gaps():
    scored = five()
    named = segments_of(scored)
    advice = shipped_map().advice()
    profile = segment_profile(scored, named, advice)
    shuffled = named.sample(frac=1, random_state=2, ignore_index=True)
    pd.testing.assert_frame_equal(segment_profile(scored, shuffled, advice), profile)
    assert profile.customers.sum() == 5
    with pytest.raises(SegmentError, match="1 of 5 customers have no segment"):
        segment_profile(scored, named.head(4), advice)
    with pytest.raises(SegmentError, match="1 customers have more than one segment"):
        segment_profile(scored, pd.concat([named, named.head(1)], ignore_index=True), advice)


def test_duplicating_every_customer_changes_no_share():
    drawn = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "customer_id": [f"{number:03d}" for number in range(300)],
            "first_order": pd.Timestamp("2011-01-01"),
            "recency_days": drawn.integers(0, 300, 300),
            "orders": drawn.geometric(0.4, 300),
            "revenue": drawn.gamma(1, 50, 300),
        }
    )
    twice = pd.concat([frame, frame.assign(customer_id=frame.customer_id + "b")], ignore_index=True)
    advice = shipped_map().advice()
    shares = [
        segment_profile(scored, segments_of(scored), advice)[["customer_share", "revenue_share"]]
        for scored in (scoring.score_customers(frame, 5), scoring.score_customers(twice, 5))
    ]
    np.testing.assert_allclose(shares[0], shares[1], atol=1e-12)


def test_a_merge_with_the_analysts_own_table_changes_no_segment():
    mine = pd.DataFrame({"customer_id": list("abcde"), "account_manager": ["x", "y", "x", "y", "x"]})
    rules = segment_rules(query_map(n_bins=4, High="recency_score > 2", Low="recency_score <= 2"))
    scored = scoring.score_customers(five()[["customer_id", "first_order", "recency_days", "orders", "revenue"]], 4)
    merged = scored.merge(mine, on="customer_id")
    assert assign_segments(merged, rules, TODAY).equals(assign_segments(scored, rules, TODAY))


def test_a_map_for_other_classes_is_refused_even_after_a_merge():
    mine = pd.DataFrame({"customer_id": list("abcde"), "account_manager": ["x", "y", "x", "y", "x"]})
    merged = scoring.score_customers(five(), 4).merge(mine, on="customer_id")
    rules = segment_rules(shipped_map(), config=ScoringConfig(n_bins=4))
    with pytest.raises(SegmentError, match="made for 5 score classes, but the customers have 4"):
        assign_segments(merged, rules, TODAY)


def test_a_merge_keeps_the_segments_of_another_day(tmp_path):
    """The rules come from the run folder, so what an analyst does to the tables in between does not matter."""
    rows = [(f"c{n}", "2024-01-01", 10.0 * n) for n in range(1, 9)] + [("c1", "2024-03-01", 500.0)]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    orders = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))
    config = ScoringConfig(n_bins=4, monetary_measure="average", bin_edges_from_date="2024-02-01")
    earlier = measures.compute_rfm(
        orders.filter(orders.ordered_at.date() <= date(2024, 2, 1)), date(2024, 2, 1), config
    )
    four = query_map(n_bins=4, High="monetary_score > 2", Low="monetary_score <= 2")
    rules = segment_rules(four, config=config, bin_edges=scoring.compute_bin_edges(earlier, config))
    run = Run(tmp_path)
    run.save_segment_rules(rules)
    again = run.load_segment_rules()
    assert again == rules
    today = scoring.score_as_of(orders, date(2024, 3, 31), rules.scoring)
    segments = assign_segments(today, rules, date(2024, 3, 31))
    merged = today.merge(pd.DataFrame({"customer_id": today.customer_id, "mine": 1}), on="customer_id")
    before = orders.filter(orders.ordered_at.date() <= date(2024, 2, 1))
    then = assignment.segments_as_of(before, date(2024, 2, 1), again, merged, segments)
    assert then.to_dict() == {f"c{n}": "High" if n > 4 else "Low" for n in range(1, 9)}


def test_cells_that_a_map_does_not_name_are_listed():
    whole = shipped_map()
    part = whole.model_copy(update={"segments": [one for one in whole.segments if one.name != "Lost"]})
    with pytest.raises(SegmentError, match="1 customers are in cells without a segment in the map: 111$"):
        assign_segments(five(revenue=[50.0, 40, 30, 10, 5], orders=[5, 4, 3, 2, 1]), segment_rules(part), TODAY)


def test_an_analysts_own_names_are_those_of_most_customers_of_a_cell():
    """On 1 February a, b, c and d share cell 1 of recency with those who are Mine today."""
    rows = [(who, "2024-01-10", 10.0) for who in "abc"] + [("d", "2024-01-31", 10.0), ("a", "2024-03-01", 10.0)]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    orders = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))
    rules = segment_rules(query_map(n_bins=2, High="recency_score == 2", Low="recency_score == 1"))
    day = date(2024, 2, 1)
    cells = scoring.score_as_of(orders.filter(orders.ordered_at.date() <= day), day, rules.scoring).rfm_cell.tolist()
    assert cells == ["111", "111", "111", "211"]
    today = pd.DataFrame({"customer_id": list("abcdef"), "rfm_cell": ["111"] * 5 + ["222"]})
    own = pd.DataFrame({"customer_id": list("fedcba"), "segment": ["Z", "Mine", "Mine", "Mine", "Other", "Other"]})
    before = orders.filter(orders.ordered_at.date() <= day)
    then = assignment.segments_as_of(before, day, rules, today, own)
    assert then.name == "segment"
    assert then.dropna().to_dict() == {"a": "Mine", "b": "Mine", "c": "Mine"}
    assert pd.isna(then["d"]), "nobody is in cell 211 today"
    assert not assignment.knows_segments(rules.segment_map, own)
    assert assignment.knows_segments(rules.segment_map, own.assign(segment="High"))


def test_segments_are_known_if_all_of_them_are_in_the_map():
    known = query_map(A="orders > 1", B="orders <= 1")
    for names, is_known in ((["A", "B"], True), (["A", "A"], True), (["A", "mine"], False), ([], True)):
        assert assignment.knows_segments(known, pd.DataFrame({"segment": names})) is is_known


def test_customers_are_new_for_ninety_days_unless_told_otherwise():
    customers = pd.DataFrame({"first_order": pd.to_datetime(["2023-10-02", "2023-10-01", "2023-12-01", "2023-11-30"])})
    day = date(2023, 12, 31)
    assert assignment.are_new(customers, None, day).tolist() == [True, False, True, True]
    assert assignment.are_new(customers, 30, day).tolist() == [False, False, True, False]


def test_segments_are_text():
    rules = segment_rules(query_map(A="orders > 1", B="orders <= 1"), new_within_days=None)
    assert assign_segments(five(), rules, TODAY).segment.dtype == "str"
