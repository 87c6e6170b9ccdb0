"""Write docs/schema/: for each kind of parameters file a JSON schema for editors, and a template with every key."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from crm_utils.config import SECTIONS, Campaigns, Evidence, Report, SegmentMap  # noqa: E402
from crm_utils.config.recipes import Recipe  # noqa: E402
from crm_utils.pipeline.notebooks import Notebook  # noqa: E402

FOLDER = ROOT / "docs" / "schema"
MODELS = {  # by the name of the schema: the model, and which files it describes
    "report": (Report, "params/<report>.yaml"),
    "campaigns": (Campaigns, "params/campaigns.yaml, and of a file that campaigns_file names"),
    "evidence": (Evidence, "params/evidence.yaml, and of a file that evidence_file names"),
    "segment_map": (SegmentMap, "params/segments/<map>.yaml"),
    "recipe": (Recipe, "params/recipes/<system>.yaml"),
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"
HEAD = """# Every key of {files}, with its default and its meaning. All lines are comments: copy what you need.
# `make schemas` writes this file from the models in crm_utils/config.
"""
ANY_NAME = "any_name"


def schema_of(name: str) -> dict[str, Any]:
    """The JSON schema of a kind of parameters file. The comments of notebooks describe their parameters."""
    model, _ = MODELS[name]
    schema = {"$schema": DIALECT} | model.model_json_schema()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = Notebook(path)
        section = SECTIONS.get(notebook.section)
        properties = schema.get("$defs", {}).get(section.__name__, {}).get("properties", {}) if section else {}
        for key, declaration in notebook.declared.items():
            if key in properties:
                properties[key].setdefault("description", declaration.meaning)
    return _without_titles(schema)


def template_of(name: str) -> str:
    """A file of this kind with every key as a comment: its default, and its meaning."""
    schema = schema_of(name)
    return HEAD.format(files=MODELS[name][1]) + "".join(f"# {line}\n" for line in _lines(schema, schema, ""))


def write_all() -> None:
    """Write all schemas and templates."""
    FOLDER.mkdir(exist_ok=True)
    for name in MODELS:
        (FOLDER / f"{name}.json").write_text(json.dumps(schema_of(name), indent=1) + "\n", encoding="utf-8")
        (FOLDER / f"{name}.yaml").write_text(template_of(name), encoding="utf-8")


def _without_titles(node: Any) -> Any:
    """A schema without the titles that pydantic makes from the names of keys; a key called title stays."""
    if isinstance(node, list):
        return [_without_titles(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_titles(part) for key, part in node.items() if key != "title" or isinstance(part, dict)}


def _lines(node: dict[str, Any], schema: dict[str, Any], indent: str) -> Iterator[str]:
    """The lines of a template for the keys of an object."""
    for key, value in node["properties"].items():
        required = "required" if key in node.get("required", []) else ""
        meaning = "; ".join(text for text in (required, value.get("description", ""), _values(value, schema)) if text)
        comment = f"  # {meaning}" if meaning else ""
        objects, form = _objects(value, schema)
        if not objects:
            default = "" if required else f" {json.dumps(value.get('default'), ensure_ascii=False)}"
            yield f"{indent}{key}:{default}{comment}"
            continue
        yield f"{indent}{key}:{comment}"
        for number, found in enumerate(objects):
            inner = list(_lines(found, schema, f"{indent}  " if form == "object" else f"{indent}    "))
            if form == "list":
                inner[0] = f"{indent}  - {inner[0].strip()}"
            elif form == "names":
                inner.insert(0, f"{indent}  {ANY_NAME}:")
            yield from [f"{indent}  # or:"] * bool(number) + inner


def _objects(value: dict[str, Any], schema: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The objects with keys of their own that a value may be, contain as a list, or contain by names."""
    forms = _alternatives(value, schema)
    for form, inner in (
        ("object", forms),
        ("list", [part.get("items") for part in forms]),
        ("names", [part.get("additionalProperties") for part in forms]),
    ):
        parts = [part for one in inner if isinstance(one, dict) for part in _alternatives(one, schema)]
        found = [part for part in parts if "properties" in part]
        if found:
            return found, form
    return [], ""


def _alternatives(value: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The forms that a value may have, without references."""
    if "$ref" in value:
        return _alternatives(schema["$defs"][value["$ref"].rsplit("/", 1)[1]], schema)
    parts = value.get("anyOf") or value.get("oneOf")
    return [form for part in parts for form in _alternatives(part, schema)] if parts else [value]


def _values(value: dict[str, Any], schema: dict[str, Any]) -> str:
    """The values that a key may have, if they are few."""
    words = [word for part in _alternatives(value, schema) for word in part.get("enum", [part.get("const")]) if word]
    texts = list(dict.fromkeys(word if str(word).replace(" ", "").isalnum() else json.dumps(word) for word in words))
    return f"one of: {', '.join(texts)}" if texts else ""


if __name__ == "__main__":
    write_all()
