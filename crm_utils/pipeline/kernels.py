"""Kernels that are forked from one process with all imports done: each starts at once instead of after seconds."""

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
FORKS = sys.platform == "linux"  # on other systems a library may hold threads that a fork would lose
KERNEL_SETTINGS = {
    "LC_ALL": "C.UTF-8",  # a page reads the same wherever it is built
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",  # dates are built side by side, and sums are added in a fixed order
    "OPENBLAS_NUM_THREADS": "1",
    "JUPYTER_PLATFORM_DIRS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
# no module that starts threads, as duckdb does: a fork loses them
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
    """The environment variables of every kernel of a project: the same wherever the report is built."""
    python_path = [PACKAGE.parent, root, root / "notebooks", os.environ.get("PYTHONPATH")]  # where cache keys look, too
    return (
        os.environ
        | KERNEL_SETTINGS
        | {
            "IPYTHONDIR": str(ipython_folder(root)),
            "PYTHONPATH": os.pathsep.join(str(path) for path in python_path if path),
        }
    )


def ipython_folder(root: Path) -> Path:
    """IPython's folder for kernels: a user's own start-up files have no part in a report."""
    return root / ".cache" / "ipython"


def start_fork_server(environment: Mapping[str, str]) -> None:
    """Start the process that kernels are forked from. It ends with this process.

    It reads some of its environment when it starts and imports, so it starts with that of the kernels.
    """
    if FORKS:
        forkserver.set_forkserver_preload(PRELOADED)
        with _environment(environment):
            forkserver.ensure_running()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Change the environment while a child starts: multiprocessing can only hand on that of this process."""
    kept = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


class Kernel(ForkServerProcess):
    """A kernel in a process of its own, with what jupyter_client uses of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], folder: str, environment: dict[str, str]):
        super().__init__(name="kernel")
        self.arguments, self.folder, self.environment = arguments, folder, environment

    def run(self) -> None:
        """Serve the connection file among the arguments until the kernel is told to stop, or its builder has ended."""
        from ipykernel.kernelapp import launch_new_instance

        # what was imported before is never garbage, and to look through it takes 0.2 s each time
        gc.freeze()
        # a Ctrl-C in the terminal is for the builder, which ends its kernels
        os.setsid()
        os.chdir(self.folder)
        os.environ.update(self.environment)
        # a fork has its parent's path, not this one
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
    """Starts as a fork what the kernel's command, `python -m ipykernel_launcher -f FILE …`, would start."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        kernel = Kernel(cmd[cmd.index("-f") :], str(kwargs["cwd"]), dict(kwargs["env"]))
        kernel.start()
        self.process = kernel  # type: ignore[assignment]  # it has what LocalProvisioner uses of a Popen
        self.pid = kernel.pid
        return self.connection_info


class KernelManager(AsyncKernelManager):
    """jupyter_client's manager, with kernels that are forked if that is safe and have the given environment."""

    environment: ClassVar[Mapping[str, str] | None] = None

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]  # typed as if it were not async
        """Start a kernel."""
        if FORKS:
            self.provisioner = _ForkingProvisioner(kernel_spec=self.kernel_spec, parent=self)
        if self.environment is not None:
            kwargs["env"] = dict(self.environment)
        await super().start_kernel(**kwargs)


def kernel_manager_class(environment: Mapping[str, str] | None) -> type[KernelManager]:
    """A manager class, which is what nbclient asks for, whose kernels have this environment; None: this process's."""
    return type("KernelManager", (KernelManager,), {"environment": environment})


def _end_with_builder() -> None:
    builder = parent_process()
    if builder is not None:
        builder.join()
    os._exit(1)
