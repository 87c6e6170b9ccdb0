"""Campaigns of the simulated shop are measured as they were planted: 20 shops here, 200 in benchmarks/campaigns.py."""

import sys

import numpy as np
import pandas as pd
import pytest

from crm_utils.budget import uplift
from crm_utils.config import SimulatedShop
from crm_utils.sources import simulated
from tests.support.projects import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import campaigns as bench  # noqa: E402


@pytest.fixture(scope="module")
def outcomes() -> pd.DataFrame:
    return bench.outcomes(20, SimulatedShop().lift)


def test_the_planted_lift_lies_in_the_interval_as_often_as_it_says(outcomes):
    found = bench.measured(outcomes)
    held = found.lift_low.le(SimulatedShop().lift) & found.lift_high.ge(SimulatedShop().lift)
    assert len(found) == 20
    assert 0.80 <= held.mean() <= 0.98
    assert (found.status == "measured").mean() >= 0.95
    assert found.lift.mean() == pytest.approx(SimulatedShop().lift, abs=2.6 * found.standard_error.mean() / 20**0.5)


def test_groups_that_were_not_random_are_refused(outcomes):
    """The shop contacts who has ordered most, and calls the rest its control group."""
    middle = outcomes.groupby("campaign").orders_before.transform("median")
    chosen = outcomes.assign(group=np.where(outcomes.orders_before > middle, "treatment", "control"))
    found = bench.measured(chosen)
    assert (found.status == "observational").all()
    assert found.check.str.contains("orders before differ by|days since the last order differ by").all()
    offer = bench.offer().assign(name="shop 0")
    assert uplift.update_lifts(offer, found).lift_from.tolist() == ["assumed"]


def test_where_nothing_was_planted_the_plan_does_not_spend_on_the_campaign(outcomes):
    """Before anything is measured, and where the planted lift was measured, the same plan does spend."""
    planted = bench.measured(outcomes)
    assert bench.spend(planted.iloc[:1].assign(status="observational"))[0] > 0
    assert np.mean([money > 0 for money in bench.spend(planted)]) >= 0.9
    none = bench.measured(bench.outcomes(10, 0.0))
    assert np.mean([money == 0 for money in bench.spend(none)]) >= 0.9


def test_the_demos_own_campaign_is_one_of_those_in_the_campaigns_file():
    offer = bench.offer()
    assert offer.name.tolist() == [simulated.CAMPAIGN]
    assert offer.window_days.tolist() == [SimulatedShop().campaign_window]
