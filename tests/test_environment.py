"""One source of dependencies: pyproject.toml; the lock and environment.yml follow it and name no index."""

import importlib.util
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

import crm_utils

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RANGES = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]


def locked() -> dict[str, list[str]]:
    pins: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.+!]+)", (ROOT / "requirements.lock").read_text(), flags=re.M):
        pins.setdefault(name, []).append(version)
    return pins


def test_the_lock_meets_every_range():
    pins = locked()
    for requirement in map(Requirement, RANGES):
        versions = pins[requirement.name.lower()]
        assert all(requirement.specifier.contains(version) for version in versions), (
            f"{requirement} is locked to {versions}: make lock"
        )


def test_the_lock_has_hashes_and_no_address():
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert "--index" not in text
    entries = text.split("\n\n") if "\n\n" in text else re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)


def test_environment_yml_is_generated_from_pyproject():
    spec = importlib.util.spec_from_file_location("environment", ROOT / "tools" / "environment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "environment.yml").read_text() == module.environment(ROOT / "pyproject.toml"), "make lock"


def test_every_package_of_ours_is_in_the_distribution():
    assert PROJECT["tool"]["setuptools"]["packages"]["find"]["include"] == ["crm_utils*"]
    folders = {path.parent for path in (ROOT / "crm_utils").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_the_version_is_stated_once():
    assert "version" in PROJECT["project"]["dynamic"]
    assert f'version: "{crm_utils.__version__}"' in (ROOT / "CITATION.cff").read_text()
    latest = re.search(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert latest.group(1) == crm_utils.__version__
