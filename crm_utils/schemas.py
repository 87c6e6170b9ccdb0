"""The contract of each table: its columns, types, ranges and key. Extra columns are welcome."""

from dataclasses import dataclass

import pandas as pd
from pandera.errors import SchemaErrors
from pandera.pandas import Check, Column, DataFrameSchema

TIME = "datetime64[us]"
SHARE = Check.in_range(0, 1)
POSITIVE = Check.gt(0)
NOT_NEGATIVE = Check.ge(0)


class TableError(ValueError):
    """A table breaks its contract; the message lists every violation with counts and examples."""


@dataclass(frozen=True)
class Contract:
    """The columns a table has at least, the key that makes its rows unique and sorts them, and which columns are dates."""

    columns: dict[str, Column]
    key: tuple[str, ...]
    dates: tuple[str, ...] = ()  # stored as dates, handed out as datetime64

    @property
    def times(self) -> list[str]:
        """The columns that hold a date or a time."""
        return [name for name, column in self.columns.items() if str(column.dtype).startswith("datetime64")]

    @property
    def schema(self) -> DataFrameSchema:
        return DataFrameSchema(self.columns, unique=list(self.key) or None)


def _text(nullable: bool = False) -> Column:
    return Column(str, nullable=nullable, coerce=True)


def _whole(*checks: Check) -> Column:
    return Column(int, list(checks), coerce=True)


def _number(*checks: Check, nullable: bool = False) -> Column:
    return Column(float, list(checks), nullable=nullable, coerce=True)


def _time() -> Column:
    return Column(TIME, coerce=True)


def _forecast(name: str) -> dict[str, Column]:
    return {f"{name}{suffix}": _number(NOT_NEGATIVE) for suffix in ("", "_1m", "_3m", "_6m")}


CONTRACTS = {
    "cleaning_log": Contract(
        {
            "rule": _text(),
            "rows_removed": _whole(NOT_NEGATIVE),
            "revenue_removed": _number(),
            "rows_left": _whole(NOT_NEGATIVE),
            "customers_left": _whole(NOT_NEGATIVE),
            "revenue_left": _number(),
        },
        key=(),
    ),
    "orders": Contract(
        {
            "customer_id": _text(),
            "order_id": _text(),
            "ordered_at": _time(),
            "revenue": _number(),
            "units": _number(),
            "lines": _whole(POSITIVE),
        },
        key=("customer_id", "order_id"),
    ),
    "adjustments": Contract(
        {
            "customer_id": _text(),
            "order_id": _text(nullable=True),
            "adjusted_at": _time(),
            "revenue": _number(Check.le(0)),
        },
        key=(),
    ),
    "customers": Contract(
        {
            "customer_id": _text(),
            "first_order": _time(),
            "last_order": _time(),
            "recency_days": _whole(NOT_NEGATIVE),
            "orders": _whole(POSITIVE),
            "revenue": _number(),
            "mean_order_value": _number(),
            "recency_score": _whole(POSITIVE),
            "frequency_score": _whole(POSITIVE),
            "monetary_score": _whole(POSITIVE),
            "rfm_cell": _text(),
        },
        key=("customer_id",),
        dates=("first_order", "last_order"),
    ),
    "segments": Contract({"customer_id": _text(), "segment": _text()}, key=("customer_id",)),
    "segment_profile": Contract(
        {
            "segment": _text(),
            "customers": _whole(NOT_NEGATIVE),
            "customer_share": _number(SHARE),
            "revenue": _number(),
            "revenue_share": _number(),
            "recency_days": _number(NOT_NEGATIVE, nullable=True),
            "orders": _number(NOT_NEGATIVE, nullable=True),
            "mean_order_value": _number(nullable=True),
            "advice": _text(),
        },
        key=(),
    ),
    "cltv": Contract(
        {
            "customer_id": _text(),
            "repeat_orders": _whole(NOT_NEGATIVE),
            "last_order_age": _whole(NOT_NEGATIVE),
            "age": _whole(NOT_NEGATIVE),
            "mean_value": _number(POSITIVE),
            "p_alive": _number(SHARE, nullable=True),
            **_forecast("expected_orders"),
            **_forecast("expected_revenue"),
            "clv": _number(NOT_NEGATIVE),
        },
        key=("customer_id",),
    ),
    "model": Contract(
        {
            "model": _text(),
            "parameter": _text(),
            "value": _number(),
            "standard_error": _number(nullable=True),
            "note": _text(nullable=True),
        },
        key=("model", "parameter"),
    ),
    "backtest": Contract(
        {
            "origin": _time(),
            "horizon_days": _whole(POSITIVE),
            "method": _text(),
            "orders_actual": _number(NOT_NEGATIVE),
            "orders_predicted": _number(NOT_NEGATIVE),
            "revenue_actual": _number(),
            "revenue_predicted": _number(),
            "mae_orders": _number(NOT_NEGATIVE),
            "top_decile_capture": _number(nullable=True),
        },
        key=("origin", "horizon_days", "method"),
        dates=("origin",),
    ),
    "budget": Contract(
        {
            "campaign": _text(),
            "segment": _text(),
            "customers": _whole(NOT_NEGATIVE),
            "contacts": _whole(NOT_NEGATIVE),
            "control": _whole(NOT_NEGATIVE),
            "spend": _number(NOT_NEGATIVE),
            "expected_profit": _number(),
            "profit_low": _number(),
            "profit_high": _number(),
            "roi": _number(nullable=True),
            "break_even_lift": _number(nullable=True),
            "max_cost_per_contact": _number(nullable=True),
            "detectable_lift": _number(nullable=True),
            "basis": Column(str, Check.isin(["measured", "assumed"]), coerce=True),
            "reason": _text(),
        },
        key=("campaign", "segment"),
    ),
}


def check(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The frame, coerced to the types of table `name` and proven to honour its contract.

    Raises `TableError` with one line for each column and broken rule: how many rows, and up to three examples.
    An analyst's own table (a name without a contract) passes as it is.
    """
    if name not in CONTRACTS:
        return frame
    contract = CONTRACTS[name]
    try:
        checked = contract.schema.validate(frame.reset_index(drop=True), lazy=True)
    except SchemaErrors as error:
        raise TableError(f"table {name} breaks its contract:\n{_violations(error.failure_cases)}") from None
    return checked.astype(dict.fromkeys(contract.times, TIME))  # pandera knows nanoseconds only


def _violations(cases: pd.DataFrame) -> str:
    lines = []
    for (column, rule), group in cases.groupby(["column", "check"], dropna=False, sort=True):
        if rule == "column_in_dataframe":
            lines.append(f"  column {group.failure_case.iloc[0]} is missing")
            continue
        examples = ", ".join(map(repr, group.failure_case.drop_duplicates().head(3).tolist()))
        lines.append(
            f"  {column}: {rule} fails in {group['index'].nunique() or len(group):,} rows, for example {examples}"
        )
    return "\n".join(lines)
