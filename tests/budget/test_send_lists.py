"""Lists for sending tools: only whom to contact, under the headings of the tool, and nobody who must be left alone."""

import re
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from openpyxl import load_workbook

from crm_utils.budget import audiences, send_lists
from crm_utils.core.errors import TableError
from crm_utils.core.formatting import NumberFormat
from crm_utils.sources.contact_addresses import SEND_FORMATS
from crm_utils.sources.permissions import universal_holdout
from crm_utils.store import Run
from tests.support.budget_factories import campaigns
from tests.support.factories import run_folder
from tests.support.libreoffice import convert
from tests.support.projects import ROOT
from tests.support.sending_tools import TOOLS, import_contacts

DAY = date(2024, 6, 30)
FMT = NumberFormat("GBP")
OFFERS = campaigns(
    {"name": "Mail", "channel": "E-Mail", "incentive": 5, "redemption_rate": 0.5, "offer_days": 30},
    {"name": "Text", "channel": "sms", "offer": "Free delivery, this week; only"},
    {"name": "Card", "channel": "post"},
)
IDS = ["00001", "00002", "00003", "00004", "00005", "00006", "00007"]
TARGETS = pd.DataFrame(
    {
        "customer_id": IDS[:5],
        "campaign": ["Mail", "Mail", "Mail", "Text", "Card"],
        "segment": ["A", "A", "B", "A", "A"],
        "group": ["control", "treatment", "treatment", "treatment", "treatment"],
        "messages": [2, 2, 1, 1, 1],
        "value": 1.5,
        "reason": "A: 1 order, the last 9 days ago",
    }
)
CONTACTS = pd.DataFrame(
    [
        (row, channel, consent, last, f"000{row}x", email, phone, name)
        for row, channel, consent, last, email, phone, name in [
            ("00001", "email", True, None, "one@example.com", None, "Zoë"),
            ("00002", "email", True, None, "two+b@example.co.uk", "020 7183 8750", 'O\'Neil, "Al"'),
            ("00003", "email", True, None, "three@example.com", "+44 (0)20 7183-8750", None),
            ("00004", "sms", True, None, "four@example.com", "0044 7700 900123", "=1+1"),
            ("00005", "post", True, None, None, None, "Eve"),
            ("00006", "email", False, None, "six@example.com", None, None),
            ("00007", "email", True, "2024-06-25", "seven@example.com", None, None),
        ]
    ],
    columns=["customer_id", "channel", "consent", "last_contacted", "external_id", "email", "phone", "first_name"],
)
PLAN = send_lists.plan_contacts(TARGETS, OFFERS, pd.DataFrame({"customer_id": IDS, "margin_known": True}), DAY)


def people(margin_known: bool = True) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": IDS, "margin_known": margin_known})


def audience(
    contacts: pd.DataFrame | None = CONTACTS, send_format: str = "generic", ids: list[str] = IDS
) -> audiences.Audience:
    """Everybody may get everything, and the first customer is held out."""
    eligible = pd.DataFrame(True, columns=OFFERS.name, index=pd.Index(ids, name="customer_id"))
    found = audiences.find_audience(eligible, contacts, None, OFFERS, DAY, 14, 0.0, 1, send_format)
    return replace(found, held_out=pd.Series([True] + [False] * (len(ids) - 1), index=eligible.index))


def lists(send_format: str, contacts: pd.DataFrame | None = CONTACTS) -> send_lists.SendLists:
    found = audience(contacts, send_format)
    return send_lists.build_send_lists(TARGETS, OFFERS, people(), found, None, DAY, FMT)


def test_the_plan_of_contacts_has_dates_and_says_what_is_assumed():
    plan = send_lists.plan_contacts(TARGETS, OFFERS, people(margin_known=False), DAY).set_index("customer_id")
    assert set(plan.send_on) == {pd.Timestamp("2024-07-01")}, "the first day after the analysis date"
    assert plan.offer_ends["00002"] == pd.Timestamp("2024-07-30"), "30 days, the first one included"
    assert plan.offer_ends["00004"] == pd.Timestamp("2024-09-29"), "its window of 91 days"
    assert pd.isna(plan.offer_ends["00005"]), "there is no offer"
    assert set(plan.assumption) == {"lift and margin"}
    measured = OFFERS.assign(evidence=["measured", "assumed", "published"])
    known = send_lists.plan_contacts(TARGETS, measured, people(), DAY)
    assert known.assumption.tolist() == ["", "", "", "lift", ""]


def test_offers_in_words():
    offers = campaigns({"incentive": 5, "redemption_rate": 1}, {"incentive_share": 0.125, "redemption_rate": 1}, {})
    assert send_lists.describe_offers(offers, FMT).tolist() == ["£5 off one order", "12.5% off one order", ""]
    assert send_lists.describe_offers(OFFERS, FMT)["Text"] == "Free delivery, this week; only"


def test_send_and_hold_back_are_apart_and_whoever_may_not_be_contacted_is_in_one_file():
    found = lists("generic")
    assert sorted(found.send) == [("Card", "A"), ("Mail", "A"), ("Mail", "B"), ("Text", "A")]
    assert sorted(found.hold_back) == [("Mail", "A")]
    assert found.hold_back["Mail", "A"].customer_id.tolist() == ["00001"]
    assert found.send["Mail", "A"].customer_id.tolist() == ["00002"]
    left = found.do_not_contact.set_index("customer_id")
    reasons = {"00001": send_lists.HELD_OUT, "00006": send_lists.NO_CONSENT, "00007": send_lists.RESTING}
    assert left.crm_reason.to_dict() == reasons
    assert left.crm_until.to_dict()["00007"] == "2024-07-08", "14 days with the day of the contact"
    assert not left.crm_until["00006"]
    sent = {name for rows in found.send.values() for name in rows.customer_id}
    assert not sent & set(left.index)


def test_columns_of_a_generic_list():
    row = lists("generic").send["Mail", "A"].iloc[0].to_dict()
    assert row == {
        "email": "two+b@example.co.uk",
        "phone": "020 7183 8750",
        "first_name": 'O\'Neil, "Al"',
        "external_id": "00000002x",
        "consent": "email",
        "crm_campaign": "Mail",
        "crm_segment": "A",
        "crm_wave": "2024-06-30 wave 1",
        "crm_offer": "£5 off one order",
        "send_on": "2024-07-01",
        "offer_ends": "2024-07-30",
        "crm_messages": 2,
        "customer_id": "00002",
    }
    without = lists("generic", None).send["Mail", "A"]
    assert "email" not in without and "consent" not in without and without.customer_id.tolist() == ["00002"]


def test_reasons_not_to_contact_and_how_long_they_hold():
    extra = pd.DataFrame(
        [("00008", "email", True, "8x", "one@example.com"), ("00009", "email", True, "9x", "nobody")],
        columns=["customer_id", "channel", "consent", "external_id", "email"],
    )
    past = pd.DataFrame(
        {"campaign": "Mail", "customer_id": ["00005"], "contacted_on": ["2024-06-01"], "group": "control"}
    )
    ids = [*IDS, "00008", "00009", "00010"]
    everybody = audience(pd.concat([CONTACTS, extra], ignore_index=True), "klaviyo", ids)
    left = send_lists.find_do_not_contact(everybody, past, OFFERS, DAY)
    assert left.set_index("customer_id").reason.to_dict() == {
        "00001": "e-mail address of several customers",
        "00005": send_lists.OPEN_WINDOW,
        "00006": send_lists.NO_CONSENT,
        "00007": send_lists.RESTING,
        "00008": "e-mail address of several customers",
        "00009": "not a valid e-mail address",
        "00010": send_lists.NOT_IN_CONTACTS,
    }
    assert left.until.dropna().dt.strftime("%F").tolist() == ["2024-08-31", "2024-07-08"]
    rested = send_lists.find_do_not_contact(replace(everybody, days_between_contacts=5), None, OFFERS, DAY)
    assert "00007" not in rested.customer_id.tolist(), "five days later they may be contacted again"


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_imports_its_lists_unchanged(tool, tmp_path):
    found = lists(tool)
    Run(tmp_path).save_send_lists(found.plan, found.send, found.hold_back, found.do_not_contact)
    files = [path for path in tmp_path.rglob("*.csv") if not path.name.startswith("card")]
    assert len(files) == 5
    for path in files:
        contacts, refused = import_contacts(tool, path)
        assert refused == [], path.name
        assert contacts
    (row,) = import_contacts(tool, tmp_path / "send" / "mail__a.csv")[0]
    assert (row["email"], row["first_name"]) == ("two+b@example.co.uk", 'O\'Neil, "Al"')
    assert (row["send_on"], row["customer_id"], row["crm_offer"]) == ("2024-07-01", "00002", "£5 off one order")
    (text,) = import_contacts(tool, tmp_path / "send" / "text__a.csv")[0]
    assert (text["phone"], text["first_name"]) == ("+447700900123", "'=1+1")


def test_a_spreadsheet_keeps_ids_if_it_is_opened_as_the_guide_says(tmp_path):
    """With the settings of docs/send.md LibreOffice keeps 00003; every cell is as it is in the file."""
    guide = (ROOT / "docs" / "send.md").read_text(encoding="utf-8")
    (infilter,) = re.findall(r"--infilter='(.+?)'", guide)
    files = []
    for tool in SEND_FORMATS:
        found = lists(tool)
        Run(tmp_path / tool).save_send_lists(found.plan, found.send, found.hold_back, found.do_not_contact)
        for path in sorted((tmp_path / tool).rglob("*.csv")):
            files.append(path.rename(tmp_path / f"{tool}-{path.parent.name}-{path.name}"))
    run = run_folder(tmp_path / "segments")
    run.save_lists(
        pd.DataFrame({"segment": "A", "customer_id": ["00003", "1e5", "1/2"], "revenue": [1.5, 2.0, 3.25]}), "segment"
    )
    files.append(tmp_path / "segments" / "lists" / "a.csv")
    for csv_file, opened in zip(files, convert(files, tmp_path / "opened", infilter=infilter), strict=True):
        as_text = pd.read_csv(csv_file, dtype=str, keep_default_na=False)
        (sheet,) = load_workbook(opened)
        shown = [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]
        assert shown[0] == list(as_text)
        ids = shown[0].index("customer_id")
        assert [row[ids] for row in shown[1:]] == as_text.customer_id.tolist(), csv_file.name
        texts = [[str(cell) for cell in row] for row in shown[1:]]
        if csv_file.name != "a.csv":
            assert texts == as_text.to_numpy().tolist(), csv_file.name
    assert len(files) == 5 * 6 + 1 and shown[1][1:] == ["00003", 1.5, "any", "no"]


def test_every_format_but_the_generic_one_has_a_fixture_and_the_parser_can_refuse(tmp_path):
    assert sorted(TOOLS) == sorted(set(SEND_FORMATS) - {"generic"})
    path = tmp_path / "list.csv"
    bad = {
        "klaviyo": "crm_campaign,Email\nx,a@example.com\n",
        "mailchimp": "Email Address,send_on\na@example.com,1.7.2024\n",
        "hubspot": "First Name,Email\nAnn,\n",
        "braze": "external_id,email\nx1,\n,b@example.com\n",
    }
    for tool, text in bad.items():
        path.write_text(text)
        assert import_contacts(tool, path)[1], tool


def test_lists_of_other_channels_do_not_go_through_the_tool():
    assert list(lists("hubspot").send["Card", "A"].columns)[:2] == ["email", "phone"]


def plan_of(send: list[str], hold_back: list[str] | None = None) -> pd.DataFrame:
    """A plan with these customers on its lists."""
    groups = ["treatment"] * len(send) + ["control"] * len(hold_back or [])
    rows = pd.concat([PLAN.head(1)] * len(groups), ignore_index=True)
    return rows.assign(customer_id=[*send, *(hold_back or [])], group=groups)


def test_lists_are_written_one_a_line_and_old_ones_go(tmp_path):
    store, rows, held = Run(tmp_path), *(pd.DataFrame({"customer_id": ids}) for ids in (["=1", "2"], ["3"]))
    store.save_send_lists(plan_of(["=1", "2"], ["3"]), {("Old", "A"): rows}, {("Old", "A"): held}, rows)
    store.save_send_lists(plan_of(["=1", "2"]), {("Win-back: e-mail", "Can't Lose Them"): rows}, {}, rows.head(0))
    assert [path.name for path in (tmp_path / "send").iterdir()] == ["win-back-e-mail__cant-lose-them.csv"]
    assert list((tmp_path / "hold_back").iterdir()) == []
    assert (tmp_path / "do_not_contact.csv").read_text() == '"customer_id"\n'
    text = (tmp_path / "send" / "win-back-e-mail__cant-lose-them.csv").read_text()
    assert text == '"customer_id"\n"\'=1"\n"2"\n', "text is quoted, and formulas do not run"


def test_lists_never_leave_the_folder(tmp_path):
    rows = pd.DataFrame({"customer_id": ["1"]})
    Run(tmp_path / "run").save_send_lists(plan_of(["1"]), {("../../etc", "/"): rows}, {}, rows)
    assert [path.name for path in (tmp_path / "run" / "send").iterdir()] == ["etc__unnamed-8a5edab2.csv"]
    assert not (tmp_path / "etc").exists()


def test_two_campaigns_that_would_share_a_file_are_refused(tmp_path):
    one, other = (pd.DataFrame({"customer_id": [name]}) for name in ("1", "2"))
    with pytest.raises(TableError, match="two lists would have the file name a-b__x.csv: rename campaign A: B"):
        Run(tmp_path).save_send_lists(plan_of(["1", "2"]), {("A - B", "x"): one, ("A: B", "x"): other}, {}, one)


def test_lists_without_some_customers_of_the_plan_are_refused(tmp_path):
    rows = pd.DataFrame({"customer_id": ["1"]})
    with pytest.raises(TableError, match="the lists in send/ have 1 customers, but table contact_plan has 2"):
        Run(tmp_path).save_send_lists(plan_of(["1", "2"]), {("A", "x"): rows}, {}, rows)


def test_nobody_to_contact_gives_no_list():
    found = send_lists.build_send_lists(TARGETS.head(0), OFFERS, people(), audience(None), None, DAY, FMT)
    assert (found.send, found.hold_back, found.do_not_contact.customer_id.tolist()) == ({}, {}, ["00001"])


def test_whoever_is_held_out_of_everything_is_left_alone():
    ids = pd.Index([f"{number:05}" for number in range(500)], name="customer_id")
    eligible = pd.DataFrame(True, columns=OFFERS.name, index=ids)
    found = audiences.find_audience(eligible, None, None, OFFERS, DAY, 14, 0.1, 1)
    left = send_lists.find_do_not_contact(found, None, OFFERS, DAY)
    held = universal_holdout(pd.Series(ids), 0.1, 1)
    assert set(left.customer_id) == set(held.index[held])
