"""Order statuses in the words of shop systems and languages."""

import pytest

from crm_utils.sources.status_words import KNOWN, StatusGroup, status_group


@pytest.mark.parametrize(
    ("group", "values"),
    [
        (
            StatusGroup.COUNT,
            ["wc-completed", "Shipped", "PAID", "Complete", "Abgeschlossen", "Payée", "Ödendi", "Pago"],
        ),
        (StatusGroup.REFUND, ["wc-refunded", "partially_refunded", "Zurückerstattet", "İade edildi", "Remboursée"]),
        (
            StatusGroup.IGNORE,
            [
                "wc-checkout-draft",
                "Pending Payment",
                "On Hold",
                "voided",
                "requires_payment_method",
                "Zahlung ausstehend",
            ],
        ),
        (None, ["Closed", "", "42", "Gewonnen"]),
    ],
)
def test_statuses_of_shops_are_understood(group, values):
    assert {value: status_group(value) for value in values} == dict.fromkeys(values, group)


def test_no_phrase_has_two_meanings():
    phrases = [phrase for known in KNOWN.values() for phrase in known]
    assert len(phrases) == len(set(phrases))
