"""How much of revenue few customers bring, by hand."""

from datetime import date

import ibis
import pandas as pd
import pytest

from crm_utils.core.formatting import NumberFormat
from crm_utils.rfm import tables
from crm_utils.rfm.concentration import top_revenue_shares
from tests.support.page_tables import cell_texts

DAY = date(2024, 6, 30)


def orders(*rows: tuple[str, str, float]) -> ibis.expr.types.Table:
    table = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    return ibis.memtable(table.assign(ordered_at=pd.to_datetime(table.ordered_at)))


def test_both_years_by_hand():
    rows = [(f"c{n}", "2024-01-01", 1.0) for n in range(19)] + [("big", "2024-06-30", 11.0)]
    rows += [("big", "2022-07-01", 5.0), ("x", "2023-06-30", 15.0)]
    shares = top_revenue_shares(orders(*rows), DAY)
    assert shares.top_share.tolist() == [0.01, 0.05, 0.1, 0.2, 0.5]
    assert shares.customers.tolist() == [1, 1, 2, 4, 10]
    assert shares.revenue_share.tolist() == pytest.approx([11 / 30, 11 / 30, 12 / 30, 14 / 30, 20 / 30])
    assert shares.revenue_share_before.tolist() == [0.75] * 5
    texts = cell_texts(tables.top_revenue_shares(shares, NumberFormat("USD")))
    assert texts[0] == ["Top", "Customers", "Of revenue", "12 months before"]
    assert texts[3] == ["10%", "2", "40%", "75%"]


def test_a_short_history_has_no_year_before_and_no_revenue_no_table():
    young = top_revenue_shares(orders(("a", "2024-01-01", 3.0)), DAY)
    assert young.revenue_share.tolist() == [1.0] * 5
    assert len(cell_texts(tables.top_revenue_shares(young, NumberFormat("USD")))[0]) == 3
    nothing = top_revenue_shares(orders(("a", "2020-01-01", 3.0)), DAY)
    assert nothing.empty and tables.top_revenue_shares(nothing, NumberFormat("USD")) is None
