"""The command line: its subcommands, what each refuses, and the log of a run."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from crm_utils import __version__
from crm_utils.__main__ import main
from crm_utils.commands import run_log
from crm_utils.commands.run_log import RunLog
from tests.support.in_process import prepared
from tests.support.projects import ROOT, contents, edit

COMMANDS = ["report", "draft", "new", "compare", "export", "deliver", "diff", "data"]
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (start|notebook|error|summary|end) +\S")


def logged(project: Path) -> list[str]:
    """The lines of the newest log."""
    return sorted((project / "reports" / "_logs").glob("*.log"))[-1].read_text().splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"\nexamples:\n  crm {command}" in capsys.readouterr().out


def test_help_names_every_command_and_the_version_is_told(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert [command for command in COMMANDS if f"\n    {command} " not in text] == []
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"crm {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "--file", "x.csv"],
        ["report", "--to", "1998-06-30"],
        ["draft", "--from", "1997-12-31"],
        ["new", "--date", "1997-12-31"],
        ["compare", "--date", "1997-12-31"],
        ["compare", "--file", "x.csv"],
        ["export", "--from", "1997-12-31"],
        ["data", "--report", "small"],
        ["report", "--rep", "small"],
        ["build"],
        [],
    ],
    ids=" ".join,
)
def test_an_option_that_a_command_does_not_have_is_refused(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "example"),
    [
        (["new", "--report", "shop"], "make new REPORT=shop FILE=orders.csv"),
        (["new", "--report", "shop"], "make new REPORT=shop URL=sqlite://shop.db TABLE=orders"),
        (["new", "--report", "shop", "--file", "a.csv", "--table", "b"], "TABLE= and QUERY= belong to a database"),
        (["compare", "--report", "shop"], "make compare REPORT=cdnow FROM=1997-12-31 TO=1998-06-30"),
        (["export", "--report", "shop"], "make export REPORT=shop TO=postgresql://"),
    ],
)
def test_what_a_command_needs_is_asked_for_with_an_example(arguments, example, tmp_path, monkeypatch, capsys):
    status, _, err = prepared(tmp_path, monkeypatch, capsys)(*arguments)
    assert status == 1
    assert example in err


def test_a_run_leaves_a_log_with_its_times_and_nothing_else_changes(rebuilt, monkeypatch, capsys):
    driver = prepared(rebuilt, monkeypatch, capsys)
    driver.drawn = set()
    edit(rebuilt / "params" / "small.yaml", "Small shop", "Smaller shop")
    assert driver("report")[0] == 0
    lines = logged(rebuilt)
    assert all(LINE.match(line) for line in lines)
    assert [line.split()[1] for line in lines] == ["start", *["notebook"] * 5, "summary", "end"]
    assert [re.search(r"small 1997-12-31 (\d\d)_\w+ \d+\.\d s$", line)[1] for line in lines[1:6]] == [
        "01",
        "02",
        "03",
        "04",
        "05",
    ]
    assert re.search(r"status 0 after \d+\.\d s$", lines[-1])
    before = contents(rebuilt / "reports")
    assert driver("report")[0] == 0
    assert len(list((rebuilt / "reports" / "_logs").iterdir())) >= 2
    assert contents(rebuilt / "reports") == before
    assert "_logs" not in (rebuilt / "reports" / "index.html").read_text()


def test_errors_are_logged_as_they_are_printed(rebuilt, monkeypatch, capsys):
    status, _, err = prepared(rebuilt, monkeypatch, capsys)("report", "--report", "smal")
    assert status == 1
    message = err.strip().removeprefix("error: ")
    lines = logged(rebuilt)
    assert [line.split(maxsplit=2)[2] for line in lines if " error " in line] == [message]
    assert "status 1" in lines[-1]


def test_no_secret_gets_into_a_log(tmp_path):
    log = RunLog(tmp_path, ["export", "--to", "postgresql://me:hun/ter2@db/x?token=abc"])
    log.write("error", "cannot reach mysql://me:secret@db\nand password=other")
    text = "\n".join(logged(tmp_path))
    assert not [secret for secret in ("hun/ter2", "abc", "secret", "other") if secret in text]
    assert len(logged(tmp_path)) == 2, "one line each"


def test_two_runs_of_one_second_have_a_log_each_and_the_oldest_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr(run_log, "START_FORMAT", "now")
    for _ in range(3):
        RunLog(tmp_path, ["report"])
    folder = tmp_path / "reports" / "_logs"
    assert sorted(path.name for path in folder.iterdir()) == ["now_report.log", "now_report_2.log", "now_report_3.log"]
    assert all(len(path.read_text().splitlines()) == 1 for path in folder.iterdir())
    monkeypatch.setattr(run_log, "LOGS_KEPT", 2)
    RunLog(tmp_path, ["data"])
    assert sorted(path.name for path in folder.iterdir()) == ["now_data.log", "now_report_3.log"]


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "reports").write_text("a file where the folder should be")
    log = RunLog(tmp_path, ["report"])
    log.notebook("small 1997-12-31 01_cleaning", 1.0)
    log.end(0)
    assert (tmp_path / "reports").read_text() == "a file where the folder should be"


def test_a_command_works_from_a_folder_of_the_project(project, monkeypatch, capsys):
    driver = prepared(project, monkeypatch, capsys)
    monkeypatch.chdir(project / "notebooks")
    status, out, error = driver("new", "--report", "shop", "--file", "../small.csv")
    assert (status, error) == (0, "")
    assert "wrote params/shop.yaml" in out
    assert "file: small.csv" in (project / "params" / "shop.yaml").read_text()


def test_outside_a_project_the_cause_is_told(tmp_path, monkeypatch, capsys):
    driver = prepared(tmp_path, monkeypatch, capsys)
    status, _, error = driver("report")
    assert (status, "no project is at or above" in error) == (1, True)


@pytest.mark.parametrize("target", ["report", "draft", "new", "compare", "export", "deliver"])
def test_make_passes_a_name_on_as_it_was_typed(target):
    """A report's name with blanks, quotes or commands is one argument, and nothing runs."""
    name = "my shop'; touch made; '$HOME"
    asked = ["make", "--no-print-directory", "-n", "-o", ".venv/ready", target, f"REPORT={name}"]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert name in shlex.split(said.stdout), said.stdout
