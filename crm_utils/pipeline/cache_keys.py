"""What tells a stale notebook from a fresh one: a chain of keys, one a notebook, each holding the one before it."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path

from crm_utils.core.files import content_hash
from crm_utils.core.paths import SIMULATED, customer_table_path, rules_path, source_paths
from crm_utils.pipeline.jobs import RULES, Job

PACKAGE = Path(__file__).parents[1]


def compute_cache_keys(job: Job) -> None:
    """Fill in the key of each notebook: a hash of all it depends on, the key before it included.

    Raises `SourceMissing` where the data, the first link, is not there.
    """
    beside = " ".join(content_hash(path, job.root) for path in customer_table_paths(job))
    settings = job.settings(job.folder).model_dump_json() + beside
    lock = job.root / "requirements.lock"
    key = _hash(_data(job), settings, lock.read_text(encoding="utf-8") if lock.exists() else "")
    for notebook in job.notebooks:
        parameters = job.parameters(notebook)
        rules = [
            rules_path(job.root, p.name, p.value).read_text(encoding="utf-8") for p in parameters if p.name in RULES
        ]
        modules = [_text(path) for path in local_dependencies(*notebook.code, root=job.root)]
        cells = json.dumps([[c["cell_type"], c["source"], c["metadata"].get("tags") or []] for c in notebook.cells])
        key = _hash(key, notebook.name, cells, repr([(p.name, p.value) for p in parameters]), *rules, *modules)
        job.keys[notebook.name] = key


def pages_key(job: Job) -> str:
    """The key of the rendered pages: the notebooks' keys, where each setting comes from, and the code that renders."""
    code = [
        path.read_text(encoding="utf-8")
        for folder in ("pipeline", "site", "commands")
        for path in sorted((PACKAGE / folder).rglob("*"))
        if path.suffix in (".py", ".j2", ".css", ".js")
    ]
    origins = [[parameter.origin for parameter in job.parameters(book)] for book in job.notebooks]
    return _hash(json.dumps([job.keys, origins]), *code)


def package_key() -> str:
    """The hash of all code of the package."""
    return _hash(*(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))))


def customer_table_paths(job: Job) -> list[Path]:
    """The files with attributes, contacts and past campaigns. Raises `SourceMissing` where one is not there."""
    named = {name: getattr(job.report, name) for name in ("attributes", "contacts", "past_campaigns")}
    return [
        customer_table_path(name, where, job.root) for name, where in named.items() if where not in (None, SIMULATED)
    ]


def local_dependencies(*code: str, root: Path | None = None) -> list[Path]:
    """The files that pieces of code import, directly or through others, in a fixed order: the package's own, and those of
    an analyst that lie in the project `root` or beside its notebooks.
    """
    found: set[Path] = set()
    waiting = list(code)
    while waiting:
        new = {path for name in _imports(waiting.pop()) for path in _files(name, root)} - found
        found |= new
        waiting += [_text(path) for path in new if path.suffix == ".py"]
    return sorted(found)


@cache
def _imports(code: str) -> set[str]:
    """The modules that code names, and what it takes from them, which may be modules."""
    python = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith(("%", "!")))
    try:
        tree = ast.parse(python)
    except SyntaxError:  # the kernel tells, with the section
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@cache
def _files(module: str, root: Path | None) -> list[Path]:
    first, *_ = parts = module.split(".")
    if first != PACKAGE.name:  # of an analyst's own package all files: its parts may import each other in any way
        own = [root, root / "notebooks"] if root else []
        return [path for folder in own for name in (f"{first}.py", f"{first}/**/*.py") for path in folder.glob(name)]
    place = PACKAGE.parent.joinpath(*parts)
    if place.with_suffix(".py").is_file():
        return [place.with_suffix(".py")]
    return [place / "__init__.py", *place.glob("*.mplstyle")] if (place / "__init__.py").is_file() else []


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _data(job: Job) -> str:
    """What identifies the data: the content of files; of a database what `sources.fingerprint` takes from it."""
    source = job.report.source.model_dump()
    if job.report.source.database is None:
        return " ".join(content_hash(path, job.root) for path in source_paths(source, job.root))
    from crm_utils import sources  # an engine is only started where there is a database to ask

    return sources.source_fingerprint(source, job.report.columns.model_dump(), job.root, job.day)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
