"""Attributes, contacts and past campaigns from files, and what is said of files that cannot be used."""

from datetime import date
from pathlib import Path

import pytest

from crm_utils.locate import SourceError, SourceMissing
from crm_utils.side_tables import read_all

DAY = date(2024, 6, 30)


def read(tmp_path: Path, name: str, text: str):
    (tmp_path / "table.csv").write_text(text)
    return read_all({name: "table.csv"}, {}, tmp_path, DAY)[name]


def test_ids_keep_their_zeros(tmp_path: Path):
    assert read(tmp_path, "attributes", "customer_id,age\n007,30\n").customer_id.tolist() == ["007"]


def test_later_contacts_and_campaigns_are_not_known_yet(tmp_path: Path):
    contacts = read(
        tmp_path,
        "contacts",
        "customer_id,channel,consent,last_contacted,external_id\n1,email,True,2024-07-01,a\n2,email,True,2024-06-30,b\n",
    )
    assert contacts.last_contacted.isna().tolist() == [True, False]
    campaigns = read(
        tmp_path,
        "past_campaigns",
        "campaign,customer_id,contacted_on,group\nspring,1,2024-06-01,control\nsummer,1,2024-07-01,treatment\n",
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
            "column 'last_contacted': 1 row without a readable date, for example 'soon'; write them as 2024-12-31",
        ),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, name: str, text: str, message: str):
    with pytest.raises(SourceError) as error:
        read(tmp_path, name, text)
    assert message in str(error.value)


def test_a_missing_file_and_a_simulation_that_is_none(tmp_path: Path):
    with pytest.raises(SourceMissing, match="contacts: none.csv is not there"):
        read_all({"contacts": "none.csv"}, {}, tmp_path, DAY)
    with pytest.raises(SourceError, match="simulated needs a simulated source"):
        read_all({"contacts": "simulated"}, {}, tmp_path, DAY)
