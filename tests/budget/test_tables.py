"""Tables of 05_budget as a reader sees them."""

import pandas as pd

from crm_utils.budget import tables
from crm_utils.budget.gates import Gate, GateState
from crm_utils.budget.plan import build_plan
from crm_utils.budget.unit_economics import price_messages
from crm_utils.budget.year import Line
from crm_utils.core.formatting import NumberFormat
from tests.support.budget_factories import campaigns, options
from tests.support.page_tables import cell_texts

FMT = NumberFormat("GBP")
NAN = float("nan")
STARTS = pd.to_datetime(["2024-10-01", "2024-12-31"])


def plan(**terms: float) -> pd.DataFrame:
    """One planned line of 20 customers at 1 a message, and one that is not planned."""
    offers = campaigns(terms, {"contact_cost": 9, "segments": ["B"]})
    table = options(offers, ("a", 0, "A", 20, 0.1, 40.0), ("b", 1, "B", 20, 0.1, 40.0))
    priced = price_messages(table, offers, 0.8, 0, 1)
    return build_plan(priced.assign(contacts=[20, 0]), offers, pd.Series(dtype=int))


def test_the_lines_are_shown_with_their_share_of_the_budget_and_add_up():
    lines = pd.DataFrame(
        {"line": list(Line), "spend": [100.0, 50.0, 600.0, 0.0, 250.0], "expected_profit": [20.0, 30, 40, 0, 0]}
    )
    texts = cell_texts(tables.budget_lines(lines, FMT))
    with_money = [line for line in Line if line != Line.LEARN]
    assert [row[0] for row in texts[1:-1]] == [tables.LINE_NAMES[line] for line in with_money]
    assert [row[2] for row in texts[1:-1]] == ["10%", "5%", "60%", "25%"]
    assert texts[-1] == ["Total", "£1,000", "", "£90"]
    nothing = cell_texts(tables.budget_lines(lines.assign(spend=0.0, expected_profit=0.0), FMT))
    assert nothing[1:] == [["Reserve", "£0.00", "0%", "£0.00"]], "one line says that there is no money"


CALENDAR = pd.DataFrame(
    {
        "wave": [1, 2],
        "starts_on": STARTS,
        "campaign": "Mail",
        "segment": ["A", "B"],
        "customers": [100.0, 20.0],
        "messages": [1, 2],
        "contacts": [100.0, 40.0],
        "spend": [150.0, 60.0],
        "expected_profit": [30.0, -10.0],
        "margin": 1.0,
    }
)


def test_the_calendar_shows_when_what_is_sent_and_adds_up():
    texts = cell_texts(tables.calendar(CALENDAR, FMT))
    assert texts[1][:5] == ["1", "1 October 2024", "Mail", "A", "100"]
    assert texts[2][1] == "31 December 2024"
    assert texts[-1][0] == "Total" and texts[-1][-3:] == ["140", "£210", "£20"]


def test_new_customers_of_each_wave():
    won = pd.DataFrame({"wave": [1, 2], "starts_on": STARTS, "customers_won": [10.0, 20.0], "spend": [800.0, 1700.0]})
    won = won.assign(value_per_customer=100.0, expected_profit=[200.0, 300.0])
    texts = cell_texts(tables.new_customers(won, FMT))
    assert texts[1] == ["1", "1 October 2024", "10", "£800", "£100.00", "£200"]
    assert texts[-1] == ["Total", "", "30", "£2,500", "", "£500"]
    assert tables.new_customers(won.assign(customers_won=0.0), FMT) is None


def test_planned_lines_are_shown_with_their_lift():
    texts = cell_texts(tables.planned_lines(plan(), FMT))
    assert len(texts) == 2
    assert texts[1][:2] == ["a", "A"] and texts[1][3] == "20"
    assert "10.0, assumed" in texts[1]
    both = cell_texts(tables.planned_lines(pd.concat([plan(), plan()]), FMT))
    assert both[-1][0] == "Total" and both[-1][3] == "40"
    one = plan().assign(contacts=[1, 0])
    assert len(cell_texts(tables.planned_lines(one, FMT))) == 2, "one customer is planned"


def test_lines_that_earn_little_are_shown_together():
    """Of 1,020: 10 is under 2%. One small line stays as it is."""
    row = plan().iloc[[0]]
    profits = [1000.0, 10.0, 5.0, 5.0]
    lines = pd.concat([row.assign(expected_profit=profit) for profit in profits], ignore_index=True)
    lines = lines.assign(segment=list("ABCD"), campaign=["a", "a", "b", "b"], spend=[1.0, 2.0, 3.0, 4.0])
    texts = cell_texts(tables.planned_lines(lines, FMT))
    assert [row[:2] for row in texts[1:]] == [["a", "A"], ["2 small campaigns", "3 lines"], ["Total", ""]]
    assert "60" in texts[2] and "£20" in texts[2]
    assert texts[-1][3] == "80"
    one = cell_texts(tables.planned_lines(lines.iloc[2:].assign(expected_profit=[1000.0, 5.0]), FMT))
    assert [row[1] for row in one[1:-1]] == ["C", "D"]
    same = cell_texts(tables.planned_lines(lines.assign(expected_profit=[1000.0, 900.0, 5.0, 5.0]), FMT))
    assert ["b", "2 lines"] in [row[:2] for row in same], "both are lines of one campaign"


def test_gates_are_written_as_rules():
    table = pd.DataFrame(
        {
            "gate": [Gate.NEW_CUSTOMERS, Gate.LIFT, Gate.RESERVE],
            "campaign": ["", "Mail", ""],
            "decide_on": pd.Timestamp("2024-12-30"),
            "limit": [80.0, 0.0123, 0.0],
            "releases": [1600.0, 75.0, 3000.0],
            "observed": [NAN, 0.02, 0.0],
            "state": [GateState.WAITING, GateState.OPEN, GateState.CLOSED],
        }
    )
    texts = cell_texts(tables.gates(table, FMT))[1:]
    assert [row[0] for row in texts] == [
        tables.GATE_NAMES[Gate.NEW_CUSTOMERS].format(limit="£80.00"),
        tables.GATE_NAMES[Gate.LIFT].format(limit="1.23", campaign="Mail"),
        tables.GATE_NAMES[Gate.RESERVE],
    ]
    assert [row[1] for row in texts] == ["30 December 2024"] * 3
    assert [row[2] for row in texts] == ["£1,600", "£75", "£3,000"]
    assert [row[3] for row in texts] == ["–", "2.00", "£0.00"]
    assert [row[4] for row in texts] == ["not known yet", "open", "closed"]


def test_what_it_takes_to_know_a_lift():
    row = {"campaign": "Mail", "customers": 900.0, "lift": 0.01, "break_even_lift": 0.005, "value_of_knowing": 20.0}
    row |= {"holdout_share": 0.2, "waves": 3.0, "cost": 12.5, "verdict": "worth measuring"}
    texts = cell_texts(tables.learning(pd.DataFrame([row]), FMT))
    assert texts[1] == ["Mail", "900", "1.0", "0.5", "£20.00", "20%", "3", "£12.50", "worth measuring"]


def test_discounts_are_shown_if_there_are_any():
    with_discount, without = (
        cell_texts(tables.every_line(plan(incentive=given, redemption_rate=0.5), FMT)) for given in (1, 0)
    )
    assert len(with_discount[0]) == len(without[0]) + 2
    assert len(without) == 3 and {"Why", "Eligible", "Contacted"} <= set(without[0])


def test_limits_are_shown_if_a_campaign_has_one():
    def headings(**terms) -> list[str]:
        return cell_texts(tables.campaigns(campaigns(terms | {"redemption_rate": 0.5}), FMT))[0]

    plain = headings()
    assert "Campaign" in plain and "Lift is" in plain
    for limit, value in {
        "channel": "sms", "capacity": 5, "max_spend": 5, "min_spend": 5, "incentive_share": 0.1, "follow_on_margin": 0.1
    }.items():  # fmt: skip
        assert len(headings(**{limit: value})) == len(plain) + 1, limit
    offered = cell_texts(tables.campaigns(campaigns({"messages": [1, 2, 6]}), FMT))
    assert "1, 2, 6" in offered[1]


def test_each_lift_is_shown_with_its_experiment():
    offers = campaigns({"lift": 0.01, "costs_from": "our invoices"}, {})
    offers = offers.assign(lift_from=["published", "assumed"], evidence_source=["267 of 21,307 bought", ""])
    texts = cell_texts(tables.evidence(offers, FMT))
    assert texts[1] == ["a", "1.0", "0.5", "1.5", "published", "267 of 21,307 bought", "our invoices"]
    assert texts[2][-3:] == ["assumed", "", "assumed"]


def test_what_can_be_changed_and_what_simple_plans_earn():
    levers = pd.DataFrame({"scenario": ["as planned"], "expected_profit": [90.0], "gain": [0.0]})
    assert cell_texts(tables.lever_gains(levers, FMT))[0][0] == "What if"
    points = pd.DataFrame({"campaign": ["Mail"], "waves": [2], "break_point_lift": [NAN], "evidence": ["measured"]})
    assert cell_texts(tables.break_points(points, FMT))[1] == ["Mail", "2", "–", "measured"]
    simple = pd.DataFrame({"plan": ["nothing"], "contacts": [0.0], "spend": [0.0], "expected_profit": [0.0]})
    assert cell_texts(tables.simple_plans(simple, FMT))[0][:2] == ["Plan", "Messages"]
    curve = pd.DataFrame({"budget": [0.0, 500.0], "contacts_profit": [0.0, 70.0]})
    assert cell_texts(tables.budget_curve(curve, FMT))[2] == ["£500", "£70"]


def test_how_well_sizes_were_forecast():
    judged = pd.DataFrame(
        {"origin": [pd.Timestamp("2024-07-01")], "waves_ahead": [2], "error": [1.25], "error_no_change": [4.0]}
    )
    assert cell_texts(tables.sizes(judged, FMT))[1] == ["1 July 2024", "2", "1.2", "4.0"]


def test_nothing_to_show_gives_no_table():
    empty = pd.DataFrame()
    for table in ("power", "past_campaigns", "calibration", "gates", "learning", "sizes"):
        assert getattr(tables, table)(empty, FMT) is None, table
    assert tables.break_even_costs(empty, FMT) is None
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
    row |= dict.fromkeys(["sent_treated", "sent_control", "bounced", "unsubscribed"], float("nan"))
    texts = cell_texts(tables.past_campaigns(pd.DataFrame([row]), FMT))
    assert len(texts[0]) == 12
    exported = row | {"sent_treated": 0.9, "sent_control": 0.05, "bounced": 0.02, "unsubscribed": 0.01}
    assert cell_texts(tables.past_campaigns(pd.DataFrame([exported]), FMT))[1][5:9] == ["90%", "5%", "2%", "1%"]
    assert texts[1][:5] == ["a", "measured", "random groups", "20", "5"]
    assert texts[1][-4:] == ["£10", "−£5", "£25", "£8"]


def test_strategy_cells_and_what_the_holdout_shows():
    lines = pd.DataFrame({"campaign": ["a"], "contacts": [9], "verdict": ["x"]})
    assert cell_texts(tables.power(lines, FMT))[0][-1] == "The lift"
    cells = pd.DataFrame({"cell": ["514"], "strategy": ["win over"], "campaigns": ["a"]})
    assert cell_texts(tables.strategy_cells(cells, FMT))[0] == ["Cell", "What the strategy says", "With"]
