"""Kernels that are forked from a process with all imports done, so that they start at once, not after seconds."""

import gc
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import forkserver, parent_process
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

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
    "crm_utils.store",
]


def kernel_environment(root: Path) -> dict[str, str]:
    """The environment variables of every kernel of a project. They are the same on every machine."""
    python_path = [PACKAGE.parent, root, root / "notebooks", os.environ.get("PYTHONPATH")]  # as for cache keys
    return (
        os.environ
        | KERNEL_SETTINGS
        | {
            "IPYTHONDIR": str(ipython_folder(root)),
            "PYTHONPATH": os.pathsep.join(str(path) for path in python_path if path),
        }
    )


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
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


class Kernel(ForkServerProcess):
    """A kernel in its own process, with the methods of `subprocess.Popen` that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], folder: str, environment: dict[str, str]):
        super().__init__(name="kernel")
        self.arguments, self.folder, self.environment = arguments, folder, environment

    def run(self) -> None:
        """Run the kernel on the connection file in `arguments` until it is stopped or its parent process ends."""
        from ipykernel.kernelapp import launch_new_instance

        # imported modules are never garbage, and scanning them takes 0.2 s each time
        gc.freeze()
        # Ctrl-C in the terminal must reach only the builder, which then ends its kernels
        os.setsid()
        os.chdir(self.folder)
        os.environ.update(self.environment)
        # a fork inherits its parent's path
        sys.path += os.environ.get("PYTHONPATH", "").split(os.pathsep)
        threading.Thread(target=_end_with_builder, daemon=True).start()
        launch_new_instance(argv=self.arguments)

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

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]  # typed as if it were not async
        """Start a kernel."""
        if FORKS:
            self.provisioner = _ForkingProvisioner(kernel_spec=self.kernel_spec, parent=self)
        if self.environment is not None:
            kwargs["env"] = dict(self.environment)
        await super().start_kernel(**kwargs)


def kernel_manager_class(environment: Mapping[str, str] | None) -> type[KernelManager]:
    """A manager class for nbclient whose kernels have this environment; None is the environment of this process."""
    return type("KernelManager", (KernelManager,), {"environment": environment})


def _end_with_builder() -> None:
    builder = parent_process()
    if builder is not None:
        builder.join()
    os._exit(1)
