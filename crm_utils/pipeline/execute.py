"""Running one notebook with papermill, and making what it leaves the same in every run."""

import logging
import re
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbformat import NotebookNode
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

from crm_utils.core import errors
from crm_utils.core.errors import NotebookFailed
from crm_utils.core.formatting import mask_secrets
from crm_utils.pipeline.kernels import KernelManager

ANSI = re.compile(r"\x1b\[[0-9;]*m")
LONGEST = 1000
EXPECTED_ERRORS = {
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.CrmError)
}


class _Engine(NBClientEngine):
    """papermill's own, on kernels that are forked. It writes the notebook when it ends, however it ends, not twice a cell."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any) -> None:
        target, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, kernel_manager_class=KernelManager, **options)
        finally:
            nb_man.output_path = target
            nb_man.save()


papermill_engines.register("crm", _Engine)
logging.getLogger("papermill").setLevel(
    logging.ERROR
)  # it calls a parameter of type `float | None` unknown; we refuse unknown ones


def run_notebook(source: Path, target: Path, parameters: dict[str, Any]) -> float:
    """Run `source` with `parameters`, write the executed notebook to `target`; return the seconds it took.

    The kernel works in the folder of `target`. Raises `NotebookFailed`, leaving the stopped notebook at `target`.
    """
    started = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        executed = papermill.execute_notebook(
            source,
            target,
            parameters=parameters,
            resources={"metadata": {"path": str(target.parent)}},  # papermill's own cwd is the whole process's
            engine_name="crm",
            kernel_name="python3",
            language="python",  # a notebook made by a program may name neither
            progress_bar=False,
            extra_arguments=["--log-level=50"],
        )
    except papermill.PapermillExecutionError as error:
        stopped = nbformat.read(target, as_version=4)
        place = error.cell_index + 2  # papermill puts a cell on top, and one before the cell that stopped
        raise notebook_failure(source, stopped, place, error.ename, error.evalue) from error
    except OSError:  # the disk, not the notebook
        raise
    except Exception as error:  # a kernel that cannot start, or died
        cause = _one_line(f"{type(error).__name__}: {error}")
        raise NotebookFailed(source.name, f"notebook {source.stem} did not finish: {cause}") from error
    nbformat.write(_reproducible(executed), target)
    return time.monotonic() - started


def tagged_outputs(notebook: NotebookNode, tag: str, but_not: Collection[str] = ()) -> list[tuple[str, str]]:
    """The HTML that the cells tagged `tag` show, each with the heading it stands under; cells with a tag of `but_not`,
    and reasons why there is nothing to show, are left out.
    """
    shown = []
    for place, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        if tag in tags and not set(but_not) & set(tags):
            html = [output.data["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})]
            section = _section(notebook, place)
            shown += [(part, section) for part in html if not part.startswith('<p class="nothing">')]
    return shown


def notebook_failure(source: Path, notebook: NotebookNode, position: int, kind: str, message: str) -> NotebookFailed:
    """What to tell of a notebook whose cell at `position` raised an error of this kind: section and cause.

    A kind of this project is left out: its message is made to be read.
    """
    cause = message if kind in EXPECTED_ERRORS else f"{kind}: {message}"
    return NotebookFailed(
        source.name, f"notebook {source.stem}, section “{_section(notebook, position)}”: {_one_line(cause)}"
    )


def _one_line(cause: str) -> str:
    line = mask_secrets(" ".join(ANSI.sub("", cause).split()))
    return line if len(line) <= LONGEST else line[:LONGEST] + " …"


def _section(notebook: NotebookNode, position: int) -> str:
    for cell in reversed(notebook.cells[:position]):
        headings = re.findall(r"^#{1,3} (.+)$", cell.source, flags=re.M) if cell.cell_type == "markdown" else []
        if headings and "papermill" not in str(cell.metadata.get("tags", [])):
            return headings[-1]
    return "start"


def _reproducible(notebook: NotebookNode) -> NotebookNode:
    """Times, random ids and addresses in memory removed; times stand in the manifest."""
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
