"""What goes wrong when a budget is planned."""


class BudgetError(ValueError):
    """A plan cannot be made; the message names the campaign and what is wrong."""
