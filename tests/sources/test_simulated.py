"""The simulated shop: the same seed gives the same bytes, and estimates recover the true behaviour."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from crm_utils import config, sources
from crm_utils.cleaning import customer_features
from crm_utils.config import Columns, SimulatedShop, Source
from crm_utils.core import errors
from crm_utils.sources import read_customer_tables, simulated
from crm_utils.store import Run
from tests.support.cleaning_factories import DAY, assert_reconciles, clean

COLUMNS = Columns(**{name: name for name in simulated.LINE_ITEMS.names})
SHOP = SimulatedShop(customers=6000)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory):
    return sources.read_line_items(Source(simulate=SHOP), COLUMNS, tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def sales(lines) -> pd.DataFrame:
    """Return the orders of customers with an id: customer_id and day, one row per order."""
    sold = lines.filter(lines.customer_id.notnull() & ~lines.order_id.startswith("C"))
    return sold.select("customer_id", "order_id", day=sold.ordered_at.date()).distinct().execute()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path):
    small = SimulatedShop(customers=300)
    rows = simulated.write(small, tmp_path / "one.parquet")
    assert (
        simulated.write(small, tmp_path / "two.parquet") == rows == pq.read_metadata(tmp_path / "one.parquet").num_rows
    )
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    simulated.write(SimulatedShop(customers=300, seed=2), tmp_path / "other.parquet")
    assert (tmp_path / "one.parquet").read_bytes() != (tmp_path / "other.parquet").read_bytes()


def test_parts_do_not_repeat_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(simulated, "PART_SIZE", 100)
    simulated.write(SimulatedShop(customers=300), tmp_path / "parts.parquet")
    frame = pd.read_parquet(tmp_path / "parts.parquet")
    orders = frame[~frame.order_id.str.startswith("C")].groupby("order_id")
    assert (orders.customer_id.nunique() <= 1).all() and (orders.ordered_at.nunique() == 1).all()
    assert frame.customer_id.nunique() == len(simulated.truth(SimulatedShop(customers=300)))


def test_the_truth_names_every_customer_and_the_first_day(sales: pd.DataFrame):
    planted = simulated.truth(SHOP).set_index("customer_id").first_day.sort_index()
    seen = pd.to_datetime(sales.groupby("customer_id").day.min()).sort_index()
    assert seen.index.tolist() == planted.index.tolist()
    assert (seen == planted).all()


def test_planted_rates_are_recovered(lines, sales: pd.DataFrame):
    frame = lines.execute()
    back = frame.order_id.str.startswith("C")
    of_orders = frame[~back].groupby("order_id").size()
    whole = frame[back].groupby(frame[back].order_id.str[1:7]).quantity.sum().mul(-1)
    placed = frame[~back].groupby("order_id").quantity.sum().reindex(whole.index)
    assert (whole == placed).sum() / of_orders.size == pytest.approx(SHOP.cancelled, abs=0.012)
    assert frame.customer_id.isna().mean() == pytest.approx(SHOP.guest_share, abs=0.01)
    assert frame[~back & frame.product_id.ne("POST")].groupby("order_id").size().mean() == pytest.approx(3.5, abs=0.05)


def test_customers_who_use_the_app_buy_more_often(sales: pd.DataFrame):
    truth = simulated.truth(SHOP).set_index("customer_id")
    mean = truth.groupby("channel").rate.mean()
    assert mean["app"] / mean["web"] == pytest.approx(SHOP.app_factor, rel=0.1)
    assert mean["web"] == pytest.approx(SHOP.rate_shape / SHOP.rate_scale, rel=0.05)


def test_the_lift_of_the_campaign_is_recovered(sales: pd.DataFrame):
    """Within 2.6 standard errors of the difference of two shares."""
    contacted = simulated.customer_table(SHOP, "past_campaigns", pd.Timestamp(SHOP.end))
    day = pd.to_datetime(sales.day)
    start = pd.Timestamp(SHOP.campaign_on)
    in_window = sales[(day > start) & (day <= start + pd.Timedelta(days=SHOP.campaign_window))]
    bought = contacted.customer_id.isin(in_window.customer_id)
    share, size = bought.groupby(contacted.group).mean(), contacted.group.value_counts()
    error = np.sqrt((share * (1 - share) / size).sum())
    assert abs(share["treatment"] - share["control"] - SHOP.lift) < 2.6 * error
    assert share["treatment"] > share["control"]


def test_bargain_hunters_show_in_the_price_ratio(lines):
    counted = lines.filter(lines.customer_id.notnull() & (lines.quantity > 0) & (lines.product_id != "POST"))
    found = customer_features.compute_customer_features(counted, counted.limit(0)).execute().set_index("customer_id")
    ratio = found.price_ratio.groupby(simulated.truth(SHOP).set_index("customer_id").bargain).median()
    assert ratio[False] == 1.0 and ratio[True] == pytest.approx(simulated.OFFER, abs=0.01)


@pytest.mark.parametrize("mode", ["drop", "net", "match"])
def test_the_ledger_of_the_shop_reconciles(lines, mode: str):
    found = clean(lines, mode, day=date(2024, 6, 30), exclude_products=["POST"])
    assert_reconciles(found)
    if mode == "match":
        known = lines.filter(lines.ordered_at < "2024-07-01")
        prices = known.filter(known.order_id[0] != "C").select("product_id", "unit_price").distinct()
        back = known.filter((known.order_id[0] == "C") & known.customer_id.notnull() & (known.product_id != "POST"))
        planted = back.anti_join(prices, ["product_id", "unit_price"]).execute()  # refunds at prices that nobody paid
        assert sorted(found["unmatched"].cancellation_id) == sorted(planted.order_id)
        assert found["unmatched"].revenue.sum() == pytest.approx(float(planted.amount.sum()))


def test_customer_tables_contain_nothing_after_the_day(tmp_path: Path):
    named = dict.fromkeys(("attributes", "contacts", "past_campaigns"), "simulated")
    source = Source(simulate=SHOP)
    before, after = (
        read_customer_tables(named, source, tmp_path, day) for day in (date(2024, 2, 4), date(2024, 3, 31))
    )
    assert before["past_campaigns"].empty and len(after["past_campaigns"]) > 1000
    assert before["contacts"].last_contacted.isna().all() and after["contacts"].last_contacted.notna().any()
    assert set(before["attributes"].customer_id) < set(after["attributes"].customer_id)
    store = Run(tmp_path)
    store.save_all(after)
    assert store.load("contacts").shape == after["contacts"].shape
    assert store.load("past_campaigns").group.isin(["treatment", "control"]).all()


def test_a_report_on_a_simulated_shop_must_say_so():
    report = {"title": "Shop", "currency": "GBP", "source": {"simulate": {}}, "analysis_dates": ["2024-06-30"]}
    columns = {"customer_id": "customer_id", "ordered_at": "ordered_at", "amount": "amount"}
    with pytest.raises(errors.ParamsError, match="must contain `simulated`"):
        config.parse_model(report | {"columns": columns}, config.Report, "params/shop.yaml")
    config.parse_model(report | {"columns": columns, "title": "Simulated shop"}, config.Report, "params/shop.yaml")


def test_contradictory_settings_are_rejected():
    with pytest.raises(ValidationError, match="end must come after start"):
        SimulatedShop(start=DAY, end=DAY)
    with pytest.raises(ValidationError, match="campaign_on and its window must be between"):
        SimulatedShop(campaign_on=date(2024, 9, 20))
