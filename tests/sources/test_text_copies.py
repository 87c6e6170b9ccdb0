"""The parquet copy of a long text file: the same rows and the same errors as the file itself."""

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


def test_a_damaged_line_is_named_and_leaves_no_copy(tmp_path):
    damaged = ROWS.replace("20,2024-01-20,", "20,2024-01-20,2,3,")
    (tmp_path / "orders.csv").write_text(damaged, encoding="utf-8")
    with pytest.raises(SourceError, match="orders.csv cannot be read: line 21 has 4 fields"):
        read(tmp_path)
    assert not list((tmp_path / ".cache").rglob("*.parquet*"))
