"""The words that a reader of a page sees at once."""

from pathlib import Path

from bs4 import BeautifulSoup

# Most words on each page
LIMITS = {"index": 350, "02_rfm": 350, "03_segmentation": 450, "04_cltv": 550, "05_budget": 600}
UNSEEN = "script, style, svg, nav, [hidden], .code, .celltag_analyst, details.settings"


def visible_words(page: Path) -> int:
    """Words of the main part, but for drawings, navigation, code, what is for analysts and what is folded."""
    main = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").main
    for part in main.select(UNSEEN):
        part.extract()
    for part in main.find_all("details", open=False):
        for inside in list(part.children):
            if getattr(inside, "name", None) != "summary":
                inside.extract()
    return sum(any(letter.isalnum() for letter in word) for word in main.get_text(" ").split())


def too_long(folder: Path) -> list[str]:
    """The pages of a date with more words than they may have."""
    counts = {name: visible_words(folder / f"{name}.html") for name in LIMITS}
    return [f"{name}: {count} words" for name, count in counts.items() if count > LIMITS[name]]
