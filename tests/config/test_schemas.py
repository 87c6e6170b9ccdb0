"""docs/schema/: what editors know of parameters files, and the templates with every key."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from crm_utils.commands.new_report.draft import SCHEMA
from crm_utils.config.report import FILE_SETTINGS, SourceFile
from crm_utils.config.yaml_models import _Loader, _models_in

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "params").rglob("*.yaml"))
NAMED = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def schemas():
    spec = importlib.util.spec_from_file_location("schemas", ROOT / "tools" / "schemas.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def problems(content: Any, schema: dict) -> list[str]:
    return [
        f"{list(error.path)}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(content)
    ]


def test_they_follow_the_models(schemas):
    for name in schemas.MODELS:
        schema, template = schemas.FOLDER / f"{name}.json", schemas.FOLDER / f"{name}.yaml"
        assert json.loads(schema.read_text()) == schemas.schema_of(name), "make schemas"
        assert template.read_text() == schemas.template_of(name), "make schemas"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_of_our_files_names_its_schema_and_meets_it(path):
    text = path.read_text()
    schema = path.parent / NAMED.match(text)[1]
    assert problems(yaml.load(text, _Loader), json.loads(schema.read_text())) == []


def test_a_new_report_names_its_schema():
    assert (ROOT / "params" / NAMED.match(SCHEMA)[1]).resolve() == ROOT / "docs" / "schema" / "report.json"


def test_the_examples_of_the_docs_meet_the_schema(schemas):
    schema = schemas.schema_of("report")
    keys = set(schema["properties"])
    for part in (schema, schema["$defs"]["Columns"]):  # an example is a part of a file
        part["required"] = []
    blocks = [
        block
        for path in sorted((ROOT / "docs").rglob("*.md"))
        for block in re.findall(r"```yaml\n(.*?)```", path.read_text(), flags=re.DOTALL)
    ]
    examples = [one for block in blocks if isinstance(one := _read(block), dict) and set(one) <= keys]
    assert len(examples) >= 20
    assert [problem for one in examples for problem in problems(one, schema)] == []


def _read(block: str) -> Any:
    try:
        return yaml.load(block, _Loader)
    except yaml.YAMLError:
        return None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Shop"},
        {"rfm": {"bins": 5}},
        {"rfm": {"n_bins": 11}},
        {"cltv": {"model": "bg"}},
        {"budget": {"seed": "a"}},
    ],
    ids=str,
)
def test_an_editor_sees_what_is_wrong(schemas, wrong):
    good = yaml.load((ROOT / "params" / "cdnow.yaml").read_text(), _Loader)
    schema = schemas.schema_of("report")
    assert problems(good | wrong, schema) != []


def model_keys(model: Any, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The keys of a model and of the models in it, each with the keys above it."""
    model = getattr(model, "__origin__", model)  # an annotated type stands for itself
    names = ["file", "columns", *FILE_SETTINGS] if model is SourceFile else list(model.model_fields)
    found = {(*above, name) for name in names}
    for name in names:
        for inner in _models_in(model.model_fields[name].annotation):
            found |= model_keys(inner, (*above, name))
    return found


def written_keys(content: Any, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    if isinstance(content, list):
        return {key for one in content for key in written_keys(one, above)}
    if not isinstance(content, dict):
        return set()
    found = {(*above, name) for name in content if name != "any_name"}
    for name, one in content.items():
        found |= written_keys(one, above if name == "any_name" else (*above, name))
    return found


@pytest.mark.parametrize("name", ["report", "campaigns", "evidence", "segment_map", "recipe"])
def test_a_template_has_every_key(schemas, name):
    template = (schemas.FOLDER / f"{name}.yaml").read_text().splitlines()[2:]
    written = written_keys(yaml.safe_load("\n".join(line.removeprefix("# ") for line in template)))
    keys = model_keys(schemas.MODELS[name][0])
    assert len(keys) > 2
    assert keys - written == set()
