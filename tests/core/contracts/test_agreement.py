"""Tables of a run agree, or the message names both tables and both numbers."""

from datetime import date

import ibis
import pandas as pd
import pytest

from crm_utils.core.contracts import CONTRACTS, agreement
from crm_utils.core.errors import TableError
from crm_utils.core.orders import orders_as_of

DAY = pd.Timestamp("2024-03-31")
TABLES = {
    "orders": pd.DataFrame(
        {
            "customer_id": ["1", "2", "2"],
            "order_id": ["a", "b", "c"],
            "ordered_at": pd.to_datetime(["2023-01-01", "2024-03-01", "2024-03-31"]),
            "revenue": [10.0, 20.0, 30.0],
            "units": [1.0, 1.0, 1.0],
            "lines": [1, 2, 1],
        }
    ),
    "order_adjustments": pd.DataFrame(
        {"customer_id": ["2"], "order_id": ["c"], "adjusted_at": [DAY], "revenue": [-5.0]}
    ),
    "cleaning_ledger": pd.DataFrame({"rows_left": [9, 4], "customers_left": [4, 2], "revenue_left": [99.0, 55.0]}),
    "customer_features": pd.DataFrame({"customer_id": ["1", "2", "3"]}),
    "customers": pd.DataFrame(
        {
            "customer_id": ["1", "2"],
            "first_order": pd.to_datetime(["2023-01-01", "2024-03-01"]),
            "recency_days": [455, 0],
            "orders": [1, 2],
            "revenue": [10.0, 45.0],
        }
    ),
    "history": pd.DataFrame(
        {"last_day": [DAY], "active_customers": [1], "new_customers": [1.0], "revenue": [45.0], "revenue_12m": [45.0]}
    ),
    "segments": pd.DataFrame({"customer_id": ["1", "2"], "segment": ["Lost", "New"]}),
    "segment_profile": pd.DataFrame(
        {"segment": ["Lost", "New", "Loyal"], "customers": [1, 1, 0], "revenue": [10.0, 45.0, 0.0]}
    ),
    "segment_migration": pd.DataFrame(
        {
            "from_segment": ["New", "New", "not_yet_customer", "New"],
            "to_segment": ["New", "Lost", "New", "no_longer_customer"],
            "cause": ["stayed_silent", "stayed_silent", *["arrivals_less_departures"] * 2],
            "customers": [1, 1, 1, 3],
        }
    ),
    "cltv": pd.DataFrame(
        {
            "customer_id": ["1", "2"],
            "repeat_purchase_days": [0, 1],
            "mean_purchase_value": [10.0, 22.5],
            **{f"expected_revenue_{months}m": [1.0, 2.0] for months in (1, 3, 6, 12)},
            **{f"expected_purchase_days_{months}m": [0.5, 1.0] for months in (1, 3, 6, 12)},
        }
    ),
    "forecast": pd.DataFrame(
        {
            "months": [3, 3, 3],
            "horizon_days": 91,
            "segment": ["all", "Lost", "New"],
            "revenue": [3.0, 1.0, 2.0],
            "purchase_days": [1.5, 0.5, 1.0],
        }
    ),
    "business": pd.DataFrame({"months": [3], "horizon_days": [91], "revenue_known": [3.0], "revenue_before": [45.0]}),
    "budget": pd.DataFrame(
        {
            "campaign": ["Mail", "Mail"],
            "segment": ["Lost", "New"],
            "contacts": [1, 0],
            "holdout_customers": [0, 1],
            "spend": [4.0, 0.0],
            "expected_profit": [1.0, 0.0],
        }
    ),
    "budget_calendar": pd.DataFrame({"wave": [1, 2], "spend": [4.0, 3.0], "expected_profit": [1.0, 1.0]}),
    "acquisition": pd.DataFrame({"spend": [2.0], "expected_profit": [0.5]}),
    "budget_lines": pd.DataFrame({"line": ["learn", "reserve"], "spend": [9.0, 91.0], "expected_profit": [2.5, 0.0]}),
    "contact_plan": pd.DataFrame(
        {
            "customer_id": ["1", "2"],
            "campaign": ["Mail", "Mail"],
            "segment": ["Lost", "New"],
            "group": ["treatment", "control"],
        }
    ),
}


def saved(**changed: pd.DataFrame | None) -> agreement.SavedTables:
    """The tables above, changed; None for one that is missing."""
    tables = {name: table for name, table in {**TABLES, **changed}.items() if table is not None}

    class InMemory(agreement.SavedTables):
        def has(self, *names: str) -> bool:
            return set(names) <= {*tables, agreement.PARAMETERS}

    def known_orders() -> ibis.Table:
        orders, adjustments = (ibis.memtable(tables[name]) for name in ("orders", "order_adjustments"))
        return orders_as_of(orders, adjustments, date(2024, 3, 31))

    return InMemory(None, known_orders, tables, budget=100.0)


def test_tables_that_agree_pass():
    agreement.check_agreement(saved())


def test_every_table_is_known_to_the_contracts():
    holders = [holder for figure in agreement.FIGURES for holder in figure.holders]
    named = {name for holder in holders for name in (holder.table, *holder.others)}
    assert named <= {*CONTRACTS, agreement.PARAMETERS}
    assert named - {agreement.PARAMETERS} == set(TABLES) - {"customer_features"}


DOUBLED = {
    "cleaning_ledger": ["customers_left", "revenue_left", "rows_left"],
    "customers": ["orders", "revenue"],
    "history": ["active_customers", "new_customers", "revenue", "revenue_12m"],
    "segment_profile": ["customers", "revenue"],
    "segment_migration": ["customers"],
    "cltv": ["mean_purchase_value", "expected_revenue_3m", "expected_purchase_days_3m"],
    "forecast": ["revenue", "purchase_days", "horizon_days"],
    "business": ["revenue_known", "revenue_before"],
    "budget": ["contacts", "holdout_customers"],
    "budget_calendar": ["spend", "expected_profit"],
    "budget_lines": ["spend", "expected_profit"],
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in DOUBLED.items() for column in columns]
)
def test_a_figure_that_differs_is_told_with_both_tables_and_numbers(table, column):
    doubled = TABLES[table].assign(**{column: TABLES[table][column] * 2})
    with pytest.raises(TableError, match=r"table (\w+) does not agree with others: .* but .* in \w+\.") as error:
        agreement.check_agreement(saved(**{table: doubled}))
    assert f" {table}" in str(error.value)


@pytest.mark.parametrize("table", ["customers", "segments", "cltv"])
def test_a_customer_who_is_missing_is_told_with_the_knob(table):
    with pytest.raises(TableError, match=f"table {table} does not agree.*To leave customers out") as error:
        agreement.check_agreement(saved(**{table: TABLES[table][:1]}), table)
    assert error.value.table == table


@pytest.mark.parametrize(("table", "of"), [("contact_plan", "customers"), ("customers", "customer_features")])
def test_an_unknown_customer_is_told(table, of):
    unknown = TABLES[table].assign(customer_id=["1", "9"])
    with pytest.raises(TableError, match=f"1 of its customers are not in {of}, for example 9"):
        agreement.check_agreement(saved(**{table: unknown}), table)


def test_a_message_names_segment_and_months():
    forecast = TABLES["forecast"].assign(revenue=[3.0, 2.0, 1.0])
    with pytest.raises(TableError, match="expected revenue by segment and months Lost 3: 2, but 1 in cltv"):
        agreement.check_agreement(saved(forecast=forecast))


def test_a_table_that_is_saved_is_not_compared_with_those_of_an_earlier_run():
    """In a draft, later tables are still those of before the change."""
    fewer = {name: TABLES[name][1:] for name in ("orders", "order_adjustments")} | {
        "order_adjustments": TABLES["order_adjustments"]
    }
    ledger = TABLES["cleaning_ledger"].assign(rows_left=3, customers_left=1, revenue_left=45.0)
    agreement.check_agreement(saved(**fewer, cleaning_ledger=ledger), "cleaning_ledger")
    with pytest.raises(TableError, match="table customers"):
        agreement.check_agreement(saved(**fewer, cleaning_ledger=ledger))


def test_a_table_that_is_not_there_is_left_out():
    agreement.check_agreement(saved(cleaning_ledger=None, budget_lines=None, contact_plan=None))


def test_lists_have_the_customers_of_their_tables():
    agreement.check_listed(saved(), pd.Series(["2"]), "the list")
    agreement.check_lists_of_plan(pd.Series(["1", "2"]), [pd.Series(["2"]), pd.Series(["1"])], "send")
    with pytest.raises(TableError, match="the list has 1 customers who are not in table customers, for example 9"):
        agreement.check_listed(saved(), pd.Series(["2", "9"]), "the list")
    with pytest.raises(TableError, match=r"the lists in send/ have 1 customers, but table contact_plan has 2"):
        agreement.check_lists_of_plan(pd.Series(["1", "2"]), [pd.Series(["2"])], "send")
