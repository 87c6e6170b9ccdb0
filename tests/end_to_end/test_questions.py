"""A report whose data raise questions: refused while they are open, built when they are answered."""

from pathlib import Path

import pandas as pd
import yaml

from tests.support.in_process import prepared
from tests.support.projects import new_project


def write(params: Path, **changes: object) -> None:
    params.write_text(yaml.safe_dump(yaml.safe_load(params.read_text()) | changes))


def test_a_report_is_refused_until_its_questions_are_answered(tmp_path, monkeypatch, capsys):
    project = new_project(tmp_path / "project")
    log = pd.read_csv(project / "small.csv", dtype=str)
    once = log.drop_duplicates()
    pd.concat([once, once.tail(100)]).to_csv(project / "small.csv", index=False)
    params = project / "params" / "small.yaml"
    write(params, analysis_dates=["1997-12-31", "1998-06-30"])
    driver = prepared(project, monkeypatch, capsys)
    driver.drawn = set()
    assert driver("report", "--report", "small")[0] == 1
    assert not list((project / "reports").glob("small/*/*.html"))

    write(params, analysis_dates=["1998-06-30"], cleaning={"duplicates": "drop"})
    status, out, err = driver("report", "--report", "small")
    assert status == 0, out + err
    ledger = pd.read_parquet(project / "reports/small/1998-06-30/data/cleaning_ledger.parquet").set_index("rule")
    assert ledger.rows_removed["duplicate"] == 100
