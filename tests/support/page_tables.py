"""What a reader sees in a table of a page."""

from bs4 import BeautifulSoup

from crm_utils.core.display.table_style import Shown


def cell_texts(shown: Shown) -> list[list[str]]:
    """The texts of a table, row by row, the headings first."""
    rows = BeautifulSoup(shown._repr_html_(), "html.parser").select("tr")
    return [[cell.get_text() for cell in row.select("th, td")] for row in rows]
