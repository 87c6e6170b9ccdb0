"""The steps that find a break point, each worked by hand."""

from crm_utils.budget import break_points, optimizer
from tests.support.budget_factories import campaigns, options

# Ten customers; an added order earns 40 and costs a contact of 1: the line pays from a lift of 1 ÷ 40 = .025.
ONE_LINE = campaigns({})
TEN = ("a", 0, "A", 10, 0.1, 40.0)


def test_a_budget_too_small_for_one_contact_has_no_break_point():
    """Half a contact would pay from .025, but a whole one cannot be paid at any lift."""
    table = options(ONE_LINE, TEN)
    planned = optimizer.allocate(table, ONE_LINE, 0.5)
    assert planned.contacts.tolist() == [0]
    assert break_points.break_points(planned, ONE_LINE, 0.5).isna().all()
