"""Made shops with known truth, written as the exports of the systems that have a recipe.

All names and amounts are invented. Money is in cents. The headings are those that each system documents; they stand in
`tests/recipes/<export>/`.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

STORED = Path(__file__).parents[1] / "recipes"
Row = dict[str, object]
SOLD, CANCELLED, PENDING = "sold", "cancelled", "pending"
PRICES = {"MUG": 1000, "BAG": 700, "LAMP": 4000}


@dataclass(frozen=True)
class Order:
    """An order of a made shop.

    Parameters
    ----------
    number : int
        Its number.
    customer : str or None
        The name of the customer; None for a guest.
    day : datetime.date
        When it was placed.
    lines : tuple of (str, int)
        Products and pieces.
    discount, shipping, refunded : int
        In cents. `refunded` is what the customer got back, at most the order's total.
    state : str
        sold, cancelled or pending.
    currency : str
        Three letters.
    """

    number: int
    customer: str | None
    day: date
    lines: tuple[tuple[str, int], ...]
    discount: int = 0
    shipping: int = 0
    refunded: int = 0
    state: str = SOLD
    currency: str = "EUR"

    @property
    def goods(self) -> int:
        """What the products cost, before the discount."""
        return sum(PRICES[product] * pieces for product, pieces in self.lines)

    @property
    def total(self) -> int:
        """What the customer paid."""
        return self.goods - self.discount + self.shipping

    @property
    def mail(self) -> str:
        """An address; each guest has one of their own."""
        return f"{self.customer or f'guest{self.number}'}@example.org"

    @property
    def refund_day(self) -> date:
        """When the money was given back."""
        return self.day + timedelta(days=3)

    @property
    def is_refunded(self) -> bool:
        """Whether all of it was given back."""
        return 0 < self.refunded == self.total

    @property
    def share_lines(self) -> list[tuple[str, int, int, int]]:
        """Product, pieces, price and discount of each line: the discount is on the first lines that bear it."""
        left, shared = self.discount, []
        for product, pieces in self.lines:
            price = PRICES[product] * pieces
            off = min(left, price)
            left -= off
            shared.append((product, pieces, price, off))
        return shared


@dataclass(frozen=True)
class Truth:
    """What a report on an export must find. `orders` is None if the export does not tell which order was refunded."""

    revenue: float
    orders: int | None
    customers: int


@dataclass(frozen=True)
class Export:
    """An export: its text, its file name, and the truth about known customers."""

    text: str
    file: str
    truth: Truth


@dataclass(frozen=True)
class System:
    """How a system writes a shop.

    Parameters
    ----------
    rows : callable
        The rows of one order.
    guests_have_ids : bool
        Whether guests are known, each by an address of their own.
    net : bool
        Whether an order counts without shipping.
    whole, partly : bool
        Whether the export shows refunds of an order, and of a part of it.
    refund_rows : bool
        Whether refunds are rows of their own that do not name their order.
    delimiter : str
        The delimiter of the file.
    """

    rows: Callable[[Order], list[Row]]
    guests_have_ids: bool = True
    net: bool = False
    whole: bool = True
    partly: bool = True
    refund_rows: bool = False
    delimiter: str = ","
    file: str = "export.csv"

    @property
    def stored(self) -> Path:
        """The stored export of `SMALL_SHOP`, whose headings are those that the system documents."""
        return STORED / self.rows.__name__ / self.file

    @property
    def headings(self) -> list[str]:
        """The columns of the export."""
        return self.stored.read_text(encoding="utf-8").splitlines()[0].split(self.delimiter)

    def can_write(self, order: Order) -> Order:
        """The order as far as this system shows it: without refunds, or without shipping."""
        order = replace(order, shipping=0) if self.net else order
        refunded = min(order.refunded, order.total)
        return replace(order, refunded=refunded if (self.whole if refunded == order.total else self.partly) else 0)

    def write(self, orders: list[Order], preamble: tuple[str, ...] = ()) -> Export:
        """Write the export of a shop, with lines of text above the headings."""
        orders = [self.can_write(order) for order in orders]
        out = io.StringIO()
        out.writelines(f"{line}\n" for line in preamble)
        writer = csv.DictWriter(out, self.headings, delimiter=self.delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for order in orders for row in self.rows(order))
        return Export(out.getvalue(), self.file, self._truth(orders))

    def _truth(self, orders: list[Order]) -> Truth:
        known = [order for order in orders if order.state == SOLD and (order.customer or self.guests_have_ids)]
        left = [order for order in known if order.total > order.refunded]
        by_customer = defaultdict(list)
        for order in known:
            by_customer[order.mail].append(order)
        unclear = self.refund_rows and any(
            len(placed) > 1 and any(order.refunded for order in placed) for placed in by_customer.values()
        )
        revenue = sum(order.total - order.refunded for order in left) / 100
        return Truth(revenue, None if unclear else len(left), len({order.mail for order in left}))


def money(cents: int) -> str:
    return f"{cents / 100:.2f}"


def dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def shopify(order: Order) -> list[Row]:
    state = {SOLD: "paid", CANCELLED: "voided", PENDING: "pending"}[order.state]
    if order.state == SOLD and order.refunded:
        state = "refunded" if order.is_refunded else "partially_refunded"
    moment = f"{order.day} 10:15:00 +0200"
    whole = {
        "Financial Status": state,
        "Currency": order.currency,
        "Subtotal": money(order.goods - order.discount),
        "Shipping": money(order.shipping),
        "Taxes": "0.00",
        "Total": money(order.total),
        "Discount Amount": money(order.discount),
        "Refunded Amount": money(order.refunded),
    }
    return [
        {
            "Name": f"#{order.number}",
            "Email": order.mail if order.customer else "",
            **(whole if number == 0 else {}),
            "Created at": moment,
            "Lineitem quantity": pieces,
            "Lineitem name": product.title(),
            "Lineitem price": money(PRICES[product]),
            "Lineitem sku": product,
        }
        for number, (product, pieces) in enumerate(order.lines)
    ]


def woocommerce_table(order: Order) -> list[Row]:
    state = {SOLD: "wc-completed", CANCELLED: "wc-cancelled", PENDING: "wc-pending"}[order.state]
    row = {
        "id": order.number,
        "status": "wc-refunded" if order.state == SOLD and order.is_refunded else state,
        "currency": order.currency,
        "type": "shop_order",
        "total_amount": money(order.total),
        "customer_id": sum(map(ord, order.customer)) if order.customer else 0,
        "billing_email": order.mail,
        "date_created_gmt": f"{order.day} 10:15:00",
        "parent_order_id": 0,
    }
    if not order.refunded or order.state != SOLD:
        return [row]
    refund = {
        "id": 100_000 + order.number,
        "status": "wc-completed",
        "type": "shop_order_refund",
        "total_amount": money(-order.refunded),
        "customer_id": "",
        "billing_email": "",
        "date_created_gmt": f"{order.refund_day} 09:00:00",
        "parent_order_id": order.number,
    }
    return [row, row | refund]


def woocommerce_plugin(order: Order) -> list[Row]:
    state = {SOLD: "completed", CANCELLED: "cancelled", PENDING: "on-hold"}[order.state]
    return [
        {
            "order_id": 5000 + order.number,
            "order_number": order.number,
            "order_date": f"{order.day} 10:15:00",
            "status": "refunded" if order.state == SOLD and order.is_refunded else state,
            "shipping_total": money(order.shipping),
            "tax_total": "0.00",
            "discount_total": money(order.discount),
            "order_total": money(order.total),
            "refunded_total": money(order.refunded if order.state == SOLD else 0),
            "order_currency": order.currency,
            "billing_email": order.mail,
            "item_sku": product,
            "item_quantity": pieces,
        }
        for product, pieces in order.lines
    ]


def woocommerce_analytics(order: Order) -> list[Row]:
    state = {SOLD: "completed", CANCELLED: "cancelled", PENDING: "pending"}[order.state]
    return [
        {
            "Date": f"{order.day} 10:15:00",
            "Order #": order.number,
            "N. Revenue (formatted)": f"€{money(order.total)}",
            "Status": state,
            "Customer": order.mail.split("@")[0].title(),
            "Customer type": "new",
            "Product(s)": ", ".join(f"{pieces}× {product.title()}" for product, pieces in order.lines),
            "Items sold": sum(pieces for _, pieces in order.lines),
            "N. Revenue": money(order.total),
        }
    ]


def stripe(order: Order) -> list[Row]:
    state = {SOLD: "Paid", CANCELLED: "Canceled", PENDING: "Failed"}[order.state]
    return [
        {
            "id": f"ch_{order.number}",
            "Created date (UTC)": f"{order.day} 10:15:00",
            "Amount": money(order.total),
            "Amount Refunded": money(order.refunded if order.state == SOLD else 0),
            "Currency": order.currency.lower(),
            "Captured": "true" if order.state == SOLD else "false",
            "Fee": money(order.total // 50),
            "Status": "Refunded" if order.state == SOLD and order.is_refunded else state,
            "Customer ID": f"cus_{order.customer}" if order.customer else "",
            "Customer Email": order.mail,
        }
    ]


def magento(order: Order) -> list[Row]:
    state = {SOLD: "Complete", CANCELLED: "Canceled", PENDING: "Pending Payment"}[order.state]
    return [
        {
            "ID": f"{order.number:09}",
            "Purchase Point": "Main Website",
            "Purchase Date": f"{order.day:%b} {order.day.day}, {order.day.year} 10:15:00 AM",
            "Bill-to Name": order.mail.split("@")[0],
            "Grand Total (Base)": dollars(order.total),
            "Grand Total (Purchased)": dollars(order.total),
            "Status": "Closed" if order.state == SOLD and order.is_refunded else state,
            "Customer Email": order.mail,
            "Subtotal": dollars(order.goods),
            "Shipping and Handling": dollars(order.shipping),
            "Total Refunded": dollars(order.refunded) if order.state == SOLD and order.refunded else "",
        }
    ]


def amazon(order: Order) -> list[Row]:
    state = {SOLD: "Shipped", CANCELLED: "Cancelled", PENDING: "Pending"}[order.state]
    if order.state == SOLD and order.is_refunded:
        state = "Shipped - Returned to Seller"
    return [
        {
            "amazon-order-id": f"302-{order.number:07}-1",
            "purchase-date": f"{order.day}T10:15:00+00:00",
            "order-status": state,
            "sku": product,
            "product-name": product.title(),
            "item-status": "Cancelled" if order.state == CANCELLED else "Shipped",
            "quantity": pieces,
            "currency": order.currency,
            "item-price": money(price),
            "shipping-price": money(order.shipping if number == 0 else 0),
            "item-promotion-discount": money(off),
            "buyer-email": order.mail,
        }
        for number, (product, pieces, price, off) in enumerate(order.share_lines)
    ]


def square_items(order: Order) -> list[Row]:
    if order.state != SOLD:
        return []
    rows = [
        {
            "Date": order.day,
            "Time": "10:15:00",
            "Time Zone": "Central Time (US & Canada)",
            "Item": product.title(),
            "Qty": f"{pieces}.0",
            "SKU": product,
            "Gross Sales": dollars(price),
            "Discounts": dollars(-off),
            "Net Sales": dollars(price - off),
            "Tax": dollars(price // 10),
            "Transaction ID": f"T{order.number}",
            "Event Type": "Payment",
            "Customer ID": (order.customer or "").upper(),
        }
        for product, pieces, price, off in order.share_lines
    ]
    if not order.refunded:
        return rows
    back = {"Gross Sales": dollars(-order.refunded), "Discounts": "$0.00", "Net Sales": dollars(-order.refunded)}
    new = {"Date": order.refund_day, "Transaction ID": f"R{order.number}", "Event Type": "Refund", "Qty": "-1.0"}
    return [*rows, rows[0] | back | new]


def square_transactions(order: Order) -> list[Row]:
    if order.state != SOLD:
        return []
    row = {
        "Date": order.day,
        "Time": "10:15:00",
        "Time Zone": "Central Time (US & Canada)",
        "Gross Sales": dollars(order.goods),
        "Discounts": dollars(-order.discount),
        "Net Sales": dollars(order.total),
        "Tax": dollars(order.total // 10),
        "Tip": dollars(100),
        "Total Collected": dollars(order.total + order.total // 10 + 100),
        "Net Total": dollars(order.total),
        "Transaction ID": f"T{order.number}",
        "Description": ", ".join(product.title() for product, _ in order.lines),
        "Event Type": "Payment",
        "Customer ID": (order.customer or "").upper(),
    }
    if not order.refunded:
        return [row]
    back = {name: dollars(-order.refunded) for name in ("Gross Sales", "Net Sales", "Total Collected", "Net Total")}
    new = {"Date": order.refund_day, "Transaction ID": f"R{order.number}", "Event Type": "Refund", "Tip": "$0.00"}
    return [row, row | back | new]


def paypal(order: Order) -> list[Row]:
    state = {SOLD: "Completed", CANCELLED: "Denied", PENDING: "Pending"}[order.state]
    row = {
        "Date": f"{order.day:%d/%m/%Y}",
        "Time": "10:15:00",
        "TimeZone": "GMT",
        "Name": order.mail.split("@")[0],
        "Type": "Express Checkout Payment",
        "Status": state,
        "Currency": order.currency,
        "Gross": money(order.total),
        "Fee": money(-order.total // 50),
        "Net": money(order.total - order.total // 50),
        "From Email Address": order.mail,
        "To Email Address": "shop@example.org",
        "Transaction ID": f"P{order.number}",
    }
    withdrawal = row | {
        "Type": "General Withdrawal",
        "Status": "Completed",
        "Gross": "-10.00",
        "Fee": "0.00",
        "From Email Address": "shop@example.org",
        "To Email Address": "",
        "Transaction ID": f"W{order.number}",
    }
    rows = [row, withdrawal] if order.number % 3 == 0 else [row]
    if order.state != SOLD or not order.refunded:
        return rows
    refund = {
        "Date": f"{order.refund_day:%d/%m/%Y}",
        "Type": "Payment Refund",
        "Gross": money(-order.refunded),
        "From Email Address": "shop@example.org",
        "To Email Address": order.mail,
        "Transaction ID": f"R{order.number}",
        "Reference Txn ID": f"P{order.number}",
    }
    return [*rows, row | refund]


def lightspeed(order: Order) -> list[Row]:
    state = {SOLD: "Closed", CANCELLED: "Voided", PENDING: "Parked"}[order.state]
    sale = {
        "Date": f"{order.day} 10:15:00",
        "Receipt Number": order.number,
        "Line Type": "Sale",
        "Customer Code": order.customer or "WALKIN",
        "Quantity": sum(pieces for _, pieces in order.lines),
        "Discount": money(order.discount),
        "Total": money(order.total),
        "Paid": money(order.total),
        "Status": state,
    }
    lines = [
        sale | {"Line Type": "Sale Line", "Quantity": pieces, "Total": money(price - off), "Sku": product, "Paid": ""}
        for product, pieces, price, off in order.share_lines
    ]
    payment = sale | {"Line Type": "Payment", "Quantity": "", "Details": "Cash"}
    rows = [sale, *lines, payment]
    if order.state != SOLD or not order.refunded:
        return rows
    back = {"Total": money(-order.refunded), "Paid": money(-order.refunded), "Quantity": -1, "Discount": "0.00"}
    new = {"Date": f"{order.refund_day} 09:00:00", "Receipt Number": f"9{order.number}"}
    return [*rows, sale | back | new, sale | back | new | {"Line Type": "Sale Line", "Sku": order.lines[0][0]}]


def bigcommerce(order: Order) -> list[Row]:
    state = {SOLD: "Completed", CANCELLED: "Cancelled", PENDING: "Awaiting Payment"}[order.state]
    if order.state == SOLD and order.refunded:
        state = "Refunded" if order.is_refunded else "Partially Refunded"
    return [
        {
            "Order ID": order.number,
            "Customer ID": sum(map(ord, order.customer)) if order.customer else 0,
            "Customer Name": order.mail.split("@")[0].title(),
            "Customer Email": order.mail,
            "Order Date": f"{order.day:%d/%m/%Y}",
            "Order Status": state,
            "Subtotal (inc tax)": money(order.goods),
            "Shipping Cost (inc tax)": money(order.shipping),
            "Coupon Details": "",
            "Order Total (inc tax)": money(order.total),
            "Order Total (ex tax)": money(order.total * 5 // 6),
            "Order Currency Code": order.currency,
            "Product Details": ", ".join(product for product, _ in order.lines),
            "Refund Amount": money(order.refunded if order.state == SOLD else 0),
        }
    ]


def plain(order: Order) -> list[Row]:
    state = {SOLD: "completed", CANCELLED: "cancelled", PENDING: "pending"}[order.state]
    return [
        {
            "order_id": order.number,
            "order_date": order.day,
            "customer_id": order.customer or "",
            "status": "refunded" if order.state == SOLD and order.is_refunded else state,
            "total": money(order.total),
            "currency": order.currency,
        }
    ]


SYSTEMS = {
    "shopify": System(shopify, guests_have_ids=False),
    "woocommerce_table": System(woocommerce_table),
    "woocommerce_plugin": System(woocommerce_plugin),
    "woocommerce_analytics": System(woocommerce_analytics, net=True, whole=False, partly=False),
    "stripe": System(stripe),
    "magento": System(magento),
    "amazon": System(amazon, net=True, partly=False, delimiter="\t", file="export.txt"),
    "square_items": System(square_items, guests_have_ids=False, net=True, refund_rows=True),
    "square_transactions": System(square_transactions, guests_have_ids=False, net=True, refund_rows=True),
    "paypal": System(paypal, refund_rows=True),
    "lightspeed": System(lightspeed, guests_have_ids=False, refund_rows=True),
    "bigcommerce": System(bigcommerce),
    "plain": System(plain, guests_have_ids=False, partly=False),  # of no system: everything is guessed
}


def random_shop(random: Random) -> list[Order]:
    """Draw a shop of 18 months with cancelled, unpaid and refunded orders, discounts and guests."""
    first, last = date(2023, 1, 5), date(2024, 6, 28)
    orders = [Order(1000, "anna", first, (("MUG", 1),))]
    for number, day in enumerate(sorted(random.sample(range(1, 530), random.randint(12, 30))), start=1001):
        order = Order(
            number,
            random.choice(["anna", "bert", "cleo", "dora", "emil", None]),
            first + timedelta(days=day),
            tuple((product, random.randint(1, 4)) for product in random.sample(list(PRICES), random.randint(1, 3))),
            shipping=random.choice([0, 490]),
            state=random.choice([SOLD] * 5 + [CANCELLED, PENDING]),
        )
        order = replace(order, discount=random.choice([0, random.randint(1, order.goods // 2)]))
        orders.append(replace(order, refunded=round(order.total * random.choice([0, 0, 0, 0.4, 1]))))
    return [*orders, Order(1999, "bert", last, (("BAG", 2),))]


# Anna buys twice, and half of the second order comes back. Bert has a discount. Cleo gets everything back. Dora's first
# order was cancelled. Emil never paid. One order is a guest's.
SMALL_SHOP = [
    Order(1001, "anna", date(2024, 1, 5), (("MUG", 2), ("BAG", 1)), shipping=490),  # 27.00 + 4.90 = 31.90
    Order(1002, "bert", date(2024, 1, 19), (("LAMP", 1),), discount=400, shipping=490),  # 36.00 + 4.90 = 40.90
    Order(1003, "dora", date(2024, 2, 11), (("MUG", 1),), shipping=490, state=CANCELLED),
    Order(1004, "cleo", date(2024, 2, 20), (("MUG", 3),), refunded=3000),  # 30.00 - 30.00 = 0
    Order(1005, "anna", date(2024, 3, 2), (("LAMP", 1), ("BAG", 2)), refunded=2700),  # 54.00 - 27.00 = 27.00
    Order(1006, "emil", date(2024, 3, 15), (("BAG", 1),), state=PENDING),
    Order(1007, None, date(2024, 3, 21), (("BAG", 1),)),  # 7.00 of a guest
    Order(1008, "dora", date(2024, 4, 28), (("LAMP", 2),), discount=1000, shipping=990),  # 70.00 + 9.90 = 79.90
]
