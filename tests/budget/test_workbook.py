"""The workbook: the same bytes each time, no foreign formula, sheets that calculate, assumptions marked."""

import io
import time
import zipfile
from dataclasses import replace

import pandas as pd
import pytest
from openpyxl import load_workbook

from crm_utils.budget import narrative
from crm_utils.budget.plan_model import PlanModel, build_model, evaluate_plan
from crm_utils.budget.workbook import build_workbook, campaign_sheet
from crm_utils.budget.workbook_model import CoverTexts
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.formula_injection import escape_formula, escape_formulas
from tests.support.budget_factories import campaigns
from tests.support.libreoffice import convert
from tests.support.year_plans import DAY, VALUE, calculated_plan, planned_shop

PLAN = pd.DataFrame(
    {
        "campaign": ["=HYPERLINK(1)", "Cards"],
        "segment": ["A", "B"],
        "contacts": [1200, 5],
        "spend": [-1.5, 2.25],
        "lift": [0.015, 0.02],
        "evidence": ["assumed", "measured"],
    }
)
VISIBLE = ["Cover", "Assumptions", "Plan", "Calendar", "Calculation"]
PLANNED = planned_shop()
COVER = CoverTexts(["Spend 100."], ["The lift of =Mail."])


def built(sheets: dict[str, pd.DataFrame], title: str = "Shop", model: PlanModel | None = None) -> bytes:
    """The workbook of a small plan with these tables for analysts."""
    return build_workbook(model or calculated_plan(*PLANNED), COVER, sheets, title, DAY, NumberFormat("GBP"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_text_that_would_run_is_made_harmless(text):
    assert escape_formula(text) == f"'{text}"
    assert escape_formulas(pd.DataFrame({text: [text]})).to_csv(index=False).count("'") == 2


@pytest.mark.parametrize("value", ["plain", "1-2", -5, -0.5, None])
def test_other_values_stay(value):
    assert escape_formula(value) == value


def opened(content: bytes):
    return load_workbook(io.BytesIO(content))["Table"]


def test_the_workbook_has_formats_frozen_heads_and_marked_assumptions():
    sheet = opened(built({"Table": PLAN}))
    assert sheet.freeze_panes == "B3"
    assert [cell.value for cell in sheet[2]] == ["Campaign", "Segment", "Contacts", "Spend", "Lift, points", "Evidence"]
    assert sheet["A3"].value == "'=HYPERLINK(1)"
    assert (sheet["C3"].value, sheet["C3"].number_format) == (1200, "#,##0")
    assert sheet["D3"].value == -1.5
    assert sheet["E3"].fill.fgColor.rgb.endswith("FFF2CC") and sheet["E3"].fill.fill_type == "solid"
    assert not sheet["E4"].fill.fgColor.rgb.endswith("FFF2CC")
    assert "assumption" in sheet["A1"].value


def test_control_characters_are_left_out():
    """They come from old systems, and no xlsx file may hold them. What is left may not run as a formula either."""
    plan = PLAN.assign(campaign=["Summer\x0bsale", "\x00=1+1"]).rename(columns={"segment": "seg\x1fment"})
    sheet = opened(built({"Table": plan}, "Sh\x08op"))
    assert [sheet[cell].value for cell in ("A3", "A4", "B2")] == ["Summersale", "'=1+1", "Segment"]
    assert sheet["A1"].value.startswith("Shop, ")


def test_what_rests_on_assumptions_is_marked_on_every_sheet():
    """A scenario's profit is, a measured lift is not, and the costs of a campaign whose lift was measured still are."""
    offers = pd.DataFrame(
        {
            "name": ["a"],
            "contact_cost": [0.1],
            "lift": [0.02],
            "evidence": ["measured"],
            "lift_from": ["measured, shrunk"],
        }
    )
    past = pd.DataFrame({"campaign": ["a"], "lift": [0.02], "incremental_profit": [3.0], "forecast_profit": [4.0]})
    sheets = {"Scenarios": pd.DataFrame({"scenario": ["x"], "budget": [9.0], "expected_profit": [1.0]})}
    book = load_workbook(io.BytesIO(built(sheets | {"Campaigns": offers, "Past": past})))
    yellow = {
        name: [cell.value for cell in book[name][3] if cell.fill.fgColor.rgb.endswith("FFF2CC")]
        for name in book.sheetnames[len(VISIBLE) :]
    }
    assert yellow == {"Scenarios": [1.0], "Campaigns": [0.1], "Past": [4.0]}


def test_columns_are_as_wide_as_their_text_between_limits():
    frame = pd.DataFrame({"name": ["x" * 20], "segment": ["y"], "reason": ["z" * 99], "budget": [1234567.0]})
    sheet = opened(built({"Table": frame}))
    assert [sheet.column_dimensions[column].width for column in "ABCD"] == [22, 12, 60, 12]
    assert (sheet["A2"].font.bold, sheet["A1"].font.italic) == (True, True)
    assert sheet["D3"].number_format == "#,##0.00"
    assert {(cell.fill.fill_type, cell.fill.fgColor.rgb[-6:]) for cell in sheet[2]} == {("solid", "E3ECEB")}
    assert sheet["A1"].value.startswith("Shop, 30 September 2024: table. Money in GBP. ")


def test_numbers_without_a_kind_have_two_decimals_if_they_have_any():
    frame = pd.DataFrame({"unknown_a": [0.5], "unknown_b": [3], "unknown_c": [None], "profit_low": [None]})
    sheet = opened(built({"Table": frame}))
    assert [sheet[cell].number_format for cell in ("A3", "B3", "C3")] == ["0.00", "General", "General"]
    assert sheet["C3"].value is None
    assert sheet["D3"].fill.fgColor.rgb.endswith("FFF2CC")


def test_the_same_tables_give_the_same_bytes():
    first = built({"Table": PLAN})
    stored = {entry.date_time for entry in zipfile.ZipFile(io.BytesIO(first)).infolist()}
    assert stored == {(1980, 1, 1, 0, 0, 0)}, "the first day that a zip archive knows"
    time.sleep(2.1)  # the clock of a zip archive counts in steps of two seconds
    assert built({"Table": PLAN}) == first


def test_an_empty_table_is_a_sheet_with_heads():
    assert [cell.value for cell in opened(built({"Table": PLAN.head(0)}))[2]][0] == "Campaign"


def test_the_campaigns_are_a_sheet_with_lists_as_text():
    rest = [{"campaign": "a", "days": 91}, {"campaign": "b", "days": 30}]
    sheet = campaign_sheet(campaigns({"messages": [1, 2, 6]}, {"not_within": rest}))
    assert sheet.messages.tolist() == ["1, 2, 6", "1"]
    assert sheet.not_within.tolist() == ["", "a 91 days, b 30 days"]
    assert "segments" not in sheet
    assert opened(built({"Table": sheet})).max_row == 4


def test_a_published_lift_is_no_assumption_and_a_cost_is_one_unless_it_says_where_from():
    offers = pd.DataFrame(
        {
            "lift": 0.02,
            "contact_cost": 0.1,
            "evidence": ["assumed", "published", "measured", "published"],
            "costs_from": ["assumed", "assumed", "assumed", "our invoices"],
        }
    )
    sheet = opened(built({"Table": offers}))
    yellow = {
        column: [sheet[f"{column}{row}"].fill.fgColor.rgb.endswith("FFF2CC") for row in (3, 4, 5, 6)] for column in "AB"
    }
    assert yellow == {"A": [True, False, False, False], "B": [True, True, True, False]}


@pytest.fixture(scope="module")
def content() -> bytes:
    return built({"First wave": PLAN, "Campaigns": PLAN.head(0)})


@pytest.fixture(scope="module")
def book(content):
    return load_workbook(io.BytesIO(content))


def formulas(book) -> dict[str, list[str]]:
    """The formulas of each sheet."""
    return {
        sheet.title: [cell.value for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
        for sheet in book
    }


def test_five_sheets_are_shown_and_those_for_analysts_are_behind_them(book):
    assert [sheet.title for sheet in book if sheet.sheet_state == "visible"] == VISIBLE
    assert book.sheetnames == [*VISIBLE, "First wave", "Campaigns"]
    assert book.calculation.fullCalcOnLoad
    links = [cell.hyperlink.location for row in book["Cover"].iter_rows() for cell in row if cell.hyperlink]
    assert links == [f"'{name}'!A1" for name in VISIBLE[1:]]
    assert "First wave and Campaigns" in book["Cover"].cell(book["Cover"].max_row, 1).value


def test_plan_calendar_and_cover_are_formulas_and_tables_for_analysts_are_not(book):
    found = formulas(book)
    assert found["Assumptions"] == found["First wave"] == []
    assert len(found["Cover"]) == 3 and len(found["Plan"]) > 20 and len(found["Calendar"]) > 20
    assert all(
        "Assumptions'!$" in text or "Assumptions!$" in text or text.startswith(("=P", "=R", "=S"))
        for text in found["Calculation"]
    )


def test_only_assumptions_can_be_changed(book):
    for name in VISIBLE:
        sheet = book[name]
        assert sheet.protection.sheet and not sheet.protection.password
        free = {cell.coordinate for row in sheet.iter_rows() for cell in row if not cell.protection.locked}
        yellow = {
            cell.coordinate
            for row in sheet.iter_rows()
            for cell in row
            if cell.fill.fill_type and cell.fill.fgColor.rgb.endswith("FFF2CC")
        }
        limited = {str(cells) for check in sheet.data_validations.dataValidation for cells in check.sqref.ranges}
        assert free == yellow == limited, name
        assert bool(free) == (name == "Assumptions")


def test_sheets_are_set_up_for_printing_filters_and_units(book):
    for sheet in book:
        assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToHeight == 0, sheet.title
        assert sheet.oddFooter.right.text
    assert {name: book[name].page_setup.orientation for name in VISIBLE} == {
        "Cover": "portrait", "Assumptions": "landscape", "Plan": "portrait", "Calendar": "landscape",
        "Calculation": "landscape",
    }  # fmt: skip
    for name in ("Plan", "Calendar", "Calculation", "First wave"):
        assert book[name].print_title_rows
    for name in ("Calendar", "Calculation", "First wave"):
        assert book[name].auto_filter.ref
    assert [cell.value for cell in book["Calendar"][4]][-2:] == ["Spend, GBP", "Expected profit, GBP"]
    assert book["Calendar"].cell(5, 9).number_format == '"£"#,##0.00'


def value_of(book, sheet: str, text: str, column: int = 2) -> float:
    """The number beside a text in column A."""
    rows = [row for row in book[sheet].iter_rows(values_only=True) if row[0] == text]
    assert len(rows) == 1, text
    return rows[0][column - 1]


def change(book, heading: str, value: float, row: str) -> None:
    """Change a cell of the sheet Assumptions: in the row with this text, under this heading."""
    sheet = book["Assumptions"]
    own = next(cells for cells in sheet.iter_rows() if cells[0].value == row)
    heads = [cells for cells in sheet.iter_rows(max_row=own[0].row) if heading in [cell.value for cell in cells]][-1]
    cell = own[[head.value for head in heads].index(heading)]
    assert not cell.protection.locked
    cell.value = value


def test_the_values_stored_are_those_of_the_plan(content):
    """Programs that show a file without computing it, as on phones, show these."""
    year, problem = PLANNED
    shown = load_workbook(io.BytesIO(content), data_only=True)
    assert value_of(shown, "Cover", "Spend, GBP") == pytest.approx(year.spend)
    assert value_of(shown, "Plan", "Sum") == pytest.approx(problem.budget)
    assert value_of(shown, "Plan", "Sum", 4) == pytest.approx(year.expected_profit)
    calendar = shown["Calendar"]
    assert sum(calendar.cell(row, 10).value for row in range(5, calendar.max_row + 1)) == pytest.approx(
        year.expected_profit
    )


def test_libreoffice_computes_what_we_compute(content, tmp_path):
    """As written, after one lift and one cost are changed, and after a new customer costs twice as much."""
    year, problem = PLANNED
    model = calculated_plan(year, problem)
    planned = model.assumptions
    changed = planned.campaigns.copy()
    changed.loc["News*", "lift"], changed.loc["Mail", "contact_cost"] = 0.035, 2.5
    twice = replace(planned, customer_costs=planned.customer_costs * 2, fatigue=1.0, carryover=0.0, margin_rate=0.2)
    cases = {"written": planned, "changed": replace(planned, campaigns=changed), "twice": twice}
    edits = {
        "written": [],
        "changed": [("Lift of one message", 0.035, "News*"), ("Cost per message, GBP", 2.5, "Mail")],
        "twice": [
            ("Value", 160, "One more new customer today: cost of a new customer, GBP"),
            ("Value", 1, "Fatigue: what a message keeps of its lift after another one"),
            ("Value", 0, "Share of won buyers who later buy like all others"),
            ("Value", 0.2, "Margin, share of revenue"),
        ],
    }
    files = []
    for name, wanted in edits.items():
        book = load_workbook(io.BytesIO(content))  # saved by openpyxl, the file has no values of formulas
        for edit in wanted:
            change(book, *edit)
        files.append(tmp_path / f"{name}.xlsx")
        book.save(files[-1])
    stored = load_workbook(io.BytesIO(content), data_only=True)
    for path in convert(files, tmp_path / "computed"):
        computed, lines = load_workbook(path, data_only=True), evaluate_plan(model, cases[path.stem])
        found = [computed["Plan"].cell(row, column).value for column in (2, 4) for row in range(4, 9)]
        assert found == pytest.approx([*lines.spend, *lines.expected_profit], abs=0.01), path.stem
        used = lines[lines.line != "reserve"].spend.sum()
        assert value_of(computed, "Cover", "Spend, GBP") == pytest.approx(used, abs=0.01)
        if path.stem == "written":
            for name in VISIBLE:
                for row in stored[name].iter_rows():
                    for cell in (cell for cell in row if isinstance(cell.value, float)):
                        again = computed[name][cell.coordinate].value
                        assert again == pytest.approx(cell.value, abs=0.01), f"{name} {cell.coordinate}"
    assert value_of(stored, "Plan", "Sum", 4) == pytest.approx(year.expected_profit, abs=0.01)


def test_a_plan_over_budget_says_so(content):
    warning = next(
        text for text in formulas(load_workbook(io.BytesIO(content)))["Plan"] if "IF(B" in text and '"' in text
    )
    assert narrative.WORKBOOK_OVERSPENT in warning


def test_a_plan_that_contacts_nobody_is_a_workbook_too():
    year, problem = planned_shop(None, budget=0.0)
    model = build_model(year, problem, pd.DataFrame({"campaign": [], "verdict": []}), VALUE, None, 0.3, True)
    book = load_workbook(io.BytesIO(built({"First wave": PLAN}, model=model)), data_only=True)
    assert value_of(book, "Cover", "Spend, GBP") == 0
    assert book["Assumptions"].cell(book["Assumptions"].max_row, 1).value == narrative.WORKBOOK_NOT_PLANNED
