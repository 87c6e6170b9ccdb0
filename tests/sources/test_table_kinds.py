"""Tables without transactions are refused with the reason; logs of transactions are not."""

from pathlib import Path

import pandas as pd
import pytest

from crm_utils.commands.new_report.draft import new_report
from crm_utils.config import Columns, Source
from crm_utils.core.errors import SourceError
from crm_utils.sources import read_line_items
from tests.support.cases import CASES, read_case


def table(**columns: list) -> pd.DataFrame:
    """Twelve customers with a date and an amount."""
    days = [str(day.date()) for day in pd.date_range("2023-01-30", periods=12, freq="7D")]
    frame = pd.DataFrame({"id": [f"K{number}" for number in range(12)], "date": days, "amount": range(10, 22)})
    return frame.assign(**columns)


def read(tmp_path: Path, frame: pd.DataFrame, **columns: str) -> int:
    frame.to_csv(tmp_path / "export.csv", index=False)
    named = Columns.model_validate({"customer_id": "id", "ordered_at": "date", "amount": "amount"} | columns)
    return read_line_items(Source(file="export.csv"), named, tmp_path).count().execute()


def test_a_table_of_customers_is_refused():
    with pytest.raises(SourceError, match="has one row per customer") as refused:
        read_case("customer_table", "customers.csv", order_id=None, ordered_at="last_order_date", amount="total_spent")
    for words in ("customers.csv", "110 rows", "'orders_count'", "'total_spent'", "one row per order or line item"):
        assert words in str(refused.value)


def test_no_report_is_proposed_for_a_table_of_customers(tmp_path):
    (tmp_path / "customers.csv").write_bytes((CASES / "customer_table" / "customers.csv").read_bytes())
    with pytest.raises(SourceError, match="has one row per customer"):
        new_report(tmp_path, "shop", "customers.csv")
    assert not (tmp_path / "params" / "shop.yaml").exists()


@pytest.mark.parametrize(
    "names",
    [
        {"order_num_total_ever_online": 3, "last_order_date": "2023-01-01", "customer_value_total_ever_offline": 9.0},
        {"Number of Orders": 2},
        {"numberOfOrders": 2},
        {"lifetime_value": 20.0, "first_order_date": "2023-01-01"},
        {"Anzahl Bestellungen": 4},
    ],
)
def test_totals_of_customers_are_known_by_their_names(tmp_path, names):
    with pytest.raises(SourceError, match="one row per customer"):
        read(tmp_path, table(**names))


def test_a_log_of_transactions_is_read(tmp_path):
    assert read(tmp_path, table()) == 12, "everybody bought once"
    assert read(tmp_path, table(total_spent=9.0)) == 12, "one hint among unique ids"
    several = table(orders_count=2, total_spent=9.0, id=["K1", "K2", "K3"] * 4)
    assert read(tmp_path, several) == 12, "customers come several times"
    numbered = table(orders_count=2, total_spent=9.0, number=range(12))
    assert read(tmp_path, numbered, order_id="number") == 12, "orders have numbers"


def test_totals_of_months_are_refused(tmp_path):
    months = [f"2023-{month:02d}-01" for month in range(1, 5)]
    frame = table(id=["K1", "K2", "K3"] * 4, date=[month for month in months for _ in range(3)], orders=3)
    with pytest.raises(SourceError, match="one row per customer and month"):
        read(tmp_path, frame)
    assert read(tmp_path, frame.assign(date=table().date)) == 12, "dates of orders"


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (
            pd.DataFrame({"date": [f"2023-{month:02d}-28" for month in range(1, 13)], "orders": 5, "sales": 9.5}),
            "period",
        ),
        (pd.DataFrame({"sku": [f"S{number}" for number in range(12)], "price": 9.5, "quantity": 40}), "product"),
    ],
)
def test_periods_and_products_get_no_report(tmp_path, frame, what):
    frame.to_csv(tmp_path / "export.csv", index=False)
    with pytest.raises(SourceError, match=f"one row per {what}"):
        new_report(tmp_path, "shop", "export.csv")


@pytest.mark.parametrize("names", [("frequency", "recency", "T"), ("x", "t_x", "T")])
def test_summaries_of_customers_get_no_report(tmp_path, names):
    frame = pd.DataFrame({"ID": range(1, 13), **{name: [0.5 * number for number in range(12)] for name in names}})
    frame.to_csv(tmp_path / "summary.csv", index=False)
    with pytest.raises(SourceError, match="summary.csv .12 rows. has one row per customer"):
        new_report(tmp_path, "shop", "summary.csv")
