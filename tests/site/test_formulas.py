"""Formulas on pages."""

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from crm_utils.site import own_outputs
from crm_utils.site.own_outputs import Notices, adapt_body
from crm_utils.site.render import _body


def page(*cells) -> BeautifulSoup:
    return BeautifulSoup(_body(new_notebook(cells=list(cells)), Notices("")), "html.parser")


def test_formulas_in_text_are_mathml():
    body = page(new_markdown_cell("Value is $m \\cdot t$:\n\n$$\\frac{a}{b}$$\n\n\\begin{align}a &= b\\end{align}"))
    assert [math["display"] for math in body.find_all("math")] == ["inline", "block", "block"]
    assert body.mfrac.get_text() == "ab"
    assert "$" not in body.get_text()


@pytest.mark.parametrize("text", ["from $5 to $6", "$250k/$300k", "it costs $5.", "US$ 5 and US$ 6"])
def test_money_is_no_formula(text):
    body = page(new_markdown_cell(text))
    assert body.math is None
    assert text in body.get_text()


def test_formulas_of_outputs_are_mathml():
    output = new_output("execute_result", {"text/latex": "$\\displaystyle \\frac{a}{b}$", "text/plain": "Math"})
    body = page(new_code_cell("Math(…)", outputs=[output]))
    assert body.math["display"] == "block"
    assert "Math" not in body.math.get_text()


def test_a_formula_that_cannot_be_read_is_shown_as_typed_and_its_author_is_told(tmp_path):
    body = page(new_markdown_cell("Value is $x^a^b$ today"))
    notices = Notices("06_own.ipynb")
    adapt_body(body, tmp_path, notices)
    assert body.find("code", class_="formula").get_text() == "x^a^b"
    assert own_outputs.BAD_FORMULA in notices.lines()[0]
