"""Write environment.yml from pyproject.toml, for users of conda."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def environment(pyproject: Path) -> str:
    """The text of environment.yml: the same ranges as pyproject.toml."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    packages = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    lines = [
        "# Generated from pyproject.toml by `make lock`; edit that file instead.",
        f"name: {project['project']['name']}",
        "channels: [conda-forge]",
        "dependencies:",
        f"  - python {project['project']['requires-python']}",
        "  - pip",
        "  - pip:",
        *(f"      - {package}" for package in packages),
        "      - --editable .",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (ROOT / "environment.yml").write_text(environment(ROOT / "pyproject.toml"), encoding="utf-8")
