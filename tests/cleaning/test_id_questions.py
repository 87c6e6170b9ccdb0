"""Questions about customer ids and order numbers, on cases with true values."""

from functools import partial

import pandas as pd
import pytest
import yaml

from crm_utils import sources
from crm_utils.cleaning import questions, rules
from crm_utils.config import Columns, Source, parse_model
from crm_utils.config.report import QuestionCode
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.orders import aggregate_lines
from tests.support.cases import CASES
from tests.support.cleaning_factories import DAY, line_items

IDS = {QuestionCode.GUESTS, QuestionCode.SHARED_IDS, QuestionCode.EMAIL_IDS, QuestionCode.ORDER_NUMBERS}


def asked(case: str, source: dict | None = None, columns: dict | None = None) -> list[questions.Question]:
    """The questions about ids of a case, with other parameters than its own."""
    written = yaml.safe_load((CASES / case / "case.yaml").read_text())
    of_source = {key: value for key, value in written["source"].items() if key not in ("guests", "ignore_in_emails")}
    source_ = parse_model(of_source | (source or {}), Source, "source")
    columns_ = parse_model(written["columns"] | (columns or {}), Columns, "columns")
    lines = sources.read_line_items(source_, columns_, CASES / case)
    classified = rules.classify(lines, rules.removal_rules(lines, lines.ordered_at.max().execute().date()))
    doubts = sources.Doubts(shared_ids=partial(sources.find_shared_ids, source_, columns_, CASES / case))
    evidence = questions.Evidence(
        classified, aggregate_lines(classified), "drop", columns_, doubts, NumberFormat("EUR")
    )
    return [question for question in questions.find_questions(evidence) if question.code in IDS]


def test_guests_are_asked_about_with_their_orders_and_money():
    (question,) = asked("guests_id_0")
    assert "'0': unknown buyers (151 orders, €9,217, 49.5% of revenue). They count as 1 customer" in question.found
    assert [choice.line for choice in question.choices] == [
        'source: {guests: {ids: ["0"], treat: each_order}}',
        'source: {guests: {ids: ["0"], treat: drop}}',
        "confirmed: [guests]",
    ]
    assert question.revenue_share == pytest.approx(9217.22 / 18618.44)
    assert question.customer_share == pytest.approx(150 / 62)
    assert question.is_material


@pytest.mark.parametrize("treat", ["each_order", "drop"])
def test_an_answer_closes_the_question_about_guests(treat: str):
    assert asked("guests_id_0", {"guests": {"ids": ["0"], "treat": treat}}) == []


@pytest.mark.parametrize(("a_day", "stops"), [(1, False), (3, True)])
def test_a_large_account_stops_a_report_only_if_it_orders_several_times_a_day(a_day: int, stops: bool):
    days = pd.date_range("2011-01-01", periods=60)
    rows = [("FIRM", f"f{n}", str(days[n // a_day]), "mug", 1, 2.0) for n in range(60)]
    rows += [(f"c{n}", f"o{n}", "2011-03-01 00:00:00", "mug", 1, 3.0) for n in range(300)]
    lines = line_items(rows)
    lines = lines.mutate(removed_by=None).cast({"removed_by": "string"})
    columns = Columns(customer_id="customer_id", ordered_at="at", order_id="order", amount="amount")
    evidence = questions.Evidence(lines, aggregate_lines(lines), "drop", columns, sources.Doubts(), NumberFormat("EUR"))
    (question,) = (each for each in questions.find_questions(evidence) if each.code == QuestionCode.GUESTS)
    assert "'FIRM': more orders than a person places (60 orders" in question.found
    assert question.is_material == stops


def test_addresses_that_look_alike_are_asked_about():
    (question,) = asked("email_as_id")
    assert "31 e-mail addresses" in question.found
    assert question.customer_share == pytest.approx(31 / 141)
    assert question.choices[0].line == "source: {ignore_in_emails: [plus_tags, gmail_dots]}"
    assert asked("email_as_id", {"ignore_in_emails": ["plus_tags"]}) == []


def test_ids_of_two_stores_are_asked_about():
    (question,) = asked("two_stores", columns={"customer_id": "customer_no"})
    assert question.code == QuestionCode.SHARED_IDS
    assert "76 people and stores, counted as 40 customers" in question.found
    assert question.choices[0].line == "columns: {customer_id: [store, customer_no]}"
    assert question.customer_share == pytest.approx(36 / 40)
    assert asked("two_stores") == []


@pytest.mark.parametrize(
    ("case", "own", "line"),
    [
        ("till_numbers", "receipt_no", "columns: {order_id: [date, receipt_no]}"),
        ("subscription_number", "order_number", "columns: {order_id: [charged_at, order_number]}"),
    ],
)
def test_order_numbers_that_come_back_are_asked_about(case: str, own: str, line: str):
    (question,) = asked(case, columns={"order_id": own})
    assert question.code == QuestionCode.ORDER_NUMBERS
    assert question.choices[0].line == line
    assert question.order_share > 0.5
    assert question.is_material
    assert asked(case) == []


def test_a_rare_number_that_comes_back_does_not_stop_a_report():
    rows = [("anna", str(number), "2011-01-01 10:00", "mug", 1, 2.0) for number in range(199)]
    lines = line_items([*rows, ("bert", "0", "2011-03-01 10:00", "mug", 1, 2.0)])
    lines = lines.mutate(removed_by=None).cast({"removed_by": "string"})
    columns = Columns(customer_id="customer_id", ordered_at="at", order_id="order", amount="amount")
    evidence = questions.Evidence(lines, aggregate_lines(lines), "drop", columns, sources.Doubts(), NumberFormat("EUR"))
    found = {question.code: question for question in questions.find_questions(evidence, [QuestionCode.DUPLICATES])}
    question = found[QuestionCode.ORDER_NUMBERS]
    assert question.order_share == pytest.approx(1 / 199)
    assert not question.is_material


def test_all_cases_are_asked_nothing_about_ids_once_they_are_answered():
    """Parameters that give the true values leave no question about ids open."""
    named = {}
    for path in sorted(CASES.glob("*/case.yaml")):
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        own = {key: written["source"][key] for key in ("guests", "ignore_in_emails") if key in written["source"]}
        open_ = [question.code for question in asked(path.parent.name, own) if question.is_material]
        if open_:
            named[path.parent.name] = open_
    assert named == {}, pd.Series(named)


def test_rows_without_a_customer_are_asked_about_with_their_money():
    # 2 rows of one order of 30 without a customer, beside 60 that count
    rows = [("anna", "1", "2011-01-01 10:00", "mug", 1, 60.0)]
    rows += [(None, "2", "2011-01-02 10:00", "mug", number, 10.0) for number in (1, 2)]
    lines = line_items(rows)
    classified = rules.classify(lines, rules.removal_rules(lines, DAY))
    columns = Columns(customer_id="customer_id", ordered_at="at", order_id="order", amount={"lines": "amount"})
    sums = aggregate_lines(classified)
    evidence = questions.Evidence(classified, sums, "drop", columns, sources.Doubts(), NumberFormat("EUR"))
    (question,) = questions.find_questions(evidence, [QuestionCode.REPEATED_AMOUNT])
    assert "2 rows have no customer id (1 order, €30.00, 50.0% of the revenue that counts)" in question.found
    assert [choice.line for choice in question.choices] == [
        "confirmed: [no_customer]",
        'source: {guests: {ids: [""], treat: each_order}}',
    ]
    assert question.is_material
