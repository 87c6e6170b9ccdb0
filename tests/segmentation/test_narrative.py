"""Sentences of the segment pages: more, fewer and none; one and many; and what stands where there is nothing."""

from datetime import date

import pandas as pd
import pytest

from crm_utils.config import ScoringConfig
from crm_utils.core.display.figure_style import show_figure
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.display.table_style import collapsible
from crm_utils.rfm import narrative
from crm_utils.segmentation import charts, migration
from crm_utils.segmentation import narrative as headlines

SINCE = date(2011, 6, 9)


def net(bought=0, silent=0, old=0, new=0, arrivals=0) -> pd.DataFrame:
    causes = dict(zip(migration.CAUSES, (bought, silent, old, new, arrivals), strict=True))
    change = sum(causes.values())
    row = {"segment": "Champions", "customers_then": 718, **causes, "customers": 718 + change, "revenue_change": 1.0}
    return pd.DataFrame([row])


@pytest.mark.parametrize(
    ("causes", "sentence"),
    [
        (
            {"bought": 44, "silent": -100, "old": 70, "new": -7, "arrivals": 3},
            "Since 9 June 2011, 56 fewer customers behave like Champions. Score limits that moved added 63 and newcomers less those who left added 3, so the segment counts 728 instead of 718.",
        ),
        (
            {"bought": 2, "old": -1},
            "Since 9 June 2011, 2 more customers behave like Champions. Score limits that moved took 1, so the segment counts 719 instead of 718.",
        ),
        ({}, "Since 9 June 2011, as many customers behave like Champions. The segment counts 718 instead of 718."),
    ],
)
def test_the_finding_of_movement_is_absolute(causes, sentence):
    assert headlines.moves(net(**causes), SINCE) == sentence


def test_the_figure_of_movement_shows_each_cause_and_the_sum():
    ax = charts.moves(net(bought=44, silent=-100, old=70, new=-7, arrivals=3))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["Sum", *[cause.capitalize().replace("Cut points", "Limits") for cause in migration.CAUSES]]
    assert sum(patch.get_width() for patch in ax.patches) == 10
    assert [text.get_text() for text in ax.texts] == ["+10"]


def test_nothing_to_compare_with_leaves_the_section():
    empty = net().head(0)
    shown = show_figure(charts.moves(empty), headlines.moves(empty, None), "caption", headlines.moves_in_words(empty))
    assert isinstance(shown, NotApplicable)


def test_statuses_and_leads():
    crossed = pd.DataFrame(
        {"segment": ["A", "B"], "value": ["loyal", "churned"], "customers": [3, 1], "share": [1.0, 1.0]}
    )
    assert headlines.statuses(crossed, 0) == "Of all customers 75% are loyal and 25% are churned."
    assert headlines.statuses(crossed, 1).endswith(
        "1 lead on the customer list has no order that counts: not yet, or all was cancelled."
    )
    assert headlines.statuses(crossed, 2).endswith(
        "2 leads on the customer list have no order that counts: not yet, or all was cancelled."
    )


def test_how_customers_are_scored_is_said():
    assert "told apart by their id" in narrative.how_scored(ScoringConfig(method="article"))
    frozen = narrative.how_scored(ScoringConfig(bin_edges={"recency": [1, 2, 3, 4]}, bin_edges_from_date="1997-12-31"))
    assert "The limits of recency are the analyst's own." in frozen
    assert "those of 31 December 1997" in frozen


def test_folded_text_is_escaped_and_nothing_folds_to_nothing():
    html = collapsible(
        "<b>more</b>", headlines.statuses(pd.DataFrame({"segment": [], "value": [], "customers": []}), 0)
    )
    assert html._repr_html_().startswith('<details class="folded"><summary>&lt;b&gt;more&lt;/b&gt;</summary>')
    assert collapsible("more", None) is None
