"""Write the first parameters file for new data, and report what was guessed."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd
import yaml

from crm_utils import sources
from crm_utils.commands.new_report import (
    currencies,
    dates,
    ids,
    inference,
    price_basis,
    recipes,
    refunds,
    several_files,
    time_zones,
    warnings,
)
from crm_utils.commands.new_report.statuses import count_texts, find_filter, find_status, status_by_rule
from crm_utils.config import Columns, Source, SourceFile
from crm_utils.config.paths import is_pattern, source_paths
from crm_utils.config.report import AmountParts, Status
from crm_utils.config.report_names import check_report_name
from crm_utils.core.errors import ParamsError, SourceError, SourceMissing
from crm_utils.core.formatting import MESSAGES, join_names
from crm_utils.sources import date_formats, spreadsheets, table_kinds, text_files, validation
from crm_utils.sources.raw_table import TextFormat

ROWS, TEXTS = 5_000, 5_000
SHOWN = 8  # columns that a message names
UNKNOWN = "???"
# By this line an editor completes and checks the keys of a parameters file
SCHEMA = "# yaml-language-server: $schema=../docs/schema/report.json"
REQUIRED = ("customer_id", "ordered_at")
NO_AMOUNTS = (
    "amounts: no column holds any, so the report counts orders in place of money. If you know the average value of an "
    "order, write columns.amount: {per_order: 35}"
)


def new_report(root: Path, name: str, file: str | Source, like: str | None = None) -> tuple[Path, list[str], list[str]]:
    """Write `params/<name>.yaml` for a file, a pattern of files, or a database.

    Parameters
    ----------
    root : Path
        The project's folder.
    name : str
        The report's name.
    file : str or Source
        The file, or a pattern; or a database with a table or query.
    like : str, optional
        The recipe of the system that wrote the file. By default it is the recipe whose headings match.

    Returns
    -------
    tuple
        The path of the parameters file, one line for each guess, and one line for each point to check.

    Raises
    ------
    ParamsError
        If the name is taken or invalid, or there is no such recipe.
    SourceError
        If the file cannot be read at all, or columns of the recipe named `like` are missing.
    """
    path = _new_path(root, name)
    guessed: list[str] = []
    source, parts = _read_parts(root, file, guessed)
    sample = pd.concat([_as_text(part) for part in parts], ignore_index=True)
    if sample.empty:
        raise SourceError(f"{parts[0].label} has no rows below its column names; export it again")
    open_points: list[str] = []
    recipe = recipes.find_settings(parts, root, like, open_points)
    columns = recipe.named if recipe else inference.columns(sample)
    required = _required_columns(sample, columns, recipe, guessed)
    _check_parts(parts, columns)
    guessed += recipe.told if recipe else []
    open_points += recipe.to_check if recipe else []
    _describe_table(parts, sample, source, recipe.columns if recipe else columns, guessed, open_points)
    written, own = _formats(parts, sample, columns, guessed, open_points)
    source = several_files.with_own_settings(source.model_copy(update=written), root, own)
    if recipe is None:
        columns = price_basis.find_price_basis(_formatted(parts, source), columns, guessed)
    free = [name for name in sample.columns if name not in columns.values()]
    judged = [name for name in ([recipe.currency] if recipe else free) if name]
    counted = count_texts(_formatted(parts, source), judged, _amounts(columns))
    source = source.model_copy(update=_sales_rules(parts, counted, free, columns, source, recipe, guessed, open_points))
    if recipe is None:
        open_points += warnings.list_warnings(sample, columns, written) + warnings.check_states(counted, source.status)
        open_points += warnings.check_ids(parts, columns["customer_id"]) if "customer_id" in columns else []
    code, rule = currencies.propose_currency(counted, open_points)
    source = source.model_copy(update={"currency": rule})
    currency = _currency(sample, source, code, guessed, open_points)
    columns, cleaning = _complete_columns(_formatted(parts, source), columns, recipe, guessed)
    label = join_names([part.label for part in parts])
    offered = _describe_free(sample, columns)
    days = _analysis_dates(source, columns, required, root, label, offered, guessed, open_points)
    path.parent.mkdir(exist_ok=True)
    origin = label if isinstance(file, Source) else Path(file).name
    written_columns = dict.fromkeys(required, UNKNOWN) | columns
    if rule:  # until the owner has chosen, the report is refused
        source = source.model_copy(update={"currency": rule.model_copy(update={"keep": UNKNOWN})})
    path.write_text(_to_yaml(name, origin, currency, source, written_columns, days, cleaning), encoding="utf-8")
    return path, guessed, open_points


def _check_parts(parts: list[sources.RawTable], columns: dict[str, str]) -> None:
    """Refuse parts without the columns, and tables that hold no orders."""
    validation.check_columns_present(parts, columns)
    for part in parts:
        table_kinds.check_table_kind(part, columns)


def _describe_table(
    parts: list[sources.RawTable],
    sample: pd.DataFrame,
    source: Source,
    columns: dict[str, Any],
    guessed: list[str],
    open_points: list[str],
) -> None:
    """Say how the table was read: its encoding, its columns, what was left out."""
    guessed += [_describe_encoding(sample, source.encoding)] if source.encoding else []
    guessed.append(_describe_columns(columns))
    guessed += [f"left out: {part.without_name}" for part in parts if part.without_name]
    if source.names:
        open_points.append(f"names: {parts[0].label} has no column names; write them where column_1 stands")


def _complete_columns(
    formatted: list[sources.RawTable], columns: dict[str, str], recipe: recipes.Settings | None, guessed: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns to write and the section `cleaning`: those of the recipe, or better ids and the refunded orders."""
    if recipe is not None:
        return recipe.columns, recipe.cleaning
    better = columns | ids.propose_ids(formatted, columns, guessed)
    if refunded := refunds.find_refunded_orders(formatted, better, guessed):
        return better | {"refund_of": refunded}, {"cancellations": "net"}
    return better, {}


def _required_columns(
    sample: pd.DataFrame, columns: dict[str, str], recipe: recipes.Settings | None, guessed: list[str]
) -> tuple[str, ...]:
    """The columns that a report needs. A quantity without amounts is not used."""
    if recipe is None and inference.has_no_amounts(sample, columns):
        columns.pop("quantity", None)
        guessed.append(NO_AMOUNTS)
        return REQUIRED
    return REQUIRED if {"quantity", "unit_price"} <= set(columns) else (*REQUIRED, "amount")


def _new_path(root: Path, name: str) -> Path:
    path = root / "params" / f"{name}.yaml"
    check_report_name(name, f"REPORT={name}", "choose another")
    if path.exists():
        raise ParamsError(f"params/{name}.yaml exists; choose another REPORT, or remove the file")
    return path


def _read_parts(root: Path, file: str | Source, guessed: list[str]) -> tuple[Source, list[sources.RawTable]]:
    """Guess how to read the files, and read them."""
    source = file if isinstance(file, Source) else _source(root, file, guessed)
    parts = sources.read_raw_tables(source, root)
    if source.files and any(own := several_files.own_names(parts)):
        source = several_files.with_own_settings(source, root, own)
        parts = sources.read_raw_tables(source, root)
        renamed = [str(part.file) for part, names in zip(parts, own, strict=True) if names]
        guessed.append(f"files: {join_names(renamed)} with column names of their own")
    return source, parts


def _source(root: Path, file: str, guessed: list[str]) -> Source:
    """Guess `source:` for a file, a workbook or a pattern, except the formats of dates and numbers."""
    if "://" in file:
        raise SourceError("FILE= takes a file. To use a database, write URL=sqlite://shop.db TABLE=orders")
    source = Source(files=[SourceFile(file=file)]) if is_pattern(file, root) else Source(file=file)
    try:
        paths = source_paths(source, root)
    except SourceMissing:
        raise SourceMissing(
            f"{file} does not exist; FILE= takes a path relative to {root}, or a pattern in quotes"
        ) from None
    if source.files:
        guessed.append(f"files: {MESSAGES.plural(len(paths), 'file')}, from {paths[0].name} to {paths[-1].name}")
    if text_files.file_kind(paths[0]) == "xlsx":
        return source.model_copy(update=_sheets(paths[0], guessed))
    if text_files.file_kind(paths[0]) == "parquet":
        return source
    layouts = [_layout(path, root) for path in paths]
    guessed += [f"{name}: {value}" for name, value in layouts[0].items() if name != "encoding"]
    return several_files.with_own_settings(
        source.model_copy(update=layouts[0]), root, several_files.differing(layouts) if source.files else []
    )


def _layout(path: Path, root: Path) -> dict[str, Any]:
    """The encoding and the layout of a text file, but for what is as usual."""
    if text_files.file_kind(path) != "csv":
        return {}
    encoding = text_files.guess_file_encoding(path, root)
    return ({"encoding": encoding} if encoding else {}) | text_files.propose_layout(path, root, encoding)


def _sheets(path: Path, guessed: list[str]) -> dict[str, Any]:
    """Select the longest sheet of a workbook and those with the same header, with the layout of the longest.

    `sheets` is not among the settings if only one sheet is visible.
    """
    shapes = spreadsheets.sheet_shapes(path)
    if hidden := spreadsheets.hidden_sheets(path):
        guessed.append(f"sheets: {join_names([repr(name) for name in hidden])} left out: hidden")
    header, _, layout = max(shapes.values(), key=lambda shape: shape[1])
    guessed += [f"{name}: {value}" for name, value in layout.items()]
    if len(shapes) == 1:
        return layout
    alike = [name for name, shape in shapes.items() if shape[0] == header]
    left_out = [repr(name) for name in shapes if name not in alike]
    others = f"; {join_names(left_out)} left out (different columns)" if left_out else ""
    guessed.append(f"sheets: {join_names([repr(name) for name in alike])}{others}")
    return layout | {"sheets": alike}


def _describe_encoding(sample: pd.DataFrame, encoding: str) -> str:
    """The encoding, with a text that shows whether it is the right one."""
    texts = sample.stack().astype(str)
    strange = texts[~texts.map(str.isascii)]
    example = f", as in {strange.iloc[0]!r}: correct source.encoding if that is misspelt" if len(strange) else ""
    return f"encoding: {encoding}{example}"


def _as_text(part: sources.RawTable) -> pd.DataFrame:
    table = part.table.limit(ROWS)
    return validation.execute(table.select(**{name: table[name].cast("string") for name in table.columns}), part)


def _describe_columns(columns: dict[str, Any]) -> str:
    told = {name: column if isinstance(column, dict) else repr(column) for name, column in columns.items()}
    if isinstance(columns.get("amount"), dict):
        told["amount"] = recipes.describe_amount(AmountParts(**columns["amount"]))
    return "columns: " + ", ".join(f"{name} = {column}" for name, column in told.items())


def _formats(
    parts: list[sources.RawTable],
    sample: pd.DataFrame,
    columns: dict[str, str],
    guessed: list[str],
    open_points: list[str],
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Guess the formats of dates and numbers from many different values, and what differs by file."""
    found: dict[str, str] = {}
    own: list[dict[str, Any]] = []
    if parts[0].format is None:  # a database has types
        return found, own
    examples = sample[columns["ordered_at"]].dropna().head(TEXTS).tolist() if "ordered_at" in columns else []
    numeric = "ordered_at" in columns and parts[0].table[columns["ordered_at"]].type().is_numeric()
    if examples and numeric and date_formats.are_excel_serials(examples):
        found["date_format"] = "excel"
        guessed.append("dates: excel, serial numbers of a spreadsheet")
    elif "ordered_at" in columns and len(parts) > 1 and (differ := _own_dates(parts, columns["ordered_at"], guessed)):
        own = differ
    elif "ordered_at" in columns and (texts := _texts(parts, columns["ordered_at"])):
        pattern, others = inference.date_format(texts)
        found |= {"date_format": pattern} if pattern else {}
        if zone := time_zones.fitting_zone(texts):
            found["timezone"] = zone
            guessed.append(f"timezone: {zone}, which has the UTC offsets of these dates, so days are as written")
        iso = "ISO" if re.match(inference.ISO, texts[0]) else "in an unknown format"
        guessed.append(f"dates: {pattern or iso}, as in {texts[0]!r}")
        if others:
            open_points.append(
                f"dates match {others[0]} as well as {pattern}; correct source.date_format if day and month are swapped"
            )
    numbers = [text for name in inference.NUMBERS if name in columns for text in _texts(parts, columns[name])]
    written = inference.number_format(numbers, continental="." in found.get("date_format", ""))
    if example := inference.ambiguous_number(numbers):
        mark = "," if "," in example else "."
        read = example.replace(mark, "") if written.get("thousands") == mark else example.replace(mark, ".")
        open_points.append(
            f"numbers such as {example!r} are read as {read}; correct source.thousands and source.decimal if that is "
            "wrong"
        )
    if written:
        guessed.append("numbers: " + ", ".join(f"{key} {value!r}" for key, value in written.items()))
    return found | written, own


def _own_dates(parts: list[sources.RawTable], column: str, guessed: list[str]) -> list[dict[str, Any]] | None:
    """The date format of each file, if they differ. A workbook's sheets are no files."""
    own = several_files.own_dates([_texts([part], column) for part in parts]) if all(p.file for p in parts) else None
    if own:
        shown = [f"{part.file} {settings.get('date_format', 'ISO')}" for part, settings in zip(parts, own, strict=True)]
        guessed.append(f"dates: {', '.join(shown)}")
    return own


def _texts(parts: list[sources.RawTable], column: str) -> list[str]:
    """Return the distinct values of a text column from all parts; none for a column of another type."""
    examples: list[str] = []
    for part in parts:
        values = part.table[column]
        if values.type().is_string():
            distinct = values.strip().nullif("").name("text").as_table().distinct().limit(TEXTS)
            examples += validation.execute(distinct, part).text.dropna().tolist()
    return sorted(examples)


def _formatted(parts: list[sources.RawTable], source: Source) -> list[sources.RawTable]:
    """The parts with the formats of dates and numbers that were guessed."""
    format = TextFormat.of(source)
    return [replace(part, format=format) if part.format else part for part in parts]


def _amounts(columns: dict[str, Any]) -> list[str]:
    """The columns whose product is what a row is worth."""
    money = ["amount"] if "amount" in columns else ["quantity", "unit_price"]
    return [columns[name] for name in money if isinstance(columns.get(name), str)]


def _sales_rules(
    parts: list[sources.RawTable],
    counted: dict[str, pd.DataFrame],
    free: list[str],
    columns: dict[str, str],
    source: Source,
    recipe: recipes.Settings | None,
    guessed: list[str],
    open_points: list[str],
) -> dict[str, Status | str]:
    """Say which rows are sales, from all rows: by a status, a date of cancellation, a flag of test orders."""
    formatted = _formatted(parts, source)
    if recipe is not None:
        states = (
            status_by_rule(formatted, recipe.status, [columns["amount"]] if "amount" in columns else [])
            if recipe.status
            else None
        )
        guessed += [states.describe()] if states else []
        open_points += [question] if states and (question := states.open_question()) else []
        open_points += recipes.describe_cancelled(formatted, recipe)
        return recipe.source
    rules: dict[str, Status | str] = {}
    if found := find_filter(formatted, free, _amounts(columns)):
        rules["filter"] = found[0]
        guessed.append(found[1])
    column = find_status(counted)
    if column is not None and (rule := column.rule()) is not None:
        rules["status"] = rule
        guessed.append(column.describe())
        if question := column.open_question():
            open_points.append(question)
    return rules


def _currency(
    sample: pd.DataFrame, source: Source, code: str | None, guessed: list[str], open_points: list[str]
) -> str:
    currency = code or inference.currency(sample, source.currency_sign)
    if currency is None:
        open_points.append("currency: not found; replace XXX by its three letters")
        return "XXX"
    guessed.append(f"currency: {currency}")
    return currency


def _analysis_dates(
    source: Source,
    columns: dict[str, Any],
    required: Sequence[str],
    root: Path,
    label: str,
    offered: str,
    guessed: list[str],
    open_points: list[str],
) -> list[date]:
    """Guess the analysis dates from all data; this also finds every problem that would stop the report."""
    missing = [name for name in required if name not in columns]
    if missing:
        named = join_names([f"columns.{name}" for name in missing])
        orders = ", or remove amount to count orders in place of money" if "amount" in missing else ""
        open_points.append(f"{named}: no such column was found; write its name instead of {UNKNOWN}{orders}; {offered}")
        return _dates_alone(source, columns, root, guessed, open_points)
    try:
        rows = _count_days(sources.read_line_items(source, Columns(**columns), root))
        validation.check_late_days(rows, label, columns["ordered_at"], day=date.min)
    except SourceError as error:
        open_points.append(str(error))
        if "(columns.ordered_at)" in str(error):
            open_points.append(f"analysis_dates: correct the dates first, then write days instead of {UNKNOWN}")
            return []
        return _dates_alone(source, columns, root, guessed, open_points)
    first, last = rows.day.iloc[0], rows.day.iloc[-1]
    days = dates.propose_dates(first, last, len(rows))
    if last > date.today():
        open_points.append(f"analysis dates: the last order is dated {last}, which is in the future; check the years")
    guessed.append(f"analysis dates: {', '.join(map(str, days))} (orders from {first} to {last})")
    return days


def _dates_alone(
    source: Source, columns: dict[str, Any], root: Path, guessed: list[str], open_points: list[str]
) -> list[date]:
    """Propose dates although the sales cannot be read yet; say why if that is not possible either."""
    column = columns.get("ordered_at")
    span = dates.count_days(source, column, root) if column else None
    if span is None:
        why = f"{column!r} holds no readable date" if column else "no column of dates was found"
        open_points.append(f"analysis_dates: {why}; write days instead of {UNKNOWN}, for example ['2024-06-30']")
        return []
    days = dates.propose_dates(*span)
    guessed.append(f"analysis dates: {', '.join(map(str, days))} (dates from {span[0]} to {span[1]})")
    return days


def _describe_free(sample: pd.DataFrame, columns: dict[str, Any]) -> str:
    """The columns that are not used yet, each with a value."""
    free = [name for name in sample.columns if name not in columns.values()][:SHOWN]
    shown = [f"{name!r} (such as {str(sample[name].dropna().iloc[0])[:30]!r})" for name in free if sample[name].count()]
    return f"the file also has {join_names(shown)}" if shown else "the file has no other column with values"


def _count_days(lines: ir.Table) -> pd.DataFrame:
    """Sales of each day."""
    if "excluded_by" in lines.columns:
        lines = lines.filter(lines.excluded_by.isnull())
    by_day = lines.group_by(day=lines.ordered_at.date()).agg(rows=lines.count())
    days = by_day.order_by("day").execute()
    return days.assign(day=pd.to_datetime(days.day).dt.date)


def _to_yaml(
    name: str,
    origin: str,
    currency: str,
    source: Source,
    columns: dict[str, Any],
    days: list[date],
    cleaning: dict[str, Any],
) -> str:
    written = {
        "title": name.replace("_", " ").strip().capitalize(),
        "currency": currency,
        "source": source.model_dump(exclude_defaults=True),
        "columns": columns,
        "analysis_dates": [str(day) for day in days] or [UNKNOWN],
        **({"cleaning": cleaning} if cleaning else {}),
        "history_complete": False,
    }
    lines = [SCHEMA, f"# Guessed by `make new` from {origin}. Check it, then run `make report REPORT={name}`."]
    for key, value in written.items():
        flow = yaml.safe_dump([value], sort_keys=False, allow_unicode=True, default_flow_style=True, width=10_000)
        lines.append(f"{key}: {flow.strip()[1:-1]}")
    return "\n".join(lines) + "  # true if the data contain the first order of every customer\n"
