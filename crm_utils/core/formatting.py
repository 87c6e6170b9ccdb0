"""How numbers, money and dates are written in sentences, tables and figures."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote, unquote

SYMBOLS = {"USD": "$", "GBP": "£", "EUR": "€", "JPY": "¥"}
ORDERS = "orders"  # in place of a currency if the source has no amounts
SECRET_NAMES = "password|passwd|pwd|token|secret|key"
SHORTEST_SECRET = 4
ADVICE = r"[\s*]*\b(?:possible (?:fix(?:es)?|solutions?)\b|see https?://(?:www\.)?duckdb\.org)"  # how DuckDB's begins
NO_BREAK_SPACE = "\u00a0"
# Amounts that round to a million or more are written in millions.
MILLIONS_FROM = 999_500
# Amounts that round to 100 or more are written without cents.
CENTS_BELOW = 99.995


@dataclass(frozen=True)
class NumberFormat:
    """How one report writes numbers and money.

    Parameters
    ----------
    currency : str
        ISO code, for example "GBP". A currency without a known symbol is written with its code. `ORDERS` counts orders
        instead of money.
    thousands_separator : str
        Written between groups of three digits. A space is written as a no-break space.
    """

    currency: str = "USD"
    thousands_separator: str = ","

    def count(self, number: float) -> str:
        """Return a whole number: 23502 is written '23,502', -5 is written '−5'."""
        return self._write(f"{round(number):,}")

    def number(self, value: float, decimals: int) -> str:
        """Return a number with a fixed number of decimals: (1234.5, 2) is '1,234.50'. Zero has no sign."""
        return self._write(f"{round(value, decimals) + 0:,.{decimals}f}")

    def formatted(self, value: float, template: str) -> str:
        """Return a number written by a format string: (1234.5, '×{:,.2f}') is written '×1,234.50'."""
        return self._write(template.format(value))

    def plural(self, number: float, noun: str, plural_form: str | None = None) -> str:
        """Return a count with its noun: (1, 'customer') is written '1 customer'."""
        many = plural_form or f"{noun}s"
        return f"{self.count(number)} {noun if round(number) == 1 else many}"

    def money(self, amount: float, decimals: int | None = None) -> str:
        """Return an amount: '$2.50 million', '£61,300', '$35.17'.

        Cents are written below 100 only, unless `decimals` says otherwise.
        """
        size = abs(amount)
        if self.currency == ORDERS:
            return self._orders(amount)
        if decimals is None and size >= MILLIONS_FROM:
            return f"{'−' if amount < 0 else ''}{self.symbol}{self.number(size / 1e6, 2)} million"
        places = (2 if size < CENTS_BELOW else 0) if decimals is None else decimals
        return f"{'−' if round(amount, places) < 0 else ''}{self.symbol}{self.number(size, places)}"

    def short_money(self, amount: float) -> str:
        """Return an amount for an axis: '$250k', '$1.5m', '$40'."""
        sign = "−" if amount < 0 else ""
        size = abs(amount)
        for limit, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
            if size >= limit:
                return f"{sign}{self.symbol}{size / limit:.3g}{unit}"
        return f"{sign}{self.symbol}{size:.3g}"

    def brief_money(self, amount: float) -> str:
        """Return an amount for the first page: like `money`, but '$2.5m' in place of '$2.50 million'."""
        return self.short_money(amount) if abs(amount) >= MILLIONS_FROM else self.money(amount)

    @property
    def value_noun(self) -> str:
        """What amounts are of, in the labels of a figure: 'Revenue', or 'Orders' if the source has no amounts."""
        return "Orders" if self.currency == ORDERS else "Revenue"

    @property
    def symbol(self) -> str:
        """The currency's sign, or its code and a space; empty without a currency."""
        if self.currency == ORDERS:
            return ""
        return SYMBOLS.get(self.currency, f"{self.currency} " if self.currency else "")

    def _orders(self, amount: float) -> str:
        """Return a number of orders, which may be a mean or a forecast: '45 orders', '1.25 orders'."""
        if round(amount, 2) == round(amount) or abs(amount) >= CENTS_BELOW:
            return self.plural(amount, "order")
        return f"{self.number(amount, 2)} orders"

    def _write(self, number: str) -> str:
        """Return a number as Python formats it, but with this report's separator and a true minus sign."""
        separator = NO_BREAK_SPACE if self.thousands_separator == " " else self.thousands_separator
        return number.replace(",", separator).replace("-", "−")


MESSAGES = NumberFormat()  # how messages write numbers, whatever the format of a report


def duration(minutes: float) -> str:
    """Return a time in minutes: 90 is '90 minutes', 0.5 is '0.5 minutes'."""
    return f"{minutes:g} minute{'' if minutes == 1 else 's'}"


def percent(share: float, decimals: int = 0) -> str:
    """Return a share as a percentage: 0.1234 is written '12%'. A small share that rounds to zero is 'under 1%'."""
    if decimals == 0 and 0 < share < 0.005:
        return "under 1%"
    return f"{'−' if round(share, decimals + 2) < 0 else ''}{abs(share):.{decimals}%}"


def signed_percent(change: float) -> str:
    """Return a relative change: 0.21 is '+21%', −0.21 is '−21%'."""
    return f"{'+' if round(change, 2) > 0 else ''}{percent(change)}"


def rate(share: float) -> str:
    """Return a rate that was set or measured, with a decimal if it has one: 0.3 is '30%', 0.426 is '42.6%'."""
    return percent(share, 1 if round(share * 100, 6) % 1 else 0)


def day(value: date) -> str:
    """Return a date in words: '30 June 1998'."""
    return f"{value.day} {value:%B %Y}"


def join_names(items: list[str]) -> str:
    """Return names joined as in a sentence: 'a, b and c'; 'none' if there are none."""
    if not items:
        return "none"
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} and {items[-1]}"


def mask_secrets(text: str) -> str:
    """Return the text without the passwords, tokens and keys of database addresses. A password may contain an @."""
    text = re.sub(r"(://[^:/\s]*):(?!@)\S+@", r"\1:***@", text)
    return re.sub(rf"(?i)\b(\w*(?:{SECRET_NAMES}))=[^&\s]+", r"\1=***", text)


def without_advice(message: str) -> str:
    """Return the message of an engine without its advice, which names settings that this project does not have."""
    said, *advice = re.split(ADVICE, message, maxsplit=1, flags=re.I)
    return said.rstrip(" .;:") if advice else message


def is_secret_name(name: str) -> bool:
    """Return whether a variable of this name holds a secret: SHOP_PASSWORD, API_KEY."""
    return re.search(SECRET_NAMES, name, flags=re.I) is not None


def spelled_out(secrets: Iterable[str]) -> frozenset[str]:
    """Return secrets in all forms in which they may be shown: as they are, in an address, in HTML.

    Of an address it is also the password. Texts of fewer than 4 characters stand everywhere and are left out.
    """
    plain = {part for secret in secrets for part in (secret, *re.findall(r"://[^:/\s]*:(\S+)@", secret))}
    plain |= {unquote(secret) for secret in plain}
    forms = {form for secret in plain for form in (secret, quote(secret, safe=""), html.escape(secret))}
    return frozenset(form for form in forms if len(form) >= SHORTEST_SECRET)
