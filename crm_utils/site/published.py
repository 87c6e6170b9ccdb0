"""The published content of `reports`: the dates of each report, the newest one, and comparisons of two dates."""

import os
import re
import shutil
from datetime import date
from pathlib import Path

from crm_utils.core.formatting import day, join_names
from crm_utils.pipeline import atomic_publish
from crm_utils.pipeline.manifest import read_manifest

DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"  # a user's own copies have other names
LATEST = "latest"  # the folder of a report that always holds its newest date
COMPARED = ("index.html", "manifest.json")  # if they are equal, two folders hold the same pages
COMPARISON_LINKS = re.compile("(?<=<!--compared-->).*?(?=<!--/compared-->)", re.DOTALL)  # on a date's first page


def published_dates(root: Path) -> dict[Path, list[str]]:
    """The published dates of each report by folder, oldest first. Reports without a date are left out."""
    folders = sorted(path for path in (root / "reports").glob("[!._]*") if path.is_dir())
    dates = {folder: sorted(path.parent.name for path in folder.glob(f"{DAY}/manifest.json")) for folder in folders}
    return {folder: days for folder, days in dates.items() if days}


def published_comparisons(folder: Path) -> list[tuple[str, str]]:
    """The pairs of published dates (earlier, later) of a report for which there is a comparison page."""
    pages = sorted((folder / "compare").glob(f"{DAY}_{DAY}.html"))
    pairs = [(path.stem[:10], path.stem[11:]) for path in pages]
    return [pair for pair in pairs if all((folder / day / "manifest.json").exists() for day in pair)]


def link_comparisons(folder: Path) -> None:
    """Link each date's comparisons on its first page. A report that another run has locked is skipped."""
    pairs = published_comparisons(folder)
    for page in sorted(folder.glob(f"{DAY}/index.html")):
        links = _links(page.parent.name, pairs)
        text = page.read_text(encoding="utf-8")
        current = COMPARISON_LINKS.search(text)
        if current is None or current[0] == links:
            continue
        with atomic_publish.locked(folder, wait=False) as alone:
            if alone:
                atomic_publish.write_page(page, text[: current.start()] + links + text[current.end() :])


def remove_old_dates(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest published dates of a report, and their comparisons. Call under the report's lock.

    Only folders that hold this report's manifest of their date are removed.

    Parameters
    ----------
    folder : Path
        The folder of the report.
    keep : int
        How many dates are kept.

    Returns
    -------
    list of Path
        The folders that were removed.
    """
    own = [path.parent for path in sorted(folder.glob(f"{DAY}/manifest.json")) if _is_published(path.parent)]
    old = own[:-keep]
    for path in old:
        # the name of an unfinished folder, so that the next run finishes the work if this one is killed
        unfinished = atomic_publish.build_folder(path)
        path.rename(unfinished)
        shutil.rmtree(unfinished)
        shutil.rmtree(atomic_publish.failed_folder(path), ignore_errors=True)
    removed = {path.name for path in old}
    for page in (folder / "compare").glob(f"{DAY}_{DAY}.html"):
        if removed & {page.stem[:10], page.stem[11:]}:
            page.unlink()
    return old


def _is_published(folder: Path) -> bool:
    described = read_manifest(folder)
    return described.get("report") == folder.parent.name and described.get("analysis_date") == folder.name


def renew_latest(root: Path) -> None:
    """Make `reports/<report>/latest` a copy of each report's newest date. A report that another run has locked is left.

    It is a folder of files, because links between folders break on Windows, in archives and on web servers. It is as
    deep as the date, so all links of its pages work. Where the disk has hard links, it takes no space.
    """
    dates = published_dates(root)
    copies = {path.parents[1] for path in (root / "reports").glob(f"[!._]*/{LATEST}/manifest.json")}
    for folder in sorted(copies | set(dates)):
        newest = folder / dates[folder][-1] if folder in dates else None
        latest = folder / LATEST
        if newest and all(_equal_files(newest / name, latest / name) for name in COMPARED):
            continue
        with atomic_publish.locked(folder, wait=False) as alone:
            if alone and newest:
                atomic_publish.recover_folder(folder)
                shutil.copytree(newest, atomic_publish.build_folder(latest), copy_function=_link_or_copy)
                atomic_publish.swap_into_place(latest)
            elif alone:
                shutil.rmtree(latest)


def _equal_files(first: Path, second: Path) -> bool:
    return first.exists() and second.exists() and first.read_bytes() == second.read_bytes()


def _link_or_copy(source: str, target: str) -> None:
    """Give a file a second name, or copy it where the disk has no hard links. Published files are never changed."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _links(date_name: str, pairs: list[tuple[str, str]]) -> str:
    """A paragraph that links a date's comparisons; empty if it has none."""
    others = {"".join({then, now} - {date_name}): f"{then}_{now}" for then, now in pairs if date_name in (then, now)}
    links = [
        f'<a href="../compare/{name}.html">{day(date.fromisoformat(other))}</a>'
        for other, name in sorted(others.items())
    ]
    return f'<p class="compared">Compared with {join_names(links)}.</p>' if links else ""
