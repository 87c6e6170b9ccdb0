"""Behaviour and attributes against segments."""

import numpy as np
import pandas as pd
import pytest

from crm_utils.core import errors
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.formatting import NumberFormat
from crm_utils.segmentation import findings, narrative, profiling

FMT = NumberFormat("USD")


def named(*segment: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": [f"{number:03d}" for number in range(len(segment))], "segment": segment})


def test_habits_in_words():
    habits = pd.DataFrame(
        {
            "customer_id": list("abc"),
            "price_ratio": [0.9, 1.0, 1.2],
            "return_share": [0.0, 0.2, np.nan],
            "distinct_products": [1, 5, 9],
        }
    )
    found = profiling.behaviour_labels(habits).set_index("customer_id")
    assert found.price.tolist() == ["price_focused", "average", "premium"]
    assert found.returns.tolist()[:2] == ["few_returns", "many_returns"]
    assert pd.isna(found.returns.iloc[2])
    assert found.breadth.tolist() == ["few_products", "many_products", "many_products"]
    assert profiling.behaviour_labels(habits[["customer_id"]]).columns.tolist() == ["customer_id"], "only what is known"


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        (pd.DataFrame({"customer_id": ["000", "000", "001"], "age": [1, 2, 3]}), "1 customers have more than one row"),
        (pd.DataFrame({"customer_id": ["x", "y"], "age": [1, 2]}), "none of its 2 customers has ordered"),
        (pd.DataFrame({"id": ["x"]}), "no column customer_id; it has: id"),
    ],
)
def test_attribute_tables_that_do_not_fit_are_refused(attributes, complaint):
    with pytest.raises(errors.ProfilingError, match=complaint):
        profiling.align_to_customers(named("A", "B"), attributes)


def test_unknown_people_are_left_out_and_unknown_customers_stay():
    attributes = pd.DataFrame({"customer_id": ["000", "stranger"], "phone": ["old", "new"]})
    found = profiling.align_to_customers(named("A", "B"), attributes)
    assert found.customer_id.tolist() == ["000", "001"]
    assert found.phone[0] == "old"
    assert pd.isna(found.phone[1])


def test_a_planted_attribute_is_found_and_noise_is_not():
    draw = np.random.default_rng(4)
    people = named(*(["Champions"] * 200 + ["Lost"] * 400))
    known = people[["customer_id"]].assign(
        device=np.where(people.segment == "Champions", "phone", "desktop"),
        sign=draw.choice(["ram", "bull", "twins"], 600),
        constant="x",
        age=np.where(people.segment == "Champions", 60, 20) + draw.normal(0, 1, 600),
    )
    found = profiling.trait_associations(people, known).set_index("trait")
    assert found.strength["device"] == pytest.approx(1)
    assert (found.segment["device"], found.value["device"], found.share["device"]) == ("Champions", "phone", 1.0)
    assert found.value["age"] == "high", "numbers are cut into thirds"
    assert found.strength["sign"] < 0.15
    assert "constant" not in found.index
    assert not found.small["device"]
    few = profiling.trait_associations(people.iloc[190:210], known)
    assert few.small.all(), "a warning stands on small groups"
    sentence = narrative.trait_associations(few, FMT)
    assert f"{len(few)} rows of the table rest on fewer than 30 customers" in sentence


def test_sections_without_data_say_so():
    nobody = pd.DataFrame({"customer_id": pd.Series([], dtype="str")})
    people = named("A", "B")
    unknown = findings.buying_behaviour(profiling.segment_features(people, nobody, ["A", "B"]), FMT)
    assert isinstance(unknown.sentence, NotApplicable)
    known = profiling.merge_traits(people, profiling.behaviour_labels(nobody), nobody)
    none = findings.trait_associations(profiling.trait_associations(people, known), FMT)
    assert isinstance(none.sentence, NotApplicable)


def test_typical_habits_of_a_segment():
    habits = named("A", "A", "B").assign(
        price_ratio=[0.8, 1.0, 1.3], favourite_product=["cup", "cup", "bag"], main_country=["UK", "FR", "UK"]
    )
    typical = profiling.segment_features(named("A", "A", "B"), habits.drop(columns="segment"), ["B", "A"])
    assert typical.segment.tolist() == ["B", "A"]
    assert typical.price_focused.tolist() == [0.0, 0.5]
    assert typical.premium.tolist() == [1.0, 0.0]
    assert typical.favourite_product.tolist() == ["bag", "cup"]
    assert typical.main_country_share.tolist() == [1.0, 0.5]
