"""Sentences of 04_cltv: templates first, then the functions that fill them.

Sentences about past forecasts are in `backtest.narrative`.
"""

import re
from datetime import date

import pandas as pd

from crm_utils.cltv.article_method import ARTICLE_SCALE, CLV_MONTHS
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.cltv.backtest.error_ranges import ASSUMED_ERROR, ASSUMED_TESTS
from crm_utils.cltv.backtest.narrative import combination_sentence
from crm_utils.cltv.btyd import MODELS, CustomerBaseModel, OwnModelSpec, Renewals
from crm_utils.cltv.chance import ListRecord
from crm_utils.cltv.forecast import HORIZONS, QUIET_BELOW
from crm_utils.cltv.historical_clv import QUARTER_DAYS
from crm_utils.cltv.outlook import LargeAccount, Outlook
from crm_utils.cltv.worked_example import Example
from crm_utils.core.constants import ALL
from crm_utils.core.display.paragraphs import Paragraph, paragraph
from crm_utils.core.formatting import NumberFormat, day, percent, rate
from crm_utils.core.references import CLTV_TUTORIAL

# Rank correlations below these are called weak and moderate.
WEAK_CORRELATION_BELOW = 0.1
MODERATE_CORRELATION_BELOW = 0.3
# A low value on the article's scale of 1 to 100.
LOW_SCALED_CLTV = 2
# A hyphen before a number, not one within a word.
HYPHEN_AS_MINUS = r"(?<!\w)-(?=\d)"

NO_MODEL = "There is no model forecast, because {reason}."
RENEWALS = (
    "Because {reason}, the forecast counts renewals and cancellations. Of 100 customers whose purchase is due, {renew} "
    "buy again, and {first} of 100 who bought once. Whoever is late by half an interval counts as cancelled."
)
AVERAGE_RATE = "The figures assume that every customer buys at the average rate of all customers."
REVENUE_FORECAST = "In the {months} after {day}, today’s {customers} should bring {revenue}."
REVENUE_RANGE = "Nine times in ten it should be between {low} and {high}."
UNTESTED = "No past forecast could be tested, so we cannot say how far off this one may be."
WITHOUT_NEW_CUSTOMERS = "It does not include new customers."
NO_LONGER_FORECAST = "The history is too short for a longer forecast."
NO_FORECAST = "The history is too short for a forecast: it does not cover a month."
NO_WHOLE = (
    "The history is too short for a forecast of the whole business: half a year of orders shows how many new customers "
    "come, and what they bring."
)
NO_YEAR_BY_SEGMENT = "The history is too short for a forecast of the next 12 months."
LARGE_ACCOUNT = "One customer brought {share} of revenue so far. Without this customer the forecast is {revenue}."
NO_RANGE = "The range is too wide to be of use, so none is given."
RANGE_BASIS = (
    "A range comes from the errors of all earlier forecasts of the same length. Tests overlap, so each counts only for "
    "the days that the next one does not have, and {assumed} assumed errors of {assumed_error} are added. The error of "
    "a length with few tests is extrapolated from shorter ones."
)
WHOLE = (
    "The whole business should bring {revenue} in the {months} after {day}{change}. Of this, {known} should come from "
    "today’s customers and {new} from customers who are not won yet."
)
MORE, LESS = " ({change} more than in the {months} before)", " ({change} less than in the {months} before)"
NO_CHANGE = " (as much as in the {months} before)"
WHOLE_RANGE = "Nine times in ten it should be between {low} and {high}."
WHOLE_IN_BRIEF = "The next {months} should bring {revenue}{bounds}{before}{record}."
WHOLE_RECORD_IN_BRIEF = ". In {tests} it was off by {error} on average{held}"
WHOLE_BEFORE = " (the last {months}: {revenue})"
WHOLE_BOUNDS = ", nine times in ten {low} to {high}"
WHOLE_RECORD = "In {tests} of {days}, this forecast was off by {error} on average{held}."
WHOLE_HELD = ", and {held} of {ranges} held"
LIFETIME_VALUE = "Today’s customers have a lifetime value (CLV) of {clv}. {assumptions}."
ASSUMPTIONS = "This is the profit of the next {months}, at {margin}, discounted by an assumed {discount} a year"
MARGIN_KNOWN = "a margin of {rate} of revenue (from the costs in the data)"
MARGIN_ASSUMED = "an assumed margin of {rate} of revenue"
ASSUMPTIONS_BRIEF = "CLV: {months}, margin {margin}, discount {discount} a year"
CONCENTRATION = "The most valuable 10% of customers make up {share} of the CLV."
MOST_VALUABLE = "Your {customers} with the highest CLV are worth {clv} together. They deserve the best service."
DROPOUT_UNKNOWN = (
    "We cannot tell who is still a customer, because the orders do not show who has stopped buying and who only "
    "pauses. The forecast therefore assumes that nobody has stopped."
)
ALL_BOUGHT_AGAIN = (
    "Every customer has bought again, so the model can estimate for each of them if they are still active."
)
ONE_BOUGHT_ONCE = "One customer bought on one day only. We cannot tell whether they are still a customer."
SOME_BOUGHT_ONCE = "{customers} bought on one day only. We cannot tell whether they are still customers."
STILL_ACTIVE = "About {active} of all {customers} should buy again within the next 12 months."
NOBODY_QUIET = "None of your top 10% customers by past revenue has gone quiet."
ONE_QUIET = (
    "1 of your top 10% customers by past revenue has gone quiet: the chance to buy within 12 months is below {limit}. "
    "They had spent {revenue}."
)
SOME_QUIET = (
    "{count} of your top 10% customers by past revenue have gone quiet: the chance of each to buy within 12 months is "
    "below {limit}. They had spent {revenue}."
)
QUIET_IN_BRIEF = "Of your top 10% customers {count} {have} gone quiet; they had spent {revenue}."
LIST_RECORD = (
    "Of the {customers} who were on this list half a year ago, {came_back} have bought since ({expected} expected)."
)
SEGMENT_VALUE = "{segment} should bring the most revenue in the next 12 months: {revenue}, or {share} of the total."
NO_CHURN_RATE = "Churn cannot be estimated, because the history is too short or has too few customers."
HISTORICAL_VALUE = (
    "Judged only by their past orders, all customers together are worth {historical}. This assumes that {churn} of "
    "customers leave every {churn_weeks} weeks, and it counts all future profit. For decisions use the model’s {clv}: "
    "it counts {months}, discounts them, and takes into account who has stopped buying."
)
ARTICLE_NOT_INCLUDED = "This report does not include the tutorial’s method (include_article_method)."
ARTICLE_LEFT_OUT = "The method of the tutorial “{title}” cannot be used on these orders, because {reason}."
ARTICLE_VALUE = (
    "By the formula of the tutorial “{title}” the customers are “worth” {cltv}. Their revenue so far is {revenue}. "
    "The number of orders cancels out of the formula, so it is revenue squared times a constant. "
    "It therefore ranks customers exactly as their revenue does, is in squared currency, "
    "and halves if the number of customers doubles. Its churn is the share of customers who bought once, "
    "not a loss per period. On its scale of {scale_from} to {scale_to}, {low_share} of customers are below "
    "{low_scale}. If the margin is used as a rate and churn is measured per quarter, past orders give {historical} "
    "(see above)."
)
ARTICLE_FORECAST = (
    "The tutorial forecasts {forecast} for {months} months from {customers} customers. Their whole revenue so far is "
    "{revenue}. Its value model uses each customer’s total revenue instead of the value of one order. It also counts "
    "first orders as repeat orders and leaves out one-time buyers. Its penalty makes q smaller than 1, and then the "
    "mean order value does not exist."
)
NO_MODEL_TO_WORK = "No model was fitted, so there is nothing to compute by hand."
WORKED_EXAMPLE = (
    "Customer {customer} bought {lines}{left_out} on {days}, worth {value} a day on average. This customer’s CLV is "
    "{clv} ({assumptions})."
)
LINES_LEFT_OUT = " ({lines} of them left out)"
SILENCE = (
    "After {silent} without a purchase, a customer who bought again once is still active with a probability of "
    "{rare}. For a customer who bought again {times}, the probability is {often}."
)
MOST_PURCHASES = (
    "Customers with {repeats} should buy most if the last one was {silent} ago: on about {purchases} days in the next "
    "year."
)
MODEL_BY_RULE = "{model} divides the forecast among customers. {reason}"
NAMED_BY_PARAMETERS = "The parameters name this model."
NONE_CLEARLY_BETTER = "No other model was clearly closer in earlier tests."
CLEARLY_CLOSER = "It was clearly closer in earlier tests than BG/NBD."
NO_FIT_NOTES = "Both models were fitted without a warning."
CORRELATION = (
    "How often customers buy and what they spend on a purchase day are {strength} (rank correlation {correlation}). "
    "The models assume that they are independent."
)
UNRELATED, SOMEWHAT_RELATED, RELATED = "hardly related", "somewhat related", "clearly related"
NO_CORRELATION = (
    "We cannot tell whether frequent customers spend more on a purchase day. The models assume that they do not."
)


def revenue_forecast_sentence(
    outlook: Outlook, models: CustomerBaseModel, analysis_date: date, fmt: NumberFormat
) -> Paragraph:
    """Revenue expected in the next 12 months, or as far as the history allows, with its range if it was tested."""
    no_model = _without_model(models, fmt)
    if outlook.totals.empty:
        return paragraph(no_model, NO_FORECAST)
    longest = _longest(outlook.totals)
    revenue_range = UNTESTED
    if outlook.tested:
        revenue_range = NO_RANGE
    if pd.notna(longest.revenue_low):
        revenue_range = REVENUE_RANGE.format(low=fmt.money(longest.revenue_low), high=fmt.money(longest.revenue_high))
    return paragraph(
        no_model,
        "" if models.tells_customers_apart or outlook.weights.any() else AVERAGE_RATE,
        REVENUE_FORECAST.format(
            months="month" if longest.months == 1 else fmt.plural(longest.months, "month"),
            day=day(analysis_date),
            customers=fmt.plural(models.customers, "customer"),
            revenue=fmt.money(longest.revenue),
        ),
        revenue_range,
        WITHOUT_NEW_CUSTOMERS,
        NO_LONGER_FORECAST if longest.months < max(HORIZONS) else "",
        _large_account_sentence(outlook.large_account, fmt),
    )


def _without_model(models: CustomerBaseModel, fmt: NumberFormat) -> str:
    """Why there is no model of random purchases, and what the forecast counts instead; '' if there is one."""
    reason = models.unavailable_reason
    if not isinstance(models.purchase, Renewals):
        return NO_MODEL.format(reason=reason) if reason else ""
    renew, first = (fmt.count(100 * (1 - churn)) for churn in (models.purchase.churn, models.purchase.first_churn))
    return RENEWALS.format(reason=reason, renew=renew, first=first)


def _longest(totals: pd.DataFrame) -> pd.Series:
    """The row of all customers with the longest horizon."""
    of_all = totals[totals.segment == ALL]
    return of_all.loc[of_all.months.idxmax()]


def _large_account_sentence(account: LargeAccount | None, fmt: NumberFormat) -> str:
    if account is None:
        return ""
    return LARGE_ACCOUNT.format(
        share=percent(account.revenue_share),
        revenue=fmt.money(_longest(account.totals).revenue),
    )


def basis_sentence(outlook: Outlook, fmt: NumberFormat) -> Paragraph:
    """What the forecast combines, and what its range rests on."""
    ranges = RANGE_BASIS.format(assumed=fmt.count(ASSUMED_TESTS), assumed_error=percent(ASSUMED_ERROR))
    return paragraph(combination_sentence(outlook.weights), ranges if outlook.tested else "")


def whole_business_sentence(
    whole: pd.DataFrame, records: pd.DataFrame, analysis_date: date, fmt: NumberFormat
) -> Paragraph:
    """What the whole business may expect in the longest horizon, and how accurate earlier forecasts were."""
    if whole.empty:
        return paragraph(NO_WHOLE)
    row = whole.iloc[-1]
    months = "month" if row.months == 1 else fmt.plural(row.months, "month")
    return paragraph(
        WHOLE.format(
            revenue=fmt.money(row.revenue),
            months=months,
            day=day(analysis_date),
            change=_change(row.revenue, row.revenue_before, months),
            known=fmt.money(row.revenue_known),
            new=fmt.money(row.revenue_new),
        ),
        WHOLE_RANGE.format(low=fmt.money(row.revenue_low), high=fmt.money(row.revenue_high))
        if pd.notna(row.revenue_low)
        else "",
        _whole_record(WHOLE_RECORD, row.horizon_days, records, fmt),
    )


def _whole_record(template: str, days: int, records: pd.DataFrame, fmt: NumberFormat) -> str:
    """How far forecasts of about so many days were off, and how many of their ranges held; '' without a test."""
    nearest = records[(records.horizon_days / days).between(0.9, 1.1) & records.mean_error.notna()]
    return "".join(
        template.format(
            tests=fmt.plural(found.tests, "test"),
            days=fmt.plural(found.horizon_days, "day"),
            error=percent(found.mean_error),
            held=WHOLE_HELD.format(held=fmt.count(found.ranges_held), ranges=fmt.plural(found.ranges, "range"))
            if found.ranges
            else "",
        )
        for found in nearest.itertuples()
    )


def whole_business_in_brief(whole: pd.DataFrame, records: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """What all customers should bring in the longest horizon, beside as many months before, and the record of that."""
    row = whole.iloc[-1]
    months = "month" if row.months == 1 else fmt.plural(row.months, "month")
    before = WHOLE_BEFORE.format(months=months, revenue=fmt.brief_money(row.revenue_before))
    bounds = WHOLE_BOUNDS.format(low=fmt.brief_money(row.revenue_low), high=fmt.brief_money(row.revenue_high))
    return paragraph(
        WHOLE_IN_BRIEF.format(
            months=months,
            revenue=fmt.brief_money(row.revenue),
            bounds=bounds if pd.notna(row.revenue_low) else "",
            before=before if row.revenue_before > 0 else "",
            record=_whole_record(WHOLE_RECORD_IN_BRIEF, row.horizon_days, records, fmt),
        )
    )


def _change(revenue: float, before: float, months: str) -> str:
    if before <= 0:
        return ""
    change = revenue / before - 1
    template = NO_CHANGE if round(change, 2) == 0 else MORE if change > 0 else LESS
    return template.format(change=percent(abs(change)), months=months)


def lifetime_value_sentence(clv: float, assumptions: ClvAssumptions, fmt: NumberFormat) -> Paragraph:
    """The lifetime value of all customers, with its horizon, margin and discount rate."""
    margin = MARGIN_KNOWN if assumptions.margin_known else MARGIN_ASSUMED
    text = ASSUMPTIONS.format(
        months=fmt.plural(assumptions.months, "month"),
        margin=margin.format(rate=rate(assumptions.margin_rate)),
        discount=rate(assumptions.discount_rate),
    )
    return paragraph(LIFETIME_VALUE.format(clv=fmt.money(clv), assumptions=text))


def assumptions_brief(assumptions: ClvAssumptions, fmt: NumberFormat) -> str:
    """The assumptions of a CLV, for captions."""
    return ASSUMPTIONS_BRIEF.format(
        months=fmt.plural(assumptions.months, "month"),
        margin=rate(assumptions.margin_rate),
        discount=rate(assumptions.discount_rate),
    )


def concentration_sentence(deciles: pd.DataFrame) -> Paragraph:
    """How much of all CLV the top tenth holds."""
    return paragraph(CONCENTRATION.format(share=percent(deciles.clv_share.iloc[0])))


def most_valuable_sentence(best: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """What the most valuable customers are worth together."""
    return paragraph(MOST_VALUABLE.format(customers=fmt.plural(len(best), "customer"), clv=fmt.money(best.clv.sum())))


def still_active_sentence(customers: pd.DataFrame, identified: bool, fmt: NumberFormat) -> Paragraph:
    """How many customers bought once, and how many of all should buy again; `customers` with their chances."""
    once = int((customers.repeat_purchase_days == 0).sum())
    bought_once = ALL_BOUGHT_AGAIN
    if once:
        bought_once = ONE_BOUGHT_ONCE if once == 1 else SOME_BOUGHT_ONCE.format(customers=fmt.plural(once, "customer"))
    buyers = STILL_ACTIVE.format(
        active=fmt.count(customers.chance_12m.sum()), customers=fmt.plural(len(customers), "customer")
    )
    return paragraph(bought_once if identified else DROPOUT_UNKNOWN, buyers)


def churned_sentence(churned: pd.DataFrame, record: ListRecord | None, fmt: NumberFormat) -> Paragraph:
    """How many of the best customers by past revenue have gone quiet, and what became of the last such list."""
    template = NOBODY_QUIET if churned.empty else ONE_QUIET if len(churned) == 1 else SOME_QUIET
    sentence = template.format(
        count=fmt.count(len(churned)), revenue=fmt.money(churned.past_revenue.sum()), limit=percent(QUIET_BELOW)
    )
    if record is None:
        return paragraph(sentence)
    return paragraph(
        sentence,
        LIST_RECORD.format(
            customers=fmt.count(record.customers),
            came_back=percent(record.came_back),
            expected=percent(record.expected),
        ),
    )


def churned_in_brief(churned: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """How many of the best customers by past revenue have gone quiet."""
    if churned.empty:
        return paragraph(NOBODY_QUIET)
    have = "has" if len(churned) == 1 else "have"
    revenue = fmt.money(churned.past_revenue.sum())
    return paragraph(QUIET_IN_BRIEF.format(count=fmt.count(len(churned)), have=have, revenue=revenue))


def segment_value_sentence(by_segment: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """The segment that should bring most."""
    best = by_segment.loc[by_segment.expected_revenue_12m.idxmax()]
    share = best.expected_revenue_12m / by_segment.expected_revenue_12m.sum()
    return paragraph(
        SEGMENT_VALUE.format(segment=best.segment, revenue=fmt.money(best.expected_revenue_12m), share=percent(share))
    )


def historical_value_sentence(cltv: pd.DataFrame, churn: float, months: int, fmt: NumberFormat) -> Paragraph:
    """What customers are worth by their past orders alone, compared with the model."""
    return paragraph(
        HISTORICAL_VALUE.format(
            historical=fmt.money(cltv.historical_clv.sum()),
            churn=percent(churn),
            clv=fmt.money(cltv.clv.sum()),
            churn_weeks=QUARTER_DAYS // 7,
            months=fmt.plural(months, "month"),
        )
    )


def article_left_out_sentence(reason: str) -> Paragraph:
    """Why the tutorial's method cannot be used."""
    return paragraph(ARTICLE_LEFT_OUT.format(title=CLTV_TUTORIAL.title, reason=reason))


def article_value_sentence(article: pd.DataFrame, historical_clv: float, fmt: NumberFormat) -> Paragraph:
    """The tutorial's total, why it is not an amount of money, and the total with corrected units."""
    return paragraph(
        ARTICLE_VALUE.format(
            title=CLTV_TUTORIAL.title,
            cltv=fmt.money(article.cltv.sum()),
            revenue=fmt.money(article.revenue.sum()),
            low_share=percent((article.cltv_scaled < LOW_SCALED_CLTV).mean()),
            low_scale=LOW_SCALED_CLTV,
            scale_from=ARTICLE_SCALE[0],
            scale_to=ARTICLE_SCALE[1],
            historical=fmt.money(historical_clv),
        )
    )


def article_forecast_sentence(article: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """The tutorial's six-month forecast, compared with revenue so far."""
    known = article.clv_6_months.notna()
    return paragraph(
        ARTICLE_FORECAST.format(
            forecast=fmt.money(article.clv_6_months.sum()),
            months=CLV_MONTHS,
            customers=fmt.count(known.sum()),
            revenue=fmt.money(article.revenue[known].sum()),
        )
    )


def worked_example_sentence(
    example: Example, cltv: pd.DataFrame, assumptions: ClvAssumptions, fmt: NumberFormat
) -> Paragraph:
    """What the customer of the worked example bought and is worth."""
    row = cltv[cltv.customer_id == example.customer_id].iloc[0]
    left_out = int(example.lines.removed_by.notna().sum())
    return paragraph(
        WORKED_EXAMPLE.format(
            customer=row.customer_id,
            lines=fmt.plural(len(example.lines), "order line"),
            left_out=LINES_LEFT_OUT.format(lines=left_out) if left_out else "",
            days=fmt.plural(row.repeat_purchase_days + 1, "day"),
            value=fmt.money(row.mean_purchase_value),
            clv=fmt.money(row.clv),
            assumptions=assumptions_brief(assumptions, fmt),
        )
    )


def silence_sentence(grid: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """What the same time without a purchase means for a frequent customer and for a rare one."""
    most = int(grid.repeat_purchase_days.max())
    silent = int(sorted(grid.silent_days.unique())[grid.silent_days.nunique() // 2])
    p_alive = grid[grid.silent_days == silent].set_index("repeat_purchase_days").p_alive
    return paragraph(
        SILENCE.format(
            silent=fmt.plural(silent, "day"),
            rare=percent(p_alive[1]),
            times=fmt.plural(most, "time"),
            often=percent(p_alive[most]),
        )
    )


def most_purchases_sentence(grid: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Which customers should buy most."""
    best = grid.loc[grid.expected_purchase_days_12m.idxmax()]
    return paragraph(
        MOST_PURCHASES.format(
            repeats=fmt.plural(best.repeat_purchase_days, "repeat purchase day"),
            silent=fmt.plural(best.silent_days, "day"),
            purchases=fmt.count(best.expected_purchase_days_12m),
        )
    )


def model_sentence(model: str | OwnModelSpec) -> Paragraph:
    """Which purchase model divides the forecast among customers, and why; `model` is its key or an own model."""
    if isinstance(model, OwnModelSpec):
        return paragraph(MODEL_BY_RULE.format(model=model.name, reason=NAMED_BY_PARAMETERS))
    default = next(iter(MODELS))
    reason = NONE_CLEARLY_BETTER if model == default else CLEARLY_CLOSER
    return paragraph(MODEL_BY_RULE.format(model=MODELS[model].model.name, reason=reason))


def fit_notes_sentence(fitted_parameters: pd.DataFrame) -> Paragraph:
    """The warnings of the fits."""
    fits = fitted_parameters[(fitted_parameters.note.fillna("") != "") & (fitted_parameters.model != "CLV")]
    notes = fits.drop_duplicates(["model", "note"])
    if notes.empty:
        return paragraph(NO_FIT_NOTES)
    return paragraph(*(f"{row.model}: {re.sub(HYPHEN_AS_MINUS, '−', row.note)}." for row in notes.itertuples()))


def correlation_sentence(customers: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Whether customers who buy often also spend more on a purchase day. The models assume that they do not."""
    correlation = customers.repeat_purchase_days.corr(customers.mean_purchase_value, method="spearman")
    if pd.isna(correlation):
        return paragraph(NO_CORRELATION)
    strength = RELATED
    if abs(correlation) < MODERATE_CORRELATION_BELOW:
        strength = SOMEWHAT_RELATED
    if abs(correlation) < WEAK_CORRELATION_BELOW:
        strength = UNRELATED
    return paragraph(CORRELATION.format(strength=strength, correlation=fmt.number(correlation, 2)))
