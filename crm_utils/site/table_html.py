"""Tables as a finished page has them: scopes and captions for who listens, boxes to scroll in, totals apart, long ones to sort."""

from bs4 import BeautifulSoup
from bs4.element import Tag

SORTABLE_FROM = 10  # rows
WIDE_FROM = 14  # columns, which on paper take a page on its side


def make_accessible_html(html: str) -> str:
    """The page with each of its tables finished. A page without a table is returned as it is."""
    if "<table" not in html:
        return html
    body = BeautifulSoup(html, "html.parser")
    make_accessible(body)
    return str(body)


def make_accessible(body: BeautifulSoup) -> None:
    """Finish each table of a page, or of a part of one."""
    for style in body.find_all("style"):
        if style.find_parent("head") is None:
            style.extract()  # what a Styler writes for a table without styles of its own
    for table in body.find_all("table"):
        _finish(table)
        if not table.find_parent(class_="scroll"):
            _box(body, table)


def _finish(table: Tag) -> None:
    heads = table.select("thead tr:last-child th")
    for head, cell in zip(heads, table.select("tbody tr:first-child > *"), strict=False):
        head["class"] = [name for name in cell.get("class", ["text"]) if name in ("number", "text", "long")]
    for cell in table.find_all(["th", "td"]):
        cell.attrs.pop("id", None)
        if "class" in cell.attrs:  # those a Styler numbers its cells with are not needed
            cell["class"] = [name for name in cell["class"] if name in ("number", "text", "long", "total")]
    for head in heads:
        head["scope"] = "col"
    for row in table.select("tbody tr"):
        first = row.find(["th", "td"])
        if first is not None and "number" not in first.get("class", []):
            first.name, first["scope"] = "th", "row"
    _set_total_apart(table)
    if len(table.select("tbody tr")) >= SORTABLE_FROM:
        table["class"] = [*table.get("class", []), "sortable"]


def _set_total_apart(table: Tag) -> None:
    """The row of totals becomes the table's foot: sorting leaves it where it is."""
    total = [row for row in table.select("tbody tr") if row.find(class_="total")]
    if total:
        foot = BeautifulSoup("", "html.parser").new_tag("tfoot")
        table.append(foot)
        for row in total:
            foot.append(row.extract())


def _box(body: BeautifulSoup, table: Tag) -> None:
    """A box in which the table scrolls, which the keyboard can reach and a screen reader can name."""
    caption = table.caption.get_text() if table.caption else "Table"
    wide = len(table.select("thead tr:last-child th")) >= WIDE_FROM
    table.wrap(
        body.new_tag(
            "div",
            attrs={
                "class": "scroll wide" if wide else "scroll",
                "tabindex": "0",
                "role": "region",
                "aria-label": caption,
            },
        )
    )
