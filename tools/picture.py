"""Take the pictures of README and docs from the last CDNOW report, as a browser shows its pages."""

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
SHOTS = {  # picture: page, width, height, and the heading it starts from
    "report": ("index", 1160, 1060, None),
    "segments": ("03_segmentation", 1160, 860, "How-large-is-each-segment,-and-what-does-it-bring?"),
    "phone": ("03_segmentation", 390, 760, "How-large-is-each-segment,-and-what-does-it-bring?"),
    "plan": ("05_budget", 1160, 860, "What-should-we-do?"),
    "code": ("02_rfm", 1160, 760, "What-do-we-know-about-each-customer?"),
}


def main() -> None:
    """Write the pictures of the README from the last CDNOW report."""
    folder = max(DOCS.with_name("reports").joinpath("cdnow").glob("[0-9]*/index.html")).parent
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (page, width, height, start) in SHOTS.items():
            _small(_shot(browser, folder / f"{page}.html", width, height, start, code=name == "code")).save(
                DOCS / f"{name}.png", optimize=True
            )
        browser.close()


def _shot(browser: Browser, page: Path, width: int, height: int, start: str | None, code: bool) -> bytes:
    tab = browser.new_page(viewport={"width": width, "height": height})
    tab.goto(page.resolve().as_uri())
    if code:
        tab.locator("#show-code").check()
    if start:
        tab.evaluate(
            "id => window.scrollTo({top: document.getElementById(id).offsetTop - 24, behavior: 'instant'})", start
        )
    return tab.screenshot()


def _small(shot: bytes) -> Image.Image:
    """The picture in 200 colours, which is enough for text and bars."""
    return Image.open(io.BytesIO(shot)).convert("RGB").quantize(200, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
