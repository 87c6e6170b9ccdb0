"""Which notebooks run again: none if files and keys are as published, else the first that differs and all after it."""

import json

import nbformat
import pytest

from crm_utils.core.errors import SourceError
from crm_utils.pipeline import cache_keys, execute
from crm_utils.pipeline.jobs import plan_jobs
from crm_utils.pipeline.staleness import stale_notebooks
from tests.support.in_process import prepared
from tests.support.projects import run


def test_lists_are_kept_linked_and_missed(rebuilt):
    folder = rebuilt / "reports" / "small" / "1997-12-31"
    lists = sorted((folder / "lists").glob("*.csv"))
    before = {path.name: path.read_bytes() for path in lists}
    assert before
    page = (folder / "index.html").read_text()
    assert all(f'href="lists/{name}"' in page for name in before)
    books = {book["name"]: book for book in json.loads((folder / "manifest.json").read_text())["notebooks"]}
    of_values = {"lists/customer-values.csv", "lists/best-customers-gone.csv"}
    by_segment = {f"lists/{name}" for name in before} - of_values
    assert by_segment <= set(books["03_segmentation"]["files"]) and len(by_segment) > 5
    assert of_values <= set(books["04_cltv"]["files"])
    assert books["02_rfm"]["files"] == ["data/customers.parquet", "data/history.parquet", "data/scoring.json"]
    params = rebuilt / "params" / "small.yaml"
    params.write_text(params.read_text() + "\nbudget: {total_budget: 123}\n")
    done = run(rebuilt, "report")
    assert done.returncode == 0, done.stdout + done.stderr
    again = {book["name"]: book for book in json.loads((folder / "manifest.json").read_text())["notebooks"]}
    assert again["03_segmentation"] == books["03_segmentation"], "only 05_budget ran again"
    assert {path.name: path.read_bytes() for path in (folder / "lists").glob("*.csv")} == before
    job = plan_jobs(rebuilt)[0][0]
    fingerprinted = cache_keys.fingerprint_job(job)
    assert stale_notebooks(fingerprinted) == []
    lists[0].unlink()
    assert stale_notebooks(fingerprinted) == ["03_segmentation", "04_cltv", "05_budget"]


def test_a_file_that_changes_while_it_is_read_is_told_and_nothing_published(project, monkeypatch, capsys):
    driver = prepared(project, monkeypatch, capsys)

    def append_a_row(source, target, *_):
        with (project / "small.csv").open("a") as file:
            file.write("1,1997-06-01,1,2.50\n")
        nbformat.write(nbformat.v4.new_notebook(), target)
        return 0.0

    monkeypatch.setattr(execute, "run_notebook", append_a_row)
    status, _, err = driver("report")
    assert status == 1
    assert "error: small 1997-12-31: small.csv changed while it was read, so figures could be of two versions" in err
    assert not (project / "reports" / "small" / "1997-12-31").exists()


def test_a_file_that_is_touched_or_replaced_by_itself_did_not_change(project):
    fingerprinted = cache_keys.fingerprint_job(plan_jobs(project).jobs[0])
    assert list(fingerprinted.files) == [project / "small.csv"]
    content = (project / "small.csv").read_bytes()
    (project / "small.csv").write_bytes(content)
    fingerprinted.check_unchanged()
    (project / "small.csv").write_bytes(content[:-1] + b"0")
    with pytest.raises(SourceError, match="^small.csv changed while it was read"):
        fingerprinted.check_unchanged()
    (project / "small.csv").unlink()
    with pytest.raises(SourceError, match="^small.csv changed while it was read"):
        fingerprinted.check_unchanged()
