"""Copy files to a folder, a bucket or a web host: all of them, or none."""

import mimetypes
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from pyarrow.fs import (
    FileSystem,
    FileType,
    FSSpecHandler,
    LocalFileSystem,
    PyFileSystem,
    S3FileSystem,
    resolve_s3_region,
)

from crm_utils.config.delivery import PLACEHOLDER
from crm_utils.core.errors import DeliveryError
from crm_utils.core.formatting import mask_secrets

FIRST_PAGE = "index.html"  # replaced last, because it links to the others
SECONDS = 20  # to wait for a server
LONGEST_REASON = 300  # characters


@dataclass(frozen=True)
class Target:
    """A folder on some file system.

    Parameters
    ----------
    files : pyarrow.fs.FileSystem
        The disk, bucket or host.
    path : str
        The folder.
    name : str
        Its address without passwords, for messages.
    has_folders : bool
        Whether folders must be created. In a bucket they are parts of names.
    """

    files: FileSystem
    path: str
    name: str
    has_folders: bool = True

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None if there is none."""
        if not self.has(name):
            return None
        with self.files.open_input_stream(f"{self.path}/{name}") as stream:
            return stream.read()

    def has(self, name: str) -> bool:
        """Return whether there is such a file."""
        return self.files.get_file_info(f"{self.path}/{name}").type == FileType.File

    def write(self, name: str, content: bytes) -> None:
        """Write a file, with its type for browsers."""
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        kind += "; charset=utf-8" if kind.startswith("text/") or kind == "application/json" else ""
        self._make_room(name)
        with self.files.open_output_stream(f"{self.path}/{name}", metadata={"Content-Type": kind}) as stream:
            stream.write(content)

    def move(self, name: str, to: str) -> None:
        """Rename a file."""
        self._make_room(to)
        self.files.move(f"{self.path}/{name}", f"{self.path}/{to}")

    def remove_folder(self, name: str) -> None:
        """Remove a folder with all its files."""
        self.files.delete_dir(f"{self.path}/{name}")

    def _make_room(self, name: str) -> None:
        if self.has_folders:
            self.files.create_dir(f"{self.path}/{name}".rpartition("/")[0], recursive=True)


class _HostHandler(FSSpecHandler):
    """SFTP for PyArrow, whose own handler passes an argument that SFTP does not know."""

    def move(self, src: str, dest: str) -> None:
        """Rename a file."""
        self.fs.mv(src, dest)


@dataclass
class _Switch:
    """Files that are put into place, and how to take that back."""

    target: Target
    folder: str
    undo: list[tuple[str, str]] = field(default_factory=list)

    def put(self, name: str) -> None:
        """Put an uploaded file into place."""
        self.take_away(name)
        self.target.move(f"{self.folder}/new/{name}", name)
        self.undo.append((name, f"{self.folder}/new/{name}"))

    def take_away(self, name: str) -> None:
        """Move a file out of the way."""
        if self.target.has(name):
            self.target.move(name, f"{self.folder}/old/{name}")
            self.undo.append((f"{self.folder}/old/{name}", name))

    def take_back(self) -> None:
        """Restore what was there."""
        for name, to in reversed(self.undo):
            self.target.move(name, to)


def copy_files(target: Target, files: Mapping[str, bytes], old: list[str]) -> None:
    """Copy files to a target, the first page last, and remove old ones. All of it happens, or nothing.

    Everything is uploaded beside the target first. Then each file is put into place. If that fails, those already there
    are restored.

    Parameters
    ----------
    target : Target
        The folder.
    files : mapping of str to bytes
        The content of each file by its name in the folder.
    old : list of str
        Files to remove if they are there.

    Raises
    ------
    DeliveryError
        If the target cannot be reached or written.
    """
    folder = f".crm-{secrets.token_hex(4)}"
    switch = _Switch(target, folder)
    try:
        for name, content in files.items():
            target.write(f"{folder}/new/{name}", content)
        for name in old:
            switch.take_away(name)
        for name in sorted(files, key=lambda name: name == FIRST_PAGE):
            switch.put(name)
    except Exception as error:  # each kind of storage has its own
        left = "nothing was changed there"
        try:
            switch.take_back()
        except Exception:
            left = f"what was there before is in its folder {folder}/old: move it back"
        else:
            with suppress(Exception):
                target.remove_folder(folder)
        raise DeliveryError(f"{target.name} cannot be written, and {left}: {describe_failure(error)}") from None
    with suppress(Exception):  # everything is in place
        target.remove_folder(folder)


def open_target(address: str, root: Path, s3_endpoint: str | None) -> Target:
    """Open a folder, bucket or web host.

    Parameters
    ----------
    address : str
        A path, or an address that begins with file://, s3:// or sftp://. ${NAME} is an environment variable.
    root : Path
        The project's folder. Paths are relative to it.
    s3_endpoint : str, optional
        The address of S3-compatible storage.

    Returns
    -------
    Target

    Raises
    ------
    DeliveryError
        If it cannot be reached.
    """
    url = urlsplit(fill_placeholders(address))
    name = mask_secrets(address)
    try:
        if url.scheme == "s3":
            return Target(_open_bucket(url.netloc, s3_endpoint), f"{url.netloc}{url.path}".rstrip("/"), name, False)
        if url.scheme == "sftp":
            return Target(_open_host(url.hostname, url.port, url.username, url.password), url.path.rstrip("/"), name)
        path = root / (unquote(url.path) if url.scheme else address)
        return Target(LocalFileSystem(), str(path), name)
    except DeliveryError:
        raise
    except Exception as error:  # each kind of storage has its own
        raise DeliveryError(f"{name} cannot be reached: {describe_failure(error)}") from None


def fill_placeholders(text: str) -> str:
    """Replace each ${NAME} by an environment variable, quoted for an address.

    Raises
    ------
    DeliveryError
        If a variable is not set.
    """
    return re.sub(PLACEHOLDER, lambda match: quote(environment_variable(match[1]), safe=""), text)


def environment_variable(name: str) -> str:
    """Return an environment variable; raise DeliveryError if it is not set."""
    if name not in os.environ:
        raise DeliveryError(f"delivery needs the environment variable {name}, which is not set; export {name}=…")
    return os.environ[name]


def _open_bucket(bucket: str, endpoint: str | None) -> FileSystem:
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if endpoint is None:
        return S3FileSystem(region=region or resolve_s3_region(bucket), connect_timeout=SECONDS)
    scheme, _, host = endpoint.partition("://")
    return S3FileSystem(
        region=region or "us-east-1", scheme=scheme, endpoint_override=host, connect_timeout=SECONDS,
        request_timeout=SECONDS,
    )  # fmt: skip


def _open_host(host: str | None, port: int | None, user: str | None, password: str | None) -> FileSystem:
    try:
        from fsspec.implementations.sftp import SFTPFileSystem
    except ImportError:
        raise DeliveryError("sftp:// needs more packages; run make engines or pip install '.[sftp]'") from None
    login = {"username": user, "password": unquote(password) if password else None}
    known = {name: value for name, value in {"port": port, **login}.items() if value is not None}
    return PyFileSystem(_HostHandler(SFTPFileSystem(host, timeout=SECONDS, **known)))


def describe_failure(error: Exception) -> str:
    """Return what a storage says of its failure, on one line and without secrets."""
    return mask_secrets(" ".join(str(error).split()) or type(error).__name__)[:LONGEST_REASON]
