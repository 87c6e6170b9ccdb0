"""Kernels that are forked: they do what kernels started by jupyter_client do, and end with who started them."""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from crm_utils.core import errors
from crm_utils.pipeline import execute, kernels

ROOT = Path(__file__).parents[2]
CELLS = [
    "import os, sys; print(os.getcwd(), sys.path[0] == '', __name__, os.environ['PYTHONHASHSEED'], hash('a'))",
    "import matplotlib; print(matplotlib.get_backend(), matplotlib.rcParams['savefig.dpi'])",
    "import matplotlib.pyplot as plt; plt.plot([1, 2]);",
    "from concurrent.futures import ProcessPoolExecutor\n"
    "with ProcessPoolExecutor(1) as pool: print(pool.submit(max, 3, 4).result())",
]


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """The environment that a build gives its kernels. This process keeps its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return kernels.kernel_environment(tmp_path)


def executed(folder: Path, monkeypatch, settings: dict[str, str], forks: bool) -> list[dict]:
    monkeypatch.setattr(kernels, "FORKS", forks)
    before = dict(os.environ)
    kernels.start_fork_server(settings)
    assert dict(os.environ) == before
    source = folder / "own.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS]), source)
    execute.run_notebook(source, folder / "done" / source.name, {}, settings)
    cells = nbformat.read(folder / "done" / source.name, as_version=4).cells
    return [joined(json.loads(json.dumps(cell.outputs))) for cell in cells if cell.cell_type == "code"]


def joined(outputs: list[dict]) -> list[dict]:
    """Outputs with neighbouring pieces of one stream as one: where a kernel cuts its text depends on the load."""
    whole: list[dict] = []
    for output in outputs:
        if whole and output["output_type"] == "stream" and whole[-1].get("name") == output["name"]:
            whole[-1]["text"] += output["text"]
        else:
            whole.append(output)
    return whole


@pytest.mark.skipif(not kernels.FORKS, reason="kernels are forked on Linux only")
def test_a_forked_kernel_does_what_a_started_one_does(tmp_path, monkeypatch, settings):
    forked, started = (executed(tmp_path, monkeypatch, settings, forks) for forks in (True, False))
    assert forked == started
    assert [bool(outputs) for outputs in forked] == [True] * len(CELLS)
    assert "image/png" in forked[2][-1]["data"], "a figure is shown by itself"


@pytest.mark.skipif(not kernels.FORKS, reason="kernels are forked on Linux only")
def test_what_kernels_are_forked_from_runs_no_thread_that_they_would_miss():
    """But for one of pyarrow's allocator, which starts it again in a fork."""
    script = (
        "import importlib, pathlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(*(place.read_text().strip() for place in pathlib.Path('/proc/self/task').glob('*/comm')), sep='\\n')"
    )
    settings = os.environ | kernels.KERNEL_SETTINGS | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, *kernels.PRELOADED]
    names = subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len([name for name in names if name != "jemalloc_bg_thd"]) == 1


def test_a_kernel_that_dies_leaves_the_notebook_as_far_as_it_came(tmp_path, settings):
    source, target = tmp_path / "own.ipynb", tmp_path / "done" / "own.ipynb"
    cells = [
        nbformat.v4.new_code_cell(text) for text in ("print('so far')", "import os; os._exit(1)", "print('never')")
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), source)
    with pytest.raises(errors.NotebookFailed, match="notebook own did not finish: DeadKernelError: Kernel died"):
        execute.run_notebook(source, target, {}, settings)
    outputs = [cell.outputs for cell in nbformat.read(target, as_version=4).cells]
    assert [len(shown) for shown in outputs] == [1, 0, 0]


@pytest.mark.parametrize("before", [0, 1, 2], ids=["just below", "one cell below", "two cells below"])
def test_a_failure_names_the_section_it_stands_in(tmp_path, settings, before):
    source, target = tmp_path / "own.ipynb", tmp_path / "done" / "own.ipynb"
    cells = [
        nbformat.v4.new_markdown_cell("# All"),
        nbformat.v4.new_markdown_cell("## First"),
        nbformat.v4.new_code_cell("1"),
    ]
    cells += [nbformat.v4.new_markdown_cell("## Second"), *(nbformat.v4.new_code_cell("2") for _ in range(before))]
    nbformat.write(nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell("1 / 0")]), source)
    with pytest.raises(errors.NotebookFailed, match="notebook own, section “Second”: ZeroDivisionError"):
        execute.run_notebook(source, target, {}, settings)


@pytest.mark.skipif(not kernels.FORKS, reason="kernels are forked on Linux only")
def test_no_kernel_outlives_who_started_it(tmp_path):
    script = tmp_path / "starts.py"
    script.write_text(
        textwrap.dedent(f"""
        import os, time
        from crm_utils.pipeline.kernels import Kernel
        if __name__ == "__main__":
            kernel = Kernel(["-f", {str(tmp_path / "connection.json")!r}], {str(tmp_path)!r}, dict(os.environ))
            kernel.start()
            print(kernel.pid, flush=True)
            time.sleep(60)
        """)
    )
    starter = subprocess.Popen(
        [sys.executable, script], env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    kernel = psutil.Process(int(starter.stdout.readline()))
    while not (tmp_path / "connection.json").exists():  # it serves
        time.sleep(0.05)
    starter.kill()
    starter.wait()
    assert psutil.wait_procs([kernel], timeout=20)[1] == []
