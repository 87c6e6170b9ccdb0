"""Conditions and arithmetic on the columns of a source, as the engine that holds the data evaluates them.

A condition is written like a pandas query: `status == "paid" and total > 0`. A name with other signs than letters,
digits and _ stands in backticks. A missing value equals nothing, so `!=` is true for it.
"""

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

import ibis
import ibis.expr.types as ir

from crm_utils.config.safe_query import QUOTED_NAME, check_query
from crm_utils.core.suggestions import did_you_mean

COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
ToNumber = Callable[[ir.Column], ir.Column]


def to_condition(query: str, table: ir.Table, to_number: ToNumber, where: str = "filter") -> ir.BooleanValue:
    """Translate a condition.

    Parameters
    ----------
    query : str
        The condition.
    table : ibis.Table
        The source, with its own column names.
    to_number : callable
        Reads a column of text as numbers, as the source writes them.
    where : str
        The parameter that holds the condition, for messages.

    Returns
    -------
    ibis.BooleanValue
        True or false for each row, never null.

    Raises
    ------
    ValueError
        If the condition is not one, names an unknown column, or uses what conditions may not.
    """
    check_query(query, where)
    plain, names = _without_quotes(query)
    tree = ast.parse(plain, mode="eval").body
    answer = _Translator(table, names, to_number, f"{where}: {query!r}").boolean(tree)
    return answer.fill_null(False)


def to_arithmetic(text: str, column: Callable[[str], ir.Column], where: str) -> ir.Value:
    """Translate arithmetic: + - * / on columns and numbers.

    Parameters
    ----------
    text : str
        The arithmetic, such as `quantity * unit_price * (1 - discount)`.
    column : callable
        The column of a name, as numbers. Raises if there is none.
    where : str
        The parameter that holds the arithmetic, for messages.

    Returns
    -------
    ibis.Value
        A number for each row. A missing value that is added or taken off is 0; one that is multiplied, or a division
        by 0, makes the result null.

    Raises
    ------
    ValueError
        If the text is no arithmetic.
    """
    plain, names = _without_quotes(text)
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{where}: {text!r} is neither a column nor arithmetic on columns") from None

    def value(node: ast.expr) -> Any:
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
            left, right = value(node.left), value(node.right)
            if isinstance(node.op, ast.Add | ast.Sub):
                left, right = (side.fill_null(0) if isinstance(side, ir.Value) else side for side in (left, right))
            if isinstance(node.op, ast.Div):
                right = right.nullif(0) if isinstance(right, ir.Value) else right or None
            return ibis.null("float64") if right is None else OPERATIONS[type(node.op)](left, right)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand)
        if isinstance(node, ast.Name):
            return column(names.get(node.id, node.id))
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return node.value
        raise ValueError(f"{where}: {text!r} may use columns, numbers, + - * / and brackets only")

    result = value(tree)
    if not isinstance(result, ir.Value):
        raise ValueError(f"{where}: {text!r} names no column")
    return result


def _without_quotes(text: str) -> tuple[str, dict[str, str]]:
    """The text with a plain name for each name in backticks, and the names that these stand for."""
    names: dict[str, str] = {}

    def unquote(match: re.Match[str]) -> str:
        name = f"_quoted_{len(names)}"
        names[name] = match[0][1:-1]
        return name

    return re.sub(QUOTED_NAME, unquote, text).strip(), names


class _Translator:
    """Turns the tree of a condition into an expression on a table."""

    def __init__(self, table: ir.Table, names: dict[str, str], to_number: ToNumber, label: str):
        self._table, self._names, self._to_number, self._label = table, names, to_number, label

    def boolean(self, node: ast.expr) -> Any:
        if isinstance(node, ast.BoolOp):
            parts = [self.boolean(part) for part in node.values]
            return ibis.and_(*parts) if isinstance(node.op, ast.And) else ibis.or_(*parts)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
            left, right = self.boolean(node.left), self.boolean(node.right)
            return left & right if isinstance(node.op, ast.BitAnd) else left | right
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
            return ~self.boolean(node.operand)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._method(node.func, [self._literal(argument) for argument in node.args])
        raise ValueError(f"{self._label} is not a condition: compare columns with values")

    def _comparison(self, node: ast.Compare) -> Any:
        sides = [node.left, *node.comparators]
        parts = [
            self._compare(left, kind, right) for left, kind, right in zip(sides, node.ops, sides[1:], strict=False)
        ]
        return ibis.and_(*parts)

    def _compare(self, left: ast.expr, kind: ast.cmpop, right: ast.expr) -> Any:
        if isinstance(kind, ast.In | ast.NotIn):
            found = self._is_in(self.value(left), self._literal(right))
            return ~found if isinstance(kind, ast.NotIn) else found
        if type(kind) not in COMPARISONS:
            raise ValueError(f"{self._label} uses a comparison that conditions may not: use == != < <= > >= in")
        first, second = self.value(left), self.value(right)
        first, second = self._alike(first, second)
        return COMPARISONS[type(kind)](first, second).fill_null(isinstance(kind, ast.NotEq))

    def _alike(self, first: Any, second: Any) -> tuple[Any, Any]:
        """A column of text is read as numbers if it is compared with a number, else stripped of blanks."""
        number = any(isinstance(side, int | float) and not isinstance(side, bool) for side in (first, second))
        ready = [self._ready(side, number) if isinstance(side, ir.Column) else side for side in (first, second)]
        return ready[0], ready[1]

    def _ready(self, column: ir.Column, number: bool) -> Any:
        if not column.type().is_string():
            return column
        return self._to_number(column) if number else column.strip()

    def _is_in(self, column: ir.Column, values: list[Any]) -> Any:
        number = all(isinstance(value, int | float) for value in values)
        return self._ready(column, number).isin(values).fill_null(False)

    def _method(self, function: ast.Attribute, arguments: list[Any]) -> Any:
        column = self.value(function.value)
        text = isinstance(column, ir.StringColumn)
        match function.attr, arguments:
            case ("isin", [list(values)]):
                return self._is_in(column, values)
            case ("between", [low, high]):
                return self._ready(column, isinstance(low, int | float)).between(low, high).fill_null(False)
            case ("isna" | "isnull", []):
                return column.strip().nullif("").isnull() if text else column.isnull()
            case ("notna" | "notnull", []):
                return column.strip().nullif("").notnull() if text else column.notnull()
            case ("startswith" | "endswith", [str(part)]) if text:
                return getattr(column.strip(), function.attr)(part).fill_null(False)
            case ("contains", [str(part)]) if text:
                return column.contains(part).fill_null(False)
        raise ValueError(f"{self._label} uses .{function.attr} in a way that conditions may not")

    def value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return self._column(self._names.get(node.id, node.id))
        if isinstance(node, ast.Attribute) and node.attr == "str":
            return self.value(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
            if node.func.attr in ("lower", "upper", "strip"):
                return getattr(self.value(node.func.value), node.func.attr)()
            if node.func.attr == "len":
                return self.value(node.func.value).length()
        return self._literal(node)

    def _literal(self, node: ast.expr) -> Any:
        try:
            return ast.literal_eval(node)
        except ValueError:
            raise ValueError(f"{self._label}: {ast.unparse(node)} is neither a column nor a value") from None

    def _column(self, name: str) -> ir.Column:
        if name not in self._table.columns:
            hint = did_you_mean(name, self._table.columns) or f"it has: {', '.join(self._table.columns)}"
            raise ValueError(f"{self._label}: the source has no column {name!r}; {hint}")
        return self._table[name]
