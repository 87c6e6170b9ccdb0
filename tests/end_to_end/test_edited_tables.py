"""What an analyst changes between load and save ends in a consistent report or in one refusal, never in two numbers."""

import json

import pytest

from tests.support.in_process import prepared
from tests.support.projects import DAY, contents, edit


def add_notebook(project, source: str) -> None:
    cell = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
    book = json.loads((project / "notebooks" / "02_rfm.ipynb").read_text()) | {"cells": [cell]}
    (project / "notebooks" / "06_own.ipynb").write_text(json.dumps(book))


@pytest.mark.parametrize(
    ("notebook", "save", "change", "said"),
    [
        (
            "02_rfm",
            'run.save(customers, \\"customers\\")',
            "customers = customers[customers.revenue > 50]",
            ["notebook 02_rfm, section", "table customers does not agree", "but 588 in cleaning_ledger", "cleaning:"],
        ),
        (
            "04_cltv",
            'run.save(valued, \\"cltv\\")',
            "own = valued.clv * 3; valued = valued.assign(clv=own, expected_revenue_365=own)",
            [
                "notebook 04_cltv, section",
                "clv_low ≤ clv ≤ clv_high fails in",
                "of 588 rows",
                "cltv: {model:",
                "expected_revenue_365 is not known; did you mean",
            ],
        ),
    ],
    ids=["fewer customers", "own values"],
)
def test_a_change_before_save_is_refused_in_words(rebuilt, monkeypatch, capsys, notebook, save, change, said):
    before = contents(rebuilt / DAY)
    edit(rebuilt / "notebooks" / f"{notebook}.ipynb", save, f"{change}\\n{save}")
    driver = prepared(rebuilt, monkeypatch, capsys)
    driver.drawn = set()  # no page is looked at
    status, _, err = driver("report")
    assert status == 1
    assert [words for words in said if words not in err] == [], err
    assert contents(rebuilt / DAY) == before


def test_a_table_that_an_own_notebook_replaces_is_refused_before_publishing(rebuilt, monkeypatch, capsys):
    before = contents(rebuilt / DAY)
    code = "from crm_utils.store import Run\nrun = Run()\nsegments = run.load('segments')\n"
    add_notebook(rebuilt, code + "segments[segments.segment != 'Lost'].to_parquet(run.path('segments'))")
    status, _, err = prepared(rebuilt, monkeypatch, capsys)("report")
    assert status == 1
    assert "notebook 06_own: table segments does not agree with others: 78 customers of customers are missing" in err
    assert "06_own.ipynb" in err.split("The failed notebook is ")[1]
    assert contents(rebuilt / DAY) == before
