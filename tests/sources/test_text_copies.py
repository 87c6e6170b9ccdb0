"""The parquet copy of a long text file: the same rows and the same errors as the file itself."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crm_utils.config import Source
from crm_utils.core.errors import SourceError
from crm_utils.sources import read_raw_tables, text_copies, validation

ROWS = "customer,day,note\n" + "".join(f"{number},2024-01-{number:02},é;{number}\n" for number in range(1, 32))


@pytest.fixture(autouse=True)
def long(monkeypatch):
    monkeypatch.setattr(text_copies, "LONG", 0)


def read(folder, **source):
    (part,) = read_raw_tables(Source(file="orders.csv", **source), folder)
    return part, validation.execute(part.table, part)


def test_rows_are_the_same_and_in_order(tmp_path, monkeypatch):
    (tmp_path / "orders.csv").write_text(ROWS, encoding="utf-8")
    copied, rows = read(tmp_path)
    monkeypatch.setattr(text_copies, "LONG", 1_000_000)
    parsed, expected = read(tmp_path)
    assert (copied.columnar, parsed.columnar) == (True, False)
    assert len(rows) == 31
    assert rows.equals(expected)


def test_another_content_or_way_to_read_is_another_copy(tmp_path):
    (tmp_path / "orders.csv").write_text(ROWS, encoding="utf-8")
    read(tmp_path)
    assert len(read(tmp_path, names=["who", "when", "what"])[1]) == 32
    (tmp_path / "orders.csv").write_text(ROWS + "99,2024-02-01,last\n", encoding="utf-8")
    assert read(tmp_path)[1].customer.tolist()[-1] == "99"


def test_a_query_is_asked_again_if_the_parquet_file_changed(tmp_path):
    table = pa.table({"customer": ["a", "b"]})
    pq.write_table(table, tmp_path / "orders.parquet")
    source = Source(file="orders.parquet")
    (part,) = read_raw_tables(source, tmp_path)
    first = validation.execute(part.table.aggregate(rows=part.table.count()), part)
    first["rows"] = 0  # what one caller does with the answer is not seen by the next
    assert validation.execute(part.table.aggregate(rows=part.table.count()), part)["rows"].tolist() == [2]
    pq.write_table(pa.concat_tables([table, table]), tmp_path / "orders.parquet")
    os.utime(tmp_path / "orders.parquet", (2_000_000_000, 2_000_000_000))  # DuckDB sees whole seconds
    (part,) = read_raw_tables(source, tmp_path)
    assert validation.execute(part.table.aggregate(rows=part.table.count()), part)["rows"].tolist() == [4]


def test_a_damaged_line_is_named_and_leaves_no_copy(tmp_path):
    damaged = ROWS.replace("20,2024-01-20,", "20,2024-01-20,2,3,")
    (tmp_path / "orders.csv").write_text(damaged, encoding="utf-8")
    with pytest.raises(SourceError, match="orders.csv cannot be read: line 21 has 4 fields"):
        read(tmp_path)
    assert not list((tmp_path / ".cache").rglob("*.parquet*"))
