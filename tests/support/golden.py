"""The wording of the pages of the small report, as plain text that a copy editor reads in a diff.

    python -m tests.support.golden

builds the report in a temporary folder and writes `tests/end_to_end/golden/*.txt` anew.
"""

import tempfile
from pathlib import Path

from bs4 import BeautifulSoup

from tests.support.projects import DAY, new_project, run

GOLDEN = Path(__file__).parents[1] / "end_to_end" / "golden"
PAGES = ("index", "01_cleaning", "02_rfm", "03_segmentation", "04_cltv", "05_budget")
BLOCKS = ["h1", "h2", "h3", "p", "li", "figcaption", "caption", "summary", "dt", "dd"]
LEFT_OUT = ["svg", "script", "style", "pre", "thead", "tbody", "tfoot", "nav", "a.anchor-link", ".settings", "[hidden]"]


def wording(page: Path) -> str:
    """The headings, sentences, captions and column headings of a page, one a line."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    for part in soup.select(", ".join(LEFT_OUT)):
        part.decompose()
    for part in soup.select(", ".join(BLOCKS)):
        if part.find(BLOCKS) is None:
            part.insert_before("\n")
            part.insert_after("\n")
    lines = (" ".join(line.split()) for line in soup.body.get_text().splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def main() -> None:
    """Write the wording of every page anew."""
    with tempfile.TemporaryDirectory() as folder:
        done = run(new_project(Path(folder) / "project"), "report")
        assert done.returncode == 0, done.stderr
        GOLDEN.mkdir(exist_ok=True)
        for name in PAGES:
            (GOLDEN / f"{name}.txt").write_text(wording(Path(folder) / "project" / DAY / f"{name}.html"), "utf-8")


if __name__ == "__main__":
    main()
