"""What new customers bring and cost, worked by hand."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from crm_utils.budget import acquisition
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.errors import BudgetError, ParamsError

DAY = date(2024, 1, 15)


def orders(*rows: tuple[str, str, float]) -> ibis.Table:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    return ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at, format="mixed")))


# a spends 100 at once, 20 on the last day of the first 12 months and 900 a day later; b is observed for a month only
LEDGER = orders(
    ("a", "2023-01-10 18:00", 100.0), ("a", "2024-01-09 09:00", 20.0), ("a", "2024-01-10 09:00", 900.0),
    ("b", "2023-12-16", 50.0), ("b", "2024-01-14", 30.0),
)  # fmt: skip


def value_of(mean: float, per_year: int) -> acquisition.NewCustomerValue:
    return acquisition.NewCustomerValue(100, mean, mean, mean, mean, mean, per_year)


def test_first_year_margins_by_hand():
    table = acquisition.first_year_margins(
        LEDGER, DAY, 0.5, pd.DataFrame({"customer_id": ["b"], "margin_rate": [0.1]}), history_complete=True
    )
    assert table.customer_id.tolist() == ["a", "b"]
    assert table.margin.tolist() == pytest.approx([60.0, 8.0])
    assert table.age_days.tolist() == [370, 30]


def test_customers_of_the_first_days_of_a_cut_off_history_are_not_new():
    table = acquisition.first_year_margins(LEDGER, DAY, 0.5, None, history_complete=False)
    assert table.customer_id.tolist() == ["b"]


def test_value_of_customers_observed_for_a_year():
    """60 customers brought 10 or 30; those of the last 91 days observed brought 30. Ten are too young to count."""
    early, late = pd.Timestamp("2022-01-01"), pd.Timestamp("2022-12-01")
    margins = pd.DataFrame(
        {
            "customer_id": [f"{number}" for number in range(70)],
            "first_order": [early] * 40 + [late] * 20 + [pd.Timestamp("2024-01-01")] * 10,
            "margin": [10.0] * 40 + [30.0] * 20 + [1.0] * 10,
        }
    )
    margins["age_days"] = (pd.Timestamp(DAY) - margins.first_order).dt.days
    value = acquisition.new_customer_value(margins)
    assert value.customers == 60
    assert value.per_year == 10, "the last 91 days had 10, which would be 40 a year, but the last 12 months had 10"
    assert value.mean == pytest.approx(50 / 3)
    assert (value.median, value.last_cohort) == (10.0, 30.0)
    # Standard error of the mean: √(2/9) × 20 / √60 = 1.217
    assert value.low == pytest.approx(50 / 3 - 1.645 * 1.217, abs=0.15)
    assert value.high == pytest.approx(50 / 3 + 1.645 * 1.217, abs=0.15)


def test_new_customers_a_year_if_hardly_any_come_lately():
    """500 came in the last 12 months, but only 3 in the last 91 days: 12 a year."""
    margins = pd.DataFrame(
        {"first_order": pd.Timestamp("2023-03-01"), "age_days": [320] * 497 + [20] * 3, "margin": 1.0}
    )
    assert acquisition.new_customer_value(margins).per_year == 12


def test_no_value_of_too_young_customers():
    value = acquisition.new_customer_value(
        pd.DataFrame({"first_order": [pd.Timestamp("2023-12-01")] * 50, "age_days": 45, "margin": 10.0})
    )
    assert not value.known
    assert "0 new customers" in value.reason
    assert np.isnan(value.mean)
    assert acquisition.cost_steps(Acquisition(cost_per_customer=5), value, 1.0).empty


def test_many_customers_have_the_interval_of_few_bags():
    random = np.random.default_rng(3)
    values = random.lognormal(3, 1, 40_000)
    low, high = acquisition._interval_of_mean(values, 1)
    error = values.std() / 200
    assert (high - low) / 2 == pytest.approx(1.645 * error, rel=0.1)


def test_payback_by_hand():
    """Two customers of one month: 10 and 20 on the first day, 40 of the second on day 5. Margin one half."""
    table = orders(("a", "2023-03-01", 10.0), ("b", "2023-03-02", 20.0), ("b", "2023-03-07", 40.0))
    curve = acquisition.payback_curve(table, date(2023, 3, 12), 0.5, history_complete=True)
    assert curve.day.tolist() == list(range(11)), "the last customer of the month was observed for ten days"
    assert curve.margin[:5].tolist() == pytest.approx([7.5] * 5)
    assert curve.margin[5:].tolist() == pytest.approx([17.5] * 6)
    assert acquisition.payback_day(curve, 7.5) == 0
    assert acquisition.payback_day(curve, 8) == 5
    assert acquisition.payback_day(curve, 18) is None


def test_a_younger_cohort_counts_as_long_as_it_was_observed():
    table = orders(("a", "2023-03-01", 10.0), ("b", "2023-04-01", 30.0))
    curve = acquisition.payback_curve(table, date(2023, 4, 3), 1.0, history_complete=True).set_index("day")
    assert curve.customers[[0, 2, 3]].tolist() == [2, 2, 1]
    assert curve.margin[[2, 3]].tolist() == [20.0, 10.0]


def test_steps_of_a_rising_cost():
    """1,000 customers a year at 50: until the next costs 100 there are 1,000 more, for 50 × (1,000 + 500)."""
    steps = acquisition.cost_steps(Acquisition(cost_per_customer=50), value_of(100.0, 1000), 1.0)
    assert len(steps) == 2 * acquisition.STEPS
    assert (steps.customers.sum(), steps.spend.max()) == pytest.approx((3000, 200), rel=0.03), (
        "until one costs twice 100"
    )
    steps = steps[steps.profit > 0]
    assert len(steps) == acquisition.STEPS
    assert steps.customers.sum() == pytest.approx(1000)
    assert (steps.customers * steps.spend).sum() == pytest.approx(75_000)
    assert (steps.customers * steps.profit).sum() == pytest.approx(1000 * 100 - 75_000)
    assert steps.spend.is_monotonic_increasing
    half = acquisition.cost_steps(Acquisition(cost_per_customer=50), value_of(100.0, 1000), 0.5)
    assert half.customers[half.profit > 0].sum() == pytest.approx(500)


def test_a_customer_who_costs_more_than_they_bring_is_not_won():
    steps = acquisition.cost_steps(Acquisition(cost_per_customer=120), value_of(100.0, 1000), 1.0)
    assert (steps.profit < 0).all()
    assert acquisition.cost_steps(None, value_of(100.0, 1000), 1.0).empty


def test_response_curve_and_channels():
    response = Acquisition(response=[{"spend": 1000, "customers": 50}, {"spend": 4000, "customers": 100}])
    steps = acquisition.cost_steps(response, value_of(50.0, 0), 1.0)
    assert steps[["customers", "spend", "profit"]].to_numpy().tolist() == [[50.0, 20.0, 30.0], [50.0, 60.0, -10.0]]
    channels = Acquisition(
        channels=[
            {"name": "Fairs", "cost_per_customer": 45, "customers": 20},
            {"name": "Search", "cost_per_customer": 15, "customers": 80},
        ]
    )
    found = acquisition.cost_steps(channels, value_of(50.0, 10), 0.5)
    assert found.channel.tolist() == ["Search", "Fairs"]
    assert found.customers.tolist() == [40.0, 10.0]
    assert found.profit.tolist() == [35.0, 5.0]


def test_a_cost_without_new_customers_is_refused():
    with pytest.raises(BudgetError, match="no new customer came in the last 12 months"):
        acquisition.cost_steps(Acquisition(cost_per_customer=5), value_of(100.0, 0), 1.0)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"cost_per_customer": 0}, "greater than 0"),
        ({"cost_per_customer": -5}, "greater than 0"),
        ({"cost_per_customer": 5, "channels": [{"name": "a", "cost_per_customer": 5, "customers": 1}]}, "exactly one"),
        ({}, "exactly one"),
        ({"response": [{"spend": 10, "customers": 5}, {"spend": 10, "customers": 6}]}, "more spend and more customers"),
        ({"response": [{"spend": 10, "customers": 1}, {"spend": 12, "customers": 6}]}, "at least as much"),
    ],
)
def test_costs_that_make_no_sense_are_refused(terms, words):
    with pytest.raises(ValidationError, match=words):
        Acquisition.model_validate(terms)


def test_break_even_by_hand():
    """At half the value there are as many more customers as there are today; the last one earns nothing."""
    table = acquisition.break_even_costs(value_of(100.0, 1000), 1.0)
    assert table.cost_per_customer.tolist() == [25.0, 50.0, 75.0, 100.0]
    assert table.customers.tolist() == pytest.approx([3000.0, 1000.0, 1000 / 3, 0.0])
    assert acquisition.break_even_costs(value_of(100.0, 29), 1.0).empty
    # n0 (V − c0)² / (2 c0)
    assert table.expected_profit.tolist() == pytest.approx([112_500.0, 25_000.0, 1000 * 25**2 / 150, 0.0])


def test_costs_of_the_parameters_file():
    assert acquisition.read_costs(None) is None
    assert acquisition.read_costs({"cost_per_customer": 55}).cost_from == "assumed"
    with pytest.raises(ParamsError, match=r"budget.acquisition: cost_per_customer"):
        acquisition.read_costs({"cost_per_customer": 0})
