"""Files beside the notebooks, such as `targets.csv`: found in a run as in Jupyter, and part of cache keys."""

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Notebooks are written by a run; modules are found by Python's own path
NOT_DATA = (".ipynb", ".py")
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
    files: set[Path] = set()
    for name in names:
        path = folder / name
        if _is_inside(path, folder):
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


def _quoted_texts(code: str) -> set[str]:
    python = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith(("%", "!")))
    try:
        tree = ast.parse(python)
    except (SyntaxError, ValueError):  # the kernel reports it, with the section
        return set()
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether a path is in a folder, and not the folder itself. What cannot be a path is not."""
    try:
        found, inside = path.resolve(), folder.resolve()
        return found != inside and found.is_relative_to(inside) and path.exists()
    except (OSError, ValueError, RuntimeError):
        return False
