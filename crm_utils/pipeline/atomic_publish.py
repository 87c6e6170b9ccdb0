"""Publishing whole folders: one builder at a time, two renames, and nothing unfinished left behind."""

import errno
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from crm_utils.core.files import atomic_write, folder_lock

WRITABLE = "give this user the right to write there, or work in a copy of the project"
CURES = {
    errno.ENOSPC: "free some space and start again",
    errno.EFBIG: "allow larger files (ulimit -f)",
    errno.EDQUOT: "free some space and start again",
    errno.EROFS: WRITABLE,
    errno.EACCES: WRITABLE,
    errno.EPERM: WRITABLE,
    errno.EMFILE: "allow more open files (ulimit -n)",
}
PUBLISH_LOCK = threading.RLock()
TRIAL_BYTES = 100_000  # several times what a kernel writes when it starts


@contextmanager
def locked(folder: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a folder alone, after waiting for a process that holds it. The system frees the lock of a dead process.

    Gives True. Without `wait` it gives False if another process holds the folder.
    """
    lock = folder_lock(folder)
    try:
        lock.acquire(timeout=0)
    except TimeoutError:
        if not wait:
            yield False
            return
        print(f"another run is building {folder.name}; waiting for it …", flush=True)
        lock.acquire()
    try:
        yield True
    finally:
        lock.release()


def build_folder(folder: Path) -> Path:
    """Where the next version of a folder is built, beside it."""
    return folder.with_name(f".{folder.name}.building")


def failed_folder(folder: Path) -> Path:
    """Where the notebook that stopped a run is kept."""
    return folder.with_name(f"{folder.name}.failed")


def recover(reports: Path) -> None:
    """Repair what killed runs left in `reports`. A folder that a living run is building is left to that run."""
    for folder in [reports, *(path for path in reports.glob("[!._]*") if path.is_dir())]:
        if any(_leftovers(folder)):
            with locked(folder, wait=False) as alone:
                if alone:
                    recover_folder(folder)


def recover_folder(folder: Path) -> None:
    """Put the last good version of each date back in place, remove unfinished ones. Call under the folder's lock."""
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
    """Let a swap that has begun end, and no other begin, until this process ends."""
    PUBLISH_LOCK.acquire()


def swap_into_place(folder: Path) -> None:
    """Put the finished build in the place of the published folder, which comes back if that fails."""
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
    """Replace a file in one step."""
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def check_writable(folder: Path) -> None:
    """Make a folder that takes new files. Raises the `OSError` that a kernel would otherwise report at length."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(TRIAL_BYTES))
            file.flush()
    except OSError as error:
        error.filename = str(folder)
        raise


def describe_os_error(error: OSError, root: Path) -> str:
    """The message for a disk that is full or read-only: which file, why, and the cure."""
    where = str(error.filename2 or error.filename or "a file").replace(f"{root}/", "")
    cure = CURES.get(error.errno or 0, "solve this and start again")
    return (
        f"cannot read or write {where}: {error.strerror or error}: {cure}. Previously published reports are unchanged."
    )


def _leftovers(folder: Path) -> list[Path]:
    """What only an unfinished run leaves: new versions of folders or pages, and the old ones they replace."""
    patterns = (".*.building", "[!.]*/.*.html*.building", ".*.old")
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]


def _end_orphans(unfinished: list[Path]) -> None:
    """End the kernels of a killed run: they still write into what is to be removed, for up to a second."""
    orphans = [process for process in psutil.process_iter() if _works_in(process, unfinished)] if unfinished else []
    for process in orphans:
        process.kill()
    psutil.wait_procs(orphans, timeout=5)


def _works_in(process: psutil.Process, folders: list[Path]) -> bool:
    try:
        cwd = Path(process.cwd().removesuffix(" (deleted)"))
        inside = any(cwd.is_relative_to(folder.resolve()) for folder in folders)
        return inside and any(word in " ".join(process.cmdline()) for word in ("ipykernel_launcher", "forkserver"))
    except psutil.Error:  # it has ended, or belongs to another user
        return False
