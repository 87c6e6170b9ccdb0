"""Publishing whole folders: one builder at a time, two renames, and nothing half-done left behind."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder alone. The system frees the lock of a dead process; a living one is waited for."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another run is building {folder.name}; waiting for it …", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def building(folder: Path) -> Path:
    """Where the next version of a folder is put together, beside it."""
    return folder.with_name(f".{folder.name}.building")


def failed(folder: Path) -> Path:
    """Where the notebook that stopped a run is kept."""
    return folder.with_name(f"{folder.name}.failed")


def recover(report_folder: Path) -> None:
    """Undo what a killed run left: put the last good version back in place, remove unfinished ones. Call under the lock."""
    for old in report_folder.glob(".*.old"):
        target = old.with_name(old.name[1:].removesuffix(".old"))
        if target.exists():
            shutil.rmtree(old)
        else:
            old.rename(target)
    for unfinished in report_folder.glob(".*.building"):
        shutil.rmtree(unfinished)


def swap_in(folder: Path) -> None:
    """Put the finished build in the place of the published folder."""
    old = folder.with_name(f".{folder.name}.old")
    if folder.exists():
        folder.rename(old)
    building(folder).rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(failed(folder), ignore_errors=True)


def write(path: Path, text: str) -> None:
    """Replace a file in one step."""
    temporary = path.with_name(f".{path.name}.building")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
