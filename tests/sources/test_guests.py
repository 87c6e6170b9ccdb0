"""Ids that stand for nobody, and e-mail addresses as ids."""

from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest

from crm_utils import sources
from crm_utils.config import Columns, Report, Source, parse_model
from crm_utils.config.report import Cleaning
from crm_utils.core.errors import ParamsError, SourceError
from tests.support.cleaning_factories import assert_reconciles, clean

ROWS = """order,customer,date,state,amount,of
1,0,2024-01-01,paid,20.00,
2,anna,2024-01-02,paid,12.00,
3,Guest ,2024-01-03,paid,7.00,
3,Guest ,2024-01-03,paid,1.00,
4,,2024-01-04,paid,8.00,
5,0,2024-01-05,failed,5.00,
6,0,2024-01-06,paid,-4.00,1
"""
COLUMNS = {"customer_id": "customer", "ordered_at": "date", "order_id": "order", "amount": "amount"}


def read(folder: Path, text: str = ROWS, columns: dict | None = None, **source) -> ibis.Table:
    (folder / "shop.csv").write_text(text, encoding="utf-8")
    columns = parse_model(COLUMNS | (columns or {}), Columns, "columns")
    return sources.read_line_items(parse_model({"file": "shop.csv"} | source, Source, "source"), columns, folder)


def customers(lines: ibis.Table) -> list[str | None]:
    frame = lines.execute().sort_values(["order_id", "amount"], ascending=[True, False])
    return frame.customer_id.astype(object).where(frame.customer_id.notna(), None).tolist()


def test_dropped_guests_have_a_row_in_the_ledger_with_their_money(tmp_path: Path):
    lines = read(tmp_path, guests={"ids": ["0", "guest"], "treat": "drop"})
    found = clean(lines, "drop", date(2024, 1, 31))
    assert_reconciles(found)
    rows = found["ledger"].set_index("rule")
    # 20 + 7 + 1 + 5 - 4
    assert (rows.rows_removed["guest"], rows.revenue_removed["guest"]) == (5, 29)
    assert (rows.rows_removed["unknown_customer"], rows.revenue_removed["unknown_customer"]) == (1, 8)
    assert rows.revenue_left.iloc[-1] == 12


def test_a_rule_on_the_status_comes_before_that_on_guests(tmp_path: Path):
    status = {"column": "state", "count": ["paid"], "ignore": ["failed"]}
    frame = read(tmp_path, guests={"ids": ["0"], "treat": "drop"}, status=status).execute()
    assert frame.set_index("order_id").excluded_by.dropna().to_dict() == {
        "1": "guest",
        "5": "status_ignored",
        "6": "guest",
    }


def test_each_guest_order_is_a_customer(tmp_path: Path):
    lines = read(tmp_path, guests={"ids": ["0", "GUEST", ""], "treat": "each_order"})
    guest = "guest order "
    assert customers(lines) == [f"{guest}1", "anna", f"{guest}3", f"{guest}3", f"{guest}4", f"{guest}5", f"{guest}6"]


def test_a_refund_belongs_to_the_guest_of_the_order_that_it_names(tmp_path: Path):
    lines = read(tmp_path, columns={"refund_of": "of"}, guests={"ids": ["0"], "treat": "each_order"})
    assert customers(lines)[-1] == "guest order 1"
    found = clean(lines, "net", date(2024, 1, 31))
    assert_reconciles(found)
    known = found["known"].execute().set_index("customer_id")
    assert known.revenue["guest order 1"] == 16


def test_the_id_of_a_joined_customer_is_its_last_part(tmp_path: Path):
    text = "shop,order,customer,date,amount\n0,1,0,2024-01-01,1\n0,2,10,2024-01-01,1\nA,3,0,2024-01-01,1\n"
    lines = read(tmp_path, text, {"customer_id": ["shop", "customer"]}, guests={"ids": ["0"], "treat": "each_order"})
    assert customers(lines) == ["guest order 1", "0-10", "guest order 3"]
    dashed = "order,customer,date,amount\n1,K-0,2024-01-01,1\n2,0,2024-01-01,1\n"
    assert customers(read(tmp_path, dashed, guests={"ids": ["0"], "treat": "each_order"})) == ["K-0", "guest order 2"]


def test_ids_that_no_row_has_are_refused(tmp_path: Path):
    with pytest.raises(SourceError, match="source.guests: no row has the customer id 'walkin'"):
        read(tmp_path, guests={"ids": ["walkin"], "treat": "drop"})


def test_guest_orders_need_an_order_id():
    report = {
        "title": "shop",
        "currency": "EUR",
        "source": {"file": "shop.csv", "guests": {"ids": ["0"], "treat": "each_order"}},
        "columns": {name: own for name, own in COLUMNS.items() if name != "order_id"},
        "analysis_dates": ["2024-01-31"],
    }
    with pytest.raises(ParamsError, match="each_order needs columns.order_id"):
        parse_model(report, Report, "shop.yaml")


EMAILS = """order,customer,date,amount
1,Anna@Shop.example,2024-01-01,1
2, anna@shop.example ,2024-01-02,1
3,anna+news@shop.example,2024-01-03,1
4,a.nna@GMAIL.com,2024-01-04,1
5,anna@googlemail.com,2024-01-05,1
6,Anna,2024-01-06,1
7,a.n+na,2024-01-07,1
"""
IN_LOWER_CASE = ["anna@shop.example"] * 2 + ["anna+news@shop.example", "a.nna@gmail.com", "anna@googlemail.com"]


@pytest.mark.parametrize(
    ("ignored", "expected"),
    [
        ([], IN_LOWER_CASE),
        (["plus_tags"], ["anna@shop.example"] * 3 + IN_LOWER_CASE[3:]),
        (["gmail_dots"], IN_LOWER_CASE[:3] + ["anna@gmail.com"] * 2),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet", "sqlite"])
def test_addresses_are_compared_without_case(tmp_path: Path, kind: str, ignored: list[str], expected: list[str]):
    source = {"file": "shop.csv"}
    (tmp_path / "shop.csv").write_text(EMAILS)
    frame = pd.read_csv(tmp_path / "shop.csv", parse_dates=["date"])
    if kind == "parquet":
        frame.to_parquet(tmp_path / "shop.parquet")
        source = {"file": "shop.parquet"}
    elif kind == "sqlite":
        engine = ibis.sqlite.connect(tmp_path / "shop.db")
        engine.create_table("lines", frame)
        engine.disconnect()
        source = {"database": "sqlite://shop.db", "table": "lines"}
    source = parse_model(source | {"ignore_in_emails": ignored}, Source, "source")
    lines = sources.read_line_items(source, Columns(**COLUMNS), tmp_path)
    assert customers(lines) == [*expected, "Anna", "a.n+na"]


def test_addresses_in_the_parameters_are_compared_without_case():
    cleaning = parse_model(
        {"exclude_customers": ["Me@Shop.example", "K1"], "merge_customers": {"A@x.example": "b@X.example", "K2": "K3"}},
        Cleaning,
        "cleaning",
    )
    assert cleaning.exclude_customers == ["me@shop.example", "K1"]
    assert cleaning.merge_customers == {"a@x.example": "b@x.example", "K2": "K3"}


def test_contacts_find_their_customer_by_the_same_address(tmp_path: Path):
    (tmp_path / "contacts.csv").write_text(
        "customer_id,channel,consent,last_contacted,external_id\n"
        "Anna@shop.example,email,yes,2024-01-01,1\n"
        "anna+news@shop.example,email,no,2024-01-02,2\n"
        "Bert,email,yes,,3\n"
    )
    source = Source(file="shop.csv", ignore_in_emails=["plus_tags"])
    found = sources.read_customer_tables({"contacts": "contacts.csv"}, source, tmp_path, date(2024, 1, 31))["contacts"]
    assert found.set_index("customer_id").consent.to_dict() == {"Bert": True, "anna@shop.example": False}
    assert found.set_index("customer_id").last_contacted["anna@shop.example"] == pd.Timestamp("2024-01-02")
