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


def test_limits_of_behaviour_belong_to_the_class_above():
    features = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "price_ratio": [0.949, 0.95, 1.049, 1.05],
            "return_share": [0.199, 0.2, 0.0, 1.0],
            "distinct_products": [1, 2, 4, 5],
            "favourite_product": ["cup", None, "bag", "cup"],
        }
    )
    found = profiling.behaviour_labels(features)
    assert found.price.tolist() == ["price_focused", "average", "average", "premium"]
    assert found.returns.tolist() == ["few_returns", "many_returns", "few_returns", "many_returns"]
    assert found.breadth.tolist() == ["few_products", "few_products", "many_products", "many_products"]
    assert found.favourite_product.tolist()[::2] == ["cup", "bag"]


def crossed(**counts: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Segments and traits of customers, as many as `segment_value` says."""
    pairs = [name.split("_") for name, count in counts.items() for _ in range(count)]
    people = named(*(segment for segment, _ in pairs))
    return people, people[["customer_id"]].assign(trait=[value for _, value in pairs])


def test_an_association_worked_by_hand():
    # 12 of 30 have x. Independence expects 4 of A to have it, and 12 of B to have y. (8 − 4) ÷ √4 = 2 is further above
    # than (16 − 12) ÷ √12. Chi² is 16 ÷ 4 + 16 ÷ 6 + 16 ÷ 8 + 16 ÷ 12 = 10, and V = √(10 ÷ 30).
    people, traits = crossed(A_x=8, A_y=2, B_x=4, B_y=16)
    row = profiling.trait_associations(people, traits).iloc[0]
    assert (row.trait, row.segment, row.value, row.customers) == ("trait", "A", "x", 8)
    assert (row.share, row.share_of_all) == (0.8, 0.4)
    assert row.strength == pytest.approx((10 / 30) ** 0.5)
    assert bool(row.small)


def test_thirty_customers_are_not_few():
    small = [profiling.trait_associations(*crossed(A_x=n, A_y=1, B_x=1, B_y=40)).small[0] for n in (29, 30)]
    assert small == [True, False]


def test_one_segment_has_no_association():
    assert profiling.trait_associations(*crossed(A_x=3, A_y=2)).strength.tolist() == [0.0]


def test_associations_are_sorted_by_strength_then_by_name():
    people, traits = crossed(A_x=8, A_y=2, B_x=4, B_y=16)
    more = traits.assign(same=traits.trait, perfect=people.segment)
    found = profiling.trait_associations(people, more)
    assert found.trait.to_dict() == {0: "perfect", 1: "same", 2: "trait"}


def test_counts_by_segment_and_value():
    people, traits = crossed(A_x=3, A_y=1, B_x=2)
    traits.loc[5, "trait"] = None
    found = profiling.crosstab(people, traits, "trait")
    assert found.columns.tolist() == ["segment", "value", "customers", "share"]
    assert found.to_numpy().tolist() == [["A", "x", 3, 0.75], ["A", "y", 1, 0.25], ["B", "x", 1, 1.0]]


def test_numbers_are_thirds_unless_they_are_few():
    nine = profiling._categories(pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8, 9]))
    assert nine.tolist() == ["low"] * 3 + ["middle"] * 3 + ["high"] * 3
    assert profiling._categories(pd.Series(range(7))).unique().tolist() == ["low", "middle", "high"]
    assert profiling._categories(pd.Series(range(6))).tolist() == list("012345")
    assert profiling._categories(pd.Series([True, False])).tolist() == ["True", "False"]


def test_the_thirteenth_value_counts_as_other():
    letters = list("abcdefghijklm")
    found = profiling._categories(pd.Series([*letters, *letters[1:], None]))
    assert found[0] == "other", "a, the only letter that stands once"
    assert found[1:13].tolist() == letters[1:]
    assert pd.isna(found.iloc[-1])
    assert "other" not in set(profiling._categories(pd.Series(letters[:12])))


def test_a_segment_of_which_nothing_is_known_has_no_most_frequent_value():
    features = named("A", "B").assign(favourite_product=["cup", None])
    typical = profiling.segment_features(named("A", "B"), features.drop(columns="segment"), ["A", "B"])
    assert typical.favourite_product.isna().tolist() == [False, True]


def test_traits_of_the_first_table_count_and_become_text():
    people = named("A", "B")
    first = pd.DataFrame({"customer_id": ["001"], "age": [30]})
    second = pd.DataFrame({"customer_id": ["000", "001"], "age": [1, 2], "city": ["Rome", None]})
    found = profiling.with_traits(people, None, first, first.head(0), second)
    assert found.columns.tolist() == ["customer_id", "segment", "age", "city"]
    assert found.age[1] == "30.0"
    assert found.age.isna().tolist() == [True, False]
    assert found.city.isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        (pd.DataFrame({"customer_id": ["000", "000", "001"], "age": [1, 2, 3]}), "1 customers have more than one row"),
        (pd.DataFrame({"customer_id": list("ddccbbaae")}), "4 customers .*, for example a, b, c; keep"),
        (
            pd.DataFrame({"customer_id": ["x", "y"], "age": [1, 2]}),
            "none of its 2 customers has ordered. Its ids look like 'x'",
        ),
        (pd.DataFrame({"customer_id": []}), "none of its 0 customers has ordered. Its ids look like 'nothing'"),
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
    assert f"{len(few)} rows of the table are based on fewer than 30 customers" in sentence


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
    assert typical.main_country.tolist() == ["UK", "FR"], "of equally frequent ones the first by name"
    assert typical.main_country_share.tolist() == [1.0, 0.5]


def test_typical_returns_and_breadth_of_a_segment():
    features = named("A", "A", "A", "B").assign(return_share=[0.0, 0.1, 0.5, 1.0], distinct_products=[1, 2, 9, 4])
    typical = profiling.segment_features(named("A", "A", "A", "B"), features.drop(columns="segment"), ["A", "B", "C"])
    assert typical.columns.tolist() == ["segment", "customers", "distinct_products", "return_share"]
    assert typical.to_numpy().tolist() == [["A", 3, 2, pytest.approx(0.2)], ["B", 1, 4, 1.0]]


def test_ids_of_people_may_be_numbers():
    attributes = pd.DataFrame({"customer_id": [101, 100], "phone": ["old", "new"]})
    customers = pd.DataFrame({"customer_id": ["100", "101"]})
    assert profiling.align_to_customers(customers, attributes).phone.tolist() == ["new", "old"]
