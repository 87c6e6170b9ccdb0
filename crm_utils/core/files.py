"""Write files atomically, lock folders, hash the content of files, and make temporary folders."""

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from filelock import FileLock

TEMPORARY = "crm-report"


def content_hash(path: Path, root: Path) -> str:
    """The SHA-256 of a file's bytes, cached in `.cache/hashes` until the file's size or modification time changes."""
    status = path.stat()
    cache = root / ".cache" / "hashes" / hashlib.sha256(str(path.resolve()).encode()).hexdigest()
    stamp = [status.st_size, status.st_mtime_ns]
    if cache.exists():
        cached = json.loads(cache.read_text(encoding="utf-8"))
        if cached["stamp"] == stamp:
            return cached["hash"]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with atomic_write(cache) as unfinished:
        unfinished.write_text(json.dumps({"stamp": stamp, "hash": digest}), encoding="utf-8")
    return digest


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary path to write to. The file replaces `path` if the block succeeds and is removed if it fails.

    It is in the same folder. Its name ends in `.building`, so that the leftovers of a killed run can be recognized.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.building")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def folder_lock(folder: Path) -> "FileLock":
    """The lock of a folder. The folder is created if it does not exist.

    The operating system releases the lock if its process ends.
    """
    # imported here because a run with nothing to do takes no lock
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".lock")


def temporary_folder(parent: str | None = None) -> str:
    """A new folder that only this user can read; it is deleted with this process.

    Folders that killed processes left behind are deleted first, because they hold customers' data.
    """
    parent = parent or tempfile.gettempdir()
    for leftover in Path(parent).glob(f"{TEMPORARY}-*-*"):
        process = leftover.name.split("-")[2]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(leftover, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"{TEMPORARY}-{os.getpid()}-", dir=parent)
    Finalize(None, shutil.rmtree, [folder, True], exitpriority=0)  # atexit does nothing in a forked kernel
    return folder
