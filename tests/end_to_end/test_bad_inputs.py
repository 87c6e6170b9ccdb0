"""Invalid and malicious inputs from `bad_inputs.yaml`.

Each is rejected with its message and leaves the published files unchanged.
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

from tests.support.hostile_files import with_far_cell
from tests.support.in_process import prepared

CASES = yaml.safe_load(Path(__file__).with_name("bad_inputs.yaml").read_text(encoding="utf-8"))
FAR = "XFD1048576"  # the last cell of a sheet
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


def far_cell() -> bytes:
    return with_far_cell([("customer_id", "date", "number_of_cds", "dollar_value"), ("1", "1997-01-01", 1, 2)], FAR)


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


def duplicate_campaigns() -> bytes:
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


def merge_params(base: dict, change: dict) -> dict:
    """Merge a change into `base`. A value of null removes the key."""
    merged = dict(base)
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_params(base.get(key, {}), value) if isinstance(value, dict) else value
    return merged


def apply_case(case: dict, project: Path) -> None:
    """Change a valid project as the case says."""
    params, change = project / "params" / "small.yaml", case.get("params", {})
    files = dict(case.get("files", {})) | ({"small.csv": case["csv"]} if "csv" in case else {})
    if "campaign" in case:
        change = merge_params(change, {"budget": {"campaigns_file": "my.yaml"}})
        campaign = MAIL | case["campaign"]
        if not campaign["segments"]:
            del campaign["segments"]
        files["my.yaml"] = yaml.safe_dump({"campaigns": [campaign]})
    valid = yaml.safe_load(params.read_text())
    params.write_text(case.get("raw") if "raw" in case else yaml.safe_dump(merge_params(valid, change)))
    for name, text in files.items():
        (project / name).write_text(text, encoding="utf-8")
    for name, function in case.get("bytes", {}).items():
        (project / name).write_bytes(globals()[function]())


def published_files(reports: Path) -> dict[str, bytes]:
    """Return the content of every file of the published dates, without failed notebooks and logs."""
    paths = [path for path in sorted(reports.rglob("*")) if path.is_file() and path.name != ".lock"]
    names = {str(path.relative_to(reports)): path for path in paths}
    return {
        name: path.read_bytes()
        for name, path in names.items()
        if ".failed" not in name and not name.startswith("_logs")
    }


@pytest.fixture(scope="module")
def valid(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project, alone in a folder in which nothing else may be written."""
    return shutil.copytree(built, tmp_path_factory.mktemp("handed") / "in" / "project")


@pytest.fixture
def project(valid: Path):
    """The built project. Changes of a case are undone after it."""
    originals = {path: path.read_bytes() for path in (valid / "params" / "small.yaml", valid / "small.csv")}
    existing = {path for path in valid.rglob("*") if "reports" not in path.parts and ".cache" not in path.parts}
    yield valid
    for path in sorted(valid.rglob("*"), reverse=True):
        if path not in existing and "reports" not in path.parts and ".cache" not in path.parts:
            path.rmdir() if path.is_dir() else path.unlink()
    for path, content in originals.items():
        path.write_bytes(content)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_invalid_input_gives_its_message_and_changes_nothing_published(case, project, monkeypatch, capsys):
    before, siblings = published_files(project / "reports"), sorted(project.parent.iterdir())
    driver = prepared(project, monkeypatch, capsys)
    apply_case(case, project)
    status, out, err = driver(*case.get("run", ["report", "--report", "small"]))
    errors = "\n".join(line for line in err.splitlines() if line and not line.startswith("reports: "))
    assert status == 1, out + err
    assert errors.startswith("error: ")
    assert "Traceback" not in errors
    for text in case["expect"]:
        assert text in errors
    assert case.get("never", "\0") not in out + err
    assert driver.started[-1:] == ([case["notebook"]] if "notebook" in case else [])
    if "notebook" in case and not case.get("asks"):
        assert f"notebook {case['notebook']}, section “" in errors
    assert published_files(project / "reports") == before
    assert sorted(project.parent.iterdir()) == siblings
    assert not (project / "ran").exists(), "text in a parameter was executed"


def test_there_are_many_cases_with_different_names():
    assert len(CASES) >= 220
    assert len({case["name"] for case in CASES}) == len(CASES)
