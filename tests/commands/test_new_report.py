"""`make new`: a guess is right or listed as a point to check, and the report then builds."""

import gzip
import re
from pathlib import Path

import ibis
import openpyxl
import pandas as pd
import pytest
import yaml

from crm_utils import sources
from crm_utils.commands.new_report import inference, warnings
from crm_utils.commands.new_report.draft import new_report
from crm_utils.commands.new_report.statuses import count_texts
from crm_utils.config import Report, Source, read_yaml
from crm_utils.core.errors import ParamsError, SourceError
from crm_utils.sources.raw_table import RawTable, TextFormat
from tests.support.in_process import prepared
from tests.support.projects import new_project, run


def sample(**columns: list) -> pd.DataFrame:
    return pd.DataFrame({name.replace("_", " "): pd.Series(values, dtype="str") for name, values in columns.items()})


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # Online Retail II, the data set's own names
        (
            "Invoice StockCode Description Quantity InvoiceDate Price Customer_ID Country",
            "order_id product_id description quantity ordered_at unit_price customer_id country",
        ),
        # the names of Online Retail I
        (
            "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country",
            "order_id product_id description quantity ordered_at unit_price customer_id country",
        ),
        (
            "order_number sku item_name qty created_at item_price client_id",
            "order_id product_id description quantity ordered_at unit_price customer_id",
        ),
        (
            "Bestellnummer Artikelnummer Menge Bestelldatum Einzelpreis Kundennummer Land",
            "order_id product_id quantity ordered_at unit_price customer_id country",
        ),
        ("customer date amount", "customer_id ordered_at amount"),
        ("Receipt User Day Total", "order_id customer_id ordered_at amount"),
    ],
)
def test_columns_are_found_by_their_usual_names(names, expected):
    values = {"ordered_at": "2011-03-01", "quantity": "3", "unit_price": "2.50", "amount": "7.50"}
    pairs = list(zip(names.split(), expected.split(), strict=True))
    frame = pd.DataFrame({name.replace("_", " "): [values.get(kind, "x1")] for name, kind in pairs}, dtype="str")
    assert inference.columns(frame) == {kind: name.replace("_", " ") for name, kind in pairs}


def test_a_name_does_not_count_against_the_values():
    frame = sample(
        date=["soon", "later"],
        when=["2011-01-31", "2011-02-01"],
        customer=["a", "b"],
        price=["cheap", "dear"],
        paid=["1", "2"],
    )
    assert inference.columns(frame) == {"ordered_at": "when", "customer_id": "customer"}


ROW = {"date": "2024-01-31", "number": "3", "text": "x1"}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        # a status, a priority, a type, a date of birth, a cost of shipping are not what their first word says
        (
            {"customer_id": "text", "order_date": "date", "order_status": "text", "revenue": "number"},
            {"order_id": None},
        ),
        ({"Customer": "text", "Order Date": "date", "Order Priority": "text", "Revenue": "number"}, {"order_id": None}),
        ({"cid": "text", "customer_type": "text", "date": "date", "total": "number"}, {"customer_id": "cid"}),
        (
            {"birth_date": "date", "order_time": "date", "client": "text", "total": "number"},
            {"ordered_at": "order_time"},
        ),
        ({"birth_date": "date", "when": "date", "client": "text", "total": "number"}, {"ordered_at": "when"}),
        (
            {"Customer ID": "text", "Order Date": "date", "Sales": "number", "Shipping Cost": "number"},
            {"unit_cost": None},
        ),
        # what a line costs in all is an amount
        (
            {"client": "text", "date": "date", "qty": "number", "total_price": "number"},
            {"amount": "total_price", "unit_price": None},
        ),
        (
            {"client": "text", "date": "date", "Units": "number", "Line Price": "number"},
            {"amount": "Line Price", "unit_price": None},
        ),
        (
            {"Cliente": "text", "Fecha": "date", "Cantidad": "number", "Precio total": "number"},
            {"amount": "Precio total"},
        ),
        (
            {"Kunde": "text", "Datum": "date", "Stück": "number", "Einzelpreis": "number"},
            {"quantity": "Stück", "unit_price": "Einzelpreis"},
        ),
        # the price of one piece is none, without the number of pieces
        ({"Kunde": "text", "Datum": "date", "Einzelpreis": "number"}, {"amount": None, "unit_price": None}),
        ({"customer": "text", "date": "date", "price": "number"}, {"amount": "price"}),
    ],
)
def test_a_common_word_is_not_enough_to_match_a_column(columns, expected):
    frame = pd.DataFrame({name: [ROW[kind]] for name, kind in columns.items()}, dtype="str")
    found = inference.columns(frame)
    assert {standard: found.get(standard) for standard in expected} == expected


def test_a_column_of_few_values_is_not_the_order_id():
    frame = pd.DataFrame(
        {"customer": "a", "date": "2024-01-31", "amount": "1", "invoice": ["yes", "no"] * 400}, dtype="str"
    )
    assert "order_id" not in inference.columns(frame)


ORDERS = pd.DataFrame(
    {
        "order": [str(n // 2) for n in range(40)],
        "customer": [str(n // 4) for n in range(40)],
        "date": "2024-01-31",
        "quantity": "2",
        "price": [f"{n % 7 + 1}.5" for n in range(40)],
    }
)
PIECES = ORDERS.price.astype(float) * 2


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (
            ORDERS.drop(columns="order"),
            "columns.order_id: no such column was found, so each row counts as one order",
        ),
        (
            ORDERS.drop(columns="order").assign(product="mug"),
            "columns.order_id: no such column was found, so all rows of a customer and day count as one order",
        ),
        (
            ORDERS.assign(line_total=(PIECES * 0.9).astype(str)),
            "'line_total' differs from it in 100% of rows. Write columns.amount: line_total",
        ),
        (ORDERS.assign(line_total=PIECES.astype(str)), None),
        (
            ORDERS.assign(total=PIECES.groupby(ORDERS.order).transform("sum").astype(str)),
            None,
        ),  # the order's: never to be added up
        (
            ORDERS.drop(columns="price").assign(total=PIECES.groupby(ORDERS.order).transform("sum").astype(str)),
            "'total' is the same in all rows of an order; if it is the order's total, it is counted several times",
        ),
        (
            ORDERS.drop(columns="price").assign(net_amount=ORDERS.price, gross_amount="9"),
            "'gross_amount' is possible as well as 'net_amount'",
        ),
        (
            ORDERS.drop(columns="quantity").rename(columns={"price": "unit price"}),
            "columns.quantity: no such column was found; with one, 'unit price' would be",
        ),
        (ORDERS.drop(columns="quantity"), "columns.amount: 'price' is used as the amount of the whole row"),
    ],
    ids=[
        "no orders",
        "no orders of products",
        "discount",
        "no discount",
        "orders' total",
        "only orders' total",
        "net and gross",
        "price alone",
        "price",
    ],
)
def test_doubtful_columns_are_points_to_check(frame, words):
    columns = inference.columns(frame)
    lines = warnings.list_warnings(frame, columns, {})
    assert lines == [] if words is None else any(words in line for line in lines), lines


@pytest.mark.parametrize(
    ("texts", "continental", "written", "example"),
    [
        (["19,500", "3"], False, {"thousands": ","}, "19,500"),
        (["19,500", "3"], True, {"decimal": ","}, "19,500"),
        (["1.490", "390"], False, {}, "1.490"),
        (["1.490", "390"], True, {"thousands": "."}, "1.490"),
        (["1.490", "0.950"], True, {}, None),  # nothing thousand begins with 0
        (["1,490", "0,950"], False, {"decimal": ","}, None),
        (["1.234.567", "1.490"], False, {"thousands": "."}, None),
        (["1’234.50", "3.00"], False, {"thousands": "’"}, None),
    ],
)
def test_three_digits_after_a_single_mark_are_ambiguous(texts, continental, written, example):
    assert inference.number_format(texts, continental) == written
    assert inference.ambiguous_number(texts) == example


def test_an_ambiguous_number_is_a_point_to_check(tmp_path):
    (tmp_path / "a.csv").write_text("Kunde;Datum;Beleg;Betrag\n1;31.12.2023;1;1.490\n1;30.12.2023;2;390\n")
    path, _, open_points = new_report(tmp_path, "shop", "a.csv")
    assert any("numbers such as '1.490' are read as 1490; correct" in point for point in open_points)
    assert read_yaml(path, Report).source.thousands == "."


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_recognized_with_and_without_a_byte_order_mark(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("Kunde,Datum,Beleg,Betrag\n1,2023-12-31,1,5\n".encode(encoding))
    path, _, _ = new_report(tmp_path, "shop", "a.csv")
    assert read_yaml(path, Report).source.encoding == encoding
    with pytest.raises(SourceError, match=f"a.csv is written in UTF-16; set source.encoding: {encoding}"):
        sources.read_raw_tables(Source(file="a.csv"), tmp_path)


def test_delimiters_inside_quoted_names_do_not_count(tmp_path):
    (tmp_path / "a.csv").write_text('"Customer, id";"Order\ndate";"Amount, net, EUR"\n1;2023-12-31;5\n')
    path, _, _ = new_report(tmp_path, "shop", "a.csv")
    assert read_yaml(path, Report).columns.amount == "Amount, net, EUR"
    (tmp_path / "b.csv").write_text("sep=;\nKunde;Datum\n1;2023-12-31\n")
    path, guessed, _ = new_report(tmp_path, "other", "b.csv")
    assert "header_row: 2" in guessed
    assert "ordered_at: Datum" in path.read_text()
    with pytest.raises(SourceError, match="'sep=;', is an instruction for Excel; write source.header_row: 2"):
        sources.read_raw_tables(Source(file="b.csv"), tmp_path)


def test_eight_digit_dates_are_not_serial_numbers(tmp_path):
    pd.DataFrame({"customer": ["7", "8"], "date": [20230102, 20230203], "amount": [1.5, 2]}).to_parquet(
        tmp_path / "a.parquet"
    )
    path, guessed, _ = new_report(tmp_path, "shop", "a.parquet")
    assert [str(day) for day in read_yaml(path, Report).analysis_dates] == ["2023-02-03"]


def test_a_total_is_not_used_if_quantity_and_price_exist():
    frame = sample(customer=["a"], date=["2011-01-31"], quantity=["2"], price=["3"], total=["60"])
    assert "amount" not in inference.columns(frame)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2011-01-31", "2011-02-01 10:00:00"], (None, [])),
        (["20110131"], (None, [])),
        (["31.01.2011 08:05", "01.02.2011 09:00"], ("%d.%m.%Y %H:%M", [])),
        (["12/31/2010", "01/02/2011"], ("%m/%d/%Y", [])),
        (["31-Jan-2011"], ("%d-%b-%Y", [])),
        (["1/2/2011 8:05", "5/6/2011 9:00"], ("%d/%m/%Y %H:%M", ["%m/%d/%Y %H:%M"])),
        (["40513.35", "40514"], ("excel", [])),
    ],
)
def test_the_date_format_is_guessed(texts, expected):
    assert inference.date_format(texts) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2.55", "1234.5", "-3"], {}),
        (["2,55", "3"], {"decimal": ","}),
        (["1.234,50", "2,5"], {"decimal": ",", "thousands": "."}),
        (["1,234.50", "2.5"], {"thousands": ","}),
        (["1,234", "12,345"], {"thousands": ","}),
        (["£2.55", "£1,000.00"], {"currency_sign": "£", "thousands": ","}),
        (["2,55 €"], {"currency_sign": "€", "decimal": ","}),
        (["1 250,50", "3,00"], {"thousands": " ", "decimal": ","}),
        (["1'250.50", "3.00"], {"thousands": "'"}),
        (["$1", "€1"], {}),
    ],
)
def test_the_number_format_is_guessed(texts, expected):
    assert inference.number_format(texts) == expected


def test_the_currency_is_guessed_from_a_sign_a_column_of_codes_or_a_name():
    assert inference.currency(sample(a=["1"]), "£") == "GBP"
    assert inference.currency(sample(a=["1"], cur=["CHF"]), None) == "CHF"
    assert inference.currency(sample(price_usd=["1"]), None) == "USD"
    assert inference.currency(sample(**{"Preis (€)": ["1"]}), None) == "EUR"
    assert inference.currency(sample(**{"Preis (€)": ["1"], "Price ($)": ["1"]}), None) is None
    assert inference.currency(sample(a=["1"]), None) is None


ROWS = [
    (customer, f"{day:02}.{month:02}.2011 10:00", f"{customer}{month}{day}", f"{day},50 €")
    for customer in ("007", "8")
    for month in (1, 6, 12)
    for day in (3, 28)
]
HEADER = ("Kunde", "Datum", "Beleg", "Betrag")


def german(path: Path) -> Path:
    text = "\n".join(";".join(row) for row in (HEADER, *ROWS)).encode("windows-1252")
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz"])
def test_a_german_csv_needs_no_correction(tmp_path, name):
    german(tmp_path / name)
    path, guessed, open_points = new_report(tmp_path, "shop", name)
    assert open_points == []
    report = read_yaml(path, Report)
    assert (report.currency, report.source.decimal, report.source.currency_sign) == ("EUR", ",", "€")
    assert (report.source.encoding, report.source.date_format) == ("windows-1252", "%d.%m.%Y %H:%M")
    assert [str(day) for day in report.analysis_dates] == ["2011-09-30", "2011-12-31"]
    assert guessed[:3] == [
        "encoding: windows-1252, as in '3,50 €': correct source.encoding if that is misspelt",
        "columns: ordered_at = 'Datum', customer_id = 'Kunde', order_id = 'Beleg', amount = 'Betrag'",
        "dates: %d.%m.%Y %H:%M, as in '03.01.2011 10:00'",
    ]


def test_sheets_with_one_header_are_read_together(tmp_path):
    book = openpyxl.Workbook()
    book.create_sheet("Cover").append(["Sales of the shop"])
    for name, header in (("2010", HEADER), ("2011", HEADER), ("Notes", ("x",))):
        sheet = book.create_sheet(name)
        sheet.append(header)
        sheet.append(["007", pd.Timestamp("2011-01-31"), "A1", 2.5])
    book.remove(book["Sheet"])
    book.save(tmp_path / "orders.xlsx")
    path, guessed, open_points = new_report(tmp_path, "shop", "orders.xlsx")
    assert read_yaml(path, Report).source.sheets == ["2010", "2011"]
    assert guessed[0] == "sheets: '2010' and '2011'; 'Cover' and 'Notes' left out (different columns)"
    assert open_points == ["currency: not found; replace XXX by its three letters"]


def test_what_cannot_be_guessed_is_a_point_to_check(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1/2/2011,3\n")
    path, _, open_points = new_report(tmp_path, "shop", "a.csv")
    written = yaml.safe_load(path.read_text())
    assert written["columns"]["customer_id"] == "???"
    text = "\n".join(open_points)
    assert "columns.customer_id" in text
    assert "match %m/%d/%Y as well" in text
    assert "currency" in text


def test_what_would_stop_the_report_is_a_point_to_check(tmp_path):
    (tmp_path / "a.csv").write_text("customer,date,amount\na,2011-01-01,1\nb,someday,2\n" + "c,2011-01-01,1\n" * 6_000)
    _, _, open_points = new_report(tmp_path, "shop", "a.csv")
    assert any(
        "column 'date' (columns.ordered_at): 1 row without" in line and "'someday'" in line for line in open_points
    )


@pytest.mark.parametrize("name", ["serial.csv", "serial.xlsx"])
def test_serial_numbers_are_dates_if_the_column_name_says_so(tmp_path, name):
    frame = pd.DataFrame({"Customer": ["7", "8"], "Order date": [44928, 45000], "Stock": [44000, 44001], "Amount": 1.5})
    frame.to_csv(tmp_path / name, index=False) if name.endswith("csv") else frame.to_excel(tmp_path / name, index=False)
    _, guessed, _ = new_report(tmp_path, "shop", name)
    written = yaml.safe_load((tmp_path / "params" / "shop.yaml").read_text())
    assert (written["columns"]["ordered_at"], written["source"]["date_format"]) == ("Order date", "excel")
    assert "2023-03-15" in written["analysis_dates"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("customer,date,amount\n", "orders.csv has no rows below its column names"),
        ("customer,date,amount\n1,2024-01-05,2\n1,2\n", "orders.csv cannot be read: line 3 has 2 fields"),
        ("customer,customer,amount\n1,2,3\n", "'customer' appears 2 times"),
        ("customer,Customer,amount\n1,2,3\n", "'customer', 'Customer' .* differ only in case"),
    ],
)
def test_an_unreadable_file_is_an_error_and_nothing_is_written(tmp_path, text, words):
    (tmp_path / "orders.csv").write_text(text)
    with pytest.raises(SourceError, match=words):
        new_report(tmp_path, "shop", "orders.csv")
    assert not (tmp_path / "params").exists()


def test_the_message_for_a_database_says_what_to_write(tmp_path):
    with pytest.raises(SourceError, match="FILE= takes a file. To use a database, write URL=sqlite://shop.db TABLE="):
        new_report(tmp_path, "shop", "postgresql://me:hunter2@host/shop")


def test_orders_in_the_future_are_a_point_to_check(tmp_path):
    (tmp_path / "orders.csv").write_text("customer,date,amount\n7,2099-12-31,2\n")
    _, _, open_points = new_report(tmp_path, "shop", "orders.csv")
    assert any("the last order is dated 2099-12-31, which is in the future" in point for point in open_points)


def test_a_date_column_without_dates_is_used_and_its_values_reported(tmp_path):
    (tmp_path / "orders.csv").write_text("customer,order date,amount\n7,yesterday,2\n8,today,3\n")
    _, guessed, open_points = new_report(tmp_path, "shop", "orders.csv")
    assert "ordered_at = 'order date'" in guessed[0]
    assert any("2 rows without a readable date, for example 'today', 'yesterday'" in point for point in open_points)


def test_the_most_common_date_format_is_guessed(tmp_path):
    days = pd.date_range("2023-01-01", periods=300)
    texts = [f"{day:%d/%m/%Y}" if place % 7 == 0 else f"{day:%Y-%m-%d}" for place, day in enumerate(days)]
    (tmp_path / "orders.csv").write_text("\n".join(["customer,date,amount", *(f"7,{text},2.5" for text in texts)]))
    _, _, open_points = new_report(tmp_path, "shop", "orders.csv")
    assert any("43 rows without a readable date, for example '01/01/2023'" in point for point in open_points)


def test_dates_in_the_future_do_not_become_analysis_dates(tmp_path):
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2023-01-01", periods=300)]
    rows = [f"7,{day},2.5" for day in [*days, "2062-01-05"]]
    (tmp_path / "orders.csv").write_text("\n".join(["customer,date,amount", *rows]))
    path, _, open_points = new_report(tmp_path, "shop", "orders.csv")
    assert any("1 row dated in the future" in point and "2023-10-27" in point for point in open_points)
    assert "2062" not in path.read_text()


def test_nothing_is_overwritten_and_names_are_checked(tmp_path):
    german(tmp_path / "orders.csv")
    new_report(tmp_path, "shop", "orders.csv")
    with pytest.raises(ParamsError, match="params/shop.yaml exists"):
        new_report(tmp_path, "shop", "orders.csv")
    for name in ("../shop", "campaigns", "evidence", "_shop", "-shop", ""):
        with pytest.raises(ParamsError, match="cannot be the name of a report"):
            new_report(tmp_path, name, "orders.csv")
    with pytest.raises(SourceError, match="none.csv does not exist"):
        new_report(tmp_path, "other", "none.csv")
    assert [path.name for path in (tmp_path / "params").iterdir()] == ["shop.yaml"]


def test_from_a_file_to_the_first_pages(tmp_path, monkeypatch):
    project = new_project(tmp_path / "project")
    (project / "params" / "small.yaml").unlink()
    done = run(project, "new", "--report", "shop", "--file", "small.csv")
    assert done.returncode == 0, done.stderr
    assert (
        "ordered_at = 'date', customer_id = 'customer_id', quantity = 'number_of_cds', amount = 'dollar_value'"
        in done.stdout
    )
    assert "currency: not found" in done.stdout
    written = project / "params" / "shop.yaml"
    written.write_text(re.sub(r"analysis_dates: .*", 'analysis_dates: ["1998-06-30"]', written.read_text()))
    one_customer, one_order = "7,1998-01-05,10\n7,1998-03-05,20\n7,1998-06-30,30\n", "7,1998-06-30,10\n"
    for name, rows in (("one_customer", one_customer), ("one_order", one_order)):
        (project / f"{name}.csv").write_text("customer,date,amount\n" + rows)
        new_report(project, name, f"{name}.csv")
    status, lines = prepared(project, monkeypatch, None).to_file("report")
    assert status == 0, lines
    for name in ("shop", "one_customer", "one_order"):
        assert (project / "reports" / name / "1998-06-30" / "05_budget.html").exists()
    withheld = (project / "reports" / "one_customer" / "1998-06-30" / "04_cltv.html").read_text()
    assert (
        "There is no model forecast, because there is 1 customer, but a model needs 100; there is 1 repeat buyer"
        in withheld
    )


def test_new_without_a_file_says_what_to_write(tmp_path):
    done = run(tmp_path, "new", "--report", "shop")
    assert (done.returncode, "make new REPORT=shop FILE=orders.csv" in done.stderr) == (1, True)


def as_part(frame: pd.DataFrame) -> RawTable:
    return RawTable("orders.csv", ibis.memtable(frame), TextFormat())


def test_rows_that_may_not_be_sales_are_points_to_check():
    frame = sample(
        customer_id=list("abcd"),
        created=["2024-01-01"] * 4,
        amount=["1.5"] * 4,
        status=["paid", "Failed", "paid", "no-show"],
    )
    part = as_part(frame)
    [line] = warnings.check_states(count_texts([part], ["status"], ["amount"]), None)
    assert line.startswith(
        "rows: column 'status' contains 'Failed' and 'no-show' in 50% of rows, which are counted as sales"
    )
    assert (
        warnings.check_states(count_texts([as_part(frame.assign(status="paid"))], ["status"], ["amount"]), None) == []
    )


def points_about_customers(*ids: str) -> list[str]:
    return warnings.check_ids([as_part(sample(customer_id=list(ids)))], "customer id")


def test_ids_that_differ_in_case_are_points_to_check():
    [line] = points_about_customers("K12a", "k12A", "k13")
    assert "2 ids of 'customer id' differ from another id only in case, such as 'K12a' and 'k12A'" in line


def test_spellings_of_addresses_are_points_to_check_only_if_they_count_as_customers():
    """Case makes no difference to an e-mail address. A +tag and the dots of Gmail do, unless the source says so."""
    assert points_about_customers("Ann@x.org", "ann@x.org", "bob@x.org") == []
    [line] = points_about_customers("Ann@x.org", "ann+shop@x.org", "b.ob@gmail.com", "bob@gmail.com", "c@x.org")
    assert line.startswith("customers: 2 addresses of 'customer id'")
    assert "ignore_in_emails: [plus_tags, gmail_dots]" in line


@pytest.mark.parametrize(
    ("amounts", "warned"),
    [
        (["1999", "2495", "129"], True),
        (["20", "25", "12"], False),
        (["1999.0", "24.95", "3"], False),
        (["2000", "3000", "1500"], False),
    ],
)
def test_amounts_that_may_be_cents_are_points_to_check(amounts, warned):
    frame = sample(customer_id=["1"] * 9, order_date=["2024-01-01"] * 9, amount=amounts * 3)
    assert (
        any("if these are cents" in line for line in warnings.list_warnings(frame, inference.columns(frame), {}))
        is warned
    )


def test_an_id_is_not_a_date_and_a_refund_not_revenue():
    frame = sample(Auftraggeber=["0000100001"] * 3, Fakturadatum=["11.01.2024"] * 3, Nettowert=["12,50"] * 3)
    assert inference.columns(frame)["ordered_at"] == "Fakturadatum"
    frame = sample(customer=["1"], date=["2024-01-01"], amount_refunded=["0"], amount=["5"])
    assert not [line for line in warnings.list_warnings(frame, inference.columns(frame), {}) if "refunded" in line]


def test_order_numbers_with_a_hash_sign_are_found():
    frame = sample(Name=["#1001", "#1002"], Email=["a@x", "b@x"], Created_at=["2024-01-01"] * 2, Total=["5", "6"])
    assert inference.columns(frame)["order_id"] == "Name"
