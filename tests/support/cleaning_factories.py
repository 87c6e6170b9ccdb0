"""Line items for tests of cleaning, and everything 01_cleaning derives from them."""

from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest

from crm_utils.cleaning import cancellations, ledger, outliers
from crm_utils.cleaning import rules as cleaning
from crm_utils.core import orders

DAY = date(2011, 12, 9)
MODES = ["drop", "net", "match"]
TINY = [
    ("anna", "1", "2011-01-01 10:00", "mug", 10, 2.0),
    ("anna", "2", "2011-02-01 10:00", "mug", 10, 2.0),
    ("anna", "2", "2011-02-01 10:00", "bag", 1, 7.0),
    ("anna", "C3", "2011-02-05 10:00", "mug", -6, 2.0),
    ("anna", "C4", "2011-02-06 10:00", "mug", -6, 2.0),
    ("anna", "C5", "2011-02-07 10:00", "mug", -9, 2.0),
    ("bert", "6", "2011-03-01 10:00", "lamp", 5, 8.0),
    ("bert", "C7", "2011-03-04 10:00", "lamp", -5, 8.0),
    ("cleo", "C8", "2011-03-05 10:00", "lamp", -1, 8.0),
    (None, "9", "2011-03-06 10:00", "lamp", 1, 8.0),
]
# Anna: two mugs of ten for 2.00 in each of two orders; six sent back after the second, then six more, then nine too
# many. Bert: one order of five lamps, taken back as a whole. Cleo: cancels what she never bought.


def line_items(rows: list[tuple], **more: list) -> ibis.Table:
    """Line items from rows of (customer, order, time, product, quantity, price)."""
    names = ["customer_id", "order_id", "ordered_at", "product_id", "quantity", "unit_price"]
    frame = pd.DataFrame(rows, columns=names).assign(**more)
    frame["ordered_at"] = pd.to_datetime(frame.ordered_at)
    table = ibis.memtable(frame).cast({"quantity": "decimal(18, 4)", "unit_price": "decimal(18, 4)"})
    table = table.mutate(amount=(table.quantity * table.unit_price).cast("decimal(18, 4)"))
    return table.mutate(negative=table.amount < 0)


def retail_lines(folder: Path, *years: str) -> ibis.Table:
    """The line items of Online Retail II by sheet, with the column `extract` where there are two."""
    parts = []
    for number, year in enumerate(years):
        raw = ibis.read_parquet(folder / f"year_{year}.parquet")
        part = raw.select(
            order_id=raw.Invoice,
            product_id=raw.StockCode,
            description=raw.Description,
            quantity=raw.Quantity.cast("decimal(18, 4)"),
            unit_price=raw.Price.cast("decimal(18, 4)"),
            ordered_at=raw.InvoiceDate,
            customer_id=raw["Customer ID"].cast("int64").cast("string"),
            country=raw.Country,
        )
        parts.append(part.mutate(extract=ibis.literal(number).cast("int64")))
    table = ibis.union(*parts) if len(parts) > 1 else parts[0].drop("extract")
    table = table.mutate(amount=(table.quantity * table.unit_price).cast("decimal(18, 4)"))
    return table.mutate(negative=table.amount < 0)


def clean(lines: ibis.Table, mode: str, day: date = DAY, caps: bool = False, **options) -> dict:
    """Everything 01_cleaning derives from line items."""
    lines = cleaning.flag_repeated_lines(lines)
    rules = cleaning.removal_rules(lines, day, mode, **options)
    classified = cleaning.classify(lines, rules)
    rows = ledger.build_ledger(orders.aggregate_lines(classified), list(rules))
    rows = ledger.ledger_after_amount_parts(rows, classified)
    counted = cleaning.keep_counted_lines(classified, rows, day)
    capped = outliers.apply_caps(classified, outliers.fit_caps(counted, caps))
    rows = ledger.ledger_after_capping(rows, classified, capped, mode)
    counted = cleaning.keep_counted_lines(capped, rows, day)
    matched = cancellations.match_cancellations(counted, cleaning.select_cancellations(capped), mode)
    placed = orders.orders_from_lines(counted).cache()
    adjustments = cancellations.order_adjustments(matched).cache()
    known = orders.orders_as_of(placed, adjustments, day).cache()
    rows = ledger.ledger_after_cancellations(rows, matched, known, mode)
    unmatched = cancellations.unmatched_cancellations(matched).execute()
    return {"ledger": rows, "placed": placed, "adjustments": adjustments, "known": known, "unmatched": unmatched}


def adjusted(found: dict) -> float:
    return float(found["adjustments"].execute().revenue.sum())


def assert_reconciles(found: dict) -> None:
    """The ledger adds up from line to line, and its end is the orders, the adjustments and the customers."""
    rows = found["ledger"]
    assert rows.rows_removed.iloc[0] == 0
    assert (rows.rows_left.diff().iloc[1:] == -rows.rows_removed.iloc[1:]).all()
    assert rows.revenue_left.diff().iloc[1:].to_numpy() == pytest.approx(
        -rows.revenue_removed.iloc[1:].to_numpy(), abs=0.01
    )
    assert rows.customers_left.is_monotonic_decreasing
    left = rows.iloc[-1]
    assert left.revenue_left == pytest.approx(orders.total_revenue(found["placed"]) + adjusted(found), abs=0.01)
    assert left.revenue_left == pytest.approx(orders.total_revenue(found["known"]), abs=0.01)
    known = found["known"].execute()
    assert (left.customers_left, left.rows_left) == (known.customer_id.nunique(), known.lines.sum())
