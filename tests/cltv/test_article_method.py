"""Value from the past alone: the article's numbers, bit-exact, and the dimensionally right one."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import article_method


@pytest.fixture(scope="module")
def sheet(retail_orders) -> ibis.Table:
    """Sheet 2010-11 alone, as the article reads it."""
    return retail_orders.filter(retail_orders.ordered_at >= "2010-12-01").cache()


@pytest.fixture(scope="module")
def published(sheet) -> pd.DataFrame:
    return article_method.article_customers(sheet, date(2011, 12, 10))


def test_toy_customers_by_hand():
    """F 1, 2, 4 and M 100, 300, 1000: repeat rate 2/3, churn 1/3, CLTV 500, 4,500, 50,000."""
    toy = pd.DataFrame({"customer_id": list("abc"), "orders": [1, 2, 4], "revenue": [100.0, 300, 1000]})
    table = article_method.article_method(toy)
    assert table.average_order_value.tolist() == [100, 150, 250]
    assert table.purchase_frequency.tolist() == pytest.approx([1 / 3, 2 / 3, 4 / 3])
    assert table.customer_value.tolist() == pytest.approx([100 / 3, 100, 1000 / 3])
    assert table.churn.tolist() == pytest.approx([1 / 3] * 3)
    assert table.profit_margin.tolist() == [5, 15, 50]
    assert table.cltv.tolist() == pytest.approx([500, 4500, 50_000])
    assert table.cltv_scaled.tolist() == pytest.approx([1, 9, 100], abs=0.1)
    assert table.article_tier.tolist() == ["C", "B", "A"]


def test_the_articles_value_to_the_penny(published):
    """Sum 12,349,738.93, maximum 2,629,451.23, median 15.235433.

    Groups of 1,446 (one extra row of 18.00 falls into B).
    """
    assert len(published) == 4338
    assert round(published.cltv.sum(), 2) == 12_349_738.93
    assert round(published.cltv.max(), 2) == 2_629_451.23
    assert round(published.cltv.median(), 6) == pytest.approx(15.235433, abs=1e-6)
    assert round(published.repeat_rate.iloc[0], 7) == 0.6558322
    tiers = published.groupby("article_tier").revenue.agg(["size", "sum"]).round(2)
    assert tiers["size"].tolist() == [1446] * 3
    assert tiers["sum"].tolist() == [7_562_017.78, 1_030_419.21, 318_988.91]


def test_orders_cancel_out_of_the_articles_value(published):
    """P1: it is margin × revenue² ÷ (customers × churn), so it ranks as revenue does."""
    constant = 0.05 / (len(published) * published.churn.iloc[0])
    assert (published.cltv / published.revenue**2).to_numpy() == pytest.approx(constant)
    assert published.cltv.corr(published.revenue, method="spearman") == pytest.approx(1, abs=1e-9)


def test_the_articles_forecast(sheet, published):
    """Parameters a .0592 alpha 9.3056 b 1.1328 r 1.7849, p 3.262 q .2192 v 3.1995.

    Sums 1,817.98, 5,415.85 and 93,183,708.
    """
    _, fitted = article_method.article_forecast(sheet, date(2011, 12, 11))
    values = fitted.set_index("parameter").value.round(4)
    assert [values[name] for name in ("a", "alpha", "b", "r")] == [0.0592, 9.3056, 1.1328, 1.7849]
    assert [values[name] for name in ("p", "q", "v")] == pytest.approx([3.262, 0.2192, 3.1995], abs=1e-4)
    sums = published[["sales_4_weeks", "sales_12_weeks", "clv_6_months"]].sum()
    assert sums.round(2).tolist()[:2] == [1817.98, 5415.85]
    assert sums.clv_6_months == pytest.approx(93_183_708, abs=1)
    assert published.clv_6_months.notna().sum() == 2845


def ledger() -> ibis.Table:
    """Sixty customers with one to six orders in 2011, and one whose orders are worth nothing."""
    draw = np.random.default_rng(4)
    rows = [
        (f"c{customer:02d}", pd.Timestamp("2011-01-01") + pd.Timedelta(hours=int(hours)), float(draw.gamma(3, 20)))
        for customer in range(60)
        for hours in draw.integers(0, 300 * 24, 1 + customer % 6)
    ]
    rows += [("free", pd.Timestamp("2011-03-01"), 0.0), ("free", pd.Timestamp("2011-03-05"), 0.0)]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    return ibis.memtable(frame.assign(order_id=frame.index.astype(str), revenue=frame.revenue.round(2)))


def test_the_forecast_is_that_of_lifetimes_on_all_orders_and_revenue():
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    today = date(2011, 12, 10)
    found, fitted = article_method.article_forecast(ledger(), today)
    grouped = ledger().execute().groupby("customer_id")
    table = pd.DataFrame(
        {
            "frequency": grouped.size(),
            "recency": (grouped.ordered_at.max() - grouped.ordered_at.min()).dt.days / 7,
            "T": (pd.Timestamp(today) - grouped.ordered_at.min()).dt.days / 7,
            "monetary": grouped.revenue.sum(),
        }
    )
    table = table[(table.frequency > 1) & (table.monetary > 0)]
    assert found.customer_id.tolist() == table.index.tolist()
    np.testing.assert_allclose(found[table.columns], table)
    purchases = BetaGeoFitter(penalizer_coef=0.01).fit(table.frequency, table.recency, table["T"])
    spend = GammaGammaFitter(penalizer_coef=0.01).fit(table.frequency, table.monetary)
    history = (table.frequency, table.recency, table["T"])
    np.testing.assert_allclose(found.sales_4_weeks, purchases.predict(4, *history))
    np.testing.assert_allclose(found.sales_12_weeks, purchases.predict(12, *history))
    profit = spend.conditional_expected_average_profit(table.frequency, table.monetary)
    np.testing.assert_allclose(found.average_profit, profit)
    value = spend.customer_lifetime_value(purchases, *history, table.monetary, time=6, freq="W", discount_rate=0.01)
    np.testing.assert_allclose(found.clv_6_months, value)
    assert fitted.model.tolist() == ["BG/NBD"] * 4 + ["Gamma-Gamma"] * 3
    assert fitted.value.tolist() == [*purchases.params_, *spend.params_]


def test_value_and_forecast_of_all_customers_side_by_side():
    result = article_method.try_article_method(ledger(), date(2011, 12, 9))
    customers = result.customers
    assert len(customers) == 61 and customers.customer_id.is_monotonic_increasing
    once = customers.orders == 1
    assert customers.sales_4_weeks.isna().sum() == once.sum() + 1, "who ordered once or for nothing has no forecast"
    forecast, _ = article_method.article_forecast(ledger(), date(2011, 12, 10))
    theirs = customers.set_index("customer_id").clv_6_months.dropna()
    assert theirs.to_dict() == forecast.set_index("customer_id").clv_6_months.to_dict()
    table = pd.DataFrame({"customer_id": customers.customer_id[::-1], "segment": "A"})
    joined = result.tables(table)["article"]
    assert joined.customer_id.tolist() == table.customer_id.tolist()
    assert "revenue" not in joined and joined.cltv.notna().all()
    left_out = article_method.try_article_method(ledger(), date(2011, 12, 9), include=False)
    assert (left_out.customers, left_out.reason, left_out.tables(table)) == (None, "", {})


def test_equal_values_are_scaled_to_one():
    assert article_method._scale(pd.Series([5.0, 5.0])).tolist() == [1, 1]
    assert article_method._scale(pd.Series([0.0, 2.0, 8.0])).tolist() == [1, 25.75, 100]
    assert article_method._tiers(pd.Series([3.0, 1.0, 2.0, 1.0, 5.0, 9.0])).tolist() == list("BCBCAA")


def test_no_churn_and_no_repeat_are_told_not_divided_by():
    everyone = article_method.article_method(
        pd.DataFrame({"customer_id": list("abc"), "orders": [2, 2, 3], "revenue": [1.0, 2, 3]})
    )
    nobody = article_method.article_method(
        pd.DataFrame({"customer_id": list("abc"), "orders": [1, 1, 1], "revenue": [1.0, 2, 3]})
    )
    assert everyone.cltv.isna().all() and everyone.churn.iloc[0] == 0
    assert nobody.churn.iloc[0] == 1 and nobody.cltv.notna().all()


@pytest.mark.parametrize(
    ("bought", "words"),
    [
        ("ab", "needs at least 3 customers"),
        ("abc", "nobody ordered twice"),
        ("aabbcc", "everybody ordered twice, so its churn is 0"),
        ("aabbc", "does not converge"),
    ],
)
def test_a_method_that_cannot_be_carried_out_is_left_out_with_its_reason(bought, words, capsys):
    """All on one day: who ordered twice has no time between orders to learn from."""
    frame = pd.DataFrame({"customer_id": list(bought), "revenue": [float(place + 5) for place in range(len(bought))]})
    frame = frame.assign(order_id=frame.index.astype(str), ordered_at=pd.Timestamp("2011-06-30"))
    result = article_method.try_article_method(ibis.memtable(frame), date(2011, 6, 30))
    assert result.customers is None
    assert words in result.reason
    assert capsys.readouterr().out == ""
