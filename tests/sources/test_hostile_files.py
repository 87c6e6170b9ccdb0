"""Files that are hostile or had bad luck: each is read to the cent, or refused in one sentence with column and cure."""

import gzip
import random
from datetime import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crm_utils.config import Columns, Source, parse_model
from crm_utils.config.yaml_models import Model
from crm_utils.core.errors import ParamsError, SourceError, SourceMissing
from crm_utils.core.formatting import without_advice
from crm_utils.sources import read_line_items
from tests.support.hostile_files import with_sheet, workbook_bytes, write

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
    assert (
        f"shop.csv, column {column!r} (columns.{name}): 1 row with a control character or an invisible one in" in said
    )
    assert f"the id, for example {shown}; remove these characters" in said


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


# What is refused, and the words that name the cause and the cure
WORKBOOK = [
    ("id", "day", "sku", "pieces", "paid"),
    *((f"K{n}", f"1997-01-{n % 28 + 1:02}", "x", 1, 2.5) for n in range(30)),
]
HTML = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><p>x</p></body></html>"
REFUSED = {
    "only zero bytes, as after a crash": (b"\0" * 500, "is full of zero bytes; copy or export it again"),
    "random bytes": (random.Random(1).randbytes(3000), "is not text; export the table as csv"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "is an image; export the table as csv"),
    "a workbook": (workbook_bytes(WORKBOOK), "is a workbook; rename it to .xlsx"),
    "an old workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "is a workbook of an old kind, or one with a",
    ),
    "a packed file": (gzip.compress(HEADER.encode()), "is packed with gzip; rename it so that it ends in .gz"),
    "a parquet file": (b"PAR1" + bytes(100), "is a parquet file; rename it to .parquet"),
    "a database": (b"SQLite format 3\0" + bytes(100), "is an SQLite database; name it as source.database"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3", "is a PDF document; export the table as csv"),
    "the page of a login": (HTML, "is a web page; open the export again in your browser, log in"),
    "JSON": ('[{"id": "a", "day": "1997-01-01"}]\n', "is JSON; export the table as csv"),
    "XML": ('<?xml version="1.0"?>\n<rows/>\n', "is an XML document; export the table as csv"),
    "a dump": ("INSERT INTO orders VALUES (1, '1997-01-01');\n", "is a dump of a database; export the table as csv"),
    "a pointer": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d\n",
        "is a pointer of Git LFS; fetch the data",
    ),
    "marks of a merge": (
        f"{HEADER}{ROWS}<<<<<<< HEAD\nA,1997-01-01,x,1,2\n>>>>>>> x\n",
        "the marks of a merge conflict",
    ),
    "a file cut in a row": (HEADER + ROWS + "K1,1997-01", "ends within a row ('K1, 1997-01'), so it is incomplete"),
    "a file cut in a letter": ((HEADER + ROWS).encode() + b"K\xc3", "ends within a letter, so it is incomplete"),
    "column names again": (
        HEADER + ROWS + HEADER + ROWS,
        "the column names are repeated inside the file: remove these",
    ),
    "a quote left open at the start": ('"' + HEADER + ROWS, "It has: id,day,sku,pieces,paid K0,1997-01-01,x,1,2.50"),
    "a cell of 3 MB": (f"{HEADER}{ROWS}K1,1997-01-01,{'y' * 3_000_000},1,2\n", "line 42 has more than 2,000,000 bytes"),
    "an invisible letter": (HEADER + ROWS + "K\u200b1,1997-01-01,x,1,2\n", "for example 'K\\u200b1'; remove these"),
    "letters that turn the direction": (HEADER + ROWS + "K\u202e1,1997-01-01,x,1,2\n", "for example 'K\\u202e1'"),
    "a byte order mark in the middle": (HEADER + ROWS + "\ufeffK1,1997-01-01,x,1,2\n", "for example '\\ufeffK1'"),
    "the error of a spreadsheet": (
        HEADER + ROWS + "K1,1997-01-01,x,1,#REF!\n",
        "a formula of the spreadsheet has an error",
    ),
    "a word that is a date for DuckDB": (
        HEADER + ROWS + "K1,epoch,x,1,2\n",
        "1 row without a readable date, for example 'e",
    ),
    "endless time": (HEADER + ROWS + "K1,infinity,x,1,2\n", "1 row without a readable date, for example 'infinity'"),
    "a 25th hour": (
        HEADER + ROWS + "K1,1997-01-01 25:00,x,1,2\n",
        "readable date, for example '1997-01-01 25:00'",
    ),
    "the 29th of February 1900": (HEADER + ROWS + "K1,1900-02-29,x,1,2\n", "for example '1900-02-29'"),
    "a number in base 16": (
        HEADER + ROWS + "K1,1997-01-01,x,1,0x10\n",
        "readable number, for example '0x10'",
    ),
    "digits of another script": (
        HEADER + ROWS + "K1,1997-01-01,x,1,\u0661\n",
        "without a readable number, for example",
    ),
    "an amount beyond all decimals": (HEADER + ROWS + "K1,1997-01-01,x,1,1e18\n", "for example '1e18'"),
    "rows of two fields": (HEADER + "K1,1997-01-01\n" * 9, "line 2 has 2 fields, but the first row has 5"),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_none_says_what_it_is_and_what_to_do(content, words, tmp_path):
    assert words in refusal(tmp_path, content)


@pytest.mark.parametrize("name", ["par1", "GIF8", "<id", "{id", "--id", "[id]", "insert into"])
def test_a_table_whose_first_name_looks_like_another_kind_is_a_table(name, tmp_path):
    (tmp_path / "shop.csv").write_text(HEADER.replace("id", name, 1) + ROWS)
    lines = read_line_items(Source(file="shop.csv"), COLUMNS.model_copy(update={"customer_id": name}), tmp_path)
    assert lines.count().execute() == 40


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"encoding": "idna"}, "source.encoding: Python has no encoding 'idna'"),
        ({"encoding": "a\0b"}, "source.encoding: Python has no encoding"),
        ({"encoding": "undefined"}, "source.encoding: Python has no encoding 'undefined'"),
        ({"header_row": 10**9}, "no line is left, or all are blank; correct source.header_row: 1000000000"),
        ({"footer": 10**9}, "no line is left, or all are blank; correct source.footer: 1000000000"),
        ({"date_format": "%Q"}, "source.date_format: '%Q' is no strptime pattern; write it as '%d.%m.%Y'"),
        ({"filter": "(" * 3000 + "1" + ")" * 3000}, "…' is not a valid pandas query"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(settings, words, tmp_path):
    (tmp_path / "shop.csv").write_text(HEADER + ROWS)
    with pytest.raises(SourceError) as refused:
        read_line_items(Source(file="shop.csv", **settings), COLUMNS, tmp_path).execute()
    assert words in str(refused.value)
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"delimiter": '"'}, "source.delimiter: '\"' cannot separate fields"),
        ({"delimiter": "\0"}, "cannot separate fields; write a mark such as ';'"),
        ({"delimiter": "a"}, "'a' cannot separate fields"),
        ({"currency_sign": "2"}, "'2' would be taken off numbers; write the sign alone"),
        ({"currency_sign": "."}, "'.' would be taken off numbers"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands are both ','"),
        ({"timezone": "Mars/Phobos"}, "'Mars/Phobos' is not a time zone; write it as Europe/London"),
        ({"timezone": "../../etc/passwd"}, "is not a time zone"),
        ({"timezone": "UTC'; drop table x; --"}, "is not a time zone"),
        ({"file": ""}, "source.file: String should have at least 1 character"),
    ],
)
def test_a_setting_that_never_fits_is_refused_in_the_parameters(settings, words):
    with pytest.raises(ParamsError) as refused:
        parse_model({"source": {"file": "shop.csv"} | settings}, Holder, "params/shop.yaml")
    assert words in str(refused.value)


class Holder(Model):
    """A parameters file with a source alone."""

    source: Source


def test_blanks_of_spreadsheets_and_marks_at_the_start_change_no_id(tmp_path):
    rows = "\u00a0K1\u00a0,1997-01-01,x,1,2\nK1,1997-01-02,x,1,2\n#REF!,1997-01-01,x,1,2\n"
    (tmp_path / "shop.csv").write_bytes(b"\xef\xbb\xbf\xef\xbb\xbf" + (HEADER + rows).encode())
    lines = read_line_items(Source(file="shop.csv"), COLUMNS, tmp_path).execute()
    assert lines.customer_id.dropna().tolist() == ["K1", "K1"]
    assert lines.customer_id.isna().sum() == 1, "an error of a spreadsheet is no customer"


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("id", [2.0**60], "1 row with an id of more than 15 digits, stored as a decimal number"),
        ("id", [True], "1 row with yes or no (type boolean), but text or a whole number is needed"),
        ("paid", [True], "1 row with yes or no (type boolean), but a number is needed"),
        ("paid", [{"a": 1}], "1 row with records (type struct<a: int64>), but a number is needed"),
        ("day", [time(12)], "1 row with times without a date (type time), but a date is needed"),
    ],
)
def test_a_type_that_cannot_be_what_it_stands_for_is_refused(column, values, words, tmp_path):
    usual = {"id": ["a"], "day": ["1997-01-01"], "sku": ["x"], "pieces": [1], "paid": [2.0]}
    pq.write_table(pa.table(usual | {column: values}), tmp_path / "shop.parquet")
    with pytest.raises(SourceError) as refused:
        read_line_items(Source(file="shop.parquet"), COLUMNS, tmp_path).execute()
    assert words in str(refused.value)


SHEET = workbook_bytes(WORKBOOK)
SHEETS = {
    "a text file": (HEADER.encode() + ROWS.encode(), "it is a text file; rename it to .csv"),
    "the page of a login": (HTML.encode(), "it is a web page; open the export again in your browser"),
    "a packed workbook": (gzip.compress(SHEET), "it is packed with gzip"),
    "a workbook with a password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000),
        "or one with a password; save it",
    ),
    "a row before the first": (with_sheet(SHEET, b'r="A3"', b'r="A0"'), "cannot be read as a spreadsheet"),
    "a row below the last": (with_sheet(SHEET, b'r="A3"', b'r="A99999999"'), "reaches as far as cell A99999999"),
    "an error of a formula": (
        with_sheet(SHEET, b'<c r="E5" t="n"><v>2.5</v></c>', b'<c r="E5" t="e"><v>#DIV/0!</v></c>'),
        "1 row without a readable number, for example '#DIV/0!'; a formula of the spreadsheet has an error",
    ),
    "a formula never calculated": (
        with_sheet(SHEET, b'<c r="E5" t="n"><v>2.5</v></c>', b'<c r="E5"><f>D5*2.5</f><v></v></c>'),
        "1 row without a readable number, for example '#ERROR!'; a formula of the spreadsheet has an error or was",
    ),
}


@pytest.mark.parametrize(("content", "words"), SHEETS.values(), ids=SHEETS)
def test_a_workbook_that_cannot_be_read_whole_is_refused(content, words, tmp_path):
    """A cell without a result was read as empty, and its row was missing in all sums."""
    write(tmp_path / "shop.xlsx", content)
    with pytest.raises(SourceError) as refused:
        read_line_items(Source(file="shop.xlsx"), COLUMNS, tmp_path).execute()
    assert str(refused.value).startswith("shop.xlsx")
    assert words in str(refused.value)


def test_a_calculated_formula_and_an_error_elsewhere_are_no_problem(tmp_path):
    content = with_sheet(SHEET, b'<c r="E5" t="n"><v>2.5</v></c>', b'<c r="E5"><f>D5*2.5</f><v>2.5</v></c>')
    write(
        tmp_path / "shop.xlsx",
        with_sheet(content, b"</row></sheetData>", b'<c r="F31" t="e"><v>#REF!</v></c></row></sheetData>'),
    )
    assert float(read_line_items(Source(file="shop.xlsx"), COLUMNS, tmp_path).amount.sum().execute()) == 75.0
