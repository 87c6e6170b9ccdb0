"""Publish a folder atomically: one process at a time builds it, and two renames replace the old version."""

import errno
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import psutil

from crm_utils.core.errors import LockHeld
from crm_utils.core.files import atomic_write, folder_lock
from crm_utils.core.formatting import duration, mask_secrets

MAKE_WRITABLE = "give this user the right to write there, or work in a copy of the project"
SOLUTIONS = {
    errno.ENOSPC: "free some space and start again",
    errno.EFBIG: "allow larger files (ulimit -f)",
    errno.EDQUOT: "free some space and start again",
    errno.EROFS: MAKE_WRITABLE,
    errno.EACCES: MAKE_WRITABLE,
    errno.EPERM: MAKE_WRITABLE,
    errno.EMFILE: "allow more open files (ulimit -n)",
}
PUBLISH_LOCK = threading.RLock()
LONGEST_WAIT = 30  # minutes
LONGEST_COMMAND = 200  # characters
TRIAL_BYTES = 100_000  # a kernel writes less than that when it starts


@contextmanager
def locked(folder: Path, wait: bool = True, minutes: float = LONGEST_WAIT) -> Iterator[bool]:
    """Lock a folder, and yield whether this process has the lock.

    By default it waits until another process releases the lock, and yields True. If `wait` is False, it does not wait
    and yields False. The operating system releases the lock of a dead process. Raises `LockHeld` after these minutes.
    """
    lock = folder_lock(folder)
    try:
        lock.acquire(timeout=0)
    except TimeoutError:
        if not wait:
            yield False
            return
        holder = _describe_holder(folder / ".lock")
        allowed = duration(minutes)
        print(f"another run is building {folder.name}: {holder}; waiting for it, at most {allowed} …", flush=True)
        try:
            lock.acquire(timeout=minutes * 60)
        except TimeoutError:
            raise LockHeld(
                f"another run is still building {folder.name} after {allowed}: {_describe_holder(folder / '.lock')}. "
                "Start this run again when it has ended. If it does nothing any more, end it with kill"
            ) from None
    try:
        yield True
    finally:
        lock.release()


def _describe_holder(lock: Path) -> str:
    """Say which process has a file of a lock open: its number, its command, and when it started."""
    holders = [process for process in psutil.process_iter() if process.pid != os.getpid() and _has_open(process, lock)]
    for process in holders:
        with suppress(psutil.Error):
            command = mask_secrets(" ".join([Path(process.name()).name, *process.cmdline()[1:]]))[:LONGEST_COMMAND]
            started = datetime.fromtimestamp(process.create_time())
            return f"process {process.pid} ({command}), started {started:%Y-%m-%d %H:%M}"
    return "a process of another user or machine"


def _has_open(process: psutil.Process, file: Path) -> bool:
    try:
        return str(file.resolve()) in [each.path for each in process.open_files()]
    except psutil.Error:  # it has ended, or belongs to another user
        return False


def build_folder(folder: Path) -> Path:
    """The folder next to `folder` in which its next version is built."""
    return folder.with_name(f".{folder.name}.building")


def failed_folder(folder: Path) -> Path:
    """The folder that keeps the notebook that stopped a run."""
    return folder.with_name(f"{folder.name}.failed")


def recover(reports: Path) -> None:
    """Clean up after killed runs in `reports`. A folder that another run is building is not touched."""
    for folder in [reports, *(path for path in reports.glob("[!._]*") if path.is_dir())]:
        if any(_leftovers(folder)):
            with locked(folder, wait=False) as alone:
                if alone:
                    recover_folder(folder)


def recover_folder(folder: Path) -> None:
    """Restore the last good version of each date and remove unfinished ones. The caller must hold the folder's lock."""
    unfinished = [path for path in _leftovers(folder) if path.name.endswith(".building")]
    _end_orphans(unfinished)
    for path in unfinished:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for old in _leftovers(folder):
        target = old.with_name(old.name[1:].removesuffix(".old"))
        if target.exists():
            shutil.rmtree(old)
        else:
            old.rename(target)


def stop_publishing() -> None:
    """Wait for a swap that is under way, and start no other one in this process."""
    PUBLISH_LOCK.acquire()


def swap_into_place(folder: Path) -> None:
    """Replace the published folder by the finished build. If that fails, the published folder is restored."""
    old = folder.with_name(f".{folder.name}.old")
    with PUBLISH_LOCK:
        if folder.exists():
            folder.rename(old)
        try:
            build_folder(folder).rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(failed_folder(folder), ignore_errors=True)


def write_page(path: Path, text: str) -> None:
    """Write a file atomically."""
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def check_writable(folder: Path) -> None:
    """Create a folder and check that files can be written to it.

    Raises the `OSError` early, because a kernel would report it with a long traceback.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(TRIAL_BYTES))
            file.flush()
    except OSError as error:
        error.filename = str(folder)
        raise


def describe_os_error(error: OSError, root: Path) -> str:
    """The message for a disk that is full or read-only: which file, why, and how to fix it."""
    error = _first_error(error)
    path = str(error.filename2 or error.filename or "a file").replace(f"{root}/", "")
    solution = SOLUTIONS.get(error.errno or 0, "solve this and start again")
    return (
        f"cannot read or write {path}: {error.strerror or error}: {solution}. "
        "Previously published reports are unchanged."
    )


def _first_error(error: OSError) -> OSError:
    """The first error of those that `shutil.copytree` collects as text; any other error itself."""
    if not isinstance(error, shutil.Error) or not isinstance(error.args[0], list):
        return error
    _, target, text = error.args[0][0]
    number = re.match(r"\[Errno (\d+)\]", str(text))
    return OSError(int(number[1]), os.strerror(int(number[1])), target) if number else OSError(None, str(text), target)


def _leftovers(folder: Path) -> list[Path]:
    """Leftovers of unfinished runs: new versions of folders or pages, and the old folders they replace."""
    patterns = (".*.building", "[!.]*/.*.html*.building", ".*.old")
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]


def _end_orphans(unfinished: list[Path]) -> None:
    """End the kernels of a killed run. For up to a second they still write to folders that will be removed."""
    orphans = [process for process in psutil.process_iter() if _works_in(process, unfinished)] if unfinished else []
    for process in orphans:
        process.kill()
    psutil.wait_procs(orphans, timeout=5)


def _works_in(process: psutil.Process, folders: list[Path]) -> bool:
    try:
        cwd = Path(process.cwd().removesuffix(" (deleted)"))
        inside = any(cwd.is_relative_to(folder.resolve()) for folder in folders)
        return inside and any(word in " ".join(process.cmdline()) for word in ("ipykernel_launcher", "forkserver"))
    except psutil.Error:  # the process has ended, or belongs to another user
        return False
