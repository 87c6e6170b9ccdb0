"""Whether the data can carry a report: what to know of them before a number is believed.

Nothing here changes a figure; a forecast is withheld where `obstacles` names a reason.
"""

from datetime import date

import ibis.expr.types as ir
import pandas as pd

from crm_utils.cleaning.minimum_data import MIN_DATA, unmet_requirements

WINDOW = 30  # days in a window of first purchases
CUT_OFF = 1.5  # times as many first purchases at the start as later
LONGEST_GAP = 7  # days without an order that need no word
JUMP = 2.5  # times the orders a day of the month before, or its inverse
REGULAR = 0.3  # standard deviation ÷ mean of the days between purchases; 1 for purchases at random


def summarize_data(orders: ir.Table, analysis_date: date) -> dict[str, float]:
    """What a model would have to work with, from orders as known on the analysis date.

    Returns customers, repeat_buyers (orders on two days or more), days (of history), spaced (customers with three
    gaps between purchase days or more) and regular (the share of them with nearly equal gaps).
    """
    bought = orders.select("customer_id", day=orders.ordered_at.date()).distinct()
    before = bought.day.lag().over(group_by="customer_id", order_by="day")
    gaps = bought.mutate(gap=bought.day.delta(before, unit="day").cast("float64"))
    of_each = gaps.group_by("customer_id").agg(
        gaps=gaps.gap.count(), mean=gaps.gap.mean(), square=(gaps.gap * gaps.gap).mean(), first=gaps.day.min()
    )
    even = of_each.square - of_each["mean"] * of_each["mean"] <= (REGULAR * of_each["mean"]) * (
        REGULAR * of_each["mean"]
    )
    sums = of_each.aggregate(
        customers=of_each.count(),
        repeat_buyers=(of_each.gaps > 0).sum(),
        spaced=(of_each.gaps >= 3).sum(),
        even=((of_each.gaps >= 3) & even).sum(),
        first=of_each["first"].min(),
    )
    found = sums.execute().iloc[0]
    days = (pd.Timestamp(analysis_date) - pd.Timestamp(found["first"])).days + 1 if found.customers else 0
    counts = {name: int(found[name] or 0) for name in ("customers", "repeat_buyers", "spaced")}
    return counts | {"days": days, "regular": float(found.even / found.spaced) if found.spaced else 0.0}


def forecast_blockers(facts: dict[str, float]) -> list[str]:
    """Why a forecast of purchases cannot be made from data like these: one reason each, none where it can.

    facts: as `facts` returns them. Purchases at nearly equal intervals are a subscription, for which models of purchases
    at random (BG/NBD and its kin) do not hold.
    """
    reasons = unmet_requirements(facts)
    if is_regular(facts):
        reasons.append(f"{facts['regular']:.0%} of frequent buyers buy at nearly equal intervals, as in a subscription")
    return reasons


def is_regular(facts: dict[str, float]) -> bool:
    """Whether most customers with enough purchases to tell buy at nearly equal intervals."""
    return facts["spaced"] >= MIN_DATA["repeat_buyers"] and facts["regular"] >= 0.5


def daily_orders(orders: ir.Table) -> pd.DataFrame:
    """One row per day with an order: day, orders, new_customers."""
    first = orders.group_by("customer_id").agg(day=orders.ordered_at.min().date())
    won = first.group_by("day").agg(new_customers=first.count())
    placed = orders.mutate(day=orders.ordered_at.date())
    days = placed.group_by("day").agg(orders=placed.count()).left_join(won, "day").drop("day_right")
    frame = days.order_by("day").execute().fillna({"new_customers": 0})
    return frame.astype({"day": "datetime64[us]", "orders": int, "new_customers": int})


def run_checks(
    days: pd.DataFrame, facts: dict[str, float], analysis_date: date, history_complete: bool = False
) -> pd.DataFrame:
    """What was checked and found, one row a check: check, ok, and the figures the sentence needs (`value`, `other`, `day`).

    days: as `by_day` returns them. Checks: history (cut off on the left), last month, end (days without an order before
    the analysis date), gap (the longest within), volume (the largest jump from a month to the next), model, spacing.
    """
    rows = [
        _history(days, history_complete),
        _last_month(analysis_date),
        _end(days, analysis_date),
        _gap(days),
        _volume(days, analysis_date),
        {"check": "model", "ok": not unmet_requirements(facts)},
        {"check": "spacing", "ok": not is_regular(facts), "value": facts["regular"], "other": facts["spaced"]},
    ]
    return pd.DataFrame(rows, columns=["check", "ok", "value", "other", "day"])


def _history(days: pd.DataFrame, complete: bool) -> dict:
    """First purchases of the first 30 days against the middle one of the three windows that follow."""
    window = (days.day - days.day.min()).dt.days // WINDOW
    won = days.new_customers.groupby(window).sum().reindex(range(4), fill_value=0)
    usual = won.iloc[1:].median()
    told = window.max() >= 4  # four whole windows
    ok = complete or not told or won.iloc[0] <= CUT_OFF * max(usual, 1)
    return {"check": "history", "ok": ok, "value": won.iloc[0], "other": usual, "day": days.day.min()}


def _last_month(analysis_date: date) -> dict:
    last = pd.Timestamp(analysis_date)
    whole = last == last + pd.offsets.MonthEnd(0)
    return {"check": "last month", "ok": whole, "value": last.day, "other": last.days_in_month, "day": last}


def _end(days: pd.DataFrame, analysis_date: date) -> dict:
    silent = (pd.Timestamp(analysis_date) - days.day.max()).days
    return {"check": "end", "ok": silent <= _usual_gap(days), "value": silent, "day": days.day.max()}


def _gap(days: pd.DataFrame) -> dict:
    silent = days.day.diff().dt.days.fillna(1) - 1
    longest = silent.max()
    before = days.day.shift().loc[silent.idxmax()]
    return {"check": "gap", "ok": longest <= _usual_gap(days), "value": longest, "day": before}


def _usual_gap(days: pd.DataFrame) -> float:
    return max(LONGEST_GAP, 3 * days.day.diff().dt.days.median()) if len(days) > 1 else LONGEST_GAP


def _volume(days: pd.DataFrame, analysis_date: date) -> dict:
    """Orders a day of each whole month against the month before."""
    month = days.day.dt.to_period("M")
    orders = days.orders.groupby(month).sum()
    orders = orders.reindex(pd.period_range(orders.index.min(), orders.index.max(), freq="M"), fill_value=0)
    whole = orders[
        (orders.index.end_time.normalize() <= pd.Timestamp(analysis_date))
        & (orders.index.start_time >= days.day.min().replace(day=1))
    ]
    if days.day.min().day > LONGEST_GAP:
        whole = whole.iloc[1:]
    rate = whole / whole.index.days_in_month
    change = (rate / rate.shift()).replace([float("inf"), 0], float("nan")).dropna()
    if change.empty:
        return {"check": "volume", "ok": True}
    largest = change.loc[change.where(change >= 1, 1 / change).idxmax()]
    place = change.where(change >= 1, 1 / change).idxmax()
    ok = 1 / JUMP < largest < JUMP
    return {"check": "volume", "ok": ok, "value": largest, "day": place.start_time}
