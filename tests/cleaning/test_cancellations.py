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
    """Money taken off the latest order of the product, else off the latest order, down to nothing."""
    orders, left, taken = [], {}, {}
    for number, (product, price, quantity) in enumerate(events):
        if quantity > 0:
            orders.append((number, product))
            left[number] = quantity * price
            continue
        same = [order for order, what in orders if what == product]
        target = (same or [order for order, _ in orders] or [None])[-1]
        money = -quantity * price
        from_order = min(money, left.get(target, 0))
        if from_order:
            left[target] -= from_order
            taken[f"{number:02d}", f"{target:02d}"] = -from_order
        if money > from_order:
            taken[f"{number:02d}", None] = from_order - money
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
