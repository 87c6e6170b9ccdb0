"""Small exports with known answers: what `make new` writes by itself counts the right revenue, or the report asks."""

import shutil
from pathlib import Path

import pytest
import yaml

from crm_utils.cleaning import rules
from crm_utils.commands.new_report.complete import complete_report
from crm_utils.commands.new_report.draft import new_report
from crm_utils.config import Report, read_yaml
from crm_utils.core.errors import SourceError
from crm_utils.sources import read_line_items
from tests.support.cleaning_factories import clean

CASES = Path(__file__).parents[1] / "cases"


def started(name: str, root: Path) -> tuple[Report, list[str]]:
    """The parameters that `make new` writes for a case, the currency given, and its open points."""
    folder = CASES / name
    case = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    for path in filter(Path.is_file, folder.iterdir()):
        shutil.copy(path, root)
    written, _, open_points = new_report(root, "shop", case["source"]["file"])
    written.write_text(written.read_text().replace("currency: XXX", "currency: EUR"))
    complete_report(root, written)
    return read_yaml(written, Report), open_points


@pytest.mark.parametrize(
    "name",
    [
        "woocommerce_status",
        "german_states",
        "cancelled_at_and_test_flag",
        "shopify_orders",
        "magento_grid",
        "amazon_orders",
        "paypal",
        "refund_rows",
        "refunds_name_parent",
        "discount_lines",
        "voucher_same_day",
    ],
)
def test_the_revenue_is_right_without_an_edit(name, tmp_path):
    report, _ = started(name, tmp_path)
    lines = read_line_items(report.source, report.columns, tmp_path)
    known = clean(lines, report.cleaning.cancellations, report.analysis_dates[-1])["known"].execute()
    expected = yaml.safe_load((CASES / name / "case.yaml").read_text(encoding="utf-8"))["revenue"]
    assert round(float(known.revenue.sum()), 2) == expected


def test_a_status_that_can_mean_both_is_asked_about_and_refused_until_it_is_answered(tmp_path):
    folder = CASES / "magento_grid"
    shutil.copy(folder / "orders.csv", tmp_path)
    written, _, open_points = new_report(tmp_path, "shop", "orders.csv", like="generic")
    assert any("source.status: is 'Closed' (17 rows, 826.38) a sale?" in point for point in open_points)
    parameters = yaml.safe_load(written.read_text())
    parameters["analysis_dates"] = ["2024-06-26"]
    written.write_text(yaml.safe_dump(parameters))
    report = read_yaml(written, Report)
    with pytest.raises(SourceError, match=r"no list names 'Closed' \(17 rows, 826.38\)"):
        read_line_items(report.source, report.columns, tmp_path)
    parameters["source"]["status"]["refund"] = ["Closed"]
    written.write_text(yaml.safe_dump(parameters))
    report = read_yaml(written, Report)
    lines = read_line_items(report.source, report.columns, tmp_path)
    sales = rules.classify(lines, rules.removal_rules(lines, report.analysis_dates[-1]))
    counted = sales.filter(sales.removed_by.isnull())
    assert round(float(counted.amount.sum().execute()), 2) == 16309.63
