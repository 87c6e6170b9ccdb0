"""What a page shows of analysts' own outputs, and what their author is told."""

import base64
import sys
from types import ModuleType, SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from crm_utils.pipeline import execute
from crm_utils.site import own_outputs
from crm_utils.site.own_outputs import PLOTLY, Notices, adapt_body, adapt_outputs
from crm_utils.site.render import _body


def adapted(*outputs: dict) -> tuple[list, list[str]]:
    """The data of the outputs that are left of one cell, and the lines for its author."""
    cell = new_code_cell("fig = px.bar(orders)\nfig", outputs=list(outputs))
    notebook = new_notebook(cells=[new_markdown_cell("## How many?"), cell])
    notices = Notices("06_own.ipynb")
    adapt_outputs(notebook, notices)
    return [output.get("data", output.get("text")) for output in notebook.cells[1].outputs], notices.lines()


def data(**_: str) -> dict:
    return new_output("display_data", _)


@pytest.mark.parametrize(
    "content",
    [
        {PLOTLY: {"data": []}},
        {"text/html": "<div id='x'></div><script>draw()</script>"},
        {"application/javascript": "draw()"},
        {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider(value=0)"},
    ],
    ids=["plotly", "html", "javascript", "widget"],
)
def test_what_needs_a_script_is_left_out_and_its_author_is_told_where(content):
    shown, lines = adapted(new_output("display_data", content))
    assert shown == []
    assert len(lines) == 1
    assert all(part in lines[0] for part in ("notebooks/06_own.ipynb", "“How many?”", "ends in: fig", "kaleido"))


def test_a_static_image_stands_in_for_a_script():
    shown, lines = adapted(new_output("display_data", {PLOTLY: {}, "image/png": "aGk=\n"}))
    image = BeautifulSoup(shown[0]["text/html"], "html.parser").img
    assert image["src"] == "data:image/png;base64,aGk="
    assert image["alt"] == "An image: How many?"
    assert [own_outputs.NO_ALT_TEXT_OF_IMAGE in line for line in lines] == [True]


def test_a_chart_of_plotly_is_drawn_if_plotly_can(monkeypatch):
    plotly = ModuleType("plotly.io")
    drawn = '<{} id="defs-29f7a9" clip="29f7a9x">{}'
    plotly.from_json = lambda text, skip_invalid: SimpleNamespace(
        to_image=lambda format: drawn.format(format, text).encode()
    )
    monkeypatch.setitem(sys.modules, "plotly.io", plotly)
    shown, _ = adapted(new_output("display_data", {PLOTLY: {"data": []}, "text/html": "<script>1</script>"}))
    image = BeautifulSoup(shown[0]["text/html"], "html.parser").img
    assert base64.b64decode(image["src"].split(",")[1]).decode() == '<svg id="defs-chart" clip="chartx">{"data": []}'


def test_what_can_be_read_without_the_script_stays():
    shown, lines = adapted(data(**{"text/html": "<table><tr><td>1</td></tr></table><script>sort()</script>"}))
    assert "<td>1</td>" in shown[0]["text/html"]
    assert "script" not in shown[0]["text/html"]
    assert lines == []


def test_an_svg_is_an_image_in_which_nothing_runs():
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"
    output = new_output("display_data", {"image/svg+xml": svg}, metadata={"alt": "Two bars"})
    shown, lines = adapted(output)
    image = BeautifulSoup(shown[0]["text/html"], "html.parser").img
    assert base64.b64decode(image["src"].split(",")[1]).decode() == svg
    assert image["alt"] == "Two bars"
    assert lines == []


def test_html_in_which_nothing_is_seen_is_left_out():
    shown, lines = adapted(data(**{"text/html": "<style>p{}</style><div id='x'></div><!-- a -->"}))
    assert (shown, lines) == ([], [])


def test_addresses_in_memory_are_not_shown_and_text_is():
    shown, lines = adapted(data(**{"text/plain": "<__main__.Thing at 0x7f00aa>"}), data(**{"text/plain": "<b> 12"}))
    assert [one["text/plain"] for one in shown] == ["<b> 12"]
    assert lines == []


def test_a_figure_that_is_shown_twice_is_shown_once():
    figure = {"text/html": '<figure class="crm-figure own"><svg/></figure>'}
    shown, lines = adapted(new_output("display_data", figure), new_output("display_data", figure))
    assert len(shown) == 1
    assert lines[0].count("ends in: fig") == 1


def test_an_output_that_is_too_large_is_cut_with_a_note_for_both(monkeypatch):
    monkeypatch.setattr(execute, "LARGEST_OUTPUT", 10_000)
    cut = [
        execute._cut_output(output)
        for output in (
            new_output("stream", name="stdout", text="x" * 10_001),
            data(**{"text/html": "<p>" + "x" * 10_001}),
            new_output("stream", name="stdout", text="x" * 9_000),
        )
    ]
    shown, lines = adapted(*cut)
    assert "Only the start is shown" in shown[0]["text/plain"]
    assert len(shown[0]["text/plain"]) < 6_000
    assert "It is not shown" in shown[1]["text/plain"]
    assert shown[2] == "x" * 9_000
    assert [own_outputs.TOO_LARGE in line for line in lines] == [True]


def body_of(text: str, tmp_path) -> tuple[BeautifulSoup, list[str]]:
    notices = Notices("06_own.ipynb")
    body = BeautifulSoup(_body(new_notebook(cells=[new_markdown_cell(text)]), notices), "html.parser")
    adapt_body(body, tmp_path, notices)
    return body, notices.lines()


def test_images_are_embedded_by_their_path_as_in_jupyter(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "our logo.png").write_bytes(b"png")
    body, lines = body_of('![A logo](our%20logo.png) <img src="our logo.png" alt="Again">', tmp_path)
    assert [image["src"] for image in body.find_all("img")] == ["data:image/png;base64,cG5n"] * 2
    assert lines == []


@pytest.mark.parametrize(
    "source", ["gone.png", "attachment:gone.png", "../../outside.png", "https://example.org/a.png"]
)
def test_an_image_that_cannot_be_embedded_leaves_its_description(tmp_path, source):
    (tmp_path.parent / "outside.png").write_bytes(b"png")
    body, lines = body_of(f"![Our shop]({source})", tmp_path)
    assert body.img is None
    assert "Our shop" in body.get_text()
    assert source in lines[0]


def test_attachments_are_embedded(tmp_path):
    cell = new_markdown_cell("![A logo](attachment:logo.png)", attachments={"logo.png": {"image/png": "aGk="}})
    body = BeautifulSoup(_body(new_notebook(cells=[cell]), Notices("")), "html.parser")
    assert body.img["src"] == "data:image/png;base64,aGk="


def test_tables_that_are_not_ours_get_our_style(tmp_path):
    body = BeautifulSoup(
        '<table border="1" class="dataframe"><tr><th></th></tr>'
        "<tr><td>a</td><td>1.5</td></tr><tr><td>b</td><td>NaN</td></tr></table>",
        "html.parser",
    )
    adapt_body(body, tmp_path, Notices(""))
    assert body.table.attrs == {"class": "crm"}
    assert [cell["class"] for cell in body.find_all("td")] == [["text"], ["number"]] * 2
