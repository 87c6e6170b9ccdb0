"""`make new` on exports with titles, totals, other encodings and several files: the report reads them to the cent."""

from pathlib import Path

import pytest

from crm_utils.commands.new_report.draft import new_report
from crm_utils.config import Report, read_yaml
from crm_utils.sources import read_line_items
from tests.support.cases import CASES


def draft(folder: Path, case: str, file: str) -> tuple[Path, list[str], list[str]]:
    for path in (CASES / case).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return new_report(folder, "shop", file)


@pytest.mark.parametrize(
    ("case", "file", "revenue", "words"),
    [
        ("title_and_total", "sales.csv", 18618.44, ["header_row: 4", "footer: 1"]),
        ("pandas_index", "sales.csv", 18618.44, ["left out: column 1 of 5 without a name"]),
        ("xlsx_title", "report.xlsx", 18618.44, ["header_row: 4", "footer: 1"]),
        ("hidden_sheet", "orders.xlsx", 18618.44, ["'old' left out: hidden"]),
        ("shift_jis", "uriage.csv", 2792672, ["encoding: cp932, as in '2023年1月8日'", "currency: JPY"]),
        ("cp1251", "prodazhi.csv", 1675659.60, ["encoding: windows-1251"]),
        ("rupees", "orders.csv", 55855320.00, ["currency: INR"]),
        ("brackets_in_name", "orders [2024] (1).csv", 18618.44, []),
        ("mixed_line_ends", "mixed_plain.csv", 18618.44, []),
        ("json_in_cell", "orders.csv", 11290.09, ["timezone: "]),
        ("two_years_two_headings", "*.csv", 18162.70, ["2024.csv with column names of their own"]),
        ("two_date_formats", "*.csv", 18162.70, ["dates: 2023.csv ISO, 2024.csv %d.%m.%Y"]),
    ],
)
def test_a_case_is_read_without_an_edit(tmp_path, case, file, revenue, words):
    path, guessed, _ = draft(tmp_path, case, file)
    path.write_text(path.read_text().replace("XXX", "EUR"))
    report = read_yaml(path, Report)
    lines = read_line_items(report.source, report.columns, tmp_path)
    assert float(lines.amount.sum().execute()) == pytest.approx(revenue, abs=0.005)
    assert [word for word in words if word not in "\n".join(guessed)] == []


@pytest.mark.parametrize(
    ("case", "file", "words"),
    [
        ("no_header", "orders.csv", "names: orders.csv has no column names; write them where column_1 stands"),
        ("day_month_swapped", "orders.xlsx", "a spreadsheet has probably exchanged their day and month"),
    ],
)
def test_what_only_the_owner_knows_is_asked(tmp_path, case, file, words):
    path, _, open_points = draft(tmp_path, case, file)
    assert words in "\n".join(open_points)
    assert "???" in path.read_text()
