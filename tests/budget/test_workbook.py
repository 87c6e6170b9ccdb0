"""Lists and workbook: the same bytes each time, nothing a spreadsheet would run, assumptions marked."""

import io
import time
import zipfile
from datetime import date

import pandas as pd
import pytest
from openpyxl import load_workbook

from crm_utils.budget.workbook import build_workbook, campaign_sheet
from crm_utils.core.errors import TableError
from crm_utils.core.formula_injection import escape_formula, escape_formulas
from crm_utils.store import Run
from tests.support.budget_factories import campaigns

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
DAY = date(2024, 6, 30)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_text_that_would_run_is_made_harmless(text):
    assert escape_formula(text) == f"'{text}"
    assert escape_formulas(pd.DataFrame({text: [text]})).to_csv(index=False).count("'") == 2


@pytest.mark.parametrize("value", ["plain", "1-2", -5, -0.5, None])
def test_other_values_stay(value):
    assert escape_formula(value) == value


def opened(content: bytes):
    return load_workbook(io.BytesIO(content))["Plan"]


def test_the_workbook_has_formats_frozen_heads_and_marked_assumptions():
    sheet = opened(build_workbook({"Plan": PLAN}, "Shop", DAY, "GBP"))
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
    sheet = opened(build_workbook({"Plan": plan}, "Sh\x08op", DAY, "GBP"))
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
    book = load_workbook(io.BytesIO(build_workbook(sheets | {"Campaigns": offers, "Past": past}, "Shop", DAY, "GBP")))
    yellow = {
        name: [cell.value for cell in book[name][3] if cell.fill.fgColor.rgb.endswith("FFF2CC")]
        for name in book.sheetnames
    }
    assert yellow == {"Scenarios": [1.0], "Campaigns": [0.1], "Past": [4.0]}


def test_columns_are_as_wide_as_their_text_between_limits():
    frame = pd.DataFrame({"name": ["x" * 20], "segment": ["y"], "reason": ["z" * 99], "budget": [1234567.0]})
    sheet = opened(build_workbook({"Plan": frame}, "Shop", DAY, "GBP"))
    assert [sheet.column_dimensions[column].width for column in "ABCD"] == [22, 12, 60, 12]
    assert (sheet["A2"].font.bold, sheet["A1"].font.italic) == (True, True)
    assert sheet["D3"].number_format == "#,##0.00"
    assert {(cell.fill.fill_type, cell.fill.fgColor.rgb[-6:]) for cell in sheet[2]} == {("solid", "E3ECEB")}
    assert sheet["A1"].value.startswith("Shop, 30 June 2024: plan. Money in GBP. ")


def test_numbers_without_a_kind_have_two_decimals_if_they_have_any():
    frame = pd.DataFrame({"unknown_a": [0.5], "unknown_b": [3], "unknown_c": [None], "profit_low": [None]})
    sheet = opened(build_workbook({"Plan": frame}, "Shop", DAY, "GBP"))
    assert [sheet[cell].number_format for cell in ("A3", "B3", "C3")] == ["0.00", "General", "General"]
    assert sheet["C3"].value is None
    assert sheet["D3"].fill.fgColor.rgb.endswith("FFF2CC")


def test_the_same_tables_give_the_same_bytes():
    first = build_workbook({"Plan": PLAN}, "Shop", DAY, "GBP")
    stored = {entry.date_time for entry in zipfile.ZipFile(io.BytesIO(first)).infolist()}
    assert stored == {(1980, 1, 1, 0, 0, 0)}, "the first day that a zip archive knows"
    time.sleep(2.1)  # the clock of a zip archive counts in steps of two seconds
    assert build_workbook({"Plan": PLAN}, "Shop", DAY, "GBP") == first


def test_an_empty_table_is_a_sheet_with_heads():
    assert [cell.value for cell in opened(build_workbook({"Plan": PLAN.head(0)}, "Shop", DAY, "GBP"))[2]][
        0
    ] == "Campaign"


def test_the_campaigns_are_a_sheet_with_lists_as_text():
    rest = [{"campaign": "a", "days": 91}, {"campaign": "b", "days": 30}]
    sheet = campaign_sheet(campaigns({"messages": [1, 2, 6]}, {"not_within": rest}))
    assert sheet.messages.tolist() == ["1, 2, 6", "1"]
    assert sheet.not_within.tolist() == ["", "a 91 days, b 30 days"]
    assert "segments" not in sheet
    assert opened(build_workbook({"Plan": sheet}, "Shop", DAY, "GBP")).max_row == 4


def test_a_published_lift_is_no_assumption_and_a_cost_is_one_unless_it_says_where_from():
    offers = pd.DataFrame(
        {
            "lift": 0.02,
            "contact_cost": 0.1,
            "evidence": ["assumed", "published", "measured", "published"],
            "costs_from": ["assumed", "assumed", "assumed", "our invoices"],
        }
    )
    sheet = opened(build_workbook({"Plan": offers}, "Shop", DAY, "GBP"))
    yellow = {
        column: [sheet[f"{column}{row}"].fill.fgColor.rgb.endswith("FFF2CC") for row in (3, 4, 5, 6)] for column in "AB"
    }
    assert yellow == {"A": [True, False, False, False], "B": [True, True, True, False]}


def targets(campaign: str = "Win-back: e-mail", segment: str = "Can't Lose Them") -> pd.DataFrame:
    return pd.DataFrame(
        {"customer_id": ["=1", "2"], "campaign": campaign, "segment": segment, "group": ["control", "treatment"]}
    )


def test_lists_are_written_one_a_line_and_old_ones_go(tmp_path):
    store = Run(tmp_path)
    store.save_audiences(targets("Old"))
    store.save_audiences(targets())
    assert [path.name for path in (tmp_path / "audiences").iterdir()] == ["win-back-e-mail__cant-lose-them.csv"]
    written = pd.read_csv(tmp_path / "audiences" / "win-back-e-mail__cant-lose-them.csv", dtype=str)
    assert written.customer_id.tolist() == ["'=1", "2"]


def test_lists_never_leave_the_folder(tmp_path):
    Run(tmp_path / "run").save_audiences(targets("../../etc", "/"))
    assert [path.name for path in (tmp_path / "run" / "audiences").iterdir()] == ["etc__unnamed-8a5edab2.csv"]
    assert not (tmp_path / "etc").exists()


def test_two_campaigns_that_would_share_a_file_are_refused(tmp_path):
    with pytest.raises(TableError, match="two lists would have the file name a-b__x.csv: rename campaign A: B"):
        Run(tmp_path).save_audiences(pd.concat([targets("A - B", "x"), targets("A: B", "x")]))


def test_no_target_leaves_an_empty_folder(tmp_path):
    Run(tmp_path).save_audiences(targets().head(0))
    assert list((tmp_path / "audiences").iterdir()) == []
