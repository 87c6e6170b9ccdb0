"""Sentences from tables: singular, plural, zero, and text that a page must not run."""

import pandas as pd

from crm_utils.cltv import narrative as cltv
from crm_utils.core.display import paragraphs
from crm_utils.core.display.table_style import collapsible, style_table
from crm_utils.core.formatting import NumberFormat


def test_text_from_data_is_escaped():
    hostile = "<script>alert(1)</script> & =cmd()"
    assert "<script>" not in paragraphs.paragraph(hostile)._repr_html_()
    assert "<script>" not in paragraphs.not_applicable(hostile)._repr_html_()
    assert "<script>" not in style_table(pd.DataFrame({"segment": [hostile]}), "A caption", NumberFormat()).to_html()


def test_what_is_not_known_is_said():
    def said(*days: int) -> str:
        customers = pd.DataFrame({"repeat_purchase_days": days, "chance_12m": 0.5})
        return cltv.still_active_sentence(customers, True, NumberFormat())

    assert said(0, 1, 2).startswith("One customer bought on one day only.")
    assert said(0, 0, 3).startswith("2 customers bought on one day only.")
    assert said(1).startswith(cltv.ALL_BOUGHT_AGAIN)


def test_folded_text_is_escaped_and_nothing_folds_to_nothing():
    html = collapsible("<b>more</b>", paragraphs.paragraph("x"))
    assert html._repr_html_().startswith('<details class="folded"><summary>&lt;b&gt;more&lt;/b&gt;</summary>')
    assert collapsible("more", None) is None
