"""The customer whose value 04_cltv computes by hand, and that customer's line items."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.core.exact_money import exact_sum
from crm_utils.core.orders import add_order_ids

# Orders, and line items, of a history that is short enough to be read at one sitting
READABLE_ORDERS = (3, 6)
READABLE_LINES = 30


def choose_example_customer(known: ir.Table) -> str:
    """Choose the customer to compute by hand: the one in the middle by revenue, ties by id.

    Only customers who bought on two days or more and whose history is short enough to read are considered. If there
    are none, all who bought on two days or more are; if there are none of these, all customers.

    Parameters
    ----------
    known : ibis.Table
        Orders as of the analysis date (see `orders_as_of`).

    Returns
    -------
    str
        The customer id.
    """
    moment = known.ordered_at.date()
    customers = known.group_by("customer_id").agg(
        orders=known.count(),
        lines=known.lines.sum(),
        again=moment.max() > moment.min(),
        revenue=exact_sum(known.revenue),
    )
    readable = customers.again & customers.orders.between(*READABLE_ORDERS) & (customers.lines <= READABLE_LINES)
    customers = customers.mutate(choice=ibis.cases((readable, 0), (customers.again, 1), else_=2))
    rank = ibis.row_number().over(group_by="choice", order_by=["revenue", "customer_id"])
    ranked = customers.mutate(rank=rank, size=customers.count().over(group_by="choice"))
    middle = ranked.filter(ranked["rank"] == ranked["size"] // 2).order_by("choice").limit(1)
    return middle.customer_id.execute().iloc[0]


def customer_lines(classified: ir.Table, customer_id: str, last_day: date) -> pd.DataFrame:
    """Return the line items of one customer up to a day, with those that a rule removed, oldest first.

    Parameters
    ----------
    classified : ibis.Table
        See `classify`.
    customer_id : str
        The customer.
    last_day : datetime.date
        Later lines are left out.

    Returns
    -------
    pandas.DataFrame
        customer_id, order_id (the order that a line belongs to; null for a removed line of a source without order ids),
        removed_by (null for lines that count), ordered_at, amount, and product_id, quantity, unit_price if the source
        has them.
    """
    until = classified.ordered_at.date() <= ibis.literal(last_day)
    own = add_order_ids(classified.filter(classified.customer_id == customer_id, until))
    texts = ["customer_id", "order_id", *({"product_id"} & set(own.columns)), "removed_by"]
    numbers = [name for name in ("quantity", "unit_price", "amount") if name in own.columns]
    found = own.select(*texts, "ordered_at", *numbers).execute()
    found = found.astype(dict.fromkeys(texts, "str") | dict.fromkeys(numbers, "float64"))
    return found.sort_values(["ordered_at", "order_id", *numbers, *texts], ignore_index=True)
