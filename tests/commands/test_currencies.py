"""Several currencies in the file of a new report: found on all rows, and asked about."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from crm_utils.commands.new_report import currencies
from crm_utils.commands.new_report.draft import new_report
from crm_utils.config import Report, read_yaml
from crm_utils.core.errors import ParamsError


def orders(codes: list[str], column: str = "currency") -> pd.DataFrame:
    rows = len(codes)
    return pd.DataFrame(
        {
            "order_id": range(rows),
            "customer_id": [f"K{row % 7}" for row in range(rows)],
            "order_date": [f"2024-{1 + row % 3:02}-05" for row in range(rows)],
            "amount": "10.00",
            column: codes,
        }
    )


@pytest.mark.parametrize("column", ["currency", "paid in"])
def test_a_second_currency_far_down_the_file_is_asked_about(tmp_path: Path, column: str):
    orders(["EUR"] * 5_200 + ["gbp", "GBP"], column).to_csv(tmp_path / "orders.csv", index=False)
    path, _, to_check = new_report(tmp_path, "shop", "orders.csv")
    [line] = [line for line in to_check if line.startswith("source.currency")]
    assert f"column {column!r} contains EUR (5,200 rows, 52,000.00) and GBP (2 rows, 20.00)" in line
    written = yaml.safe_load(path.read_text())
    assert written["source"]["currency"] == {"column": column, "keep": "???"}
    assert written["currency"] == "EUR" and written["analysis_dates"] != ["???"]
    with pytest.raises(ParamsError, match="source.currency.keep: .* write keep: EUR to count that one only, or rates"):
        read_yaml(path, Report)
    path.write_text(path.read_text().replace("keep: '???'", "keep: EUR"))
    assert read_yaml(path, Report).source.currency.keep == "EUR"


def test_one_currency_needs_no_rule(tmp_path: Path):
    orders(["EUR"] * 20 + ["eur"]).to_csv(tmp_path / "orders.csv", index=False)
    path, guessed, to_check = new_report(tmp_path, "shop", "orders.csv")
    assert "currency: EUR" in guessed and not [line for line in to_check if "currency" in line]
    assert "currency" not in yaml.safe_load(path.read_text())["source"]


def test_codes_of_something_else_are_no_currency():
    values = pd.DataFrame({"value": ["ABC", "XYZ"], "rows": [3, 2], "money": [1.0, 1.0]})
    assert currencies.find_currencies({"shop": values}) is None
    column, codes = currencies.find_currencies({"Order Currency": values})
    assert (column, codes.index.tolist()) == ("Order Currency", ["ABC", "XYZ"])
