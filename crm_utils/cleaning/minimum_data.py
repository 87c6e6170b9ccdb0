"""What a model of purchases needs at least: the one rule that the check of the data and the models share."""

from crm_utils.core.formatting import plural

MIN_DATA = {"customers": 100, "repeat_buyers": 30, "days": 90}
NOUNS = {"customers": ("customer",), "repeat_buyers": ("repeat buyer",), "days": ("day of history", "days of history")}


def unmet_requirements(found: dict[str, float]) -> list[str]:
    """Why data with so many customers, repeat_buyers (on two days or more) and days (of history) carry no model."""
    return [
        f"there {'is' if found[name] == 1 else 'are'} {plural(found[name], *NOUNS[name])} where a model needs {fewest}"
        for name, fewest in MIN_DATA.items()
        if found[name] < fewest
    ]
