"""Sums of money as decimals, because floating-point sums depend on the order in which an engine adds."""

import ibis.expr.types as ir

EXACT_MONEY = "decimal(38, 4)"


def exact_sum(money: ir.NumericColumn, where: ir.BooleanValue | None = None) -> ir.NumericScalar:
    """The sum of a column of money as an exact decimal. With `where`, only rows for which it is true are added."""
    return money.cast(EXACT_MONEY).sum(where=where)
