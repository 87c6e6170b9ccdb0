"""A log of customers and dates: `make new` and `make report` need no edit, and pages speak of orders."""

import json
import re
import shutil

from bs4 import BeautifulSoup

from crm_utils.site.orders_wording import NOTICE
from tests.support.cases import CASES
from tests.support.in_process import prepared
from tests.support.projects import new_project


def text_of(page: str) -> str:
    body = BeautifulSoup(page, "html.parser")
    for tag in body(["style", "script", "code", "pre"]):
        tag.decompose()
    return " ".join(body.get_text(" ").split())


def test_a_log_of_visits_is_reported_in_orders(tmp_path, monkeypatch, capsys):
    project = new_project(tmp_path / "project")
    (project / "params" / "small.yaml").unlink()
    shutil.copy(CASES / "visits" / "visits.csv", project)
    driver = prepared(project, monkeypatch, capsys)
    status, out, err = driver("new", "--report", "visits", "--file", "visits.csv")
    assert status == 0, out + err
    assert "the report counts orders in place of money" in out
    status, out, err = driver("report", "--report", "visits", "--date", "last")
    assert status == 0, out + err
    (folder,) = (project / "reports" / "visits").glob("2024-*")
    figures = json.loads((folder / "manifest.json").read_text())["summary"]
    assert (figures["orders"], figures["revenue"], figures["customers"]) == (1310, 1310, 240)
    assert "spend" not in figures
    assert not (folder / "05_budget.html").exists()
    pages = {path.stem: text_of(path.read_text()) for path in folder.glob("*.html")}
    assert set(pages) == {"index", "customers", "01_cleaning", "02_rfm", "03_segmentation", "04_cltv"}
    for name, text in pages.items():
        assert NOTICE in text, name
        told = text.replace(NOTICE, "")
        assert not re.findall(r"[$€£]|\bXXX\b|\b[Rr]evenue\b|\bspent\b|\bbudget should\b", told), name
    assert "Orders of 90 days" in pages["index"]
    assert "no budget" in pages["index"]
