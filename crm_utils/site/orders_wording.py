"""Pages of a report whose source has no amounts: they speak of orders instead of money."""

import re

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from crm_utils.config import Columns
from crm_utils.core.formatting import NumberFormat

NOTICE = (
    "The data have no amounts. Every order counts as 1, so this report counts orders where others count revenue. "
    "There is no budget, because a plan needs money. To get one, write the average value of an order into the "
    "parameters file, for example columns: {amount: {per_order: 35}}."
)
ASSUMED = (
    "The data have no amounts. Every order counts as {value}, an assumption from the parameters file "
    "(columns.amount.per_order). All amounts of money follow from it."
)
# What pages say of money, and what it means if each order counts as 1. The first match counts.
WORDING = (
    (r"\bMonetary value is the revenue from all of these orders\b", "Monetary value counts these orders once more"),
    (r"\border(s?) of revenue\b", r"order\1"),
    (r"\bTotal revenue grew\b", "The total number of orders grew"),
    (r"\bTotal revenue fell\b", "The total number of orders fell"),
    (r"\bThe actual revenue was\b", "The actual number was"),
    (r"\bRevenue was highest\b", "The number of orders was highest"),
    (r"\bhalf spent ([\d.,]+) orders? or less\b", r"half placed \1 orders or fewer in that measure"),
    (r"\bfor the most money\b", "with the most orders"),
    (r"\bfor a lot of money\b", "with many orders"),
    (r"\bbring the money\b", "bring the orders"),
    (r"\brevenue forecast\b", "forecast of orders"),
    (r"\bmoney (\d)", r"monetary score \1"),
    (r"\bPast revenue is\b", "Past orders are"),
    (r"\bpast revenue\b", "past orders"),
    (r"\ba medium revenue\b", "a medium number of orders"),
    (r"\bmoney in the report’s currency\b", "values in orders"),
    (r"\bmoney in the report's currency\b", "values in orders"),
    (r"\bthe orders to a year’s profit\b", "the past orders to those of a year"),
    (r"\bactual revenue\b", "actual orders"),
    (r"\bMost revenue\b", "Most orders"),
    (r"\bmuch revenue\b", "many orders"),
    (r"\ba lot of revenue\b", "a lot of orders"),
    (r"\blittle revenue\b", "few orders"),
    (r"\bmean revenue\b", "mean number of orders"),
    (r"\bMedian revenue\b", "Median number of orders"),
    (r"\b[Oo]rders and revenue\b", "orders"),
    (r"\brevenue and orders\b", "orders"),
    (r"\bpurchases, revenue and value\b", "purchases"),
    (r"\bpurchases and revenue\b", "purchases"),
    (r"\b[Rr]evenue, orders and customers\b", "Orders and customers"),
    (r"\bMean order value\b", "Orders per order"),
    (r"\bspend a lot\b", "order a lot"),
    (r"\bspends most\b", "orders most"),
    (r"\bspend the most\b", "order the most"),
    (r"\bspent the least\b", "ordered the least"),
    (r"\bhow much they spend\b", "how much they order"),
    (r"\bexpected profit\b", "expected number of orders"),
    (r"\bThis is the profit\b", "These are the orders"),
    (r"\ban assumed margin of 100% of revenue, discounted by an assumed 0% a year\b", "no discount"),
    (r"\bmargin of 100%", "factor of 1"),
    (r" \(CLV: (\d+ months), margin 100%, discount 0% a year\)", r" (CLV: \1)"),
    (r"CLV: (\d+ months), margin 100%, discount 0% a year", r"CLV: \1"),
    (r"\bspent\b", "placed"),
    (r"\bprofit\b", "orders"),
    (r"\bProfit\b", "Orders"),
    (r"\brevenues?\b", "orders"),
    (r"\bRevenues?\b", "Orders"),
)
PATTERNS = [(re.compile(pattern), text) for pattern, text in WORDING]
MARK = "counts-orders"  # the class of the notice
KEPT = ("style", "script", "code", "pre")
TEXT_ATTRIBUTES = ("alt", "aria-label", "title")


def speak_of_orders(body: Tag) -> None:
    """Replace what a page says of money."""
    for text in body.find_all(string=True):
        if type(text) is NavigableString and not text.find_parent(KEPT) and not text.find_parent(class_=MARK):
            text.replace_with(reword(str(text)))
    for tag in body.find_all(True):
        for name in TEXT_ATTRIBUTES:
            if isinstance(value := tag.get(name), str):
                tag[name] = reword(value)


def reword_page(page: str) -> str:
    """The page in orders instead of money."""
    body = BeautifulSoup(page, "html.parser")
    speak_of_orders(body)
    return str(body)


def reword(text: str) -> str:
    """Replace what a text says of money."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def notice(columns: Columns, fmt: NumberFormat) -> Tag:
    """The paragraph that says what an order is worth if the source has no amounts."""
    paragraph = BeautifulSoup("", "html.parser").new_tag("p", attrs={"class": MARK})
    paragraph.string = NOTICE if columns.counts_orders else ASSUMED.format(value=fmt.money(columns.order_value or 0))
    return paragraph
