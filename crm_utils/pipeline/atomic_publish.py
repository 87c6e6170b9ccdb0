"""Publishing whole folders: one builder at a time, two renames, and nothing half-done left behind."""

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
PUBLISH_LOCK = threading.RLock()  # a run that is stopped takes it first, and publishes nothing any more
ROOM = 100_000  # bytes, several times what a kernel writes when it starts


@contextmanager
def locked(folder: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a folder alone. The system frees the lock of a dead process; a living one is waited for.

    Gives True; without `wait` False where another process holds the folder.
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
    """Where the next version of a folder is put together, beside it."""
    return folder.with_name(f".{folder.name}.building")


def failed_folder(folder: Path) -> Path:
    """Where the notebook that stopped a run is kept."""
    return folder.with_name(f"{folder.name}.failed")


def recover(reports: Path) -> None:
    """Put right what killed runs left in `reports`. A folder that a living run is building is left to it."""
    folders = [reports, *(path for path in reports.glob("*") if path.is_dir() and not path.name.startswith("."))]
    for folder in folders:
        if any(_left(folder)):
            with locked(folder, wait=False) as alone:
                if alone:
                    recover_folder(folder)


def recover_folder(folder: Path) -> None:
    """Put the last good version of each date back in place, remove unfinished ones. Call under the folder's lock."""
    unfinished = [path for path in _left(folder) if path.name.endswith(".building")]
    _end_orphans(unfinished)
    for path in unfinished:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for old in _left(folder):
        target = old.with_name(old.name[1:].removesuffix(".old"))
        if target.exists():
            shutil.rmtree(old)
        else:
            old.rename(target)


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
    """Make a folder that takes new files. Raises the `OSError` that else a kernel would meet, and tell at length."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(ROOM))
            file.flush()
    except OSError as error:
        error.filename = str(folder)
        raise


def describe_os_error(error: OSError, root: Path) -> str:
    """What to tell of a disk that is full or may not be written: which file, why, and the cure."""
    where = str(error.filename2 or error.filename or "a file").replace(f"{root}/", "")
    cure = CURES.get(error.errno, "see to it and start again")
    return f"cannot read or write {where}: {error.strerror or error}: {cure}; what was published before is untouched"


def _left(folder: Path) -> list[Path]:
    """What only an unfinished run has: new versions that are being put together, pages in a date too, and old ones that made room."""
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
        place = Path(process.cwd().removesuffix(" (deleted)"))
        inside = any(place.is_relative_to(folder.resolve()) for folder in folders)
        return inside and any(word in " ".join(process.cmdline()) for word in ("ipykernel_launcher", "forkserver"))
    except psutil.Error:  # it has ended, or is somebody else's
        return False
