"""What lies in `reports`, and the pages made from it: those over all reports, and comparisons of two dates."""

import hashlib
import json
import re
from datetime import date
from pathlib import Path

from crm_utils.core import formatting
from crm_utils.pipeline import atomic_publish, cache_keys

DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"  # what a user copied or put beside such folders is none of ours
COMPARED = re.compile("(?<=<!--compared-->).*?(?=<!--/compared-->)", re.DOTALL)  # their place on a date's first page


def dates(root: Path) -> dict[Path, list[str]]:
    """The published dates of each report that lies in `reports`, the oldest first; reports without a date are left out."""
    folders = sorted(path for path in (root / "reports").glob("[!._]*") if path.is_dir())
    found = {folder: sorted(path.parent.name for path in folder.glob(f"{DAY}/manifest.json")) for folder in folders}
    return {folder: days for folder, days in found.items() if days}


def comparisons(folder: Path) -> list[tuple[str, str]]:
    """The pairs of dates of a report that are compared on a page of their own, and are both still published."""
    pairs = [path.stem.split("_") for path in sorted((folder / "compare").glob(f"{DAY}_{DAY}.html"))]
    return [(then, now) for then, now in pairs if all((folder / day / "manifest.json").exists() for day in (then, now))]


def link_comparisons(folder: Path) -> None:
    """Link, on the first page of each date of a report, the comparisons it stands in. What another run holds is left to that run."""
    pairs = comparisons(folder)
    for page in sorted(folder.glob(f"{DAY}/index.html")):
        links = _links(page.parent.name, pairs)
        if COMPARED.search(text := page.read_text(encoding="utf-8")) and COMPARED.search(text)[0] != links:
            with atomic_publish.locked(folder, wait=False) as alone:
                if alone:
                    atomic_publish.write(page, COMPARED.sub(lambda _, links=links: links, text))


def _links(day: str, pairs: list[tuple[str, str]]) -> str:
    """A paragraph that leads from a date to its comparisons; empty where it has none."""
    others = {"".join({then, now} - {day}): f"{then}_{now}" for then, now in pairs if day in (then, now)}
    links = [
        f'<a href="../compare/{name}.html">{formatting.day(date.fromisoformat(other))}</a>'
        for other, name in sorted(others.items())
    ]
    return f'<p class="compared">Compared with {formatting.listing(links)}.</p>' if links else ""


def overview_key(root: Path) -> str:
    """The key of the pages over all reports: what is published, and the code that shows it."""
    there = {
        folder.name: [
            json.loads((folder / day / "manifest.json").read_text(encoding="utf-8"))["pages_key"] for day in days
        ]
        for folder, days in dates(root).items()
    }
    compared = {folder.name: comparisons(folder) for folder in dates(root)}
    code = cache_keys.imported("from crm_utils.site import index_page")
    code += sorted((cache_keys.PACKAGE / "site" / "templates").glob("*.*"))
    parts = [json.dumps([there, compared]), *(path.read_text(encoding="utf-8") for path in code)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def bring_index_up_to_date(root: Path) -> None:
    """Make the pages over all reports, and the links to comparisons, show what is published now: a report may have been taken away."""
    for folder in dates(root):
        link_comparisons(folder)
    index = root / "reports" / "index.html"
    if not index.exists() or f'data-built-from="{overview_key(root)}"' not in index.read_text(encoding="utf-8"):
        from crm_utils.site import index_page

        index_page.write(root)


def renew_comparisons(folder: Path, rebuilt: set[str]) -> list[str]:
    """Write the comparisons anew in which a rebuilt date stands; return one line per problem. Call under the report's lock."""
    if not rebuilt & {day for pair in comparisons(folder) for day in pair}:
        return []
    from crm_utils.commands import compare_dates

    return compare_dates.renew(folder, rebuilt)
