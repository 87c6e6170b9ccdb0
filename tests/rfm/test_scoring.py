"""Ways to score: quantiles with any number of classes, own or frozen bin edges, approximate, as in the article."""

import itertools
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_utils.config import Scoring, ScoringConfig, parse_model
from crm_utils.config.report import Rfm
from crm_utils.config.scoring import Window
from crm_utils.core import errors
from crm_utils.core.errors import ParamsError
from crm_utils.rfm import cells, measures, scoring
from crm_utils.store import Run
from tests.support.factories import by_quantiles


def customers(recency, orders, revenue, **columns) -> pd.DataFrame:
    frame = pd.DataFrame({"recency_days": recency, "orders": orders, "revenue": revenue})
    return frame.assign(customer_id=[f"c{number:03d}" for number in range(len(frame))], **columns)


def ten() -> pd.DataFrame:
    return customers(range(10, 110, 10), range(1, 11), [float(value) for value in range(10, 110, 10)])


def placed(*rows: tuple[str, str, float]) -> ibis.Table:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    return ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=50),
    st.integers(2, 10),
    st.booleans(),
)
def test_limits_give_the_formula_of_the_methods(values, n_bins, low_is_best):
    series = pd.Series(values, dtype=float, name="x")
    scores = by_quantiles(series, n_bins, low_is_best)
    for value, score in zip(values, scores, strict=True):
        worse = sum(other > value if low_is_best else other < value for other in values)
        assert score == 1 + n_bins * worse // len(values)


@pytest.mark.parametrize("n_bins", [3, 4, 5, 10])
def test_ten_customers_fall_into_equal_classes(n_bins):
    scored = scoring.score_customers(ten(), n_bins)
    sizes = scored.monetary_score.value_counts()
    assert sizes.sum() == 10
    assert sizes.max() - sizes.min() <= 1
    assert (scored.frequency_score == scored.monetary_score).all()
    assert (scored.recency_score.sort_values(ascending=False).index == scored.index).all()


def test_three_classes_give_the_documents_table_of_thirds():
    # Top third of days since the last order scores 1, the last third 3; frequency and money the other way round.
    nine = customers([1, 2, 3, 40, 50, 60, 700, 800, 900], [9, 8, 7, 6, 5, 4, 3, 2, 1], [9.0, 8, 7, 6, 5, 4, 3, 2, 1])
    scored = scoring.score_customers(nine, 3)
    for column in scoring.SCORES:
        assert scored[column].tolist() == [3, 3, 3, 2, 2, 2, 1, 1, 1]


def test_the_documents_quintiles_of_recency_leave_no_value_out():
    # "under the 20th percentile 5, 20 to 40 4 …" leaves a value on the percentile without a score; here each has one.
    assert by_quantiles(pd.Series([1, 2, 3, 4, 5], name="months"), 5, low_is_best=True).tolist() == [
        5,
        4,
        3,
        2,
        1,
    ]


def test_the_documents_four_customers_in_full_months():
    # The document writes 9 months for 24 October 2021 to 16 June 2022; full months are 7.
    orders = placed(
        ("ABC", "2021-01-12", 1), ("XYZ", "2022-06-16", 1), ("HGB", "2022-02-14", 1), ("ASD", "2021-10-24", 1)
    )
    measured = measures.compute_rfm(orders, date(2022, 6, 16), ScoringConfig(recency_unit="months")).set_index(
        "customer_id"
    )
    assert measured.recency_months.to_dict() == {"ABC": 17, "ASD": 7, "HGB": 4, "XYZ": 0}
    scores = (
        scoring.score_customers(measured.reset_index(), ScoringConfig(recency_unit="months"))
        .set_index("customer_id")
        .recency_score
    )
    assert scores["XYZ"] > scores["HGB"] > scores["ASD"] > scores["ABC"] == 1


def test_windows_worked_by_hand():
    # a bought long ago, twice within a year; b bought in the last year, once before it.
    orders = placed(
        ("a", "2020-01-05", 10),
        ("a", "2020-06-05", 20),
        ("b", "2022-05-01", 5),
        ("b", "2023-12-01", 7),
        ("b", "2023-12-01", 1),
    )
    day = date(2023, 12, 31)
    to_date = measures.compute_rfm(orders, day, ScoringConfig(window=Window.TO_ANALYSIS_DATE)).set_index("customer_id")
    to_last = measures.compute_rfm(orders, day, ScoringConfig(window=Window.TO_LAST_ORDER)).set_index("customer_id")
    assert to_date.window_orders.to_dict() == {"a": 0, "b": 2}
    assert to_date.window_revenue.to_dict() == {"a": 0.0, "b": 8.0}
    assert to_last.window_orders.to_dict() == {"a": 2, "b": 2}
    assert to_last.revenue.to_dict() == {"a": 30.0, "b": 13.0}, "revenue stays that of all orders: it reconciles"
    days = measures.compute_rfm(
        orders, day, ScoringConfig(frequency_measure="purchase days", monetary_measure="average")
    ).set_index("customer_id")
    assert days.purchase_days.to_dict() == {"a": 2, "b": 2}
    assert "window_orders" not in days


def test_a_window_to_the_last_purchase_leaves_out_the_same_day_of_the_year_before():
    orders = placed(("a", "2022-05-10", 1), ("a", "2022-05-11", 2), ("a", "2023-05-10", 4))
    found = measures.compute_rfm(orders, date(2023, 12, 31), ScoringConfig(window=Window.TO_LAST_ORDER))
    assert found[["window_orders", "window_revenue"]].to_numpy().tolist() == [[2, 6]]


def test_a_window_without_orders_scores_lowest_and_never_fails():
    orders = placed(("a", "2020-01-05", 10), ("b", "2023-12-01", 7), ("c", "2023-12-05", 9))
    rules = ScoringConfig(window=Window.TO_ANALYSIS_DATE, monetary_measure="average")
    scored = scoring.score_customers(measures.compute_rfm(orders, date(2023, 12, 31), rules), rules).set_index(
        "customer_id"
    )
    assert scored.frequency_score["a"] == scored.monetary_score["a"] == 1


def test_elapsed_days_floor_as_the_article_does():
    orders = placed(("a", "2011-12-09 12:50", 1))
    measured = measures.compute_rfm(orders, date(2011, 12, 11), ScoringConfig(recency_unit="elapsed days"))
    assert (measured.recency_days[0], measured.elapsed_days[0]) == (2, 1)


def test_own_limits():
    rules = ScoringConfig(bin_edges={"recency": [30, 60, 90, 100], "monetary": [20, 40, 60, 80]})
    scored = scoring.score_customers(ten(), rules)
    edges = scoring.compute_bin_edges(ten(), rules)
    assert edges["recency"] == [100, 90, 60, 30], "in the order of scores 2, 3 …"
    assert edges["monetary"] == [20, 40, 60, 80]
    assert scored.recency_score.tolist() == [5, 5, 5, 4, 4, 4, 3, 3, 3, 2], "at most 30 days scores 5"
    assert scored.monetary_score.tolist() == [1, 2, 2, 3, 3, 4, 4, 5, 5, 5], "20 and more scores 2"
    assert scored.frequency_score.tolist() == scoring.score_customers(ten(), 5).frequency_score.tolist()


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ([1, 2, 3], "bin_edges.frequency has 3 values, but 5 score classes need 4"),
        ([1, 2, 3, 4, 5, 6], "bin_edges.frequency has 6 values, but 5 score classes need 4"),
        ([1, 3, 3, 4], "bin_edges.frequency must be in ascending order"),
        ([1, 2, 3, float("inf")], "must be finite numbers"),
    ],
)
def test_limits_that_do_not_fit_are_refused_before_and_in_the_notebook(limits, complaint):
    with pytest.raises(errors.ScoringError, match=complaint):
        scoring.score_customers(ten(), ScoringConfig(bin_edges={"frequency": limits}))
    with pytest.raises(ParamsError, match=complaint):
        parse_model({"bin_edges": {"frequency": limits}}, Rfm, "params")


def test_frozen_limits_score_as_on_their_date():
    rules = ScoringConfig(bin_edges_from_date="2020-01-01")
    limits = scoring.compute_bin_edges(ten(), rules)
    doubled = ten().assign(revenue=lambda t: t.revenue * 2)
    assert (
        scoring.score_customers(ten(), rules, limits).monetary_score.tolist()
        == scoring.score_customers(ten(), 5).monetary_score.tolist()
    )
    assert (
        scoring.score_customers(doubled, rules, limits).monetary_score
        >= scoring.score_customers(ten(), 5).monetary_score
    ).all()
    assert (
        scoring.score_customers(doubled, rules).monetary_score.tolist()
        == scoring.score_customers(ten(), 5).monetary_score.tolist()
    )
    assert scoring.bin_edges_date(None, date(2024, 1, 1)) == date(2024, 1, 1)
    assert scoring.bin_edges_date("2023-12-31", date(2024, 1, 1)) == date(2023, 12, 31)
    assert scoring.bin_edges_date("2024-01-01", date(2024, 1, 1)) == date(2024, 1, 1)
    with pytest.raises(errors.ScoringError, match="is later than the analysis date"):
        scoring.bin_edges_date("2024-01-02", date(2024, 1, 1))


def test_approximate_quantiles_have_one_boundary_more_than_classes():
    # BigQuery: an array of number + 1 elements. The document's example lists five for 10, 20 … 100; there are six.
    spend = pd.Series([float(value) for value in range(10, 110, 10)])
    boundaries = scoring.approximate_quantiles(spend, 5)
    assert len(boundaries) == 6
    assert (boundaries[0], boundaries[-1]) == (10, 100)
    assert np.allclose(boundaries, [10, 28, 46, 64, 82, 100], atol=10)
    exact, approximate = (
        scoring.score_customers(ten(), 5),
        scoring.score_customers(ten(), ScoringConfig(method="approximate")),
    )
    assert (exact[scoring.SCORES] - approximate[scoring.SCORES]).abs().max().max() <= 1


def test_as_in_the_article_does_not_depend_on_row_order():
    drawn = np.random.default_rng(3)
    frame = customers(drawn.integers(1, 300, 200), drawn.integers(1, 4, 200), drawn.gamma(1, 50, 200))
    rules = ScoringConfig(method="article")
    first = scoring.score_customers(frame, rules).set_index("customer_id").rfm_cell
    for seed in range(20):
        shuffled = (
            scoring.score_customers(frame.sample(frac=1, random_state=seed), rules).set_index("customer_id").rfm_cell
        )
        assert shuffled.reindex(first.index).equals(first)


def test_the_article_does_not_fail_where_its_own_code_does():
    # pandas.qcut stops on repeated edges; equal customers then share a class.
    scored = scoring.score_customers(customers([5] * 6, [1] * 6, [9.0] * 6), ScoringConfig(method="article"))
    assert scored.recency_score.nunique() == scored.monetary_score.nunique() == 1


@pytest.mark.parametrize("number", [1, 2, 3])
def test_fewer_customers_than_classes(number):
    scored = scoring.score_customers(ten().head(number), 5)
    assert scored[scoring.SCORES].to_numpy().min() >= 1
    assert scored[scoring.SCORES].to_numpy().max() <= 5
    assert scoring.score_boundaries(scored, ScoringConfig()).customers.sum() == 3 * number


def test_nobody_to_score_is_refused():
    with pytest.raises(errors.ScoringError, match="no customer to score"):
        scoring.score_customers(ten().head(0), 5)


@pytest.mark.parametrize("n_bins", [2, 9, 10])
def test_cells_are_named_as_written(n_bins):
    scored = scoring.score_customers(ten(), n_bins)
    best = scored.loc[scored.monetary_score.idxmax()]
    parts = [str(best[column]) for column in scoring.SCORES]
    assert best.rfm_cell == ("-".join(parts) if n_bins == 10 else "".join(parts))


def test_scoring_is_kept_in_the_run_folder(tmp_path):
    config = ScoringConfig(n_bins=4, monetary_measure="average")
    frame = ten().assign(mean_order_value=lambda t: t.revenue / t.orders)
    scored = scoring.score_customers(frame, config)
    kept = Scoring(config=config, bin_edges=scoring.compute_bin_edges(frame.assign(orders=1), config))
    assert kept.bin_edges["frequency"] == [float("inf")] * 3, "a class that nobody can reach"
    Run(tmp_path).save_scoring(kept)
    assert Run(tmp_path).load_scoring() == kept
    assert "NaN" not in (tmp_path / "data" / "scoring.json").read_text()
    with pytest.raises(errors.TableError, match="segment_rules.json is not in .* run 03_segmentation first"):
        Run(tmp_path).load_segment_rules()
    assert set(scoring.score_boundaries(scored, config).unit) == {"day", "order", "money an order"}


def test_each_named_cell_and_its_rule():
    """One customer in each of 125 cells: a rule finds as many as the scores it allows, multiplied."""
    everywhere = pd.DataFrame(itertools.product(range(1, 6), repeat=3), columns=scoring.SCORES)
    everywhere = everywhere.assign(rfm_cell=scoring.cell_names(5), revenue=2.0)
    found = cells.reference_cells(everywhere).set_index("cell")
    assert found.in_the_cell.tolist() == [1] * 5
    assert found.rule.to_dict() == {
        "514": "recency 4 or 5, frequency 1 or 2, money 4 or 5",
        "413": "recency 4 or 5, frequency 1 or 2, money 3",
        "111": "recency 1 or 2, frequency 1 or 2, money 1 or 2",
        "355": "recency 1 or 2, frequency 4 or 5, money 4 or 5",
        "444": "recency 3 or 4, frequency 4 or 5, money 4 or 5",
    }
    assert found.customers.tolist() == [8, 4, 8, 8, 8]
    assert found.revenue.tolist() == [16.0, 8, 16, 16, 16]


def test_boundaries_of_the_classes_worked_by_hand():
    config = ScoringConfig(n_bins=3, bin_edges={"recency": [15, 90], "frequency": [2, 20], "monetary": [30, 60]})
    boundaries = scoring.score_boundaries(scoring.score_customers(ten(), config), config)
    assert boundaries.customers.tolist() == [1, 8, 1, 1, 9, 0, 2, 3, 5]
    assert boundaries.lowest.fillna(-1).tolist() == [100, 20, 10, 1, 2, -1, 10, 30, 60]
    assert boundaries.highest.fillna(-1).tolist() == [100, 90, 10, 1, 10, -1, 20, 50, 100]
    assert boundaries.score.tolist() == [1, 2, 3] * 3
    assert boundaries.measure.tolist() == ["recency"] * 3 + ["frequency"] * 3 + ["monetary"] * 3


def test_methods_compared_customer_by_customer():
    columns = ["recency_score", "frequency_score", "monetary_score"]
    one = pd.DataFrame([[1, 1, 2], [1, 2, 2], [2, 2, 2]], columns=columns)
    other = pd.DataFrame([[1, 2, 2], [2, 1, 2], [2, 2, 1]], columns=columns)
    compared = scoring.compare_scoring_methods(one, other)
    assert compared.index.tolist() == list(range(6))
    assert compared.to_numpy().tolist() == [
        ["recency", 1, 2, 1, 1],
        ["recency", 2, 1, 2, 1],
        ["frequency", 1, 1, 1, 2],
        ["frequency", 2, 2, 2, 2],
        ["monetary", 1, 0, 1, 1],
        ["monetary", 2, 3, 2, 1],
    ]


def test_the_article_scores_as_pandas_cuts_quantiles():
    drawn = np.random.default_rng(9)
    recency, money = drawn.permutation(103), drawn.gamma(1, 50, 103)
    frame = customers(recency, drawn.integers(1, 4, 103), money)
    scored = scoring.score_customers(frame, ScoringConfig(method="article"))
    theirs = pd.DataFrame(
        {
            "recency_score": pd.qcut(frame.recency_days, 5, labels=[5, 4, 3, 2, 1]).astype(int),
            "frequency_score": pd.qcut(frame.orders.rank(method="first"), 5, labels=[1, 2, 3, 4, 5]).astype(int),
            "monetary_score": pd.qcut(frame.revenue, 5, labels=[1, 2, 3, 4, 5]).astype(int),
        }
    )
    pd.testing.assert_frame_equal(scored[scoring.SCORES], theirs, check_dtype=False)


def test_bin_edges_of_deciles_are_the_values_that_start_a_class():
    values = pd.Series(range(1, 21), name="orders", dtype=float)
    assert scoring.quantile_bin_edges(values, 10) == [3, 5, 7, 9, 11, 13, 15, 17, 19]
    assert scoring.quantile_bin_edges(values, 10, low_is_best=True) == [18, 16, 14, 12, 10, 8, 6, 4, 2]
    assert scoring.quantile_bin_edges(pd.Series([1.0, 1, 1, 2]), 4) == [2, 2, 2]


def test_approximate_quantiles_of_many_values():
    values = pd.Series(np.random.default_rng(1).permutation(10_001).astype(float))
    assert np.allclose(scoring.approximate_quantiles(values, 4), [0, 2500, 5000, 7500, 10_000], atol=100)
    assert np.allclose(scoring.approximate_bin_edges(values, 4), [2500, 5000, 7500], atol=100)
    assert np.allclose(scoring.approximate_bin_edges(values, 4, low_is_best=True), [7500, 5000, 2500], atol=100)


def test_named_cells_show_the_cell_and_the_rule():
    frame = customers([1, 1, 1, 900, 900], [1, 2, 3, 4, 5], [500.0, 400, 1, 2, 3])
    named = cells.reference_cells(scoring.score_customers(frame, 5)).set_index("cell")
    assert named.index.tolist() == ["514", "413", "111", "355", "444"]
    # Recency ranks 3, 3, 3 (score 3) and 1, 1: nobody scores 4 or 5, so nobody is high-spending and new.
    assert named.customers["514"] == 0
    everyone = scoring.score_customers(customers([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [5.0, 4, 3, 2, 1]), 5)
    assert cells.reference_cells(everyone).set_index("cell").in_the_cell["514"] == 0
    assert cells.reference_cells(everyone).set_index("cell").customers["514"] == 2
    four = cells.reference_cells(scoring.score_customers(frame, 4), 4).set_index("cell")
    assert four.index.tolist() == ["413", "312", "111", "244", "333"]
    assert four.columns.equals(named.columns)


@pytest.mark.parametrize(
    ("n_bins", "names", "spans"),
    [
        (2, ["212", "211", "111", "122", "222"], [(1, 1), (2, 2), (1, 2)]),
        (3, ["313", "312", "111", "233", "333"], [(1, 1), (3, 3), (2, 2)]),
        (4, ["413", "312", "111", "244", "333"], [(1, 2), (3, 4), (2, 3)]),
        (5, ["514", "413", "111", "355", "444"], [(1, 2), (4, 5), (3, 3)]),
        (10, ["10-1-7", "715", "111", "5-10-10", "777"], [(1, 4), (7, 10), (5, 6)]),
    ],
)
def test_reference_cells_follow_the_number_of_classes(n_bins, names, spans):
    """A span of five classes holds 40 % or 20 % of customers; the classes nearest to that stand for it."""
    assert [cells.name_cell(reference.scores, n_bins) for reference in cells.REFERENCE_CELLS] == names
    assert [cells.scale_span(span, n_bins) for span in ((1, 2), (4, 5), (3, 3))] == spans
    scored = scoring.score_customers(ten(), n_bins)
    found = cells.reference_cells(scored, n_bins)
    assert found.in_the_cell.tolist() == [(scored.rfm_cell == name).sum() for name in names]


def test_scores_are_of_five_classes_unless_told_otherwise():
    assert scoring.score_customers(ten()).equals(scoring.score_customers(ten(), 5))
    assert scoring.score_customers(ten()).monetary_score.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    named = scoring.digitize(pd.Series([1.0, 2, 3], index=[7, 8, 9], name="orders"), [2, 3])
    assert named.to_dict() == {7: 1, 8: 2, 9: 3} and named.name == "orders", "more is better"
    assert scoring.digitize(pd.Series([1.0, 2, 3]), [2, 1], low_is_best=True).tolist() == [3, 2, 1]
