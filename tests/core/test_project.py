"""Notebooks and commands find their project from anywhere."""

from pathlib import Path

import pytest

from crm_utils.core import project
from crm_utils.pipeline.kernels import kernel_environment
from crm_utils.store import Run


@pytest.fixture
def shop(tmp_path, monkeypatch) -> Path:
    """A project without runs, in which nothing is installed."""
    for name in ("notebooks/more", "params", "reports"):
        (tmp_path / "shop" / name).mkdir(parents=True)
    monkeypatch.setattr(project, "INSTALLED_IN", tmp_path)
    monkeypatch.delenv(project.VARIABLE, raising=False)
    return tmp_path / "shop"


def with_draft(folder: Path, root: str = "../..") -> Path:
    (folder / "_draft").mkdir(parents=True)
    (folder / "_draft" / "settings.json").write_text(
        '{"title": "Shop", "currency": "USD", "source": {"file": "shop.csv"}, '
        '"columns": {"customer_id": "c", "ordered_at": "d", "amount": "a"}, "history_complete": true, '
        f'"report": "shop", "analysis_date": "2024-12-31", "root": "{root}"}}'
    )
    return folder / "_draft"


@pytest.mark.parametrize("folder", ["", "notebooks", "notebooks/more", "reports"])
def test_the_draft_is_found_from_every_folder_of_the_project(shop, monkeypatch, folder):
    draft = with_draft(shop / "reports")
    monkeypatch.chdir(shop / folder)
    for run in (Run(), Run("../reports/_draft")):
        assert run.settings.report == "shop"
        assert run.run_dir.resolve() == draft
        assert run.root.resolve() == shop


def test_the_draft_is_found_from_elsewhere_if_the_package_is_installed_from_its_project(shop, monkeypatch, tmp_path):
    with_draft(shop / "reports")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(project, "INSTALLED_IN", shop)
    assert Run().root == shop


def test_reports_may_be_a_link_to_another_disk(shop, monkeypatch, tmp_path):
    (shop / "reports").rmdir()
    with_draft(tmp_path / "share" / "disk")
    (shop / "reports").symlink_to(tmp_path / "share" / "disk")
    monkeypatch.chdir(shop / "notebooks")
    assert Run("../reports/_draft").root == shop
    monkeypatch.chdir(tmp_path / "share" / "disk")
    monkeypatch.setenv("PWD", str(shop / "reports"))
    assert project.find_project(project.working_folder()) == shop


def test_a_kernel_is_told_its_project_because_its_run_may_be_on_another_disk(shop, monkeypatch, tmp_path):
    run = with_draft(tmp_path / "share", "../../..")
    monkeypatch.setenv(project.VARIABLE, kernel_environment(shop)[project.VARIABLE])
    monkeypatch.chdir(run)
    assert Run(".").root == shop


def test_a_missing_draft_a_missing_project_and_a_missing_run_are_told_apart(shop, monkeypatch, tmp_path):
    monkeypatch.chdir(shop / "notebooks")
    with pytest.raises(FileNotFoundError, match="no draft yet: run `make draft` in .*shop"):
        _ = Run().settings
    with pytest.raises(FileNotFoundError, match="does not contain a run: run `make report`"):
        _ = Run("../reports/shop/2024-12-31").settings
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder at or above .* is a project"):
        _ = Run().settings


def test_a_stale_pwd_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", "/nowhere")
    assert project.working_folder() == Path.cwd()
