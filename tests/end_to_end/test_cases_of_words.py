"""Small exports of which the pages must say, or not say, something."""

from datetime import date

import ibis.expr.types as ir
import pandas as pd

from crm_utils.config import ScoringConfig
from crm_utils.core.formatting import NumberFormat
from crm_utils.rfm import measures, scoring
from crm_utils.segmentation import assignment, findings
from crm_utils.segmentation.profile import segment_profile
from tests.support.cases import orders_of_case
from tests.support.segment_factories import segment_rules, shipped_map

FMT = NumberFormat("EUR")
GONE = {name for name, role in shipped_map().roles().items() if role in ("slipping", "lost")}


def segmented(orders: ir.Table, day: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    customers = scoring.score_customers(measures.compute_rfm(orders, day), ScoringConfig())
    return customers, assignment.assign_segments(customers, segment_rules(), day)


def test_wave_of_new():
    customers, segments = segmented(*orders_of_case("wave_of_new"))
    sizes = segments.segment.value_counts()
    assert (len(customers), sizes["At Risk"], sizes["Lost"]) == (1110, 22, 11)
    assert sizes["At Risk"] + sizes["Can't Lose Them"] <= 87


def test_three_weeks():
    orders, day = orders_of_case("three_weeks", "new_shop.csv")
    customers, segments = segmented(orders, day)
    assert len(customers) == 7
    assert not GONE & set(segments.segment)
    words = findings.new_customers(customers, segments, 90, day, FMT).sentence
    assert "history is too short for segments" in words
    profile = segment_profile(customers, segments, shipped_map().advice())
    new = assignment.are_new(customers, 90, day)
    assert "too early" in findings.slipping_customers(profile, shipped_map().roles(), new, FMT).sentence
