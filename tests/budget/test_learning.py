"""What is worth measuring, worked by hand."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.budget import learning
from crm_utils.budget.waves import WaveTerms


def test_waves_needed_by_hand():
    """474 customers, p = 0.31, 20% held out: a lift of 14.9 points is seen in one wave (methods §8)."""
    assert learning.waves_needed(0.31, 0.149, 474, 0.2) == pytest.approx(1.0, abs=0.01)
    assert learning.waves_needed(0.31, 0.149 / 2, 474, 0.2) == pytest.approx(4.0, abs=0.04)
    assert learning.waves_needed(0.31, 0.0, 474, 0.2) == np.inf
    assert learning.waves_needed(0.31, 0.1, 0, 0.2) == np.inf


def test_value_of_knowing_by_hand():
    """At the break-even lift σ B φ(0): 0.02 / 3.29 × 10,000 × 0.399."""
    assert learning.value_of_knowing(10_000, 0.02, 0.02, 0.01, 0.03) == pytest.approx(
        0.02 / 3.2897 * 10_000 * 0.39894, rel=1e-4
    )
    one_off = learning.value_of_knowing(10_000, 0.02 + 0.02 / 3.2897, 0.02, 0.01, 0.03)
    assert one_off == pytest.approx(60.795 * (0.24197 - 0.15866), rel=1e-3)
    assert learning.value_of_knowing(10_000, 0.02, 0.02, 0.02, 0.02) == 0


def test_value_of_knowing_is_what_a_wiser_plan_earns():
    """A second way: draw lifts, and earn only where they are above the break-even lift."""
    lifts = np.random.default_rng(5).normal(0.02, 0.04 / learning.DEVIATIONS_IN_RANGE, 400_000)
    for break_even in (0.01, 0.03):
        profit = 5000 * (lifts - break_even)
        wiser = np.maximum(profit, 0).mean() - max(profit.mean(), 0)
        assert learning.value_of_knowing(5000, 0.02, break_even, 0.0, 0.04) == pytest.approx(wiser, rel=0.02)


def lines(**changes) -> pd.DataFrame:
    line = {
        "campaign": "Mail", "customers": 5000.0, "baseline_probability": 0.2, "delivered_lift": 0.05, "profit": 0.5,
        "profit_per_lift": 100_000.0, "lift": 0.05, "break_even_lift": 0.04, "lift_low": 0.01, "lift_high": 0.09,
        "evidence": "assumed",
    }  # fmt: skip
    return pd.DataFrame([line | changes])


def test_the_cheapest_holdout_that_sees_the_lift():
    """k at 10% is 7.849 × 0.16 / (0.0025 × 5000 × 0.09) = 1.12, so two waves; at 20% one wave. Both hold back 1,000."""
    found = learning.learning_options(lines(), waves=4).iloc[0]
    assert (found.holdout_share, found.waves) == (0.1, 2)
    assert found.cost == pytest.approx(0.1 * 5000 * 0.5 * 2)
    assert found.verdict == "worth measuring"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"evidence": "measured"}, "measured"),
        ({"customers": 100.0}, "cannot be measured here"),
        ({"profit_per_lift": 100.0}, "costs more than it tells"),
        ({"break_even_lift": np.nan}, "costs more than it tells"),
    ],
)
def test_verdicts(changes, verdict):
    found = learning.learning_options(lines(**changes), waves=4).iloc[0]
    assert found.verdict == verdict
    assert found.waves > 4 or verdict != "cannot be measured here"


def test_smallest_visible_effect_by_hand():
    """Half of 10,000 customers spent 60 in the last wave, 10% are held out: 2.80 × 30 / √900."""
    ids = pd.Series([f"{number:05}" for number in range(10_000)])
    bought = pd.DataFrame({"customer_id": ids[::2], "ordered_at": pd.Timestamp("2024-06-01"), "revenue": 60.0})
    before = bought.assign(ordered_at=pd.Timestamp("2024-03-31"), revenue=999.0)
    table = ibis.memtable(pd.concat([bought, before]))
    day = date(2024, 6, 30)

    def effect(share: float, waves: int) -> float:
        return learning.smallest_visible_effect(table, ids, day, WaveTerms(waves, 91), share)

    assert effect(0.1, 1) == pytest.approx(2.8016, rel=1e-4)
    assert effect(0.1, 4) == pytest.approx(2.8016 / 2, rel=1e-4)
    assert effect(0.0, 4) == np.inf
