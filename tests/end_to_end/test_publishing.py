"""Publishing under fire, and the same bytes everywhere: what a report must survive and what it must not depend on."""

import json
import os
import resource
import shutil
import subprocess
import sys

import nbformat
import pytest
import yaml

from tests.support.projects import DAY, ROOT, contents, edit, new_project

A_YEAR_LATER = """
import datetime, time_machine
time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=400), tick=True).start()
"""  # for every Python process that finds it as sitecustomize.py


def test_publishing_survives_kills_full_disks_and_company(tmp_path):
    """`crashes.py`: some 20 kills at steps spread over a run, every rename among them; 12 full and 12 read-only disks.

    Two runs at once.
    """
    project = new_project(tmp_path / "project")
    params = project / "params" / "small.yaml"
    params.write_text(params.read_text().replace('["1997-12-31"]', '["1997-09-30", "1997-12-31"]'))
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "support" / "crashes.py", project],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split("killed at ")[1].split()[0]) >= 12


@pytest.mark.parametrize(
    ("bytes_allowed", "where"), [(4096, ".cache/ipython"), (150_000, "reports/small")], ids=["no kernel", "no report"]
)
def test_files_that_may_not_grow_are_one_message(rebuilt, bytes_allowed, where):
    """A limit on the size of files is the nearest to a full disk that needs no rights."""
    edit(rebuilt / "params" / "small.yaml", "Small shop", "Smaller shop")
    before = contents(rebuilt / DAY)
    done = subprocess.run(
        [sys.executable, "-m", "crm_utils", "report"],
        cwd=rebuilt,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_allowed, bytes_allowed)),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"cannot read or write {where}" in done.stderr
    assert "File too large" in done.stderr
    assert contents(rebuilt / DAY) == before


def test_the_manifest_suffices_to_build_the_same_bytes_elsewhere(built, tmp_path):
    """Another folder, a year later, far away, in a locale without any letters, on one processor; from what the manifest
    records, the notebooks beside it and the source whose hash it names."""
    published, other = built / DAY, tmp_path / "far" / "away"
    manifest = json.loads((published / "manifest.json").read_text())
    for folder in ("params/segments", "notebooks"):
        (other / folder).mkdir(parents=True)
    (other / "params" / "small.yaml").write_text(yaml.safe_dump(manifest["params"]))
    for name, text in manifest["rules"].items():
        (other / name).write_text(text, encoding="utf-8")
    for path in (published / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
        nbformat.write(notebook, other / "notebooks" / path.name)
    shutil.copy(ROOT / "requirements.lock", other)
    assert set(manifest["files"]) == {"small.csv"}
    shutil.copy(built / "small.csv", other)
    (tmp_path / "sitecustomize.py").write_text(A_YEAR_LATER)
    strange = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        ["taskset", "-c", "0", sys.executable, "-m", "crm_utils", "report"],
        cwd=other,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"} | strange,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    again = json.loads((other / DAY / "manifest.json").read_text())
    assert [book["key"] for book in again["notebooks"]] == [book["key"] for book in manifest["notebooks"]]
    assert {name: again[name] for name in ("files", "code", "lock", "summary")} == {
        name: manifest[name] for name in ("files", "code", "lock", "summary")
    }
    one, two = contents(built / "reports"), contents(other / "reports")
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
