"""Customer features: worked by hand, and only those for which the source has columns."""

import pytest

from crm_utils.cleaning import customer_features, rules
from tests.support.cleaning_factories import DAY, line_items

ROWS = [
    ("anna", "1", "2011-01-01", "mug", 1, 2.0),
    ("anna", "1", "2011-01-01", "bag", 1, 6.0),
    ("anna", "2", "2011-02-01", "mug", 1, 1.0),
    ("anna", "C3", "2011-02-02", "bag", -1, 6.0),
    ("bert", "4", "2011-01-05", "mug", 3, 2.0),
    ("bert", "5", "2011-01-06", "bag", 1, 4.0),
]


def table(lines):
    classified = rules.classify(lines, rules.removal_rules(lines, DAY))
    counted = classified.filter(classified.removed_by.isnull()).drop("removed_by")
    return (
        customer_features.compute_customer_features(counted, rules.select_cancellations(classified))
        .execute()
        .set_index("customer_id")
        .sort_index()
    )


def test_features_by_hand():
    """Medians: mug 2.00 (1, 2, 2), bag 5.00 (4, 6). Anna paid 1.0, 1.2 and 0.5 of that, Bert 1.0 and 0.8."""
    found = table(line_items(ROWS, country=["UK", "UK", "FR", "UK", "FR", "FR"], unit_cost=1.0))
    assert found.price_ratio.tolist() == pytest.approx([1.0, 0.9])
    assert found.distinct_products.tolist() == [2, 2]
    assert found.favourite_product.tolist() == ["mug", "bag"]  # equally often: the first by name
    assert found.main_country.tolist() == ["UK", "FR"]
    assert found.return_share.tolist() == pytest.approx([6 / 9, 0])
    assert found.margin_rate.tolist() == pytest.approx([1 - 3 / 9, 1 - 4 / 10])


def test_a_product_that_usually_costs_nothing_says_nothing_about_prices():
    """Mug 0.00 (0, 0, 3): only Anna's bag, the one bag there is, can be compared."""
    rows = [("anna", "1", "2011-01-01", "mug", 1, 3.0), ("bert", "2", "2011-01-02", "mug", 1, 0.0)]
    rows += [("carl", "3", "2011-01-03", "mug", 1, 0.0), ("anna", "1", "2011-01-01", "bag", 1, 6.0)]
    found = table(line_items(rows).mutate(amount=5)).price_ratio
    assert found["anna"] == 1
    assert found.drop("anna").isna().all()


def test_only_what_the_source_can_tell():
    lines = line_items(ROWS)
    assert list(table(lines).columns) == ["price_ratio", "distinct_products", "favourite_product", "return_share"]
    assert list(table(lines.drop("product_id", "order_id", "unit_price")).columns) == []


def test_a_line_without_a_known_cost_says_nothing_about_the_margin():
    rows = [("anna", "1", "2011-01-01", "mug", 1, 2.0), ("anna", "1", "2011-01-01", "bag", 1, 6.0)]
    assert table(line_items(rows, unit_cost=[1.0, None])).margin_rate.tolist() == [0.5]


def test_what_is_cancelled_is_at_most_all():
    rows = [("anna", "1", "2011-01-01", "mug", 1, 2.0), ("anna", "C2", "2011-01-02", "mug", -3, 2.0)]
    assert table(line_items(rows)).return_share.tolist() == [1.0]


def test_medians_of_even_and_odd_numbers():
    """A mug usually costs 4 (of 2, 4, 4, 8). Anna pays 2 and 8: halfway between .5 and 2. Bert pays 4 twice."""
    rows = [(who, str(n), "2011-01-01", "mug", 1, price) for n, (who, price) in enumerate(
        [("anna", 2.0), ("anna", 8.0), ("bert", 4.0), ("bert", 4.0)])]  # fmt: skip
    assert table(line_items(rows)).price_ratio.tolist() == [1.25, 1.0]


def test_the_cost_of_a_line_is_that_of_all_its_pieces():
    rows = [("anna", "1", "2011-01-01", "mug", 3, 2.0), ("anna", "1", "2011-01-01", "bag", 1, 4.0)]
    assert table(line_items(rows, unit_cost=[1.0, 2.0])).margin_rate.tolist() == [0.5]


def test_price_ratios_have_six_decimals_on_every_engine():
    """Mugs usually cost 3 (1, 3 and 3): Anna pays a third."""
    rows = [("anna", "1", "2011-01-01", "mug", 1, 1.0)]
    rows += [("bert", str(n), "2011-01-01", "mug", 1, 3.0) for n in (2, 3)]
    assert table(line_items(rows)).price_ratio.tolist() == [0.333333, 1.0]


def test_a_value_may_be_on_very_many_lines():
    rows = [("anna", "1", "2011-01-01", "mug", 1, 2.0)] * 60 + [("anna", "1", "2011-01-01", "bag", 1, 6.0)] * 2
    found = table(line_items(rows))
    assert (found.distinct_products.tolist(), found.favourite_product.tolist()) == ([2], ["mug"])
