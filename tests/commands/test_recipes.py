"""Recipes: which one is chosen, what it writes, and what is refused."""

import pandas as pd
import pytest
import yaml

from crm_utils.commands.new_report.draft import new_report
from crm_utils.commands.new_report.time_zones import fitting_zone
from crm_utils.config import parse_model
from crm_utils.config.recipes import Export, Recipe, read_recipes
from crm_utils.core.errors import ParamsError, SourceError
from tests.support.projects import ROOT

STRIPE = {
    "id": ["ch_1", "ch_2", "ch_3"],
    "Created (UTC)": ["2024-01-05 10:00", "2024-01-06 10:00", "2024-02-07 10:00"],
    "Amount": ["50.00", "70.00", "30.00"],
    "Amount Refunded": ["0.00", "20.00", "0.00"],
    "Currency": ["eur", "eur", "eur"],
    "Status": ["Paid", "Paid", "Failed"],
    "Customer Email": ["a@example.org", "b@example.org", "b@example.org"],
    "Customer ID": ["cus_1", "", ""],
}


def write(folder, **changes) -> None:
    pd.DataFrame({**STRIPE, **changes}).to_csv(folder / "payments.csv", index=False)


def written(folder) -> dict:
    return yaml.safe_load((folder / "params" / "shop.yaml").read_text())


@pytest.mark.parametrize("like", [None, "stripe", "Stripe"])
def test_a_recipe_is_used_if_it_is_named_or_its_headings_match(tmp_path, like):
    write(tmp_path)
    _, told, open_points = new_report(tmp_path, "shop", "payments.csv", like)
    found = written(tmp_path)
    assert found["columns"] == {
        "customer_id": "Customer Email",
        "ordered_at": "Created (UTC)",
        "order_id": "id",
        "amount": {"lines": "Amount", "minus": ["Amount Refunded"]},
    }
    assert (found["source"]["status"]["refund"], found["currency"]) == (["Refunded"], "EUR")
    assert told[0].startswith("recipe: stripe, because its headings match" if like is None else "recipe: stripe (")
    assert any("count 'Paid' (2 rows, 67%, 120.00)" in line for line in told)
    assert open_points == []


def test_names_are_matched_without_case_and_written_as_in_the_file(tmp_path):
    plain = pd.DataFrame(STRIPE).rename(columns=str.lower)
    plain.assign(captured=["true", "TRUE", "false"]).to_csv(tmp_path / "payments.csv", index=False)
    new_report(tmp_path, "shop", "payments.csv")
    found = written(tmp_path)
    assert found["columns"]["amount"] == {"lines": "amount", "minus": ["amount refunded"]}
    assert found["source"]["filter"] == '`captured`.str.lower() != "false"'


def test_a_status_that_the_recipe_does_not_name_is_asked_about(tmp_path):
    write(tmp_path, Status=["Paid", "Disputed", "Failed"])
    _, _, open_points = new_report(tmp_path, "shop", "payments.csv")
    assert any("is 'Disputed' (1 row, 70.00) a sale?" in point for point in open_points)
    assert any("no list names 'Disputed' (1 row, 70.00)" in point for point in open_points)


def test_generic_guesses_although_headings_match(tmp_path):
    write(tmp_path)
    _, told, _ = new_report(tmp_path, "shop", "payments.csv", "generic")
    assert not any(line.startswith("recipe") for line in told)


def test_an_unknown_recipe_lists_those_there_are(tmp_path):
    write(tmp_path)
    with pytest.raises(
        ParamsError, match="LIKE=strip: there is no such recipe; did you mean 'stripe'.*amazon, bigcomm"
    ):
        new_report(tmp_path, "shop", "payments.csv", "strip")
    assert not (tmp_path / "params").exists()


def test_a_recipe_whose_columns_are_missing_is_refused(tmp_path):
    pd.DataFrame(STRIPE).drop(columns=["Amount Refunded", "Status"]).to_csv(tmp_path / "payments.csv", index=False)
    with pytest.raises(SourceError) as refused:
        new_report(tmp_path, "shop", "payments.csv", "stripe")
    for words in (
        "payments.csv lacks 'Amount Refunded' and 'Status', which the recipe stripe needs",
        'choose "All columns" when you export',
        "LIKE=generic",
        "It has: id, Created (UTC), Amount, Currency, Customer Email, Customer ID",
    ):
        assert words in str(refused.value)


def test_headings_that_match_without_a_column_are_a_point_to_check(tmp_path):
    frame = pd.DataFrame({"amazon-order-id": ["1"], "purchase-date": ["2024-01-05"], "order-status": ["Shipped"]})
    frame.assign(**{"item-price": "5.00"}).to_csv(tmp_path / "orders.csv", index=False)
    _, _, open_points = new_report(tmp_path, "shop", "orders.csv")
    assert "recipe amazon: the headings are those of Amazon" in open_points[0]
    assert "'buyer-email'" in open_points[0] and "name no customer" in open_points[0]


def test_several_currencies_are_a_point_to_check(tmp_path):
    write(tmp_path, Currency=["eur", "usd", "eur"])
    _, _, open_points = new_report(tmp_path, "shop", "payments.csv")
    assert any("EUR (2 rows, 80.00) and USD (1 row, 70.00)" in point for point in open_points), open_points


def test_a_project_may_have_recipes_of_its_own(tmp_path):
    write(tmp_path)
    (tmp_path / "params" / "recipes").mkdir(parents=True)
    (tmp_path / "params" / "recipes" / "till.yaml").write_text("system: our till\nexports: []\n")
    with pytest.raises(ParamsError, match="recipes: till$"):
        new_report(tmp_path, "shop", "payments.csv", "stripe")


def test_every_system_has_a_recipe():
    systems = "amazon bigcommerce generic lightspeed magento paypal shopify square stripe woocommerce"
    assert list(read_recipes(ROOT)) == systems.split()


EXPORT = {
    "menu": "Sales",
    "sale": "Each row.",
    "headings": ["Who", "When", "What"],
    "columns": {"customer_id": "Who", "ordered_at": "When"},
    "amount": {"lines": "What"},
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"optional": ["Whose"]}, "optional: 'Whose' is used by no setting"),
        ({"columns": {"customer_id": "Who", "day": "When"}}, "ordered_at"),
        ({"headings": ["Who"]}, "headings"),
        ({"heading": ["Who"]}, "unknown parameter exports.0.heading; did you mean 'headings'"),
    ],
)
def test_a_wrong_recipe_is_refused(changes, words):
    with pytest.raises(ParamsError, match=words):
        parse_model({"system": "Till", "exports": [EXPORT | changes]}, Recipe, "till.yaml")


def test_columns_that_no_number_depends_on_are_not_needed():
    export = Export(**EXPORT | {"columns": EXPORT["columns"] | {"product_id": "Sku", "order_id": ["No", "Number"]}})
    assert export.needed == [["Who"], ["When"], ["No", "Number"], ["What"]]


@pytest.mark.parametrize(
    ("texts", "zone"),
    [
        (["2024-01-05 10:00:00 +0100", "2024-07-05 10:00:00 +0200"], "Europe/Berlin"),
        (["2024-01-05T10:00:00-05:00", "2024-07-05T10:00:00-04:00"], "America/New_York"),
        (["2024-01-05T10:00:00Z", "2024-07-05T10:00:00+00:00"], "UTC"),
        (["2024-01-05 10:00:00 +0100", "2024-01-06 10:00:00 +0900"], None),
        (["2024-01-05 10:00:00 +0100", "2024-01-06 10:00:00"], None),
        (["05.01.2024"], None),
    ],
)
def test_the_time_zone_has_the_offsets_of_all_dates(texts, zone):
    assert fitting_zone(texts) == zone
