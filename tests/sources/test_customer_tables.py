"""Attributes, contacts and past campaigns from files, and the messages for files that cannot be used."""

from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest

from crm_utils.config import Source
from crm_utils.core.contracts import check_contract
from crm_utils.core.errors import SourceError, SourceMissing, TableError
from crm_utils.sources import check_known_ids, count_known_customers, read_customer_tables

DAY = date(2024, 6, 30)
SOURCE = Source(file="orders.csv")


def read(tmp_path: Path, name: str, text: str):
    (tmp_path / "table.csv").write_text(text)
    return read_customer_tables({name: "table.csv"}, SOURCE, tmp_path, DAY)[name]


def test_ids_keep_their_zeros(tmp_path: Path):
    assert read(tmp_path, "attributes", "customer_id,age\n007,30\n").customer_id.tolist() == ["007"]


CONTACTS = pd.DataFrame(
    {
        "customer_id": [7, 12346, 12347],
        "channel": ["email", " email", "sms"],
        "consent": [True, False, None],
        "last_contacted": [pd.Timestamp("2024-05-01"), pd.Timestamp("2024-05-02 10:30"), None],
        "external_id": [101, None, 103],
    }
)


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "semicolon.csv", "parquet", "xlsx"])
def test_contacts_are_the_same_from_any_file(tmp_path: Path, kind: str):
    """Ids stored as numbers with gaps lose their decimals. An empty consent means no consent."""
    path = tmp_path / f"contacts.{kind}"
    if kind == "parquet":
        CONTACTS.to_parquet(path)
    elif kind == "xlsx":
        CONTACTS.to_excel(path, index=False)
    else:
        CONTACTS.to_csv(path, index=False, sep={"tsv": "\t", "semicolon.csv": ";"}.get(kind, ","))
    table = read_customer_tables({"contacts": path.name}, SOURCE, tmp_path, DAY)["contacts"]
    assert table.customer_id.tolist() == ["7", "12346", "12347"]
    assert table.channel.tolist() == ["email", "email", "sms"]
    assert table.consent.tolist() == [True, False, False]
    assert table.last_contacted.tolist()[:2] == [pd.Timestamp("2024-05-01"), pd.Timestamp("2024-05-02 10:30")]
    assert table.external_id.tolist()[::2] == ["101", "103"] and table.external_id.isna().tolist() == [
        False,
        True,
        False,
    ]
    check_contract(table, "contacts")


@pytest.mark.parametrize(
    "answer, expected", [("yes", True), ("No", False), ("TRUE", True), ("0", False), ("1.0", True), ("", False)]
)
def test_consent_is_read_from_usual_answers(tmp_path: Path, answer: str, expected: bool):
    text = f"customer_id,channel,consent,last_contacted,external_id\n1,email,{answer},,\n"
    assert read(tmp_path, "contacts", text).consent.tolist() == [expected]


def test_dates_and_numbers_may_have_the_format_of_the_source(tmp_path: Path):
    """A shop exports attributes and contacts in the same format as orders."""
    writing = Source(file="orders.csv", encoding="windows-1252", decimal=",", date_format="%d.%m.%Y", delimiter=";")
    attributes = "customer_id;town;age;height;code\n1;Köln;30;1,80;A1\n2;;41;1,75;7\n"
    (tmp_path / "attributes.csv").write_bytes(attributes.encode("windows-1252"))
    contacts = (
        "customer_id,channel,consent,last_contacted,external_id\n1,email,yes,03.04.2024,\n2,email,yes,2024-04-05,ä\n"
    )
    (tmp_path / "contacts.csv").write_text(contacts, encoding="utf-8")
    found = read_customer_tables({"attributes": "attributes.csv", "contacts": "contacts.csv"}, writing, tmp_path, DAY)
    assert found["attributes"].to_dict("list") == {
        "customer_id": ["1", "2"],
        "town": ["Köln", pytest.approx(float("nan"), nan_ok=True)],
        "age": [30, 41],
        "height": [1.8, 1.75],
        "code": ["A1", "7"],
    }
    assert found["contacts"].last_contacted.tolist() == [pd.Timestamp("2024-04-03"), pd.Timestamp("2024-04-05")]
    assert found["contacts"].external_id[1] == "ä"


def test_contacts_and_campaigns_after_the_analysis_date_are_unknown(tmp_path: Path):
    contacts = read(
        tmp_path,
        "contacts",
        "customer_id,channel,consent,last_contacted,external_id\n1,email,True,2024-07-01,a\n2,email,True,2024-06-30 "
        "10:00,b\n",
    )
    assert contacts.last_contacted.isna().tolist() == [True, False]
    campaigns = read(
        tmp_path,
        "past_campaigns",
        "campaign,customer_id,contacted_on,group\nspring,1,2024-06-30 10:00,control\nsummer,1,2024-07-01,treatment\n",
    )
    assert campaigns.campaign.tolist() == ["spring"]


@pytest.mark.parametrize(
    "name, text, message",
    [
        (
            "attributes",
            "customer,age\n1,30\n",
            "attributes: table.csv has no column 'customer_id'. It has: customer, age",
        ),
        ("past_campaigns", "customer_id\n1\n", "table.csv has no column 'contacted_on'. It has: customer_id"),
        (
            "contacts",
            "customer_id,last_contacted\n1,soon\n2,2024-01-01\n",
            "column 'last_contacted': 1 row without a readable date, for example 'soon'; write dates as 2024-12-31",
        ),
    ],
)
def test_the_message_says_what_is_wrong_with_a_file(tmp_path: Path, name: str, text: str, message: str):
    with pytest.raises(SourceError) as error:
        read(tmp_path, name, text)
    assert message in str(error.value)


def test_a_missing_file_and_simulated_tables_of_a_real_shop(tmp_path: Path):
    with pytest.raises(SourceMissing, match="contacts: none.csv does not exist"):
        read_customer_tables({"contacts": "none.csv"}, SOURCE, tmp_path, DAY)
    with pytest.raises(SourceError, match="`simulated` needs a simulated source"):
        read_customer_tables({"contacts": "simulated"}, SOURCE, tmp_path, DAY)


def test_the_contract_does_not_accept_text_as_consent(tmp_path: Path):
    """An analyst may save contacts; a 'no' in them must not become a yes."""
    table = pd.DataFrame(
        {
            "customer_id": ["1"],
            "channel": ["email"],
            "consent": ["no"],
            "last_contacted": [pd.NaT],
            "external_id": ["a"],
        }
    )
    with pytest.raises(TableError, match="consent"):
        check_contract(table, "contacts")
    assert not check_contract(table.assign(consent=False), "contacts").consent[0]


def test_merged_ids_are_one_customer_in_all_tables(tmp_path: Path):
    """85 is now 86: no consent or a control group of either id applies to both."""
    merged = {"85": "86"}
    contacts = (
        "customer_id,channel,consent,last_contacted,external_id\n"
        "85,email,no,2024-06-28,a\n86,email,yes,2024-01-01,b\n86,sms,yes,,b\n7,email,yes,,c\n"
    )
    past = (
        "campaign,customer_id,contacted_on,group\nMay,85,2024-05-01,control\nMay,86,2024-05-01,treatment\n"
        "May,7,2024-05-01,treatment\n"
    )
    for name, text in {
        "contacts": contacts,
        "past": past,
        "attributes": "customer_id,age\n85,30\n86,31\n7,50\n",
    }.items():
        (tmp_path / f"{name}.csv").write_text(text)
    files = {"contacts": "contacts.csv", "past_campaigns": "past.csv", "attributes": "attributes.csv"}
    found = read_customer_tables(files, SOURCE, tmp_path, DAY, merged)
    consent = found["contacts"].set_index(["customer_id", "channel"])
    assert consent.consent.to_dict() == {("7", "email"): True, ("86", "email"): False, ("86", "sms"): True}
    assert consent.last_contacted["86", "email"] == pd.Timestamp("2024-06-28")
    assert consent.external_id["86", "email"] == "b"
    assert found["past_campaigns"].set_index("customer_id").group.to_dict() == {"7": "treatment", "86": "control"}
    assert found["attributes"].set_index("customer_id").age.to_dict() == {"7": 50, "86": 31}
    apart = read_customer_tables(files, SOURCE, tmp_path, DAY)
    assert [len(table) for table in apart.values()] == [4, 3, 3]


def test_the_contract_reports_a_missing_column(tmp_path: Path):
    (tmp_path / "contacts.csv").write_text("customer_id,channel,last_contacted\n85,email,\n86,email,\n")
    found = read_customer_tables({"contacts": "contacts.csv"}, SOURCE, tmp_path, DAY, {"85": "86"})["contacts"]
    with pytest.raises(TableError, match="column consent is missing"):
        check_contract(found, "contacts")


OURS = ibis.memtable({"customer_id": [*(f"A{number:03}" for number in range(100)), "A001", None]})


@pytest.mark.parametrize(("known", "unknown", "fits"), [(5, 95, True), (4, 96, False), (1, 9, True), (0, 9, False)])
def test_hardly_any_id_of_a_file_is_ours(known: int, unknown: int, fits: bool):
    ids = [*(f"A{number:03}" for number in range(known)), *(f"B{number}" for number in range(unknown)), None]
    tables = {"contacts": pd.DataFrame({"customer_id": ids})}
    if fits:
        assert count_known_customers(tables, OURS) == {"contacts": known}
        check_known_ids(tables, {"contacts": "list.csv"}, OURS)
        return
    words = (
        rf"contacts: list.csv, column 'customer_id': {known} of {known + unknown} customers of this file are among the "
        r"100 of the transactions; its ids are like '.*', those of the transactions like 'A000', 'A001', 'A002'; give"
    )
    with pytest.raises(SourceError, match=words):
        check_known_ids(tables, {"contacts": "list.csv"}, OURS)
    with pytest.raises(SourceError, match=words.replace(": list.csv", "")):
        count_known_customers(tables, OURS)


def test_a_long_list_of_strangers_may_hold_all_customers():
    tables = {"contacts": pd.DataFrame({"customer_id": [f"A{number:03}" for number in range(10_000)]})}
    check_known_ids(tables, {"contacts": "newsletter.csv"}, OURS)  # 100 of 10,000, but all of ours
    check_known_ids({"past_campaigns": tables["contacts"].iloc[:0]}, {"past_campaigns": "none.csv"}, OURS)
