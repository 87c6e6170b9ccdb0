"""Forecasts of histories that are short, broken or over: what is not known is said, and nothing is absurd."""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest

from crm_utils.cleaning import data_quality
from crm_utils.cltv import backtest, btyd, forecast
from crm_utils.cltv import findings as cltv_findings
from crm_utils.cltv.outlook import Outlook, make_outlook
from crm_utils.core.formatting import NumberFormat

FMT = NumberFormat("EUR")
FIRST = date(2022, 1, 3)


def shop(days: int, customers: int = 150, seed: int = 3) -> pd.DataFrame:
    """Customers who arrive in the first 300 days and buy for 20 to 60 about every 40 days until they leave."""
    rng = np.random.default_rng(seed)
    begins = rng.integers(0, min(days, 300), customers)
    rows = []
    for customer, begin in enumerate(begins):
        bought = begin + np.cumsum(np.append(0, rng.exponential(40, rng.geometric(0.08)))).astype(int)
        rows += [(f"c{customer:03}", day, 20 + 40 * rng.random()) for day in np.unique(bought) if day < days]
    table = pd.DataFrame(rows, columns=["customer_id", "day", "revenue"])
    at = pd.Timestamp(FIRST) + pd.to_timedelta(table.day, "D")
    return table.assign(ordered_at=at, order_id=[f"o{row}" for row in range(len(table))], units=1.0, lines=1)


def look_ahead(table: pd.DataFrame, day: date, refunds: pd.DataFrame | None = None) -> tuple[Outlook, str]:
    """The forecast as 04_cltv makes it, and what its findings say."""
    orders = ibis.memtable(table.drop(columns="day"))
    text, money = pd.Series(dtype=str), pd.Series(dtype=float)
    none = {"customer_id": text, "order_id": text, "adjusted_at": pd.Series(dtype="datetime64[us]"), "revenue": money}
    adjustments: ir.Table = ibis.memtable(pd.DataFrame(none) if refunds is None else refunds)
    customers = forecast.rfm_summary(orders, day)
    segments = customers[["customer_id"]].assign(segment="everybody")
    summary = data_quality.summarize_data(orders, day)
    obstacles = data_quality.forecast_blockers(summary)
    past = backtest.Backtest.read(orders, adjustments, day, 91, not obstacles, summary.is_regular)
    tested = backtest.list_tests(past)
    models = btyd.fit_customer_base(customers, "bg_nbd", obstacles, summary.is_regular)
    made = make_outlook(past, customers, segments, models, day)
    found = [
        cltv_findings.past_forecasts(tested, 91, FMT),
        cltv_findings.revenue_forecast(made, tested, backtest.track_record(past, []), models, day, FMT),
        cltv_findings.forecast_basis(made, backtest.track_record(past, []), FMT),
        cltv_findings.whole_business(made, tested, day, FMT),
    ]
    return made, " ".join(str(finding.sentence) for finding in found)


def test_short_histories_reach_no_further_than_they_are_long():
    """100 days: one origin is tested for a month, none for longer."""
    made, words = look_ahead(shop(100), FIRST + timedelta(days=99))
    assert sorted(made.totals.months.unique()) == [1, 3]
    assert "too short for a longer forecast" in words and "half a year of orders" in words
    assert made.whole.empty


def test_without_an_origin_no_range_is_given():
    made, words = look_ahead(shop(60), FIRST + timedelta(days=59))
    assert made.totals.revenue_low.isna().all() and not made.tested
    assert "No past forecast could be tested" in words and "ine times in ten" not in words


def unlucky(kind: str) -> tuple[pd.DataFrame, date]:
    table, last = shop(600), FIRST + timedelta(days=599)
    if kind == "a year with a gap":
        return table[~table.day.between(300, 400)], last
    if kind == "ends in the middle of a month":
        return table[table.day < 562], FIRST + timedelta(days=561)
    if kind == "fell to zero":
        return table[table.day < 330], last
    if kind == "a single customer is left":
        return table[(table.day < 300) | (table.customer_id == table.customer_id[0])], last
    return table.assign(revenue=np.where(table.day.between(400, 440), 400 * table.revenue, table.revenue)), last


@pytest.mark.parametrize(
    "kind",
    ["a year with a gap", "ends in the middle of a month", "fell to zero", "a single customer is left", "a huge month"],
)
def test_broken_histories_give_no_absurd_range(kind):
    table, day = unlucky(kind)
    made, words = look_ahead(table, day)
    ranges = made.totals.dropna(subset=["revenue_low"])
    assert (ranges.revenue_low <= ranges.revenue).all() and (ranges.revenue <= ranges.revenue_high).all()
    assert (ranges.revenue_high <= 16 * ranges.revenue_low).all()
    assert (
        np.isfinite(made.totals.revenue).all()
        and made.totals.groupby("segment").revenue.apply(lambda revenue: revenue.is_monotonic_increasing).all()
    )
    assert "nan" not in words.lower() and "inf" not in words.split()
    bought = table[table.day > (day - FIRST).days - 364].revenue.sum()
    if kind == "fell to zero":
        assert made.totals.revenue.max() < 0.5 * table[table.day < 330].revenue.sum()
    else:
        assert made.totals.revenue.max() < 5 * max(bought, 1)


def test_weeks_of_refunds_lower_the_forecast():
    """In the last 14 weeks everything is refunded."""
    table, day = shop(600), FIRST + timedelta(days=599)
    recent = table[table.day > 500]
    columns = ["customer_id", "order_id", "revenue"]
    refunds = recent[columns].assign(revenue=-recent.revenue, adjusted_at=recent.ordered_at + pd.Timedelta(days=1))
    made, words = look_ahead(table, day, refunds[["customer_id", "order_id", "adjusted_at", "revenue"]])
    before, _ = look_ahead(table, day)
    year, usual = (outlook.totals[outlook.totals.months == 12].revenue.max() for outlook in (made, before))
    assert 0 <= year < usual and "nan" not in words.lower()
