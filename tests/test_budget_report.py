"""The budget of a whole report: page, lists and workbook belong together."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from openpyxl import load_workbook

pytestmark = pytest.mark.xdist_group("built")


@pytest.fixture(scope="module")
def folder(built):
    return built / "reports" / "small" / "1997-12-31"


def test_the_pages_first_sentence_is_the_plan(folder):
    page = BeautifulSoup((folder / "05_budget.html").read_text(), "html.parser")
    shown = [p for p in page.main.find_all("p") if not p.find_parent(class_="celltag_analyst")]
    assert shown[0].get_text().startswith("Spend ")
    assert "given your ranges" in shown[0].get_text() or "Spend none" in shown[0].get_text()


def test_lists_are_the_planned_contacts_and_their_controls(folder):
    plan = pd.read_parquet(folder / "data" / "budget.parquet")
    lists = [pd.read_csv(path, dtype=str) for path in (folder / "audiences").glob("*.csv")]
    listed = pd.concat([pd.DataFrame({"customer_id": [], "group": []}), *lists])
    assert len(lists) == (plan.contacts > 0).sum()
    assert listed.customer_id.is_unique
    assert (listed.group == "treatment").sum() == plan.contacts.sum()
    assert (listed.group == "control").sum() == plan.control.sum()


def test_spend_and_profit_are_the_sum_of_their_parts(folder):
    plan = pd.read_parquet(folder / "data" / "budget.parquet")
    parts = plan[["contact_costs", "incentives_added", "incentives_anyway", "fixed_costs"]].sum(axis=1)
    assert (parts - plan.spend).abs().max() < 0.01
    assert (plan.added_margin - plan.spend - plan.expected_profit).abs().max() < 0.01
    assert plan.spend.sum() <= 50_000


def test_workbook_and_lists_are_linked_from_the_dates_page(folder):
    page = BeautifulSoup((folder / "index.html").read_text(), "html.parser")
    links = {link["href"] for link in page.find_all("a")}
    assert "workbook.xlsx" in links
    assert {f"audiences/{path.name}" for path in (folder / "audiences").glob("*.csv")} <= links
    assert load_workbook(folder / "workbook.xlsx").sheetnames[:2] == ["Plan", "Campaigns"]


def test_sections_without_data_are_not_on_the_page(folder):
    text = (folder / "05_budget.html").read_text()
    assert "What did past campaigns earn?" not in text
    assert "Who may be contacted?" not in text
