"""Messages about disks: one line with the file, the cause and what to do."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crm_utils.core.errors import LockHeld
from crm_utils.pipeline.atomic_publish import describe_os_error, locked


def test_errors_of_a_copied_folder_are_told_as_the_first_of_them(tmp_path):
    """`shutil.copytree` goes on after an error, and collects all of them as text."""

    def full(source: str, target: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)

    for name in ("a/x.txt", "a/y.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(shutil.Error) as failed:
        shutil.copytree(tmp_path / "a", tmp_path / "b", copy_function=full)
    said = describe_os_error(failed.value, tmp_path)
    assert said in {
        f"cannot read or write b/{name}.txt: No space left on device: free some space and start again. "
        "Previously published reports are unchanged."
        for name in "xy"
    }


def test_another_error_is_told_as_it_is():
    said = describe_os_error(OSError(errno.EROFS, "Read-only file system", "/srv/crm/reports"), Path("/srv/crm"))
    assert said.startswith("cannot read or write reports: Read-only file system: give this user the right")
    said = describe_os_error(shutil.Error("same file"), Path("/srv/crm"))
    assert said.startswith("cannot read or write a file: same file: solve this")


HOLD = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_is_waited_for_only_so_long_and_says_who_holds_it(tmp_path, capsys):
    (tmp_path / "hold.py").write_text(HOLD)
    command = [sys.executable, "hold.py", ".lock", "postgresql://u:hunter2@h"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with locked(tmp_path, wait=False) as alone:
            assert not alone
        with pytest.raises(LockHeld) as held, locked(tmp_path, minutes=0.002):
            pytest.fail("two processes have the lock")
        for said in (str(held.value), capsys.readouterr().out):
            assert f"another run is {'still ' if 'still' in said else ''}building {tmp_path.name}" in said
            assert f"process {holder.pid} (" in said
            assert "hold.py .lock postgresql://u:***@h), started 20" in said
        holder.stdin.close()
    with locked(tmp_path) as alone:
        assert alone
