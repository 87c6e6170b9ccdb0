"""Questions about what an order is worth: other amounts, the price of one piece, amounts of whole orders."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from crm_utils.cleaning import questions, rules
from crm_utils.config import Columns, Source
from crm_utils.config.report import QuestionCode
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.orders import aggregate_lines
from crm_utils.sources import Doubts, find_price_basis, find_unassigned_money
from tests.support.cleaning_factories import DAY, line_items

NAMES = {"customer_id": "customer", "ordered_at": "day", "order_id": "order"}


def asked(rows: list[tuple], columns: dict, **doubts: Callable) -> dict[str, questions.Question]:
    lines = line_items(rows)
    classified = rules.classify(lines, rules.removal_rules(lines, DAY))
    columns_ = Columns.model_validate(NAMES | columns)
    evidence = questions.Evidence(
        classified, aggregate_lines(classified), "drop", columns_, Doubts(**doubts), NumberFormat("EUR")
    )
    return {question.code: question for question in questions.find_questions(evidence)}


def of_file(find: Callable, folder: Path, text: str, columns: dict) -> Callable:
    (folder / "shop.csv").write_text(text)
    return partial(find, Source(file="shop.csv"), Columns.model_validate(NAMES | columns), folder)


def test_another_column_that_may_be_the_amount_is_asked_about(tmp_path):
    # counted: 2 pieces; the other column is worth 150
    text = "order,customer,day,AMOUNT,SALES_PRICE,Total cost\n1,a,2011-01-01,1,50,9\n2,b,2011-01-02,1,100,9\n"
    rows = [("a", "1", "2011-01-01", "x", 1, 1.0), ("b", "2", "2011-01-02", "x", 1, 1.0)]
    find = of_file(find_unassigned_money, tmp_path, text, {"amount": "AMOUNT"})
    question = asked(rows, {"amount": "AMOUNT"}, unassigned_money=find)[QuestionCode.UNASSIGNED_MONEY]
    assert "column 'SALES_PRICE' (other amount, 2 rows, €150 instead of €2.00" in question.found
    assert "cost" not in question.found
    assert question.revenue_share == pytest.approx(148 / 2)
    assert [choice.line for choice in question.choices] == [
        "columns: {amount: {lines: SALES_PRICE}}",
        "confirmed: [unassigned_money]",
    ]


def test_a_total_of_the_order_that_agrees_is_no_cause_for_doubt(tmp_path):
    text = "order,customer,day,amount,order total\n1,a,2011-01-01,10,30\n1,a,2011-01-01,20,30\n2,b,2011-01-02,5,5\n"
    find = of_file(find_unassigned_money, tmp_path, text, {"amount": "amount"})
    (other,) = find()
    assert (other.total, other.counted, other.at_stake, other.once_per_order) == (35, 35, 0, True)


def test_a_price_that_nothing_tells_the_basis_of_is_asked_about(tmp_path):
    # for each piece 2 × 10 + 5 = 25, for the line 15
    text = "order,customer,day,qty,price\n1,a,2011-01-01,2,10\n2,b,2011-01-02,1,5\n"
    columns = {"quantity": "qty", "unit_price": "price"}
    rows = [("a", "1", "2011-01-01", "x", 2, 10.0), ("b", "2", "2011-01-02", "x", 1, 5.0)]
    find = of_file(find_price_basis, tmp_path, text, columns)
    question = asked(rows, columns, price_basis=find)[QuestionCode.PRICE_BASIS]
    assert "€25.00 if it is of one piece, and €15.00 if it is of the line (40.0% of revenue)" in question.found
    assert [choice.line for choice in question.choices] == [
        "confirmed: [price_basis]",
        "columns: {amount: {lines: price}}",
    ]
    named = of_file(
        find_price_basis, tmp_path, text.replace("price", "unit price"), columns | {"unit_price": "unit price"}
    )
    assert named() is None


def test_an_amount_that_is_the_same_in_all_rows_of_an_order_is_asked_about():
    # six orders of 2 rows and one of 1 row: 2 × (10 + … + 15) + 5 = 155; counted once: 80
    rows = [("a", str(n), "2011-01-01", f"p{k}", 1, 10.0 + n) for n in range(6) for k in range(2)]
    rows += [("b", "9", "2011-01-01", "p", 1, 5.0)]
    question = asked(rows, {"amount": "total"})[QuestionCode.REPEATED_AMOUNT]
    assert "same in all rows of 6 of 6 orders with several rows, and is added up: €150" in question.found
    assert question.revenue_share == pytest.approx(75 / 155)
    assert [choice.line for choice in question.choices] == [
        "columns: {amount: {lines: total, once_per_order: true}}",
        "confirmed: [repeated_amount]",
    ]
    differing = [(*row[:5], row[5] + place) for place, row in enumerate(rows)]
    assert QuestionCode.REPEATED_AMOUNT not in asked(differing, {"amount": "total"})
