"""Alternative texts short enough to be listened to; the table behind a figure has every number."""

# Letters of an alternative text
LONGEST = 150
MORE = "{more} more"


def list_within(template: str, items: list[str], separator: str = "; ") -> str:
    """Return a template with as many items as fit into `LONGEST` letters.

    Parameters
    ----------
    template : str
        A sentence with the hole `{items}`.
    items : list of str
        What is listed, the most important first.
    separator : str
        What stands between two items.

    Returns
    -------
    str
        The sentence. It says how many items it leaves out, and is cut with … if not even one fits.
    """
    for shown in range(len(items), 0, -1):
        left = len(items) - shown
        named = items[:shown] + ([MORE.format(more=left)] if left else [])
        text = template.format(items=separator.join(named))
        if len(text) <= LONGEST:
            return text
    return shorten(template.format(items=separator.join(items[:1])))


def shorten(text: str) -> str:
    """Return a text of at most `LONGEST` letters, cut with … if it is longer."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"
