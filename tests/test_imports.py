"""Importing the package does nothing: no library is changed, nothing is registered, and no file is read."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
FILES = sorted((PROJECT / "crm_utils").rglob("*.py"))
# Imports every module of the package in one process, after the libraries that it uses. Prints which module changed a
# library's settings, an environment variable, a signal handler or the folder, and which files of the project it opened.
IMPORT_ALL = """
import importlib, json, locale, logging, os, pkgutil, signal, sys
import bs4, duckdb, filelock, ibis, ibis.backends.duckdb, ibis.backends.sqlite, jupyter_client, matplotlib.pyplot
import nbconvert, nbformat, openpyxl, pandas, pandera.pandas, papermill.engines, pyarrow.parquet, python_calamine
import scipy.optimize, scipy.special, scipy.stats, seaborn, sklearn.cluster, yaml

def state():
    return {
        "rcParams": dict(matplotlib.rcParams),
        "backend": matplotlib.rcParams._get_backend_or_none(),
        "pandas": str(pandas.options.d),
        "ibis": repr(ibis.options),
        "papermill engines": sorted(map(str, papermill.engines.papermill_engines._engines)),
        "papermill log": logging.getLogger("papermill").level,
        "root log": (logging.root.level, len(logging.root.handlers)),
        "environment": dict(os.environ),
        "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)],
        "locale": locale.setlocale(locale.LC_ALL),
        "folder": os.getcwd(),
    }

opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
import crm_utils
found = {}
before = state()
for module in pkgutil.walk_packages(crm_utils.__path__, "crm_utils."):
    importlib.import_module(module.name)
    after = state()
    changed = sorted(name for name in after if after[name] != before[name])
    if changed:
        found[module.name] = changed
    before = after
ours = [path for path in opened if path.startswith(sys.argv[1])]
read = [path for path in ours if not path.endswith(".py") and ".pyc" not in path]
modules = [name for name in sys.modules if name.startswith("crm_utils.")]
print(json.dumps({"changed": found, "read": read, "modules": len(modules)}))
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What importing every module changed and read."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(PROJECT)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin", "MPLBACKEND": "agg"},
    )
    return json.loads(done.stdout)


def test_no_module_changes_a_library_or_the_process(imported: dict):
    assert imported["modules"] >= len(FILES) - 1
    assert imported["changed"] == {}


def test_no_module_reads_a_file(imported: dict):
    ours = [path for path in imported["read"] if "site-packages" not in path]  # pandas reads templates of its own
    assert ours == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_module_needs_a_library_of_one_system(path: Path):
    """`filelock` locks on every system; `fcntl` does not exist on Windows."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert not names & {"fcntl", "msvcrt", "resource", "pwd", "grp", "termios"}
