"""The end of `make new`: questions with what is at stake, a budget, and the first look."""

import re
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from crm_utils.commands.new_report import evidence
from crm_utils.commands.new_report.complete import complete_report
from crm_utils.commands.new_report.draft import new_report
from crm_utils.commands.new_report.params_text import add_comment, set_parameters
from crm_utils.config import Report, read_yaml
from tests.support.projects import ROOT

HEADER = "order,customer,day,amount,discount\n"
# 24 orders of 50, with discounts of 60 in all
LINES = [f"{1000 + number},k{number % 5},2024-0{1 + number // 4}-1{number % 9},50,{2.5}\n" for number in range(24)]


def started(folder: Path, lines: list[str], header: str = HEADER) -> Path:
    (folder / "params").mkdir()
    (folder / "params" / "campaigns.yaml").write_text((ROOT / "params" / "campaigns.yaml").read_text())
    (folder / "shop.csv").write_text(header + "".join(lines))
    return new_report(folder, "shop", "shop.csv")[0]


def test_money_taken_back_reduces_revenue_without_asking(tmp_path):
    path = started(tmp_path, [*LINES, "2000,k1,2024-06-30,-20,0\n"])
    found = complete_report(tmp_path, path)
    assert read_yaml(path, Report).cleaning.cancellations == "net"
    assert any("20.00 taken back by 1 row (1.7% of revenue; 1 customer)" in line for line in found.guessed)
    assert "1,180.00" in found.look  # 24 × 50 - 20


def test_questions_become_comments_next_to_their_parameter(tmp_path):
    path = started(tmp_path, [*LINES, LINES[0]])
    found = complete_report(tmp_path, path)
    assert [question.code for question in found.questions] == ["unassigned_money", "duplicates"]
    lines = path.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("columns:"))
    assert lines[at - 3].startswith("# open question: no parameter names column 'discount' (discount, 25 rows, 62.50")
    assert lines[at - 2] == "#   columns: {amount: {lines: amount, minus: [discount]}}  # yes, this way"
    assert "#   cleaning: {duplicates: drop}  # no, count each once" in lines
    report = read_yaml(path, Report)
    assert report.answered == []
    assert report.columns.amount == "amount"


def test_answers_of_a_terminal_are_written(tmp_path):
    path = started(tmp_path, [*LINES, LINES[0]])
    typed = iter(["x", "1", "2"])
    found = complete_report(tmp_path, path, lambda prompt: next(typed))
    assert found.questions == []
    report = read_yaml(path, Report)
    assert (report.columns.amount.lines, report.columns.amount.minus) == ("amount", ["discount"])
    assert report.cleaning.duplicates == "drop"
    assert "1,140.00" in found.look  # 24 × (50 - 2.50)


def test_a_question_can_be_put_off(tmp_path):
    path = started(tmp_path, [*LINES, LINES[0]])

    def ended(prompt: str) -> str:
        raise EOFError

    found = complete_report(tmp_path, path, ended)
    assert len(found.questions) == 2
    assert "open question" in path.read_text()


def test_a_budget_is_proposed_as_an_assumption(tmp_path):
    path = started(tmp_path, LINES)
    complete_report(tmp_path, path)
    text = path.read_text()
    assert read_yaml(path, Report).budget.total_budget == 12  # 1 % of 1,200
    assert "# An assumption: 1% of the revenue of the last 12 months (1,200)." in text


def test_the_first_look_shows_what_counts(tmp_path):
    path = started(tmp_path, LINES)
    found = complete_report(tmp_path, path)
    assert found.page == tmp_path / "reports" / "shop" / "first-look.html"
    page = BeautifulSoup(found.page.read_text(encoding="utf-8"), "html.parser")
    lead = page.select_one(".lead").get_text()
    assert "24 of 24 rows count as sales: 24 orders of 5 customers with 1,200.00 of revenue" in lead
    ids = [row.find_all(["th", "td"])[0].get_text() for row in page.select(".customers tbody tr")]
    assert sorted(ids) == ["k0", "k1", "k2", "k3", "k4"]
    assert len(page.select(".orders tbody tr")) == 5


def test_an_incomplete_file_is_left_alone(tmp_path):
    path = started(tmp_path, ["1,2024-01-01\n"], "number,day\n")
    before = path.read_text()
    found = complete_report(tmp_path, path)
    assert (found.page, found.questions, path.read_text()) == (None, [], before)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"cleaning.duplicates": "drop"}, {"cleaning": {"cancellations": "net", "duplicates": "drop"}}),
        ({"cleaning.exclude_customers": ["a"]}, {"cleaning": {"cancellations": "net", "exclude_customers": ["a"]}}),
        ({"confirmed": ["huge_order"]}, {"confirmed": ["duplicates", "huge_order"]}),
        ({"budget.total_budget": 5}, {"budget": {"total_budget": 5}}),
        ({"columns.amount": {"lines": "a * b"}}, {"columns": {"amount": {"lines": "a * b"}}}),
    ],
)
def test_parameters_are_set_in_their_lines(parameters, expected):
    text = "# first\ncolumns: {amount: x}\ncleaning: {cancellations: net}  # why\nconfirmed: [duplicates]\n"
    changed = set_parameters(text, parameters)
    before, after = yaml.safe_load(text), yaml.safe_load(changed)
    assert after == before | expected
    assert changed.startswith("# first\n")
    assert "  # why\n" in changed


def test_a_comment_stands_above_its_line_or_at_the_end():
    assert add_comment("a: 1\nb: 2\n", "b", "x\ny") == "a: 1\n# x\n# y\nb: 2\n"
    assert add_comment("a: 1\n", "b", "x") == "a: 1\n# x\n"


def test_of_many_rows_some_customers_are_counted_and_it_is_said(tmp_path, monkeypatch):
    # 400 customers with one order of 50 each: 20,000 in all
    lines = [f"{number},k{number},2024-06-{1 + number % 30:02},50,0\n" for number in range(400)]
    path = started(tmp_path, lines)
    monkeypatch.setattr(evidence, "MAX_ROWS", 300)
    monkeypatch.setattr(evidence, "SAMPLED_ROWS", 100)
    found = complete_report(tmp_path, path)
    assert re.match(r"about \d+ orders of about \d+ customers, about [\d,.]+, from", found.look)
    revenue = float(re.search(r"about ([\d,]+\.\d\d)", found.look)[1].replace(",", ""))
    assert revenue == pytest.approx(20_000, rel=0.25)
    assert revenue % 200 == 0  # 50 × 4: one in four customers
    lead = BeautifulSoup(found.page.read_text(encoding="utf-8"), "html.parser").select_one(".lead").get_text()
    assert "The source has 400 rows. To be quick, this page counts one in 4 customers" in lead
