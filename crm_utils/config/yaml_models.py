"""Read and validate YAML files. All problems are reported at once, with the most similar valid names."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from crm_utils.config.old_names import PARAMETERS
from crm_utils.core.errors import ParamsError
from crm_utils.core.formatting import mask_secrets
from crm_utils.core.suggestions import did_you_mean

TAGS = ("parts", "column", "joined", "per_order", "dates", "rule")  # of the forms that a value may have
CONFLICT_MARK = re.compile(r"^(?:<span[^>]*><b>)?<{7} ", re.MULTILINE)  # nbdime paints it
INTEGER = "tag:yaml.org,2002:int"


class Model(BaseModel):
    """A frozen model that rejects unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _reject_bool(cls, value: Any, info: ValidationInfo) -> Any:
        """Reject yes, on and true, which YAML reads as a boolean and pydantic would take for 1."""
        if isinstance(value, bool) and bool not in _types(cls.model_fields[str(info.field_name)].annotation):
            word = "yes" if value else "no"
            raise ValueError(f"expected a number or text, got the boolean `{word}`; quote it if you mean the word")
        return value


ModelT = TypeVar("ModelT", bound=Model)


class _Loader(yaml.SafeLoader):
    """A loader of plain data that rejects duplicate keys, because YAML would silently keep the last one.

    Integers are always decimal: standard YAML reads 012346 as 5350 and 5:00 as 300.
    """

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != INTEGER]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} appears twice", node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(INTEGER, re.compile(r"[-+]?(0|[1-9][0-9_]*)$"), "-+0123456789")


def _types(annotation: Any) -> tuple[Any, ...]:
    """Return the types of a union, or a field's only type."""
    return getattr(annotation, "__args__", (annotation,))


def read_yaml(path: Path, model: type[ModelT], name: str = "") -> ModelT:
    """Read a YAML file as `model`. Raises `ParamsError` with the file (as `name`) and every invalid key."""
    name = name or str(path)
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, Loader=_Loader)
    except FileNotFoundError:
        raise ParamsError(f"{name}: no such file") from None
    except UnicodeDecodeError as error:
        raise ParamsError(f"{name}: not written in UTF-8 (byte {error.start:,}); save it as UTF-8") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date such as 1997-13-01 is a ValueError
        refuse_conflict(text, name)
        raise ParamsError(f"{name}: not valid YAML: {' '.join(str(error).split())}") from None
    return parse_model(content if content is not None else {}, model, name)


def refuse_conflict(text: str, name: str) -> None:
    """Raise `ParamsError` if git left the marks of a merge conflict in the text of a file."""
    marks = [text.count("\n", 0, mark.start()) + 1 for mark in CONFLICT_MARK.finditer(text)]
    if marks:
        raise ParamsError(
            f"{name}: git left the marks of a merge conflict in it (<<<<<<< in line {marks[0]}): you and an update "
            "changed the same place. docs/updating.md says how to choose"
        )


def parse_model(content: Any, model: type[ModelT], name: str) -> ModelT:
    """Validate `content` as `model`. Raises `ParamsError` that starts with `name` and lists all problems."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # the cause of a default factory that was not called is an item of its own
        items = [item for item in error.errors() if item["type"] != "default_factory_not_called"]
        renamed = [text for item in items if (text := _renamed(item, model))]
        problems = [_problem(item, model) for item in items]
    if renamed:  # other problems may follow from the old names, or are reported once these are corrected
        raise ParamsError(
            f"{name}: these names are of version 0.1. Use the new names:" + "".join(f"\n  {text}" for text in renamed)
        )
    raise ParamsError(
        f"{name}: " + (problems[0] if len(problems) == 1 else "".join(f"\n  {text}" for text in problems))
    )


def _renamed(item: Any, model: type[BaseModel]) -> str | None:
    """Return the old and new name of a parameter that had another name in version 0.1."""
    if item["type"] != "extra_forbidden":
        return None
    *location, key = item["loc"]
    new = PARAMETERS.get(_model_at(model, location).__name__, {}).get(key)
    return f"{'.'.join(map(str, item['loc']))} is now {new}" if new else None


def _problem(item: Any, model: type[BaseModel]) -> str:
    key = ".".join(map(str, _without_tags(item["loc"], model))) or "the file"
    if item["type"] == "extra_forbidden":
        valid = list(_model_at(model, item["loc"][:-1]).model_fields)
        hint = did_you_mean(str(item["loc"][-1]), valid) or f"valid here: {', '.join(valid)}"
        return f"unknown parameter {key}; {hint}"
    if item["type"] == "string_type" and item["input"] is not None:
        return mask_secrets(f"{key}: expected text, got {item['input']}; put it in quotes")
    message = item["msg"].removeprefix("Value error, ")
    suffix = "" if item["type"] in ("missing", "value_error") else f", not {item['input']!r}"
    return mask_secrets(f"{key}: {message}{suffix}")


def _without_tags(location: Sequence[str | int], model: type[BaseModel]) -> list[str | int]:
    """Return a location without the tags of union members, such as `parts`, that pydantic adds."""
    kept: list[str | int] = []
    location = (
        location[:-1] if location and location[-1] == "[key]" else location
    )  # of a dictionary, whose key is wrong
    for number, key in enumerate(location):
        last_key = number == len(location) - 1
        if isinstance(key, int) or key in _model_at(model, kept).model_fields or (last_key and key not in TAGS):
            kept.append(key)
    return kept


def _model_at(model: Any, location: Sequence[str | int]) -> Any:
    """Return the model of the section that contains a key."""
    for key in location:
        if isinstance(key, int) or key not in model.model_fields:
            continue
        model = next(iter(_models_in(model.model_fields[key].annotation)), model)
    return model


def _models_in(annotation: Any) -> list[Any]:
    """The models of a type, and of the members of a union."""
    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]
