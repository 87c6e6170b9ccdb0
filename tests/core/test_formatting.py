"""Numbers, money and dates as readers see them."""

from datetime import date

import pytest

from crm_utils.core.formatting import NumberFormat, day, join_names, percent, rate

DOLLARS = NumberFormat("USD")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (DOLLARS.count(23502.4), "23,502"),
        (DOLLARS.count(-5), "−5"),
        (DOLLARS.number(1234.5, 2), "1,234.50"),
        (DOLLARS.number(-0.001, 2), "0.00"),
        (DOLLARS.formatted(1234.5, "×{:,.2f}"), "×1,234.50"),
        (DOLLARS.plural(1, "customer"), "1 customer"),
        (DOLLARS.plural(0, "customer"), "0 customers"),
        (DOLLARS.plural(2, "list with consent", "lists with consent"), "2 lists with consent"),
        (DOLLARS.money(2_500_315.63), "$2.50 million"),
        (DOLLARS.money(-2_500_315.63), "−$2.50 million"),
        (NumberFormat("GBP").money(999_400), "£999,400"),
        (NumberFormat("EUR").money(35.174), "€35.17"),
        (DOLLARS.money(99.999), "$100"),
        (DOLLARS.money(-0.001), "$0.00"),
        (NumberFormat("CHF").money(-1234.5, 2), "−CHF 1,234.50"),
        (NumberFormat("").money(1234), "1,234"),
        (NumberFormat("EUR", "").money(1234567), "€1.23 million"),
        (NumberFormat("EUR", " ").count(1234567), "1\u00a0234\u00a0567"),
        (DOLLARS.short_money(1_500_000), "$1.5m"),
        (DOLLARS.short_money(-250_000), "−$250k"),
        (DOLLARS.short_money(2e9), "$2bn"),
        (DOLLARS.short_money(40), "$40"),
        (percent(0.126), "13%"),
        (percent(0.001), "under 1%"),
        (percent(0), "0%"),
        (percent(-0.2), "−20%"),
        (rate(0.3), "30%"),
        (rate(0.426), "42.6%"),
        (day(date(1998, 6, 30)), "30 June 1998"),
        (join_names([]), "none"),
        (join_names(["a"]), "a"),
        (join_names(["a", "b", "c"]), "a, b and c"),
    ],
)
def test_numbers_are_written_for_readers(written, expected):
    assert written == expected


def test_millions_are_short_on_the_first_page():
    assert [NumberFormat("GBP").brief_money(amount) for amount in (9.164e6, 999_499, 35.2)] == [
        "£9.16m",
        "£999,499",
        "£35.20",
    ]
