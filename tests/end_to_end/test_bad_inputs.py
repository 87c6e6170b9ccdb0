"""What people hand in by mistake, or worse: `bad_inputs.yaml`.

Each is refused with its message and changes nothing published.
"""

import gzip
import io
import json
import shutil
import sqlite3
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml

from tests.support.in_process import prepared

CASES = yaml.safe_load(Path(__file__).with_name("bad_inputs.yaml").read_text(encoding="utf-8"))
MAIL = {
    "name": "Mail",
    "group": "other customers",
    "action": "a letter",
    "segments": ["Champions"],
    "contact_cost": 0.1,
    "lift": 0.05,
    "window_days": 30,
}


def latin() -> bytes:
    return "customer_id,date,number_of_cds,dollar_value\nMüller,1997-01-01,1,2\n".encode("windows-1252")


def latin_yaml() -> bytes:
    return "title: Kaffeehaus Müller".encode("windows-1252")


def utf16() -> bytes:
    return "customer_id,date,number_of_cds,dollar_value\n1,1997-01-01,1,2\n".encode("utf-16")


def deep_yaml() -> bytes:
    return b"title: " + b"[" * 5000


def cut_parquet() -> bytes:
    return _cut(pd.DataFrame({"customer_id": range(1000)}).to_parquet())


def cut_gzip() -> bytes:
    return _cut(gzip.compress(b"customer_id,date,number_of_cds,dollar_value\n" + b"1,1997-01-01,1,2\n" * 5000))


def two_sheets() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.title = "one"
    book["one"].append(["customer_id", "date"])
    book["one"].append(["1", "1997-01-01"])
    book.create_sheet("two").append(["customer_id", "date"])
    book.save(out)
    return out.getvalue()


def cut_workbook() -> bytes:
    return _cut(two_sheets())


def database() -> bytes:
    engine = sqlite3.connect(":memory:")
    engine.execute("create table lines (customer_id text, date text, number_of_cds integer, dollar_value text)")
    engine.execute("insert into lines values ('1', '1997-01-01', 1, '2')")
    engine.commit()
    return engine.serialize()


def database_with_a_broken_view() -> bytes:
    engine = sqlite3.connect(":memory:")
    engine.deserialize(database())
    engine.execute('create view "view" as select * from gone')
    return engine.serialize()


def twins() -> bytes:
    return yaml.safe_dump({"campaigns": [MAIL, MAIL]}).encode()


def computed_default() -> bytes:
    return _notebook("limit: int = 2 + len('x')  # customers")


def broken_parameters() -> bytes:
    return _notebook("limit: int = = 2")


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _notebook(parameters: str) -> bytes:
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": parameters, "outputs": []}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def laid_over(base: dict, change: dict) -> dict:
    """`base` with the change in it; what is null there is removed."""
    merged = dict(base)
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = laid_over(base.get(key, {}), value) if isinstance(value, dict) else value
    return merged


def hand_in(case: dict, project: Path) -> None:
    """Change a good project as the case says."""
    params, change = project / "params" / "small.yaml", case.get("params", {})
    files = dict(case.get("files", {})) | ({"small.csv": case["csv"]} if "csv" in case else {})
    if "campaign" in case:
        change = laid_over(change, {"budget": {"campaigns_file": "my.yaml"}})
        campaign = MAIL | case["campaign"]
        if not campaign["segments"]:
            del campaign["segments"]
        files["my.yaml"] = yaml.safe_dump({"campaigns": [campaign]})
    good = yaml.safe_load(params.read_text())
    params.write_text(case.get("raw") if "raw" in case else yaml.safe_dump(laid_over(good, change)))
    for name, text in files.items():
        (project / name).write_text(text, encoding="utf-8")
    for name, maker in case.get("bytes", {}).items():
        (project / name).write_bytes(globals()[maker]())


def published(reports: Path) -> dict[str, bytes]:
    """Every file of the published dates; what a failed notebook leaves lies beside them."""
    paths = [path for path in sorted(reports.rglob("*")) if path.is_file() and path.name != ".lock"]
    names = {str(path.relative_to(reports)): path for path in paths}
    return {
        name: path.read_bytes()
        for name, path in names.items()
        if ".failed" not in name and not name.startswith("_logs")
    }


@pytest.fixture(scope="module")
def good(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project in a folder of its own, which nothing may be written beside."""
    return shutil.copytree(built, tmp_path_factory.mktemp("handed") / "in" / "project")


@pytest.fixture
def project(good: Path):
    """The built project; what a case changes is put back."""
    kept = {path: path.read_bytes() for path in (good / "params" / "small.yaml", good / "small.csv")}
    there = {path for path in good.rglob("*") if "reports" not in path.parts and ".cache" not in path.parts}
    yield good
    for path in sorted(good.rglob("*"), reverse=True):
        if path not in there and "reports" not in path.parts and ".cache" not in path.parts:
            path.rmdir() if path.is_dir() else path.unlink()
    for path, content in kept.items():
        path.write_bytes(content)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_bad_input_gives_its_message_and_changes_nothing_published(case, project, monkeypatch, capsys):
    before, beside = published(project / "reports"), sorted(project.parent.iterdir())
    driver = prepared(project, monkeypatch, capsys)
    hand_in(case, project)
    status, out, err = driver(*case.get("run", ["report", "--report", "small"]))
    errors = "\n".join(line for line in err.splitlines() if line and not line.startswith("reports: "))
    assert status == 1, out + err
    assert errors.startswith("error: ")
    assert "Traceback" not in errors
    for text in case["expect"]:
        assert text in errors
    assert case.get("never", "\0") not in out + err
    assert driver.started[-1:] == ([case["notebook"]] if "notebook" in case else [])
    if "notebook" in case:
        assert f"notebook {case['notebook']}, section “" in errors
    assert published(project / "reports") == before
    assert sorted(project.parent.iterdir()) == beside
    assert not (project / "ran").exists(), "text in a parameter was run"


def test_there_are_enough_cases_and_no_two_of_a_name():
    assert len(CASES) >= 80
    assert len({case["name"] for case in CASES}) == len(CASES)
