"""A sending tool's export beside the plan: who was sent what, and exports that cannot be used."""

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from crm_utils.config import ParamsError, Report, Sent, Source, parse_model
from crm_utils.core.contracts import check_contract
from crm_utils.core.errors import SourceError, SourceMissing
from crm_utils.sources import read_customer_tables

DAY = date(2024, 9, 30)
SOURCE = Source(file="orders.csv")
PLAN = pd.DataFrame(
    {
        "customer_id": ["00001", "00002", "00003", "00004", "00005"],
        "campaign": "Win-back e-mail",
        "segment": "A",
        "group": ["treatment", "treatment", "treatment", "control", "control"],
        "messages": [2, 2, 2, 2, 2],
        "send_on": pd.Timestamp("2024-07-01"),
        "offer_ends": pd.Timestamp("2024-07-30"),
        "value": 1.5,
        "reason": "x",
        "assumption": "",
    }
)
CONTACTS = """customer_id,channel,consent,last_contacted,external_id,email
00001,email,yes,2024-08-01,x1,one@example.com
00002,email,yes,2024-01-01,x2,two@example.com
00002,post,yes,,x2,
00003,email,yes,,x3,three@example.com
00004,email,yes,,x4,four@example.com
00006,email,yes,,x6,six@example.com
"""
EXPORT = """Email,Campaign,Sent at,State
One@example.com,win-back E-mail,2024-07-03T09:00:00Z,Delivered
one@example.com,Win-back e-mail,2024-07-20 09:00,opened
two@example.com,Win-back e-mail,2024-07-04,Unsubscribed
three@example.com,Win-back e-mail,2024-07-03,Skipped
four@example.com,Win-back e-mail,2024-07-03,Bounced
six@example.com,Win-back e-mail,2024-07-03,sent
nobody@example.com,Win-back e-mail,2024-07-03,sent
one@example.com,Newsletter,2024-07-05,sent
one@example.com,Win-back e-mail,2024-12-05,sent
"""
COLUMNS = {"email": "Email", "campaign": "Campaign", "sent_on": "Sent at", "outcome": "State"}


def read(folder: Path, export: str = EXPORT, plan: pd.DataFrame = PLAN, contacts: str = CONTACTS, **said) -> dict:
    plan.to_parquet(folder / "2024-06-30.parquet")
    (folder / "contacts.csv").write_text(contacts)
    (folder / "sent.csv").write_text(export)
    named = {"past_campaigns": "2024-*.parquet", "contacts": "contacts.csv"}
    sent = Sent(**{"file": "sent.csv", "columns": COLUMNS} | said)
    return read_customer_tables(named, SOURCE, folder, DAY, sent=sent)


def test_the_plan_beside_the_export(tmp_path):
    tables = read(tmp_path)
    past = check_contract(tables["past_campaigns"], "past_campaigns").set_index("customer_id")
    assert past.sent.to_dict() == {"00001": True, "00002": True, "00003": False, "00004": True, "00005": False}
    assert past.index[past.bounced].tolist() == ["00004"]
    assert past.index[past.unsubscribed].tolist() == ["00002"]
    assert set(past.contacted_on) == {pd.Timestamp("2024-07-03")}, "the first message starts the window of both groups"
    assert past.messages.tolist() == [2] * 5
    messages = check_contract(tables["sent_messages"], "sent_messages")
    assert messages.planned.value_counts().to_dict() == {
        "treatment": 4, "control": 1, "not planned": 1, "unknown customer": 1
    }  # fmt: skip
    assert "email" not in messages


def test_contacts_follow_what_was_sent(tmp_path):
    """Whoever unsubscribed may not be written to any more, and a message is a contact."""
    contacts = read(tmp_path)["contacts"].set_index(["customer_id", "channel"])
    assert contacts.consent.to_dict() == {
        ("00001", "email"): True, ("00002", "email"): False, ("00002", "post"): True, ("00003", "email"): True,
        ("00004", "email"): True, ("00006", "email"): True,
    }  # fmt: skip
    last = contacts.last_contacted.dt.normalize()
    assert last["00001", "email"] == pd.Timestamp("2024-08-01"), "the file knew of a later one"
    assert last["00002", "email"] == pd.Timestamp("2024-07-04")
    assert last["00006", "email"] == pd.Timestamp("2024-07-03"), "also without a plan"
    assert pd.isna(last["00003", "email"]), "the message was not sent"


def test_a_message_belongs_to_the_last_wave_that_had_begun(tmp_path):
    later = PLAN.head(2).assign(send_on=pd.Timestamp("2024-09-01"), group="treatment")
    later.to_parquet(tmp_path / "2024-08-31.parquet")
    export = "id,on\n00001,2024-07-02\n00002,2024-09-10\n00001,2024-06-29\n"
    columns = {"customer_id": "id", "sent_on": "on"}
    past = read(tmp_path, export, columns=columns)["past_campaigns"]
    found = past[past.sent].set_index("customer_id").contacted_on.dt.strftime("%F").to_dict()
    assert found == {"00001": "2024-07-02", "00002": "2024-09-10"}
    assert len(past) == 7
    assert past[~past.sent & (past.contacted_on > "2024-08-01")].customer_id.tolist() == ["00001"]
    undated = "id\n00001\n"
    with pytest.raises(SourceError, match="1 message of Win-back e-mail without a date, but it was planned on several"):
        read(tmp_path, undated, columns={"customer_id": "id"})


def test_an_export_may_know_customers_by_the_id_of_the_tool_and_use_its_own_words(tmp_path):
    export = "Contact,Mailing,When,Result\nx1,WB july,03.07.2024 09:15,ok\nx4,WB july,03.07.2024 09:15,ok\n"
    columns = {"external_id": "Contact", "campaign": "Mailing", "sent_on": "When", "outcome": "Result"}
    said = {"outcomes": {"OK": "sent"}, "campaigns": {"WB july": "Win-back e-mail"}, "date_format": "%d.%m.%Y %H:%M"}
    past = read(tmp_path, export, columns=columns, **said)["past_campaigns"]
    assert past.customer_id[past.sent].tolist() == ["00001", "00004"]


def test_an_export_of_one_campaign_needs_only_the_customers(tmp_path):
    tables = read(tmp_path, "id\n00001\n00005\n", columns={"customer_id": "id"})
    past = tables["past_campaigns"]
    assert past.customer_id[past.sent].tolist() == ["00001", "00005"]
    assert set(past.contacted_on) == {pd.Timestamp("2024-07-01")}
    assert tables["sent_messages"].sent_on.isna().all()


def test_merged_customers_were_sent_what_either_of_them_was(tmp_path):
    read(tmp_path)
    named = {"past_campaigns": "2024-*.parquet", "contacts": "contacts.csv"}
    sent = Sent(file="sent.csv", columns=COLUMNS)
    tables = read_customer_tables(named, SOURCE, tmp_path, DAY, {"00004": "00005"}, sent)
    past = tables["past_campaigns"].set_index("customer_id")
    assert past.loc["00005", ["group", "sent", "bounced"]].tolist() == ["control", True, True]
    assert "00004" not in set(tables["sent_messages"].customer_id)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contacts": CONTACTS + "00009,email,yes,,x9,nine@example.com,+447700900123\n"}, "line 8 has 7 fields, but"),
        ({"export": EXPORT + "ten@example.com,a,b,c,d\n"}, "sent: sent.csv cannot be read: line 11 has 5 fields, but"),
        ({"file": "gone.csv"}, "sent: gone.csv does not exist"),
        ({"columns": COLUMNS | {"campaign": "Mailing"}}, r"sent.csv has no column 'Mailing' \(sent.columns.campaign\)"),
        ({"export": EXPORT.replace("Skipped", "held")}, "column 'State': it is not known what 'held' "),
        ({"export": EXPORT.replace("2024-07-04", "July 4")}, "column 'Sent at': 1 row without a readable date"),
        ({"export": EXPORT.replace("in-back", "x").replace("W", "V")}, "none of its campaigns .* is on the lists"),
        ({"export": EXPORT.replace("@example.com", "@else.com")}, "column 'Email': 0 of 9 messages went to customers"),
        (
            {"export": "id\n1\n2\n", "columns": {"customer_id": "id"}},
            "0 of 2 messages went to customers who are known; its ids are like '1', those of the lists like '00001'; "
            "they differ only in leading zeros",
        ),
        ({"columns": {"external_id": "Email"}, "contacts": re.sub(r",x\d", ",", CONTACTS)}, "no column external_id"),
    ],
)  # fmt: skip
def test_exports_that_cannot_be_used_are_refused(tmp_path, changes, message):
    with pytest.raises((SourceError, SourceMissing), match=message) as told:
        read(tmp_path, **changes)
    assert "@" not in str(told.value) and "+44" not in str(told.value), "no address reaches a log"


def test_messages_of_a_plan_are_numbers(tmp_path):
    (tmp_path / "past.csv").write_text("campaign,customer_id,contacted_on,group,messages\na,1,2024-07-01,control,two\n")
    with pytest.raises(SourceError, match="column 'messages': 1 row without a number of messages, for example 'two'"):
        read_customer_tables({"past_campaigns": "past.csv"}, SOURCE, tmp_path, DAY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sent": {"file": "s.csv", "columns": {"campaign": "c"}}}, "name the column with customer_id, external_id or"),
        ({"sent": {"file": "s.csv", "columns": {"customer_id": "c"}}}, "name the lists that were planned in past_camp"),
        (
            {"past_campaigns": "p.parquet", "sent": {"file": "s.csv", "columns": {"email": "c"}}},
            "addresses are looked up in contacts",
        ),
    ],
)  # fmt: skip
def test_parameters_that_do_not_fit_are_refused(changes, message):
    report = {"title": "Shop", "currency": "EUR", "source": {"file": "a.csv"}, "analysis_dates": ["2024-06-30"]}
    report |= {"columns": {"customer_id": "c", "ordered_at": "d"}}
    with pytest.raises(ParamsError, match=message):
        parse_model(report | changes, Report, "x")
