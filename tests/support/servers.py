"""Real database servers for tests: Debian's PostgreSQL and MariaDB on 127.0.0.1, each in a data folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "p@ss/w:rd +%"  # every sign that a URL must have quoted
USER, READER = "crm", "reader"  # the owner of the database, and an analyst who may read it


class NotInstalled(RuntimeError):
    """A server's programs are not on this machine; the message says which package has them."""


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server; gives `host:port/database` for user `crm` with `PASSWORD`."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(programs[-1]) if programs else shutil.which("initdb")
    if found is None:
        raise NotInstalled("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    with _folder("postgres") as (folder, who):
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        _own(secret, who)
        data = folder / "data"
        initdb = [found, "-D", data, "-U", USER, "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--no-sync"]
        _run(initdb, folder, who)
        port = _free_port()
        options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off"}
        server = [
            Path(found).with_name("postgres"),
            "-D",
            data,
            *(f"--{key}={value}" for key, value in options.items()),
        ]

        def ready() -> None:
            import psycopg

            psycopg.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD, dbname="postgres").close()

        with _running(server, folder, who, ready, signal.SIGINT):
            yield f"127.0.0.1:{port}/postgres"


@contextmanager
def mariadb() -> Iterator[str]:
    """A MariaDB server; gives `host:port/database` for user `crm` with `PASSWORD`."""
    server, install = (
        shutil.which("mariadbd", path="/usr/sbin:" + os.environ["PATH"]),
        shutil.which("mariadb-install-db"),
    )
    if server is None or install is None:
        raise NotInstalled("no MariaDB server is installed (Debian: apt-get install mariadb-server libmariadb-dev)")
    with _folder("mysql") as (folder, who):
        data, port = folder / "data", _free_port()
        frugal = [  # little disk, plain reads and writes: nothing a sandbox may lack
            "--innodb-log-file-size=4M",
            "--innodb-use-native-aio=0",
            "--innodb-flush-method=fsync",
        ]
        made = [install, "--no-defaults", f"--datadir={data}", *frugal]
        made += ["--force", "--auth-root-authentication-method=normal", "--skip-test-db"]  # force: asks no name server
        try:
            _run(made, folder, who)
        except RuntimeError:  # the one-off server that fills the folder has been seen to crash: once more, from nothing
            shutil.rmtree(data, ignore_errors=True)
            _run(made, folder, who)
        first = folder / "first.sql"
        first.write_text(
            f"create database shop character set utf8mb4;\n"
            f"create user {USER}@'127.0.0.1' identified by '{PASSWORD}';\n"
            f"grant all on shop.* to {USER}@'127.0.0.1';\n"
            f"create user {READER}@'127.0.0.1' identified by '{PASSWORD}';\n"
            f"grant select on shop.* to {READER}@'127.0.0.1';\n"
        )
        _own(first, who)
        command = [server, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1"]
        command += ["--default-time-zone=+05:00"]  # where a session shows moments as of another day
        command += [*frugal, f"--socket={folder / 'socket'}", f"--init-file={first}", "--skip-name-resolve"]

        def ready() -> None:
            import MySQLdb

            MySQLdb.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD, database="shop").close()

        with _running(command, folder, who, ready, signal.SIGTERM):
            yield f"127.0.0.1:{port}/shop"


@contextmanager
def _folder(owner: str) -> Iterator[tuple[Path, dict]]:
    """A folder for a server, and as whom to run it: servers refuse to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="crm-"))
    who = {"user": owner, "group": owner} if os.geteuid() == 0 else {}
    _own(folder, who)
    try:
        yield folder, who
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _own(path: Path, who: dict) -> None:
    if who:
        shutil.chown(path, who["user"], who["group"])


def _run(command: list, folder: Path, who: dict) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, **who)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-2000:]}")


@contextmanager
def _running(command: list, folder: Path, who: dict, ready: Callable[[], None], stop: signal.Signals) -> Iterator[None]:
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **who)
    try:
        _wait(process, ready, folder / "log")
        yield
    finally:
        process.send_signal(stop)
        process.wait(timeout=30)


def _wait(process: subprocess.Popen, ready: Callable[[], None], log: Path) -> None:
    for _ in range(150):
        if process.poll() is not None:
            break
        try:
            return ready()
        except Exception:  # not yet: each driver says so in its own way
            time.sleep(0.2)
    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
