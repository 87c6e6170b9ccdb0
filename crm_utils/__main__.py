"""The command line: `python -m crm_utils report|draft|new|compare|export|data [--report NAME] [--date DATE] [--file FILE] [--from DATE] [--to DATE|URL]`."""

import argparse
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from crm_utils.commands.build_reports import build_reports, fill_draft, outdated_jobs
from crm_utils.commands.failures import summarize_failures
from crm_utils.core.errors import ParamsError, SourceError
from crm_utils.core.formatting import plural
from crm_utils.pipeline import atomic_publish
from crm_utils.pipeline.jobs import Job, plan_jobs
from crm_utils.pipeline.manifest import stale_notebooks
from crm_utils.site.index_refresh import refresh_index


def main(arguments: list[str] | None = None) -> int:
    """Run one command in the current folder; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m crm_utils", description="Build the customer reports of this folder."
    )
    parser.add_argument(
        "command",
        choices=["report", "draft", "new", "compare", "export", "data"],
        help="report: bring pages up to date; draft: fill reports/_draft for Jupyter; new: guess a report's parameters from "
        "--file; compare: put two published dates of a report beside each other; export: write a report's results to the database --to; data: download Online Retail II into data/",
    )
    parser.add_argument("--report", help="one report, by the name of its file in params/ (default: all)")
    parser.add_argument("--date", help="one analysis date of that report, or `last` (default: all)")
    parser.add_argument("--file", help="new: the file with the line items, or a pattern of files")
    parser.add_argument("--from", dest="since", metavar="DATE", help="compare: the earlier date")
    parser.add_argument(
        "--to",
        help="compare: the later date; export: the database's URL, its password as ${NAME} of an environment variable",
    )
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter stops no run
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, _stop)
    try:
        return COMMANDS[options.command](options)
    except (ParamsError, SourceError) as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        print(f"error: {atomic_publish.describe_os_error(error, Path.cwd())}", file=sys.stderr)
    return 1


def _report(report: str | None, day: str | None) -> int:
    root = Path.cwd()
    atomic_publish.recover(root / "reports")
    planned, refused = plan_jobs(root, report, day)
    stale, unread = outdated_jobs(planned, named=report is not None)
    with _Progress(sum(len(stale_notebooks(job)) for job in stale)) as progress:
        built, failures, unrenewed = build_reports(root, stale, progress.tick)
    problems = [*refused, *unread, *summarize_failures(failures), *unrenewed]
    for line in problems:
        print(f"error: {line}", file=sys.stderr)
    print(_summary(built, len(failures), len(problems)))
    return 1 if problems else 0


def _summary(built: int, failed: int, problems: int) -> str:
    """How the run ended, in one line."""
    parts = [f"{plural(built, 'date')} built"] if built else []
    parts += [f"{plural(failed, 'date')} not built"] if failed else []
    if problems:
        parts.append(f"{plural(problems, 'problem')} told above; what was published before is untouched")
    return "; ".join([*(parts or ["nothing to build"]), "reports/index.html is up to date"])


def _draft(options: argparse.Namespace) -> int:
    root, name = Path.cwd(), options.report or "cdnow"
    status = _report(name, options.date or "last")
    if status:
        return status
    job: Job = plan_jobs(root, name, options.date or "last")[0][0]
    folder = fill_draft(root, job)
    print(f"{folder.relative_to(root)} holds {job.label}: open notebooks/ in Jupyter (make lab) and run")
    return 0


def _new(options: argparse.Namespace) -> int:
    from crm_utils.commands.new_report.draft import new_report

    if not options.report or not options.file:
        raise ParamsError("name the report and its file: make new REPORT=shop FILE=orders.csv")
    path, guessed, open_points = new_report(Path.cwd(), options.report, options.file)
    print(f"{path.relative_to(Path.cwd())} is written")
    for line in guessed:
        print(f"  guessed   {line}")
    for line in open_points:
        print(f"  to check  {line}")
    print(f"next: make report REPORT={options.report}")
    return 0


def _compare(options: argparse.Namespace) -> int:
    if not (options.report and options.since and options.to):
        raise ParamsError(
            "name the report and two of its dates: make compare REPORT=cdnow FROM=1997-12-31 TO=1998-06-30"
        )
    from crm_utils.commands.compare_dates import compare_dates

    path = compare_dates(Path.cwd(), options.report, options.since, options.to)
    refresh_index(Path.cwd())
    print(f"{path.relative_to(Path.cwd())} is written, and linked from reports/index.html")
    return 0


def _export(options: argparse.Namespace) -> int:
    from crm_utils.commands.export_tables import export_tables

    if not options.report or not options.to:
        raise ParamsError("name the report and the database: make export REPORT=shop TO=postgresql://…")
    planned, problems = plan_jobs(Path.cwd(), options.report, options.date or "last")
    if problems:
        raise ParamsError(problems[0])
    job = planned[0]
    written = export_tables(job.root, job.folder, job.name, job.day, options.to)
    print(f"{job.label} is written: {', '.join(f'{name} {rows:,}' for name, rows in written.items())}")
    return 0


def _data(options: argparse.Namespace) -> int:
    from crm_utils.commands.download_data import download_online_retail

    path = download_online_retail(Path.cwd() / "data")
    print(f"{path.relative_to(Path.cwd())} is there: make report REPORT=online_retail_II")
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

    atomic_publish.PUBLISH_LOCK.acquire()
    try:
        while children := psutil.Process().children(recursive=True):  # again: a thread may just have started one
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            psutil.wait_procs(children, timeout=1)
        print("\nstopped; what was published before is untouched", file=sys.stderr)
    finally:
        os._exit(130)


COMMANDS = {
    "report": lambda options: _report(options.report, options.date),
    "draft": _draft,
    "new": _new,
    "compare": _compare,
    "export": _export,
    "data": _data,
}


if __name__ == "__main__":
    sys.exit(main())
