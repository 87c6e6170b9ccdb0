"""Small exports with known answers: `tests/cases`."""

from datetime import date
from pathlib import Path

import ibis.expr.types as ir

from crm_utils.config import Columns, Source
from crm_utils.sources import read_line_items
from tests.support.cleaning_factories import clean

CASES = Path(__file__).parents[1] / "cases"
COLUMNS = {"customer_id": "customer_id", "ordered_at": "order_date", "order_id": "order_id", "amount": "amount"}


def read_case(case: str, file: str = "orders.csv", **columns: str | None) -> ir.Table:
    """The line items of a case. Its columns are ours unless `columns` says otherwise; None leaves one out."""
    return read_line_items(Source(file=file), Columns.model_validate(COLUMNS | columns), CASES / case)


def orders_of_case(case: str, file: str = "orders.csv", **columns: str | None) -> tuple[ir.Table, date]:
    """The orders of a case, and the day of the last one."""
    lines = read_case(case, file, **columns)
    day = lines.ordered_at.max().execute().date()
    return clean(lines, "drop", day)["known"], day
