"""Keep the overview of all reports up to date."""

import hashlib
import json
from pathlib import Path

from crm_utils.pipeline import cache_keys
from crm_utils.site import published


def index_key(root: Path) -> str:
    """The key of the overview pages: a hash of what is published and of the code that shows it."""
    dates = published.published_dates(root)
    keys = {folder.name: [_pages_key(folder / day) for day in days] for folder, days in dates.items()}
    comparisons = {folder.name: published.published_comparisons(folder) for folder in dates}
    code = cache_keys.local_dependencies("from crm_utils.site import index_page")
    code += sorted((cache_keys.PACKAGE / "site" / "templates").glob("*.*"))
    parts = [json.dumps([keys, comparisons]), *(path.read_text(encoding="utf-8") for path in code)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def refresh_index(root: Path) -> None:
    """Update the overview pages, the links to comparisons and `latest`: reports may have been added or deleted."""
    for folder in published.published_dates(root):
        published.link_comparisons(folder)
    published.renew_latest(root)
    index = root / "reports" / "index.html"
    if not index.exists() or f'data-built-from="{index_key(root)}"' not in index.read_text(encoding="utf-8"):
        # imported here because it imports pandas and matplotlib, which are not needed if nothing changed
        from crm_utils.site import index_page

        index_page.write_index(root, index_key(root))


def _pages_key(folder: Path) -> str:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["pages_key"]
