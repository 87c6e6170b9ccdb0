"""What a new report counts on its last date, computed by the engine: for the questions and the first look."""

import math
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils import sources
from crm_utils.cleaning.cancellations import match_cancellations, order_adjustments
from crm_utils.cleaning.ledger import build_ledger, ledger_after_amount_parts, ledger_after_cancellations
from crm_utils.cleaning.question import Evidence
from crm_utils.cleaning.rules import (
    classify,
    flag_repeated_lines,
    keep_counted_lines,
    merge_customer_ids,
    removal_rules,
    select_cancellations,
)
from crm_utils.config import Report
from crm_utils.core.duckdb_engine import is_picked, materialize
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.orders import aggregate_lines, orders_as_of, orders_from_aggregates

# Of more rows, so many are counted: those of some customers. This takes seconds, and the report counts all.
MAX_ROWS, SAMPLED_ROWS = 12_000_000, 4_000_000
NO_CURRENCY = "XXX"  # what `make new` writes if it finds none


@dataclass(frozen=True)
class CountedShop:
    """The line items of a report as 01_cleaning counts them on its last date.

    Parameters
    ----------
    report : Report
        The parameters.
    root : Path
        The project's folder.
    """

    report: Report
    root: Path

    @property
    def day(self) -> date:
        """The last analysis date."""
        return self.report.fixed_dates[-1]

    @property
    def fmt(self) -> NumberFormat:
        """How numbers and money are written; without a currency if it is not known yet."""
        currency = "" if self.report.unit == NO_CURRENCY else self.report.unit
        return NumberFormat(currency, self.report.thousands_separator)

    @cached_property
    def _all_lines(self) -> ir.Table:
        return sources.read_line_items(self.report.source, self.report.columns, self.root, self.day)

    @cached_property
    def rows(self) -> int:
        """The rows of the source."""
        return int(self._all_lines.count().execute())

    @cached_property
    def one_in(self) -> int:
        """Of so many customers one is counted: of all, unless there are more than `MAX_ROWS` rows."""
        is_duckdb = self._all_lines.get_backend().name == "duckdb"
        return math.ceil(self.rows / SAMPLED_ROWS) if is_duckdb and self.rows > MAX_ROWS else 1

    @cached_property
    def _rules_and_lines(self) -> tuple[list[str], ir.Table]:
        """The names of the rules, and the classified line items."""
        cleaning = self.report.cleaning
        lines = self._all_lines
        if self.one_in > 1:
            ids = [lines[name] for name in ("customer_id", "order_id") if name in lines.columns]
            # of unknown customers, some orders
            lines = materialize(lines.filter(is_picked(ibis.coalesce(*ids, ""), self.one_in)))
        lines = flag_repeated_lines(merge_customer_ids(lines, cleaning.merge_customers))
        excluded = cleaning.exclude_products, cleaning.exclude_customers
        rules = removal_rules(lines, self.day, cleaning.cancellations, cleaning.duplicates, *excluded)
        return list(rules), classify(lines, rules)

    @property
    def lines(self) -> ir.Table:
        """The classified line items."""
        return self._rules_and_lines[1]

    @cached_property
    def order_totals(self) -> ir.Table:
        """The line items summed by customer, order and rule."""
        return aggregate_lines(self.lines)

    @cached_property
    def evidence(self) -> Evidence:
        """What questions are found in."""
        report, mode = self.report, self.report.cleaning.cancellations
        doubts = sources.find_doubts(report.source, report.columns, self.root)
        return Evidence(self.lines, self.order_totals, mode, report.columns, doubts, self.fmt)

    @cached_property
    def _ledger_and_orders(self) -> tuple[pd.DataFrame, ir.Table]:
        mode = self.report.cleaning.cancellations
        ledger = ledger_after_amount_parts(build_ledger(self.order_totals, self._rules_and_lines[0]), self.lines)
        counted = keep_counted_lines(self.lines, ledger, self.day)
        matched = match_cancellations(counted, select_cancellations(self.lines), mode)
        placed = orders_from_aggregates(self.order_totals)
        orders = orders_as_of(placed, order_adjustments(matched), self.day).cache()
        return ledger_after_cancellations(ledger, matched, orders, mode), orders

    @property
    def ledger(self) -> pd.DataFrame:
        """What happened to every row (see `build_ledger`)."""
        return self._ledger_and_orders[0]

    @property
    def orders(self) -> ir.Table:
        """The orders as of the last date (see `orders_as_of`)."""
        return self._ledger_and_orders[1]
