"""Small exports of our own without any parameter: `make new` finds the true revenue, or its questions lead to it."""

from collections.abc import Collection
from pathlib import Path

import pytest
import yaml

from crm_utils.cleaning.question import Question
from crm_utils.cleaning.questions import find_questions, require_answers
from crm_utils.commands.new_report.draft import new_report
from crm_utils.commands.new_report.evidence import CountedShop
from crm_utils.commands.new_report.params_text import set_parameters
from crm_utils.config import Report, read_yaml
from crm_utils.config.report import QuestionCode
from crm_utils.core.errors import OpenQuestions
from tests.support.projects import ROOT

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "own_new.yaml").read_text(encoding="utf-8"))


def material(shop: CountedShop, codes: Collection[QuestionCode] = tuple(QuestionCode)) -> list[Question]:
    others = [code for code in QuestionCode if code not in codes]
    asked = find_questions(shop.evidence, [*shop.report.answered, *others])
    return [question for question in asked if question.is_material]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_case_of_our_own_without_parameters(case: dict, tmp_path: Path):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "recipes").symlink_to(ROOT / "params" / "recipes")
    (tmp_path / "orders.csv").write_text(case["csv"], encoding="utf-8")
    path, told, open_points = new_report(tmp_path, "shop", "orders.csv")
    assert case.get("told", "") in "\n".join(told)
    if "open" in case:
        assert case["open"] in "\n".join(open_points)
        return
    shop = CountedShop(read_yaml(path, Report), tmp_path)
    asked = material(shop)
    assert [question.code for question in asked] == ([case["question"]] if "question" in case else [])
    if asked:
        with pytest.raises(OpenQuestions, match=case["question"]):
            require_answers(asked)
        answer = asked[0].choices[case["answer"] - 1]
        path.write_text(set_parameters(path.read_text(), answer.parameters))
        shop = CountedShop(read_yaml(path, Report), tmp_path)
        assert material(shop, [asked[0].code]) == []
    found = shop.orders.execute()
    assert round(float(found.revenue.sum()), 2) == case["revenue"]
    assert found.customer_id.nunique() == case.get("customers", found.customer_id.nunique())
