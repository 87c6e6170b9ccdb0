"""Cancellations matched to their sales, compared with a slow walk through the events one by one."""

from datetime import datetime, timedelta

import ibis
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_utils.cleaning import cancellations

START = datetime(2011, 1, 1)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["mug", "bag"]), st.sampled_from([1, 2]), st.integers(-6, 6).filter(bool)),
    min_size=1,
    max_size=14,
)


def as_tables(events: list[tuple]) -> tuple[ibis.Table, ibis.Table]:
    """Sales and cancellations of one customer: an event an hour, each an order of its own."""
    columns = ["product_id", "unit_price", "quantity"]
    frame = pd.DataFrame(events, columns=columns).assign(customer_id="anna")
    frame["order_id"] = [f"{number:02d}" for number in range(len(frame))]
    frame["ordered_at"] = [START + timedelta(hours=number) for number in range(len(frame))]
    frame["amount"] = frame.quantity * frame.unit_price
    money = dict.fromkeys(["quantity", "unit_price", "amount"], "decimal(18, 4)")
    table = ibis.memtable(frame).cast(money | {"ordered_at": "timestamp"})
    return table.filter(table.quantity > 0), table.filter(table.quantity < 0)


def walked_match(events: list[tuple]) -> dict[tuple, float]:
    """Pieces taken from the top of a stack for each product and price; more than was ever sold matches nothing."""
    stacks, sold, taken = {}, {}, {}
    for number, (product, price, quantity) in enumerate(events):
        stack = stacks.setdefault((product, price), [])
        if quantity > 0:
            stack.extend([number] * quantity)
            sold[product, price] = sold.get((product, price), 0) + quantity
            continue
        rest = -quantity
        while rest and stack and -quantity <= sold[product, price]:
            key = (f"{number:02d}", f"{stack.pop():02d}")
            taken[key] = taken.get(key, 0) - price
            rest -= 1
        if rest:
            taken[f"{number:02d}", None] = -rest * price
    return taken


def walked_net(events: list[tuple]) -> dict[tuple, float]:
    """Money taken off orders until nothing is left: one of that amount, the latest of the product, the latest ones."""
    left, placed, bought, taken = {}, {}, {}, {}
    for number, (product, price, quantity) in enumerate(events):
        money = abs(quantity) * price
        if quantity > 0:
            left[number], placed[number], bought[number] = money, money, product
            continue
        full = [order for order in left if left[order]]
        exact = [order for order in full if left[order] == money] or [o for o in full if placed[o] == money]
        same = [order for order in full if bought[order] == product]
        for target in [*exact[-1:], *same[-1:], *reversed(full)]:
            from_order = min(money, left[target])
            left[target] -= from_order
            money -= from_order
            if from_order:
                taken[f"{number:02d}", f"{target:02d}"] = -from_order
        if money:
            taken[f"{number:02d}", None] = -money
    return taken


def matched(events: list[tuple], mode: str) -> dict[tuple, float]:
    table = cancellations.match_cancellations(*as_tables(events), mode).execute()
    order = table.order_id.astype(object).where(table.order_id.notna(), None)
    return {(c, o): float(r) for c, o, r in zip(table.cancellation_id, order, table.revenue, strict=True)}


@settings(max_examples=25, deadline=None)
@given(EVENTS)
def test_match_is_a_walk_over_stacks(events: list[tuple]):
    assert matched(events, "match") == walked_match(events)


@settings(max_examples=25, deadline=None)
@given(EVENTS)
def test_net_is_a_walk_over_orders(events: list[tuple]):
    assert matched(events, "net") == walked_net(events)


def test_rows_in_another_order_change_nothing():
    events = [("mug", 1, 3), ("mug", 1, 2), ("mug", 1, -4), ("bag", 2, -1), ("bag", 2, 1)]
    sales, cancelled = as_tables(events)
    columns = ["cancellation_id", "order_id"]
    for mode in ("net", "match"):
        one = (
            cancellations.match_cancellations(sales, cancelled, mode).execute().sort_values(columns, ignore_index=True)
        )
        turned = (ibis.memtable(t.execute()[::-1]).cast(t.schema()) for t in (sales, cancelled))
        other = cancellations.match_cancellations(*turned, mode).execute().sort_values(columns, ignore_index=True)
        pd.testing.assert_frame_equal(one, other)


def refunds(rows: list[tuple], mode: str = "net") -> dict[tuple, float]:
    """What is taken off which order, from rows of (order, day, product, amount, the order that it names)."""
    frame = pd.DataFrame(rows, columns=["order_id", "day", "product_id", "amount", "refund_of"])
    frame = frame.assign(customer_id="anna", ordered_at=pd.to_datetime("2011-01-01") + pd.to_timedelta(frame.day, "D"))
    frame["quantity"] = frame.amount.gt(0).map({True: 1, False: -1})
    types = {"ordered_at": "timestamp", "amount": "decimal(18, 4)", "quantity": "decimal(18, 4)"}
    table = ibis.memtable(
        frame.drop(columns="day"), schema={**dict.fromkeys(frame.columns.drop("day"), "string"), **types}
    )
    found = cancellations.match_cancellations(table.filter(table.amount > 0), table.filter(table.amount < 0), mode)
    found = found.execute()
    order = found.order_id.astype(object).where(found.order_id.notna(), None)
    return {(c, o): float(r) for c, o, r in zip(found.cancellation_id, order, found.revenue, strict=True)}


SOLD = [("1", 0, "mug", 100.0, None), ("2", 1, "bag", 30.0, None), ("3", 2, "mug", 50.0, None)]


def test_a_refund_finds_the_order_that_it_names():
    assert refunds([*SOLD, ("R", 5, None, -20.0, "1")]) == {("R", "1"): -20}
    assert refunds([*SOLD, ("R", 5, None, -20.0, "9")]) == {("R", None): -20}  # that order is not in the data
    assert refunds([*SOLD, ("1", 5, None, -20.0, None)]) == {("1", "1"): -20}  # it carries the order's own id


def test_a_refund_finds_an_order_of_its_amount_then_of_its_product_then_the_latest():
    assert refunds([*SOLD, ("R", 5, None, -100.0, None)]) == {("R", "1"): -100}
    assert refunds([*SOLD, ("R", 5, "bag", -20.0, None)]) == {("R", "2"): -20}
    assert refunds([*SOLD, ("R", 5, None, -20.0, None)]) == {("R", "3"): -20}
    assert refunds([*SOLD, ("R", 5, "bag", -20.0, None), ("S", 6, None, -10.0, None)])["S", "2"] == -10


def test_what_exceeds_an_order_goes_on_to_the_earlier_ones():
    assert refunds([*SOLD, ("R", 5, None, -90.0, None)]) == {("R", "3"): -50, ("R", "2"): -30, ("R", "1"): -10}
    assert refunds([*SOLD, ("R", 5, None, -45.0, "2")]) == {("R", "2"): -30, ("R", "3"): -15}
    assert refunds([*SOLD, ("R", 5, None, -200.0, None)])["R", None] == -20


def test_an_order_is_not_taken_back_before_it_is_placed_unless_it_is_named():
    assert refunds([*SOLD, ("R", 1, None, -50.0, None)])["R", "1"] == -20
    assert refunds([*SOLD, ("R", 1, None, -50.0, "3")]) == {("R", "3"): -50}


def test_match_takes_named_orders_first_and_nothing_twice():
    named = refunds(
        [*SOLD, ("R", 5, None, -50.0, "3"), ("S", 6, "mug", -50.0, None), ("T", 7, "bag", -30.0, None)], "match"
    )
    assert named == {("R", "3"): -50, ("S", None): -50, ("T", "2"): -30}


def test_only_cancellations_without_any_sale_count_as_lines():
    """Two lines of R take back all of 1, and S has no sale."""
    rows = [("1", 0, "mug", 30.0, None), ("R", 5, "mug", -10.0, None), ("R", 5, "mug", -20.0, None)]
    for method, without_sale in (("net", 0), ("match", 2)):
        frame = pd.DataFrame(rows, columns=["order_id", "day", "product_id", "amount", "refund_of"])
        frame["ordered_at"] = pd.Timestamp("2011-01-01") + pd.to_timedelta(frame.day, "D")
        frame["quantity"] = frame.amount.gt(0).map({True: 1, False: -1})
        types = {"ordered_at": "timestamp", "amount": "decimal(18, 4)", "quantity": "decimal(18, 4)"}
        texts = dict.fromkeys(["order_id", "product_id", "refund_of", "customer_id"], "string")
        table = ibis.memtable(frame.drop(columns="day").assign(customer_id="anna"), schema={**texts, **types})
        found = cancellations.match_cancellations(
            table.filter(table.amount > 0), table.filter(table.amount < 0), method
        )
        lines = found.execute().groupby("order_id", dropna=False).lines.sum()
        assert lines.sum() == without_sale, method
        assert (lines[lines.index.notna()] == 0).all()
