"""Figures of the budget that are drawn by hand."""

import pandas as pd

from crm_utils.core.display.figure_style import BLUE, LIGHT_INK, TEAL
from crm_utils.core.display.svg import WIDTH, Drawing, rect, text
from crm_utils.core.formatting import NumberFormat

HEIGHT, BARS_FROM, BARS_TO = 118, 30, 92
CAMPAIGNS, NEW_CUSTOMERS = "campaigns", "new customers"
COLOURS = {CAMPAIGNS: BLUE, NEW_CUSTOMERS: TEAL}
HOVER = "Wave {wave}, from {start}: {spend} on {kind}"
ALT_TEXT = "Money by wave: {waves}."


def draw_money_by_wave(calendar: pd.DataFrame, won: pd.DataFrame, fmt: NumberFormat) -> Drawing | None:
    """Draw the money of each wave, on campaigns and on new customers.

    Parameters
    ----------
    calendar, won : pandas.DataFrame
        The tables `budget_calendar` and `acquisition`.
    fmt : NumberFormat
        How the report writes money.

    Returns
    -------
    Drawing or None
        One bar per wave with its start and its money; None if nothing is spent.
    """
    money = money_by_wave(calendar, won)
    totals = money.sum(axis=1)
    if not totals.sum() > 0:
        return None
    step, scale = WIDTH / len(money), (BARS_TO - BARS_FROM) / totals.max()
    shown = [kind for kind in money.columns if money[kind].sum() > 0]
    body = _legend(shown)
    for place, (wave, row) in enumerate(money.iterrows()):
        left, top = place * step + step * 0.16, float(BARS_TO)
        starts_on = won.starts_on[won.wave == wave].iloc[0]
        start = f"{starts_on.day} {starts_on:%b}"
        for kind in shown:
            height = row[kind] * scale
            top -= height
            title = HOVER.format(wave=wave, start=start, spend=fmt.money(row[kind]), kind=kind)
            body += rect(left, top, step * 0.68, height, COLOURS[kind], title) if height else ""
        middle = left + step * 0.34
        body += text(middle, top - 4, fmt.short_money(totals[wave]), 10.5, "middle", bold=True)
        body += text(middle, BARS_TO + 14, start, 10.5, "middle", LIGHT_INK)
    waves = "; ".join(f"wave {wave} {fmt.short_money(total)}" for wave, total in totals.items())
    return Drawing(WIDTH, HEIGHT - 8, ALT_TEXT.format(waves=waves), body)


def money_by_wave(calendar: pd.DataFrame, won: pd.DataFrame) -> pd.DataFrame:
    """Sum the money of each wave.

    Parameters
    ----------
    calendar, won : pandas.DataFrame
        The tables `budget_calendar` and `acquisition`.

    Returns
    -------
    pandas.DataFrame
        Indexed by wave: `campaigns` and `new customers`.
    """
    campaigns = calendar.groupby("wave").spend.sum().reindex(won.wave, fill_value=0.0)
    return pd.DataFrame({CAMPAIGNS: campaigns, NEW_CUSTOMERS: won.set_index("wave").spend})


def _legend(kinds: list[str]) -> str:
    drawn, left = "", 0.0
    for kind in kinds if len(kinds) > 1 else []:
        drawn += rect(left, 4, 9, 9, COLOURS[kind]) + text(left + 13, 12.5, kind, 10.5)
        left += 110
    return drawn
