"""How numbers, money and dates are written in sentences, tables and figures."""

import re
import threading
from dataclasses import dataclass
from datetime import date

SYMBOLS = {"USD": "$", "GBP": "£", "EUR": "€", "JPY": "¥"}
NO_BREAK_SPACE = "\u00a0"


@dataclass(frozen=True)
class NumberFormat:
    """How one report writes numbers and money.

    Parameters
    ----------
    currency : str
        ISO code, for example "GBP". A currency without a known symbol is written with its code.
    thousands_separator : str
        Written between groups of three digits; a space does not break.
    """

    currency: str = "USD"
    thousands_separator: str = ","

    def count(self, number: float) -> str:
        """A whole number: 23502 -> '23,502', -5 -> '−5'."""
        return self._grouped(f"{round(number):,}".replace("-", "−"))

    def number(self, value: float, decimals: int) -> str:
        """A number with that many decimals: (1234.5, 2) -> '1,234.50'. A zero has no sign."""
        return self._grouped(f"{round(value, decimals) + 0:,.{decimals}f}").replace("-", "−")

    def plural(self, number: float, noun: str, plural_form: str | None = None) -> str:
        """A count with its noun: (1, 'customer') -> '1 customer'."""
        return f"{self.count(number)} {noun if round(number) == 1 else plural_form or noun + 's'}"

    def money(self, amount: float, decimals: int | None = None) -> str:
        """An amount: '$2.50 million', '£61,300', '$35.17'. Cents only below 100 unless `decimals` says otherwise."""
        size = abs(amount)
        if decimals is None and size >= 999_500:
            return f"{'−' if amount < 0 else ''}{self.symbol}{self.number(size / 1e6, 2)} million"
        places = (2 if size < 99.995 else 0) if decimals is None else decimals
        return f"{'−' if round(amount, places) < 0 else ''}{self.symbol}{self.number(size, places)}"

    def short_money(self, amount: float) -> str:
        """An amount for an axis: '$250k', '$1.5m', '$40'."""
        sign = "−" if amount < 0 else ""
        size = abs(amount)
        for limit, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
            if size >= limit:
                return f"{sign}{self.symbol}{size / limit:.3g}{unit}"
        return f"{sign}{self.symbol}{size:.3g}"

    @property
    def symbol(self) -> str:
        """The currency's sign, or its code and a space."""
        return SYMBOLS.get(self.currency, f"{self.currency} ")

    def _grouped(self, number: str) -> str:
        return number.replace(",", NO_BREAK_SPACE if self.thousands_separator == " " else self.thousands_separator)


_set = threading.local()  # until every stage is handed a NumberFormat


def set_thousands_separator(sign: str) -> None:
    """Write `sign` between groups of three digits in this thread."""
    _set.thousands = sign


def _current(currency: str = "USD") -> NumberFormat:
    return NumberFormat(currency, getattr(_set, "thousands", ","))


def count(number: float) -> str:
    """A whole number in a message: 23502 -> '23,502'."""
    return _current().count(number)


def number(value: float, decimals: int) -> str:
    """A number with that many decimals in a message: (1234.5, 2) -> '1,234.50'."""
    return _current().number(value, decimals)


def plural(number: float, noun: str, plural_form: str | None = None) -> str:
    """A count with its noun in a message: (1, 'customer') -> '1 customer'."""
    return _current().plural(number, noun, plural_form)


def money(amount: float, currency: str, decimals: int | None = None) -> str:
    """An amount with its currency."""
    return _current(currency).money(amount, decimals)


def short_money(amount: float, currency: str) -> str:
    """An amount for an axis."""
    return _current(currency).short_money(amount)


def percent(share: float, decimals: int = 0) -> str:
    """A share as a percentage: 0.1234 -> '12%'. Small shares that would round to nothing read 'under 1%'."""
    if decimals == 0 and 0 < share < 0.005:
        return "under 1%"
    return f"{'−' if round(share, decimals + 2) < 0 else ''}{abs(share):.{decimals}%}"


def rate(share: float) -> str:
    """A rate that somebody set or measured, with a decimal where it has one: 0.3 -> '30%', 0.426 -> '42.6%'."""
    return percent(share, 1 if round(share * 100, 6) % 1 else 0)


def day(value: date) -> str:
    """A date in words: '30 June 1998'."""
    return f"{value.day} {value:%B %Y}"


def join_names(items: list[str]) -> str:
    """Names joined as in a sentence: 'a, b and c'."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else "none"


def mask_secrets(text: str) -> str:
    """A text without the passwords, tokens and keys that database addresses in it carry; a password may hold an @."""
    text = re.sub(r"(://[^:/\s]*):(?!@)\S+@", r"\1:***@", text)
    return re.sub(r"(?i)\b(\w*(?:password|passwd|pwd|token|secret|key))=[^&\s]+", r"\1=***", text)
