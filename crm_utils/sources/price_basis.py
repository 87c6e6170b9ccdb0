"""Test whether a price is that of one piece or of the whole line."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.sources import casting, validation
from crm_utils.sources.column_names import UNIT_WORDS, find_named_column
from crm_utils.sources.raw_table import RawTable
from crm_utils.sources.shared_ids import words_of

# Of the rows or products that can tell, the share that must agree, and how many of them are needed
MIN_SHARE, FEWEST = 0.9, 5
# Words in the names of columns of pieces, and words that make them other pieces than those that were sold
QUANTITY_WORDS = {"quantity", "qty", "units", "pieces", "menge", "anzahl", "quantite", "cantidad", "aantal"}
OTHER_WORDS = {"returned", "returns", "return", "refunded", "cancelled", "stock", "min", "max", "available"}


@dataclass(frozen=True)
class PriceBasis:
    """What a price is the price of.

    Parameters
    ----------
    price : str
        The source's column of prices.
    of_line : bool or None
        Whether it is the price of the line; None if the data do not tell.
    agree, tested : int
        The rows with several pieces, or the products sold in several quantities, that show it, and all that can tell.
    per_piece, per_line : float
        The total of all rows in each case.
    total : str or None
        The column of totals that shows it; None if products do.
    quantity : str or None
        A column of pieces that no parameter names.
    """

    price: str
    of_line: bool | None
    agree: int
    tested: int
    per_piece: float = 0.0
    per_line: float = 0.0
    total: str | None = None
    quantity: str | None = None


def judge_price_basis(parts: list[RawTable], columns: Mapping[str, str]) -> PriceBasis | None:
    """Decide from all rows with several pieces whether the price is that of one piece.

    Parameters
    ----------
    parts : list of RawTable
        The files or sheets, with the formats of their numbers.
    columns : mapping of str to str
        The source's column for each standard name.

    Returns
    -------
    PriceBasis or None
        None if there is no doubt: without quantities and prices, without a row of several pieces, or if the name of
        the column says that it is the price of a unit.
    """
    if not {"quantity", "unit_price"} <= set(columns):
        return None
    price = columns["unit_price"]
    free = [name for name in parts[0].table.columns if name not in columns.values()]
    if total := find_named_column(free, "amount"):
        found = _sum(parts, columns, total)
        for of_line, agree, other in ((False, found.piece, found.line), (True, found.line, found.piece)):
            if _decides(agree, other, found.tested):
                return PriceBasis(price, of_line, int(agree), int(found.tested), total=total)
    if UNIT_WORDS & words_of(price):
        return None
    if "product_id" in columns:
        found = _count_products(parts, columns)
        if _decides(found.line, found.piece, found.tested):
            return PriceBasis(price, True, int(found.line), int(found.tested))
        if found.piece >= FEWEST and found.piece > found.line:
            return PriceBasis(price, False, int(found.piece), int(found.tested))
    found = _sum(parts, columns, price)
    if not found.tested:
        return None
    return PriceBasis(price, None, 0, int(found.tested), float(found.per_piece), float(found.of_line))


def judge_unused_quantity(parts: list[RawTable], columns: Mapping[str, str]) -> PriceBasis | None:
    """Find out whether an amount named like a price must be multiplied with a column of pieces that is not used.

    Parameters
    ----------
    parts : list of RawTable
        The files or sheets, with the formats of their numbers.
    columns : mapping of str to str
        The source's column for each standard name: with `amount`, without `quantity`.

    Returns
    -------
    PriceBasis or None
        None if the amount is not named like a price, if there is no column of pieces, or if the price is of the line.
    """
    amount = columns.get("amount")
    if amount is None or "quantity" in columns or find_named_column([amount], "amount"):
        return None
    free = [name for name in parts[0].table.columns if name not in columns.values()]
    pieces = [name for name in free if words_of(name) & QUANTITY_WORDS and not words_of(name) & OTHER_WORDS]
    if not pieces or not find_named_column([amount], "unit_price"):
        return None
    others = {name: column for name, column in columns.items() if name != "amount"}
    named = others | {"quantity": pieces[0], "unit_price": amount}
    found = judge_price_basis(parts, named)
    if found is not None and found.of_line:
        return None
    sums = _sum(parts, named, amount)
    if not sums.tested:
        return None
    return PriceBasis(amount, None, 0, int(sums.tested), float(sums.per_piece), float(sums.of_line), None, pieces[0])


def _decides(agree: float, other: float, tested: float) -> bool:
    return tested >= FEWEST and agree >= MIN_SHARE * tested and other < (1 - MIN_SHARE) * tested


def _numbers(part: RawTable, columns: Mapping[str, str], **more: str) -> ir.Table:
    named = {"quantity": columns["quantity"], "price": columns["unit_price"], **more}
    table = part.table
    numbers = {name: casting.as_factor(table[own], part.format) for name, own in named.items()}
    product = {"product": table[columns["product_id"]].cast("string")} if "product_id" in columns else {}
    return table.select(**numbers, **product)


def _sum(parts: list[RawTable], columns: Mapping[str, str], total: str) -> pd.Series:
    """Count the rows with several pieces in which the total is quantity × price, and those in which it is the price."""
    sums = []
    for part in parts:
        rows = _numbers(part, columns, total=total)
        several = (rows.quantity.abs() > 1) & (rows.price != 0) & rows.total.notnull()
        near = ibis.greatest(rows.total.abs() * 0.001, ibis.literal(0.011))
        piece, line = ((value - rows.total).abs() <= near for value in (rows.quantity * rows.price, rows.price))
        counted = rows.aggregate(
            tested=several.sum(),
            piece=(several & piece).sum(),
            line=(several & line).sum(),
            per_piece=(rows.quantity * rows.price).sum(),
            of_line=rows.price.sum(),
        )
        sums.append(validation.execute(counted, part))
    return pd.concat(sums).sum()


def _count_products(parts: list[RawTable], columns: Mapping[str, str]) -> pd.Series:
    """Count the products sold in several quantities: with one price, and with a price that grows with the quantity."""
    sums = []
    for part in parts:
        rows = _numbers(part, columns)
        rows = rows.filter((rows.quantity > 0) & (rows.price > 0) & rows["product"].notnull())
        each = rows.price / rows.quantity
        products = rows.group_by("product").agg(
            quantities=rows.quantity.max() > rows.quantity.min(),
            piece=rows.price.max() <= 1.01 * rows.price.min(),
            line=each.max() <= 1.01 * each.min(),
        )
        products = products.filter(products.quantities)
        counted = products.aggregate(tested=products.count(), piece=products.piece.sum(), line=products.line.sum())
        sums.append(validation.execute(counted, part).fillna(0))
    return pd.concat(sums).sum()
