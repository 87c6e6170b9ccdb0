"""A function in a process of its own: it can use no more memory and time than it may, and ends nothing else."""

import ctypes
import os
import signal
import time

import psutil
import pytest

from crm_utils.core import limited_process
from crm_utils.core.errors import SourceError
from crm_utils.core.limited_process import LimitExceeded, run_limited

LINUX = pytest.mark.skipif(not limited_process.FORKS, reason="only Linux limits memory")


def add(tell, left, right):
    return left + right


def refuse(tell):
    raise SourceError("small.xlsx, sheet 'Orders'")


def fill(tell, step, million):
    tell(step)
    return len(bytearray(million * 1_000_000))


def stop(tell, number):
    tell("halfway")
    os.kill(os.getpid(), number)


def allocate_until_it_aborts(tell):
    """What a library in C or Rust does that gets no memory."""
    tell("in Rust")
    if not ctypes.CDLL(None).malloc(ctypes.c_size_t(1 << 33)):
        os.abort()


def sleep(tell, seconds):
    tell("asleep")
    time.sleep(seconds)


def test_it_returns_or_raises_what_the_function_does():
    assert run_limited(add, "a", "b") == "ab"
    with pytest.raises(SourceError, match="small.xlsx, sheet 'Orders'"):
        run_limited(refuse)


@LINUX
def test_it_may_use_so_much_memory_and_no_more():
    assert run_limited(fill, "little", 50, memory=300_000_000) == 50_000_000
    with pytest.raises(LimitExceeded) as exceeded:
        run_limited(fill, "much", 500, memory=300_000_000)
    assert exceeded.value.step == "much"
    assert run_limited(fill, "much", 500, memory=1_000_000_000) == 500_000_000


@LINUX
def test_a_library_that_ends_its_process_ends_nothing_else(capfd):
    with pytest.raises(LimitExceeded) as exceeded:
        run_limited(allocate_until_it_aborts)
    assert (exceeded.value.step, exceeded.value.limit) == ("in Rust", "2 GB of memory")
    for number in (signal.SIGKILL, signal.SIGSEGV):
        with pytest.raises(LimitExceeded, match="halfway"):
            run_limited(stop, number)
    assert capfd.readouterr() == ("", "")


def test_it_may_take_so_long_and_no_longer():
    with pytest.raises(LimitExceeded, match=r"asleep: \d+ minutes"):
        run_limited(sleep, 30, seconds=0.2)
    assert not psutil.Process().children()
