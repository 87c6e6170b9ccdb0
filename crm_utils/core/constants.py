"""Numbers that several stages share."""

# A customer who ordered within so many days is a recent buyer.
RECENT_DAYS = 90
