"""An update, as docs/updating.md describes it: git merges a new version into a project that an analyst changed."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crm_utils.core.errors import ParamsError
from crm_utils.pipeline.notebooks import Notebook
from tests.support.projects import ROOT

GUIDE = (ROOT / "docs" / "updating.md").read_text()
RFM, CAMPAIGNS = "notebooks/02_rfm.ipynb", "params/campaigns.yaml"
OWN = {
    "notebooks/06_mine.ipynb": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n',
    "notebooks/targets.csv": "segment,target\n",
    "params/shop.yaml": "title: Shop\n",
    "params/our_campaigns.yaml": "campaigns: []\n",
    "params/segments/ours.yaml": "title: ours\n",
    "params/recipes/ours.yaml": "system: Ours\n",
}


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=version")
    return subprocess.run(["git", "-C", str(folder), *identity, *arguments], capture_output=True, text=True)


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    done = git(folder, "commit", "-m", message)
    assert done.returncode == 0, done.stdout + done.stderr


def edit_cells(path: Path, changed: dict[str, str], added_before: dict[str, str]) -> None:
    """Append text to cells and add cells before others, by the ids of the cells."""
    book, cells = json.loads(path.read_text()), []
    for cell in book["cells"]:
        if text := added_before.get(cell["id"]):
            new = {
                "cell_type": "code",
                "execution_count": None,
                "id": f"own-{len(text)}",
                "metadata": {},
                "outputs": [],
            }
            cells.append(new | {"source": [text]})
        if text := changed.get(cell["id"]):
            cell["source"] = ["".join(cell["source"]) + text]
        cells.append(cell)
    path.write_text(json.dumps(book | {"cells": cells}, indent=1, ensure_ascii=False) + "\n")


@pytest.fixture
def shop(tmp_path) -> Path:
    """A project of version 1 with what an analyst added and changed, in git. The branch `version` has no changes."""
    folder = tmp_path / "shop"
    for name in ("notebooks", "params"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / ".gitattributes", folder)
    git(folder.parent, "init", str(folder))
    command = shlex.split(re.search(r"^ *(git config merge\.jupyternotebook\.driver .*)$", GUIDE, flags=re.M)[1])
    git(folder, *[part.replace(".venv/bin", str(Path(sys.executable).parent)) for part in command[1:]])
    commit(folder, "Version 1")
    git(folder, "checkout", "-b", "mine")
    for path, text in OWN.items():
        (folder / path).write_text(text)
    edit_cells(folder / RFM, {"rfm-09": "  # ours"}, {"rfm-28": "print('our section')"})
    commit(folder, "Our changes")
    git(folder, "checkout", "version")
    return folder


def test_an_update_merges_into_changed_notebooks_and_leaves_own_files_as_they_are(shop):
    edit_cells(shop / RFM, {"rfm-19": "  # new"}, {"rfm-24": "print('new section')"})
    edit_cells(shop / "notebooks" / "04_cltv.ipynb", {"cltv-22": "  # new"}, {})
    for path in (CAMPAIGNS, "params/segments/dma11.yaml", "params/recipes/shopify.yaml", "params/cdnow.yaml"):
        (shop / path).write_text((shop / path).read_text() + "# new\n")
    commit(shop, "Version 2")
    git(shop, "checkout", "mine")
    done = git(shop, "merge", "version", "-m", "Update")
    assert done.returncode == 0, done.stdout + done.stderr
    code = "\n".join(Notebook(shop / RFM).code)
    assert all(code.count(text) == 1 for text in ("# ours", "# new", "our section", "new section"))
    assert {path: (shop / path).read_text() for path in OWN} == OWN
    assert (shop / CAMPAIGNS).read_text().endswith("# new\n")


def test_a_conflict_leaves_a_notebook_that_jupyter_opens_and_that_is_refused_by_its_cause(shop):
    edit_cells(shop / RFM, {}, {"rfm-28": "print('a section of version 2')"})
    commit(shop, "Version 2")
    git(shop, "checkout", "mine")
    done = git(shop, "merge", "version", "-m", "Update")
    assert (done.returncode, "CONFLICT" in done.stdout) == (1, True)
    texts = ["".join(cell["source"]) for cell in json.loads((shop / RFM).read_text())["cells"]]
    assert {"print('our section')", "print('a section of version 2')"} <= set(texts)
    with pytest.raises(
        ParamsError, match=r"02_rfm\.ipynb: git left the marks of a merge conflict .* docs/updating\.md"
    ):
        _ = Notebook(shop / RFM).cells
    assert git(shop, "checkout", "--ours", RFM).returncode == 0
    assert "our section" in "\n".join(Notebook(shop / RFM).code)


def test_what_the_guide_calls_ours_is_what_comes_with_the_version():
    ours = {"01", "02", "03", "04", "05"}
    assert {path.name[:2] for path in (ROOT / "notebooks").glob("*.ipynb")} == ours
    reports = {path.name for path in (ROOT / "params").glob("*.yaml")}
    named = set(re.findall(r"[\w*]+\.yaml", GUIDE))
    assert all(name in named or name.startswith("online_retail_") for name in reports)
    assert {path.name for path in (ROOT / "params" / "segments").iterdir()} <= named
