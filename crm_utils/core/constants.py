"""Numbers that several stages share."""

# A customer who ordered within so many days is a recent buyer.
RECENT_DAYS = 90

# What a purchase model needs at least: customers, customers who bought on two days or more, and days of history.
MIN_DATA = {"customers": 100, "repeat_buyers": 30, "days": 90}

# A customer is price-focused if the median ratio of price paid to the product's usual price is below this.
PRICE_FOCUSED_BELOW = 0.95
