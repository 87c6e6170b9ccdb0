"""The budget that `make new` proposes, and the costs of campaigns in the size of the shop."""

from pathlib import Path

import pytest
import yaml

from crm_utils.commands.new_report.budget import propose_budget, scale_campaigns, write_campaigns
from crm_utils.config import Campaigns, read_yaml
from tests.support.projects import ROOT

SHIPPED = ROOT / "params" / "campaigns.yaml"


def test_a_budget_is_one_percent_of_the_last_twelve_months():
    budget = propose_budget(123_456, 200_000, 5_000)
    assert (budget.total, budget.mean_order, budget.factor) == (1_200, 40, 1)


def test_without_revenue_nothing_is_proposed():
    assert propose_budget(0, 0, 0) is None


@pytest.mark.parametrize(
    ("mean_order", "factor"),
    [(57, 1), (13.4, 1), (4_000, 100), (170, 5), (800, 20), (2, 0.05)],  # 40, the mean order it is made for, × factor
)
def test_costs_are_scaled_by_the_mean_order(mean_order, factor):
    assert propose_budget(1, mean_order * 10, 10).factor == factor


def test_amounts_of_campaigns_are_multiplied_and_nothing_else():
    budget = propose_budget(1_000_000, 4_000_000, 1_000)
    before = yaml.safe_load(SHIPPED.read_text())["campaigns"]
    text = scale_campaigns(SHIPPED.read_text(), budget, "¥4,000")
    assert "multiplied by 100: a mean order here is ¥4,000, there\n# about 40" in text
    money = {"contact_cost", "fixed_cost", "incentive", "min_spend", "max_spend"}
    for old, new in zip(before, yaml.safe_load(text)["campaigns"], strict=True):
        assert {key: value for key, value in new.items() if key not in money} == {
            key: value for key, value in old.items() if key not in money
        }
        for key in money & set(old):
            assert new[key] == pytest.approx(100 * old[key])


def test_a_campaigns_file_is_written_if_costs_must_be_scaled(tmp_path: Path):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "campaigns.yaml").write_text(SHIPPED.read_text())
    assert write_campaigns(tmp_path, "shop", propose_budget(1, 40, 1), "40") is None
    assert write_campaigns(tmp_path, "shop", propose_budget(1, 4_000, 1), "4,000") == "shop_campaigns"
    written = read_yaml(tmp_path / "params" / "shop_campaigns.yaml", Campaigns)
    shipped = read_yaml(SHIPPED, Campaigns)
    assert written.campaigns[0].contact_cost == pytest.approx(100 * shipped.campaigns[0].contact_cost)
    assert write_campaigns(tmp_path, "shop", propose_budget(1, 400_000, 1), "400,000") is None  # not overwritten
