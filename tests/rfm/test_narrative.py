"""Sentences, figures and findings of the RFM page."""

from datetime import date

import ibis
import pandas as pd
import pytest

from crm_utils.config import ScoringConfig
from crm_utils.config.report import Rfm
from crm_utils.config.scoring import FrequencyMeasure, MonetaryMeasure, RecencyUnit, ScoringMethod, Window
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.formatting import NumberFormat
from crm_utils.rfm import cells, charts, cohorts, findings, narrative, scoring

FMT = NumberFormat("USD")


def customers() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "customer_id": list("abcdefghij"),
            "recency_days": range(10, 110, 10),
            "orders": [1, 1, 1, 2, 2, 3, 4, 5, 6, 9],
            "revenue": [10.0] * 9 + [910.0],
        }
    )
    return frame.assign(mean_order_value=frame.revenue / frame.orders)


def test_how_customers_are_scored_is_said():
    assert "ranked by their id" in narrative.how_scored(ScoringConfig(method="article"))
    frozen = narrative.how_scored(ScoringConfig(bin_edges={"recency": [1, 2, 3, 4]}, bin_edges_from_date="1997-12-31"))
    assert "limits of recency are set by the analyst" in frozen
    assert "31 December 1997" in frozen


def test_every_choice_of_the_parameters_has_its_words():
    """The parameters are checked as texts; each of them is a code, and each window and method has a sentence."""
    choices = {name: set(field.annotation.__args__) for name, field in Rfm.model_fields.items() if name in CHOICES}
    assert choices == {name: {code.value for code in codes} for name, codes in CHOICES.items()}
    assert set(narrative.WINDOWS) == set(Window)
    assert set(narrative.METHODS) == set(ScoringMethod)


CHOICES = {
    "scoring": ScoringMethod,
    "window": Window,
    "recency_unit": RecencyUnit,
    "frequency_measure": FrequencyMeasure,
    "monetary_measure": MonetaryMeasure,
}


def test_concentration_and_the_typical_customer():
    history = pd.DataFrame({"last_day": pd.to_datetime(["2023-06-30", "2024-06-30"]), "top_tenth_share": [0.4, 0.456]})
    of_year = narrative.concentration(customers(), history, FMT)
    assert "46% of their revenue (40% in the 12 months before)" in of_year
    young = history.tail(1).assign(top_tenth_share=None)
    said = narrative.concentration(customers(), young, FMT)
    assert said.startswith("The best 10% of customers brought 91% of revenue.")
    assert "30% of 10 customers ordered only once" in said
    twice = customers().assign(orders=2)
    assert narrative.concentration(twice, young, FMT).endswith("Every customer ordered more than once.")
    typical = narrative.typical_customer(customers(), ScoringConfig(window="12 months to the analysis date"), FMT)
    for part in ("55 days", "$10", "last 12 months"):
        assert part in typical


def test_empty_score_classes_in_words():
    boundaries = pd.DataFrame(
        {
            "measure": ["frequency"] * 3,
            "score": [1, 2, 3],
            "lowest": [1, None, 2],
            "highest": [1, None, 9],
            "customers": [50, 0, 25],
        }
    )
    sentence = narrative.empty_classes(boundaries, FMT)
    assert sentence.startswith("No customer has frequency score 2, because 50 customers have score 1")
    assert narrative.empty_classes(boundaries[boundaries.customers > 0], FMT) == "Every score has customers."


def test_the_limits_of_the_classes_are_lines_in_the_histograms():
    config = ScoringConfig(n_bins=2, monetary_measure="average")
    scored = scoring.score_customers(customers(), config)
    finding = findings.score_boundaries(scored, scoring.score_boundaries(scored, config), config, FMT)
    panels = finding.ax.figure.axes
    assert [len(ax.lines) for ax in panels] == [1, 1, 1]
    assert [ax.get_xlabel() for ax in panels] == ["Days since last order", "Orders", "Revenue per order, USD"]
    assert finding.sentence.endswith(" an order.")
    assert "10 to 100 days" in finding.alt_text


@pytest.mark.parametrize(("n_bins", "cell"), [(4, "413"), (5, "514"), (10, "10-1-7")])
def test_named_cells_are_those_of_the_score_classes(n_bins, cell):
    scored = scoring.score_customers(customers(), n_bins)
    assert cell in findings.reference_cells(cells.reference_cells(scored, n_bins), FMT).sentence


@pytest.mark.parametrize(
    ("count", "part"), [(0, "No customer scores 1"), (1, "1 customer scores 1"), (2, "2 customers")]
)
def test_the_lowest_cell_in_words(count, part):
    scored = pd.DataFrame({column: [1] * count + [3] * 3 for column in scoring.SCORES})
    assert narrative.lowest_cell(scored, FMT).startswith(part)


def test_the_default_method_needs_no_comparison():
    scored = scoring.score_customers(customers(), 5)
    same = scoring.compare_scoring_methods(scored, scored)
    assert isinstance(findings.scoring_methods(same, FMT).sentence, NotApplicable)
    other = scored.assign(frequency_score=[*scored.frequency_score[:-2], 1, 1])
    assert "2 customers in frequency" in narrative.scoring_methods(scoring.compare_scoring_methods(other, scored), FMT)


def test_cohorts_in_words_and_too_few_to_show():
    rows = [(f"a{n}", "2023-01-05", 10.0) for n in range(40)] + [(f"a{n}", "2023-02-05", 10.0) for n in range(10)]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    orders = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))
    finding = findings.cohorts(cohorts.compute_cohorts(orders, date(2023, 2, 28)), FMT)
    assert finding.sentence == "25% of first-time buyers ordered again in the month after their first order."
    assert [text.get_text() for text in finding.ax.texts] == ["25%"]
    assert "1 cohort of 40 to 40 first-time buyers" in finding.alt_text
    few = cohorts.compute_cohorts(orders.filter(orders.customer_id < "a2"), date(2023, 2, 28))
    assert isinstance(findings.cohorts(few, FMT).sentence, NotApplicable)
    assert charts.plot_cohorts(few, FMT) is None
