"""Use a recipe for the export of a known system in place of guesses."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm_utils.config.recipes import QUOTED, Export, choose_recipe, read_recipes
from crm_utils.config.report import AmountParts, Status, fold
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES, join_names
from crm_utils.core.suggestions import plain_name
from crm_utils.sources import RawTable, casting, validation

Spelling = dict[str, str]  # the plain form of a column name, and how the file writes it


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a file.

    Parameters
    ----------
    columns : dict
        Our names and the file's columns, to write as `columns`; `amount` may be made of parts.
    source : dict
        The settings `filter`, `status` and `guests`, as far as the recipe has them.
    cleaning : dict
        The section `cleaning`.
    currency : str or None
        The column of the currency.
    cancelled : str or None
        The column of the day of cancellation.
    told : list of str
        What was used and what it counts, in words.
    to_check : list of str
        What the owner must know.
    """

    columns: dict[str, Any]
    source: dict[str, Any] = field(default_factory=dict)
    cleaning: dict[str, Any] = field(default_factory=dict)
    currency: str | None = None
    cancelled: str | None = None
    told: list[str] = field(default_factory=list)
    to_check: list[str] = field(default_factory=list)

    @property
    def named(self) -> dict[str, str]:
        """The columns that are one column of the file; for an amount made of parts, the column that they change."""
        return self.columns | {"amount": self.columns["amount"]["lines"]}

    @property
    def status(self) -> Status | None:
        """The rule which values of a status column are sales."""
        return self.source.get("status")


def find_settings(parts: list[RawTable], root: Path, like: str | None, to_check: list[str]) -> Settings | None:
    """Find what a recipe says about a file.

    Parameters
    ----------
    parts : list of RawTable
        The files or sheets. The first one decides which export it is.
    root : Path
        The project's folder, with `params/recipes`.
    like : str or None
        The recipe's name. None: the recipe whose headings the file has.
    to_check : list of str
        Gets a line if the headings match, but a column is missing.

    Returns
    -------
    Settings or None
        None if no recipe fits, or if the recipe leaves everything to be guessed.

    Raises
    ------
    ParamsError
        If there is no recipe of that name.
    SourceError
        If columns of the recipe named `like` are missing.
    """
    recipes = read_recipes(root)
    like = like.lower() if like else None
    chosen = {like: choose_recipe(recipes, like)} if like else recipes
    spelt = {plain_name(name): name for name in parts[0].table.columns}
    candidates = [(name, export) for name, recipe in chosen.items() for export in recipe.exports]
    if not candidates:
        return None
    matching = [each for each in candidates if not _lacking([[name] for name in each[1].headings], spelt)]
    complete = [each for each in matching if not _lacking(each[1].needed, spelt)]
    if complete:
        name, export = max(complete, key=lambda each: len(each[1].headings))
        return _settings(name, chosen[name].system, export, spelt, parts, like is None)
    if like:
        raise SourceError(_refusal(like, [export for _, export in matching or candidates], spelt, parts[0]))
    if matching:
        name, export = matching[0]
        lacking = join_names([" or ".join(map(repr, names)) for names in _lacking(export.needed, spelt)])
        to_check.append(
            f"recipe {name}: the headings are those of {chosen[name].system} ({export.menu}), but {lacking} is "
            f"missing, so columns were guessed; {export.cure}"
        )
    return None


def _lacking(needed: list[list[str]], spelt: Spelling) -> list[list[str]]:
    return [names for names in needed if not any(plain_name(name) in spelt for name in names)]


def _refusal(like: str, exports: list[Export], spelt: Spelling, part: RawTable) -> str:
    """Say which columns of the nearest export are missing."""
    nearest = min(exports, key=lambda export: len(_lacking([*_headings(export), *export.needed], spelt)))
    lacking = _lacking([*_headings(nearest), *nearest.needed], spelt)
    names = join_names(list(dict.fromkeys(" or ".join(map(repr, names)) for names in lacking)))
    return (
        f"{part.label} lacks {names}, which the recipe {like} needs ({nearest.menu}); {nearest.cure}, choose another "
        f"recipe, or LIKE=generic to guess the columns. It has: {', '.join(part.table.columns)}"
    )


def _headings(export: Export) -> list[list[str]]:
    return [[name] for name in export.headings]


def _settings(name: str, system: str, export: Export, spelt: Spelling, parts: list[RawTable], found: bool) -> Settings:
    columns: dict[str, Any] = {}
    for standard, names in export.columns.items():
        there = [spelt[plain_name(own)] for own in names if plain_name(own) in spelt]
        if there:
            columns[standard] = there[0] if len(there) == 1 else _fullest(there, parts)
    columns["amount"] = _amount(export.amount, spelt)
    told = [
        f"recipe: {name}{', because its headings match' if found else ''} ({system}: {export.menu})",
        f"sales: {export.sale}",
    ]
    currency = spelt.get(plain_name(export.currency)) if export.currency else None
    notes = [f"recipe {name}: {export.note}"] if export.note else []
    cleaning = export.cleaning.model_dump(exclude_defaults=True)
    cancelled = spelt.get(plain_name(export.cancelled)) if export.cancelled else None
    return Settings(columns, _rules(export, spelt), cleaning, currency, cancelled, told, notes)


def _amount(amount: AmountParts, spelt: Spelling) -> dict[str, Any]:
    """The amount in the file's spelling, without parts that the file lacks."""
    said = amount.model_dump(exclude_defaults=True)
    for sign in ("minus", "plus"):
        if sign in said:
            said[sign] = [spelt[plain_name(name)] for name in said[sign] if plain_name(name) in spelt]
    said["lines"] = spelt[plain_name(amount.lines)]
    return {key: value for key, value in said.items() if value}


def describe_amount(amount: AmountParts) -> str:
    """Say how an amount is put together."""
    less = "".join(f" less {name!r}" for name in amount.minus)
    plus = "".join(f" plus {name!r}" for name in amount.plus)
    return f"{amount.lines!r}{less}{plus}{', once per order' if amount.once_per_order else ''}"


def _rules(export: Export, spelt: Spelling) -> dict[str, Any]:
    """The filter, of the conditions whose columns are there, the status and the guests."""
    rules: dict[str, Any] = {}
    conditions = [
        re.sub(QUOTED, lambda match: f"`{spelt[plain_name(match[1])]}`", condition)
        for condition in export.filter
        if all(plain_name(name) in spelt for name in re.findall(QUOTED, condition))
    ]
    if conditions:
        rules["filter"] = " and ".join(conditions)
    if export.status:
        rules["status"] = export.status.model_copy(update={"column": spelt[plain_name(export.status.column)]})
    if export.guests:
        rules["guests"] = export.guests
    return rules


def _fullest(names: list[str], parts: list[RawTable]) -> str:
    """The column that is filled in most rows; the first one of equals."""
    filled = dict.fromkeys(names, 0)
    for part in parts:
        counts = {name: part.table[name].cast("string").strip().nullif("").count() for name in names}
        found = validation.execute(part.table.aggregate(**counts), part).iloc[0]
        filled = {name: filled[name] + int(found[name]) for name in names}
    return max(names, key=lambda name: filled[name])


def describe_cancelled(parts: list[RawTable], settings: Settings) -> list[str]:
    """Name the orders that were cancelled, but count, because they were paid and not refunded."""
    amount, status, column = settings.columns["amount"], settings.status, settings.cancelled
    if column is None or status is None:
        return []
    orders, worth = 0, 0.0
    for part in parts:
        table = part.table
        counts = table[status.column].strip().lower().isin([fold(value) for value in status.count])
        money = casting.cast(table[amount["lines"]], "amount", part.format)
        for name in amount.get("minus", []):
            money = money - casting.cast(table[name], "amount", part.format).fill_null(0)
        rows = table.filter(table[column].strip().nullif("").notnull() & counts & (money > 0)).select(money=money)
        found = validation.execute(rows.aggregate(rows=rows.count(), money=rows.money.sum().cast("float64")), part)
        orders, worth = orders + int(found.rows[0]), worth + float(found.money.fillna(0)[0])
    if not orders:
        return []
    told = f"{MESSAGES.plural(orders, 'order')} ({MESSAGES.number(worth, 2)})"
    return [
        f"cancelled: {told} with a value in {column!r} were paid and not refunded, so they count; to leave them out, "
        f"write source.filter: '`{column}`.isna()'"
    ]
