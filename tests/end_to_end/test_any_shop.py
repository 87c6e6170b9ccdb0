"""Whatever line items come: a report whose tables agree, or a refusal in words. Never a traceback."""

import re
import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm_utils.commands import build_date
from crm_utils.config.report import QuestionCode
from crm_utils.core.errors import NotebookFailed, SourceError
from crm_utils.pipeline.jobs import plan_jobs
from tests.support import in_process
from tests.support.projects import ROOT

DAY = date(1997, 12, 31)
UNFORESEEN = re.compile(r"”: \w+(Error|Exception|Interrupt|Exit|Warning)\b")
OWN_FAULT = re.compile("breaks its contract|does not agree")  # no data may lead our notebooks there
COLUMNS = ["customer_id", "order_id", "ordered_at", "product_id", "quantity", "unit_price", "country"]
IDS = st.one_of(
    st.integers(1, 12).map(str), st.sampled_from(["007", " 7 ", "12346.0", "Zoë", "<b>", "=1+1", "a,b", ""])
)
MONEY = st.one_of(
    st.integers(0, 20_000).map(lambda cents: cents / 100), st.sampled_from([0, 0.0001, 1e-3, 99_999_999.99, -5, ""])
)
LINES = st.tuples(
    IDS,
    st.one_of(st.integers(1, 40).map(str), st.integers(1, 40).map("C{}".format), st.just("")),
    st.integers(-20, 900).map(lambda days: str(DAY - timedelta(days=days))),
    st.sampled_from(["A", "B", "POST", "=A1", "<i>", ""]),
    st.one_of(st.integers(-5, 20), st.sampled_from([0, 80_995, -80_995])),
    MONEY,
    st.sampled_from(["United Kingdom", "EIRE", "", "<u>"]),
)
LIVELY = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "customers": st.sampled_from([1, 3, 40, 130]),
        "count": st.sampled_from([2, 30, 150, 600]),
        "span": st.sampled_from([1, 120, 400, 1200]),  # days
        "prices": st.sampled_from([(5.0,), (0.01, 1.0, 2.5, 19.99, 5000.0)]),
    }
)
KNOBS = st.fixed_dictionaries(
    {
        "cleaning": st.fixed_dictionaries(
            {
                "cancellations": st.sampled_from(["drop", "net", "match"]),
                "duplicates": st.sampled_from(["keep", "drop"]),
                "cap_outliers": st.booleans(),
            }
        ),
        "rfm": st.fixed_dictionaries(
            {
                "frequency_measure": st.sampled_from(["orders", "purchase days"]),
                "monetary_measure": st.sampled_from(["total", "average"]),
                "recency_unit": st.sampled_from(["days", "weeks", "months"]),
            }
        ),
        "cltv": st.fixed_dictionaries(
            {"model": st.sampled_from(["bg_nbd", "mbg_nbd", "pareto_nbd"]), "include_article_method": st.booleans()}
        ),
        "segmentation": st.fixed_dictionaries({"segment_map": st.sampled_from(["dma11", "rf10"])}),
        "budget": st.fixed_dictionaries({"total_budget": st.sampled_from([0.0, 1.0, 50_000.0])}),
        "history_complete": st.booleans(),
    }
)
DEFAULT = {"frequency_measure": "orders", "monetary_measure": "total", "recency_unit": "days"}
# no shrinking: an example takes seconds, and is printed as it is
QUICK = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck), "phases": [Phase.generate]}


def shop(folder: Path, lines: list[tuple], knobs: dict) -> Path:
    """A project whose one report is on these line items."""
    (folder / "params").mkdir(parents=True)
    (folder / "notebooks").symlink_to(ROOT / "notebooks")
    (folder / "params" / "segments").symlink_to(ROOT / "params" / "segments")
    for name in ("campaigns.yaml", "evidence.yaml"):
        (folder / "params" / name).symlink_to(ROOT / "params" / name)
    pd.DataFrame(lines, columns=COLUMNS).to_csv(folder / "shop.csv", index=False)
    report = {"title": "Any shop", "currency": "GBP", "source": {"file": "shop.csv"}, "analysis_dates": [str(DAY)]}
    report |= {"columns": dict(zip(COLUMNS, COLUMNS, strict=True)), "confirmed": [*map(str, QuestionCode)]} | knobs
    (folder / "params" / "any.yaml").write_text(yaml.safe_dump(report))
    return folder


def tables(project: Path, notebooks: int) -> dict[str, pd.DataFrame] | str:
    """The tables that the first notebooks leave, or the words of who refused.

    No page is made, no figure turned into HTML.
    """
    job = plan_jobs(project, "any")[0][0]
    folder = project / "reports" / "any" / str(DAY)
    build_date.prepare_folder(job, folder, [])
    try:
        for notebook in job.notebooks[:notebooks]:
            parameters = {"run_dir": ".."} | job.overrides(notebook)
            in_process.execute(notebook.path, folder / "notebooks" / notebook.path.name, parameters, draw=False)
    except NotebookFailed as failure:
        assert not UNFORESEEN.search(str(failure)), "".join(failure.__notes__)
        assert not OWN_FAULT.search(str(failure)), str(failure)
        return str(failure)
    build_date.check_tables(job, folder, {})
    return {path.stem: pd.read_parquet(path) for path in (folder / "data").glob("*.parquet")}


def check_ledger(found: dict[str, pd.DataFrame]) -> None:
    log, customers, orders = found["cleaning_ledger"], found["customers"], found["orders"]
    rows, money = log.rows_left.to_numpy(), log.revenue_left.to_numpy()
    assert (rows[1:] == rows[:-1] - log.rows_removed.to_numpy()[1:]).all()
    scale = max(1.0, np.abs(money).max())
    assert np.allclose(money[1:], money[:-1] - log.revenue_removed.to_numpy()[1:], atol=1e-6 * scale)
    placed = orders.revenue.sum() + found["order_adjustments"].revenue.sum()
    assert placed == pytest.approx(money[-1], abs=1e-6 * scale)
    assert customers.revenue.sum() == pytest.approx(money[-1], abs=1e-6 * scale)
    assert len(customers) == log.customers_left.iloc[-1]


def check_scores(customers: pd.DataFrame) -> None:
    for measure, score, better in (
        ("recency_days", "recency_score", -1),
        ("orders", "frequency_score", 1),
        ("revenue", "monetary_score", 1),
    ):
        ranked = customers.sort_values(measure, ascending=better > 0)
        assert ranked[score].is_monotonic_increasing, measure
        assert (customers.groupby(measure)[score].nunique() == 1).all(), f"equal {measure}, unequal scores"


def check_segments(found: dict[str, pd.DataFrame]) -> None:
    customers, segments, profile = found["customers"], found["segments"], found["segment_profile"]
    assert sorted(segments.customer_id) == sorted(customers.customer_id)
    assert profile.customers.sum() == len(customers)
    assert profile.revenue.sum() == pytest.approx(customers.revenue.sum(), rel=1e-9, abs=0.01)


def check_forecasts(found: dict[str, pd.DataFrame]) -> None:
    cltv, plan = found["cltv"], found["budget"]
    assert sorted(cltv.customer_id) == sorted(found["customers"].customer_id)
    known = cltv.select_dtypes("number").drop(columns="p_alive", errors="ignore")
    assert not np.isinf(known.to_numpy(dtype=float)).any()
    assert (cltv[["expected_purchase_days_12m", "expected_revenue_12m", "clv"]].fillna(0) >= 0).all().all()
    assert cltv.p_alive.dropna().between(0, 1).all()
    assert (plan.contacts <= plan.customers).all()
    assert plan.spend.ge(0).all()
    assert not np.isinf(plan.select_dtypes("number").to_numpy(dtype=float)).any()


def lively(seed: int, customers: int, count: int, span: int, prices: tuple[float, ...]) -> list[tuple]:
    """Lines as shops have them: some cancelled, prices alike or far apart, a day or years of history."""
    draw = np.random.default_rng(seed)
    cancelled = draw.random(count) < 0.05
    quantities = draw.choice([1, 1, 2, 3, 12], count) * np.where(cancelled, -1, 1)
    return [
        (
            str(draw.integers(customers)),
            ("C" if cancelled[number] else "") + str(draw.integers(count)),
            str(DAY - timedelta(days=int(draw.integers(span)))),
            str(draw.choice(["A", "B"])),
            int(quantities[number]),
            float(draw.choice(prices)),
            "EIRE",
        )
        for number in range(count)
    ]


def tried(lines: list[tuple], knobs: dict, notebooks: int) -> bool:
    """Whether there are tables, and then that they agree."""
    folder = Path(tempfile.mkdtemp(prefix="any-shop-"))
    try:
        found = tables(shop(folder, lines, knobs), notebooks)
        if isinstance(found, str):
            return False
        check_ledger(found)
        if knobs["rfm"] == DEFAULT:
            check_scores(found["customers"])
        check_segments(found)
        if notebooks == 5:
            check_forecasts(found)
            assert found["budget"].spend.sum() <= knobs["budget"]["total_budget"] + 0.01
        return True
    except SourceError:  # refused in words
        return False
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(("notebooks", "examples"), [(3, 4), (5, 3)])
def test_any_line_items_give_tables_that_agree_or_a_refusal_in_words(notebooks, examples):
    outcomes = []

    @settings(max_examples=examples, **QUICK)
    @given(LIVELY, st.lists(LINES, max_size=2), KNOBS)
    def each(shop, odd, knobs):
        outcomes.append(tried(lively(**shop) + odd, knobs, notebooks))

    each()
    assert np.mean(outcomes) >= 0.4, "most of these shops are refused: the property says little"


@settings(max_examples=10, **QUICK)
@given(st.lists(LINES, min_size=1, max_size=60), KNOBS)
def test_odd_line_items_give_tables_that_agree_or_a_refusal_in_words(lines, knobs):
    tried(lines, knobs, notebooks=3)


@pytest.mark.parametrize("mode", ["net", "match"])
def test_a_shop_whose_orders_were_all_cancelled_is_refused_in_words(mode):
    lines = [("1", "10", "1997-01-02", "A", 2, 5.0, "EIRE"), ("1", "C11", "1997-01-05", "A", -2, 5.0, "EIRE")]
    folder = Path(tempfile.mkdtemp(prefix="any-shop-"))
    try:
        said = tables(shop(folder / "project", lines, {"cleaning": {"cancellations": mode}}), notebooks=1)
        assert "no order is left: all were cancelled by the analysis date" in said
    finally:
        shutil.rmtree(folder)


def ordinary() -> list[tuple]:
    """300 lines of 37 customers, like those of many shops."""
    return [
        (
            str(number % 37),
            str(number),
            str(DAY - timedelta(days=number * 13 % 700)),
            "A",
            1 + number % 3,
            5.0 + number % 7,
            "EIRE",
        )
        for number in range(300)
    ]


@pytest.mark.parametrize(
    "knobs",
    [
        {"cleaning": {"cancellations": "match", "duplicates": "drop"}, "budget": {"total_budget": 100.0}},
        {"contacts": "refused.csv"},
    ],
    ids=["cleaned", "nobody may be contacted"],
)
def test_a_shop_like_many_gives_a_whole_set_of_tables(knobs):
    """The property is not empty: such a shop is not refused."""
    lines = ordinary()
    folder = Path(tempfile.mkdtemp(prefix="any-shop-"))
    try:
        project = shop(folder / "project", lines, knobs)
        said_no = pd.DataFrame(
            {"customer_id": sorted({line[0] for line in lines}), "channel": "email", "consent": "no"}
        )
        said_no.assign(last_contacted="", external_id="").to_csv(project / "refused.csv", index=False)
        found = tables(project, notebooks=5)
        assert not isinstance(found, str), found
        check_ledger(found)
        check_forecasts(found)
    finally:
        shutil.rmtree(folder)
