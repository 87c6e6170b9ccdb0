"""Addresses that a sending tool could not use: who has them is not contacted, and a wrong column is refused."""

import pandas as pd
import pytest

from crm_utils.core.errors import SourceError
from crm_utils.sources import contact_addresses as addresses
from crm_utils.sources.contact_addresses import check_contact_addresses, find_address_problems, usable_contacts


def contacts(*rows: tuple, columns: str = "customer_id channel consent email phone external_id") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split()).astype({"consent": bool})


GOOD = ["a@b.co", "Ann.O'Neil+x@sub.example-shop.com", "x_1@müller.de", "1@2.org"]
BAD = [
    "",
    "a@b",
    "a b@c.de",
    "a@b..de",
    "@b.de",
    "=cmd@b.de",
    "+a@b.de",
    "ä@b.de",
    "a@b.de;c@d.de",
    "a@-b.de",
    "a@b.12",
]


@pytest.mark.parametrize("text", [*GOOD, *BAD])
def test_addresses_that_a_tool_takes(text):
    table = contacts(("1", "email", True, text, None, "x1"), ("2", "email", True, "ok@example.com", None, "x2"))
    found = find_address_problems(table, "klaviyo").tolist()
    assert found == ["" if text in GOOD else "not a valid e-mail address", ""]


def test_phones_are_written_as_e164_asks():
    given = ["+44 20 7183-8750", "0044 (0)20 7183 8750", "020 7183 8750", "+1 (555) 010.9999", None, "call me"]
    want = ["+442071838750", "+442071838750", "020 7183 8750", "+15550109999", None, "call me"]
    assert addresses.format_phones(pd.Series(given)).astype(object).where(lambda t: t.notna(), None).tolist() == want


def test_an_address_stands_in_the_row_of_its_channel():
    table = contacts(
        ("1", "SMS", True, "of-sms@example.com", "+442071838750", "x1"),
        ("1", "E-Mail", True, "of-mail@example.com", None, "x1"),
        ("2", "sms", False, "only@example.com", None, None),
    )
    found = addresses.customer_addresses(table)
    assert found.email.to_dict() == {"1": "of-mail@example.com", "2": "only@example.com"}
    assert found.phone["1"] == "+442071838750"
    assert list(found.columns) == ["email", "phone", "external_id"]


def test_an_address_of_several_customers_is_used_for_none():
    table = contacts(
        ("1", "email", True, "Both@example.com", None, "x1"),
        ("2", "email", True, "both@example.com", None, "x2"),
        ("3", "email", True, "own@example.com", None, "x3"),
        ("4", "email", False, "own2@example.com", None, "x3"),
    )
    by_format = {name: find_address_problems(table, name).ne("").tolist() for name in addresses.SEND_FORMATS}
    assert by_format["klaviyo"] == by_format["mailchimp"] == by_format["hubspot"] == [True, True, False, False]
    assert by_format["braze"] == by_format["generic"] == [True, True, True, True], "x3 is the id of two customers"
    usable = usable_contacts(table, "klaviyo")
    assert usable.consent.tolist() == [False, False, True, False]
    assert usable.problem.tolist() == ["e-mail address of several customers"] * 2 + ["", ""]


@pytest.mark.parametrize(
    ("send_format", "mail", "sms"),
    [
        ("generic", "", ""),
        ("klaviyo", "no e-mail address", "no phone number"),
        ("mailchimp", "no e-mail address", "no phone number"),
        ("hubspot", "no e-mail address", "no e-mail address"),
        ("braze", "no e-mail address", "no phone number"),
    ],
)
def test_what_each_tool_must_know(send_format, mail, sms):
    table = contacts(
        *((name, channel, True, None, None, f"x{name}") for name, channel in (("1", "email"), ("2", "sms")))
    )
    assert find_address_problems(table, send_format).tolist() == [mail, sms]
    assert find_address_problems(table.assign(channel="post"), send_format).tolist() == ["", ""], "no tool sends it"


def test_without_contacts_nothing_changes():
    assert usable_contacts(None, "klaviyo") is None


def test_a_format_that_needs_a_missing_column_names_it_and_the_one_that_is_probably_meant():
    table = contacts(("1", "email", True, "a@b.co", None, "x")).rename(columns={"email": "E-Mail Address"})
    with pytest.raises(
        SourceError, match=r"contacts: c\.csv has no column 'email', which lists for klaviyo need"
    ) as told:
        check_contact_addresses(table, "c.csv", "klaviyo")
    assert "did you mean 'E-Mail Address'? Rename it, or write budget.send.format: generic" in str(told.value)
    check_contact_addresses(table, "c.csv", "generic")
    check_contact_addresses(table.assign(channel="post"), "c.csv", "klaviyo")


def test_a_column_of_which_most_cannot_be_used_is_refused_and_a_few_are_not():
    rows = [(str(number), "email", True, f"c{number}@example.com", None, f"x{number}") for number in range(10)]
    table = contacts(*rows)
    few = table.assign(email=["secret-address", *table.email[1:]])
    check_contact_addresses(few, "c.csv", "generic")
    most = table.assign(email=["c0@example.com"] + ["secret-address"] * 6 + table.email[7:].tolist())
    with pytest.raises(SourceError, match=r"contacts: c\.csv: 6 of 10 rows with consent cannot be used") as told:
        check_contact_addresses(most, "c.csv", "generic")
    assert "(not a valid e-mail address: 6), first in row 3" in str(told.value)
    assert "secret" not in str(told.value), "no address reaches a log"
