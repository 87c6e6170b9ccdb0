"""Take the README's picture: the decision page of the last CDNOW date, as a browser shows it."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]


def main() -> None:
    page = max((ROOT / "reports" / "cdnow").glob("[0-9]*/index.html"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1160, "height": 1060})
        tab.goto(page.resolve().as_uri())
        tab.screenshot(path=ROOT / "docs" / "report.png")
        browser.close()


if __name__ == "__main__":
    main()
