"""Test whether a price is that of one piece or of the whole line."""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.commands.new_report.inference import UNIT_WORDS, best
from crm_utils.core.formatting import MESSAGES
from crm_utils.sources import RawTable, casting, validation
from crm_utils.sources.shared_ids import words_of

# Of the rows or products that can tell, the share that must agree, and how many of them are needed
MIN_SHARE, FEWEST = 0.9, 5
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
UNKNOWN_BASIS = (
    "columns.unit_price: is {price!r} the price of one piece or of the line? No total and no product tells. It is "
    "counted for each piece ({per_piece} in total); write columns.amount: {written} instead if it is of the line "
    "({of_line})"
)


def find_price_basis(
    parts: list[RawTable], columns: Mapping[str, str], guessed: list[str], open_points: list[str]
) -> dict[str, str]:
    """Decide from all rows with several pieces whether the price is that of one piece.

    Parameters
    ----------
    parts : list of RawTable
        The files or sheets, with the formats of their numbers.
    columns : mapping of str to str
        The source's column for each standard name.
    guessed, open_points : list of str
        What was decided is added to the first, what cannot be decided to the second.

    Returns
    -------
    dict of str to str
        The columns, with `amount` in place of `unit_price` if the price is that of the line.
    """
    if not {"quantity", "unit_price"} <= set(columns):
        return dict(columns)
    price = columns["unit_price"]
    free = [name for name in parts[0].table.columns if name not in columns.values()]
    of_line = {name: column for name, column in columns.items() if name != "unit_price"}
    if total := best(free, "amount"):
        found = _sum(parts, columns, total)
        shown = {
            "price": price,
            "total": total,
            "tested": MESSAGES.plural(found.tested, "row") + " with several pieces",
        }
        if _decides(found.piece, found.line, found.tested):
            guessed.append(PER_PIECE.format(agree=MESSAGES.count(found.piece), **shown))
            return dict(columns)
        if _decides(found.line, found.piece, found.tested):
            guessed.append(OF_LINE.format(agree=MESSAGES.count(found.line), **shown))
            return of_line | {"amount": total}
    if UNIT_WORDS & words_of(price):
        return dict(columns)
    if "product_id" in columns:
        found = _count_products(parts, columns)
        shown = {"price": price, "tested": MESSAGES.plural(found.tested, "product") + " sold in several quantities"}
        if _decides(found.line, found.piece, found.tested):
            guessed.append(PRODUCTS_OF_LINE.format(agree=MESSAGES.count(found.line), **shown))
            return of_line | {"amount": price}
        if found.piece >= FEWEST and found.piece > found.line:
            guessed.append(PRODUCTS_PER_PIECE.format(agree=MESSAGES.count(found.piece), **shown))
            return dict(columns)
    found = _sum(parts, columns, price)
    if found.tested:
        per_piece, line = (MESSAGES.number(found[name], 2) for name in ("per_piece", "of_line"))
        open_points.append(UNKNOWN_BASIS.format(price=price, written=price, per_piece=per_piece, of_line=line))
    return dict(columns)


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
