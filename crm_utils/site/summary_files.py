"""The first page of a date without its figures: `summary.txt` for an e-mail or a chat, `summary.json` for programs."""

import json

from bs4 import BeautifulSoup

from crm_utils.pipeline.jobs import Job

NOT_IN_TEXT = "nav, details, svg, figure img, figcaption, table caption, .more, .downloads, .pages, [hidden]"
LINES = ["h1", "h2", "h3", "p", "li", "tr", ".tile"]


def summary_text(page: str) -> str:
    """Return what the first page of a date shows before anything is unfolded, as plain text.

    Parameters
    ----------
    page : str
        The HTML of the page.

    Returns
    -------
    str
        One line for each sentence, figure and row of a table. Headings are underlined, and cells are separated by `|`.
    """
    body = BeautifulSoup(page, "html.parser")
    for part in body.select(NOT_IN_TEXT):
        part.decompose()
    lines = []
    for part in body.select(", ".join(f"header {name}, main {name}, aside" for name in LINES)):
        cells = part.find_all(["th", "td"])
        text = " | ".join(_words(cell.get_text(" ")) for cell in cells) if cells else _words(part.get_text(""))
        if part.get("class") == ["tile"]:
            label, value, change = (child.get_text() for child in part.find_all("div"))
            text = f"{label}: {value} ({change})"
        if text and not part.find_parent(LINES):
            lines += ["", text, "-" * len(text)] if part.name in ("h1", "h2") else [text]
    return "\n".join(lines).strip() + "\n"


def summary_json(job: Job, figures: dict[str, float]) -> str:
    """Return the key figures of a date with its report, title, date and currency, as JSON."""
    described = {
        "report": job.name,
        "title": job.report.title,
        "analysis_date": str(job.day),
        "currency": job.report.unit,
        "simulated": job.report.source.simulate is not None,
    }
    return json.dumps({**described, "figures": figures}, indent=1, ensure_ascii=False) + "\n"


def _words(text: str) -> str:
    return " ".join(text.split())
