"""Numbers that several stages share."""

RECENT_DAYS = 90  # an order within them makes a recent buyer
