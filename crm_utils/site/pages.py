"""Fill our templates of pages. No notebook is read here, so that what needs none starts quickly."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from crm_utils.core.formatting import day
from crm_utils.site.table_html import make_accessible_html

TEMPLATES = Path(__file__).with_name("templates")


def render_page(template: str, **content: Any) -> str:
    """A whole page from one of our templates, with accessible tables. Values are escaped unless they are `Markup`."""
    return make_accessible_html(fill_template(template, **content))


def fill_template(template: str, **content: Any) -> str:
    """One of our templates with its values."""
    return _environment().get_template(template).render(**content)


def read_script(name: str) -> dict[str, str]:
    """A script of a page, and the hash by which the page allows it to run. Pages that do not name one sort tables."""
    script = (TEMPLATES / name).read_text(encoding="utf-8")
    digest = hashlib.sha256(script.encode()).digest()
    return {"script": Markup(script), "script_hash": base64.b64encode(digest).decode()}


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals["css"] = Markup((TEMPLATES / "page.css").read_text(encoding="utf-8"))
    environment.globals.update(read_script("sort.js"))
    environment.filters["plain"] = _plain
    environment.filters["day"] = day
    environment.filters["css_string"] = _css_string
    return environment


def _css_string(text: str) -> Markup:
    """A text between quotes in a style sheet: nothing in it can end the text or the style sheet."""
    return Markup('"{}"').format(
        Markup("".join(letter if letter.isalnum() or letter in " ,.-–’" else f"\\{ord(letter):x} " for letter in text))
    )


def _plain(value: Any) -> str:
    """A setting's value as a page shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ("; " if isinstance(value[0], dict) else ", ").join(map(_plain, value))
    return str(value)
