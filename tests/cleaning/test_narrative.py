"""Sentences, figures and findings of 01_cleaning: numbers, singular and plural, and what does not apply."""

from datetime import date

import pandas as pd
import pytest

from crm_utils.cleaning import charts, findings, labels, narrative, tables
from crm_utils.cleaning.rules import Rule
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.formatting import NumberFormat

FMT = NumberFormat("GBP")
TODAY = date(2011, 12, 9)
COLUMNS = ["rule", "rows_removed", "revenue_removed", "rows_left", "customers_left", "revenue_left"]
LEDGER = pd.DataFrame(
    [
        ("read", 0, 0.0, 100, 10, 1000.0),
        ("unknown_customer", 10, 100.0, 90, 10, 900.0),
        ("unmatched_cancellation", 2, -50.0, 88, 10, 950.0),
        ("non_positive_amount", 1, 0.0, 87, 10, 950.0),
        ("cancelled_order", 7, 0.0, 80, 9, 950.0),
    ],
    columns=COLUMNS,
)
CLEAN = LEDGER.iloc[:1]
ADJUSTMENTS = pd.DataFrame({"order_id": ["1", "1", "2"], "revenue": [-20.0, -5.0, -25.0]})
UNMATCHED = pd.DataFrame(
    {
        "customer_id": ["a"] * 12,
        "cancellation_id": [f"C{n:02}" for n in range(12)],
        "product_id": ["mug"] * 12,
        "cancelled_at": pd.Timestamp("2011-03-05"),
        "revenue": [-float(n) for n in range(1, 13)],
    }
)


def test_every_rule_has_a_label_and_an_own_rule_keeps_its_name():
    assert set(labels.RULE_LABELS) == {rule.value for rule in Rule}
    assert labels.rule_label("More than 1,000 pieces") == "More than 1,000 pieces"


def test_the_waterfall_draws_each_step_where_it_belongs():
    ax = charts.plot_waterfall(LEDGER, FMT)
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert [tuple(sorted(span)) for span in spans] == [(0, 1000), (900, 1000), (900, 950), (0, 950)]
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[1:-1] == [labels.rule_label(rule) for rule in LEDGER.rule[1:3]]
    assert [text.get_text() for text in ax.texts] == ["£1k", "−£100", "+£50", "£950"]
    described = charts.alt_text_waterfall(LEDGER, FMT)
    assert "£1,000 read" in described
    assert "Unknown customer −£100; Cancellation without a sale +£50.00" in described


def test_no_waterfall_is_drawn_if_no_money_moved():
    finding = findings.counted_rows(CLEAN, TODAY, FMT)
    assert finding.figure is None
    assert "All rows, as read" in finding._repr_html_()


def test_counted_rows():
    assert narrative.counted_rows(LEDGER, TODAY, FMT) == (
        "80 of 100 rows count as sales. By 9 December 2011, 9 customers had spent £950."
    )
    assert narrative.counted_rows(CLEAN, TODAY, FMT).startswith("All 100 rows count as sales.")


def test_removed_rows():
    sentence = narrative.removed_rows(LEDGER, FMT)
    assert sentence.startswith("The rules removed 20 rows, with £50.00 of revenue. 1 customer had no other rows.")
    assert "“Unknown customer” changed the revenue most: it took away £100." in sentence
    assert sentence.endswith("to the cent: £950.00.")
    own = LEDGER.iloc[:2].assign(revenue_removed=0.0)
    sentence = narrative.removed_rows(own, FMT)
    assert sentence.startswith("The rules removed 10 rows, none of them with revenue.")
    assert "changed the revenue most" not in sentence
    assert "no other rows" not in sentence
    assert narrative.removed_rows(CLEAN, FMT).startswith(narrative.NOTHING_REMOVED)


def test_a_ledger_that_does_not_reconcile_stops_the_notebook():
    with pytest.raises(ValueError, match="the ledger ends at 950.00, the orders and adjustments at 949.98"):
        findings.removed_rows(LEDGER, 999.98, -50.0, FMT)
    assert "£950.00" in findings.removed_rows(LEDGER, 1000.0, -50.0, FMT).sentence


def test_more_than_was_read_comes_with_the_reason_in_the_same_sentence():
    ledger = LEDGER.assign(revenue_left=[900.0, 800.0, 850.0, 950.0, 950.0], revenue_removed=[0, 100, -50, -100, 0.0])
    sentence = str(narrative.counted_rows(ledger, TODAY, FMT)).split(". ")[1]
    assert "£950, £50.00 more than was read" in sentence
    assert "“Amount of zero or less” added £100 and “Cancellation without a sale” added £50.00" in sentence


def test_dropped_refunds_say_how_much_they_leave_in():
    ledger = LEDGER.assign(rule=["read", "unknown_customer", "cancellation", "non_positive_amount", "cancelled_order"])
    left_in = narrative.cancellations("drop", 1000.0, ADJUSTMENTS, UNMATCHED, ledger, FMT)
    assert not isinstance(left_in, NotApplicable)
    assert "They would take back £50.00." in left_in


def test_cancellations():
    dropped = findings.cancellations("drop", 1000.0, ADJUSTMENTS, UNMATCHED, LEDGER, FMT)
    assert isinstance(dropped.sentence, NotApplicable)
    sentence = narrative.cancellations("match", 1000.0, ADJUSTMENTS, UNMATCHED, LEDGER, FMT)
    assert sentence.startswith(
        "Cancellations took £50.00 off 2 orders. That is 5.0% of the revenue ordered. 1 customer"
    )
    assert sentence.endswith("12 cancellations (£78.00) have no sale in these data.")
    kept = LEDGER.assign(customers_left=10)
    sentence = narrative.cancellations("net", 1000.0, ADJUSTMENTS.iloc[:0], UNMATCHED.iloc[:1], kept, FMT)
    assert sentence == f"{narrative.NOTHING_CANCELLED} 1 cancellation (£1.00) has no sale in these data."
    none = narrative.cancellations("net", 1000.0, ADJUSTMENTS, UNMATCHED.iloc[:0], kept, FMT)
    assert none.endswith(f"revenue ordered. {narrative.ALL_MATCHED}")


def test_the_largest_cancellations_without_a_sale_are_listed():
    html = tables.unmatched(UNMATCHED, FMT)._repr_html_()
    assert "12 cancellations" in html
    assert "£78.00 in total" in html
    assert "C11" in html
    assert "C02" in html
    assert "C01" not in html, "the smallest two"
    assert tables.unmatched(UNMATCHED.iloc[:0], FMT) is None


def test_caps():
    capped = pd.DataFrame([("outliers_capped", 0, 40.0, 80, 9, 910.0)], columns=COLUMNS)
    sentence = narrative.caps({"quantity": 298.5, "unit_price": 37.06}, pd.concat([LEDGER, capped]), FMT)
    assert [part in sentence for part in ("298.5", "£37.06", "£40.00")] == [True] * 3


def months(new: list[int]) -> pd.DataFrame:
    start = pd.date_range("2024-01-01", periods=len(new), freq="MS")
    return pd.DataFrame(
        {"month": start, "revenue": 10.0, "orders": 1, "customers": 1, "new_customers": new, "complete": True}
    )


def test_the_last_new_customers():
    assert narrative.revenue_by_month(months([3, 1]), FMT).endswith(
        "1 customer ordered for the first time in February 2024."
    )
    assert "No new customer came in February 2024; the last one came in January 2024." in narrative.revenue_by_month(
        months([3, 0]), FMT
    )
    assert "in the last three months; the last one came in January 2024" in narrative.revenue_by_month(
        months([3, 0, 0, 0]), FMT
    )


def test_the_best_month_and_the_last_complete_one():
    found = months([1, 1, 1]).assign(revenue=[30.0, 20.0, 5.0], complete=[True, True, False])
    sentence = narrative.revenue_by_month(found, FMT)
    assert "January 2024, at £30.00" in sentence
    assert "February 2024, brought £20.00" in sentence
    assert "brought" not in narrative.revenue_by_month(found.iloc[:1], FMT)


def test_what_does_not_apply():
    bare = pd.DataFrame({"customer_id": ["1"]})
    assert isinstance(narrative.customer_features(bare), NotApplicable)
    assert isinstance(narrative.caps({}, LEDGER, FMT), NotApplicable)
    assert isinstance(narrative.customer_tables({}, {}, 10, FMT), NotApplicable)
    assert "<table" not in findings.customer_features(bare, FMT)._repr_html_()


def test_customer_features():
    features = pd.DataFrame(
        {"price_ratio": [0.8, 1.0, 1.0, 1.2], "return_share": [0, 0, 0, 0.5], "main_country": ["UK"] * 4}
    )
    finding = findings.customer_features(features, FMT)
    assert finding.sentence.startswith("25% of customers usually pay at least 5% less")
    assert "25% have cancelled" in finding.sentence
    assert "100% order mostly from UK" in finding.sentence
    assert [value in finding._repr_html_() for value in ("0.95", "1.05", "12.5%")] == [True] * 3, "quartiles, by hand"


def test_customer_tables():
    campaign = pd.DataFrame({"campaign": "spring", "group": ["treatment", "control"], "customer_id": ["1", "2"]})
    assert narrative.customer_tables({"past_campaigns": campaign}, {"past_campaigns": 1}, 10, FMT) == (
        "1 past campaign reached 1 customer; 1 were left out for comparison. This report counts 10 customers. "
        "1 of 2 in the past campaigns are among them."
    )
    none = narrative.customer_tables({"past_campaigns": campaign.iloc[:0]}, {"past_campaigns": 0}, 10, FMT)
    assert none.startswith(narrative.NO_PAST_CAMPAIGN)
    planned = ["treatment"] * 3 + ["control", "unknown customer"]
    messages = pd.DataFrame({"customer_id": ["1", "1", "2", "3", None], "planned": planned})
    sent = narrative.customer_tables({"sent_messages": messages}, {"sent_messages": 2}, 10, FMT)
    counts = {"messages": "5 messages", "treatment": 3, "control": 1, "others": 0, "unknown": 1}
    assert narrative.SENT_MESSAGES.format(**counts) in sent and "2 of 3 in the sent messages" in sent
    contacts = pd.DataFrame({"customer_id": ["1", "1", "2"], "consent": [True, True, False]})
    said = narrative.customer_tables({"contacts": contacts}, {"contacts": 2}, 10, FMT)
    assert "2 customers have contact details; 1 of them" in said and "2 of 2 in the contacts are among them" in said
