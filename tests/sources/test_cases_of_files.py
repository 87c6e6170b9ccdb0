"""Exports as programs write them: titles, totals, encodings, several files. `tests/cases` has their true values."""

import re

import pytest

from crm_utils.config import Columns, Source
from crm_utils.core.errors import SourceError
from crm_utils.sources import read_line_items
from tests.support.cases import CASES, COLUMNS

SPACED = {"customer_id": "Customer ID", "ordered_at": "Order Date", "order_id": "Order ID", "amount": "Amount"}
PRINTED = {"customer_id": "Customer No", "ordered_at": "Order Date", "order_id": "Order No", "amount": "Amount"}
JAPANESE = {"customer_id": "顧客ID", "ordered_at": "注文日", "order_id": "注文番号", "amount": "金額"}
RUSSIAN = {"customer_id": "Клиент", "ordered_at": "Дата заказа", "order_id": "Номер заказа", "amount": "Сумма"}
JSON = {"customer_id": "customer_email", "ordered_at": "created_at", "order_id": "order_id", "amount": "total"}
OTHER_NAMES = {"order_id": "OrderID", "customer_id": "CustomerID", "order_date": "OrderDate", "amount": "Amount"}

READ = [  # case, source, columns, revenue, orders
    ("title_and_total", {"file": "sales.csv", "header_row": 4, "footer": 1}, PRINTED, 18618.44, 328),
    ("pandas_index", {"file": "sales.csv"}, COLUMNS, 18618.44, 328),
    ("xlsx_title", {"file": "report.xlsx", "header_row": 4, "footer": 1}, SPACED, 18618.44, 328),
    ("hidden_sheet", {"file": "orders.xlsx"}, SPACED, 18618.44, 328),
    (
        "shift_jis",
        {
            "file": "uriage.csv",
            "encoding": "shift_jis",
            "thousands": ",",
            "currency_sign": "円",
            "date_format": "%Y年%m月%d日",
        },
        JAPANESE,
        2792672,
        328,
    ),
    (
        "cp1251",
        {
            "file": "prodazhi.csv",
            "encoding": "windows-1251",
            "thousands": " ",
            "decimal": ",",
            "date_format": "%d.%m.%Y",
        },
        RUSSIAN,
        1675659.60,
        328,
    ),
    (
        "rupees",
        {"file": "orders.csv", "thousands": ",", "currency_sign": "₹", "date_format": "%d-%m-%Y"},
        SPACED,
        55855320.00,
        328,
    ),
    ("json_in_cell", {"file": "orders.csv", "timezone": "UTC"}, JSON, 11290.09, 200),
    ("mixed_line_ends", {"file": "mixed_plain.csv"}, COLUMNS, 18618.44, 328),
    ("brackets_in_name", {"file": "orders [2024] (1).csv"}, COLUMNS, 18618.44, 328),
    ("brackets_in_name", {"files": ["orders [2024] (1).csv"]}, COLUMNS, 18618.44, 328),
    ("brackets_in_name", {"files": ["orders*.csv"]}, COLUMNS, 18618.44, 328),
    (
        "no_header",
        {"file": "orders.csv", "names": ["order_id", "customer_id", "order_date", "amount"]},
        COLUMNS,
        18618.44,
        328,
    ),
    (
        "two_date_formats",
        {"files": ["2023.csv", {"file": "2024.csv", "date_format": "%d.%m.%Y"}]},
        COLUMNS,
        None,
        320,
    ),
    (
        "two_years_two_headings",
        {"files": ["2023.csv", {"file": "2024.csv", "columns": OTHER_NAMES}]},
        COLUMNS,
        None,
        320,
    ),
]


@pytest.mark.parametrize(("case", "source", "columns", "revenue", "orders"), READ)
def test_a_case_has_its_true_value(tmp_path, case, source, columns, revenue, orders):
    lines = read_line_items(copied(case, tmp_path, source), Columns(**columns), tmp_path)
    found = lines.aggregate(revenue=lines.amount.sum(), orders=lines.order_id.nunique(), rows=lines.count()).execute()
    assert found.orders[0] == orders
    if revenue is not None:
        assert float(found.revenue[0]) == pytest.approx(revenue, abs=0.005)
        assert found["rows"][0] == orders


def copied(case: str, folder, source: dict) -> Source:
    """The source, with the files of the case in a folder of their own: what is cached of them goes with it."""
    for path in (CASES / case).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return Source(**source)


@pytest.mark.parametrize(
    ("case", "source", "columns", "words"),
    [
        (
            "title_and_total",
            {"file": "sales.csv"},
            PRINTED,
            [
                "line 4 looks like the column names ('Order No, Customer No, Order Date, Amount')",
                "source.header_row: 4",
            ],
        ),
        (
            "title_and_total",
            {"file": "sales.csv", "header_row": 4},
            PRINTED,
            ["'Total, , , 18618.44'", "source.footer: 1"],
        ),
        ("xlsx_title", {"file": "report.xlsx"}, SPACED, ["sheet 'Report'", "source.header_row: 4"]),
        ("xlsx_title", {"file": "report.xlsx", "header_row": 4}, SPACED, ["sheet 'Report'", "source.footer: 1"]),
        ("no_header", {"file": "orders.csv"}, COLUMNS, ["first line contains data", "source.names: ["]),
        (
            "no_header",
            {"file": "orders.csv", "names": ["a", "b", "c"]},
            COLUMNS,
            ["source.names lists 3 columns", "have 4"],
        ),
        (
            "two_years_two_headings",
            {"files": ["2023.csv", "2024.csv"]},
            COLUMNS,
            ["2024.csv has no column", "{file: 2024.csv, columns: {customer_id: CustomerID, ordered_at: OrderDate"],
        ),
        (
            "two_date_formats",
            {"files": ["2023.csv", "2024.csv"]},
            COLUMNS,
            [
                "2024.csv, column 'order_date'",
                "source.date_format: '%d.%m.%Y'; if only",
                "write {file: 2024.csv, date_format: '%d.%m.%Y'} in source.files",
            ],
        ),
        (
            "day_month_swapped",
            {"file": "orders.xlsx"},
            SPACED,
            ["exchanged their day and month", "export the file again"],
        ),
        (
            "day_month_swapped",
            {"file": "orders.xlsx", "date_format": "%d/%m/%Y"},
            SPACED,
            ["exchanged their day and month", "export the file again"],
        ),
    ],
)
def test_a_case_is_refused_with_the_line_to_write(tmp_path, case, source, columns, words):
    with pytest.raises(SourceError) as error:
        read_line_items(copied(case, tmp_path, source), Columns(**columns), tmp_path)
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)
    assert not re.search("rewrite|write all rows", str(error.value))
