"""What `make new` proposes as ids of customers and orders, so that the right number needs no edit."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from crm_utils.commands.new_report.draft import new_report
from crm_utils.config import Report, read_yaml
from crm_utils.core import duckdb_engine
from crm_utils.sources import read_line_items
from tests.support.cases import CASES
from tests.support.cleaning_factories import clean


def start(folder: Path, file: str) -> tuple[Report, list[str]]:
    written, guessed, _ = new_report(folder, "shop", file)
    written.write_text(written.read_text().replace("currency: XXX", "currency: EUR"))
    return read_yaml(written, Report), guessed


def count(report: Report, folder: Path) -> tuple[float, int, int]:
    lines = read_line_items(report.source, report.columns, folder)
    known = clean(lines, "drop", lines.ordered_at.max().execute().date())["known"].execute()
    return round(float(known.revenue.sum()), 2), len(known), known.customer_id.nunique()


@pytest.mark.parametrize(
    ("case", "proposed", "customers", "said"),
    [
        ("till_numbers", {"order_id": ["date", "receipt_no"]}, 110, "328 orders instead of 236"),
        ("subscription_number", {"order_id": ["order_number", "charged_at"]}, 30, "172 orders instead of 30"),
        ("two_stores", {"customer_id": ["store", "customer_no"]}, 76, "76 customers instead of 40"),
        ("guests_id_0", {"customer_id": "billing_email"}, 110, "'0' stands for unknown buyers, with 151 orders (9,217"),
    ],
)
def test_the_ids_of_a_case_are_right_without_an_edit(tmp_path: Path, case, proposed, customers, said):
    expected = yaml.safe_load((CASES / case / "case.yaml").read_text())
    file = expected["source"]["file"]
    shutil.copy(CASES / case / file, tmp_path)
    report, guessed = start(tmp_path, file)
    assert {name: getattr(report.columns, name) for name in proposed} == proposed
    assert any(said in line for line in guessed), guessed
    assert count(report, tmp_path) == (expected["revenue"], expected["orders"], customers)


@pytest.mark.parametrize("case", ["till_numbers", "two_stores"])
def test_figures_are_exact_if_one_in_so_many_ids_decides(tmp_path: Path, monkeypatch, case):
    file = yaml.safe_load((CASES / case / "case.yaml").read_text())["source"]["file"]
    shutil.copy(CASES / case / file, tmp_path)
    _, guessed, _ = new_report(tmp_path, "all", file)
    monkeypatch.setattr(duckdb_engine, "SAMPLED_ROWS", 100)
    _, sampled, _ = new_report(tmp_path, "sampled", file)
    assert sampled == guessed
    assert any(" instead of " in line for line in sampled)


def shop(**more: list) -> pd.DataFrame:
    """Twelve customers with five orders each, on different days."""
    rows = pd.DataFrame({"order_id": range(1000, 1060), "customer_id": [number % 12 + 1 for number in range(60)]})
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta([5 * number for number in range(60)], unit="D")
    return rows.assign(order_date=days.strftime("%Y-%m-%d"), amount=10.5, **more)


def proposed(folder: Path, rows: pd.DataFrame) -> tuple[str | list[str], str | list[str] | None]:
    rows.to_csv(folder / "orders.csv", index=False)
    report, _ = start(folder, "orders.csv")
    return report.columns.customer_id, report.columns.order_id


def test_sound_ids_stay(tmp_path: Path):
    stores = ["Lund" if number % 5 else "Bergen" for number in range(60)]
    mails = [f"c{number % 12}@shop.example" for number in range(60)]
    assert proposed(tmp_path, shop(store=stores, email=mails)) == ("customer_id", "order_id")


def test_an_id_that_is_someone_else_in_each_store_is_joined(tmp_path: Path):
    stores = ["Lund" if number < 30 else "Bergen" for number in range(60)]
    names = [f"{'Ann' if number < 30 else 'Bo'} {number % 12}" for number in range(60)]
    assert proposed(tmp_path, shop(store=stores, customer_name=names)) == (["store", "customer_id"], "order_id")


def test_people_who_change_their_address_are_no_reason(tmp_path: Path):
    stores = ["Lund" if number < 30 else "Bergen" for number in range(60)]
    mails = [f"c{number}@shop.example" for number in range(60)]
    assert proposed(tmp_path, shop(store=stores, email=mails)) == ("customer_id", "order_id")


def test_rare_reuse_of_numbers_is_left_to_the_report(tmp_path: Path):
    rows = shop()
    rows.loc[50:54, "order_id"] = [1000, 1001, 1002, 1003, 1004]
    assert proposed(tmp_path, rows) == ("customer_id", "order_id")


@pytest.mark.parametrize(("missing", "expected"), [(0, "email"), (5, "customer_id")])
def test_addresses_replace_ids_of_guests_only_if_all_rows_have_one(tmp_path: Path, missing: int, expected: str):
    mails = [None if number < missing else f"c{number % 20}@shop.example" for number in range(60)]
    rows = shop(email=mails)
    rows.loc[rows.index % 3 == 0, "customer_id"] = 0
    rows.loc[rows.index % 7 == 0, "customer_id"] = None
    rows["customer_id"] = rows.customer_id.astype("Int64")
    assert proposed(tmp_path, rows)[0] == expected
