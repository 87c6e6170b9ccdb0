"""Rows that are no sales and amounts made of parts: what is computed, and what is refused with one message."""

from pathlib import Path

import ibis
import pandas as pd
import pytest

from crm_utils import sources
from crm_utils.config import Columns, Source, parse_model
from crm_utils.core.errors import ParamsError, SourceError, SourceMissing

ROWS = """order,customer,date,state,type,total,pieces,price,discount,shipping
1,anna,2024-01-01,paid,Payment,20.00,2,10.00,1.50,5.00
2,bert,2024-01-02,Paid ,Payment,12.00,3,4.00,,5.00
3,anna,2024-01-03,failed,Payment,7.00,1,7.00,0,0
4,cleo,2024-01-04,refunded,Payment,8.00,1,8.00,0.5,0
5,,not yet,draft,Withdrawal,soon,1,x,0,0
"""
COLUMNS = {"customer_id": "customer", "ordered_at": "date", "order_id": "order", "amount": "total"}
STATUS = {"column": "state", "count": ["PAID"], "refund": ["refunded"], "ignore": ["failed", "draft"]}


def read(folder: Path, text: str = ROWS, columns: dict | None = None, **source) -> pd.DataFrame:
    """The line items of a csv, in the order of their order ids."""
    (folder / "shop.csv").write_text(text, encoding="utf-8")
    columns = parse_model(COLUMNS | (columns or {}), Columns, "columns")
    source = parse_model({"file": "shop.csv"} | source, Source, "source")
    return sources.read_line_items(source, columns, folder).execute().sort_values("order_id", ignore_index=True)


def refused(folder: Path, *words: str, kind: type[Exception] = SourceError, **options) -> None:
    """The one message must hold every word."""
    with pytest.raises(kind) as error:
        read(folder, **options)
    message = str(error.value)
    assert [word for word in words if word not in message] == [], message
    assert "\n" not in message


def codes(lines: pd.DataFrame) -> list[str | None]:
    return lines.excluded_by.astype(object).where(lines.excluded_by.notna(), None).tolist()


def test_nothing_is_added_unless_a_parameter_asks_for_it(tmp_path: Path):
    rows = ROWS.replace("5,,not yet,draft,Withdrawal,soon", "5,dora,2024-01-05,draft,Withdrawal,1")
    assert set(read(tmp_path, rows)) == {"customer_id", "ordered_at", "order_id", "amount"}


def test_a_filter_leaves_rows_out_that_need_not_be_readable(tmp_path: Path):
    lines = read(tmp_path, filter='type == "Payment" and total > 7')
    assert codes(lines) == [None, None, "filtered", None, "filtered"]
    assert lines.amount[:4].astype(float).tolist() == [20, 12, 7, 8]


def test_states_are_compared_without_case_and_blanks(tmp_path: Path):
    assert codes(read(tmp_path, status=STATUS)) == [None, None, "status_ignored", "status_refunded", "status_ignored"]


def test_the_filter_comes_first_and_its_rows_need_no_state(tmp_path: Path):
    status = STATUS | {"ignore": ["failed"]}
    lines = read(tmp_path, status=status, filter='state != "draft"')
    assert codes(lines) == [None, None, "status_ignored", "status_refunded", "filtered"]


def test_a_row_without_a_state_has_that_of_its_order(tmp_path: Path):
    rows = ROWS.split("5,,")[0] + "3,anna,2024-01-03,,Payment,1,1,1,0,0\n2,bert,2024-01-02,,Payment,1,1,1,0,0\n"
    status = STATUS | {"ignore": ["failed"]}
    assert codes(read(tmp_path, rows, status=status)) == [None, *[None] * 2, *["status_ignored"] * 2, "status_refunded"]
    refused(
        tmp_path, "no list names '' (2 rows", text=rows, columns={"order_id": None, "amount": "total"}, status=status
    )


def test_a_negative_row_with_the_state_of_refunds_takes_back_itself(tmp_path: Path):
    rows = ROWS.replace("8.00,1,8.00", "-8.00,1,-8.00")
    assert codes(read(tmp_path, rows, status=STATUS))[3] is None


def test_parts_are_taken_off_and_added_and_blanks_are_zero(tmp_path: Path):
    amount = {"lines": "pieces * price", "minus": ["discount"], "plus": ["shipping"]}
    lines = read(tmp_path, columns={"amount": amount}, status=STATUS)
    blank = read(tmp_path, columns={"amount": {"lines": "total * (1 - discount)"}}, status=STATUS)
    assert float(blank.amount[1]) == 12
    assert lines.amount[:4].astype(float).tolist() == [23.5, 17, 7, 8]
    assert lines["minus: discount"].astype(float).tolist() == [1.5, 0, 0, 0, 0]  # nothing is taken off what is no sale
    assert lines["plus: shipping"].astype(float).tolist() == [5, 5, 0, 0, 0]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("total", 20.0),
        ("`total`", 20.0),
        ("quantity * unit_price", 20.0),
        ("pieces * (price - discount)", 17.0),
        ("-total / 4 + 1", -4.0),
        ("total / (pieces - 2)", 0.0),
        ("total * (1 - discount / 100)", 19.7),
    ],
)
def test_arithmetic_on_own_and_standard_names(tmp_path: Path, lines: str, expected: float):
    columns = {"quantity": "pieces", "unit_price": "price", "amount": {"lines": lines, "plus": ["shipping"]}}
    assert float(read(tmp_path, columns=columns, status=STATUS).amount[0]) == pytest.approx(expected + 5)


def test_the_amount_of_an_order_counts_once(tmp_path: Path):
    rows = ROWS.split("3,anna")[0] + "1,anna,2024-01-01,,Payment,20.00,1,3.00,1.50,5.00\n"
    lines = read(tmp_path, rows, {"amount": {"lines": "total", "minus": ["discount"], "once_per_order": True}})
    assert codes(lines).count("further_row") == 1
    assert lines.amount[lines.excluded_by.isna()].astype(float).tolist() == [18.5, 12]
    shop = {
        "lines": "pieces * price",
        "minus": ["discount"],
        "plus": ["shipping"],
        "once_per_order": ["discount", "shipping"],
    }
    lines = read(tmp_path, rows, {"amount": shop})
    assert codes(lines) == [None] * 3
    assert lines.groupby("order_id").amount.sum().astype(float).tolist() == [26.5, 17]


def test_rows_of_a_database_and_of_parquet(tmp_path: Path):
    frame = pd.read_csv(pd.io.common.StringIO(ROWS), skipfooter=1, engine="python", dtype={"order": str})
    frame["date"] = pd.to_datetime(frame.date)
    amount = {"lines": "pieces * price", "minus": ["discount"], "plus": ["shipping"], "once_per_order": True}
    columns = parse_model(COLUMNS | {"amount": amount}, Columns, "columns")
    frame.to_parquet(tmp_path / "shop.parquet")
    engine = ibis.sqlite.connect(tmp_path / "shop.db")
    engine.create_table("lines", frame.assign(date=frame.date.astype(str)))
    for source in ({"file": "shop.parquet"}, {"database": "sqlite://shop.db", "table": "lines"}):
        source = parse_model(source | {"status": STATUS, "filter": "total < 15"}, Source, "source")
        lines = sources.read_line_items(source, columns, tmp_path).execute().sort_values("order_id")
        assert codes(lines) == ["filtered", None, "status_ignored", "status_refunded"]
        assert lines.amount.astype(float).tolist() == [20, 17, 7, 8]


REFUNDS = """order,parent,customer,date,total
1,,anna,2024-01-01,20.00
2,,bert,2024-01-02,12.00
R1,1,,2024-01-05,-5.00
R2,2,shop,2024-01-05,-12.00
R3,77,,2024-01-05,-3.00
"""


def test_a_refund_has_the_customer_of_the_order_that_it_names(tmp_path: Path):
    lines = read(tmp_path, REFUNDS, {"refund_of": "parent"}).set_index("order_id")
    assert lines.customer_id[["1", "2", "R1", "R2"]].tolist() == ["anna", "bert", "anna", "shop"]
    assert lines.excluded_by.dropna().to_dict() == {"R3": "refund_without_order"}


def test_a_refund_of_an_order_that_does_not_count(tmp_path: Path):
    lines = read(tmp_path, REFUNDS, {"refund_of": "parent"}, filter='order != "1"').set_index("order_id")
    assert lines.excluded_by.dropna().to_dict() == dict.fromkeys(["R1", "R3"], "refund_without_order") | {
        "1": "filtered"
    }


def test_a_refund_names_an_order_of_an_earlier_file(tmp_path: Path):
    (tmp_path / "earlier.csv").write_text("order,parent,customer,date,total\n77,,dora,2023-12-01,3.00\n")
    lines = read(tmp_path, REFUNDS, {"refund_of": "parent"}, file=None, files=["earlier.csv", "shop.csv"])
    assert lines.set_index("order_id").customer_id["R3"] == "dora"


def test_the_customer_of_a_refund_stands_in_another_column(tmp_path: Path):
    rows = "order,from,to,date,total\n1,anna,shop,2024-01-01,20\n2,shop,anna,2024-01-02,-5\n3,bert,,2024-01-03,-1\n"
    columns = {"customer_id": "from", "refund_customer_id": "to"}
    assert read(tmp_path, rows, columns).customer_id.tolist() == ["anna", "anna", "bert"]


def test_a_refund_with_a_positive_amount(tmp_path: Path):
    words = ["column 'parent' (columns.refund_of): 1 row that name", "(5.00 in total)", "leave columns.refund_of out"]
    refused(tmp_path, *words, text=REFUNDS.replace("-5.00", "5.00"), columns={"refund_of": "parent"})


# what is refused


def test_a_state_that_no_list_names(tmp_path: Path):
    status = STATUS | {"ignore": ["failed"]}
    words = [
        "shop.csv, column 'state' (source.status)",
        "no list names 'draft' (1 row, 0.00)",
        "ignore: [failed, draft]",
    ]
    refused(tmp_path, *words, status=status)


def test_a_state_of_a_later_file(tmp_path: Path):
    (tmp_path / "later.csv").write_text(ROWS.split("5,,")[0] + "9,anna,2024-02-01,On hold: 2,Payment,3,1,3,0,0\n")
    words = ["later.csv, column 'state'", "'On hold: 2' (1 row, 3.00)", 'ignore: [failed, draft, "On hold: 2"]']
    refused(tmp_path, *words, file=None, files=["shop.csv", "later.csv"], status=STATUS)


def test_a_state_in_two_lists(tmp_path: Path):
    words = ["source: status: 'paid' is in count and in ignore: keep it in one of them"]
    refused(tmp_path, *words, kind=ParamsError, status=STATUS | {"ignore": [" Paid"]})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"filter": "total > 1000"}, ["no row is left of 5 rows", "source.filter leaves out 5"]),
        (
            {"filter": 'state == "failed"', "status": STATUS},
            ["no row is left of 5 rows", "source.filter leaves out 4 and source.status leaves out 1"],
        ),
        ({"filter": 'stat == "paid"'}, ["no column 'stat'", "did you mean 'state'?"]),
        ({"filter": "state = 1"}, ["source.filter", "not a valid pandas query"]),
        ({"filter": "state == True"}, ["source.filter", "compares unlike values"]),
        ({"status": STATUS | {"column": "status"}}, ["no column 'status' (source.status)", "did you mean 'state'?"]),
    ],
)
def test_conditions_that_do_not_fit(tmp_path: Path, source: dict, words: list[str]):
    refused(tmp_path, "shop.csv", *words, **source)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ({"lines": "amount"}, ["no column 'amount' (columns.amount.lines)"]),
        ({"lines": "totl"}, ["no column 'totl' (columns.amount.lines)", "did you mean 'total'?"]),
        ({"lines": "pieces * prise"}, ["no column 'prise' (columns.amount.lines)", "did you mean 'price'?"]),
        ({"lines": "total", "minus": ["discont"]}, ["no column 'discont' (columns.amount.minus)", "'discount'"]),
        ({"lines": "max(total)"}, ["columns.amount.lines", "may use columns, numbers, + - * / and brackets only"]),
        ({"lines": "2 * 3"}, ["names no column"]),
        ({"lines": "total *"}, ["is neither a column nor arithmetic on columns"]),
        ({"lines": "state * 2"}, ["column 'state' (columns.amount.lines): 3 rows without a readable number", "'paid'"]),
        (
            {"lines": "total", "plus": ["type"]},
            ["column 'type' (columns.amount.plus): 3 rows without a readable number"],
        ),
        ({"lines": "total * 10000000000"}, ["3 rows of more than 50,000,000,000 money each"]),
    ],
)
def test_amounts_that_do_not_fit(tmp_path: Path, amount: dict, words: list[str]):
    refused(
        tmp_path,
        "shop.csv",
        *words,
        columns={"amount": amount},
        status=STATUS | {"count": ["paid", "failed"], "ignore": ["draft"]},
    )


def test_a_discount_that_is_negative_already(tmp_path: Path):
    words = ["column 'discount' (columns.amount.minus): 1 sale with a negative amount (−1.50)", "plus: [discount]"]
    rows = ROWS.replace("1.50", "-1.50")
    refused(tmp_path, *words, text=rows, columns={"amount": {"lines": "total", "minus": ["discount"]}}, status=STATUS)


def test_an_amount_of_the_order_that_differs_between_its_rows(tmp_path: Path):
    rows = ROWS.split("5,,")[0] + "1,anna,2024-01-01,,Payment,21.00,1,3.00,1.50,5.00\n"
    words = ["column 'total' (columns.amount.once_per_order): 1 order", "order '1' with 20.00 and 21.00"]
    refused(tmp_path, *words, text=rows, columns={"amount": {"lines": "total", "once_per_order": True}})


def test_parameters_that_contradict_each_other(tmp_path: Path):
    for amount, words in (
        ({"lines": "total", "minus": ["a"], "plus": ["a"]}, "'a' stands twice in minus and plus"),
        ({"lines": "total", "once_per_order": ["b"]}, "'b' is no part of the amount: total"),
        ({"lines": "total", "once_per_order": "yes"}, "write true, or a list of columns"),
        ({"lines": "total", "minsu": ["a"]}, "unknown parameter amount.minsu; did you mean 'minus'?"),
    ):
        refused(tmp_path, words, kind=ParamsError, columns={"amount": amount})
    columns = {"order_id": None, "amount": {"lines": "total", "once_per_order": True}}
    refused(tmp_path, "amount.once_per_order needs order_id", kind=ParamsError, columns=columns)


# currencies

MIXED = """order,customer,date,total,cur,Currency
1,anna,2024-01-01,20.00,EUR,EUR
2,bert,2024-01-02,10.00,EUR, usd
3,anna,2024-01-03,5.00,EUR,EUR
"""


def test_amounts_in_several_currencies_are_not_added_up(tmp_path: Path):
    words = ["column 'Currency': amounts in 'EUR' (2 rows, 25.00), 'USD' (1 row, 10.00) would be added up"]
    words += ["source.currency: {column: Currency, keep: EUR}", "source.currency: {column: Currency, rates: rates.csv}"]
    refused(tmp_path, *words, text=MIXED)
    assert len(read(tmp_path, MIXED, filter='Currency == "EUR"')) == 3  # the filter leaves one currency


def test_files_in_different_currencies_are_not_added_up(tmp_path: Path):
    """Each file has one currency, but they differ."""
    for name, code in (("one.csv", "eur"), ("two.csv", "USD")):
        (tmp_path / name).write_text(f"order,customer,date,total,Currency\n{name},anna,2024-01-01,5.00,{code}\n")
    columns = parse_model(COLUMNS, Columns, "columns")
    words = r"one.csv and two.csv, column 'Currency': amounts in 'EUR' \(1 row, 5.00\), 'USD' \(1 row, 5.00\)"
    with pytest.raises(SourceError, match=words):
        sources.read_line_items(parse_model({"files": ["one.csv", "two.csv"]}, Source, "source"), columns, tmp_path)
    keep = {"files": ["one.csv", "two.csv"], "currency": {"column": "Currency", "keep": "EUR"}}
    lines = sources.read_line_items(parse_model(keep, Source, "source"), columns, tmp_path).execute()
    assert codes(lines.sort_values("order_id")) == [None, "other_currency"]


def test_one_currency_is_kept(tmp_path: Path):
    assert codes(read(tmp_path, MIXED, currency={"column": "Currency", "keep": "usd"})) == [
        "other_currency",
        None,
        "other_currency",
    ]
    words = ["no row is left of 3 rows", "source.currency leaves out 3"]
    refused(tmp_path, *words, text=MIXED, currency={"column": "Currency", "keep": "SEK"})


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ("currency,rate\nEUR,1\n", ["rates.csv has no rate of 'USD' (1 row, 10.00)", "add the line USD,<rate>"]),
        ("currency,rate\nEUR,1\nUSD,0,9\n", ["rates.csv, line 3: 'USD' with the rate '0'"]),
        ("code,rate\nEUR,1\n", ["rates.csv, line 2: '(empty)'", "below the heading currency,rate"]),
        ("currency,rate\nEUR,1\neur,1.1\n", ["rates.csv, line 3: a second rate of EUR"]),
    ],
)
def test_rates_that_do_not_fit(tmp_path: Path, rates: str, words: list[str]):
    (tmp_path / "rates.csv").write_text(rates, encoding="utf-8")
    refused(tmp_path, *words, text=MIXED, currency={"column": "Currency", "rates": "rates.csv"})


def test_currencies_that_are_missing(tmp_path: Path):
    missing = {"column": "Currency", "rates": "no.csv"}
    refused(tmp_path, "no.csv does not exist", kind=SourceMissing, text=MIXED, currency=missing)
    blank = MIXED.replace(" usd", "")
    refused(tmp_path, "1 row without a currency", text=blank, currency={"column": "Currency", "keep": "EUR"})
    both = {"column": "Currency", "keep": "EUR", "rates": "rates.csv"}
    refused(tmp_path, "set keep to the currency that counts, or rates", kind=ParamsError, currency=both)
