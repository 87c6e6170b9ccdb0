"""Run a notebook with papermill and make its output reproducible."""

import logging
import re
import time
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbformat import NotebookNode
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

from crm_utils.core import errors
from crm_utils.core.errors import NotebookFailed
from crm_utils.core.formatting import mask_secrets
from crm_utils.pipeline import kernels

ANSI = re.compile(r"\x1b\[[0-9;]*m")
LONGEST_CAUSE = 1000  # letters
ENGINE = "crm"
NOTHING_TO_SHOW = '<p class="nothing">'  # how a `NotApplicable` is shown
EXPECTED_ERRORS = {
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.CrmError)
}


class _Engine(NBClientEngine):
    """papermill's engine, which writes the notebook once at the end instead of twice per cell."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any) -> None:
        target, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.output_path = target
            nb_man.save()


@cache
def _set_up_papermill() -> None:
    """Register our engine and silence papermill's warning about the type `float | None`. We check types ourselves."""
    papermill_engines.register(ENGINE, _Engine)
    logging.getLogger("papermill").setLevel(logging.ERROR)


def run_notebook(
    source: Path, target: Path, parameters: dict[str, Any], environment: Mapping[str, str] | None = None
) -> float:
    """Run a notebook in the folder of `target` and write the executed notebook there.

    Parameters
    ----------
    source : Path
        The notebook.
    target : Path
        The path of the executed notebook. If a cell fails, the notebook is written with the outputs up to there.
    parameters : dict
        The parameters to set.
    environment : mapping of str to str, optional
        The environment variables of the kernel. By default they are those of this process.

    Returns
    -------
    float
        The seconds it took.

    Raises
    ------
    NotebookFailed
        If a cell raises an error, or the kernel cannot start or dies.
    """
    _set_up_papermill()
    started = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        executed = papermill.execute_notebook(
            source,
            target,
            parameters=parameters,
            resources={"metadata": {"path": str(target.parent)}},  # papermill's cwd is process-wide
            engine_name=ENGINE,
            kernel_name="python3",
            language="python",  # a notebook written by a program may lack kernel and language
            progress_bar=False,
            extra_arguments=["--log-level=50"],
            kernel_manager_class=kernels.kernel_manager_class(environment),
        )
    except papermill.PapermillExecutionError as error:
        stopped = nbformat.read(target, as_version=4)
        position = error.cell_index + 2  # papermill puts a cell on top, and one before the cell that stopped
        raise notebook_failure(source, stopped, position, error.ename, error.evalue) from error
    except OSError:  # a problem of the disk, not of the notebook
        raise
    except Exception as error:  # the kernel could not start, or it died
        cause = _one_line(f"{type(error).__name__}: {error}")
        raise NotebookFailed(source.name, f"notebook {source.stem} did not finish: {cause}") from error
    nbformat.write(_reproducible(executed), target)
    return time.monotonic() - started


def tagged_outputs(
    notebook: NotebookNode, tag: str, but_not: Collection[str] = (), reasons: bool = False
) -> list[tuple[str, str]]:
    """The HTML outputs of the cells tagged `tag`, each with the heading of its section.

    Cells with a tag in `but_not` are left out, and so are outputs that only say why there is nothing to show. If
    `reasons` is set, these are returned instead.
    """
    shown = []
    for position, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        if tag in tags and not set(but_not) & set(tags):
            html = [output.data["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})]
            section = _section(notebook, position)
            shown += [(part, section) for part in html if part.startswith(NOTHING_TO_SHOW) == reasons]
    return shown


def notebook_failure(source: Path, notebook: NotebookNode, position: int, kind: str, message: str) -> NotebookFailed:
    """The failure of a notebook whose cell at `position` raised an error, with section and cause.

    The message starts with the class of the error. This project's errors do not need it.
    """
    if kind == errors.OpenQuestions.__name__:  # about the data, not about the notebook
        return NotebookFailed(source.name, mask_secrets(ANSI.sub("", message)), asks=True)
    cause = message if kind in EXPECTED_ERRORS else f"{kind}: {message}"
    return NotebookFailed(
        source.name, f"notebook {source.stem}, section “{_section(notebook, position)}”: {_one_line(cause)}"
    )


def _one_line(cause: str) -> str:
    line = mask_secrets(" ".join(ANSI.sub("", cause).split()))
    return line if len(line) <= LONGEST_CAUSE else line[:LONGEST_CAUSE] + " …"


def _section(notebook: NotebookNode, position: int) -> str:
    for cell in reversed(notebook.cells[:position]):
        headings = re.findall(r"^#{1,3} (.+)$", cell.source, flags=re.M) if cell.cell_type == "markdown" else []
        if headings and "papermill" not in str(cell.metadata.get("tags", [])):
            return headings[-1]
    return "start"


def _reproducible(notebook: NotebookNode) -> NotebookNode:
    """Remove times, random ids and memory addresses from a notebook. The manifest has the times."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data.pop("text/plain", None)
    return notebook
