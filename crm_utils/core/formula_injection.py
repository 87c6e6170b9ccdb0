"""Keep spreadsheets from running text as a formula (CSV injection, OWASP)."""

import re

import pandas as pd

# The last four are the full-width letters of East Asian keyboards, which Excel reads like the plain ones
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
# A spreadsheet reads a phone number with its country code as a number, and runs nothing
PHONE = re.compile(r"\+[1-9]\d{6,14}")


def escape_formula(value: object) -> object:
    """Return the value. Text that a spreadsheet would run as a formula gets an apostrophe in front.

    A phone number such as +442071838750 stays.
    """
    return f"'{value}" if _would_run(value) else value


def _would_run(value: object) -> bool:
    return isinstance(value, str) and value.startswith(FORMULA_STARTS) and not PHONE.fullmatch(value)


def escape_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with every text escaped, headings included."""
    texts = [column for column in frame if not pd.api.types.is_numeric_dtype(frame[column])]
    harmless = frame.astype(dict.fromkeys(texts, object))
    for column in texts:
        distinct = pd.Series(harmless[column].unique(), dtype=object)
        risky = {value: escape_formula(value) for value in distinct if _would_run(value)}
        harmless[column] = harmless[column].replace(risky) if risky else harmless[column]
    return harmless.rename(columns=escape_formula)
