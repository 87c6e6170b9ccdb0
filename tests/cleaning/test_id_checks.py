"""Ids that are not one customer each, and order numbers that are not one order each."""

from functools import partial

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cleaning import findings
from crm_utils.cleaning.data_quality import Check, CheckResult, DataSummary
from crm_utils.cleaning.id_checks import check_email_ids, check_shared_emails, run_id_checks
from crm_utils.config import Columns, Source
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.orders import aggregate_lines
from crm_utils.sources import count_email_spellings, find_shared_emails, read_line_items
from tests.support.cases import CASES, COLUMNS, read_case

FMT = NumberFormat("EUR")
SUMMARY = DataSummary(customers=500, repeat_buyers=100, days=100)
START = pd.Timestamp("2023-01-01")


def shop(customers: int = 200, orders: int = 5, days: int = 365, seed: int = 1) -> pd.DataFrame:
    """Customers K1000, K1001, … with some orders each on random days, for 10 to 90."""
    rng = np.random.default_rng(seed)
    ids = np.repeat([f"K{number}" for number in range(1000, 1000 + customers)], orders)
    frame = pd.DataFrame({"customer_id": ids, "day": rng.integers(0, days, len(ids))})
    frame["amount"] = rng.uniform(10, 90, len(ids)).round(2)
    return frame.assign(order_id=[f"R{number}" for number in range(len(ids))])


def results(frame: pd.DataFrame) -> dict[Check, CheckResult]:
    lines = frame.assign(ordered_at=START + pd.to_timedelta(frame.day, unit="D")).drop(columns="day")
    table = ibis.memtable(lines).cast({"amount": "decimal(18, 4)", "ordered_at": "timestamp"})
    counted = table.mutate(removed_by=ibis.null("string"))
    return {result.check: result for result in run_id_checks(aggregate_lines(counted), "order_id" in frame.columns)}


def warned(frame: pd.DataFrame) -> set[Check]:
    return {check for check, result in results(frame).items() if not result.passed}


def row_of(result: CheckResult) -> str:
    return findings.data_quality([result], SUMMARY, FMT)._repr_html_()


def rename(frame: pd.DataFrame, count: int, name: str) -> pd.DataFrame:
    """The shop with its first `count` orders, of different customers, under one id."""
    first = frame.drop_duplicates("customer_id").index[:count]
    return frame.assign(customer_id=frame.customer_id.where(~frame.index.isin(first), name))


def test_a_sound_shop_has_no_warning():
    assert warned(shop()) == set()
    assert warned(shop(customers=3, orders=2)) == set()
    assert warned(shop(customers=1, orders=1)) == set()


@pytest.mark.parametrize(
    "name",
    ["0", "-1", "Guest", "walk-in", "WALK IN CUSTOMER", "anonymous", "n.a.", "guest@shop.example", "?", "00000"]
    + ["Gäste", "Unbekannt", "Invité", "Client de passage", "Consumidor final", "Público en general"]
    + ["Não identificado", "Cliente balcão", "Misafir müşteri", "Perakende Satış"],
)
def test_an_id_of_nobody_is_named_with_its_orders(name):
    found = results(rename(shop(), 30, name))[Check.NOBODY_IDS]
    assert (found.passed, found.value, found.reference, found.names) == (False, 1, 30, (name,))
    assert "30 orders" in row_of(found)
    assert "30 orders" in findings.data_quality([found], SUMMARY, FMT).sentence


@pytest.mark.parametrize("name", ["info@firm.example", "K0", "Guestham", "9", "10", "A-1", "0815"])
def test_ids_of_customers_are_not_called_nobody(name):
    assert results(rename(shop(), 30, name))[Check.NOBODY_IDS].passed


@pytest.mark.parametrize(("orders_of_zero", "passed"), [(5, True), (10, True), (11, False), (30, False)])
def test_customers_may_be_numbered_from_zero(orders_of_zero, passed):
    frame = shop()
    frame = rename(
        frame.assign(customer_id=(frame.customer_id.str[1:].astype(int) - 999).astype(str)), orders_of_zero, "0"
    )
    assert results(frame)[Check.NOBODY_IDS].passed == passed


@pytest.mark.parametrize(("orders", "passed"), [(100, False), (90, True)])
def test_no_person_places_a_tenth_of_all_orders(orders, passed):
    """With 900 or 910 orders of others: 10 % and 9 %."""
    frame = shop(customers=200, orders=5).assign(customer_id=lambda table: table.customer_id)
    frame.loc[: orders - 1, "customer_id"] = "K1"
    found = results(frame)[Check.HEAVY_IDS]
    assert found.passed == passed
    if not passed:
        assert found.names == ("K1",)
        assert "100 orders" in row_of(found)


@pytest.mark.parametrize(("a_day", "passed"), [(3, False), (2, True)])
def test_no_person_orders_three_times_on_each_day(a_day, passed):
    frame = shop(customers=2000)
    for place in range(60):
        frame.loc[place, ["customer_id", "day"]] = "K1", place // a_day
    assert results(frame)[Check.HEAVY_IDS].passed == passed
    without_order_ids = frame.drop(columns="order_id")
    assert results(without_order_ids)[Check.HEAVY_IDS].passed, "each line is an order then"


def test_guests_under_one_id_are_found_twice():
    table = read_case("guests_id_0", customer_id="customer_user", amount="order_total")
    found = {
        result.check: result
        for result in run_id_checks(aggregate_lines(table.mutate(removed_by=ibis.null("string"))), True)
    }
    for check in (Check.NOBODY_IDS, Check.HEAVY_IDS):
        assert (found[check].passed, found[check].reference, found[check].names) == (False, 151, ("0",))


def test_many_negative_ids_are_customers():
    """One or two negative numbers stand for nobody. Four of them are customers of a system that numbers them so."""
    frame = rename(shop(), 9, "-1")
    assert results(frame)[Check.NOBODY_IDS].names == ("-1",)
    for number in (2, 3, 4):
        frame = rename(frame.iloc[::-1], 9, f"-{number}")
    assert results(frame)[Check.NOBODY_IDS].passed


def test_guest_orders_that_are_customers_are_counted_and_no_warning():
    found = results(rename(shop(), 1, "guest order 1001"))[Check.NOBODY_IDS]
    assert (found.passed, found.value) == (True, 1)
    assert "1 order of unknown buyers counts as customers of their own" in row_of(found)


def emails(case: str, ignored: list[str]) -> list[CheckResult]:
    columns, folder = Columns.model_validate(COLUMNS | {"customer_id": "email"}), CASES / case
    source = Source(file="orders.csv", ignore_in_emails=ignored)
    sums = aggregate_lines(read_line_items(source, columns, folder).mutate(removed_by=ibis.null("string")))
    return check_email_ids(sums, partial(count_email_spellings, source, columns, folder))


def test_spellings_of_addresses_are_counted():
    """201 spellings of 141 addresses of 110 customers."""
    (found,) = emails("email_as_id", [])
    assert (found.passed, found.value, found.reference) == (False, 60, 31)
    assert "60 e-mail addresses" in row_of(found) and "31 e-mail addresses differ" in row_of(found)
    (found,) = emails("email_as_id", ["plus_tags"])
    assert (found.passed, found.value, found.reference) == (True, 91, 0)


def test_other_ids_are_not_read_again():
    sums = aggregate_lines(read_case("till_numbers", "till.csv", order_id=None, ordered_at="date"))
    assert check_email_ids(sums, lambda: pytest.fail("the source was read again")) == []


def test_shortened_ids_are_counted():
    frame = rename(shop(), 30, "4.91520E+11")
    frame = rename(frame.iloc[::-1], 10, "4,9E+11")
    found = results(frame)[Check.SHORTENED_IDS]
    assert (found.passed, found.value, found.reference) == (False, 2, 40)
    assert "2 customer ids with 40 orders were shortened" in row_of(found)
    assert results(rename(shop(), 5, "12E4F"))[Check.SHORTENED_IDS].passed


def test_ids_that_lost_their_zeros_are_paired():
    frame = rename(rename(shop(), 3, "00417"), 2, "417")
    found = results(frame)[Check.LEADING_ZEROS]
    assert (found.passed, found.value, found.names) == (False, 1, ("00417 and 417",))
    assert results(rename(shop(), 3, "00417"))[Check.LEADING_ZEROS].passed


def test_order_numbers_of_several_customers():
    table = read_case("till_numbers", "till.csv", order_id="receipt_no", ordered_at="date")
    sums = aggregate_lines(table.mutate(removed_by=ibis.null("string")))
    found = next(result for result in run_id_checks(sums, True) if result.check == Check.ORDER_IDS)
    frame = table.execute()
    shared = (frame.groupby("order_id").customer_id.nunique() > 1).sum()
    assert (found.passed, found.value) == (False, shared)
    assert shared == frame.order_id.nunique() == 5
    assert f"{shared} order numbers belong to several customers" in row_of(found)
    assert found.names == (frame.order_id.min(),)


@pytest.mark.parametrize(("later", "passed"), [(27, True), (28, False)])
def test_an_order_number_that_comes_back_a_month_later(later, passed):
    frame = shop()
    again = frame.iloc[:5].assign(day=frame.day + later)
    found = results(pd.concat([frame, again]))[Check.ORDER_IDS]
    assert (found.passed, found.value, found.reference) == (passed, 0, 0 if passed else 5)


def test_one_order_number_in_a_thousand_is_no_warning():
    frame = shop(customers=251, orders=4)
    frame.loc[1003, "order_id"] = "R0"
    assert results(frame)[Check.ORDER_IDS].passed
    frame.loc[1002, "order_id"] = "R1"
    assert not results(frame)[Check.ORDER_IDS].passed


def test_the_day_on_which_ids_changed_is_named():
    frame = shop(customers=300)
    changed = frame.assign(customer_id=frame.customer_id.where(frame.day < 200, "N" + frame.customer_id))
    found = results(changed)[Check.IDS_CHANGED]
    assert (found.passed, found.value) == (False, 0)
    assert abs((found.day - START).days - 200) <= 2
    assert f"{found.day.day} {found.day:%B %Y}" in row_of(found)
    half = frame.assign(
        customer_id=frame.customer_id.where((frame.day < 200) | (frame.customer_id < "K1150"), "N" + frame.customer_id)
    )
    assert results(half)[Check.IDS_CHANGED].passed


def test_a_large_account_is_named():
    table = read_case("one_large_account", "b2b.csv")
    sums = aggregate_lines(table.mutate(removed_by=ibis.null("string")))
    found = next(result for result in run_id_checks(sums, True) if result.check == Check.LARGE_ACCOUNT)
    assert (found.passed, found.names) == (False, ("ACME",))
    assert found.value == pytest.approx(0.71, abs=0.005)
    assert "ACME" in findings.data_quality([found], SUMMARY, FMT).sentence
    assert "71%" in row_of(found)


def test_rows_that_a_rule_removed_are_not_checked():
    frame = rename(shop(), 30, "guest").assign(ordered_at=START)
    table = ibis.memtable(frame.drop(columns="day")).cast({"amount": "decimal(18, 4)", "ordered_at": "timestamp"})
    gone = table.mutate(removed_by=ibis.ifelse(table.customer_id == "guest", "excluded_customer", ibis.null("string")))
    found = run_id_checks(aggregate_lines(gone), True)
    assert found[0] == CheckResult(Check.NOBODY_IDS, True, 0, 0)


def test_fewer_than_fifty_orders_are_no_cause_for_doubt():
    for orders, passed in ((49, True), (50, False)):
        frame = shop(customers=20, orders=10)
        frame.loc[: orders - 1, "customer_id"] = "K1"
        assert results(frame)[Check.HEAVY_IDS].passed == passed


def test_three_ids_are_named_those_with_most_orders_first():
    frame = shop()
    for name, count in (("guest", 2), ("anon", 5), ("dummy", 4), ("cash", 3)):
        taken = frame.customer_id.str.startswith("K")
        frame.loc[frame[taken].drop_duplicates("customer_id").index[:count], "customer_id"] = name
    found = results(frame)[Check.NOBODY_IDS]
    assert (found.value, found.reference, found.names) == (4, 14, ("anon", "dummy", "cash"))


def test_what_is_sound_names_nothing():
    found = results(shop())
    assert all(not result.names for result in found.values())
    assert warned(shop().drop(columns="order_id")) == set()
    assert found[Check.LARGE_ACCOUNT].value == pytest.approx(
        shop().groupby("customer_id").amount.sum().max() / shop().amount.sum()
    )


def test_zero_is_nobody_unless_customers_are_numbered():
    found = results(rename(shop(), 3, "0"))[Check.NOBODY_IDS]
    assert (found.passed, found.reference, found.names) == (False, 3, ("0",))


def test_ids_that_share_an_e_mail_address_are_a_warning(tmp_path):
    rows = [("1", "ann@shop.example"), ("2", " Ann@shop.example"), ("3", "bo@shop.example"), ("4", "")]
    lines = "".join(f"{key},{mail},2024-01-0{number},10\n" for number, (key, mail) in enumerate(rows, start=1))
    (tmp_path / "orders.csv").write_text("customer,e-mail,day,amount\n" + lines)
    columns = Columns(customer_id="customer", ordered_at="day", amount="amount")
    find = partial(find_shared_emails, Source(file="orders.csv"), columns, tmp_path)
    (found,) = check_shared_emails(find, 4)
    assert (found.passed, found.value, found.reference, found.names) == (False, 2, 1, ("1 and 2",))
    assert check_shared_emails(find, 100)[0].passed
    by_mail = partial(
        find_shared_emails, Source(file="orders.csv"), columns.model_copy(update={"customer_id": "e-mail"})
    )
    assert check_shared_emails(partial(by_mail, tmp_path), 4) == []
