"""Find the project's folder, so that notebooks and commands run from anywhere."""

import os
from pathlib import Path

# The folders that every project has
FOLDERS = ("notebooks", "params")
# The environment variable that tells the kernels of a run their project. `reports` may be a link to another disk.
VARIABLE = "CRM_PROJECT"
INSTALLED_IN = Path(__file__).parents[2]


def find_project(folder: Path) -> Path | None:
    """Return the nearest project at or above a folder; None if there is none."""
    return next((path for path in (folder, *folder.parents) if _is_project(path)), None)


def current_project() -> Path | None:
    """Return the project of this process.

    It is the one that the kernel was started for, else the one at or above the working folder, else the folder that
    this package is installed from.
    """
    if VARIABLE in os.environ:
        return Path(os.environ[VARIABLE])
    return find_project(working_folder()) or find_project(INSTALLED_IN)


def working_folder() -> Path:
    """Return the working folder as the user went there: a link stays a link."""
    went_to, folder = Path(os.environ.get("PWD", "")), Path.cwd()
    try:
        return went_to if went_to.is_absolute() and went_to.samefile(folder) else folder
    except OSError:
        return folder


def _is_project(path: Path) -> bool:
    return all((path / name).is_dir() for name in FOLDERS)
