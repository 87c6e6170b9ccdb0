"""Sums of money in decimals: floating point sums depend on the order in which an engine adds."""

import ibis.expr.types as ir

EXACT_MONEY = "decimal(38, 4)"


def exact_sum(money: ir.NumericColumn, where: ir.BooleanValue | None = None) -> ir.NumericScalar:
    """The sum of a column of money, or of those of its rows where `where` is true, as an exact decimal."""
    return money.cast(EXACT_MONEY).sum(where=where)
