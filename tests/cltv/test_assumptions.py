"""What a lifetime value rests on: a margin that is set, else in the data, else assumed; and what is refused."""

import pandas as pd
import pytest

from crm_utils.cltv.assumptions import ASSUMED_MARGIN_RATE, ClvAssumptions
from crm_utils.core.errors import AssumptionsError

CUSTOMERS = pd.DataFrame({"customer_id": list("abc"), "revenue": [100.0, 300.0, 100.0]})


def habits(*rates: float | None) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list("abc"), "margin_rate": rates})


@pytest.mark.parametrize(
    "known, rate, from_data",
    [
        (None, ASSUMED_MARGIN_RATE, False),
        (pd.DataFrame({"customer_id": list("abc")}), ASSUMED_MARGIN_RATE, False),
        (habits(0.5, 0.4, 0.2), 0.38, True),  # 50 + 120 + 20 of 500
        (habits(0.5, 0.4, None), 0.425, True),  # 50 + 120 of 400: who has no costs says nothing
        (habits(0.5, None, 0.1), ASSUMED_MARGIN_RATE, False),  # 200 of 500: too little to speak for all
        (habits(None, None, None), ASSUMED_MARGIN_RATE, False),
        (pd.DataFrame({"customer_id": ["b"], "margin_rate": [0.1234]}), 0.123, True),  # to a tenth of a percent
    ],
    ids=["no habits", "no costs", "all known", "one unknown", "most unknown", "none known", "one known"],
)
def test_the_margin_comes_from_the_costs_where_most_of_revenue_has_them(known, rate, from_data):
    assert ClvAssumptions.from_data(CUSTOMERS, known, None, 0.1, 12) == ClvAssumptions(rate, 0.1, 12, from_data)
    assert ClvAssumptions.from_data(CUSTOMERS, known, 0.07, 0.1, 12) == ClvAssumptions(
        0.07, 0.1, 12
    )  # what is set counts


def test_the_order_of_rows_and_customers_without_habits_change_nothing():
    found = ClvAssumptions.from_data(CUSTOMERS, habits(0.5, 0.4, 0.2), None, 0.1, 12)
    assert (
        ClvAssumptions.from_data(CUSTOMERS[::-1], habits(0.5, 0.4, 0.2).sample(frac=1, random_state=1), None, 0.1, 12)
        == found
    )


def test_costs_that_leave_nothing_are_refused_with_the_cure():
    with pytest.raises(
        AssumptionsError, match=r"a margin of −10.0% of revenue: correct unit_cost, or set cltv.margin_rate"
    ):
        ClvAssumptions.from_data(CUSTOMERS, habits(-0.1, -0.1, -0.1), None, 0.1, 12)
    assert ClvAssumptions.from_data(CUSTOMERS, habits(-0.1, -0.1, -0.1), 0.2, 0.1, 12).margin_rate == 0.2


def test_half_of_revenue_with_costs_is_enough():
    halves = pd.DataFrame({"customer_id": list("ab"), "revenue": [100.0, 100.0]})
    assert ClvAssumptions.from_data(halves, habits(0.4, None, None), None, 0.1, 12).margin_rate == 0.4
    nothing = halves.assign(revenue=0.0)
    assert not ClvAssumptions.from_data(nothing, habits(0.4, 0.4, 0.4), None, 0.1, 12).margin_known
    with pytest.raises(AssumptionsError, match=r"a margin of 0\.0% of revenue"):
        ClvAssumptions.from_data(halves, habits(0.0, 0.0, None), None, 0.1, 12)


@pytest.mark.parametrize("margin, discount, months", [(1, 0.1, 12), (0.3, -0.5, 12), (0.3, 0, 12), (0.3, 0.1, 0)])
def test_terms_at_the_ends_of_their_ranges(margin, discount, months):
    table = ClvAssumptions(margin, discount, months).table()
    assert table.value.tolist() == [margin, discount, months]
    assert table.parameter.tolist() == ["margin_rate", "discount_rate", "horizon_months"]
    assert table.standard_error.isna().all() and not ClvAssumptions(margin, discount, months).margin_known


@pytest.mark.parametrize("margin, discount, months", [(0.3, -1, 12), (0, 0.1, 12), (1.1, 0.1, 12), (0.3, 0.1, -1)])
def test_impossible_terms_are_refused(margin, discount, months):
    with pytest.raises(AssumptionsError, match="CLV needs a margin rate"):
        ClvAssumptions(margin, discount, months)


def test_the_model_table_says_what_is_assumed():
    notes = ClvAssumptions(0.4, 0.1, 12, margin_known=True).table().set_index("parameter").note
    assert notes.to_dict() == {
        "margin_rate": "from the costs in the data",
        "discount_rate": "assumption",
        "horizon_months": "assumption",
    }
    assert (ClvAssumptions(0.4, 0.1, 12).table().note == "assumption").all()
