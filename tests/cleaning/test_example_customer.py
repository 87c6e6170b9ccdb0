"""The example customer: who is chosen, and which lines are shown."""

from datetime import date

import ibis
import pandas as pd

from crm_utils.cleaning import example_customer, rules
from crm_utils.core import orders
from crm_utils.core.contracts import check_contract

TODAY = date(2011, 12, 9)


def line_items(**columns: list) -> ibis.Table:
    """Four lines of a customer (the third taken back, the last after the date), one of another."""
    days = pd.to_datetime(
        ["2011-01-02 12:00", "2011-01-01 09:00", "2011-02-01 08:00", "2011-12-10 10:00", "2011-03-01 08:00"]
    )
    table = pd.DataFrame(
        {"customer_id": ["c", "c", "c", "c", "d"], "ordered_at": days, "amount": [2.5, 4, -4, 9, 1]} | columns
    )
    return ibis.memtable(table)


def classified(lines: ibis.Table) -> ibis.Table:
    return rules.classify(lines, rules.removal_rules(lines, TODAY))


def test_the_lines_of_a_customer_say_which_rule_left_one_out():
    lines = classified(
        line_items(order_id=["2", "1", "C1", "3", "4"], product_id=list("abbcd"), quantity=[1, 2, -2, 1, 1])
    )
    own = example_customer.customer_lines(lines, "c", TODAY)
    assert own[["order_id", "product_id", "amount"]].values.tolist() == [
        ["1", "b", 4],
        ["2", "a", 2.5],
        ["C1", "b", -4],
    ]
    assert own.removed_by.fillna("").tolist() == ["", "", rules.Rule.CANCELLATION]
    assert "unit_price" not in own.columns


def test_lines_without_order_ids_stand_under_the_ids_their_orders_get():
    lines = classified(line_items())
    own = example_customer.customer_lines(lines, "c", TODAY)
    placed = orders.orders_from_lines(lines).execute().set_index("order_id").revenue
    counted = own[own.removed_by.isna()].set_index("order_id").amount
    assert counted.to_dict() == placed.loc[counted.index].to_dict() == {"c-20110101-1": 4, "c-20110102-1": 2.5}
    assert own[own.removed_by.notna()].order_id.isna().all()
    assert list(check_contract(own, "example_customer_lines").columns) == list(own.columns)


def orders_known(**revenue: list[float]) -> ibis.Table:
    """Orders of one line on consecutive days, from the revenue of each order by customer."""
    rows = [
        (name, f"{name}{n}", pd.Timestamp(2011, 1, 1 + n), money)
        for name, amounts in revenue.items()
        for n, money in enumerate(amounts)
    ]
    table = pd.DataFrame(rows, columns=["customer_id", "order_id", "ordered_at", "revenue"])
    return ibis.memtable(table.assign(lines=1))


def test_the_customer_in_the_middle_of_those_with_a_short_history_is_worked():
    short = {"b": [1, 1, 1], "c": [2, 2, 2], "a": [2, 2, 2]}
    assert example_customer.choose_example_customer(orders_known(**short, often=[2] * 7, once=[6])) == "a"
    assert example_customer.choose_example_customer(orders_known(often=[2] * 7, once=[6])) == "often"
    assert example_customer.choose_example_customer(orders_known(once=[6])) == "once"
    long = orders_known(**short).mutate(lines=ibis.literal(example_customer.READABLE_LINES))
    assert (
        example_customer.choose_example_customer(long.union(orders_known(z=[1, 1]).mutate(lines=ibis.literal(1))))
        == "a"
    )  # none is short


def test_a_history_of_three_to_six_orders_can_be_read():
    assert example_customer.choose_example_customer(orders_known(two=[1, 1], six=[1] * 6)) == "six"
    assert example_customer.choose_example_customer(orders_known(three=[9, 9, 9], seven=[1] * 7)) == "three"
    assert example_customer.choose_example_customer(orders_known(two=[1, 1], seven=[1] * 7)) == "seven", "none"
    # Three orders of ten lines each are thirty lines; of eleven they are too many.
    short = orders_known(a=[1, 1, 1]).mutate(lines=ibis.literal(10))
    assert example_customer.choose_example_customer(short.union(orders_known(z=[2, 2]).mutate(lines=10))) == "a"
    longer = orders_known(a=[1, 1, 1]).mutate(lines=ibis.literal(11))
    assert example_customer.choose_example_customer(longer.union(orders_known(z=[2, 2]).mutate(lines=11))) == "z"
