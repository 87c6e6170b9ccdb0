"""What the new customers of each quarter have brought."""

from datetime import date

import ibis
import pandas as pd

from crm_utils.budget import cohort_margins, tables
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.formatting import NumberFormat
from tests.support.page_tables import cell_texts


def shop(customers: int = 30) -> ibis.expr.types.Table:
    """Each customer of January pays 10 at first and 20 after 40 days; those of July pay 8 once; one comes in May."""
    rows = [
        (f"j{n}", day, money) for n in range(customers) for day, money in (("2023-01-05", 10.0), ("2023-02-14", 20.0))
    ]
    rows += [(f"s{n}", "2023-07-01", 8.0) for n in range(customers)] + [("may", "2023-05-01", 99.0)]
    table = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    return ibis.memtable(table.assign(ordered_at=pd.to_datetime(table.ordered_at)))


def test_the_margin_of_a_cohort_grows_with_its_age_and_pays_back_by_hand():
    found = cohort_margins.cohort_margins(
        shop(), date(2023, 12, 31), 0.5, history_complete=True, costs=Acquisition(cost_per_customer=12.0)
    )
    assert list(found) == ["cohort", "new_customers", "margin_30d", "margin_91d", "margin_182d", "payback_days"]
    assert found.cohort.tolist() == ["2023 Q1", "2023 Q3"], "one customer alone is no cohort"
    assert found.iloc[0, 1:].tolist() == [30, 5, 15, 15, 40]
    assert found.iloc[1, 1:5].tolist() == [30, 4, 4, 4]
    assert pd.isna(found.payback_days[1]), "4 do not pay 12 back"
    texts = cell_texts(tables.cohort_margins(found, NumberFormat("USD")))
    assert texts[0][-1] == "Days until paid back"
    assert texts[1][2:] == ["$5.00", "$15.00", "$15.00", "40"]


def test_a_value_needs_the_whole_cohort_observed_so_long():
    young = cohort_margins.cohort_margins(shop(), date(2023, 7, 20), 0.5, history_complete=True, costs=None)
    assert list(young) == ["cohort", "new_customers", "margin_30d", "margin_91d", "margin_182d"]
    assert young.iloc[1, 2:].isna().all()
    cut_off = cohort_margins.cohort_margins(shop(), date(2023, 12, 31), 0.5, history_complete=False, costs=None)
    assert cut_off.cohort.tolist() == ["2023 Q3"], "who comes at the start of a history that is cut off may be old"
    nobody = cohort_margins.cohort_margins(shop(5), date(2023, 12, 31), 0.5, history_complete=True, costs=None)
    assert nobody.empty and tables.cohort_margins(nobody, NumberFormat("USD")) is None
