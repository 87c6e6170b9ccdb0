"""The questions of `make new`: answered in a terminal, else written into the parameters file as comments."""

from collections.abc import Callable

from crm_utils.cleaning.question import Question
from crm_utils.commands.new_report.params_text import add_comment, set_parameters
from crm_utils.config.report import QuestionCode

LATER = "later: the report is refused until it is answered"
PROMPT = "  answer (1-{last}): "
OPEN, SMALL = "open question", "for your information (too small to stop the report)"


def propose_answers(questions: list[Question], text: str) -> tuple[list[Question], str, list[str]]:
    """Answer what has a usual answer: money that rows take back reduces revenue.

    Parameters
    ----------
    questions : list of Question
        The open ones.
    text : str
        The parameters file.

    Returns
    -------
    list of Question, str, list of str
        The questions that are left, the file with the answers, and one line for each answer.
    """
    left, told = [], []
    for question in questions:
        choice = question.choices[0]
        if question.code == QuestionCode.NEGATIVE_ROWS and "cleaning.cancellations" in choice.parameters:
            text = set_parameters(text, choice.parameters)
            told.append(f"{choice.line}: {question.found.split(', but ')[0]}; write drop to leave this money in")
        else:
            left.append(question)
    return left, text, told


def write_comments(questions: list[Question], text: str) -> str:
    """Write questions as comments above the parameters that they are about."""
    for question in questions:
        kind = OPEN if question.is_material else SMALL
        answers = [f"  {choice.line}  # {choice.meaning}" for choice in question.choices]
        text = add_comment(text, question.parameter, "\n".join([f"{kind}: {question.found} Write:", *answers]))
    return text


def ask_one_by_one(
    questions: list[Question], text: str, ask: Callable[[str], str] = input
) -> tuple[list[Question], str]:
    """Ask the owner, and write the answers.

    Parameters
    ----------
    questions : list of Question
        The open ones.
    text : str
        The parameters file.
    ask : callable
        Shows a prompt and returns what was typed.

    Returns
    -------
    list of Question, str
        The questions that were put off, and the file with the answers.
    """
    put_off = []
    for question in questions:
        meanings = [*(f"{choice.meaning}:  {choice.line}" for choice in question.choices), LATER]
        print(f"\n{question.found}")
        for number, meaning in enumerate(meanings, start=1):
            print(f"  {number}  {meaning}")
        chosen = _number(ask, len(meanings))
        if chosen == len(meanings):
            put_off.append(question)
        else:
            text = set_parameters(text, question.choices[chosen - 1].parameters)
    return put_off, text


def _number(ask: Callable[[str], str], last: int) -> int:
    """The number that was typed. If typing ends, the question is put off."""
    while True:
        try:
            typed = ask(PROMPT.format(last=last)).strip()
        except EOFError:
            return last
        if typed.isdecimal() and 1 <= int(typed) <= last:
            return int(typed)
