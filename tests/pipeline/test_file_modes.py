"""Who may read the files of a date."""

from pathlib import Path

import pytest

from crm_utils.config import parse_model
from crm_utils.config.report import Report
from crm_utils.core.errors import ParamsError
from crm_utils.pipeline import file_modes

REPORT = {
    "title": "Shop",
    "currency": "EUR",
    "source": {"file": "a.csv"},
    "columns": {"customer_id": "c", "ordered_at": "d"},
    "analysis_dates": ["2024-06-30"],
}


def date_folder(parent: Path) -> Path:
    folder = parent / "2024-06-30"
    file_modes.make_private_folder(folder)
    for name in ("data/a.parquet", "lists/b/c.csv", "notebooks/05.ipynb", "do_not_contact.csv", "manifest.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    columns = {
        "05_budget": "<th scope='col'>Campaign</th>",
        "06_mine": "<th>customer_id</th>",
        "04_cltv": "",
        "customers": "",
    }
    for name, text in columns.items():
        (folder / f"{name}.html").write_text(text)
    return folder


def modes(folder: Path) -> dict[str, str]:
    paths = [folder, *folder.rglob("*")]
    return {path.relative_to(folder).as_posix(): f"{path.stat().st_mode & 0o777:o}" for path in paths}


@pytest.mark.parametrize(("mode", "folders"), [("600", "700"), ("640", "750"), ("644", "755"), ("660", "770")])
def test_files_with_customer_ids_follow_the_mode_and_pages_do_not(tmp_path, mode, folders):
    tmp_path.chmod(0o755)
    folder = date_folder(tmp_path)
    assert modes(folder)["."] == "700", "until it is finished"
    for name in ("05_budget.html", "manifest.json"):
        (folder / name).chmod(0o644)
    file_modes.set_modes(folder, mode)
    found = modes(folder)
    ids = (
        "data/a.parquet",
        "lists/b/c.csv",
        "notebooks/05.ipynb",
        "do_not_contact.csv",
        "06_mine.html",
        "04_cltv.html",
    )
    assert {found[name] for name in ids} == {mode}
    assert {found[name] for name in ("data", "lists", "lists/b", "notebooks")} == {folders}
    assert (found["."], found["05_budget.html"], found["manifest.json"]) == ("755", "644", "644")
    file_modes.set_modes(folder, mode, ["manifest.json"])
    assert modes(folder)["manifest.json"] == mode


def test_the_cache_can_be_opened_by_whoever_may_read_a_report(tmp_path):
    for modes, expected in ((["600"], "700"), (["600", "660"], "770"), (["644"], "755")):
        file_modes.make_cache(tmp_path / ".cache", modes)
        assert modes_of(tmp_path / ".cache") == expected


def modes_of(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:o}"


def test_pages_that_name_customers(tmp_path):
    assert file_modes.private_pages(date_folder(tmp_path)) == ["04_cltv.html", "06_mine.html", "customers.html"]


@pytest.mark.parametrize("mode", [600, "640", 644, "660"])
def test_modes_that_a_report_may_set(mode):
    assert parse_model(REPORT | {"publish_mode": mode}, Report, "x").publish_mode == str(mode)


@pytest.mark.parametrize("mode", [777, "0600", 0o600, "rw", 200])
def test_other_modes_are_refused(mode):
    with pytest.raises(ParamsError, match="publish_mode: .* is not a mode for files; write 600"):
        parse_model(REPORT | {"publish_mode": mode}, Report, "x")
