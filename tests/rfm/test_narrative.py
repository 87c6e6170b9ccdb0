"""Sentences of the RFM page."""

import pandas as pd

from crm_utils.config import ScoringConfig
from crm_utils.rfm import narrative


def test_how_customers_are_scored_is_said():
    assert "told apart by their id" in narrative.how_scored(ScoringConfig(method="article"))
    frozen = narrative.how_scored(ScoringConfig(bin_edges={"recency": [1, 2, 3, 4]}, bin_edges_from_date="1997-12-31"))
    assert "The limits of recency are the analyst's own." in frozen
    assert "those of 31 December 1997" in frozen


def test_empty_score_classes_in_words():
    cuts = pd.DataFrame(
        {
            "measure": ["frequency"] * 3,
            "score": [1, 2, 3],
            "lowest": [1, None, 2],
            "highest": [1, None, 9],
            "customers": [50, 0, 25],
        }
    )
    sentence = narrative.empty_classes(cuts)
    assert sentence.startswith("Frequency has no score 2: 50 customers")
    assert narrative.empty_classes(cuts[cuts.customers > 0]) == "Every score class has customers."
