"""Customers who are left out by a rule, worked by hand: who they are, their row in the ledger, and what remains."""

import pandas as pd
import pytest

from crm_utils.cleaning import cancellations, customer_exclusion, ledger
from crm_utils.cleaning import rules as cleaning
from crm_utils.cleaning.labels import rule_label
from crm_utils.config import SECTIONS
from crm_utils.config.yaml_models import parse_model
from crm_utils.core import orders
from crm_utils.core.errors import CleaningError, ParamsError
from tests.support.cleaning_factories import DAY, MODES, TINY, line_items

# Anna: two orders of 20 and 27. Bert: one order of 40, taken back as a whole. Dora: one order of 6, long ago.
ROWS = [*TINY, ("dora", "10", "2010-01-01 10:00", "mug", 3, 2.0)]
ATTRIBUTES = pd.DataFrame({"customer_id": ["anna", "dora", "zoe"], "channel": ["wholesale", None, "web"]})


def found(where: str, mode: str = "drop", attributes: pd.DataFrame | None = ATTRIBUTES) -> list[str]:
    lines = line_items(ROWS)
    rules = cleaning.removal_rules(lines, DAY, mode)
    return customer_exclusion.find_customers(lines, rules, where, DAY, mode, attributes)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", []),
        ("revenue > 39", ["anna", "bert"]),
        ("orders == 1 and recency_days > 365", ["dora"]),
        ("first_order < '2011-01-01'", ["dora"]),
        ("mean_order_value == 23.5", ["anna"]),
        ("customer_id.str.startswith('b')", ["bert"]),
        ("channel == 'wholesale'", ["anna"]),
        ("favourite_product == 'lamp'", ["bert"]),
        ("distinct_products > 1 or `channel`.isna() and recency_days > 365", ["anna", "dora"]),
        ("revenue > 1000", []),
    ],
)
def test_customers_are_found_by_what_is_known_of_them(where, expected):
    assert found(where) == expected


def test_cancelled_money_does_not_count():
    """Bert's only order was taken back, so he is no customer; Anna keeps one mug of 2.00 and the bag of 7.00."""
    assert found("revenue > 6.5", "match") == ["anna"]
    assert found("orders > 0 and customer_id != 'dora'", "match") == ["anna"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("where", ["revenue > 6", "first_order < '2011-01-01'", "customer_id == 'nobody'"])
def test_the_ledger_accounts_for_rows_customers_and_money(mode, where):
    lines = line_items(ROWS)
    rules = cleaning.removal_rules(lines, DAY, mode)
    gone = customer_exclusion.find_customers(lines, rules, where, DAY, mode, None)
    rules = customer_exclusion.add_exclusion(rules, lines, where, gone)
    classified = cleaning.classify(lines, rules)
    log = ledger.build_ledger(orders.aggregate_lines(classified), list(rules)).set_index("rule")
    row, own = log.loc["exclude_where: " + where], [line for line in ROWS if line[0] in gone]
    assert row.rows_removed == len(own)
    assert row.revenue_removed == pytest.approx(sum(quantity * price for *_, quantity, price in own))
    left = log.loc["unknown_customer"]
    assert row.customers_left == left.customers_left - len(gone)
    counted = classified.filter(classified.removed_by.isnull()).drop("removed_by")
    matched = cancellations.match_cancellations(counted, cleaning.select_cancellations(classified), mode)
    assert not set(counted.customer_id.execute()) & set(gone)
    assert not set(matched.customer_id.execute()) & set(gone), "their cancellations leave with them"


def test_without_a_rule_nothing_changes():
    lines = line_items(ROWS)
    rules = cleaning.removal_rules(lines, DAY)
    assert list(customer_exclusion.add_exclusion(rules, lines, "", [])) == list(rules)


def test_whoever_is_left_out_is_no_prospect():
    tables = {"attributes": ATTRIBUTES, "contacts": ATTRIBUTES, "past_campaigns": ATTRIBUTES}
    kept = customer_exclusion.drop_customers(tables, ["anna"], ["zoe"])
    assert {name: table.customer_id.tolist() for name, table in kept.items()} == {
        "attributes": ["dora"],
        "contacts": ["dora"],
        "past_campaigns": ["anna", "dora", "zoe"],
    }


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("revenu > 5", "'revenu' is not known of a customer; did you mean 'revenue'"),
        ("channel == 'web'", "'channel' is not known of a customer"),
        ("revenue > 'a lot'", "no condition on the customers"),
        ("revenue + 1", "true or false"),
        ("orders > 0", "true for all 3 customers"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(where, said):
    with pytest.raises(CleaningError, match=said):
        found(where, attributes=None)


def test_a_rule_runs_no_code():
    with pytest.raises(ParamsError, match="may not use"):
        parse_model({"exclude_where": "__import__('os').system('true')"}, SECTIONS["cleaning"], "f")
    assert parse_model({"exclude_where": " orders > 1 "}, SECTIONS["cleaning"], "f").exclude_where == "orders > 1"


def test_the_row_of_the_ledger_shows_the_rule():
    assert rule_label("exclude_where: orders > 1") == "Customer left out by “orders > 1”"
