"""Reading a YAML file as a checked model: every problem at once, with the nearest valid name."""

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

INTEGER = "tag:yaml.org,2002:int"


class Model(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _reject_bool(cls, value: Any, info: ValidationInfo) -> Any:
        """YAML reads yes, on and true as a truth value, which would pass for 1."""
        if isinstance(value, bool) and bool not in _kinds(cls.model_fields[str(info.field_name)].annotation):
            raise ValueError(f"a number or text is needed, not {'yes' if value else 'no'}")
        return value


M = TypeVar("M", bound=Model)


class _Loader(yaml.SafeLoader):
    """Plain data only, and no key twice: the second would replace the first without a word.

    Whole numbers are decimal ones: elsewhere in YAML 012346 is 5350 and 5:00 is 300.
    """

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != INTEGER]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(INTEGER, re.compile(r"[-+]?(0|[1-9][0-9_]*)$"), "-+0123456789")


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """A field's type, and those of a union."""
    return getattr(annotation, "__args__", (annotation,))


def read_yaml(path: Path, model: type[M], name: str = "") -> M:
    """The YAML file as `model`. Raises `ParamsError` naming the file (as `name`) and every key at fault."""
    name = name or str(path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise ParamsError(f"{name}: no such file") from None
    except UnicodeDecodeError as error:
        raise ParamsError(f"{name}: not written in UTF-8 (byte {error.start:,}): save it as UTF-8") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date such as 1997-13-01 is a ValueError
        raise ParamsError(f"{name}: not valid YAML: {' '.join(str(error).split())}") from None
    return parse_model(content if content is not None else {}, model, name)


def parse_model(content: Any, model: type[M], where: str) -> M:
    """`content` as `model`. Raises `ParamsError` that starts with `where` and lists every problem at once."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        found = [item for item in error.errors() if item["type"] != "default_factory_not_called"]  # told by its cause
        renamed = [text for item in found if (text := _renamed(item, model))]
        problems = [_problem(item, model) for item in found]
    if renamed:  # what else is wrong follows from it, or is told once it is put right
        raise ParamsError(
            f"{where}: names of version 0.1. Write the new ones:" + "".join(f"\n  {text}" for text in renamed)
        )
    raise ParamsError(
        f"{where}: " + (problems[0] if len(problems) == 1 else "".join(f"\n  {text}" for text in problems))
    )


def _renamed(item: Any, model: type[BaseModel]) -> str | None:
    """The old and the new name of a parameter that version 0.1 knew by another name."""
    if item["type"] != "extra_forbidden":
        return None
    *place, key = item["loc"]
    new = PARAMETERS.get(_model_at(model, place).__name__, {}).get(key)
    return f"{'.'.join(map(str, item['loc']))} is now {new}" if new else None


def _problem(item: Any, model: type[BaseModel]) -> str:
    key = ".".join(map(str, item["loc"])) or "the file"
    if item["type"] == "extra_forbidden":
        valid = list(_model_at(model, item["loc"][:-1]).model_fields)
        hint = did_you_mean(str(item["loc"][-1]), valid) or f"valid here: {', '.join(valid)}"
        return f"unknown parameter {key}; {hint}"
    if item["type"] == "string_type" and item["input"] is not None:
        return mask_secrets(f"{key}: text is needed, not {item['input']}: put it in quotes")
    message = item["msg"].removeprefix("Value error, ")
    told = "" if item["type"] in ("missing", "value_error") else f", not {item['input']!r}"
    return mask_secrets(f"{key}: {message}{told}")


def _model_at(model: Any, place: Sequence[str | int]) -> Any:
    """The model of the section that a key stands in."""
    for step in place:
        if isinstance(step, int):
            continue
        annotation = model.model_fields[step].annotation
        parts = (annotation, *getattr(annotation, "__args__", ()))
        model = next((part for part in parts if hasattr(part, "model_fields")), model)
    return model
