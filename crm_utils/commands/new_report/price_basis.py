"""Say whether a price is that of one piece or of the whole line."""

from collections.abc import Mapping

from crm_utils.core.formatting import MESSAGES
from crm_utils.sources import RawTable
from crm_utils.sources.price_basis import judge_price_basis

PER_PIECE = "price: {price!r} is the price of one piece: quantity × {price!r} is {total!r} in {agree} of {tested}"
OF_LINE = (
    "price: {price!r} is the price of the line, not of one piece: it is {total!r} in {agree} of {tested}, so "
    "columns.amount is {total!r}"
)
PRODUCTS_PER_PIECE = "price: {price!r} is the price of one piece: {agree} of {tested} cost the same in every quantity"
PRODUCTS_OF_LINE = (
    "price: {price!r} is the price of the line, not of one piece: in {agree} of {tested} it grows with the quantity, "
    "so columns.amount is {price!r}"
)


def find_price_basis(parts: list[RawTable], columns: Mapping[str, str], guessed: list[str]) -> dict[str, str]:
    """Decide from all rows with several pieces whether the price is that of one piece.

    Parameters
    ----------
    parts : list of RawTable
        The files or sheets, with the formats of their numbers.
    columns : mapping of str to str
        The source's column for each standard name.
    guessed : list of str
        What was decided is added. What cannot be decided is a question of the report (see `cleaning.questions`).

    Returns
    -------
    dict of str to str
        The columns, with `amount` in place of `unit_price` if the price is that of the line.
    """
    found = judge_price_basis(parts, columns)
    if found is None or found.of_line is None:
        return dict(columns)
    sentences = {
        (True, True): OF_LINE,
        (True, False): PER_PIECE,
        (False, True): PRODUCTS_OF_LINE,
        (False, False): PRODUCTS_PER_PIECE,
    }
    noun = "row" if found.total else "product"
    of_what = " with several pieces" if found.total else " sold in several quantities"
    guessed.append(
        sentences[found.total is not None, found.of_line].format(
            price=found.price,
            total=found.total,
            agree=MESSAGES.count(found.agree),
            tested=MESSAGES.plural(found.tested, noun) + of_what,
        )
    )
    if not found.of_line:
        return dict(columns)
    amount = found.total or found.price
    return {name: column for name, column in columns.items() if name != "unit_price"} | {"amount": amount}
