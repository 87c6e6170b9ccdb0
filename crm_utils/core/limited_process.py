"""Run a function in a process of its own with limits of memory and time, so that no file can end this process."""

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import psutil

MEMORY = 2_000_000_000  # bytes, beyond those of this process
SECONDS = 600
FORKS = sys.platform == "linux"  # on other systems a library may have threads, and a fork would lose them

T = TypeVar("T")
Tell = Callable[[str], None]


class LimitExceeded(Exception):
    """The function was stopped. `step` is the last text that it told, `limit` what it needed too much of."""

    def __init__(self, step: str, limit: str):
        super().__init__(f"{step}: {limit}")
        self.step, self.limit = step, limit


def run_limited(function: Callable[..., T], *arguments: Any, memory: int = MEMORY, seconds: float = SECONDS) -> T:
    """Call a function in a process of its own.

    Parameters
    ----------
    function : callable
        Its first argument is a function to tell which step it is at. It starts no thread and no process.
    *arguments : object
        Its further arguments.
    memory : int
        The bytes that it may use beyond those of this process. Only known to the system on Linux.
    seconds : float
        How long it may take.

    Returns
    -------
    object
        What the function returns. What it raises is raised here.

    Raises
    ------
    LimitExceeded
        If it needs more memory or time, or its process died.
    """
    start: Any = multiprocessing.get_context("fork" if FORKS else "spawn")
    receiver, sender = start.Pipe(duplex=False)
    process = start.Process(target=_run, args=(sender, memory, function, arguments), daemon=True)
    process.start()
    sender.close()
    step = ""
    try:
        while receiver.poll(seconds):
            kind, value = receiver.recv()
            if kind == "raised":
                raise value
            if kind == "returned":
                return value
            step = value
        raise LimitExceeded(step, f"{seconds / 60:.0f} minutes")
    except EOFError:
        raise LimitExceeded(step, f"{memory / 1e9:.0f} GB of memory") from None
    finally:
        process.kill()
        process.join()
        receiver.close()


def _run(sender: Connection, memory: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()  # it may hold a lock of this process
    _leave_alone()
    _limit_memory(memory)
    try:
        answer = ("returned", function(lambda step: sender.send(("at", step)), *arguments))
    except MemoryError:
        return
    except Exception as error:
        answer = ("raised", error)
    sender.send(answer)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _leave_alone() -> None:
    """Do nothing that this process's parent does: handle its signals, or write to the terminal."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    faulthandler.disable()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)  # libraries print where they ran out of memory


def _limit_memory(memory: int) -> None:
    if sys.platform == "linux":  # other systems know no such limit
        process = psutil.Process()
        allowed = process.memory_info().vms + memory
        for limit, value in ((psutil.RLIMIT_AS, allowed), (psutil.RLIMIT_CORE, 0)):
            _, most = process.rlimit(limit)
            process.rlimit(limit, (value if most == psutil.RLIM_INFINITY else min(value, most), most))
