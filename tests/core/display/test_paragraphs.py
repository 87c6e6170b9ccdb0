"""Sentences from tables: singular, plural, zero, and text that a page must not run."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_utils.budget import narrative as budget
from crm_utils.cleaning import narrative
from crm_utils.cltv import narrative as cltv
from crm_utils.core.display import paragraphs
from crm_utils.core.display.table_style import collapsible, style_table
from crm_utils.core.formatting import NumberFormat


def test_text_from_data_is_escaped():
    hostile = "<script>alert(1)</script> & =cmd()"
    assert "<script>" not in paragraphs.paragraph(hostile)._repr_html_()
    assert "<script>" not in paragraphs.not_applicable(hostile)._repr_html_()
    assert "<script>" not in style_table(pd.DataFrame({"segment": [hostile]}), "A caption").to_html()


def log(*removed: tuple[str, int, float, int]) -> pd.DataFrame:
    """A ledger of 10 rows, 5 customers and 100 money less (rule, rows, revenue, customers)."""
    rows = [
        {
            "rule": "read",
            "rows_removed": 0,
            "revenue_removed": 0.0,
            "rows_left": 10,
            "customers_left": 5,
            "revenue_left": 100.0,
        }
    ]
    for rule, count, revenue, customers in removed:
        last = rows[-1]
        rows.append(
            {
                "rule": rule,
                "rows_removed": count,
                "revenue_removed": revenue,
                "rows_left": last["rows_left"] - count,
                "customers_left": last["customers_left"] - customers,
                "revenue_left": last["revenue_left"] - revenue,
            }
        )
    return pd.DataFrame(rows)


def test_the_ledger_in_words():
    clean, dirty = log(("x", 0, 0.0, 0)), log(("x", 1, 2.5, 1), ("y", 2, 0.0, 0))
    assert (
        narrative.counted(clean, date(2024, 1, 31), "USD")
        == "All 10 rows count as sales: by 31 January 2024, 5 customers had spent $100."
    )
    assert narrative.counted(dirty, date(2024, 1, 31), "USD").startswith("7 of 10 rows count as sales")
    assert narrative.removed(clean, "USD") == "No rule removed a row."
    assert (
        narrative.removed(dirty, "USD")
        == "The rules removed 1 row by “x” and 2 rows by “y”. They carried $2.50 of revenue; 1 customer went with them."
    )
    assert "They carried no revenue; no customer went" in narrative.removed(log(("x", 1, 0.0, 0)), "USD")


def test_a_ledger_that_does_not_reconcile_stops_the_notebook():
    with pytest.raises(ValueError, match="the ledger ends at 100.00, the orders and adjustments at 99.98"):
        narrative.reconciles(log(), 99.98, 0.0, "USD")
    assert "agree to the cent: $100.00" in narrative.reconciles(log(), 110.0, -10.0, "USD")


def months(new: list[int]) -> pd.DataFrame:
    start = pd.date_range("2024-01-01", periods=len(new), freq="MS")
    return pd.DataFrame(
        {"month": start, "revenue": 10.0, "orders": 1, "customers": 1, "new_customers": new, "complete": True}
    )


def test_the_last_newcomers_in_words():
    assert narrative.newcomers(months([3, 1])) == "1 customer placed a first order in February 2024."
    assert (
        narrative.newcomers(months([3, 0]))
        == "No customer was won in February 2024: the last first order was in January 2024."
    )
    assert narrative.newcomers(months([3, 0, 0, 0])).startswith(
        "No customer was won in the last three months: the last first order was in January 2024"
    )


def test_what_is_not_known_is_said():
    fmt = NumberFormat()
    assert cltv.still_active_sentence(pd.Series([np.nan, 0.5, 0.7]), True, fmt).startswith(
        "One customer bought on one day only."
    )
    assert cltv.still_active_sentence(pd.Series([np.nan, np.nan, 0.7]), True, fmt).startswith(
        "2 customers bought on one day only."
    )
    assert cltv.still_active_sentence(pd.Series([0.5]), True, fmt) == cltv.ALL_BOUGHT_AGAIN


def plan(contacts: int = 10) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "campaign": ["Mail"],
            "segment": ["A"],
            "contacts": contacts,
            "spend": 5.0 * contacts,
            "expected_profit": 2.0 * contacts,
            "break_even_lift": 0.02,
            "evidence": "assumed",
        }
    )


CAMPAIGNS = pd.DataFrame({"name": ["Mail"], "group": ["high-spending new customers"], "lift": [0.03]})


def test_an_empty_target_group_is_said():
    nobody, ten = (
        pd.DataFrame({"Mail": [False]}),
        pd.DataFrame({"Mail": [True] * 10}, index=[str(n) for n in range(10)]),
    )
    lists = pd.DataFrame({"customer_id": ["3", "7", "x"]})  # of other campaigns, where ours is not planned
    group = "high-spending new customers"
    assert budget.target_group(plan(), CAMPAIGNS, nobody, lists, group, "USD").startswith(
        "High-spending new customers: there are none to contact on this date"
    )
    assert "of 10 customers who may be contacted, contact 10 with Mail for $50.00" in budget.target_group(
        plan(), CAMPAIGNS, ten, lists, group, "USD"
    )
    unplanned = budget.target_group(plan(0), CAMPAIGNS, ten, lists, group, "USD")
    assert unplanned.endswith(
        "no campaign made for them earns back its cost; 2 of them are on the lists of other campaigns."
    )
    none = budget.target_group(plan(0), CAMPAIGNS, ten, lists.iloc[2:], group, "USD")
    assert none.endswith("no campaign made for them earns back its cost.")


def test_folded_text_is_escaped_and_nothing_folds_to_nothing():
    html = collapsible("<b>more</b>", paragraphs.paragraph("x"))
    assert html._repr_html_().startswith('<details class="folded"><summary>&lt;b&gt;more&lt;/b&gt;</summary>')
    assert collapsible("more", None) is None
