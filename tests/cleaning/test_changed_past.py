"""What counts on a published date, before and after its source changed."""

import ibis
import pandas as pd

from crm_utils.cleaning import changed_past, narrative
from crm_utils.config.report import PastTotals
from crm_utils.core.formatting import NumberFormat

FMT = NumberFormat("EUR")
LEDGER = pd.DataFrame({"rows_left": [9, 8, 7], "customers_left": [4, 4, 3], "revenue_left": [99.0, 99.0, 70.501]})
ORDERS = ibis.memtable({"order_id": ["1", "2", "3", "4"]})
NOW = PastTotals(rows=7, orders=4, customers=3, revenue=70.5)


def test_the_last_row_of_the_ledger_and_the_orders_count():
    assert changed_past.past_totals(LEDGER, ORDERS) == NOW


def test_a_warning_only_if_the_past_changed():
    assert changed_past.check_past(None, LEDGER, ORDERS) == []
    assert changed_past.check_past(NOW, LEDGER, ORDERS) == []
    before = NOW.model_copy(update={"orders": 3, "revenue": 60.0})
    (found,) = changed_past.check_past(before, LEDGER, ORDERS)
    assert not found.passed and found.past == (before, NOW)
    assert narrative.past_changes(before, NOW, FMT) == "orders 3 → 4 and revenue €60.00 → €70.50"
