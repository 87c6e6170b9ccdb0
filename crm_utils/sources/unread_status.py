"""A column of order statuses that no parameter names."""

import json
from dataclasses import dataclass

import pandas as pd

from crm_utils.config import Columns, Source
from crm_utils.sources import casting, validation
from crm_utils.sources.column_names import plain_words
from crm_utils.sources.raw_table import RawTable
from crm_utils.sources.status_words import StatusGroup, status_group
from crm_utils.sources.status_words import plain_words as normal_words

# Words in the names of such columns, and words that make it the status of something else
STATUS_WORDS = {"status", "statut", "stato", "durum", "zustand", "situacao"}
OTHERS = (
    "customer client member membership marital loyalty employment email stock tax subscriber account user lead vip "
    "kunden"
)
# Of a column that tells how far the delivery is, and beside a status that the parameters name, only these words count
DELIVERY = {"fulfillment", "fulfilment", "shipping", "shipment", "delivery"}
NO_SALES = (
    "cancelled canceled voided void refunded returned declined rejected failed chargeback storniert retourniert annule "
    "annulee rembourse cancelado cancelada devuelto iptal iade annullato geannuleerd anulowane"
)
MOST_VALUES = 40


@dataclass(frozen=True)
class UnreadStatus:
    """A column of order statuses.

    Parameters
    ----------
    column : str
        The source's own name of it.
    values : pandas.DataFrame
        value, rows, money, and doubtful: whether these may be no sales. Those of most rows first.
    rule : dict
        The parameters that leave the doubtful ones out.
    """

    column: str
    values: pd.DataFrame
    rule: dict[str, object]


def find_unread_status(parts: list[RawTable], source: Source, columns: Columns) -> UnreadStatus | None:
    """Find a column of order statuses that no parameter names.

    Parameters
    ----------
    parts : list of RawTable
        The files or sheets; only the rows that count.
    source : Source
        With the parameters `filter` and `status`.
    columns : Columns
        The source's column for each standard name.

    Returns
    -------
    UnreadStatus or None
        None if there is none, if all rows have the same value, or if the words of all values mean sales. Beside a
        status that the parameters name, only cancelled, refunded and failed orders are doubtful.
    """
    taken = {*columns.named.values(), *([source.status.column] if source.status else [])}
    for name in parts[0].table.columns:
        words = set(plain_words(name).split())
        is_status = words & STATUS_WORDS or any(word.endswith("status") for word in words)
        if not is_status or words & set(OTHERS.split()) or name in taken or name in (source.filter or ""):
            continue
        values = _count_values(parts, name, columns)
        if not 1 < len(values) <= MOST_VALUES:
            continue
        if source.status or words & DELIVERY:
            values["doubtful"] = values.value.map(lambda text: normal_words(text) in NO_SALES.split())
            kept = values.value[values.doubtful].tolist()
            own = f"`{name}` not in {json.dumps(kept, ensure_ascii=False)}"
            rule: dict[str, object] = {"source.filter": f"({source.filter}) and {own}" if source.filter else own}
        else:
            groups = values.value.map(status_group)
            values["doubtful"] = (groups != StatusGroup.COUNT) & (values.index > 0)
            count, ignore = (values.value[values.doubtful == is_out].tolist() for is_out in (False, True))
            rule = {"source.status": {"column": name, "count": count, "ignore": ignore}}
        if values.doubtful.any() and not values.doubtful.all():
            return UnreadStatus(name, values, rule)
    return None


def _count_values(parts: list[RawTable], name: str, columns: Columns) -> pd.DataFrame:
    """Rows and money of each value, those of most rows first; more values than `MOST_VALUES` are not all counted."""
    counted = []
    for part in (part for part in parts if name in part.table.columns):
        table = part.table
        factors = [own for own in _money_columns(columns) if own in table.columns]
        money = casting.as_factor(table[factors[0]], part.format) if factors else table[name].count() * 0.0
        if len(factors) > 1:
            money = money * casting.as_factor(table[factors[1]], part.format)
        value = table[name].cast("string").strip().nullif("")
        rows = table.select(value=value, money=money.cast("float64").fill_null(0)).filter(lambda t: t.value.notnull())
        by_value = rows.group_by("value").agg(rows=rows.count(), money=rows.money.sum())
        counted.append(validation.execute(by_value.limit(MOST_VALUES + 1), part))
    values = pd.concat(counted).groupby("value", as_index=False).sum()
    return values.sort_values(["rows", "value"], ascending=[False, True], ignore_index=True)


def _money_columns(columns: Columns) -> list[str]:
    amount = columns.amount
    if isinstance(amount, str):
        return [amount]
    return [own for own in (columns.quantity, columns.unit_price) if own] if amount is None else []
