"""Files beside the notebooks, such as `targets.csv`: found in a run as in Jupyter, and part of cache keys."""

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# Notebooks are written by a run; modules are found by Python's own path
NOT_DATA = (".ipynb", ".py")
LONGEST_PATH = 255  # letters
# How markdown and HTML name a file
NAMED_IN_TEXT = re.compile(r"""\]\(\s*<?([^)\s>]+)|src\s*=\s*["']([^"']+)""")


def named_files(folder: Path, code: Iterable[str], texts: Iterable[str]) -> list[Path]:
    """Return the files of a folder that code or text names.

    Parameters
    ----------
    folder : Path
        The folder of the notebooks.
    code : iterable of str
        Pieces of Python. Each text between quotes that is the path of a file in the folder counts, and of a folder in
        it all its files. A path that is put together while the code runs is not known.
    texts : iterable of str
        Markdown. The targets of its images and links count.

    Returns
    -------
    list of Path
        In a fixed order.
    """
    names = {name for piece in code for name in _quoted_texts(piece)}
    names |= {name for text in texts for match in NAMED_IN_TEXT.findall(text) for name in match if name}
    inside = folder.resolve()
    files: set[Path] = set()
    for path in (folder / name for name in names):
        if _is_inside(path, inside):
            files |= set(path.rglob("*")) if path.is_dir() else {path}
    return sorted(path for path in files if path.is_file() and path.suffix not in NOT_DATA)


@contextmanager
def files_beside(notebooks: Path, folder: Path) -> Iterator[None]:
    """Link the data files of the folder of notebooks into a folder where one runs, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = [
        path
        for path in sorted(notebooks.iterdir())
        if path.suffix not in NOT_DATA and not path.name.startswith((".", "_")) and not (folder / path.name).exists()
    ]
    links = [folder / path.name for path in beside]
    for link, path in zip(links, beside, strict=True):
        link.symlink_to(path.resolve())
    try:
        yield
    finally:
        for link in links:
            if link.is_symlink():
                link.unlink()


@cache
def _quoted_texts(code: str) -> frozenset[str]:
    python = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith(("%", "!")))
    try:
        tree = ast.parse(python)
    except (SyntaxError, ValueError):  # the kernel reports it, with the section
        return frozenset()
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return frozenset(text for text in constants if isinstance(text, str) and len(text) <= LONGEST_PATH)


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether there is such a path in a folder, other than the folder itself. What cannot be a path is not."""
    try:
        return path.exists() and folder in path.resolve().parents
    except (OSError, ValueError, RuntimeError):
        return False
