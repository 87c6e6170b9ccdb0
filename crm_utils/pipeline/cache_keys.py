"""Cache keys.

A notebook's key hashes its inputs and the previous notebook's key; if it changed, the notebook reruns.
"""

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crm_utils.config.paths import SIMULATED, customer_table_paths, source_paths
from crm_utils.core.errors import SourceError
from crm_utils.core.files import content_hash
from crm_utils.core.formatting import join_names
from crm_utils.pipeline.beside_files import named_files
from crm_utils.pipeline.jobs import Job
from crm_utils.pipeline.notebooks import Notebook

PACKAGE = Path(__file__).parents[1]
PAGE_CODE = ("pipeline", "site", "commands")  # the folders of the package whose code shapes pages


@dataclass(frozen=True, eq=False)
class FingerprintedJob:
    """A planned job with its cache keys, which decide whether something is out of date.

    Parameters
    ----------
    job : Job
        The job as planned.
    notebook_keys : mapping of str to str
        The key of each notebook by name, in the order in which they run.
    files : mapping of Path to str
        The hash of each file of the source and about customers.
    pages_key : str
        The key of the rendered pages: the notebooks' keys, the origin of each parameter, the mode of the files, and the
        code that renders.
    """

    job: Job
    notebook_keys: Mapping[str, str]
    files: Mapping[Path, str]
    pages_key: str

    def check_unchanged(self) -> None:
        """Raise `SourceError` if a file is not the one that the keys were made from."""
        root = self.job.root
        changed = [path for path, known in self.files.items() if not path.exists() or content_hash(path, root) != known]
        if changed:
            names = join_names([str(path.relative_to(root) if path.is_relative_to(root) else path) for path in changed])
            raise SourceError(
                f"{names} changed while it was read, so figures could be of two versions. Start again when the file is "
                "complete; write a new export under another name and rename it at the end"
            )


def fingerprint_job(job: Job) -> FingerprintedJob:
    """Compute the cache keys of a job from its data, settings, parameters, rules and code.

    Raises
    ------
    SourceMissing
        If the data do not exist.
    """
    keys: dict[str, str] = {}
    files = {path: content_hash(path, job.root) for path in [*source_file_paths(job), *customer_files(job)]}
    key = _data_key(job)
    for notebook in job.notebooks:
        key = _notebook_key(job, notebook, key)
        keys[notebook.name] = key
    return FingerprintedJob(job, keys, files, _pages_key(job, keys))


def _data_key(job: Job) -> str:
    """The key before the first notebook: the data, the settings and the lock file of the environment."""
    customer_tables = " ".join(content_hash(path, job.root) for path in customer_files(job))
    settings = job.settings.model_dump_json() + customer_tables + repr(job.report.pass_env)
    lock = job.root / "requirements.lock"
    return _hash(_source_key(job), settings, lock.read_text(encoding="utf-8") if lock.exists() else "")


def _notebook_key(job: Job, notebook: Notebook, previous: str) -> str:
    cells = json.dumps([[c["cell_type"], c["source"], c["metadata"].get("tags") or []] for c in notebook.cells])
    values = repr([(parameter.name, parameter.value) for parameter in job.parameters[notebook.name]])
    rules = [path.read_text(encoding="utf-8") for path in job.rule_files(notebook)]
    dependencies = local_dependencies(*imported_code(job, notebook), root=job.root)
    modules = [_text(path) for path in dependencies]
    own_modules = [_text(path) for path in dependencies if PACKAGE not in path.parents]
    beside = named_files(notebook.path.parent, [*notebook.code, *own_modules], notebook.texts)
    files = [text for path in beside for text in (path.name, content_hash(path, job.root))]
    return _hash(previous, notebook.name, cells, values, *rules, *modules, *files)


def imported_code(job: Job, notebook: Notebook) -> list[str]:
    """The code of a notebook, and the import of a class that a parameter names: `model: my_models:MyModel`."""
    named = [p.value for p in job.parameters[notebook.name] if p.name == "model" and ":" in str(p.value)]
    return [*notebook.code, *(f"import {str(name).partition(':')[0]}" for name in named)]


def _pages_key(job: Job, keys: Mapping[str, str]) -> str:
    origins = [[parameter.origin for parameter in job.parameters[notebook.name]] for notebook in job.notebooks]
    return _hash(json.dumps([keys, origins, job.report.publish_mode, job.report.pages.model_dump()]), *_page_code())


@cache
def _page_code() -> tuple[str, ...]:
    """The code, templates and styles that shape pages."""
    paths = [path for folder in PAGE_CODE for path in sorted((PACKAGE / folder).rglob("*"))]
    return tuple(path.read_text(encoding="utf-8") for path in paths if path.suffix in (".py", ".j2", ".css", ".js"))


def package_key() -> str:
    """The hash of all code of the package."""
    return _hash(*(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))))


def customer_files(job: Job) -> list[Path]:
    """The files about customers beside their transactions. Raises `SourceMissing` if one does not exist."""
    tables = {name: file for name, file in job.report.customer_tables.items() if file != SIMULATED}
    if job.report.sent is not None:
        tables["sent"] = job.report.sent.file
    return [path for name, file in tables.items() for path in customer_table_paths(name, file, job.root)]


def local_dependencies(*code: str, root: Path | None = None) -> list[Path]:
    """The files that pieces of code import, directly or indirectly, in a fixed order.

    These are modules of this package, and an analyst's own modules in the project's folder `root` or its `notebooks/`.
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
    """The modules that code imports, and the names that it imports from them, which can be modules too."""
    python = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith(("%", "!")))
    try:
        tree = ast.parse(python)
    except SyntaxError:  # the kernel reports it, with the section
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
    if first != PACKAGE.name:
        # every file of an analyst's own package, because its modules may import each other
        folders = [root, root / "notebooks"] if root else []
        return [
            path for folder in folders for name in (f"{first}.py", f"{first}/**/*.py") for path in folder.glob(name)
        ]
    path = PACKAGE.parent.joinpath(*parts)
    if path.with_suffix(".py").is_file():
        return [path.with_suffix(".py")]
    return [path / "__init__.py", *path.glob("*.mplstyle")] if (path / "__init__.py").is_file() else []


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _source_key(job: Job) -> str:
    """What identifies the data: the hashes of files, or `sources.source_fingerprint` for a database."""
    source = job.report.source
    hashes = " ".join(content_hash(path, job.root) for path in source_file_paths(job))
    if source.database is None:
        return hashes
    # imported here because it imports an engine, which only a database needs
    from crm_utils import sources

    return hashes + sources.source_fingerprint(source, job.report.columns, job.root, job.day)


def source_file_paths(job: Job) -> list[Path]:
    """The files of the source, and the rates of exchange if there are any."""
    source = job.report.source
    rates = source.currency.rates if source.currency else None
    found = [job.root / rates] if rates and (job.root / rates).is_file() else []  # reading it says if it is missing
    return found if source.database else [*source_paths(source, job.root), *found]


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
