"""Files as programs write them, made here: what is read to the cent, and what is refused with the line to write."""

from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from crm_utils.config import Columns, Report, Source, parse_model
from crm_utils.core.errors import ParamsError, SourceError
from crm_utils.sources import layout, read_line_items

COLUMNS = Columns(customer_id="customer", ordered_at="date", order_id="order", amount="amount")
HEADER = ("order", "customer", "date", "amount")
ROWS = [(f"{1000 + i}", f"K{i % 7}", f"2024-0{1 + i % 6}-1{i % 9}", f"{10 + i}.50") for i in range(30)]
REVENUE = 750.0
DASHES = ("-----",) * 4


def text(rows=ROWS, header=HEADER, mark=",", end="\n") -> str:
    return end.join(mark.join(row) for row in ([header] if header else []) + list(rows)) + end


def revenue(folder: Path, content: str | bytes, **source) -> float:
    (folder / "shop.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(folder, file="shop.csv", **source)


def read(folder: Path, **source) -> float:
    return float(read_line_items(Source(**source), COLUMNS, folder).amount.sum().execute())


def refusal(folder: Path, content: str | bytes | None, **source) -> str:
    with pytest.raises(SourceError) as error:
        revenue(folder, content, **source) if content is not None else read(folder, **source)
    return str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        text([(*row, "") for row in ROWS], (*HEADER, "")),
        text([(*row, "") for row in ROWS]),
        text(ROWS, (*HEADER, "")),
        text([(*row, "", "") for row in ROWS], (*HEADER, "", "")),
        text([("7", *row) for row in ROWS], ("", *HEADER)),
        "\n\n" + text(),
        "\ufeff\n" + text(),
        text(end="\r"),
        text(ROWS[:10], end="\r\n") + text(ROWS[10:], None),
        text([(*row, '"a\nb ""q"""') for row in ROWS], (*HEADER, "note")),
        text(mark=";"),
        text([*ROWS, ("1030", "Total", "2024-06-11", "0")]),
    ],
    ids=[
        "delimiters at the end",
        "delimiters at the end of the rows",
        "a delimiter at the end of the header",
        "empty columns",
        "an index without a name",
        "blank lines first",
        "a byte order mark and a blank line",
        "carriage returns",
        "mixed line ends",
        "texts over several lines",
        "semicolons",
        "a customer called Total",
    ],
)
def test_what_holds_no_data_is_left_out(tmp_path, content):
    assert revenue(tmp_path, content) == REVENUE


@pytest.mark.parametrize(
    ("content", "setting", "words"),
    [
        (text() + "\n(30 rows affected)\n", {"footer": 1}, "source.footer: 1"),
        (text() + "Gesamt,,,750\n", {"footer": 1}, "source.footer: 1"),
        (text() + "Total,,,750\nPrinted by the till\n", {"footer": 2}, "source.footer: 2"),
        ((text() + "Total,,,750\n").encode("utf-16"), {"footer": 1, "encoding": "utf-16"}, "source.footer: 1"),
        (text([DASHES, *ROWS]), {"skip_rows": 1}, "source.skip_rows: 1"),
        ("Sales report\n\n" + text(), {"header_row": 3}, "source.header_row: 3"),
        ("Sales, by order\n" + text(mark=";"), {"header_row": 2}, "source.header_row: 2"),
        ("Sales,2024,,\nPrinted,2024-07-01,,\n" + text(), {"header_row": 3}, "source.header_row: 3"),
        ("sep=;\n" + text(mark=";"), {"header_row": 2}, "source.header_row: 2"),
        (text(header=None), {"names": list(HEADER)}, "source.names: ["),
        (text(header=("a", "2024", "c", "d")), {"header_row": 1, "names": list(HEADER)}, None),
    ],
)
def test_titles_totals_and_missing_names_are_refused_until_said(tmp_path, content, setting, words):
    if words:
        asked = {"encoding": setting["encoding"]} if "encoding" in setting else {}
        assert words in refusal(tmp_path, content, **asked)
    assert revenue(tmp_path, content, **setting) == REVENUE


def test_a_total_that_is_said_to_be_data_counts(tmp_path):
    columns = {"customer_id": "customer", "ordered_at": "date", "amount": "amount"}
    content = text([*ROWS, ("", "Total", "2024-06-12", "1.00")])
    (tmp_path / "shop.csv").write_text(content)
    assert "source.footer: 0 if it is data" in refusal(tmp_path, None, file="shop.csv")
    lines = read_line_items(Source(file="shop.csv", footer=0), Columns(**columns), tmp_path)
    assert float(lines.amount.sum().execute()) == REVENUE + 1


@pytest.mark.parametrize(
    ("written", "settings", "value"),
    [
        ("CHF 1’234.–", {"currency_sign": "CHF", "thousands": "'"}, 1234),
        ("1'234.50", {"thousands": "’"}, 1234.5),
        ("1\u202f234,50 €", {"currency_sign": "€", "thousands": " ", "decimal": ","}, 1234.5),
        ("1\u00a0234,50\u00a0€", {"currency_sign": "€", "thousands": "\u202f", "decimal": ","}, 1234.5),
        ("₹1,23,456.00", {"currency_sign": "₹", "thousands": ","}, 123456),
        ("12,34,56,789", {"thousands": ","}, 123456789),
        ("−12.50", {}, -12.5),
        ("12.50-", {}, -12.5),
        ("1.234,-", {"thousands": ".", "decimal": ","}, 1234),
        ("15,743円", {"currency_sign": "円", "thousands": ","}, 15743),
        ("R$ 1.234,50", {"currency_sign": "R$", "thousands": ".", "decimal": ","}, 1234.5),
    ],
)
def test_numbers_of_many_countries(tmp_path, written, settings, value):
    assert revenue(tmp_path, text([(*ROWS[0][:3], written)], mark=";"), **settings) == value


@pytest.mark.parametrize("written", ["1,23,45", "1,2,345", "12,3456"])
def test_what_is_grouped_in_no_known_way_is_no_number(tmp_path, written):
    content = text([(*ROWS[0][:3], written)], mark=";")
    assert "without a readable number" in refusal(tmp_path, content, thousands=",")


@pytest.mark.parametrize(
    ("written", "pattern", "time"),
    [
        ("Jan 8, 2023 9:04:40 AM", "%b %d, %Y %I:%M:%S %p", "2023-01-08 09:04:40"),
        ("Jan 8, 2023 12:46:38 PM", "%b %d, %Y %I:%M:%S %p", "2023-01-08 12:46:38"),
        ("2023年1月8日", "%Y年%m月%d日", "2023-01-08 00:00:00"),
        ("2023.11.30", "%Y.%m.%d", "2023-11-30 00:00:00"),
    ],
)
def test_dates_are_named_and_read(tmp_path, written, pattern, time):
    content = text([(*ROWS[0][:2], written, "1")], mark=";")
    assert f"set source.date_format: '{pattern}'" in refusal(tmp_path, content)
    lines = read_line_items(Source(file="shop.csv", date_format=pattern), COLUMNS, tmp_path)
    assert str(lines.ordered_at.max().execute()) == time


@pytest.mark.parametrize(
    ("customer", "encoding", "name"),
    [
        ("Zoë Müller", "mac_roman", "mac_roman"),
        ("Işık Şirketi", "cp1254", "windows-1254"),
        ("Müller & Søn – 5 €", "cp1252", "windows-1252"),
        ("Иванов и сыновья", "cp1251", "windows-1251"),
        ("株式会社 山田商店", "cp932", "cp932"),
        ("Łódź Świętojańska", "cp1250", "windows-1250"),
    ],
)
def test_an_encoding_is_named_with_a_text_that_shows_it(tmp_path, customer, encoding, name):
    content = text([(row[0], customer, *row[2:]) for row in ROWS]).encode(encoding)
    said = refusal(tmp_path, content)
    assert f"read as {name}" in said
    assert customer in said
    assert revenue(tmp_path, content, encoding=name) == REVENUE


def test_line_ends_that_change_far_down_are_told_in_our_words(tmp_path):
    many = text(ROWS * 400, None)
    said = refusal(tmp_path, text() + many * 30 + many.replace("\n", "\r\n") + many * 30)
    assert "some lines end in CR LF and others in LF" in said
    assert "strict_mode" not in said


# workbooks

CELLS = [(int(order), customer, datetime.fromisoformat(day), float(amount)) for order, customer, day, amount in ROWS]


def workbook(folder: Path, rows: list, hidden=(), first_column: int = 1) -> None:
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, start=1):
        for place, cell in enumerate(row, start=first_column):
            book.active.cell(number, place, cell)
    for number in hidden:
        book.active.row_dimensions[number].hidden = True
    book.save(folder / "shop.xlsx")


def test_a_table_may_stand_anywhere_in_a_sheet(tmp_path):
    workbook(tmp_path, [(), (), HEADER, *CELLS, (), ()], first_column=3)
    assert read(tmp_path, file="shop.xlsx") == REVENUE


def test_hidden_rows_are_asked_about(tmp_path):
    workbook(tmp_path, [HEADER, *CELLS], hidden=(3, 4))
    said = refusal(tmp_path, None, file="shop.xlsx")
    assert "sheet 'Sheet': 2 rows hidden, for example row 3" in said
    assert "source.hidden_rows: drop" in said
    assert read(tmp_path, file="shop.xlsx", hidden_rows="keep") == REVENUE
    assert read(tmp_path, file="shop.xlsx", hidden_rows="drop") == REVENUE - 11.5 - 12.5


def test_titles_and_totals_of_a_sheet(tmp_path):
    workbook(tmp_path, [("Sales",), (), HEADER, *CELLS, ("Total", None, None, 750.0), ("30 rows",)])
    assert "source.header_row: 3" in refusal(tmp_path, None, file="shop.xlsx")
    assert "the last 2 lines ('Total, , , 750')" in refusal(tmp_path, None, file="shop.xlsx", header_row=3)
    assert read(tmp_path, file="shop.xlsx", header_row=3, footer=2) == REVENUE


def test_a_sheet_without_names(tmp_path):
    workbook(tmp_path, CELLS)
    assert "source.names: [" in refusal(tmp_path, None, file="shop.xlsx")
    assert read(tmp_path, file="shop.xlsx", names=list(HEADER)) == REVENUE


def test_a_hidden_sheet_is_read_if_it_is_named(tmp_path):
    workbook(tmp_path, [HEADER, *CELLS])
    book = openpyxl.load_workbook(tmp_path / "shop.xlsx")
    old = book.create_sheet("old")
    for row in [HEADER, *CELLS[:10]]:
        old.append(row)
    old.sheet_state = "hidden"
    book.save(tmp_path / "shop.xlsx")
    assert read(tmp_path, file="shop.xlsx") == REVENUE
    assert read(tmp_path, file="shop.xlsx", sheets=["old"]) == sum(float(row[3]) for row in ROWS[:10])


# several files


def test_each_of_several_files_may_have_a_layout_of_its_own(tmp_path):
    (tmp_path / "a.csv").write_text("Sales of a\n\n" + text(ROWS[:10]) + "Total,,,145\n")
    (tmp_path / "b.csv").write_text(text([(*row[:3], row[3].replace(".", ",")) for row in ROWS[10:]], mark=";"))
    files = [{"file": "a.csv", "header_row": 3, "footer": 1}, {"file": "b.csv", "decimal": ","}]
    assert read(tmp_path, files=files) == REVENUE
    said = refusal(tmp_path, None, files=["a.csv", files[1]])
    assert "write {file: a.csv, header_row: 3} in source.files" in said


def test_own_column_names_are_checked(tmp_path):
    (tmp_path / "a.csv").write_text(text(ROWS[:10]))
    (tmp_path / "b.csv").write_text(text(ROWS[10:], ("no", "client", "day", "sum")))
    own = {"order_id": "no", "customer": "client", "ordered_at": "day", "amount": "sum"}
    assert read(tmp_path, files=["a.csv", {"file": "b.csv", "columns": own}]) == REVENUE
    wrong = {"file": "b.csv", "columns": own | {"amount": "summ"}}
    said = refusal(tmp_path, None, files=["a.csv", wrong])
    assert "b.csv has no column 'summ' (source.files: columns.amount); did you mean 'sum'?" in said
    said = refusal(tmp_path, None, files=["a.csv", "b.csv"])
    assert "{file: b.csv, columns: {customer_id: ???" in said


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"file": "a.csv", "table": "t"}, "table is a setting of the whole source"),
        ({"fil": "a.csv"}, "did you mean 'file'?"),
        ({"file": "a.csv", "date_fromat": "%d"}, "did you mean 'date_format'?"),
        ({"file": "a.csv", "header_row": 0}, "source.files.0.header_row"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(file, words):
    report = {"title": "x", "currency": "EUR", "columns": dict(COLUMNS), "analysis_dates": ["2024-12-09"]}
    with pytest.raises(ParamsError) as error:
        parse_model(report | {"source": {"files": [file]}}, Report, "params/x.yaml")
    assert words in str(error.value)


def test_settings_of_files_survive_being_written_down():
    source = Source(files=["a.csv", {"file": "b.csv", "footer": 0, "columns": {"x": "y"}}])
    assert source.model_dump(exclude_defaults=True) == {
        "files": ["a.csv", {"file": "b.csv", "footer": 0, "columns": {"x": "y"}}]
    }
    assert Source.model_validate_json(source.model_dump_json()) == source


def test_merged_cells_of_a_sheet_are_filled_down(tmp_path):
    book = openpyxl.Workbook()
    for row in (["customer", "order", "date", "total"], ["Ann", 1, datetime(2024, 1, 1), 10],
                [None, 2, datetime(2024, 1, 2), 20], ["Bob", 3, datetime(2024, 1, 3), 5]):  # fmt: skip
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    book.save(tmp_path / "orders.xlsx")
    columns = Columns(customer_id="customer", ordered_at="date", order_id="order", amount="total")
    source = Source(file="orders.xlsx", fill_down=["customer"])
    lines = read_line_items(source, columns, tmp_path).execute()
    assert lines.groupby("customer_id").amount.sum().astype(float).to_dict() == {"Ann": 30.0, "Bob": 5.0}


DATES = [f"2024-01-0{day}" for day in range(1, 9)]
GROUPED = {
    "orders with their lines": (
        ["order", "customer", "date", "item", "total"],
        [["1", "a", DATES[0], "x", "1"], ["", "", "", "y", "2"], ["", "", "", "z", "2"]] * 3,
        ["order", "customer", "date"],
    ),
    "customers in rows of their own": (
        ["customer", "order", "date", "total"],
        [["Ann", "", "", ""], ["", "1", DATES[0], "5"], ["", "2", DATES[1], "5"]] * 3,
        ["customer"],
    ),
    "guests among orders": (
        ["order", "customer", "date", "total"],
        [[str(n), "a" if n % 3 == 0 else "", day, "5"] for n, day in enumerate(DATES)],
        [],
    ),
    "guests among orders of several lines": (  # the customer of an order would be that of the one above
        ["order", "date", "customer", "total"],
        [["1", DATES[0], "a", "5"], ["", "", "", "5"], ["", "", "", "4"], ["2", DATES[1], "", "5"], ["", "", "", "4"],
         ["", "", "", "4"], ["3", DATES[2], "", "5"], ["", "", "", "4"]],
        ["order", "date"],
    ),
    "receipts of some sales only": (
        ["receipt", "customer", "date", "total"],
        [[str(n) if n % 3 == 0 else "", f"c{n}", day, "5"] for n, day in enumerate(DATES)],
        [],
    ),
    "customers of a day": (
        ["date", "customer", "total"],
        [[DATES[0], "a", "5"], ["", "b", "5"], ["", "c", "5"]] * 3,
        ["date"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GROUPED)
def test_groups_are_told_from_guests(name: str):
    names, rows, expected = GROUPED[name]
    assert layout.group_columns(names, rows) == expected
