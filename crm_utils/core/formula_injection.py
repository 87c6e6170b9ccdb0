"""Keep spreadsheets from running text as a formula (CSV injection, OWASP)."""

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def escape_formula(value: object) -> object:
    """Return the value. Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def escape_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with every text escaped, headings included."""
    texts = [column for column in frame if not pd.api.types.is_numeric_dtype(frame[column])]
    harmless = frame.astype(dict.fromkeys(texts, object))
    for column in texts:
        distinct = pd.Series(harmless[column].unique(), dtype=object)
        risky = {
            value: escape_formula(value)
            for value in distinct
            if isinstance(value, str) and value.startswith(FORMULA_STARTS)
        }
        harmless[column] = harmless[column].replace(risky) if risky else harmless[column]
    return harmless.rename(columns=escape_formula)
