"""Questions that only the owner of the data can answer: what is at stake, and when the report is refused."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from crm_utils.cleaning import money_questions, questions, rules
from crm_utils.config import Columns, Source
from crm_utils.config.report import AmountParts, QuestionCode
from crm_utils.core.errors import OpenQuestions
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.orders import aggregate_lines
from crm_utils.sources import Doubts, find_unassigned_money
from tests.support.cleaning_factories import DAY, TINY, line_items

COLUMNS = Columns(
    customer_id="customer_id", ordered_at="ordered_at", order_id="order_id", quantity="quantity", unit_price="price"
)
SHOP = [("anna", "1", "2011-01-01 10:00", "mug", 10, 2.0), ("bert", "2", "2011-02-01 10:00", "bag", 1, 180.0)]


def evidence(
    rows: list[tuple], mode: str = "drop", columns: Columns = COLUMNS, **doubts: Callable
) -> questions.Evidence:
    lines = line_items(rows)
    classified = rules.classify(lines, rules.removal_rules(lines, DAY, mode))
    fmt = NumberFormat("GBP")
    return questions.Evidence(classified, aggregate_lines(classified), mode, columns, Doubts(**doubts), fmt)


def found(rows: list[tuple], code: QuestionCode, **options) -> questions.Question | None:
    asked = questions.find_questions(evidence(rows, **options))
    return next((question for question in asked if question.code == code), None)


def test_a_shop_without_doubts_is_asked_nothing():
    assert questions.find_questions(evidence(SHOP)) == []


def test_equal_rows_are_asked_about_with_their_money():
    # revenue 220: the second row of 20 is 9.1 %
    question = found([*SHOP, SHOP[0]], QuestionCode.DUPLICATES)
    assert "1 row " in question.found
    assert "£20.00, 9.1% of revenue; 1 order, 1 customer" in question.found
    assert question.revenue_share == pytest.approx(20 / 220)
    assert [choice.line for choice in question.choices] == [
        "cleaning: {duplicates: keep}",
        "cleaning: {duplicates: drop}",
    ]
    assert question.is_material


def test_of_many_rows_those_of_some_customers_are_compared(monkeypatch):
    # 400 customers with an order of 20 that stands twice: half of the revenue, of whatever customers are compared
    rows = [(f"c{n}", str(n), "2011-01-01 10:00", "mug", 10, 2.0) for n in range(400) for _ in range(2)]
    monkeypatch.setattr(questions, "COMPARED_ROWS", 200)
    question = found(rows, QuestionCode.DUPLICATES)
    assert question.revenue_share == pytest.approx(0.5, abs=0.1)
    assert question.revenue_share != 0.5


def test_equal_rows_of_little_money_do_not_stop_a_report():
    # 0.9 of 200.9 + 0.9
    small = ("anna", "1", "2011-01-01 10:00", "pin", 1, 0.9)
    question = found([*SHOP, small, small], QuestionCode.DUPLICATES)
    assert question.revenue_share == pytest.approx(0.9 / 201.8)
    assert not question.is_material
    questions.require_answers([question])


def test_money_taken_back_is_asked_about_under_drop_only():
    # left in: 12 + 12 + 18 of Anna, 40 of Bert, 8 of Cleo = 90; counted: 20 + 27 + 40 = 87
    question = found(TINY, QuestionCode.NEGATIVE_ROWS)
    assert "£90.00 taken back by 5 rows (103.4% of revenue; 3 customers)" in question.found
    assert question.revenue_share == pytest.approx(90 / 87)
    assert question.choices[0].line == "cleaning: {cancellations: net}"
    assert found(TINY, QuestionCode.NEGATIVE_ROWS, mode="net") is None


def test_a_huge_order_is_asked_about():
    many = [(f"c{n}", str(n), "2011-01-01 10:00", "mug", 1, 10.0) for n in range(300)]
    question = found([*many, ("zoe", "999", "2011-01-02 10:00", "mug", 1, 1_000_000.0)], QuestionCode.HUGE_ORDER)
    assert "order 999 of customer zoe on 2011-01-02 is £1.00 million, 99.7% of revenue" in question.found
    assert [choice.line for choice in question.choices] == [
        "confirmed: [huge_order]",
        "cleaning: {exclude_customers: [zoe]}",
    ]
    assert found([*many, ("zoe", "999", "2011-01-02 10:00", "mug", 1, 60.0)], QuestionCode.HUGE_ORDER) is None


def test_what_is_answered_is_neither_asked_nor_computed():
    def never():
        raise AssertionError("computed")

    asked = questions.find_questions(
        evidence([*TINY, TINY[0]], unassigned_money=never),
        [QuestionCode.UNASSIGNED_MONEY, QuestionCode.DUPLICATES, QuestionCode.NO_CUSTOMER],
    )
    assert [question.code for question in asked] == [QuestionCode.NEGATIVE_ROWS]


def test_the_report_is_refused_with_all_questions_in_one_message():
    asked = questions.find_questions(evidence([*TINY, TINY[0]]), [QuestionCode.NO_CUSTOMER])
    with pytest.raises(OpenQuestions) as refused:
        questions.require_answers(asked)
    lines = str(refused.value).splitlines()
    assert lines[0].startswith("2 open questions")
    assert [line.split(":")[0].strip() for line in lines if line.startswith("  ") and line[2] != " "][:2] == [
        "negative_rows",
        "duplicates",
    ]
    assert sum(line.startswith("    ") for line in lines) == 4
    assert lines[-1].endswith("confirmed: [negative_rows, duplicates]")


def written(folder: Path, text: str) -> tuple[Source, Columns]:
    (folder / "shop.csv").write_text(text)
    names = {"customer_id": "customer", "ordered_at": "day", "order_id": "order", "amount": "amount"}
    return Source(file="shop.csv"), Columns.model_validate(names)


def money_of(folder: Path, text: str) -> dict:
    source, columns = written(folder, text)
    return {each.column: each for each in find_unassigned_money(source, columns, folder)}


def test_columns_of_money_that_no_parameter_names(tmp_path):
    columns = money_of(
        tmp_path,
        "order,customer,day,amount,discount,shipping fee,refunded amount,shipping country,tax name\n"
        "1,anna,2024-01-01,60,5,4.5,,DE,VAT\n"
        "1,anna,2024-01-01,20,,4.5,,DE,VAT\n"
        "2,bert,2024-01-02,20,1,4.5,20,DE,VAT\n",
    )
    assert {name: (each.kind, each.rows, each.total, each.sign) for name, each in columns.items()} == {
        "discount": ("discount", 2, 6.0, -1),
        "shipping fee": ("shipping", 3, 9.0, 1),  # 4.50 per order: it stands on each row of the first
        "refunded amount": ("refund", 1, 20.0, -1),
    }
    assert columns["shipping fee"].once_per_order
    assert not columns["discount"].once_per_order


def test_a_discount_between_0_and_1_is_a_rate(tmp_path):
    columns = money_of(
        tmp_path, "order,customer,day,amount,discount\n1,anna,2024-01-01,60,0.1\n2,bert,2024-01-02,20,0\n"
    )
    assert columns["discount"].rate
    assert columns["discount"].total == pytest.approx(6)
    assert money_questions.amount_with([columns["discount"]], written(tmp_path, "")[1]) == {
        "lines": "amount * (1 - discount)"
    }


@pytest.mark.parametrize("name", ["Gift Card", "giftcard_amount", "Geschenkkarte", "carte cadeau", "Cartão presente"])
def test_gift_cards_are_taken_off(tmp_path, name):
    columns = money_of(tmp_path, f"order,customer,day,amount,{name}\n1,anna,2024-01-01,60,20\n2,bert,2024-01-02,20,\n")
    assert (columns[name].kind, columns[name].total, columns[name].sign) == ("gift card", 20.0, -1)


def test_a_total_contains_discounts_and_shipping_but_not_refunds(tmp_path):
    (tmp_path / "shop.csv").write_text(
        "order,customer,day,Total,discount,shipping,Refunded Amount\n1,anna,2024-01-01,60,5,4,10\n"
    )
    columns = Columns(customer_id="customer", ordered_at="day", order_id="order", amount="Total")
    assert [each.column for each in find_unassigned_money(Source(file="shop.csv"), columns, tmp_path)] == [
        "Refunded Amount"
    ]
    parts = columns.model_copy(update={"amount": AmountParts(lines="Total")})
    assert find_unassigned_money(Source(file="shop.csv"), parts, tmp_path) == []


def test_unassigned_money_is_asked_about_with_the_amount_to_write(tmp_path):
    source, columns = written(tmp_path, "order,customer,day,amount,discount\n1,anna,2024-01-01,200,10\n")
    question = found(
        SHOP,
        QuestionCode.UNASSIGNED_MONEY,
        columns=columns,
        unassigned_money=partial(find_unassigned_money, source, columns, tmp_path),
    )
    assert "column 'discount' (discount, 1 row, £10.00, 5.0% of revenue)" in question.found
    assert [choice.line for choice in question.choices] == [
        "columns: {amount: {lines: amount, minus: [discount]}}",
        "confirmed: [unassigned_money]",
    ]
