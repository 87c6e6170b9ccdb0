"""Edit a parameters file that `make new` has written: one line for each key at the top."""

import re
from collections.abc import Mapping
from typing import Any

import yaml


def set_parameters(text: str, parameters: Mapping[str, object]) -> str:
    """Set parameters in the text of a file.

    Parameters
    ----------
    text : str
        The file: each key at the top is one line.
    parameters : mapping of str to object
        What to set, with dots between the levels: {"cleaning.duplicates": "drop"}. Lists are extended.

    Returns
    -------
    str
        The text, in which only the lines of these keys differ.
    """
    for name, value in parameters.items():
        section, *keys = name.split(".")
        line = _line_of(text, section)
        content = yaml.safe_load(line) if line else {}
        merged = _merge(content.get(section), keys, value)
        text = _replace(text, line, f"{section}: {write_flow(merged)}")
    return text


def add_comment(text: str, section: str, comment: str) -> str:
    """Put comment lines above the line of a key, or at the end if there is none."""
    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    line = _line_of(text, section)
    return text.replace(line, lines + line, 1) if line else text.rstrip("\n") + "\n" + lines


def write_flow(value: Any) -> str:
    """A value in one line of YAML."""
    flow = yaml.safe_dump([value], sort_keys=False, allow_unicode=True, default_flow_style=True, width=10_000)
    return flow.strip()[1:-1]


def _line_of(text: str, section: str) -> str | None:
    found = re.search(rf"^{section}:.*$", text, re.M)
    return found[0] if found else None


def _merge(content: Any, keys: list[str], value: object) -> Any:
    if not keys:
        return [*content, *value] if isinstance(content, list) and isinstance(value, list) else value
    content = dict(content or {})
    return content | {keys[0]: _merge(content.get(keys[0]), keys[1:], value)}


def _replace(text: str, line: str | None, new: str) -> str:
    if line is None:
        return text.rstrip("\n") + f"\n{new}\n"
    comment = re.search(r"  # .*$", line)
    return text.replace(line, new + (comment[0] if comment else ""), 1)
