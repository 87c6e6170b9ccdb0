"""Published experiments: their lifts, their counts and sources, and campaigns that name them."""

import pytest

from crm_utils.config import Campaigns, Evidence, check_evidence, parse_model, read_yaml
from crm_utils.core.errors import ParamsError
from tests.support.projects import ROOT

SOURCE = {"source": "A study, 2020", "what": "One mail"}
ARMS = {"treated": {"customers": 1000, "buyers": 60}, "control": {"customers": 1000, "buyers": 40}}


def campaign(**changes) -> Campaigns:
    entry = {"name": "a", "group": "other customers", "action": "x", "segments": ["A"], "contact_cost": 1, "lift": 0.02}
    return parse_model({"campaigns": [entry | {"window_days": 91} | changes]}, Campaigns, "campaigns.yaml")


def test_the_published_lifts_of_hillstrom():
    """+0.68 and +0.31 points (methods §12)."""
    known = read_yaml(ROOT / "params" / "evidence.yaml", Evidence).experiments
    assert known["hillstrom_2008_mens_email"].lift == pytest.approx(0.0068, abs=5e-5)
    assert known["hillstrom_2008_womens_email"].lift == pytest.approx(0.0031, abs=5e-5)
    # √(0.00884 × 0.99116 / 21,387 + 0.00573 × 0.99427 / 21,306) = 0.000823
    low, high = known["hillstrom_2008_womens_email"].interval
    assert (low, high) == pytest.approx((0.0031 - 1.96 * 0.000823, 0.0031 + 1.96 * 0.000823), abs=2e-5)
    assert "189 of 21,387" in known["hillstrom_2008_womens_email"].description


def test_shipped_campaigns_keep_to_their_evidence():
    campaigns = read_yaml(ROOT / "params" / "campaigns.yaml", Campaigns)
    check_evidence(campaigns, read_yaml(ROOT / "params" / "evidence.yaml", Evidence))
    assert {one.evidence for one in campaigns.campaigns} > {"assumed"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": ""}, "source"),
        ({"treated": {"customers": 1000}}, "buyers"),
        ({"control": {"customers": 10, "buyers": 11}}, "11 buyers are more than 10 customers"),
        ({"control": {"customers": 0, "buyers": 0}}, "customers"),
    ],
)
def test_evidence_without_counts_or_source_is_refused(change, words):
    with pytest.raises(ParamsError, match=words):
        parse_model({"experiments": {"study": SOURCE | ARMS | change}}, Evidence, "evidence.yaml")


def test_a_campaign_must_name_an_experiment_that_shows_its_lift():
    evidence = parse_model({"experiments": {"study": SOURCE | ARMS}}, Evidence, "evidence.yaml")
    check_evidence(campaign(evidence="study"), evidence)
    check_evidence(campaign(), evidence)
    with pytest.raises(ValueError, match="evidence 'measured' is no experiment of the evidence file .there: study."):
        check_evidence(campaign(evidence="measured"), evidence)
    with pytest.raises(ValueError, match="study shows a lift between 0.00.. and 0.03.., the campaign says 0.2"):
        check_evidence(campaign(evidence="study", lift=0.2), evidence)
