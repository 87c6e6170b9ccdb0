"""200 edits of the tables of a report end in a refusal in words, or leave the figures of the pages as they are.

Rows are filtered or duplicated, columns dropped, renamed or scaled. There are never two numbers for one thing.

An edit is made where an analyst makes it: just before its notebook saves the table. The other tables of that notebook
are then saved as they are, and at last all tables are checked as before publishing. `shown` computes anew, from each
table that holds it, what the pages show of customers, orders, revenue, expected revenue and budget.
"""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm_utils.core.contracts import CONTRACTS, agreement, check_contract
from crm_utils.core.errors import TableError
from crm_utils.core.orders import orders_as_of
from tests.support import in_process
from tests.support.projects import DAY, edit

EDITS = 200
TODAY = date.fromisoformat(DAY.name)
BUDGET = 50_000.0
EVERY = 7  # a filter takes away a seventh of the rows
KINDS = ("filter", "drop", "rename", "scale", "duplicate")


class Edit(NamedTuple):
    """A change of one table, at a column or a row."""

    table: str
    kind: str
    column: int
    row: int
    factor: float

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        if self.kind == "filter":
            return frame[np.arange(len(frame)) % EVERY != self.row % EVERY]
        if self.kind == "duplicate":
            return pd.concat([frame, frame.iloc[[self.row]]])
        name = frame.columns[self.column]
        if self.kind == "drop":
            return frame.drop(columns=name)
        if self.kind == "rename":
            return frame.rename(columns={name: f"{name}{'_2' if self.row % 2 else 's'}"})
        return frame.assign(**{name: frame[name] * self.factor})


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns


@pytest.fixture(scope="module")
def report(built, tmp_path_factory) -> dict[str, dict[str, pd.DataFrame]]:
    """The tables by the notebook that saves them, in that order: with moves since an earlier date, and with a plan."""
    project = shutil.copytree(built, tmp_path_factory.mktemp("fuzzed") / "project")
    edit(project / "params" / "campaigns.yaml", "fixed_cost:", "fixed_cost: 0.5  #")
    folder = project / DAY
    for name, more in (("03_segmentation", {"compare_with": "1997-06-30"}), ("05_budget", {})):
        source = project / "notebooks" / f"{name}.ipynb"
        in_process.execute(source, folder / "notebooks" / source.name, {"run_dir": "..", **more}, draw=False)
    written = {path.stem: path for path in sorted((folder / "data").glob("*.parquet"), key=_time)}
    books = json.loads((folder / "manifest.json").read_text())["notebooks"]
    by_book = {book["name"]: [Path(file).stem for file in book["files"] if file.endswith(".parquet")] for book in books}
    return {
        book: {name: pd.read_parquet(written[name]) for name in written if name in names and name in CONTRACTS}
        for book, names in by_book.items()
    }


@pytest.fixture(scope="module")
def edits(report) -> list[Edit]:
    """The same 200 different edits each time."""
    found: dict[Edit, None] = {}
    tables = {name: table for of_book in report.values() for name, table in of_book.items() if len(table)}

    @settings(
        max_examples=3 * EDITS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def collect(data):
        name, kind = data.draw(st.sampled_from(list(tables))), data.draw(st.sampled_from(KINDS))
        frame = tables[name]
        numbers = [frame.columns.get_loc(column) for column in frame.select_dtypes("number")]
        column, row, factor = 0, 0, 1.0
        if kind == "scale" and not numbers:
            return
        if kind in ("filter", "duplicate"):
            row = data.draw(st.integers(0, min(len(frame), EVERY if kind == "filter" else 600) - 1))
        else:
            column = data.draw(st.sampled_from(numbers if kind == "scale" else range(len(frame.columns))))
            row = data.draw(st.integers(0, 1)) if kind == "rename" else 0
        if kind == "scale":
            factor = data.draw(st.sampled_from([2.0, 0.5, -1.0, 1.001, 100.0]))
        found[Edit(name, kind, column, row, factor)] = None

    collect()
    return list(found)[:EDITS]


def known_orders(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The orders of the analysis date after cancellations."""
    less = tables["order_adjustments"].groupby(["customer_id", "order_id"]).revenue.sum().rename("less").reset_index()
    orders = tables["orders"].merge(less, on=["customer_id", "order_id"], how="left")
    return orders.assign(revenue=orders.revenue + orders.less.fillna(0))


def shown(tables: dict[str, pd.DataFrame]) -> dict[str, dict[str, float]]:
    """What the pages show, by figure and by the table that it is computed from."""
    ledger, orders, customers = tables["cleaning_ledger"].iloc[-1:], known_orders(tables), tables["customers"]
    profile, cltv, forecast = tables["segment_profile"], tables["cltv"], tables["forecast"]
    business, plan, calendar = tables["business"], tables["budget"], tables["budget_calendar"]
    won, lines, history = tables["acquisition"], tables["budget_lines"], tables["history"].iloc[-1:]
    listed, everybody = tables["contact_plan"], forecast[forecast.segment == "all"]
    figures = {
        "customers": {
            "cleaning_ledger": ledger.customers_left.sum(),
            "orders": orders.customer_id.nunique(),
            "customers": len(customers),
            "segments": len(tables["segments"]),
            "segment_profile": profile.customers.sum(),
            "cltv": len(cltv),
        },
        "orders": {"orders": len(orders), "customers": customers.orders.sum()},
        "revenue": {
            "cleaning_ledger": ledger.revenue_left.sum(),
            "orders": orders.revenue.sum(),
            "customers": customers.revenue.sum(),
            "segment_profile": profile.revenue.sum(),
        },
        "bought in 90 days": {
            "customers": (customers.recency_days < 90).sum(),
            "history": history.active_customers.sum(),
        },
        "revenue of 90 days": {
            "orders": orders.revenue[orders.ordered_at > pd.Timestamp(TODAY) - pd.Timedelta(days=89.5)].sum(),
            "history": history.revenue.sum(),
        },
        "first wave": {"budget": plan.spend.sum(), "budget_calendar": calendar.spend[calendar.wave == 1].sum()},
        "spend": {
            "budget_calendar": calendar.spend.sum() + won.spend.sum(),
            "budget_lines": lines.spend[lines.line != "reserve"].sum(),
        },
        "profit": {
            "budget_calendar": calendar.expected_profit.sum() + won.expected_profit.sum(),
            "budget_lines": lines.expected_profit.sum(),
        },
        "budget": {"parameters": BUDGET, "budget_lines": lines.spend.sum()},
        "contacts": {"budget": plan.contacts.sum(), "contact_plan": (listed.group == "treatment").sum()},
    }
    for months in (1, 3, 6, 12):
        figures[f"expected revenue in {months} months"] = {
            "cltv": cltv[f"expected_revenue_{months}m"].sum(),
            "forecast": everybody.revenue[everybody.months == months].sum(),
            "forecast by segment": forecast.revenue[(forecast.segment != "all") & (forecast.months == months)].sum(),
            "business": business.revenue_known[business.months == months].sum(),
        }
    return figures


def contradictions(tables: dict[str, pd.DataFrame], before: dict[str, dict[str, float]], only: set[str]) -> list[str]:
    """The figures whose value in one of these tables is not what the pages show."""
    return [
        f"{figure}: {value:,.2f} in {table}, and {before[figure][table]:,.2f} on the pages"
        for figure, holders in shown(tables).items()
        for table, value in holders.items()
        if table.split()[0] in only and not np.isclose(value, before[figure][table], rtol=1e-5, atol=0.06)
    ]


class Tables(agreement.SavedTables):
    """The tables in memory."""

    def __init__(self, tables: dict[str, pd.DataFrame]):
        def orders() -> ibis.Table:
            known = (ibis.memtable(tables[name]) for name in ("orders", "order_adjustments"))
            return orders_as_of(*known, TODAY)

        super().__init__(Path(), orders, tables, BUDGET)

        known = known_orders(tables)
        self.order_totals = pd.Series(
            {
                "customers": known.customer_id.nunique(),
                "orders": len(known),
                "lines": known.lines.sum(),
                "revenue": known.revenue.sum(),
            }
        )

    def has(self, *names: str) -> bool:
        return set(names) <= {*self.replaced, agreement.PARAMETERS}


def outcome(edit: Edit, report: dict[str, dict[str, pd.DataFrame]], before: dict[str, dict[str, float]]) -> str:
    """What became of an edit: the words of a refusal, a contradiction (begins with “contradiction”), or nothing."""
    tables = {name: table for of_book in report.values() for name, table in of_book.items()}
    book = next(of_book for of_book in report.values() if edit.table in of_book)
    try:
        edited = edit.apply(tables[edit.table])
        tables[edit.table] = check_contract(edited, edit.table)
        later = list(book)[list(book).index(edit.table) :]
        saved = Tables(tables)
        for name in later:
            agreement.check_agreement(saved, name)
        if found := contradictions(tables, before, set(book)):
            return f"contradiction in its notebook: {found}"
        agreement.check_agreement(saved)
    except TableError as error:
        return str(error)
    found = contradictions(tables, before, set(tables))
    return f"contradiction: {found}" if found else ""


def outcomes(edits: list[Edit], report: dict[str, dict[str, pd.DataFrame]]) -> Iterator[tuple[Edit, str]]:
    before = shown({name: table for of_book in report.values() for name, table in of_book.items()})
    for one in edits:
        yield one, outcome(one, report, before)


def test_the_report_has_one_number_for_each_thing_and_something_to_contradict(report):
    figures = shown({name: table for of_book in report.values() for name, table in of_book.items()})
    for figure, holders in figures.items():
        assert np.ptp(list(holders.values())) < 0.06, (figure, holders)
    assert figures["spend"]["budget_lines"] > 0 and figures["contacts"]["contact_plan"] > 0
    assert len(report["03_segmentation"]["segment_migration"]) > 0


def test_no_edit_ends_in_two_numbers_for_one_thing(report, edits):
    found = dict(outcomes(edits, report))
    assert [(one, words) for one, words in found.items() if words.startswith("contradiction")] == []
    refused = [words for words in found.values() if words]
    assert len(edits) == EDITS and 0.4 < len(refused) / len(found) < 0.95, "both outcomes are common"
    assert {one.kind for one, words in found.items() if words} == set(KINDS)
    assert all(words.startswith("table ") for words in refused)


@pytest.mark.parametrize(
    ("figure", "table"),
    [
        ("revenue", "orders"),
        ("customers who ordered in the last 90 days", "history"),
        ("budget", "budget_lines"),
        ("expected profit of the plan", "budget_lines"),
    ],
)
def test_without_one_agreement_an_edit_ends_in_two_numbers(report, edits, monkeypatch, figure, table):
    """The test above can fail."""
    monkeypatch.setattr(agreement, "FIGURES", tuple(one for one in agreement.FIGURES if one.name != figure))
    of_table = [one for one in edits if one.table == table]
    assert any(words.startswith("contradiction") for _, words in outcomes(of_table, report))


def test_without_any_agreement_many_edits_end_in_two_numbers(report, edits, monkeypatch):
    monkeypatch.setattr(agreement, "FIGURES", ())
    monkeypatch.setattr(agreement, "SAME_CUSTOMERS", {})
    assert sum(words.startswith("contradiction") for _, words in outcomes(edits, report)) > 20
