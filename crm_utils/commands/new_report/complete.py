"""The second half of `make new`: what the data say once they can be read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from crm_utils.cleaning.question import Question
from crm_utils.cleaning.questions import find_questions
from crm_utils.commands.new_report import budget as budgets
from crm_utils.commands.new_report.evidence import CountedShop
from crm_utils.commands.new_report.first_look import SHORT, sum_up, write_first_look
from crm_utils.commands.new_report.params_text import add_comment, set_parameters
from crm_utils.commands.new_report.questions import ask_one_by_one, propose_answers, write_comments
from crm_utils.config import Report, read_yaml
from crm_utils.core.errors import CrmError, ParamsError
from crm_utils.core.formatting import MESSAGES

BUDGET = (
    "An assumption: {share:.0%} of the revenue of the last 12 months ({revenue}). Write what you can spend in the next "
    "three months."
)
CAMPAIGNS = "The costs of campaigns are in params/{file}.yaml, in the size of a shop with a mean order of {order}."
SAMPLED = "the first look and the amounts in questions: from one in {one_in} customers, because there are many rows"
SHIPPED_COSTS = "The costs in params/campaigns.yaml are assumptions too."


@dataclass
class Completion:
    """What was found out.

    Parameters
    ----------
    look : str
        Orders, customers and revenue in one line; empty if nothing can be counted yet.
    page : Path, optional
        The first look.
    guessed : list of str
        One line for each answer that was given by itself.
    questions : list of Question
        The open questions.
    """

    look: str = ""
    page: Path | None = None
    guessed: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


def complete_report(root: Path, path: Path, ask: Callable[[str], str] | None = None) -> Completion:
    """Add questions and a budget to a new parameters file, and write the first look.

    Parameters
    ----------
    root : Path
        The project's folder.
    path : Path
        The parameters file that `new_report` has written.
    ask : callable, optional
        Shows a prompt and returns what was typed. Without it, questions become comments.

    Returns
    -------
    Completion
        Empty if the file is not complete, or the data cannot be read with it: that was said already.
    """
    try:
        shop = CountedShop(read_yaml(path, Report), root)
        questions = find_questions(shop.evidence, shop.report.answered)
    except (CrmError, ParamsError):
        return Completion()
    text = path.read_text(encoding="utf-8")
    questions, answered, guessed = propose_answers(questions, text)
    questions = [question for question in questions if question.revenue_share or question.customer_share]
    if ask is not None:
        asked = [question for question in questions if question.is_material]
        small = [question for question in questions if not question.is_material]
        left, answered = ask_one_by_one(asked, answered, ask)
        questions = [*left, *small]
    shop = _recount(root, path, shop, text, answered)
    text, spending = _with_budget(path.stem, write_comments(questions, answered), shop)
    path.write_text(text, encoding="utf-8")
    open_questions = [question for question in questions if question.is_material]
    page = write_first_look(shop, path.stem, open_questions)
    look = SHORT.format(**vars(sum_up(shop)))
    sampled = [SAMPLED.format(one_in=MESSAGES.count(shop.one_in))] if shop.one_in > 1 else []
    return Completion(look, page, [*guessed, *spending, *sampled], open_questions)


def _recount(root: Path, path: Path, shop: CountedShop, before: str, after: str) -> CountedShop:
    """The shop as the answers count it."""
    if after == before:
        return shop
    path.write_text(after, encoding="utf-8")
    return CountedShop(read_yaml(path, Report), root)


def _with_budget(name: str, text: str, shop: CountedShop) -> tuple[str, list[str]]:
    """Add a budget of the shop's size and, if costs must be scaled, a campaigns file."""
    orders, fmt = shop.orders, shop.fmt
    if shop.report.budget.model_fields_set or shop.report.columns.counts_orders:
        return text, []
    year_ago = (pd.Timestamp(shop.day) - pd.DateOffset(years=1)).date()
    sums = orders.aggregate(
        orders=orders.count(),
        revenue=orders.revenue.sum(),
        last_year=orders.revenue.sum(where=orders.ordered_at.date() > year_ago),
    )
    found = shop.one_in * sums.execute().iloc[0].fillna(0).astype(float)
    proposed = budgets.propose_budget(float(found.last_year), float(found.revenue), int(found.orders))
    if proposed is None:
        return text, []
    mean_order = fmt.money(proposed.mean_order)
    file = budgets.write_campaigns(shop.root, name, proposed, mean_order)
    section = {"budget.total_budget": proposed.total} | ({"budget.campaigns_file": file} if file else {})
    costs = CAMPAIGNS.format(file=file, order=mean_order) if file else SHIPPED_COSTS
    why = BUDGET.format(share=budgets.BUDGET_SHARE, revenue=fmt.money(float(found.last_year)))
    text = add_comment(set_parameters(text, section), "budget", f"{why}\n{costs}")
    return text, [f"budget: {fmt.money(proposed.total, 0)}. {why} {costs}"]
