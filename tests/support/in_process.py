"""A report built in this process: the same driver, the same cells, no kernel. For what has to be tried many times."""

import ast
import os
import signal
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import IPython  # noqa: F401  before figures are drawn: Matplotlib, on another thread, would find it half imported
import matplotlib.pyplot as plt
import nbformat
import pytest
from nbformat import NotebookNode
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from crm_utils.__main__ import main
from crm_utils.commands import build_reports
from crm_utils.pipeline import execute as pipeline
from crm_utils.sources import databases


def execute(source: Path, target: Path, parameters: dict[str, Any], draw: bool = True) -> float:
    """Stands for `run_notebook`: runs the cells here, fails the same way, leaves the same kind of file.

    Without `draw`, what cells show is made but not turned into HTML: half the time.
    """
    databases.connect.cache_clear()  # a kernel opens its own: SQLite refuses one that another thread has opened
    target.parent.mkdir(parents=True, exist_ok=True)
    notebook = parameterize_notebook(
        load_notebook_node(str(source)), parameters, kernel_name="python3", language="python"
    )
    home, names = Path.cwd(), {}
    os.chdir(target.parent)
    try:
        for position, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                _run(cell, names, source, notebook, position, draw)
    finally:
        os.chdir(home)
        plt.close("all")
        nbformat.write(notebook, target)
    return 0.0


def _run(cell: NotebookNode, names: dict, source: Path, notebook: NotebookNode, position: int, draw: bool) -> None:
    body = ast.parse(cell.source).body
    try:
        shown = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), source.name, "exec"), names)
        value = eval(compile(ast.Expression(shown.value), source.name, "eval"), names) if shown else None
        if value is not None and draw:
            data = {"text/html": value._repr_html_()} if hasattr(value, "_repr_html_") else {"text/plain": repr(value)}
            cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    except Exception as error:
        failed = pipeline.notebook_failure(source, notebook, position, type(error).__name__, str(error))
        failed.add_note("".join(traceback.format_exception(error)))
        raise failed from error


class InProcess:
    """The command line in a project folder, in this process."""

    def __init__(self, project: Path, capsys: pytest.CaptureFixture | None):
        self.project, self.capsys = project, capsys
        self.started: list[str] = []  # the notebooks that began to run
        self.drawn: set[str] | None = None  # the notebooks whose pages are looked at; None for all

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, what went to stdout, what went to stderr."""
        self.capsys.readouterr()
        databases.connect.cache_clear()  # a process of its own knows no connection to an earlier database
        status = main(list(arguments))
        return status, *self.capsys.readouterr()

    def to_file(self, *arguments: str) -> tuple[int, str]:
        """Exit status and all output, through a file next to the project."""
        output = self.project.with_name("said.txt")
        with output.open("w+", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
            status = main(list(arguments))
        return status, output.read_text(encoding="utf-8")

    def execute(self, source: Path, target: Path, parameters: dict[str, Any], options: object = None) -> float:
        self.started.append(source.stem)
        return execute(source, target, parameters, self.drawn is None or source.stem in self.drawn)


def prepared(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture | None) -> InProcess:
    """A project whose command line runs here; the environment and signals are put back afterwards."""
    driver = InProcess(project, capsys)
    monkeypatch.chdir(project)
    monkeypatch.setattr(pipeline, "run_notebook", driver.execute)
    monkeypatch.setattr(build_reports, "_set_up_kernels", lambda root: {})
    monkeypatch.setattr(build_reports, "_cores", lambda: 1)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return driver
