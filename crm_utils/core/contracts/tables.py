"""The columns, types, ranges and key of each table."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandera.pandas import Check, Column, DataFrameSchema

from crm_utils.core.contracts import rules
from crm_utils.core.contracts.rules import OWN_MODEL, Rule

# Increase it when a table, column or code is renamed or changes its meaning.
CONTRACT_VERSION = 3
TIME = "datetime64[us]"
SHARE = Check.in_range(0, 1)
POSITIVE = Check.gt(0)
NOT_NEGATIVE = Check.ge(0)
# The parameters allow up to ten score classes.
SCORE = Check.in_range(1, 10)
NAMED = Check(lambda values: values != "", name="not_empty")
FINITE = Check(lambda values: np.isfinite(values) | values.isna(), name="finite")


@dataclass(frozen=True)
class Contract:
    """The columns and the key that a table must have.

    Parameters
    ----------
    columns : dict of str to pandera.Column
        The required columns.
    key : tuple of str
        The columns that together identify a row. The stored table is sorted by them.
    dates : tuple of str
        The columns that hold a day without a time of day. They are exported to databases as dates.
    optional : dict of str to pandera.Column
        The columns that a table only has if the source or the parameters provide them.
    rules : tuple of Rule
        What holds in each row.
    own_columns : bool
        Whether the columns come from a file of the user, so that a column we do not know is no slip of the pen.
    """

    columns: dict[str, Column]
    key: tuple[str, ...]
    dates: tuple[str, ...] = ()
    optional: Mapping[str, Column] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    own_columns: bool = False

    @property
    def times(self) -> list[str]:
        """The columns that hold a date or a time."""
        return [name for name, column in self.columns.items() if str(column.dtype).startswith("datetime64")]

    @property
    def schema(self) -> DataFrameSchema:
        """The contract as pandera checks it."""
        optional = {name: Column(**column.properties | {"required": False}) for name, column in self.optional.items()}
        return DataFrameSchema(self.columns | optional, unique=list(self.key) or None)


def _text(*checks: Check, nullable: bool = False) -> Column:
    return Column(str, list(checks), nullable=nullable, coerce=True)


def _whole(*checks: Check) -> Column:
    # not coerced, because 2.7 would become 2 without a warning
    return Column(int, list(checks))


def _number(*checks: Check, nullable: bool = False) -> Column:
    return Column(float, [FINITE, *checks], nullable=nullable, coerce=True)


def _time() -> Column:
    return Column(TIME, coerce=True)


def _forecast(name: str) -> dict[str, Column]:
    return {f"{name}{suffix}": _number(NOT_NEGATIVE) for suffix in ("_1m", "_3m", "_6m", "_12m")}


CONTRACTS = {
    "cleaning_ledger": Contract(
        {
            "rule": _text(),
            "rows_removed": _whole(NOT_NEGATIVE),
            "revenue_removed": _number(),
            "rows_left": _whole(NOT_NEGATIVE),
            "customers_left": _whole(NOT_NEGATIVE),
            "revenue_left": _number(),
        },
        key=(),
        rules=(
            rules.running_total("rows_left", "rows_removed"),
            rules.running_total("revenue_left", "revenue_removed"),
        ),
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
    "order_adjustments": Contract(
        {
            "customer_id": _text(),
            "order_id": _text(nullable=True),
            "adjusted_at": _time(),
            "revenue": _number(Check.le(0)),
        },
        key=(),
    ),
    "unmatched_cancellations": Contract(
        {
            "customer_id": _text(),
            "cancellation_id": _text(nullable=True),
            "product_id": _text(nullable=True),
            "cancelled_at": _time(),
            "revenue": _number(),
        },
        key=(),
    ),
    "example_customer_lines": Contract(
        {
            "customer_id": _text(),
            "order_id": _text(nullable=True),
            "ordered_at": _time(),
            "amount": _number(nullable=True),
            "removed_by": _text(nullable=True),
        },
        key=(),
    ),
    "customer_features": Contract(
        {"customer_id": _text()},
        key=("customer_id",),
        optional={
            "price_ratio": _number(nullable=True),
            "distinct_products": _whole(NOT_NEGATIVE),
            "favourite_product": _text(nullable=True),
            "main_country": _text(nullable=True),
            "return_share": _number(SHARE, nullable=True),
            "margin_rate": _number(nullable=True),
        },
    ),
    "attributes": Contract({"customer_id": _text()}, key=("customer_id",), own_columns=True),
    "contacts": Contract(
        {
            "customer_id": _text(),
            "channel": _text(),
            "consent": Column(bool),
            "last_contacted": Column(TIME, nullable=True, coerce=True),
            "external_id": _text(nullable=True),
        },
        key=("customer_id", "channel"),
        dates=("last_contacted",),
        own_columns=True,
    ),
    "past_campaigns": Contract(
        {
            "campaign": _text(),
            "customer_id": _text(),
            "contacted_on": _time(),
            "group": Column(str, Check.isin(["treatment", "control"]), coerce=True),
        },
        key=("campaign", "customer_id", "contacted_on"),
        dates=("contacted_on",),
        own_columns=True,
    ),
    "sent_messages": Contract(
        {
            "campaign": _text(),
            "customer_id": _text(nullable=True),
            "sent_on": Column(TIME, nullable=True, coerce=True),
            "outcome": Column(str, Check.isin(["sent", "bounced", "unsubscribed", "not sent"]), coerce=True),
            "planned": Column(
                str, Check.isin(["treatment", "control", "not planned", "unknown customer"]), coerce=True
            ),
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
            "recency_score": _whole(SCORE),
            "frequency_score": _whole(SCORE),
            "monetary_score": _whole(SCORE),
            "rfm_cell": _text(),
        },
        key=("customer_id",),
        dates=("first_order", "last_order"),
        optional={
            "recency_weeks": _whole(NOT_NEGATIVE),
            "recency_months": _whole(NOT_NEGATIVE),
            "elapsed_days": _whole(),
            "purchase_days": _whole(NOT_NEGATIVE),
            "window_purchase_days": _whole(NOT_NEGATIVE),
            "window_orders": _whole(NOT_NEGATIVE),
            "window_revenue": _number(),
            "window_mean_order_value": _number(),
        },
        rules=(
            rules.ascending("first_order", "last_order"),
            rules.equal("revenue", "mean_order_value * orders"),
            rules.same_in_all_rows(
                "last_order + recency_days = the analysis date",
                lambda table: table.last_order + pd.to_timedelta(table.recency_days, unit="D"),
            ),
        ),
    ),
    "history": Contract(
        {
            "last_day": _time(),
            "active_customers": _whole(NOT_NEGATIVE),
            "new_customers": _number(NOT_NEGATIVE, nullable=True),
            "revenue": _number(),
            "revenue_12m": _number(nullable=True),
            "top_tenth_share": _number(nullable=True),
        },
        key=("last_day",),
        dates=("last_day",),
        rules=(rules.ascending("new_customers", "active_customers"),),
    ),
    "segments": Contract(
        {"customer_id": _text(), "segment": _text(NAMED), "lifecycle": _text(nullable=True)},
        key=("customer_id",),
        optional={
            name: _text(nullable=True) for name in ("price", "returns", "breadth", "favourite_product", "main_country")
        },
    ),
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
        rules=(
            rules.different("segment"),
            rules.share_of_all("customer_share", "customers"),
            rules.share_of_all("revenue_share", "revenue"),
        ),
    ),
    "segment_migration": Contract(
        {
            "from_segment": _text(),
            "to_segment": _text(),
            "cause": _text(
                Check.isin(
                    [
                        "bought",
                        "stayed_silent",
                        "bin_edges_moved_by_existing",
                        "bin_edges_moved_by_new",
                        "arrivals_less_departures",
                    ]
                )
            ),
            "customers": _whole(NOT_NEGATIVE),
            "revenue": _number(),
        },
        key=("from_segment", "to_segment", "cause"),
    ),
    "cltv": Contract(
        {
            "customer_id": _text(),
            "repeat_purchase_days": _whole(NOT_NEGATIVE),
            "last_purchase_age_days": _whole(NOT_NEGATIVE),
            "customer_age_days": _whole(NOT_NEGATIVE),
            "mean_purchase_value": _number(POSITIVE),
            "p_alive": _number(SHARE, nullable=True),
            "chance_6m": _number(SHARE),
            "chance_12m": _number(SHARE),
            **_forecast("expected_purchase_days"),
            **_forecast("expected_revenue"),
            "clv": _number(NOT_NEGATIVE),
            "clv_low": _number(NOT_NEGATIVE),
            "clv_high": _number(NOT_NEGATIVE),
            "value_tier": Column(str, Check.isin(["A", "B", "C"]), coerce=True),
            "historical_clv": _number(NOT_NEGATIVE),
        },
        key=("customer_id",),
        rules=(
            rules.ascending("clv_low", "clv", "clv_high", cure=OWN_MODEL),
            rules.falls_with("value_tier", "clv", cure=OWN_MODEL),
            rules.ascending("chance_6m", "chance_12m"),
            rules.ascending(*_forecast("expected_purchase_days"), cure=OWN_MODEL),
            rules.ascending(*_forecast("expected_revenue"), cure=OWN_MODEL),
        ),
    ),
    "fitted_parameters": Contract(
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
            "model": _text(),
            "purchase_days_actual": _number(NOT_NEGATIVE),
            "purchase_days_predicted": _number(NOT_NEGATIVE),
            "revenue_actual": _number(),
            "revenue_predicted": _number(),
            "weight": _number(SHARE),
            "top_decile_capture": _number(nullable=True),
            "revenue_low": _number(nullable=True),
            "revenue_high": _number(nullable=True),
            "customers": _whole(NOT_NEGATIVE),
            "past_spend_capture": _number(nullable=True),
            "revenue_new": _number(nullable=True),
            "revenue_new_predicted": _number(nullable=True),
            "whole_low": _number(nullable=True),
            "whole_high": _number(nullable=True),
        },
        key=("origin", "horizon_days", "model"),
        dates=("origin",),
        rules=(rules.ascending("revenue_low", "revenue_predicted", "revenue_high"),),
    ),
    "forecast": Contract(
        {
            "horizon_days": _whole(POSITIVE),
            "months": _whole(POSITIVE),
            "segment": _text(),
            "purchase_days": _number(NOT_NEGATIVE),
            "revenue": _number(NOT_NEGATIVE),
            "revenue_low": _number(NOT_NEGATIVE, nullable=True),
            "revenue_high": _number(NOT_NEGATIVE, nullable=True),
        },
        key=("horizon_days", "segment"),
        rules=(rules.ascending("revenue_low", "revenue", "revenue_high"),),
    ),
    "business": Contract(
        {
            "months": _whole(POSITIVE),
            "horizon_days": _whole(POSITIVE),
            "revenue_known": _number(NOT_NEGATIVE),
            "revenue_new": _number(NOT_NEGATIVE),
            "revenue": _number(NOT_NEGATIVE),
            "revenue_low": _number(NOT_NEGATIVE, nullable=True),
            "revenue_high": _number(NOT_NEGATIVE, nullable=True),
            "revenue_known_before": _number(),
            "revenue_new_before": _number(),
            "revenue_before": _number(),
        },
        key=("months",),
        rules=(
            rules.ascending("revenue_low", "revenue", "revenue_high"),
            rules.equal("revenue", "revenue_known + revenue_new"),
            rules.equal("revenue_before", "revenue_known_before + revenue_new_before"),
        ),
    ),
    "budget": Contract(
        {
            "campaign": _text(),
            "segment": _text(),
            "customers": _whole(NOT_NEGATIVE),
            "contacts": _whole(NOT_NEGATIVE),
            "messages": _number(POSITIVE),
            "response": _number(NOT_NEGATIVE),
            "holdout_customers": _whole(NOT_NEGATIVE),
            "spend": _number(NOT_NEGATIVE),
            "expected_profit": _number(),
            "profit_low": _number(),
            "profit_high": _number(),
            "roi": _number(nullable=True),
            "break_even_lift": _number(nullable=True),
            "max_cost_per_contact": _number(nullable=True),
            "minimum_detectable_lift": _number(nullable=True),
            "evidence": Column(str, Check.isin(["measured", "published", "assumed"]), coerce=True),
            "reason": _text(),
            **{name: _number() for name in ("lift", "lift_low", "lift_high")},
            "break_point_lift": _number(nullable=True),
            **{name: _number(nullable=True) for name in ("baseline_probability", "margin", "discount")},
            "discount_to_baseline_buyers": _number(nullable=True),
            **{name: _number() for name in ("incremental_margin", "incentives_added", "incentives_to_baseline_buyers")},
            **{name: _number(NOT_NEGATIVE) for name in ("contact_costs", "fixed_costs")},
        },
        key=("campaign", "segment"),
        rules=(
            rules.ascending("profit_low", "expected_profit", "profit_high"),
            rules.ascending("lift_low", "lift", "lift_high"),
            rules.equal("spend", "contact_costs + incentives_added + incentives_to_baseline_buyers + fixed_costs"),
            rules.equal("expected_profit", "incremental_margin - spend"),
        ),
    ),
    "budget_calendar": Contract(
        {
            "wave": _whole(POSITIVE),
            "starts_on": _time(),
            "campaign": _text(),
            "segment": _text(),
            "messages": _whole(POSITIVE),
            "customers": _number(NOT_NEGATIVE),
            "contacts": _number(NOT_NEGATIVE),
            "baseline_probability": _number(NOT_NEGATIVE),
            "response": _number(NOT_NEGATIVE),
            "added_buyers": _number(NOT_NEGATIVE),
            "margin": _number(),
            "discount": _number(NOT_NEGATIVE),
            "discount_to_baseline_buyers": _number(NOT_NEGATIVE),
            "incremental_margin": _number(),
            "contact_costs": _number(NOT_NEGATIVE),
            "incentives_added": _number(NOT_NEGATIVE),
            "incentives": _number(NOT_NEGATIVE),
            "fixed_costs": _number(NOT_NEGATIVE),
            "spend": _number(NOT_NEGATIVE),
            "expected_profit": _number(),
        },
        key=("wave", "campaign", "segment", "messages"),
        rules=(
            rules.equal("contacts", "customers * messages"),
            rules.equal("spend", "contact_costs + incentives + fixed_costs"),
            rules.equal("expected_profit", "incremental_margin - spend"),
        ),
    ),
    "acquisition": Contract(
        {
            "wave": _whole(POSITIVE),
            "starts_on": _time(),
            "customers_won": _number(NOT_NEGATIVE),
            "spend": _number(NOT_NEGATIVE),
            "value_per_customer": _number(nullable=True),
            "expected_profit": _number(),
        },
        key=("wave",),
    ),
    "contact_plan": Contract(
        {
            "customer_id": _text(),
            "campaign": _text(),
            "segment": _text(),
            "group": Column(str, Check.isin(["treatment", "control"]), coerce=True),
            "messages": _whole(POSITIVE),
            "send_on": _time(),
            "offer_ends": Column(TIME, nullable=True, coerce=True),
            "value": _number(),
            "reason": _text(),
            "assumption": Column(str, coerce=True),
        },
        key=("customer_id",),
        dates=("send_on", "offer_ends"),
    ),
    "budget_lines": Contract(
        {"line": _text(), "spend": _number(NOT_NEGATIVE), "expected_profit": _number()},
        key=(),
        rules=(rules.different("line"),),
    ),
    "budget_gates": Contract(
        {
            "gate": _text(),
            "campaign": Column(str, coerce=True),
            "decide_on": _time(),
            "limit": _number(),
            "releases": _number(NOT_NEGATIVE),
            "observed": _number(nullable=True),
            "state": Column(str, Check.isin(["open", "closed", "not known yet"]), coerce=True),
        },
        key=("gate", "campaign"),
    ),
}
