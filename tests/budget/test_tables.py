"""Tables of 05_budget as a reader sees them."""

import pandas as pd

from crm_utils.budget import optimizer, tables
from crm_utils.budget.plan import build_plan
from crm_utils.core.formatting import NumberFormat
from tests.support.budget_factories import campaigns, options
from tests.support.page_tables import cell_texts

FMT = NumberFormat("GBP")


def plan(**terms: float) -> pd.DataFrame:
    """One planned line of 20 contacts at 1 each, and one that is not planned."""
    offers = campaigns(terms, {"contact_cost": 9, "segments": ["B"]})
    table = options(offers, ("a", 0, "A", 20, 0.1, 40.0), ("b", 1, "B", 20, 0.1, 40.0))
    return build_plan(optimizer.allocate(table, offers, 1e4), offers, pd.Series(dtype=int))


def test_planned_lines_are_shown_with_their_lift():
    texts = cell_texts(tables.planned_lines(plan(), FMT))
    assert len(texts) == 2
    assert texts[1][:3] == ["a", "A", "20"]
    assert "10.0, assumed" in texts[1]
    both = pd.concat([plan(), plan()])
    assert cell_texts(tables.planned_lines(both, FMT))[-1][:3] == ["Total", "", "40"]


def test_discounts_are_shown_if_there_are_any():
    with_discount, without = (
        cell_texts(tables.every_line(plan(incentive=given, redemption_rate=0.5), FMT)) for given in (1, 0)
    )
    assert len(with_discount[0]) == len(without[0]) + 2
    assert len(without) == 3 and "Why" in without[0] and "Eligible" in without[0]


def test_limits_are_shown_if_a_campaign_has_one():
    def headings(**terms) -> list[str]:
        return cell_texts(
            tables.campaigns(campaigns(terms | {"redemption_rate": 0.5}).assign(lift_from="assumed"), FMT)
        )[0]

    plain = headings()
    assert "Campaign" in plain and "Lift is" in plain
    for limit, value in {
        "channel": "sms", "capacity": 5, "max_spend": 5, "min_spend": 5, "incentive_share": 0.1, "follow_on_margin": 0.1
    }.items():  # fmt: skip
        assert len(headings(**{limit: value})) == len(plain) + 1, limit


def test_nothing_to_show_gives_no_table():
    empty = pd.DataFrame()
    assert tables.strategy_cells(empty, FMT) is None
    assert tables.power(empty, FMT) is None
    assert tables.past_campaigns(empty, FMT) is None
    assert tables.calibration(empty, FMT) is None
    assert tables.reach_by_campaign(empty, None, FMT) is None
    reach = pd.DataFrame({"campaign": ["a"], "customers": [4], "reachable": [1], "share": [0.25]})
    assert cell_texts(tables.reach_by_campaign(reach, empty, FMT))[1] == ["a", "4", "1", "25%"]


def test_verdicts_are_added_up():
    row = {
        "segment": "A",
        "customers": 3,
        "contacts": 2,
        "spend": 10.0,
        "expected_profit": 5.0,
        "verdict": "worthwhile",
    }
    row |= {"eligible": 3, "campaign": None, "cost_of_contacting_all": -100.0}
    total = cell_texts(tables.verdicts(pd.DataFrame([row, row | {"segment": "B"}]), FMT))[-1]
    assert total == ["Total", "6", "4", "£20", "£10", "", "6", "", "−£200"]


def test_past_campaigns_show_their_status_and_what_they_earned():
    row = {"campaign": "a", "status": "measured", "check": "random groups", "treated": 20, "control": 5}
    row |= {"bought_treated": 0.5, "bought_control": 0.25, "lift": 0.25, "incremental_profit": 10.0}
    row |= {"incremental_profit_low": -5.0, "incremental_profit_high": 25.0, "forecast_profit": 8.0, "other": 1}
    texts = cell_texts(tables.past_campaigns(pd.DataFrame([row]), FMT))
    assert len(texts[0]) == 12
    assert texts[1][:5] == ["a", "measured", "random groups", "20", "5"]
    assert texts[1][-4:] == ["£10", "−£5", "£25", "£8"]


def test_planned_lines_and_what_the_holdout_shows():
    lines = pd.DataFrame({"campaign": ["a"], "contacts": [9], "verdict": ["x"]})
    assert cell_texts(tables.power(lines, FMT))[0][-1] == "The lift"
    cells = pd.DataFrame({"cell": ["514"], "strategy": ["win over"], "campaigns": ["a"]})
    assert cell_texts(tables.strategy_cells(cells, FMT))[0] == ["Cell", "What the strategy says", "With"]
    one = plan().assign(contacts=[1, 0])
    assert len(cell_texts(tables.planned_lines(one, FMT))) == 2, "one contact is planned"
