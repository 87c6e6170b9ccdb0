"""Small exports of which the pages must say, or not say, something."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest

from crm_utils.cleaning import data_quality
from crm_utils.cleaning import findings as cleaning_findings
from crm_utils.cltv import backtest, btyd, forecast
from crm_utils.cltv import findings as cltv_findings
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.cltv.backtest.candidates import RENEWALS
from crm_utils.cltv.outlook import Outlook, make_outlook
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


def no_adjustments() -> ir.Table:
    text, money = pd.Series(dtype=str), pd.Series(dtype=float)
    at = pd.Series(dtype="datetime64[us]")
    return ibis.memtable(pd.DataFrame({"customer_id": text, "order_id": text, "adjusted_at": at, "revenue": money}))


def forecast_of(orders: ir.Table, day: date) -> tuple[Outlook, str]:
    """The forecast as 04_cltv makes it, and what its findings say."""
    _, segments = segmented(orders, day)
    customers = forecast.rfm_summary(orders, day)
    summary = data_quality.summarize_data(orders, day)
    obstacles, regular = data_quality.forecast_blockers(summary), summary.is_regular
    past = backtest.Backtest.read(orders, no_adjustments(), day, with_models=not obstacles, regular=regular)
    models = btyd.fit_customer_base(customers, "bg_nbd", obstacles, regular)
    made = make_outlook(past, customers, segments, models, day)
    found = (
        cltv_findings.revenue_forecast(
            made, backtest.list_tests(past), backtest.track_record(past, []), models, day, FMT
        ),
        cltv_findings.forecast_basis(made, backtest.track_record(past, []), FMT),
    )
    return made, " ".join(finding._repr_html_() for finding in found)


def of_all(totals: pd.DataFrame) -> pd.Series:
    """Forecast revenue by months."""
    return totals[totals.segment == "all"].set_index("months").revenue


def test_once_a_year():
    orders, day = orders_of_case("once_a_year", "holiday.csv")
    made, words = forecast_of(orders, day)
    assert made.weights["same_period_last_year"] > 0.9
    year = made.totals[(made.totals.segment == "all") & (made.totals.months == 12)].iloc[0]
    # Last year's revenue, €4,641, less what earlier customers brought less than the year before
    assert 0.85 * 4641 < year.revenue < 4641 < year.revenue_high < 7000 and year.revenue_low > 2500
    by_segment = made.totals[(made.totals.months == 12) & (made.totals.segment != "all")]
    assert by_segment.revenue.sum() == pytest.approx(year.revenue, abs=0.01)
    assert "subscription" not in words and "average rate of all" not in words
    assert "about 36" in words, "the reason names the gap between purchases"
    summary = data_quality.summarize_data(orders, day)
    checks = data_quality.run_checks(data_quality.daily_orders(orders), summary, day)
    assert "subscription" not in cleaning_findings.data_quality(checks, summary, FMT)._repr_html_()


def test_one_large_account():
    made, words = forecast_of(*orders_of_case("one_large_account", "b2b.csv"))
    assert (made.large_account.customer_id, round(made.large_account.revenue_share, 2)) == ("ACME", 0.71)
    without = of_all(made.large_account.totals)[12]
    assert 0 < without < 0.6 * of_all(made.totals)[12]
    assert (
        "ACME" not in words
        and "One customer brought 71%" in words
        and FMT.money(without) in words
        and FMT.money(of_all(made.totals)[12]) in words
    )


def test_sixty_days():
    made, words = forecast_of(*orders_of_case("sixty_days"))
    assert of_all(made.totals).index.tolist() == [1]
    for months in ("3 months", "6 months", "12 months after", "Nine times", "nine times", "€103,497"):
        assert months not in words
    assert "could be tested" in words and "too short for a longer forecast" in words
    assert made.limit_months(ClvAssumptions(0.3, 0.1, 12)).months == 1


def test_three_weeks_carry_no_forecast():
    made, words = forecast_of(*orders_of_case("three_weeks", "new_shop.csv"))
    assert made.totals.empty
    assert "too short for a forecast" in words


def test_subscription():
    columns = {"order_id": "invoice_id", "ordered_at": "paid_date", "amount": "amount_paid"}
    orders, day = orders_of_case("subscription", "invoices.csv", **columns)
    made, words = forecast_of(orders, day)
    assert "renewals and cancellations" in words and "as in a subscription" in words
    assert of_all(made.totals).index.tolist() == [1, 3, 6, 12]
    assert made.weights["bg_nbd"] == 0 and made.weights.sum() == pytest.approx(1)
    assert made.weights[RENEWALS] > 0.5


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
