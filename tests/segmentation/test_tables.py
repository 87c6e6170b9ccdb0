"""Tables of 03_segmentation as a reader sees them."""

import pandas as pd

from crm_utils.core.formatting import NumberFormat
from crm_utils.segmentation import clustering, labels, migration, stability, tables
from tests.support.page_tables import cell_texts

FMT = NumberFormat("USD")


def test_the_profile_adds_up_its_shares():
    profile = pd.DataFrame(
        {
            "segment": ["A", "B"],
            "customers": [3, 1],
            "customer_share": [0.75, 0.25],
            "revenue": [30.0, 270.0],
            "revenue_share": [0.1, 0.9],
            "recency_days": [5.0, 6.0],
            "orders": [1.0, 2.0],
            "mean_order_value": [10.0, 135.0],
            "advice": ["wait", "write"],
        }
    )
    texts = cell_texts(tables.profile(profile, FMT))
    assert len(texts[0]) == 8, "the advice stands in a table of its own"
    assert texts[-1] == ["Total", "4", "100%", "$300", "100%", "", "", ""]


def test_each_segment_has_its_limits_and_can_be_led_to():
    profile = pd.DataFrame({"segment": ["A & B", "C", "None"], "advice": ["wait", "write", "-"]})
    limits = pd.DataFrame(
        {
            "fewest_days": [0, 91],
            "most_days": [429, 600],
            "fewest_orders": [3, 1],
            "most_orders": [63, 1],
            "least_revenue": [150.0, 20.0],
            "most_revenue": [12_000.0, 20.0],
        },
        index=["A & B", "C"],
    )
    shown = tables.advice(profile, {"A & B": "new", "C": "old"}, limits, FMT)
    assert cell_texts(shown)[1:] == [
        ["A & B", "new", "Last order within 429 days; 3–63 orders; $150–$12,000.", "wait"],
        ["C", "old", "Last order 91–600 days ago; 1 order; $20.00.", "write"],
        ["None", "–", "–", "-"],
    ]
    assert '<span id="segment-a-b">A &amp; B</span>' in shown._repr_html_()


def test_moves_are_added_up_by_cause():
    row = {"segment": "A", "customers_then": 5} | dict.fromkeys(migration.CAUSES, 1)
    row |= {"customers": 10, "revenue_change": 7.0}
    texts = cell_texts(tables.segment_migration(pd.DataFrame([row, row | {"segment": "B"}]), FMT))
    assert texts[0][2:7] == list(labels.CAUSE_LABELS.values())
    assert texts[-1][:8] == ["Total", "10", "2", "2", "2", "2", "2", "20"]
    assert tables.segment_migration(pd.DataFrame(), FMT) is None


def test_statuses_by_segment_in_the_order_of_the_report():
    crossed = pd.DataFrame(
        {"segment": ["A", "A", "B"], "value": ["active", "new", "active"], "customers": [1, 2, 3], "share": 1.0}
    )
    texts = cell_texts(tables.lifecycle(crossed, ["B", "none", "A"], FMT))
    assert texts == [["Segment", "Active", "New"], ["B", "3", "0"], ["A", "1", "2"], ["Total", "4", "2"]]


def test_small_groups_are_marked():
    row = {"trait": "price", "strength": 0.5, "segment": "A", "value": "premium", "share": 0.5, "share_of_all": 0.25}
    rows = pd.DataFrame([row | {"customers": 29, "small": True}, row | {"customers": 30, "small": False}])
    texts = cell_texts(tables.trait_associations(rows, FMT))
    assert [text[-1] for text in texts] == ["Customers", "29 (small)", "30"]
    assert texts[1][0] == labels.trait_label("price") and texts[1][3] == "above the usual price"
    assert texts[1][4:6] == ["50%", "25%"]
    assert tables.trait_associations(rows.head(0), FMT) is None


def test_stability_in_the_order_of_the_report():
    retention = pd.DataFrame([("A", 3, 0.75, 1), ("B", 5, 0.5, 2)], columns=stability.COLUMNS)
    texts = cell_texts(tables.stability(retention, ["B", "none", "A"], FMT))
    assert [text[:3] for text in texts[1:]] == [["B", "5", "50%"], ["A", "3", "75%"]]
    assert tables.stability(retention.head(0), ["A"], FMT) is None


def test_nothing_to_show_gives_no_table():
    assert tables.buying_behaviour(pd.DataFrame(), FMT) is None
    assert tables.cluster_profiles(pd.DataFrame(columns=clustering.Cluster._fields), FMT) is None
    one = clustering.Cluster(1, "Recent", 5, 3.0, 2.0, 10.0, "A", 0.5)
    assert cell_texts(tables.cluster_profiles(pd.DataFrame([one]), FMT))[1][:3] == ["1", "Recent", "5"]
    assert cell_texts(tables.buying_behaviour(pd.DataFrame({"segment": ["A"], "customers": [4]}), FMT))[1] == ["A", "4"]
