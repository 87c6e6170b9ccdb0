"""What tells a stale notebook from a fresh one: a chain of keys, one a notebook, each holding the one before it."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path

from crm_utils.locate import SIMULATED, content_hash, rules_file, side_file, source_files
from crm_utils.report.plan import RULES, Job

PACKAGE = Path(__file__).parents[1]


def chain_keys(job: Job) -> None:
    """Fill in the key of each notebook: a hash of all it depends on, the key before it included.

    Raises `SourceMissing` where the data, the first link, is not there.
    """
    beside = " ".join(content_hash(path, job.root) for path in side_files(job))
    settings = job.settings(job.folder).model_dump_json() + beside
    lock = job.root / "requirements.lock"
    key = _hash(_data(job), settings, lock.read_text(encoding="utf-8") if lock.exists() else "")
    for notebook in job.notebooks:
        parameters = job.parameters(notebook)
        rules = [
            rules_file(job.root, p.name, p.value).read_text(encoding="utf-8") for p in parameters if p.name in RULES
        ]
        modules = [path.read_text(encoding="utf-8") for path in imported(*notebook.code)]
        cells = json.dumps([[c["cell_type"], c["source"], c["metadata"].get("tags") or []] for c in notebook.cells])
        key = _hash(key, notebook.name, cells, repr([(p.name, p.value) for p in parameters]), *rules, *modules)
        job.keys[notebook.name] = key


def pages_key(job: Job) -> str:
    """The key of the rendered pages: the notebooks' keys, where each setting comes from, and the code that renders."""
    code = [
        path.read_text(encoding="utf-8")
        for path in sorted((PACKAGE / "report").rglob("*"))
        if path.suffix in (".py", ".j2", ".css", ".js")
    ]
    origins = [[parameter.origin for parameter in job.parameters(book)] for book in job.notebooks]
    return _hash(json.dumps([job.keys, origins]), *code)


def package_key() -> str:
    """The hash of all code of the package."""
    return _hash(*(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))))


def side_files(job: Job) -> list[Path]:
    """The files with attributes, contacts and past campaigns. Raises `SourceMissing` where one is not there."""
    named = {name: getattr(job.report, name) for name in ("attributes", "contacts", "past_campaigns")}
    return [side_file(name, where, job.root) for name, where in named.items() if where not in (None, SIMULATED)]


def imported(*code: str) -> list[Path]:
    """The package's own files that pieces of code import, directly or through others, in a fixed order."""
    found: set[Path] = set()
    waiting = [path for piece in code for path in _imports(piece)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imports(path.read_text(encoding="utf-8")) if path.suffix == ".py" else []
    return sorted(found)


@cache
def _imports(code: str) -> tuple[Path, ...]:
    names = set()
    python = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith(("%", "!")))
    try:
        tree = ast.parse(python)
    except SyntaxError:  # the kernel tells, with the section
        return ()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE.name}
    return tuple(path for name in names for path in _files(name))


def _files(module: str) -> list[Path]:
    place = PACKAGE.parent.joinpath(*module.split("."))
    if place.with_suffix(".py").is_file():
        return [place.with_suffix(".py")]
    return [place / "__init__.py", *place.glob("*.mplstyle")] if (place / "__init__.py").is_file() else []


def _data(job: Job) -> str:
    """What identifies the data: the content of files; of a database what `sources.fingerprint` takes from it."""
    source = job.report.source.model_dump()
    if job.report.source.database is None:
        return " ".join(content_hash(path, job.root) for path in source_files(source, job.root))
    from crm_utils import sources  # an engine is only started where there is a database to ask

    return sources.fingerprint(source, job.report.columns.model_dump(), job.root, job.day)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
