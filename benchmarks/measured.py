"""Measure work in a separate process: seconds, seconds of processor time and peak memory."""

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
    """The seconds, processor time and memory of one piece of work."""

    seconds: float
    cpu: float
    megabytes: float


def run_separately(script: str, name: str, *arguments: str) -> Run:
    """Run `script --only NAME …` in a separate process, and print its measurements and result."""
    done = subprocess.run(
        [sys.executable, script, "--only", name, *arguments], capture_output=True, text=True, check=True
    )
    *figures, found = done.stdout.strip().splitlines()[-1].split(" ", 3)
    run = Run(*map(float, figures))
    print(f"{name:7} {run.seconds:8.2f} s {run.cpu:8.2f} s of cpu {run.megabytes:8,.0f} MB   {found}", flush=True)
    return run


def print_measurements(work: Callable[[], str]) -> None:
    """Do the work in this process, and print its seconds, peak memory and result."""
    started, worked = time.perf_counter(), time.process_time()
    found = work()
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    print(f"{seconds:.3f} {worked:.3f} {_peak_megabytes():.0f} {found}")


def adopt() -> None:
    """Make orphaned descendants children of this process, so that their processor time counts (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def worked() -> float:
    """Seconds of processor time of this process and its descendants, after all adopted ones have ended."""
    with suppress(ChildProcessError):
        while os.wait():
            pass
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak_megabytes() -> float:
    """The peak memory of this process. On Linux it is reset for each program, unlike `ru_maxrss`."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
