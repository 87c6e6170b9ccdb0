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
from crm_utils.core.formatting import spelled_out
from crm_utils.pipeline import execute, kernels
from crm_utils.pipeline.kernels import KernelOptions

ROOT = Path(__file__).parents[2]
CELLS = [
    "import os, sys; print(os.getcwd(), sys.path[0] == '', __name__, os.environ['PYTHONHASHSEED'], hash('a'))",
    "import matplotlib; print(matplotlib.get_backend(), matplotlib.rcParams['savefig.dpi'])",
    "import matplotlib.pyplot as plt; plt.plot([1, 2]);",
    "from concurrent.futures import ProcessPoolExecutor\n"
    "with ProcessPoolExecutor(1) as pool: print(pool.submit(max, 3, 4).result())",
]
# The ports on which the process listens: its sockets among those that the machine lists for everybody
PORTS = """
import pathlib
sockets = {place.readlink().name for place in pathlib.Path("/proc/self/fd").glob("*") if place.is_symlink()}
lines = [line.split() for name in ("tcp", "tcp6") for line in open(f"/proc/net/{name}").readlines()[1:]]
print([line[1] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in sockets], len(sockets) > 5)
"""
CHILD = """
import time
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(1) as pool: pool.submit(print, "child").result()
time.sleep(0.2)
"""


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
    execute.run_notebook(source, folder / "done" / source.name, {}, KernelOptions(settings))
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
    assert "<svg" in forked[2][-1]["data"]["text/html"], "a figure is shown by itself"


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
    with pytest.raises(errors.NotebookFailed, match="notebook own, section “start”: its kernel ended by itself .*1"):
        execute.run_notebook(source, target, {}, KernelOptions(settings))
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
        execute.run_notebook(source, target, {}, KernelOptions(settings))


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


def failure(folder: Path, cells: list[str], options: KernelOptions) -> str:
    source = folder / "own.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells]), source)
    with pytest.raises(errors.NotebookFailed) as failed:
        execute.run_notebook(source, folder / "done" / source.name, {}, options)
    return str(failed.value)


@pytest.mark.skipif(not kernels.FORKS, reason="kernels are forked on Linux only")
def test_a_kernel_listens_on_no_port_and_knows_no_variable_it_was_not_given(tmp_path, monkeypatch, settings):
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2-Zq9")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_SECRET", "a&b-Xy7")
    further = kernels.further_variables(["AWS_*"])
    kernels.start_fork_server(settings)
    shown = "import os; from IPython.display import HTML; print(dict(os.environ)); HTML('a&amp;b-Xy7')"
    options = KernelOptions({**settings, **further}, secrets=spelled_out(["a&b-Xy7"]))
    said = failure(tmp_path, [PORTS, CHILD, shown, "os.environ['SHOP_PASSWORD']"], options)
    assert "'SHOP_PASSWORD' is an environment variable that notebooks do not get" in said
    assert "pass_env: [SHOP_PASSWORD]" in said
    text = (tmp_path / "done" / "own.ipynb").read_text()
    ports, child, environment, _ = (cell.outputs for cell in nbformat.reads(text, 4).cells if cell.cell_type == "code")
    assert ports[0].text == "[] True\n"
    assert child[0].text == "child\n"
    assert "'AWS_REGION': 'eu-west-1', 'AWS_SECRET': '***'" in environment[0].text
    assert "hunter2" not in text
    assert environment[1].data["text/html"] == "***"


def test_a_notebook_may_take_so_many_minutes_and_no_more(tmp_path, settings):
    started = time.monotonic()
    cells = ["import time", "time.sleep(0.5)", "time.sleep(60)"]
    said = failure(tmp_path, cells, KernelOptions(settings, minutes=0.05))
    assert said.startswith("notebook own, section “start”: still running after ")
    assert "write more minutes as timeout in the parameters file" in said
    assert time.monotonic() - started < 30


def test_a_kernel_killed_by_the_system_probably_had_no_memory_left(tmp_path, settings):
    cells = ["import os, subprocess; print(subprocess.Popen(['sleep', '60']).pid)", "os.kill(os.getpid(), 9)"]
    said = failure(tmp_path, cells, KernelOptions(settings))
    assert "its kernel was killed, probably because the machine ran out of memory" in said
    child = int(nbformat.read(tmp_path / "done" / "own.ipynb", 4).cells[0].outputs[0].text)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("MemoryError", "the memory ran out"),
        ("AssertionError", "an assert statement"),
        ("KeyError", "without a message"),
    ],
)
def test_a_cause_without_a_message_gets_words(kind, words):
    assert words in errors.describe_cause(kind, " ")
    assert errors.describe_cause(kind, "x") == f"{kind}: x"


def test_sockets_have_short_paths_in_a_private_folder(tmp_path, monkeypatch):
    for temporary in (str(tmp_path), "/tmp/" + "x" * 100):
        monkeypatch.setattr(kernels.tempfile, "tempdir", temporary)
        folder = Path(kernels._socket_folder.__wrapped__())
        assert len(f"{folder}/12345678-ipc-5") < 104
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.is_relative_to(tmp_path if len(str(tmp_path)) < 50 else "/tmp")
        folder.rmdir()
