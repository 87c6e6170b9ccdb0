"""What of an executed notebook goes on its page."""

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output

from crm_utils.core.display.paragraphs import paragraph
from crm_utils.site import pages, render
from crm_utils.site.own_outputs import Notices

CUSTOMERS = pd.DataFrame({"customer_id": ["C-4711"]})


def body(*outputs: dict, tags: tuple[str, ...] = ()) -> str:
    cell = new_code_cell("customers.head()", outputs=list(outputs), metadata={"tags": list(tags)})
    return render._body(new_notebook(cells=[cell]), Notices("06_own.ipynb"))


def shown(data: object) -> dict:
    return new_output("display_data", {"text/html": data._repr_html_()})


def test_of_an_analysts_cell_the_page_has_the_code_and_no_customer():
    text = new_output("display_data", {"text/plain": "C-4711"})
    printed = new_output("stream", name="stdout", text="C-4711")
    page = body(shown(CUSTOMERS), text, printed, tags=("analyst",))
    assert "C-4711" not in page
    assert "celltag_analyst" in page
    assert "head" in page


def test_a_finding_for_analysts_stays_folded_with_its_code():
    assert "Half came back." in body(shown(paragraph("Half came back.")), tags=("analyst",))


def test_warnings_of_libraries_stay_out_and_other_outputs_stay():
    warning = new_output("stream", name="stderr", text="FutureWarning")
    printed = new_output("stream", name="stdout", text="so far")
    page = body(warning, printed, shown(CUSTOMERS))
    assert "FutureWarning" not in page
    assert "so far" in page
    assert "C-4711" in page


def test_nothing_of_an_own_output_leads_a_reader_away():
    own = BeautifulSoup(
        '<meta http-equiv="refresh" content="0;url=http://evil.example/"><base href="http://evil.example/">'
        '<form action="http://evil.example/"><input></form><iframe src="x"></iframe><object data="x"></object>'
        '<svg class="mine"><script>1</script></svg><link rel="stylesheet" href="http://evil.example/x.css">'
        '<a id="a" href=" JavaScript:alert(1)">a</a><a id="b" href="data:text/html,x">b</a>'
        '<a id="c" href="https://example.org">c</a><p>What I found.</p>',
        "html.parser",
    )
    render._drop_what_leads_away(own)
    left = {tag.name for tag in own.find_all(True)}
    assert left == {"svg", "a", "p"}
    assert [link.get("href") for link in own.find_all("a")] == [None, None, "https://example.org"]


def test_drawings_of_ones_own_are_looked_through_too():
    _, aside = render._set_drawings_aside(
        '<svg class="mine"><a href="javascript:1"></a></svg><svg class="wide" a="1"></svg>'
    )
    assert aside == ['<svg class="wide" a="1"></svg>']


@pytest.mark.parametrize("contents", [[], [("s", "Who buys?", False)]])
def test_a_page_without_sections_has_no_box_of_contents(contents):
    report = SimpleNamespace(title="Shop", source=SimpleNamespace(simulate=None))
    page = pages.fill_template(
        "notebook.html.j2",
        job=SimpleNamespace(report=report, day=date(2024, 12, 31)),
        notebook=SimpleNamespace(title="What?"),
        contents=contents,
        **dict.fromkeys(["settings", "body", "previous", "following", "highlight"], ""),
    )
    assert ("On this page" in page) == bool(contents)
