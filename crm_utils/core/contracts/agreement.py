"""What several tables say about the same thing, and the check that they agree.

`FIGURES` lists the tables that hold a figure, in the order in which notebooks write them. Each is compared with the one
before it. To check another figure, add it there.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crm_utils.core.constants import ALL, RECENT_DAYS, RESERVE
from crm_utils.core.contracts.rules import OWN_MODEL
from crm_utils.core.errors import TableError
from crm_utils.core.exact_money import exact_sum

# The segment of customers who left, in the table segment_migration
DEPARTED = "no_longer_customer"
ONE_DAY, RECENT, YEAR = pd.Timedelta(days=1), pd.Timedelta(days=RECENT_DAYS), pd.DateOffset(months=12)
# Stands for a table that holds the budget
PARAMETERS = "the parameters"
HORIZONS = (1, 3, 6, 12)
# Sums of floats and of rounded amounts
RELATIVE, CENTS = 1e-6, 0.05
LEAVE_OUT = "To leave customers out, write a rule into the parameters file: cleaning: {exclude_where: revenue > 50000}."
EARLIER = "Make the change before the first of these tables is saved, or leave the saved table as it is."
# The tables whose customers are all customers of another table, and those whose customers are some of them
SAME_CUSTOMERS = {"segments": "customers", "cltv": "customers"}
SOME_CUSTOMERS = {"customers": "customer_features", "contact_plan": "customers"}


class SavedTables:
    """The tables of a run, of which only the columns that are asked for are read.

    Parameters
    ----------
    folder : Path
        The folder with the files of the tables.
    known_orders : callable
        Returns the orders as of the analysis date.
    replaced : mapping of str to pandas.DataFrame, optional
        Tables that are about to replace those of the folder.
    budget : float, optional
        The budget that the parameters give to the plan.
    """

    def __init__(
        self,
        folder: Path,
        known_orders: Callable[[], ir.Table],
        replaced: Mapping[str, pd.DataFrame] | None = None,
        budget: float | None = None,
    ):
        self.folder, self.known_orders, self.replaced, self.budget = folder, known_orders, replaced or {}, budget

    def has(self, *names: str) -> bool:
        """Whether all of these tables are there."""
        known = {*self.replaced, *([] if self.budget is None else [PARAMETERS])}
        return all(name in known or self._path(name).exists() for name in names)

    def read(self, name: str, *columns: str) -> pd.DataFrame:
        """Read columns of a table."""
        if name in self.replaced:
            return self.replaced[name][list(columns)]
        return pd.read_parquet(self._path(name), columns=list(columns))

    @cached_property
    def order_totals(self) -> pd.Series:
        """The customers, orders, lines and revenue of all orders."""
        orders = self.known_orders()
        totals = orders.aggregate(
            customers=orders.customer_id.nunique(),
            orders=orders.count(),
            lines=orders.lines.sum(),
            revenue=exact_sum(orders.revenue).cast("float64"),
        )
        return totals.execute().iloc[0].fillna(0)

    @cached_property
    def _daily_revenue(self) -> pd.Series:
        orders = self.known_orders().mutate(day=lambda t: t.ordered_at.date())
        days = orders.group_by("day").agg(revenue=exact_sum(orders.revenue).cast("float64")).execute()
        return days.set_index(pd.to_datetime(days.day)).revenue.sort_index()

    def revenue_between(self, first: pd.Timestamp, last: pd.Timestamp) -> float:
        """The revenue from one day to another, both included."""
        return self._daily_revenue[first:last].sum()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"


class Holder(NamedTuple):
    """A table that holds a figure.

    Parameters
    ----------
    table : str
        The table.
    value : callable
        Returns the figure, or a figure for each label, from the tables.
    others : tuple of str
        Further tables that are needed.
    """

    table: str
    value: Callable[[SavedTables], float | pd.Series]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure that several tables hold.

    Parameters
    ----------
    name : str
        What it is, for messages.
    holders : tuple of Holder
        The tables that hold it, in the order in which they are written.
    cure : str
        What to do if they do not agree.
    part : bool
        Whether a later table may lack labels of an earlier one.
    """

    name: str
    holders: tuple[Holder, ...]
    cure: str = EARLIER
    part: bool = False


class Disagreement(NamedTuple):
    """A table that does not agree with an earlier one: what differs, and what to do."""

    table: str
    message: str
    cure: str


def _sum(table: str, column: str, by: str | list[str] | None = None) -> Holder:
    def value(tables: SavedTables) -> float | pd.Series:
        if by is None:
            return tables.read(table, column)[column].sum()
        keys = [by] if isinstance(by, str) else by
        return tables.read(table, *keys, column).groupby(by)[column].sum()

    return Holder(table, value)


def _rows(table: str) -> Holder:
    return Holder(table, lambda tables: len(tables.read(table, "customer_id")))


def _orders(column: str) -> Holder:
    return Holder("orders", lambda tables: tables.order_totals[column], ("order_adjustments",))


def _left(column: str) -> Holder:
    return Holder("cleaning_ledger", lambda tables: tables.read("cleaning_ledger", column)[column].iloc[-1])


def _purchase_revenue(tables: SavedTables) -> float:
    cltv = tables.read("cltv", "repeat_purchase_days", "mean_purchase_value")
    return (cltv.mean_purchase_value * (cltv.repeat_purchase_days + 1)).sum()


def _revenue_of_recent_days(tables: SavedTables) -> pd.Series:
    days = tables.read("history", "last_day").last_day
    return pd.Series({day: tables.revenue_between(day - RECENT + ONE_DAY, day) for day in days}, dtype=float)


def _revenue_of_last_year(tables: SavedTables) -> pd.Series:
    days = _history("revenue_12m")(tables).index
    return pd.Series({day: tables.revenue_between(day - YEAR + ONE_DAY, day) for day in days}, dtype=float)


def _revenue_before(tables: SavedTables) -> pd.Series:
    last = tables.read("history", "last_day").last_day.max()
    starts = {
        months: last - pd.DateOffset(months=months) + ONE_DAY for months in tables.read("business", "months").months
    }
    return pd.Series({months: tables.revenue_between(start, last) for months, start in starts.items()}, dtype=float)


def _history(column: str) -> Callable[[SavedTables], pd.Series]:
    return lambda tables: tables.read("history", "last_day", column).set_index("last_day")[column].dropna()


def _last_history(column: str) -> Holder:
    return Holder("history", lambda tables: tables.read("history", column)[column].iloc[-1:].sum(min_count=1))


def _recent_customers(tables: SavedTables) -> float:
    return (tables.read("customers", "recency_days").recency_days < RECENT_DAYS).sum()


def _new_customers(tables: SavedTables) -> pd.Series:
    first, days = tables.read("customers", "first_order").first_order, _history("new_customers")(tables).index
    counts = {day: first.between(day - RECENT + ONE_DAY, day).sum() for day in days}
    return pd.Series(counts, dtype=float)


def _segment_sizes(tables: SavedTables) -> pd.Series:
    return tables.read("segments", "segment").segment.value_counts()


def _segment_revenue(tables: SavedTables) -> pd.Series:
    customers = tables.read("customers", "customer_id", "revenue")
    return customers.merge(tables.read("segments", "customer_id", "segment")).groupby("segment").revenue.sum()


def _sizes_by_moves(tables: SavedTables) -> pd.Series:
    """The customers of each segment, as the moves since the earlier date tell; not known without such a date."""
    moves = tables.read("segment_migration", "from_segment", "to_segment", "cause", "customers")
    if moves.empty:
        return _segment_sizes(tables) * np.nan
    came_or_left, stayed = moves.cause == "arrivals_less_departures", moves.from_segment == moves.to_segment
    moved = moves[~came_or_left & ~stayed]
    sizes = moves[stayed].groupby("from_segment").customers.sum()
    sizes = sizes.add(moves[came_or_left].groupby("to_segment").customers.sum(), fill_value=0)
    sizes = sizes.add(moved.groupby("to_segment").customers.sum(), fill_value=0)
    return sizes.sub(moved.groupby("from_segment").customers.sum(), fill_value=0).drop(DEPARTED, errors="ignore")


def _expected(measure: str) -> tuple[Holder, ...]:
    columns = {months: f"expected_{measure}_{months}m" for months in HORIZONS}

    def of_customers(tables: SavedTables) -> pd.Series:
        sums = tables.read("cltv", *columns.values()).sum()
        return pd.Series({months: sums[column] for months, column in columns.items()})

    def of_all(tables: SavedTables) -> pd.Series:
        forecast = tables.read("forecast", "months", "segment", measure)
        return forecast[forecast.segment == ALL].set_index("months")[measure]

    return Holder("cltv", of_customers), Holder("forecast", of_all)


def _days_of_forecast(tables: SavedTables) -> pd.Series:
    return tables.read("forecast", "months", "horizon_days").groupby("months").horizon_days.max()


def _expected_by_segment(measure: str) -> tuple[Holder, ...]:
    columns = {f"expected_{measure}_{months}m": months for months in HORIZONS}

    def of_customers(tables: SavedTables) -> pd.Series:
        joined = tables.read("cltv", "customer_id", *columns).merge(tables.read("segments", "customer_id", "segment"))
        sums = joined.groupby("segment")[[*columns]].sum().rename(columns=columns).stack()
        months = tables.read("forecast", "months").months.unique()
        return sums[sums.index.get_level_values(1).isin(months)]

    def of_segments(tables: SavedTables) -> pd.Series:
        forecast = tables.read("forecast", "segment", "months", measure)
        return forecast[forecast.segment != ALL].set_index(["segment", "months"])[measure]

    return Holder("cltv", of_customers, ("segments", "forecast")), Holder("forecast", of_segments)


def _of_first_wave(column: str) -> tuple[Holder, ...]:
    def of_calendar(tables: SavedTables) -> float:
        calendar = tables.read("budget_calendar", "wave", column)
        return calendar[column][calendar.wave == 1].sum()

    return _sum("budget", column), Holder("budget_calendar", of_calendar)


def _of_plan(column: str) -> tuple[Holder, ...]:
    def of_waves(tables: SavedTables) -> float:
        return sum(tables.read(name, column)[column].sum() for name in ("budget_calendar", "acquisition"))

    def of_budget(tables: SavedTables) -> float:
        lines = tables.read("budget_lines", "line", column)
        return lines[column][lines.line != RESERVE].sum()

    return Holder("budget_calendar", of_waves, ("acquisition",)), Holder("budget_lines", of_budget)


def _contacted(column: str, group: str) -> tuple[Holder, ...]:
    def of_lists(tables: SavedTables) -> pd.Series:
        plan = tables.read("contact_plan", "campaign", "segment", "group")
        return plan[plan.group == group].groupby(["campaign", "segment"]).size()

    return _sum("budget", column, by=["campaign", "segment"]), Holder("contact_plan", of_lists)


FIGURES = (
    Figure(
        "customers",
        (
            _orders("customers"),
            _left("customers_left"),
            _rows("customers"),
            _sum("segment_profile", "customers"),
            _rows("cltv"),
        ),
        LEAVE_OUT,
    ),
    Figure("counted rows", (_orders("lines"), _left("rows_left"))),
    Figure("orders", (_orders("orders"), _sum("customers", "orders")), LEAVE_OUT),
    Figure(
        "revenue",
        (
            _orders("revenue"),
            _left("revenue_left"),
            _sum("customers", "revenue"),
            _sum("segment_profile", "revenue"),
            Holder("cltv", _purchase_revenue),
        ),
        LEAVE_OUT,
    ),
    Figure(
        f"revenue of {RECENT_DAYS} days",
        (
            Holder("orders", _revenue_of_recent_days, ("order_adjustments", "history")),
            Holder("history", _history("revenue")),
        ),
    ),
    Figure(
        "revenue of 12 months",
        (
            Holder("orders", _revenue_of_last_year, ("order_adjustments", "history")),
            Holder("history", _history("revenue_12m")),
        ),
    ),
    Figure(
        "revenue of as many months before",
        (
            Holder("orders", _revenue_before, ("order_adjustments", "history", "business")),
            _sum("business", "revenue_before", by="months"),
        ),
    ),
    Figure(
        f"customers who ordered in the last {RECENT_DAYS} days",
        (Holder("customers", _recent_customers), _last_history("active_customers")),
    ),
    Figure(
        f"new customers of {RECENT_DAYS} days",
        (Holder("customers", _new_customers, ("history",)), Holder("history", _history("new_customers"))),
    ),
    Figure(
        "customers",
        (
            Holder("segments", _segment_sizes),
            _sum("segment_profile", "customers", by="segment"),
        ),
    ),
    Figure("customers", (Holder("segments", _segment_sizes), Holder("segment_migration", _sizes_by_moves))),
    Figure(
        "revenue",
        (Holder("segments", _segment_revenue, ("customers",)), _sum("segment_profile", "revenue", by="segment")),
    ),
    Figure("expected revenue by months", _expected("revenue"), OWN_MODEL, part=True),
    Figure("expected purchase days by months", _expected("purchase_days"), OWN_MODEL, part=True),
    Figure("expected revenue by segment and months", _expected_by_segment("revenue"), OWN_MODEL),
    Figure("expected purchase days by segment and months", _expected_by_segment("purchase_days"), OWN_MODEL),
    Figure(
        "expected revenue of known customers by months",
        (_expected("revenue")[1], _sum("business", "revenue_known", by="months")),
        part=True,
    ),
    Figure(
        "days by months",
        (Holder("forecast", _days_of_forecast), _sum("business", "horizon_days", by="months")),
        part=True,
    ),
    Figure("budget", (Holder(PARAMETERS, lambda tables: tables.budget), _sum("budget_lines", "spend"))),
    Figure("spend of the first wave", _of_first_wave("spend")),
    Figure("expected profit of the first wave", _of_first_wave("expected_profit")),
    Figure("spend of the plan", _of_plan("spend")),
    Figure("expected profit of the plan", _of_plan("expected_profit")),
    Figure("customers to contact", _contacted("contacts", "treatment")),
    Figure("customers held out", _contacted("holdout_customers", "control")),
)


def check_agreement(tables: SavedTables, only: str | None = None) -> None:
    """Check that tables agree with those before them.

    Parameters
    ----------
    tables : SavedTables
        The tables. Those that are not there are not compared.
    only : str, optional
        Compare only this table, which is about to be saved. Later tables may then still be those of an earlier run.

    Raises
    ------
    TableError
        For the first table that does not agree. The message names both tables and both numbers.
    """
    found = list(_find_disagreements(tables, only))
    for table in dict.fromkeys(one.table for one in found):
        of_table = [one for one in found if one.table == table]
        what, cures = "; ".join(one.message for one in of_table), " ".join(dict.fromkeys(one.cure for one in of_table))
        raise TableError(f"table {table} does not agree with others: {what}. {cures}", table)


def check_listed(tables: SavedTables, listed: pd.Series, name: str) -> None:
    """Check that all customers of a list are in the table `customers`, if there is one. Raises `TableError`."""
    if not tables.has("customers"):
        return
    unknown = listed[~_are_among(listed, tables.read("customers", "customer_id").customer_id)]
    if len(unknown):
        raise TableError(
            f"{name} has {len(unknown):,} customers who are not in table customers, for example {unknown.iloc[0]}"
        )


def check_lists_of_plan(planned: pd.Series, lists: list[pd.Series], folder: str) -> None:
    """Check that the lists of a folder have the customers whom the plan names, each once. Raises `TableError`."""
    listed = pd.concat(lists) if lists else planned[:0]
    if sorted(listed) != sorted(planned):
        raise TableError(
            f"the lists in {folder}/ have {len(listed):,} customers, but table contact_plan has {len(planned):,} for "
            f"them, or others. Make both from the same plan (build_send_lists)."
        )


def _find_disagreements(tables: SavedTables, only: str | None) -> Iterator[Disagreement]:
    for sets, all_of_them in ((SAME_CUSTOMERS, True), (SOME_CUSTOMERS, False)):
        for later, earlier in sets.items():
            if only in (None, later) and tables.has(earlier, later):
                yield from _compare_customers(tables, earlier, later, all_of_them)
    for figure in FIGURES:
        held = [holder for holder in figure.holders if tables.has(holder.table, *holder.others)]
        for before, after in pairwise(held):
            if only in (None, after.table):
                yield from _compare_figure(tables, figure, before, after)


def _compare_customers(tables: SavedTables, earlier: str, later: str, all_of_them: bool) -> Iterator[Disagreement]:
    before, now = (tables.read(name, "customer_id").customer_id for name in (earlier, later))
    if now.equals(before):
        return
    unknown = now[~_are_among(now, before)]
    if len(unknown):
        yield Disagreement(
            later, f"{len(unknown):,} of its customers are not in {earlier}, for example {unknown.iloc[0]}", EARLIER
        )
    missing = before[~_are_among(before, now)] if all_of_them else before[:0]
    if len(missing):
        yield Disagreement(
            later, f"{len(missing):,} customers of {earlier} are missing, for example {missing.iloc[0]}", LEAVE_OUT
        )


def _are_among(ids: pd.Series, others: pd.Series) -> np.ndarray:
    values, known = (pa.array(column, type=pa.large_string()) for column in (ids, others))
    return pc.is_in(values, value_set=known).to_numpy(zero_copy_only=False)


def _compare_figure(tables: SavedTables, figure: Figure, earlier: Holder, later: Holder) -> Iterator[Disagreement]:
    before, now = (_by_label(holder.value(tables)) for holder in (earlier, later))
    labels = now.index if figure.part else before.index.union(now.index)
    before, now = (values.reindex(labels, fill_value=0).astype(float) for values in (before, now))
    wrong = ~np.isclose(before, now, rtol=RELATIVE, atol=CENTS) & before.notna() & now.notna()
    if wrong.any():
        label = labels[wrong][0]
        named = " ".join([figure.name, *_words(label)])
        numbers = f"{_write(now[label])}, but {_write(before[label])} in {earlier.table}"
        yield Disagreement(later.table, f"{named}: {numbers}", figure.cure)


def _by_label(value: float | pd.Series) -> pd.Series:
    return value if isinstance(value, pd.Series) else pd.Series({"": value})


def _words(label: object) -> list[str]:
    """The label of a figure as words: a segment, a number of months, a day, or several of them."""
    parts = label if isinstance(label, tuple) else (label,)
    return [f"{part:%Y-%m-%d}" if isinstance(part, pd.Timestamp) else str(part) for part in parts if part != ""]


def _write(number: float) -> str:
    return f"{number:,.0f}" if number == round(number) else f"{number:,.2f}"
