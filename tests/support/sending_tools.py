"""Imports of sending tools: parsers that follow the documented rules (`tests/sending_tools/*.yaml`)."""

import csv
import re
from functools import cache
from pathlib import Path

import yaml

FIXTURES = Path(__file__).parents[1] / "sending_tools"
TOOLS = sorted(path.stem for path in FIXTURES.glob("*.yaml"))
DATES = ("send_on", "offer_ends", "crm_until")


@cache
def rules_of(tool: str) -> dict:
    return yaml.safe_load((FIXTURES / f"{tool}.yaml").read_text(encoding="utf-8"))


def import_contacts(tool: str, path: Path) -> tuple[list[dict[str, str]], list[str]]:
    """Import a csv as a tool would: contacts by the tool's own fields, and why rows or the whole file are refused."""
    rules = rules_of(tool)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file, strict=True))
    refused = _refused_file(rules, header, path)
    fields = [_field(rules, name) for name in header]
    contacts, seen = [], {field: set() for field in rules["unique"]}
    for number, row in enumerate(rows, start=2):
        assert len(row) == len(header), f"row {number} has {len(row)} cells"
        contact = dict(zip(fields, row, strict=True))
        problem = _refused_row(rules, contact, seen)
        refused += [f"row {number}: {problem}"] if problem else []
        contacts += [] if problem else [contact]
    known_by = {next(field for field in rules["one_of"] if contact.get(field)) for contact in contacts}
    if rules.get("same_identifier") and len(known_by) > 1:
        refused.append(f"a mix of contacts known by {' and '.join(sorted(known_by))}")
    return contacts, refused


def _field(rules: dict, name: str) -> str:
    for field, names in rules["own_headings"].items():
        if name in names or (not rules["exact_case"] and name.casefold() in map(str.casefold, names)):
            return field
    return name


def _refused_file(rules: dict, header: list[str], path: Path) -> list[str]:
    refused = []
    if rules["first_column"] and header[0] not in rules["first_column"]:
        refused.append(f"the first column is {header[0]!r}")
    if len(set(map(str.casefold, header))) != len(header) or "" in header:
        refused.append("two columns have one name, or one has none")
    if len(header) >= rules.get("columns", 10**6):
        refused.append("too many columns")
    if path.stat().st_size > rules.get("megabytes", 10**6) * 2**20:
        refused.append("too large")
    return refused


def _refused_row(rules: dict, contact: dict[str, str], seen: dict[str, set[str]]) -> str:
    if not any(contact.get(field) for field in rules["one_of"]):
        return f"none of {', '.join(rules['one_of'])}"
    for field, known in seen.items():
        value = contact.get(field, "").casefold()
        if value and value in known:
            return f"{field} twice"
        known.add(value)
    email, phone = contact.get("email"), contact.get("phone")
    if email and not re.fullmatch(rules.get("local_part", r"[^@\s]+") + r"@[^@\s]+\.[^@\s.]+", email):
        return "not an e-mail address"
    if phone and not re.fullmatch(rules["phone_format"], phone):
        return "not a phone number"
    for name in DATES:
        if contact.get(name) and not re.fullmatch(rules["date_format"], contact[name]):
            return f"{name} is no date"
    if any(len(value.encode()) > rules.get("text_bytes", 10**6) for value in contact.values()):
        return "text is clipped"
    return ""
