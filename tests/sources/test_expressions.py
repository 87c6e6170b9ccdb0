"""Conditions on a source's own columns, against what pandas says to the same query."""

import ibis
import pandas as pd
import pytest

from crm_utils.sources.casting import cast
from crm_utils.sources.expressions import to_condition
from crm_utils.sources.raw_table import TextFormat

ROWS = pd.DataFrame(
    {
        "status": ["paid", " refunded", None, "cancelled", "paid"],
        "total": ["10.00", "-5.00", "7", None, "1000.50"],
        "Sold by": ["web", "till", "web", None, "Till 2"],
        "pieces": [1, 2, 3, 4, 5],
    }
)


def answers(query: str, rows: pd.DataFrame = ROWS) -> list[bool]:
    table = ibis.memtable(rows)
    return (
        table.select(yes=to_condition(query, table, lambda column: cast(column, "amount", TextFormat())))
        .execute()
        .yes.tolist()
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('status == "paid"', [1, 0, 0, 0, 1]),
        ('status != "paid"', [0, 1, 1, 1, 0]),
        ("total > 0", [1, 0, 1, 0, 1]),
        ("not total > 0", [0, 1, 0, 1, 0]),
        ("0 < total <= 10", [1, 0, 1, 0, 0]),
        ('status in ["paid", "refunded"] and total < 100', [1, 1, 0, 0, 0]),
        ('status not in ["paid"]', [0, 1, 1, 1, 0]),
        ("status.isna() or pieces == 4", [0, 0, 1, 1, 0]),
        ("~status.isnull() & (pieces >= 2)", [0, 1, 0, 1, 1]),
        ('`Sold by`.str.startswith("Till")', [0, 0, 0, 0, 1]),
        ('`Sold by`.str.lower() == "till 2"', [0, 0, 0, 0, 1]),
        ('`Sold by`.str.contains("e")', [1, 0, 1, 0, 0]),
        ("pieces.between(2, 3)", [0, 1, 1, 0, 0]),
        ("pieces.isin([1, 5])", [1, 0, 0, 0, 1]),
    ],
)
def test_a_condition_chooses_the_rows_that_it_describes(query, expected):
    assert answers(query) == [bool(number) for number in expected]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("total", "compare columns with values"),
        ("stauts == 'paid'", "no column 'stauts'; did you mean 'status'"),
        ("`a b` == 1", "no column 'a b'"),
        ("__import__('os').system('x') == 1", "may not use"),
        ("total == other(1)", "may not use"),
        ("pieces.abs() > 1", "in a way|neither"),
    ],
)
def test_what_is_no_condition_is_refused(query, message):
    with pytest.raises(ValueError, match=message):
        answers(query)
