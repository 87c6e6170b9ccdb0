"""The budget of a whole report: page, lists and workbook belong together."""

import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from openpyxl import load_workbook

from crm_utils.budget import narrative
from crm_utils.core.display.column_formats import column_heading
from crm_utils.core.formatting import NumberFormat
from tests.support.projects import run


@pytest.fixture(scope="module")
def folder(built):
    return built / "reports" / "small" / "1997-12-31"


def test_the_pages_first_answer_is_the_plan(folder):
    page = BeautifulSoup((folder / "05_budget.html").read_text(), "html.parser")
    answer = page.main.select_one(".finding, .so-what").get_text()
    assert (", spend $" in answer and narrative.RANGES in answer) or "spend none" in answer


def test_lists_are_the_planned_contacts_and_their_controls(folder):
    plan = pd.read_parquet(folder / "data" / "budget.parquet")
    send, hold_back = (
        [pd.read_csv(path, dtype=str) for path in (folder / name).glob("*.csv")] for name in ("send", "hold_back")
    )
    assert len(send) == (plan.contacts > 0).sum()
    assert len(hold_back) == (plan.holdout_customers > 0).sum()
    sent, held = (pd.concat([pd.DataFrame({"customer_id": []}), *lists]).customer_id for lists in (send, hold_back))
    assert pd.concat([sent, held]).is_unique
    assert (len(sent), len(held)) == (plan.contacts.sum(), plan.holdout_customers.sum())
    left_alone = pd.read_csv(folder / "do_not_contact.csv", dtype=str).customer_id
    assert left_alone.is_unique and set(held) <= set(left_alone) and not set(sent) & set(left_alone)
    contact_plan = pd.read_parquet(folder / "data" / "contact_plan.parquet")
    assert set(contact_plan.customer_id[contact_plan.group == "treatment"]) == set(sent)


def test_spend_and_profit_are_the_sum_of_their_parts(folder):
    plan = pd.read_parquet(folder / "data" / "budget.parquet")
    parts = plan[["contact_costs", "incentives_added", "incentives_to_baseline_buyers", "fixed_costs"]].sum(axis=1)
    assert (parts - plan.spend).abs().max() < 0.01
    assert (plan.incremental_margin - plan.spend - plan.expected_profit).abs().max() < 0.01
    assert plan.spend.sum() <= 50_000


def test_workbook_and_lists_are_linked_from_the_dates_page(folder):
    page = BeautifulSoup((folder / "index.html").read_text(), "html.parser")
    links = {link["href"] for link in page.find_all("a")}
    assert "workbook.xlsx" in links
    lists = [*folder.glob("send/*.csv"), *folder.glob("hold_back/*.csv"), folder / "do_not_contact.csv"]
    assert {path.relative_to(folder).as_posix() for path in lists} <= links
    book = load_workbook(folder / "workbook.xlsx", data_only=True)
    shown = [sheet.title for sheet in book if sheet.sheet_state == "visible"]
    assert shown == ["Cover", "Assumptions", "Plan", "Calendar", "Calculation"]
    lines = pd.read_parquet(folder / "data" / "budget_lines.parquet")
    for column, values in ((2, lines.spend), (4, lines.expected_profit)):
        found = [book["Plan"].cell(row, column).value for row in range(4, 4 + len(lines))]
        assert found == pytest.approx(values.tolist(), abs=0.02)


def test_sections_without_data_are_not_on_the_page(folder):
    text = (folder / "05_budget.html").read_text()
    assert "What did past campaigns earn?" not in text
    assert narrative.NO_CONTACTS_TABLE in text


def published(folder, sheet: str, columns: list[str]) -> pd.DataFrame:
    """These columns of a sheet of the workbook, by their names."""
    table = pd.read_excel(folder / "workbook.xlsx", sheet_name=sheet, header=1)
    return table[[column_heading(column) for column in columns]].set_axis(columns, axis=1)


def without_fixed_costs(project):
    """The same small shop where campaigns cost nothing to set up: enough of them pay."""
    campaigns = project / "params" / "campaigns.yaml"
    campaigns.write_text(re.sub(r"fixed_cost: [\d.]+", "fixed_cost: 0", campaigns.read_text()))
    done = run(project, "report")
    assert done.returncode == 0, done.stderr
    return project / "reports" / "small" / "1997-12-31"


def test_every_number_of_the_plan_comes_from_a_calculator(rebuilt):
    """From the workbook alone: what a message costs and changes (Campaigns), and whom it meets (First wave)."""
    folder, fmt = without_fixed_costs(rebuilt), NumberFormat("USD")
    given = [
        "campaign",
        "segment",
        "customers",
        "contacts",
        "messages",
        "response",
        "holdout_customers",
        "baseline_probability",
        "margin",
        "discount",
    ]
    money = [
        "contact_costs",
        "incentives_added",
        "incentives_to_baseline_buyers",
        "incremental_margin",
        "fixed_costs",
        "spend",
    ]
    found = ["expected_profit", "profit_low", "profit_high", "roi", "break_even_lift", "max_cost_per_contact"]
    plan = published(
        folder, "First wave", [*given, "discount_to_baseline_buyers", *money, *found, "minimum_detectable_lift"]
    )
    terms = ["name", "contact_cost", "redemption_rate", "fixed_cost", "delivery_rate", "lift", "lift_low", "lift_high"]
    plan = plan.merge(
        published(folder, "Campaigns", terms), left_on="campaign", right_on="name", validate="many_to_one"
    )
    plan = plan[plan.contacts > 0]
    assert len(plan)
    fixed = plan.fixed_cost / plan.groupby("campaign").contacts.transform("sum")
    added, anyway = plan.redemption_rate * plan.discount, plan.redemption_rate * plan.discount_to_baseline_buyers
    sent = plan.messages * plan.contact_cost
    each = {
        lift: plan.delivery_rate
        * (plan[lift] * plan.response * (plan.margin - added) - plan.baseline_probability * anyway)
        - sent
        for lift in ("lift", "lift_low", "lift_high")
    }
    reached = plan.contacts * plan.delivery_rate
    want = {
        "contact_costs": plan.contacts * sent,
        "incentives_added": reached * plan.lift * plan.response * added,
        "incentives_to_baseline_buyers": reached * plan.baseline_probability * anyway,
        "incremental_margin": reached * plan.lift * plan.response * plan.margin,
        "fixed_costs": plan.contacts * fixed,
        "spend": plan.contact_costs + plan.incentives_added + plan.incentives_to_baseline_buyers + plan.fixed_costs,
        "expected_profit": plan.contacts * (each["lift"] - fixed),
        "profit_low": plan.contacts * (each["lift_low"] - fixed),
        "profit_high": plan.contacts * (each["lift_high"] - fixed),
        "roi": plan.expected_profit / plan.spend,
        "break_even_lift": ((sent + fixed) / plan.delivery_rate + plan.baseline_probability * anyway)
        / (plan.margin - added) / plan.response,
        "max_cost_per_contact": (each["lift"] - fixed) / plan.messages + plan.contact_cost,
        "minimum_detectable_lift": 2.8016 / (plan.delivery_rate * plan.response)
        * (
            plan.baseline_probability
            * (1 - plan.baseline_probability)
            * (1 / plan.contacts + 1 / plan.holdout_customers.replace(0, float("nan")))
        )
        ** 0.5,
    }  # fmt: skip
    for column, values in want.items():
        assert plan[column].to_numpy() == pytest.approx(values.to_numpy(), rel=1e-6, abs=1e-6, nan_ok=True), column
    page = BeautifulSoup((folder / "05_budget.html").read_text(), "html.parser").main.get_text()
    lines = pd.read_parquet(folder / "data" / "budget_lines.parquet")
    assert lines.spend.sum() == pytest.approx(50_000, abs=0.01)
    used = lines[lines.line != "reserve"]
    assert f"spend {fmt.money(used.spend.sum(), 0)} of the {fmt.money(50_000, 0)}" in page
    assert f"Expected profit of the period: {fmt.money(used.expected_profit.sum(), 0)}," in page
    calendar = pd.read_parquet(folder / "data" / "budget_calendar.parquet")
    won = pd.read_parquet(folder / "data" / "acquisition.parquet")
    assert calendar.spend.sum() + won.spend.sum() == pytest.approx(used.spend.sum(), abs=0.05)
    first = calendar[calendar.wave == 1]
    assert first.spend.sum() == pytest.approx(plan.spend.sum())
    assert first.customers.sum() == plan.contacts.sum()
