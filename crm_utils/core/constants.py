"""Numbers that several stages share."""

# A customer who ordered within this number of days is a recent buyer.
RECENT_DAYS = 90

# The least data for a purchase model: customers, customers who bought on two or more days, and days of history.
MIN_DATA = {"customers": 100, "repeat_buyers": 30, "days": 90}

# A customer is price-focused if the median ratio of price paid to the product's usual price is below this.
PRICE_FOCUSED_BELOW = 0.95

# What stands for all customers among the segments of the table `forecast`.
ALL = "all"
# Order ids of cancellations: C489449 is one; CA-2023-1317 and CONFIRMED are not
CANCELLED_ORDER_ID = "^[Cc][0-9]"
# The line of the budget that is not spent
RESERVE = "reserve"
