"""Draw docs/architecture.svg: the packages of crm_utils in layers, and an arrow for each import between them."""

import ast
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "crm_utils"
PICTURE = ROOT / "docs" / "architecture.svg"
ROWS = [  # from the top, each box with its centre; a package imports packages below it, and a stage those to its left
    ("command line", {"__main__": 520}),
    ("one module per command", {"commands": 520}),
    ("pages, two dates side by side", {"comparison": 360, "site": 840}),
    ("runs notebooks", {"pipeline": 680}),
    ("stages, one per notebook", {"cleaning": 280, "rfm": 440, "segmentation": 600, "cltv": 760, "budget": 920}),
    ("reads and writes data", {"store": 360, "sources": 520}),
    ("used everywhere (no arrows)", {"config": 440, "core": 600}),
]
WIDTH, ROW, BOX_WIDTH, BOX_HEIGHT = 1000, 100, 128, 40


def package_imports(folder: Path = PACKAGE, name: str = PACKAGE.name) -> set[tuple[str, str]]:
    """The pairs (importing, imported) of entries of the package `name` in `folder`, read from its source."""
    edges = set()
    for path in folder.rglob("*.py"):
        entry = path.relative_to(folder).parts[0].removesuffix(".py")
        edges |= {(entry, other) for other in _imported(path, name) if entry not in ("__init__", other)}
    return edges


def _imported(path: Path, name: str) -> set[str]:
    """The entries of the package that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == name:
            found |= {alias.name for alias in node.names if not alias.name.startswith("__")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{name}."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith(f"{name}.")}
    return found


def draw(edges: set[tuple[str, str]]) -> str:
    """The picture as SVG. Imports from the last row are left out, because nearly every package has them."""
    centres = _centres()
    missing = {name for edge in edges for name in edge} - set(centres)
    if missing:
        raise ValueError(f"tools/architecture.py: add {', '.join(sorted(missing))} to ROWS")
    height = ROW * len(ROWS)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="15" role="img">',
        "<title>The packages of crm_utils in layers. Arrows point from a package to those it imports.</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#546e7a"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for number, (label, _) in enumerate(ROWS):
        top = number * ROW
        fill = "#f5f7f8" if number % 2 else "#ffffff"
        lines.append(f'<rect y="{top}" width="{WIDTH}" height="{ROW}" fill="{fill}"/>')
        lines.append(f'<text x="12" y="{top + ROW // 2 + 5}" fill="#546e7a" font-size="13">{escape(label)}</text>')
    everywhere = ROWS[-1][1]
    lines += [_arrow(centres[start], centres[end]) for start, end in sorted(edges) if end not in everywhere]
    for name, (x, y) in centres.items():
        lines.append(
            f'<rect x="{x - BOX_WIDTH // 2}" y="{y - BOX_HEIGHT // 2}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" '
            'rx="5" fill="#e3eef4" stroke="#546e7a"/>'
        )
        lines.append(f'<text x="{x}" y="{y + 5}" text-anchor="middle" fill="#102027">{escape(name)}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def _centres() -> dict[str, tuple[int, int]]:
    """The centre of each box."""
    return {name: (x, number * ROW + ROW // 2) for number, (_, boxes) in enumerate(ROWS) for name, x in boxes.items()}


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    """A curve from the lower edge of a box to the upper edge of another. Within a row it is an arc above the boxes."""
    (x1, y1), (x2, y2) = start, end
    half = BOX_HEIGHT // 2
    if y1 == y2:
        lift = 12 + abs(x1 - x2) // 20
        path = (
            f"M{x1 - 10},{y1 - half} C{x1 - 30},{y1 - half - lift} {x2 + 30},{y1 - half - lift} {x2 + 10},{y2 - half}"
        )
    else:
        path = f"M{x1},{y1 + half} C{x1},{y1 + half + 40} {x2},{y2 - half - 40} {x2},{y2 - half}"
    return f'<path d="{path}" fill="none" stroke="#78909c" stroke-width="1.3" marker-end="url(#tip)"/>'


if __name__ == "__main__":
    PICTURE.write_text(draw(package_imports()), encoding="utf-8")
