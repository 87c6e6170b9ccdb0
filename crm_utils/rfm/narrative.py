"""Sentences of 02_rfm: templates first, then the functions that fill them."""

from datetime import date

import pandas as pd

from crm_utils.config import ScoringConfig
from crm_utils.config.scoring import ScoringMethod, Window
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import NumberFormat, day, join_names, percent
from crm_utils.rfm.cohorts import MIN_COHORT_CUSTOMERS
from crm_utils.rfm.history import top_tenth_share, value_and_year_before
from crm_utils.rfm.scoring import MEASURES, SCORES

CONCENTRATION = "The best 10% of customers brought {revenue_share} of revenue."
CONCENTRATION_OF_YEAR = (
    "The 10% of customers who spent most in the last 12 months brought {revenue_share} of their revenue{before}."
)
YEAR_BEFORE = " ({revenue_share} in the 12 months before)"
BOUGHT_ONCE = "{share} of {customers} ordered only once."
NOBODY_BOUGHT_ONCE = "Every customer ordered more than once."

TYPICAL = "Half of the customers ordered within the last {days}. Half {ordered}, and half spent {revenue} or less."
ORDERED_ONCE = "ordered only once"
PLACED = "placed {orders} or fewer"
WINDOWS = {
    Window.ALL: "",
    Window.TO_ANALYSIS_DATE: (
        "Frequency and monetary scores count only the orders of the last 12 months. Revenue here includes all orders."
    ),
    Window.TO_LAST_ORDER: (
        "Frequency and monetary scores count the 12 months before each customer's last order. Customers who left "
        "years ago can get the same scores as active ones. Only the recency score differs."
    ),
}

METHODS = {
    ScoringMethod.QUANTILES: (
        "Customers are sorted by each measure and split into {n_bins} equal parts. The score is the number of the "
        "part, and {n_bins} is best. Equal values get equal scores, so a score can stay unused if very many customers "
        "have the same value."
    ),
    ScoringMethod.APPROXIMATE: (
        "The limits of the scores are approximate quantiles, computed in one pass. Equal values get equal scores."
    ),
    ScoringMethod.ARTICLE: (
        "As in the article, every score has the same number of customers. Customers with the same number of orders are "
        "ranked by their id, so some who behave in the same way get different scores."
    ),
}
ANALYSTS_LIMITS = "The limits of {measures} are set by the analyst."
LIMITS_FROM_DATE = "The score limits are those of {day}, so a score changes only if the customer's orders change."

TOP_SCORES = (
    "The top recency score ({recency_score}) needs an order in the last {recency}. The top frequency score "
    "({frequency_score}) needs at least {frequency}, and the top monetary score ({monetary_score}) at least "
    "{monetary}{per_order}."
)
NO_EMPTY_CLASS = "Every score has customers."
EMPTY_CLASS = (
    "No customer has {measure} score {scores}, because {customers} have score {crowded_score} and equal values get "
    "equal scores."
)

BEST_CELL = "{customers} with the best recency and frequency ({share} of all) brought {revenue_share} of revenue."
LOWEST_CELL = (
    "{customers} {score} 1 in all three measures. They have not ordered for the longest time, have the fewest orders "
    "and spent the least."
)
NOBODY_IN_LOWEST_CELL = "No customer scores 1 in all three measures."

CELLS_EMPTY = "{cells} {are} empty."
NO_CELL_EMPTY = "Each of these cells has customers."
CELL_RULE = (
    "The rule behind {cell} ({rule}) finds {customers}. Plans use the rules, because a single cell is too narrow to "
    "act on."
)

METHODS_DIFFER = "The default method would score {customers} differently."
METHODS_WHY = (
    "It gives equal scores to equal values. If many customers have the same value, its classes differ in size."
)
DEFAULT_METHOD = "Customers are scored by the default method."

RETENTION = "{share} of first-time buyers ordered again in the {unit} after their first order{range}."
RETENTION_RANGE = " ({first_share} of those who started in {first}, {last_share} of those who started in {last})"
NO_COHORTS = "There is no complete period after a first order yet."


def concentration(customers: pd.DataFrame, history: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say how much of the last year's revenue the best customers brought, and how many ordered once."""
    share, before = value_and_year_before(history, "top_tenth_share")
    if share is None:  # the history is shorter than a year
        top = CONCENTRATION.format(revenue_share=percent(top_tenth_share(customers.revenue)))
    else:
        year_before = "" if before is None else YEAR_BEFORE.format(revenue_share=percent(before))
        top = CONCENTRATION_OF_YEAR.format(revenue_share=percent(share), before=year_before)
    once = int((customers.orders == 1).sum())
    bought_once = BOUGHT_ONCE.format(
        share=percent(once / len(customers)), customers=fmt.plural(len(customers), "customer")
    )
    return paragraph(top, bought_once if once else NOBODY_BOUGHT_ONCE)


def typical_customer(customers: pd.DataFrame, config: ScoringConfig, fmt: NumberFormat) -> Paragraph:
    """Describe the median customer. With a window of orders, also say what it means for the scores."""
    median = customers[["recency_days", "orders", "revenue"]].median()
    return paragraph(
        TYPICAL.format(
            days=fmt.plural(median.recency_days, "day"),
            ordered=ORDERED_ONCE if median.orders == 1 else PLACED.format(orders=fmt.plural(median.orders, "order")),
            revenue=fmt.money(median.revenue),
        ),
        WINDOWS[config.window],
    )


def how_scored(config: ScoringConfig) -> Paragraph:
    """Say how a measure becomes a score, by the method, the limits and the date of this report."""
    limits = ANALYSTS_LIMITS.format(measures=join_names(list(config.bin_edges))) if config.bin_edges else ""
    from_date = ""
    if config.bin_edges_from_date:
        from_date = LIMITS_FROM_DATE.format(day=day(date.fromisoformat(config.bin_edges_from_date)))
    return paragraph(METHODS[config.method].format(n_bins=config.n_bins), limits, from_date)


def top_scores(boundaries: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say what it takes to reach the best class of each measure."""
    best = boundaries[boundaries.customers > 0].groupby("measure").last()
    recency, frequency, monetary = (best.loc[measure] for measure in MEASURES)
    return paragraph(
        TOP_SCORES.format(
            recency_score=int(recency.score),
            recency=fmt.plural(recency.highest, recency.unit),
            frequency_score=int(frequency.score),
            frequency=fmt.plural(frequency.lowest, frequency.unit),
            monetary_score=int(monetary.score),
            monetary=fmt.money(monetary.lowest),
            per_order=_per_order(monetary.unit),
        )
    )


def _per_order(unit: str) -> str:
    return unit.removeprefix("money")


def empty_classes(boundaries: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say which score classes stay empty because too many customers share one value."""
    empty = boundaries[boundaries.customers == 0]
    if empty.empty:
        return paragraph(NO_EMPTY_CLASS)
    of_measures = boundaries[boundaries.measure.isin(empty.measure)]
    largest = boundaries.loc[of_measures.groupby("measure").customers.idxmax()].set_index("measure")
    return paragraph(
        *(
            EMPTY_CLASS.format(
                measure=str(measure),
                scores=" or ".join(classes.score.astype(str)),
                customers=fmt.plural(largest.customers[measure], "customer"),
                crowded_score=int(largest.score[measure]),
            )
            for measure, classes in empty.groupby("measure")
        )
    )


def best_cell(grid: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say how many customers and how much revenue are in the class of the best recency and frequency."""
    filled = grid[grid.customers > 0]
    best = filled.sort_values(["recency_score", "frequency_score"]).iloc[-1]
    return paragraph(
        BEST_CELL.format(
            customers=f"The {fmt.plural(best.customers, 'customer')}",
            share=percent(best.customers / grid.customers.sum()),
            revenue_share=percent(best.revenue / grid.revenue.sum()),
        )
    )


def lowest_cell(customers: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say how many customers score 1 in all three measures."""
    lowest = int((customers[SCORES] == 1).all(axis=1).sum())
    if not lowest:
        return paragraph(NOBODY_IN_LOWEST_CELL)
    score = "scores" if lowest == 1 else "score"
    return paragraph(LOWEST_CELL.format(customers=fmt.plural(lowest, "customer"), score=score))


def reference_cells(cells: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say which of the reference cells are empty, and why plans use rules instead."""
    empty = cells.cell[cells.in_the_cell == 0].tolist()
    first = cells.iloc[0]
    one = len(empty) == 1
    names = f"{'Cell' if one else 'Cells'} {join_names(empty)}"
    return paragraph(
        CELLS_EMPTY.format(cells=names, are="is" if one else "are") if empty else NO_CELL_EMPTY,
        CELL_RULE.format(
            cell=first.cell,
            rule=first["rule"],
            customers=fmt.plural(first.customers, "customer") if first.customers else "nobody",
        ),
    )


def scoring_methods(compared: pd.DataFrame, fmt: NumberFormat) -> Paragraph | NotApplicable:
    """Say how many customers the default method would score differently."""
    if not compared.differ.any():
        return not_applicable(DEFAULT_METHOD)
    differ = compared.groupby("measure").differ.first()
    parts = [f"{fmt.plural(differ[measure], 'customer')} in {measure}" for measure in MEASURES]
    return paragraph(METHODS_DIFFER.format(customers=join_names(parts)), METHODS_WHY)


def cohort_retention(cohorts: pd.DataFrame) -> Paragraph | NotApplicable:
    """Say how many first-time buyers order again in the next period, in all cohorts and in the first and the last."""
    next_period = cohorts[(cohorts.period == 1) & (cohorts["size"] >= MIN_COHORT_CUSTOMERS)]
    if next_period.empty:
        return not_applicable(NO_COHORTS)
    first = next_period.iloc[0]
    last = next_period.iloc[-1]
    span = RETENTION_RANGE.format(
        first_share=percent(first.retention),
        first=_cohort_name(first),
        last_share=percent(last.retention),
        last=_cohort_name(last),
    )
    return paragraph(
        RETENTION.format(
            share=percent(next_period.customers.sum() / next_period["size"].sum()),
            unit=first.unit,
            range=span if len(next_period) > 1 else "",
        )
    )


def _cohort_name(cohort: pd.Series) -> str:
    begins = cohort.cohort
    return f"{begins:%B %Y}" if cohort.unit == "month" else f"{begins.year} Q{begins.quarter}"
