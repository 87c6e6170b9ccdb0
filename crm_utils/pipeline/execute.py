"""Run a notebook with papermill and make its output reproducible."""

import logging
import os
import re
import time
from collections.abc import Collection
from functools import cache, partial
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

from crm_utils.core import errors
from crm_utils.core.errors import NotebookFailed
from crm_utils.core.formatting import MESSAGES, duration, mask_secrets, without_advice
from crm_utils.pipeline import kernels
from crm_utils.pipeline.kernels import KernelOptions

ANSI = re.compile(r"\x1b\[[0-9;]*m")
PIXELS = ("image/png", "image/jpeg")  # base64, in which any text may stand by chance
LONGEST_CAUSE = 1000  # letters
ENGINE = "crm"
KERNEL_ARGUMENTS = ["--log-level=50", "--IPKernelApp.extra_extensions=crm_utils.pipeline.kernel_display"]
LARGEST_OUTPUT = 2_000_000  # letters of one output
LETTERS_LEFT = 5_000  # of a text that is cut
CUT = "crm_cut"  # marks an output that was cut, in its metadata
NOTHING_TO_SHOW = '<p class="nothing">'  # how a `NotApplicable` is shown
EXPECTED_ERRORS = {
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.CrmError)
}


class _Engine(NBClientEngine):
    """papermill's engine, which writes the notebook once at the end instead of twice per cell, without secrets."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, secrets: Collection[str] = (), **options: Any
    ) -> None:
        target, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.output_path = target
            _hide(nb_man.nb, secrets)
            nb_man.save()


@cache
def _set_up_papermill() -> None:
    """Register our engine and silence papermill's warning about the type `float | None`. We check types ourselves."""
    papermill_engines.register(ENGINE, _Engine)
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what failed is said once, by us


def run_notebook(source: Path, target: Path, parameters: dict[str, Any], options: KernelOptions | None = None) -> float:
    """Run a notebook in the folder of `target` and write the executed notebook there.

    Parameters
    ----------
    source : Path
        The notebook.
    target : Path
        The path of the executed notebook. If a cell fails, the notebook is written with the outputs up to there.
    parameters : dict
        The parameters to set.
    options : KernelOptions, optional
        The environment variables of the kernel, and how long the notebook may take. By default its environment is that
        of this process, and it may take as long as it needs.

    Returns
    -------
    float
        The seconds it took.

    Raises
    ------
    NotebookFailed
        If a cell raises an error, the time is over, or the kernel cannot start or dies.
    """
    _set_up_papermill()
    options = options or KernelOptions()
    started = time.monotonic()
    managers = kernels.kernel_manager_class(options.environment)
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
            extra_arguments=KERNEL_ARGUMENTS,
            kernel_manager_class=managers,
            timeout_func=partial(_seconds_left, started, options.minutes),
            secrets=options.secrets,
        )
    except papermill.PapermillExecutionError as error:
        stopped = nbformat.read(target, as_version=4)
        position = error.cell_index + 2  # papermill puts a cell on top, and one before the cell that stopped
        message = error.evalue + _missing_variable(error.ename, error.evalue, options)
        raise notebook_failure(source, stopped, position, error.ename, message) from error
    except CellTimeoutError as error:
        raise _stopped(source, target, _too_long(options.minutes)) from error
    except DeadKernelError as error:
        raise _stopped(source, target, managers.cause_of_death()) from error
    except OSError:  # a problem of the disk, not of the notebook
        raise
    except Exception as error:  # the kernel could not start
        cause = _one_line(errors.describe_cause(type(error).__name__, str(error)))
        raise NotebookFailed(source.name, f"notebook {source.stem} did not finish: {cause}") from error
    finally:
        managers.end_children()
    nbformat.write(_reproducible(executed), target)
    return time.monotonic() - started


def _seconds_left(started: float, minutes: float | None, cell: NotebookNode) -> float | None:
    """The seconds that a cell may take, so that the whole notebook does not take longer than these minutes."""
    return None if minutes is None else max(started + minutes * 60 - time.monotonic(), 0.1)


def _missing_variable(kind: str, message: str, options: KernelOptions) -> str:
    """How a notebook gets an environment variable that it looked for; empty if the error has another cause."""
    name = message.strip("'")
    if kind != "KeyError" or options.environment is None or name not in os.environ or name in options.environment:
        return ""
    return f" is an environment variable that notebooks do not get. Write pass_env: [{name}] in the parameters file"


def _too_long(minutes: float | None) -> str:
    return (
        f"still running after {duration(minutes or 0)}, the longest that a notebook may take. Make "
        "this cell faster, or write more minutes as timeout in the parameters file"
    )


def _stopped(source: Path, target: Path, cause: str) -> NotebookFailed:
    """The failure of a notebook that stopped in the cell which started last."""
    notebook = nbformat.read(target, as_version=4)
    started = [n for n, cell in enumerate(notebook.cells) if cell.metadata.get("papermill", {}).get("start_time")]
    section = section_of(notebook, started[-1] if started else 0)
    return NotebookFailed(source.name, f"notebook {source.stem}, section “{section}”: {cause}")


def _hide(notebook: NotebookNode, secrets: Collection[str]) -> None:
    """Replace secrets in what the cells of a notebook show."""
    if secrets:
        pattern = re.compile("|".join(map(re.escape, sorted(secrets, key=len, reverse=True))))
        for cell in notebook.cells:
            if "outputs" in cell:
                cell.outputs = _replaced(cell.outputs, pattern)


def _replaced(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub("***", value)
    if isinstance(value, list):
        return [_replaced(each, pattern) for each in value]
    if isinstance(value, dict):
        shown = {key: each if key in PIXELS else _replaced(each, pattern) for key, each in value.items()}
        return type(value)(shown)
    return value


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
            section = section_of(notebook, position)
            shown += [(part, section) for part in html if part.startswith(NOTHING_TO_SHOW) == reasons]
    return shown


def notebook_failure(source: Path, notebook: NotebookNode, position: int, kind: str, message: str) -> NotebookFailed:
    """The failure of a notebook whose cell at `position` raised an error, with section and cause.

    The message starts with the class of the error. This project's errors do not need it.
    """
    if kind == errors.OpenQuestions.__name__:  # about the data, not about the notebook
        return NotebookFailed(source.name, mask_secrets(ANSI.sub("", message)), asks=True)
    cause = message if kind in EXPECTED_ERRORS and message.strip() else errors.describe_cause(kind, message)
    return NotebookFailed(
        source.name, f"notebook {source.stem}, section “{section_of(notebook, position)}”: {_one_line(cause)}"
    )


def _one_line(cause: str) -> str:
    line = mask_secrets(without_advice(" ".join(ANSI.sub("", cause).split())))
    return line if len(line) <= LONGEST_CAUSE else line[:LONGEST_CAUSE] + " …"


def section_of(notebook: NotebookNode, position: int) -> str:
    """The heading of the section that the cell at `position` belongs to."""
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
        if cell.cell_type == "code":
            cell.outputs = [_cut_output(output) for output in cell.outputs]
    return notebook


def _cut_output(output: NotebookNode) -> NotebookNode:
    """An output that is not too large for a page: of a long text its start, of anything else a note that it was cut."""
    data = output.get("data", {"text/plain": output.get("text", "")})
    letters = sum(len(content) for content in data.values() if isinstance(content, str))
    if letters <= LARGEST_OUTPUT:
        return output
    note = f"This output has {MESSAGES.number(letters / 1e6, 1)} million letters. "
    text = data.get("text/plain", "") if set(data) == {"text/plain"} else ""
    shown = f"{text[:LETTERS_LEFT]}\n…\n{note}Only the start is shown." if text else f"{note}It is not shown."
    return nbformat.v4.new_output("display_data", {"text/plain": shown}, metadata={CUT: True})
