"""The notebooks' shape: short cells, more text than code, questions as headings, no outputs."""

import ast
import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
FORBIDDEN = (
    *(ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.Try, ast.With),
    *(ast.If, ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
MOST_CELLS = 36


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request) -> dict:
    return json.loads(request.param.read_text())


def source(cell: dict) -> str:
    return "".join(cell["source"])


def code_lines(cell: dict) -> list[str]:
    return [line for line in source(cell).splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_there_are_five():
    assert [path.stem for path in NOTEBOOKS] == ["01_cleaning", "02_rfm", "03_segmentation", "04_cltv", "05_budget"]


def test_no_outputs_and_nothing_of_a_run(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    assert "papermill" not in notebook["metadata"]
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


def test_there_are_about_thirty_cells(notebook):
    assert len(notebook["cells"]) <= MOST_CELLS


def test_an_analyst_sees_dataframes(notebook):
    """At least one cell of code for analysts, which pages fold away, shows a table as pandas does."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    shown = [source(cell) for cell in cells if "analyst" in cell["metadata"].get("tags", [])]
    assert any(text.rstrip().endswith(".head()") for text in shown)


def test_imports_and_parameters_come_first(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    importing = [
        number
        for number, cell in enumerate(code)
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(source(cell))))
    ]
    assert "parameters" in code[0]["metadata"].get("tags", [])
    assert importing == list(range(1, len(importing) + 1))


def test_cells_are_short_and_plain(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    lengths = [len(code_lines(cell)) for cell in code if "parameters" not in cell["metadata"].get("tags", [])]
    assert max(lengths) <= 8
    assert sorted(lengths)[len(lengths) // 2] <= 3
    assert not any(isinstance(node, FORBIDDEN) for cell in code for node in ast.walk(ast.parse(source(cell))))


def test_text_is_at_least_two_fifths(notebook):
    text = sum(len(source(cell)) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    assert text / sum(len(source(cell)) for cell in notebook["cells"]) >= 0.4


def test_it_asks_a_question_and_says_what_it_rests_on(notebook):
    text = "\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[0].startswith("# ")
    assert headings[0].endswith("?")
    assert headings.count("## What this rests on") == 1
    assert sum(heading.endswith("?") for heading in headings) >= len(headings) / 2


def test_one_parameters_cell_and_a_headline(notebook):
    tags = [tag for cell in notebook["cells"] for tag in cell["metadata"].get("tags", [])]
    assert tags.count("parameters") == 1
    assert "headline" in tags
