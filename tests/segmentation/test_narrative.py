"""Sentences and figures of the segment page: more, fewer and none; one and many.

And what stands if there is nothing.
"""

from datetime import date

import pandas as pd
import pytest

from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.formatting import NumberFormat
from crm_utils.segmentation import charts, findings, labels, migration, narrative
from crm_utils.segmentation.revenue_bridge import Bridge, Periods
from tests.support.segment_factories import shipped_map

SINCE = date(2011, 6, 9)
THEN = date(1997, 9, 30)
NOW = date(1997, 12, 31)
FMT = NumberFormat("USD")
ROLES = shipped_map().roles()


def net(bought=0, silent=0, existing=0, new=0, arrivals=0) -> pd.DataFrame:
    causes = dict(zip(migration.CAUSES, (bought, silent, existing, new, arrivals), strict=True))
    change = sum(causes.values())
    row = {"segment": "Champions", "customers_then": 718, **causes, "customers": 718 + change, "revenue_change": 1.0}
    return pd.DataFrame([row])


def profile(**customers: int) -> pd.DataFrame:
    names = [name.replace("_", " ") for name in customers]
    frame = pd.DataFrame({"segment": names, "customers": list(customers.values())})
    frame["revenue"] = frame.customers * 10.0
    return frame.assign(
        customer_share=frame.customers / frame.customers.sum(), revenue_share=frame.revenue / frame.revenue.sum()
    )


@pytest.mark.parametrize(
    ("causes", "parts"),
    [
        (
            {"bought": 44, "silent": -100, "existing": 70, "new": -7, "arrivals": 3},
            ["9 June 2011", "56 fewer customers behave like Champions", "718 to 728", "added 63", "added 3"],
        ),
        ({"bought": 2, "existing": -1}, ["2 more customers behave like Champions", "718 to 719", "took away 1"]),
        ({}, ["As many customers behave like Champions", "still has 718 customers"]),
    ],
)
def test_the_finding_of_migration_is_absolute(causes, parts):
    sentence = narrative.segment_migration(net(**causes), SINCE, ROLES, FMT)
    assert all(part in sentence for part in parts), sentence


def test_the_best_segment_is_found_by_its_role_and_not_by_its_place():
    rows = pd.concat([net(bought=5).assign(segment="Quiet"), net(bought=2).assign(segment="Stars")])
    roles = {"Quiet": "lost", "Stars": "best"}
    assert "2 more customers behave like Stars" in narrative.segment_migration(rows, SINCE, roles, FMT)
    assert "5 more customers behave like Quiet" in narrative.segment_migration(rows, SINCE, {}, FMT)


def test_the_figure_of_migration_shows_each_cause_and_the_sum():
    ax = charts.plot_segment_migration(net(bought=44, silent=-100, existing=70, new=-7, arrivals=3), FMT)
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["Sum", *labels.CAUSE_LABELS.values()]
    assert list(labels.CAUSE_LABELS) == migration.CAUSES
    assert sum(patch.get_width() for patch in ax.patches) == 10
    assert [text.get_text() for text in ax.texts] == ["+10"]


def test_nothing_to_compare_with_leaves_the_section():
    empty = net().head(0)
    finding = findings.segment_migration(empty, None, ROLES, FMT)
    assert isinstance(finding.sentence, NotApplicable)
    assert finding.figure is None


def bought_on(**last_order: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(last_order), "last_order": pd.to_datetime(list(last_order.values()))})


def test_a_fall_is_called_a_fall_against_a_period_as_long():
    then = bought_on(a="1997-09-01", b="1997-09-01")
    now = bought_on(a="1997-09-01", b="1997-10-02", c="1997-10-03")
    periods = Periods(date(1997, 10, 1), NOW, date(1996, 10, 1), date(1996, 12, 31), is_year_before=True)
    bridge = Bridge(before=1000.0, new=100.0, more=50.0, less=-200.0, lost=-150.0)
    assert narrative.changes_since(then, now, THEN, periods, bridge, FMT) == (
        "From 1 October 1997 to 31 December 1997 customers spent $800, 20% less than in the same days a year before "
        "($1,000). Customers won since then brought $100, and known ones who spent more added $50.00. Those who spent "
        "less took away $200, and those who did not come back $150. Since 30 September 1997, 1 of the 2 existing "
        "customers ordered again, and 1 new customer came."
    )
    before = narrative.changes_since(
        then, then, THEN, periods._replace(is_year_before=False), Bridge(8, 2, 0, -1, -1), FMT
    )
    assert "customers spent $8.00, as much as in the 92 days before" in before
    assert "none of the 2 existing customers ordered again, and no new customer came" in before
    nothing = narrative.changes_since(then, now, THEN, periods, Bridge(0, 5, 0, 0, 0), FMT)
    assert "spent $5.00. Nothing was spent in the same days a year before." in nothing
    assert narrative.NO_PERIOD_BEFORE in narrative.changes_since(then, now, THEN, None, None, FMT)
    assert isinstance(narrative.changes_since(then.iloc[:0], now, THEN, periods, bridge, FMT), NotApplicable)


def test_the_largest_move_is_named_with_what_is_at_stake():
    moves = pd.DataFrame(
        {"previous_segment": ["A", "B"], "new_segment": ["B", "A"], "customers": [3, 1], "revenue_12m": [30.0, 1e3]}
    )
    said = findings.largest_moves(moves, profile(A=5, B=3), net(), THEN, ROLES, FMT)
    assert said.brief == (
        "Largest move since 30 September 1997: 3 customers from A to B, who spent $30.00 in 12 months."
    )
    assert said.sentence == (
        "The largest move since 30 September 1997 is from A to B: 3 customers, who spent $30.00 in the last 12 months."
    )
    assert "five causes" not in said.sentence and said.table is not None, "the causes are folded"
    nobody = findings.largest_moves(moves.head(0), profile(A=5, B=3), net().head(0), THEN, ROLES, FMT)
    assert (nobody.drawing, nobody.table) == (None, None)
    assert nobody.sentence == nobody.brief == narrative.NOBODY_MOVED.format(day="30 September 1997")
    alone = findings.largest_moves(moves.head(0), profile(A=5), net().head(0), None, ROLES, FMT)
    assert isinstance(alone.sentence, NotApplicable)


def test_who_is_new_and_where_they_are():
    """Of 100 customers 9 first ordered within 90 days of 30 June, the first of them exactly 90 days before."""
    first = ["1997-04-01"] + ["1997-06-01"] * 8 + ["1997-03-25"] * 91
    names = ["Promising"] * 4 + ["Recent Customers"] * 2 + ["Champions", "Loyal", "Asleep"] + ["Lost"] * 91
    customers = pd.DataFrame({"first_order": pd.to_datetime(first), "segment": names})
    sentence = narrative.new_customers(customers, 90, date(1997, 6, 30), FMT)
    assert sentence.startswith("9 customers (9%)")
    assert "last 90 days" in sentence
    assert sentence.endswith("4 in Promising, 2 in Recent Customers, 1 in Champions and 2 in other segments.")
    assert narrative.new_customers(customers, None, date(1997, 6, 30), FMT) == sentence
    assert "1 June 1997" in narrative.new_customers(customers, 90, date(1998, 6, 30), FMT)
    assert "too short for segments" not in sentence
    assert "too short for segments" in narrative.new_customers(customers, 97, date(1997, 6, 30), FMT)


def test_empty_and_leading_segments():
    one = profile(Champions=3, Recent_Customers=0, At_Risk=1)
    assert narrative.empty_segments(one) == "No customer is in Recent Customers on this date."
    assert narrative.leading_segments(one).endswith("They are also the largest segment.")
    assert "Champions are 75% of customers and brought 75% of revenue" in narrative.leading_segments(one)


def test_renamed_segments_give_the_same_sentence():
    before = profile(Champions=3, At_Risk=2, Lost=4)
    sentence = narrative.slipping_customers(before, ROLES, False, FMT)
    assert sentence.startswith("2 customers")
    assert "(At Risk)" in sentence
    assert "$20" in sentence
    renamed = before.replace({"segment": {"Champions": "Stars", "At Risk": "Schläfer", "Lost": "Away"}})
    roles = {"Stars": "best", "Schläfer": "slipping", "Away": "lost"}
    assert narrative.slipping_customers(renamed, roles, False, FMT) == sentence.replace("At Risk", "Schläfer")


def test_without_the_role_nothing_is_said_about_slipping_customers():
    rows = profile(Stars=3, Quiet=2)
    unmarked = narrative.slipping_customers(rows, {"Stars": None, "Quiet": None}, False, FMT)
    assert isinstance(unmarked, NotApplicable)
    named_anew = narrative.slipping_customers(rows, ROLES, False, FMT)
    assert isinstance(named_anew, NotApplicable), "an analyst's own segments are not of the map"
    nobody = narrative.slipping_customers(profile(Champions=3), ROLES, False, FMT)
    too_early = narrative.slipping_customers(profile(Champions=3), ROLES, True, FMT)
    assert not isinstance(nobody, NotApplicable)
    assert "3" not in nobody
    assert isinstance(too_early, NotApplicable), "nobody can have stopped if all customers are new"


@pytest.mark.parametrize("name", ["dma11", "rf10"])
def test_shipped_maps_give_every_segment_a_role(name):
    roles = shipped_map(name).roles()
    assert None not in roles.values()
    assert [segment for segment, role in roles.items() if role == "slipping"] == ["At Risk", "Can't Lose Them"]


def test_a_segment_called_recent_whose_customers_are_silent_is_named():
    customers = pd.DataFrame({"customer_id": list("abcdefgh"), "recency_days": [181, 1, 1, 1, 180, 500, 2, 900]})
    segments = customers.assign(segment=["Champions"] * 4 + ["Promising"] * 3 + ["Lost"])
    said = findings.silent_in_recent_segments(customers, segments, ROLES, 180, FMT)
    assert said.brief == said.sentence
    assert said.sentence.startswith(
        "Promising and Champions are called recent, but 33% and 25% of them have not ordered"
    )
    assert said.sentence.endswith("for more than 180 days.")
    fine = findings.silent_in_recent_segments(customers, segments, ROLES, 500, FMT)
    assert fine.brief is None
    assert "at most a fifth" in fine.sentence
    own = findings.silent_in_recent_segments(customers, segments.assign(segment="Mine"), ROLES, 180, FMT)
    assert own.brief is None, "a name that the map does not know promises nothing"


def test_statuses_and_leads():
    crossed = pd.DataFrame(
        {"segment": ["A", "B"], "value": ["active", "silent"], "customers": [3, 1], "share": [1.0, 1.0]}
    )
    assert narrative.lifecycle(crossed, 0, FMT) == "75% of customers are active, 25% silent."
    assert "1 person on the contact list has no order" in narrative.lifecycle(crossed, 1, FMT)
    assert "2 people on the contact list have no order" in narrative.lifecycle(crossed, 2, FMT)
    assert "B most often silent (100%)" in charts.alt_text_lifecycle(crossed)
