"""Writing files in one step, locking folders, and hashing what a file holds."""

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import FileLock


def content_hash(path: Path, root: Path) -> str:
    """The SHA-256 of a file's bytes, cached in `.cache/hashes` until the file's size or time of change differs."""
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
    """A path beside `path` to write to; it replaces `path` if the block succeeds and is removed if it fails.

    The name ends in `.building`, so that what a killed run leaves can be recognized.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.building")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def folder_lock(folder: Path) -> "FileLock":
    """The lock of a folder; makes the folder if it is missing.

    The system frees the lock of a process that has ended.
    """
    # a run that finds nothing to do takes no lock and does not pay for the import
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".lock")
