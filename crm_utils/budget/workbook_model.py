"""The sheets of the workbook that calculate: cover, assumptions, plan, calendar and calculation."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink

from crm_utils.budget import narrative
from crm_utils.budget.plan_model import (
    CAMPAIGN_ASSUMPTIONS,
    SHARES,
    PlanModel,
    evaluate_contacts,
    evaluate_plan,
    evaluate_won,
)
from crm_utils.budget.tables import LINE_NAMES
from crm_utils.budget.workbook_cells import (
    COUNT_FORMAT,
    DAY_FORMAT,
    LIFT_FORMAT,
    SHARE_FORMAT,
    Column,
    Formula,
    Grid,
    money_format,
    protect,
    set_up_page,
)
from crm_utils.budget.year import Line
from crm_utils.core.display.column_formats import column_heading
from crm_utils.core.formatting import NumberFormat, day, join_names

COVER, ASSUMPTIONS, PLAN, CALENDAR, CALCULATION = "Cover", "Assumptions", "Plan", "Calendar", "Calculation"
# Rows with headings
ASSUMPTIONS_HEAD, CALCULATION_HEAD, CALENDAR_HEAD, PLAN_HEAD = 6, 4, 4, 3
COVER_WIDTH = 110
COST_OF = "cost of "
# Columns of the sheet Calculation, from 1, that others sum up
SUMMED = {"added_buyers": 17, "incremental_margin": 18, "spend": 22, "expected_profit": 23}
# The columns of the model that were decided, in their order on the sheet
DECIDED = (
    "customers", "messages", "contact_level", "order_margin", "order_value", "baseline_buyers", "baseline_order_value",
    "later_margin", "room", "preparation_share",
)  # fmt: skip
MULTIPLE = 8
# The cell of the sheet Calculation with the margin rate as a share of the one planned with
MARGIN_FACTOR = "$E$2"


@dataclass(frozen=True)
class CoverTexts:
    """What the cover says.

    Parameters
    ----------
    decision, unsure : list of str
        Paragraphs: what to do, and what is not sure about it.
    """

    decision: list[str]
    unsure: list[str]


@dataclass(frozen=True)
class Wording:
    """How a workbook writes dates and money: the report's title, the day before the first wave, and number formats."""

    title: str
    analysis_date: date
    fmt: NumberFormat

    @property
    def money(self) -> str:
        """The number format of amounts."""
        return money_format(self.fmt)

    @property
    def unit(self) -> str:
        """The unit of amounts, for headings."""
        return self.fmt.currency

    def first_day(self, wave: int, wave_days: int) -> date:
        """Return the first day of a wave (from 1)."""
        return self.analysis_date + timedelta(days=1 + wave_days * (wave - 1))


@dataclass(frozen=True)
class Addresses:
    """Where the assumptions are: single ones by name, those of campaigns by (campaign, name), costs by name."""

    single: dict[str, str]
    campaigns: dict[tuple[str, str], str]
    costs: dict[str, str]
    planned_margin_rate: str


def write_model_sheets(
    book: Workbook, model: PlanModel, cover: CoverTexts, hidden: list[str], wording: Wording
) -> list[Grid]:
    """Write the sheets that a reader sees.

    Parameters
    ----------
    book : openpyxl.Workbook
        Without a sheet.
    model : PlanModel
        The quantities of the plan, and its assumptions.
    cover : CoverTexts
        What the cover says.
    hidden : list of str
        Names of the sheets for analysts.
    wording : Wording
        Title, dates and money.

    Returns
    -------
    list of Grid
        The sheets, with the values of their formulas.
    """
    names = (COVER, ASSUMPTIONS, PLAN, CALENDAR, CALCULATION)
    grids = {name: Grid(book.create_sheet(name)) for name in names}
    addresses = _write_assumptions(grids[ASSUMPTIONS], model, wording)
    rows = _write_calculation(grids[CALCULATION], model, addresses, wording)
    _write_plan(grids[PLAN], rows, model, addresses, wording)
    _write_calendar(grids[CALENDAR], rows, model.wave_days, wording)
    _write_cover(grids[COVER], grids[PLAN], model, cover, hidden, wording)
    for grid in grids.values():
        protect(grid.sheet)
    return list(grids.values())


def _write_assumptions(grid: Grid, model: PlanModel, wording: Wording) -> Addresses:
    """Write the cells that may be changed; return where they are."""
    grid.title(ASSUMPTIONS)
    for row, text in enumerate((narrative.WORKBOOK_CHANGE, narrative.WORKBOOK_KEEP, narrative.WORKBOOK_LIFT), start=2):
        grid.sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=8)
        grid.text(row, text, COVER_WIDTH)
    head, rows = ASSUMPTIONS_HEAD, _single_assumptions(model, wording)
    grid.heads(
        head,
        [Column("Assumption", width=58), Column("Value", "0"), Column("As planned", "0"), Column("It is", width=16)],
    )
    found: dict[str, str] = {}
    for row, one in enumerate(rows, start=head + 1):
        grid.put(row, 1, one.text)
        found[one.name] = grid.assumption(row, 2, one.value, one.number_format, one.high)
        grid.put(row, 3, one.value, one.number_format)
        grid.put(row, 4, one.comes_from)
    campaigns = _write_campaigns(grid, model, head + len(rows) + 3, wording)
    set_up_page(grid.sheet, wording.title, 14, None)
    costs = {name: found[COST_OF + name] for name in model.assumptions.customer_costs.index}
    margin_row = head + 1 + [one.name for one in rows].index("margin_rate")
    return Addresses(found, campaigns, costs, grid.address(margin_row, 3))


class SingleAssumption(NamedTuple):
    """An assumption that is no campaign's: what it says, its value and format, its limit, and what it rests on."""

    name: str
    text: str
    value: float
    number_format: str
    high: float | None
    comes_from: str


def _single_assumptions(model: PlanModel, wording: Wording) -> list[SingleAssumption]:
    planned, money, unit = model.assumptions, wording.money, wording.unit
    margin_from = narrative.FROM_THE_DATA if model.margin_known else narrative.AN_ASSUMPTION
    budget_is = narrative.FROM_PARAMETERS if model.has_budget else narrative.SPEND_FOR_A_RETURN
    said = {name: text.replace("{unit}", unit) for name, text in narrative.ASSUMPTIONS_SAY.items()}
    rows = [
        SingleAssumption("budget", said["budget"], planned.budget, money, None, budget_is),
        SingleAssumption("margin_rate", said["margin_rate"], planned.margin_rate, SHARE_FORMAT, 1.0, margin_from),
        SingleAssumption("fatigue", said["fatigue"], planned.fatigue, "0%", 1.0, narrative.AN_ASSUMPTION),
        SingleAssumption("carryover", said["carryover"], planned.carryover, "0%", 1.0, narrative.AN_ASSUMPTION),
    ]
    if len(model.won):
        value, text = planned.value_per_customer, said["value_per_customer"]
        rows.append(SingleAssumption("value_per_customer", text, value, money, None, narrative.OBSERVED))
    for name, cost in planned.customer_costs.items():
        text = said["cost"].replace("{name}", str(name))
        rows.append(SingleAssumption(COST_OF + str(name), text, cost, money, None, model.cost_from))
    return rows


def _write_campaigns(grid: Grid, model: PlanModel, head: int, wording: Wording) -> dict[tuple[str, str], str]:
    """Write a row of assumptions for each planned campaign, and what they rest on."""
    unit, planned = wording.unit, model.assumptions.campaigns
    formats = {
        "lift": LIFT_FORMAT, **dict.fromkeys(SHARES, SHARE_FORMAT), "contact_cost": money_format(wording.fmt, 4),
        "fixed_cost": wording.money, "incentive": wording.money, "follow_on_margin": SHARE_FORMAT,
    }  # fmt: skip
    headings = [
        f"{column_heading(name)}, {unit}"
        if name in ("contact_cost", "fixed_cost", "incentive")
        else column_heading(name)
        for name in planned
    ]
    headings[0] = "Lift of one message"
    heads = [Column("Campaign", width=58), *map(Column, headings, [formats[str(name)] for name in planned])]
    heads += [Column("Lift, low", LIFT_FORMAT), Column("Lift, high", LIFT_FORMAT)]
    grid.heads(head, [*heads, Column("The lift is", width=18), Column("Costs are", width=18)])
    found: dict[tuple[str, str], str] = {}
    for row, (campaign, terms) in enumerate(planned.iterrows(), start=head + 1):
        grid.put(row, 1, campaign)
        for place, (name, value) in enumerate(terms.items(), start=2):
            high = model.lift_limits[campaign] if name == "lift" else 1.0 if name in SHARES else None
            found[str(campaign), str(name)] = grid.assumption(row, place, float(value), formats[str(name)], high)
        known = model.evidence.loc[campaign]
        for place, (value, number_format) in enumerate(
            zip(known, (LIFT_FORMAT, LIFT_FORMAT, "General", "General"), strict=True), start=len(planned.columns) + 2
        ):
            grid.put(row, place, value, number_format)
    if planned.empty:
        grid.put(head + 1, 1, narrative.WORKBOOK_NOT_PLANNED)
    return found


def _calculation_columns(wording: Wording) -> list[Column]:
    money, unit = wording.money, wording.unit
    return [
        Column("Wave", width=8),
        Column("Campaign", width=32),
        Column("Segment", width=24),
        Column("Line of the budget", width=32),
        Column("Customers", "#,##0.00"),
        Column("Messages each", COUNT_FORMAT),
        Column("Waves contacted before", COUNT_FORMAT),
        Column(f"Margin of one order of each, {unit}", money),
        Column(f"Value of one order of each, {unit}", money),
        Column("Would buy anyway", "#,##0.00"),
        Column(f"Value of these orders, {unit}", money),
        Column(f"Later margin if all bought, {unit}", money),
        Column("Largest lift possible", SHARE_FORMAT),
        Column("Share of the preparation", SHARE_FORMAT),
        Column("Response, of one message", "0.00"),
        Column("Lift that arrives", LIFT_FORMAT),
        Column("Added buyers", "#,##0.00"),
        Column(f"Margin from extra orders, {unit}", money),
        Column(f"Messages, {unit}", money),
        Column(f"Incentives, {unit}", money),
        Column(f"Preparation, {unit}", money),
        Column(f"Spend, {unit}", money),
        Column(f"Expected profit, {unit}", money),
    ]


def _write_calculation(grid: Grid, model: PlanModel, addresses: Addresses, wording: Wording) -> "CalculatedRows":
    """Write a row for each row of the model: what was decided, then formulas."""
    columns, planned = _calculation_columns(wording), addresses.planned_margin_rate
    grid.title(narrative.WORKBOOK_CALCULATION)
    grid.put(2, 1, "Margin compared with the plan")
    grid.put(2, 5, Formula(f"IF({planned}=0,1,{addresses.single['margin_rate']}/{planned})", 1.0), SHARE_FORMAT)
    grid.heads(CALCULATION_HEAD, columns)
    first = CALCULATION_HEAD + 1
    contacts = evaluate_contacts(model, model.assumptions)
    contacts["row"] = range(first, first + len(contacts))
    for values in contacts.to_dict("records"):
        named = [values["wave"], values["campaign"], values["segment"], LINE_NAMES[values["line"]]]
        decided, formulas = [values[name] for name in DECIDED], _contact_formulas(values, addresses)
        grid.row(values["row"], columns, [*named, *decided, *formulas])
    head = first + len(contacts)
    won = evaluate_won(model, model.assumptions)
    won["row"] = range(head + 1, head + 1 + len(won))
    if len(won):
        grid.put(head, 2, LINE_NAMES[Line.NEW], bold=True)
        grid.put(head, MULTIPLE, "Multiple of the cost", bold=True)
    for values in won.to_dict("records"):
        _write_won(grid, values, addresses, columns)
    grid.sheet.freeze_panes = grid.sheet.cell(first, 3)
    grid.sheet.auto_filter.ref = f"A{CALCULATION_HEAD}:{get_column_letter(len(columns))}{max(head - 1, first)}"
    set_up_page(grid.sheet, wording.title, len(columns), CALCULATION_HEAD)
    return CalculatedRows(grid, contacts, won)


def _contact_formulas(values: dict[str, Any], addresses: Addresses) -> list[Formula]:
    """Return the formulas of a row, in the order of their columns. They follow `plan_model.evaluate_contacts`."""
    of = {name: addresses.campaigns[values["campaign"], name] for name in CAMPAIGN_ASSUMPTIONS}
    row, fatigue = values["row"], addresses.single["fatigue"]
    rested = "" if values["contact_level"] == 0 else f"*{fatigue}^G{row}"  # spreadsheets do not compute 0^0
    own = f"(1-{of['pull_forward_share']})*(1+{of['follow_on_margin']})*H{row}"
    given, anyway = (f"({of['incentive']}*{a}{row}+{of['incentive_share']}*{b}{row})" for a, b in ("EI", "JK"))
    texts = {
        "response": f"IF({fatigue}=1,F{row},(1-{fatigue}^F{row})/(1-{fatigue})){rested}",
        "added_share": f"{of['delivery_rate']}*MIN({of['lift']}*O{row},M{row})",
        "added_buyers": f"P{row}*E{row}",
        "incremental_margin": f"P{row}*{MARGIN_FACTOR}*({own}+{addresses.single['carryover']}*L{row})",
        "contact_costs": f"{of['contact_cost']}*F{row}*E{row}",
        "incentives": f"{of['redemption_rate']}*(P{row}*{given}+{of['delivery_rate']}*{anyway})",
        "fixed_costs": f"{of['fixed_cost']}*N{row}",
        "spend": f"S{row}+T{row}+U{row}",
        "expected_profit": f"R{row}-V{row}",
    }
    return [Formula(text, values[name]) for name, text in texts.items()]


def _write_won(grid: Grid, values: dict[str, Any], addresses: Addresses, columns: list[Column]) -> None:
    """Write the customers won in a wave at one step of the cost curve."""
    cost, value = addresses.costs[values["customer_cost"]], addresses.single["value_per_customer"]
    row = values["row"]
    cells = {
        1: values["wave"],
        2: values["customer_cost"],
        4: LINE_NAMES[Line.NEW],
        5: values["customers"],
        SUMMED["incremental_margin"]: Formula(f"E{row}*{value}*{MARGIN_FACTOR}", values["incremental_margin"]),
        SUMMED["spend"]: Formula(f"E{row}*{cost}*H{row}", values["spend"]),
        SUMMED["expected_profit"]: Formula(f"R{row}-V{row}", values["expected_profit"]),
    }
    for column, cell in cells.items():
        grid.put(row, column, cell, columns[column - 1].number_format)
    grid.put(row, MULTIPLE, values["multiple"], "0.0000")


@dataclass(frozen=True)
class CalculatedRows:
    """The rows of the sheet Calculation: their place on it, and their values as planned."""

    grid: Grid
    contacts: pd.DataFrame
    won: pd.DataFrame

    def sum_of(self, rows: pd.DataFrame, name: str) -> Formula:
        """Return the sum of neighbouring rows of spend, expected_profit, incremental_margin or added_buyers."""
        if rows.empty:
            return Formula("0", 0.0)
        span = self.grid.span(SUMMED[name], int(rows.row.min()), int(rows.row.max()))
        return Formula(f"SUM({span})", float(rows[name].sum()))


def _plan_columns(wording: Wording) -> list[Column]:
    money, unit = wording.money, wording.unit
    return [
        Column("Line of the budget", width=40),
        Column(f"Money, {unit}", money),
        Column("Of the sum", "0%"),
        Column(f"Expected profit, {unit}", money),
        Column(f"Money as planned, {unit}", money),
        Column(f"Profit as planned, {unit}", money),
        Column(f"Change of the profit, {unit}", money),
    ]


def _write_plan(grid: Grid, rows: CalculatedRows, model: PlanModel, addresses: Addresses, wording: Wording) -> None:
    """Write the lines that add up to the budget, and the campaigns."""
    columns, lines = _plan_columns(wording), evaluate_plan(model, model.assumptions)
    grid.title("Plan: the lines that add up to the budget")
    grid.heads(PLAN_HEAD, columns)
    first, last = PLAN_HEAD + 1, PLAN_HEAD + len(lines)
    total = Formula(f"B${last + 1}", float(lines.spend.sum()))
    for row, line in enumerate(lines.itertuples(), start=first):
        own = rows.won if line.line == Line.NEW else rows.contacts[rows.contacts.line == line.line]
        spend = rows.sum_of(own, "spend")
        if line.line == Line.RESERVE:
            spend = Formula(f"{addresses.single['budget']}-SUM(B{first}:B{row - 1})", line.spend)
        _write_plan_row(grid, columns, row, total, LINE_NAMES[line.line], spend, rows.sum_of(own, "expected_profit"))
    sums = [
        Formula(f"SUM({letter}{first}:{letter}{last})", float(lines[name].sum()))
        for letter, name in (("B", "spend"), ("D", "expected_profit"))
    ]
    _write_plan_row(grid, columns, last + 1, total, "Sum", *sums, bold=True)
    if model.has_budget:
        grid.put(last + 2, 1, Formula(f'IF(B{last}<-0.005,"{narrative.WORKBOOK_OVERSPENT}","")', ""))
    grid.heads(last + 5, [Column("Campaign", width=40), *columns[1:]])
    parts = [*rows.contacts.groupby("campaign", sort=False), (LINE_NAMES[Line.NEW], rows.won)]
    for row, (name, own) in enumerate(parts[: None if len(rows.won) else -1], start=last + 6):
        money = [rows.sum_of(own, column) for column in ("spend", "expected_profit")]
        _write_plan_row(grid, columns, row, total, str(name), *money)
    grid.sheet.freeze_panes = grid.sheet.cell(first, 2)
    set_up_page(grid.sheet, wording.title, len(columns), PLAN_HEAD)


def _write_plan_row(
    grid: Grid, columns: list[Column], row: int, total: Formula, name: str, *money: Formula, bold: bool = False
) -> None:
    """Write spend and profit of a line or campaign, beside what was planned. `total` is the sum of all lines."""
    spend, profit = money
    share = Formula(
        f"IF({total.text}=0,0,B{row}/{total.text})", float(spend.value) / float(total.value) if total.value else 0.0
    )
    grid.row(
        row, columns, [name, spend, share, profit, spend.value, profit.value, Formula(f"D{row}-F{row}", 0.0)], bold
    )


def _calendar_columns(wording: Wording) -> list[Column]:
    money, unit = wording.money, wording.unit
    return [
        Column("Wave", width=8),
        Column("Starts on", DAY_FORMAT),
        Column("Campaign", width=32),
        Column("Segment", width=26),
        Column("Customers", COUNT_FORMAT),
        Column("Messages", COUNT_FORMAT),
        Column("Added buyers", "#,##0.0"),
        Column(f"Margin from extra orders, {unit}", money),
        Column(f"Spend, {unit}", money),
        Column(f"Expected profit, {unit}", money),
    ]


def _write_calendar(grid: Grid, rows: CalculatedRows, wave_days: int, wording: Wording) -> None:
    """Write a row for each wave, campaign and segment, and for the new customers of each wave."""
    columns = _calendar_columns(wording)
    grid.title("Calendar: what is sent to whom, wave by wave")
    grid.put(2, 1, "Sum of the rows shown", bold=True)
    grid.heads(CALENDAR_HEAD, columns)
    contacts = rows.contacts.assign(messages=rows.contacts.messages * rows.contacts.customers)
    won = rows.won.assign(campaign=LINE_NAMES[Line.NEW], segment="", messages=0, added_buyers=0.0)
    parts = [(key, own) for table in (contacts, won) for key, own in table.groupby(["wave", "campaign", "segment"])]
    parts.sort(key=lambda part: (part[0][0], part[0][2] == "", -part[1].expected_profit.sum(), part[0][1:]))
    last = CALENDAR_HEAD + max(len(parts), 1)
    for row, ((wave, campaign, segment), own) in enumerate(parts, start=CALENDAR_HEAD + 1):
        live = [rows.sum_of(own, name) for name in ("incremental_margin", "spend", "expected_profit")]
        added = rows.sum_of(own, "added_buyers") if segment else None
        decided = [
            wave,
            wording.first_day(wave, wave_days),
            campaign,
            segment,
            own.customers.sum(),
            own.messages.sum() or None,
        ]
        grid.row(row, columns, [*decided, added, *live])
    for place, name in enumerate(
        ("customers", "messages", "added_buyers", "incremental_margin", "spend", "expected_profit"), start=5
    ):
        letter = get_column_letter(place)
        total = Formula(
            f"SUBTOTAL(109,{letter}{CALENDAR_HEAD + 1}:{letter}{last})", sum(float(own[name].sum()) for _, own in parts)
        )
        grid.put(2, place, total, columns[place - 1].number_format, bold=True)
    grid.sheet.freeze_panes = grid.sheet.cell(CALENDAR_HEAD + 1, 4)
    grid.sheet.auto_filter.ref = f"A{CALENDAR_HEAD}:J{last}"
    set_up_page(grid.sheet, wording.title, len(columns), CALENDAR_HEAD)


def _write_cover(
    grid: Grid, plan: Grid, model: PlanModel, cover: CoverTexts, hidden: list[str], wording: Wording
) -> None:
    """Write the decision, its numbers, what is not sure, and what each sheet holds."""
    total = PLAN_HEAD + 1 + len(Line)
    grid.sheet.column_dimensions["A"].width = 40
    grid.sheet.column_dimensions["B"].width = COVER_WIDTH - 40
    period = narrative.WORKBOOK_PERIOD.format(
        day=day(wording.analysis_date), start=day(wording.first_day(1, model.wave_days))
    )
    grid.title(narrative.WORKBOOK_TITLE.format(title=wording.title))
    texts: list[tuple[str, bool]] = [
        (period, False),
        ("", False),
        (narrative.WORKBOOK_DECISION, True),
        *((text, False) for text in cover.decision),
        ("", False),
    ]
    row = _write_texts(grid, 2, texts)
    grid.put(row, 1, narrative.WORKBOOK_NUMBERS, bold=True)
    reserve = total - 1
    sums = evaluate_plan(model, model.assumptions).set_index("line")
    used = sums.drop(Line.RESERVE).spend.sum()
    for name, formula in {
        f"Spend, {wording.unit}": Formula(f"{plan.address(total, 2)}-{plan.address(reserve, 2)}", used),
        f"Expected profit, {wording.unit}": Formula(plan.address(total, 4), sums.expected_profit.sum()),
        f"Reserve, {wording.unit}": Formula(plan.address(reserve, 2), sums.spend[Line.RESERVE]),
    }.items():
        row += 1
        grid.put(row, 1, name)
        grid.put(row, 2, formula, wording.money).alignment = Alignment(horizontal="left")
    texts = [("", False), (narrative.WORKBOOK_UNSURE, True), *((text, False) for text in cover.unsure), ("", False)]
    texts += [(narrative.WORKBOOK_CHANGE, False), ("", False), (narrative.WORKBOOK_SHEETS, True)]
    row = _write_texts(grid, row + 1, texts)
    for name, text in narrative.SHEETS_SAY.items():
        cell = grid.put(row, 1, name)
        cell.hyperlink, cell.style = Hyperlink(cell.coordinate, location=f"'{name}'!A1"), "Hyperlink"
        grid.put(row, 2, text)
        row += 1
    _write_texts(grid, row, [(narrative.WORKBOOK_HIDDEN.format(sheets=join_names(hidden)), False)])
    set_up_page(grid.sheet, wording.title, 2, None)


def _write_texts(grid: Grid, row: int, texts: list[tuple[str, bool]]) -> int:
    """Write texts below each other across columns A and B, headings in bold; return the next row."""
    for text, bold in texts:
        grid.sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=2)
        grid.text(row, text, COVER_WIDTH, bold)
        row += 1
    return row
