"""One piece of work in a process of its own: its seconds, its seconds of processor time, its peak memory."""

import ctypes
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Run(NamedTuple):
    """What one contender took."""

    seconds: float
    cpu: float
    megabytes: float


def alone(script: str, name: str, *arguments: str) -> Run:
    """`script --only NAME …` in a process of its own, which ends in `tell`. Prints what it took and found."""
    done = subprocess.run(
        [sys.executable, script, "--only", name, *arguments], capture_output=True, text=True, check=True
    )
    *figures, found = done.stdout.strip().splitlines()[-1].split(" ", 3)
    run = Run(*map(float, figures))
    print(f"{name:7} {run.seconds:8.2f} s {run.cpu:8.2f} s of cpu {run.megabytes:8,.0f} MB   {found}", flush=True)
    return run


def tell(work: Callable[[], str]) -> None:
    """Do the work here and print its seconds, its peak memory and what it found."""
    started, worked = time.perf_counter(), time.process_time()
    found = work()
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    print(f"{seconds:.3f} {worked:.3f} {_peak_megabytes():.0f} {found}")


def adopt() -> None:
    """From now on a process below this one whose parent ends becomes its child: its processor time counts (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def worked() -> float:
    """Seconds of processor time of this process and of all below it that have ended, after the adopted ones have."""
    with suppress(ChildProcessError):
        while os.wait():
            pass
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak_megabytes() -> float:
    """The largest memory this process has held. Linux counts it anew for each program, `ru_maxrss` does not."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
