"""Who may read the files of a date: those with customer ids belong to their owner, pages are for everybody."""

import re
import shutil
from collections.abc import Collection
from pathlib import Path

# What holds customer ids in the folder of a date, beside pages
PRIVATE = ("data", "lists", "send", "hold_back", "do_not_contact.csv", "notebooks")
OWNER_ONLY = 0o700
# A column of customers on a page, or of a table that an analyst shows
CUSTOMER_COLUMN = re.compile(r"<th\b[^>]*>\s*(?:customer_id|customer id|customer)\s*<", re.IGNORECASE)
# Pages that name customers in sentences, and the page on which customers are looked up
ALWAYS_PRIVATE = ("01_cleaning.html", "04_cltv.html", "customers.html")


def make_private_folder(folder: Path) -> None:
    """Create a folder that only its owner may open, with its parents."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(OWNER_ONLY)


def make_cache(folder: Path, publish_modes: Collection[str]) -> None:
    """Create the folder with copies of the data; whoever may read one of the reports may open it."""
    mode = _folder_mode(OWNER_ONLY)
    for publish_mode in publish_modes:
        mode |= _folder_mode(int(publish_mode, 8))
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o777 != mode:
        folder.chmod(mode)


def _folder_mode(file_mode: int) -> int:
    """Return the mode of a folder: whoever may read it may open it."""
    return file_mode | (file_mode & 0o444) >> 2


def private_pages(folder: Path) -> list[str]:
    """The pages of a date that name customers."""
    pages = [path for path in sorted(folder.glob("*.html")) if path.name != "index.html"]
    return [
        path.name
        for path in pages
        if path.name in ALWAYS_PRIVATE or CUSTOMER_COLUMN.search(path.read_text(encoding="utf-8"))
    ]


def set_modes(folder: Path, publish_mode: str, further: Collection[str] = ()) -> None:
    """Set who may read a finished date: everybody its pages, and customer ids as `publish_mode` says.

    Parameters
    ----------
    folder : Path
        The folder of the date. It may have been opened by its owner only until now.
    publish_mode : str
        The mode of files with customer ids in octal digits: 600 for the owner alone, 640 for the group too. Their
        folders can also be opened by whoever may read them.
    further : collection of str
        More files with customer ids.
    """
    file_mode = int(publish_mode, 8)
    folder_mode = _folder_mode(file_mode)
    for name in (*PRIVATE, *private_pages(folder), *further):
        path = folder / name
        if path.is_dir():
            path.chmod(folder_mode)
        for inner in path.rglob("*") if path.is_dir() else [path] * path.exists():
            inner.chmod(folder_mode if inner.is_dir() else file_mode)
    shutil.copymode(folder.parent, folder)
