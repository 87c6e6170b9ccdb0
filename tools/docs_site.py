"""MkDocs hooks: generate the reference, publish the demo report, check that no page loads anything from outside."""

import ast
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from crm_utils.config import Campaigns, Report, SegmentMap
from crm_utils.core.contracts import CONTRACTS
from crm_utils.pipeline.notebooks import Notebook
from crm_utils.site.glossary import TERMS
from crm_utils.site.index_refresh import refresh_index

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "crm_utils"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
REPORT = "demo"  # the report on the site; its data are simulated, so all of it can be public
FIRST_PAGE = "reports/index.html"
MODULES_MARKER = "<!-- modules -->"
STAGES = [path.stem.split("_", 1)[1] for path in NOTEBOOKS]
FILES = {"The report's file": Report, "Segment maps": SegmentMap, "Campaigns": Campaigns}
LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages into the navigation."""
    pages = [{title: name} for name, (title, _) in reference_pages().items()]
    for section in config.nav:
        if section.get("Reference"):
            section["Reference"] = pages
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and the first page of the report so that links to it can be checked."""
    for name, (title, body) in reference_pages().items():
        files.append(File.generated(config, name, content=f"# {title}\n\n{body}"))
    files.append(File.generated(config, FIRST_PAGE, content=""))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace the marker in a page by the list of modules."""
    return markdown.replace(MODULES_MARKER, modules()) if MODULES_MARKER in markdown else markdown


def on_post_build(config: MkDocsConfig) -> None:
    """Copy the published report and write its index. Raise an error if a page loads something from another server."""
    site = Path(config.site_dir)
    publish_report(ROOT, site)
    requests = [f"{page.relative_to(site)}: {url}" for page in site.rglob("*.html") for url in outside_requests(page)]
    if requests:
        raise PluginError("pages must not request anything from other servers:\n" + "\n".join(requests))


def reference_pages() -> dict[str, tuple[str, str]]:
    """Title and text of each generated page, by its path in the site."""
    pages = {
        "reference/make.md": ("Make targets", make_targets()),
        "reference/parameters.md": ("Parameters", parameters()),
        "reference/tables.md": ("Tables", tables()),
        "reference/glossary.md": ("Glossary", glossary()),
        "reference/changelog.md": ("Changelog", without_title(ROOT / "CHANGELOG.md")),
    }
    for entry in entries():
        name = f"{PACKAGE.name}.{entry.stem}"
        pages[f"reference/{entry.stem}.md"] = (name, "\n\n".join(api(entry, name)) + "\n")
    return pages


def entries() -> list[Path]:
    """The packages and modules of `crm_utils`: the stages in the order of their notebooks, then the others."""
    found = [path for path in sorted(PACKAGE.iterdir()) if (path / "__init__.py").is_file() or is_module(path)]
    return sorted(found, key=lambda path: STAGES.index(path.stem) if path.stem in STAGES else len(STAGES))


def is_module(path: Path) -> bool:
    """Whether the path is a Python file other than `__init__` and `__main__`."""
    return path.suffix == ".py" and not path.stem.startswith("__")


def modules() -> str:
    """The packages and their modules, each with the first line of its docstring, as nested Markdown lists."""
    lines = []
    for entry in entries():
        lines.append(f"* [`{entry.name}`](reference/{entry.stem}.md): {summary(entry)}")
        children = sorted(entry.rglob("*.py")) if entry.is_dir() else []
        lines += [f"    * `{child.relative_to(entry)}`: {summary(child)}" for child in children if is_module(child)]
    return "\n".join(lines)


def summary(path: Path) -> str:
    """The first line of the docstring of a module or package."""
    source = path / "__init__.py" if path.is_dir() else path
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n", 1)[0]


def api(entry: Path, name: str) -> Iterator[str]:
    """The mkdocstrings blocks of a module, or of a package and everything in it."""
    if entry.is_file():
        yield f"::: {name}\n    options:\n      heading_level: 2"
        return
    yield (
        f"::: {name}\n    options:\n      members: false\n      show_root_heading: false\n      show_root_toc_entry: "
        "false"
    )
    for child in sorted(entry.iterdir()):
        if child.is_dir() and (child / "__init__.py").is_file():
            yield from api(child, f"{name}.{child.name}")
        elif is_module(child):
            yield from api(child, f"{name}.{child.stem}")


def make_targets() -> str:
    """A table of all make targets, from the Makefile."""
    targets = re.findall(r"^([a-z]+):[^#\n]*## *(.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M)
    return table(["command", "what it does"], [[f"`make {target}`", escape(text)] for target, text in targets])


def parameters() -> str:
    """The keys of the parameter files, from the notebooks' cells tagged `parameters` and the models."""
    lines = ["A section of the report's file is named after a notebook and sets the parameters of that notebook.\n"]
    for path in NOTEBOOKS:
        rows = [
            [f"`{name}`", f"`{declared.default!r}`", escape(declared.meaning)]
            for name, declared in Notebook(path).declared.items()
            if name != "run_dir"
        ]
        lines += [f"## {path.stem}\n", table(["parameter", "default", "meaning"], rows)]
    for file, model in FILES.items():
        schema = model.model_json_schema()
        parts = schema.get("$defs", {})
        sections = {name: part for name, part in parts.items() if "properties" in part and name.lower() not in STAGES}
        for name, found in {file: schema, **sections}.items():
            title = name if name == file else f"{file}: {name}"
            lines += [f"## {title}\n", found.get("description", "") + "\n", keys(found, parts)]
    return "\n".join(lines)


def keys(schema: dict, parts: dict[str, dict]) -> str:
    """A table of the keys of one model, from its JSON schema; `parts` are the schemas that it refers to."""
    rows = [
        [f"`{name}`", allowed(found, parts), default(name, found, schema), escape(found.get("description", ""))]
        for name, found in schema["properties"].items()
        if name not in STAGES
    ]
    return table(["key", "value", "default", "meaning"], rows)


def allowed(schema: dict, parts: dict[str, dict]) -> str:
    """The values that a JSON schema allows, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"`{name}`" if "properties" in parts[name] else allowed(parts[name], parts)
    if choices := schema.get("anyOf", schema.get("oneOf")):
        return " or ".join(allowed(choice, parts) for choice in choices if choice.get("type") != "null")
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(choice, ensure_ascii=False)}`" for choice in schema["enum"])
    if schema.get("type") == "array" and "items" in schema:
        return f"list of {allowed(schema['items'], parts)}"
    bounds = [f"{sign} {schema[limit]:g}" for limit, sign in LIMITS.items() if limit in schema]
    return ", ".join([schema.get("type", "anything"), *bounds])


def default(name: str, found: dict, schema: dict) -> str:
    """The default of a key, or that it is required."""
    if name in schema.get("required", []):
        return "required"
    return f"`{found['default']}`" if found.get("default") not in (None, [], {}) else ""


def tables() -> str:
    """A section per table: its key, and the type of each column."""
    lines = ["The required columns of each table. They are checked when a table is saved and loaded.\n"]
    for name, contract in CONTRACTS.items():
        rows = [
            [f"`{column}`", f"`{schema.dtype}`", "may be empty" if schema.nullable else ""]
            for column, schema in contract.columns.items()
        ]
        key = ", ".join(f"`{column}`" for column in contract.key) or "none"
        lines += [f"## {name}\n", f"Key: {key}\n", table(["column", "type", ""], rows)]
    return "\n".join(lines)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def escape(text: str) -> str:
    """The text, escaped for a cell of a Markdown table."""
    return re.sub(r"([|\[\]<>])", r"\\\1", text)


def glossary() -> str:
    """The terms of the report pages and their definitions."""
    return table(["term", "meaning"], [[escape(term.name), escape(term.meaning)] for term in TERMS])


def without_title(path: Path) -> str:
    """A Markdown file of the project folder without its first heading."""
    return path.read_text(encoding="utf-8").split("\n", 1)[1]


def publish_report(root: Path, site: Path) -> None:
    """Copy the published dates of the report into the site, with the index over them.

    Raises `PluginError` if the report has not been built. Other reports are not copied, because they may contain
    customers' data.
    """
    if not (root / "reports" / REPORT).is_dir():
        raise PluginError(f"reports/{REPORT} is missing: run `make docs`, or `make report REPORT={REPORT}` first")
    copy = site / "reports" / REPORT
    shutil.copytree(
        root / "reports" / REPORT, copy, ignore=shutil.ignore_patterns(".*", "*.failed"), dirs_exist_ok=True
    )
    (site / FIRST_PAGE).unlink(missing_ok=True)
    refresh_index(site)
    for lock in (site / "reports").rglob(".lock"):
        lock.unlink()


def outside_requests(page: Path) -> list[str]:
    """The addresses on other servers that a browser would request while it shows the page."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    used = [tag["src"] for tag in soup.find_all(src=True)]
    used += [tag["href"] for tag in soup.find_all("link", href=True)]
    return [url for url in used if re.match(r"(https?:)?//", url)]
