"""Show what an analyst changed in the notebooks and the parameters files that came with this version."""

import io
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbdime import diff_notebooks
from nbdime.diffing.notebooks import set_notebook_diff_targets
from nbdime.prettyprint import PrettyPrintConfig, pretty_print_notebook_diff
from nbformat import NotebookNode

from crm_utils.core.errors import ParamsError
from crm_utils.pipeline.execute import section_of
from crm_utils.pipeline.notebooks import Notebook

FOLDERS = ("notebooks", "params")
# Only updates change these, so their newest commit is that of the newest update
OF_UPDATES = ("crm_utils", "CHANGELOG.md")
CELL = re.compile(r"^## (.+?) /cells/(\d+)(?:-\d+)?([^:\n]*):$", re.MULTILINE)  # a heading of nbdime
NOT_SOURCE = re.compile(r"^(nbdiff|---|\+\+\+) .*\n", re.MULTILINE)
NO_GIT = "crm diff compares with the history of git, and this folder has none: work in a clone of the project"


@dataclass(frozen=True)
class Changes:
    """What differs from the version that a project got.

    Parameters
    ----------
    base : str
        The commit that the files are compared with, and its day.
    changed : dict of str to str
        The difference in each file that came with the version, by path.
    removed : list of str
        The files that came with the version and are gone.
    own : list of str
        The files that did not come with it. An update does not touch them.
    """

    base: str
    changed: dict[str, str]
    removed: list[str]
    own: list[str]

    def lines(self) -> list[str]:
        """The changes for a terminal."""
        found = [f"compared with {self.base}"]
        for path, difference in self.changed.items():
            found += ["", f"{path} was changed:", difference]
        for title, paths in (("removed", self.removed), ("yours", self.own)):
            found += ["", f"{title}: {', '.join(paths)}"] if paths else []
        return found if len(found) > 1 else [*found, "nothing was changed"]


def find_changes(root: Path, commit: str | None = None) -> Changes:
    """Compare the notebooks and parameters files with those that came with this version.

    Parameters
    ----------
    root : Path
        The project's folder, in a checkout of git.
    commit : str, optional
        What to compare with. By default the newest commit that changed the package, which is that of the last update.

    Returns
    -------
    Changes

    Raises
    ------
    ParamsError
        If there is no history, no such commit, or a notebook cannot be read.
    """
    if commit is None:
        commit = _git(root, "log", "-1", "--format=%H", "--", *OF_UPDATES).strip()
        if not commit:
            raise ParamsError(NO_GIT)
    base = _git(root, "show", "-s", "--format=%h of %cs (%s)", f"{commit}^{{commit}}").strip()
    listed = _git(root, "diff", "--relative", "--name-status", "--no-renames", commit, "--", *FOLDERS).splitlines()
    kinds = {path: kind for kind, path in (line.split("\t", 1) for line in listed)}
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "--", *FOLDERS).splitlines()
    changed = {path: _difference(root, commit, path) for path, kind in kinds.items() if kind == "M"}
    return Changes(
        base,
        {path: difference for path, difference in changed.items() if difference},
        [path for path, kind in kinds.items() if kind == "D"],
        sorted({*untracked, *(path for path, kind in kinds.items() if kind == "A")}),
    )


def _difference(root: Path, commit: str, path: str) -> str:
    """What differs in a file; empty if only outputs and other traces of a run do."""
    if not path.endswith(".ipynb"):
        text = _git(root, "diff", "--relative", commit, "--", path)
        return text[text.index("@@") :].rstrip() if "@@" in text else text.rstrip()
    _ = Notebook(root / path).cells  # says what is wrong with a notebook that cannot be read
    shipped = nbformat.reads(_git(root, "show", f"{commit}:./{path}"), as_version=4)
    return notebook_difference(shipped, nbformat.read(root / path, as_version=4))


def notebook_difference(before: NotebookNode, after: NotebookNode) -> str:
    """What differs between two versions of a notebook, cell by cell, without outputs."""
    set_notebook_diff_targets(
        sources=True, outputs=False, attachments=True, metadata=True, identifier=False, details=False
    )
    difference = [part for part in diff_notebooks(before, after) if part.key == "cells"]
    if not difference:
        return ""
    text = io.StringIO()
    pretty_print_notebook_diff("", "", before, difference, PrettyPrintConfig(out=text, use_color=False))
    return CELL.sub(lambda found: _named(found, before), NOT_SOURCE.sub("", text.getvalue())).strip()


def _named(found: re.Match[str], notebook: NotebookNode) -> str:
    """The heading of a difference, with the section in place of the number of the cell."""
    position = int(found[2])
    section = section_of(notebook, min(position + 1, len(notebook.cells)))
    name = f" (cell {notebook.cells[position].id})" if position < len(notebook.cells) else ""
    what = found[3].strip("/").replace("/", " ") or "cell"
    return f"section “{section}”{name}: {what} {found[1]}"


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "core.quotepath=off", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=True)
    except FileNotFoundError:
        raise ParamsError("crm diff needs the program git: install it") from None
    except subprocess.CalledProcessError as error:
        if "not a git repository" in error.stderr:
            raise ParamsError(NO_GIT) from None
        raise ParamsError(f"git: {' '.join(error.stderr.split()) or 'it failed'}") from None
    return done.stdout
