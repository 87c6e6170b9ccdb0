"""Status, habits and attributes against segments; clusters, stability, cohorts and lists."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.core import errors, formatting
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.errors import TableError
from crm_utils.rfm import cohorts, measures, scoring
from crm_utils.segmentation import assignment, clustering, contact_lists, narrative, profiling, stability
from crm_utils.store import Run, escape_formulas, slug
from tests.support.segment_factories import query_map, segment_rules

RULES = segment_rules()
DAY = date(2023, 12, 31)


def named(*segment: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": [f"{number:03d}" for number in range(len(segment))], "segment": segment})


def test_statuses_by_the_first_rule_that_holds():
    first = ["2023-12-01", "2023-01-01", "2023-01-01", "2023-05-01", "2020-01-01"]
    customers = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "first_order": pd.to_datetime(first),
            "recency_days": [10, 20, 180, 181, 366],
            "orders": [5, 3, 2, 9, 9],
        }
    )
    found = profiling.lifecycle_status(customers, DAY, 90, 180, 365, 3).lifecycle.tolist()
    assert found == ["new", "loyal", "occasional", "at risk", "churned"]
    assert profiling.count_prospects(customers, pd.DataFrame({"customer_id": ["a", "x", "x", "y"]})) == 2
    assert profiling.count_prospects(customers, None) == 0


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
    assert found.price.tolist() == ["price-focused", "average", "premium"]
    assert found.returns.tolist()[:2] == ["keeps what they buy", "returns much"]
    assert pd.isna(found.returns.iloc[2])
    assert found.breadth.tolist() == ["few products", "many products", "many products"]
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
    assert "an anecdote" in narrative.associations(few)


def test_sections_without_data_say_so():
    nobody = pd.DataFrame({"customer_id": pd.Series([], dtype="str")})
    people = named("A", "B")
    assert isinstance(narrative.habits(profiling.segment_features(people, nobody, ["A", "B"])), NotApplicable)
    known = profiling.merge_traits(people, profiling.behaviour_labels(nobody), nobody)
    assert isinstance(narrative.associations(profiling.trait_associations(people, known)), NotApplicable)


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


def shop(customers: int = 300, seed: int = 1) -> ibis.Table:
    """A shop of two kinds: half buy once long ago, half often and lately."""
    draw = np.random.default_rng(seed)
    often = np.repeat([f"o{number:03d}" for number in range(customers // 2)], 8)
    once = np.array([f"x{number:03d}" for number in range(customers // 2)])
    days = np.concatenate([draw.integers(180, 365, len(often)), draw.integers(0, 60, len(once))])
    money = np.concatenate([draw.gamma(9, 10, len(often)), draw.gamma(9, 2, len(once))])
    frame = pd.DataFrame({"customer_id": [*often, *once], "revenue": money.round(2)})
    return ibis.memtable(frame.assign(ordered_at=pd.Timestamp("2023-01-01") + pd.to_timedelta(days, unit="D")))


@pytest.fixture(scope="module")
def scored() -> pd.DataFrame:
    return scoring.score_customers(measures.compute_rfm(shop(), DAY), 5)


def test_clusters_find_the_two_kinds_in_any_row_order(scored):
    found = clustering.assign_clusters(scored)
    kind = scored.customer_id.str[0]
    assert pd.crosstab(kind.to_numpy(), found.cluster.to_numpy()).gt(0).sum().max() == 1, "no cluster mixes the kinds"
    again = clustering.assign_clusters(scored.sample(frac=1, random_state=1)).set_index("customer_id").cluster
    assert again.reindex(found.customer_id).tolist() == found.cluster.tolist()
    described = clustering.describe_clusters(scored, found, assignment.assign_segments(scored, RULES, DAY))
    assert described.customers.sum() == len(scored)
    assert "recent" in described.in_words[0].lower()
    assert described.in_words.iloc[-1].lower().startswith(("long ago", "very long ago", "of average"))


def test_clusters_of_customers_who_do_not_differ(scored):
    same = scored.assign(recency_days=1, orders=1, revenue=9.0)
    assert clustering.assign_clusters(same).empty
    described = clustering.describe_clusters(
        same, clustering.assign_clusters(same), assignment.assign_segments(scored, RULES, DAY)
    )
    assert isinstance(narrative.clusters(described), NotApplicable)


def test_stability_of_a_single_order():
    placed = shop().limit(1)
    customers = scoring.score_customers(measures.compute_rfm(placed, DAY))
    kept = stability.bootstrap_retention(
        placed, customers, assignment.assign_segments(customers, RULES, DAY), RULES, DAY
    )
    assert kept.customers.tolist() == [1], "a draw without any order is no draw"


def test_stability_is_a_share_and_the_same_in_every_run(scored):
    assigned = assignment.assign_segments(scored, RULES, DAY)
    kept = stability.bootstrap_retention(shop(), scored, assigned, RULES, DAY)
    assert kept.customers.sum() == len(scored)
    assert kept.kept.between(0, 1).all()
    assert (kept.shaky <= kept.customers).all()
    pd.testing.assert_frame_equal(stability.bootstrap_retention(shop(), scored, assigned, RULES, DAY), kept)


def test_stability_of_many_customers_is_judged_on_a_sample(scored, monkeypatch):
    assigned = assignment.assign_segments(scored, RULES, DAY)
    whole = stability.bootstrap_retention(shop(), scored, assigned, RULES, DAY).set_index("segment")
    monkeypatch.setattr(stability, "MAX_CUSTOMERS", len(scored) * 4 // 5)
    part = stability.bootstrap_retention(shop(), scored, assigned, RULES, DAY).set_index("segment")
    assert (part.customers == whole.customers.reindex(part.index)).all()
    assert (part.shaky <= part.customers).all()
    assert np.average(part.kept, weights=part.customers) == pytest.approx(
        np.average(whole.kept, weights=whole.customers), abs=0.1
    )


def test_customers_no_resample_can_confuse_keep_their_segment():
    # Thirty customers bought once for 1, each in another week; ten in every week for 100: no week decides for the ten.
    weeks = pd.date_range("2023-01-02", DAY, freq="7D")
    rows = [(f"x{n}", weeks[n], 1.0) for n in range(30)] + [(f"o{n}", day, 100.0) for n in range(10) for day in weeks]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    orders = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))
    two = query_map(n_bins=2, often="frequency_score == 2", once="frequency_score == 1")
    rules = segment_rules(two, new_within_days=None)
    scored = scoring.score_customers(measures.compute_rfm(orders, DAY), 2)
    kept = (
        stability.bootstrap_retention(orders, scored, assignment.assign_segments(scored, rules, DAY), rules, DAY)
        .set_index("segment")
        .kept
    )
    assert kept["often"] > 0.95


def test_a_triangle_worked_by_hand():
    rows = [
        ("a", "2023-01-05", 10),
        ("b", "2023-01-20", 20),
        ("a", "2023-03-01", 5),
        ("c", "2023-02-10", 7),
        ("c", "2023-04-10", 9),
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"]).astype({"revenue": float})
    orders = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))
    found = cohorts.compute_cohorts(orders, date(2023, 4, 15))
    shown = found[["cohort", "period", "customers", "size", "revenue"]].assign(cohort=found.cohort.dt.month)
    # April is not over on the 15th: c's second order is not shown.
    assert shown.to_numpy().tolist() == [
        [1, 0, 2, 2, 30], [1, 1, 0, 2, 0], [1, 2, 1, 2, 5], [2, 0, 1, 1, 7], [2, 1, 0, 1, 0],
    ]  # fmt: skip
    whole = cohorts.compute_cohorts(orders, date(2023, 4, 30))
    assert whole.revenue.sum() == frame.revenue.sum()
    assert cohorts.compute_cohorts(orders, date(2025, 4, 30)).unit.unique().tolist() == ["quarter"]


def test_lists_hold_every_customer_with_reasons(scored, tmp_path):
    assigned = assignment.assign_segments(scored, RULES, DAY)
    found = contact_lists.customer_list(scored, assigned, 5)
    assert sorted(found.customer_id) == sorted(scored.customer_id)
    assert found.groupby("segment").revenue.apply(lambda money: money.is_monotonic_decreasing).all()
    first = found[found.customer_id == "x000"].iloc[0]
    row = scored[scored.customer_id == "x000"].iloc[0]
    assert first.why_frequency == f"1 order (score {row.frequency_score} of 5)"
    formatting.set_thousands_separator("'")
    try:
        dear = contact_lists.customer_list(scored.assign(revenue=1234.5), assigned, 5)
        assert dear.why_money.str.startswith("1'234.50 in all (score ").all()
    finally:
        formatting.set_thousands_separator(",")
    store = Run(tmp_path)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "old.csv").write_text("gone")
    store.save_lists(found, by="segment")
    written = sorted(path.name for path in (tmp_path / "lists").iterdir())
    assert written == sorted(f"{slug(name)}.csv" for name in found.segment.unique())
    assert sum(len(pd.read_csv(path)) for path in (tmp_path / "lists").iterdir()) == len(scored)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_a_spreadsheet_would_run_are_neutralised(start):
    table = pd.DataFrame({"customer_id": [f"{start}cmd()", "plain"], "balance": [-5.0, 2.0]})
    safe = escape_formulas(table)
    assert safe.customer_id.tolist() == [f"'{start}cmd()", "plain"]
    assert safe.balance.tolist() == [-5.0, 2.0], "numbers stay numbers"
    assert table.customer_id[0] == f"{start}cmd()", "the table itself is not changed"


def test_file_names_of_segments():
    assert [slug("Can't Lose Them"), slug("About to Sleep"), slug("../x"), slug("…")] == [
        "cant-lose-them",
        "about-to-sleep",
        "x",
        "unnamed-b4935894",
    ]
    assert slug("עברית") == "עברית", "letters of every script stay"
    assert slug("🛒") != slug("🎁"), "names without letters do not meet"
    long = [slug("é" * 500), slug("é" * 501)]
    assert long[0] != long[1]
    assert max(len(name.encode()) for name in long) <= 100, "two of them fit into a file name"


def test_two_segments_that_would_share_a_list_are_refused(tmp_path):
    table = pd.DataFrame({"segment": ["A!", "A?"], "customer_id": ["1", "2"]})
    with pytest.raises(TableError, match="two lists would be written to a.csv: rename segment A?"):
        Run(tmp_path).save_lists(table, by="segment")
