"""Publishing under fire, in a process of its own: `python crashes.py PROJECT`.

Each run is forked from here, so that it starts at once, and at one step of its writing something happens: the process
is killed, the disk is full, the folder is read-only.

Only the notebooks and the pages are stand-ins (they write small files); planning, locking, building, swapping, the
index and recovery are the real ones. A step is whatever changes a file below `reports/`: a file opened to be written, a
folder made, a rename, a removal.
"""

import errno
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from crm_utils.__main__ import main
from crm_utils.commands import build_date, build_reports
from crm_utils.core import errors as core_errors
from crm_utils.pipeline import cache_keys
from crm_utils.pipeline import execute as run
from crm_utils.pipeline.jobs import plan_jobs
from crm_utils.site import customer_lookup, date_page, index_page, index_refresh, render

PROJECT, SAID = Path(sys.argv[1]), Path(sys.argv[1]).with_name("said.txt")
REPORTS, PARAMS = PROJECT / "reports", PROJECT / "params" / "small.yaml"
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir")
SAMPLE = 24


def execute(source: Path, target: Path, parameters: dict, environment: object = None) -> float:
    """A notebook that writes a table, a list and itself, and says which process it was."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(source.read_text())
    for folder in ("data", "lists"):
        (target.parents[1] / folder).mkdir(exist_ok=True)
        (target.parents[1] / folder / f"{source.stem}.txt").write_text(PARAMS.read_text() * 50)
    return 0.0


def refused(source: Path, target: Path, parameters: dict, environment: object = None) -> float:
    raise core_errors.NotebookFailed(source.name, "no notebook runs today")


def stand_ins() -> None:
    assert build_date, "what builds a date is imported once, here, and not in every run"
    build_reports._set_up_kernels = lambda root: {}
    build_reports._source_problem = lambda jobs: None
    render.read_notebook = lambda path: path.read_text()
    render.render_notebook = lambda job, notebook, executed: render.RenderedPage(job.report.title, [])
    date_page.key_figures = lambda data: {}
    date_page.render_date = lambda job, folder, figures: f"<main>{job.report.title}</main>"
    customer_lookup.render_lookup = lambda job, folder: job.report.title
    index_page.render_index = lambda root, built_from="": (
        f'data-built-from="{index_refresh.index_key(root)}" '
        + json.dumps(
            sorted([json.loads(path.read_text())[key] for key in ("analysis_date", "title")] for path in manifests())
        )
    )


def manifests() -> list[Path]:
    return list(REPORTS.glob("small/[0-9]*/manifest.json"))


def steps(then: Callable[[int, str, tuple], None]) -> Callable[[str, tuple], None]:
    """An audit hook that calls `then` with the number, the kind and the arguments of each step."""
    done = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal done
        writes = (
            event == "open"
            and isinstance(arguments[0], (str, os.PathLike))
            and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        place = str(arguments[0]) if arguments else ""
        if (event in CHANGES or writes) and (not place.startswith("/") or place.startswith(str(REPORTS))):
            done += 1
            then(done, event, arguments)

    return hook


def forked(hook: Callable | None = None, notebooks: Callable = execute) -> int:
    """Start `make report` in a process of its own; return its id."""
    process = os.fork()
    if process:
        return process
    said = os.open(SAID, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1), os.dup2(said, 2)
    run.run_notebook = notebooks
    if hook:
        sys.addaudithook(hook)
    status = main(["report"])
    sys.stdout.flush(), sys.stderr.flush()
    os._exit(status)


def ended(process: int) -> int:
    """Its exit status; negative where a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def report(hook: Callable | None = None, notebooks: Callable = execute) -> tuple[int, str]:
    """Exit status of a run, and what it said."""
    SAID.unlink(missing_ok=True)
    return ended(forked(hook, notebooks)), SAID.read_text() if SAID.exists() else ""


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def check_whole(old: dict, new: dict, when: str) -> None:
    """Nothing but whole dates, each the old or the new one, and an index that tells which."""
    top = [".lock", "_logs", "how-to-read.html", "index.html", "small"]
    assert sorted(path.name for path in REPORTS.iterdir()) == top, when
    assert sorted(path.name for path in (REPORTS / "small").iterdir()) == [".lock", *old, "latest"], when
    for day in old:
        assert contents(REPORTS / "small" / day) in (old[day], new[day]), f"{when}: {day} is neither old nor new"
    assert (REPORTS / "index.html").read_text() == index_page.render_index(PROJECT), (
        f"{when}: the index tells of another state"
    )


def versions() -> tuple[dict, dict, list[str]]:
    """Both versions of each date, and the steps from one to the other. The old one is kept beside the project."""
    status, said = report()
    assert status == 0, said
    days = sorted(path.name for path in (REPORTS / "small").glob("[0-9]*"))
    old = {day: contents(REPORTS / "small" / day) for day in days}
    shutil.copytree(REPORTS, PROJECT.with_name("old"))
    PARAMS.write_text(PARAMS.read_text().replace("Small shop", "Smaller shop"))
    log = PROJECT.with_name("steps.txt")
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    status, said = report(steps(lambda number, event, _: os.write(descriptor, f"{event}\n".encode())))
    assert status == 0, said
    new = {day: contents(REPORTS / "small" / day) for day in days}
    assert all(old[day] != new[day] for day in days)
    return old, new, log.read_text().split()


def put_back() -> None:
    shutil.rmtree(REPORTS)
    shutil.copytree(PROJECT.with_name("old"), REPORTS)


def kill_at(chosen: int) -> Callable:
    def then(number: int, *_: object) -> None:
        if number == chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return steps(then)


def fail_from(chosen: int, code: int, kinds: tuple[str, ...]) -> Callable:
    def then(number: int, event: str, arguments: tuple) -> None:
        if number >= chosen and event in kinds:
            raise OSError(code, os.strerror(code), str(arguments[0]))

    return steps(then)


def under_fire(old: dict, new: dict, moments: list[int]) -> None:
    for moment in moments:
        put_back()
        status, _ = report(kill_at(moment))
        assert status == -signal.SIGKILL, f"step {moment}: the run ended with {status}"
        report(notebooks=refused)
        check_whole(old, new, f"killed at step {moment}")
        status, said = report()
        assert status == 0, said
        assert all(contents(REPORTS / "small" / day) == new[day] for day in new), f"after step {moment}"


def no_room(old: dict, new: dict, moments: list[int], code: int, kinds: tuple[str, ...], cure: str) -> None:
    told = 0
    for moment in moments:
        put_back()
        status, said = report(fail_from(moment, code, kinds))
        errors = [line for line in said.splitlines() if line.startswith("error: ")]
        assert "Traceback" not in said, said
        assert status == bool(errors), said
        assert all(os.strerror(code) in line and cure in line and str(PROJECT) not in line for line in errors), said
        told += status
        report(notebooks=refused)
        check_whole(old, new, f"{os.strerror(code)} from step {moment}")
    assert told > len(moments) / 2, "most moments need the disk"


def two_at_once(new: dict) -> None:
    def slowly(source: Path, target: Path, parameters: dict, environment: object = None) -> float:
        time.sleep(0.05)
        return execute(source, target, parameters)

    put_back()
    SAID.unlink(missing_ok=True)
    both = [forked(notebooks=slowly), forked(notebooks=slowly)]
    assert [ended(process) for process in both] == [0, 0], SAID.read_text()
    assert "another run is building small: process " in SAID.read_text()
    assert SAID.read_text().count("dates built") == 1, "the second finds nothing left to build"
    assert all(contents(REPORTS / "small" / day) == new[day] for day in new)


if __name__ == "__main__":
    os.chdir(PROJECT)
    stand_ins()
    for job in plan_jobs(PROJECT)[0]:
        cache_keys.fingerprint_job(job)  # what the package imports is read once, for all runs
    before, after, taken = versions()
    renames = [number for number, event in enumerate(taken, start=1) if event == "os.rename"]
    drawn = random.Random(20).sample(range(1, len(taken) - 4), SAMPLE)
    moments = sorted({*drawn[:8], *renames})
    under_fire(before, after, moments)
    writing = ("open", "os.mkdir")
    no_room(before, after, drawn[:8], errno.ENOSPC, writing, "free some space and start again")
    no_room(before, after, drawn[8:16], errno.EROFS, ("open", *CHANGES), "give this user the right to write there")
    two_at_once(after)
    print(f"{len(taken)} steps; killed at {len(moments)} of them, {len(renames)} of them renames")
