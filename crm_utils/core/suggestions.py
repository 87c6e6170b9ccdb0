"""The nearest valid name for a misspelt one."""

import difflib
import re
from collections.abc import Iterable


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A question that suggests the valid name most similar to `name`; empty if none is similar."""
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {nearest[0]!r}?" if nearest else ""


def plain_name(name: str) -> str:
    """A column name without case, blanks and marks: two spellings of one name become equal."""
    return re.sub(r"\W|_", "", name).casefold()
