"""Sentences from tables: singular, plural, zero, and text that a page must not run."""

import numpy as np
import pandas as pd

from crm_utils.budget import narrative as budget
from crm_utils.cltv import narrative as cltv
from crm_utils.core.display import paragraphs
from crm_utils.core.display.table_style import collapsible, style_table
from crm_utils.core.formatting import NumberFormat


def test_text_from_data_is_escaped():
    hostile = "<script>alert(1)</script> & =cmd()"
    assert "<script>" not in paragraphs.paragraph(hostile)._repr_html_()
    assert "<script>" not in paragraphs.not_applicable(hostile)._repr_html_()
    assert "<script>" not in style_table(pd.DataFrame({"segment": [hostile]}), "A caption").to_html()


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
