"""Line items from any source: what is read, and the messages that say what is wrong and how to repair it."""

import gzip
import os
import sqlite3
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crm_utils import sources
from crm_utils.cleaning import rules
from crm_utils.config import Columns, Report, Source, parse_model
from crm_utils.core import orders
from crm_utils.core.errors import ParamsError, SourceError, SourceMissing
from crm_utils.core.files import content_hash
from crm_utils.sources import spreadsheets as sheets_of

COLUMNS = {
    "customer_id": "Customer",
    "ordered_at": "Date",
    "order_id": "Invoice",
    "quantity": "Qty",
    "unit_price": "Price",
}
NAMES = tuple(COLUMNS.values())
ROWS = [
    ("17850", "2010-12-01 08:26:00", "536365", "6", "2.55"),
    ("007", "2010-12-02 09:00:00", "C536379", "-1", "27.50"),
    ("", "2010-12-03 10:00:00", "536381", "2", "1234.50"),
]


def write(path: Path, rows=ROWS, header=NAMES, delimiter=",", encoding="utf-8") -> Path:
    text = "\n".join(delimiter.join(row) for row in [list(header), *rows]) + "\n"
    packed = path.suffix.lower() == ".gz"
    path.write_bytes(gzip.compress(text.encode(encoding)) if packed else text.encode(encoding))
    return path


def sheet(path: Path, **sheets: list) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(list(row))
    book.save(path)
    return path


def read(folder: Path, columns=COLUMNS, **source) -> pd.DataFrame:
    return sources.read_line_items(Source(**source), Columns(**columns), folder).execute()


def assert_error(folder: Path, *words: str, columns=COLUMNS, kind=SourceError, **source) -> str:
    """Return the message after checking that it contains every word."""
    with pytest.raises(kind) as error:
        read(folder, columns, **source)
    message = str(error.value)
    assert [word for word in words if word not in message] == [], message
    assert "\n" not in message
    return message


ALL = (0, 1, 2)


def with_value(name: str, value: str, rows=(1,)) -> list[tuple]:
    """Return the rows with a value in one column replaced."""
    place = list(COLUMNS).index(name)
    return [(*row[:place], value, *row[place + 1 :]) if n in rows else row for n, row in enumerate(ROWS)]


# what is read


def expected() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["17850", "007", None],
            "ordered_at": pd.to_datetime([row[1] for row in ROWS]),
            "order_id": ["536365", "C536379", "536381"],
            "amount": [15.30, -27.50, 2469.00],
        }
    )


def same(frame: pd.DataFrame) -> None:
    frame = frame.assign(amount=frame.amount.astype(float), ordered_at=frame.ordered_at.astype("datetime64[us]"))
    pd.testing.assert_frame_equal(frame[list(expected())], expected(), check_dtype=False)


@pytest.mark.parametrize("name", ["shop.csv", "shop.csv.gz", "shop.CSV", "shop.CSV.GZ"])
def test_a_csv_keeps_ids_as_text(tmp_path, name):
    write(tmp_path / name)
    same(read(tmp_path, file=name))


@pytest.mark.parametrize(
    ("name", "delimiter"), [("shop.tsv", "\t"), ("shop.TSV", "\t"), ("shop.csv", ";"), ("shop.csv", "|")]
)
def test_the_delimiter_is_the_one_of_the_header(tmp_path, name, delimiter):
    write(tmp_path / name, delimiter=delimiter)
    same(read(tmp_path, file=name))


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16", "latin-1"])
@pytest.mark.parametrize("name", ["shop.csv", "shop.csv.gz", "shop.CSV.GZ"])
def test_an_encoding_can_be_set(tmp_path, encoding, name):
    columns = COLUMNS | {"country": "Land"}
    write(tmp_path / name, [(*row, "Österreich") for row in ROWS], columns.values(), encoding=encoding)
    frame = read(tmp_path, columns, file=name, encoding=encoding)
    same(frame)
    assert set(frame.country) == {"Österreich"}


def test_a_byte_order_mark_is_not_part_of_a_column_name(tmp_path):
    write(tmp_path / "shop.csv", encoding="utf-8-sig")
    same(read(tmp_path, file="shop.csv"))


def test_decimal_commas_thousands_currency_signs_and_german_dates(tmp_path):
    rows = [
        ("17850", "01.12.2010 08:26", "536365", "6", "2,55 €"),
        ("007", "02.12.2010 09:00", "C536379", "-1", "27,50 €"),
        ("", "03.12.2010 10:00", "536381", "2", "1.234,50 €"),
    ]
    write(tmp_path / "shop.csv", rows, delimiter=";")
    how = {"decimal": ",", "thousands": ".", "currency_sign": "€", "date_format": "%d.%m.%Y %H:%M"}
    same(read(tmp_path, file="shop.csv", **how))


def test_dates_may_have_eight_digits(tmp_path):
    write(tmp_path / "shop.csv", [(row[0], row[1][:10].replace("-", ""), *row[2:]) for row in ROWS])
    assert [f"{day:%Y-%m-%d}" for day in read(tmp_path, file="shop.csv").ordered_at] == [
        "2010-12-01",
        "2010-12-02",
        "2010-12-03",
    ]


def test_serial_numbers_are_read_if_date_format_is_excel(tmp_path):
    days = ["40513.3513888889", "40514.375", "40515.4166666667"]  # what Excel shows as the dates of ROWS
    write(tmp_path / "shop.csv", [(row[0], day, *row[2:]) for row, day in zip(ROWS, days, strict=True)])
    same(read(tmp_path, file="shop.csv", date_format="excel"))


def test_times_with_an_offset_are_converted_to_the_zone_of_the_shop(tmp_path):
    write(tmp_path / "shop.csv", with_value("ordered_at", "2010-12-01T23:30:00Z", rows=(0, 1, 2)))
    frame = read(tmp_path, file="shop.csv", timezone="Europe/Berlin")
    assert set(frame.ordered_at) == {pd.Timestamp("2010-12-02 00:30:00")}


@pytest.mark.parametrize("offset", [" +0200", "+0200", " +02:00", "+02:00", " +02"])
@pytest.mark.parametrize("pattern", [None, "%Y-%m-%d %H:%M:%S %z"])
def test_an_offset_is_read_with_or_without_a_blank_and_by_a_pattern(tmp_path, offset, pattern):
    """Half past midnight in summer in Berlin is the day before in UTC."""
    if pattern and not offset.startswith(" "):
        pattern = pattern.replace(" %z", "%z")
    write(tmp_path / "shop.csv", with_value("ordered_at", f"2011-06-02 00:30:00{offset}", ALL))
    frame = read(tmp_path, file="shop.csv", timezone="Europe/Berlin", date_format=pattern)
    assert set(frame.ordered_at) == {pd.Timestamp("2011-06-02 00:30:00")}
    assert_error(tmp_path, "3 rows without", "set source.timezone", file="shop.csv", date_format=pattern)


def test_the_hint_for_an_unreadable_offset_does_not_repeat_the_zone(tmp_path):
    write(tmp_path / "shop.csv", with_value("ordered_at", "2011-06-02T00:30 at 12:00 +0200", ALL))
    assert_error(tmp_path, "UTC offset cannot be read", "%z", file="shop.csv", timezone="Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "source", "amount"),
    [
        ("(12.50)", {}, -12.5),
        ("12.50-", {}, -12.5),
        ("12,50-", {"decimal": ","}, -12.5),
        ("($1,012.50)", {"currency_sign": "$", "thousands": ","}, -1012.5),
        ("-12.50", {}, -12.5),
    ],
)
def test_negative_numbers_in_accounting_style(tmp_path, written, source, amount):
    write(tmp_path / "shop.csv", with_value("unit_price", f'"{written}"', ALL))
    frame = read(tmp_path, file="shop.csv", **source)
    assert float(frame.unit_price.iloc[0]) == amount


@pytest.mark.parametrize("written", ["(12.50", "-12.50-", "(-12.50)", "12-50", "--12.50"])
def test_incomplete_accounting_negatives_are_errors(tmp_path, written):
    write(tmp_path / "shop.csv", with_value("unit_price", written, ALL))
    assert_error(tmp_path, "3 rows without a readable number", file="shop.csv")


def test_float_ids_lose_their_decimals(tmp_path):
    write(tmp_path / "shop.csv", with_value("customer_id", "12346.0"))
    frame = pd.DataFrame(ROWS, columns=list(COLUMNS.values())).assign(Customer=[17850.0, 12346.0, float("nan")])
    frame.assign(Date=pd.to_datetime(frame.Date), Price=frame.Price.astype(float)).to_parquet(tmp_path / "shop.parquet")
    for name in ("shop.csv", "shop.parquet"):
        assert [None if pd.isna(x) else x for x in read(tmp_path, file=name).customer_id] == ["17850", "12346", None]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (pa.array([12346.0, float("nan"), 123456789012345.0]), ["12346", None, "123456789012345"]),
        (
            pa.array([Decimal("12345678901234567890"), None, Decimal(7)], pa.decimal128(20, 0)),
            [f"{12345678901234567890}", None, "7"],
        ),
        (
            pa.array([Decimal("1234567890123456789"), Decimal("7.5"), None], pa.decimal128(38, 2)),
            ["1234567890123456789", "7.50", None],
        ),
    ],
    ids=["floats", "whole decimals", "decimals"],
)
def test_numeric_ids_keep_all_their_digits(tmp_path, ids, expected):
    frame = pa.Table.from_pandas(pd.DataFrame(ROWS, columns=list(NAMES)).astype({"Price": float}))
    pq.write_table(frame.set_column(0, "Customer", ids), tmp_path / "shop.parquet")
    assert [None if pd.isna(x) else x for x in read(tmp_path, file="shop.parquet").customer_id] == expected


@pytest.mark.parametrize(
    "untidy", [" 12346", "12346 ", "\t12346", "12346\t", "12346\r", "12346\n", "12346.0", "", " ", "NULL", "NA"]
)
@pytest.mark.parametrize("column", ["customer_id", "order_id"])
def test_a_single_untrimmed_id_in_parquet_is_trimmed(tmp_path, column, untidy):
    """A column is checked row by row only if something in it needs trimming."""
    rows = [ROWS[0]] * 3000 + with_value(column, untidy)
    frame = pd.DataFrame(rows, columns=list(NAMES))
    frame.assign(Price=frame.Price.astype(float), Qty=frame.Qty.astype(int)).to_parquet(tmp_path / "shop.parquet")
    found = read(tmp_path, file="shop.parquet")[column]
    assert found.dropna().eq(found.dropna().str.strip()).all()
    none = untidy.strip() in ("", "NULL", "NA")
    assert found.eq("12346").sum() == (not none)
    assert found.isna().sum() == none + (column == "customer_id")


def test_a_single_nan_price_in_parquet_is_null(tmp_path):
    """The minimum and maximum in the statistics of a file ignore NaN."""
    rows = pd.DataFrame(ROWS[:1] * 3000, columns=list(NAMES)).assign(Price=2.5, Qty=6)
    table = pa.Table.from_pandas(rows).set_column(4, "Price", pa.array([2.5] * 2999 + [float("nan")]))
    pq.write_table(table, tmp_path / "shop.parquet")
    found = read(tmp_path, file="shop.parquet")
    assert [found[column].isna().sum() for column in ("unit_price", "amount", "quantity")] == [1, 1, 0]
    assert found.amount.iloc[:-1].astype(float).eq(15).all()


def spreadsheet_rows() -> list[tuple]:
    """Return rows as in a spreadsheet: numbers as numbers, and text if an id has letters or leading zeros."""
    return [
        tuple(COLUMNS.values()),
        (17850, pd.Timestamp(ROWS[0][1]), 536365, 6, 2.55),
        ("007", pd.Timestamp(ROWS[1][1]), "C536379", -1, 27.5),
        (None, pd.Timestamp(ROWS[2][1]), 536381, 2, 1234.5),
    ]


def test_a_spreadsheet_keeps_mixed_ids(tmp_path):
    sheet(tmp_path / "shop.xlsx", Orders=spreadsheet_rows())
    same(read(tmp_path, file="shop.xlsx"))


def test_a_column_may_change_its_type_between_sheets_and_far_down(tmp_path, monkeypatch):
    monkeypatch.setattr("crm_utils.sources.spreadsheets.ROWS_AT_A_TIME", 1)
    header, *rows = spreadsheet_rows()
    sheet(tmp_path / "shop.xlsx", A=[header, *rows], B=[header, rows[0]])
    frame = read(tmp_path, file="shop.xlsx", sheets=["A", "B"])
    assert list(frame.order_id) == ["536365", "C536379", "536381", "536365"]
    assert list(frame.extract) == [0, 0, 0, 1]


def test_a_spreadsheet_is_converted_once_per_content(tmp_path, monkeypatch):
    path = sheet(tmp_path / "shop.xlsx", Orders=spreadsheet_rows())
    read(tmp_path, file="shop.xlsx", sheets=["Orders"])
    with monkeypatch.context() as closed:
        closed.setattr(
            "crm_utils.sources.spreadsheets._open_workbook", lambda path: pytest.fail("the copy should be used")
        )
        same(read(tmp_path, file="shop.xlsx", sheets=["Orders"]))
    sheet(path, Orders=spreadsheet_rows()[:2])
    assert len(read(tmp_path, file="shop.xlsx", sheets=["Orders"])) == 1


def test_a_spreadsheet_is_converted_again_if_the_code_changes(tmp_path, monkeypatch):
    path, code = sheet(tmp_path / "shop.xlsx", Flags=[["id"], [True]]), tmp_path / "sheets.py"

    def copied() -> list:
        ((_, copy),) = sheets_of.parquet_copies(path, None, tmp_path)
        return pd.read_parquet(copy).iloc[:, 0].tolist()

    assert copied() == ["True"]
    monkeypatch.setattr(sheets_of, "cell_text", lambda cell: "another rule")
    assert copied() == ["True"]
    code.write_text("# another rule")
    monkeypatch.setattr(sheets_of, "__file__", str(code))
    assert copied() == ["another rule"]


def test_files_are_read_in_their_order_and_a_pattern_by_name(tmp_path):
    for name, rows in (("2011.csv", ROWS[:1]), ("2010.csv", ROWS[1:2]), ("old.csv", ROWS[2:])):
        write(tmp_path / name, rows)
    frame = read(tmp_path, files=["old.csv", "20*.csv"])
    assert dict(zip(frame.extract, frame.order_id, strict=True)) == {0: "536381", 1: "C536379", 2: "536365"}


def test_many_extracts_that_overlap_need_no_more_memory_than_few(tmp_path):
    """72 text files, each starting with the last line of the one before. All open together need too much memory."""
    rows = [
        (f"{number // 10}", f"{pd.Timestamp('2018-01-01') + pd.Timedelta(number * 3, 'D'):%Y-%m-%d}")
        for number in range(721)
    ]
    for month in range(72):
        lines = "".join(f"{customer},{day},1.5\n" for customer, day in rows[month * 10 : month * 10 + 11])
        (tmp_path / f"{month:02}.csv").write_text("customer,day,money\n" + lines)
    columns = {"customer_id": "customer", "ordered_at": "day", "amount": "money"}
    lines = rules.flag_repeated_lines(sources.read_line_items(Source(files=["*.csv"]), Columns(**columns), tmp_path))
    sums = orders.aggregate_lines(rules.classify(lines, rules.removal_rules(lines, date(2024, 12, 31))))
    counted = sums.group_by(counts=sums.removed_by.isnull()).agg(rows=sums.lines.sum()).execute().set_index("counts")
    assert counted.rows.to_dict() == {True: 721, False: 71}


def test_a_single_file_has_no_column_extract(tmp_path):
    write(tmp_path / "2010.csv")
    assert "extract" not in read(tmp_path, files=["*.csv"])


def test_a_hash_is_remembered_until_the_file_changes(tmp_path):
    path = write(tmp_path / "shop.csv")
    first = content_hash(path, tmp_path)
    status = path.stat()
    path.write_bytes(b"x" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert content_hash(path, tmp_path) == first  # same size and time: not read again
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert content_hash(path, tmp_path) != first


# what is rejected


def test_missing_files(tmp_path):
    assert_error(tmp_path, "shop.csv does not exist", "source.file", kind=SourceMissing, file="shop.csv")
    assert_error(tmp_path, "no file matches in/*.csv", "source.files", kind=SourceMissing, files=["in/*.csv"])
    write(tmp_path / "shop.docx")
    assert_error(tmp_path, "shop.docx", "use .csv", file="shop.docx")


def test_missing_sheet_or_column(tmp_path):
    sheet(tmp_path / "shop.xlsx", Orders=spreadsheet_rows(), Notes=[("x",)])
    assert_error(tmp_path, "shop.xlsx has 2 sheets", "'Orders', 'Notes'", "source.sheets", file="shop.xlsx")
    assert_error(tmp_path, "no sheet 'Order'", "'Orders'", file="shop.xlsx", sheets=["Order"])
    wrong = COLUMNS | {"customer_id": "Custommer"}
    assert_error(
        tmp_path,
        "shop.xlsx, sheet 'Orders'",
        "'Custommer' (columns.customer_id)",
        "did you mean 'Customer'",
        columns=wrong,
        file="shop.xlsx",
        sheets=["Orders"],
    )
    write(tmp_path / "shop.csv")
    assert_error(tmp_path, "source.sheets is for spreadsheets", "shop.csv", file="shop.csv", sheets=["Orders"])


def test_empty_file_and_header_only(tmp_path):
    (tmp_path / "shop.csv").touch()
    assert_error(tmp_path, "shop.csv is empty", "export it again", file="shop.csv")
    write(tmp_path / "shop.csv", rows=[])
    assert_error(tmp_path, "shop.csv has no rows below its column names", file="shop.csv")
    sheet(tmp_path / "shop.xlsx", Orders=spreadsheet_rows()[:1], Blank=[])
    assert_error(tmp_path, "shop.xlsx, sheet 'Orders' has a header but no rows", file="shop.xlsx", sheets=["Orders"])
    assert_error(tmp_path, "shop.xlsx, sheet 'Blank' is empty", file="shop.xlsx", sheets=["Blank"])
    pd.DataFrame(columns=list(COLUMNS.values())).to_parquet(tmp_path / "shop.parquet")
    assert_error(tmp_path, "shop.parquet has no rows below", file="shop.parquet")


def placed(folder: Path, *dates: str) -> None:
    """Write sixty orders, one per day from 2010-12-01, and one on each of `dates`."""
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2010-12-01", periods=60)]
    write(folder / "shop.csv", [("7", day, str(number), "1", "2.5") for number, day in enumerate([*days, *dates])])


def read_on(folder: Path, day: date) -> int:
    return sources.read_line_items(Source(file="shop.csv"), Columns(**COLUMNS), folder, day).count().execute()


def test_a_few_rows_far_after_all_others_are_dated_in_the_future(tmp_path):
    placed(tmp_path, "2061-01-05", "2061-01-05", "2071-02-03")
    with pytest.raises(SourceError) as error:
        read_on(tmp_path, date(2010, 12, 31))
    message = "shop.csv, column 'Date' (columns.ordered_at): 3 rows dated in the future"
    assert message in str(error.value)
    for word in (
        "the latest other row is dated 2011-01-29",
        "'2061-01-05', '2071-02-03'",
        "correct or remove these rows",
    ):
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        (["2011-12-01"], date(2010, 12, 15)),  # the rest of the data a backtest does not see, and a quiet season
        (["2061-01-05"], date(2061, 12, 31)),  # the analyst has chosen a date after them
        ([f"2012-06-{day:02}" for day in range(1, 11)], date(2010, 12, 31)),  # a shop that opened again
    ],
    ids=["within a year", "an analysis date after them", "more than a few"],
)
def test_rows_after_the_analysis_date_are_accepted(tmp_path, dates, day):
    placed(tmp_path, *dates)
    assert read_on(tmp_path, day) == 60 + len(dates)


def test_an_incomplete_gzip_file_is_an_error(tmp_path):
    path = write(tmp_path / "shop.csv.gz", [(str(n * 7919 % 10007), *ROWS[0][1:]) for n in range(400)])
    path.write_bytes(path.read_bytes()[:-9])
    assert_error(tmp_path, "shop.csv.gz cannot be unpacked", "copy or export it again", file="shop.csv.gz")


@pytest.mark.parametrize("name", ["shop.xlsx", "shop.parquet", "shop.csv.gz"])
def test_an_incomplete_file_is_an_error(tmp_path, name):
    path = tmp_path / name
    if name.endswith("xlsx"):
        sheet(path, Orders=spreadsheet_rows())
    elif name.endswith("gz"):
        write(path, ROWS * 20_000)
    else:
        pd.DataFrame(ROWS, columns=list(COLUMNS.values())).to_parquet(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert_error(tmp_path, name, "cannot be", file=name)


def test_the_wrong_encoding_names_the_first_line(tmp_path):
    columns = COLUMNS | {"country": "Land"}
    write(tmp_path / "shop.csv", [(*row, "Österreich") for row in ROWS], columns.values(), encoding="windows-1252")
    assert_error(
        tmp_path,
        "shop.csv",
        "line 2",
        "Österreich",
        "source.encoding",
        "windows-1252",
        columns=columns,
        file="shop.csv",
    )
    assert_error(
        tmp_path,
        "shop.csv is not written in ascii",
        "source.encoding",
        columns=columns,
        file="shop.csv",
        encoding="ascii",
    )
    assert_error(tmp_path, "no encoding 'klingon'", columns=columns, file="shop.csv", encoding="klingon")
    write(tmp_path / "shop.csv", encoding="utf-16")
    assert_error(tmp_path, "UTF-16", "source.encoding: utf-16", file="shop.csv")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["31.12.2010"] * 3, ["3 rows without", "'31.12.2010'", "source.date_format: '%d.%m.%Y'"]),
        (["05/06/2010"] * 3, ["'05/06/2010'", "%d/%m/%Y and %m/%d/%Y"]),
        ([None, "31/12/2010", None], ["1 row without", "'31/12/2010'", "mixes date formats", "%d/%m/%Y"]),
        (["31/12/2010", "12/31/2010", "2010-12-31"], ["2 rows without", "mixes date formats"]),
        (["40513.35"] * 3, ["3 rows without", "serial numbers", "source.date_format: excel"]),
        ([None, "40513", None], ["1 row without", "serial numbers", "format the whole column as dates"]),
        (
            [None, "yesterday", None],
            ["1 row without", "'yesterday'", "date format is not recognized", "correct these rows"],
        ),
        (
            [None, "2999-01-01", None],
            ["1 row without", "'2999-01-01'", "dates must be between 1900 and 2100", "correct these rows"],
        ),
        ([None, "", None], ["1 row without", "'(empty)'", "give every row a date"]),
        (["2010-12-01 10:00:00 UTC"] * 3, ["3 rows without", "time zone", "source.timezone"]),
        (["2010-12-01T10:00:00+02:00"] * 3, ["3 rows without", "time zone", "source.timezone"]),
    ],
)
def test_dates_that_cannot_be_read(tmp_path, values, words):
    rows = [(row[0], value if value is not None else row[1], *row[2:]) for row, value in zip(ROWS, values, strict=True)]
    write(tmp_path / "shop.csv", rows)
    assert_error(tmp_path, "shop.csv", "column 'Date' (columns.ordered_at)", *words, file="shop.csv")


def test_a_date_format_that_does_not_fit(tmp_path):
    write(tmp_path / "shop.csv")
    assert_error(tmp_path, "3 rows without", "'2010-12-01 08:26:00'", file="shop.csv", date_format="%d.%m.%Y")


def test_parquet_with_a_time_zone(tmp_path):
    frame = pd.DataFrame(ROWS, columns=list(COLUMNS.values()))
    frame.assign(Date=pd.to_datetime(frame.Date).dt.tz_localize("UTC")).to_parquet(tmp_path / "shop.parquet")
    assert_error(tmp_path, "shop.parquet", "3 rows without", "time zone", "source.timezone", file="shop.parquet")
    same(read(tmp_path, file="shop.parquet", timezone="UTC"))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("£27.50", ["source.currency_sign: '£'"]),
        ("27.50 GBP", ["source.currency_sign: 'GBP'"]),
        ('"1,234.50"', ["source.thousands: ','"]),
        ('"27,50"', ["source.decimal: ','"]),
        ("n/a", ["correct these rows"]),
    ],
)
def test_prices_that_are_not_plain_numbers(tmp_path, value, words):
    write(tmp_path / "shop.csv", with_value("unit_price", value))
    example = value.strip('"')
    assert_error(
        tmp_path,
        "shop.csv",
        "column 'Price' (columns.unit_price): 1 row without",
        repr(example),
        *words,
        file="shop.csv",
    )


def test_prices_in_two_currencies_are_not_added_up(tmp_path):
    write(tmp_path / "shop.csv", with_value("unit_price", "$1", rows=(0,))[:1] + with_value("unit_price", "€1")[1:])
    assert_error(tmp_path, "2 rows without", "several currencies", file="shop.csv")
    assert_error(tmp_path, "1 row without", "€", file="shop.csv", currency_sign="$")


def test_a_point_separates_thousands_only_if_set(tmp_path):
    write(tmp_path / "shop.csv", with_value("unit_price", "1.234", rows=(0, 1, 2)), delimiter=";")
    assert_error(tmp_path, "3 rows without", "'1.234'", file="shop.csv", decimal=",")
    assert set(read(tmp_path, file="shop.csv", decimal=",", thousands=".").unit_price.astype(float)) == {1234.0}


def test_null_and_duplicated_column_names(tmp_path):
    write(tmp_path / "shop.csv", header=["Customer", "Date", "Invoice", "", "Price"])
    assert_error(tmp_path, "no column 'Qty'", "column 4 of 5 without a name", "source.names", file="shop.csv")
    write(tmp_path / "shop.csv", header=["Customer", "Date", "Invoice", "Price", "Price"])
    assert_error(tmp_path, "'Price' appears 2 times (columns 4, 5)", "rename", file="shop.csv")
    write(tmp_path / "shop.csv", header=["Customer", "Date", "Invoice", "PRICE", "Price"])
    assert_error(tmp_path, "'PRICE', 'Price' (columns 4, 5) differ only in case", "rename", file="shop.csv")
    header, *rows = spreadsheet_rows()
    sheet(tmp_path / "shop.xlsx", Orders=[(*header[:3], None, "Price"), *rows])
    assert_error(tmp_path, "shop.xlsx, sheet 'Orders' has no column 'Qty'", file="shop.xlsx")


@pytest.mark.parametrize("row", [(*ROWS[1], "more"), ROWS[1][:3]], ids=["too many", "too few"])
def test_a_row_with_more_or_fewer_fields_than_the_header(tmp_path, row):
    write(tmp_path / "shop.csv", [ROWS[0], row, ROWS[2]])
    assert_error(
        tmp_path,
        f"shop.csv cannot be read: line 3 has {len(row)} fields",
        "the first row has 5",
        "correct the line",
        file="shop.csv",
    )


@pytest.mark.parametrize("blank", ["", " ", "NULL"])
@pytest.mark.parametrize("name", ["shop.csv", "shop.parquet", "shop.sqlite"])
def test_only_rows_that_cleaning_keeps_need_an_order_id(tmp_path, name, blank):
    """Cleaning rules remove rows without a customer, refunds and gifts, and the ledger counts them."""
    day = "2010-12-05 10:00:00"
    idle = [("", day, blank, "1", "2.00"), ("007", day, blank, "-1", "2.00"), ("007", day, blank, "1", "0.00")]

    def put(rows: list[tuple]) -> dict:
        frame = pd.DataFrame(rows, columns=list(NAMES)).astype({"Qty": int, "Price": float})
        if name == "shop.sqlite":
            with sqlite3.connect(tmp_path / name) as engine:
                frame.to_sql("lines", engine, if_exists="replace", index=False)
            return {"database": f"sqlite://{name}", "table": "lines"}
        frame.to_parquet(tmp_path / name) if name == "shop.parquet" else write(tmp_path / name, rows)
        return {"file": name}

    assert len(read(tmp_path, **put([*ROWS, *idle]))) == 6
    sources.databases.connect.cache_clear()
    sold = ("8", day, blank, "1", "2.00")
    words = [
        "column 'Invoice' (columns.order_id): 1 row without an order id",
        "customer '8' on 2010-12-05",
        "remove these rows",
    ]
    assert_error(tmp_path, *words, **put([*ROWS, *idle, sold]))


# the parameters of a source


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({}, "set exactly one of sample, file, files"),
        ({"file": "a.csv", "database": "sqlite://a.db", "table": "t"}, "set exactly one of"),
        ({"database": "sqlite://a.db"}, "needs exactly one of table, query"),
        ({"database": "sqlite://a.db", "table": "t", "query": "select 1"}, "needs exactly one of table, query"),
        ({"file": "a.csv", "date_format": "iso"}, "source.date_format"),
        ({"file": "a.csv", "decimal": ";"}, "source.decimal"),
        ({"files": []}, "source.files"),
        ({"database": "mysql://me:open-secret@host/shop", "table": "t"}, "write the password as ${NAME}"),
        ({"database": "mysql://host/shop?user=me&password=open-secret", "table": "t"}, "write the password as ${NAME}"),
        ({"database": ["mysql://me:open-secret@host/shop"], "table": "t"}, "source.database"),
    ],
)
def test_a_contradictory_source_is_rejected(source, words):
    report = {"title": "x", "currency": "EUR", "columns": COLUMNS, "analysis_dates": ["2011-12-09"], "source": source}
    with pytest.raises(ParamsError) as error:
        parse_model(report, Report, "params/x.yaml")
    assert words in str(error.value)
    assert "open-secret" not in str(error.value)


def test_a_password_may_be_a_placeholder():
    for url in ("mysql://me:${SHOP_PASSWORD}@host/shop", "${SHOP_URL}", "sqlite://a.db", "bigquery://project/dataset"):
        assert Source(database=url, table="t").database == url


# the real thing


@pytest.fixture(scope="module")
def sheets(retail, tmp_path_factory):
    columns = {
        "customer_id": "Customer ID",
        "ordered_at": "InvoiceDate",
        "order_id": "Invoice",
        "product_id": "StockCode",
        "quantity": "Quantity",
        "unit_price": "Price",
    }
    source = Source(file=str(retail / "online_retail_II.xlsx"), sheets=["Year 2009-2010", "Year 2010-2011"])
    return sources.read_line_items(source, Columns(**columns), tmp_path_factory.mktemp("retail"))


def test_online_retail_has_every_row_and_its_cancellations(sheets):
    # the data set's own description: 525,461 + 541,910 rows, 243,007 without a customer
    counts = sheets.aggregate(
        rows=sheets.count(),
        second=(sheets.extract == 1).sum(),
        nobody=sheets.customer_id.isnull().sum(),
        customers=sheets.customer_id.nunique(),
        cancelled=sheets.order_id.startswith("C").sum(),
        with_point=sheets.customer_id.contains(".").sum(),
    )
    assert counts.execute().iloc[0].to_dict() == {
        "rows": 1_067_371,
        "second": 541_910,
        "nobody": 243_007,
        "customers": 5_942,
        "cancelled": 19_494,
        "with_point": 0,
    }


def test_online_retail_sheets_overlap_in_22_523_rows(sheets):
    first, second = sheets.filter(sheets.extract == 0), sheets.filter(sheets.extract == 1)
    both = second.filter(second.ordered_at <= first.ordered_at.max().as_scalar()).drop("extract")
    assert both.count().execute() == 22_523
    assert both.difference(first.drop("extract"), distinct=False).count().execute() == 0
