"""The column that tells which rows are sales, judged on all rows of a file."""

import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import pandas as pd

from crm_utils.config.report import Status, fold
from crm_utils.core.formatting import MESSAGES, join_names, percent
from crm_utils.sources import RawTable, casting, validation
from crm_utils.sources.preparation import describe_values
from crm_utils.sources.status_words import StatusGroup, plain_words, status_group

MOST_VALUES = 40  # a column of more different values is no status
KNOWN_ROWS = 0.5  # share of the rows whose words must be known
WORDS = ("status", "state", "stand", "zustand", "statut", "etat", "estado", "situacao", "durum")
CANCELLED_NAMES = ("cancelled at", "canceled at", "cancelled on", "cancelled date", "cancellation date", "voided at",
                   "storniert am", "stornodatum", "annule le", "fecha cancelacion")  # fmt: skip
TEST_NAMES = ("is test", "test", "test order", "testbestellung", "livemode")
# Names of columns that say yes or no: of orders that are no sales, and of orders that are
VOID_NAMES = (
    "cancelled",
    "canceled",
    "is cancelled",
    "is canceled",
    "order cancelled",
    "order canceled",
    "voided",
    "is voided",
    "void",
    "is void",
    "deleted",
    "is deleted",
    "refunded",
    "is refunded",
    "returned",
    "is returned",
    "is return",
    "fraud",
    "is fraud",
    "storniert",
    "ist storniert",
    "annule",
    "annulee",
    "cancelado",
    "cancelada",
    "anulado",
    "anulada",
    "devuelto",
    "iptal",
    "iptal edildi",
    "annullato",
    "stornato",
    "geannuleerd",
    "anulowane",
)
PAID_NAMES = ("paid", "is paid", "bezahlt", "paye", "payee", "pagado", "pago", "odendi", "pagato", "betaald")
TRUE_WORDS = ("true", "yes", "1", "ja", "oui", "si", "sim", "evet", "x", "y", "t", "j", "wahr", "vrai")
FALSE_WORDS = ("false", "no", "0", "nein", "non", "nao", "hayir", "n", "f", "nee", "nie", "falsch", "faux")
DAY = r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}.*"


@dataclass(frozen=True)
class StatusColumn:
    """A column whose values say what became of an order.

    Parameters
    ----------
    column : str
        The source's own name of it.
    values : pandas.DataFrame
        One row per value, the most frequent first: value, rows, money, group (see `StatusGroup`; None if unknown).
    """

    column: str
    values: pd.DataFrame

    def of_group(self, group: StatusGroup | None) -> pd.DataFrame:
        """The values of a group; None gives those that are not known."""
        chosen = self.values.group.isna() if group is None else self.values.group == group
        return self.values[chosen]

    def rule(self) -> Status | None:
        """The rule to write. Values that are not known are in no list, so the report asks before it counts."""
        lists = {group.value: self.of_group(group).value.tolist() for group in StatusGroup}
        if not lists["count"]:
            return None
        return Status(column=self.column, **lists)

    def describe(self) -> str:
        """What each group holds, in words."""
        total = self.values.rows.sum()
        parts = []
        for group in StatusGroup:
            found = self.of_group(group)
            if len(found):
                names = join_names([repr(value) for value in found.value])
                parts.append(
                    f"{group.value} {names} ({MESSAGES.plural(found.rows.sum(), 'row')}, "
                    f"{percent(found.rows.sum() / total)}, {MESSAGES.number(found.money.sum(), 2)})"
                )
        return f"status: column {self.column!r}: " + "; ".join(parts)

    def open_question(self) -> str | None:
        """What to decide about values that are not known."""
        unknown = self.of_group(None)
        if unknown.empty:
            return None
        shown = describe_values(unknown.value, unknown.rows, unknown.money)
        return (
            f"source.status: is {join_names(shown)} a sale? Add each value of {self.column!r} to count, refund or "
            "ignore; until then the report is refused"
        )


def count_texts(parts: list[RawTable], free: list[str], amounts: list[str]) -> dict[str, pd.DataFrame]:
    """Count rows and money of each value of the columns with few different values, on all rows, by the engine.

    Parameters
    ----------
    parts : list of RawTable
        The files or sheets.
    free : list of str
        The columns that are nothing else.
    amounts : list of str
        The columns whose product is what a row is worth; none if it is not known.

    Returns
    -------
    dict of str to pandas.DataFrame
        Per column, one row per value, the most frequent first: value, rows, money, group.
    """
    counted = {name: _count_values(parts, name, amounts) for name in free}
    return {name: values for name, values in counted.items() if values is not None}


def find_status(counted: Mapping[str, pd.DataFrame]) -> StatusColumn | None:
    """Find the column that says what became of an order.

    Parameters
    ----------
    counted : mapping of str to pandas.DataFrame
        See `count_texts`.

    Returns
    -------
    StatusColumn or None
        The column whose words are known in most rows, the one named like a status first. None if there is no such
        column, or if every row counts.
    """
    found = []
    for name, values in counted.items():
        if values.group.notna().mul(values.rows).sum() < KNOWN_ROWS * values.rows.sum():
            continue
        if set(values.group) != {StatusGroup.COUNT}:
            found.append(StatusColumn(name, values))
    return min(found, key=lambda column: not any(word in column.column.lower() for word in WORDS), default=None)


def status_by_rule(parts: list[RawTable], rule: Status, amounts: list[str]) -> StatusColumn | None:
    """Count what a rule does to the values of its column, on all rows. None if no row has a status."""
    values = _count_values(parts, rule.column, amounts, also_many=True)
    if values is None:
        return None
    groups = {fold(value): group for group in StatusGroup for value in getattr(rule, group.value)}
    return StatusColumn(rule.column, values.assign(group=[groups.get(fold(value)) for value in values.value]))


def _count_values(
    parts: list[RawTable], name: str, amounts: list[str], also_many: bool = False, any_type: bool = False
) -> pd.DataFrame | None:
    """Rows and money of each value of a column; None if it has many values and these are not asked, or is not text."""
    counted = []
    for part in parts:
        table = part.table
        if name not in table.columns or not (any_type or table[name].type().is_string()):
            return None
        value = table[name].cast("string").strip().nullif("").name("value")
        factors = [casting.as_factor(table[amount], part.format) for amount in amounts]
        money = functools.reduce(operator.mul, factors) if factors else ibis.literal(0.0)
        rows = table.select(value, money=money.cast("float64").fill_null(0)).filter(lambda t: t.value.notnull())
        by_value = rows.group_by("value").agg(rows=rows.count(), money=rows.money.sum())
        found = validation.execute(by_value.limit(MOST_VALUES + 1), part)
        if len(found) > MOST_VALUES:
            if not also_many:
                return None
            found = validation.execute(by_value, part)
        counted.append(found)
    values = (
        pd.concat(counted)
        .groupby("value", as_index=False)
        .sum()
        .sort_values(["rows", "value"], ascending=[False, True])
    )
    if values.empty:
        return None
    return values.assign(group=[status_group(value) for value in values.value]).reset_index(drop=True)


def find_filter(parts: list[RawTable], free: list[str], amounts: list[str]) -> tuple[str, str] | None:
    """Find columns that mark rows as no sales: a date of cancellation, a flag of test orders.

    Parameters
    ----------
    parts : list of RawTable
        The files or sheets; all rows are counted.
    free : list of str
        The columns that are nothing else.
    amounts : list of str
        The columns whose product is what a row is worth; none if it is not known.

    Returns
    -------
    tuple of str or None
        The condition for `source.filter`, and what it leaves out, in words. None if there is no such column.
    """
    conditions, told = [], []
    for name in free:
        values = _count_values(parts, name, amounts, also_many=True, any_type=True) if _may_mark(name) else None
        if values is None:
            continue
        condition, marked = _marking(name, parts[0].table[name].type().is_string(), values)
        if len(marked):
            conditions.append(condition)
            told.append(
                f"{name!r} leaves out {MESSAGES.plural(marked.rows.sum(), 'row')} "
                f"({MESSAGES.number(marked.money.sum(), 2)})"
            )
    return (" and ".join(conditions), f"filter: {join_names(told)}") if conditions else None


def _may_mark(name: str) -> bool:
    return plain_words(name) in (*CANCELLED_NAMES, *TEST_NAMES, *VOID_NAMES, *PAID_NAMES)


def _marking(name: str, is_text: bool, values: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The condition that leaves out the rows which a column marks, and the values of these rows."""
    plain = plain_words(name)
    quoted = name if name.isidentifier() else f"`{name}`"
    words = values.value.str.lower()
    if plain in CANCELLED_NAMES or (plain in VOID_NAMES and words.str.fullmatch(DAY).all()):
        return f"{quoted}.isna()", values
    if plain not in TEST_NAMES and not words.isin([*TRUE_WORDS, *FALSE_WORDS]).all():
        return "", values.head(0)
    marked = values[words.isin(TRUE_WORDS) != (plain == "livemode" or plain in PAID_NAMES)]
    if is_text:
        return f"{quoted} not in {marked.value.tolist()}", marked
    literal = next(({"true": "True", "false": "False"}.get(value, value) for value in marked.value.str.lower()), "")
    return f"{quoted} != {literal}", marked
