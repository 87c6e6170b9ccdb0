"""Kernels forked from one process that has imported what notebooks need: each starts at once instead of after seconds."""

import gc
import os
import sys
import threading
from multiprocessing import forkserver, parent_process
from multiprocessing.context import ForkServerProcess

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

FORKS = sys.platform == "linux"  # elsewhere a library may hold threads that a fork would lose
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
]  # none that starts threads, as duckdb does: a fork loses them; none that changes how others behave, as the figure style does


def start_fork_server() -> None:
    """Start the process that kernels are forked from, with the environment they are to have. It ends with this process."""
    if FORKS:
        forkserver.set_forkserver_preload(PRELOADED)
        forkserver.ensure_running()


class Kernel(ForkServerProcess):
    """A kernel in a process of its own, with what jupyter_client uses of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], folder: str, environment: dict[str, str]):
        super().__init__(name="kernel")
        self.arguments, self.folder, self.environment = arguments, folder, environment

    def run(self) -> None:
        """Serve the connection file among the arguments until the kernel is told to stop, or its builder is no more."""
        from ipykernel.kernelapp import launch_new_instance

        gc.freeze()  # what was imported before is never garbage, and to look through it takes 0.2 s each time
        os.setsid()  # a Ctrl-C in the terminal is for the builder, which ends its kernels
        os.chdir(self.folder)
        os.environ.update(self.environment)
        sys.path += os.environ.get("PYTHONPATH", "").split(os.pathsep)  # a fork has its parent's path, not this one
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
        """Send it a signal. Raises `ProcessLookupError` where it has ended."""
        os.kill(self.pid, number)


class _Forking(LocalProvisioner):
    """Starts as a fork what the kernel's command, `python -m ipykernel_launcher -f FILE …`, would start."""

    async def launch_kernel(self, cmd: list[str], **kwargs):
        self.process = Kernel(cmd[cmd.index("-f") :], str(kwargs["cwd"]), dict(kwargs["env"]))
        self.process.start()
        self.pid = self.process.pid
        return self.connection_info


class KernelManager(AsyncKernelManager):
    """jupyter_client's, whose kernels are forked where that is safe."""

    async def start_kernel(self, **kwargs) -> None:
        if FORKS:
            self.provisioner = _Forking(kernel_spec=self.kernel_spec, parent=self)
        await super().start_kernel(**kwargs)


def _end_with_builder() -> None:
    parent_process().join()
    os._exit(1)
