"""The cleaning of line items is the same on another engine as on DuckDB."""

import os
from pathlib import Path

import ibis
import pandas as pd
import pytest

from crm_utils.cleaning import cancellations, customer_features, data_quality
from crm_utils.cleaning import ledger as ledgers
from crm_utils.cleaning import rules as cleaning
from crm_utils.core import duckdb_engine, orders
from tests.support.cleaning_factories import DAY, MODES, TINY, line_items


def sqlite_lines(path: Path) -> ibis.Table:
    """The tiny ledger, held by SQLite."""
    frame = line_items(TINY).drop("amount").execute().assign(country="UK")
    frame = frame.astype({"quantity": float, "unit_price": float})
    frame["ordered_at"] = frame.ordered_at.dt.strftime("%Y-%m-%d %H:%M:%S")
    connection = ibis.sqlite.connect(path)
    raw = connection.create_table("lines", ibis.memtable(frame).to_pyarrow())
    money = {"quantity": "decimal(18, 4)", "unit_price": "decimal(18, 4)"}
    lines = raw.cast({"ordered_at": "timestamp"} | money)
    return lines.mutate(amount=(lines.quantity * lines.unit_price).cast("decimal(18, 4)"))


def derived(lines: ibis.Table, mode: str) -> list[pd.DataFrame]:
    rules = cleaning.removal_rules(lines, DAY, mode)
    classified = cleaning.classify(lines, rules)
    log = ledgers.build_ledger(orders.aggregate_lines(classified), list(rules))
    counted, cancelled = cleaning.keep_counted_lines(classified, log, DAY), cleaning.select_cancellations(classified)
    matched = cancellations.match_cancellations(counted, cancelled, mode)
    placed = orders.orders_from_lines(counted)
    tables = [
        cancellations.order_adjustments(matched),
        cancellations.unmatched_cancellations(matched),
        placed,
        customer_features.compute_customer_features(counted, cancelled),
    ]
    frames = [table.execute() for table in tables]
    facts = pd.DataFrame([data_quality.summarize_data(placed, DAY)])
    return [
        log,
        facts,
        data_quality.daily_orders(placed),
        *(f.sort_values(list(f.columns), ignore_index=True) for f in frames),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_sqlite_gives_the_tables_that_duckdb_gives(tmp_path: Path, mode: str):
    here = derived(line_items(TINY, country="UK"), mode)
    there = derived(sqlite_lines(tmp_path / "lines.sqlite"), mode)
    for one, other in zip(here, there, strict=True):
        for column in one.select_dtypes("datetime"):
            other[column] = pd.to_datetime(other[column])
        pd.testing.assert_frame_equal(one, other[one.columns], check_dtype=False)


def test_duckdb_is_held_to_its_memory_also_after_a_step_with_more_room():
    def limit() -> str:
        return duckdb_engine.duckdb().con.execute("select current_setting('memory_limit')").fetchone()[0]

    def of(megabytes: int) -> str:
        size = megabytes * 1_000_000 * max(os.cpu_count() or 2, 2)
        return ibis.duckdb.connect().con.execute("select format_bytes(?::bigint)", [size]).fetchone()[0]

    assert limit() == of(duckdb_engine.MB_PER_CORE)
    with pytest.raises(ZeroDivisionError), duckdb_engine.raised_memory_limit():
        assert limit() == of(duckdb_engine.RAISED_MB_PER_CORE)
        raise ZeroDivisionError
    assert limit() == of(duckdb_engine.MB_PER_CORE)
