"""What a question about the data consists of: what was found, what is at stake, and the answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import ibis.expr.types as ir
import pandas as pd

from crm_utils.config.report import Columns, QuestionCode
from crm_utils.core.formatting import NumberFormat
from crm_utils.sources.doubts import Doubts
from crm_utils.sources.preparation import in_yaml

# A report is refused while the answer can change its revenue, or its number of customers or orders, by more than this.
MIN_REVENUE_SHARE, MIN_COUNT_SHARE = 0.005, 0.01


@dataclass(frozen=True)
class Choice:
    """An answer: what it means, and the lines of the parameters file that give it.

    Parameters
    ----------
    meaning : str
        In words.
    parameters : mapping of str to object
        What to set, with dots between the levels: {"cleaning.duplicates": "drop"}. A value of `confirmed` is added to
        the list.
    """

    meaning: str
    parameters: Mapping[str, object]

    @property
    def line(self) -> str:
        """The parameters as they are written in the file, in one line."""
        return "; ".join(_yaml_line(name, value) for name, value in self.parameters.items())


@dataclass(frozen=True)
class Question:
    """A question about the data that only their owner can answer.

    Parameters
    ----------
    code : QuestionCode
        What `confirmed` names to close it.
    found : str
        What was found, with rows, customers and money, and the question.
    revenue_share, customer_share : float
        By how much the answer can change revenue and the number of customers, as shares.
    choices : tuple of Choice
        The answers to choose from.
    parameter : str
        The parameter that it is about.
    order_share : float
        By how much it can change the number of orders, as a share.
    """

    code: QuestionCode
    found: str
    revenue_share: float
    customer_share: float
    choices: tuple[Choice, ...]
    parameter: str
    order_share: float = 0.0

    @property
    def is_material(self) -> bool:
        """Whether a report is refused while it is open."""
        counts = max(self.customer_share, self.order_share)
        return bool(self.revenue_share > MIN_REVENUE_SHARE or counts > MIN_COUNT_SHARE)


@dataclass(frozen=True)
class Evidence:
    """What questions are found in.

    Parameters
    ----------
    lines : ibis.Table
        Classified line items (see `rules.classify`).
    sums : ibis.Table
        The same summed by customer, order and rule (see `aggregate_lines`).
    cancellations : str
        The parameter.
    columns : Columns
        The source's column for each standard name.
    doubts : Doubts
        What the columns of the source leave open (see `sources.find_doubts`).
    fmt : NumberFormat
        How numbers and money are written.
    """

    lines: ir.Table
    sums: ir.Table
    cancellations: str
    columns: Columns
    doubts: Doubts
    fmt: NumberFormat

    @cached_property
    def totals(self) -> pd.Series:
        """Revenue, orders and customers that count."""
        orders = self.orders
        totals = orders.aggregate(
            revenue=orders.revenue.sum().cast("float64"), orders=orders.count(),
            customers=orders.customer_id.nunique(),
        )  # fmt: skip
        return totals.execute().iloc[0].fillna(0)

    @property
    def orders(self) -> ir.Table:
        """The orders that count."""
        return self.sums.filter(self.sums.removed_by.isnull())

    def revenue_share(self, money: float) -> float:
        """An amount as a share of the revenue that counts."""
        return abs(money) / self.totals.revenue if self.totals.revenue else 0.0

    def customer_share(self, customers: float) -> float:
        """A number of customers as a share of those who count."""
        return customers / self.totals.customers if self.totals.customers else 0.0


def as_it_is(meaning: str, code: QuestionCode) -> Choice:
    """The answer that the data are right."""
    return Choice(meaning, {"confirmed": [code.value]})


def _yaml_line(name: str, value: object) -> str:
    """A parameter as it is written in a file: `cleaning: {duplicates: drop}`."""
    *sections, key = name.split(".")
    line = f"{key}: {_yaml_value(value)}"
    for section in reversed(sections):
        line = f"{section}: {{{line}}}"
    return line


def _yaml_value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return in_yaml(str(value))
