"""How numbers, money and dates are written in sentences, tables and figures."""

import re
import threading
from datetime import date

SYMBOLS = {"USD": "$", "GBP": "£", "EUR": "€", "JPY": "¥"}

_set = threading.local()  # dates are rendered side by side, each in a thread of its own


def set_thousands_separator(sign: str) -> None:
    """From here on, in this thread, write `sign` between groups of three digits; a blank does not break."""
    _set.thousands = "\u00a0" if sign == " " else sign


def _grouped(number: str) -> str:
    return number.replace(",", getattr(_set, "thousands", ","))


def count(number: float) -> str:
    """A whole number with thousands separators: 23502 -> '23,502', -5 -> '−5'."""
    return _grouped(f"{round(number):,}".replace("-", "−"))


def number(value: float, decimals: int) -> str:
    """A number with so many decimals: (1234.5, 2) -> '1,234.50'; what is written as zero has no sign."""
    return _grouped(f"{round(value, decimals) + 0:,.{decimals}f}").replace("-", "−")


def plural(number: float, noun: str, plural_form: str | None = None) -> str:
    """A count with its noun: (1, 'customer') -> '1 customer'."""
    return f"{count(number)} {noun if round(number) == 1 else plural_form or noun + 's'}"


def money(amount: float, currency: str, decimals: int | None = None) -> str:
    """An amount with its currency, cents only below 100, millions in words: '$2.50 million', '£61,300', '$35.17'."""
    size, symbol = abs(amount), SYMBOLS.get(currency, f"{currency} ")
    if decimals is None and size >= 999_500:
        return f"{'−' if amount < 0 else ''}{symbol}{number(size / 1e6, 2)} million"
    places = (2 if size < 99.995 else 0) if decimals is None else decimals
    return f"{'−' if round(amount, places) < 0 else ''}{symbol}{number(size, places)}"


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


def short_money(amount: float, currency: str) -> str:
    """An amount for an axis: '$250k', '$1.5m', '$40'."""
    sign, size = ("−" if amount < 0 else ""), abs(amount)
    symbol = SYMBOLS.get(currency, f"{currency} ")
    for limit, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if size >= limit:
            return f"{sign}{symbol}{size / limit:.3g}{unit}"
    return f"{sign}{symbol}{size:.3g}"


def mask_secrets(text: str) -> str:
    """A text without the passwords, tokens and keys that database addresses in it carry; a password may hold an @."""
    text = re.sub(r"(://[^:/\s]*):(?!@)\S+@", r"\1:***@", text)
    return re.sub(r"(?i)\b(\w*(?:password|passwd|pwd|token|secret|key))=[^&\s]+", r"\1=***", text)
