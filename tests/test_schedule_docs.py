"""The examples of docs/schedule.md and deliver.md: one command line, which runs, in files their programs accept."""

import ast
import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from crm_utils.config import Report, parse_model
from crm_utils.config.report import DateRule
from tests.support.projects import ROOT

COMMAND = ".venv/bin/python -m crm_utils report --report shop"
TEXT = (ROOT / "docs" / "schedule.md").read_text()


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.M | re.S)


def test_the_rule_is_one():
    rule = yaml.safe_load(blocks("yaml")[0])["analysis_dates"]
    base = {"title": "Shop", "currency": "EUR", "source": {"file": "x.csv"}}
    columns = {"customer_id": "a", "ordered_at": "b", "amount": "c"}
    report = parse_model(base | {"columns": columns, "analysis_dates": rule}, Report, "shop")
    assert report.analysis_dates == DateRule(every="month", last=4, up_to="today", keep=24)


def test_each_example_runs_the_same_command():
    (cron,), (service, timer) = blocks("cron"), blocks("ini")
    line = cron.splitlines()[-1]
    assert re.fullmatch(rf"0 6 \* \* \* cd /srv/crm && {re.escape(COMMAND)}", line)
    assert f"ExecStart=/srv/crm/{COMMAND}\n" in service and "WorkingDirectory=/srv/crm\n" in service
    workflow = yaml.safe_load(blocks("yaml")[1])
    assert COMMAND in [step.get("run") for step in workflow["jobs"]["report"]["steps"]]
    assert workflow[True]["schedule"] == [{"cron": "0 6 * * *"}], "on: is read as a boolean by YAML 1.1"
    call = ast.parse(blocks("python")[0]).body[-1].value
    said = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert said["bash_command"] == COMMAND and said["skip_on_exit_code"] == 3
    assert "OnCalendar" in timer


def test_the_command_runs_and_leaves_the_line_that_is_shown(rebuilt):
    """As cron and Airflow run it: through a shell, in the project's folder, with its own Python."""
    (rebuilt / ".venv" / "bin").mkdir(parents=True)
    (rebuilt / ".venv/bin/python").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} "$@"\n')
    (rebuilt / ".venv/bin/python").chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", COMMAND.replace("shop", "small")], cwd=rebuilt, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Nothing to build.")
    line = json.loads((rebuilt / "reports/_logs/dates.jsonl").read_text().splitlines()[-1])
    assert list(line) == list(json.loads(blocks("json")[0]))
    assert (line["date"], line["status"], line["path"]) == ("1997-12-31", "up to date", "reports/small/1997-12-31")
    assert (rebuilt / line["log"]).exists()


def test_systemd_accepts_service_and_timer(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    service, timer = blocks("ini")
    local = service.replace(f"/srv/crm/{COMMAND}", f"{sys.executable} -m crm_utils report").replace("User=crm\n", "")
    (tmp_path / "crm.service").write_text(local)
    (tmp_path / "crm.timer").write_text(timer)
    files = [tmp_path / "crm.service", tmp_path / "crm.timer"]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0 and "crm." not in done.stderr, done.stderr


def test_the_sections_of_the_guide_to_delivery_are_valid():
    text = (ROOT / "docs" / "deliver.md").read_text()
    sections = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", text, flags=re.M | re.S)]
    base = {"title": "Shop", "currency": "EUR", "source": {"file": "x.csv"}, "analysis_dates": ["2024-06-30"]}
    columns = {"customer_id": "a", "ordered_at": "b", "amount": "c"}
    found = [parse_model(base | {"columns": columns} | section, Report, "shop").delivery for section in sections]
    assert [len(delivery.to) for delivery in found] == [3, 1]
    assert (found[0].email.used_port, found[1].customer_files) == (587, ["04_cltv.html", "send/*.csv"])
