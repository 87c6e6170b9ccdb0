"""Contact lists: every customer once, with the reasons for the scores."""

from datetime import date

import pandas as pd
import pytest

from crm_utils.core.errors import TableError
from crm_utils.core.formatting import NumberFormat
from crm_utils.rfm import measures, scoring
from crm_utils.segmentation import assignment, contact_lists
from crm_utils.sources.permissions import universal_holdout
from crm_utils.store import escape_formulas, slug, write_csv
from tests.support.factories import run_folder
from tests.support.segment_factories import segment_rules, two_kinds_of_customers

RULES = segment_rules()
DAY = date(2023, 12, 31)


@pytest.fixture(scope="module")
def scored() -> pd.DataFrame:
    return scoring.score_customers(measures.compute_rfm(two_kinds_of_customers(), DAY), 5)


def test_lists_hold_every_customer_with_reasons(scored, tmp_path):
    assigned = assignment.assign_segments(scored, RULES, DAY)
    found = contact_lists.customer_list(scored, assigned, 5, NumberFormat("USD"))
    assert sorted(found.customer_id) == sorted(scored.customer_id)
    assert found.groupby("segment").revenue.apply(lambda money: money.is_monotonic_decreasing).all()
    first = found[found.customer_id == "x000"].iloc[0]
    row = scored[scored.customer_id == "x000"].iloc[0]
    assert first.why_frequency == f"1 order (score {row.frequency_score} of 5)"
    dear = contact_lists.customer_list(scored.assign(revenue=1234.5), assigned, 5, NumberFormat("USD", "'"))
    assert dear.why_money.str.startswith("1'234.50 in all (score ").all()
    store = run_folder(tmp_path)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "old.csv").write_text("gone")
    store.save_lists(found, by="segment")
    written = sorted(path.name for path in (tmp_path / "lists").iterdir())
    assert written == sorted(f"{slug(name)}.csv" for name in found.segment.unique())
    assert sum(len(pd.read_csv(path)) for path in (tmp_path / "lists").iterdir()) == len(scored)
    store.save_lists(found.head(1), by="segment", folder="moved")
    assert len(list((tmp_path / "lists").glob("*.csv"))) == len(written), "lists in a folder leave the others alone"
    assert len(pd.read_csv(tmp_path / "lists" / "moved" / f"{slug(found.segment.iloc[0])}.csv")) == 1


def test_a_list_worked_by_hand():
    customers = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d"],
            "recency_score": [1, 2, 3, 4],
            "frequency_score": [4, 3, 2, 1],
            "monetary_score": [1, 1, 2, 3],
            "rfm_cell": ["141", "231", "322", "413"],
            "last_order": pd.to_datetime(["2023-12-30", "2023-12-29", "2023-12-28", "2023-12-27"]),
            "recency_days": [1, 2, 3, 4],
            "orders": [4, 3, 2, 1],
            "revenue": [10.0, 10.0, 30.126, 20.0],
            "mean_order_value": [2.5, 3.3333, 15.063, 20.0],
        }
    )
    segments = pd.DataFrame({"customer_id": ["d", "c", "b", "a"], "segment": ["Z", "A", "A", "A"]})
    found = contact_lists.customer_list(customers, segments, 4, NumberFormat("USD"))
    assert found.customer_id.to_dict() == {0: "c", 1: "a", 2: "b", 3: "d"}
    assert found.iloc[1].tolist() == [
        "A",
        "a",
        "141",
        "last order 1 day ago (score 1 of 4)",
        "4 orders (score 4 of 4)",
        "10.00 in all (score 1 of 4)",
        date(2023, 12, 30),
        1,
        4,
        10.0,
        2.5,
    ]
    assert found.revenue[0] == 30.13
    assert found.mean_order_value.tolist() == [15.06, 2.5, 3.33, 20.0]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_a_spreadsheet_would_run_are_neutralised(start):
    table = pd.DataFrame({"customer_id": [f"{start}cmd()", "plain"], "balance": [-5.0, 2.0]})
    safe = escape_formulas(table)
    assert safe.customer_id.tolist() == [f"'{start}cmd()", "plain"]
    assert safe.balance.tolist() == [-5.0, 2.0], "numbers stay numbers"
    assert table.customer_id[0] == f"{start}cmd()", "the table itself is not changed"


@pytest.mark.parametrize("text", ["a;=1+1", "a\t=1+1", "＝1+1", "＋1", "－1", "＠x", ";=1+1", 'a"b', "00003"])
def test_no_list_has_a_cell_that_another_separator_makes_a_formula(text, tmp_path):
    """Excel in a country whose separator is a semicolon splits what is not quoted there."""
    write_csv(pd.DataFrame({"customer_id": [text], "revenue": [2.5]}), tmp_path / "list.csv")
    header, row = (tmp_path / "list.csv").read_text(encoding="utf-8").splitlines()
    safe = f"'{text}" if text[0] in "＝＋－＠" else text
    assert header == '"customer_id","revenue"'
    assert row == '"{}",2.5'.format(safe.replace('"', '""'))


def test_file_names_of_segments():
    assert [slug("Can't Lose Them"), slug("About to Sleep"), slug("../x"), slug("…")] == [
        "cant-lose-them",
        "about-to-sleep",
        "x",
        "unnamed-b4935894",
    ]
    assert slug("עברית") == "עברית", "letters of every script stay"
    assert slug("🛒") != slug("🎁"), "names without letters do not meet"
    long = [slug("é" * 500), slug("é" * 501)]
    assert long[0] != long[1]
    assert max(len(name.encode()) for name in long) <= 100, "two of them fit into a file name"


def test_lists_know_consent_and_who_is_held_out(tmp_path):
    """As the lists to send do: the same draw, and only addresses that the tool can use."""
    ids = [f"{number:05}" for number in range(400)]
    contacting = {"holdout_share": 0.25, "seed": 3, "send_format": "klaviyo"}
    run = run_folder(tmp_path, contacting=contacting)
    contacts = pd.DataFrame({"customer_id": ids[:4], "channel": "email", "consent": [True, True, False, True]})
    contacts = contacts.assign(last_contacted=pd.NaT, external_id=None, email=["a@b.co", "none", "c@b.co", "d@b.co"])
    run.save(contacts, "contacts")
    run.save_lists(pd.DataFrame({"segment": "A", "customer_id": ids}), by="segment")
    run.save_list(pd.DataFrame({"customer_id": ids[:1], "value": [1.5]}), "best")
    run.save_list(pd.DataFrame({"month": ["May"]}), "months")
    written = pd.read_csv(tmp_path / "lists" / "a.csv", dtype=str).set_index("customer_id")
    assert written.may_contact[:5].tolist() == ["email", "no", "no", "email", "no"]
    held = universal_holdout(pd.Series(ids), 0.25, 3)
    assert set(written.index[written.held_out == "yes"]) == set(held.index[held]) and held.any()
    assert list(pd.read_csv(tmp_path / "lists" / "best.csv")) == ["customer_id", "value", "may_contact", "held_out"]
    assert (tmp_path / "lists" / "months.csv").read_text() == '"month"\n"May"\n'


def test_without_contacts_and_budget_everybody_may_be_contacted(tmp_path):
    run_folder(tmp_path).save_list(pd.DataFrame({"customer_id": ["1"]}), "all")
    assert (tmp_path / "lists" / "all.csv").read_text().splitlines()[1] == '"1","any","no"'


def test_two_segments_that_would_share_a_list_are_refused(tmp_path):
    table = pd.DataFrame({"segment": ["A!", "A?"], "customer_id": ["1", "2"]})
    with pytest.raises(TableError, match="two lists would have the file name a.csv: rename segment A?"):
        run_folder(tmp_path).save_lists(table, by="segment")
