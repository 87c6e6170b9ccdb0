"""The forecast as it is published: how far it reaches, when last year replaces the model, and large accounts."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import btyd, outlook
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.cltv.backtest import BacktestModel
from crm_utils.cltv.seasonality import Seasonality

TODAY = date(2011, 12, 31)
LAST_YEAR, MODEL = BacktestModel.SAME_PERIOD_LAST_YEAR.value, BacktestModel.MODEL_WITH_SEASON.value


def trials(*misses: tuple[float, float], actual: float = 8.0) -> pd.DataFrame:
    """Tests of both models at one origin a month: what each forecast beyond the actual revenue."""
    rows = [
        (pd.Timestamp(2011, 1 + place, 1), model, actual, actual + missed)
        for place, both in enumerate(misses)
        for model, missed in zip((LAST_YEAR, MODEL), both, strict=True)
    ]
    return pd.DataFrame(rows, columns=["origin", "model", "revenue_actual", "revenue_predicted"]).assign(
        horizon_days=30, seasonal_factor=np.nan, relative_variance=0.01
    )


def test_last_year_must_be_closer_in_three_tests_and_half_as_far_off():
    """Of 8, a miss of 1 is an error of .125 and one of 2 is .25: exactly half as far."""
    assert outlook.judge_last_year(trials((1, 2), (-1, -2), (1, -2))) == outlook.RuleVerdict(3, 0.125, 0.25)
    assert outlook.judge_last_year(trials((1, 2), (1, 2))) is None, "two tests are too few"
    assert outlook.judge_last_year(trials((1, 2), (1, 2), (1.5, 2))) is None, "more than half as far off"
    assert outlook.judge_last_year(trials((0, 8), (0, 8), (1, 1))) is None, "as far off in one test"
    assert outlook.judge_last_year(trials((0, 8), (0, 8), (2, 1))) is None, "further off in one test"
    assert outlook.judge_last_year(trials()) is None


def test_tests_without_revenue_or_without_last_year_do_not_count():
    three = trials((1, 2), (1, 2), (1, 2))
    silent = trials((1, 2), actual=0.0).assign(origin=pd.Timestamp("2012-01-01"))
    other = three.head(1).assign(model=BacktestModel.PAST_AVERAGE_RATE.value, revenue_predicted=99.0)
    early = trials((0, 8)).iloc[1:].assign(origin=pd.Timestamp("2010-01-01"))
    found = outlook.judge_last_year(pd.concat([three, silent, other, early]))
    assert found == outlook.RuleVerdict(3, 0.125, 0.25)
    small = outlook.judge_last_year(trials((0.125, 0.25), (0.125, 0.25), (0.125, 0.25), actual=1.0))
    assert small == outlook.RuleVerdict(3, 0.125, 0.25), "revenue of 1 counts"


def buyers(largest: float, others: int = 99, unit: float = 1.0) -> pd.DataFrame:
    """Customers who brought one unit of money each, and one who bought twice."""
    ids = [f"c{number}" for number in range(others + 1)]
    values = np.array([largest / 2] + [1.0] * others) * unit
    repeats = [1] + [0] * others
    return pd.DataFrame({"customer_id": ids, "repeat_purchase_days": repeats, "mean_purchase_value": values})


@pytest.mark.filterwarnings("error")
def test_a_tenth_of_the_revenue_of_a_hundred_customers_is_a_large_account():
    assert outlook._find_large_account(buyers(11.0)) == ("c0", 0.1)
    assert outlook._find_large_account(buyers(10.9)) is None
    assert outlook._find_large_account(buyers(11.0, unit=2**-7)) == ("c0", 0.1)
    assert outlook._find_large_account(buyers(0.0, unit=0.0)) is None
    assert outlook._find_large_account(buyers(1.0, others=0)) is None
    assert outlook._find_large_account(buyers(1.0).head(0)) is None


@pytest.mark.parametrize(("age", "months"), [(30, []), (31, [1]), (91, [1]), (92, [1, 3]), (366, [1, 3, 6, 12])])
def test_a_forecast_is_no_longer_than_the_history(age, months):
    """A history from 1 October to 31 December is three months: the first customers are 91 days old on its last day."""
    totals = pd.DataFrame({"months": [1, 3, 6, 12]})
    customers = pd.DataFrame({"customer_id": ["a", "b"], "customer_age_days": [3, age - 1]})
    found = outlook._within_history(totals, customers, TODAY)
    assert found.months.tolist() == months
    assert found.index.tolist() == list(range(len(months)))


@pytest.mark.parametrize(
    ("tested", "reaches", "asked", "months"),
    [(True, [1], 24, 24), (False, [1, 3], 24, 3), (False, [1, 3], 2, 2), (False, [], 24, 1), (False, [0], 24, 1)],
)
def test_value_reaches_as_far_as_the_forecast_unless_it_was_tested(tested, reaches, asked, months):
    made = outlook.Outlook(pd.DataFrame({"months": reaches}), btyd.ForecastErrorModel(), tested)
    assumptions = ClvAssumptions(0.3, 0.1, asked)
    assert made.limit_months(assumptions) == ClvAssumptions(0.3, 0.1, months)


def ledger() -> ibis.Table:
    """Orders around the year that begins after 1 January 2011, 364 days before today."""
    rows = [("a", "2011-01-01", 1.0), ("a", "2011-01-02", 10.0), ("a", "2011-02-01", 20.0), ("a", "2011-02-02", 40.0)]
    rows += [("b", "2011-03-01", 5.0), ("stranger", "2011-01-05", 99.0)]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    return ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))


def test_last_year_is_repeated_worked_by_hand():
    """One month is 31 days, to 1 February 2011, and three are 91 days, to 2 April. c has no segment."""
    segments = pd.DataFrame({"customer_id": ["a", "b"], "segment": ["X", "Y"]})
    totals = pd.DataFrame(
        [(months, segment) for months in (1, 3) for segment in ("all", "Y", "X")], columns=["months", "segment"]
    ).assign(revenue=7.0, seasonal_factor=1.5, horizon_days=31)
    error = btyd.ForecastErrorModel(0.2, 4)
    found = outlook._repeat_last_year(
        totals, ledger(), pd.DataFrame({"customer_id": ["c", "b", "a"]}), segments, error, TODAY
    )
    assert found.revenue.tolist() == [30, 0, 30, 75, 5, 70]
    assert found.purchase_days.tolist() == [2, 0, 2, 4, 1, 3]
    low, high = error.interval([30, 0, 30, 75, 5, 70], np.zeros(6))
    assert found.revenue_low.tolist() == pytest.approx(low.tolist())
    assert found.revenue_high.tolist() == pytest.approx(high.tolist())
    assert found.seasonal_factor.isna().all()


class Fitted:
    """Stands for fitted models whose forecast is one of each customer, and for what they were fitted to."""

    unavailable_reason = ""

    def __init__(self, *fitted_to: object) -> None:
        self.fitted_to = fitted_to


@pytest.fixture
def refitted(monkeypatch) -> list[Fitted]:
    """The models that are fitted again; a forecast is the number of customers."""
    made = []

    def count(customers, segments, models, seasons, error, day):
        return pd.DataFrame({"months": [1, 3], "segment": "all", "revenue": float(len(customers)), "tau": error.tau})

    def fit(*given):
        made.append(Fitted(*given))
        return made[-1]

    monkeypatch.setattr(outlook, "forecast_totals", count)
    monkeypatch.setattr(outlook.btyd, "fit_customer_base", fit)
    return made


def make(customers: pd.DataFrame, tests: pd.DataFrame, models: Fitted, model: str = "mbg_nbd") -> outlook.Outlook:
    segments = customers[["customer_id"]].assign(segment="X")
    seasons = dict.fromkeys((1, 3, 6, 12), Seasonality(unavailable_reason="why"))
    return outlook.make_outlook(ledger(), customers, segments, models, seasons, tests, TODAY, model)


def test_a_large_account_is_forecast_apart_with_models_of_the_others(refitted):
    customers = buyers(11.0).assign(customer_age_days=40)
    found = make(customers, trials(), Fitted())
    assert (found.tested, found.last_year) == (False, None)
    assert found.totals.months.tolist() == [1], "the history is no longer than 41 days"
    assert found.totals.revenue.tolist() == [100]
    assert (found.large_account.customer_id, found.large_account.revenue_share) == ("c0", 0.1)
    assert found.large_account.totals.revenue.tolist() == [99]
    [again] = refitted
    rest, model, obstacles = again.fitted_to
    assert rest.customer_id.tolist() == customers.customer_id.tolist()[1:] and rest.index.tolist() == list(range(99))
    assert (model, obstacles) == ("mbg_nbd", [])
    none = Fitted()
    none.unavailable_reason = "too few"
    make(customers, trials(), none)
    assert refitted[1].fitted_to[2] == ["too few"], "what stands against a model stands against that of the others"
    assert make(buyers(10.9).assign(customer_age_days=40), trials(), Fitted()).large_account is None


def test_last_year_replaces_the_model_with_its_own_errors(refitted):
    """An error of .125 in three tests: τ² = (3 × .01 + 3 × log² 1.125) ÷ 6."""
    customers = buyers(1.0).assign(customer_age_days=40)
    customers.loc[0, "customer_id"] = "a"
    found = make(customers, trials((1, 2), (1, 2), (1, 2)), Fitted())
    assert found.last_year == outlook.RuleVerdict(3, 0.125, 0.25)
    assert (found.tested, found.totals.months.tolist()) == (True, [1, 3])
    assert found.totals.revenue.tolist() == [30, 70], "those of a in the same period of last year"
    expected = (3 * 0.01 + 3 * np.log(1.125) ** 2) / 6
    assert (found.error.tau**2, found.error.origins) == (pytest.approx(expected), 3)
    model = make(customers, trials((2, 1), (2, 1)), Fitted())
    assert model.last_year is None
    assert model.totals.revenue.tolist() == [100, 100]
    # Two misses of an eighth, less the 1% that the model itself explains
    ours = (3 * 0.01 + 2 * (np.log(1.125) ** 2 - np.log(1.01))) / 5
    assert (model.error.tau**2, model.error.origins) == (pytest.approx(ours), 2)
