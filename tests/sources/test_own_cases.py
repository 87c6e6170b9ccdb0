"""Small exports of our own, one of each kind: `tests/cases/own.yaml` has their true values or what is refused."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from crm_utils.config import Columns, Source, parse_model
from crm_utils.config.report import Cleaning
from crm_utils.core.errors import CrmError
from crm_utils.sources import read_line_items
from tests.support.cleaning_factories import assert_reconciles, clean

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "own.yaml").read_text(encoding="utf-8"))
COLUMNS = {"customer_id": "customer", "ordered_at": "date", "order_id": "order", "amount": "total"}


def cleaned(case: dict, root: Path) -> dict:
    """What 01_cleaning derives from a case."""
    for name, text in case.get("files", {"orders.csv": case.get("csv")}).items():
        (root / name).write_bytes(text.encode(case.get("encoding_of", "utf-8")))
    given = {"file": "orders.csv"} if not {"file", "files"} & set(case.get("source", {})) else {}
    source = parse_model({**given, **case.get("source", {})}, Source, "source")
    named = {**COLUMNS, **case.get("columns", {})}
    if "total" in named:
        named |= {"amount": named.pop("total")}
    columns = parse_model({name: column for name, column in named.items() if column is not None}, Columns, "columns")
    options = parse_model(case.get("cleaning", {}), Cleaning, "cleaning")
    lines = read_line_items(source, columns, root)
    day = lines.ordered_at.max().execute().date()
    return clean(lines, options.cancellations, day, duplicates=options.duplicates)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_case_of_our_own(case: dict, tmp_path: Path):
    if "refuse" in case:
        with pytest.raises(CrmError, match=f"(?s){case['refuse']}"):
            cleaned(case, tmp_path)
        return
    found = cleaned(case, tmp_path)
    assert_reconciles(found)
    known = found["known"].execute()
    assert round(float(known.revenue.sum()), 2) == case["revenue"]
    assert len(known) == case.get("orders", len(known))
    assert known.customer_id.nunique() == case.get("customers", known.customer_id.nunique())
    removed = pd.Series(found["ledger"].rows_removed.to_numpy(), index=found["ledger"].rule)
    assert {rule: removed.get(rule) for rule in case.get("removed", {})} == case.get("removed", {})


def test_there_are_sixty_cases_of_our_own():
    assert len({case["name"] for case in CASES}) == len(CASES) >= 60
