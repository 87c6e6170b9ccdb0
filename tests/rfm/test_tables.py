"""Tables of 02_rfm as a reader sees them."""

import pandas as pd

from crm_utils.core.formatting import NumberFormat
from crm_utils.rfm import tables
from tests.support.page_tables import cell_texts

FMT = NumberFormat("USD")


def test_limits_are_written_with_their_units():
    boundaries = pd.DataFrame(
        {
            "measure": ["recency", "frequency", "monetary"],
            "score": [1, 2, 3],
            "lowest": [1.0, None, 10.0],
            "highest": [9.0, None, 2000.0],
            "customers": [1, 0, 3],
            "unit": ["day", "order", "money"],
        }
    )
    assert cell_texts(tables.score_boundaries(boundaries, FMT)) == [
        ["Measure", "Score", "From", "To", "Customers"],
        ["Recency", "1", "1 day", "9 days", "1"],
        ["Frequency", "2", "–", "–", "0"],
        ["Monetary", "3", "$10.00", "$2,000", "3"],
    ]


def test_the_grid_lists_classes_with_customers_the_best_first_and_adds_them_up():
    grid = pd.DataFrame(
        {
            "recency_score": [1, 1, 2],
            "frequency_score": [1, 2, 1],
            "customers": [1, 0, 4],
            "revenue": [30.0, 0.0, 400.0],
        }
    )
    texts = cell_texts(tables.rf_grid(grid, FMT))
    assert texts[1:] == [["2", "1", "4", "$400"], ["1", "1", "1", "$30"], ["Total", "", "5", "$430"]]


def test_cohorts_are_named_by_their_period():
    row = {"cohort": [pd.Timestamp("2023-04-01")], "period": [0], "customers": [3], "size": [3], "revenue": [30.0]}
    for unit, name, heading in [("month", "2023-04", "Months since"), ("quarter", "2023Q2", "Quarters since")]:
        texts = cell_texts(tables.cohorts(pd.DataFrame(row).assign(unit=unit), FMT))
        assert texts[0][1] == heading
        assert texts[1] == [name, "0", "3", "3", "$30"]


def test_nothing_to_show_gives_no_table():
    assert tables.cohorts(pd.DataFrame(), FMT) is None
    one = pd.DataFrame({"cell": ["514"], "stands_for": ["x"], "in_the_cell": [1], "rule": ["y"], "customers": [2]})
    assert cell_texts(tables.reference_cells(one, FMT))[1][:2] == ["514", "x"]
    compared = pd.DataFrame({"measure": ["recency"], "score": [1], "customers": [2], "other": [3], "differ": [1]})
    assert cell_texts(tables.scoring_methods(compared, FMT))[1] == ["Recency", "1", "2", "3", "1"]
