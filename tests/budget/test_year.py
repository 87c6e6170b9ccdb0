"""The tables of a year's plan add up, worked by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_utils.budget import year as years
from crm_utils.budget.acquisition import NewCustomerValue, cost_steps
from crm_utils.budget.waves import WaveTerms, YearPlan, YearProblem, plan_waves
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.errors import BudgetError
from tests.support.budget_factories import campaigns, options, resting_flow

DAY = date(2024, 9, 30)
OPTIONS = (("Mail", 0, "A", 1000, 0.2, 30.0), ("News", 1, "B", 500, 0.1, 60.0))
VALUE = NewCustomerValue(500, 100.0, 90.0, 115.0, 80.0, 95.0, 400)


def shop(budget: float = 20_000.0) -> tuple[YearPlan, pd.DataFrame]:
    """Two waves for 1,000 customers of A and 500 of B: a measured mail and a newsletter that is assumed."""
    offers = campaigns(
        {"name": "Mail", "contact_cost": 1.0, "fixed_cost": 50, "lift": 0.1, "evidence": "measured"},
        {
            "name": "News", "segments": ["B"], "contact_cost": 0.1, "lift": 0.02, "lift_low": 0.01, "lift_high": 0.03,
            "incentive": 5, "redemption_rate": 0.5,
        },
    )  # fmt: skip
    offers["messages"] = [[1], [1, 2]]
    table = options(offers, *OPTIONS)
    flow = resting_flow(
        [1000, 500], 2, 0.1, baseline=np.tile([0.2, 0.1], (2, 1)), newcomers=np.array([1.0, 0.0]),
        order_margin=np.array([30.0, 60.0]),
    )  # fmt: skip
    steps = cost_steps(Acquisition(cost_per_customer=80), VALUE, 0.5)
    problem = YearProblem(table, offers, flow, WaveTerms(2, 91, 0.8), budget, holdout_share=0.1, steps=steps)
    return plan_waves(problem), offers


def problem_of(offers: pd.DataFrame, budget: float, target_roi: float | None = None) -> YearProblem:
    """What the lines of a budget need of a problem."""
    return YearProblem(pd.DataFrame(), offers, resting_flow([1]), WaveTerms(2, 91), budget, target_roi)


def test_with_a_target_return_the_lines_are_what_the_plan_spends():
    year, offers = shop()
    lines = years.budget_lines(year, problem_of(offers, 0.0, 0.5), years.lifts_to_learn(year, offers, 2))
    assert lines.spend.sum() == pytest.approx(year.spend, abs=0.01)
    assert lines.set_index("line").spend[years.Line.RESERVE] == 0


def test_calendar_by_hand():
    """900 of A get the mail at 1 each: 10% more of them buy, for 30. Fixed costs of 50 are paid in each wave."""
    year, offers = shop()
    table = years.calendar(year, offers, DAY, 91)
    mail = table[(table.campaign == "Mail") & (table.wave == 1)].iloc[0]
    assert mail.starts_on == pd.Timestamp("2024-10-01")
    assert (mail.customers, mail.contacts, mail.messages) == (900, 900, 1)
    assert mail.baseline_probability == pytest.approx(0.2)
    assert mail.added_buyers == pytest.approx(90)
    assert (mail.incremental_margin, mail.contact_costs, mail.fixed_costs) == pytest.approx((2700, 900, 50))
    assert mail.expected_profit == pytest.approx(2700 - 950)
    news = table[(table.campaign == "News") & (table.wave == 1)].iloc[0]
    # Two messages: lift 0.02 × (1 + 0.8); 450 customers; half of the buyers redeem 5
    assert (news.customers, news.contacts) == (450, 900)
    assert news.added_buyers == pytest.approx(450 * 0.036)
    assert news.incremental_margin == pytest.approx(450 * 0.036 * 60)
    assert news.incentives == pytest.approx(450 * (0.036 + 0.1) * 2.5)
    assert news.contact_costs == pytest.approx(90)
    second = table[(table.campaign == "Mail") & (table.wave == 2)].iloc[0]
    assert second.starts_on == pd.Timestamp("2024-12-31")


def test_calendar_and_lines_add_up_to_the_plan_and_the_budget():
    year, offers = shop()
    table = years.calendar(year, offers, DAY, 91)
    assert (table.spend - table[["contact_costs", "incentives", "fixed_costs"]].sum(axis=1)).abs().max() < 1e-9
    assert table.spend.sum() + year.won.spend.sum() == pytest.approx(year.spend)
    assert table.expected_profit.sum() + year.won.expected_profit.sum() == pytest.approx(year.expected_profit)
    learning = years.lifts_to_learn(year, offers, 2)
    lines = years.budget_lines(year, problem_of(offers, 20_000), learning)
    assert lines.line.tolist() == list(years.Line)
    assert lines.spend.sum() == pytest.approx(20_000, abs=0.005)
    assert lines.expected_profit.sum() == pytest.approx(year.expected_profit, abs=0.03)
    by_line = lines.set_index("line").spend
    assert by_line[years.Line.REPEAT] == pytest.approx(table.spend[table.campaign == "Mail"].sum(), abs=0.01)
    assert by_line[years.Line.NEW] == pytest.approx(year.won.spend.sum(), abs=0.01)


def test_a_campaign_worth_measuring_is_the_line_learn():
    year, offers = shop()
    learning = years.lifts_to_learn(year, offers, 2).assign(verdict="worth measuring")
    learning = learning[learning.campaign == "News"]
    by_line = years.budget_lines(year, problem_of(offers, 20_000), learning).set_index("line").spend
    assert by_line[years.Line.KEEP] == 0
    assert by_line[years.Line.LEARN] > 0


def test_break_even_lift_of_a_campaign_by_hand():
    """At the break-even lift of one message the campaign's contacts earn what they cost."""
    year, offers = shop()
    found = years.lifts_to_learn(year, offers, 2).set_index("campaign")
    table = years.calendar(year, offers, DAY, 91)
    for name in ("Mail", "News"):
        at = offers.assign(lift=np.where(offers.name == name, found.break_even_lift[name], offers.lift))
        priced = years.reprice(year.contacts, at, at.set_index("name").lift)
        own = priced[priced.campaign == name]
        fixed = table.fixed_costs[table.campaign == name].sum()
        assert (own.contacts * own.profit).sum() == pytest.approx(fixed, abs=1e-6)
    assert found.verdict["Mail"] == "measured"


def test_range_by_hand():
    """Low lifts, another fatigue, a low value of new customers, smaller segments and chance are added as squares."""
    year, offers = shop()
    parts = years.range_parts(year, offers, VALUE, 0.1, 0.8)
    table = years.calendar(year, offers, DAY, 91).set_index(["campaign", "wave"])
    mail, news = table.loc["Mail"], table.loc["News"]
    # At half the lift: half of the margin, and half of the incentives of added buyers
    lost = (mail.incremental_margin.sum() + (news.incremental_margin - news.added_buyers * 2.5).sum()) / 2
    assert parts.loc["lifts"].tolist() == pytest.approx([lost, lost])
    # In the second wave 9 of 10 of those contacted before (f times the lift), and 9 of 10 of the others

    def earned(f: float) -> float:
        rested = (900 + 90 + 810 * f) * 0.1 * 30
        return rested + (450 + 45 + 405 * f) * (1 + f) * 0.02 * (60 - 2.5)

    assert parts.low["fatigue"] == pytest.approx(earned(0.8) - earned(0.6))
    assert parts.high["fatigue"] == pytest.approx(earned(1.0) - earned(0.8))
    won = year.won.customers.sum()
    assert parts.loc["value_of_new_customers"].tolist() == pytest.approx([won * 10, won * 15])
    later = table.xs(2, level="wave")
    assert parts.low["segment_sizes"] == pytest.approx(0.1 * (later.expected_profit + later.fixed_costs).sum())
    # 500 customers' mean is known within 25 / 2 / 1.6449
    deviation = 25 / 2 / 1.6449 * np.sqrt(500)
    orders = 2 * (mail.added_buyers.sum() * 30**2 + news.added_buyers.sum() * 60**2)
    chance = 1.6449 * np.sqrt(orders + won * (deviation**2 + 100**2))
    assert parts.loc["chance"].tolist() == pytest.approx([chance, chance])
    low, high = years.profit_range(year, offers, VALUE, 0.1, 0.8)
    assert year.expected_profit - low == pytest.approx(np.sqrt((parts.low**2).sum()))
    assert high - year.expected_profit == pytest.approx(np.sqrt((parts.high**2).sum()))


def test_whole_waves_of_a_period():
    terms = years.wave_terms(365, 91, 0.8, 0.1, {"number": 6, "days": 91})
    assert terms == WaveTerms(4, 91, 0.8, 0.1, 6)
    assert years.wave_terms(91, 91, 0.8, 0, {"number": 6, "days": 30}).max_messages == 18
    assert years.wave_terms(91, 91, 0.8, 0, {"number": 3, "days": 182}).max_messages == 1
    with pytest.raises(BudgetError, match="60 days are shorter than a wave of 91 days"):
        years.wave_terms(60, 91, 0.8, 0, {"number": 6, "days": 91})
    with pytest.raises(BudgetError, match="1 in 182 days is less than one message in a wave of 91 days"):
        years.wave_terms(365, 91, 0.8, 0, {"number": 1, "days": 182})


def test_every_number_of_the_calendar_follows_from_the_tables():
    """With the campaigns and the other columns a calculator finds each amount."""
    year, offers = shop()
    table = years.calendar(year, offers, DAY, 91)
    term = offers.set_index("name").loc[table.campaign].reset_index(drop=True)
    added = table.customers * term.delivery_rate * term.lift * table.response
    anyway = table.customers * term.delivery_rate * table.baseline_probability * table.discount_to_baseline_buyers
    expected = {
        "contacts": table.customers * table.messages,
        "added_buyers": added,
        "incremental_margin": added * table.margin,
        "contact_costs": table.contacts * term.contact_cost,
        "incentives": term.redemption_rate * (added * table.discount + anyway),
        "spend": table.contact_costs + table.incentives + table.fixed_costs,
        "expected_profit": table.incremental_margin - table.spend,
    }
    for name, values in expected.items():
        assert table[name].to_numpy() == pytest.approx(values.to_numpy(), abs=1e-6), name
    won = years.acquisition_table(year, VALUE, DAY, 91)
    assert won.expected_profit.to_numpy() == pytest.approx((won.customers_won * 100.0 - won.spend).to_numpy(), abs=1e-6)
    assert won.starts_on.tolist() == [pd.Timestamp("2024-10-01"), pd.Timestamp("2024-12-31")]


def test_the_first_wave_names_each_option_once_or_by_its_messages():
    year, offers = shop()
    problem = YearProblem(
        options(offers, *OPTIONS, ("Mail", 1, "B", 500, 0.1, 1)),
        offers, resting_flow([1000, 500], 2), WaveTerms(2, 91, 0.8), 20_000,
    )  # fmt: skip
    found = years.first_wave(year, problem).set_index(["campaign", "group"])
    assert found.contacts.to_dict() == {("Mail", 0): 900, ("News", 1): 450, ("Mail", 1): 0}
    assert found.messages.to_dict() == {("Mail", 0): 1, ("News", 1): 2, ("Mail", 1): 1}
    assert set(years.later_lines(year)) == {("Mail", "A"), ("News", "B")}


def test_evidence_shares_and_profit_by_campaign_add_up():
    year, offers = shop()
    offers = offers.assign(evidence=["measured", "published"])
    shares = years.evidence_shares(year, offers)
    assert shares.index.tolist() == ["new", "measured", "published", "assumed"]
    assert shares.sum() == pytest.approx(1)
    table = years.calendar(year, offers, DAY, 91)
    mail = table.expected_profit[table.campaign == "Mail"].sum()
    assert shares["measured"] == pytest.approx(mail / year.expected_profit)
    by_campaign = years.money_by_campaign(year).expected_profit
    assert by_campaign.sum() == pytest.approx(year.expected_profit)
    assert by_campaign["Mail"] == pytest.approx(mail)
    assert by_campaign["new customers"] == pytest.approx(year.won.expected_profit.sum())


@pytest.mark.parametrize("budget", [0.0, 100.0, 1234.56, 20_000.0])
def test_the_lines_equal_any_budget(budget):
    year, offers = shop(budget)
    lines = years.budget_lines(year, problem_of(offers, budget), years.lifts_to_learn(year, offers, 2))
    assert lines.spend.sum() == pytest.approx(budget, abs=0.005)
    assert (lines.spend >= 0).all()


def test_the_first_wave_of_a_plan_that_uses_every_option():
    year, offers = shop()
    problem = YearProblem(options(offers, *OPTIONS), offers, resting_flow([1000, 500], 2), WaveTerms(2, 91, 0.8), 1.0)
    found = years.first_wave(year, problem)
    assert sorted(found.campaign) == ["Mail", "News"]
    assert (found.contacts > 0).all()
