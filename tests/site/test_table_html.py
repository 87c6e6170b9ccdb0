"""Tables of pages for screen readers."""

from bs4 import BeautifulSoup

from crm_utils.site.table_html import make_accessible


def accessible(html: str) -> BeautifulSoup:
    body = BeautifulSoup(html, "html.parser")
    make_accessible(body)
    return body


TABLE = (
    '<table id="T_a"><thead><tr><th></th><th>n</th></tr></thead>'
    '<tbody><tr><td id="T_a_row0">x</td></tr></tbody></table>'
)


def test_boxes_of_tables_without_a_caption_have_names_of_their_own():
    boxes = accessible(TABLE + "<table><caption>Orders</caption></table>" + TABLE).select(".scroll")
    assert [box["aria-label"] for box in boxes] == ["Table 1", "Orders", "Table 2"]


def test_an_empty_cell_above_the_names_of_rows_is_no_heading():
    body = accessible(TABLE)
    assert [head.get_text() for head in body.select("thead th")] == ["n"]
    assert body.thead.th["scope"] == "col"


def test_ids_stay_only_if_a_style_of_the_table_needs_them():
    assert accessible(TABLE).find(id="T_a_row0") is None
    styled = accessible("<style>#T_a_row0 {color: red}</style><style> </style>" + TABLE)
    assert styled.find(id="T_a_row0") is not None
    assert len(styled.find_all("style")) == 1
