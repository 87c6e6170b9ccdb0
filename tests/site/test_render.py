"""What of an executed notebook goes on its page."""

import pandas as pd
from nbformat.v4 import new_code_cell, new_notebook, new_output

from crm_utils.core.display.paragraphs import paragraph
from crm_utils.site import render

CUSTOMERS = pd.DataFrame({"customer_id": ["C-4711"]})


def body(*outputs: dict, tags: tuple[str, ...] = ()) -> str:
    cell = new_code_cell("customers.head()", outputs=list(outputs), metadata={"tags": list(tags)})
    return render._body(new_notebook(cells=[cell]))


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
