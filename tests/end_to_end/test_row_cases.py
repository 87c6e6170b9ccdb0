"""Small exports with known answers: which rows are sales, and what they are worth.

Each folder of `tests/cases` with a `case.yaml` has the parameters that its owner would write, and the right values on
the day of the last row: revenue, orders, customers, revenue of single customers, rows that rules removed.
"""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from crm_utils.config import Columns, Source, parse_model
from crm_utils.config.report import Cleaning
from crm_utils.sources import read_line_items
from tests.support.cleaning_factories import assert_reconciles, clean

CASES = Path(__file__).parents[1] / "cases"
NAMES = sorted(path.parent.name for path in CASES.glob("*/case.yaml"))


def cleaned(folder: Path, case: dict) -> dict:
    """What 01_cleaning derives from a case."""
    columns, source = parse_model(case["columns"], Columns, "columns"), parse_model(case["source"], Source, "source")
    options = parse_model(case.get("cleaning", {}), Cleaning, "cleaning")
    lines = read_line_items(source, columns, folder)
    day = lines.ordered_at.max().execute().date()
    return clean(lines, options.cancellations, day, duplicates=options.duplicates)


@pytest.mark.parametrize("name", NAMES)
def test_the_true_values_of_a_case(name: str):
    case = yaml.safe_load((CASES / name / "case.yaml").read_text(encoding="utf-8"))
    found = cleaned(CASES / name, case)
    assert_reconciles(found)
    known = found["known"].execute()
    assert round(float(known.revenue.sum()), 2) == case["revenue"]
    if "orders" in case:
        assert len(known) == case["orders"]
    if "customers" in case:
        assert known.customer_id.nunique() == case["customers"]
    by_customer = known.groupby("customer_id").revenue.sum().round(2)
    assert {customer: by_customer[customer] for customer in case.get("revenue_of", {})} == case.get("revenue_of", {})
    removed = pd.Series(found["ledger"].rows_removed.to_numpy(), index=found["ledger"].rule)
    assert {rule: removed.get(rule) for rule in case.get("removed", {})} == case.get("removed", {})
