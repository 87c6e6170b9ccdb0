"""Made exports of each system: `make new` finds the true revenue, orders and customers without an edit, or asks."""

import csv
import io
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from crm_utils.commands.new_report.draft import UNKNOWN, new_report
from crm_utils.config import Report, read_yaml
from crm_utils.core.errors import SourceError
from crm_utils.sources import read_line_items
from tests.support.cleaning_factories import assert_reconciles, clean
from tests.support.shop_exports import SMALL_SHOP, SYSTEMS, Order, Truth, random_shop

EXAMPLES = 1  # of random shops per system
# Worked by hand from the comments of SMALL_SHOP
ANNA, BERT, DORA, GUEST = 31.90 + 27.00, 40.90, 79.90, 7.00
ANNA_NET, BERT_NET, DORA_NET = 27.00 + 27.00, 36.00, 70.00
WITH_SHIPPING = Truth(round(ANNA + BERT + DORA + GUEST, 2), 5, 4)
EXPECTED = dict.fromkeys(SYSTEMS, WITH_SHIPPING) | {
    "shopify": Truth(round(ANNA + BERT + DORA, 2), 4, 3),  # the guest has no e-mail address
    "woocommerce_analytics": Truth(27.00 + 54.00 + BERT_NET + DORA_NET + GUEST + 30.00, 6, 5),  # shows no refunds
    "amazon": Truth(27.00 + 54.00 + BERT_NET + DORA_NET + GUEST, 5, 4),  # shows only complete refunds
    "square_items": Truth(ANNA_NET + BERT_NET + DORA_NET, None, 3),
    "square_transactions": Truth(ANNA_NET + BERT_NET + DORA_NET, None, 3),
    "paypal": Truth(WITH_SHIPPING.revenue, None, 4),
    "lightspeed": Truth(round(ANNA + BERT + DORA, 2), None, 3),
    "plain": Truth(round(31.90 + 54.00 + BERT + DORA, 2), 4, 3),  # shows only complete refunds
}
STATUS = {"shopify": "Financial Status", "woocommerce_table": "status", "woocommerce_plugin": "status"} | {
    "woocommerce_analytics": "Status",
    "stripe": "Status",
    "magento": "Status",
    "amazon": "order-status",
    "square_items": "Event Type",
    "square_transactions": "Event Type",
    "paypal": "Type",
    "lightspeed": "Status",
    "bigcommerce": "Order Status",
    "plain": "status",
}
WITH_CURRENCY = [
    "shopify",
    "woocommerce_table",
    "woocommerce_plugin",
    "stripe",
    "amazon",
    "paypal",
    "bigcommerce",
    "plain",
]
TITLE = ("My shop: all orders", "")


def draft(root: Path, text: str, file: str) -> tuple[Path, list[str], list[str]]:
    """What `make new` writes, guesses and asks about the text of an export."""
    (root / file).write_text(text, encoding="utf-8")
    written, guessed, open_points = new_report(root, "shop", file)
    written.write_text(written.read_text().replace("XXX", "EUR"))
    return written, guessed, open_points


def count(root: Path, text: str, file: str) -> Truth:
    """What the report that `make new` writes finds in an export."""
    written, guessed, open_points = draft(root, text, file)
    assert UNKNOWN not in written.read_text(), open_points
    assert any(line.startswith("recipe: ") for line in guessed) == ("order_id,order_date,customer_id" not in text)
    return counted_by(written)


def counted_by(written: Path) -> Truth:
    """What a report finds."""
    report = read_yaml(written, Report)
    lines = read_line_items(report.source, report.columns, written.parents[1])
    cleaned = clean(lines, report.cleaning.cancellations, report.analysis_dates[-1])
    assert_reconciles(cleaned)
    known = cleaned["known"].execute()
    return Truth(round(float(known.revenue.sum()), 2), len(known), known.customer_id.nunique())


def assert_counted(counted: Truth, truth: Truth) -> None:
    assert (counted.revenue, counted.customers) == (round(truth.revenue, 2), truth.customers)
    assert truth.orders in (None, counted.orders)


def with_value(text: str, delimiter: str, column: str, value: str) -> str:
    """The export with another value in its first row."""
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    rows[0][column] = value
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_export_of_a_system_needs_no_edit(name, tmp_path):
    export = SYSTEMS[name].write(SMALL_SHOP)
    assert export.truth == EXPECTED[name]
    assert SYSTEMS[name].stored.read_text(encoding="utf-8") == export.text
    assert_counted(count(tmp_path, export.text, export.file), EXPECTED[name])


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_status_that_no_list_names_is_asked_about(name, tmp_path):
    system = SYSTEMS[name]
    text = with_value(system.write(SMALL_SHOP).text, system.delimiter, STATUS[name], "Under review")
    written, _, open_points = draft(tmp_path, text, system.file)
    assert any("source.status: is 'Under review' (1 row, " in point for point in open_points)
    with pytest.raises(SourceError, match="no list names 'Under review'"):
        counted_by(written)


def test_cancelled_orders_of_shopify_that_count_are_named_and_can_be_left_out(tmp_path):
    text = SYSTEMS["shopify"].write(SMALL_SHOP).text
    marked = with_value(text, ",", "Cancelled at", "2024-01-06 09:00:00 +0200")
    written, _, open_points = draft(tmp_path, marked, "export.csv")
    named = [point for point in open_points if point.startswith("cancelled: 1 order (31.90)")]
    assert len(named) == 1 and "source.filter: '`Cancelled at`.isna()'" in named[0]
    written.write_text(written.read_text().replace("source: {", "source: {filter: '`Cancelled at`.isna()', "))
    assert_counted(counted_by(written), Truth(round(EXPECTED["shopify"].revenue - 31.90, 2), 3, 3))


@pytest.mark.parametrize("name", WITH_CURRENCY)
def test_a_second_currency_is_asked_about(name, tmp_path):
    system, last = SYSTEMS[name], SMALL_SHOP[-1]
    foreign = Order(1009, "anna", last.day, last.lines, currency="USD")
    _, _, open_points = draft(tmp_path, system.write([*SMALL_SHOP, foreign]).text, system.file)
    assert any("USD (1 row" in point and "rates: rates.csv" in point for point in open_points)


@pytest.mark.parametrize("name", SYSTEMS)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32), preamble=st.sampled_from([(), TITLE]))
def test_random_shops_are_counted_right(name, seed, preamble):
    export = SYSTEMS[name].write(random_shop(Random(seed)), preamble)
    with tempfile.TemporaryDirectory() as folder:
        assert_counted(count(Path(folder), export.text, export.file), export.truth)
