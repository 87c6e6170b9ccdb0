"""Sentences of 05_budget: templates first, then the functions that fill them."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from crm_utils.budget.acquisition import NewCustomerValue, payback_day
from crm_utils.budget.calibration import TOLERANCE
from crm_utils.budget.customer_flow import moves_are_useful
from crm_utils.budget.gates import GateState
from crm_utils.budget.learning import CANNOT, WORTH
from crm_utils.budget.plan import LATER
from crm_utils.budget.simple_plans import CURRENT_SPENDING
from crm_utils.budget.uplift import MIN_DIFFERENCE_SENT, CampaignStatus
from crm_utils.budget.verdicts import LEAVE_ALONE, TARGET_GROUPS
from crm_utils.budget.waves import YearPlan, YearProblem
from crm_utils.budget.year import evidence_shares
from crm_utils.budget.year_sensitivity import MORE_MONEY
from crm_utils.budget.year_sensitivity import NO_HOLDOUT as NO_HOLDOUT_LEVER
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.constants import ALL
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import NumberFormat, day, join_names, percent, rate

RANGES = "given the assumed ranges"
# Amounts below this are written with cents.
CENTS_BELOW = 10
# Less than half a cent is nothing.
HALF_A_CENT = 0.005
# Budgets and profits that differ by less than this share are written as equal.
NEARLY_EQUAL = 0.005
# Share of customers: a campaign that was sent to that many of its list, and to no more of the others, is no news
SENT_AS_PLANNED = 0.995
# A plan that spends more than this share above another spends more; one that leaves less unspent uses the whole budget.
NOTICEABLE = 0.01
# Smaller shares of the profit are not named
HALF_A_PERCENT = 0.005

PERIOD = "From {start} to {end} ({waves} of {days})"
SPEND = "{period}, spend {spend} {of}: {parts}."
SPEND_ON = "{period}, spend {spend} {of} {part}."
OF_THE_BUDGET = "of the {budget}"
FOR_A_RETURN = "(for a profit of {target_roi} on it)"
ON_CAMPAIGNS = "on {campaigns} to customers"
ON_NEW_CUSTOMERS = "to win {customers}"
EXPECTED_PROFIT = "Expected profit of the period: {profit}, between {low} and {high} {ranges}. {evidence}"
EXPECTED_PROFIT_BRIEF = "Expected profit: {profit}, between {low} and {high} if the assumptions hold."
SPEND_NONE = "{period}, spend none {of}: {why}."
NO_MONEY = "there is no money to spend"
NOTHING_PAYS = "at the lifts known or assumed no campaign {pays}"
EARNS_BACK = "earns back its cost"
EARNS_THE_RETURN = "earns {target_roi} on what it costs"
RESTS_ON = "{share} on {what}"
RESTS = "Of that, {shares}."
RESTS_BRIEF = "{share} of the expected profit rests on {what}."
RESTS_FIRST = "{share} rests on {what}"
EVIDENCE_NAMES = {
    "new": "new customers (their cost: {cost_from})",
    "measured": "lifts measured here",
    "published": "published experiments",
    "assumed": "assumed lifts",
}
COST_MISSING = (
    "One number is missing, and it decides what the rest of the money can do: what does one more new customer cost "
    "today? Each may cost up to {value}. Write it into the parameters file as budget.acquisition."
)
COST_MISSING_BRIEF = "One number is missing: what one more new customer costs today. Each may cost up to {value}."
COST_MISSING_CLOSED = (
    "Nobody new came in the last 12 months, so nothing can be said about winning new customers from these data."
)
COST_MISSING_YOUNG = "What a new customer brings in 12 months cannot be told yet: {reason}."

STAYS_UNSPENT = "{left} stays in reserve."
NEXT_MONEY = "The next {money} would earn {profit} more."
NEXT_MONEY_EARNS_NOTHING = "The next {money} would earn nothing more."
USES_ALL = "The plan uses the whole budget."
NOTHING_MORE_PAYS = "Within the limits of the campaigns, every further {use} would cost more than it earns."
MESSAGE, MESSAGE_OR_CUSTOMER = "message", "message or new customer"
NOBODY_FITS = "Nobody fits {campaigns} on this date, so nothing is planned for {them}."

WAVE_ONE = "The first wave starts on {start}: {messages} to {customers} for {spend}."
WON_IN_WAVE_ONE = "In the same wave, {spend} wins {customers}."
WAVE_ONE_NOTHING = "In the first wave nobody is contacted."
LATER_WAVES = "The later waves are expected numbers. The next report plans them anew, with what the first one showed."
NO_BASELINE = "The history is too short to tell what comes without campaigns."
BASELINE = (
    "Without any campaign known customers are expected to bring {margin} of margin in the next {months} ({revenue} of "
    "revenue at a margin of {margin_rate}, {source})."
)
INCENTIVES_ANYWAY = "Discounts for people who would have bought anyway are {incentives} of what the plan costs."
FROM_PARAMETERS = "given in the parameters"
SPEND_FOR_A_RETURN = "what the plan spends for the return asked"
OBSERVED = "observed"
FROM_THE_DATA = "from the costs in the data"
AN_ASSUMPTION = "an assumption"

CURVE = "The budget given earns {profit} in the period, half of it {half}, twice as much {twice}."
CURVE_FLAT = "Half of the {spend} planned would earn {half}. Beyond {spend}, more money earns nothing more."
NO_BUDGET = "There is no budget that could be halved or doubled."
NO_BUDGET_PAYS = "No plan of up to twice the budget earns a profit."
SIMPLE_PLAN = (
    "The best simple plan ({name}) would {earn} {simple_profit} on {simple_spend}; the plan’s campaigns earn {profit} "
    "on {spend}."
)
SIMPLE_AS_GOOD = "{name} would earn about as much, so whom to contact first matters little."
CURRENT = "Today's spending of {spend} would {earn} {profit} in the same period."
WITHIN = "The plan earns at most {gap} less than the best one possible."

TODAY_UNKNOWN = "The report does not say what is spent today (budget.current_spend)."
CHANGE = "Today's spending of {spend} is expected to earn {today} in the same period, the plan {planned}."
SIZES_UNKNOWN = "The history is too short to see how customers move between segments, so later waves assume no change."
SIZES_MOVE = (
    "Segment sizes one and two waves ahead were forecast with a mean error of {error} customers, {no_change} if "
    "nothing had been expected to change. So later waves follow the moves seen before."
)
SIZES_STAY = (
    "Past moves forecast segment sizes with a mean error of {error} customers, worse than {no_change} for no change. "
    "So later waves keep today's sizes."
)

WORST_SCENARIO = "In the worst scenario, “{scenario}”, the best plan would earn {profit} instead of {planned}."
WORST_IN_BRIEF = "With “{scenario}” it would be {profit}."
NO_WORSE_SCENARIO = "None of the scenarios earns less than the plan."
NOTHING_TO_LOSE = "There is no plan that a scenario could make worse."
LEVER = "Of what you can change, {lever} would add most: {gain} of profit in the period."
NO_LEVER = "Nothing that you can change would earn noticeably more."
HOLDOUT_PRICE = "Holding customers back costs {price} of profit. Only this shows what the plan changes."
DECISIONS_CHANGE = (
    "{inside} of {campaigns} would enter or leave the plan within the assumed range of the lift ({names}). {decided} "
    "on an assumption."
)
DECISIONS_IN_BRIEF = "Assumed lifts decide on {inside}: {names}."
OTHERS = "{number} more"
NAMED_CAMPAIGNS = 2
ONE_DECISION, DECISIONS = "This decision rests", "These decisions rest"
NO_DECISION_CHANGES = "No campaign enters or leaves the plan anywhere within the assumed ranges."
PREPARATION = "Preparation matters most for {campaign}: above {cost} per wave, the campaign would not run."

PROGRAMME = (
    "{held} of {customers} {are} left out of everything, the same people in every wave. Over the period the comparison "
    "with them would show a difference of {effect} in revenue per customer and wave in 8 of 10 cases."
)
NO_HOLDOUT = "Nobody is left out, so nothing will show what the plan changed."
WORTH_MEASURING = "Worth measuring on its own: {campaigns}."
NOTHING_WORTH_MEASURING = "No single lift is worth a test of its own."
COMPARE_ALL = "Compare all customers who are left out with all others."
CANNOT_BE_MEASURED = "The lift of {campaigns} cannot be measured here, because that would take {waves}."
NO_EARLIER_GATES = "The earlier plan had no gate."
EARLIER_GATES = "Of {gates} of the earlier plan {open} are open and {closed} closed; {waiting} are not known yet."
GATES = "Check {gates} before you release more money (today: {state})."
NO_GATES = "No gate is needed, because nothing is planned."
GATE_STATES = "{open} open, {closed} closed, {waiting} not known yet"

TARGET_GROUP = (
    "{group}: of {customers} who may be contacted, contact {contacts} in the first wave with {campaigns} for {spend}, "
    "for a profit of {profit}."
)
NO_CAMPAIGN_FOR_GROUP = "{group}: no campaign in the campaigns file is made for them."
NOBODY_IN_GROUP = "{group}: there are none to contact on this date, so {campaigns} for them {are} not planned."
GROUP_LATER = "{group}: {customers} may be contacted. The plan contacts them in a later wave."
GROUP_NOT_PLANNED = (
    "{group}: {customers} may be contacted, but no campaign made for them earns back its cost{elsewhere}."
)
ELSEWHERE = "; {customers} of them {are} on the lists of other campaigns"
CELLS_BY_RULE = "Campaigns address the two groups by rule, because single cells are narrow{empty}."
CELLS_EMPTY = ": nobody is in {cells} today"
CELL_LEFT_ALONE = (
    "Cell {cell}, which the strategy leaves alone, has {customers}; {contacts} of them {are} on a list{reason}."
)
CHEAP_MESSAGE = ", because the message costs less than it is expected to bring"

ACQUISITION_UNKNOWN = "The history is too short to tell what a new customer brings in twelve months."
OBSERVED_VALUE = (
    "A new customer may cost up to {mean}: that is the margin that {customers} brought on average in their first 12 "
    "months (90% interval {low} to {high}), at a margin of {margin_rate}, {source}."
)
OBSERVED_SPREAD = "Half of them brought {median} or less. The last of them brought {last} on average."
MODELLED_VALUE = "The models expect {limit}."
ACQUISITION = (
    "A new customer may cost up to {limit}: at a margin of {margin_rate} ({source}), a first basket of {basket} and "
    "{orders} later orders of {order_value} in twelve months pay that back."
)

WON = (
    "At the cost given ({cost_from}), the plan wins {customers} beyond those who come anyway, for {mean} each on "
    "average; {payback}."
)
PAID_BACK = "their margin pays that back after {days}"
NOT_PAID_BACK = "their margin does not pay that back within a year"
NOBODY_WON = "At the cost given ({cost_from}), the plan wins no new customer beyond those who come anyway."

NOTHING_TO_LEAVE_OUT = "Nothing to leave out: every segment that a campaign is meant for is worth one."
LOW_POTENTIAL = (
    "Spend nothing on {segments}: for the {customers} of them who may be contacted no campaign earns back its cost."
)
CONTACTING_ALL_LOSES = "Sending each segment the campaign that fits most of its customers would lose {loss}."

NO_LISTS = "No list is written, because no line is planned."
LISTS = (
    "{lists} {hold} {customers}, each of them once. {held} of them ({share}) are held back: they are in files of their "
    "own and must not be contacted."
)
DO_NOT_CONTACT = "{customers} may not be contacted in this wave: {reasons}."
NOBODY_TO_CONTACT = "No campaign has anybody to contact."
NO_CONTACTS_TABLE = "The report names no table of contacts, so every customer counts as reachable."
REACH = "{share} of those the campaigns are meant for may be contacted; the fewest for {campaigns} ({least})."

NO_PAST_CAMPAIGNS = "The report names no file of past campaigns."
SENT_BY_MISTAKE = "Not everything was sent as planned: {campaigns}. The lifts are corrected for it."
TOO_MIXED = "Too little was sent as planned to measure {campaigns}."
WHAT_WAS_SENT = "{campaign} (to {treated} of its list and {control} of its control group)"
NONE_MEASURABLE = "No past campaign can be measured."
COSTS_UNKNOWN = "{campaigns} can be measured, but {their} costs are not in the campaigns file."
ONE_MEASURED = (
    "{campaign}, the one past campaign that was measured and whose costs are known, earned {profit} "
    "(90% interval: {low} to {high}). Its assumed lift had promised {forecast}."
)
SEVERAL_MEASURED = (
    "{campaigns} whose costs are known ({names}) earned {profit}. Their assumed lifts had promised {forecast}."
)
MEASURED_ON = "The plan weighs {campaign} for {customers} of the segments it was measured on or is meant for."
OBSERVATIONAL = "{campaigns} without groups that were random and complete {are} observational and not used."

HISTORY_TOO_SHORT = (
    "The history is too short to hold a window back: the probabilities of buying anyway are the model's, unchecked."
)
CALIBRATED = (
    "In the last test the share of customers who buy without being contacted was forecast within {tolerance} points in "
    "{segments}."
)
SEGMENTS_HELD = "{held} of {segments}"
SEGMENTS_MISSED = "{held} of {segments}; not in {missed}"
FEW_SEGMENTS_HELD = "only {held} of {segments}: {names}"
NO_SEGMENT_HELD = "none of {segments}"

WORKBOOK_TITLE = "{title}: the plan of the marketing budget"
WORKBOOK_PERIOD = "Made with the data up to {day}. The first wave starts on {start}."
WORKBOOK_DECISION = "The decision"
WORKBOOK_NUMBERS = "In numbers, with the assumptions of this workbook"
WORKBOOK_UNSURE = "What is not sure"
WORKBOOK_SHEETS = "The sheets"
WORKBOOK_CHANGE = (
    "Yellow cells are assumptions: change them, and spend and profit follow on Plan and Calendar. A changed cell turns "
    "orange. Who is contacted stays as planned; the report finds a new plan."
)
WORKBOOK_KEEP = "To keep a change, write it into the parameters of the report or its campaigns file and build it again."
WORKBOOK_LIFT = (
    "A lift is the probability to buy that one message adds. Cells take lifts up to twice the high end of their range."
)
WORKBOOK_HIDDEN = "Hidden sheets with details for analysts: {sheets}. Right-click a sheet's tab and choose Unhide."
WORKBOOK_OVERSPENT = (
    "With these assumptions the plan costs more than the budget. Build the report again for a new plan."
)
WORKBOOK_CALCULATION = (
    "Calculation: the plan decided columns A to N. The columns after them follow from the assumptions."
)
WORKBOOK_NOT_PLANNED = "The plan contacts nobody."
ASSUMPTIONS_SAY = {
    "budget": "Budget of the period, {unit}",
    "margin_rate": "Margin, share of revenue",
    "fatigue": "Fatigue: what a message keeps of its lift after another one",
    "carryover": "Share of won buyers who later buy like all others",
    "value_per_customer": "Margin that a new customer brings in 12 months, {unit}",
    "cost": "{name}: cost of a new customer, {unit}",
}
SHEETS_SAY = {
    "Assumptions": "What the plan rests on. Change the yellow cells.",
    "Plan": "The lines that add up to the budget, and each campaign.",
    "Calendar": "What is sent to whom, wave by wave.",
    "Calculation": "How each amount is computed.",
}


def recommendation(
    year: YearPlan,
    profit_range: tuple[float, float],
    problem: YearProblem,
    value: NewCustomerValue,
    costs: Acquisition | None,
    analysis_date: date,
    fmt: NumberFormat,
) -> Paragraph:
    """Say what to do in the period, for how much, and how sure that is."""
    missing, opening = _missing_number(value, costs, fmt), _what_to_spend(year, problem, analysis_date, fmt)
    if year.spend < HALF_A_CENT:
        return paragraph(opening, missing)
    return paragraph(
        opening,
        EXPECTED_PROFIT.format(
            **_profit(year, profit_range, fmt),
            ranges=RANGES,
            evidence=_evidence(evidence_shares(year, problem.campaigns), costs),
        ),
        missing,
    )


def decision_in_brief(
    year: YearPlan, profit_range: tuple[float, float], problem: YearProblem, analysis_date: date, fmt: NumberFormat
) -> Paragraph:
    """Say in two sentences what to do in the period and what it should earn."""
    opening = _what_to_spend(year, problem, analysis_date, fmt)
    if year.spend < HALF_A_CENT:
        return paragraph(opening)
    return paragraph(opening, EXPECTED_PROFIT_BRIEF.format(**_profit(year, profit_range, fmt)))


def _profit(year: YearPlan, profit_range: tuple[float, float], fmt: NumberFormat) -> dict[str, str]:
    low, high = profit_range
    return {"profit": fmt.money(year.expected_profit, 0), "low": fmt.money(low, 0), "high": fmt.money(high, 0)}


def _what_to_spend(year: YearPlan, problem: YearProblem, analysis_date: date, fmt: NumberFormat) -> str:
    """Say how much to spend on what in the period, or why nothing."""
    period = _period(problem, analysis_date, fmt)
    if problem.target_roi is None:
        of, pays = OF_THE_BUDGET.format(budget=fmt.money(problem.budget, 0)), EARNS_BACK
    else:
        of = FOR_A_RETURN.format(target_roi=percent(problem.target_roi))
        pays = EARNS_THE_RETURN.format(target_roi=percent(problem.target_roi))
    if year.spend < HALF_A_CENT:
        no_money = problem.budget == 0 and problem.target_roi is None
        why = NO_MONEY if no_money else NOTHING_PAYS.format(pays=pays)
        return SPEND_NONE.format(period=period, of=of, why=why)
    won = year.won[["customers", "spend"]].sum()
    on_campaigns = year.spend - won.spend
    parts = []
    if on_campaigns >= HALF_A_CENT:
        number = fmt.plural(year.running.campaign.nunique(), "campaign")
        parts.append((on_campaigns, ON_CAMPAIGNS.format(campaigns=number)))
    if won.spend >= HALF_A_CENT:
        customers = fmt.plural(round(won.customers), "new customer")
        parts.append((won.spend, ON_NEW_CUSTOMERS.format(customers=customers)))
    named = join_names([f"{_whole(money, fmt)} {part}" for money, part in parts])
    template = SPEND if len(parts) > 1 else SPEND_ON
    return template.format(period=period, spend=_whole(year.spend, fmt), of=of, parts=named, part=parts[0][1])


def _period(problem: YearProblem, analysis_date: date, fmt: NumberFormat) -> str:
    terms = problem.terms
    last = analysis_date + timedelta(days=terms.waves * terms.wave_days)
    return PERIOD.format(
        start=day(pd.Timestamp(analysis_date + timedelta(days=1))),
        end=day(pd.Timestamp(last)),
        waves=fmt.plural(terms.waves, "wave"),
        days=fmt.plural(terms.wave_days, "day"),
    )


def _whole(amount: float, fmt: NumberFormat) -> str:
    return fmt.money(amount, 0 if amount >= CENTS_BELOW else 2)


def _missing_number(value: NewCustomerValue, costs: Acquisition | None, fmt: NumberFormat) -> str:
    """Say which one number the reader must supply; nothing if none is missing."""
    if costs is not None and value.known:
        return ""
    if not value.known:
        return COST_MISSING_YOUNG.format(reason=value.reason)
    return COST_MISSING.format(value=fmt.money(value.mean, 2)) if value.per_year else COST_MISSING_CLOSED


def _evidence(shares: pd.Series, costs: Acquisition | None) -> str:
    """Say on what the expected profit rests, the largest share first."""
    cost_from = costs.cost_from if costs is not None else ""
    named = [
        (RESTS_ON if place else RESTS_FIRST).format(
            share=percent(share), what=EVIDENCE_NAMES[kind].format(cost_from=cost_from)
        )
        for place, (kind, share) in enumerate(shares.sort_values(ascending=False, kind="stable").items())
        if share >= HALF_A_PERCENT
    ]
    return RESTS.format(shares=join_names(named)) if named else ""


def reserve(year: YearPlan, problem: YearProblem, next_profit: float, fmt: NumberFormat) -> Paragraph:
    """Say how much is left and why, and what more money would earn."""
    if problem.target_roi is not None:
        return paragraph()
    left, money = problem.budget - year.spend, fmt.money(MORE_MONEY, 0)
    if left < max(NOTICEABLE * problem.budget, HALF_A_CENT):
        more = NEXT_MONEY_EARNS_NOTHING.format(money=money)
        if next_profit >= HALF_A_CENT:
            more = NEXT_MONEY.format(money=money, profit=fmt.money(next_profit))
        return paragraph(USES_ALL if year.spend else "", more)
    use = MESSAGE_OR_CUSTOMER if year.won.spend.sum() >= HALF_A_CENT else MESSAGE
    return paragraph(
        STAYS_UNSPENT.format(left=_whole(left, fmt)),
        NOTHING_MORE_PAYS.format(use=use) if year.spend >= HALF_A_CENT else "",
    )


def nobody_fits(eligible: pd.DataFrame) -> Paragraph | None:
    """Name the campaigns that nobody is meant for on this date; None if there are none."""
    empty = eligible.columns[~eligible.any()].tolist()
    if not empty:
        return None
    return paragraph(NOBODY_FITS.format(campaigns=join_names(empty), them="it" if len(empty) == 1 else "them"))


def calendar(
    table: pd.DataFrame,
    won: pd.DataFrame,
    forecast: pd.DataFrame,
    margin_rate: float,
    margin_known: bool,
    fmt: NumberFormat,
) -> Paragraph:
    """Say what the first wave does, what the later waves are, and what comes without any campaign."""
    first, now = table[table.wave == 1], won[won.wave == 1]
    bought = WON_IN_WAVE_ONE.format(
        customers=fmt.plural(round(now.customers_won.sum()), "new customer"), spend=_whole(now.spend.sum(), fmt)
    )
    opening = WAVE_ONE_NOTHING
    if len(first):
        opening = WAVE_ONE.format(
            start=day(first.starts_on.iloc[0]),
            messages=fmt.plural(round(first.contacts.sum()), "message"),
            customers=fmt.plural(round(first.customers.sum()), "customer"),
            spend=_whole(first.spend.sum(), fmt),
        )
    incentives = (table.incentives - table.incentives_added).sum() if len(table) else 0.0
    return paragraph(
        opening,
        bought if now.spend.sum() >= HALF_A_CENT else "",
        LATER_WAVES if (table.wave > 1).any() or won.spend[won.wave > 1].sum() >= HALF_A_CENT else "",
        _baseline(forecast, margin_rate, margin_known, fmt),
        INCENTIVES_ANYWAY.format(incentives=fmt.money(incentives)) if incentives >= HALF_A_CENT else "",
    )


def _baseline(forecast: pd.DataFrame, margin_rate: float, margin_known: bool, fmt: NumberFormat) -> str:
    """Say what known customers bring without campaigns, over the longest horizon up to a year."""
    everybody = forecast[(forecast.segment == ALL) & (forecast.months <= 12)]
    if everybody.empty:
        return NO_BASELINE
    row = everybody.loc[everybody.months.idxmax()]
    return BASELINE.format(
        margin=fmt.money(margin_rate * row.revenue),
        months=fmt.plural(int(row.months), "month"),
        revenue=fmt.money(row.revenue),
        margin_rate=rate(margin_rate),
        source=_margin_source(margin_known),
    )


def _margin_source(margin_known: bool) -> str:
    return FROM_THE_DATA if margin_known else AN_ASSUMPTION


def budget_curve(
    curve: pd.DataFrame, simple: pd.DataFrame, year: YearPlan, budget: float, fmt: NumberFormat
) -> Paragraph:
    """Say what other budgets would earn, what simple plans would, and how far the plan can be from the best one."""
    if not budget:
        return paragraph(NO_BUDGET)
    if curve.expected_profit.max() <= 0:
        return paragraph(NO_BUDGET_PAYS)
    at = curve.set_index("budget").expected_profit
    given = min(budget, year.spend)
    half = fmt.money(at[at.index <= given / 2 + HALF_A_CENT].iloc[-1])
    if year.spend < budget * (1 - NOTICEABLE):
        opening = CURVE_FLAT.format(spend=fmt.money(year.spend), half=half)
    else:
        opening = CURVE.format(half=half, twice=fmt.money(at.iloc[-1]), profit=fmt.money(year.expected_profit))
    gap = max(1 - year.expected_profit / year.bound, 0.0) if year.bound > 0 else 0.0
    return paragraph(
        opening,
        _simple_plans(simple, year, fmt),
        WITHIN.format(gap=percent(gap, 1)) if gap >= 1e-3 else "",
    )


def _simple_plans(simple: pd.DataFrame, year: YearPlan, fmt: NumberFormat) -> str:
    is_current, sentences = simple.plan == CURRENT_SPENDING, []
    others = simple[~is_current & (simple.spend > 0)].nlargest(1, "expected_profit")
    # simple plans win nobody, so they are judged against the campaigns of the plan alone
    own = year.expected_profit - year.won.expected_profit.sum()
    for best in others.itertuples():
        if own > 0 and best.expected_profit > (1 - NEARLY_EQUAL) * own:
            sentences.append(SIMPLE_AS_GOOD.format(name=best.plan.capitalize()))
            continue
        sentences.append(
            SIMPLE_PLAN.format(
                name=best.plan,
                earn=_earn(best.expected_profit),
                simple_profit=fmt.money(abs(best.expected_profit)),
                simple_spend=fmt.money(best.spend),
                profit=fmt.money(own),
                spend=fmt.money(year.spend - year.won.spend.sum()),
            )
        )
    sentences += [
        CURRENT.format(
            spend=fmt.money(row.spend), earn=_earn(row.expected_profit), profit=fmt.money(abs(row.expected_profit))
        )
        for row in simple[is_current].itertuples()
    ]
    return " ".join(sentences)


def _earn(profit: float) -> str:
    return "earn" if profit >= 0 else "lose"


def change_from_today(today: pd.DataFrame, planned: pd.DataFrame, fmt: NumberFormat) -> Paragraph | NotApplicable:
    """Say how the profit of the plan differs from that of today's spending."""
    if today.empty:
        return not_applicable(TODAY_UNKNOWN)
    return paragraph(
        CHANGE.format(
            spend=fmt.money(today.spend.sum()),
            today=fmt.money(today.expected_profit.sum()),
            planned=fmt.money(planned.expected_profit.sum()),
        )
    )


def segment_sizes(judged: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say whether the sizes of later waves follow past moves between segments."""
    if judged.empty:
        return paragraph(SIZES_UNKNOWN)
    sentence = SIZES_MOVE if moves_are_useful(judged) else SIZES_STAY
    return paragraph(
        sentence.format(
            error=fmt.number(judged.error.mean(), 1), no_change=fmt.number(judged.error_no_change.mean(), 1)
        )
    )


def scenarios(table: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say which scenario costs most."""
    planned, worst = table.iloc[0], table.loc[table.expected_profit.idxmin()]
    if planned.expected_profit <= 0:
        return paragraph(NOTHING_TO_LOSE)
    return paragraph(
        WORST_SCENARIO.format(
            scenario=worst.scenario,
            profit=fmt.money(worst.expected_profit),
            planned=fmt.money(planned.expected_profit),
        )
        if worst.expected_profit < planned.expected_profit
        else NO_WORSE_SCENARIO
    )


def doubts_in_brief(
    table: pd.DataFrame, year: YearPlan, campaigns: pd.DataFrame, costs: Acquisition | None, fmt: NumberFormat
) -> Paragraph:
    """Say on what most of the expected profit rests, and what the worst scenario would leave of it."""
    if year.expected_profit <= 0:
        return paragraph(NOTHING_TO_LOSE)
    shares, worst = evidence_shares(year, campaigns), table.loc[table.expected_profit.idxmin()]
    what = EVIDENCE_NAMES[shares.idxmax()].format(cost_from=costs.cost_from if costs is not None else "")
    scenario = WORST_IN_BRIEF.format(scenario=worst.scenario, profit=fmt.money(worst.expected_profit, 0))
    return paragraph(
        RESTS_BRIEF.format(share=percent(shares.max()), what=what),
        scenario if worst.expected_profit < table.expected_profit.iloc[0] else NO_WORSE_SCENARIO,
    )


def best_lever(table: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say which thing that an owner can change would earn most, and what holding customers back costs."""
    planned = table.expected_profit.iloc[0]
    own = table.iloc[1:][table.scenario.iloc[1:] != NO_HOLDOUT_LEVER].dropna(subset="gain")
    best = own.iloc[0] if len(own) else None
    first = NO_LEVER
    if best is not None and best.gain > max(NOTICEABLE * abs(planned), HALF_A_CENT):
        first = LEVER.format(lever=best.scenario, gain=fmt.money(best.gain))
    price = table.gain[table.scenario == NO_HOLDOUT_LEVER].sum()
    return paragraph(first, HOLDOUT_PRICE.format(price=fmt.money(price)) if price >= HALF_A_CENT else "")


def break_points(table: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say which campaigns could enter or leave within the assumed ranges, and where preparation decides."""
    point = table.break_point_lift
    inside = table[(point >= table.lift_low) & (point <= table.lift_high)]
    running = table[table.waves > 0].dropna(subset="break_point_cost")
    tight = running.assign(room=running.break_point_cost / running.fixed_cost.where(running.fixed_cost > 0))
    tight = tight.dropna(subset="room").sort_values(["room", "campaign"])
    decided = NO_DECISION_CHANGES
    if len(inside):
        decided = DECISIONS_CHANGE.format(
            inside=fmt.count(len(inside)),
            campaigns=fmt.plural(len(table), "campaign"),
            names=join_names(inside.campaign.tolist()),
            decided=ONE_DECISION if len(inside) == 1 else DECISIONS,
        )
    prepared = ""
    if len(tight):
        row = tight.iloc[0]
        prepared = PREPARATION.format(campaign=row.campaign, cost=fmt.money(row.break_point_cost))
    return paragraph(decided, prepared)


def what_decides_in_brief(
    table: pd.DataFrame, value: NewCustomerValue, costs: Acquisition | None, fmt: NumberFormat
) -> Paragraph:
    """Say which number is missing, or else which campaigns could enter or leave within the assumed ranges."""
    if costs is None and value.known and value.per_year:
        return paragraph(COST_MISSING_BRIEF.format(value=fmt.money(value.mean, 2)))
    inside = table[table.break_point_lift.between(table.lift_low, table.lift_high)].campaign.tolist()
    if not inside:
        return paragraph(NO_DECISION_CHANGES)
    named = inside[:NAMED_CAMPAIGNS]
    if len(inside) > NAMED_CAMPAIGNS:
        named.append(OTHERS.format(number=len(inside) - NAMED_CAMPAIGNS))
    return paragraph(DECISIONS_IN_BRIEF.format(inside=fmt.plural(len(inside), "campaign"), names=join_names(named)))


def learning(
    table: pd.DataFrame, gates: pd.DataFrame, held: int, customers: int, effect: float, fmt: NumberFormat
) -> Paragraph:
    """Say what the holdout will tell, which lifts are worth a test of their own, and which gates are open."""
    if table.empty:
        return paragraph(_gates(gates, fmt))
    programme = NO_HOLDOUT
    if held and np.isfinite(effect):
        programme = PROGRAMME.format(
            held=fmt.count(held),
            customers=fmt.plural(customers, "customer"),
            are="is" if held == 1 else "are",
            effect=fmt.money(effect, 2),
        )
    worth = table.campaign[table.verdict == WORTH].tolist()
    blind = table[table.verdict == CANNOT]
    return paragraph(
        programme,
        WORTH_MEASURING.format(campaigns=join_names(worth)) if worth else NOTHING_WORTH_MEASURING,
        COMPARE_ALL if held and not worth else "",
        CANNOT_BE_MEASURED.format(
            campaigns=join_names(blind.campaign.tolist()), waves=fmt.plural(int(blind.waves.min()), "wave") + " or more"
        )
        if len(blind) and np.isfinite(blind.waves.min())
        else "",
        _gates(gates, fmt),
    )


def judged_gates(table: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say how many gates of an earlier plan are open, closed or not known."""
    if table.empty:
        return paragraph(NO_EARLIER_GATES)
    number = {state: fmt.count((table.state == state).sum()) for state in GateState}
    return paragraph(
        EARLIER_GATES.format(
            gates=fmt.plural(len(table), "gate"),
            open=number[GateState.OPEN],
            closed=number[GateState.CLOSED],
            waiting=number[GateState.WAITING],
        )
    )


def _gates(gates: pd.DataFrame, fmt: NumberFormat) -> str:
    if gates.empty:
        return NO_GATES
    number = {state: int((gates.state == state).sum()) for state in GateState}
    state = GATE_STATES.format(
        open=number[GateState.OPEN], closed=number[GateState.CLOSED], waiting=number[GateState.WAITING]
    )
    return GATES.format(gates=fmt.plural(len(gates), "gate"), state=state)


def target_groups(
    plan: pd.DataFrame, campaigns: pd.DataFrame, audience: pd.DataFrame, targets: pd.DataFrame, fmt: NumberFormat
) -> Paragraph:
    """Say what the plan does for the two groups that the strategy starts from."""
    return paragraph(*(_target_group(plan, campaigns, audience, targets, group, fmt) for group in TARGET_GROUPS))


def _target_group(
    plan: pd.DataFrame,
    campaigns: pd.DataFrame,
    audience: pd.DataFrame,
    targets: pd.DataFrame,
    group: str,
    fmt: NumberFormat,
) -> str:
    names = campaigns.name[campaigns.group == group].tolist()
    members = audience.index[audience[names].any(axis=1)]
    title = group.capitalize()
    if not names:
        return NO_CAMPAIGN_FOR_GROUP.format(group=title)
    if members.empty:
        are = "is" if len(names) == 1 else "are"
        return NOBODY_IN_GROUP.format(group=title, campaigns=fmt.plural(len(names), "campaign"), are=are)
    chosen = plan[plan.campaign.isin(names) & (plan.contacts > 0)]
    customers = fmt.plural(len(members), "customer")
    if chosen.empty:
        if plan.reason[plan.campaign.isin(names)].eq(LATER).any():
            return GROUP_LATER.format(group=title, customers=customers)
        listed = int(targets.customer_id.isin(members).sum())
        elsewhere = ELSEWHERE.format(customers=fmt.count(listed), are="is" if listed == 1 else "are")
        return GROUP_NOT_PLANNED.format(group=title, customers=customers, elsewhere=elsewhere if listed else "")
    return TARGET_GROUP.format(
        group=title,
        customers=customers,
        contacts=fmt.count(chosen.contacts.sum()),
        campaigns=join_names(chosen.campaign.drop_duplicates().tolist()),
        spend=fmt.money(chosen.spend.sum()),
        profit=fmt.money(chosen.expected_profit.sum()),
    )


def strategy_cells(cells: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say which cells that the strategy names are empty, and whether the plan leaves alone what it should."""
    empty = cells.cell[cells.in_cell == 0].tolist()
    spared = cells[(cells.strategy == LEAVE_ALONE) & (cells.in_cell > 0)]
    return paragraph(
        CELLS_BY_RULE.format(empty=CELLS_EMPTY.format(cells=join_names(empty)) if empty else ""),
        *(
            CELL_LEFT_ALONE.format(
                cell=row.cell,
                customers=fmt.plural(row.in_cell, "customer"),
                contacts=fmt.count(row.contacts) if row.contacts else "none",
                are="is" if row.contacts < 2 else "are",
                reason=CHEAP_MESSAGE if row.contacts else "",
            )
            for row in spared.itertuples()
        ),
    )


def acquisition(
    limit: pd.DataFrame,
    value: NewCustomerValue,
    payback: pd.DataFrame,
    costs: Acquisition | None,
    won: pd.DataFrame,
    forecast: pd.DataFrame,
    margin_known: bool,
    fmt: NumberFormat,
) -> Paragraph | NotApplicable:
    """Say what a new customer may cost: what earlier ones brought in a year, and what the model expects."""
    modelled, row = 12 in set(forecast.months), limit.iloc[0]
    if not value.known:
        return paragraph(_modelled_limit(row, margin_known, fmt)) if modelled else not_applicable(ACQUISITION_UNKNOWN)
    return paragraph(
        OBSERVED_VALUE.format(
            mean=fmt.money(value.mean, 2),
            low=fmt.money(value.low, 2),
            high=fmt.money(value.high, 2),
            customers=fmt.plural(value.customers, "customer"),
            margin_rate=rate(row.margin_rate),
            source=_margin_source(margin_known),
        ),
        OBSERVED_SPREAD.format(median=fmt.money(value.median, 2), last=fmt.money(value.last_cohort, 2)),
        MODELLED_VALUE.format(limit=fmt.money(row.most_to_pay, 2)) if modelled else "",
        _cost_of_new_customers(value, payback, costs, won, fmt),
    )


def _cost_of_new_customers(
    value: NewCustomerValue, payback: pd.DataFrame, costs: Acquisition | None, won: pd.DataFrame, fmt: NumberFormat
) -> str:
    if costs is None:
        return _missing_number(value, costs, fmt)
    if won.customers_won.sum() < 1:
        return NOBODY_WON.format(cost_from=costs.cost_from)
    mean = won.spend.sum() / won.customers_won.sum()
    after = payback_day(payback, mean)
    return WON.format(
        customers=fmt.plural(round(won.customers_won.sum()), "new customer"),
        mean=fmt.money(mean, 2),
        cost_from=costs.cost_from,
        payback=PAID_BACK.format(days=fmt.plural(after, "day")) if after is not None else NOT_PAID_BACK,
    )


def _modelled_limit(row: pd.Series, margin_known: bool, fmt: NumberFormat) -> str:
    return ACQUISITION.format(
        limit=fmt.money(row.most_to_pay, 2),
        margin_rate=rate(row.margin_rate),
        source=_margin_source(margin_known),
        basket=fmt.money(row.first_basket, 2),
        orders=fmt.number(row.expected_purchase_days_12m, 2),
        order_value=fmt.money(row.order_value, 2),
    )


def low_potential(verdicts: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Name the segments not to spend on, and say what spending there would lose."""
    rows = verdicts[verdicts.verdict == "low potential"]
    if rows.empty:
        return paragraph(NOTHING_TO_LEAVE_OUT)
    loss = rows.cost_of_contacting_all.sum()
    return paragraph(
        LOW_POTENTIAL.format(
            segments=join_names(rows.segment.tolist()), customers=fmt.plural(rows.eligible.sum(), "customer")
        ),
        CONTACTING_ALL_LOSES.format(loss=fmt.money(-loss)) if loss < 0 else "",
    )


def lists(targets: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say how many lists there are, and how many customers are held back."""
    if targets.empty:
        return paragraph(NO_LISTS)
    held = int((targets.group == "control").sum())
    number = targets.groupby(["campaign", "segment"]).ngroups
    return paragraph(
        LISTS.format(
            lists=fmt.plural(number, "list"),
            hold="holds" if number == 1 else "hold",
            customers=fmt.plural(len(targets), "customer"),
            held=fmt.count(held),
            share=percent(held / len(targets)),
        )
    )


def reach_by_campaign(table: pd.DataFrame, contacts: pd.DataFrame | None) -> Paragraph:
    """Say how many of the customers that campaigns are meant for may be contacted."""
    if contacts is None:
        return paragraph(NO_CONTACTS_TABLE)
    meant = table[table.customers > 0]
    if meant.empty:
        return paragraph(NOBODY_TO_CONTACT)
    least = meant.campaign[meant.share == meant.share.min()].tolist()
    return paragraph(
        REACH.format(
            share=percent(table.reachable.sum() / table.customers.sum()),
            campaigns=join_names(least),
            least=percent(meant.share.min()),
        )
    )


def do_not_contact(table: pd.DataFrame, fmt: NumberFormat) -> Paragraph | str:
    """Say how many customers may not be contacted, and why; empty text if everybody may."""
    if table.empty:
        return ""
    reasons = [f"{reason} ({fmt.count(number)})" for reason, number in table.reason.value_counts().items()]
    return paragraph(DO_NOT_CONTACT.format(customers=fmt.plural(len(table), "customer"), reasons=join_names(reasons)))


def past_campaigns(table: pd.DataFrame, eligible: pd.DataFrame, fmt: NumberFormat) -> Paragraph | NotApplicable:
    """Say what the past campaigns with random groups earned, and how many could not be used."""
    if table.empty:
        return not_applicable(NO_PAST_CAMPAIGNS)
    used = table[table.status == CampaignStatus.MEASURED]
    audience = [
        MEASURED_ON.format(campaign=name, customers=fmt.plural(eligible[name].sum(), "customer"))
        for name in used.campaign[used.campaign.isin(eligible.columns)]
    ]
    return paragraph(_earned(used, fmt), *_sent_by_mistake(table), *audience, _left_out(len(table) - len(used), fmt))


def _earned(used: pd.DataFrame, fmt: NumberFormat) -> str:
    if used.empty:
        return NONE_MEASURABLE
    priced = used.dropna(subset=["incremental_profit"])
    if priced.empty:
        their = "its" if len(used) == 1 else "their"
        return COSTS_UNKNOWN.format(campaigns=fmt.plural(len(used), "past campaign"), their=their)
    if len(priced) == 1:
        row = priced.iloc[0]
        return ONE_MEASURED.format(
            campaign=row.campaign,
            profit=fmt.money(row.incremental_profit),
            low=fmt.money(row.incremental_profit_low),
            high=fmt.money(row.incremental_profit_high),
            forecast=fmt.money(row.forecast_profit),
        )
    return SEVERAL_MEASURED.format(
        campaigns=fmt.plural(len(priced), "measured campaign"),
        names=join_names(priced.campaign.tolist()),
        profit=fmt.money(priced.incremental_profit.sum()),
        forecast=fmt.money(priced.forecast_profit.sum()),
    )


def _sent_by_mistake(table: pd.DataFrame) -> list[str]:
    """Say which campaigns were not sent as planned, and whether that could be corrected."""
    mixed = table.sent_treated - table.sent_control < MIN_DIFFERENCE_SENT
    wrong = (table.sent_treated < SENT_AS_PLANNED) | (table.sent_control > 1 - SENT_AS_PLANNED)
    corrected = table[wrong & (table.status == CampaignStatus.MEASURED)]
    return [
        text.format(campaigns=join_names(_what_was_sent(rows)))
        for text, rows in ((SENT_BY_MISTAKE, corrected), (TOO_MIXED, table[mixed]))
        if len(rows)
    ]


def _what_was_sent(rows: pd.DataFrame) -> list[str]:
    return [
        WHAT_WAS_SENT.format(
            campaign=row.campaign, treated=percent(row.sent_treated), control=percent(row.sent_control)
        )
        for row in rows.itertuples()
    ]


def _left_out(number: int, fmt: NumberFormat) -> str:
    if not number:
        return ""
    return OBSERVATIONAL.format(campaigns=fmt.plural(number, "campaign"), are="is" if number == 1 else "are")


def calibration(held_out: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say where the forecast of who buys anyway can be trusted, and where not."""
    if held_out.empty:
        return paragraph(HISTORY_TOO_SHORT)
    off = held_out.error.abs() > TOLERANCE
    near, missed = held_out.segment[~off].tolist(), held_out.segment[off].tolist()
    counts = {"held": fmt.count(len(near)), "segments": fmt.plural(len(held_out), "segment")}
    if not missed:
        segments = SEGMENTS_HELD.format(**counts)
    elif len(missed) * 2 <= len(held_out):
        segments = SEGMENTS_MISSED.format(**counts, missed=join_names(missed))
    elif near:
        segments = FEW_SEGMENTS_HELD.format(**counts, names=join_names(near))
    else:
        segments = NO_SEGMENT_HELD.format(**counts)
    return paragraph(CALIBRATED.format(tolerance=fmt.number(TOLERANCE * 100, 0), segments=segments))
