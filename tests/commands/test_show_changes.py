"""What an analyst changed against the version that a project got."""

import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from crm_utils.__main__ import main
from crm_utils.commands.show_changes import find_changes, notebook_difference
from crm_utils.core.errors import ParamsError

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *IDENTITY, *arguments], check=True, capture_output=True)


def notebook(*sources: str) -> nbformat.NotebookNode:
    cells = [new_code_cell(source, id=f"c{number}") for number, source in enumerate(sources)]
    return new_notebook(cells=[new_markdown_cell("## Who buys?", id="head"), *cells])


@pytest.fixture
def shop(tmp_path) -> Path:
    """A project as it came, in git."""
    for path, text in {
        "crm_utils/__init__.py": "",
        "params/campaigns.yaml": "campaigns:\n  - name: Mail\n",
        "params/demo.yaml": "title: Demo\n",
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook("customers", "orders"), tmp_path / "notebooks" / "02_rfm.ipynb")
    git(tmp_path, "init")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-m", "Version 1")
    return tmp_path


def test_each_change_is_shown_with_its_section_and_own_files_are_listed(shop):
    nbformat.write(notebook("customers.head()", "orders", "baskets"), shop / "notebooks" / "02_rfm.ipynb")
    nbformat.write(notebook("mine"), shop / "notebooks" / "06_mine.ipynb")
    (shop / "params" / "campaigns.yaml").write_text("campaigns:\n  - name: Card\n")
    (shop / "params" / "demo.yaml").unlink()
    git(shop, "add", "params", "notebooks/02_rfm.ipynb")
    git(shop, "commit", "-m", "Our changes")
    (shop / "params" / "shöp.yaml").write_text("title: Shop\n")
    changes = find_changes(shop)
    assert "(Version 1)" in changes.base
    assert list(changes.changed) == ["notebooks/02_rfm.ipynb", "params/campaigns.yaml"]
    difference = changes.changed["notebooks/02_rfm.ipynb"]
    assert "section “Who buys?” (cell c0): source modified" in difference
    assert all(line in difference for line in ("-  customers", "+  customers.head()", "+      baskets"))
    assert "+  - name: Card" in changes.changed["params/campaigns.yaml"]
    assert changes.removed == ["params/demo.yaml"]
    assert changes.own == ["notebooks/06_mine.ipynb", "params/shöp.yaml"]


def test_outputs_are_no_change_and_tags_are():
    before, after = notebook("customers"), notebook("customers")
    after.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="C-4711")]
    after.cells[1].execution_count = 7
    assert notebook_difference(before, after) == ""
    after.cells[1].metadata["tags"] = ["headline"]
    assert "headline" in notebook_difference(before, after)


def test_after_an_update_only_what_is_different_from_it_is_shown(shop):
    nbformat.write(notebook("customers", "orders", "new of version 2"), shop / "notebooks" / "02_rfm.ipynb")
    (shop / "crm_utils" / "__init__.py").write_text("# 2")
    git(shop, "commit", "-am", "Version 2")
    assert find_changes(shop).lines()[-1] == "nothing was changed"
    assert list(find_changes(shop, "HEAD~1").changed) == ["notebooks/02_rfm.ipynb"]


def test_a_project_in_a_folder_of_a_repository(shop, tmp_path):
    (shop / "inner").mkdir()
    for name in ("crm_utils", "notebooks", "params"):
        git(shop, "mv", name, f"inner/{name}")
    git(shop, "commit", "-m", "Moved")
    nbformat.write(notebook("customers.tail()", "orders"), shop / "inner" / "notebooks" / "02_rfm.ipynb")
    assert list(find_changes(shop / "inner").changed) == ["notebooks/02_rfm.ipynb"]


def test_a_notebook_with_a_conflict_is_told_by_its_cause(shop):
    path = shop / "notebooks" / "02_rfm.ipynb"
    path.write_text("<<<<<<< HEAD\n" + path.read_text())
    with pytest.raises(ParamsError, match=r"02_rfm\.ipynb: git left the marks of a merge conflict"):
        find_changes(shop)


def test_without_a_history_or_with_an_unknown_commit_the_message_says_so(shop, tmp_path_factory, monkeypatch, capsys):
    with pytest.raises(ParamsError, match=r"v9"):
        find_changes(shop, "v9")
    empty = tmp_path_factory.mktemp("empty")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(empty.parent))
    monkeypatch.chdir(empty)
    assert main(["diff"]) == 1
    assert "this folder has none" in capsys.readouterr().err
