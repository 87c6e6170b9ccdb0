"""Keep the pages over all reports in step with what is published."""

import hashlib
import json
from pathlib import Path

from crm_utils.pipeline import cache_keys
from crm_utils.site import published


def overview_key(root: Path) -> str:
    """The key of the pages over all reports: what is published, and the code that shows it."""
    there = {
        folder.name: [
            json.loads((folder / day / "manifest.json").read_text(encoding="utf-8"))["pages_key"] for day in days
        ]
        for folder, days in published.published_dates(root).items()
    }
    compared = {folder.name: published.published_comparisons(folder) for folder in published.published_dates(root)}
    code = cache_keys.local_dependencies("from crm_utils.site import index_page")
    code += sorted((cache_keys.PACKAGE / "site" / "templates").glob("*.*"))
    parts = [json.dumps([there, compared]), *(path.read_text(encoding="utf-8") for path in code)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def refresh_index(root: Path) -> None:
    """Make the pages over all reports, and the links to comparisons, show what is published now: a report may have been taken away."""
    for folder in published.published_dates(root):
        published.link_comparisons(folder)
    index = root / "reports" / "index.html"
    if not index.exists() or f'data-built-from="{overview_key(root)}"' not in index.read_text(encoding="utf-8"):
        from crm_utils.site import index_page  # pandas and matplotlib only if there is something to draw

        index_page.write_index(root, overview_key(root))
