"""Who may be contacted, and who is held out: the same customers in every run."""

import pandas as pd
import pytest

from crm_utils.sources.permissions import consent_channels, universal_holdout


def test_the_holdout_is_the_same_in_every_run_wave_and_customer_base():
    ids = pd.Series([f"{number:06}" for number in range(20_000)])
    held = universal_holdout(ids, 0.1, 7)
    assert held.mean() == pytest.approx(0.1, abs=0.007)
    assert universal_holdout(ids[::-3], 0.1, 7).equals(held[ids[::-3]])
    assert held.to_numpy()[universal_holdout(ids, 0.05, 7).to_numpy()].all(), "a smaller share holds out fewer"
    both = (held & universal_holdout(ids, 0.1, 8)).mean()
    assert both == pytest.approx(0.01, abs=0.004), "another seed holds others out"
    assert not universal_holdout(ids, 0.0, 7).any()


def test_channels_with_consent():
    contacts = pd.DataFrame(
        [("1", "post", True), ("1", "E-Mail", True), ("1", "email", True), ("2", "email", False), ("9", "email", True)],
        columns=["customer_id", "channel", "consent"],
    )
    found = consent_channels(contacts, pd.Series(["1", "2", "3"]))
    assert found.to_dict() == {"1": "email|post", "2": "", "3": ""}
    assert set(consent_channels(None, pd.Series(["1", "2"]))) == {"any"}
