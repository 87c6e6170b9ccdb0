"""Schema inference: columns, and formats of dates and numbers."""

import re

import pandas as pd

from crm_utils.sources import date_formats
from crm_utils.sources.casting import ALIKE_MARKS, CURRENCY_SIGN, GROUP_MARK, NO_CENTS
from crm_utils.sources.column_names import EXCLUDING_WORDS, NAMES, UNIT_WORDS, find_named_column, plain_words
from crm_utils.sources.table_kinds import ORDER_COUNT

MANY_ROWS, FEW_IDS = 500, 5  # in so many rows, a column with fewer different values cannot contain order ids
LAST_RESORTS = ("id", "ids", "cust", "customers", "name", "full name", "phone", "who", "person")
DECIMALS = r"-?\d+[.,]\d*[1-9]\d*"  # money, not ids
NUMBERS = ("quantity", "unit_price", "unit_cost", "amount")
CURRENCY_SIGNS = {"$": "USD", "£": "GBP", "€": "EUR", "¥": "JPY", "円": "JPY", "₹": "INR", "₺": "TRY", "₽": "RUB"}
CURRENCY_SIGNS |= {"₩": "KRW", "₪": "ILS", "₴": "UAH", "₫": "VND", "฿": "THB", "元": "CNY", "zł": "PLN", "Kč": "CZK"}
CURRENCY_SIGNS |= {"R$": "BRL"}
CODES = ("USD", "GBP", "EUR", "CHF", "JPY", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "CZK", "TRY", "INR", "BRL", "CNY")
ISO = r"(19|20)\d\d-?(0[1-9]|1[0-2])-?([0-2]\d|3[01])(?!\d)"
NUMBER = (
    rf"\(?({CURRENCY_SIGN})?\s?[-+−]?({CURRENCY_SIGN})?\s?[-+]?[\d.,'’\s]*\d([.,:][-–—]+|-)?\s?({CURRENCY_SIGN})?\)?"
)
# what stands around and between the digits of a number, apart from comma and point
AROUND = r"[$£€¥₹₺₽₩₪₴₫฿円元A-Zzłčkr'’\s()]"
SAMPLED_VALUES, MIN_SHARE = 100, 0.9  # sampled values per column, and the share that must match


def columns(sample: pd.DataFrame) -> dict[str, str]:
    """Guess the column of each standard name from a sample, whose values are text.

    A name counts only if the values match: a date column must contain dates, a quantity numbers. If quantity and unit
    price are both found, no amount is used, because it may be the total of an order, which would count once per line.
    If no column contains dates, the one named like a date is used, so that reading it reports what is wrong.
    """
    found: dict[str, str] = {}
    for standard in NAMES:
        free = [name for name in sample.columns if name not in found.values() and agrees(sample[name], standard)]
        match = find_named_column(free, standard)
        if match is None and standard == "ordered_at":
            others = set(EXCLUDING_WORDS["ordered_at"].split())
            free.sort(
                key=lambda name: bool(others & set(plain_words(name).split()))
            )  # try names such as birth date last
            match = (
                find_named_column(_serials(sample), standard)
                or next(iter(free), None)
                or find_named_column(list(sample.columns), standard)
            )
        if match is not None:
            found[standard] = match
    if "customer_id" not in found and (name := _last_resort(sample, found)):
        found["customer_id"] = name
    numbered = [name for name in sample.columns if name not in found.values() and _is_numbered(sample[name])]
    if numbered and "order_id" not in found:
        found["order_id"] = numbered[0]
    if {"quantity", "unit_price"} <= set(found):
        found.pop("amount", None)
    elif "unit_price" in found:
        price = found.pop("unit_price")
        if "amount" not in found and not UNIT_WORDS & set(plain_words(price).split()):
            found["amount"] = price
    return found


def has_no_amounts(sample: pd.DataFrame, columns: dict[str, str]) -> bool:
    """Whether a log of orders has no amounts: customers and dates are known, and no other column holds numbers."""
    if not {"customer_id", "ordered_at"} <= set(columns) or {"amount", "unit_price"} & set(columns):
        return False
    free = [name for name in sample.columns if name not in columns.values()]
    return not any(agrees(sample[name], "amount") or _has_decimals(sample[name]) for name in free)


def date_format(texts: list[str]) -> tuple[str | None, list[str]]:
    """Guess the strptime pattern of dates (None for ISO), and return the other patterns that match too."""
    if all(re.match(ISO, text) for text in texts):
        return None, []
    if date_formats.are_excel_serials(texts):
        return "excel", []
    fits = date_formats.fitting_formats(texts)
    return (fits[0], fits[1:]) if fits else (_most_fitting(texts[:: len(texts) // SAMPLED_VALUES + 1]), [])


def number_format(texts: list[str], continental: bool = False) -> dict[str, str]:
    """Guess the format of numbers: decimal, thousands, currency_sign, each only if it differs from 1234.5.

    Numbers such as `19,500` or `1.490` are ambiguous (see `ambiguous_number`). Then a comma separates thousands and a
    point decimals, or the reverse if dates are `continental` (31.12.2024).
    """
    written = {}
    signs = {sign for text in texts for sign in re.findall(CURRENCY_SIGN, text)}
    if len(signs) == 1:
        written["currency_sign"] = signs.pop()
    marks = {mark for text in texts for mark in re.findall(GROUP_MARK, text)}
    if found := [alike[0] for alike in ALIKE_MARKS if marks and marks <= set(alike)]:
        written["thousands"] = marks.pop() if len(marks) == 1 and not "".join(marks).isspace() else found[0]
    bare = [re.sub(AROUND, "", re.sub(NO_CENTS, "", text)) for text in texts]
    both = [text for text in bare if "," in text and "." in text]
    if both:
        comma = all(text.rindex(",") > text.rindex(".") for text in both)
        return written | ({"decimal": ",", "thousands": "."} if comma else {"thousands": ","})
    if "thousands" not in written:
        for mark, usual in ((",", not continental), (".", continental)):
            if grouped := _grouped(bare, mark):
                sure = any(text.count(mark) > 1 for text in grouped)
                return written | ({"thousands": mark} if usual or sure else {"decimal": ","} if mark == "," else {})
    return written | ({"decimal": ","} if any("," in text for text in bare) else {})


def ambiguous_number(texts: list[str]) -> str | None:
    """Return a number whose comma or point may separate thousands or decimals; None if there is none.

    That is so if three digits follow the only comma or point in all numbers that have one.
    """
    bare = [re.sub(AROUND, "", text) for text in texts]
    for mark, other in ((",", "."), (".", ",")):
        grouped = _grouped(bare, mark)
        if grouped and not any(text.count(mark) > 1 for text in grouped) and not any(other in text for text in bare):
            return grouped[0]
    return None


def _grouped(bare: list[str], mark: str) -> list[str]:
    """Return the numbers that contain a mark, if it can be the thousands separator in all of them."""
    marked = [text for text in bare if mark in text]
    groups = rf"[+-]?[1-9](\d{{0,2}}({re.escape(mark)}\d{{3}})+|\d?({re.escape(mark)}\d\d)+{re.escape(mark)}\d{{3}})"
    possible = all(re.fullmatch(groups, text) for text in marked)
    return marked if possible else []


def currency(sample: pd.DataFrame, sign: str | None) -> str | None:
    """Guess the currency from a sign, a column of codes or a column's name ('price_eur', 'Price (€)').

    None if there is no hint.
    """
    if sign:
        return CURRENCY_SIGNS.get(sign, sign if re.fullmatch("[A-Z]{3}", sign) else None)
    for name in sample.columns:
        values = set(sample[name].dropna().str.strip())
        if len(values) == 1 and values <= set(CODES):
            return values.pop()
    words = {word.upper() for name in sample.columns for word in plain_words(name).split()}
    signs = {CURRENCY_SIGNS[sign] for name in sample.columns for sign in name if sign in CURRENCY_SIGNS}
    codes = [code for code in CODES if code in words | signs]
    return codes[0] if len(codes) == 1 else None


def agrees(values: pd.Series, standard: str) -> bool:
    """Whether at least 90% of the values match a standard name."""
    texts = values.dropna().str.strip()
    texts = texts[texts != ""]
    if texts.empty:
        return False
    if standard == "order_id" and len(texts) >= MANY_ROWS and texts.nunique() < FEW_IDS:
        return False
    texts = texts.sample(min(SAMPLED_VALUES, len(texts)), random_state=0)
    if standard == "ordered_at":
        return texts.str.match(ISO).mean() >= MIN_SHARE or _most_fitting(texts.tolist()) is not None
    return texts.str.fullmatch(NUMBER).mean() >= MIN_SHARE if standard in NUMBERS else True


def _last_resort(sample: pd.DataFrame, found: dict[str, str]) -> str | None:
    """A column named `Id` or alike, or the only column left, if its values come again as customers do."""
    free = [name for name in sample.columns if name not in found.values()]
    named = [name for name in free if plain_words(name) in LAST_RESORTS]
    chosen = named or (free if len(free) == 1 and not re.fullmatch(ORDER_COUNT, plain_words(free[0])) else [])
    texts = sample[chosen[0]].dropna() if chosen else pd.Series(dtype=str)
    ids = texts.nunique()
    comes_again = FEW_IDS <= ids < len(texts) or 0 < ids < len(texts) < MANY_ROWS
    return chosen[0] if comes_again and not texts.str.fullmatch(DECIMALS).any() else None


def _has_decimals(values: pd.Series) -> bool:
    """Whether most values contain a number with two decimals, though they are written in an unknown way."""
    texts = values.dropna()
    return len(texts) > 0 and texts.str.contains(r"\d[.,]\d\d(?!\d)").mean() >= MIN_SHARE


def _is_numbered(values: pd.Series) -> bool:
    """Whether a column contains order numbers such as #1001."""
    texts = values.dropna().str.strip()
    return len(texts) > 0 and texts.str.fullmatch(r"#[A-Z-]*\d+").all()


def _serials(sample: pd.DataFrame) -> list[str]:
    """Return the columns whose numbers may be serial numbers of dates; only their names can confirm that."""
    texts = {name: sample[name].dropna().str.strip().head(SAMPLED_VALUES).tolist() for name in sample.columns}
    return [name for name, examples in texts.items() if date_formats.are_excel_serials(examples)]


def _most_fitting(texts: list[str]) -> str | None:
    shares = {
        pattern: sum(date_formats.reads_all(pattern, text) for text in texts) / len(texts)
        for pattern in date_formats.FORMATS
    }
    best = max(shares, key=lambda pattern: shares[pattern])
    return best if shares[best] >= MIN_SHARE else None
