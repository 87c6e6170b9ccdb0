"""Recipes: how the exports of well-known shop systems are read (`params/recipes/<system>.yaml`)."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from crm_utils.config.report import AmountParts, Cleaning, Columns, Guests, Status
from crm_utils.config.yaml_models import Model, read_yaml
from crm_utils.core.errors import ParamsError
from crm_utils.core.suggestions import did_you_mean

FOLDER = Path("params") / "recipes"
OURS = Path(__file__).parents[2]  # a folder without recipes uses those that come with the program
QUOTED = r"`([^`]+)`"
NICE_TO_HAVE = ("product_id", "description", "country", "quantity", "unit_cost")  # no number depends on them


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str]), Field(min_length=1)]


class Export(Model):
    """One of the exports of a system, and the settings of a report on it."""

    menu: str = Field(description="where the system writes this export")
    sale: str = Field(description="what counts as a sale, in one sentence")
    headings: Annotated[list[str], Field(min_length=3)] = Field(description="the headings that only this export has")
    columns: dict[str, Names] = Field(description="our names and the export's; of several, the fullest column is used")
    amount: AmountParts = Field(description="what a row is worth")
    optional: list[str] = Field([], description="columns that some of these exports lack; nothing is lost without them")
    filter: list[str] = Field([], description="conditions that sales meet, with all names in backticks")
    status: Status | None = Field(None, description="all documented values of the status; the others are asked about")
    currency: str | None = Field(None, description="the column of the currency")
    cancelled: str | None = Field(None, description="the column of the day of cancellation; such orders may count")
    guests: Guests | None = Field(None, description="the customer ids that the system gives to unknown buyers")
    cleaning: Cleaning = Field(Cleaning(), description="settings of 01_cleaning")
    cure: str = Field("export it again with all columns", description="what to do if a column is missing")
    note: str | None = Field(None, description="what the owner must know, said once")

    @model_validator(mode="after")
    def _is_complete(self) -> "Export":
        Columns(**{name: own[0] for name, own in self.columns.items()}, amount=self.amount)
        if unknown := [name for name in self.optional if name not in self.named]:
            raise ValueError(f"optional: {unknown[0]!r} is used by no setting of this export")
        return self

    @property
    def named(self) -> list[str]:
        """All columns that the settings name."""
        own = [name for names in self.columns.values() for name in names]
        parts = [self.amount.lines, *self.amount.minus, *self.amount.plus]
        others = [self.status.column] if self.status else []
        others += [self.currency] if self.currency else []
        quoted = [name for condition in self.filter for name in re.findall(QUOTED, condition)]
        return list(dict.fromkeys([*own, *parts, *others, *quoted]))

    @property
    def needed(self) -> list[list[str]]:
        """The columns without which numbers would be wrong: of each list, one must be there."""
        chosen = {name: own for name, own in self.columns.items() if name not in NICE_TO_HAVE}
        alternatives = [name for own in self.columns.values() for name in own]
        single = [[name] for name in self.named if name not in alternatives]
        return [names for names in [*chosen.values(), *single] if not set(names) & set(self.optional)]


class Recipe(Model):
    """How the exports of a system are read."""

    system: str = Field(description="the name of the system, as its makers write it")
    exports: list[Export] = Field(description="its exports; none if columns and statuses are guessed by their names")


def read_recipes(root: Path) -> dict[str, Recipe]:
    """Read all recipes of a project.

    Parameters
    ----------
    root : Path
        The project's folder. If it has no recipes, those that come with the program are used.

    Returns
    -------
    dict of str to Recipe
        By the name of their file, in alphabetical order.

    Raises
    ------
    ParamsError
        If a recipe is not valid.
    """
    folder = root / FOLDER if (root / FOLDER).is_dir() else OURS / FOLDER
    return {path.stem: read_yaml(path, Recipe, f"{FOLDER}/{path.name}") for path in sorted(folder.glob("*.yaml"))}


def choose_recipe(recipes: dict[str, Recipe], name: str) -> Recipe:
    """Return a recipe by its name. Raises `ParamsError` with the names that there are."""
    if name.lower() in recipes:
        return recipes[name.lower()]
    hint = did_you_mean(name, recipes)
    raise ParamsError(
        f"LIKE={name}: there is no such recipe; {f'{hint} ' if hint else ''}recipes: {', '.join(recipes)}"
    )
