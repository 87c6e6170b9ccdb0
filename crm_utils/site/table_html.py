"""Prepare tables for a page: scopes for screen readers, a box that scrolls, totals at the foot, and sorting."""

from itertools import count

from bs4 import BeautifulSoup
from bs4.element import AttributeValueList, Tag

SORTABLE_FROM_ROWS = 10
WIDE_FROM_COLUMNS = 15  # a table this wide is printed in landscape
CARDS_WITHIN = "celltag_plan"  # the rows of these tables are cards on a phone
COLUMN_CLASSES = ("number", "text", "long")
CELL_CLASSES = (*COLUMN_CLASSES, "total")


def make_accessible_html(html: str) -> str:
    """The page with accessible tables. A page without a table is returned unchanged."""
    if "<table" not in html:
        return html
    body = BeautifulSoup(html, "html.parser")
    make_accessible(body)
    return str(body)


def make_accessible(body: BeautifulSoup) -> None:
    """Make each table of a page, or of part of a page, accessible."""
    for style in body.find_all("style"):
        if style.find_parent("head") is None and not style.get_text(strip=True):
            # a Styler writes an empty style element for every table
            style.extract()
    coloured = "".join(style.get_text() for style in body.find_all("style") if style.find_parent("head") is None)
    unnamed = count(1)
    for table in body.find_all("table"):
        _finish(table, has_style=f"#{table.get('id')}_" in coloured)
        if table.find_parent(class_=CARDS_WITHIN):
            _label_cells(table)
        if not table.find_parent(class_="scroll"):
            _box(body, table, table.caption.get_text() if table.caption else f"Table {next(unnamed)}")


def _finish(table: Tag, has_style: bool) -> None:
    """Finish one table. The ids of its cells are kept if it has a style of its own, such as colours by value."""
    heads = table.select("thead tr:last-child th")
    for head, cell in zip(heads, table.select("tbody tr:first-child > *"), strict=False):
        _set_classes(head, [name for name in _classes(cell, "text") if name in COLUMN_CLASSES])
    for cell in table.find_all(["th", "td"]):
        if not has_style:
            cell.attrs.pop("id", None)
        if "class" in cell.attrs:
            # a Styler numbers its cells with classes that no style uses
            _set_classes(cell, [name for name in _classes(cell) if name in CELL_CLASSES])
    for head in heads:
        if head.get_text(strip=True):
            head["scope"] = "col"
        else:
            head.name = "td"  # above the names of rows, and no heading
    for row in table.select("tbody tr"):
        first = row.find(["th", "td"])
        if first is not None and "number" not in _classes(first):
            first.name, first["scope"] = "th", "row"
    _move_total_to_foot(table)
    if len(table.select("tbody tr")) >= SORTABLE_FROM_ROWS:
        _set_classes(table, [*_classes(table), "sortable"])


def _label_cells(table: Tag) -> None:
    """Give each cell the heading of its column, which stands beside it when rows are cards."""
    _set_classes(table, [*_classes(table), "cards"])
    heads = [head.get_text(" ", strip=True) for head in table.select("thead tr:last-child th")]
    for row in table.select("tbody tr, tfoot tr"):
        for head, cell in zip(heads, row.find_all(["th", "td"]), strict=False):
            if cell.name == "td" and cell.get_text(strip=True):
                cell["data-label"] = head


def _classes(tag: Tag, *default: str) -> list[str]:
    """The classes of an element, or the default ones if it has no class attribute."""
    return list(tag.get_attribute_list("class")) if tag.has_attr("class") else list(default)


def _set_classes(tag: Tag, names: list[str]) -> None:
    tag["class"] = AttributeValueList(names)


def _move_total_to_foot(table: Tag) -> None:
    """Make the row of totals the table's foot, so that sorting does not move it."""
    total = [row for row in table.select("tbody tr") if row.find(class_="total")]
    if total:
        foot = BeautifulSoup("", "html.parser").new_tag("tfoot")
        table.append(foot)
        for row in total:
            foot.append(row.extract())


def _box(body: BeautifulSoup, table: Tag, caption: str) -> None:
    """Wrap the table in a box that scrolls. It has a name for screen readers, and the keyboard can reach it."""
    wide = len(table.select("thead tr:last-child th")) >= WIDE_FROM_COLUMNS
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
