"""Kernels that are forked from a process with all imports done, so that they start at once, not after seconds.

They talk to this process over sockets in a folder that only this user can read, and know few environment variables.
"""

import gc
import os
import secrets
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from multiprocessing import forkserver, parent_process
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, ClassVar

import zmq
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from crm_utils.core.files import TEMPORARY, temporary_folder
from crm_utils.core.project import VARIABLE

PACKAGE = Path(__file__).parents[1]
FORKS = sys.platform == "linux"  # on other systems a library may have threads, and a fork would lose them
KERNEL_SETTINGS = {
    "LC_ALL": "C.UTF-8",  # pages are the same on every machine
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",  # dates are built in parallel, and sums must be added in a fixed order
    "OPENBLAS_NUM_THREADS": "1",
    "JUPYTER_PLATFORM_DIRS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
# What programs need to work. Whatever else this process knows, such as passwords, is not for notebooks.
PASSED = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "FONTCONFIG_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SYSTEMROOT",  # without it Python does not start on Windows
)
LONGEST_FOLDER = 85  # characters; the path of a socket may have 103 on macOS and 107 on Linux
# no module that starts threads (such as duckdb), because a fork loses them
PRELOADED = [
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "ibis.backends.sql.compilers.duckdb",
    "matplotlib.backends.backend_svg",
    "openpyxl",
    "pandas.io.formats.style",
    "pandera.pandas",
    "pyarrow.dataset",
    "scipy.optimize",
    "seaborn",
    "sklearn.cluster",
    "crm_utils.pipeline.kernel_display",
]


@dataclass(frozen=True)
class KernelOptions:
    """What the kernel of a notebook is given.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Its environment variables. By default they are those of this process.
    minutes : float, optional
        How long the notebook may take. By default as long as it needs.
    secrets : frozenset of str
        Texts that are replaced in all that the notebook shows.
    """

    environment: Mapping[str, str] | None = None
    minutes: float | None = None
    secrets: frozenset[str] = frozenset()


def kernel_environment(root: Path) -> dict[str, str]:
    """The environment variables of every kernel of a project: a short list, with the same settings on every machine."""
    python_path = [PACKAGE.parent, root, root / "notebooks", os.environ.get("PYTHONPATH")]  # as for cache keys
    return {
        **{name: os.environ[name] for name in PASSED if name in os.environ},
        **KERNEL_SETTINGS,
        "IPYTHONDIR": str(ipython_folder(root)),
        VARIABLE: str(root),
        "PYTHONPATH": os.pathsep.join(str(path) for path in python_path if path),
    }


def further_variables(patterns: Iterable[str]) -> dict[str, str]:
    """The environment variables of this process that the kernels of a report need too; `PG*` stands for several."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in KERNEL_SETTINGS and any(fnmatchcase(name, pattern) for pattern in patterns)
    }


def ipython_folder(root: Path) -> Path:
    """IPython's folder for kernels. A user's own start-up files do not affect a report."""
    return root / ".cache" / "ipython"


def start_fork_server(environment: Mapping[str, str]) -> None:
    """Start the process that kernels are forked from. It ends with this process.

    Its imports read environment variables, so it starts with the environment of the kernels.
    """
    if FORKS:
        forkserver.set_forkserver_preload(PRELOADED)
        with _environment(environment):
            forkserver.ensure_running()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Change the environment while a child process starts, because it inherits that of this process."""
    saved = dict(os.environ)
    _replace_environment(variables)
    try:
        yield
    finally:
        _replace_environment(saved)


def _replace_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


@cache
def _socket_folder() -> str:
    """The folder of the sockets of this process's kernels."""
    longest = LONGEST_FOLDER - len(f"/{TEMPORARY}-{os.getpid()}-12345678")
    return temporary_folder(None if len(tempfile.gettempdir()) <= longest else "/tmp")


class Kernel(ForkServerProcess):
    """A kernel in its own process, with the methods of `subprocess.Popen` that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], folder: str, environment: dict[str, str]):
        super().__init__(name="kernel")
        self.arguments, self.folder, self.environment = arguments, folder, environment

    def run(self) -> None:
        """Run the kernel on the connection file in `arguments` until it is stopped or its parent process ends."""
        from ipykernel import kernelapp

        # ipykernel would listen on a TCP port to what child processes print; they write to its standard output instead
        vars(kernelapp)["IOPubThread"] = _without_port(vars(kernelapp)["IOPubThread"])
        os.register_at_fork(after_in_child=_print_to_kernel)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # to which ipykernel repeats it
        # imported modules are never garbage, and scanning them takes 0.2 s each time
        gc.freeze()
        # Ctrl-C in the terminal must reach only the builder, which then ends its kernels
        os.setsid()
        os.chdir(self.folder)
        _replace_environment(self.environment)
        # a fork inherits its parent's path
        sys.path += os.environ.get("PYTHONPATH", "").split(os.pathsep)
        threading.Thread(target=_end_with_builder, daemon=True).start()
        kernelapp.launch_new_instance(argv=self.arguments)

    def poll(self) -> int | None:
        """The exit status; None while it runs."""
        return self.exitcode

    def wait(self) -> int | None:
        """The exit status, once it has ended."""
        self.join()
        return self.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal. Raises `ProcessLookupError` if it has ended."""
        if self.pid is None:
            raise ProcessLookupError("the kernel has not started")
        os.kill(self.pid, number)


class _ForkingProvisioner(LocalProvisioner):
    """Starts the kernel of the command `python -m ipykernel_launcher -f FILE …` as a fork."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        kernel = Kernel(cmd[cmd.index("-f") :], str(kwargs["cwd"]), dict(kwargs["env"]))
        kernel.start()
        self.process = kernel  # type: ignore[assignment]  # it has the methods of Popen that LocalProvisioner uses
        self.pid = kernel.pid
        return self.connection_info


class KernelManager(AsyncKernelManager):
    """jupyter_client's manager. Its kernels have the given environment and are forked if that is safe."""

    environment: ClassVar[Mapping[str, str] | None] = None
    started: ClassVar[list[Any]] = []  # the processes of its kernels

    @classmethod
    def cause_of_death(cls) -> str:
        """Why the kernel died, and what to do."""
        status = cls.started[-1].wait() if cls.started else None
        if status == -signal.SIGKILL:
            return (
                "its kernel was killed, probably because the machine ran out of memory. Close other programs, use a "
                "machine with more memory, or keep fewer rows in memory at a time"
            )
        if status is not None and status < 0:
            return f"its kernel was ended by the signal {signal.Signals(-status).name}; run the notebook in Jupyter"
        return f"its kernel ended by itself (exit status {status}); run the notebook in Jupyter to see in which line"

    @classmethod
    def end_children(cls) -> None:
        """End what its kernels started and left behind: a kernel that is killed ends nothing itself."""
        for process in cls.started:
            with suppress(OSError):  # usually there is nothing left
                os.killpg(process.pid, signal.SIGKILL)

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]  # typed as if it were not async
        """Start a kernel."""
        if FORKS:
            self.provisioner = _ForkingProvisioner(kernel_spec=self.kernel_spec, parent=self)
        if self.environment is not None:
            kwargs["env"] = dict(self.environment)
        if zmq.has("ipc"):
            self.transport = "ipc"  # any process of any user can connect to a TCP port
            self.connection_file = f"{_socket_folder()}/{secrets.token_hex(4)}"
        await super().start_kernel(**kwargs)
        if isinstance(self.provisioner, LocalProvisioner):
            self.started.append(self.provisioner.process)


def kernel_manager_class(environment: Mapping[str, str] | None) -> type[KernelManager]:
    """A manager class for nbclient whose kernels have this environment; None is the environment of this process."""
    return type("KernelManager", (KernelManager,), {"environment": environment, "started": []})


def _without_port(thread: type) -> Callable[..., Any]:
    return lambda socket, pipe, session: thread(socket, session=session)


def _print_to_kernel() -> None:
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__


def _end_with_builder() -> None:
    builder = parent_process()
    if builder is not None:
        builder.join()
    os._exit(1)
