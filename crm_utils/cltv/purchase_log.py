"""All orders of a report in memory, as arrays, so that the purchases as of many past days can be rebuilt quickly."""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.core.exact_money import exact_sum

# Days are numbered from this Monday on.
EPOCH = date(1970, 1, 5)


def day_number(day: date) -> int:
    """Return the number of days from `EPOCH` to a day."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """Return the day with a number (see `day_number`)."""
    return EPOCH + timedelta(days=int(number))


@dataclass(frozen=True)
class Purchases:
    """Purchase days as of a day. All orders of a customer's day are one purchase day.

    Parameters
    ----------
    as_of : int
        The number of the last day that counts.
    customer, day : numpy.ndarray of int
        The customer and the day of each purchase day, sorted by both.
    revenue : numpy.ndarray of float
        The revenue of each purchase day.
    """

    as_of: int
    customer: np.ndarray
    day: np.ndarray
    revenue: np.ndarray

    @property
    def starts(self) -> np.ndarray:
        """The position of each customer's first purchase day."""
        return np.flatnonzero(np.diff(self.customer, prepend=-1))

    def first_days(self) -> np.ndarray:
        """Return, for each purchase day, the day of that customer's first purchase."""
        starts = self.starts
        return np.repeat(self.day[starts], np.diff(np.append(starts, len(self.day))))

    def bought_after(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        """Return purchase days and revenue after a day: of customers who had bought by then, and of those won since."""
        later, won = self.day > day, self.first_days() > day
        known, new = (np.array([kind.sum(), self.revenue[kind].sum()]) for kind in (later & ~won, later & won))
        return known, new

    def summary(self) -> pd.DataFrame:
        """Summarize each customer's purchases: the columns of `forecast.rfm_summary`, with the customer's number."""
        starts = self.starts
        counts = np.diff(np.append(starts, len(self.day)))
        first, last = self.day[starts], self.day[starts + counts - 1]
        totals = np.add.reduceat(self.revenue, starts) if len(starts) else np.zeros(0)
        return pd.DataFrame(
            {
                "customer": self.customer[starts],
                "repeat_purchase_days": counts - 1,
                "last_purchase_age_days": last - first,
                "customer_age_days": self.as_of - first,
                "mean_purchase_value": totals / counts,
            }
        )


@dataclass(frozen=True)
class PurchaseLog:
    """Orders and their dated adjustments.

    Parameters
    ----------
    ids : numpy.ndarray of str
        The customer ids. All other arrays name a customer by the position in `ids`.
    customer, day : numpy.ndarray of int
        The customer and the day of each order, sorted by both.
    revenue : numpy.ndarray of float
        The revenue of each order as placed.
    adjusted, adjusted_day, adjustment : numpy.ndarray
        For each adjustment: the position of its order, its day, and its (negative) amount.
    """

    ids: np.ndarray
    customer: np.ndarray
    day: np.ndarray
    revenue: np.ndarray
    adjusted: np.ndarray
    adjusted_day: np.ndarray
    adjustment: np.ndarray

    @classmethod
    def read(cls, orders: ir.Table, adjustments: ir.Table) -> "PurchaseLog":
        """Read orders as placed, and their dated cancellations.

        Parameters
        ----------
        orders : ibis.Table
            customer_id, order_id, ordered_at, revenue.
        adjustments : ibis.Table
            customer_id, order_id, adjusted_at, revenue (negative).

        Returns
        -------
        PurchaseLog
            The orders in memory.
        """
        epoch = ibis.literal(EPOCH)
        placed = orders.select(
            "customer_id",
            "order_id",
            "revenue",
            day=orders.ordered_at.date().delta(epoch, unit="day"),
            customer=ibis.dense_rank().over(order_by=orders.customer_id),
        )
        placed = placed.mutate(position=ibis.row_number().over(order_by=["customer", "day", "order_id"]))
        rows = placed.select("customer", "day", "revenue", "position").order_by("position").execute()
        ids = orders.select("customer_id").distinct().order_by("customer_id").execute().customer_id.to_numpy()
        changes = pd.DataFrame({"position": [], "day": [], "revenue": []})
        if adjustments.count().execute():
            dated = adjustments.select(
                "customer_id", "order_id", amount=adjustments.revenue, changed=adjustments.adjusted_at.date()
            )
            joined = dated.inner_join(placed.select("customer_id", "order_id", "position"), ["customer_id", "order_id"])
            changes = joined.select(
                "position", day=joined.changed.delta(epoch, unit="day"), revenue=joined.amount
            ).execute()
        return cls(
            ids,
            rows.customer.to_numpy(np.int32),
            rows.day.to_numpy(np.int32),
            rows.revenue.to_numpy(float),
            changes.position.to_numpy(int),
            changes.day.to_numpy(int),
            changes.revenue.to_numpy(float),
        )

    def without(self, customer_id: str) -> "PurchaseLog":
        """Return the log without the orders of one customer."""
        kept = self.ids[self.customer] != customer_id
        position = np.cumsum(kept) - 1
        changed = kept[self.adjusted]
        return PurchaseLog(
            self.ids,
            self.customer[kept],
            self.day[kept],
            self.revenue[kept],
            position[self.adjusted[changed]],
            self.adjusted_day[changed],
            self.adjustment[changed],
        )

    def as_of(self, day: int) -> Purchases:
        """Return the purchase days as of a day: orders by then, less the adjustments made by then."""
        kept = self.day <= day
        revenue = self.revenue
        if len(self.adjusted):
            dated = self.adjusted_day <= day
            revenue = revenue.copy()
            np.add.at(revenue, self.adjusted[dated], self.adjustment[dated])
            changed = np.zeros(len(revenue), bool)
            changed[self.adjusted[dated]] = True
            kept &= ~changed | (revenue.round(4) > 0)
        customer, days, revenue = self.customer[kept], self.day[kept], revenue[kept]
        new = (np.diff(customer, prepend=-1) != 0) | (np.diff(days, prepend=-1) != 0)
        starts = np.flatnonzero(new)
        totals = np.add.reduceat(revenue, starts) if len(starts) else revenue
        return Purchases(day, customer[starts], days[starts], totals)


class DailySums:
    """Purchase days and revenue of all customers by day, so that the sum of a period is found at once.

    Parameters
    ----------
    purchases : Purchases
        The purchases as of a day.
    chosen : numpy.ndarray of bool, optional
        The purchase days to add up; by default all.
    """

    def __init__(self, purchases: Purchases, chosen: np.ndarray | None = None):
        self.first, self.last = int(purchases.day.min()), purchases.as_of
        offsets = purchases.day - self.first
        revenue = purchases.revenue
        if chosen is not None:
            offsets, revenue = offsets[chosen], revenue[chosen]
        days = purchases.as_of - self.first + 1
        sums = np.array([np.bincount(offsets, minlength=days), np.bincount(offsets, revenue, minlength=days)])
        self._cumulative = np.concatenate([np.zeros((2, 1)), np.cumsum(sums, axis=1)], axis=1)

    def sum_between(self, after: int, until: int) -> np.ndarray:
        """Return purchase days and revenue after one day and up to another; null if the history does not cover them."""
        low, high = after - self.first + 1, until - self.first + 1
        if low < 0 or high >= self._cumulative.shape[1]:
            return np.full(2, np.nan)
        return self._cumulative[:, high] - self._cumulative[:, low]


def purchases_between(orders: ir.Table, start: date, end: date, customer_ids: pd.Series) -> tuple[pd.DataFrame, float]:
    """Return what these customers bought after `start` and up to `end`, and the revenue from all others.

    Returns
    -------
    tuple of pandas.DataFrame and float
        purchase_days and revenue by customer_id (the index), with zeros for customers who bought nothing; and the
        revenue from customers who are not in `customer_ids`.
    """
    placed = orders.mutate(day=orders.ordered_at.date())
    placed = placed.filter((placed.day > start) & (placed.day <= end))
    sums = placed.group_by("customer_id").agg(
        purchase_days=placed.day.nunique(), revenue=exact_sum(placed.revenue).cast("float64")
    )
    table = sums.execute().set_index("customer_id")
    known = table.reindex(customer_ids, fill_value=0)
    return known, round(float(table.revenue.sum() - known.revenue.sum()), 2)
