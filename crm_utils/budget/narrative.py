"""Sentences of 05_budget: templates first, then the functions that fill them."""

import pandas as pd

from crm_utils.budget.acquisition import NewCustomerValue
from crm_utils.budget.calibration import TOLERANCE
from crm_utils.budget.sensitivity import MORE_MONEY
from crm_utils.budget.uplift import CampaignStatus
from crm_utils.budget.verdicts import LEAVE_ALONE, TARGET_GROUPS
from crm_utils.core.constants import ALL
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import NumberFormat, join_names, percent, rate

RANGES = "given the assumed ranges"
# Amounts below this are written with cents.
CENTS_BELOW = 10
# Less than half a cent is nothing.
HALF_A_CENT = 0.005
# Budgets and profits that differ by less than this share are written as equal.
NEARLY_EQUAL = 0.005
# A plan that spends more than this share above another spends more; one that leaves less unspent uses the whole budget.
NOTICEABLE = 0.01
# How many campaigns are named as the first to measure
NAMED_CAMPAIGNS = 3

SPEND = "Spend {spend} {of} on {campaigns} to {customers}."
OF_THE_BUDGET = "of the {budget}"
FOR_A_RETURN = "(for a profit of {target_roi} on it)"
EXPECTED_PROFIT = "Expected profit: {profit}, between {low} and {high} {ranges}. {evidence}"
ALL_ASSUMED = "All of it rests on assumed lifts, none on measured ones."
ALL_MEASURED = "All of it rests on measured lifts."
PARTLY_MEASURED = "{share} of it rests on measured lifts, the rest on assumed ones."
SPEND_NONE = "Spend none {of}: {why}."
NO_MONEY = "there is no money to spend"
NOTHING_PAYS = "at the lifts known or assumed no campaign {pays}"
EARNS_BACK = "earns back its cost"
EARNS_THE_RETURN = "earns {target_roi} on what it costs"

NEXT_MONEY = "The next {money} would earn {profit} more."
NEXT_MONEY_EARNS_NOTHING = "The next {money} would earn nothing more."
LIMITED_BY = "The plan is limited by {limits}."
STAYS_UNSPENT = "{left} stays unspent"
RAISE_LIMITS = "Raise these limits to use more of it."
CONTACTS_LOSE = "every further contact would cost more than it earns."
CANNOT_USE_IT = (
    "messages are cheap and customers are few, so these campaigns cannot use it. Even running them all, with the most "
    "expensive one for every customer who may get it, would cost only {most}, and {beyond} costs more than it earns."
)
BEYOND_THE_PLAN = "beyond the {planned} planned every contact"
EACH_OF_THEM = "each of them"
NOBODY_FITS = "Nobody fits {campaigns} on this date, so nothing is weighed for {them}."

NO_BASELINE = "The history is too short to tell what the next three months bring without campaigns."
BASELINE = (
    "Without any campaign all customers together are expected to bring {margin} of margin in the next three months "
    "({revenue} of revenue at a margin of {margin_rate}, {source})."
)
INCREMENT = "The plan adds {profit}."
INCENTIVES_ANYWAY = "Discounts for people who would have bought anyway are {incentives} of what it costs."
FROM_THE_DATA = "from the costs in the data"
AN_ASSUMPTION = "an assumption"

BEST_BUDGET = "The sensible budget is {best}, {more} the {budget} given: beyond it no contact earns its cost."
HALF_OF_IT = "Half of it already earns {share} of the profit."
NO_BUDGET_PAYS = "No budget earns a profit: the curve never rises above zero."
BENCHMARK = (
    "The best rule of thumb ({way}) would {earn} {rule_profit} with the same money. The plan earns {profit} on {spend}."
)
BENCHMARK_AS_GOOD = "{way} would earn as much with the same money: whom to start with matters little."

NOTHING_TO_COMPARE = "The campaigns' limits leave nothing to compare."
LEVER = (
    "What would change it most: {lever}. Then {spend} instead of {planned} would be worth spending, for a profit of "
    "{earns}."
)
NO_LEVER = "Nothing alone would make more worth spending: {lever} would earn {earns} with the same contacts."
INSTEAD_OF = "{profit} instead of {planned}"
TOGETHER_USE_ALL = "Lifts and margin both twice as high would use the whole budget."
TOGETHER_USE = (
    "Even lifts and margin both twice as high would use only {spend} of the {budget}. To spend more, offer campaigns "
    "that reach more people or do more for each, or win new customers."
)

WORST_SCENARIO = "In the worst scenario, “{scenario}”, the best plan would earn {profit} instead of {planned}."
NO_WORSE_SCENARIO = "None of the scenarios earns less than the plan."
LOW_END = "The plan as it stands {earns} {low} if every lift is at the low end of its range."
NO_SAFE_LINE = "Each of its lines could then lose money."
SAFE_LINES = "{safe} of its {lines} would then still earn money."
NOTHING_TO_LOSE = "There is no plan that a scenario could make worse."
UNPLANNED = "{campaign} is measured but not planned: alone it would earn {profit} ({low} at the low end of its range)"
PLANNED_INSTEAD = ", where {campaigns} {are} expected to earn {profit}{assumed}."
ON_ASSUMED_LIFTS = ", which rests on assumed lifts"

NO_DECISION_CHANGES = "No decision changes anywhere within the assumed ranges."
DECISIONS_CHANGE = "{inside} of {decisions} could change within the assumed ranges. Measure first: {campaigns}."
LISTS_TOO_SMALL = "This plan's lists are too small for that: pool several months, or hold back more."

TARGET_GROUP = (
    "{group}: of {customers} who may be contacted, contact {contacts} with {campaigns} for {spend}, for a profit of "
    "{profit}."
)
NO_CAMPAIGN_FOR_GROUP = "{group}: no campaign in the campaigns file is made for them."
NOBODY_IN_GROUP = "{group}: there are none to contact on this date, so {campaigns} for them {are} not planned."
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

NOTHING_TO_LEAVE_OUT = "Nothing to leave out: every segment that a campaign is meant for is worth one."
LOW_POTENTIAL = (
    "Spend nothing on {segments}: for the {customers} of them who may be contacted no campaign earns back its cost."
)
CONTACTING_ALL_LOSES = "Sending each segment the campaign that fits most of its customers would lose {loss}."

NO_LISTS = "No list is written, because no line is planned."
LISTS = (
    "{lists} {hold} {customers}, each of them once. {held} of them ({share}) are held back and must not be contacted."
)
ALL_MEASURABLE = "Every planned campaign's lift will be seen, if it is there."
NOT_MEASURABLE = (
    "The lift of {campaigns} is too small to be seen with so few held back: repeat, pool several months, or hold back "
    "more."
)
NOBODY_TO_CONTACT = "No campaign has anybody to contact."
NO_CONTACTS_TABLE = "The report names no table of contacts, so every customer counts as reachable."
REACH = "{share} of those the campaigns are meant for may be contacted; the fewest for {campaigns} ({least})."

NO_PAST_CAMPAIGNS = "The report names no file of past campaigns."
NONE_MEASURABLE = "No past campaign can be measured."
COSTS_UNKNOWN = "{campaigns} can be measured, but {their} costs are not in the campaigns file."
ONE_MEASURED = (
    "{campaign}, the one past campaign that was measured and whose costs are known, earned {profit} "
    "(90% interval: {low} to {high}). Its assumed lift had promised {forecast}."
)
SEVERAL_MEASURED = (
    "{campaigns} whose costs are known ({names}) earned {profit}. Their assumed lifts had promised {forecast}."
)
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


def recommendation(plan: pd.DataFrame, budget: float, target_roi: float | None, fmt: NumberFormat) -> Paragraph:
    """Say what to do, for how much, and how sure that is."""
    chosen = plan[plan.contacts > 0]
    if target_roi is None:
        of, pays = OF_THE_BUDGET.format(budget=fmt.money(budget, 0)), EARNS_BACK
    else:
        of = FOR_A_RETURN.format(target_roi=percent(target_roi))
        pays = EARNS_THE_RETURN.format(target_roi=percent(target_roi))
    if chosen.empty:
        why = NO_MONEY if budget == 0 and target_roi is None else NOTHING_PAYS.format(pays=pays)
        return paragraph(SPEND_NONE.format(of=of, why=why))
    sums = chosen[["spend", "expected_profit", "profit_low", "profit_high"]].sum()
    return paragraph(
        SPEND.format(
            spend=fmt.money(sums.spend, 0 if sums.spend >= CENTS_BELOW else 2),
            of=of,
            campaigns=fmt.plural(chosen.campaign.nunique(), "campaign"),
            customers=fmt.plural(chosen.contacts.sum(), "customer"),
        ),
        EXPECTED_PROFIT.format(
            profit=fmt.money(sums.expected_profit, 0),
            low=fmt.money(sums.profit_low, 0),
            high=fmt.money(sums.profit_high, 0),
            ranges=RANGES,
            evidence=_evidence(chosen),
        ),
    )


def _evidence(chosen: pd.DataFrame) -> str:
    measured = chosen.evidence == "measured"
    if not measured.any():
        return ALL_ASSUMED
    if measured.all():
        return ALL_MEASURED
    share = chosen.expected_profit[measured].sum() / chosen.expected_profit.sum()
    return PARTLY_MEASURED.format(share=percent(share))


def unspent(
    plan: pd.DataFrame,
    budget: float,
    target_roi: float | None,
    next_profit: float,
    limits: list[str],
    most: float,
    fmt: NumberFormat,
) -> Paragraph:
    """Say how much is left and why, what limits the plan, and what more money would earn."""
    limited = LIMITED_BY.format(limits=join_names(limits)) if limits else ""
    if target_roi is not None:
        return paragraph(limited)
    if "the budget" in limits:
        money = fmt.money(MORE_MONEY, 0)
        if next_profit < HALF_A_CENT:
            return paragraph(NEXT_MONEY_EARNS_NOTHING.format(money=money))
        return paragraph(limited, NEXT_MONEY.format(money=money, profit=fmt.money(next_profit)))
    left = STAYS_UNSPENT.format(left=fmt.money(budget - plan.spend.sum(), 0))
    if limits:  # more contacts would earn: the campaigns' own limits keep them out
        return paragraph(f"{left}.", limited, RAISE_LIMITS)
    return paragraph(f"{left}: {_why_left(plan, budget, most, fmt)}", "Better unspent than wasted.")


def _why_left(plan: pd.DataFrame, budget: float, most: float, fmt: NumberFormat) -> str:
    """Say that these campaigns cannot use the money at all, or that further contacts lose."""
    if most >= budget:
        return CONTACTS_LOSE
    planned = plan.spend.sum()
    beyond = BEYOND_THE_PLAN.format(planned=fmt.money(planned, 0)) if planned else EACH_OF_THEM
    return CANNOT_USE_IT.format(most=fmt.money(most, 0), beyond=beyond)


def nobody_fits(eligible: pd.DataFrame) -> Paragraph | None:
    """Name the campaigns that nobody is meant for on this date; None if there are none."""
    empty = eligible.columns[~eligible.any()].tolist()
    if not empty:
        return None
    return paragraph(NOBODY_FITS.format(campaigns=join_names(empty), them="it" if len(empty) == 1 else "them"))


def baseline_and_increment(
    plan: pd.DataFrame, forecast: pd.DataFrame, margin_rate: float, margin_known: bool, fmt: NumberFormat
) -> Paragraph:
    """Say what comes without any campaign, and what the plan adds to it."""
    incentives = plan.incentives_to_baseline_buyers.sum()
    quarter = forecast.revenue[(forecast.segment == ALL) & (forecast.months == 3)]
    baseline = [
        BASELINE.format(
            margin=fmt.money(margin_rate * revenue),
            revenue=fmt.money(revenue),
            margin_rate=rate(margin_rate),
            source=_margin_source(margin_known),
        )
        for revenue in quarter
    ]
    return paragraph(
        *(baseline or [NO_BASELINE]),
        INCREMENT.format(profit=fmt.money(plan.expected_profit.sum())) if plan.contacts.any() else "",
        INCENTIVES_ANYWAY.format(incentives=fmt.money(incentives)) if incentives >= HALF_A_CENT else "",
    )


def _margin_source(margin_known: bool) -> str:
    return FROM_THE_DATA if margin_known else AN_ASSUMPTION


def best_budget(curve: pd.DataFrame, budget: float, best: float, fmt: NumberFormat) -> Paragraph:
    """Say beyond which budget nothing more is earned, and how the profit compares with half of it."""
    profit = curve.expected_profit.max()
    if profit <= 0:
        return paragraph(NO_BUDGET_PAYS)
    half = curve.expected_profit[curve.budget <= best / 2 + 2 * HALF_A_CENT].max()  # budgets are shown to cents
    if best < budget * (1 - NEARLY_EQUAL):
        more = "less than"
    else:
        more = "the whole of" if best <= budget * (1 + NEARLY_EQUAL) else "more than"
    return paragraph(
        BEST_BUDGET.format(best=fmt.money(best), more=more, budget=fmt.money(budget, 0)),
        HALF_OF_IT.format(share=percent(half / profit)) if half > 0 else "",
    )


def benchmarks(table: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Compare the plan with the best rule of thumb; nothing to say if nothing is planned."""
    planned, rules = table.iloc[0], table.iloc[1:]
    if not planned.contacts:
        return paragraph()
    best = rules.loc[rules.expected_profit.idxmax()]
    if planned.expected_profit > 0 and best.expected_profit > (1 - NEARLY_EQUAL) * planned.expected_profit:
        return paragraph(BENCHMARK_AS_GOOD.format(way=best.way.capitalize()))
    return paragraph(
        BENCHMARK.format(
            way=best.way,
            earn="earn" if best.expected_profit >= 0 else "lose",
            rule_profit=fmt.money(abs(best.expected_profit)),
            profit=fmt.money(planned.expected_profit),
            spend=fmt.money(planned.spend),
        )
    )


def what_if_doubled(table: pd.DataFrame, budget: float, target_roi: float | None, fmt: NumberFormat) -> Paragraph:
    """Say which assumption would change most how much is worth spending."""
    planned, together, single = table.iloc[0], table.iloc[-1], table.iloc[1:-1].dropna(subset="spend")
    if single.empty:
        return paragraph(NOTHING_TO_COMPARE)
    best = single.loc[single.spend.idxmax()]
    earns = INSTEAD_OF.format(profit=fmt.money(best.expected_profit, 0), planned=fmt.money(planned.expected_profit, 0))
    if best.spend > planned.spend * (1 + NOTICEABLE):
        spends = {"spend": fmt.money(best.spend, 0), "planned": fmt.money(planned.spend, 0)}
        first = LEVER.format(lever=best.scenario, earns=earns, **spends)
    else:
        first = NO_LEVER.format(lever=best.scenario, earns=earns)
    if target_roi is not None or pd.isna(together.spend):
        return paragraph(first)
    if together.unspent < NOTICEABLE * budget:
        return paragraph(first, TOGETHER_USE_ALL)
    return paragraph(first, TOGETHER_USE.format(spend=fmt.money(together.spend, 0), budget=fmt.money(budget, 0)))


def scenarios(table: pd.DataFrame, plan: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say which scenario costs most, and what this plan earns if all lifts are low."""
    planned, worst = table.iloc[0], table.loc[table.expected_profit.idxmin()]
    if planned.expected_profit <= 0:
        return paragraph(NOTHING_TO_LOSE)
    low = plan.profit_low[plan.contacts > 0]
    safe = int((low >= 0).sum())
    return paragraph(
        WORST_SCENARIO.format(
            scenario=worst.scenario,
            profit=fmt.money(worst.expected_profit),
            planned=fmt.money(planned.expected_profit),
        )
        if worst.expected_profit < planned.expected_profit
        else NO_WORSE_SCENARIO,
        LOW_END.format(earns="earns" if low.sum() >= 0 else "loses", low=fmt.money(abs(low.sum()))),
        SAFE_LINES.format(safe=fmt.count(safe), lines=fmt.plural(len(low), "line")) if safe else NO_SAFE_LINE,
    )


def measured_but_unplanned(table: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say what measured campaigns that are not planned would earn, and what is planned in their place."""
    worth = table[table.alone > 0]
    return paragraph(*(_unplanned(row, fmt) for _, row in worth.iterrows()))


def _unplanned(row: pd.Series, fmt: NumberFormat) -> str:
    alone = UNPLANNED.format(campaign=row.campaign, profit=fmt.money(row.alone), low=fmt.money(row.low))
    if not row.instead:
        return f"{alone}."
    return alone + PLANNED_INSTEAD.format(
        campaigns=join_names(row.instead),
        are="is" if len(row.instead) == 1 else "are",
        profit=fmt.money(row.instead_earns),
        assumed=ON_ASSUMED_LIFTS if row.assumed else "",
    )


def break_points(plan: pd.DataFrame, power: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say which decisions could change within the assumed ranges, and whether this plan's lists can tell."""
    shown = plan[plan.break_point_lift.notna()]
    inside = shown[(shown.break_point_lift >= shown.lift_low) & (shown.break_point_lift <= shown.lift_high)]
    if inside.empty:
        return paragraph(NO_DECISION_CHANGES)
    first = inside.campaign.drop_duplicates().head(NAMED_CAMPAIGNS).tolist()  # the plan is in order of profit
    measurable = power.campaign[power.minimum_detectable_lift <= power.lift]
    return paragraph(
        DECISIONS_CHANGE.format(
            inside=fmt.count(len(inside)), decisions=fmt.plural(len(plan), "decision"), campaigns=join_names(first)
        ),
        "" if set(first) & set(measurable) else LISTS_TOO_SMALL,
    )


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


def strategy_cells(cells: pd.DataFrame, fmt: NumberFormat) -> Paragraph | None:
    """Say which cells that the strategy names are empty, and whether the plan leaves alone what it should.

    None if the strategy's cells do not exist.
    """
    if cells.empty:
        return None
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
    limit: pd.DataFrame, value: NewCustomerValue, forecast: pd.DataFrame, margin_known: bool, fmt: NumberFormat
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


def power(table: pd.DataFrame) -> Paragraph:
    """Say which campaigns the holdout groups will tell about; nothing if no campaign is planned."""
    if table.empty:
        return paragraph()
    blind = table.campaign[~(table.minimum_detectable_lift <= table.lift)].tolist()
    return paragraph(NOT_MEASURABLE.format(campaigns=join_names(blind)) if blind else ALL_MEASURABLE)


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


def past_campaigns(table: pd.DataFrame, fmt: NumberFormat) -> Paragraph | NotApplicable:
    """Say what the past campaigns with random groups earned, and how many could not be used."""
    if table.empty:
        return not_applicable(NO_PAST_CAMPAIGNS)
    used = table[table.status == CampaignStatus.MEASURED]
    return paragraph(_earned(used, fmt), _left_out(len(table) - len(used), fmt))


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
