"""The command line: `crm` or `python -m crm_utils`, with one subcommand for each task."""

import argparse
import datetime
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from crm_utils import __version__
from crm_utils.commands.build_reports import BuildResult, build_reports, fill_draft, outdated_jobs, remove_old_dates
from crm_utils.commands.failures import summarize_failures
from crm_utils.commands.run_log import DateStatus, RunLog
from crm_utils.core.errors import DeliveryError, LockHeld, ParamsError, SourceError
from crm_utils.core.formatting import MESSAGES
from crm_utils.core.project import find_project, working_folder
from crm_utils.pipeline import atomic_publish
from crm_utils.pipeline.jobs import LAST, Job, plan_jobs, read_report, report_names
from crm_utils.pipeline.staleness import stale_notebooks
from crm_utils.site.index_refresh import refresh_index

STDERR = 2
WAITING_STATUS = 3  # nothing failed, but the data do not reach the newest date of a rule
STOPPED_STATUS = 130  # the status that shells report for a program stopped by Ctrl-C
DEFAULT_DRAFT = "cdnow"

Command = Callable[[argparse.Namespace, RunLog], int]


def main(arguments: list[str] | None = None) -> int:
    """Run one command in the project that the current folder belongs to.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments of the command line; by default those of this process.

    Returns
    -------
    int
        The exit status: 0 if everything worked, 1 if something failed, 3 if data of the newest date are missing.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    _go_to_project(options)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an unsupported character must not stop a run
    log = RunLog(Path.cwd(), arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _stop(log))
    status = _run(options, log)
    log.end(status)
    return status


def _go_to_project(options: argparse.Namespace) -> None:
    """Work in the project at or above the working folder. A file that was given stays the one that the user meant."""
    folder = working_folder()
    root = find_project(folder)
    if root is None or root == folder:
        return
    if getattr(options, "file", None) and not Path(options.file).is_absolute():
        options.file = os.path.relpath(folder / options.file, root)
    os.chdir(root)


def _run(options: argparse.Namespace, log: RunLog) -> int:
    try:
        return options.command(options, log)
    except (ParamsError, SourceError, DeliveryError, LockHeld) as error:
        _print_error(str(error), log)
    except OSError as error:
        _print_error(atomic_publish.describe_os_error(error, Path.cwd()), log)
    return 1


def _print_error(message: str, log: RunLog) -> None:
    print(f"error: {message}", file=sys.stderr)
    log.write("error", message)


def _parser() -> argparse.ArgumentParser:
    """Return the parser with its subcommands. Options of other commands are rejected."""
    parser = argparse.ArgumentParser(
        prog="crm", description="Build the customer reports of this folder.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"crm {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_report(commands)
    _add_draft(commands)
    _add_new(commands)
    _add_compare(commands)
    _add_export(commands)
    _add_deliver(commands)
    _add_diff(commands)
    _add_data(commands)
    return parser


def _add_report(commands: Any) -> None:
    parser = _add_command(
        commands,
        "report",
        _report,
        "update pages",
        "Build all reports, one report, or one of its dates. Pages that are up to date are not built again.",
        ["crm report", "crm report --report cdnow", "crm report --report cdnow --date 1998-06-30"],
    )
    _add_report_option(parser, "(default: all)")
    _add_date_option(parser, "(default: all)")


def _add_draft(commands: Any) -> None:
    parser = _add_command(
        commands,
        "draft",
        _draft,
        "fill reports/_draft for notebooks opened in Jupyter",
        "Build one date and copy its tables to reports/_draft. Notebooks opened in Jupyter work there.",
        ["crm draft", "crm draft --report shop --date last"],
    )
    _add_report_option(parser, f"(default: {DEFAULT_DRAFT})")
    _add_date_option(parser, f"(default: {LAST})")


def _add_new(commands: Any) -> None:
    parser = _add_command(
        commands,
        "new",
        _new,
        "start a report on your own data",
        "Guess the parameters of a new report from its file or database and write params/<report>.yaml.",
        [
            "crm new --report shop --file orders.csv",
            "crm new --report shop --file 'data/orders-*.csv'",
            "crm new --report shop --file orders_export.csv --like shopify",
            "crm new --report shop --url 'postgresql://reader:${SHOP_PASSWORD}@db/shop' --table orders",
            "crm new --report shop --url sqlite://shop.db --query 'select * from orders where year > 2022'",
        ],
    )
    _add_report_option(parser, "to start")
    parser.add_argument("--file", metavar="FILE", help="the file with the line items, or a pattern of files")
    parser.add_argument(
        "--url",
        metavar="URL",
        help="the database's URL; write the password as ${NAME}, the name of an environment variable",
    )
    parser.add_argument("--table", metavar="TABLE", help="the table of the database")
    parser.add_argument("--query", metavar="SQL", help="a select statement instead of a table")
    parser.add_argument(
        "--like",
        metavar="SYSTEM",
        help="the recipe in params/recipes to use, such as shopify (default: the one whose headings match)",
    )


def _add_compare(commands: Any) -> None:
    parser = _add_command(
        commands,
        "compare",
        _compare,
        "compare two published dates of a report",
        "Write a page that compares two published dates of a report. It is linked from reports/index.html.",
        ["crm compare --report cdnow --from 1997-12-31 --to 1998-06-30"],
    )
    _add_report_option(parser, "with the two dates")
    parser.add_argument("--from", dest="since", metavar="DATE", help="the earlier date")
    parser.add_argument("--to", metavar="DATE", help="the later date")


def _add_export(commands: Any) -> None:
    parser = _add_command(
        commands,
        "export",
        _export,
        "write the results of a report to a database",
        "Write customers, segments, cltv and budget of one date to a database.",
        [
            "crm export --report shop --to sqlite:///results.db",
            "crm export --report shop --date last --to 'postgresql://crm:${CRM_PASSWORD}@db/shop'",
        ],
    )
    _add_report_option(parser, "to export")
    _add_date_option(parser, f"(default: {LAST})")
    parser.add_argument(
        "--to",
        metavar="URL",
        help="the database's URL; write the password as ${NAME}, the name of an environment variable",
    )


def _add_deliver(commands: Any) -> None:
    parser = _add_command(
        commands,
        "deliver",
        _deliver,
        "copy the newest date of a report to where people read it, and tell them by e-mail",
        "Copy the newest date to a folder, a bucket or a web host, and send its summary with the first page by e-mail. "
        "The section delivery of params/<report>.yaml says where to.",
        ["crm deliver --report shop"],
    )
    _add_report_option(parser, "to deliver")


def _add_diff(commands: Any) -> None:
    parser = _add_command(
        commands,
        "diff",
        _diff,
        "show what you changed in the notebooks and parameters files of this version",
        "Compare notebooks/ and params/ with what the last update brought, cell by cell and without outputs.",
        ["crm diff", "crm diff --from v0.1.0"],
    )
    parser.add_argument(
        "--from", dest="commit", metavar="COMMIT", help="what to compare with (default: the last change of crm_utils/)"
    )


def _add_data(commands: Any) -> None:
    description = "Download Online Retail II (UCI, 45 MB) to data/."
    _add_command(commands, "data", _data, "download Online Retail II to data/", description, ["crm data"])


def _add_command(
    commands: Any, name: str, command: Command, summary: str, description: str, examples: list[str]
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command=command)
    return parser


def _add_report_option(parser: argparse.ArgumentParser, which: str) -> None:
    parser.add_argument("--report", metavar="NAME", help=f"the report {which}: the name of its file in params/")


def _add_date_option(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--date", metavar="DATE", help=f"an analysis date of the report, or `{LAST}` {default}")
    parser.add_argument(
        "--today", metavar="DATE", help="the day of the run, for dates that follow a rule (default: that of the clock)"
    )


def _report(options: argparse.Namespace, log: RunLog) -> int:
    return _build(options.report, options.date, _today(options), log)


def _build(report: str | None, date: str | None, today: datetime.date, log: RunLog) -> int:
    root = Path.cwd()
    if not (root / "params").is_dir():
        raise ParamsError(
            f"no project is at or above {root}: a project has the folders notebooks/ and params/. Go to yours first"
        )
    atomic_publish.recover(root / "reports")
    planned = plan_jobs(root, report, date, today)
    outdated, up_to_date, unreadable = outdated_jobs(planned.jobs, named=report is not None)
    with _Progress(sum(len(stale_notebooks(job)) for job in outdated), log) as progress:
        result = build_reports(root, outdated, progress)
    removed = [] if date else remove_old_dates(root, planned.jobs)
    up_to_date |= {one.job for one in outdated} - set(result.built) - {failure.job for failure in result.failures}
    log.dates(_outcomes(planned.jobs, up_to_date, result, removed))
    problems = [*planned.problems, *unreadable, *summarize_failures(result.failures), *result.problems]
    for problem in problems:
        _print_error(problem, log)
    for line in planned.waiting:
        print(line)
        log.write("waiting", line)
    summary = _summary(len(result.built), len(result.failures), len(problems), len(removed))
    print(summary)
    log.write("summary", summary)
    return 1 if problems else WAITING_STATUS if planned.waiting else 0


def _outcomes(
    jobs: list[Job], up_to_date: set[Job], result: BuildResult, removed: list[Path]
) -> dict[Path, tuple[DateStatus, float]]:
    """Return what happened to the folder of each date, and the seconds that building it took."""
    found = {job.folder: (DateStatus.NOT_READ, 0.0) for job in jobs}
    found |= {job.folder: (DateStatus.UP_TO_DATE, 0.0) for job in up_to_date}
    found |= {job.folder: (DateStatus.BUILT, seconds) for job, seconds in result.built.items()}
    found |= {failure.job.folder: (DateStatus.FAILED, failure.seconds) for failure in result.failures}
    return found | dict.fromkeys(removed, (DateStatus.REMOVED, 0.0))


def _today(options: argparse.Namespace) -> datetime.date:
    """Return the day of the run: the option, or what the clock says."""
    if options.today is None:
        return datetime.date.today()
    try:
        return datetime.date.fromisoformat(options.today)
    except ValueError:
        raise ParamsError(f"--today: {options.today!r} is not a date; write it as 2024-06-30") from None


def _summary(built: int, failed: int, problems: int, removed: int) -> str:
    """Summarize the run in one line."""
    sentences = []
    if built:
        sentences.append(f"{MESSAGES.plural(built, 'date')} built.")
    if removed:
        sentences.append(f"{MESSAGES.plural(removed, 'old date')} removed.")
    if failed:
        sentences.append(f"{MESSAGES.plural(failed, 'date')} failed.")
    if problems:
        sentences.append(
            f"{MESSAGES.plural(problems, 'error')} (see above). Previously published reports are unchanged."
        )
    return " ".join([*(sentences or ["Nothing to build."]), "reports/index.html is up to date."])


def _draft(options: argparse.Namespace, log: RunLog) -> int:
    report, date = options.report or DEFAULT_DRAFT, options.date or LAST
    today = _today(options)
    status = _build(report, date, today, log)
    if status == 1:
        return status
    jobs = plan_jobs(Path.cwd(), report, date, today).jobs
    folder = fill_draft(jobs[0])
    print(f"{folder.relative_to(Path.cwd())} has {jobs[0].label}. Open notebooks/ in Jupyter (make lab) and run them.")
    return 0


def _new(options: argparse.Namespace, log: RunLog) -> int:
    if not options.report or bool(options.file) == bool(options.url):
        raise ParamsError(
            "give the report's name and its file: make new REPORT=shop FILE=orders.csv, or its database: "
            "make new REPORT=shop URL=sqlite://shop.db TABLE=orders"
        )
    if options.file and (options.table or options.query):
        raise ParamsError("TABLE= and QUERY= belong to a database: write its address as URL=, or leave them out")
    from crm_utils.cleaning.questions import describe
    from crm_utils.commands.new_report.complete import complete_report
    from crm_utils.commands.new_report.draft import new_report
    from crm_utils.commands.new_report.from_database import database_source

    source = options.file or database_source(options.url, options.table, options.query)
    path, guessed, open_points = new_report(Path.cwd(), options.report, source, options.like)
    print(f"wrote {path.relative_to(Path.cwd())}")
    for line in guessed:
        print(f"  guessed   {line}")
    for line in open_points:
        print(f"  to check  {line}")
    completed = complete_report(Path.cwd(), path, input if sys.stdin.isatty() else None)
    for line in completed.guessed:
        print(f"  proposed  {line}")
    if completed.page:
        print(f"first look: {completed.look} ({completed.page.relative_to(Path.cwd())})")
    else:
        print("first look: none yet, because the data cannot be counted before the points to check are corrected")
    for question in completed.questions:
        print(f"question {describe(question).lstrip()}")
    print(f"next: make report REPORT={options.report}")
    return 0


def _compare(options: argparse.Namespace, log: RunLog) -> int:
    if not (options.report and options.since and options.to):
        raise ParamsError(
            "give the report and two of its dates: make compare REPORT=cdnow FROM=1997-12-31 TO=1998-06-30"
        )
    from crm_utils.commands.compare_dates import compare_dates

    path = compare_dates(Path.cwd(), options.report, options.since, options.to)
    refresh_index(Path.cwd())
    print(f"wrote {path.relative_to(Path.cwd())} and linked it from reports/index.html")
    return 0


def _export(options: argparse.Namespace, log: RunLog) -> int:
    if not options.report or not options.to:
        raise ParamsError("give the report and the database: make export REPORT=shop TO=postgresql://…")
    from crm_utils.commands.export_tables import export_tables

    jobs, problems, _ = plan_jobs(Path.cwd(), options.report, options.date or LAST, _today(options))
    if problems:
        raise ParamsError(problems[0])
    job = jobs[0]
    written = export_tables(job.root, job.folder, job.name, job.day, options.to)
    rows = ", ".join(f"{name} {MESSAGES.plural(number, 'row')}" for name, number in written.items())
    print(f"exported {job.label}: {rows}")
    return 0


def _deliver(options: argparse.Namespace, log: RunLog) -> int:
    if not options.report:
        raise ParamsError("give the report: make deliver REPORT=shop")
    from crm_utils.commands.deliver_report import deliver_report

    name = report_names(Path.cwd(), options.report)[0]
    for line in deliver_report(Path.cwd(), name, read_report(Path.cwd(), name)):
        print(line)
        log.write("deliver", line)
    return 0


def _diff(options: argparse.Namespace, log: RunLog) -> int:
    from crm_utils.commands.show_changes import find_changes

    print("\n".join(find_changes(Path.cwd(), options.commit).lines()))
    return 0


def _data(options: argparse.Namespace, log: RunLog) -> int:
    from crm_utils.commands.download_data import download_online_retail

    path = download_online_retail(Path.cwd() / "data")
    print(f"{path.relative_to(Path.cwd())} is ready. Next: make report REPORT=online_retail_II")
    return 0


class _Progress:
    """A progress bar of the notebooks that have to run, if any. It also logs each notebook."""

    def __init__(self, total: int, log: RunLog):
        self._log = log
        self._hints: set[str] = set()
        self._bar = None
        if total:
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="notebook", desc="reports")

    def __enter__(self) -> "_Progress":
        return self

    def notebook(self, label: str, seconds: float) -> None:
        """Show and log a notebook that has finished."""
        self._log.notebook(label, seconds)
        if self._bar is not None:
            self._bar.set_postfix_str(label, refresh=False)
            self._bar.update()

    def notice(self, text: str) -> None:
        """Print and log something that a user should know, above the progress bar."""
        self._log.write("changed", text)
        if self._bar is not None:
            self._bar.write(text)

    def hint(self, text: str) -> None:
        """Print and log something that the author of a notebook should know, once for all dates."""
        if text not in self._hints:
            self._hints.add(text)
            self._log.write("hint", " ".join(text.split()))
            if self._bar is not None:
                self._bar.write(text)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _stop(log: RunLog) -> None:
    """Stop immediately, kernels first, because threads that wait for a kernel keep the process alive.

    The next run cleans up.
    """
    import psutil

    atomic_publish.stop_publishing()
    with suppress(psutil.Error):
        _end_children()
    log.write("stopped", "by a signal")
    log.end(STOPPED_STATUS)
    with suppress(OSError):
        # not print: the signal may have interrupted a print of the main thread
        os.write(STDERR, b"\nStopped. Previously published reports are unchanged.\n")
    os._exit(STOPPED_STATUS)


def _end_children() -> None:
    """Kill all child processes until none is left: a thread may just have started one."""
    import psutil

    while children := psutil.Process().children(recursive=True):
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, timeout=1)


if __name__ == "__main__":
    sys.exit(main())
