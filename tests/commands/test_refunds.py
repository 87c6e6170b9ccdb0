"""`make new` finds the column that names the order which a row takes back."""

from pathlib import Path

import pytest
import yaml

from crm_utils.commands.new_report.draft import new_report

SALES = ["1,a,2024-01-01,10,,", "2,b,2024-01-05,20,,", "3,c,2024-02-01,30,,", "4,a,2024-05-01,40,,"]


def drafted(root: Path, *rows: str, heading: str = "order_id,customer_id,order_date,total,parent_order,note") -> tuple:
    """What `make new` writes for sales and more rows: columns, cleaning, and its lines about refunds."""
    (root / "shop.csv").write_text("\n".join([heading, *SALES, *rows]) + "\n")
    written, guessed, _ = new_report(root, "shop", "shop.csv")
    parameters = yaml.safe_load(written.read_text())
    return parameters["columns"], parameters.get("cleaning"), [line for line in guessed if line.startswith("refunds")]


def test_the_column_that_names_the_refunded_order(tmp_path):
    columns, cleaning, lines = drafted(tmp_path, "5,,2024-05-02,-20,2,", "6,,2024-05-03,-5.5,3,")
    assert cleaning == {"cancellations": "net"}
    assert columns["refund_of"] == "parent_order"
    assert len(lines) == 1
    assert "names the order that 2 rows take back (25.50)" in lines[0]


@pytest.mark.parametrize(
    "rows",
    [
        ["5,b,2024-05-02,-20,77,", "6,c,2024-05-03,-5,78,"],  # no orders of this file
        ["5,b,2024-05-02,-20,5,", "6,c,2024-05-03,-5,6,"],  # themselves
        ["5,b,2024-05-02,-20,2,", "6,c,2024-05-03,5,3,", "7,c,2024-05-03,5,3,"],  # sales name an order too
    ],
)
def test_a_column_that_names_no_refunded_orders_is_left_alone(tmp_path, rows):
    columns, cleaning, lines = drafted(tmp_path, *rows)
    assert "refund_of" not in columns
    assert (cleaning, lines) == (None, [])
