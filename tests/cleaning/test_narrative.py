"""Sentences and the waterfall of 01_cleaning: singular, plural, nothing."""

from datetime import date

import pandas as pd
import pytest

from crm_utils.cleaning import charts, narrative
from crm_utils.core.display.paragraphs import NotApplicable

COLUMNS = ["rule", "rows_removed", "revenue_removed", "rows_left", "customers_left", "revenue_left"]
LOG = pd.DataFrame(
    [
        ("read", 0, 0.0, 100, 10, 1000.0),
        ("unknown customer", 10, 100.0, 90, 10, 900.0),
        ("cancellations without a sale", 2, -50.0, 88, 10, 950.0),
        ("non-positive price", 1, 0.0, 87, 10, 950.0),
        ("cancelled orders and their cancellations", 7, 0.0, 80, 9, 950.0),
    ],
    columns=COLUMNS,
)
TAKEN = pd.DataFrame({"order_id": ["1", "1", "2"], "revenue": [-20.0, -5.0, -25.0]})


def test_the_waterfall_draws_each_step_where_it_belongs():
    ax = charts.waterfall(LOG, "GBP")
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert [tuple(sorted(span)) for span in spans] == [(0, 1000), (900, 1000), (900, 950), (0, 950)]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["Read", "Unknown customer", "Cancellations without a sale", "Left: counts as sales"]
    assert [text.get_text() for text in ax.texts] == ["£1k", "−£100", "+£50", "£950"]


def test_the_waterfall_in_words():
    assert narrative.largest_step(LOG, "GBP") == (
        "Of £1,000 read, £950 count as sales: “unknown customer” took away £100."
    )
    assert narrative.steps_in_words(LOG, "GBP") == (
        "Waterfall from £1,000 read to £950 left: unknown customer −£100 and cancellations without a sale +£50.00."
    )
    assert narrative.unmoved(LOG) is None
    assert isinstance(narrative.unmoved(LOG.assign(revenue_removed=0.0)), NotApplicable)


def test_cancellations_in_words():
    assert isinstance(narrative.cancellations("drop", 1000.0, TAKEN, LOG, "GBP"), NotApplicable)
    assert narrative.cancellations("match", 1000.0, TAKEN, LOG, "GBP") == (
        "Cancellations took £50.00 off 2 orders, 5.0% of what was ordered. 1 customer was left with nothing and does not count."
    )
    kept = LOG.assign(customers_left=10)
    assert narrative.cancellations("net", 1000.0, TAKEN, kept, "GBP").endswith("5.0% of what was ordered.")
    none = narrative.cancellations("net", 1000.0, TAKEN.iloc[:0], kept, "GBP")
    assert none == "No cancellation took anything off an order."


def test_what_does_not_apply_is_nothing():
    bare = pd.DataFrame({"customer_id": ["1"]})
    assert isinstance(narrative.no_habits(bare), NotApplicable)
    assert isinstance(narrative.habits(bare), NotApplicable)
    assert isinstance(narrative.limits({}, LOG, "GBP"), NotApplicable)
    assert isinstance(narrative.side_tables({}, 10), NotApplicable)


def test_habits_in_words():
    found = pd.DataFrame(
        {"price_ratio": [0.8, 1.0, 1.0, 1.2], "return_share": [0, 0, 0, 0.5], "main_country": ["UK"] * 4}
    )
    assert narrative.habits(found) == (
        "25% of customers mostly pay at least 5% less than usual for the same product. "
        "25% have cancelled or sent something back. 100% order from UK."
    )


def test_side_tables_in_words():
    campaign = pd.DataFrame({"campaign": "spring", "group": ["treatment", "control"], "customer_id": ["1", "2"]})
    assert narrative.side_tables({"past_campaigns": campaign}, 10) == (
        "1 past campaign reached 1 customer and left out 1 for comparison. These pages count 10 customers."
    )
    assert "No campaign had taken place" in narrative.side_tables({"past_campaigns": campaign.iloc[:0]}, 10)


def test_a_ledger_that_does_not_reconcile_stops():
    with pytest.raises(ValueError, match="must agree to 0.01"):
        narrative.reconciles(LOG, 900.0, 0.0, "GBP")
    assert "agree to the cent" in narrative.reconciles(LOG, 1000.0, -50.0, "GBP")


def test_how_many_rows_count():
    assert narrative.counted(LOG, date(2011, 12, 9), "GBP") == (
        "80 of 100 rows count as sales: by 9 December 2011, 9 customers had spent £950."
    )
