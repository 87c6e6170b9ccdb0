"""Files that are hostile or had bad luck: each is read to the cent, or refused in one sentence with column and cure."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crm_utils.config import Columns, Source
from crm_utils.core.errors import SourceError, SourceMissing
from crm_utils.core.formatting import without_advice
from crm_utils.sources import read_line_items

COLUMNS = Columns(customer_id="id", ordered_at="day", product_id="sku", quantity="pieces", amount="paid")
HEADER = "id,day,sku,pieces,paid\n"
ROWS = "".join(f"K{n},1997-01-{n % 28 + 1:02},x,1,2.50\n" for n in range(40))


def refusal(folder: Path, content: str | bytes, **source: object) -> str:
    """What is said about a file; without words of the engine, of Python, or of a system's file."""
    path = folder / "shop.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SourceError) as refused:
        read_line_items(Source(file="shop.csv", **source), COLUMNS, folder).execute()
    said = str(refused.value)
    assert said.startswith("shop.csv")
    assert "=true" not in said.replace(" ", "")
    assert "Possible" not in said
    assert len(said) < 600
    return said


@pytest.mark.parametrize(
    ("row", "column", "shown"),
    [
        ("C0\x0001,1997-01-01,x,1,2\n", "id", "'C0\\x0001'"),
        ("C\x07,1997-01-01,x,1,2\n", "id", "'C\\x07'"),
        ('"a\rb",1997-01-01,x,1,2\n', "id", "'a\\rb'"),
        ("a\tb,1997-01-01,x,1,2\n", "id", "'a\\tb'"),
        ("C\x7f,1997-01-01,x,1,2\n", "id", "'C\\x7f'"),
        ("C,1997-01-01,x\x1b[31m,1,2\n", "sku", "'x\\x1b[31m'"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_an_id_with_a_control_character_is_refused_wherever_it_stands(row, column, shown, first, tmp_path):
    said = refusal(tmp_path, HEADER + (row + ROWS if first else ROWS + row), delimiter=",")
    name = {"id": "customer_id", "sku": "product_id"}[column]
    assert f"shop.csv, column {column!r} (columns.{name}): 1 row with a control character in the id" in said
    assert f"for example {shown}; remove these characters" in said


def test_blanks_and_line_ends_around_an_id_are_trimmed_as_ever(tmp_path):
    (tmp_path / "shop.csv").write_text(HEADER + '"\tA\n",1997-01-01,"two\nlines",1,2\n')
    lines = read_line_items(Source(file="shop.csv"), COLUMNS, tmp_path).execute()
    assert lines.customer_id.tolist() == ["A"]
    assert lines.product_id.tolist() == ["two\nlines"]


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("id", [b"\xff\x01"], "bytes (type binary)"),
        ("sku", [["a", "b"]], "lists (type array<string>)"),
        ("id", [{"a": 1}], "records (type struct<a: int64>)"),
    ],
)
@pytest.mark.parametrize("joined", [False, True])
def test_bytes_and_nested_values_are_no_ids(column, values, kind, joined, tmp_path):
    usual = {"id": ["a"], "day": ["1997-01-01"], "sku": ["x"], "pieces": [1], "paid": [2.0]}
    pq.write_table(pa.table(usual | {column: values}), tmp_path / "shop.parquet")
    columns = COLUMNS.model_copy(update={"order_id": ["day", "id"]}) if joined else COLUMNS
    with pytest.raises(SourceError) as refused:
        read_line_items(Source(file="shop.parquet"), columns, tmp_path)
    assert f"shop.parquet, column {column!r} (columns." in str(refused.value)
    assert f"1 row with {kind}, but text or a whole number is needed; choose another column" in str(refused.value)


@pytest.mark.parametrize("place", ["/etc/passwd", "/proc/self/status", "/dev/null"])
def test_a_link_to_a_file_of_the_system_shows_nothing_of_it(place, tmp_path):
    (tmp_path / "shop.csv").symlink_to(place)
    for source in (Source(file="shop.csv"), Source(files=["shop*.csv"]), Source(file=place)):
        with pytest.raises((SourceError, SourceMissing)) as refused:
            read_line_items(source, COLUMNS, tmp_path)
        assert "root:" not in str(refused.value)
        assert "Name:" not in str(refused.value)


def test_keys_of_a_person_are_no_source(tmp_path):
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n")
    (tmp_path / "shop.csv").symlink_to(tmp_path / ".ssh" / "id_ed25519")
    with pytest.raises(SourceError, match="shop.csv leads to .*id_ed25519, a file of the system; name a file with"):
        read_line_items(Source(file="shop.csv"), COLUMNS, tmp_path)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Out of memory. Possible solutions: * Reducing the number of threads (SET threads=X)", "Out of memory"),
        ("CSV Error on Line: 3\nPossible fixes:\n* Enable null padding (null_padding=true)", "CSV Error on Line: 3"),
        ("Cannot open. See https://duckdb.org/docs", "Cannot open"),
        ("It is possible that a solution exists.", "It is possible that a solution exists."),
    ],
)
def test_the_advice_of_an_engine_is_cut(said, kept):
    assert without_advice(said) == kept


def test_a_bare_line_end_in_a_field_is_told_in_our_words(tmp_path):
    said = refusal(tmp_path, HEADER + ROWS + "a\rb,1997-01-01,x,1,2\n")
    assert "cannot be read: some lines end in CR LF and others in LF or CR" in said
