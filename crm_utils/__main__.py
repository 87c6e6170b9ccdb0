"""The command line: `python -m crm_utils report|draft [--report NAME] [--date DATE]`."""

import argparse
import os
import signal
import sys
from pathlib import Path

from crm_utils.params import ParamsError
from crm_utils.report.build import build, draft, out_of_date, stale_notebooks
from crm_utils.report.plan import Job, jobs


def main(arguments: list[str] | None = None) -> int:
    """Run one command in the current folder; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m crm_utils", description="Build the customer reports of this folder."
    )
    parser.add_argument(
        "command",
        choices=["report", "draft"],
        help="report: bring pages up to date; draft: fill reports/_draft for Jupyter",
    )
    parser.add_argument("--report", help="one report, by the name of its file in params/ (default: all)")
    parser.add_argument("--date", help="one analysis date of that report, or `last` (default: all)")
    options = parser.parse_args(arguments)
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, _stop)
    try:
        return _draft(options) if options.command == "draft" else _report(options.report, options.date)
    except ParamsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _report(report: str | None, day: str | None) -> int:
    root = Path.cwd()
    planned, problems = jobs(root, report, day)
    stale, missing = out_of_date(planned, named=report is not None)
    problems += missing
    with _Progress(sum(len(stale_notebooks(job)) for job in stale)) as progress:
        problems += build(root, stale, progress.tick)
    for line in problems:
        print(f"error: {line}", file=sys.stderr)
    if planned and len(problems) < len(planned):
        print("reports/index.html is up to date")
    return 1 if problems else 0


def _draft(options: argparse.Namespace) -> int:
    root, name = Path.cwd(), options.report or "cdnow"
    status = _report(name, options.date or "last")
    if status:
        return status
    job: Job = jobs(root, name, options.date or "last")[0][0]
    folder = draft(root, job)
    print(f"{folder.relative_to(root)} holds {job.label}: open notebooks/ in Jupyter (make lab) and run")
    return 0


class _Progress:
    """A progress bar over the notebooks that have to run; nothing where none has to."""

    def __init__(self, total: int):
        self.bar = None
        if total:
            from tqdm import tqdm

            self.bar = tqdm(total=total, unit="notebook", desc="reports")

    def __enter__(self):
        return self

    def tick(self, done: str) -> None:
        self.bar.set_postfix_str(done, refresh=False)
        self.bar.update()

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()


def _stop(*_: object) -> None:
    """End at once, kernels first: threads that wait for one would keep the process. The next run clears up."""
    import psutil

    children = psutil.Process().children(recursive=True)
    for child in children:
        child.kill()
    psutil.wait_procs(children, timeout=5)
    print("\nstopped; what was published before is untouched", file=sys.stderr)
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
