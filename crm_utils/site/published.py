"""What lies in `reports`: the published dates of each report, and its comparisons of two dates."""

import re
from datetime import date
from pathlib import Path

from crm_utils.core import formatting
from crm_utils.pipeline import atomic_publish

DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"  # what a user copied or put beside such folders is none of ours
COMPARED = re.compile("(?<=<!--compared-->).*?(?=<!--/compared-->)", re.DOTALL)  # their place on a date's first page


def published_dates(root: Path) -> dict[Path, list[str]]:
    """The published dates of each report that lies in `reports`, the oldest first; reports without a date are left out."""
    folders = sorted(path for path in (root / "reports").glob("[!._]*") if path.is_dir())
    found = {folder: sorted(path.parent.name for path in folder.glob(f"{DAY}/manifest.json")) for folder in folders}
    return {folder: days for folder, days in found.items() if days}


def published_comparisons(folder: Path) -> list[tuple[str, str]]:
    """The pairs of dates of a report that are compared on a page of their own, and are both still published."""
    pairs = [path.stem.split("_") for path in sorted((folder / "compare").glob(f"{DAY}_{DAY}.html"))]
    return [(then, now) for then, now in pairs if all((folder / day / "manifest.json").exists() for day in (then, now))]


def link_comparisons(folder: Path) -> None:
    """Link, on the first page of each date of a report, the comparisons it stands in. What another run holds is left to that run."""
    pairs = published_comparisons(folder)
    for page in sorted(folder.glob(f"{DAY}/index.html")):
        links = _links(page.parent.name, pairs)
        if COMPARED.search(text := page.read_text(encoding="utf-8")) and COMPARED.search(text)[0] != links:
            with atomic_publish.locked(folder, wait=False) as alone:
                if alone:
                    atomic_publish.write_page(page, COMPARED.sub(lambda _, links=links: links, text))


def _links(day: str, pairs: list[tuple[str, str]]) -> str:
    """A paragraph that leads from a date to its comparisons; empty where it has none."""
    others = {"".join({then, now} - {day}): f"{then}_{now}" for then, now in pairs if day in (then, now)}
    links = [
        f'<a href="../compare/{name}.html">{formatting.day(date.fromisoformat(other))}</a>'
        for other, name in sorted(others.items())
    ]
    return f'<p class="compared">Compared with {formatting.join_names(links)}.</p>' if links else ""
