"""Reading a YAML file as a checked model: every problem at once, with the nearest valid name."""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from crm_utils.core.errors import ParamsError
from crm_utils.core.formatting import mask_secrets
from crm_utils.core.suggestions import did_you_mean

INTEGER = "tag:yaml.org,2002:int"


class Model(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_is_yes(cls, value: Any, info: ValidationInfo) -> Any:
        """YAML reads yes, on and true as a truth value, which would pass for 1."""
        if isinstance(value, bool) and bool not in _kinds(cls.model_fields[str(info.field_name)].annotation):
            raise ValueError(f"a number or text is needed, not {'yes' if value else 'no'}")
        return value


class _Loader(yaml.SafeLoader):
    """Plain data only, and no key twice: the second would replace the first without a word.

    Whole numbers are decimal ones: elsewhere in YAML 012346 is 5350 and 5:00 is 300.
    """

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != INTEGER]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key in (key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(INTEGER, re.compile(r"[-+]?(0|[1-9][0-9_]*)$"), "-+0123456789")


def _kinds(annotation: Any) -> tuple:
    """A field's type, and those of a union."""
    return getattr(annotation, "__args__", (annotation,))


def read_yaml(path: Path, model: type[Model], name: str = "") -> Any:
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


def parse_model(content: Any, model: type[Model], where: str) -> Any:
    """`content` as `model`. Raises `ParamsError` that starts with `where` and lists every problem at once."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        found = [item for item in error.errors() if item["type"] != "default_factory_not_called"]  # told by its cause
        problems = [_problem(item, model) for item in found]
    raise ParamsError(
        f"{where}: " + (problems[0] if len(problems) == 1 else "".join(f"\n  {text}" for text in problems))
    )


def _problem(item: Any, model: type[BaseModel]) -> str:
    key = ".".join(map(str, item["loc"])) or "the file"
    if item["type"] == "extra_forbidden":
        valid = _names_at(model, item["loc"][:-1])
        hint = did_you_mean(str(item["loc"][-1]), valid) or f"valid here: {', '.join(valid)}"
        return f"unknown parameter {key}; {hint}"
    if item["type"] == "string_type" and item["input"] is not None:
        return mask_secrets(f"{key}: text is needed, not {item['input']}: put it in quotes")
    message = item["msg"].removeprefix("Value error, ")
    told = "" if item["type"] in ("missing", "value_error") else f", not {item['input']!r}"
    return mask_secrets(f"{key}: {message}{told}")


def _names_at(model: Any, place: tuple) -> list[str]:
    for step in place:
        if isinstance(step, int):
            continue
        annotation = model.model_fields[step].annotation
        model = next(
            (part for part in (annotation, *getattr(annotation, "__args__", ())) if hasattr(part, "model_fields")),
            model,
        )
    return list(model.model_fields)
